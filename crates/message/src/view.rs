//! A message that stays where it is.

use std::fmt;

use crate::field::{HeaderField, Slot, Slots};
use crate::grammar::lws_length;
use crate::header::ContentLength;
use crate::message::{Request, Response, owned_version};
use crate::name::{OTHER, name_at};
use crate::scan::{find, find_control, forbidden_controls};
use crate::start_line::{RequestLine, StartLine, StatusLine};
use crate::typed::{All, TypedHeader};
use crate::{ErrorKind, HeaderName, Headers, Limits, Method, ParseError, StatusCode};

/// A view of one whole message: it says where things are and copies nothing.
///
/// [`parse`](Self::parse) goes over the head once. Header fields are typed when they are asked
/// for. Nothing is allocated, except once where there are more than 64 header fields.
///
/// ```
/// use sip_oauth_message::{header::{CSeq, Contact}, Limits, MessageView, Method};
/// let bytes = b"REGISTER sip:ucm.example.com SIP/2.0\r\n\
///     CSeq: 2270 REGISTER\r\n\
///     m: <sip:1010@192.0.2.7:5090;transport=tls>;video\r\n\
///     l: 0\r\n\r\n";
/// let view = MessageView::parse(bytes, &Limits::default())?;
/// assert_eq!(view.as_request().unwrap().method, Method::Register);
/// assert_eq!(view.required::<CSeq>()?.number(), 2270);
/// let contact = view.required::<Contact>()?;
/// assert_eq!(contact.uri().unwrap().port(), Some(5090));
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone)]
pub struct MessageView<'a> {
    head: &'a str,
    start: StartLine<'a>,
    slots: Slots,
    body: &'a [u8],
    trailing: usize,
    declared: Option<u32>,
}

