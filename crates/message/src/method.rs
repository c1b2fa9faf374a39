//! Request methods.

use std::borrow::Cow;
use std::fmt;

use crate::grammar::is_token;
use crate::{ErrorKind, ParseError};

macro_rules! methods {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// A request method; case-sensitive (RFC 3261 section 7.1).
        ///
        /// ```
        /// use sip_oauth_message::Method;
        /// assert_eq!(Method::parse("REGISTER")?, Method::Register);
        /// assert_eq!(Method::parse("register")?.as_str(), "register");
        /// # Ok::<(), sip_oauth_message::ParseError>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Method<'a> {
            $($(#[$doc])* $variant,)*
            /// Any other token.
            Other(OtherMethod<'a>),
        }

        impl<'a> Method<'a> {
            /// The method as it is written.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(other) => other.as_str(),
                }
            }

            /// The method a token names. The caller has checked that it is one, or will.
            pub(crate) fn from_token(token: &'a str) -> Self {
                match token {
                    $($text => Self::$variant,)*
                    other => Self::Other(OtherMethod(Cow::Borrowed(other))),
                }
            }

            /// The same method without a borrow.
            pub fn into_owned(self) -> Method<'static> {
                match self {
                    $(Self::$variant => Method::$variant,)*
                    Self::Other(other) => {
                        Method::Other(OtherMethod(Cow::Owned(other.0.into_owned())))
                    }
                }
            }
        }
    };
}

methods! {
    /// RFC 3261 section 13.
    Invite = "INVITE",
    /// RFC 3261 section 13.
    Ack = "ACK",
    /// RFC 3261 section 15.
    Bye = "BYE",
    /// RFC 3261 section 9.
    Cancel = "CANCEL",
    /// RFC 3261 section 10.
    Register = "REGISTER",
    /// RFC 3261 section 11.
    Options = "OPTIONS",
    /// RFC 6086.
    Info = "INFO",
    /// RFC 3262.
    Prack = "PRACK",
    /// RFC 6665.
    Subscribe = "SUBSCRIBE",
    /// RFC 6665.
    Notify = "NOTIFY",
    /// RFC 3311.
    Update = "UPDATE",
    /// RFC 3428.
    Message = "MESSAGE",
    /// RFC 3515.
    Refer = "REFER",
    /// RFC 3903.
    Publish = "PUBLISH",
}

/// `extension-method = token` (RFC 3261 section 25.1): a method that is none of those above.
///
/// [`Method::parse`] makes one, so that it is a token and no known method.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OtherMethod<'a>(Cow<'a, str>);

impl OtherMethod<'_> {
    /// The method as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> Method<'a> {
    /// Reads a method.
    ///
    /// # Errors
    ///
    /// When `text` is not a token (RFC 3261 section 25.1).
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        if is_token(text) {
            Ok(Self::from_token(text))
        } else {
            Err(ParseError::new(ErrorKind::StartLine, 0, "a method token"))
        }
    }
}

impl fmt::Display for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
