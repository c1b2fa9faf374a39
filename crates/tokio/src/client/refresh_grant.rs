//! Access tokens by a refresh token (RFC 6749 section 6), over HTTPS.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use hyper::{
    Method, StatusCode, Uri,
    header::{ACCEPT, CONTENT_TYPE, HeaderValue},
};
use serde_json::Value;
use sip_oauth_token::{AccessToken, RefreshToken};
use tokio::sync::Mutex;

use super::token_source::{ObtainedToken, TokenRequest, TokenSource, TokenUnavailable};
use crate::{
    connect::Connector,
    http::{Answer, Exchange, printable},
    resolver::BoxFuture,
};

/// Answers of a token endpoint are a few kilobytes; tokens are at most 16 KiB each.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Called with a new refresh token where the authorization server rotates them.
type Rotated = Arc<dyn Fn(&RefreshToken) + Send + Sync>;

/// Asks an authorization server's token endpoint for a new access token each time one is wanted.
///
/// "the client makes a refresh request to the token endpoint by adding the following parameters using the
/// "application/x-www-form-urlencoded" format": `grant_type=refresh_token`, `refresh_token`, and `client_id` for a public
/// client (RFC 6749 section 6 and 3.2.1). Where Unified CM's endpoint is, and what else it wants, is not public: the URL
/// is the caller's. A refresh token that comes back with the access token replaces the one we have.
pub struct RefreshGrant {
    connector: Connector,
    endpoint: Uri,
    client_id: String,
    refresh_token: Mutex<RefreshToken>,
    scope_from_challenge: bool,
    timeout: Duration,
    rotated: Option<Rotated>,
}

impl fmt::Debug for RefreshGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshGrant")
            .field("endpoint", &printable(&self.endpoint))
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl RefreshGrant {
    /// Asks `endpoint`, an https URL, as `client_id`. Each request may take 15 s.
    ///
    /// # Errors
    ///
    /// When `endpoint` is not an https URL: RFC 6749 section 3.2 demands TLS.
    pub fn new(
        connector: Connector,
        endpoint: &str,
        client_id: &str,
        refresh_token: RefreshToken,
    ) -> Result<Self, TokenUnavailable> {
        let endpoint: Uri = endpoint
            .parse()
            .map_err(|_| TokenUnavailable::new("the token endpoint is not a URL"))?;
        if endpoint.scheme_str() != Some("https") || endpoint.host().is_none() {
            return Err(TokenUnavailable::new(
                "the token endpoint must be an https URL (RFC 6749 section 3.2)",
            ));
        }
        Ok(Self {
            connector,
            endpoint,
            client_id: client_id.to_owned(),
            refresh_token: Mutex::new(refresh_token),
            scope_from_challenge: false,
            timeout: Duration::from_secs(15),
            rotated: None,
        })
    }

    /// Sets the time a request may take, connecting included.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the `scope` of the challenge (RFC 8898 section 2.1.1). Off by default: a server refuses a scope that the
    /// resource owner did not grant.
    #[must_use]
    pub fn ask_scope_of_challenge(mut self) -> Self {
        self.scope_from_challenge = true;
        self
    }

    /// Calls `rotated` with every new refresh token, so that it can be stored.
    #[must_use]
    pub fn on_new_refresh_token(
        mut self,
        rotated: impl Fn(&RefreshToken) + Send + Sync + 'static,
    ) -> Self {
        self.rotated = Some(Arc::new(rotated));
        self
    }

    async fn ask(&self, request: &TokenRequest) -> Result<ObtainedToken, TokenUnavailable> {
        // Held over the exchange: two requests with one rotating refresh token would revoke each other.
        let mut current = self.refresh_token.lock().await;
        let mut form = Form::default();
        form.field("grant_type", "refresh_token");
        form.field("refresh_token", current.expose());
        form.field("client_id", &self.client_id);
        let challenge = request.challenge.as_ref();
        if let Some(scope) = challenge.and_then(|challenge| challenge.scope.as_deref())
            && self.scope_from_challenge
        {
            form.field("scope", scope);
        }
        let answer = Exchange {
            method: Method::POST,
            uri: &self.endpoint,
            headers: vec![
                (
                    CONTENT_TYPE,
                    HeaderValue::from_static("application/x-www-form-urlencoded"),
                ),
                (ACCEPT, HeaderValue::from_static("application/json")),
            ],
            body: Bytes::from(form.0),
            subject: "token refresh",
            max_body_bytes: MAX_ANSWER_BYTES,
            timeout: self.timeout,
        }
        .run(&self.connector)
        .await
        .map_err(|error| {
            TokenUnavailable::new(format!("token endpoint {error}")).caused_by(error)
        })?;

        let place = || format!("token endpoint {}", printable(&self.endpoint));
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let Some(json) = json.as_ref().filter(|_| answer.status == StatusCode::OK) else {
            return Err(TokenUnavailable::new(refusal(
                &place(),
                &answer,
                json.as_ref(),
            )));
        };
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        // RFC 6749 section 5.1: the type is REQUIRED, its value is case insensitive.
        if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return Err(TokenUnavailable::new(format!(
                "{}: the answer's token_type is not Bearer",
                place()
            )));
        }
        let token = text("access_token")
            .ok_or_else(|| {
                TokenUnavailable::new(format!("{}: the answer has no access_token", place()))
            })?
            .parse::<AccessToken>()
            .map_err(|error| {
                TokenUnavailable::new(format!("{}: access_token: {error}", place()))
            })?;
        if let Some(next) = text("refresh_token") {
            let next = next.parse::<RefreshToken>().map_err(|error| {
                TokenUnavailable::new(format!("{}: refresh_token: {error}", place()))
            })?;
            if next != *current {
                if let Some(rotated) = &self.rotated {
                    rotated(&next);
                }
                *current = next;
            }
        }
        Ok(ObtainedToken {
            token,
            expires_in: json
                .get("expires_in")
                .and_then(seconds)
                .map(Duration::from_secs),
        })
    }
}

