//! The token endpoint on 8443: RFC 6749's refresh grant.
//!
//! Path and form fields of Unified CM's own endpoint are not public. This is RFC 6749 section 6 under a path of the
//! lab's own ([`LabBuilder::token_path`](crate::LabBuilder::token_path)), so that a client has something to talk to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{CACHE_CONTROL, HeaderValue},
};
use serde_json::json;
use sip_oauth_token::{RefreshToken, issue::AuthorizationServer};
use sip_oauth_tokio::Clock;

use crate::http::{plain, with_type};

/// Issues access tokens for refresh tokens.
pub(super) struct TokenEndpoint {
    authorization_server: Arc<Mutex<AuthorizationServer>>,
    clock: Clock,
}

impl TokenEndpoint {
    pub(super) fn new(authorization_server: Arc<Mutex<AuthorizationServer>>, clock: Clock) -> Self {
        Self {
            authorization_server,
            clock,
        }
    }

    /// The answer of RFC 6749 section 5.1 or 5.2.
    pub(super) fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if request.method() != Method::POST {
            return plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "the token endpoint takes POST\n",
            );
        }
        let Ok(form) = std::str::from_utf8(request.body()) else {
            return refused("invalid_request");
        };
        if field(form, "grant_type").as_deref() != Some("refresh_token") {
            return refused("unsupported_grant_type");
        }
        let (Some(token), Some(client_id)) =
            (field(form, "refresh_token"), field(form, "client_id"))
        else {
            return refused("invalid_request");
        };
        let Ok(token) = RefreshToken::parse(&token) else {
            return refused("invalid_grant");
        };
        match self
            .lock()
            .refresh(&token, &client_id, self.clock.system_now())
        {
            Ok(issued) => answer(
                StatusCode::OK,
                &json!({
                    "access_token": issued.token.expose(),
                    "token_type": "Bearer",
                    "expires_in": issued.expires_in.as_secs(),
                }),
            ),
            Err(error) => refused(error.error_code()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, AuthorizationServer> {
        self.authorization_server
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(error: &str) -> Response<Bytes> {
    answer(StatusCode::BAD_REQUEST, &json!({ "error": error }))
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response<Bytes> {
    let mut response = with_type(status, "application/json", body.to_string());
    // "The authorization server MUST include … no-store" (RFC 6749 section 5.1).
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The value of a field of `application/x-www-form-urlencoded` text.
fn field(form: &str, name: &str) -> Option<String> {
    let mut values = form
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, _)| *key == name);
    let (_, value) = values.next()?;
    // "Parameters … MUST NOT be included more than once" (RFC 6749 section 3.2).
    values.next().is_none().then(|| decoded(value)).flatten()
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || {
                    char::from(rest.next()?)
                        .to_digit(16)
                        .and_then(|digit| u8::try_from(digit).ok())
                };
                digit()? << 4 | digit()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_fields_are_decoded_and_never_taken_twice() {
        assert_eq!(field("a=1&b=x%2By+z", "b").as_deref(), Some("x+y z"));
        assert_eq!(field("a=1&a=2", "a"), None);
        assert_eq!(field("a=%4", "a"), None);
        assert_eq!(field("a=%zz", "a"), None);
        assert_eq!(field("", "a"), None);
    }
}
