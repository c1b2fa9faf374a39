//! Header fields that are owned and can be changed.

use std::fmt::{self, Display, Write};
use std::ops::Range;

use zeroize::Zeroize;

use crate::auth::{SecretValue, constant_time_eq};
use crate::field::{HeaderField, Slots};
use crate::name::code_of;
use crate::scan::{forbidden_controls, has_control};
use crate::text::{is_blank, is_line_end};
use crate::typed::{All, TypedHeader};
use crate::view::{forbidden_control, missing};
use crate::{ErrorKind, HeaderName, ParseError};

/// Header fields in order, with duplicates and unknown ones.
///
/// Names are found without regard to case, and by their compact form. A field that came from a
/// message is written back as it stood, byte for byte.
///
/// One field never becomes two, and what is written can be read: a name is a [`HeaderName`], which is
/// a token, and of a value white space with a line end in it becomes a space, as do control characters
/// that may not stand there, and white space around it goes. [`try_push`](Self::try_push) refuses such
/// values instead.
///
/// `==` compares what is written; values of Authorization and Proxy-Authorization in a time that depends
/// on their lengths only, here and in all that has header fields.
///
/// ```
/// use sip_oauth_message::{header::CSeq, HeaderName, Headers};
/// let mut headers = Headers::new();
/// headers.push(HeaderName::CSeq, "1 REGISTER");
/// headers.push(HeaderName::CallId, "1@192.0.2.7");
/// headers.set(HeaderName::CSeq, "2 REGISTER");
/// assert_eq!(headers.get("i"), Some("1@192.0.2.7"));
/// assert_eq!(headers.required::<CSeq>()?.number(), 2);
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    entries: Vec<Entry>,
}

/// Bytes that most fields fit in, so that writing one asks for memory once.
const MOST_FIELDS: usize = 96;

/// One field as it is written, without the CRLF at its end.
#[derive(Clone)]
pub(crate) struct Entry {
    text: String,
    code: u8,
    name_end: usize,
    value: Range<usize>,
}

impl Entry {
    /// A field of our own making, with a name that is a token. The text of credentials never grows, which
    /// would leave a copy behind that nobody wipes.
    fn new(name: &str, value: impl Display) -> Self {
        if !HeaderName::of_token(name).is_secret() {
            return Self::with_capacity(MOST_FIELDS, name, value);
        }
        let mut length = Length(0);
        let _ = write!(length, "{value}");
        Self::with_capacity(name.len() + ": ".len() + length.0, name, value)
    }

    fn secret(name: &str, value: &SecretValue) -> Self {
        let value = value.expose();
        Self::with_capacity(name.len() + ": ".len() + value.len(), name, value)
    }

    fn with_capacity(bytes: usize, name: &str, value: impl Display) -> Self {
        let mut text = String::with_capacity(bytes);
        text.push_str(name);
        let name_end = text.len();
        text.push_str(": ");
        let value_start = text.len();
        // Writing to a String fails only if the value's own Display does; the field then ends
        // where that happened.
        let mut line = OneLine {
            text: &mut text,
            start: value_start,
            is_folding: true,
        };
        let _ = write!(line, "{value}");
        blank_controls(&mut text, value_start);
        let trimmed = text.trim_end_matches(is_blank).len();
        let value_end = trimmed.max(value_start);
        text.truncate(value_end);
        Self {
            code: code_of(name.as_bytes()),
            name_end,
            value: value_start..value_end,
            text,
        }
    }

    fn name_text(&self) -> &str {
        self.text.get(..self.name_end).unwrap_or_default()
    }

    pub(crate) fn value(&self) -> &str {
        self.text.get(self.value.clone()).unwrap_or_default()
    }

    pub(crate) fn name(&self) -> HeaderName<'_> {
        HeaderName::from_code(self.code, self.name_text())
    }

    /// The whole line.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn field(&self) -> HeaderField<'_> {
        HeaderField::new(self.name(), self.name_text(), self.value(), 0)
    }
}

/// As written. How long it takes does not tell how far two credentials are alike.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        if self.name().is_secret() {
            constant_time_eq(self.text.as_bytes(), other.text.as_bytes())
        } else {
            self.text == other.text
        }
    }
}

