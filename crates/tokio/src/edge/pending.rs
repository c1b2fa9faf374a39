//! Requests that went into a zone and were not answered yet.
//!
//! An answer finds its way without this table: the branch of the edge's Via names the client's connection. What is kept
//! here lets clients be told at once when a zone breaks, instead of waiting 32 s for an answer that cannot come.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// After this nobody waits any more: Timer F (RFC 3261 section 17.1.2.2).
const TIMER_F: Duration = Duration::from_secs(32);

/// A request as the client sent it, and whose it is.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) connection: u64,
    pub(super) peer: std::net::SocketAddr,
    pub(super) zone: String,
    pub(super) request: Vec<u8>,
    since: Instant,
}

/// The table, by the branch of the edge's Via.
#[derive(Debug)]
pub(super) struct PendingTable {
    by_branch: HashMap<String, Waiting>,
    max: usize,
}

impl PendingTable {
    pub(super) fn new(max: usize) -> Self {
        Self {
            by_branch: HashMap::new(),
            max,
        }
    }

    /// Remembers a request. A full table forgets what nobody waits for any more; if that is not enough, the request goes
    /// on without being remembered.
    pub(super) fn insert(
        &mut self,
        branch: String,
        connection: u64,
        peer: std::net::SocketAddr,
        zone: &str,
        request: Vec<u8>,
        now: Instant,
    ) {
        if self.by_branch.len() >= self.max {
            self.by_branch
                .retain(|_, waiting| now.saturating_duration_since(waiting.since) < TIMER_F);
        }
        if self.by_branch.len() < self.max {
            let zone = zone.to_owned();
            let waiting = Waiting {
                connection,
                peer,
                zone,
                request,
                since: now,
            };
            self.by_branch.insert(branch, waiting);
        }
    }

    /// The request was answered finally.
    pub(super) fn answered(&mut self, branch: &str) {
        self.by_branch.remove(branch);
    }

    /// The client is gone.
    pub(super) fn client_gone(&mut self, connection: u64) {
        self.by_branch
            .retain(|_, waiting| waiting.connection != connection);
    }

    /// Takes out what waits for a zone.
    pub(super) fn take_zone(&mut self, zone: &str) -> Vec<Waiting> {
        self.by_branch
            .extract_if(|_, waiting| waiting.zone == zone)
            .map(|(_, waiting)| waiting)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_of(max: usize, entries: &[(&str, u64, &str)], now: Instant) -> PendingTable {
        let mut table = PendingTable::new(max);
        let peer = "192.0.2.1:5061".parse().unwrap();
        for &(branch, connection, zone) in entries {
            table.insert(branch.to_owned(), connection, peer, zone, Vec::new(), now);
        }
        table
    }

    #[test]
    fn a_full_table_forgets_only_what_nobody_waits_for() {
        let start = Instant::now();
        let peer = "192.0.2.1:5061".parse().unwrap();
        let mut table = table_of(2, &[("a", 1, "z"), ("b", 1, "z")], start);
        let soon = start + Duration::from_secs(31);
        table.insert("c".to_owned(), 1, peer, "z", Vec::new(), soon);
        assert!(!table.by_branch.contains_key("c"));
        let later = start + TIMER_F;
        table.insert("d".to_owned(), 1, peer, "z", Vec::new(), later);
        assert_eq!(table.by_branch.keys().collect::<Vec<_>>(), ["d"]);
    }

    #[test]
    fn a_broken_zone_takes_its_own_requests_only() {
        let mut table = table_of(
            8,
            &[("a", 1, "x"), ("b", 2, "y"), ("c", 3, "x")],
            Instant::now(),
        );
        table.client_gone(3);
        let taken = table.take_zone("x");
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].connection, 1);
        table.answered("b");
        assert!(table.by_branch.is_empty());
    }
}
