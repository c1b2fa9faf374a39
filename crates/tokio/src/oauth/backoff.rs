//! How long a server that failed is left alone.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sip_oauth_registration::Entropy;

use crate::entropy::ProviderEntropy;

/// Twice as long after each failure, up to a limit, and each time a random part more.
#[derive(Clone)]
pub(crate) struct Backoff {
    pub(crate) first: Duration,
    pub(crate) most: Duration,
    jitter_percent: u8,
    /// `None`: the provider's.
    entropy: Option<Arc<Mutex<dyn Entropy + Send>>>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_secs(5), Duration::from_secs(300))
    }
}

impl Backoff {
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            jitter_percent: 20,
            entropy: None,
        }
    }

    /// The same with other times.
    pub(crate) fn set(&mut self, first: Duration, most: Duration) {
        (self.first, self.most) = (first, most);
    }

    /// The same with jitter of up to so many percent of a wait, drawn from the provider.
    pub(crate) fn set_jitter(&mut self, percent: u8) {
        self.jitter_percent = percent.min(100);
    }

    /// Draws the jitter from `entropy`.
    pub(crate) fn set_entropy(&mut self, entropy: impl Entropy + Send + 'static) {
        self.entropy = Some(Arc::new(Mutex::new(entropy)));
    }

    /// The wait after so many failures in a row; at least as long as the server `wanted`. Clients that met the same failure
    /// do not come back together: jitter only adds, so that none comes sooner than it was told.
    pub(crate) fn after(&self, failures: u32, wanted: Option<Duration>) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let wait = self
            .first
            .checked_mul(1 << doublings)
            .map_or(self.most, |wait| wait.min(self.most))
            .max(wanted.unwrap_or_default());
        wait.saturating_add(self.jitter(wait))
    }

    fn jitter(&self, wait: Duration) -> Duration {
        if self.jitter_percent == 0 {
            return Duration::ZERO;
        }
        let drawn = match &self.entropy {
            // A source that panicked is drawn from again: any number will do.
            Some(entropy) => entropy
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next_u32(),
            None => ProviderEntropy::of(None).next_u32(),
        };
        let share = f64::from(drawn) / (f64::from(u32::MAX) + 1.0);
        // A wait too long for a clock needs no jitter.
        Duration::try_from_secs_f64(
            wait.as_secs_f64() * f64::from(self.jitter_percent) / 100.0 * share,
        )
        .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds.
    fn after(backoff: &Backoff, failures: u32, wanted: u64) -> u128 {
        let wait = backoff.after(failures, Some(Duration::from_secs(wanted)));
        (wait + Duration::from_micros(500)).as_millis()
    }

    #[test]
    fn doubles_up_to_the_limit_and_never_overflows() {
        let mut backoff = Backoff::default();
        backoff.set_jitter(0);
        let waits = [1, 2, 3, 7, 8, u32::MAX].map(|failures| after(&backoff, failures, 0));
        assert_eq!(waits, [5000, 10_000, 20_000, 300_000, 300_000, 300_000]);
        assert_eq!(after(&backoff, 1, 60), 60_000, "what the server wants");
    }

    #[test]
    fn jitter_adds_a_random_part_and_takes_nothing_away() {
        let drawn = |word: u32| {
            let mut backoff = Backoff::default();
            backoff.set_entropy(move |bytes: &mut [u8]| bytes.copy_from_slice(&word.to_be_bytes()));
            backoff
        };
        assert_eq!(after(&drawn(0), 1, 0), 5000);
        assert_eq!(after(&drawn(1 << 31), 1, 0), 5500);
        assert_eq!(after(&drawn(u32::MAX), 2, 0), 12_000);
        assert_eq!(after(&drawn(u32::MAX), 9, 3600), 4_320_000);
        let mut whole = drawn(1 << 31);
        whole.set_jitter(255);
        assert_eq!(after(&whole, 1, 0), 7500, "100 % is the most");
        whole.set(Duration::MAX, Duration::MAX);
        assert_eq!(whole.after(1, None), Duration::MAX);
    }

    #[test]
    fn two_clients_that_failed_together_come_back_apart() {
        let waits: Vec<Duration> = (0..32).map(|_| Backoff::default().after(1, None)).collect();
        let longest = Duration::from_secs(6);
        assert!(
            waits
                .iter()
                .all(|wait| (Duration::from_secs(5)..longest).contains(wait))
        );
        assert!(waits.iter().any(|wait| wait != &waits[0]), "{waits:?}");
    }
}
