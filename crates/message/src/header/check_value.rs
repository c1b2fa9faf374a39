//! Whether a value is what its header field wants, whichever field that is.

use super::{Authorization, ProxyAuthorization};
use crate::{HeaderName, ParseError, TypedHeader};

/// Reads the whole value of a field as the type of its name, all elements of a list included. A
/// field that has no type here has no wrong values.
///
/// ```
/// use sip_oauth_message::{header, HeaderName};
/// assert!(header::check_value(HeaderName::Route, "<sip:a.example.com;lr>,<sip:b.example.com>").is_ok());
/// let error = header::check_value(HeaderName::CSeq, "1").unwrap_err();
/// assert_eq!(error.header(), Some(HeaderName::CSeq));
/// assert!(header::check_value(HeaderName::Subject, "anything").is_ok());
/// ```
///
/// # Errors
///
/// When the value breaks the grammar of its field; the offset counts from the start of the value.
pub fn check_value(name: HeaderName<'_>, value: &str) -> Result<(), ParseError> {
    macro_rules! by_name {
        ($($header:ident $(<$lifetime:lifetime>)?),* $(,)?) => {
            match name {
                $(HeaderName::$header => {
                    read_all::<super::$header $(<$lifetime>)?>(value)
                })*
                HeaderName::Authorization => read_all::<Authorization<'_>>(value),
                HeaderName::ProxyAuthorization => read_all::<ProxyAuthorization<'_>>(value),
                _ => Ok(()),
            }
        };
    }
    crate::each_header!(by_name)
}

/// Reads element after element.
fn read_all<'a, H: TypedHeader<'a>>(value: &'a str) -> Result<(), ParseError> {
    let mut rest = value;
    loop {
        let consumed = value.len() - rest.len();
        let (_, next) = H::decode(rest).map_err(|error| error.shifted(consumed))?;
        if next.is_empty() || next.len() >= rest.len() {
            return Ok(());
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::NAMES;

    /// The names without a type, and the two whose type takes any text. A type left out of `each_header` would be
    /// one of them.
    const KEPT_AS_TEXT: &[HeaderName<'static>] = &[
        HeaderName::AcceptContact,
        HeaderName::AcceptEncoding,
        HeaderName::AcceptLanguage,
        HeaderName::AlertInfo,
        HeaderName::AllowEvents,
        HeaderName::AuthenticationInfo,
        HeaderName::CallInfo,
        HeaderName::ContentEncoding,
        HeaderName::ContentId,
        HeaderName::ContentLanguage,
        HeaderName::ErrorInfo,
        HeaderName::FlowTimer,
        HeaderName::Identity,
        HeaderName::IdentityInfo,
        HeaderName::InReplyTo,
        HeaderName::Organization,
        HeaderName::Priority,
        HeaderName::ReferredBy,
        HeaderName::RejectContact,
        HeaderName::ReplyTo,
        HeaderName::RequestDisposition,
        HeaderName::Server,
        HeaderName::SessionExpires,
        HeaderName::Subject,
        HeaderName::Timestamp,
        HeaderName::UserAgent,
    ];

    #[test]
    fn a_known_name_has_a_type_or_is_listed() {
        for name in NAMES {
            // What no grammar of a typed field allows.
            let is_typed = check_value(name, "\u{7f}").is_err();
            assert_ne!(is_typed, KEPT_AS_TEXT.contains(&name), "{name}");
        }
    }
}
