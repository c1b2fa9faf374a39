//! When the certificates of a peer that is connected are looked at again.

use std::time::{Duration, Instant, SystemTime};

use rustls::pki_types::CertificateDer;
use sip_oauth_trust::not_after;

use crate::clock::{Clock, later};

/// For what has an end elsewhere, such as a revocation list.
pub(crate) const RECHECK_AT_LEAST_EVERY: Duration = Duration::from_secs(3600);

/// When the certificates of `chain` end.
pub(crate) fn ends_of(chain: &[CertificateDer<'_>]) -> impl Iterator<Item = SystemTime> {
    chain.iter().filter_map(not_after)
}

/// When the next of `ends` has passed, and within an hour. At once for one that passed after `judged`, when they were looked
/// at last: what takes time, a handshake or the judging itself, an end may fall into.
pub(crate) fn next_look(
    ends: impl Iterator<Item = SystemTime>,
    judged: SystemTime,
    clock: &Clock,
) -> Instant {
    // notAfter is the last second of validity, all of it.
    const LAST_SECOND: Duration = Duration::from_secs(1);
    let now = clock.system_now();
    let left = ends
        .filter_map(|end| end.checked_add(LAST_SECOND))
        .filter(|passed| *passed > judged)
        .map(|passed| passed.duration_since(now).unwrap_or_default())
        .fold(RECHECK_AT_LEAST_EVERY, Duration::min);
    later(clock.now(), left)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// RFC 5280 section 4.1.2.5: notAfter itself is within the validity.
    #[test]
    fn the_end_of_a_certificate_is_looked_at_when_its_last_second_is_over() {
        let clock = Clock::stopped();
        let (now, judged) = (clock.now(), clock.system_now());
        let looks = |ends: &[SystemTime], judged| {
            next_look(ends.iter().copied(), judged, &clock).duration_since(now)
        };
        assert_eq!(looks(&[], judged), RECHECK_AT_LEAST_EVERY);
        assert_eq!(looks(&[judged + 9 * SECOND], judged), 10 * SECOND);
        assert_eq!(looks(&[judged], judged), SECOND);
        // It had ended when it was judged.
        assert_eq!(looks(&[judged - SECOND], judged), RECHECK_AT_LEAST_EVERY);
    }

    #[test]
    fn an_end_between_the_judgement_and_now_is_looked_at_now() {
        let clock = Clock::stopped();
        let judged = clock.system_now();
        clock.advance(5 * SECOND);
        let look = |end| next_look([end].into_iter(), judged, &clock);
        assert_eq!(look(judged), clock.now());
        assert_eq!(look(judged + 3 * SECOND), clock.now());
        assert_eq!(look(judged - SECOND), clock.now() + RECHECK_AT_LEAST_EVERY);
    }
}
