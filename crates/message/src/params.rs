//! Parameters behind a semicolon, in order and with duplicates.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;

use nom::Err;

use crate::grammar::{
    Expected, Parsed, TOKEN, VALUE, behind, behind_long, behind_lws, behind_quoted,
    behind_separator, cut, is_same_name, not_found, trim_end, whole,
};
use crate::scan::find;
use crate::text::Text;
use crate::{ErrorKind, ParseError};

/// The parameters of a header field value, as written.
///
/// ```text
/// generic-param = token [ EQUAL gen-value ]
/// gen-value     = token / host / quoted-string
/// ```
///
/// Order, case and duplicates are kept; names compare without case (RFC 3261 section 7.3.1). Two are
/// equal when they have equal parameters in the same order, whatever white space is between them.
///
/// ```
/// use sip_oauth_message::Params;
/// let params = Params::parse(r#";video;+u.sip!model.ccm.cisco.com="503";expires=120"#)?;
/// assert_eq!(params.value("+u.sip!model.ccm.cisco.com"), Some("503"));
/// assert_eq!(params.value("Expires"), Some("120"));
/// assert!(params.contains("video"));
/// assert_eq!(params.iter().count(), 3);
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Default)]
pub struct Params<'a> {
    /// Empty, or from the first semicolon on. Was read once without error.
    text: &'a str,
    first: First,
    further: Further,
}

/// How many parameters behind the first it is known of where they are.
const FURTHER: usize = 8;

/// Where the names of the parameters behind the first begin, so that looking for one does not go
/// through the values of those before it. 0 where there is none, or it has no place in 16 bits.
type Further = [u16; FURTHER];

/// Where the parts of the first parameter are, which is the one that is asked for most: the
/// branch, the tag. All 0 where one of them has no place in 16 bits.
#[derive(Clone, Copy, Default)]
struct First {
    name: u16,
    name_end: u16,
    /// Quotes included; the same as the end where there is none.
    value: u16,
    end: u16,
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: Option<Text<'a>>,
}

impl<'a> Param<'a> {
    /// The name as written.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// The value, where there is one.
    pub const fn value(&self) -> Option<Text<'a>> {
        self.value
    }
}

impl<'a> Params<'a> {
    /// No parameters.
    pub const EMPTY: Params<'static> = Params {
        text: "",
        first: First::NOWHERE,
        further: [0; FURTHER],
    };

    /// Reads parameters, each with its semicolon in front.
    ///
    /// # Errors
    ///
    /// When `text` is not a list of `generic-param`.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        whole(text, ErrorKind::HeaderValue, "a semicolon", params)
    }

    /// All parameters, in order.
    pub fn iter(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let text = self.text;
        let mut at = 0;
        std::iter::from_fn(move || {
            let name = behind_lws(text.as_bytes(), at + 1);
            let name_end = behind_name(text, name).ok()?;
            at = next_semicolon(text, name_end);
            Some(Param {
                name: text.get(name..name_end).unwrap_or_default(),
                value: value_between(text, name_end, at),
            })
        })
    }

    /// The first parameter of this name.
    pub fn get(&self, name: &str) -> Option<Param<'a>> {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        if self.first.name != 0 {
            let First {
                name: from,
                name_end,
                ..
            } = self.first;
            let first = bytes.get(usize::from(from)..usize::from(name_end));
            if is_same_name(first.unwrap_or_default(), name.as_bytes()) {
                return self.first();
            }
            at = behind_lws(bytes, usize::from(self.first.end));
            let mut last = None;
            for start in self.further.into_iter().take_while(|start| *start != 0) {
                let start = usize::from(start);
                if begins_alike(bytes, start, name)
                    && let Some(param) = self.named(name, start)
                {
                    return Some(param);
                }
                last = Some(start);
            }
            if self.further.contains(&0) && u16::try_from(bytes.len()).is_ok() {
                return None;
            }
            at = last.map_or(at, |start| next_semicolon(self.text, start));
        }
        while at < bytes.len() {
            let start = behind_lws(bytes, at + 1);
            if let Some(param) = self.named(name, start) {
                return Some(param);
            }
            at = next_semicolon(self.text, start);
        }
        None
    }

    /// The parameter at `start`, if this is its name.
    #[inline]
    fn named(&self, name: &str, start: usize) -> Option<Param<'a>> {
        let bytes = self.text.as_bytes();
        let end = start + name.len();
        let found = bytes.get(start..end)?;
        let is_it = is_same_name(found, name.as_bytes()) && behind(bytes, start, TOKEN) == end;
        is_it.then(|| Param {
            name: self.text.get(start..end).unwrap_or_default(),
            value: value_between(self.text, end, next_semicolon(self.text, end)),
        })
    }

    /// The first parameter, if it is known where it is.
    #[inline]
    fn first(&self) -> Option<Param<'a>> {
        let First {
            name,
            name_end,
            value,
            end,
        } = self.first;
        let text = |from: u16, to: u16| self.text.get(usize::from(from)..usize::from(to));
        let name = text(name, name_end).filter(|name| !name.is_empty())?;
        let value = text(value, end).filter(|value| !value.is_empty());
        Some(Param {
            name,
            value: value.map(Text::token_or_quoted),
        })
    }

    /// Whether there is a parameter of this name, with or without a value.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value of the first parameter of this name, quotes taken off, backslashes as written.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.value.map(|value| value.as_written())
    }

    /// The value of the first parameter of this name, if it stands without quotes.
    pub fn token(&self, name: &str) -> Option<&'a str> {
        match self.get(name)?.value? {
            Text::Token(value) => Some(value),
            Text::Quoted(_) | Text::Plain(_) => None,
        }
    }

    /// What the value of the first parameter of this name says: quotes and backslashes taken off. Allocates
    /// only where there is a backslash.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name)?.value.map(|value| value.to_str())
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// As written, from the first semicolon.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }
}

