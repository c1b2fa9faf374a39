//! Multipart bodies as values.

use std::collections::BTreeSet;
use std::fmt;

use super::parts::{Part, Parts, is_boundary};
use crate::{ErrorKind, HeaderName, Headers, Limits, ParseError};

/// A multipart body that is owned, can be changed and is written.
///
/// Preamble, header fields, bodies and epilogue are written as they were read. Blanks behind a
/// delimiter are left out, and each part gets its empty line.
///
/// ```
/// use sip_oauth_message::{multipart::{BodyPart, Multipart}, Limits};
/// let bytes = b"--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b--\r\n";
/// let mut body = Multipart::parse("b", bytes, &Limits::default())?;
/// assert_eq!(body.to_bytes()?, bytes);
/// body.parts.push(BodyPart::new("application/sdp", "v=0\r\n"));
/// let written = body.to_bytes()?;
/// assert_eq!(Multipart::parse("b", &written, &Limits::default())?, body);
/// assert_eq!(body.content_type("mixed"), "multipart/mixed;boundary=\"b\"");
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Multipart {
    boundary: String,
    preamble: Vec<u8>,
    /// What follows the dashes of the last delimiter, its line end included.
    epilogue: Vec<u8>,
    /// The parts, in order.
    pub parts: Vec<BodyPart>,
}

/// One part of a [`Multipart`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BodyPart {
    /// The header fields.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl BodyPart {
    /// A part of this media type.
    pub fn new(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut headers = Headers::new();
        headers.push(HeaderName::ContentType, content_type);
        Self {
            headers,
            body: body.into(),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.headers.write(out);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
    }
}

impl From<&Part<'_>> for BodyPart {
    fn from(part: &Part<'_>) -> Self {
        Self {
            headers: part.to_headers(),
            body: part.body().to_vec(),
        }
    }
}

impl Multipart {
    /// A body without parts.
    ///
    /// # Errors
    ///
    /// When the boundary is not 1 to 70 of the characters that RFC 2046 section 5.1.1 allows.
    pub fn new(boundary: impl Into<String>) -> Result<Self, ParseError> {
        let boundary = boundary.into();
        if !is_boundary(&boundary) {
            let what = "a boundary of 1 to 70 characters that may stand in one";
            return Err(ParseError::new(ErrorKind::Multipart, 0, what));
        }
        Ok(Self {
            boundary,
            preamble: Vec::new(),
            epilogue: b"\r\n".to_vec(),
            parts: Vec::new(),
        })
    }

    /// Reads a body.
    ///
    /// # Errors
    ///
    /// Those of [`parts`](super::parts()).
    pub fn parse(boundary: &str, body: &[u8], limits: &Limits) -> Result<Self, ParseError> {
        let mut read = Parts::new(boundary, body, limits);
        let mut parts = Vec::new();
        for part in &mut read {
            parts.push(BodyPart::from(&part?));
        }
        Ok(Self {
            boundary: boundary.to_owned(),
            preamble: body.get(..read.preamble_end).unwrap_or_default().to_vec(),
            epilogue: body.get(read.epilogue_start..).unwrap_or_default().to_vec(),
            parts,
        })
    }

    /// The boundary.
    pub fn boundary(&self) -> &str {
        &self.boundary
    }

    /// The Content-Type of this body, as in `multipart/mixed`.
    pub fn content_type(&self, sub_type: &str) -> String {
        format!("multipart/{sub_type};boundary=\"{}\"", self.boundary)
    }

    /// The body as bytes.
    ///
    /// # Errors
    ///
    /// When there is no part, or when one has a line that begins as a delimiter would, so that it
    /// would be read as two; [`free_boundary`] finds another boundary. The offset is the part's
    /// number.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ParseError> {
        let error = |at, what| Err(ParseError::new(ErrorKind::Multipart, at, what));
        if self.parts.is_empty() {
            return error(0, "at least one part");
        }
        let delimiter = format!("\r\n--{}", self.boundary);
        let mut out = self.preamble.clone();
        for (number, part) in self.parts.iter().enumerate() {
            // The first delimiter begins a line already.
            let line_end = if number == 0 { "\r\n".len() } else { 0 };
            out.extend(delimiter.bytes().skip(line_end));
            let from = out.len();
            out.extend_from_slice(b"\r\n");
            part.write(&mut out);
            let written = out.get(from..).unwrap_or_default();
            if memchr::memmem::find(written, delimiter.as_bytes()).is_some() {
                return error(number, "a part without a line that begins as the delimiter");
            }
        }
        out.extend_from_slice(delimiter.as_bytes());
        out.extend_from_slice(b"--");
        out.extend_from_slice(&self.epilogue);
        Ok(out)
    }
}

/// A boundary that stands in none of the parts: `prefix` and eight digits.
///
/// It is the first one that is free, so that the same parts always have the same boundary.
///
/// ```
/// use sip_oauth_message::multipart::{free_boundary, BodyPart};
/// let part = BodyPart::new("text/plain", "\r\n--b-00000000\r\n");
/// assert_eq!(free_boundary("b-", &[part]), "b-00000001");
/// ```
pub fn free_boundary(prefix: &str, parts: &[BodyPart]) -> String {
    let dashed = format!("--{prefix}");
    let dashed = dashed.as_bytes();
    let mut taken = BTreeSet::new();
    let mut bytes = Vec::new();
    for part in parts {
        bytes.clear();
        part.write(&mut bytes);
        // One byte on after each find: a prefix that begins with dashes overlaps itself.
        let mut from = 0;
        while let Some(found) = memchr::memmem::find(bytes.get(from..).unwrap_or_default(), dashed)
        {
            from += found + 1;
            let digits = bytes.get(from + dashed.len() - 1..).unwrap_or_default();
            let digits = std::str::from_utf8(digits.get(..8).unwrap_or_default());
            taken.extend(digits.ok().and_then(crate::grammar::digits::<u32>));
        }
    }
    let free = (0..=u32::MAX).find(|number| !taken.contains(number));
    format!("{prefix}{:08}", free.unwrap_or_default())
}

/// Header fields as in [`Headers`]; of bodies the length alone.
impl fmt::Debug for BodyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyPart")
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl fmt::Debug for Multipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multipart")
            .field("boundary", &self.boundary)
            .field("parts", &self.parts)
            .finish_non_exhaustive()
    }
}
