//! Header fields as types, one file each.
//!
//! Each type borrows the value, checks it when it is decoded and writes it with `Display`.
//! [`TypedHeader`](crate::TypedHeader) is the way in.
//!
//! A list is the same list whether it stands in one field or in several: take all values of it.
//! An element of Via, Contact, Route and their like is one value; of the lists of tokens (Allow,
//! Supported, Require, Proxy-Require, Unsupported), the tokens of one field are.

mod accept;
mod address;
mod allow;
mod authenticate;
mod authorization;
mod call_id;
mod check_value;
mod contact;
mod content_disposition;
mod content_length;
mod content_type;
mod cseq;
mod date;
mod event;
mod expires;
mod max_forwards;
mod mime_version;
mod option_tags;
mod reason;
mod retry_after;
mod session_id;
mod software;
mod via;
mod warning;

pub use self::accept::{Accept, MediaRange};
pub use self::address::{From, Path, RecordRoute, ReferTo, Route, ServiceRoute, To};
pub use self::allow::Allow;
pub use self::authenticate::{ProxyAuthenticate, WwwAuthenticate};
pub use self::authorization::{Authorization, ProxyAuthorization};
pub use self::call_id::CallId;
pub use self::check_value::check_value;
pub use self::contact::{Contact, QValue};
pub use self::content_disposition::ContentDisposition;
pub use self::content_length::ContentLength;
pub use self::content_type::ContentType;
pub use self::cseq::CSeq;
pub use self::date::Date;
pub use self::event::Event;
pub use self::expires::{Expires, MinExpires};
pub use self::max_forwards::MaxForwards;
pub use self::mime_version::MimeVersion;
pub use self::option_tags::{ProxyRequire, Require, Supported, Unsupported};
pub use self::reason::{AlarmLoads, CiscoAlarm, Reason};
pub use self::retry_after::RetryAfter;
pub use self::session_id::SessionId;
pub use self::software::{Server, UserAgent};
pub use self::via::{OtherTransport, ReceivedVia, Rport, Transport, Via};
pub use self::warning::Warning;

/// Gives the types of [`header`](crate::header) to a macro, all but Authorization and
/// Proxy-Authorization, whose values are neither compared nor written by `Display`.
///
/// The one list of them, for this crate, its tests and fuzz targets.
#[doc(hidden)]
#[macro_export]
macro_rules! each_header {
    ($do:ident) => {
        $do! {
            Accept<'_>,
            Allow<'_>,
            CSeq<'_>,
            CallId<'_>,
            Contact<'_>,
            ContentDisposition<'_>,
            ContentLength,
            ContentType<'_>,
            Date<'_>,
            Event<'_>,
            Expires,
            From<'_>,
            MaxForwards,
            MimeVersion,
            MinExpires,
            Path<'_>,
            ProxyAuthenticate<'_>,
            ProxyRequire<'_>,
            Reason<'_>,
            RecordRoute<'_>,
            ReferTo<'_>,
            Require<'_>,
            RetryAfter<'_>,
            Route<'_>,
            Server<'_>,
            ServiceRoute<'_>,
            SessionId<'_>,
            Supported<'_>,
            To<'_>,
            Unsupported<'_>,
            UserAgent<'_>,
            Via<'_>,
            Warning<'_>,
            WwwAuthenticate<'_>,
        }
    };
}

/// A field whose value is one decimal number, up to the most that its type holds.
macro_rules! number_header {
    ($(#[$doc:meta])* $name:ident($number:ty) <= $max:expr, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $number);

        impl<'a> crate::TypedHeader<'a> for $name {
            const NAME: crate::HeaderName<'static> = crate::HeaderName::$name;

            #[inline]
            fn decode(value: &'a str) -> Result<(Self, &'a str), crate::ParseError> {
                // Digits alone are what nearly everybody writes; the rule tells what else is wrong.
                if let Some(number) = crate::grammar::few_digits(value)
                    && let Ok(number) = <$number>::try_from(number)
                {
                    return Ok((Self(number), ""));
                }
                crate::grammar::single(value, Self::NAME, |input| {
                    let (rest, number) = crate::grammar::number(input, $max, $what)?;
                    let number = <$number>::try_from(number).expect("bounded by the maximum");
                    Ok((rest, Self(number)))
                })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

/// A field whose value is a comma-separated list of tokens.
macro_rules! token_list_header {
    ($(#[$doc:meta])* $name:ident, empty: $empty:literal, $case:literal by $same:path) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a>(&'a str);

        /// The same tokens in the same order, whatever white space is between them.
        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.iter().eq(other.iter())
            }
        }

        impl Eq for $name<'_> {}

        impl<'a> $name<'a> {
            /// The tokens, in order.
            pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
                crate::header::tokens(self.0)
            }

            #[doc = concat!("Whether `token` is in the list; compared ", $case, " regard to case.")]
            pub fn contains(&self, token: &str) -> bool {
                self.iter().any(|t| $same(t, token))
            }

            /// The list as written.
            pub const fn as_str(&self) -> &'a str {
                self.0
            }
        }

        impl<'a> crate::TypedHeader<'a> for $name<'a> {
            const NAME: crate::HeaderName<'static> = crate::HeaderName::$name;

            fn decode(value: &'a str) -> Result<(Self, &'a str), crate::ParseError> {
                crate::grammar::single(value, Self::NAME, |input| {
                    let (rest, list) = crate::header::token_list(input, $empty)?;
                    Ok((rest, Self(list)))
                })
            }
        }

        impl std::fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.0)
            }
        }
    };
}

use number_header;
use token_list_header;

use crate::grammar::{Parsed, cut, separator, skip_lws, token, trim_end};

/// `[ token *( COMMA token ) ]`, as written.
fn token_list(input: &str, may_be_empty: bool) -> Parsed<'_, &str> {
    if input.is_empty() && may_be_empty {
        return Ok((input, ""));
    }
    let (mut rest, _) = token(input)?;
    while skip_lws(rest).starts_with(',') {
        let (after, ()) = separator(rest, ',', "a comma")?;
        rest = token(after)?.0;
    }
    let (list, _) = cut(input, input.len() - rest.len());
    Ok((rest, trim_end(list)))
}

/// The tokens of a list that was checked.
fn tokens(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(|t| t.trim_matches([' ', '\t', '\r', '\n']))
        .filter(|t| !t.is_empty())
}
