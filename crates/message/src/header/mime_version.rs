//! MIME-Version.

use std::fmt;

use crate::grammar::{expected, number, single};
use crate::{HeaderName, ParseError, TypedHeader};

/// The version of MIME, 1.0 (RFC 3261 section 20.24).
///
/// `MIME-Version = "MIME-Version" HCOLON 1*DIGIT "." 1*DIGIT`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MimeVersion {
    /// Before the dot.
    pub major: u32,
    /// After the dot.
    pub minor: u32,
}

impl<'a> TypedHeader<'a> for MimeVersion {
    const NAME: HeaderName<'static> = HeaderName::MimeVersion;

    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        single(value, Self::NAME, |input| {
            let (rest, major) = number(input, u32::MAX, "a version such as 1.0")?;
            let Some(rest) = rest.strip_prefix('.') else {
                return expected(rest, "a dot");
            };
            let (rest, minor) = number(rest, u32::MAX, "a number after the dot")?;
            Ok((rest, Self { major, minor }))
        })
    }
}

impl fmt::Display for MimeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
