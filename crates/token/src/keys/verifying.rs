//! Keys that verify signatures, each pinned to one algorithm.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use jsonwebtoken::{DecodingKey, DecodingKeyKind};

use super::KeyError;
#[cfg(feature = "aws-lc-rs")]
use super::parsed::ParsedKey;
use super::pem::read_pem;
use crate::algorithm::Algorithm;
use crate::der::{self, PublicKey};
use crate::secret::constant_time_eq;

/// A key that verifies signatures of one algorithm.
///
/// The algorithm belongs to the key, never to the token: a token that names another one is refused
/// before anything is computed (RFC 8725 section 3.1).
///
/// ```
/// use sip_oauth_token::{Algorithm, VerifyingKey};
///
/// let key = VerifyingKey::from_jwk(
///     r#"{"kty":"EC","crv":"P-256",
///         "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
///         "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
/// )?;
/// assert_eq!(key.algorithm(), Algorithm::Es256);
/// # Ok::<(), sip_oauth_token::KeyError>(())
/// ```
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    decoding: DecodingKey,
    /// The same key as aws-lc-rs works with it, so that no token pays for parsing it.
    #[cfg(feature = "aws-lc-rs")]
    parsed: Arc<ParsedKey>,
    end: Option<SystemTime>,
    issuer: Option<Arc<str>>,
}

impl VerifyingKey {
    /// Reads PEM with label `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE` (RFC 7468), the last
    /// being how the AUTHZ certificate leaves Unified CM's OS Administration. Text around the first
    /// block is skipped. A certificate serves as a container: its chain and dates are not judged.
    ///
    /// # Errors
    ///
    /// Not PEM; a key of another type or size than `algorithm` needs; RSA under 2048 bits.
    pub fn from_pem(pem: &str, algorithm: Algorithm) -> Result<Self, KeyError> {
        let (label, der) = read_pem(pem)?;
        let key = match label {
            "PUBLIC KEY" => der::subject_public_key_info(&der),
            "RSA PUBLIC KEY" => der::rsa_public_key(&der),
            "CERTIFICATE" => der::certificate_key_info(&der).and_then(der::subject_public_key_info),
            _ => {
                return Err(KeyError::Pem(
                    "expected PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE",
                ));
            }
        };
        Self::from_public_key(&key.ok_or(KeyError::PublicKey)?, algorithm)
    }

