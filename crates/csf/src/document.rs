//! The document tree: the file as it was read, and where in it everything stands.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use quick_xml::XmlVersion;
use quick_xml::escape::unescape;
use quick_xml::events::Event;
use quick_xml::events::attributes::Attribute as RawAttribute;
use quick_xml::name::QName;
use quick_xml::reader::Reader;

use crate::encoding::{Encoding, Original};
use crate::error::ReadError;
use crate::limits::Limits;
use crate::position::{Position, Span};
use crate::read;

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

/// The elements and attributes of a text.
#[derive(Clone)]
pub(crate) struct Tree {
    /// In document order; the root is the first.
    pub(crate) elements: Vec<ElementRecord>,
    pub(crate) attributes: Vec<AttributeRecord>,
}

/// An element: offsets into the text, indices into `Tree::elements`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ElementRecord {
    /// The `<` of the start tag.
    pub(crate) start: u32,
    /// The byte after the `>` of the start tag.
    pub(crate) content_start: u32,
    /// The `<` of the end tag; equal to `content_start` for `<a/>`.
    pub(crate) content_end: u32,
    /// The byte after the `>` of the end tag; equal to `content_start` only for `<a/>`.
    pub(crate) end: u32,
    pub(crate) name_len: u32,
    /// The element around it; the root names itself.
    pub(crate) parent: u32,
    /// The index after its last descendant, which is its next sibling's when it has one.
    pub(crate) subtree_end: u32,
    /// The index of its first attribute; the next element's first attribute ends them.
    pub(crate) attributes: u32,
}

/// An attribute: offsets into the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttributeRecord {
    pub(crate) name_start: u32,
    pub(crate) name_len: u32,
    pub(crate) value_start: u32,
    pub(crate) value_end: u32,
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
        self.tree.elements.len()
    }

    /// The position of the byte at `offset` of the text.
    fn position(&self, path: String, offset: usize) -> Position {
        let mut position = Position::new(self.text.as_bytes(), path, offset);
        position.offset = self.offset_in_file(position.offset);
        position
    }

    /// The path of an element; used for errors while reading too, when the records are not complete.
    pub(crate) fn path_of(source: &str, elements: &[ElementRecord], index: u32) -> String {
        let name = |record: &ElementRecord| {
            let start = record.start as usize + 1;
            source
                .get(start..start + record.name_len as usize)
                .unwrap_or_default()
        };
        let mut steps = Vec::new();
        let mut at = index;
        while let Some(record) = elements.get(at as usize) {
            let own = name(record);
            // While reading, later siblings are not known: a number then appears from the second on.
            let mut same_before = 0usize;
            let mut same = 0usize;
            if at != 0 {
                let mut sibling = record.parent + 1;
                while let Some(other) = elements.get(sibling as usize) {
                    if other.parent != record.parent {
                        break;
                    }
                    if name(other) == own {
                        same += 1;
                        same_before += usize::from(sibling < at);
                    }
                    if other.subtree_end <= sibling {
                        break;
                    }
                    sibling = other.subtree_end;
                }
            }
            steps.push(if same > 1 {
                format!("/{own}[{}]", same_before + 1)
            } else {
                format!("/{own}")
            });
            if at == 0 {
                break;
            }
            at = record.parent;
        }
        steps.reverse();
        steps.concat()
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
            self.tree.elements.len()
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
    fn record(self) -> ElementRecord {
        // Elements are only made by `Document`, from indices of its own records.
        self.document
            .tree
            .elements
            .get(self.index as usize)
            .copied()
            .expect("an element's index is in its document")
    }

    fn slice(self, start: u32, end: u32) -> &'a str {
        self.document
            .text
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// The name as written, prefix included.
    pub fn name(self) -> &'a str {
        let record = self.record();
        self.slice(record.start + 1, record.start + 1 + record.name_len)
    }

    /// All its bytes, from `<` to the `>` of the end tag.
    pub fn span(self) -> Span {
        self.document.span_in_file(self.text_range())
    }

    /// As [`span`](Self::span), in the text.
    pub(crate) fn text_range(self) -> Range<usize> {
        let record = self.record();
        record.start as usize..record.end as usize
    }

    /// The bytes between its tags; empty for `<a></a>` and, standing after the tag, for `<a/>`.
    pub fn content_span(self) -> Span {
        self.document.span_in_file(self.content_range())
    }

    /// As [`content_span`](Self::content_span), in the text.
    pub(crate) fn content_range(self) -> Range<usize> {
        let record = self.record();
        record.content_start as usize..record.content_end as usize
    }

    /// Whether it is written as `<a/>`, which Unified CM never does.
    pub fn is_self_closing(self) -> bool {
        let record = self.record();
        record.end == record.content_start
    }

    /// Whether it has no child elements.
    pub fn is_leaf(self) -> bool {
        self.record().subtree_end == self.index + 1
    }

    /// Its path from the root, as in [`Position::path`]. Its siblings, and those of the elements around it, are counted for
    /// that: ask for the paths of what is shown, not of every element.
    pub fn path(self) -> String {
        Document::path_of(
            &self.document.text,
            &self.document.tree.elements,
            self.index,
        )
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

    /// The element around it, none for the root.
    pub fn parent(self) -> Option<Self> {
        (self.index != 0).then(|| Self {
            index: self.record().parent,
            ..self
        })
    }

    /// Its child elements in document order.
    pub fn children(self) -> impl Iterator<Item = Self> + 'a {
        let end = self.record().subtree_end;
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            (next < end).then(|| {
                let child = Self {
                    document: self.document,
                    index: next,
                };
                next = child.record().subtree_end;
                child
            })
        })
    }

    /// Its child elements called `name`.
    pub fn children_named(self, name: &str) -> impl Iterator<Item = Self> + use<'a, '_> {
        self.children().filter(move |child| child.is_named(name))
    }

    /// Whether its name is `name`: the lengths tell most names apart, without a look at the text.
    fn is_named(self, name: &str) -> bool {
        let record = self.record();
        let start = record.start as usize + 1;
        record.name_len as usize == name.len()
            && self.document.text.as_bytes().get(start..start + name.len()) == Some(name.as_bytes())
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
        let record = self.record();
        let content = self.slice(record.content_start, record.content_end);
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
        let document = self.document;
        let start = self.record().attributes as usize;
        let tree = &document.tree;
        let end = tree
            .elements
            .get(self.index as usize + 1)
            .map_or(tree.attributes.len(), |next| next.attributes as usize);
        let records = tree.attributes.get(start..end).unwrap_or_default();
        records.iter().map(move |&record| Attribute {
            element: self,
            record,
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
    record: AttributeRecord,
}

impl<'a> Attribute<'a> {
    /// The name as written, prefix included.
    pub fn name(self) -> &'a str {
        self.element.slice(
            self.record.name_start,
            self.record.name_start + self.record.name_len,
        )
    }

    /// The value: references resolved, white space normalised as XML 1.0 §3.3.3 says.
    pub fn value(self) -> Cow<'a, str> {
        let raw = self
            .element
            .slice(self.record.value_start, self.record.value_end);
        // The reader has accepted every reference in it; what it refused is not here.
        normalised(raw).unwrap_or(Cow::Borrowed(raw))
    }

    /// The bytes between the quotes.
    pub fn span(self) -> Span {
        self.element.document.span_in_file(self.value_range())
    }

    /// As [`span`](Self::span), in the text.
    pub(crate) fn value_range(self) -> Range<usize> {
        self.record.value_start as usize..self.record.value_end as usize
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