impl Eq for Entry {}

impl Drop for Entry {
    fn drop(&mut self) {
        if self.name().is_secret() {
            self.text.zeroize();
        }
    }
}

/// Counts the bytes that are written.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// Puts spaces for the control characters that may not stand in a value. The text does not grow.
fn blank_controls(text: &mut String, value: usize) {
    let written = text.as_bytes().get(value..).unwrap_or_default();
    if !has_control(written) {
        return;
    }
    let places: Vec<_> = forbidden_controls(written).collect();
    for place in places {
        text.replace_range(value + place..=value + place, " ");
    }
    let written = text.get(value..).unwrap_or_default();
    let blank = written.len() - written.trim_start_matches(is_blank).len();
    text.drain(value..value + blank);
}

/// Keeps a value on one line, whatever is written in however many pieces, as
/// [`unfolded`](crate::text::unfolded) does, and without white space in front.
struct OneLine<'a> {
    text: &'a mut String,
    /// Where the value begins.
    start: usize,
    /// Whether the white space being read has a line end in it, or is in front of the value.
    is_folding: bool,
}

impl Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while !rest.is_empty() {
            if self.is_folding {
                let is_white = |c| is_blank(c) || is_line_end(c);
                rest = rest.trim_start_matches(is_white);
                if rest.is_empty() {
                    break;
                }
                if self.text.len() > self.start {
                    self.text.push(' ');
                }
                self.is_folding = false;
            }
            let end = memchr::memchr2(b'\r', b'\n', rest.as_bytes());
            let (line, behind) = rest
                .split_at_checked(end.unwrap_or(rest.len()))
                .unwrap_or((rest, ""));
            self.text.push_str(line);
            rest = behind;
            if end.is_some() {
                let trimmed = self.text.trim_end_matches(is_blank).len();
                self.text.truncate(trimmed.max(self.start));
                self.is_folding = true;
            }
        }
        Ok(())
    }
}

