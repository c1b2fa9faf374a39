//! The `Date` header field (RFC 3261 section 20.17).

use std::fmt;
use std::time::{Duration, SystemTime};

/// A moment as `Mon, 30 Mar 2020 11:03:19 GMT`.
pub(crate) fn date(wall: SystemTime) -> impl fmt::Display {
    // 9999-12-31T23:59:59Z, the last second RFC 1123 can write.
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    let epoch = SystemTime::UNIX_EPOCH;
    httpdate::HttpDate::from(wall.clamp(epoch, epoch + LAST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_clock_can_be_written() {
        let epoch = SystemTime::UNIX_EPOCH;
        for (wall, expected) in [
            (
                epoch + Duration::from_secs(1_585_566_199),
                "Mon, 30 Mar 2020 11:03:19 GMT",
            ),
            (
                epoch - Duration::from_secs(1),
                "Thu, 01 Jan 1970 00:00:00 GMT",
            ),
            (
                epoch + Duration::from_secs(400_000_000_000),
                "Fri, 31 Dec 9999 23:59:59 GMT",
            ),
        ] {
            assert_eq!(date(wall).to_string(), expected);
        }
    }
}
