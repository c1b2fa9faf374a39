//! What a stranger may make us hold or look at.

/// Bounds that are applied before work is done.
///
/// All units are bytes, except [`max_header_fields`](Self::max_header_fields) and [`max_parts`](Self::max_parts). The default line
/// length leaves room for access tokens, which are over 2 KB in Unified CM's form.
///
/// ```
/// use sip_oauth_message::Limits;
/// let limits = Limits { max_header_fields: 32, ..Limits::default() };
/// assert_eq!(limits.max_line_bytes, 16 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, start line to end of body.
    pub max_message_bytes: usize,
    /// Longest line of the head, without its CRLF. A folded field is several lines.
    pub max_line_bytes: usize,
    /// Longest head: start line and all header fields with their line ends, and the empty line.
    pub max_header_bytes: usize,
    /// Most header fields in one message. Beyond 64 a view allocates once.
    pub max_header_fields: usize,
    /// Longest body.
    pub max_body_bytes: usize,
    /// Most parts of one multipart body. A part that is kept takes about a kilobyte more than its bytes.
    pub max_parts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_bytes: 128 * 1024,
            max_line_bytes: 16 * 1024,
            max_header_bytes: 64 * 1024,
            max_header_fields: 256,
            max_body_bytes: 64 * 1024,
            max_parts: 64,
        }
    }
}
