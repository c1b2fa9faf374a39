//! Accept.

use std::fmt;

use super::QValue;
use super::content_type::media_type;
use crate::grammar::{Parsed, element};
use crate::{HeaderName, Params, ParseError, TypedHeader};

/// One media range that the sender understands in a body (RFC 3261 section 20.1).
///
/// ```text
/// Accept       = "Accept" HCOLON [ accept-range *(COMMA accept-range) ]
/// accept-range = media-range *(SEMI accept-param)
/// media-range  = ( "*/*" / ( m-type SLASH "*" ) / ( m-type SLASH m-subtype ) ) *( SEMI m-parameter )
/// ```
///
/// An empty field says that no body is understood; it has one element, [`Accept::Nothing`].
/// Where the field is absent, `application/sdp` is meant.
///
/// ```
/// use sip_oauth_message::{header::Accept, TypedHeader};
/// let accept = Accept::parse("application/*;q=0.5;level=1")?;
/// assert!(accept.matches("Application", "SDP") && !accept.matches("text", "plain"));
/// assert_eq!(accept.q().thousandths(), 500);
/// assert!(Accept::parse("*/*")?.matches("text", "plain"));
/// assert_eq!(Accept::parse("")?, Accept::Nothing);
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept<'a> {
    /// A media range.
    Range(MediaRange<'a>),
    /// No body at all.
    Nothing,
}

/// A media type in which `*` stands for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaRange<'a> {
    main: &'a str,
    sub: &'a str,
    params: Params<'a>,
}

impl<'a> MediaRange<'a> {
    /// Before the slash; `*` for all.
    pub const fn main_type(&self) -> &'a str {
        self.main
    }

    /// After the slash; `*` for all.
    pub const fn sub_type(&self) -> &'a str {
        self.sub
    }

    /// The parameters: those of the media type, and `q` and what follows it.
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// How many of the two names `main/sub` is in the range by; `None` where it is not.
    pub(crate) fn specificity(&self, main: &str, sub: &str) -> Option<u8> {
        let fits = |range: &str, one: &str| match range {
            "*" => Some(0),
            range => range.eq_ignore_ascii_case(one).then_some(1),
        };
        Some(fits(self.main, main)? + fits(self.sub, sub)?)
    }
}

impl<'a> Accept<'a> {
    /// The range, unless nothing is accepted.
    pub const fn range(&self) -> Option<MediaRange<'a>> {
        match self {
            Self::Range(range) => Some(*range),
            Self::Nothing => None,
        }
    }

    /// Whether `main/sub` is in the range and not at `q=0`. Parameters of the media type are not
    /// compared.
    pub fn matches(&self, main: &str, sub: &str) -> bool {
        let fits = |range: MediaRange<'_>| range.specificity(main, sub).is_some();
        self.range().is_some_and(fits) && self.q() > QValue::ZERO
    }

    /// How much this is preferred; 1 where it does not say, 0 for [`Accept::Nothing`].
    pub fn q(&self) -> QValue {
        match self {
            Self::Range(range) => {
                let written = range.params.token("q").and_then(QValue::parse);
                written.unwrap_or(QValue::ONE)
            }
            Self::Nothing => QValue::ZERO,
        }
    }
}

impl<'a> TypedHeader<'a> for Accept<'a> {
    const NAME: HeaderName<'static> = HeaderName::Accept;

    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        if value.is_empty() {
            return Ok((Self::Nothing, ""));
        }
        element(value, Self::NAME, range)
    }
}

fn range(input: &str) -> Parsed<'_, Accept<'_>> {
    let (rest, (main, sub, params)) = media_type(input)?;
    Ok((rest, Accept::Range(MediaRange { main, sub, params })))
}

impl fmt::Display for Accept<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(range) => write!(f, "{}/{}{}", range.main, range.sub, range.params),
            Self::Nothing => Ok(()),
        }
    }
}
