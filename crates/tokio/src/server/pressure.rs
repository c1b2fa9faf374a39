//! Whether there is more to do than gets done.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::stop::Stopped;

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(100);

/// How late the runtime runs what is due: the time a request that has arrived waits before anybody looks at it.
///
/// Work that arrives faster than it is done waits in the runtime's queues, where a server cannot count it. A timer waits in
/// the same queues, so its lateness is that wait.
#[derive(Debug)]
pub(crate) struct Pressure {
    late_ms: AtomicU64,
    limit_ms: u64,
}

impl Pressure {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            late_ms: AtomicU64::new(0),
            limit_ms: millis(limit),
        }
    }

    /// Whether a request is better answered 503 than judged.
    pub(crate) fn is_too_high(&self) -> bool {
        self.late_ms.load(Ordering::Relaxed) > self.limit_ms
    }

    fn observe(&self, late: Duration) {
        let before = self.is_too_high();
        self.late_ms.store(millis(late), Ordering::Relaxed);
        match (before, self.is_too_high()) {
            (false, true) => tracing::warn!(?late, "overloaded: requests are answered 503"),
            (true, false) => tracing::info!("no longer overloaded"),
            _ => {}
        }
    }

    /// Looks until stopped.
    pub(crate) async fn watch(&self, mut stopped: Stopped) {
        loop {
            let due = Instant::now() + INTERVAL;
            tokio::select! {
                () = stopped.wait() => return,
                () = sleep_until(due) => self.observe(due.elapsed()),
            }
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_longer_than_the_limit_is_too_much_and_no_longer() {
        let pressure = Pressure::new(Duration::from_millis(200));
        for (late, too_high) in [
            (0, false),
            (200, false),
            (201, true),
            (5000, true),
            (3, false),
        ] {
            pressure.observe(Duration::from_millis(late));
            assert_eq!(pressure.is_too_high(), too_high, "{late} ms");
        }
    }
}
