//! Text that is known to fit its field and to be writable as XML.

use std::{fmt, str::FromStr};

/// Why a value does not fit its field. Counts are of characters, as XML Schema's `maxLength`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// Nothing where something is required.
    #[error("expected a value, found an empty one")]
    Empty,
    /// Longer than the field.
    #[error("expected at most {max} characters, found {found}")]
    TooLong {
        /// The field's length in characters.
        max: usize,
        /// The value's.
        found: usize,
    },
    /// A character that may not stand here.
    #[error("expected no U+{:04X}, found one at byte {offset} of the value", *.character as u32)]
    Character {
        /// The character.
        character: char,
        /// Its byte offset in the value.
        offset: usize,
    },
    /// Not a GUID.
    #[error("expected a GUID in braces, such as {{8E0F7C1A-2B3C-4D5E-6F70-8192A3B4C5D6}}")]
    Uuid,
}

/// Whether XML 1.0 (production 2, `Char`) allows the character, even as a reference.
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn check(text: &str, max: usize, allowed: impl Fn(char) -> bool) -> Result<(), FieldError> {
    if let Some((offset, character)) = text.char_indices().find(|(_, c)| !allowed(*c)) {
        return Err(FieldError::Character { character, offset });
    }
    match text.chars().count() {
        found if found > max => Err(FieldError::TooLong { max, found }),
        _ => Ok(()),
    }
}

macro_rules! text_impls {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> $type {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<$($generics)*> AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl<$($generics)*> fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<$($generics)*> FromStr for $type {
            type Err = FieldError;

            fn from_str(text: &str) -> Result<Self, FieldError> {
                Self::new(text)
            }
        }

        impl<$($generics)*> TryFrom<String> for $type {
            type Error = FieldError;

            fn try_from(text: String) -> Result<Self, FieldError> {
                Self::new(text)
            }
        }

        impl<$($generics)*> TryFrom<&str> for $type {
            type Error = FieldError;

            fn try_from(text: &str) -> Result<Self, FieldError> {
                Self::new(text)
            }
        }

        impl<$($generics)*> From<$type> for String {
            fn from(text: $type) -> String {
                text.0
            }
        }
    };
}

/// At most `MAX` characters that XML 1.0 can carry: no control character but tab, line feed and
/// carriage return. It may be empty.
///
/// ```
/// use sip_oauth_axl::{Description, FieldError};
///
/// assert_eq!(Description::new("R&D <edge>")?.as_str(), "R&D <edge>");
/// assert_eq!(Description::new("x".repeat(51)), Err(FieldError::TooLong { max: 50, found: 51 }));
/// assert!(Description::new("bell\u{7}").is_err());
/// # Ok::<(), FieldError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// The length of the field in characters.
    pub const MAX_CHARS: usize = MAX;

    /// Checks the text.
    ///
    /// # Errors
    ///
    /// [`FieldError::Character`] for a character XML cannot carry, [`FieldError::TooLong`] beyond
    /// `MAX` characters.
    pub fn new(text: impl Into<String>) -> Result<Self, FieldError> {
        let text = text.into();
        check(&text, MAX, is_xml_char)?;
        Ok(Self(text))
    }

    /// Keeps what fits: characters XML cannot carry become U+FFFD, and the end is cut at `MAX`
    /// characters. For text that must go out whatever it is, such as an error message.
    #[must_use]
    pub fn lossy(text: &str) -> Self {
        let fitting = text.chars().take(MAX).map(|c| {
            if is_xml_char(c) {
                c
            } else {
                char::REPLACEMENT_CHARACTER
            }
        });
        Self(fitting.collect())
    }
}

text_impls!([const MAX: usize] Text<MAX>);

/// `description`: at most 50 characters.
pub type Description = Text<50>;

/// `X509SubjectNameorSubjectAlternateName`: at most 4096 characters, several names in one string.
///
/// The product does not document how the names are separated; see
/// [`push::split_names`](crate::push::split_names).
pub type X509Names = Text<4096>;

/// A name of a Unified CM object. The bound of 255 is this crate's.
pub type ObjectName = Text<255>;

/// Free text: fault messages, SQL, search patterns. The bound of 65 536 is this crate's.
pub type Prose = Text<65_536>;

/// `HostNameOrIP`, the key of an Expressway-C row: 1 to 255 characters, no control character.
///
/// ```
/// use sip_oauth_axl::HostNameOrIp;
///
/// let host = HostNameOrIp::new("expc1.example.com")?;
/// assert!(host.is_same_host(&HostNameOrIp::new("EXPC1.example.com")?));
/// assert!(HostNameOrIp::new("").is_err());
/// # Ok::<(), sip_oauth_axl::FieldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostNameOrIp(String);

impl HostNameOrIp {
    /// The length of the field in characters.
    pub const MAX_CHARS: usize = 255;

    /// Checks the text.
    ///
    /// # Errors
    ///
    /// [`FieldError::Empty`], [`FieldError::TooLong`], or [`FieldError::Character`] for any
    /// control character.
    pub fn new(text: impl Into<String>) -> Result<Self, FieldError> {
        let text = text.into();
        if text.is_empty() {
            return Err(FieldError::Empty);
        }
        check(&text, Self::MAX_CHARS, |c| {
            is_xml_char(c) && !c.is_control()
        })?;
        Ok(Self(text))
    }

    /// Whether both name one host: equal but for the case of ASCII letters.
    pub fn is_same_host(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

text_impls!([] HostNameOrIp);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters() {
        assert!(Description::new("ü".repeat(50)).is_ok());
        assert_eq!(
            HostNameOrIp::new("h".repeat(256)),
            Err(FieldError::TooLong {
                max: 255,
                found: 256
            })
        );
    }

    #[test]
    fn control_characters_are_refused_where_a_name_stands() {
        for c in [
            '\0', '\u{1}', '\t', '\n', '\r', '\u{7f}', '\u{85}', '\u{FFFE}', '\u{FFFF}',
        ] {
            assert_eq!(
                HostNameOrIp::new(format!("a{c}")),
                Err(FieldError::Character {
                    character: c,
                    offset: 1
                })
            );
        }
        assert!(Prose::new("select 1\r\n\tfrom t").is_ok());
        assert!(Prose::new("\u{0}").is_err());
    }

    #[test]
    fn lossy_text_always_fits() {
        let text = Text::<4>::lossy("a\u{0}bcdef");
        assert_eq!(text.as_str(), "a\u{FFFD}bc");
        assert_eq!(Text::<4>::new(text.as_str()).as_ref(), Ok(&text));
    }
}
