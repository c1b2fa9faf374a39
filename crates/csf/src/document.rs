//! The document tree: the file as it was read, and where in it everything stands.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use quick_xml::XmlVersion;
use quick_xml::escape::unescape;
use quick_xml::events::Event;
use quick_xml::events::attributes::{Attribute as RawAttribute, Attributes as RawAttributes};
use quick_xml::name::QName;
use quick_xml::reader::Reader;

use crate::encoding::{Encoding, Original};
use crate::error::ReadError;
use crate::limits::Limits;
use crate::position::{Position, Span};
use crate::read;
use crate::tree::{Tree, offset_in};
use crate::work;

/// An XML document that keeps its own bytes: elements and attributes are places in them.
///
/// Namespaces are not interpreted: `xsi:type` is a name with a colon in it, bound or not. Comments, processing
/// instructions, white space and line ends stay where they are, because nothing is ever written anew.
#[derive(Clone)]
pub struct Document {
    /// The file in UTF-8, byte order mark included when that was in UTF-8.
    pub(crate) text: String,
    pub(crate) encoding: Encoding,
    /// The file itself, when it is not in UTF-8.
    pub(crate) original: Option<Original>,
    pub(crate) tree: Tree,
    pub(crate) limits: Limits,
}

impl Document {
    /// Reads `bytes` as a document whose root element is `root`.
    ///
    /// # Errors
    ///
    /// [`ReadError`] with the reason and the place: not in its encoding, not well-formed, another root, a DOCTYPE, an entity
    /// beyond the five, or more than `limits` allow.
    ///
    /// ```
    /// use sip_oauth_csf::{Document, Limits};
    ///
    /// let document = Document::read(b"<device><a>1 &lt; 2</a></device>", "device", &Limits::default())?;
    /// assert_eq!(document.root().child("a").unwrap().text(), "1 < 2");
    /// # Ok::<(), sip_oauth_csf::ReadError>(())
    /// ```
    pub fn read(bytes: &[u8], root: &str, limits: &Limits) -> Result<Self, ReadError> {
        read::document(bytes, root, limits)
    }

    /// The bytes, exactly as they were read or last edited.
    pub fn source(&self) -> &[u8] {
        match &self.original {
            Some(original) => &original.bytes,
            None => self.text.as_bytes(),
        }
    }

    /// The encoding of the bytes, as the WHATWG Encoding Standard names it, or `US-ASCII`.
    ///
    /// ```
    /// use sip_oauth_csf::{Document, Limits};
    ///
    /// let file = b"<?xml version='1.0' encoding='ISO-8859-1'?><device><a>Z\xFCrich</a></device>";
    /// let mut document = Document::read(file, "device", &Limits::default())?;
    /// assert_eq!(document.encoding(), "windows-1252");
    /// let city = document.root().child("a").unwrap();
    /// assert_eq!(city.text(), "Z\u{fc}rich");
    /// assert_eq!(&document.source()[city.content_span().range()], b"Z\xFCrich");
    ///
    /// document.set("a", "K\u{f6}ln")?;
    /// assert_eq!(document.source(), b"<?xml version='1.0' encoding='ISO-8859-1'?><device><a>K\xF6ln</a></device>");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encoding(&self) -> &'static str {
        self.encoding.name()
    }

    /// Where in the file the byte at `offset` of the text stands.
    pub(crate) fn offset_in_file(&self, offset: usize) -> usize {
        match &self.original {
            Some(original) => original.offset_in_file(&self.text, offset),
            None => offset,
        }
    }

    /// The same bytes of the text as bytes of the file.
    pub(crate) fn span_in_file(&self, text: Range<usize>) -> Span {
        Span {
            start: self.offset_in_file(text.start),
            end: self.offset_in_file(text.end),
        }
    }

    /// The root element.
    pub fn root(&self) -> Element<'_> {
        Element {
            document: self,
            index: 0,
        }
    }

    /// The number of elements.
    pub fn element_count(&self) -> usize {
        self.tree.len()
    }

    /// The position of the byte at `offset` of the text.
    fn position(&self, path: String, offset: usize) -> Position {
        let mut position = Position::new(self.text.as_bytes(), path, offset);
        position.offset = self.offset_in_file(position.offset);
        position
    }
}

