//! Digest, read well enough to be recognised and passed on.

use std::fmt;

use super::params::AuthParams;
use crate::Text;

/// A Digest challenge (RFC 3261 section 20.44, RFC 8760).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DigestChallenge<'a> {
    params: AuthParams<'a>,
}

/// Digest credentials (RFC 3261 section 20.7). They are not printed.
#[derive(Clone, Copy)]
pub struct DigestCredentials<'a> {
    params: AuthParams<'a>,
}

impl<'a> DigestChallenge<'a> {
    pub(super) const fn read(params: AuthParams<'a>) -> Self {
        Self { params }
    }

    /// The realm.
    pub fn realm(&self) -> Option<Text<'a>> {
        self.params.get("realm")
    }

    /// The nonce.
    pub fn nonce(&self) -> Option<Text<'a>> {
        self.params.get("nonce")
    }

    /// The algorithm, MD5 where none is written.
    pub fn algorithm(&self) -> Option<Text<'a>> {
        self.params.get("algorithm")
    }

    /// All parameters.
    pub const fn params(&self) -> AuthParams<'a> {
        self.params
    }
}

impl<'a> DigestCredentials<'a> {
    pub(super) const fn read(params: AuthParams<'a>) -> Self {
        Self { params }
    }

    /// The user name.
    pub fn username(&self) -> Option<Text<'a>> {
        self.params.get("username")
    }

    /// The realm.
    pub fn realm(&self) -> Option<Text<'a>> {
        self.params.get("realm")
    }

    /// All parameters, the response among them.
    pub const fn expose(&self) -> AuthParams<'a> {
        self.params
    }
}

impl fmt::Display for DigestChallenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest {}", self.params.as_str())
    }
}

/// A challenge holds no secret.
impl fmt::Debug for DigestChallenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// By their length: it is no `Display`, so that nothing writes this into a message.
impl fmt::Debug for DigestCredentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest <{} bytes>", self.params.as_str().len())
    }
}
