//! Event.

use std::fmt;

use crate::grammar::{single, token};
use crate::params::params;
use crate::{HeaderName, Params, ParseError, TypedHeader};

/// The event package of a subscription (RFC 6665 section 8.2.1).
///
/// `Event = ( "Event" / "o" ) HCOLON event-type *( SEMI event-param )`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    package: &'a str,
    params: Params<'a>,
}

impl<'a> Event<'a> {
    /// The package with its templates, such as `presence.winfo`.
    pub const fn package(&self) -> &'a str {
        self.package
    }

    /// The `id` that tells subscriptions of one dialog apart.
    pub fn id(&self) -> Option<&'a str> {
        self.params.token("id")
    }

    /// The parameters.
    pub const fn params(&self) -> Params<'a> {
        self.params
    }
}

impl<'a> TypedHeader<'a> for Event<'a> {
    const NAME: HeaderName<'static> = HeaderName::Event;

    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        single(value, Self::NAME, |input| {
            let (rest, package) = token(input)?;
            let (rest, params) = params(rest)?;
            Ok((rest, Self { package, params }))
        })
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.package, self.params)
    }
}
