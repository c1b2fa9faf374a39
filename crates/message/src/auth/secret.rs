//! Header field values that must not be printed.

use std::fmt;

use zeroize::Zeroizing;

/// A header field value with credentials in it. It is wiped from memory when it is dropped.
///
/// `Debug` prints its length; [`expose`](Self::expose) is the only way to the text. Two are compared
/// in a time that depends on their lengths only.
#[derive(Clone)]
pub struct SecretValue(Zeroizing<String>);

impl SecretValue {
    pub(super) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether two secrets are equal, in a time that depends on their lengths only.
pub(crate) fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    let pairs = left.iter().zip(right);
    let difference = pairs.fold(0_u8, |difference, (l, r)| difference | (l ^ r));
    left.len() == right.len() && std::hint::black_box(difference) == 0
}

impl PartialEq for SecretValue {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for SecretValue {}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretValue <{} bytes>", self.0.len())
    }
}