impl PartialEq for Params<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text || self.iter().eq(other.iter())
    }
}

impl Eq for Params<'_> {}

impl PartialEq for Param<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(other.name) && self.value == other.value
    }
}

impl Eq for Param<'_> {}

impl fmt::Display for Params<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text, f)
    }
}

impl fmt::Display for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        match self.value {
            // As it was read.
            Some(Text::Token(value)) => {
                f.write_str("=")?;
                f.write_str(value)
            }
            Some(value) => {
                f.write_str("=")?;
                value.fmt(f)
            }
            None => Ok(()),
        }
    }
}

/// `*( SEMI generic-param )`
pub(crate) fn params(input: &str) -> Parsed<'_, Params<'_>> {
    let bytes = input.as_bytes();
    let start = behind_lws(bytes, 0);
    let Some(mut name) = behind_separator(bytes, start, b';') else {
        return Ok((input, Params::EMPTY));
    };
    let mut first = None;
    let mut further = [0; FURTHER];
    let mut free = further.iter_mut();
    let end = loop {
        let name_end = behind_name(input, name)?;
        let (value, end) = match behind_separator(bytes, name_end, b'=') {
            Some(value) => (value, behind_value(input, value)?),
            None => (name_end, name_end),
        };
        if first.is_none() {
            first = Some(First::of(start, [name, name_end, value, end]));
        } else if let Some(further) = free.next() {
            *further = u16::try_from(name - start).unwrap_or_default();
        }
        match behind_separator(bytes, end, b';') {
            Some(next) => name = next,
            None => break end,
        }
    };
    let params = Params {
        text: input.get(start..end).unwrap_or_default(),
        first: first.unwrap_or(First::NOWHERE),
        further,
    };
    Ok((cut(input, end).1, params))
}

impl First {
    const NOWHERE: Self = Self {
        name: 0,
        name_end: 0,
        value: 0,
        end: 0,
    };

    /// Places that count from the start of something in which the parameters begin at `start`, each
    /// not before the one before it.
    #[inline]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the last place is the highest"
    )]
    const fn of(start: usize, [name, name_end, value, end]: [usize; 4]) -> Self {
        if end - start > u16::MAX as usize {
            return Self::NOWHERE;
        }
        Self {
            name: (name - start) as u16,
            name_end: (name_end - start) as u16,
            value: (value - start) as u16,
            end: (end - start) as u16,
        }
    }
}

/// Whether what is at `at` begins as the name does.
#[inline]
fn begins_alike(bytes: &[u8], at: usize, name: &str) -> bool {
    let lower = |byte: Option<&u8>| byte.map(|byte| byte | 0x20);
    lower(bytes.get(at)) == lower(name.as_bytes().first())
}

