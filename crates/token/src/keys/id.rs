//! The `kid` of a key (RFC 7515 section 4.1.4).

use std::fmt;

use super::KeyError;

/// A `kid`: a name, nothing else. It is looked up in a fixed map and compared by case.
///
/// Unified CM writes `<authorization server UUID>:<64 hex>`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(Box<str>);

impl KeyId {
    /// Longest `kid` taken, in bytes. Unified CM's has 101.
    pub const MAX_BYTES: usize = 256;

    /// Takes a name of 1 to [`KeyId::MAX_BYTES`] bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::KeyId`] for other lengths.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        if text.is_empty() || text.len() > Self::MAX_BYTES {
            let found_bytes = text.len();
            return Err(KeyError::KeyId { found_bytes });
        }
        Ok(Self(text.into()))
    }

    /// Makes a `kid` of Unified CM's form: the server's UUID, a colon, and the SHA-256 of the key in
    /// lower case hex.
    ///
    /// What exactly Unified CM hashes is not public. Our choice: the SubjectPublicKeyInfo of the
    /// signing key in DER, and the bytes of the encryption key.
    ///
    /// ```
    /// use sip_oauth_token::KeyId;
    ///
    /// let kid = KeyId::unified_cm("8e9de0a5-0b1d-4d4c-a8e8-0d29c5e0c2b5", b"key bytes");
    /// assert_eq!(kid.as_str().len(), 36 + 1 + 64);
    /// ```
    #[cfg(feature = "aws-lc-rs")]
    pub fn unified_cm(issuer_uuid: &str, key: &[u8]) -> Self {
        use std::fmt::Write as _;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key);
        let mut text = format!("{issuer_uuid}:");
        for byte in digest.as_ref() {
            // Writing to a String does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the colon of Unified CM's form, if it is a UUID.
    ///
    /// ```
    /// use sip_oauth_token::KeyId;
    ///
    /// let kid = KeyId::new("8e9de0a5-0b1d-4d4c-a8e8-0d29c5e0c2b5:00ff")?;
    /// assert_eq!(kid.issuer_uuid(), Some("8e9de0a5-0b1d-4d4c-a8e8-0d29c5e0c2b5"));
    /// assert_eq!(KeyId::new("2024-key")?.issuer_uuid(), None);
    /// # Ok::<(), sip_oauth_token::KeyError>(())
    /// ```
    pub fn issuer_uuid(&self) -> Option<&str> {
        let (uuid, _) = self.0.split_once(':')?;
        is_uuid(uuid).then_some(uuid)
    }
}

/// Whether a text has the form of a UUID (RFC 9562 section 4).
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl fmt::Display for KeyId {
    /// Quoted and escaped: the name may come from a stranger.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::error::quoted(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}
