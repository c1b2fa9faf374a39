//! The shared key that opens the encrypted part.

use std::fmt;
#[cfg(feature = "aws-lc-rs")]
use std::sync::Arc;
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::KeyError;
use crate::algorithm::ContentEncryption;
#[cfg(feature = "aws-lc-rs")]
use crate::jwe::ContentKey;
use crate::secret::constant_time_eq;

/// A content encryption key for `alg` `dir`, pinned to one `enc`. Zeroized, never printed.
///
/// Unified CM calls it the authz encryption key: 32 bytes for A128CBC-HS256.
///
/// ```
/// use sip_oauth_token::{ContentEncryption, EncryptionKey};
///
/// let key = EncryptionKey::new(ContentEncryption::A128CbcHs256, &[7; 32])?;
/// assert_eq!(format!("{key:?}"), "EncryptionKey(A128CBC-HS256, 256 bits)");
/// assert!(EncryptionKey::new(ContentEncryption::A128CbcHs256, &[7; 16]).is_err());
/// # Ok::<(), sip_oauth_token::KeyError>(())
/// ```
#[derive(Clone)]
pub struct EncryptionKey {
    encryption: ContentEncryption,
    bytes: Zeroizing<Vec<u8>>,
    /// The same key as aws-lc-rs works with it; `None` where the algorithm is not built in.
    #[cfg(feature = "aws-lc-rs")]
    ready: Option<Arc<ContentKey>>,
    end: Option<SystemTime>,
}

impl EncryptionKey {
    /// Takes a key of exactly the length the algorithm needs.
    ///
    /// # Errors
    ///
    /// [`KeyError::Size`] for another length.
    pub fn new(encryption: ContentEncryption, bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != encryption.key_bytes() {
            let expected = match encryption.key_bytes() {
                16 => "128",
                24 => "192",
                32 => "256",
                48 => "384",
                _ => "512",
            };
            return Err(KeyError::Size {
                found: bytes.len() * 8,
                expected,
            });
        }
        let bytes = Zeroizing::new(bytes.to_vec());
        Ok(Self {
            encryption,
            #[cfg(feature = "aws-lc-rs")]
            ready: ContentKey::new(encryption, &bytes).map(Arc::new),
            bytes,
            end: None,
        })
    }

    /// Takes a key written as hex digits, as it is kept in a file. Blanks around it are cut.
    ///
    /// # Errors
    ///
    /// [`KeyError::Hex`] when it is not hex, [`KeyError::Size`] for another length.
    pub fn from_hex(encryption: ContentEncryption, text: &str) -> Result<Self, KeyError> {
        let digits = text.trim().as_bytes();
        if !digits.len().is_multiple_of(2) {
            return Err(KeyError::Hex("an odd number of digits"));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
        for pair in digits.chunks_exact(2) {
            let value = pair.iter().try_fold(0_u8, |value, digit| {
                let digit = char::from(*digit).to_digit(16)?;
                Some(value << 4 | u8::try_from(digit).ok()?)
            });
            bytes.push(value.ok_or(KeyError::Hex("a character that is no digit of it"))?);
        }
        Self::new(encryption, &bytes)
    }

    /// The key as hex digits, to be kept in a file.
    pub fn to_hex(&self) -> Zeroizing<String> {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        Zeroizing::new(
            self.bytes
                .iter()
                .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)])
                .collect(),
        )
    }

    /// The same key, refused from `end` on. For the time after a rotation.
    #[must_use]
    pub fn until(mut self, end: SystemTime) -> Self {
        self.end = Some(end);
        self
    }

    /// The algorithm the key is for.
    pub fn encryption(&self) -> ContentEncryption {
        self.encryption
    }

    /// The bytes. Everything else this type offers is safe to print; this is not.
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }

    #[cfg(feature = "aws-lc-rs")]
    pub(super) fn content_key(&self) -> Option<Arc<ContentKey>> {
        self.ready.clone()
    }

    pub(crate) fn end(&self) -> Option<SystemTime> {
        self.end
    }
}

impl PartialEq for EncryptionKey {
    fn eq(&self, other: &Self) -> bool {
        self.encryption == other.encryption
            && self.end == other.end
            && constant_time_eq(&self.bytes, &other.bytes)
    }
}

impl Eq for EncryptionKey {}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "EncryptionKey({}, {} bits)",
            self.encryption,
            self.bytes.len() * 8
        )
    }
}
