//! The reader: quick-xml's tokens, and our refusals.
//!
//! quick-xml splits the text into tags and runs, checks that end tags match and that attributes are not repeated. It
//! lets pass what a configuration reader must refuse: a DOCTYPE, another root, a second root, text around the root,
//! illegal characters and names, unlimited depth. Those checks are here.

use std::borrow::Cow;

use quick_xml::errors::{Error as XmlError, IllFormedError, SyntaxError};
use quick_xml::escape::EscapeError;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::document::{Document, normalised};
use crate::encoding::{Encoding, Original};
use crate::error::{ReadError, ReadErrorKind, shorten};
use crate::limits::Limits;
use crate::position::{BYTE_ORDER_MARK, Position};
use crate::recognise;
use crate::tree::{Tree, offset_in};
use crate::xml::{is_character, is_name};

/// Reads a whole document.
pub(crate) fn document(bytes: &[u8], root: &str, limits: &Limits) -> Result<Document, ReadError> {
    let (encoding, text) = decoded(bytes, root, limits)?;
    let mut elements = Tree::default();
    // Product files have one for every 45 bytes.
    elements.clear_for((text.len() / 32).min(limits.max_elements));
    let tree = tree(&text, encoding, root, limits, elements)?;
    let original = match encoding {
        Encoding::Utf8 | Encoding::Ascii => None,
        _ => Some(Original::new(bytes.to_owned(), encoding, &text)),
    };
    Ok(Document {
        text: text.into_owned(),
        encoding,
        original,
        tree,
        limits: *limits,
    })
}

/// The text of a file, when it is one and not too long.
fn decoded<'a>(
    bytes: &'a [u8],
    root: &str,
    limits: &Limits,
) -> Result<(Encoding, Cow<'a, str>), ReadError> {
    check_size(bytes.len(), limits)?;
    recognise::text(bytes, root).map_err(|(offset, kind)| {
        // Lines and columns are those of the text. Where no encoding is known the place is the first byte.
        let encoding = Encoding::of(bytes).unwrap_or(Encoding::Utf8);
        let before = encoding.text_before(bytes, offset);
        let mut position = Position::new(before.as_bytes(), String::new(), before.len());
        position.offset = offset;
        ReadError::new(kind, position)
    })
}

/// Refuses a file that is too long, before anything else is looked at.
pub(crate) fn check_size(bytes: usize, limits: &Limits) -> Result<(), ReadError> {
    // A character of one byte has up to three in UTF-8, and offsets have 32 bits.
    let max = limits.max_bytes.min(u32::MAX as usize / 3);
    if bytes <= max {
        return Ok(());
    }
    // The position is not looked for in a file of unlimited size.
    let kind = ReadErrorKind::TooLarge { found: bytes, max };
    Err(ReadError::new(kind, Position::new(b"", String::new(), 0)))
}

/// The elements of a text that was decoded from `encoding`, in the room of `empty`.
pub(crate) fn tree(
    source: &str,
    encoding: Encoding,
    root: &str,
    limits: &Limits,
    empty: Tree,
) -> Result<Tree, ReadError> {
    // Elsewhere the mark is not part of the text.
    let base = if encoding == Encoding::Utf8 && source.as_bytes().starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let mut builder = Builder {
        source,
        body: source.get(base..).unwrap_or_default(),
        base,
        root,
        encoding,
        limits,
        elements: empty,
        open: Vec::with_capacity(8),
    };
    if let Err((offset, kind)) = builder.run() {
        let path = builder
            .open
            .last()
            .map_or_else(String::new, |&index| builder.elements.path(source, index));
        let mut position = Position::new(source.as_bytes(), path, offset);
        position.offset = encoding.offset_in_file(source, position.offset);
        return Err(ReadError::new(kind, position));
    }
    Ok(builder.elements)
}

/// A reason and the offset it was found at, before the path is added.
type Refusal = (usize, ReadErrorKind);

fn not_well_formed(offset: usize, what: impl Into<String>) -> Refusal {
    (offset, ReadErrorKind::NotWellFormed { what: what.into() })
}