impl<'a> MessageView<'a> {
    /// Finds the parts of one datagram or one frame.
    ///
    /// The body ends where Content-Length says, bytes behind it are counted in
    /// [`trailing`](Self::trailing) and ignored (RFC 3261 section 18.3); without Content-Length,
    /// or where it says more than there is, the body is all that follows the head.
    ///
    /// # Errors
    ///
    /// When there is no whole head, when a line of it breaks the grammar, when Content-Length is
    /// no number or two of them differ, and when a limit is exceeded.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, ParseError> {
        // Positions are kept in 32 bits.
        let most = limits.max_message_bytes.min(u32::MAX as usize);
        if bytes.len() > most {
            return Err(limit(most, "a message within the size limit"));
        }
        let start_end = line_end(bytes, 0)?;
        check_line(0, start_end, limits)?;
        let mut slots = Slots::new();
        let is_end = |at| is_crlf(bytes, at);
        let at = fields(bytes, start_end + 2, limits, is_end, &mut slots)?;
        if at + 2 > limits.max_header_bytes {
            return Err(limit(
                limits.max_header_bytes,
                "a head within the size limit",
            ));
        }
        let (head, rest) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
        let head = utf8(head).map_err(|error| in_field_at(error, &slots))?;
        let start = StartLine::of_checked(head.get(..start_end).unwrap_or_default())?;
        let mut content_length = None;
        for slot in slots.of(HeaderName::ContentLength.code()) {
            content_length = Some(length_of(head, slot, content_length)?);
        }
        let rest = rest.get(2..).unwrap_or_default();
        let body = match content_length {
            Some(length) => rest.get(..length as usize).unwrap_or(rest),
            None => rest,
        };
        if body.len() > limits.max_body_bytes {
            return Err(limit(at + 2, "a body within the size limit"));
        }
        Ok(Self {
            head,
            start,
            slots,
            body,
            trailing: rest.len() - body.len(),
            declared: content_length,
        })
    }

    /// The first line.
    pub fn start_line(&self) -> StartLine<'a> {
        self.start.clone()
    }

    /// The request line, if this is a request.
    pub fn as_request(&self) -> Option<RequestLine<'a>> {
        match &self.start {
            StartLine::Request(line) => Some(line.clone()),
            StartLine::Response(_) => None,
        }
    }

    /// The status line, if this is a response.
    pub fn as_response(&self) -> Option<StatusLine<'a>> {
        match &self.start {
            StartLine::Response(line) => Some(*line),
            StartLine::Request(_) => None,
        }
    }

    /// The method, if this is a request.
    pub fn method(&self) -> Option<&Method<'a>> {
        match &self.start {
            StartLine::Request(line) => Some(&line.method),
            StartLine::Response(_) => None,
        }
    }

    /// The status code, if this is a response.
    pub fn status(&self) -> Option<StatusCode> {
        self.as_response().map(|line| line.status)
    }

    /// All header fields, in the order of the wire.
    pub fn fields(&self) -> impl Iterator<Item = HeaderField<'a>> + Clone + '_ {
        self.slots.iter().map(|slot| slot.field(self.head))
    }

    /// The header fields of one name, in order.
    pub fn fields_named<'s>(
        &'s self,
        name: HeaderName<'s>,
    ) -> impl Iterator<Item = HeaderField<'a>> + Clone + 's {
        self.slots
            .of(name.code())
            .map(|slot| slot.field(self.head))
            .filter(move |field| field.name() == name)
    }

    /// The first value of a header field, if there is one.
    ///
    /// # Errors
    ///
    /// When the value breaks its grammar.
    pub fn header<H: TypedHeader<'a>>(&self) -> Result<Option<H>, ParseError> {
        if H::NAME.code() == OTHER {
            return self.all::<H>().next().transpose();
        }
        let Some(slot) = self.slots.first_of(H::NAME.code()) else {
            return Ok(None);
        };
        let value = self.head.get(slot.value()).unwrap_or_default();
        match H::decode(value) {
            Ok((typed, _)) => Ok(Some(typed)),
            Err(error) => Err(error.shifted(slot.value().start)),
        }
    }

    /// The first value of a header field that must be there.
    ///
    /// # Errors
    ///
    /// When there is none, or when it breaks its grammar.
    pub fn required<H: TypedHeader<'a>>(&self) -> Result<H, ParseError> {
        self.header::<H>()?.ok_or_else(|| missing(H::NAME))
    }

    /// All values of a header field: comma lists and repeated fields alike.
    ///
    /// After an error the rest of that field is left out.
    pub fn all<H: TypedHeader<'a>>(&self) -> impl Iterator<Item = Result<H, ParseError>> {
        All::new(self.fields_named(H::NAME))
    }

    /// The body.
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// What Content-Length says, where it is present.
    pub const fn content_length(&self) -> Option<u32> {
        self.declared
    }

    /// How many bytes stand behind the body and are no part of the message.
    pub const fn trailing(&self) -> usize {
        self.trailing
    }

    /// An owned copy, if this is a request.
    pub fn to_request(&self) -> Option<Request> {
        let line = self.as_request()?;
        Some(Request {
            method: line.method.into_owned(),
            uri: line.uri.to_owned(),
            version: owned_version(line.version),
            headers: self.to_headers(),
            body: self.body.to_vec(),
        })
    }

    /// An owned copy, if this is a response.
    pub fn to_response(&self) -> Option<Response> {
        let line = self.as_response()?;
        Some(Response {
            version: owned_version(line.version),
            status: line.status,
            reason: line.reason.to_owned(),
            headers: self.to_headers(),
            body: self.body.to_vec(),
        })
    }

    /// An owned copy of the header fields, each as it is written.
    pub fn to_headers(&self) -> Headers {
        Headers::from_fields(&self.slots, self.head)
    }
}

/// Values of Authorization and Proxy-Authorization are not printed, nor is the body.
impl fmt::Debug for MessageView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageView")
            .field("start_line", &self.start)
            .field("fields", &self.fields().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The header fields of one part of a multipart body.
#[derive(Clone)]
pub(crate) struct PartView<'a> {
    head: &'a str,
    slots: Slots,
}

impl<'a> PartView<'a> {
    /// Reads header fields and gives what is behind their empty line. A part may have no body and
    /// then no empty line either: `body-part = MIME-part-headers [CRLF *OCTET]`.
    pub(crate) fn parse(bytes: &'a [u8], limits: &Limits) -> Result<(Self, &'a [u8]), ParseError> {
        if bytes.len() > u32::MAX as usize {
            return Err(limit(0, "a part below 4 GiB"));
        }
        let is_end = |at| at == bytes.len() || is_crlf(bytes, at);
        let mut slots = Slots::new();
        let at = fields(bytes, 0, limits, is_end, &mut slots)?;
        let (head, rest) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
        let head = utf8(head)?;
        Ok((Self { head, slots }, rest.get(2..).unwrap_or_default()))
    }

    pub(crate) fn to_headers(&self) -> Headers {
        Headers::from_fields(&self.slots, self.head)
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = HeaderField<'a>> + '_ {
        self.slots.iter().map(|slot| slot.field(self.head))
    }

    pub(crate) fn header<H: TypedHeader<'a>>(&self) -> Result<Option<H>, ParseError> {
        let named = self.fields().filter(|field| field.name() == H::NAME);
        All::new(named).next().transpose()
    }
}