/// Where the name of a parameter at `at` ends.
#[inline]
fn behind_name(input: &str, at: usize) -> Result<usize, Err<Expected>> {
    let end = behind(input.as_bytes(), at, TOKEN);
    if end == at {
        return Err(not_found(input, at, "a parameter name"));
    }
    Ok(end)
}

/// `gen-value = token / host / quoted-string`
#[inline]
fn behind_value(input: &str, at: usize) -> Result<usize, Err<Expected>> {
    let bytes = input.as_bytes();
    if bytes.get(at) == Some(&b'"') {
        return behind_quoted(input, at);
    }
    let end = behind_long(bytes, at, TOKEN);
    match bytes.get(end) {
        Some(b'[' | b']' | b':') => behind_address(input, at),
        _ if end == at => Err(not_found(input, at, "a parameter value")),
        _ => Ok(end),
    }
}

/// Where an IPv6 address ends, in brackets (`host`) or without, as `received` has it (RFC 5118
/// section 4.5).
#[cold]
fn behind_address(input: &str, at: usize) -> Result<usize, Err<Expected>> {
    let end = behind(input.as_bytes(), at, VALUE);
    if !is_ipv6(input.get(at..end).unwrap_or_default()) {
        return Err(not_found(input, at, "a token or an IPv6 address"));
    }
    Ok(end)
}

/// Whether this is an IPv6 address, with brackets or without.
pub(crate) fn is_ipv6(text: &str) -> bool {
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    inner.unwrap_or(text).parse::<Ipv6Addr>().is_ok()
}

/// The value between the end of a name and the next semicolon.
#[inline]
fn value_between(text: &str, name_end: usize, semicolon: usize) -> Option<Text<'_>> {
    let equals = behind_lws(text.as_bytes(), name_end);
    if text.as_bytes().get(equals) != Some(&b'=') {
        return None;
    }
    let value = text.get(behind_lws(text.as_bytes(), equals + 1)..semicolon)?;
    Some(Text::token_or_quoted(trim_end(value)))
}

/// The next semicolon outside quotes in parameters that were read before; `at` is outside quotes.
fn next_semicolon(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    loop {
        at = find(bytes, at, [b';', b'"']);
        if bytes.get(at) != Some(&b'"') {
            return at;
        }
        at = behind_quoted(text, at).unwrap_or(bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FURTHER, Params};

    #[test]
    fn a_parameter_is_found_behind_what_has_no_place_in_16_bits() {
        for before in 0..=FURTHER + 1 {
            let long = format!(";long={}", "x".repeat(1 << 16));
            let text = format!("{}{long};last=1;other", ";a=b".repeat(before));
            let params = Params::parse(&text).unwrap();
            assert_eq!(params.value("last"), Some("1"), "{before}");
            assert!(params.contains("other"), "{before}");
            assert!(!params.contains("none"), "{before}");
        }
    }

    /// RFC 3261 section 25.1: `gen-value = token / host / quoted-string`.
    #[test]
    fn brackets_and_colons_are_those_of_an_address() {
        for value in [
            "2001:db8::9:1",
            "[2001:db8::9:1]",
            "::",
            "::ffff:192.0.2.1",
            "a.b-c",
        ] {
            let text = format!(";received={value};x");
            assert_eq!(Params::parse(&text).unwrap().value("received"), Some(value));
        }
        for value in [
            "]:[",
            "[",
            "]",
            "::::::",
            "a:b",
            "[::1",
            "::1]",
            "[192.0.2.1]",
            "[::1]:5060",
            "1:",
        ] {
            let text = format!(";received={value};x");
            let error = Params::parse(&text).expect_err(value);
            assert_eq!(error.offset(), ";received=".len(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn a_parameter_is_found_where_going_through_all_finds_it(
            params in proptest::collection::vec(
                r#"[\t ]?;( |\r\n )?(ab|Ab|abc|[a-z+!.-]{1,12})( ?= ?([a-z0-9]{1,9}|\[2001:db8::[1-9]\]|::[1-9]|"([a-z;=,]|\\["\\x]){0,40}"))?"#,
                0..14,
            ),
            name in "ab|aB|abc|[a-z+]{0,2}",
        ) {
            let text = params.concat();
            let params = Params::parse(&text).unwrap();
            prop_assert_eq!(params.first(), params.iter().next());
            let found = params.iter().find(|param| param.name.eq_ignore_ascii_case(&name));
            prop_assert_eq!(params.get(&name), found);
        }
    }
}
