//! OAuth access tokens for SIP: form, keys, policy, verdict.
//!
//! The text of a token, a [`KeySet`], a [`Policy`] and `now` give a [`VerifiedToken`] or a
//! [`TokenError`] that says why not. No clock is read, no key is fetched, no token is printed.
//!
//! | you have | you want | use |
//! |---|---|---|
//! | a token from a SIP request | to know whose it is | [`Verifier::verify`] |
//! | a token from a file | a value that cannot leak | [`AccessToken::parse`] |
//! | a token that does not work | to look inside without its keys | [`inspect()`] |
//! | a refusal | what to answer in SIP, and what to tell the operator | [`TokenError::answer`], [`TokenError::advice`] |
//! | the authorization server's keys | something to verify with | [`KeySet`] |
//! | a test that needs tokens | somebody who issues them | `issue::AuthorizationServer` (feature `issue`) |
//!
//! # Forms
//!
//! [`Form::UnifiedCm`] is the self-describing token of Cisco Unified CM: an RS256 JWS whose payload
//! is `{"private": "<compact JWE>"}`, the claims being inside the JWE. [`Form::Jwt`] is a signed JWT
//! (RFC 7519, RFC 9068). [`Form::Nested`] is the standard order, encrypted around signed
//! (RFC 7519 Appendix A.2), by `dir`, A128KW, A256KW or RSA-OAEP-256. [`Form::Opaque`] is text only
//! its server can read, which the embedder asks (RFC 7662), see [`Verifier::introspected`]. A policy
//! names the forms it takes; a refresh token is none of them.
//!
//! # Features
//!
//! * `aws-lc-rs` (default): signature checks, JWE and the cache of verdicts by aws-lc-rs. Without it
//!   the embedder hands in a JWS provider ([`KeySet::builder_with_provider`]) and encrypted tokens are
//!   refused by name.
//! * `issue`: the authorization server's side, for tests and for the lab.

mod algorithm;
mod answer;
#[cfg(feature = "aws-lc-rs")]
mod cache;
mod claims;
mod der;
mod error;
mod header;
pub mod inspect;
mod introspection;
#[cfg(feature = "issue")]
pub mod issue;
mod jose;
mod json;
mod jwe;
mod keys;
mod policy;
mod revocation;
mod secret;
mod text;
mod verified;
mod verifier;

pub use algorithm::{Algorithm, ContentEncryption, KeyManagement};
pub use answer::{ChallengeDialect, Role, SipAnswer};
pub use error::{BearerError, Fault, Place, TokenError, TokenErrorKind};
pub use inspect::{Inspection, inspect};
pub use introspection::MAX_INTROSPECTION_BYTES;
/// The crate whose [`CryptoProvider`] checks signatures, for embedders that bring their own.
pub use jsonwebtoken;
pub use jsonwebtoken::crypto::CryptoProvider;
pub use keys::{
    DecryptionKey, EncryptionKey, KeyError, KeyId, KeySet, KeySetBuilder, VerifyingKey,
};
pub use policy::{ClaimNames, Policy};
pub use secret::{AccessToken, RefreshToken};
pub use text::MAX_TOKEN_BYTES;
pub use verified::{Form, VerifiedRefreshToken, VerifiedToken};
pub use verifier::Verifier;
