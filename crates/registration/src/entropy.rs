//! Randomness as an argument.

use std::fmt;

/// A source of random bytes, given by the embedder.
///
/// Tags, branches and Call-IDs are made from it. RFC 3261 section 19.3 asks for tags that are
/// "cryptographically random with at least 32 bits of randomness", so give it the operating system's
/// generator (`aws_lc_rs::rand::fill`, `getrandom`). Any `FnMut(&mut [u8])` is one.
///
/// ```
/// use sip_oauth_registration::Entropy;
///
/// let mut counter = 0_u8;
/// let mut source = |bytes: &mut [u8]| {
///     for byte in bytes {
///         counter += 1;
///         *byte = counter;
///     }
/// };
/// assert_eq!(Entropy::hex(&mut source, 8), "01020304");
/// ```
pub trait Entropy {
    /// Fills `bytes` with random bytes.
    fn fill(&mut self, bytes: &mut [u8]);

    /// A random number of 32 bits.
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        u32::from_be_bytes(bytes)
    }

    /// `digits` random lower-case hexadecimal digits.
    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 8);
        while text.len() < digits {
            let word = self.next_u32();
            // Writing into a String cannot fail.
            let _ = fmt::Write::write_fmt(&mut text, format_args!("{word:08x}"));
        }
        text.truncate(digits);
        text
    }
}

impl<F: FnMut(&mut [u8])> Entropy for F {
    fn fill(&mut self, bytes: &mut [u8]) {
        self(bytes);
    }
}

/// A generator whose whole output follows from a seed, for tests and replays only.
///
/// It is SplitMix64, which anyone can predict: never give it to a client that talks to a real
/// registrar.
///
/// ```
/// use sip_oauth_registration::{Entropy, Seeded};
///
/// assert_eq!(Seeded::new(7).hex(12), Seeded::new(7).hex(12));
/// assert_ne!(Seeded::new(7).hex(12), Seeded::new(8).hex(12));
/// ```
#[derive(Clone, Debug)]
pub struct Seeded {
    state: u64,
}

impl Seeded {
    /// A generator that repeats itself for the same seed.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            for (byte, random) in chunk.iter_mut().zip(mixed.to_be_bytes()) {
                *byte = random;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_has_the_length_asked_for() {
        for digits in 0..20 {
            assert_eq!(Seeded::new(1).hex(digits).len(), digits);
        }
    }
}
