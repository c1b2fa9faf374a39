//! What was wrong, where, and what was expected instead.

use std::fmt;

use crate::HeaderName;

/// The rule that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request line or status line.
    StartLine,
    /// A header line: its name, its colon, its end.
    HeaderLine,
    /// A line end that is not CRLF.
    LineEnding,
    /// The head is not UTF-8.
    Utf8,
    /// A control character where none may stand.
    ControlCharacter,
    /// The input ends before the empty line that ends the head.
    Incomplete,
    /// One of [`Limits`](crate::Limits) was exceeded.
    Limit,
    /// A header field that must be present is not.
    MissingHeader,
    /// The value of a header field.
    HeaderValue,
    /// Content-Length is no number, or two fields disagree.
    ContentLength,
    /// A URI.
    Uri,
    /// Credentials or a challenge.
    Credentials,
    /// The value stands in the grammar but is out of range.
    Range,
    /// A multipart body.
    Multipart,
}

/// Why bytes were not read as what they should be.
///
/// It holds positions and our own words only, never text of the message: an access token in the
/// wrong place cannot end up in a log this way.
///
/// ```
/// use sip_oauth_message::{header::CSeq, HeaderName, TypedHeader};
/// let error = CSeq::parse("one REGISTER").unwrap_err();
/// assert_eq!(error.header(), Some(HeaderName::CSeq));
/// assert_eq!(error.offset(), 0);
/// assert_eq!(error.to_string(), "CSeq: expected a sequence number, at byte 0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ParseError {
    kind: ErrorKind,
    offset: usize,
    header: Option<HeaderName<'static>>,
    expected: &'static str,
}

impl ParseError {
    /// An error of `kind` at byte `offset`, where `expected` should have stood.
    pub const fn new(kind: ErrorKind, offset: usize, expected: &'static str) -> Self {
        Self {
            kind,
            offset,
            header: None,
            expected,
        }
    }

    /// Says which header field the error is in.
    #[must_use]
    pub const fn in_header(mut self, name: HeaderName<'static>) -> Self {
        self.header = Some(name);
        self
    }

    /// Moves the offset by where the value itself stands.
    #[must_use]
    pub const fn shifted(mut self, by: usize) -> Self {
        self.offset = self.offset.saturating_add(by);
        self
    }

    /// The rule that was broken.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Where: bytes from the start of the message, or of the value when a value was parsed alone.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The header field it is in, when it is in one we know.
    pub const fn header(&self) -> Option<HeaderName<'static>> {
        self.header
    }

    /// What should have stood there.
    pub const fn expected(&self) -> &'static str {
        self.expected
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.header) {
            (ErrorKind::MissingHeader, Some(name)) => {
                return write!(f, "{name}: expected this header field, found none");
            }
            (_, Some(name)) => write!(f, "{name}: ")?,
            (ErrorKind::StartLine, None) => f.write_str("start line: ")?,
            (ErrorKind::Uri, None) => f.write_str("URI: ")?,
            (ErrorKind::Multipart, None) => f.write_str("multipart: ")?,
            (_, None) => {}
        }
        write!(f, "expected {}, at byte {}", self.expected, self.offset)
    }
}
