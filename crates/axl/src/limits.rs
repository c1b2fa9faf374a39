//! How much a stranger may send.

/// Bounds on a SOAP document, checked while it is read.
///
/// ```
/// use sip_oauth_axl::Limits;
///
/// let limits = Limits { max_rows: 100, ..Limits::default() };
/// assert_eq!(limits.max_depth, 16);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole body; checked before anything is read. Default 4 MiB.
    pub max_bytes: usize,
    /// Elements one inside the other. The deepest document here has 8. Default 16.
    pub max_depth: usize,
    /// Elements in all. Default 65 536.
    pub max_elements: usize,
    /// Attributes of one element. Default 16.
    pub max_attributes: usize,
    /// Bytes of an element's or attribute's name, prefix included. Default 128.
    pub max_name_bytes: usize,
    /// Bytes of text in one element, or of one attribute's value. Default 64 KiB.
    pub max_text_bytes: usize,
    /// Rows in one answer: list entries or SQL rows. Default 10 000.
    pub max_rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 4 << 20,
            max_depth: 16,
            max_elements: 65_536,
            max_attributes: 16,
            max_name_bytes: 128,
            max_text_bytes: 64 << 10,
            max_rows: 10_000,
        }
    }
}
