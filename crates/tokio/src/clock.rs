//! Time for the machines: timers on [`Instant`], validity on [`SystemTime`], both moved by one offset.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rustls::{pki_types::UnixTime, time_provider::TimeProvider};
use tokio::sync::watch;

/// The time that leases, tokens and `Date` headers go by.
///
/// [`Clock::real`] is the machine's clock. [`Clock::adjustable`] adds an offset that every clone shares and that only
/// grows, so that a program or a test lets 115 seconds pass at once and sees the refresh a lease owes at that moment.
/// [`Clock::stopped`] moves in no other way: what a test says of the second before the refresh is true on a machine that
/// takes two seconds to come to it.
///
/// Connect, handshake and read time-outs do not go by this clock but by real time: advancing a lease must not cut a
/// handshake short.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sip_oauth_tokio::Clock;
///
/// let clock = Clock::adjustable();
/// let lease = clock.clone();
/// let before = lease.now();
/// clock.advance(Duration::from_secs(115));
/// assert!(lease.now() - before >= Duration::from_secs(115));
/// ```
#[derive(Clone, Default)]
pub struct Clock {
    offset: Option<Arc<watch::Sender<Duration>>>,
    /// When it was stopped.
    stopped_at: Option<(Instant, SystemTime)>,
}

impl Clock {
    /// The machine's own clock.
    pub fn real() -> Self {
        Self {
            offset: None,
            stopped_at: None,
        }
    }

    /// A clock that starts at the machine's time and can be moved forward with [`Clock::advance`].
    pub fn adjustable() -> Self {
        Self {
            offset: Some(Arc::new(watch::Sender::new(Duration::ZERO))),
            stopped_at: None,
        }
    }

    /// A clock that stands still at the machine's time and moves with [`Clock::advance`] only.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sip_oauth_tokio::Clock;
    ///
    /// let clock = Clock::stopped();
    /// let before = clock.now();
    /// assert_eq!(clock.now(), before);
    /// clock.advance(Duration::from_secs(115));
    /// assert_eq!(clock.now() - before, Duration::from_secs(115));
    /// ```
    pub fn stopped() -> Self {
        Self {
            stopped_at: Some((Instant::now(), SystemTime::now())),
            ..Self::adjustable()
        }
    }

    /// Moves this clock and all its clones forward by `by` and wakes those who sleep on it.
    ///
    /// Returns whether the clock is adjustable; a real clock stays where it is.
    pub fn advance(&self, by: Duration) -> bool {
        let Some(offset) = &self.offset else {
            return false;
        };
        offset.send_modify(|now| *now = now.saturating_add(by));
        true
    }

    /// How far this clock is ahead of the machine's.
    pub fn offset(&self) -> Duration {
        self.offset
            .as_ref()
            .map_or(Duration::ZERO, |offset| *offset.borrow())
    }

    /// Now, for timers.
    ///
    /// Goes by the runtime's clock where there is one, so that a paused runtime pauses this clock too.
    pub fn now(&self) -> Instant {
        let now = match self.stopped_at {
            Some((instant, _)) => instant,
            None => tokio::time::Instant::now().into_std(),
        };
        now.checked_add(self.offset()).unwrap_or(now)
    }

    /// Now, for validity and for the `Date` header.
    pub fn system_now(&self) -> SystemTime {
        let now = match self.stopped_at {
            Some((_, system_time)) => system_time,
            None => SystemTime::now(),
        };
        now.checked_add(self.offset()).unwrap_or(now)
    }

    /// Waits until [`Clock::now`] has reached `deadline`, by passing time or by [`Clock::advance`].
    pub async fn sleep_until(&self, deadline: Instant) {
        let Some(offset) = &self.offset else {
            return tokio::time::sleep_until(deadline.into()).await;
        };
        let mut moved = offset.subscribe();
        loop {
            // Marks the value as seen before the time is read: a later advance always wakes.
            moved.borrow_and_update();
            let left = deadline.saturating_duration_since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left), if self.stopped_at.is_none() => {}
                // `self` holds the sender, so the channel cannot close under us.
                _ = moved.changed() => {}
            }
        }
    }

    /// Waits until `deadline`; forever if there is none.
    pub(crate) async fn sleep_until_or_forever(&self, deadline: Option<Instant>) {
        match deadline {
            Some(deadline) => self.sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }
}

/// `wait` after `now`. A time too long for the machine's clock is never: thirty years.
pub(crate) fn later(now: Instant, wait: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    now.checked_add(wait)
        .or_else(|| now.checked_add(NEVER))
        .unwrap_or(now)
}

/// Certificates are judged by the same time in a handshake and after it.
impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let since = self.system_now().duration_since(UNIX_EPOCH).ok()?;
        Some(UnixTime::since_unix_epoch(since))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.offset {
            None => f.write_str("Clock(real)"),
            Some(offset) if self.stopped_at.is_some() => {
                write!(f, "Clock(stopped +{:?})", *offset.borrow())
            }
            Some(offset) => write!(f, "Clock(+{:?})", *offset.borrow()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn advancing_wakes_a_sleeper_of_another_clone() {
        let clock = Clock::adjustable();
        let sleeper = clock.clone();
        let deadline = clock.now() + Duration::from_secs(115);
        let task = tokio::spawn(async move {
            sleeper.sleep_until(deadline).await;
            sleeper.now()
        });
        clock.advance(Duration::from_secs(114));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!task.is_finished(), "one second is still missing");
        clock.advance(Duration::from_secs(1));
        assert!(task.await.unwrap() >= deadline);
    }

    /// The time of the runtime is paused, so that an hour of it passes at once where nothing else goes on.
    #[tokio::test(start_paused = true)]
    async fn a_stopped_clock_wakes_nobody_by_itself() {
        let clock = Clock::stopped();
        let (before, day) = (clock.now(), clock.system_now());
        let sleeper = clock.clone();
        let minute = Duration::from_secs(60);
        let task = tokio::spawn(async move { sleeper.sleep_until(before + minute).await });
        tokio::time::sleep(60 * minute).await;
        assert!(!task.is_finished());
        assert_eq!((clock.now(), clock.system_now()), (before, day));
        clock.advance(minute);
        task.await.unwrap();
        assert_eq!(
            (clock.now(), clock.system_now()),
            (before + minute, day + minute)
        );
    }

    #[tokio::test]
    async fn validity_moves_with_the_timers() {
        let clock = Clock::adjustable();
        let before = clock.system_now();
        clock.advance(Duration::from_secs(3600));
        assert!(clock.system_now().duration_since(before).unwrap() >= Duration::from_secs(3600));
    }

    #[test]
    fn a_real_clock_cannot_be_advanced() {
        let clock = Clock::real();
        assert!(!clock.advance(Duration::from_secs(1)));
        assert_eq!(clock.offset(), Duration::ZERO);
    }
}
