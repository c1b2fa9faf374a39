//! Keys as aws-lc-rs works with them, parsed when they are loaded and not once a token.
//!
//! A `CryptoProvider` of jsonwebtoken makes a verifier anew for each signature, and the one it ships
//! parses the key within it, which for RSA costs a fifth of the whole check. Verifiers it makes cannot be
//! kept either: they are not `Sync`. So jsonwebtoken says what a key is, and this module keeps it ready.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents, VerificationAlgorithm,
};
use jsonwebtoken::DecodingKeyKind;

use crate::algorithm::Algorithm;

/// A key for one algorithm.
pub(super) enum ParsedKey {
    Public(ParsedPublicKey),
    Secret(Box<hmac::Key>),
}

impl ParsedKey {
    /// `None` where the bytes are no key for the algorithm, as a point beside its curve is none.
    pub(super) fn new(algorithm: Algorithm, key: &DecodingKeyKind) -> Option<Self> {
        match algorithm {
            Algorithm::Hs256 => secret(hmac::HMAC_SHA256, key),
            Algorithm::Hs384 => secret(hmac::HMAC_SHA384, key),
            Algorithm::Hs512 => secret(hmac::HMAC_SHA512, key),
            Algorithm::Rs256 => rsa(&RSA_PKCS1_2048_8192_SHA256, key),
            Algorithm::Rs384 => rsa(&RSA_PKCS1_2048_8192_SHA384, key),
            Algorithm::Rs512 => rsa(&RSA_PKCS1_2048_8192_SHA512, key),
            Algorithm::Ps256 => rsa(&RSA_PSS_2048_8192_SHA256, key),
            Algorithm::Ps384 => rsa(&RSA_PSS_2048_8192_SHA384, key),
            Algorithm::Ps512 => rsa(&RSA_PSS_2048_8192_SHA512, key),
            Algorithm::Es256 => public(&ECDSA_P256_SHA256_FIXED, key),
            Algorithm::Es384 => public(&ECDSA_P384_SHA384_FIXED, key),
            Algorithm::EdDsa => public(&ED25519, key),
        }
    }

    /// Whether `signature` fits `message`. A code is compared in constant time.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Public(key) => key.verify_sig(message, signature).is_ok(),
            Self::Secret(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }
}

fn secret(algorithm: hmac::Algorithm, key: &DecodingKeyKind) -> Option<ParsedKey> {
    match key {
        DecodingKeyKind::SecretOrDer(bytes) => Some(ParsedKey::Secret(Box::new(hmac::Key::new(
            algorithm, bytes,
        )))),
        DecodingKeyKind::RsaModulusExponent { .. } => None,
    }
}

fn rsa(algorithm: &'static RsaParameters, key: &DecodingKeyKind) -> Option<ParsedKey> {
    match key {
        DecodingKeyKind::RsaModulusExponent { n, e } => RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(algorithm)
            .ok()
            .map(ParsedKey::Public),
        DecodingKeyKind::SecretOrDer(_) => None,
    }
}

fn public(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &DecodingKeyKind,
) -> Option<ParsedKey> {
    match key {
        DecodingKeyKind::SecretOrDer(bytes) => ParsedPublicKey::new(algorithm, bytes)
            .ok()
            .map(ParsedKey::Public),
        DecodingKeyKind::RsaModulusExponent { .. } => None,
    }
}
