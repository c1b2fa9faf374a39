//! Addresses: a URI, perhaps with a display name, and the parameters behind it.

use std::fmt;

use crate::grammar::{
    Parsed, TOKEN, behind, behind_lws, cut, expected, expected_kind, is_token, nested,
    quoted_string, skip_lws, trim_end, whole,
};
use crate::params::{Params, params};
use crate::scan::find;
use crate::text::Text;
use crate::uri::Uri;
use crate::{ErrorKind, ParseError};

/// An address as From, To, Contact and the Route family have it (RFC 3261 section 20.10).
///
/// ```text
/// name-addr = [ display-name ] LAQUOT addr-spec RAQUOT
/// ```
///
/// Without brackets, parameters belong to the header field; a URI that has a comma, question
/// mark or semicolon must stand in brackets. It is always written in brackets.
///
/// ```
/// use sip_oauth_message::{NameAddr, Uri};
/// let address = NameAddr::parse(r#""1010" <sip:1010@ucm.example.com;lr>;tag=7"#)?;
/// assert_eq!(address.display_name().unwrap(), "1010");
/// assert_eq!(address.uri(), Uri::parse("sip:1010@ucm.example.com;lr")?);
/// assert_eq!(address.params().value("tag"), Some("7"));
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    display: Option<Text<'a>>,
    uri: Uri<'a>,
    params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// An address that is only a URI.
    pub const fn new(uri: Uri<'a>) -> Self {
        Self {
            display: None,
            uri,
            params: Params::EMPTY,
        }
    }

    /// The same with a display name.
    #[must_use]
    pub const fn with_display_name(mut self, name: Text<'a>) -> Self {
        self.display = Some(name);
        self
    }

    /// The same with these parameters.
    #[must_use]
    pub const fn with_params(mut self, params: Params<'a>) -> Self {
        self.params = params;
        self
    }

    /// Reads an address that is all of `text`.
    ///
    /// # Errors
    ///
    /// When `text` is no address.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        let end = "parameters or the end of the address";
        whole(text, ErrorKind::HeaderValue, end, name_addr)
    }

    /// The display name, if there is one that is not empty.
    pub fn display_name(&self) -> Option<Text<'a>> {
        self.display.filter(|name| !name.as_written().is_empty())
    }

    /// The URI.
    pub const fn uri(&self) -> Uri<'a> {
        self.uri
    }

    /// The parameters behind the URI.
    pub const fn params(&self) -> Params<'a> {
        self.params
    }
}

impl fmt::Display for NameAddr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.display {
            Some(Text::Token(words)) if is_words(words) => write!(f, "{words} ")?,
            Some(Text::Token(text)) => write!(f, "{} ", Text::Plain(text))?,
            Some(name) => write!(f, "{name} ")?,
            None => {}
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

/// `( name-addr / addr-spec ) *( SEMI generic-param )`
pub(crate) fn name_addr(input: &str) -> Parsed<'_, NameAddr<'_>> {
    let (rest, display) = display_name(input)?;
    let Some(inner) = rest.strip_prefix('<') else {
        if display.is_some() {
            return expected(rest, "'<' after the display name");
        }
        let (rest, uri) = addr_spec(rest)?;
        return with_params(display, uri, rest);
    };
    match Uri::sip_in_brackets(inner) {
        Some(uri) => with_params(display, uri, cut(inner, uri.as_str().len() + 1).1),
        None => any_in_brackets(display, inner),
    }
}

/// `name-addr *( SEMI rr-param )`: a hop of a route, which stands in brackets (RFC 3261 section 25.1).
pub(crate) fn route_param(input: &str) -> Parsed<'_, NameAddr<'_>> {
    let (rest, address) = name_addr(input)?;
    // What is no display name begins with the bracket, or with the URI.
    if address.display.is_none() && !input.starts_with('<') {
        return expected(input, "an address in angle brackets");
    }
    Ok((rest, address))
}

#[inline]
fn with_params<'a>(
    display: Option<Text<'a>>,
    uri: Uri<'a>,
    rest: &'a str,
) -> Parsed<'a, NameAddr<'a>> {
    let (rest, params) = params(rest)?;
    let address = NameAddr {
        display,
        uri,
        params,
    };
    Ok((rest, address))
}

