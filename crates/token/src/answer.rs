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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::mem::discriminant;
    use std::time::Duration;

    use super::{ChallengeDialect, Role};
    use crate::algorithm::Algorithm;
    use crate::error::{Place, TokenErrorKind};
    use crate::keys::KeyId;
    use crate::verified::Form;

    /// One of each kind of refusal.
    fn every_kind() -> Vec<TokenErrorKind> {
        use TokenErrorKind as Kind;
        let kid = KeyId::new("1").unwrap();
        let (at, problem, reason, name) = (0, "is absent", "is not known", "alg");
        let (text, time) = (String::new, Duration::from_secs(1));
        vec![
            Kind::Empty,
            Kind::TooLong {
                max_bytes: 1,
                found_bytes: 2,
            },
            Kind::LineBreak { at },
            Kind::Blank { at },
            Kind::Character { at },
            Kind::RefreshTokenCharacter { at },
            Kind::Segments {
                expected: "3",
                found: 1,
            },
            Kind::Base64 { at },
            Kind::Json { reason, at },
            Kind::Parameter { name, problem },
            Kind::ForbiddenParameter { name, reason },
            Kind::Algorithm { name, reason },
            Kind::AlgorithmOfKey {
                expected: Algorithm::Rs256,
                found: Algorithm::Es256,
            },
            Kind::Type {
                expected: text(),
                found: text(),
            },
            Kind::UnknownKey {
                kid: Some(kid.clone()),
            },
            Kind::RetiredKey {
                kid: kid.clone(),
                since: time,
            },
            Kind::Signature,
            Kind::Decryption,
            Kind::Form {
                found: Form::Opaque,
                expected: text(),
            },
            Kind::IntrospectionNeeded,
            Kind::Inactive,
            Kind::ActiveMember { problem },
            Kind::RefreshToken,
            Kind::NotRefreshToken,
            Kind::ClaimAbsent,
            Kind::ClaimType {
                expected: "a string",
            },
            Kind::Issuer {
                expected: text(),
                found: text(),
            },
            Kind::IssuerOfKey {
                expected: text(),
                found: text(),
            },
            Kind::KeyWithoutIssuer { kid },
            Kind::Audience {
                expected: text(),
                found: text(),
            },
            Kind::Expired { ago: time },
            Kind::NotYetValid { ahead: time },
            Kind::IssuedInFuture { ahead: time },
            Kind::EndsBeforeIssued,
            Kind::Lifetime {
                max: time,
                found: time,
            },
            Kind::Scope { missing: text() },
            Kind::Revoked,
        ]
    }

    /// By a registrar that follows RFC 8898, by a proxy that does, and by Unified CM.
    fn expected(kind: &TokenErrorKind) -> [&'static str; 3] {
        use TokenErrorKind as Kind;
        // Each by its name: a new kind is answered deliberately.
        match kind {
            Kind::Scope { .. } => [
                "401 error=\"invalid_scope\"",
                "407 error=\"invalid_scope\"",
                "403",
            ],
            Kind::IntrospectionNeeded | Kind::ActiveMember { .. } => ["503"; 3],
            Kind::Empty
            | Kind::TooLong { .. }
            | Kind::LineBreak { .. }
            | Kind::Blank { .. }
            | Kind::Character { .. }
            | Kind::RefreshTokenCharacter { .. }
            | Kind::Segments { .. }
            | Kind::Base64 { .. }
            | Kind::Json { .. }
            | Kind::Parameter { .. }
            | Kind::ForbiddenParameter { .. }
            | Kind::Algorithm { .. }
            | Kind::AlgorithmOfKey { .. }
            | Kind::Type { .. }
            | Kind::UnknownKey { .. }
            | Kind::RetiredKey { .. }
            | Kind::Signature
            | Kind::Decryption
            | Kind::Form { .. }
            | Kind::Inactive
            | Kind::RefreshToken
            | Kind::NotRefreshToken
            | Kind::ClaimAbsent
            | Kind::ClaimType { .. }
            | Kind::Issuer { .. }
            | Kind::IssuerOfKey { .. }
            | Kind::KeyWithoutIssuer { .. }
            | Kind::Audience { .. }
            | Kind::Expired { .. }
            | Kind::NotYetValid { .. }
            | Kind::IssuedInFuture { .. }
            | Kind::EndsBeforeIssued
            | Kind::Lifetime { .. }
            | Kind::Revoked => [
                "401 error=\"invalid_token\"",
                "407 error=\"invalid_token\"",
                "407",
            ],
        }
    }

    /// RFC 8898 sections 2.2, 2.3 and 4; and the sentence for the operator, one sentence that says more than the refusal.
    #[test]
    fn rfc8898_every_kind_of_refusal_has_its_answer_and_its_sentence() {
        let kinds = every_kind();
        let distinct: HashSet<_> = kinds.iter().map(discriminant).collect();
        assert_eq!(distinct.len(), 37, "one of each, and of a new one too");
        for kind in kinds {
            let (answers, error) = (expected(&kind), kind.at(Place::Text));
            let by = |role, dialect| error.answer(role, dialect).to_string();
            let [registrar, proxy, silent] = answers;
            assert_eq!(
                by(Role::Registrar, ChallengeDialect::Rfc8898),
                registrar,
                "{error}"
            );
            assert_eq!(by(Role::Proxy, ChallengeDialect::Rfc8898), proxy, "{error}");
            for role in [Role::Registrar, Role::Proxy] {
                assert_eq!(by(role, ChallengeDialect::UnifiedCm), silent, "{error}");
            }
            let advice = error.advice();
            let is_a_sentence =
                advice.len() > 20 && !advice.ends_with('.') && !advice.contains('\n');
            assert!(is_a_sentence && advice != error.to_string(), "{advice}");
        }
    }

    /// What an introspection endpoint answered as a whole is no verdict (RFC 7662 section 2.2); a claim in it is.
    #[test]
    fn rfc7662_section_2_2_what_is_no_introspection_response_is_503() {
        let json = TokenErrorKind::Json {
            reason: "syntax",
            at: 0,
        };
        let long = TokenErrorKind::TooLong {
            max_bytes: 1,
            found_bytes: 2,
        };
        for kind in [json, long] {
            for dialect in [ChallengeDialect::Rfc8898, ChallengeDialect::UnifiedCm] {
                let error = kind.clone().at(Place::Introspection);
                assert_eq!(
                    error.answer(Role::Registrar, dialect).status(),
                    503,
                    "{error}"
                );
            }
        }
    }
}
