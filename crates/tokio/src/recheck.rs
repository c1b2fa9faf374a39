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

/// When the next of `ends` has passed, and within an hour.
pub(crate) fn next_look(ends: impl Iterator<Item = SystemTime>, clock: &Clock) -> Instant {
    // notAfter is the last second of validity, all of it.
    const LAST_SECOND: Duration = Duration::from_secs(1);
    let now = clock.system_now();
    let left = ends
        .filter_map(|end| end.checked_add(LAST_SECOND)?.duration_since(now).ok())
        .filter(|left| !left.is_zero())
        .fold(RECHECK_AT_LEAST_EVERY, Duration::min);
    later(clock.now(), left)
}
