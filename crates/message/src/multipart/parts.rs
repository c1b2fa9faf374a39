//! Multipart bodies as they are read.

use std::fmt;

use crate::header::{ContentDisposition, ContentType};
use crate::view::PartView;
use crate::{ErrorKind, HeaderField, Headers, Limits, ParseError, TypedHeader};

/// The parts of a multipart body.
///
/// ```text
/// multipart-body = [preamble CRLF] dash-boundary transport-padding CRLF body-part
///                  *( CRLF "--" boundary transport-padding CRLF body-part )
///                  CRLF "--" boundary "--" transport-padding [CRLF epilogue]
/// ```
///
/// Each item is a part, or the error that ends the body; a part beyond [`Limits::max_parts`] is one.
///
/// ```
/// use sip_oauth_message::{multipart::parts, Limits};
/// let body = b"--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n";
/// let parts: Vec<_> = parts("b", body, &Limits::default()).collect::<Result<_, _>>()?;
/// assert_eq!(parts[0].content_type()?.unwrap().to_string(), "text/plain");
/// assert_eq!((parts[0].body(), parts[1].body()), (&b"one"[..], &b"two"[..]));
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
pub fn parts<'a, 'b>(
    boundary: &'b str,
    body: &'a [u8],
    limits: &Limits,
) -> impl Iterator<Item = Result<Part<'a>, ParseError>> + use<'a, 'b> {
    Parts::new(boundary, body, limits)
}

/// One part: its header fields and its body.
#[derive(Clone)]
pub struct Part<'a> {
    head: PartView<'a>,
    body: &'a [u8],
}