/// `display-name = *(token LWS) / quoted-string`; the white space before the bracket is optional
/// (RFC 4475 section 3.1.1.6).
fn display_name(input: &str) -> Parsed<'_, Option<Text<'_>>> {
    match input.as_bytes().first() {
        Some(b'<') => Ok((input, None)),
        Some(b'"') => {
            let (rest, name) = quoted_string(input)?;
            Ok((skip_lws(rest), Some(name)))
        }
        _ => {
            let bytes = input.as_bytes();
            let mut end = 0;
            loop {
                let word_end = behind_lws(bytes, behind(bytes, end, TOKEN));
                if word_end == end {
                    break;
                }
                end = word_end;
            }
            if end == 0 || bytes.get(end) != Some(&b'<') {
                return Ok((input, None));
            }
            let (name, rest) = cut(input, end);
            Ok((rest, Some(Text::Token(trim_end(name)))))
        }
    }
}

/// Whether this is `*(token LWS)`, which needs no quotes.
fn is_words(text: &str) -> bool {
    let white = [' ', '\t', '\r', '\n'];
    let mut words = text.split(white).filter(|word| !word.is_empty());
    !text.is_empty() && text.trim_matches(white) == text && words.all(is_token)
}

/// `addr-spec RAQUOT`, whatever the scheme is, or the error in it.
#[inline(never)]
fn any_in_brackets<'a>(display: Option<Text<'a>>, input: &'a str) -> Parsed<'a, NameAddr<'a>> {
    let end = find(input.as_bytes(), 0, [b'>']);
    let (text, rest) = cut(input, end);
    let Some(rest) = rest.strip_prefix('>') else {
        return expected(rest, "'>' closing the name-addr");
    };
    match Uri::parse(text) {
        Ok(uri) => with_params(display, uri, rest),
        Err(error) => nested(input, &error),
    }
}

/// An addr-spec without brackets, up to what cannot be part of it.
fn addr_spec(input: &str) -> Parsed<'_, Uri<'_>> {
    let ends = |b: &u8| {
        matches!(
            b,
            b';' | b',' | b'?' | b'<' | b'>' | b'"' | b' ' | b'\t' | b'\r'
        )
    };
    let end = input.bytes().position(|b| ends(&b)).unwrap_or(input.len());
    let (text, rest) = cut(input, end);
    if rest.starts_with('?') {
        let what = "brackets around a URI with a question mark";
        return expected_kind(rest, ErrorKind::Uri, what);
    }
    match Uri::parse(text) {
        Ok(uri) => Ok((rest, uri)),
        Err(error) => nested(input, &error),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::NameAddr;
    use crate::Uri;

    proptest! {
        #[test]
        fn a_uri_in_brackets_is_what_it_is_alone(
            scheme in "sip:|SIPS:|sip:|tel:|x:|",
            user in "([a-z%;?=&+,/]|%4[0-9]|[!-=?-~]){0,9}(:[a-z%\"1]{0,5})?@|",
            host in r"[a-z.-]{1,20}|192\.0\.2\.1|\[::1\]|\[:|",
            port in "(:[0-9]{0,6})?",
            params in "(;[a-z]{0,4}(=[a-z:@%]{0,9})?){0,3}",
            headers in r"(\?[a-z@]{0,4}=[a-z?]{0,4}(&[a-z]=)?)?",
            more in "[!-=?-~]{0,3}",
        ) {
            let text = [scheme, user, host, port, params, headers, more].concat();
            let in_brackets = format!("<{text}>;tag=1");
            match (Uri::parse(&text), NameAddr::parse(&in_brackets)) {
                (Ok(uri), Ok(address)) => {
                    prop_assert_eq!(address.uri(), uri);
                    prop_assert_eq!(address.params().value("tag"), Some("1"));
                }
                (Err(alone), Err(error)) => {
                    prop_assert_eq!(error.expected(), alone.expected());
                    prop_assert_eq!(error.offset(), alone.offset() + 1);
                }
                (alone, both) => prop_assert!(false, "{alone:?} {both:?}"),
            }
        }
    }
}
