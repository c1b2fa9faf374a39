//! `auth-param` lists.

use std::fmt;

use crate::grammar::{
    Parsed, TOKEN, TOKEN68, cut, expected_kind, quoted_string, separator, skip_lws, span, take,
    trim_end,
};
use crate::{ErrorKind, Text};

/// Parameters of a challenge or of credentials, as written.
///
/// `auth-param = token BWS "=" BWS ( token / quoted-string )`, separated by commas.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct AuthParams<'a> {
    /// Was read once without error.
    text: &'a str,
}

/// One parameter of a challenge or of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthParam<'a> {
    /// The name as written; names compare without case.
    pub name: &'a str,
    /// The value.
    pub value: Text<'a>,
}

impl<'a> AuthParams<'a> {
    /// No parameters.
    pub const EMPTY: AuthParams<'static> = AuthParams { text: "" };

    /// All parameters, in order.
    pub fn iter(&self) -> impl Iterator<Item = AuthParam<'a>> + use<'a> {
        let mut rest = self.text;
        std::iter::from_fn(move || {
            let (after, param) = auth_param(rest).ok()?;
            rest = separator(after, ',', "").map_or("", |(next, ())| next);
            Some(param)
        })
    }

    /// The value of the first parameter of this name.
    pub fn get(&self, name: &str) -> Option<Text<'a>> {
        let param = self.iter().find(|p| p.name.eq_ignore_ascii_case(name))?;
        Some(param.value)
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// As written.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }
}

impl fmt::Debug for AuthParams<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text, f)
    }
}

impl fmt::Display for AuthParam<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

/// `auth-param *( COMMA auth-param )`. A comma that a parameter does not follow is left: another
/// challenge may begin there.
pub(super) fn auth_params(input: &str) -> Parsed<'_, AuthParams<'_>> {
    let (mut rest, _) = auth_param(input)?;
    while let Some(next) = skip_lws(rest).strip_prefix(',').map(skip_lws) {
        if !starts_param(next) {
            break;
        }
        rest = auth_param(next)?.0;
    }
    let (text, _) = cut(input, input.len() - rest.len());
    let text = trim_end(text);
    Ok((rest, AuthParams { text }))
}

/// Whether a name and an equals sign stand here, as in a parameter and not in a scheme.
pub(super) fn starts_param(input: &str) -> bool {
    let length = span(input.as_bytes(), TOKEN);
    let after = skip_lws(cut(input, length).1);
    match after.strip_prefix('=') {
        // `scheme token68==`, or a token68 of token characters and its padding.
        Some(value) => length > 0 && !matches!(skip_lws(value).as_bytes(), [] | [b'=' | b',', ..]),
        None => false,
    }
}

fn auth_param(input: &str) -> Parsed<'_, AuthParam<'_>> {
    let (rest, name) = take(input, TOKEN, "a parameter name")?;
    let (rest, ()) = separator(rest, '=', "'=' after the parameter name")?;
    let (rest, value) = if rest.starts_with('"') {
        quoted_string(rest)?
    } else {
        // Unquoted base64 is not a token, but it is clear what is meant.
        let bytes = rest.as_bytes();
        let length = span(bytes, TOKEN | TOKEN68);
        let padding = bytes
            .iter()
            .skip(length)
            .take_while(|b| **b == b'=')
            .count();
        if length == 0 {
            return expected_kind(rest, ErrorKind::Credentials, "a parameter value");
        }
        let (value, rest) = cut(rest, length + padding);
        (rest, Text::Token(value))
    };
    Ok((rest, AuthParam { name, value }))
}
