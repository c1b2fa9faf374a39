//! Tokens as secrets: zeroized, printed as their length, compared in constant time.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::error::TokenError;
use crate::text::{check_refresh_text, check_text};

/// Whether two secrets are equal, in a time that depends on their lengths only.
pub(crate) fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && std::hint::black_box(
            left.iter()
                .zip(right)
                .fold(0_u8, |difference, (l, r)| difference | (l ^ r)),
        ) == 0
}

macro_rules! secret_token {
    ($(#[$doc:meta])* $name:ident, $(#[$grammar:meta])* $check:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            $(#[$grammar])*
            /// 1 to [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES) bytes.
            ///
            /// Nothing is trimmed. Who reads a token from a file decides whether the newline at
            /// its end, which text editors leave, is cut first.
            ///
            /// # Errors
            ///
            /// Empty or overlong text; a line break or another character outside that grammar, with the
            /// offset of its byte.
            pub fn parse(text: &str) -> Result<Self, TokenError> {
                $check(text, crate::MAX_TOKEN_BYTES)?;
                Ok(Self(Zeroizing::new(text.to_owned())))
            }

            /// The token itself. Everything else this type offers is safe to print; this is not.
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// Length of the token in bytes.
            #[expect(clippy::len_without_is_empty, reason = "a parsed token is never empty")]
            pub fn len(&self) -> usize {
                self.0.len()
            }
        }

        impl FromStr for $name {
            type Err = TokenError;

            fn from_str(text: &str) -> Result<Self, TokenError> {
                Self::parse(text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), " <{} bytes>"), self.len())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "<{} bytes>", self.len())
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                constant_time_eq(self.0.as_bytes(), other.0.as_bytes())
            }
        }

        impl Eq for $name {}
    };
}

secret_token! {
    /// An access token (RFC 6749 section 1.4), as a client sends it to a registrar.
    ///
    /// A client cannot read it: Unified CM's tokens are encrypted, and RFC 6749 makes the text
    /// opaque to the client. Its lifetime is the `expires_in` the authorization server told.
    ///
    /// ```
    /// use sip_oauth_token::AccessToken;
    ///
    /// let token = AccessToken::parse("bXktc2VjcmV0")?;
    /// assert_eq!(token.expose(), "bXktc2VjcmV0");
    /// assert_eq!(format!("{token:?}"), "AccessToken <12 bytes>");
    ///
    /// let refused = AccessToken::parse("bXktc2VjcmV0\n").unwrap_err();
    /// assert_eq!(refused.to_string(), "token: line break at byte 12; a token is one line");
    /// # Ok::<(), sip_oauth_token::TokenError>(())
    /// ```
    AccessToken,
    /// Takes the text of a token as it stands in a credential: RFC 6750 section 2.1 `b64token`, one line,
    check_text
}

secret_token! {
    /// A refresh token (RFC 6749 section 1.5). It goes to the authorization server only, never into
    /// SIP (RFC 8898 section 2.1.1), and may hold what no header field there could.
    RefreshToken,
    /// Takes the text of a token as it stands in a token answer: RFC 6749 appendix A.17 `1*VSCHAR`, one line,
    check_refresh_text
}
