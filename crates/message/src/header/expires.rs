//! Expires and Min-Expires.

use super::number_header;

number_header! {
    /// For how many seconds something is asked or granted (RFC 3261 section 20.19).
    ///
    /// `delta-seconds`, 0 to 2^32 - 1.
    Expires(u32) <= u32::MAX, "a number of seconds below 2^32"
}

number_header! {
    /// The shortest time in seconds that a registrar grants (RFC 3261 section 20.23).
    MinExpires(u32) <= u32::MAX, "a number of seconds below 2^32"
}
