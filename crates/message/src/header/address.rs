//! From, To, Refer-To and the Route family: header fields that hold addresses.

use std::fmt;

use crate::grammar::{element, single};
use crate::name_addr::{NameAddr, name_addr, route_param};
use crate::{HeaderName, Params, ParseError, Text, TypedHeader, Uri};

macro_rules! address_header {
    ($(#[$doc:meta])* $name:ident by $split:ident of $address:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a>(pub NameAddr<'a>);

        impl<'a> $name<'a> {
            /// The URI.
            pub const fn uri(&self) -> Uri<'a> {
                self.0.uri()
            }

            /// The display name, if there is one that is not empty.
            pub fn display_name(&self) -> Option<Text<'a>> {
                self.0.display_name()
            }

            /// The parameters behind the URI.
            pub const fn params(&self) -> Params<'a> {
                self.0.params()
            }
        }

        impl<'a> TypedHeader<'a> for $name<'a> {
            const NAME: HeaderName<'static> = HeaderName::$name;

            #[inline]
            fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
                let (address, rest) = $split(value, Self::NAME, $address)?;
                Ok((Self(address), rest))
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

address_header! {
    /// Who the request comes from (RFC 3261 section 20.20).
    ///
    /// ```
    /// use sip_oauth_message::{header::From, TypedHeader};
    /// let from = From::parse("<sip:1010@ucm.example.com>;tag=020000001234")?;
    /// assert_eq!(from.tag(), Some("020000001234"));
    /// # Ok::<(), sip_oauth_message::ParseError>(())
    /// ```
    From by single of name_addr
}

address_header! {
    /// Who the request is about (RFC 3261 section 20.39).
    To by single of name_addr
}

address_header! {
    /// Where a REFER refers to (RFC 3515 section 2.1).
    ReferTo by single of name_addr
}

address_header! {
    /// One hop of the way of a request (RFC 3261 section 20.34).
    Route by element of route_param
}

address_header! {
    /// One hop that wants to stay on the way (RFC 3261 section 20.30).
    RecordRoute by element of route_param
}

address_header! {
    /// One hop between a user agent and its registrar (RFC 3327).
    Path by element of route_param
}

address_header! {
    /// One hop that requests of the registered user agent must take (RFC 3608).
    ServiceRoute by element of route_param
}

impl<'a> From<'a> {
    /// The tag.
    pub fn tag(&self) -> Option<&'a str> {
        self.params().token("tag")
    }
}

impl<'a> To<'a> {
    /// The tag, once there is one.
    pub fn tag(&self) -> Option<&'a str> {
        self.params().token("tag")
    }
}
