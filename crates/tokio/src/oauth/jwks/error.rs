//! Why the keys of an authorization server could not be had.

use std::{fmt, sync::Arc, time::Duration};

use sip_oauth_token::KeyError;

use crate::http::{FetchFailure, HttpFailure};

/// The keys could not be had: what, where, what to do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JwksError {
    /// The URL without user information and query.
    pub url: String,
    /// What failed.
    pub failure: JwksFailure,
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys from {}: {}", self.url, self.failure)
    }
}

impl std::error::Error for JwksError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.failure)
    }
}

/// Rounded up: who comes back then is not too early.
fn in_seconds(time: Duration) -> u64 {
    time.as_secs()
        .saturating_add(u64::from(time.subsec_nanos() > 0))
}

/// Why the keys could not be had.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum JwksFailure {
    /// Keys are fetched over TLS only.
    #[error("expected an https URL")]
    NotHttps,
    /// Keys belong to an issuer (RFC 8725 section 3.8).
    #[error(
        "whose keys are these? expected one issuer in the policy, or one of those in it by `JwksClient::of_issuer`"
    )]
    Issuer,
    /// The runtime ended while it was asked.
    #[error("asking was given up")]
    GivenUp,
    /// A token names a key that is not there, and the server was asked a moment ago: it may have the key by now.
    #[error("asked a moment ago, and not again for {} s", in_seconds(*left))]
    TooSoon {
        /// How long until it may be asked again.
        left: Duration,
    },
    /// There was no whole answer.
    #[error("{0}")]
    Http(Arc<HttpFailure>),
    /// Another status than 200.
    #[error("status {0} instead of 200; check the URL against the server's `jwks_uri`")]
    Status(u16),
    /// A redirect that is not followed.
    #[error("{0}")]
    Redirect(Arc<FetchFailure>),
    /// What came is no set with a usable key.
    #[error("{0}")]
    Keys(KeyError),
}
