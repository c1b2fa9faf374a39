//! Why a token is refused, and where in it.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::algorithm::Algorithm;
use crate::keys::KeyId;
use crate::verified::Form;

/// Why a token is refused: a kind and a place. One sentence, without any of the token's text.
///
/// ```
/// use sip_oauth_token::{BearerError, Place, TokenErrorKind, inspect};
///
/// let refused = inspect("two words").unwrap_err();
/// assert_eq!(refused.kind(), &TokenErrorKind::Blank { at: 3 });
/// assert_eq!(refused.place(), &Place::Text);
/// assert_eq!(refused.error_code(), BearerError::InvalidToken);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenError {
    kind: TokenErrorKind,
    place: Place,
}

impl TokenError {
    /// What is wrong.
    pub fn kind(&self) -> &TokenErrorKind {
        &self.kind
    }

    /// Which part of the token it is wrong in.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The `kid` no key was found for, so that the embedder can fetch a newer key set.
    pub fn unknown_key(&self) -> Option<&KeyId> {
        match &self.kind {
            TokenErrorKind::UnknownKey { kid } => kid.as_ref(),
            _ => None,
        }
    }

    /// The same where the key is to verify a signature: a JWK set that the authorization server publishes may bring that one.
    /// One that decrypts is a secret, and in no such set.
    pub fn unknown_verifying_key(&self) -> Option<&KeyId> {
        self.unknown_key()
            .filter(|_| matches!(self.place, Place::Header))
    }

    /// Whether the authorization server is to be asked about the token (RFC 7662) before there is a
    /// verdict.
    pub fn needs_introspection(&self) -> bool {
        matches!(self.kind, TokenErrorKind::IntrospectionNeeded)
    }

    /// Whether this is no verdict about the token, which may be good: its authorization server was not asked yet, or what it
    /// answered is no introspection response (RFC 7662 section 2.2).
    pub fn is_open(&self) -> bool {
        match (&self.kind, &self.place) {
            (TokenErrorKind::IntrospectionNeeded | TokenErrorKind::ActiveMember { .. }, _) => true,
            // What is wrong with the answer as a whole, not with a claim in it.
            (kind, Place::Introspection) => matches!(
                kind,
                TokenErrorKind::Json { .. } | TokenErrorKind::TooLong { .. }
            ),
            _ => false,
        }
    }

    /// The `error` value of RFC 6750 section 3.1 that answers this refusal.
    ///
    /// A dialect may stay silent about it: Unified CM's challenge carries no `error`.
    pub fn error_code(&self) -> BearerError {
        match self.kind {
            TokenErrorKind::Scope { .. } => BearerError::InsufficientScope,
            _ => BearerError::InvalidToken,
        }
    }

    /// Who can make the next attempt succeed.
    pub fn fault(&self) -> Fault {
        if self.is_open() {
            return Fault::Configuration;
        }
        self.kind.fault()
    }

    /// What the operator should know and do, as one sentence in the product's words.
    pub fn advice(&self) -> &'static str {
        if self.is_open() && !self.needs_introspection() {
            return TokenErrorKind::ActiveMember { problem: "" }.advice();
        }
        self.kind.advice()
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.kind)
    }
}

impl std::error::Error for TokenError {}

/// The part of a token an error is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The text as a whole.
    Text,
    /// The JOSE header of the signed part (RFC 7515 section 4).
    Header,
    /// The payload of the signed part.
    Payload,
    /// The signature.
    Signature,
    /// The JOSE header of the encrypted part (RFC 7516 section 4).
    EncryptedHeader,
    /// What the authorization server answered about the token (RFC 7662 section 2.2).
    Introspection,
    /// The encrypted part: key, initialization vector, ciphertext or tag.
    Encrypted,
    /// What the encrypted part holds.
    Decrypted,
    /// A claim, by its name.
    Claim(Cow<'static, str>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "token",
            Self::Header => "token header",
            Self::Payload => "token payload",
            Self::Signature => "token signature",
            Self::EncryptedHeader => "header of the token's encrypted part",
            Self::Encrypted => "token's encrypted part",
            Self::Introspection => "introspection of the token",
            Self::Decrypted => "token's decrypted part",
            Self::Claim(name) => return write!(f, "token claim {name:?}"),
        })
    }
}

/// Who can make the next attempt succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The client: it sent something that is no token of this kind, or a token that is used up.
    Client,
    /// The configuration of the side that verifies: keys, policy or build.
    Configuration,
}

