//! Keys that open encrypted parts, each pinned to one way of finding the content key.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::{EncryptionKey, KeyError};
use crate::algorithm::{ContentEncryption, KeyManagement};
#[cfg(feature = "aws-lc-rs")]
use crate::jwe::ContentKey;
use crate::secret::constant_time_eq;

/// A key that opens encrypted parts by one key management algorithm (RFC 7518 section 4). Zeroized,
/// never printed.
///
/// * `dir`: an [`EncryptionKey`] is the content key, and pinned to its `enc`;
/// * `A128KW`, `A256KW`: [`DecryptionKey::key_wrap`], a shared key that unwraps the content key;
/// * `RSA-OAEP-256`: [`DecryptionKey::rsa_oaep_256`], a private key that decrypts it.
///
/// For the latter two the token names the `enc`, within the policy.
///
/// ```
/// use sip_oauth_token::{DecryptionKey, KeyManagement};
///
/// let key = DecryptionKey::key_wrap(KeyManagement::A256Kw, &[7; 32])?;
/// assert_eq!(key.algorithm(), KeyManagement::A256Kw);
/// assert_eq!(format!("{key:?}"), "DecryptionKey(A256KW, 256 bits)");
/// assert!(DecryptionKey::key_wrap(KeyManagement::A256Kw, &[7; 16]).is_err());
/// # Ok::<(), sip_oauth_token::KeyError>(())
/// ```
#[derive(Clone)]
pub struct DecryptionKey {
    material: Material,
    end: Option<SystemTime>,
    issuer: Option<Arc<str>>,
}

#[derive(Clone)]
enum Material {
    Direct(EncryptionKey),
    KeyWrap {
        algorithm: KeyManagement,
        bytes: Zeroizing<Vec<u8>>,
    },
    #[cfg(feature = "aws-lc-rs")]
    RsaOaep256(Arc<aws_lc_rs::rsa::OaepPrivateDecryptingKey>),
}

impl DecryptionKey {
    /// Takes a key encryption key of exactly the length the algorithm needs: 16 bytes for A128KW, 32
    /// for A256KW (RFC 7518 section 4.4).
    ///
    /// # Errors
    ///
    /// [`KeyError::KeyManagement`] for another algorithm, [`KeyError::Size`] for another length.
    pub fn key_wrap(algorithm: KeyManagement, bytes: &[u8]) -> Result<Self, KeyError> {
        let (needed, expected) = match algorithm {
            KeyManagement::A128Kw => (16, "128"),
            KeyManagement::A256Kw => (32, "256"),
            _ => return Err(KeyError::KeyManagement(algorithm)),
        };
        if bytes.len() != needed {
            return Err(KeyError::Size {
                found: bytes.len() * 8,
                expected,
            });
        }
        let bytes = Zeroizing::new(bytes.to_vec());
        Ok(Self::from(Material::KeyWrap { algorithm, bytes }))
    }

    /// Reads an RSA private key for RSA-OAEP-256 from PEM with label `PRIVATE KEY` (PKCS #8) or
    /// `RSA PRIVATE KEY` (PKCS #1).
    ///
    /// # Errors
    ///
    /// Not PEM, not such a key, or RSA under 2048 bits.
    #[cfg(feature = "aws-lc-rs")]
    pub fn rsa_oaep_256(pem: &str) -> Result<Self, KeyError> {
        let (label, der) = super::pem::read_pem(pem)?;
        match label {
            "PRIVATE KEY" => rsa(&der),
            "RSA PRIVATE KEY" => {
                let pair = aws_lc_rs::rsa::KeyPair::from_der(&der);
                rsa_pair(&pair.map_err(|_| KeyError::PrivateKey)?)
            }
            _ => Err(KeyError::Pem("expected PRIVATE KEY or RSA PRIVATE KEY")),
        }
    }

    /// The same key, refused from `end` on. For the time after a rotation.
    #[must_use]
    pub fn until(mut self, end: SystemTime) -> Self {
        self.end = Some(end);
        self
    }

    /// The same key, for tokens of this issuer only: one that is shared with it. A key that is not marked, nor
    /// its set, is that of whom tokens are encrypted for, and opens those of every issuer of the policy.
    #[must_use]
    pub fn of_issuer(mut self, issuer: &str) -> Self {
        self.issuer = Some(Arc::from(issuer));
        self
    }

    /// How the key finds a content key.
    pub fn algorithm(&self) -> KeyManagement {
        match &self.material {
            Material::Direct(_) => KeyManagement::Dir,
            Material::KeyWrap { algorithm, .. } => *algorithm,
            #[cfg(feature = "aws-lc-rs")]
            Material::RsaOaep256(_) => KeyManagement::RsaOaep256,
        }
    }