impl TokenSource for RefreshGrant {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<ObtainedToken, TokenUnavailable>> {
        Box::pin(self.ask(request))
    }
}

/// A number of seconds; some servers write it as a string.
fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The sentence for an answer without a token (RFC 6749 section 5.2).
fn refusal(place: &str, answer: &Answer, json: Option<&Value>) -> String {
    let status = answer.status.as_u16();
    let error = json
        .and_then(|json| json.get("error"))
        .and_then(Value::as_str)
        // Section 5.2: "MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E".
        .filter(|error| error.len() <= 64 && error.bytes().all(|b| (0x20..0x7f).contains(&b)));
    match error {
        Some("invalid_grant") => format!(
            "{place}: the refresh token has expired or was revoked (invalid_grant); sign in again"
        ),
        Some("invalid_client" | "unauthorized_client") => {
            format!("{place}: the client id is not accepted ({status}); check client_id")
        }
        Some(error) => format!("{place}: refused with {error} ({status})"),
        None if status == 200 => format!("{place}: the answer is not JSON"),
        None => format!("{place}: status {status} without an OAuth error"),
    }
}

/// A form body (application/x-www-form-urlencoded), built so that a secret in it is not copied about.
#[derive(Default)]
struct Form(String);

impl Form {
    fn field(&mut self, name: &str, value: &str) {
        // Room for the worst case at once: growing would leave copies of the token behind.
        self.0.reserve(name.len() + 3 * value.len() + 2);
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                    self.0.push(char::from(byte));
                }
                b' ' => self.0.push('+'),
                other => {
                    const HEX: [char; 16] = [
                        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E',
                        'F',
                    ];
                    self.0.push('%');
                    for digit in [other >> 4, other & 0xf] {
                        self.0.extend(HEX.get(usize::from(digit)));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_values_are_percent_encoded() {
        let mut form = Form::default();
        form.field("grant_type", "refresh_token");
        form.field("refresh_token", "a+b/c= d\u{e9}");
        assert_eq!(
            form.0,
            "grant_type=refresh_token&refresh_token=a%2Bb%2Fc%3D+d%C3%A9"
        );
    }

    #[test]
    fn the_endpoint_must_be_https() {
        let token = || RefreshToken::parse("refresh").unwrap();
        for endpoint in [
            "http://as.example.com/token",
            "as.example.com",
            "/token",
            "ftp://a/b",
        ] {
            assert!(
                RefreshGrant::new(Connector::new(), endpoint, "id", token()).is_err(),
                "{endpoint}"
            );
        }
        let grant = RefreshGrant::new(
            Connector::new(),
            "https://as.example.com/token",
            "id",
            token(),
        );
        assert!(!format!("{:?}", grant.unwrap()).contains("refresh\""));
    }
}