/// Prints sizes only: a file may hold passwords.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Document(<{}>, {} bytes, {} elements)",
            self.root().name(),
            self.source().len(),
            self.tree.len()
        )
    }
}

/// An element of a [`Document`].
#[derive(Clone, Copy)]
pub struct Element<'a> {
    document: &'a Document,
    index: u32,
}

impl<'a> Element<'a> {
    /// The tree it stands in, and the text of that.
    fn parts(self) -> (&'a Tree, &'a str) {
        (&self.document.tree, &self.document.text)
    }

    /// The name as written, prefix included.
    pub fn name(self) -> &'a str {
        let (tree, text) = self.parts();
        tree.name(text, self.index)
    }

    /// All its bytes, from `<` to the `>` of the end tag.
    pub fn span(self) -> Span {
        self.document.span_in_file(self.text_range())
    }

    /// As [`span`](Self::span), in the text.
    pub(crate) fn text_range(self) -> Range<usize> {
        let (tree, text) = self.parts();
        tree.range(text, self.index)
    }

    /// The bytes between its tags; empty for `<a></a>` and, standing after the tag, for `<a/>`.
    pub fn content_span(self) -> Span {
        self.document.span_in_file(self.content_range())
    }

    /// As [`content_span`](Self::content_span), in the text.
    pub(crate) fn content_range(self) -> Range<usize> {
        let (tree, text) = self.parts();
        tree.content(text, self.index)
    }

    /// Whether it is written as `<a/>`, which Unified CM never does.
    pub fn is_self_closing(self) -> bool {
        let (tree, text) = self.parts();
        tree.is_self_closing(text, self.index)
    }

    /// Whether it has no child elements.
    pub fn is_leaf(self) -> bool {
        self.document.tree.is_leaf(self.index)
    }

    /// Its path from the root, as in [`Position::path`]. Its siblings, and those of the elements around it, are counted for
    /// that: ask for the paths of what is shown, not of every element.
    pub fn path(self) -> String {
        let (tree, text) = self.parts();
        tree.path(text, self.index)
    }

    /// Where it stands: the `<` of its start tag.
    pub fn position(self) -> Position {
        self.document.position(self.path(), self.text_range().start)
    }

    /// Where its content begins, for what is wrong with a value.
    pub(crate) fn content_position(self) -> Position {
        self.document
            .position(self.path(), self.content_range().start)
    }

    /// The element around it, none for the root. Found from the root down, as a [`path`](Self::path) is.
    pub fn parent(self) -> Option<Self> {
        let index = self.document.tree.parent(self.index)?;
        Some(Self { index, ..self })
    }

    /// Its child elements in document order.
    pub fn children(self) -> impl Iterator<Item = Self> + 'a {
        let children = self.document.tree.children(self.index);
        children.map(move |index| Self { index, ..self })
    }

    /// Its child elements called `name`.
    pub fn children_named(self, name: &str) -> impl Iterator<Item = Self> + use<'a, '_> {
        self.children().filter(move |child| child.is_named(name))
    }

    fn is_named(self, name: &str) -> bool {
        let (tree, text) = self.parts();
        tree.is_named(text, self.index, name)
    }

    /// Its first child element called `name`. Case matters.
    pub fn child(self, name: &str) -> Option<Self> {
        self.children_named(name).next()
    }

    /// The element reached by taking the first child of each name in turn; names are never searched globally.
    pub fn descend(self, names: &[&str]) -> Option<Self> {
        names
            .iter()
            .try_fold(self, |element, name| element.child(name))
    }

    /// Its own text: references resolved, CDATA included, comments and child elements left out, line ends as `\n`.
    pub fn text(self) -> Cow<'a, str> {
        let content = self.content_range();
        let content = self.document.text.get(content).unwrap_or_default();
        work::count(content.len());
        if content
            .bytes()
            .any(|byte| matches!(byte, b'<' | b'&' | b'\r'))
        {
            Cow::Owned(own_text(content))
        } else {
            Cow::Borrowed(content)
        }
    }

    /// Its attributes in document order.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'a>> + 'a {
        let (tree, text) = self.parts();
        let name_len = self.name().len();
        let mut attributes = RawAttributes::new(tree.start_tag(text, self.index), name_len);
        // The reader has found none that stands twice.
        attributes.with_checks(false);
        attributes.filter_map(move |attribute| match attribute {
            Ok(RawAttribute {
                key: QName(name),
                value: Cow::Borrowed(raw),
            }) => Some(Attribute {
                element: self,
                name,
                raw,
            }),
            // Accepted tags have no error in them, and what is not decoded is borrowed.
            _ => None,
        })
    }

    /// Its attribute called `name`, prefix included.
    pub fn attribute(self, name: &str) -> Option<Attribute<'a>> {
        self.attributes().find(|attribute| attribute.name() == name)
    }
}

