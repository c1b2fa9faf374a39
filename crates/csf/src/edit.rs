//! Changing a value and nothing else.

use std::ops::Range;

use crate::config::DeviceConfig;
use crate::content;
use crate::document::{Attribute, Document, Element};
use crate::error::ReadError;
use crate::position::Span;
use crate::read;
use crate::restructure::MEMBERS;
use crate::tree::Tree;
use crate::value;
use crate::xml::{is_character, trim};
use crate::xml_writer::{WriteError, escape_attribute, escape_text};

/// What an edit did: the bytes that were there, and how many stand there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit {
    /// The bytes of the old file that were replaced.
    pub replaced: Span,
    /// The bytes of the new file that replaced them.
    pub inserted: Span,
}

/// Why a file was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The path leads to nothing.
    #[error("{path}: there is no {step:?}")]
    NoSuchElement {
        /// The path asked for.
        path: String,
        /// The first step that leads nowhere.
        step: String,
    },
    /// A step without a number fits several elements.
    #[error("{path}: there are {count} {step:?}, choose one with a number from 1 in brackets")]
    Ambiguous {
        /// The path asked for.
        path: String,
        /// The step.
        step: String,
        /// How many elements it fits.
        count: usize,
    },
    /// The element has elements in it, so its text is not a value.
    #[error("{path}: the element contains other elements, its text cannot be set")]
    NotALeaf {
        /// The path asked for.
        path: String,
    },
    /// The text has a character XML does not allow.
    #[error("{path}: the character U+{code:04X} cannot be written in XML")]
    Character {
        /// The path asked for.
        path: String,
        /// The code point.
        code: u32,
    },
    /// A node or line cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The changed file would be refused, by its limits for example.
    #[error("the changed file would not be read")]
    Refused(#[source] ReadError),
}

impl Document {
    /// The element at `path`: names from the root, `/device/devicePool/name`, with or without the root and the first
    /// slash; among equal siblings one is chosen with a number from 1, `members/member[2]`.
    ///
    /// # Errors
    ///
    /// [`EditError::NoSuchElement`] and [`EditError::Ambiguous`].
    pub fn element_at(&self, path: &str) -> Result<Element<'_>, EditError> {
        let root = self.root();
        let mut steps = path
            .strip_prefix('/')
            .unwrap_or(path)
            .split('/')
            .filter(|step| !step.is_empty())
            .peekable();
        if steps.peek() == Some(&root.name()) {
            steps.next();
        }
        steps.try_fold(root, |element, step| {
            let missing = || EditError::NoSuchElement {
                path: path.to_owned(),
                step: step.to_owned(),
            };
            let numbered = step.strip_suffix(']').and_then(|step| step.split_once('['));
            if let Some((name, number)) = numbered {
                let number: usize = number.parse().map_err(|_| missing())?;
                let skip = number.checked_sub(1).ok_or_else(missing)?;
                return element.children_named(name).nth(skip).ok_or_else(missing);
            }
            let mut found = element.children_named(step);
            let first = found.next().ok_or_else(missing)?;
            match found.count() {
                0 => Ok(first),
                more => Err(EditError::Ambiguous {
                    path: path.to_owned(),
                    step: step.to_owned(),
                    count: more + 1,
                }),
            }
        })
    }

    /// The attribute at `path`, an element's path and `/@name`.
    ///
    /// # Errors
    ///
    /// [`EditError::NoSuchElement`] and [`EditError::Ambiguous`].
    pub fn attribute_at(&self, path: &str) -> Result<Attribute<'_>, EditError> {
        let missing = |step: &str| EditError::NoSuchElement {
            path: path.to_owned(),
            step: step.to_owned(),
        };
        let (element, name) = path.rsplit_once('@').ok_or_else(|| missing(path))?;
        self.element_at(element)?
            .attribute(name)
            .ok_or_else(|| missing(&format!("@{name}")))
    }

    /// Sets the text of an element without child elements, or the value of an attribute (`…/@name`).
    ///
    /// The bytes of the old text, or value, are replaced; a self-closing `<a/>` becomes `<a>…</a>`. All others stay:
    /// comments and processing instructions inside the element, and the white space around its text, unless the new text
    /// is empty or has white space of its own in front or behind. A CDATA section is text. Setting what is already there,
    /// with white space around it or without, changes nothing.
    ///
    /// # Errors
    ///
    /// [`EditError`], and then the document is as before.
    pub fn set(&mut self, path: &str, text: &str) -> Result<Edit, EditError> {
        if let Some(c) = text.chars().find(|&c| !is_character(c)) {
            return Err(EditError::Character {
                path: path.to_owned(),
                code: u32::from(c),
            });
        }
        if path.contains('@') {
            let attribute = self.attribute_at(path)?;
            if attribute.value() == text {
                return Ok(unchanged(attribute.span()));
            }
            // Whichever quotes stand around the value, neither kind stands in it.
            return self.replace(attribute.value_range(), &escape_attribute(text));
        }
        let element = self.element_at(path)?;
        if !element.is_leaf() {
            return Err(EditError::NotALeaf {
                path: path.to_owned(),
            });
        }
        let old = element.text();
        if old == text || (!text.is_empty() && trim(&old) == text) {
            return Ok(unchanged(element.content_span()));
        }
        if element.is_self_closing() {
            // The `/>` that ends the tag.
            let end = element.text_range().end;
            let replacement = format!(">{}</{}>", escape_text(text), element.name());
            return self.replace(end - 2..end, &replacement);
        }
        let content = element.content_range();
        let (replaced, replacement) =
            content::replacement(self.text.get(content.clone()).unwrap_or_default(), text);
        self.replace(
            content.start + replaced.start..content.start + replaced.end,
            &replacement,
        )
    }

    /// Puts `replacement` in the place of `range` of the text, when what comes out can be read.
    pub(crate) fn replace(
        &mut self,
        range: Range<usize>,
        replacement: &str,
    ) -> Result<Edit, EditError> {
        let replaced = self.span_in_file(range.clone());
        // What the encoding has no bytes for stands in the text as it does in the file: as a reference.
        let replacement = self.encoding.represent(replacement);
        let encoded = self.encoding.encode(&replacement);
        let inserted = Span {
            start: replaced.start,
            end: replaced.start + encoded.len(),
        };
        let bytes = self.source().len() - replaced.len() + encoded.len();
        read::check_size(bytes, &self.limits).map_err(EditError::Refused)?;

        // The text is changed where it is, and changed back should it be refused.
        let root = self.root().name().to_owned();
        let old = self.text.get(range.clone()).unwrap_or_default().to_owned();
        let changed = range.start..range.start + replacement.len();
        self.text
            .reserve_exact(replacement.len().saturating_sub(old.len()));
        self.text.replace_range(range, &replacement);
        let mut tree = std::mem::take(&mut self.tree);
        tree.clear_for(tree.len() + replacement.matches('<').count());
        match read::tree(&self.text, self.encoding, &root, &self.limits, tree) {
            Ok(tree) => self.tree = tree,
            Err(error) => {
                self.text.replace_range(changed, &old);
                self.tree = read::tree(
                    &self.text,
                    self.encoding,
                    &root,
                    &self.limits,
                    Tree::default(),
                )
                .expect("what was read once is read again");
                return Err(EditError::Refused(error));
            }
        }
        if let Some(original) = &mut self.original {
            original.replace(replaced, &encoded, &self.text);
        }
        Ok(Edit { replaced, inserted })
    }
}

