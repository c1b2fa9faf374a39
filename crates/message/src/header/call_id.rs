//! Call-ID.

use std::fmt;

use crate::grammar::{Parsed, WORD, behind_long, cut, expected, single};
use crate::{HeaderName, ParseError, TypedHeader};

/// What all requests of one registration or dialog have in common (RFC 3261 section 20.8).
///
/// `callid = word [ "@" word ]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallId<'a>(&'a str);

impl<'a> CallId<'a> {
    /// As written; compared byte for byte.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

impl<'a> TypedHeader<'a> for CallId<'a> {
    const NAME: HeaderName<'static> = HeaderName::CallId;

    #[inline]
    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        single(value, Self::NAME, call_id)
    }
}

fn call_id(input: &str) -> Parsed<'_, CallId<'_>> {
    let bytes = input.as_bytes();
    let mut end = behind_long(bytes, 0, WORD);
    if end == 0 {
        return expected(input, "a word");
    }
    if bytes.get(end) == Some(&b'@') {
        let second = end + 1;
        end = behind_long(bytes, second, WORD);
        if end == second {
            return expected(cut(input, second).1, "a word after the '@'");
        }
    }
    let (text, rest) = cut(input, end);
    Ok((rest, CallId(text)))
}

impl fmt::Display for CallId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