pub(crate) fn missing(name: HeaderName<'static>) -> ParseError {
    ParseError::new(ErrorKind::MissingHeader, 0, "this header field").in_header(name)
}

fn limit(offset: usize, what: &'static str) -> ParseError {
    ParseError::new(ErrorKind::Limit, offset, what)
}

#[inline]
fn utf8(bytes: &[u8]) -> Result<&str, ParseError> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| no_utf8(bytes))
}

/// The error for bytes that are not UTF-8. The quick check does not say where it fails.
#[cold]
fn no_utf8(bytes: &[u8]) -> ParseError {
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    ParseError::new(ErrorKind::Utf8, valid, "UTF-8")
}

/// Where the line that contains `from` ends: the position of its CRLF.
#[allow(clippy::inline_always, reason = "as find_control")]
#[inline(always)]
fn line_end(bytes: &[u8], from: usize) -> Result<usize, ParseError> {
    let end = find_control(bytes, from);
    if is_crlf(bytes, end) {
        return Ok(end);
    }
    Err(no_line_end(
        bytes,
        end,
        bytes.get(end..).unwrap_or_default(),
    ))
}

/// The error for what stands at `end` instead of a CRLF.
#[cold]
fn no_line_end(bytes: &[u8], end: usize, ahead: &[u8]) -> ParseError {
    let (kind, offset, what) = match ahead {
        [] => (
            ErrorKind::Incomplete,
            bytes.len(),
            "CRLF and an empty line at the end of the head",
        ),
        [b'\r'] => (ErrorKind::Incomplete, bytes.len(), "LF after CR"),
        [b'\r' | b'\n', ..] => (ErrorKind::LineEnding, end, "CRLF as the line end"),
        _ => return forbidden_control(end),
    };
    ParseError::new(kind, offset, what)
}

#[inline]
fn check_line(start: usize, end: usize, limits: &Limits) -> Result<(), ParseError> {
    if end - start > limits.max_line_bytes {
        return Err(limit(start, "a line within the length limit"));
    }
    Ok(())
}

#[inline]
fn is_crlf(bytes: &[u8], at: usize) -> bool {
    bytes.get(at) == Some(&b'\r') && bytes.get(at + 1) == Some(&b'\n')
}

/// Puts the fields from `at` on into `slots`, and says where they end.
#[inline]
fn fields(
    bytes: &[u8],
    mut at: usize,
    limits: &Limits,
    is_end: impl Fn(usize) -> bool,
    slots: &mut Slots,
) -> Result<usize, ParseError> {
    while !is_end(at) {
        let (slot, next) = field(bytes, at, limits)?;
        if slots.len() == limits.max_header_fields {
            return Err(limit(at, "fewer header fields"));
        }
        slots.push(slot);
        at = next;
    }
    Ok(at)
}

/// The field that begins at `start`, and where the next line begins.
#[inline]
fn field(bytes: &[u8], start: usize, limits: &Limits) -> Result<(Slot, usize), ParseError> {
    let name = match bytes.get(start..).map(name_at) {
        Some(Ok(name)) => name,
        found => {
            let wrong = found.and_then(Result::err).unwrap_or_default();
            return Err(no_field(bytes, start, start + wrong));
        }
    };
    let mut value_start = behind_blanks(bytes, start + name.colon + 1);
    let last = match field_end(bytes, start, value_start, limits) {
        Ok(last) => last,
        Err(error) => {
            let last = match error.kind() {
                ErrorKind::ControlCharacter => {
                    field_end_behind_controls(bytes, start, value_start, limits)
                }
                _ => Err(error),
            };
            last.map_err(|error| in_field(error, name.code))?
        }
    };
    let next = last + 2;
    let mut end = last;
    if bytes.get(value_start) == Some(&b'\r') {
        value_start += lws_length(bytes.get(value_start..end).unwrap_or_default());
    }
    while end > value_start && matches!(bytes.get(end - 1), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        end -= 1;
    }
    if value_start - start > Slot::MAX_NAME {
        return Err(limit(
            start,
            "a header field whose value begins within 16 MiB",
        ));
    }
    let slot = Slot::new(name.code, start, value_start, end);
    Ok((slot, next))
}

/// The error with the name of the field it is in, if that is a known one.
#[cold]
fn in_field(error: ParseError, code: u8) -> ParseError {
    match HeaderName::from_code(code, "").known() {
        Some(name) => error.in_header(name),
        None => error,
    }
}

/// The error with the name of the field that its place is in.
#[cold]
fn in_field_at(error: ParseError, slots: &Slots) -> ParseError {
    let begun = slots.iter().filter(|slot| slot.start() <= error.offset());
    match begun.last() {
        Some(slot) => in_field(error, slot.code()),
        None => error,
    }
}

