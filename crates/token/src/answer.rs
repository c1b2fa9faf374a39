//! What a refusal is answered with in SIP, as data: this crate writes no message.

use std::fmt;

use crate::error::{BearerError, TokenError};

/// Who answers (RFC 3261 sections 22.2 and 22.3, RFC 8898 sections 2.2 and 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// A registrar or user agent server: 401 with WWW-Authenticate.
    Registrar,
    /// A proxy or edge: 407 with Proxy-Authenticate.
    Proxy,
}

/// How the challenge speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChallengeDialect {
    /// Unified CM's: 407 whoever answers, a realm, and silence about what was wrong.
    UnifiedCm,
    /// RFC 8898's: by the role, with `error`.
    Rfc8898,
}

/// The answer to a refused token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SipAnswer {
    /// Challenge again: another token can help.
    Challenge {
        /// 401 or 407.
        status: u16,
        /// The `error` parameter of the challenge.
        error: Option<BearerError>,
    },
    /// 403 without a challenge: "Authorization will not help, and the request SHOULD NOT be repeated"
    /// (RFC 3261 section 21.4.4).
    Forbid,
    /// 503: there is no verdict, the token may be good. The same request may be repeated.
    Unavailable,
}

impl SipAnswer {
    /// What a request without a token is answered: a challenge without `error` ("the resource server
    /// SHOULD NOT include an error code", RFC 6750 section 3.1).
    pub const fn challenge(role: Role, dialect: ChallengeDialect) -> Self {
        let status = match (role, dialect) {
            (Role::Registrar, ChallengeDialect::Rfc8898) => 401,
            (Role::Proxy, ChallengeDialect::Rfc8898) | (_, ChallengeDialect::UnifiedCm) => 407,
        };
        Self::Challenge {
            status,
            error: None,
        }
    }

    /// The status code.
    pub const fn status(self) -> u16 {
        match self {
            Self::Challenge { status, .. } => status,
            Self::Forbid => 403,
            Self::Unavailable => 503,
        }
    }

    /// The `error` parameter of the challenge, where there are both.
    pub const fn error(self) -> Option<BearerError> {
        match self {
            Self::Challenge { error, .. } => error,
            Self::Forbid | Self::Unavailable => None,
        }
    }
}

impl fmt::Display for SipAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status())?;
        match self.error() {
            Some(error) => write!(f, " error=\"{error}\""),
            None => Ok(()),
        }
    }
}

impl TokenError {
    /// What to answer. [`TokenError::advice`] is the sentence for the operator.
    ///
    /// * RFC 8898: a challenge, 401 or 407 by the role, with `error`. "If the token is expired or
    ///   invalid" it is `invalid_token` (RFC 6750 section 3.1); where a scope is missing it is
    ///   `invalid_scope` (RFC 8898 section 4), and the challenge's `scope` says which to ask for. RFC 6750 has 403
    ///   there, but in SIP a 403 carries no challenge and could not say it.
    /// * Unified CM: 407 without a word; but 403 where a scope is missing, since its challenge cannot
    ///   name one and the client would come back with the same token. What the product answers is not
    ///   published.
    /// * In both, 503 for a token without a verdict ([`TokenError::is_open`]): it was not found bad.
    ///
    /// ```
    /// use sip_oauth_token::{AccessToken, ChallengeDialect, Role};
    ///
    /// let refused = AccessToken::parse("two words").unwrap_err();
    /// let answer = refused.answer(Role::Registrar, ChallengeDialect::Rfc8898);
    /// assert_eq!(answer.to_string(), "401 error=\"invalid_token\"");
    /// let answer = refused.answer(Role::Registrar, ChallengeDialect::UnifiedCm);
    /// assert_eq!(answer.to_string(), "407");
    /// ```
    pub fn answer(&self, role: Role, dialect: ChallengeDialect) -> SipAnswer {
        if self.is_open() {
            return SipAnswer::Unavailable;
        }
        self.error_code().answer(role, dialect)
    }
}

impl BearerError {
    /// What to answer where whoever answers found the error itself: credentials without a token in
    /// them, a genuine token of somebody else or without the scope wanted. As [`TokenError::answer`].
    pub fn answer(self, role: Role, dialect: ChallengeDialect) -> SipAnswer {
        match (SipAnswer::challenge(role, dialect), dialect, self) {
            (_, ChallengeDialect::UnifiedCm, Self::InsufficientScope | Self::InvalidScope) => {
                SipAnswer::Forbid
            }
            (SipAnswer::Challenge { status, .. }, _, Self::InsufficientScope) => {
                SipAnswer::Challenge {
                    status,
                    error: Some(Self::InvalidScope),
                }
            }
            (SipAnswer::Challenge { status, .. }, ChallengeDialect::Rfc8898, error) => {
                SipAnswer::Challenge {
                    status,
                    error: Some(error),
                }
            }
            (silent, _, _) => silent,
        }
    }
}
