//! The reader: quick-xml's tokens, and our refusals.
//!
//! quick-xml splits the text into tags and runs, checks that end tags match and that attributes are not repeated. It
//! lets pass what a configuration reader must refuse: a DOCTYPE, another root, a second root, text around the root,
//! illegal characters and names, unlimited depth. Those checks are here.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::document::{Document, normalised};
use crate::encoding::{Encoding, Original};
use crate::error::{ReadError, ReadErrorKind, shorten};
use crate::limits::Limits;
use crate::position::{BYTE_ORDER_MARK, Position};
use crate::recognise;
use crate::refusal::{self, Refusal, bad_attribute, not_well_formed, refused, unknown_entity};
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
        // Path, line and column are those of the text. Where no encoding is known the place is the first byte.
        let encoding = Encoding::of(bytes).unwrap_or(Encoding::Utf8);
        let before = encoding.text_before(bytes, offset);
        let path = path_at_end(&before, encoding, root, limits);
        let mut position = Position::new(before.as_bytes(), path, before.len());
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
    let mut builder = Builder::new(source, encoding, root, limits, empty);
    if let Err((offset, kind)) = builder.run() {
        let is_secret =
            builder.open_secret().is_some() || builder.attribute.is_some_and(refusal::holds_secret);
        let kind = if is_secret {
            refusal::silent(kind)
        } else {
            kind
        };
        let mut position = Position::new(source.as_bytes(), builder.path(), offset);
        position.offset = encoding.offset_in_file(source, position.offset);
        return Err(ReadError::new(kind, position));
    }
    Ok(builder.elements)
}

/// The path of the element that is open at the end of the first part of a text; empty where that part is refused itself.
fn path_at_end(part: &str, encoding: Encoding, root: &str, limits: &Limits) -> String {
    let mut builder = Builder::new(part, encoding, root, limits, Tree::default());
    match builder.run() {
        Err(_) if builder.reached == part.len() => builder.path(),
        _ => String::new(),
    }
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
    /// The elements that are open, and the one whose start tag is refused.
    open: Vec<u32>,
    /// The attribute that is refused.
    attribute: Option<&'a str>,
    /// How much of the source was read before it was refused.
    reached: usize,
}

impl<'a> Builder<'a> {
    fn new(
        source: &'a str,
        encoding: Encoding,
        root: &'a str,
        limits: &'a Limits,
        empty: Tree,
    ) -> Self {
        // Elsewhere the mark is not part of the text.
        let base = if encoding == Encoding::Utf8 && source.as_bytes().starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len()
        } else {
            0
        };
        Self {
            source,
            body: source.get(base..).unwrap_or_default(),
            base,
            root,
            encoding,
            limits,
            elements: empty,
            open: Vec::with_capacity(8),
            attribute: None,
            reached: 0,
        }
    }

    /// The outermost open element that holds a secret.
    fn open_secret(&self) -> Option<u32> {
        let mut open = self.open.iter().copied();
        open.find(|&index| refusal::holds_secret(self.elements.name(self.source, index)))
    }

    /// The path of what was refused. What a secret looks like is not part of it.
    fn path(&self) -> String {
        let secret = self.open_secret();
        let Some(index) = secret.or(self.open.last().copied()) else {
            return String::new();
        };
        let mut path = self.elements.path(self.source, index);
        if secret.is_none()
            && let Some(name) = self.attribute
        {
            path.push_str("/@");
            path.push_str(name);
        }
        path
    }

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
                self.reached = end;
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

    fn finish(&mut self, end: usize) -> Result<(), Refusal> {
        self.reached = end;
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
                format!("the {} bytes after '<' are no element name", name.len()),
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
        if let Err(refusal) = self.attributes_of(tag, start) {
            self.open.push(index);
            return Err(refusal);
        }
        Ok(index)
    }

    fn attributes_of(&mut self, tag: &BytesStart<'_>, start: usize) -> Result<(), Refusal> {
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
            if !is_name(name) {
                let what = format!("{} bytes that are no attribute name", name.len());
                return Err(not_well_formed(name_start, what));
            }
            if !separated {
                let what = "an attribute without white space in front";
                return Err(not_well_formed(name_start, what));
            }
            self.attribute = self.source.get(name_start..name_start + name.len());
            self.check_length(value_start, value_end)?;
            if let Some(at) = attribute.value.find('<') {
                return Err(not_well_formed(
                    value_start + at,
                    "'<' in an attribute value",
                ));
            }
            check_references(&attribute.value, value_start)?;
            self.attribute = None;
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
