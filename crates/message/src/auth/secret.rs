//! Header field values that must not be printed.

use std::fmt;

use zeroize::Zeroizing;

/// A header field value with credentials in it. It is wiped from memory when it is dropped.
///
/// `Debug` prints its length; [`expose`](Self::expose) is the only way to the text. It has no
/// `==`, which would take as long as both are alike.
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

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretValue <{} bytes>", self.0.len())
    }
}