/// What is wrong with a token.
///
/// Values read from the token appear where they help and are no secret (`kid`, `iss`, `aud`); they
/// are cut at 128 bytes and escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenErrorKind {
    /// There is no text.
    #[error("empty, expected a token")]
    Empty,
    /// Longer than the limit; nothing was read.
    #[error("{found_bytes} bytes, more than the {max_bytes} allowed")]
    TooLong {
        /// The limit.
        max_bytes: usize,
        /// The length found.
        found_bytes: usize,
    },
    /// CR or LF in the text.
    #[error("line break at byte {at}; a token is one line")]
    LineBreak {
        /// Offset of the byte.
        at: usize,
    },
    /// Space or tab in the text.
    #[error("blank at byte {at}; a token is one word")]
    Blank {
        /// Offset of the byte.
        at: usize,
    },
    /// A character that RFC 6750 section 2.1 does not allow in a token.
    #[error("character at byte {at} that no token may contain (RFC 6750 section 2.1)")]
    Character {
        /// Offset of the byte.
        at: usize,
    },
    /// A character that RFC 6749 appendix A.17 does not allow in a refresh token.
    #[error("character at byte {at} that no refresh token may contain (RFC 6749 appendix A.17)")]
    RefreshTokenCharacter {
        /// Offset of the byte.
        at: usize,
    },
    /// Neither three segments (JWS) nor five (JWE).
    #[error("{found} segments, expected {expected}")]
    Segments {
        /// What was expected there.
        expected: &'static str,
        /// Number of segments found.
        found: usize,
    },
    /// Not base64url without padding (RFC 7515 section 2).
    #[error("not base64url without padding, at byte {at} of the segment")]
    Base64 {
        /// Offset inside the segment.
        at: usize,
    },
    /// Not one JSON object in UTF-8, within the limits of depth.
    #[error("not a JSON object: {reason}, at byte {at}")]
    Json {
        /// What the reader stumbled over.
        reason: &'static str,
        /// Offset inside the decoded part.
        at: usize,
    },
    /// A header parameter is absent or has the wrong type.
    #[error("parameter {name:?} {problem}")]
    Parameter {
        /// Name of the parameter.
        name: &'static str,
        /// What about it.
        problem: &'static str,
    },
    /// A header parameter that a token must not bring (`jku`, `jwk`, `x5u`, `x5c`, `crit`, `b64`, `zip`).
    #[error("parameter {name:?} is not accepted: {reason}")]
    ForbiddenParameter {
        /// Name of the parameter.
        name: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// The algorithm is unknown, refused for good, not built in, or not in the policy.
    #[error("algorithm {name} {reason}")]
    Algorithm {
        /// Registered name, or `(unregistered)`.
        name: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// The key is for another algorithm than the header says.
    #[error("algorithm {found}, but the key is for {expected}")]
    AlgorithmOfKey {
        /// The algorithm the key is pinned to.
        expected: Algorithm,
        /// The algorithm in the header.
        found: Algorithm,
    },
    /// The header's `typ` is not one the policy takes.
    #[error("type {found}, expected {expected}")]
    Type {
        /// The types of the policy.
        expected: String,
        /// The type in the header.
        found: String,
    },
    /// No key under this `kid`, or several keys and no `kid`.
    #[error("{}", UnknownKey(kid.as_ref()))]
    UnknownKey {
        /// The `kid` asked for.
        kid: Option<KeyId>,
    },
    /// The key was kept for a time after its successor came; that time is over.
    #[error("key {kid} is retired since {since:?}")]
    RetiredKey {
        /// The `kid`.
        kid: KeyId,
        /// Time since its end.
        since: Duration,
    },
    /// The signature does not fit header, payload and key.
    #[error("does not verify")]
    Signature,
    /// The encrypted part does not open. One kind for every cause (RFC 7516 section 11.5).
    #[error("does not decrypt")]
    Decryption,
    /// A form the policy does not take.
    #[error("{found}, but the policy takes {expected}")]
    Form {
        /// The form found.
        found: Form,
        /// The forms of the policy.
        expected: String,
    },
    /// The token is opaque and nothing is known of it yet: its authorization server is to be asked, and
    /// [`Verifier::introspected`](crate::Verifier::introspected) told the answer.
    #[error("opaque, its authorization server is to be asked about it (RFC 7662)")]
    IntrospectionNeeded,
    /// The authorization server says that the token is not active: it expired, was revoked, or is none.
    #[error("not active")]
    Inactive,
    /// The response of an introspection endpoint does not say whether the token is active.
    #[error("member \"active\" {problem}, expected true or false (RFC 7662 section 2.2)")]
    ActiveMember {
        /// What about it.
        problem: &'static str,
    },
    /// A refresh token where an access token is needed.
    #[error("is a refresh token, expected an access token")]
    RefreshToken,
    /// An access token where a refresh token is needed.
    #[error("is not a refresh token")]
    NotRefreshToken,
    /// A claim the policy requires is absent.
    #[error("absent, but required")]
    ClaimAbsent,
    /// A claim has another type than its definition says.
    #[error("expected {expected}")]
    ClaimType {
        /// The type expected.
        expected: &'static str,
    },
    /// Another issuer than the policy's.
    #[error("expected {expected}, found {found}")]
    Issuer {
        /// The issuers of the policy.
        expected: String,
        /// The issuer of the token.
        found: String,
    },
    /// The key is another issuer's than the one the token names (RFC 8725 section 3.8).
    #[error("found {found}, but the key belongs to {expected}")]
    IssuerOfKey {
        /// The issuer whose key it is.
        expected: String,
        /// The issuer of the token.
        found: String,
    },
    /// The policy accepts several issuers, and nothing says which of them the key belongs to.
    #[error("key {kid} belongs to no issuer, and the policy has several")]
    KeyWithoutIssuer {
        /// The `kid`.
        kid: KeyId,
    },
    /// Made for somebody else.
    #[error("expected {expected}, found {found}")]
    Audience {
        /// The audiences of the policy.
        expected: String,
        /// The audience of the token.
        found: String,
    },
    /// The time of expiry has come, leeway included.
    #[error("expired {ago:?} ago")]
    Expired {
        /// Time since expiry.
        ago: Duration,
    },
    /// The time of `nbf` has not come, leeway included.
    #[error("not valid before {ahead:?} from now")]
    NotYetValid {
        /// Time until then.
        ahead: Duration,
    },
    /// `iat` lies in the future, leeway included.
    #[error("issued {ahead:?} from now")]
    IssuedInFuture {
        /// Time until then.
        ahead: Duration,
    },
    /// `exp` lies before `iat`: it was over before it was issued.
    #[error("is before `iat`")]
    EndsBeforeIssued,
    /// Lives longer than the policy allows.
    #[error("lifetime of {found:?}, more than the {max:?} allowed")]
    Lifetime {
        /// The longest lifetime of the policy.
        max: Duration,
        /// The lifetime found.
        found: Duration,
    },
    /// A scope the policy requires was not granted.
    #[error("scope {missing:?} was not granted")]
    Scope {
        /// The missing scope.
        missing: String,
    },
    /// The token, or its user, is on the deny list.
    #[error("revoked")]
    Revoked,
}

impl TokenErrorKind {
    pub(crate) fn at(self, place: Place) -> TokenError {
        TokenError { kind: self, place }
    }

    /// Puts the error at a claim.
    pub(crate) fn claim(self, name: &str) -> TokenError {
        self.at(Place::Claim(Cow::Owned(name.to_owned())))
    }

    fn fault(&self) -> Fault {
        match self {
            Self::UnknownKey { .. }
            | Self::AlgorithmOfKey { .. }
            | Self::Decryption
            | Self::Form { .. }
            | Self::Type { .. }
            | Self::Issuer { .. }
            | Self::KeyWithoutIssuer { .. }
            | Self::Audience { .. }
            | Self::IntrospectionNeeded
            | Self::ActiveMember { .. }
            | Self::Lifetime { .. } => Fault::Configuration,
            Self::Empty
            | Self::TooLong { .. }
            | Self::LineBreak { .. }
            | Self::Blank { .. }
            | Self::Character { .. }
            | Self::RefreshTokenCharacter { .. }
            | Self::Segments { .. }
            | Self::Base64 { .. }
            | Self::Json { .. }
            | Self::Parameter { .. }
            | Self::ForbiddenParameter { .. }
            | Self::Algorithm { .. }
            | Self::RetiredKey { .. }
            | Self::Signature
            | Self::IssuerOfKey { .. }
            | Self::RefreshToken
            | Self::NotRefreshToken
            | Self::Inactive
            | Self::ClaimAbsent
            | Self::ClaimType { .. }
            | Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::IssuedInFuture { .. }
            | Self::EndsBeforeIssued
            | Self::Scope { .. }
            | Self::Revoked => Fault::Client,
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Empty
            | Self::TooLong { .. }
            | Self::LineBreak { .. }
            | Self::Blank { .. }
            | Self::Character { .. }
            | Self::RefreshTokenCharacter { .. } => {
                "the client did not send a token; check where it takes it from"
            }
            Self::Segments { .. } => {
                "the client sent an opaque token; SIP OAuth needs self-describing tokens (OAuth with Refresh Login Flow enabled)"
            }
            Self::Base64 { .. }
            | Self::Json { .. }
            | Self::Parameter { .. }
            | Self::ForbiddenParameter { .. }
            | Self::ClaimType { .. } => "the token is damaged or comes from another kind of server",
            Self::Algorithm { .. }
            | Self::AlgorithmOfKey { .. }
            | Self::Type { .. }
            | Self::Form { .. } => {
                "the token is of another kind than the policy takes; compare the authorization server's settings with the policy"
            }
            Self::UnknownKey { .. } => {
                "no key for this token; compare `show key authz signing` and `show key authz encryption` between the nodes, and refresh the servers on Expressway-C after keys were regenerated"
            }
            Self::RetiredKey { .. } => {
                "the token was signed with an old key; the client must get a new token"
            }
            Self::Signature => {
                "the token was changed or signed by somebody else; if all tokens fail, compare `show key authz signing` between the nodes"
            }
            Self::Decryption => {
                "if all tokens fail, compare `show key authz encryption` between the nodes"
            }
            Self::IntrospectionNeeded => {
                "the token is opaque and no introspection endpoint was asked; configure one, or let the authorization server issue self-describing tokens"
            }
            Self::ActiveMember { .. } => {
                "what answered is no introspection endpoint, or fails; check its URL and what stands before it"
            }
            Self::Inactive => {
                "the authorization server no longer knows the token; the client must get a new one"
            }
            Self::RefreshToken => {
                "the client sent its refresh token; it belongs to the authorization server only"
            }
            Self::NotRefreshToken => "a refresh token is needed here",
            Self::ClaimAbsent => {
                "the token lacks a claim the policy requires; if all tokens do, check the claim names of the policy"
            }
            Self::IssuerOfKey { .. } => {
                "an authorization server signed for another one; if both are yours, check which keys were given as whose"
            }
            Self::KeyWithoutIssuer { .. } => {
                "with several authorization servers each key must be given as that of one"
            }
            Self::Issuer { .. } | Self::Audience { .. } => {
                "the token is meant for another system; check which authorization server the client signed in to"
            }
            Self::Expired { .. } => {
                "the client must get a new token; if a fresh token fails so, compare the clocks (NTP)"
            }
            Self::NotYetValid { .. } | Self::IssuedInFuture { .. } => {
                "the clocks differ; check NTP on both machines"
            }
            Self::EndsBeforeIssued => {
                "the authorization server made a token that was over before it was issued; check its clock and its timers"
            }
            Self::Lifetime { .. } => {
                "the OAuth Access Token Expiry Timer of the server is longer than the policy allows"
            }
            Self::Scope { .. } => {
                "the client must ask the authorization server for the missing scope"
            }
            Self::Revoked => "the user's tokens were revoked; the user must sign in again",
        }
    }
}

struct UnknownKey<'a>(Option<&'a KeyId>);

impl fmt::Display for UnknownKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(kid) => write!(f, "no key under kid {kid}"),
            None => f.write_str("names no kid, and there is not exactly one key to try"),
        }
    }
}

/// The `error` values of RFC 6750 section 3.1, and that of RFC 8898 section 4 beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BearerError {
    /// `invalid_request`: the request is malformed.
    InvalidRequest,
    /// `invalid_token`: the token is expired, revoked, malformed, or invalid for other reasons.
    InvalidToken,
    /// `insufficient_scope`: the token is good but does not grant enough.
    InsufficientScope,
    /// `invalid_scope`: the same in a challenge of RFC 8898, whose section 4 has no other name for it.
    InvalidScope,
}

impl BearerError {
    /// The value as written in a challenge.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidScope => "invalid_scope",
        }
    }
}

impl fmt::Display for BearerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A value out of a token, escaped and cut, fit for an error.
pub(crate) fn quoted(value: &str) -> String {
    const MAX_BYTES: usize = 128;
    let mut end = value.len().min(MAX_BYTES);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    let cut = value.get(..end).unwrap_or_default();
    let more = if cut.len() < value.len() { "…" } else { "" };
    format!("{cut:?}{more}")
}
