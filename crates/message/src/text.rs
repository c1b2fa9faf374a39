//! Values that may stand with or without quotes.

use std::borrow::Cow;
use std::fmt::{self, Write};

use crate::grammar::is_token;
use crate::params::is_ipv6;
use crate::scan::has_control;

/// A token or a quoted string, and how it is written.
///
/// Two texts are equal when they say the same, however they are written and folded.
///
/// Each is written as one that reads back equal: what cannot stand without quotes gets them, and what
/// would end a quoted string gets a backslash.
///
/// ```
/// use sip_oauth_message::Text;
/// let text = Text::Quoted(r#"the \"best\""#);
/// assert_eq!(text.to_str(), r#"the "best""#);
/// assert_eq!(text.to_string(), r#""the \"best\"""#);
/// assert_eq!(text, Text::Plain(r#"the "best""#));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// Written without quotes, where it is a token or an IPv6 address.
    Token(&'a str),
    /// What stands between the quotes on the wire, backslashes included.
    Quoted(&'a str),
    /// Text that is to be written in quotes, backslashes added where they are needed.
    Plain(&'a str),
}

impl<'a> Text<'a> {
    /// What was read as a token or a quoted string, quotes included.
    #[inline]
    pub(crate) fn token_or_quoted(text: &'a str) -> Self {
        match text.strip_prefix('"') {
            Some(inner) => Self::Quoted(inner.get(..inner.len().wrapping_sub(1)).unwrap_or(inner)),
            None => Self::Token(text),
        }
    }

    /// What it says, on one line. Allocates only where a backslash or a folded line must go.
    pub fn to_str(&self) -> Cow<'a, str> {
        let text = self.as_written();
        match memchr::memchr3(b'\\', b'\r', b'\n', text.as_bytes()) {
            None => Cow::Borrowed(text),
            Some(_) if matches!(self, Self::Quoted(_)) => Cow::Owned(self.chars().collect()),
            Some(_) => unfold(text),
        }
    }

    /// The bytes as they are written, without the quotes.
    pub const fn as_written(&self) -> &'a str {
        match *self {
            Self::Token(text) | Self::Quoted(text) | Self::Plain(text) => text,
        }
    }

    /// What it says, character by character, on one line.
    fn chars(&self) -> impl Iterator<Item = char> + use<'a> {
        let quoted = matches!(self, Self::Quoted(_));
        let mut chars = unfolded(self.as_written());
        std::iter::from_fn(move || match chars.next()? {
            '\\' if quoted => chars.next(),
            other => Some(other),
        })
    }
}

pub(crate) const fn is_line_end(c: char) -> bool {
    matches!(c, '\r' | '\n')
}

pub(crate) const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// The characters of a text on one line: white space with a line end in it is a single space, since
/// "all linear white space, including folding, has the same semantics as SP" (RFC 3261 section
/// 25.1). Other white space stays as it is.
pub(crate) fn unfolded(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut rest = text;
    // So much of the rest is white space without a line end.
    let mut blank = 0;
    std::iter::from_fn(move || {
        let c = rest.chars().next()?;
        if blank == 0 && (is_blank(c) || is_line_end(c)) {
            let behind = rest.trim_start_matches(|c| is_blank(c) || is_line_end(c));
            let space = rest.len() - behind.len();
            if rest
                .get(..space)
                .is_some_and(|space| space.contains(is_line_end))
            {
                rest = behind;
                return Some(' ');
            }
            blank = space;
        }
        blank = blank.saturating_sub(1);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        Some(c)
    })
}

/// A text on one line, as [`unfolded`] has it.
pub(crate) fn unfold(text: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'\r', b'\n', text.as_bytes()).is_none() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(unfolded(text).collect())
    }
}

/// Whether there is nothing in it that has a meaning between quotes: so it is with nearly all values, and told at once.
fn is_plain(text: &str) -> bool {
    memchr::memchr2(b'"', b'\\', text.as_bytes()).is_none() && !has_control(text.as_bytes())
}

/// Whether this can stand between quotes as it is: no quote without a backslash, no backslash with
/// nothing behind it that may follow one, no control character alone.
fn is_between_quotes(text: &str) -> bool {
    if is_plain(text) {
        return true;
    }
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return true,
            [b'\\', b'\r' | b'\n' | 0x80.., ..] => return false,
            [b'\\', _, behind @ ..]
            | [b'\r', b'\n', b' ' | b'\t', behind @ ..]
            | [b'\t', behind @ ..] => behind,
            [b'"' | b'\\', ..] => return false,
            [byte, ..] if byte.is_ascii_control() => return false,
            [_, behind @ ..] => behind,
        };
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.chars().eq(other.chars())
    }
}

impl Eq for Text<'_> {}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.chars().eq(other.chars())
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

fn in_quotes(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    f.write_str(text)?;
    f.write_char('"')
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Token(text) if is_token(text) || is_ipv6(text) => f.write_str(text),
            Self::Quoted(text) if is_between_quotes(text) => in_quotes(text, f),
            Self::Plain(text) if is_plain(text) => in_quotes(text, f),
            Self::Token(_) | Self::Quoted(_) | Self::Plain(_) => {
                f.write_char('"')?;
                // A line end cannot be quoted; it would end the field.
                for c in self.chars() {
                    if matches!(c, '"' | '\\') || (c.is_ascii_control() && c != '\t') {
                        f.write_char('\\')?;
                    }
                    f.write_char(c)?;
                }
                f.write_char('"')
            }
        }
    }
}
