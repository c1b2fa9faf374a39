//! User-Agent and Server.

use std::fmt;

use crate::text::unfold;
use crate::{ErrorKind, HeaderName, ParseError, TypedHeader};

macro_rules! software_header {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a>(&'a str);

        impl<'a> $name<'a> {
            /// As written.
            pub const fn as_str(&self) -> &'a str {
                self.0
            }
        }

        impl<'a> TypedHeader<'a> for $name<'a> {
            const NAME: HeaderName<'static> = HeaderName::$name;

            fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
                let value = value.trim_matches([' ', '\t', '\r', '\n']);
                if value.is_empty() {
                    let error = ParseError::new(ErrorKind::HeaderValue, 0, "a product");
                    return Err(error.in_header(Self::NAME));
                }
                Ok((Self(value), ""))
            }
        }

        /// The same however it is folded.
        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                unfold(self.0) == unfold(other.0)
            }
        }

        impl Eq for $name<'_> {}

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }
    };
}

software_header! {
    /// The software of the client, such as `Cisco-CSF` (RFC 3261 section 20.41).
    ///
    /// Any text is read: products write what they like here, and nothing depends on it.
    UserAgent
}

software_header! {
    /// The software of the server, such as `Cisco-CUCM12.5` (RFC 3261 section 20.35).
    ///
    /// Any text is read, as in [`UserAgent`].
    Server
}
