//! Why nothing was issued.

use crate::error::TokenError;
use crate::keys::KeyError;

/// Why nothing was issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The issuer is not a UUID, which is what Unified CM puts into `kid` and `iss`.
    #[error("issuer: expected a UUID in lower case")]
    Issuer,
    /// User or client is empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// The refresh token is not good.
    #[error("refresh token: {0}")]
    RefreshToken(#[from] TokenError),
    /// The refresh token was revoked, or issued before keys or timers changed.
    #[error("refresh token: not known, or revoked")]
    Revoked,
    /// The refresh token belongs to another client (RFC 6749 section 10.4).
    #[error("refresh token: issued to another client")]
    OtherClient,
    /// A scope is asked for that was not granted with the refresh token (RFC 6749 section 6).
    #[error("scope: not granted with the refresh token")]
    Scope,
    /// A key could not be made or used.
    #[error("key: {0}")]
    Key(#[from] KeyError),
    /// The cryptographic library failed, for want of randomness or memory.
    #[error("the cryptographic library failed")]
    Crypto,
}

impl IssueError {
    /// The `error` value of RFC 6749 section 5.2 that answers a refresh request. For a fault of the
    /// server that section has none, and it is `server_error` of section 4.1.2.1.
    pub fn error_code(&self) -> &'static str {
        match self {
            Self::RefreshToken(_) | Self::Revoked | Self::OtherClient => "invalid_grant",
            Self::Scope => "invalid_scope",
            Self::Issuer | Self::Empty(_) => "invalid_request",
            Self::Key(_) | Self::Crypto => "server_error",
        }
    }
}
