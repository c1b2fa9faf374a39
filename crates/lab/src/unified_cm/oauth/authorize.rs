//! `/ssosp/oauth/authorize`: RFC 6749 section 3.1, for codes with PKCE and, as the product's published query has it, for
//! tokens by the implicit grant.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{CACHE_CONTROL, HeaderValue, LOCATION},
};
use sip_oauth_token::Form;

use super::{
    OAuth, codes,
    fields::{Fields, Malformed, append},
    is_authenticated, is_known_client, unauthorized,
};
use crate::{http::plain, unified_cm::SCOPE};

/// Where a client is answered that names no redirect URI, as the product's published query does not.
const DEFAULT_REDIRECT: &str = "http://127.0.0.1/callback";
/// Longest `state` that is sent back.
const MAX_STATE_BYTES: usize = 1024;

/// Where the user's browser is sent, and with what kind of answer.
struct Target {
    redirect_uri: String,
    state: Option<String>,
    /// The implicit grant answers in the fragment (section 4.2.2), the code grant in the query (section 4.1.2).
    in_fragment: bool,
}

impl OAuth {
    pub(super) fn authorize(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if request.method() != Method::GET {
            return plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "the authorization endpoint takes GET\n",
            );
        }
        let fields = Fields::new(request.uri().query().unwrap_or_default());
        // Section 4.1.2.1: with a wrong client or redirect URI the user is told, and sent nowhere.
        let Ok(client_id) = fields.required("client_id") else {
            return plain(StatusCode::BAD_REQUEST, "client_id: expected once\n");
        };
        if !is_known_client(&client_id) {
            return plain(StatusCode::BAD_REQUEST, "client_id: not known here\n");
        }
        let redirect_uri = match fields.get("redirect_uri") {
            Ok(uri) if uri.as_deref().is_none_or(is_loopback) => uri,
            _ => {
                let told = "redirect_uri: expected http://127.0.0.1:<port>/callback\n";
                return plain(StatusCode::BAD_REQUEST, told);
            }
        };
        let state = fields.get("state");
        let target = Target {
            redirect_uri: redirect_uri
                .clone()
                .unwrap_or_else(|| DEFAULT_REDIRECT.to_owned()),
            state: state
                .as_ref()
                .ok()
                .cloned()
                .flatten()
                .filter(|text| text.len() <= MAX_STATE_BYTES),
            in_fragment: matches!(fields.get("response_type"), Ok(Some(kind)) if kind == "token"),
        };
        if state != Ok(target.state.clone()) {
            return target.error("invalid_request");
        }
        let asked = match self.read(&fields) {
            Ok(asked) => asked,
            Err(error) => return target.error(error),
        };
        if !is_authenticated(request.headers(), &self.accounts.user, false) {
            return unauthorized("Basic realm=\"Unified CM\", charset=\"UTF-8\"");
        }
        match asked {
            Asked::Code {
                code_challenge,
                scopes,
            } => {
                let request = codes::Request {
                    client_id,
                    redirect_uri,
                    code_challenge,
                    user: self.accounts.user.name.clone(),
                    scopes,
                };
                match self.codes().give(request, self.clock.system_now()) {
                    Some(code) => target.redirect(&[("code", &code)]),
                    None => target.error("temporarily_unavailable"),
                }
            }
            Asked::Token { scopes } => self.implicit(&target, &client_id, &scopes),
        }
    }

    /// Reads what is asked for; the error is one of section 4.1.2.1.
    fn read(&self, fields: &Fields<'_>) -> Result<Asked, &'static str> {
        let malformed = |Malformed| "invalid_request";
        let kind = fields.required("response_type").map_err(malformed)?;
        let scopes = match fields.get("scope").map_err(malformed)? {
            None => vec![SCOPE.to_owned()],
            Some(scope) => scope.split(' ').map(str::to_owned).collect(),
        };
        if scopes.iter().any(|scope| scope != SCOPE) {
            return Err("invalid_scope");
        }
        match kind.as_str() {
            "token" => Ok(Asked::Token { scopes }),
            // The product's parameter OAuth with Refresh Login Flow.
            "code" if !self.database.read().refresh_login_flow() => {
                Err("unsupported_response_type")
            }
            "code" => {
                // RFC 7636 section 4.4.1: "code challenge required", and "transform algorithm not supported".
                let challenge = fields.required("code_challenge").map_err(malformed)?;
                let method = fields
                    .required("code_challenge_method")
                    .map_err(malformed)?;
                let is_digest = URL_SAFE_NO_PAD
                    .decode(&challenge)
                    .is_ok_and(|hash| hash.len() == 32);
                if method != "S256" || !is_digest {
                    return Err("invalid_request");
                }
                Ok(Asked::Code {
                    code_challenge: challenge,
                    scopes,
                })
            }
            _ => Err("unsupported_response_type"),
        }
    }

    /// Section 4.2.2: the product's "simple token", opaque and checked online.
    fn implicit(&self, target: &Target, client_id: &str, scopes: &[String]) -> Response<Bytes> {
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let now = self.clock.system_now();
        let user = &self.accounts.user.name;
        let server = self.server();
        let audience = server.uuid().to_owned();
        match server.issue_access_for(Form::Opaque, &audience, user, client_id, &scopes, now) {
            Ok(issued) => target.redirect(&[
                ("access_token", issued.token.expose()),
                ("token_type", "Bearer"),
                ("expires_in", &issued.expires_in.as_secs().to_string()),
                ("scope", &scopes.join(" ")),
            ]),
            Err(_) => target.error("server_error"),
        }
    }
}

