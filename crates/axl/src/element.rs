//! The way through a document: elements, their children, and errors that know their place.

use crate::{
    document::{Document, Node},
    error::{ReadError, ReadErrorKind},
};

/// An element of a [`Document`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'d> {
    document: &'d Document,
    index: usize,
}

impl<'d> Element<'d> {
    /// The caller names a node of the document.
    pub(crate) fn new(document: &'d Document, index: usize) -> Self {
        Self { document, index }
    }

    fn node(self) -> &'d Node {
        self.document
            .node(self.index)
            .expect("an element is made only for a node of its document, which never shrinks")
    }

    /// The local name.
    pub(crate) fn name(self) -> &'d str {
        &self.node().name
    }

    /// The character data, exactly as it stands; empty when there are child elements.
    pub(crate) fn text(self) -> &'d str {
        &self.node().text
    }

    pub(crate) fn children(self) -> impl Iterator<Item = Element<'d>> {
        let end = self.node().end;
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            (next < end).then(|| {
                let child = Element {
                    document: self.document,
                    index: next,
                };
                next = child.node().end;
                child
            })
        })
    }

    /// The child of this name, which may stand once.
    pub(crate) fn child(self, name: &str) -> Result<Option<Element<'d>>, ReadError> {
        let mut matching = self.children().filter(|child| child.name() == name);
        let first = matching.next();
        match matching.next() {
            Some(second) => Err(second.error(ReadErrorKind::Duplicate(name.to_owned()))),
            None => Ok(first),
        }
    }

    /// The child of this name, which must stand once.
    pub(crate) fn required(self, name: &'static str) -> Result<Element<'d>, ReadError> {
        self.child(name)?
            .ok_or_else(|| self.error(ReadErrorKind::Missing(name)))
    }

    /// Refuses children of other names: a server does not guess what a request might mean.
    pub(crate) fn only(self, names: &[&str]) -> Result<(), ReadError> {
        match self.children().find(|child| !names.contains(&child.name())) {
            Some(other) => Err(other.unexpected(names.join(" or "))),
            None => Ok(()),
        }
    }

    /// Refuses this element for standing where another should.
    pub(crate) fn unexpected(self, expected: impl Into<String>) -> ReadError {
        self.error(ReadErrorKind::Unexpected {
            expected: expected.into(),
            found: self.name().to_owned(),
        })
    }

    /// The attribute of this local name, whatever its prefix, except namespace declarations.
    pub(crate) fn attribute(self, name: &str) -> Option<&'d str> {
        self.node()
            .attributes
            .iter()
            .find(|attribute| attribute.name == name && attribute.prefix != "xmlns")
            .map(|attribute| attribute.value.as_str())
    }

    /// `xsi:nil`, XML Schema part 1 section 2.6.2.
    pub(crate) fn is_nil(self) -> bool {
        self.attribute("nil")
            .is_some_and(|value| matches!(value.trim(), "true" | "1"))
    }

    /// The namespace this element's prefix is bound to, here or further out.
    pub(crate) fn namespace(self) -> Option<&'d str> {
        let prefix = self.node().prefix.as_str();
        let mut at = Some(self.index);
        while let Some(node) = at.and_then(|index| self.document.node(index)) {
            let bound = node.attributes.iter().find(|attribute| match prefix {
                "" => attribute.prefix.is_empty() && attribute.name == "xmlns",
                _ => attribute.prefix == "xmlns" && attribute.name == prefix,
            });
            if let Some(attribute) = bound {
                return Some(&attribute.value);
            }
            at = node.parent;
        }
        None
    }

    /// An error at this element.
    pub(crate) fn error(self, kind: ReadErrorKind) -> ReadError {
        let path = self.document.path(self.index);
        ReadError::new(kind, path, self.node().offset)
    }
}
