//! The access tokens in circulation, and what is said about them when somebody asks (RFC 7662).

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use serde::Serialize;

use super::expiring::Expiring;

/// What the server knows about an access token it issued.
#[derive(Clone, Debug)]
pub(super) struct Details {
    pub(super) user: String,
    pub(super) client_id: String,
    pub(super) audience: Option<String>,
    pub(super) scope: String,
    pub(super) token_id: String,
    pub(super) iat: u64,
    pub(super) exp: u64,
}

/// By SHA-256 of the token: a server that keeps no token cannot lose one. Behind a lock because issuing is reading
/// otherwise.
#[derive(Debug, Default)]
pub(super) struct Live(Mutex<Expiring<[u8; SHA256_OUTPUT_LEN], Details>>);

impl Live {
    pub(super) fn insert(&self, token: &str, details: Details) {
        let (iat, exp) = (details.iat, details.exp);
        self.lock().insert(key(token), exp, details, iat);
    }

    pub(super) fn get(&self, token: &str, now: u64) -> Option<Details> {
        self.lock().get(&key(token), now).cloned()
    }

    pub(super) fn revoke(&self, token: &str) -> bool {
        self.lock().remove(&key(token)).is_some()
    }

    pub(super) fn revoke_of(&self, user: &str, client_id: Option<&str>) {
        self.lock().take(|details| {
            details.user == user && client_id.is_none_or(|client_id| details.client_id == client_id)
        });
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// A thread that panicked while holding the lock left whole entries behind.
    fn lock(&self) -> MutexGuard<'_, Expiring<[u8; SHA256_OUTPUT_LEN], Details>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(token: &str) -> [u8; SHA256_OUTPUT_LEN] {
    let mut key = [0; SHA256_OUTPUT_LEN];
    key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    key
}

/// RFC 7662 section 2.2.
#[derive(Serialize)]
struct Response<'a> {
    active: bool,
    iss: &'a str,
    sub: &'a str,
    username: &'a str,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    scope: &'a str,
    token_type: &'static str,
    jti: &'a str,
    iat: u64,
    exp: u64,
}

/// The body of an introspection response.
pub(super) fn response(issuer: &str, details: Option<&Details>) -> String {
    let Some(details) = details else {
        // "the authorization server SHOULD NOT include any additional information about an inactive token".
        return r#"{"active":false}"#.to_owned();
    };
    let response = Response {
        active: true,
        iss: issuer,
        sub: &details.user,
        username: &details.user,
        client_id: &details.client_id,
        aud: details.audience.as_deref(),
        scope: &details.scope,
        token_type: "Bearer",
        jti: &details.token_id,
        iat: details.iat,
        exp: details.exp,
    };
    serde_json::to_string(&response).expect("structs of strings and numbers are JSON")
}