struct Builder<'a> {
    source: &'a str,
    /// The source after a byte order mark.
    body: &'a str,
    base: usize,
    root: &'a str,
    encoding: Encoding,
    limits: &'a Limits,
    elements: Tree,
    open: Vec<u32>,
}

impl Builder<'_> {
    fn run(&mut self) -> Result<(), Refusal> {
        if self.body.as_bytes().starts_with(BYTE_ORDER_MARK) {
            return Err((self.base, ReadErrorKind::TextOutsideRoot));
        }
        let mut reader = Reader::from_str(self.body);
        reader.config_mut().enable_all_checks(true);
        loop {
            let start = self.base + offset(reader.buffer_position());
            let event = reader.read_event().map_err(|error| {
                let end = self.base + offset(reader.buffer_position());
                let place =
                    (self.base + offset(reader.error_position())).clamp(start, end.max(start));
                refused(place, &error)
            })?;
            let end = self.base + offset(reader.buffer_position());
            if !matches!(
                event,
                Event::Start(_) | Event::Empty(_) | Event::End(_) | Event::Eof
            ) {
                self.check_length(start, end)?;
            }
            match event {
                Event::Start(tag) => {
                    let index = self.element(&tag, start)?;
                    self.open.push(index);
                }
                Event::Empty(tag) => {
                    let index = self.element(&tag, start)?;
                    self.elements.close(index);
                }
                Event::End(_) => {
                    // quick-xml has matched the end tag with the start tag that is on top here.
                    if let Some(index) = self.open.pop() {
                        self.elements.close(index);
                    }
                }
                Event::Text(run) => self.character_data(&run, start)?,
                Event::CData(_) => self.inside_root(start)?,
                Event::GeneralRef(name) => {
                    self.inside_root(start)?;
                    if name.starts_with('#') {
                        check_references(&format!("&{};", &*name), start)?;
                    } else if !matches!(&*name, "lt" | "gt" | "amp" | "apos" | "quot") {
                        return Err((start, unknown_entity(&name)));
                    }
                }
                Event::Comment(_) => {}
                Event::Decl(_) => self.declaration(start, end)?,
                Event::PI(instruction) => {
                    let target = instruction.target();
                    if !is_name(target) || target.eq_ignore_ascii_case("xml") {
                        return Err(not_well_formed(
                            start,
                            "the target of a processing instruction is no name",
                        ));
                    }
                }
                Event::DocType(_) => return Err((start, ReadErrorKind::Doctype)),
                Event::Eof => return self.finish(start),
            }
        }
    }

    fn finish(&self, end: usize) -> Result<(), Refusal> {
        if let Some(&index) = self.open.last() {
            let name = shorten(self.elements.name(self.source, index));
            let what = format!("<{name}> is not closed before the end of the file");
            return Err(not_well_formed(self.elements.start(index), what));
        }
        if self.elements.is_empty() {
            return Err((
                end,
                ReadErrorKind::Empty {
                    expected: self.root.to_owned(),
                },
            ));
        }
        Ok(())
    }

    fn check_length(&self, start: usize, end: usize) -> Result<(), Refusal> {
        if end - start > self.limits.max_text_bytes {
            return Err((
                start,
                ReadErrorKind::TextTooLong {
                    max: self.limits.max_text_bytes,
                },
            ));
        }
        Ok(())
    }

    fn inside_root(&self, start: usize) -> Result<(), Refusal> {
        if self.open.is_empty() {
            Err((start, ReadErrorKind::TextOutsideRoot))
        } else {
            Ok(())
        }
    }

    fn character_data(&self, run: &str, start: usize) -> Result<(), Refusal> {
        if self.open.is_empty()
            && let Some(at) = run.find(|c| !matches!(c, ' ' | '\t' | '\n' | '\r'))
        {
            return Err((start + at, ReadErrorKind::TextOutsideRoot));
        }
        // Most runs are a line end or a short value; a search for one byte costs less than one for three.
        if run.as_bytes().contains(&b']')
            && let Some(at) = run.find("]]>")
        {
            return Err(not_well_formed(start + at, "\"]]>\" in text"));
        }
        Ok(())
    }

    /// Records a start tag and its attributes.
    fn element(&mut self, tag: &BytesStart<'_>, start: usize) -> Result<u32, Refusal> {
        let name = tag.name().0;
        if !is_name(name) {
            return Err(not_well_formed(
                start,
                format!("{:?} is no element name", shorten(name)),
            ));
        }
        if self.open.is_empty() {
            if !self.elements.is_empty() {
                return Err((
                    start,
                    ReadErrorKind::SecondRoot {
                        found: shorten(name),
                    },
                ));
            }
            if name != self.root {
                let kind = ReadErrorKind::WrongRoot {
                    found: shorten(name),
                    expected: self.root.to_owned(),
                };
                return Err((start, kind));
            }
        }
        if self.open.len() >= self.limits.max_depth {
            return Err((
                start,
                ReadErrorKind::TooDeep {
                    max: self.limits.max_depth,
                },
            ));
        }
        if self.elements.len() >= self.limits.max_elements {
            return Err((
                start,
                ReadErrorKind::TooManyElements {
                    max: self.limits.max_elements,
                },
            ));
        }
        let index = self.elements.open(start, self.source);
        self.attributes_of(tag, start)?;
        Ok(index)
    }

    fn attributes_of(&self, tag: &BytesStart<'_>, start: usize) -> Result<(), Refusal> {
        if tag.attributes_raw().is_empty() {
            return Ok(());
        }
        for (count, attribute) in tag.attributes().enumerate() {
            let attribute = attribute.map_err(|error| bad_attribute(start + 1, &error))?;
            if count >= self.limits.max_attributes {
                return Err((
                    start,
                    ReadErrorKind::TooManyAttributes {
                        max: self.limits.max_attributes,
                    },
                ));
            }
            let name = attribute.key.0;
            let name_start = offset_in(self.source, name);
            let value_start = offset_in(self.source, &attribute.value);
            let value_end = value_start + attribute.value.len();
            let separated = self
                .source
                .as_bytes()
                .get(name_start.wrapping_sub(1))
                .is_some_and(u8::is_ascii_whitespace);
            if !is_name(name) || !separated {
                return Err(not_well_formed(
                    name_start,
                    format!("{:?} is no attribute name", shorten(name)),
                ));
            }
            self.check_length(value_start, value_end)?;
            if let Some(at) = attribute.value.find('<') {
                return Err(not_well_formed(
                    value_start + at,
                    "'<' in an attribute value",
                ));
            }
            check_references(&attribute.value, value_start)?;
        }
        Ok(())
    }

    /// `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`, XML 1.0 §2.8.
    fn declaration(&self, start: usize, end: usize) -> Result<(), Refusal> {
        if start != self.base {
            return Err(not_well_formed(
                start,
                "an XML declaration that is not at the beginning",
            ));
        }
        let content = self.source.get(start + 2..end - 2).unwrap_or_default();
        let tag = BytesStart::from_content(content, 3);
        let mut expected = ["version", "encoding", "standalone"].into_iter();
        let mut names = 0;
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| bad_attribute(start + 2, &error))?;
            let (name, value) = (attribute.key.0, &*attribute.value);
            let before = content
                .as_bytes()
                .get(offset_in(self.source, name).saturating_sub(start + 3));
            let separated = before.is_some_and(u8::is_ascii_whitespace);
            let in_order = if names == 0 {
                expected.next() == Some(name)
            } else {
                expected.any(|next| next == name)
            };
            let allowed = match name {
                "version" => value.strip_prefix("1.").is_some_and(|minor| {
                    !minor.is_empty() && minor.bytes().all(|digit| digit.is_ascii_digit())
                }),
                "encoding" => value.starts_with(|c: char| c.is_ascii_alphabetic()),
                _ => matches!(value, "yes" | "no"),
            };
            if !separated || !in_order || !allowed {
                return Err(not_well_formed(
                    start,
                    "an XML declaration that is not version, encoding, standalone",
                ));
            }
            if name == "encoding" && !self.encoding.is_called(value) {
                let kind = ReadErrorKind::EncodingContradicted {
                    declared: shorten(value),
                    found: self.encoding.name(),
                };
                return Err((start, kind));
            }
            names += 1;
        }
        if names == 0 {
            return Err(not_well_formed(
                start,
                "an XML declaration without a version",
            ));
        }
        Ok(())
    }
}

