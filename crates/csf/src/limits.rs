//! What a document may cost before it is refused.

/// Bounds on one document, checked while it is read and before memory is spent on it.
///
/// Real device files are 12 to 20 KB with some hundred elements, nested up to nine deep (`mgcpPorts/listen`). The defaults
/// leave room for fifty times the bytes and three times the depth, and stop what only an attacker sends. No value is
/// published; these are a choice.
///
/// ```
/// use sip_oauth_csf::{DeviceConfig, Limits};
///
/// let limits = Limits { max_bytes: 64, ..Limits::default() };
/// let error = DeviceConfig::read(&[b'<'; 65], &limits).unwrap_err();
/// assert_eq!(error.to_string(), "the file has 65 bytes, 64 are allowed, at byte 0 (line 1, column 1)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole document. Default 1 MiB; more than 1.3 GiB is never read.
    pub max_bytes: usize,
    /// Open elements at one time, the root included. Default 32.
    pub max_depth: usize,
    /// Elements in the whole document. Default 20 000.
    pub max_elements: usize,
    /// Attributes of one element. Default 32.
    pub max_attributes: usize,
    /// Bytes of one run of text, one attribute value, one comment or one processing instruction, in UTF-8. Default
    /// 64 KiB.
    pub max_text_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 1 << 20,
            max_depth: 32,
            max_elements: 20_000,
            max_attributes: 32,
            max_text_bytes: 64 << 10,
        }
    }
}