fn unchanged(span: Span) -> Edit {
    Edit {
        replaced: span,
        inserted: span,
    }
}

impl DeviceConfig {
    /// Sets a value by its path, as [`Document::set`].
    ///
    /// # Errors
    ///
    /// [`EditError`], and then the file is as before.
    ///
    /// ```
    /// use sip_oauth_csf::{DeviceConfig, Limits};
    ///
    /// let mut config = DeviceConfig::read(b"<device  ctiid='24'>\r\n<a>1</a> <!-- kept -->\r\n</device>", &Limits::default())?;
    /// config.set("/device/a", "R&D")?;
    /// assert_eq!(config.source(), b"<device  ctiid='24'>\r\n<a>R&amp;D</a> <!-- kept -->\r\n</device>");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set(&mut self, path: &str, text: &str) -> Result<Edit, EditError> {
        self.document.set(path, text)
    }

    /// Sets `sipOAuthPort` of a node, chosen by its place among the members of the file, from 0
    /// ([`CallManagerNode::index`](crate::CallManagerNode::index)).
    ///
    /// # Errors
    ///
    /// [`EditError`] when there is no such node, it has no such element or more than one, or the port is 0, and then the file
    /// is as before.
    pub fn set_sip_oauth_port(&mut self, node: usize, port: u16) -> Result<Edit, EditError> {
        self.set_port(node, "sipOAuthPort", port)
    }

    /// Sets `sipMRAOAuthPort` of a node, as [`set_sip_oauth_port`](Self::set_sip_oauth_port).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_sip_mra_oauth_port(&mut self, node: usize, port: u16) -> Result<Edit, EditError> {
        self.set_port(node, "sipMRAOAuthPort", port)
    }

    fn set_port(&mut self, node: usize, element: &str, port: u16) -> Result<Edit, EditError> {
        let member = node.saturating_add(1);
        let path = format!("{MEMBERS}/member[{member}]/callManager/ports/{element}");
        if port == 0 {
            return Err(WriteError::Port { path }.into());
        }
        let there = self.document.element_at(&path)?;
        if value::port(Some(there), port)
            .is_ok_and(|there| !there.is_default() && there.value == port)
        {
            return Ok(unchanged(there.content_span()));
        }
        self.set(&path, &port.to_string())
    }
}
