//! The token endpoint: RFC 6749 sections 4.1.3 (authorization code, with RFC 7636) and 6 (refresh token).

use std::time::SystemTime;

use bytes::Bytes;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::json;
use sip_oauth_token::{AccessToken, RefreshToken, issue::IssuedToken};

use super::{
    OAuth,
    codes::{self, Presented, Redeemed},
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
                    self.end(&access, &refresh, now);
                }
                return Err("invalid_grant");
            }
        };
        self.issue(&code, &granted, now)
    }

    /// The tokens for a code that is redeemed; none when it was shown a second time before they were made.
    fn issue(
        &self,
        code: &str,
        granted: &codes::Request,
        now: SystemTime,
    ) -> Result<Response<Bytes>, &'static str> {
        let client_id = granted.client_id.as_str();
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
        if !self.codes().issued(code, &access.token, &refresh) {
            self.end(&access.token, &refresh, now);
            return Err("invalid_grant");
        }
        Ok(answer(&access, Some(&refresh), &scopes.join(" ")))
    }

    /// Revokes what was issued on one code.
    fn end(&self, access: &AccessToken, refresh: &RefreshToken, now: SystemTime) {
        let mut server = self.server();
        server.revoke_access_token(access);
        server.revoke_refresh_token(refresh, now);
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

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
mod tests {
    use std::sync::{Arc, Mutex};

    use sip_oauth_registration::registrar::{Cluster, Database};
    use sip_oauth_token::issue::AuthorizationServer;
    use sip_oauth_tokio::Clock;

    use super::*;
    use crate::{
        jabber::CLIENT_ID,
        unified_cm::{Account, oauth::Accounts},
    };

    /// RFC 7636 Appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const USER: &str = "rado";

    fn oauth() -> OAuth {
        let account = || Account {
            name: "a".to_owned(),
            password: "b".to_owned(),
        };
        let server = AuthorizationServer::new("5c1e7f20-93ab-4d6e-8a57-1f0b2c3d4e5f").unwrap();
        OAuth::new(
            Arc::new(Mutex::new(server)),
            Database::new(Cluster::new()),
            Clock::stopped(),
            "/token",
            Accounts {
                administrator: account(),
                user: account(),
                resource_server: account(),
            },
        )
    }

    fn code(oauth: &OAuth) -> String {
        let request = codes::Request {
            client_id: CLIENT_ID.to_owned(),
            redirect_uri: None,
            code_challenge: CHALLENGE.to_owned(),
            user: USER.to_owned(),
            scopes: Vec::new(),
        };
        oauth
            .codes()
            .give(request, oauth.clock.system_now())
            .unwrap()
    }

    fn form_of(code: &str) -> String {
        format!("code={code}&code_verifier={VERIFIER}")
    }

    /// The first step of a client that shows its code: the tokens are not made yet.
    fn redeem(oauth: &OAuth, code: &str) -> codes::Request {
        let presented = Presented {
            code,
            client_id: CLIENT_ID,
            redirect_uri: None,
            code_verifier: VERIFIER,
        };
        match oauth.codes().redeem(&presented, oauth.clock.system_now()) {
            Redeemed::Good(granted) => granted,
            _ => panic!("the code is good"),
        }
    }

    /// How many refresh tokens of the user live; none does afterwards.
    fn refresh_tokens(oauth: &OAuth) -> usize {
        oauth.server().revoke(USER, None).len()
    }

    #[test]
    fn a_code_gives_a_refresh_token_that_lives() {
        let oauth = oauth();
        let code = code(&oauth);
        let now = oauth.clock.system_now();
        let granted = redeem(&oauth, &code);
        let answer = oauth.issue(&code, &granted, now).unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(refresh_tokens(&oauth), 1);
    }

    /// RFC 6749 section 4.1.2: "If an authorization code is used more than once, the authorization server MUST deny the
    /// request and SHOULD revoke (when possible) all tokens previously issued based on that authorization code", also
    /// those that were on their way.
    #[test]
    fn rfc6749_section_4_1_2_a_second_use_while_the_tokens_are_made_ends_them() {
        let oauth = oauth();
        let code = code(&oauth);
        let now = oauth.clock.system_now();
        let granted = redeem(&oauth, &code);

        let form = form_of(&code);
        let second = oauth.redeem(&Fields::new(&form), CLIENT_ID);
        assert_eq!(second.unwrap_err(), "invalid_grant");

        let first = oauth.issue(&code, &granted, now);
        assert_eq!(first.unwrap_err(), "invalid_grant");
        assert_eq!(refresh_tokens(&oauth), 0);
    }

    #[test]
    fn rfc6749_section_4_1_2_a_second_use_after_the_tokens_were_made_ends_them() {
        let oauth = oauth();
        let code = code(&oauth);
        let now = oauth.clock.system_now();
        let granted = redeem(&oauth, &code);
        let answer = oauth.issue(&code, &granted, now).unwrap();
        let answer: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        let access = answer["access_token"].as_str().unwrap();
        let is_active = || !oauth.server().introspect(access, now).contains("false");
        assert!(is_active());

        let form = form_of(&code);
        let second = oauth.redeem(&Fields::new(&form), CLIENT_ID);
        assert_eq!(second.unwrap_err(), "invalid_grant");
        assert!(!is_active());
        assert_eq!(refresh_tokens(&oauth), 0);
    }
}
