//! Parameters and header fields inside a URI.

use std::fmt;

use super::escape;
use crate::grammar::{URI_HEADER, URI_PARAM, cut};
use crate::{ErrorKind, ParseError};

/// `uri-parameters = *( ";" uri-parameter )`, as written (RFC 3261 section 19.1.1).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct UriParams<'a> {
    /// Empty, or from the first semicolon on.
    text: &'a str,
}

/// `headers = "?" header *( "&" header )`, as written (RFC 3261 section 19.1.1).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct UriHeaders<'a> {
    /// Without the question mark.
    text: &'a str,
}

impl<'a> UriParams<'a> {
    pub(super) const EMPTY: Self = Self { text: "" };

    pub(super) fn parse(text: &'a str) -> Result<Self, ParseError> {
        let mut at = 1;
        for param in text.split(';').skip(1) {
            let (name, value) = split_once(param, '=');
            if name.is_empty() {
                return Err(ParseError::new(ErrorKind::Uri, at, "a parameter name"));
            }
            let what = "a character allowed in a URI parameter";
            escape::check(name, URI_PARAM, what).map_err(|error| error.shifted(at))?;
            if let Some(value) = value {
                let at = at + name.len() + 1;
                if value.is_empty() {
                    return Err(ParseError::new(ErrorKind::Uri, at, "a parameter value"));
                }
                escape::check(value, URI_PARAM, what).map_err(|error| error.shifted(at))?;
            }
            at += param.len() + 1;
        }
        Ok(Self { text })
    }

    /// Names and values in order, escapes as written.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        self.text
            .split(';')
            .skip(1)
            .map(|param| split_once(param, '='))
    }

    /// Whether there is a parameter of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    /// The value of the first parameter of this name.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        value
    }

    /// As written, from the first semicolon.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }
}

impl<'a> UriHeaders<'a> {
    pub(super) const EMPTY: Self = Self { text: "" };

    pub(super) fn parse(text: &'a str) -> Result<Self, ParseError> {
        let mut at = 0;
        for header in text.split('&') {
            let (name, Some(value)) = split_once(header, '=') else {
                return Err(ParseError::new(ErrorKind::Uri, at, "name=value"));
            };
            if name.is_empty() {
                return Err(ParseError::new(ErrorKind::Uri, at, "a header name"));
            }
            let what = "a character allowed in a URI header";
            escape::check(name, URI_HEADER, what).map_err(|error| error.shifted(at))?;
            escape::check(value, URI_HEADER, what)
                .map_err(|error| error.shifted(at + name.len() + 1))?;
            at += header.len() + 1;
        }
        Ok(Self { text })
    }

    /// Names and values in order, escapes as written.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.text
            .split('&')
            .filter(|header| !header.is_empty())
            .map(|header| split_once(header, '='))
            .map(|(name, value)| (name, value.unwrap_or_default()))
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

fn split_once(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.find(separator) {
        Some(at) => {
            let (before, after) = cut(text, at);
            (before, Some(cut(after, 1).1))
        }
        None => (text, None),
    }
}

impl fmt::Debug for UriParams<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text, f)
    }
}

impl fmt::Debug for UriHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text, f)
    }
}
