//! `auth-param` lists.

use std::fmt;
use std::ops::Range;

use nom::Err;

use crate::grammar::{
    Expected, Parsed, TOKEN, TOKEN68, behind, behind_lws, behind_name, behind_quoted,
    behind_separator, cut, is_same_name, not_found,
};
use crate::{ErrorKind, Text};

/// Parameters of a challenge or of credentials, as written.
///
/// `auth-param = token BWS "=" BWS ( token / quoted-string )`, separated by commas.
#[derive(Clone, Copy, Default)]
pub struct AuthParams<'a> {
    /// Was read once without error.
    text: &'a str,
}

/// One parameter of a challenge or of credentials.
#[derive(Clone, Copy)]
pub struct AuthParam<'a> {
    pub(super) name: &'a str,
    pub(super) value: Text<'a>,
}

impl<'a> AuthParam<'a> {
    /// The name as written; names compare without case.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// The value.
    pub const fn value(&self) -> Text<'a> {
        self.value
    }
}

impl<'a> AuthParams<'a> {
    /// No parameters.
    pub const EMPTY: AuthParams<'static> = AuthParams { text: "" };

    /// All parameters, in order.
    pub fn iter(&self) -> impl Iterator<Item = AuthParam<'a>> + use<'a> {
        let text = self.text;
        let mut at = 0;
        std::iter::from_fn(move || {
            let places = Places::of(text, at).ok()?;
            let comma = behind_lws(text.as_bytes(), places.value.end);
            at = behind_lws(text.as_bytes(), comma + 1);
            Some(places.param(text))
        })
    }

    /// The value of the first parameter of this name.
    pub fn get(&self, name: &str) -> Option<Text<'a>> {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        loop {
            let places = Places::of(self.text, at).ok()?;
            let found = bytes.get(places.name.clone()).unwrap_or_default();
            if is_same_name(found, name.as_bytes()) {
                return Some(places.param(self.text).value);
            }
            at = behind_comma(bytes, places.value.end)?;
        }
    }

    /// All parameters but the first of each of these names, in order.
    pub(super) fn except_first<const N: usize>(
        &self,
        names: [&'static str; N],
    ) -> impl Iterator<Item = AuthParam<'a>> + use<'a, N> {
        let mut names = names.map(Some);
        self.iter().filter(move |param| {
            let is_it = |name: &&mut Option<&str>| {
                name.is_some_and(|name| name.eq_ignore_ascii_case(param.name))
            };
            match names.iter_mut().find(is_it) {
                Some(name) => {
                    *name = None;
                    false
                }
                None => true,
            }
        })
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

/// As they follow each other, whatever white space is between them.
impl PartialEq for AuthParams<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text || self.iter().eq(other.iter())
    }
}

impl Eq for AuthParams<'_> {}

impl PartialEq for AuthParam<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(other.name) && self.value == other.value
    }
}

impl Eq for AuthParam<'_> {}

/// Of the value the length alone: it may be a credential.
impl fmt::Debug for AuthParam<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=<{} bytes>", self.name, self.value.as_written().len())
    }
}

/// Of the values the length alone.
impl fmt::Debug for AuthParams<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Display for AuthParam<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        f.write_str("=")?;
        match self.value {
            // As it was read.
            Text::Token(value) => f.write_str(value),
            value => value.fmt(f),
        }
    }
}

/// `auth-param *( COMMA auth-param )`. A comma that a parameter does not follow is left: another
/// challenge may begin there.
pub(super) fn auth_params(input: &str) -> Parsed<'_, AuthParams<'_>> {
    each_auth_param(input, |_| {})
}

/// As [`auth_params`], and hands over each parameter, so that a long value is gone through once.
#[inline]
pub(super) fn each_auth_param<'a>(
    input: &'a str,
    mut param: impl FnMut(AuthParam<'a>),
) -> Parsed<'a, AuthParams<'a>> {
    let bytes = input.as_bytes();
    let (mut at, mut end) = (0, 0);
    loop {
        let name_end = behind_name(bytes, at);
        let value = match bytes.get(name_end..) {
            // What nearly all parameters are.
            Some([b'=', b'"', ..]) if name_end > at => {
                let quote = name_end + 1;
                quote..behind_quoted(input, quote)?
            }
            _ => match behind_equals(input, at, name_end) {
                Ok(value) if end == 0 || begins_value(bytes, value) => {
                    value..behind_value(input, value)?
                }
                Err(error) if end == 0 => return Err(error),
                _ => break,
            },
        };
        let name = at..name_end;
        let places = Places { name, value };
        param(places.param(input));
        end = places.value.end;
        match behind_comma(bytes, end) {
            Some(next) => at = next,
            None => break,
        }
    }
    let (text, rest) = cut(input, end);
    Ok((rest, AuthParams { text }))
}