    /// Whether both open the same tokens, until the same end. A private key is the same as its clones only: it does not
    /// give out what it is made of.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same_material = match (&self.material, &other.material) {
            (Material::Direct(mine), Material::Direct(other)) => mine == other,
            (
                Material::KeyWrap { algorithm, bytes },
                Material::KeyWrap {
                    algorithm: other_algorithm,
                    bytes: other_bytes,
                },
            ) => algorithm == other_algorithm && constant_time_eq(bytes, other_bytes),
            #[cfg(feature = "aws-lc-rs")]
            (Material::RsaOaep256(mine), Material::RsaOaep256(other)) => Arc::ptr_eq(mine, other),
            _ => false,
        };
        same_material && self.end == other.end && self.issuer == other.issuer
    }

    pub(crate) fn end(&self) -> Option<SystemTime> {
        self.end
    }

    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whether a token of these two algorithms may be opened with the key.
    pub(crate) fn is_for(&self, algorithm: KeyManagement, encryption: ContentEncryption) -> bool {
        match &self.material {
            Material::Direct(key) => {
                algorithm == KeyManagement::Dir && key.encryption() == encryption
            }
            Material::KeyWrap { .. } => algorithm == self.algorithm(),
            #[cfg(feature = "aws-lc-rs")]
            Material::RsaOaep256(_) => algorithm == KeyManagement::RsaOaep256,
        }
    }

    /// The content key of a token with this encrypted key (RFC 7516 section 5.2 steps 6 to 11). One
    /// that does not unwrap is a random one, and `None` means no more than that the tag is wrong.
    #[cfg(feature = "aws-lc-rs")]
    pub(crate) fn content_key(
        &self,
        encryption: ContentEncryption,
        encrypted_key: &[u8],
    ) -> Option<Arc<ContentKey>> {
        let unwrapped = match &self.material {
            // "verify that the JWE Encrypted Key value is an empty octet sequence"
            Material::Direct(key) if encrypted_key.is_empty() => return key.content_key(),
            Material::Direct(_) => return None,
            Material::KeyWrap { algorithm, bytes } => unwrap(*algorithm, bytes, encrypted_key),
            Material::RsaOaep256(key) => decrypt(key, encrypted_key),
        };
        let mut substitute = Zeroizing::new(vec![0; encryption.key_bytes()]);
        aws_lc_rs::rand::fill(&mut substitute).ok()?;
        let bytes = unwrapped
            .filter(|bytes| bytes.len() == substitute.len())
            .unwrap_or(substitute);
        ContentKey::new(encryption, &bytes).map(Arc::new)
    }
}

impl From<EncryptionKey> for DecryptionKey {
    /// The key for `alg` `dir`, with its end.
    fn from(key: EncryptionKey) -> Self {
        let end = key.end();
        Self {
            material: Material::Direct(key),
            end,
            issuer: None,
        }
    }
}

impl From<Material> for DecryptionKey {
    fn from(material: Material) -> Self {
        Self {
            material,
            end: None,
            issuer: None,
        }
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = match &self.material {
            Material::Direct(key) => return write!(f, "DecryptionKey(dir, {key:?})"),
            Material::KeyWrap { bytes, .. } => bytes.len() * 8,
            #[cfg(feature = "aws-lc-rs")]
            Material::RsaOaep256(key) => key.key_size_bits(),
        };
        write!(f, "DecryptionKey({}, {bits} bits)", self.algorithm())
    }
}

/// AES Key Wrap (RFC 3394).
#[cfg(feature = "aws-lc-rs")]
fn unwrap(algorithm: KeyManagement, key: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap as _};
    let cipher = match algorithm {
        KeyManagement::A128Kw => &AES_128,
        _ => &AES_256,
    };
    let mut buffer = Zeroizing::new(vec![0; wrapped.len()]);
    let key = AesKek::new(cipher, key).ok()?;
    let len = key.unwrap(wrapped, &mut buffer).ok()?.len();
    buffer.truncate(len);
    Some(buffer)
}

/// RSAES OAEP with SHA-256 (RFC 8017 section 7.1.2).
#[cfg(feature = "aws-lc-rs")]
fn decrypt(
    key: &aws_lc_rs::rsa::OaepPrivateDecryptingKey,
    encrypted: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; key.min_output_size()]);
    let algorithm = &aws_lc_rs::rsa::OAEP_SHA256_MGF1SHA256;
    let len = key.decrypt(algorithm, encrypted, &mut buffer, None).ok()?;
    let len = len.len();
    buffer.truncate(len);
    Some(buffer)
}

/// An RSA key out of a PrivateKeyInfo (RFC 5208 section 5).
#[cfg(feature = "aws-lc-rs")]
fn rsa(pkcs8: &[u8]) -> Result<DecryptionKey, KeyError> {
    use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey};
    let key = PrivateDecryptingKey::from_pkcs8(pkcs8)
        .and_then(|key| Ok(OaepPrivateDecryptingKey::new(key)?))
        .map_err(|_| KeyError::PrivateKey)?;
    Ok(DecryptionKey::from(Material::RsaOaep256(Arc::new(key))))
}

#[cfg(feature = "aws-lc-rs")]
pub(super) fn rsa_pair(pair: &aws_lc_rs::rsa::KeyPair) -> Result<DecryptionKey, KeyError> {
    use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::PrivateKey)?;
    rsa(der.as_ref())
}
