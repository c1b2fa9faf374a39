//! One bounded pass over the bytes into a flat list of elements.
//!
//! Elements lie in document order, each knowing where its subtree ends, so nothing recurses and a
//! deep document costs what a flat one costs. What quick-xml lets through and SOAP does not (a
//! document type, a second root, text outside the root, unfinished elements) is refused here.

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesDecl, BytesRef, BytesStart, Event},
};

use crate::{
    element::Element,
    error::{Bound, ReadError, ReadErrorKind},
    limits::Limits,
    text::is_xml_char,
};

/// A document that is well-formed and within its limits.
#[derive(Debug)]
pub(crate) struct Document {
    nodes: Vec<Node>,
}

/// An element as it was read; see [`Element`] for the way in.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) prefix: String,
    pub(crate) name: String,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) text: String,
    pub(crate) offset: u64,
    pub(crate) parent: Option<usize>,
    /// The index behind the last descendant.
    pub(crate) end: usize,
}

/// An attribute, namespace declarations among them.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) prefix: String,
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Document {
    pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        let at_start = |kind| ReadError::new(kind, String::new(), 0);
        if bytes.len() > limits.max_bytes {
            return Err(at_start(too_much(Bound::Bytes, limits.max_bytes)));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let offset = u64::try_from(error.valid_up_to()).unwrap_or(u64::MAX);
            ReadError::new(ReadErrorKind::Encoding, String::new(), offset)
        })?;
        let mut builder = Builder::new(limits);
        let mut reader = Reader::from_str(text);
        loop {
            let offset = reader.buffer_position();
            let event = reader.read_event().map_err(|error| {
                builder.fail(
                    ReadErrorKind::Malformed(sentence(&error)),
                    reader.error_position(),
                )
            })?;
            if matches!(event, Event::Eof) {
                return builder.finish(offset);
            }
            builder
                .take(&event, offset)
                .map_err(|kind| builder.fail(kind, offset))?;
        }
    }

    /// The outermost element.
    pub(crate) fn root(&self) -> Element<'_> {
        Element::new(self, 0)
    }

    pub(crate) fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }

    /// The local names from the root to this node.
    pub(crate) fn path(&self, index: usize) -> String {
        path(&self.nodes, Some(index))
    }
}

fn too_much(what: Bound, max: usize) -> ReadErrorKind {
    ReadErrorKind::TooMuch { what, max }
}

/// Our words for quick-xml's errors: theirs repeat the names they found.
fn sentence(error: &quick_xml::Error) -> &'static str {
    match error {
        quick_xml::Error::Syntax(_) => "markup that does not close",
        quick_xml::Error::IllFormed(_) => "an end tag that does not match, or a bare '&'",
        quick_xml::Error::InvalidAttr(_) => "an attribute",
        quick_xml::Error::Escape(_) => "a character reference",
        _ => "markup",
    }
}

struct Builder<'l> {
    limits: &'l Limits,
    nodes: Vec<Node>,
    /// Indices of the elements not yet closed.
    open: Vec<usize>,
    /// Something other than the byte order mark has been seen; a declaration may come no more.
    begun: bool,
}