/// Whether a name and an equals sign stand here, as in a parameter and not in a scheme.
pub(super) fn starts_param(input: &str) -> bool {
    let bytes = input.as_bytes();
    let value = behind_equals(input, 0, behind(bytes, 0, TOKEN));
    value.is_ok_and(|value| begins_value(bytes, value))
}

/// Where a comma and the white space around it end. Mostly one space follows it.
#[inline]
fn behind_comma(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at..)? {
        [b',', b' ', next, ..] if *next > b' ' => Some(at + 2),
        _ => behind_separator(bytes, at, b','),
    }
}

/// Whether what is behind an equals sign is no padding: not `scheme token68==`, nor a token68 of
/// token characters and its padding.
#[inline]
fn begins_value(bytes: &[u8], at: usize) -> bool {
    !matches!(bytes.get(at), None | Some(b'=' | b','))
}

/// Where the parts of one parameter are, in bytes.
struct Places {
    name: Range<usize>,
    /// Quotes included.
    value: Range<usize>,
}

impl Places {
    #[inline]
    fn of(input: &str, at: usize) -> Result<Self, Err<Expected>> {
        let name_end = behind(input.as_bytes(), at, TOKEN);
        let value = behind_equals(input, at, name_end)?;
        Ok(Self {
            name: at..name_end,
            value: value..behind_value(input, value)?,
        })
    }

    #[inline]
    fn param<'a>(&self, input: &'a str) -> AuthParam<'a> {
        let text = |range: &Range<usize>| input.get(range.clone()).unwrap_or_default();
        AuthParam {
            name: text(&self.name),
            value: Text::token_or_quoted(text(&self.value)),
        }
    }
}

/// Where `BWS "=" BWS` ends behind the name between the two places.
#[inline]
fn behind_equals(input: &str, name: usize, name_end: usize) -> Result<usize, Err<Expected>> {
    if name_end == name {
        return Err(not_found(input, name, "a parameter name"));
    }
    behind_separator(input.as_bytes(), name_end, b'=')
        .ok_or_else(|| not_found(input, name_end, "'=' after the parameter name"))
}

/// Where `token / quoted-string` at `start` ends. Unquoted base64 is not a token, but it is clear what
/// is meant.
#[allow(clippy::inline_always, reason = "as the rules of the grammar")]
#[inline(always)]
fn behind_value(input: &str, start: usize) -> Result<usize, Err<Expected>> {
    let bytes = input.as_bytes();
    if bytes.get(start) == Some(&b'"') {
        return behind_quoted(input, start);
    }
    let end = behind(bytes, start, TOKEN | TOKEN68);
    if end == start {
        let mut error = not_found(input, start, "a parameter value");
        if let Err::Error(expected) = &mut error {
            expected.kind = ErrorKind::Credentials;
        }
        return Err(error);
    }
    let padding = bytes.get(end..).unwrap_or_default();
    let padding = padding.iter().take_while(|b| **b == b'=').count();
    Ok(end + padding)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::each_auth_param;

    proptest! {
        #[test]
        fn the_parameters_that_are_handed_over_are_those_of_the_list(
            params in proptest::collection::vec(r#"[a-z]{1,9} ?= ?("([a-z,=]|\\["x]){0,20}"|[a-z0-9]{1,9})"#, 1..6),
            rest in "(, Digest)?",
        ) {
            let text = params.join(", ") + &rest;
            let mut handed = Vec::new();
            let (left, list) = each_auth_param(&text, |param| handed.push(param)).unwrap();
            prop_assert_eq!(handed.len(), params.len());
            prop_assert_eq!(handed, list.iter().collect::<Vec<_>>());
            prop_assert_eq!(left, rest);
        }
    }
}
