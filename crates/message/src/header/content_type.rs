//! Content-Type.

use std::borrow::Cow;
use std::fmt;

use crate::grammar::{Parsed, cut, expected, from_part, separator, single, token};
use crate::params::params;
use crate::{HeaderName, Params, ParseError, TypedHeader};

/// The media type of the body (RFC 3261 section 20.15).
///
/// ```text
/// media-type  = m-type SLASH m-subtype *(SEMI m-parameter)
/// m-parameter = m-attribute EQUAL m-value
/// ```
///
/// ```
/// use sip_oauth_message::{header::ContentType, TypedHeader};
/// let kind = ContentType::parse("multipart/mixed; boundary=uniqueBoundary")?;
/// assert!(kind.is("multipart", "mixed"));
/// assert_eq!(kind.boundary().as_deref(), Some("uniqueBoundary"));
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ContentType<'a> {
    main: &'a str,
    sub: &'a str,
    params: Params<'a>,
}

/// Type and subtype have no case (RFC 3261 section 7.3.1).
impl PartialEq for ContentType<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.main, other.sub) && self.params == other.params
    }
}

impl Eq for ContentType<'_> {}

impl<'a> ContentType<'a> {
    /// Before the slash.
    pub const fn main_type(&self) -> &'a str {
        self.main
    }

    /// After the slash.
    pub const fn sub_type(&self) -> &'a str {
        self.sub
    }

    /// Whether this is `main/sub`, without regard to case.
    pub fn is(&self, main: &str, sub: &str) -> bool {
        self.main.eq_ignore_ascii_case(main) && self.sub.eq_ignore_ascii_case(sub)
    }

    /// The boundary of a multipart body (RFC 2046 section 5.1.1).
    pub fn boundary(&self) -> Option<Cow<'a, str>> {
        self.params.text("boundary")
    }

    /// The parameters.
    pub const fn params(&self) -> Params<'a> {
        self.params
    }
}

impl<'a> TypedHeader<'a> for ContentType<'a> {
    const NAME: HeaderName<'static> = HeaderName::ContentType;

    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        single(value, Self::NAME, content_type)
    }
}

fn content_type(input: &str) -> Parsed<'_, ContentType<'_>> {
    let (rest, (main, sub, params)) = media_type(input)?;
    if let Some(without) = params.iter().find(|param| param.value.is_none()) {
        let name = from_part(input, without.name);
        return expected(
            cut(name, without.name.len()).1,
            "a value for each parameter",
        );
    }
    Ok((rest, ContentType { main, sub, params }))
}

/// Type, subtype and parameters. The star of a media range is a token as well.
pub(super) fn media_type(input: &str) -> Parsed<'_, (&str, &str, Params<'_>)> {
    let (rest, main) = token(input)?;
    let (rest, ()) = separator(rest, '/', "a slash after the type")?;
    let (rest, sub) = token(rest)?;
    let (rest, params) = params(rest)?;
    Ok((rest, (main, sub, params)))
}

impl fmt::Display for ContentType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.main, self.sub, self.params)
    }
}
