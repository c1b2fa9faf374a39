//! What can be wrong with a file, and with a value in it.

use crate::position::{Position, shown};

/// A document was refused: what was found, what was expected, and where.
///
/// Nothing of a refused document is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at {position}")]
pub struct ReadError {
    kind: ReadErrorKind,
    position: Position,
}

impl ReadError {
    pub(crate) fn new(kind: ReadErrorKind, position: Position) -> Self {
        Self { kind, position }
    }

    /// What was wrong.
    pub fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }

    /// Where it was found.
    pub fn position(&self) -> &Position {
        &self.position
    }
}

/// The reasons to refuse a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// More bytes than [`Limits::max_bytes`](crate::Limits::max_bytes).
    #[error("the file has {found} bytes, {max} are allowed")]
    TooLarge {
        /// The bytes given.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// More open elements than [`Limits::max_depth`](crate::Limits::max_depth).
    #[error("elements are nested deeper than {max}")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// More elements than [`Limits::max_elements`](crate::Limits::max_elements).
    #[error("the document has more than {max} elements")]
    TooManyElements {
        /// The limit.
        max: usize,
    },
    /// More attributes on one element than [`Limits::max_attributes`](crate::Limits::max_attributes).
    #[error("the element has more than {max} attributes")]
    TooManyAttributes {
        /// The limit.
        max: usize,
    },
    /// A longer run of text than [`Limits::max_text_bytes`](crate::Limits::max_text_bytes).
    #[error("a run of text is longer than {max} bytes")]
    TextTooLong {
        /// The limit.
        max: usize,
    },
    /// The bytes are a signed file (`.cnf.xml.sgn`): a signature header stands before the document.
    #[error(
        "this is a signed configuration file (.sgn), a signature header precedes the XML; fetch the file without the \
         .sgn suffix"
    )]
    Signed {
        /// The byte at which the plain document seems to begin.
        document: usize,
    },
    /// The bytes are neither text nor XML: an encrypted file (`.cnf.xml.enc.sgn`), or no configuration file at all.
    #[error(
        "this is no plain configuration file but binary, as an encrypted one (.enc.sgn) is; turn off TFTP Encrypted \
         Config in the phone security profile (SIP OAuth mode does not allow it), reset the device and fetch \
         <device>.cnf.xml again"
    )]
    Encrypted,
    /// The file is empty, or white space only.
    #[error("the file is empty, expected a document with the root <{expected}>")]
    Empty {
        /// The root that was expected.
        expected: String,
    },
    /// The bytes are in, or the declaration names, an encoding that is not read: one in which a character may have
    /// several forms or lengths (Shift_JIS, GB18030, EBCDIC ...), or one nobody knows.
    #[error(
        "the encoding {declared} is not read, only UTF-8, UTF-16 with a byte order mark, and encodings of one byte a \
         character"
    )]
    Encoding {
        /// What the declaration said, or what the first bytes say.
        declared: String,
    },
    /// The declaration names another encoding than the one the file is in.
    #[error("the declaration names the encoding {declared}, the file is in {found}")]
    EncodingContradicted {
        /// What the declaration says, shortened.
        declared: String,
        /// What the byte order mark says, or the bytes.
        found: &'static str,
    },
    /// The bytes are not in the encoding that the declaration or the byte order mark names.
    #[error("a byte sequence is not {encoding}")]
    Undecodable {
        /// The name of the encoding.
        encoding: &'static str,
    },
    /// The bytes are not UTF-8, and no other encoding is named.
    #[error("a byte sequence is not UTF-8")]
    NotUtf8,
    /// A document type declaration, which no configuration file needs and most attacks do.
    #[error("a DOCTYPE is refused, whatever it declares")]
    Doctype,
    /// An entity beyond `lt`, `gt`, `amp`, `apos` and `quot`.
    #[error("the entity &{name}; is not one of lt, gt, amp, apos, quot")]
    Entity {
        /// The name as written, of 31 bytes at most; something longer, or no name, is not quoted.
        name: String,
    },
    /// A character, or a reference to one, that XML 1.0 §2.2 does not allow.
    #[error("the character U+{code:04X} is not allowed in XML")]
    Character {
        /// The code point.
        code: u32,
    },
    /// The root element is another one.
    #[error("the root element is <{found}>, expected <{expected}>")]
    WrongRoot {
        /// The name found.
        found: String,
        /// The name expected.
        expected: String,
    },
    /// A second element follows the root.
    #[error("a second root element <{found}> follows the first")]
    SecondRoot {
        /// Its name.
        found: String,
    },
    /// Text, CDATA or a reference stands before or after the root element.
    #[error("there is text outside the root element")]
    TextOutsideRoot,
    /// The bytes are not well-formed XML 1.0.
    #[error("not well-formed: {what}")]
    NotWellFormed {
        /// The rule that is broken.
        what: String,
    },
}

/// An element or attribute holds something else than its type: a word where a number belongs, a number out of range.
///
/// The value found is quoted, shortened; elements that hold secrets are never read through this type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: expected {expected}, found {found:?}, at byte {} (line {}, column {})",
    shown(&position.path), position.offset, position.line, position.column)]
pub struct ValueError {
    /// The element or attribute.
    pub position: Position,
    /// What belongs there.
    pub expected: &'static str,
    /// What stands there, at most 40 characters of it.
    pub found: String,
}

/// The first 40 characters of `text`, so that no message is longer than a line.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