    /// Reads a SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7).
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::from_pem`].
    pub fn from_spki_der(der: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        let key = der::subject_public_key_info(der).ok_or(KeyError::PublicKey)?;
        Self::from_public_key(&key, algorithm)
    }

    /// Takes a shared secret for HMAC, at least as long as the hash (RFC 7518 section 3.2).
    ///
    /// # Errors
    ///
    /// [`KeyError::Algorithm`] when `algorithm` is not HMAC, [`KeyError::Size`] for a short secret.
    pub fn from_secret(secret: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        let (least, expected) = match algorithm {
            Algorithm::Hs256 => (32, "256 or more"),
            Algorithm::Hs384 => (48, "384 or more"),
            Algorithm::Hs512 => (64, "512 or more"),
            _ => {
                return Err(KeyError::Algorithm {
                    algorithm,
                    found: "oct",
                });
            }
        };
        if secret.len() < least {
            return Err(KeyError::Size {
                found: secret.len() * 8,
                expected,
            });
        }
        Self::new(algorithm, DecodingKey::from_secret(secret))
    }

    /// The same key, refused from `end` on. For the time after a rotation.
    #[must_use]
    pub fn until(mut self, end: SystemTime) -> Self {
        self.end = Some(end);
        self
    }

    /// The same key, for tokens of this issuer only, whatever set it stands in (RFC 8725 section 3.8).
    #[must_use]
    pub fn of_issuer(mut self, issuer: &str) -> Self {
        self.issuer = Some(Arc::from(issuer));
        self
    }

    /// The algorithm the key is for.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether both verify the same tokens, until the same end.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        use DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
        let same_material = match (self.decoding.kind(), other.decoding.kind()) {
            (SecretOrDer(mine), SecretOrDer(other)) => constant_time_eq(mine, other),
            (RsaModulusExponent { n, e }, RsaModulusExponent { n: n2, e: e2 }) => {
                (n, e) == (n2, e2)
            }
            (SecretOrDer(_), RsaModulusExponent { .. })
            | (RsaModulusExponent { .. }, SecretOrDer(_)) => false,
        };
        same_material
            && self.algorithm == other.algorithm
            && self.end == other.end
            && self.issuer == other.issuer
    }

    pub(crate) fn end(&self) -> Option<SystemTime> {
        self.end
    }

    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    pub(crate) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    /// Whether `signature` fits `message`, by the key as it was parsed when it was loaded.
    #[cfg(feature = "aws-lc-rs")]
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verifies(message, signature)
    }

    #[cfg_attr(
        not(feature = "aws-lc-rs"),
        expect(clippy::unnecessary_wraps, reason = "nothing is parsed then")
    )]
    fn new(algorithm: Algorithm, decoding: DecodingKey) -> Result<Self, KeyError> {
        Ok(Self {
            algorithm,
            #[cfg(feature = "aws-lc-rs")]
            parsed: Arc::new(
                ParsedKey::new(algorithm, decoding.kind()).ok_or(KeyError::PublicKey)?,
            ),
            decoding,
            end: None,
            issuer: None,
        })
    }

    pub(super) fn from_public_key(
        key: &PublicKey<'_>,
        algorithm: Algorithm,
    ) -> Result<Self, KeyError> {
        use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        let decoding = match (key, algorithm) {
            (PublicKey::Rsa { n, e }, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512) => rsa(n, e)?,
            (PublicKey::P256(point), Es256) | (PublicKey::P384(point), Es384) => {
                if point.first() != Some(&4) {
                    return Err(KeyError::PublicKey);
                }
                DecodingKey::from_ec_der(point)
            }
            (PublicKey::Ed25519(key), EdDsa) => DecodingKey::from_ed_der(key),
            (PublicKey::Rsa { .. }, _) => {
                return Err(KeyError::Algorithm {
                    algorithm,
                    found: "RSA",
                });
            }
            (PublicKey::P256(_), _) => {
                return Err(KeyError::Algorithm {
                    algorithm,
                    found: "P-256",
                });
            }
            (PublicKey::P384(_), _) => {
                return Err(KeyError::Algorithm {
                    algorithm,
                    found: "P-384",
                });
            }
            (PublicKey::Ed25519(_), _) => {
                return Err(KeyError::Algorithm {
                    algorithm,
                    found: "Ed25519",
                });
            }
        };
        Self::new(algorithm, decoding)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.algorithm)
    }
}

/// Checks and normalizes an RSA key.
///
/// Encoders of Java origin write the sign byte of a BigInteger into `n` and `e`; with it every
/// signature fails, so zero bytes at the front are cut.
fn rsa(n: &[u8], e: &[u8]) -> Result<DecodingKey, KeyError> {
    let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
    let first = n.first().ok_or(KeyError::Rsa("modulus is zero"))?;
    let bits = n.len() * 8 - first.leading_zeros() as usize;
    if !(2048..=8192).contains(&bits) {
        // RFC 7518 section 3.3: "A key of size 2048 bits or larger MUST be used".
        return Err(KeyError::Size {
            found: bits,
            expected: "2048 to 8192",
        });
    }
    if n.last().is_none_or(|low| low % 2 == 0) {
        return Err(KeyError::Rsa("modulus is even"));
    }
    if e.len() > 4 || e.last().is_none_or(|low| low % 2 == 0) || e == [1] {
        return Err(KeyError::Rsa("exponent is even, 1, or over 32 bits"));
    }
    Ok(DecodingKey::from_rsa_raw_components(n, e))
}

fn without_leading_zeros(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    integer.get(zeros..).unwrap_or_default()
}

/// The SubjectPublicKeyInfo of a `PUBLIC KEY` or `CERTIFICATE`.
#[cfg(feature = "aws-lc-rs")]
pub(super) fn spki_of_pem(pem: &str) -> Result<Vec<u8>, KeyError> {
    let (label, der) = read_pem(pem)?;
    match label {
        "PUBLIC KEY" => Ok(der.to_vec()),
        "CERTIFICATE" => der::certificate_key_info(&der)
            .map(<[u8]>::to_vec)
            .ok_or(KeyError::PublicKey),
        _ => Err(KeyError::Pem("expected PUBLIC KEY or CERTIFICATE")),
    }
}
