//! How long an answer may be used, by its own word (RFC 9111 section 4.2).

use std::time::Duration;

use hyper::header::{AGE, CACHE_CONTROL, HeaderMap};

/// Bounds on what a server says about the life of its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) least: Duration,
    /// Where the server says nothing.
    pub(crate) unsaid: Duration,
    pub(crate) most: Duration,
}

/// What an answer says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Freshness {
    pub(crate) lifetime: Duration,
    /// Whether it may be kept to ask about it later.
    pub(crate) may_store: bool,
}

impl Freshness {
    pub(crate) fn of(headers: &HeaderMap, bounds: Bounds) -> Self {
        let mut max_age = None;
        let mut may_store = true;
        let mut at_once = false;
        let values = headers.get_all(CACHE_CONTROL);
        for directive in values
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
        {
            let (name, argument) = match directive.split_once('=') {
                Some((name, argument)) => (name.trim(), argument.trim().trim_matches('"')),
                None => (directive.trim(), ""),
            };
            if name.eq_ignore_ascii_case("max-age") {
                // Section 4.2.1: what is invalid, or there twice, counts as stale; the first is the choice it allows too.
                let seconds = argument.parse().map_or(Duration::ZERO, Duration::from_secs);
                max_age = Some(max_age.map_or(seconds, |known: Duration| known.min(seconds)));
            } else if name.eq_ignore_ascii_case("no-store") {
                may_store = false;
                at_once = true;
            } else if name.eq_ignore_ascii_case("no-cache") {
                at_once = true;
            }
        }
        let age = headers
            .get(AGE)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map_or(Duration::ZERO, Duration::from_secs);
        let lifetime = match max_age {
            _ if at_once => Duration::ZERO,
            Some(max_age) => max_age.saturating_sub(age),
            None => bounds.unsaid,
        };
        Self {
            // Not `clamp`, which panics where bounds are set the wrong way round.
            lifetime: lifetime.min(bounds.most).max(bounds.least),
            may_store,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        least: Duration::from_secs(60),
        unsaid: Duration::from_secs(600),
        most: Duration::from_secs(86_400),
    };

    /// Cache-Control, Age, seconds, may be stored.
    const CASES: &[(Option<&str>, Option<&str>, u64, bool)] = &[
        (None, None, 600, true),
        (Some("max-age=3600"), None, 3600, true),
        (
            Some("public, MAX-AGE=\"3600\", must-revalidate"),
            None,
            3600,
            true,
        ),
        (Some("max-age=3600"), Some("600"), 3000, true),
        (Some("max-age=3600"), Some("9999"), 60, true),
        (Some("max-age=1"), None, 60, true),
        (Some("max-age=99999999999999999999999"), None, 60, true),
        (Some("max-age=31536000"), None, 86_400, true),
        (Some("max-age=3600, max-age=120"), None, 120, true),
        (Some("max-age=120, max-age=3600"), None, 120, true),
        (Some("no-cache, max-age=3600"), None, 60, true),
        (Some("no-store, max-age=3600"), None, 60, false),
        (Some("private"), None, 600, true),
        (Some(",,=,max-age"), None, 60, true),
    ];

    #[test]
    fn rfc9111_section_4_2_within_our_bounds() {
        for &(cache_control, age, seconds, may_store) in CASES {
            let mut headers = HeaderMap::new();
            if let Some(value) = cache_control {
                headers.insert(CACHE_CONTROL, value.parse().unwrap());
            }
            if let Some(value) = age {
                headers.insert(AGE, value.parse().unwrap());
            }
            let expected = Freshness {
                lifetime: Duration::from_secs(seconds),
                may_store,
            };
            assert_eq!(
                Freshness::of(&headers, BOUNDS),
                expected,
                "{cache_control:?} {age:?}"
            );
        }
    }
}
