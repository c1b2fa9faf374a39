//! Proof that a token was verified: values nobody else can make.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// The form an access token has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// Unified CM's self-describing token: a JWS around a JWE around claims.
    UnifiedCm,
    /// A signed JWT (RFC 7519, RFC 9068).
    Jwt,
    /// A JWE around a signed JWT (RFC 7519 Appendix A.2).
    Nested,
    /// Text that only its authorization server can read, judged by introspection (RFC 7662).
    Opaque,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnifiedCm => "a Unified CM self-describing token",
            Self::Jwt => "a signed JWT",
            Self::Nested => "an encrypted signed JWT",
            Self::Opaque => "an opaque token",
        })
    }
}

/// An access token that passed every check of a [`Verifier`](crate::Verifier).
///
/// Only a verifier makes one, so holding it is the proof. It does not hold the token's text.
/// Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken(pub(crate) Arc<Grant>);

#[cfg(feature = "aws-lc-rs")]
impl VerifiedToken {
    /// The bytes this value keeps allocated.
    pub(crate) fn held_bytes(&self) -> usize {
        let Grant {
            form: _,
            issuer,
            subject,
            client_id,
            audience,
            scopes,
            token_id,
            issued_at: _,
            expires_at: _,
        } = &*self.0;
        let one = |text: &Option<String>| text.as_ref().map_or(0, String::capacity);
        let all = |texts: &Vec<String>| {
            texts.capacity() * size_of::<String>()
                + texts.iter().map(String::capacity).sum::<usize>()
        };
        size_of::<Grant>()
            + issuer.capacity()
            + subject.capacity()
            + one(client_id)
            + all(audience)
            + all(scopes)
            + one(token_id)
    }
}

/// What the claims of a verified token say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) form: Form,
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) client_id: Option<String>,
    pub(crate) audience: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) token_id: Option<String>,
    pub(crate) issued_at: Option<SystemTime>,
    pub(crate) expires_at: SystemTime,
}

impl VerifiedToken {
    /// The form it came in.
    pub fn form(&self) -> Form {
        self.0.form
    }

    /// Who issued it: claim `iss`.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The user the token speaks for: claim `sub`, or the name
    /// [`ClaimNames::user`](crate::ClaimNames) says.
    pub fn user(&self) -> &str {
        &self.0.subject
    }

    /// The client the token was issued to.
    pub fn client_id(&self) -> Option<&str> {
        self.0.client_id.as_deref()
    }

    /// Whom the token is for: claim `aud`.
    pub fn audience(&self) -> &[String] {
        &self.0.audience
    }

    /// What the token grants, in the order of the claim.
    pub fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// Whether the token grants `scope`. Scopes are compared by case (RFC 6749 section 3.3).
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.scopes.iter().any(|granted| granted == scope)
    }

    /// The token's own identifier: `jti`, or `tid` in Unified CM's form.
    pub fn token_id(&self) -> Option<&str> {
        self.0.token_id.as_deref()
    }

    /// When it was issued: claim `iat`.
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.0.issued_at
    }

    /// When it expires: claim `exp`, leeway not included.
    pub fn expires_at(&self) -> SystemTime {
        self.0.expires_at
    }
}

/// A refresh token of Unified CM's form that passed every check. For authorization servers.
///
/// A type of its own, so that a refresh token can never stand where an access token is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRefreshToken {
    pub(crate) issuer: String,
    pub(crate) token_id: String,
    pub(crate) client_id: String,
    pub(crate) expires_at: SystemTime,
}

impl VerifiedRefreshToken {
    /// Who issued it: claim `iss`, the authorization server's UUID.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its identifier: claim `tid`.
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// The client it was issued to: claim `ccid`.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// When it expires: claim `exp`.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}
