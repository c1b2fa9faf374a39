//! Content-Length.

use super::number_header;

number_header! {
    /// The length of the body in bytes (RFC 3261 section 20.14).
    ContentLength(u32) <= u32::MAX, "a decimal number of bytes"
}
