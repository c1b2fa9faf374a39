//! Messages that are overwritten when they have been used.

use std::ops::Deref;

/// Bytes that may hold a token, overwritten when dropped. At the speed of a copy, which `Zeroizing` is not: that writes byte
/// by byte.
pub(crate) struct Wiped(pub(crate) Vec<u8>);

impl Deref for Wiped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.fill(0);
        // Without it the stores could be left out: nobody reads them.
        std::hint::black_box(&mut self.0);
    }
}
