//! Parameters and header fields inside a URI.

use std::fmt;

use super::escape::behind_escaped;
use super::redact::RedactedHeaders;
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
    /// Parameters that were checked.
    pub(super) const fn of_checked(text: &'a str) -> Self {
        Self { text }
    }

    /// Where the parameters from `start` on end: at the end of the text, or at what `may_follow`.
    #[allow(clippy::inline_always, reason = "as the rules of the grammar")]
    #[inline(always)]
    pub(super) fn check(
        bytes: &[u8],
        start: usize,
        may_follow: impl Fn(u8) -> bool,
    ) -> Result<usize, ParseError> {
        let fail = |at, what| Err(ParseError::new(ErrorKind::Uri, at, what));
        let ends_param = |at| match bytes.get(at) {
            Some(&byte) => byte == b';' || may_follow(byte),
            None => true,
        };
        let wrong = "a character allowed in a URI parameter";
        let mut at = start;
        while bytes.get(at) == Some(&b';') {
            let name = at + 1;
            at = behind_escaped(bytes, name, URI_PARAM);
            let has_value = bytes.get(at) == Some(&b'=');
            if at == name && (has_value || ends_param(at)) {
                return fail(name, "a parameter name");
            }
            if has_value {
                let value = at + 1;
                at = behind_escaped(bytes, value, URI_PARAM);
                if at == value && ends_param(at) {
                    return fail(value, "a parameter value");
                }
            }
            if !ends_param(at) {
                return fail(at, wrong);
            }
        }
        Ok(at)
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

    /// Headers that were checked.
    pub(super) const fn of_checked(text: &'a str) -> Self {
        Self { text }
    }

    pub(super) fn check(text: &str) -> Result<(), ParseError> {
        let mut at = 0;
        for header in text.split('&') {
            let (name, Some(value)) = split_once(header, '=') else {
                return Err(ParseError::new(ErrorKind::Uri, at, "name=value"));
            };
            if name.is_empty() {
                return Err(ParseError::new(ErrorKind::Uri, at, "a header name"));
            }
            for (part, at) in [(name, at), (value, at + name.len() + 1)] {
                let end = behind_escaped(part.as_bytes(), 0, URI_HEADER);
                if end < part.len() {
                    let what = "a character allowed in a URI header";
                    return Err(ParseError::new(ErrorKind::Uri, at + end, what));
                }
            }
            at += header.len() + 1;
        }
        Ok(())
    }

    /// Names and values in order, escapes as written.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.text
            .split('&')
            .filter(|header| !header.is_empty())
            .map(|header| split_once(header, '='))
            .map(|(name, value)| (name, value.unwrap_or_default()))
    }

    /// As written, without the question mark.
    pub const fn as_str(&self) -> &'a str {
        self.text
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

/// The values are not printed: credentials may be among them.
impl fmt::Debug for UriHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", RedactedHeaders(self.text))
    }
}
