//! Allow.

use super::token_list_header;

token_list_header! {
    /// Methods that are supported (RFC 3261 section 20.5).
    ///
    /// `Allow = "Allow" HCOLON [Method *(COMMA Method)]`
    Allow, empty: true
}
