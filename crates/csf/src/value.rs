//! Values that know where they were written.

use std::borrow::Cow;
use std::time::Duration;

use crate::document::Element;
use crate::error::{ValueError, shorten};
use crate::position::Span;

/// A value and the bytes it came from.
///
/// Empty is not missing: an empty text is a value. Where a number or a word of a fixed list belongs, an empty element
/// or attribute has no value and the default stands, as for a missing one; [`Origin`] tells the three apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<T> {
    /// The value.
    pub value: T,
    /// Where it was written, or why it is a default.
    pub origin: Origin,
}

impl<T> Value<T> {
    /// The bytes it is written in, none for a default.
    pub fn span(&self) -> Option<Span> {
        match self.origin {
            Origin::Written(span) => Some(span),
            Origin::Empty(_) | Origin::Missing => None,
        }
    }

    /// Whether the file does not say it.
    pub fn is_default(&self) -> bool {
        self.span().is_none()
    }

    /// A default, for what is not there.
    pub(crate) fn missing(value: T) -> Self {
        Self {
            value,
            origin: Origin::Missing,
        }
    }

    /// The same origin with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Value<U> {
        Value {
            value: f(self.value),
            origin: self.origin,
        }
    }
}

/// Where a [`Value`] comes from: one of these three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The text between the tags, or the quotes, at these bytes.
    Written(Span),
    /// The element or attribute is there and empty; the value is the default.
    Empty(Span),
    /// There is no such element or attribute; the value is the default.
    Missing,
}

impl Origin {
    /// The bytes, of the text or of the place where text could be.
    pub fn span(self) -> Option<Span> {
        match self {
            Self::Written(span) | Self::Empty(span) => Some(span),
            Self::Missing => None,
        }
    }
}

/// A text as written, none when there is no such element.
pub(crate) fn text(element: Option<Element<'_>>) -> Option<Value<Cow<'_, str>>> {
    element.map(|element| Value {
        value: element.text(),
        origin: Origin::Written(element.content_span()),
    })
}

/// A name, address or keyword, none when there is no such element. White space around it is not part of it.
pub(crate) fn word(element: Option<Element<'_>>) -> Option<Value<Cow<'_, str>>> {
    text(element).map(|text| text.map(trimmed))
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// A value of a type with few forms; `default` when missing or empty.
pub(crate) fn parsed<T>(
    element: Option<Element<'_>>,
    default: T,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Value<T>, ValueError> {
    let Some(element) = element else {
        return Ok(Value::missing(default));
    };
    readable(element, default, parse).ok_or_else(|| ValueError {
        position: element.content_position(),
        expected,
        found: shorten(element.text().trim()),
    })
}

/// As [`parsed`], none when it cannot be read: to say where costs a look at the whole file.
fn readable<T>(
    element: Element<'_>,
    default: T,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<Value<T>> {
    if !element.is_leaf() {
        return None;
    }
    let text = element.text();
    let text = text.trim();
    let span = element.content_span();
    if text.is_empty() {
        return Some(Value {
            value: default,
            origin: Origin::Empty(span),
        });
    }
    Some(Value {
        value: parse(text)?,
        origin: Origin::Written(span),
    })
}

/// As [`port`], none when it cannot be read.
pub(crate) fn readable_port(element: Option<Element<'_>>, default: u16) -> Option<Value<u16>> {
    match element {
        Some(element) => readable(element, default, parse_port),
        None => Some(Value::missing(default)),
    }
}

/// As [`number_attribute`] with a default for a missing or empty one, none when it cannot be read.
pub(crate) fn readable_number_attribute(
    element: Element<'_>,
    name: &str,
    default: u32,
) -> Option<u32> {
    let Some(attribute) = element.attribute(name) else {
        return Some(default);
    };
    match attribute.value().trim() {
        "" => Some(default),
        text => parse_number(text),
    }
}

/// An attribute of a type with few forms; none when missing or empty.
pub(crate) fn attribute<T>(
    element: Element<'_>,
    name: &str,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<Value<T>>, ValueError> {
    let Some(attribute) = element.attribute(name) else {
        return Ok(None);
    };
    let text = attribute.value();
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match parse(text) {
        Some(value) => Ok(Some(Value {
            value,
            origin: Origin::Written(attribute.span()),
        })),
        None => Err(ValueError {
            position: attribute.position(),
            expected,
            found: shorten(text),
        }),
    }
}

/// As [`attribute`], with a default where it is missing or empty.
pub(crate) fn attribute_or<T>(
    element: Element<'_>,
    name: &str,
    default: T,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Value<T>, ValueError> {
    let origin = match element.attribute(name) {
        Some(attribute) => Origin::Empty(attribute.span()),
        None => Origin::Missing,
    };
    let value = attribute(element, name, expected, parse)?;
    Ok(value.unwrap_or(Value {
        value: default,
        origin,
    }))
}

/// As [`number_attribute`], 0 where it is missing or empty.
pub(crate) fn number_attribute_or_0(
    element: Element<'_>,
    name: &str,
) -> Result<Value<u32>, ValueError> {
    attribute_or(element, name, 0, NUMBER, parse_number)
}

/// An attribute that is a number without a sign; none when missing or empty.
pub(crate) fn number_attribute(
    element: Element<'_>,
    name: &str,
) -> Result<Option<Value<u32>>, ValueError> {
    attribute(element, name, NUMBER, parse_number)
}

/// A port, 1 to 65535.
pub(crate) fn port(element: Option<Element<'_>>, default: u16) -> Result<Value<u16>, ValueError> {
    parsed(element, default, PORT, parse_port)
}

const PORT: &str = "a port from 1 to 65535";

fn parse_port(text: &str) -> Option<u16> {
    digits(text)?.parse().ok().filter(|&port| port != 0)
}

/// A number without a sign.
pub(crate) fn number(element: Option<Element<'_>>, default: u32) -> Result<Value<u32>, ValueError> {
    parsed(element, default, NUMBER, parse_number)
}

const NUMBER: &str = "a number from 0 to 4294967295";

pub(crate) fn parse_number(text: &str) -> Option<u32> {
    digits(text)?.parse().ok()
}

/// Digits only: `u16::from_str` would take a plus sign too.
pub(crate) fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// A time in seconds.
pub(crate) fn seconds(
    element: Option<Element<'_>>,
    default: u32,
) -> Result<Value<Duration>, ValueError> {
    Ok(number(element, default)?.map(|seconds| Duration::from_secs(seconds.into())))
}

/// A time in milliseconds.
pub(crate) fn milliseconds(
    element: Option<Element<'_>>,
    default: u32,
) -> Result<Value<Duration>, ValueError> {
    Ok(number(element, default)?.map(|milliseconds| Duration::from_millis(milliseconds.into())))
}

/// `true` or `false`, in any case, or `1` or `0`.
pub(crate) fn boolean(
    element: Option<Element<'_>>,
    default: bool,
) -> Result<Value<bool>, ValueError> {
    parsed(element, default, BOOLEAN, parse_boolean)
}

pub(crate) const BOOLEAN: &str = "true or false, or 1 or 0";

pub(crate) fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
