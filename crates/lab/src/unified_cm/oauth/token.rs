//! The token endpoint: RFC 6749 sections 4.1.3 (authorization code, with RFC 7636) and 6 (refresh token).

use bytes::Bytes;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::json;
use sip_oauth_token::{RefreshToken, issue::IssuedToken};

use super::{
    OAuth,
    codes::{Presented, Redeemed},
    fields::{Fields, Malformed},
    is_known_client, json as json_answer, refused,
};
use crate::http::plain;

impl OAuth {
    /// The answer of section 5.1 or 5.2.
    pub(super) fn token(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if request.method() != Method::POST {
            return plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "the token endpoint takes POST\n",
            );
        }
        self.grant(request).unwrap_or_else(refused)
    }

    fn grant(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, &'static str> {
        let malformed = |Malformed| "invalid_request";
        let form = form(request).map_err(malformed)?;
        let grant_type = form.required("grant_type").map_err(malformed)?;
        if !matches!(grant_type.as_str(), "authorization_code" | "refresh_token") {
            return Err("unsupported_grant_type");
        }
        // The client is public: it has an id, and nothing to authenticate with.
        if request.headers().contains_key(AUTHORIZATION) || form.get("client_secret") != Ok(None) {
            return Err("invalid_client");
        }
        let client_id = form.required("client_id").map_err(malformed)?;
        if !is_known_client(&client_id) {
            return Err("invalid_client");
        }
        if grant_type == "refresh_token" {
            self.refresh(&form, &client_id)
        } else {
            self.redeem(&form, &client_id)
        }
    }

    fn redeem(&self, form: &Fields<'_>, client_id: &str) -> Result<Response<Bytes>, &'static str> {
        let malformed = |Malformed| "invalid_request";
        let code = form.required("code").map_err(malformed)?;
        let redirect_uri = form.get("redirect_uri").map_err(malformed)?;
        let code_verifier = form.required("code_verifier").map_err(malformed)?;
        let presented = Presented {
            code: &code,
            client_id,
            redirect_uri: redirect_uri.as_deref(),
            code_verifier: &code_verifier,
        };
        let now = self.clock.system_now();
        let redeemed = self.codes().redeem(&presented, now);
        let granted = match redeemed {
            Redeemed::Good(granted) => granted,
            Redeemed::Refused => return Err("invalid_grant"),
            Redeemed::Again(issued) => {
                if let Some((access, refresh)) = issued {
                    let mut server = self.server();
                    server.revoke_access_token(&access);
                    server.revoke_refresh_token(&refresh, now);
                }
                return Err("invalid_grant");
            }
        };
        let scopes: Vec<&str> = granted.scopes.iter().map(String::as_str).collect();
        let issued = {
            let mut server = self.server();
            server
                .issue_refresh(&granted.user, client_id, &scopes, now)
                .and_then(|(refresh, _)| {
                    let access = server.issue_access(&granted.user, client_id, &scopes, now)?;
                    Ok((access, refresh))
                })
        };
        let (access, refresh) = issued.map_err(|error| error.error_code())?;
        self.codes()
            .issued(&code, access.token.clone(), refresh.clone());
        Ok(answer(&access, Some(&refresh), &scopes.join(" ")))
    }

    fn refresh(&self, form: &Fields<'_>, client_id: &str) -> Result<Response<Bytes>, &'static str> {
        let malformed = |Malformed| "invalid_request";
        let token = form.required("refresh_token").map_err(malformed)?;
        let scope = form.get("scope").map_err(malformed)?;
        let token = RefreshToken::parse(&token).map_err(|_| "invalid_grant")?;
        let asked: Option<Vec<&str>> = scope.as_deref().map(|scope| scope.split(' ').collect());
        let (issued, scopes) = self
            .server()
            .refresh_for(&token, client_id, asked.as_deref(), self.clock.system_now())
            .map_err(|error| error.error_code())?;
        Ok(answer(&issued, None, &scopes.join(" ")))
    }
}

/// The form in a request's body.
pub(super) fn form(request: &Request<Bytes>) -> Result<Fields<'_>, Malformed> {
    let media_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = media_type
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if !media_type
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        return Err(Malformed);
    }
    std::str::from_utf8(request.body())
        .map(Fields::new)
        .map_err(|_| Malformed)
}

fn answer(access: &IssuedToken, refresh: Option<&RefreshToken>, scope: &str) -> Response<Bytes> {
    let mut body = json!({
        "access_token": access.token.expose(),
        "token_type": "Bearer",
        "expires_in": access.expires_in.as_secs(),
        "scope": scope,
    });
    if let (Some(members), Some(refresh)) = (body.as_object_mut(), refresh) {
        members.insert("refresh_token".to_owned(), refresh.expose().into());
    }
    json_answer(StatusCode::OK, body.to_string())
}