/// A position of quick-xml's in a text that is in memory.
fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// Resolves every reference in `raw` once, so that reading the value later cannot fail.
fn check_references(raw: &str, start: usize) -> Result<(), Refusal> {
    if !raw.contains('&') {
        return Ok(());
    }
    match normalised(raw) {
        Ok(text) => match text.chars().find(|&c| !is_character(c)) {
            Some(c) => Err((start, ReadErrorKind::Character { code: u32::from(c) })),
            None => Ok(()),
        },
        Err(error) => Err(refused(start, &error)),
    }
}

/// An attribute that cannot be read, in a tag whose name begins at `tag`.
fn bad_attribute(tag: usize, error: &AttrError) -> Refusal {
    let (at, what) = match *error {
        AttrError::ExpectedEq(at) => (at, "an attribute without '='"),
        AttrError::ExpectedValue(at) => (at, "an attribute without a value"),
        AttrError::UnquotedValue(at) => (at, "an attribute value without quotes"),
        AttrError::ExpectedQuote(at, _) => (at, "an attribute value whose quote is not closed"),
        AttrError::Duplicated(at, _) => (at, "an attribute that stands twice"),
    };
    not_well_formed(tag + at, what)
}

/// The longest name of an entity that a message quotes; the longest of HTML has 31 characters.
const LONGEST_ENTITY_NAME: usize = 31;