enum Asked {
    Code {
        code_challenge: String,
        scopes: Vec<String>,
    },
    Token {
        scopes: Vec<String>,
    },
}

impl Target {
    fn error(&self, error: &str) -> Response<Bytes> {
        self.redirect(&[("error", error)])
    }

    fn redirect(&self, fields: &[(&str, &str)]) -> Response<Bytes> {
        let mut location = self.redirect_uri.clone();
        let mut before = if self.in_fragment { '#' } else { '?' };
        let state = self.state.as_deref().map(|state| ("state", state));
        for (name, value) in fields.iter().copied().chain(state) {
            location.push(before);
            append(&mut location, name, value);
            before = '&';
        }
        let mut response = plain(StatusCode::FOUND, "");
        let headers = response.headers_mut();
        // Percent-encoded behind a redirect URI that was checked by character: it always can stand there.
        if let Ok(location) = HeaderValue::try_from(location) {
            headers.insert(LOCATION, location);
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// RFC 8252 section 7.3: "The authorization server MUST allow any port to be specified at the time of the request for
/// loopback IP redirect URIs".
fn is_loopback(redirect_uri: &str) -> bool {
    let host = ["http://127.0.0.1", "http://[::1]"]
        .iter()
        .find_map(|host| redirect_uri.strip_prefix(host));
    let port = host.and_then(|rest| rest.strip_suffix("/callback"));
    port.is_some_and(|port| {
        port.is_empty()
            || port.strip_prefix(':').is_some_and(|digits| {
                digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u16>().is_ok()
            })
    })
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn rfc8252_section_7_3_any_port_of_loopback_and_nothing_else() {
        for good in [
            "http://127.0.0.1/callback",
            "http://127.0.0.1:49152/callback",
            "http://[::1]:1/callback",
        ] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "https://127.0.0.1/callback",
            "http://localhost/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:+1/callback",
            "http://127.0.0.1:1/callback/",
            "http://127.0.0.1:1/callback?x=1",
            "http://127.0.0.1:1/callback#x",
            "http://127.0.0.1:1@evil.example.com/callback",
            "http://127.0.0.1.evil.example.com/callback",
            "",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
