//! Why a document was refused, and where.

use std::fmt;

use crate::{
    operation::{InvalidSoapAction, Operation},
    text::FieldError,
    version::Version,
};

/// A SOAP document that could not be read: what, in which element, at which byte.
///
/// ```
/// use sip_oauth_axl::{Limits, Operation, Reply};
///
/// let error = Reply::decode(b"<html/>", Operation::GetCallManager, &Limits::default()).unwrap_err();
/// assert_eq!(error.to_string(), "html: expected element Envelope, found html, at byte 0");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    kind: ReadErrorKind,
    path: String,
    offset: u64,
}

impl ReadError {
    pub(crate) fn new(kind: ReadErrorKind, path: String, offset: u64) -> Self {
        Self { kind, path, offset }
    }

    /// What is wrong.
    pub fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }

    /// The elements from the root to the place, local names separated by `/`; empty before the
    /// root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The byte offset of the element, or of the markup that could not be read.
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path.escape_debug())?;
        }
        write!(f, "{}, at byte {}", self.kind, self.offset)
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None // the kind is part of the message; nothing lies below it
    }
}

/// What is wrong with a document.
///
/// Values that were sent are described and measured, never repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// More than a limit allows.
    #[error("expected at most {max} {what}, found more")]
    TooMuch {
        /// What was counted.
        what: Bound,
        /// The limit.
        max: usize,
    },
    /// The bytes are not UTF-8, or the declaration names another encoding.
    #[error("expected UTF-8, found another encoding")]
    Encoding,
    /// The markup is not well-formed.
    #[error("not well-formed XML: {0}")]
    Malformed(&'static str),
    /// A document type declaration, which SOAP 1.1 section 3 forbids. No entity is ever expanded.
    #[error("expected no DOCTYPE (SOAP 1.1 section 3), found one")]
    Doctype,
    /// A processing instruction, which SOAP 1.1 section 3 forbids.
    #[error("expected no processing instruction (SOAP 1.1 section 3), found one")]
    ProcessingInstruction,
    /// An entity other than the five predefined ones.
    #[error("expected one of the five predefined entities, found another")]
    Entity,
    /// A character XML 1.0 does not allow.
    #[error("expected XML characters, found U+{:04X}", *.0 as u32)]
    Character(char),
    /// Text where only elements may stand.
    #[error("expected elements, found text between them")]
    MixedContent,
    /// Another element than the one that must stand here.
    #[error("expected element {expected}, found {found}")]
    Unexpected {
        /// The element, or elements, that would do.
        expected: String,
        /// The local name that was there.
        found: String,
    },
    /// An element is not there.
    #[error("expected element {0}, found none")]
    Missing(&'static str),
    /// An element stands twice where it may stand once.
    #[error("expected one element {0}, found more")]
    Duplicate(String),
    /// A value is not of its type.
    #[error("expected {expected}")]
    Value {
        /// What the value must be.
        expected: &'static str,
    },
    /// A value breaks the bounds of its field.
    #[error(transparent)]
    Field(FieldError),
    /// The `SOAPAction` header cannot be read.
    #[error(transparent)]
    SoapAction(InvalidSoapAction),
    /// The request is not the operation its `SOAPAction` header names.
    #[error("SOAPAction names {header}, the body is {body}")]
    OperationMismatch {
        /// The header's operation.
        header: Operation,
        /// The body's.
        body: Operation,
    },
    /// The body's namespace is of another version than its `SOAPAction` header.
    #[error("SOAPAction names version {header}, the namespace is of version {body}")]
    VersionMismatch {
        /// The header's version.
        header: Version,
        /// The namespace's.
        body: Version,
    },
    /// Neither `SOAPAction` nor namespace names a version.
    #[error("expected a version in SOAPAction or in the namespace, found none")]
    NoVersion,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// [`Limits::max_bytes`](crate::Limits::max_bytes).
    Bytes,
    /// [`Limits::max_depth`](crate::Limits::max_depth).
    Depth,
    /// [`Limits::max_elements`](crate::Limits::max_elements).
    Elements,
    /// [`Limits::max_attributes`](crate::Limits::max_attributes).
    Attributes,
    /// [`Limits::max_name_bytes`](crate::Limits::max_name_bytes).
    Name,
    /// [`Limits::max_text_bytes`](crate::Limits::max_text_bytes).
    Text,
    /// [`Limits::max_rows`](crate::Limits::max_rows).
    Rows,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes in the document",
            Self::Depth => "levels of elements",
            Self::Elements => "elements",
            Self::Attributes => "attributes in one element",
            Self::Name => "bytes in a name",
            Self::Text => "bytes of text in one element",
            Self::Rows => "rows",
        })
    }
}
