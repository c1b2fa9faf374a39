//! For whom a nested token is encrypted.

use std::fmt;

use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, ContentEncryption};
use crate::keys::{EncryptionKey, KeyError, KeyId, VerifyingKey};

/// Who can open a nested token: a key under its `kid`, and how the content is encrypted.
#[derive(Clone)]
pub struct Recipient {
    pub(super) kid: KeyId,
    pub(super) key: Key,
}

#[derive(Clone)]
pub(super) enum Key {
    /// The shared key encrypts the content.
    Direct(EncryptionKey),
    /// The shared key wraps a content key made for each token.
    Wrap(Zeroizing<Vec<u8>>, ContentEncryption),
    /// A SubjectPublicKeyInfo.
    RsaOaep256(Vec<u8>, ContentEncryption),
}

impl Recipient {
    /// `alg` `dir`: who shares `key` (RFC 7518 section 4.5).
    ///
    /// # Errors
    ///
    /// [`KeyError::KeyId`].
    pub fn direct(kid: &str, key: EncryptionKey) -> Result<Self, KeyError> {
        let kid = KeyId::new(kid)?;
        let key = Key::Direct(key);
        Ok(Self { kid, key })
    }

    /// `alg` `A128KW` or `A256KW`, by the length of `key`: who shares it (RFC 7518 section 4.4).
    ///
    /// # Errors
    ///
    /// [`KeyError::KeyId`], and [`KeyError::Size`] for a key of other than 16 or 32 bytes.
    pub fn aes_key_wrap(
        kid: &str,
        key: &[u8],
        content: ContentEncryption,
    ) -> Result<Self, KeyError> {
        if !matches!(key.len(), 16 | 32) {
            let (found, expected) = (key.len() * 8, "128 or 256");
            return Err(KeyError::Size { found, expected });
        }
        let kid = KeyId::new(kid)?;
        let key = Key::Wrap(Zeroizing::new(key.to_vec()), content);
        Ok(Self { kid, key })
    }

    /// `alg` `RSA-OAEP-256`: who holds the private half of this SubjectPublicKeyInfo in DER (RFC 7518 section 4.3).
    ///
    /// # Errors
    ///
    /// [`KeyError::KeyId`]; no RSA key, or one of fewer than 2048 bits.
    pub fn rsa_oaep_256(
        kid: &str,
        spki: &[u8],
        content: ContentEncryption,
    ) -> Result<Self, KeyError> {
        VerifyingKey::from_spki_der(spki, Algorithm::Rs256)?;
        let kid = KeyId::new(kid)?;
        let key = Key::RsaOaep256(spki.to_vec(), content);
        Ok(Self { kid, key })
    }

    /// The `kid` the token will name.
    pub fn key_id(&self) -> &KeyId {
        &self.kid
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (algorithm, content) = match &self.key {
            Key::Direct(key) => ("dir", key.encryption()),
            Key::Wrap(key, content) if key.len() == 16 => ("A128KW", *content),
            Key::Wrap(_, content) => ("A256KW", *content),
            Key::RsaOaep256(_, content) => ("RSA-OAEP-256", *content),
        };
        write!(f, "Recipient({}, {algorithm}, {content})", self.kid)
    }
}
