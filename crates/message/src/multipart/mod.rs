//! Bodies in several parts (RFC 2046 section 5.1, RFC 5621).
//!
//! [`parts`] reads them without copying; [`Multipart`] owns them, and writes what it read or was given.

mod parts;
mod value;

pub use self::parts::{Part, parts};
pub use self::value::{BodyPart, Multipart, free_boundary};
