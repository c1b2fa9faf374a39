//! WWW-Authenticate and Proxy-Authenticate.

use std::fmt;

use crate::auth::{Challenge, challenge};
use crate::grammar::element;
use crate::{HeaderName, ParseError, TypedHeader};

macro_rules! authenticate_header {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a>(pub Challenge<'a>);

        impl<'a> $name<'a> {
            /// The challenge.
            pub const fn challenge(&self) -> Challenge<'a> {
                self.0
            }
        }

        impl<'a> TypedHeader<'a> for $name<'a> {
            const NAME: HeaderName<'static> = HeaderName::$name;

            fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
                let (challenge, rest) = element(value, Self::NAME, challenge)?;
                Ok((Self(challenge), rest))
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

authenticate_header! {
    /// One challenge of a 401 (RFC 3261 section 20.44); a field may hold several.
    WwwAuthenticate
}

authenticate_header! {
    /// One challenge of a 407 (RFC 3261 section 20.27); a field may hold several.
    ///
    /// ```
    /// use sip_oauth_message::{header::ProxyAuthenticate, Challenge, TypedHeader};
    /// let header = ProxyAuthenticate::parse(r#"Bearer realm="ccmsipline""#)?;
    /// let Challenge::Bearer(bearer) = header.challenge() else { unreachable!() };
    /// assert_eq!(bearer.realm().unwrap(), "ccmsipline");
    /// # Ok::<(), sip_oauth_message::ParseError>(())
    /// ```
    ProxyAuthenticate
}
