//! Header fields as types, one file each.
//!
//! Each type borrows the value, checks it when it is decoded and writes it with `Display`.
//! [`TypedHeader`](crate::TypedHeader) is the way in.
//!
//! A list is the same list whether it stands in one field or in several: take all values of it. Each
//! element is one value. An empty Allow or Supported, which says that there is none, is one empty value.

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

/// One token of a field that is a comma-separated list of them.
macro_rules! token_header {
    ($(#[$doc:meta])* $name:ident, empty: $empty:literal, $case:literal by $same:path) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a>(&'a str);

        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.is(other.0)
            }
        }

        impl Eq for $name<'_> {}

        impl<'a> $name<'a> {
            #[doc = concat!("Whether this is `token`; compared ", $case, " regard to case.")]
            pub fn is(&self, token: &str) -> bool {
                $same(self.0, token)
            }

            /// As written.
            pub const fn as_str(&self) -> &'a str {
                self.0
            }
        }

        impl<'a> crate::TypedHeader<'a> for $name<'a> {
            const NAME: crate::HeaderName<'static> = crate::HeaderName::$name;

            fn decode(value: &'a str) -> Result<(Self, &'a str), crate::ParseError> {
                if $empty && value.is_empty() {
                    return Ok((Self(""), ""));
                }
                crate::grammar::element(value, Self::NAME, |input| {
                    let (rest, token) = crate::grammar::token(input)?;
                    Ok((rest, Self(token)))
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
use token_header;