impl<'l> Builder<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            nodes: Vec::new(),
            open: Vec::new(),
            begun: false,
        }
    }

    fn fail(&self, kind: ReadErrorKind, offset: u64) -> ReadError {
        ReadError::new(kind, path(&self.nodes, self.open.last().copied()), offset)
    }

    fn take(&mut self, event: &Event<'_>, offset: u64) -> Result<(), ReadErrorKind> {
        let begun = std::mem::replace(&mut self.begun, true);
        match event {
            Event::Start(start) => self.start(start, offset),
            Event::Empty(start) => {
                self.start(start, offset)?;
                self.end()
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => self.reference(reference),
            Event::Comment(_) | Event::Eof => Ok(()),
            Event::Decl(_) if begun => Err(ReadErrorKind::Malformed(
                "a declaration that is not at the start",
            )),
            Event::Decl(declaration) => check_declaration(declaration),
            Event::PI(_) => Err(ReadErrorKind::ProcessingInstruction),
            Event::DocType(_) => Err(ReadErrorKind::Doctype),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, offset: u64) -> Result<(), ReadErrorKind> {
        if self.open.is_empty() && !self.nodes.is_empty() {
            return Err(ReadErrorKind::Malformed("a second root element"));
        }
        if self.open.len() >= self.limits.max_depth {
            return Err(too_much(Bound::Depth, self.limits.max_depth));
        }
        if self.nodes.len() >= self.limits.max_elements {
            return Err(too_much(Bound::Elements, self.limits.max_elements));
        }
        let (prefix, name) = self.name(start.name().as_ref())?;
        let attributes = self.attributes(start)?;
        let index = self.nodes.len();
        self.nodes.push(Node {
            prefix,
            name,
            attributes,
            text: String::new(),
            offset,
            parent: self.open.last().copied(),
            end: index + 1,
        });
        self.open.push(index);
        Ok(())
    }

    fn name(&self, name: &str) -> Result<(String, String), ReadErrorKind> {
        if name.len() > self.limits.max_name_bytes {
            return Err(too_much(Bound::Name, self.limits.max_name_bytes));
        }
        let (prefix, local) = match name.split_once(':') {
            Some((prefix, local)) if is_xml_name(prefix) => (prefix, local),
            Some(_) => return Err(ReadErrorKind::Malformed("a name")),
            None => ("", name),
        };
        if !is_xml_name(local) {
            return Err(ReadErrorKind::Malformed("a name"));
        }
        Ok((prefix.to_owned(), local.to_owned()))
    }

    fn attributes(&self, start: &BytesStart<'_>) -> Result<Vec<Attribute>, ReadErrorKind> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            if attributes.len() >= self.limits.max_attributes {
                return Err(too_much(Bound::Attributes, self.limits.max_attributes));
            }
            let attribute = attribute.map_err(|_| ReadErrorKind::Malformed("an attribute"))?;
            if attribute.value.len() > self.limits.max_text_bytes {
                return Err(too_much(Bound::Text, self.limits.max_text_bytes));
            }
            let value = attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .map_err(|_| ReadErrorKind::Entity)?;
            check_characters(&value)?;
            let (prefix, name) = self.name(attribute.key.as_ref())?;
            attributes.push(Attribute {
                prefix,
                name,
                value: value.into_owned(),
            });
        }
        Ok(attributes)
    }

    fn end(&mut self) -> Result<(), ReadErrorKind> {
        let closed = self.open.pop();
        let count = self.nodes.len();
        let Some(node) = closed.and_then(|index| self.nodes.get_mut(index)) else {
            return Err(ReadErrorKind::Malformed("an end tag without a start tag"));
        };
        let has_children = closed.is_some_and(|index| count > index + 1);
        node.end = count;
        if has_children {
            if !is_blank(&node.text) {
                return Err(ReadErrorKind::MixedContent);
            }
            node.text = String::new();
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), ReadErrorKind> {
        check_characters(text)?;
        let max = self.limits.max_text_bytes;
        let Some(node) = self
            .open
            .last()
            .and_then(|index| self.nodes.get_mut(*index))
        else {
            let only_mark = self.nodes.is_empty() && text == "\u{FEFF}";
            if is_blank(text) || only_mark {
                return Ok(());
            }
            return Err(ReadErrorKind::Malformed("text outside the root element"));
        };
        if node.text.len().saturating_add(text.len()) > max {
            return Err(too_much(Bound::Text, max));
        }
        node.text.push_str(text);
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), ReadErrorKind> {
        let character = match &**reference {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "apos" => '\'',
            "quot" => '"',
            _ => match reference.resolve_char_ref() {
                Ok(Some(character)) => character,
                Ok(None) => return Err(ReadErrorKind::Entity),
                Err(_) => return Err(ReadErrorKind::Malformed("a character reference")),
            },
        };
        if self.open.is_empty() {
            return Err(ReadErrorKind::Malformed("text outside the root element"));
        }
        self.text(character.encode_utf8(&mut [0; 4]))
    }

    fn finish(self, offset: u64) -> Result<Document, ReadError> {
        let missing = match (self.nodes.is_empty(), self.open.is_empty()) {
            (true, _) => "no root element",
            (false, false) => "an element that does not close",
            (false, true) => return Ok(Document { nodes: self.nodes }),
        };
        Err(self.fail(ReadErrorKind::Malformed(missing), offset))
    }
}

