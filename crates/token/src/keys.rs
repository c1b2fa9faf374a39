//! Keys a verifier knows: which `kid`, for which algorithm, until when.

mod decryption;
mod encryption;
mod id;
mod jwk;
#[cfg(feature = "aws-lc-rs")]
mod parsed;
mod pem;
mod set;
mod sources;
mod verifying;

pub use decryption::DecryptionKey;
pub use encryption::EncryptionKey;
pub use id::KeyId;
pub(crate) use id::is_uuid;
pub(crate) use set::check_end;
pub use set::{KeySet, KeySetBuilder};
pub(crate) use sources::{Candidate, Owner, Sources, unknown};
pub use verifying::VerifyingKey;

/// Why a key is not taken. Never contains key material.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A `kid` is empty or longer than 256 bytes.
    #[error("kid of {found_bytes} bytes, expected 1 to 256")]
    KeyId {
        /// Length found.
        found_bytes: usize,
    },
    /// Two keys under one `kid`.
    #[error("two keys under kid {0}")]
    Duplicate(KeyId),
    /// Not PEM of a kind that is read.
    #[error("not PEM: {0}")]
    Pem(&'static str),
    /// Not hexadecimal digits, two a byte.
    #[error("not hexadecimal: {0}")]
    Hex(&'static str),
    /// PEM or DER that holds no public key of a kind that is read.
    #[error(
        "not a public key: expected RSA, P-256, P-384 or Ed25519 as SubjectPublicKeyInfo, RSAPublicKey or certificate"
    )]
    PublicKey,
    /// Not a JWK or a JWK set (RFC 7517).
    #[error("not a JWK: {0}")]
    Jwk(&'static str),
    /// A JWK set without one key to verify with.
    #[error("JWK set has no key to verify with; {skipped} entries were skipped")]
    NoUsableKey {
        /// How many there were.
        skipped: usize,
    },
    /// The key's type does not serve the algorithm.
    #[error("a key of type {found} does not serve {algorithm}")]
    Algorithm {
        /// The algorithm asked for.
        algorithm: crate::Algorithm,
        /// The type of the key.
        found: &'static str,
    },
    /// Not a private key that is read.
    #[error("not a private key: expected RSA as PrivateKeyInfo or RSAPrivateKey")]
    PrivateKey,
    /// The key does not serve this way of finding the content key.
    #[error("{0} needs another kind of key, or is not built in")]
    KeyManagement(crate::KeyManagement),
    /// RSA modulus too short or too long, or key secret too short.
    #[error("key of {found} bits, expected {expected}")]
    Size {
        /// Bits found.
        found: usize,
        /// What is accepted.
        expected: &'static str,
    },
    /// RSA modulus or exponent that no key generator makes.
    #[error("RSA {0}")]
    Rsa(&'static str),
}
