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
    fallback: RandomState,
    counter: u64,
}

impl ProviderEntropy {
    /// Draws from `provider`.
    pub fn new(provider: &CryptoProvider) -> Self {
        Self {
            random: Some(provider.secure_random),
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
            None => Self {
                random: *DEFAULT.get_or_init(|| {
                    let provider = sip_oauth_trust::default_provider().ok()?;
                    Some(provider.secure_random)
                }),
                fallback: RandomState::new(),
                counter: 0,
            },
        }
    }
}

impl Entropy for ProviderEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
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
        let mut entropy = ProviderEntropy {
            random: None,
            fallback: RandomState::new(),
            counter: 0,
        };
        assert_ne!(entropy.hex(32), entropy.hex(32));
    }
}
