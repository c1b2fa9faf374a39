//! Authorization and Proxy-Authorization.

use crate::auth::{Credentials, credentials};
use crate::grammar::single;
use crate::{HeaderName, ParseError, TypedHeader};

macro_rules! authorization_header {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a>(pub Credentials<'a>);

        impl<'a> $name<'a> {
            /// The credentials.
            pub const fn credentials(&self) -> Credentials<'a> {
                self.0
            }
        }

        impl<'a> TypedHeader<'a> for $name<'a> {
            const NAME: HeaderName<'static> = HeaderName::$name;

            #[inline]
            fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
                let (credentials, rest) = single(value, Self::NAME, credentials)?;
                Ok((Self(credentials), rest))
            }
        }
    };
}

authorization_header! {
    /// Credentials that answer a 401 (RFC 3261 section 20.7).
    ///
    /// It has no `Display`: writing credentials takes
    /// [`BearerCredentials::to_header_value`](crate::BearerCredentials::to_header_value).
    Authorization
}

authorization_header! {
    /// Credentials that answer a 407 (RFC 3261 section 20.28).
    ///
    /// ```
    /// use sip_oauth_message::{header::ProxyAuthorization, Credentials, TypedHeader};
    /// let header = ProxyAuthorization::parse(r#"Bearer token="eyJh.eyJp.c2ln""#)?;
    /// let Credentials::Bearer(bearer) = header.credentials() else { unreachable!() };
    /// assert_eq!(bearer.expose(), "eyJh.eyJp.c2ln");
    /// assert_eq!(format!("{bearer:?}"), "Bearer <14 bytes>");
    /// # Ok::<(), sip_oauth_message::ParseError>(())
    /// ```
    ProxyAuthorization
}
