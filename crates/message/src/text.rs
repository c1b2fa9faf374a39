//! Values that may stand with or without quotes.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// A token or a quoted string, and how it is written.
///
/// Two texts are equal when they say the same, however they are written.
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
    /// Written without quotes.
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

    /// What it says. Allocates only where a backslash or a folded line must go.
    pub fn to_str(&self) -> Cow<'a, str> {
        match *self {
            Self::Token(text) | Self::Plain(text) => Cow::Borrowed(text),
            Self::Quoted(text) if memchr::memchr2(b'\\', b'\r', text.as_bytes()).is_none() => {
                Cow::Borrowed(text)
            }
            Self::Quoted(_) => Cow::Owned(self.chars().collect()),
        }
    }

    /// The bytes as they are written, without the quotes.
    pub const fn as_written(&self) -> &'a str {
        match *self {
            Self::Token(text) | Self::Quoted(text) | Self::Plain(text) => text,
        }
    }

    /// What it says, character by character; a line end of a folded line is left out.
    fn chars(&self) -> impl Iterator<Item = char> + use<'a> {
        let quoted = matches!(self, Self::Quoted(_));
        let mut chars = self.as_written().chars();
        std::iter::from_fn(move || {
            loop {
                match chars.next()? {
                    '\\' if quoted => return chars.next(),
                    '\r' | '\n' if quoted => {}
                    other => return Some(other),
                }
            }
        })
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

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Token(text) => f.write_str(text),
            Self::Quoted(text) => write!(f, "\"{text}\""),
            Self::Plain(text) => {
                f.write_char('"')?;
                for c in text.chars() {
                    match c {
                        '"' | '\\' => write!(f, "\\{c}")?,
                        // A line end cannot be quoted; it would end the field.
                        '\r' | '\n' => f.write_char(' ')?,
                        c if c.is_ascii_control() && c != '\t' => write!(f, "\\{c}")?,
                        c => f.write_char(c)?,
                    }
                }
                f.write_char('"')
            }
        }
    }
}
