//! Content-Disposition.

use std::fmt;

use crate::grammar::{single, token};
use crate::params::params;
use crate::{HeaderName, Params, ParseError, TypedHeader};

/// What the body is for (RFC 3261 section 20.11).
///
/// `Content-Disposition = "Content-Disposition" HCOLON disp-type *( SEMI disp-param )`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentDisposition<'a> {
    kind: &'a str,
    params: Params<'a>,
}

impl<'a> ContentDisposition<'a> {
    /// The disposition, such as `session`.
    pub const fn disposition(&self) -> &'a str {
        self.kind
    }

    /// Whether a recipient that does not know the body may ignore it: `handling=optional`.
    pub fn is_optional(&self) -> bool {
        let handling = self.params.token("handling");
        handling.is_some_and(|handling| handling.eq_ignore_ascii_case("optional"))
    }

    /// The parameters.
    pub const fn params(&self) -> Params<'a> {
        self.params
    }
}

impl<'a> TypedHeader<'a> for ContentDisposition<'a> {
    const NAME: HeaderName<'static> = HeaderName::ContentDisposition;

    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        single(value, Self::NAME, |input| {
            let (rest, kind) = token(input)?;
            let (rest, params) = params(rest)?;
            Ok((rest, Self { kind, params }))
        })
    }
}

impl fmt::Display for ContentDisposition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind, self.params)
    }
}
