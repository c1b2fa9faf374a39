//! Where in a file something stands.

use std::borrow::Cow;
use std::fmt;

use crate::work;

/// A half-open range of bytes in the file as it was read, byte order mark included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// The number of bytes.
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether there is no byte between start and end, as in `<certHash></certHash>`.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The same bytes as a range, for slicing.
    pub const fn range(self) -> std::ops::Range<usize> {
        self.start..self.end
    }
}

/// The element, line, column and byte an error or a finding speaks of.
///
/// ```
/// use sip_oauth_csf::{DeviceConfig, Limits};
///
/// let error = DeviceConfig::read(b"<device>\n<a>&nbsp;</a></device>", &Limits::default()).unwrap_err();
/// assert_eq!(error.position().path, "/device/a");
/// assert_eq!((error.position().line, error.position().column, error.position().offset), (2, 4, 12));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Position {
    /// The path from the root, with a number (from 1) where siblings share a name:
    /// `/device/devicePool/callManagerGroup/members/member[2]`. An attribute is `/device/@ctiid`. Empty before the root.
    pub path: String,
    /// Bytes before it.
    pub offset: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// Computes line and column of `offset` in `source`.
    pub(crate) fn new(source: &[u8], path: String, offset: usize) -> Self {
        let offset = offset.min(source.len());
        work::count(offset);
        let before = source.get(..offset).unwrap_or_default();
        let line_start = before
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        let this_line = before.get(line_start..).unwrap_or_default();
        let this_line = if line_start == 0 {
            this_line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(this_line)
        } else {
            this_line
        };
        Self {
            path,
            offset,
            line: before.split(|&byte| byte == b'\n').count(),
            // Every byte but the continuation bytes of UTF-8 begins a character.
            column: this_line
                .iter()
                .filter(|&&byte| byte & 0xC0 != 0x80)
                .count()
                + 1,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}, ", shown(&self.path))?;
        }
        write!(
            f,
            "byte {} (line {}, column {})",
            self.offset, self.line, self.column
        )
    }
}

/// A path as a message shows it. Names may be as long as the file; those of the product make paths of 100 characters.
pub(crate) fn shown(path: &str) -> Cow<'_, str> {
    match path.char_indices().nth(400) {
        Some((at, _)) => Cow::Owned(format!("{}…", path.get(..at).unwrap_or_default())),
        None => Cow::Borrowed(path),
    }
}

/// U+FEFF in UTF-8, which some editors put in front of a file.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
