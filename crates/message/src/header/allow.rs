//! Allow.

use super::token_list_header;

token_list_header! {
    /// Methods that are supported (RFC 3261 section 20.5).
    ///
    /// `Allow = "Allow" HCOLON [Method *(COMMA Method)]`
    ///
    /// ```
    /// use sip_oauth_message::{header::Allow, TypedHeader};
    /// let allow = Allow::parse("REGISTER, OPTIONS")?;
    /// assert!(allow.contains("OPTIONS") && !allow.contains("options"));
    /// # Ok::<(), sip_oauth_message::ParseError>(())
    /// ```
    Allow, empty: true, "with" by str::eq
}
