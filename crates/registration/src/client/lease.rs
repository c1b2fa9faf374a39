//! The lease: what was granted and when it must be refreshed.

use std::time::{Duration, Instant};

use super::config::{ClientConfig, ShortExpiry};

/// A registration while it lasts.
///
/// Invariant: `refresh_at <= ends_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) started: Instant,
    pub(super) granted: Duration,
    pub(super) refresh_at: Instant,
    pub(super) ends_at: Instant,
}

impl Lease {
    /// The lease that starts `now` when `granted` was granted for `asked`.
    ///
    /// The refresh is due at granted minus `timerRegisterDelta`. Where that is sooner than the
    /// shortest refresh period, [`ShortExpiry`] decides.
    pub(super) fn new(
        config: &ClientConfig,
        granted: Duration,
        asked: Duration,
        now: Instant,
    ) -> Self {
        let refresh_after = |granted: Duration| {
            granted
                .checked_sub(config.register_delta)
                .filter(|&period| period >= config.options.min_refresh)
        };
        let (granted, period) = match (refresh_after(granted), config.options.short_expiry) {
            (Some(period), _) => (granted, period),
            (None, ShortExpiry::RefreshAtHalf) => (granted, granted / 2),
            (None, ShortExpiry::Disregard) => (asked, refresh_after(asked).unwrap_or(asked / 2)),
        };
        Self {
            started: now,
            granted,
            refresh_at: later(now, period),
            ends_at: later(now, granted),
        }
    }
}

/// `now` plus `wait`, or ten years on where the clock does not reach that far.
pub(super) fn later(now: Instant, wait: Duration) -> Instant {
    const TEN_YEARS: Duration = Duration::from_secs(10 * 366 * 24 * 3600);
    now.checked_add(wait).unwrap_or_else(|| now + TEN_YEARS)
}

/// The expiry a 200 grants: the `expires` parameter of the client's own Contact, if it is above zero
/// and below what was asked; else the `Expires` header field, if it is; else what was asked.
pub(super) fn granted(asked: Duration, contact: Option<u32>, header: Option<u32>) -> Duration {
    [contact, header]
        .into_iter()
        .flatten()
        .filter(|&seconds| seconds > 0)
        .map(|seconds| Duration::from_secs(u64::from(seconds)))
        .find(|&offered| offered < asked)
        .unwrap_or(asked)
}

#[cfg(test)]
mod tests {
    use super::super::config::{Device, Instance, Line};
    use super::*;

    const ASKED: Duration = Duration::from_secs(3600);

    #[test]
    fn contact_comes_before_header_and_neither_exceeds_what_was_asked() {
        for (contact, header, expected) in [
            (None, Some(120), 120),
            (Some(300), Some(120), 300),
            (Some(0), Some(120), 120),
            (Some(7200), Some(120), 120),
            (None, Some(7200), 3600),
            (None, None, 3600),
            (Some(3600), None, 3600),
        ] {
            assert_eq!(
                granted(ASKED, contact, header),
                Duration::from_secs(expected),
                "{contact:?} {header:?}"
            );
        }
    }

    #[test]
    fn refresh_comes_delta_before_the_end_unless_that_is_too_soon() {
        let instance = Instance::new("005056aabbcc").unwrap();
        let device = Device::csf("CSFJDOE", instance);
        let mut config = ClientConfig::unified_cm(device, Line::new("1010", "guid"), Vec::new());
        let now = Instant::now();
        for (short_expiry, granted, refresh, ends) in [
            (ShortExpiry::RefreshAtHalf, 120, 115, 120),
            (ShortExpiry::RefreshAtHalf, 25, 20, 25),
            (ShortExpiry::RefreshAtHalf, 24, 12, 24),
            (ShortExpiry::RefreshAtHalf, 3, 1, 3),
            (ShortExpiry::Disregard, 25, 20, 25),
            (ShortExpiry::Disregard, 24, 3595, 3600),
        ] {
            config.options.short_expiry = short_expiry;
            let lease = Lease::new(&config, Duration::from_secs(granted), ASKED, now);
            assert_eq!((lease.refresh_at - now).as_secs(), refresh, "{granted} s");
            assert_eq!((lease.ends_at - now).as_secs(), ends, "{granted} s");
        }
    }
}