/// What stands between `&` and `;`, which may be part of a password whose author forgot to escape it: quoted only as far
/// as it can be the name of an entity.
fn unknown_entity(name: &str) -> ReadErrorKind {
    if is_name(name) && name.len() <= LONGEST_ENTITY_NAME {
        ReadErrorKind::Entity {
            name: name.to_owned(),
        }
    } else {
        let what = format!(
            "the {} bytes between '&' and ';' are no name of an entity; '&' in text is written &amp;",
            name.len()
        );
        ReadErrorKind::NotWellFormed { what }
    }
}

/// quick-xml's error in our words.
fn refused(start: usize, error: &XmlError) -> Refusal {
    match error {
        XmlError::Escape(EscapeError::UnrecognizedEntity(range, name)) => {
            (start + range.start.saturating_sub(1), unknown_entity(name))
        }
        XmlError::Escape(error) => not_well_formed(start, error.to_string()),
        XmlError::IllFormed(IllFormedError::MissingDoctypeName)
        | XmlError::Syntax(SyntaxError::UnclosedDoctype) => (start, ReadErrorKind::Doctype),
        XmlError::IllFormed(error) => not_well_formed(start, ill_formed(error)),
        XmlError::Syntax(SyntaxError::InvalidBangMarkup) => {
            not_well_formed(start, "\"<!\" that begins neither a comment nor CDATA")
        }
        XmlError::Syntax(error) => not_well_formed(start, error.to_string()),
        other => not_well_formed(start, other.to_string()),
    }
}

/// What quick-xml calls ill-formed. Its own sentences quote names at full length.
fn ill_formed(error: &IllFormedError) -> String {
    match error {
        IllFormedError::MismatchedEndTag { expected, found } => format!(
            "expected </{}>, found </{}>",
            shorten(expected),
            shorten(found)
        ),
        IllFormedError::UnmatchedEndTag(found) => {
            format!("</{}> ends no element that is open", shorten(found))
        }
        IllFormedError::MissingEndTag(name) => format!("<{}> is not closed", shorten(name)),
        IllFormedError::MissingDeclVersion(_) => {
            "an XML declaration that does not begin with its version".to_owned()
        }
        other => other.to_string(),
    }
}
