//! The plain file inside a signed one.

use crate::config::DeviceConfig;
use crate::error::{ReadError, ReadErrorKind};
use crate::limits::Limits;
use crate::position::Span;

/// A device file taken out of a signed one (`.cnf.xml.sgn`). The signature was not verified.
#[derive(Debug, Clone)]
pub struct UnverifiedConfig {
    /// The file without the signature. Offsets in it count from its own first byte.
    pub config: DeviceConfig,
    /// The signature header in front of it, none when the file is a plain one.
    pub signature: Option<Span>,
}

impl DeviceConfig {
    /// Reads a plain file, or the plain file inside a signed one **without verifying the signature**: whoever could
    /// change the bytes on the way could change what is read. For looking into a file, not for acting on it.
    ///
    /// # Errors
    ///
    /// [`ReadError`] as [`read`](Self::read), its position counted from the first byte of the plain file.
    ///
    /// ```
    /// use sip_oauth_csf::{DeviceConfig, Limits};
    ///
    /// let signed = b"\x01\x00\x02\x01\x00<device><sipOAuthMode>1</sipOAuthMode></device>";
    /// let opened = DeviceConfig::read_unverified(signed, &Limits::default())?;
    /// assert_eq!(opened.signature.unwrap().len(), 5);
    /// assert!(!opened.config.sip_oauth_mode()?.is_default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_unverified(bytes: &[u8], limits: &Limits) -> Result<UnverifiedConfig, ReadError> {
        match Self::read(bytes, limits) {
            Ok(config) => Ok(UnverifiedConfig {
                config,
                signature: None,
            }),
            Err(error) => {
                let &ReadErrorKind::Signed { document } = error.kind() else {
                    return Err(error);
                };
                let config = Self::read(bytes.get(document..).unwrap_or_default(), limits)?;
                Ok(UnverifiedConfig {
                    config,
                    signature: Some(Span {
                        start: 0,
                        end: document,
                    }),
                })
            }
        }
    }
}