impl Headers {
    /// No header fields.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    pub(crate) fn from_fields(slots: &Slots, head: &str) -> Self {
        let starts = slots.iter().map(crate::field::Slot::start).skip(1);
        let ends = starts.chain(std::iter::once(head.len()));
        let entries = slots.iter().zip(ends).map(|(slot, end)| {
            let start = slot.start();
            // Without the CRLF at the end of the last line.
            let text = head.get(start..end.saturating_sub(2)).unwrap_or_default();
            let value = slot.value();
            Entry {
                text: text.to_owned(),
                code: slot.code(),
                name_end: slot.name(head).len(),
                value: value.start - start..value.end - start,
            }
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// Adds a field at the end.
    pub fn push(&mut self, name: HeaderName<'_>, value: impl Display) {
        self.entries.push(Entry::new(name.as_str(), value));
    }

    /// Adds a field at the end whose name, or value, is somebody else's. The name stays as it is
    /// spelled.
    ///
    /// # Errors
    ///
    /// When `name` is not a token, or `value` has a line end or another control character where none
    /// may stand; nothing is added then, and the offset counts from the start of the value.
    pub fn try_push(&mut self, name: &str, value: &str) -> Result<(), ParseError> {
        let known = HeaderName::parse(name)?.known();
        let in_header = |error: ParseError| match known {
            Some(name) => error.in_header(name),
            None => error,
        };
        if let Some(at) = value.find(is_line_end) {
            let error = ParseError::new(ErrorKind::ControlCharacter, at, "a value on one line");
            return Err(in_header(error));
        }
        if let Some(at) = forbidden_controls(value.as_bytes()).next() {
            return Err(in_header(forbidden_control(at)));
        }
        self.entries.push(Entry::new(name, value));
        Ok(())
    }

    /// Adds a field at the front, where Via and Route belong.
    pub fn push_first(&mut self, name: HeaderName<'_>, value: impl Display) {
        self.entries.insert(0, Entry::new(name.as_str(), value));
    }

    /// Adds a field directly behind the last one named `after`, or at the end if there is none.
    pub fn push_after(&mut self, after: HeaderName<'_>, name: HeaderName<'_>, value: impl Display) {
        let entry = Entry::new(name.as_str(), value);
        self.entries.insert(self.behind(after), entry);
    }

    /// Adds a copy of a field at the end, its name as it is spelled.
    pub fn push_field(&mut self, field: &HeaderField<'_>) {
        let entry = Entry::new(field.name_text(), field.unfolded());
        self.entries.push(entry);
    }

    /// Adds a typed value at the end, under its own name.
    pub fn push_typed<'a, H: TypedHeader<'a> + Display>(&mut self, value: &H) {
        self.push(H::NAME, value);
    }

    /// Adds credentials behind the last field named `after`, or at the end if there is none.
    pub fn push_secret(
        &mut self,
        after: Option<HeaderName<'_>>,
        name: HeaderName<'_>,
        value: &SecretValue,
    ) {
        let at = after.map_or(self.entries.len(), |after| self.behind(after));
        self.entries.insert(at, Entry::secret(name.as_str(), value));
    }

    /// The place behind the last field of this name, or the end if there is none.
    fn behind(&self, name: HeaderName<'_>) -> usize {
        let last = self.entries.iter().rposition(|e| e.name() == name);
        last.map_or(self.entries.len(), |at| at + 1)
    }

    /// Gives the first field of this name a new value and removes the others; adds it at the
    /// end if there is none. The name stays as it was written.
    pub fn set(&mut self, name: HeaderName<'_>, value: impl Display) {
        let Some(at) = self.entries.iter().position(|e| e.name() == name) else {
            return self.push(name, value);
        };
        if let Some(entry) = self.entries.get_mut(at) {
            *entry = Entry::new(entry.name_text(), value);
        }
        let mut index = 0;
        self.entries.retain(|entry| {
            let keep = index <= at || entry.name() != name;
            index += 1;
            keep
        });
    }

    /// Removes all fields of this name and says how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let before = self.entries.len();
        let wanted = HeaderName::of_token(name);
        self.entries.retain(|entry| entry.name() != wanted);
        before - self.entries.len()
    }

    /// Removes the first field of this name and gives its value.
    pub fn remove_first(&mut self, name: &str) -> Option<String> {
        let wanted = HeaderName::of_token(name);
        let at = self.entries.iter().position(|e| e.name() == wanted)?;
        Some(self.entries.remove(at).value().to_owned())
    }

    /// The value of the first field of this name, as written.
    pub fn get(&self, name: &str) -> Option<&str> {
        let wanted = HeaderName::of_token(name);
        let entry = self.entries.iter().find(|e| e.name() == wanted)?;
        Some(entry.value())
    }

    /// The values of all fields of this name, in order.
    pub fn get_all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        let wanted = HeaderName::of_token(name);
        self.entries
            .iter()
            .filter(move |e| e.name() == wanted)
            .map(Entry::value)
    }

    /// Whether there is a field of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = HeaderField<'_>> + Clone {
        self.entries.iter().map(Entry::field)
    }

    /// Appends all fields, each with its CRLF.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for entry in &self.entries {
            out.extend_from_slice(entry.text().as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many fields there are.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first value of a typed field, if there is one.
    ///
    /// # Errors
    ///
    /// When the value breaks its grammar; offsets count from the start of the value.
    pub fn header<'s, H: TypedHeader<'s>>(&'s self) -> Result<Option<H>, ParseError> {
        self.all::<H>().next().transpose()
    }

    /// The first value of a typed field that must be there.
    ///
    /// # Errors
    ///
    /// When there is none, or when it breaks its grammar.
    pub fn required<'s, H: TypedHeader<'s>>(&'s self) -> Result<H, ParseError> {
        self.header::<H>()?.ok_or_else(|| missing(H::NAME))
    }

    /// All values of a typed field: comma lists and repeated fields alike.
    pub fn all<'s, H: TypedHeader<'s>>(
        &'s self,
    ) -> impl Iterator<Item = Result<H, ParseError>> + use<'s, H> {
        let fields = self.entries.iter().map(Entry::field);
        All::new(fields.filter(|field| field.name() == H::NAME))
    }
}

/// Values of Authorization and Proxy-Authorization are not printed.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
