//! Elements as text, in the product's style.

use std::borrow::Cow;

use quick_xml::escape::{escape, partial_escape};

use crate::device::Setting;
use crate::error::shorten;
use crate::xml::{is_character, is_name};

/// A device that cannot be written as XML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A text has a character that XML 1.0 §2.2 does not allow, not even as a reference.
    #[error("{path}: the character U+{code:04X} cannot be written in XML")]
    Character {
        /// The element or attribute.
        path: String,
        /// The code point.
        code: u32,
    },
    /// A port is 0, which no device can connect to and no reader takes.
    #[error("{path}: expected a port from 1 to 65535, found 0")]
    Port {
        /// The element.
        path: String,
    },
    /// A name, address or keyword has white space around it, which no reader takes for a part of it.
    #[error("{path}: white space around the text would not be read back")]
    WhiteSpace {
        /// The element.
        path: String,
    },
    /// A gateway without an address, which no reader takes for a gateway.
    #[error("{path}: expected an address")]
    NoAddress {
        /// The element.
        path: String,
    },
    /// There are more of something than the file has places for.
    #[error("{path}: there are places for {max}")]
    TooMany {
        /// The path of the places.
        path: String,
        /// How many there are.
        max: usize,
    },
    /// A [`Setting`](crate::Setting)'s name is no XML name.
    #[error("{path}: {name:?} is no element name")]
    Name {
        /// The path it would have.
        path: String,
        /// The name, at most 40 characters of it.
        name: String,
    },
    /// A [`Setting`](crate::Setting) is nested deeper, or its path is longer, than [`Device`](crate::Device) takes from a
    /// file.
    #[error(
        "{path}: expected at most {} names and {} bytes, found {depth} and {bytes}",
        Setting::MAX_DEPTH,
        Setting::MAX_PATH_BYTES
    )]
    SettingPath {
        /// The level it stands in.
        path: String,
        /// How many names its path has.
        depth: usize,
        /// How many bytes.
        bytes: usize,
    },
}

/// Writes elements and remembers the first text that cannot be written.
pub(crate) struct Writer {
    out: String,
    open: Vec<&'static str>,
    error: Option<WriteError>,
}

impl Writer {
    /// Room for `bytes` before the text has to be moved.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            out: String::with_capacity(bytes),
            open: Vec::new(),
            error: None,
        }
    }

    /// The text, or the first thing that could not be written.
    pub(crate) fn finish(self) -> Result<String, WriteError> {
        match self.error {
            None => Ok(self.out),
            Some(error) => Err(error),
        }
    }

    fn open_path(&self) -> String {
        let names = self.open.iter().flat_map(|name| ["/", name]);
        names.collect()
    }

    fn path(&self, last: &str) -> String {
        format!("{}/{last}", self.open_path())
    }

    fn check(&mut self, name: &str, text: &str) {
        if self.error.is_none()
            && let Some(c) = text.chars().find(|&c| !is_character(c))
        {
            self.error = Some(WriteError::Character {
                path: self.path(name),
                code: u32::from(c),
            });
        }
    }

    fn start_tag(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.out.push('<');
        self.out.push_str(name);
        for (count, (attribute, value)) in attributes.iter().enumerate() {
            self.check(&format!("{name}/@{attribute}"), value);
            self.out.push_str(if count == 0 { "  " } else { " " });
            self.out.push_str(attribute);
            self.out.push_str("=\"");
            self.out.push_str(&escape_attribute(value));
            self.out.push('"');
        }
        self.out.push('>');
    }

    fn end_tag(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push_str(">\n");
    }

    pub(crate) fn open(&mut self, name: &'static str) {
        self.open_with(name, &[]);
    }

    pub(crate) fn open_with(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.start_tag(name, attributes);
        self.out.push('\n');
        self.open.push(name);
    }

    pub(crate) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.end_tag(name);
        }
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.text_with(name, &[], text);
    }

    pub(crate) fn texts(&mut self, texts: &[(&str, &str)]) {
        for (name, text) in texts {
            self.text(name, text);
        }
    }

    pub(crate) fn text_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.check(name, text);
        self.start_tag(name, attributes);
        self.out.push_str(&escape_text(text));
        self.end_tag(name);
    }

    /// A port, which the reader takes from 1 on.
    pub(crate) fn port(&mut self, name: &str, port: u16) {
        if port == 0 {
            let path = self.path(name);
            self.error.get_or_insert(WriteError::Port { path });
        }
        self.text(name, &port.to_string());
    }

    /// A name, address or keyword, which the reader takes without the white space around it.
    pub(crate) fn word(&mut self, name: &str, text: &str) {
        self.word_with(name, &[], text);
    }

    pub(crate) fn word_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        if text.trim() != text {
            let path = self.path(name);
            self.error.get_or_insert(WriteError::WhiteSpace { path });
        }
        self.text_with(name, attributes, text);
    }

    pub(crate) fn no_address(&mut self, name: &str) {
        let path = self.path(name);
        self.error.get_or_insert(WriteError::NoAddress { path });
    }

    pub(crate) fn too_many(&mut self, name: &str, max: usize) {
        let path = self.path(name);
        self.error.get_or_insert(WriteError::TooMany { path, max });
    }

    /// Elements whose names are only known when they are written; a slash stands between the name of a group and those in
    /// it.
    pub(crate) fn settings<'s>(&mut self, settings: impl Iterator<Item = (&'s str, &'s str)>) {
        let mut open: Vec<&str> = Vec::new();
        for (path, text) in settings {
            let mut groups: Vec<&str> = path.split('/').collect();
            if !Setting::is_path_in_bounds(groups.len(), path.len()) {
                let (depth, bytes) = (groups.len(), path.len());
                let path = self.open_path();
                let error = WriteError::SettingPath { path, depth, bytes };
                self.error.get_or_insert(error);
                continue;
            }
            let name = groups.pop().unwrap_or_default();
            let shared = open.iter().zip(&groups).take_while(|(a, b)| a == b);
            let shared = shared.count();
            self.end_tags(open.drain(shared..));
            for group in groups.into_iter().skip(shared) {
                self.check_name(path, group);
                self.start_tag(group, &[]);
                self.out.push('\n');
                open.push(group);
            }
            self.check_name(path, name);
            self.check(path, text);
            self.start_tag(name, &[]);
            self.out.push_str(&escape_text(text));
            self.end_tag(name);
        }
        self.end_tags(open.drain(..));
    }

    fn end_tags<'s>(&mut self, open: impl DoubleEndedIterator<Item = &'s str>) {
        for group in open.rev() {
            self.end_tag(group);
        }
    }

    fn check_name(&mut self, path: &str, name: &str) {
        if !is_name(name) {
            let (path, name) = (self.path(path), shorten(name));
            self.error.get_or_insert(WriteError::Name { path, name });
        }
    }
}

/// Text between tags: markup as entities, and a carriage return as a reference, or it would be read as a line feed.
pub(crate) fn escape_text(text: &str) -> Cow<'_, str> {
    partial_escape(text)
}

/// A value between double quotes: white space but blanks as references, or it would be read as blanks.
pub(crate) fn escape_attribute(value: &str) -> String {
    escape(value)
        .replace('\t', "&#9;")
        .replace('\n', "&#10;")
        .replace('\r', "&#13;")
}