/// Where the last line of a field ends that begins at `start` and whose value begins at `value`.
#[inline]
fn field_end(
    bytes: &[u8],
    start: usize,
    value: usize,
    limits: &Limits,
) -> Result<usize, ParseError> {
    let end = line_end(bytes, value)?;
    check_line(start, end, limits)?;
    if let Some(b' ' | b'\t') = bytes.get(end + 2) {
        return folded_end(bytes, end + 2, limits);
    }
    Ok(end)
}

/// Where the last of the lines ends that continue a field, the first of them at `start`: "Header
/// fields can be extended over multiple lines by preceding each extra line with at least one SP
/// or horizontal tab" (section 7.3.1).
fn folded_end(bytes: &[u8], mut start: usize, limits: &Limits) -> Result<usize, ParseError> {
    loop {
        let end = line_end(bytes, start)?;
        check_line(start, end, limits)?;
        start = end + 2;
        if !matches!(bytes.get(start), Some(b' ' | b'\t')) {
            return Ok(end);
        }
    }
}

/// As [`field_end`], where there are control characters: in quoted pairs they may be.
#[cold]
fn field_end_behind_controls(
    bytes: &[u8],
    mut start: usize,
    value: usize,
    limits: &Limits,
) -> Result<usize, ParseError> {
    let mut from = value;
    loop {
        let end = find(bytes, from, [b'\r', b'\n']);
        let ahead = bytes.get(end..).unwrap_or_default();
        let [b'\r', b'\n', next @ ..] = ahead else {
            return Err(no_line_end(bytes, end, ahead));
        };
        check_line(start, end, limits)?;
        if let [b' ' | b'\t', ..] = next {
            start = end + 2;
            from = start;
            continue;
        }
        let lines = bytes.get(value..end).unwrap_or_default();
        return match forbidden_controls(lines).next() {
            Some(wrong) => Err(forbidden_control(value + wrong)),
            None => Ok(end),
        };
    }
}

/// The error for a control character at `at`.
#[cold]
pub(crate) fn forbidden_control(at: usize) -> ParseError {
    let what = "no control character outside a quoted pair";
    ParseError::new(ErrorKind::ControlCharacter, at, what)
}

/// Where something other than spaces and tabs begins.
#[inline]
fn behind_blanks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The error for a line that is not a header field.
#[cold]
fn no_field(bytes: &[u8], start: usize, at: usize) -> ParseError {
    match bytes.get(at) {
        // The first half of the empty line.
        Some(b'\r') if at == start && at + 1 == bytes.len() => no_field(bytes, start, at + 1),
        None => ParseError::new(
            ErrorKind::Incomplete,
            bytes.len(),
            "an empty line at the end of the head",
        ),
        Some(b'\n') => ParseError::new(ErrorKind::LineEnding, at, "CRLF as the line end"),
        Some(_) if at == start => ParseError::new(ErrorKind::HeaderLine, at, "a header field name"),
        Some(_) => ParseError::new(ErrorKind::HeaderLine, at, "a colon after the name"),
    }
}

/// The number in a Content-Length field, which must agree with an earlier one.
fn length_of(head: &str, slot: &Slot, earlier: Option<u32>) -> Result<u32, ParseError> {
    let error = |offset, what| {
        ParseError::new(ErrorKind::ContentLength, offset, what).in_header(HeaderName::ContentLength)
    };
    let value = head.get(slot.value()).unwrap_or_default();
    let (ContentLength(length), _) = ContentLength::decode(value).map_err(|wrong| {
        let at = slot.value().start + wrong.offset();
        error(at, "a decimal number of bytes")
    })?;
    match earlier {
        Some(earlier) if earlier != length => Err(error(
            slot.value().start,
            "the same length as in the field before",
        )),
        _ => Ok(length),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::utf8;
    use crate::ErrorKind;

    proptest! {
        #[test]
        fn utf8_is_what_the_standard_library_says(
            mut bytes in "[ -~]{0,200}(é|€|𝄞)?[ -~]{0,80}".prop_map(String::into_bytes),
            place in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            prop_assert_eq!(utf8(&bytes).ok(), std::str::from_utf8(&bytes).ok());
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            match std::str::from_utf8(&bytes) {
                Ok(text) => prop_assert_eq!(utf8(&bytes).ok(), Some(text)),
                Err(plain) => {
                    let error = utf8(&bytes).unwrap_err();
                    prop_assert_eq!(error.kind(), ErrorKind::Utf8);
                    prop_assert_eq!(error.offset(), plain.valid_up_to());
                }
            }
        }
    }
}