fn check_declaration(declaration: &BytesDecl<'_>) -> Result<(), ReadErrorKind> {
    match declaration.encoding() {
        None => Ok(()),
        // US-ASCII is a subset, and the bytes have been checked to be UTF-8 already.
        Some(Ok(name))
            if ["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|n| name.eq_ignore_ascii_case(n)) =>
        {
            Ok(())
        }
        Some(_) => Err(ReadErrorKind::Encoding),
    }
}

fn check_characters(text: &str) -> Result<(), ReadErrorKind> {
    match text.chars().find(|c| !is_xml_char(*c)) {
        Some(c) => Err(ReadErrorKind::Character(c)),
        None => Ok(()),
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes()
        .all(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'))
}

/// Namespaces in XML 1.0 section 3, `NCName`.
pub(crate) fn is_xml_name(name: &str) -> bool {
    !name.is_empty() && name_misfit(name).is_none()
}

/// The first character that does not belong where it stands in a name.
pub(crate) fn name_misfit(name: &str) -> Option<(usize, char)> {
    name.char_indices().find(|(offset, c)| match offset {
        0 => !is_name_start(*c),
        _ => !is_name_character(*c),
    })
}

fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}'
        | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}'
        | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

fn is_name_character(c: char) -> bool {
    is_name_start(c)
        || matches!(c,
            '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

fn path(nodes: &[Node], from: Option<usize>) -> String {
    let mut names = Vec::new();
    let mut at = from;
    while let Some(node) = at.and_then(|index| nodes.get(index)) {
        names.push(node.name.as_str());
        at = node.parent;
    }
    names.reverse();
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse(text: &str) -> ReadErrorKind {
        match Document::parse(text.as_bytes(), &Limits::default()) {
            Ok(document) => panic!("{text:?} was read as {document:?}"),
            Err(error) => error.kind().clone(),
        }
    }

    #[test]
    fn children_are_those_one_level_below() {
        let document = Document::parse(b"<a><b><c/></b><d>x</d></a>", &Limits::default()).unwrap();
        let names: Vec<_> = document.root().children().map(Element::name).collect();
        assert_eq!(names, ["b", "d"]);
        let c = document
            .root()
            .required("b")
            .unwrap()
            .required("c")
            .unwrap();
        assert_eq!(c.error(ReadErrorKind::NoVersion).path(), "a/b/c");
    }

    #[test]
    fn text_comes_together_from_its_pieces() {
        let text = "<a>1 &lt; 2 &amp;<![CDATA[ <3 ]]>&#x34;<!-- no -->\r\n5</a>";
        let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(document.root().text(), "1 < 2 & <3 4\n5");
    }

    #[test]
    fn a_prefix_is_resolved_outwards() {
        let text = br#"<s:a xmlns:s="soap" xmlns="outer"><b><c xmlns="inner"/></b></s:a>"#;
        let document = Document::parse(text, &Limits::default()).unwrap();
        let b = document.root().required("b").unwrap();
        assert_eq!(document.root().namespace(), Some("soap"));
        assert_eq!(b.namespace(), Some("outer"));
        assert_eq!(b.required("c").unwrap().namespace(), Some("inner"));
    }

    #[test]
    fn what_soap_forbids_is_refused() {
        assert_eq!(refuse("<!DOCTYPE a><a/>"), ReadErrorKind::Doctype);
        assert_eq!(
            refuse("<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>"),
            ReadErrorKind::Doctype
        );
        assert_eq!(
            refuse("<?php 1 ?><a/>"),
            ReadErrorKind::ProcessingInstruction
        );
        assert_eq!(refuse("<a>&e;</a>"), ReadErrorKind::Entity);
        assert_eq!(refuse("<a b='&e;'/>"), ReadErrorKind::Entity);
    }

    #[test]
    fn what_is_not_one_well_formed_document_is_refused() {
        for text in [
            "",
            " ",
            "x",
            "<a>",
            "<a/><b/>",
            "<a/>x",
            "x<a/>",
            "&#32;<a/>",
            "<a></b>",
            "</a>",
            "<a b/>",
            "<a b='1' b='2'/>",
            "<a",
            "<a>&#xFFFFFFFF;</a>",
            "<a>&</a>",
            " <?xml version='1.0'?><a/>",
            "<1/>",
            "<a:/>",
            "<:a/>",
            "<a\u{FEFF}",
        ] {
            let kind = refuse(text);
            assert!(
                matches!(kind, ReadErrorKind::Malformed(_)),
                "{text:?}: {kind:?}"
            );
        }
        assert_eq!(refuse("<a>x<b/></a>"), ReadErrorKind::MixedContent);
        assert_eq!(refuse("<a>\u{1}</a>"), ReadErrorKind::Character('\u{1}'));
        assert_eq!(refuse("<a>&#1;</a>"), ReadErrorKind::Character('\u{1}'));
        assert_eq!(refuse("<a b='&#1;'/>"), ReadErrorKind::Character('\u{1}'));
    }

    #[test]
    fn only_utf_8_is_read() {
        assert_eq!(
            refuse("<?xml version='1.0' encoding='ISO-8859-1'?><a/>"),
            ReadErrorKind::Encoding
        );
        let latin = Document::parse(b"<a>\xFC</a>", &Limits::default()).unwrap_err();
        assert_eq!(
            (latin.kind(), latin.offset()),
            (&ReadErrorKind::Encoding, 3)
        );
        for good in [
            "\u{FEFF}<a/>",
            "<?xml version='1.0' encoding='UTF-8'?>\n<a/>\n<!-- end -->\n",
        ] {
            assert!(
                Document::parse(good.as_bytes(), &Limits::default()).is_ok(),
                "{good:?}"
            );
        }
    }

    #[test]
    fn each_limit_holds_at_its_number() {
        let limits = Limits {
            max_bytes: 64,
            max_depth: 2,
            max_elements: 3,
            max_attributes: 1,
            max_name_bytes: 4,
            max_text_bytes: 5,
            max_rows: 1,
        };
        let cases = [
            ("<a><b/><c/></a>", "<a><b/><c/><d/></a>", Bound::Elements),
            ("<a><b/></a>", "<a><b><c/></b></a>", Bound::Depth),
            ("<a b='1'/>", "<a b='1' c='2'/>", Bound::Attributes),
            ("<n:ab/>", "<n:abc/>", Bound::Name),
            ("<a>12345</a>", "<a>1234&#53;6</a>", Bound::Text),
        ];
        for (good, bad, bound) in cases {
            assert!(Document::parse(good.as_bytes(), &limits).is_ok(), "{good}");
            let error = Document::parse(bad.as_bytes(), &limits).unwrap_err();
            assert!(
                matches!(error.kind(), ReadErrorKind::TooMuch { what, .. } if *what == bound),
                "{bad}: {error}"
            );
        }
        let long = [b' '; 65];
        let error = Document::parse(&long, &limits).unwrap_err();
        assert_eq!(error.kind(), &too_much(Bound::Bytes, 64));
    }
}