/// Prints the path, never the text.
impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element({})", self.path())
    }
}

/// An attribute of an [`Element`].
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    element: Element<'a>,
    name: &'a str,
    /// The value as written.
    raw: &'a str,
}

impl<'a> Attribute<'a> {
    /// The name as written, prefix included.
    pub fn name(self) -> &'a str {
        self.name
    }

    /// The value: references resolved, white space normalised as XML 1.0 §3.3.3 says.
    pub fn value(self) -> Cow<'a, str> {
        // The reader has accepted every reference in it; what it refused is not here.
        normalised(self.raw).unwrap_or(Cow::Borrowed(self.raw))
    }

    /// The bytes between the quotes.
    pub fn span(self) -> Span {
        self.element.document.span_in_file(self.value_range())
    }

    /// As [`span`](Self::span), in the text.
    pub(crate) fn value_range(self) -> Range<usize> {
        let start = offset_in(&self.element.document.text, self.raw);
        start..start + self.raw.len()
    }

    /// Its path: the element's and `/@name`.
    pub fn path(self) -> String {
        format!("{}/@{}", self.element.path(), self.name())
    }

    /// Where its value begins.
    pub fn position(self) -> Position {
        self.element
            .document
            .position(self.path(), self.value_range().start)
    }
}

/// Prints the path, never the value.
impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attribute({})", self.path())
    }
}

/// An attribute value with references resolved and white space normalised.
pub(crate) fn normalised(raw: &str) -> Result<Cow<'_, str>, quick_xml::Error> {
    RawAttribute {
        key: QName("_"),
        value: Cow::Borrowed(raw),
    }
    .normalized_value(XmlVersion::Implicit1_0)
}

/// The text of an element's content that the reader has accepted, without that of child elements.
fn own_text(content: &str) -> String {
    let mut text = String::with_capacity(content.len());
    // The tokeniser takes U+FEFF in front for a byte order mark and drops it; here it is text.
    let rest = content.trim_start_matches('\u{feff}');
    text.push_str(
        content
            .get(..content.len() - rest.len())
            .unwrap_or_default(),
    );
    let mut reader = Reader::from_str(rest);
    let mut depth = 0usize;
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) => depth += 1,
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Text(run)) if depth == 0 => text.push_str(&run.xml10_content()),
            Ok(Event::CData(run)) if depth == 0 => text.push_str(&run.xml10_content()),
            Ok(Event::GeneralRef(reference)) if depth == 0 => {
                if let Ok(resolved) = unescape(&format!("&{};", &*reference)) {
                    text.push_str(&resolved);
                }
            }
            // Accepted content has no error left in it; should it have, what came before is the text.
            Ok(Event::Eof) | Err(_) => return text,
            Ok(_) => {}
        }
    }
}
