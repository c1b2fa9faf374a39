//! Supported, Require, Proxy-Require, Unsupported: option tags.

use super::token_header;

token_header! {
    /// An extension that is supported (RFC 3261 section 20.37).
    ///
    /// `Supported = ( "Supported" / "k" ) HCOLON [option-tag *(COMMA option-tag)]`
    ///
    /// ```
    /// use sip_oauth_message::{header::Supported, HeaderName, Headers};
    /// let mut headers = Headers::new();
    /// headers.push(HeaderName::Supported, "X-cisco-srtp-fallback,X-cisco-sis-9.1.0");
    /// headers.push(HeaderName::Supported, "path");
    /// let mut tags = headers.all::<Supported>().flatten();
    /// assert!(tags.any(|tag| tag.is("x-cisco-sis-9.1.0")) && tags.any(|tag| tag.is("path")));
    /// # Ok::<(), sip_oauth_message::ParseError>(())
    /// ```
    Supported, empty: true, "without" by str::eq_ignore_ascii_case
}

token_header! {
    /// An extension that the server must know (RFC 3261 section 20.32).
    Require, empty: false, "without" by str::eq_ignore_ascii_case
}

token_header! {
    /// An extension that proxies must know (RFC 3261 section 20.29).
    ProxyRequire, empty: false, "without" by str::eq_ignore_ascii_case
}

token_header! {
    /// A required extension that is not known (RFC 3261 section 20.40).
    Unsupported, empty: false, "without" by str::eq_ignore_ascii_case
}
