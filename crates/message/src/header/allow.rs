//! Allow.

use super::token_header;

token_header! {
    /// A method that is supported (RFC 3261 section 20.5).
    ///
    /// `Allow = "Allow" HCOLON [Method *(COMMA Method)]`
    ///
    /// ```
    /// use sip_oauth_message::{header::Allow, TypedHeader};
    /// let allow = Allow::parse("OPTIONS")?;
    /// assert!(allow.is("OPTIONS") && !allow.is("options"));
    /// # Ok::<(), sip_oauth_message::ParseError>(())
    /// ```
    Allow, empty: true, "with" by str::eq
}
