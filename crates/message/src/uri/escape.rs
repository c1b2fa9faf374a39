//! `%HEXHEX` (RFC 3261 section 19.1.2).

use std::borrow::Cow;
use std::fmt;

use crate::grammar::{USER, behind, is_class};

/// Undoes `%HH`, once. Allocates only where there is one.
///
/// ```
/// use sip_oauth_message::uri::unescape;
/// assert_eq!(unescape("a%00b%2541"), b"a\0b%41".as_slice());
/// ```
pub fn unescape(text: &str) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return Cow::Borrowed(text.as_bytes());
    }
    Cow::Owned(unescaped(text).map(|(byte, _)| byte).collect())
}

/// The bytes that `text` stands for, and whether each was escaped.
pub(super) fn unescaped(text: &str) -> impl Iterator<Item = (u8, bool)> + '_ {
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || match rest {
        [b'%', high, low, after @ ..] => {
            if let (Some(high), Some(low)) = (hex(*high), hex(*low)) {
                rest = after;
                return Some((high << 4 | low, true));
            }
            rest = rest.get(1..).unwrap_or_default();
            Some((b'%', false))
        }
        [first, after @ ..] => {
            let first = *first;
            rest = after;
            Some((first, false))
        }
        [] => None,
    })
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Where the characters of `class` and escapes at `at` end.
#[inline]
pub(super) fn behind_escaped(bytes: &[u8], mut at: usize, class: u8) -> usize {
    loop {
        at = behind(bytes, at, class);
        match bytes.get(at..) {
            Some([b'%', high, low, ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                at += 3;
            }
            _ => return at,
        }
    }
}

/// Writes any text as the user part of a SIP URI, escaping what may not stand there.
///
/// ```
/// use sip_oauth_message::uri::EscapedUser;
/// assert_eq!(EscapedUser("a b@c;d=1").to_string(), "a%20b%40c;d=1");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EscapedUser<'a>(pub &'a str);

impl fmt::Display for EscapedUser<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if is_class(byte, USER) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}
