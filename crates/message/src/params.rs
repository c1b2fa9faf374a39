//! Parameters behind a semicolon, in order and with duplicates.

use std::fmt;

use crate::grammar::{
    Parsed, TOKEN, VALUE, quoted_string, separator, skip_lws, take, trim_end, whole,
};
use crate::text::Text;
use crate::{ErrorKind, ParseError};

/// The parameters of a header field value, as written.
///
/// ```text
/// generic-param = token [ EQUAL gen-value ]
/// gen-value     = token / host / quoted-string
/// ```
///
/// Order, case and duplicates are kept; names compare without case (RFC 3261 section 7.3.1).
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
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Params<'a> {
    /// Empty, or from the first semicolon on. Was read once without error.
    text: &'a str,
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// The name as written.
    pub name: &'a str,
    /// The value, where there is one.
    pub value: Option<Text<'a>>,
}

impl<'a> Params<'a> {
    /// No parameters.
    pub const EMPTY: Params<'static> = Params { text: "" };

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
        let mut rest = self.text;
        std::iter::from_fn(move || {
            let (after, param) = semicolon_param(rest).ok()?;
            rest = after;
            Some(param)
        })
    }

    /// The first parameter of this name.
    pub fn get(&self, name: &str) -> Option<Param<'a>> {
        self.iter()
            .find(|param| param.name.eq_ignore_ascii_case(name))
    }

    /// Whether there is a parameter of this name, with or without a value.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value of the first parameter of this name, quotes taken off, backslashes as written.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.value.map(|value| value.as_written())
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
        match self.value {
            Some(value) => write!(f, "{}={value}", self.name),
            None => f.write_str(self.name),
        }
    }
}

/// `*( SEMI generic-param )`
pub(crate) fn params(input: &str) -> Parsed<'_, Params<'_>> {
    let start = skip_lws(input);
    let mut rest = start;
    while skip_lws(rest).starts_with(';') {
        rest = semicolon_param(rest)?.0;
    }
    if rest.len() == start.len() {
        return Ok((input, Params::EMPTY));
    }
    let length = start.len() - rest.len();
    let text = trim_end(start.get(..length).unwrap_or_default());
    Ok((rest, Params { text }))
}

fn semicolon_param(input: &str) -> Parsed<'_, Param<'_>> {
    let (rest, ()) = separator(input, ';', "a semicolon")?;
    param(rest)
}

/// `generic-param = token [ EQUAL gen-value ]`
pub(crate) fn param(input: &str) -> Parsed<'_, Param<'_>> {
    let (rest, name) = take(input, TOKEN, "a parameter name")?;
    match separator(rest, '=', "") {
        Ok((rest, ())) => {
            let (rest, value) = param_value(rest)?;
            let value = Some(value);
            Ok((rest, Param { name, value }))
        }
        Err(_) => Ok((rest, Param { name, value: None })),
    }
}

/// `gen-value = token / host / quoted-string`
fn param_value(input: &str) -> Parsed<'_, Text<'_>> {
    if input.starts_with('"') {
        quoted_string(input)
    } else {
        let (rest, text) = take(input, VALUE, "a parameter value")?;
        Ok((rest, Text::Token(text)))
    }
}
