//! Max-Forwards.

use super::number_header;

number_header! {
    /// How many hops a request may still take, 0 to 255 (RFC 3261 section 20.22).
    MaxForwards(u8) <= 255, "a number up to 255"
}
