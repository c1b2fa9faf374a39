//! How long a server that failed is left alone.

use std::time::Duration;

/// Twice as long after each failure, up to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    pub(crate) first: Duration,
    pub(crate) most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5),
            most: Duration::from_secs(300),
        }
    }
}

impl Backoff {
    /// The wait after so many failures in a row.
    pub(crate) fn after(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first
            .checked_mul(1 << doublings)
            .map_or(self.most, |wait| wait.min(self.most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_limit_and_never_overflows() {
        let waits: Vec<u64> = [1, 2, 3, 7, 8, u32::MAX]
            .map(|failures| Backoff::default().after(failures).as_secs())
            .to_vec();
        assert_eq!(waits, [5, 10, 20, 300, 300, 300]);
    }
}
