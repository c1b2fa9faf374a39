//! What a stream is cut into, and why it cannot be cut any more.

use std::fmt;

/// One piece of a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A message, start line to end of body.
    Message(&'a [u8]),
    /// CRLFCRLF from the client, to be answered with CRLF (RFC 5626 section 3.5.1).
    KeepAlivePing,
    /// CRLF from the server, the answer to a ping.
    KeepAlivePong,
}

impl Frame<'_> {
    /// What to send back at once, if anything: CRLF for a ping.
    ///
    /// ```
    /// use sip_oauth_message::{Framer, Limits};
    /// let mut framer = Framer::new(Limits::default());
    /// framer.feed(Framer::PING);
    /// let frame = framer.next_frame()?.expect("a whole ping");
    /// assert_eq!(frame.answer(), Some(&b"\r\n"[..]));
    /// # Ok::<(), sip_oauth_message::FramingError>(())
    /// ```
    pub const fn answer(&self) -> Option<&'static [u8]> {
        match self {
            Self::KeepAlivePing => Some(b"\r\n"),
            Self::Message(_) | Self::KeepAlivePong => None,
        }
    }
}

/// Why a stream cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at byte {offset} of the message; the connection must be closed")]
pub struct FramingError {
    /// What is wrong.
    pub kind: FramingErrorKind,
    /// Where, in bytes from the start of the message.
    pub offset: usize,
}

/// What makes a stream unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FramingErrorKind {
    /// The first line is none of SIP.
    #[error("expected a SIP start line")]
    StartLine,
    /// CR without LF or LF without CR in the head.
    #[error("expected CRLF as the line end")]
    LineEnding,
    /// The head ends and there was no Content-Length.
    #[error("expected Content-Length, which every message on a stream must have")]
    MissingContentLength,
    /// Content-Length is no number.
    #[error("expected a decimal number of bytes in Content-Length")]
    ContentLength,
    /// Two Content-Length fields with different numbers.
    #[error("expected one Content-Length, found two that differ")]
    ContentLengthConflict,
    /// A line longer than the limit.
    #[error("expected a line within the length limit")]
    LineTooLong,
    /// Start line and header fields longer than the limit.
    #[error("expected a head within the size limit")]
    HeadTooLong,
    /// More header fields than the limit.
    #[error("expected fewer header fields")]
    TooManyFields,
    /// A body longer than the limit.
    #[error("expected a body within the size limit")]
    BodyTooLong,
    /// A message longer than the limit.
    #[error("expected a message within the size limit")]
    MessageTooLong,
}

/// Messages may hold credentials; only their length is printed.
impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(bytes) => write!(f, "Message(<{} bytes>)", bytes.len()),
            Self::KeepAlivePing => f.write_str("KeepAlivePing"),
            Self::KeepAlivePong => f.write_str("KeepAlivePong"),
        }
    }
}