impl<'a> Part<'a> {
    /// The header fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = HeaderField<'a>> + '_ {
        self.head.fields()
    }

    /// The first value of a typed header field.
    ///
    /// # Errors
    ///
    /// When the value breaks its grammar.
    pub fn header<H: TypedHeader<'a>>(&self) -> Result<Option<H>, ParseError> {
        self.head.header::<H>()
    }

    /// The media type; `text/plain` is meant where there is none.
    ///
    /// # Errors
    ///
    /// When the value breaks its grammar.
    pub fn content_type(&self) -> Result<Option<ContentType<'a>>, ParseError> {
        self.header()
    }

    /// What the part is for.
    ///
    /// # Errors
    ///
    /// When the value breaks its grammar.
    pub fn content_disposition(&self) -> Result<Option<ContentDisposition<'a>>, ParseError> {
        self.header()
    }

    /// An owned copy of the header fields, each as it is written.
    pub fn to_headers(&self) -> Headers {
        self.head.to_headers()
    }

    /// The body of the part.
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("fields", &self.fields().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

pub(super) struct Parts<'a, 'b> {
    boundary: &'b str,
    body: &'a [u8],
    limits: Limits,
    /// Where the part begins, behind the line end of its delimiter.
    at: Option<usize>,
    /// How many parts were given.
    given: usize,
    done: bool,
    /// Where the preamble ends, once the first delimiter was found.
    pub(super) preamble_end: usize,
    /// Where the text behind the dashes of the last delimiter begins, once that was found.
    pub(super) epilogue_start: usize,
}

/// A delimiter line that was found.
struct Delimiter {
    /// Where its dashes begin.
    start: usize,
    /// Where the text before it ends.
    before: usize,
    /// Where the name and, in the last one, the dashes behind it end.
    end: usize,
    /// Where the text after it begins.
    after: usize,
    is_last: bool,
}

impl<'a, 'b> Parts<'a, 'b> {
    pub(super) const fn new(boundary: &'b str, body: &'a [u8], limits: &Limits) -> Self {
        Self {
            boundary,
            body,
            limits: *limits,
            at: None,
            given: 0,
            done: false,
            preamble_end: 0,
            epilogue_start: body.len(),
        }
    }

    /// The delimiter at or behind `from`.
    ///
    /// "Boundary delimiters must not appear within the encapsulated material", on a line by itself
    /// or as the prefix of one (RFC 2046 section 5.1.1): such a line is an error, in the preamble as well.
    /// What one reader takes for a delimiter and another for text would be two bodies in one.
    fn delimiter(&self, from: usize) -> Result<Option<Delimiter>, ParseError> {
        let mut search = from;
        while let Some(at) = self.dashes(search) {
            if let Some(found) = self.delimiter_at(at) {
                return Ok(Some(found));
            }
            if self.begins_as_delimiter(at) {
                let what = "nothing but blanks behind a boundary";
                return Err(ParseError::new(ErrorKind::Multipart, at, what));
            }
            search = at + 1;
        }
        Ok(None)
    }

    /// The next `--` at or behind `from`.
    fn dashes(&self, from: usize) -> Option<usize> {
        Some(from + memchr::memmem::find(self.body.get(from..)?, b"--")?)
    }

    /// Whether a line begins at `at` with the boundary behind its dashes.
    fn begins_as_delimiter(&self, at: usize) -> bool {
        let (before, line) = self.body.split_at_checked(at).unwrap_or_default();
        let name = line.get(2..).unwrap_or_default();
        (at == 0 || before.ends_with(b"\r\n")) && name.starts_with(self.boundary.as_bytes())
    }

    fn delimiter_at(&self, at: usize) -> Option<Delimiter> {
        if !self.begins_as_delimiter(at) {
            return None;
        }
        let rest = self.body.get(at + 2 + self.boundary.len()..)?;
        let is_last = rest.starts_with(b"--");
        let rest = if is_last { rest.get(2..)? } else { rest };
        let end = self.body.len() - rest.len();
        let blank = rest.iter().take_while(|b| b" \t".contains(b)).count();
        let rest = rest.get(blank..)?;
        let is_whole = rest.starts_with(b"\r\n") || (is_last && rest.is_empty());
        is_whole.then(|| Delimiter {
            start: at,
            end,
            before: at.saturating_sub(2),
            after: self.body.len() - rest.get(2..).unwrap_or_default().len(),
            is_last,
        })
    }

    fn read(&mut self) -> Result<Option<Part<'a>>, ParseError> {
        let error = |at, what| ParseError::new(ErrorKind::Multipart, at, what);
        let start = match self.at {
            Some(at) => at,
            None if !is_boundary(self.boundary) => {
                return Err(error(
                    0,
                    "a boundary of 1 to 70 characters that may stand in one",
                ));
            }
            None => match self.delimiter(0)? {
                Some(first) if !first.is_last => {
                    self.preamble_end = first.start;
                    first.after
                }
                Some(first) => {
                    return Err(error(first.start, "a part before the boundary that closes"));
                }
                None => return Err(error(0, "the boundary named in Content-Type")),
            },
        };
        if self.given == self.limits.max_parts {
            let what = "no more parts than the limit";
            return Err(ParseError::new(ErrorKind::Limit, start, what));
        }
        self.given += 1;
        let Some(end) = self.delimiter(start)? else {
            return Err(error(
                self.body.len(),
                "the boundary that closes the last part",
            ));
        };
        // Nothing where the CRLF of this delimiter is the one behind the delimiter before.
        let Some(part) = self.body.get(start..end.before) else {
            return Err(error(
                start,
                "a part, which may be empty, and CRLF behind it",
            ));
        };
        self.at = Some(end.after);
        if end.is_last {
            self.done = true;
            self.epilogue_start = end.end;
        }
        let (head, body) = PartView::parse(part, &self.limits).map_err(|e| e.shifted(start))?;
        Ok(Some(Part { head, body }))
    }
}

impl<'a> Iterator for Parts<'a, '_> {
    type Item = Result<Part<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let part = self.read().transpose();
        if !matches!(part, Some(Ok(_))) {
            self.done = true;
        }
        part
    }
}

/// `boundary := 0*69<bchars> bcharsnospace`
pub(super) fn is_boundary(text: &str) -> bool {
    let is_bchar = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    (1..=70).contains(&text.len()) && text.bytes().all(is_bchar) && !text.ends_with(' ')
}
