//! Randomness for tags, branches and Call-IDs.

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::OnceLock,
};

use rustls::crypto::{CryptoProvider, SecureRandom};
use sip_oauth_registration::Entropy;

/// Random bytes from a crypto provider.
///
/// Should the provider ever fail, the bytes come from the standard library's keyed hash, whose key is the operating
/// system's randomness too.
///
/// # Examples
///
/// ```
/// use sip_oauth_registration::Entropy;
/// use sip_oauth_tokio::ProviderEntropy;
///
/// let provider = sip_oauth_trust::default_provider()?;
/// let mut entropy = ProviderEntropy::new(&provider);
/// assert_ne!(entropy.hex(24), entropy.hex(24));
/// # Ok::<(), sip_oauth_trust::NoProvider>(())
/// ```
pub struct ProviderEntropy {
    random: Option<&'static dyn SecureRandom>,
    /// Drawn and not given out yet, the last `left` of them: a provider takes far longer to begin than for each byte, and a
    /// tag needs four.
    ahead: [u8; AHEAD],
    left: usize,
    fallback: RandomState,
    counter: u64,
}

/// How many bytes are drawn at a time.
const AHEAD: usize = 64;

impl ProviderEntropy {
    /// Draws from `provider`.
    pub fn new(provider: &CryptoProvider) -> Self {
        Self::from(Some(provider.secure_random))
    }

    fn from(random: Option<&'static dyn SecureRandom>) -> Self {
        Self {
            random,
            ahead: [0; AHEAD],
            left: 0,
            fallback: RandomState::new(),
            counter: 0,
        }
    }

    /// Draws from `provider`, else from the one compiled in, else from the fallback.
    pub(crate) fn of(provider: Option<&CryptoProvider>) -> Self {
        // Asked once: making a provider's value is more work than all the tags of a connection.
        static DEFAULT: OnceLock<Option<&'static dyn SecureRandom>> = OnceLock::new();
        match provider {
            Some(provider) => Self::new(provider),
            None => Self::from(*DEFAULT.get_or_init(|| {
                let provider = sip_oauth_trust::default_provider().ok()?;
                Some(provider.secure_random)
            })),
        }
    }

    fn draw(&mut self, bytes: &mut [u8]) {
        if let Some(random) = self.random
            && random.fill(bytes).is_ok()
        {
            return;
        }
        for chunk in bytes.chunks_mut(8) {
            self.counter = self.counter.wrapping_add(1);
            let word = self.fallback.hash_one(self.counter).to_ne_bytes();
            for (byte, random) in chunk.iter_mut().zip(word) {
                *byte = random;
            }
        }
    }
}

impl Entropy for ProviderEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        if bytes.len() > AHEAD {
            return self.draw(bytes);
        }
        if bytes.len() > self.left {
            let mut ahead = [0; AHEAD];
            self.draw(&mut ahead);
            self.ahead = ahead;
            self.left = AHEAD;
        }
        let end = AHEAD - self.left + bytes.len();
        if let Some(given) = self.ahead.get_mut(end - bytes.len()..end) {
            bytes.copy_from_slice(given);
            // No byte is given out twice, and none stays behind.
            given.fill(0);
        }
        self.left = AHEAD - end;
    }
}

impl fmt::Debug for ProviderEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderEntropy(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fallback_does_not_repeat_itself() {
        let mut entropy = ProviderEntropy::from(None);
        assert_ne!(entropy.hex(32), entropy.hex(32));
    }

    /// Whatever lengths are asked for, in whatever order, no byte drawn is given out twice.
    #[test]
    fn what_is_drawn_ahead_is_given_out_once() {
        let mut entropy = ProviderEntropy::of(None);
        let mut seen = std::collections::HashSet::new();
        for length in (8..=200).chain((8..=AHEAD).rev()) {
            let mut bytes = vec![0; length];
            entropy.fill(&mut bytes);
            assert!(bytes.iter().any(|byte| *byte != 0), "{length}");
            for word in bytes.chunks_exact(8) {
                assert!(seen.insert(word.to_vec()), "{length}");
            }
        }
    }
}
