//! Unified CM's tokens: a JWS around a JWE around claims, the refresh token, the server's habits.
#![cfg(feature = "issue")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

#[path = "../common/mod.rs"]
mod common;

mod access_token;
mod authorization_server;
mod published_samples;
mod verdict_cache;

use std::time::Duration;

use common::{
    NOW, UCM_CLAIMS, UCM_HEADER, UUID, at, b64, encrypt, now, sign, ucm, ucm_refusal, unified_cm,
    verify_ucm, verify_with, with,
};
use sip_oauth_token::inspect::Kind;
use sip_oauth_token::issue::{
    AccessTokenExpiryTimer, AuthorizationServer, IssueError, RefreshTokenExpiryTimer,
};
use sip_oauth_token::{
    Algorithm, ClaimNames, ContentEncryption, EncryptionKey, Form, KeySet, Policy, TokenErrorKind,
    Verifier, inspect,
};

const CLIENT: &str = "C0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const SCOPE: &str = "UnifiedCommunications:readwrite";

fn server() -> AuthorizationServer {
    AuthorizationServer::new(UUID).unwrap()
}

#[test]
fn verifier_and_server_are_shared_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Verifier>();
    is_shared::<AuthorizationServer>();
}
