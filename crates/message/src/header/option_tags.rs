//! Supported, Require, Proxy-Require, Unsupported: lists of option tags.

use super::token_list_header;

token_list_header! {
    /// Extensions that are supported (RFC 3261 section 20.37).
    ///
    /// `Supported = ( "Supported" / "k" ) HCOLON [option-tag *(COMMA option-tag)]`
    ///
    /// ```
    /// use sip_oauth_message::{header::Supported, TypedHeader};
    /// let supported = Supported::parse("X-cisco-srtp-fallback,X-cisco-sis-9.1.0")?;
    /// assert!(supported.contains("x-cisco-sis-9.1.0"));
    /// assert_eq!(supported.iter().count(), 2);
    /// # Ok::<(), sip_oauth_message::ParseError>(())
    /// ```
    Supported, empty: true, "without" by str::eq_ignore_ascii_case
}

token_list_header! {
    /// Extensions that the server must know (RFC 3261 section 20.32).
    Require, empty: false, "without" by str::eq_ignore_ascii_case
}

token_list_header! {
    /// Extensions that proxies must know (RFC 3261 section 20.29).
    ProxyRequire, empty: false, "without" by str::eq_ignore_ascii_case
}

token_list_header! {
    /// Required extensions that are not known (RFC 3261 section 20.40).
    Unsupported, empty: false, "without" by str::eq_ignore_ascii_case
}
