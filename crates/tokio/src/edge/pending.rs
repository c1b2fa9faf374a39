//! Requests that went into a zone and were not answered yet.
//!
//! An answer finds its way without this table: the branch of the edge's Via names the client's connection. What is kept
//! here lets clients be told at once when a zone breaks, instead of waiting 32 s for an answer that cannot come.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use crate::wiped::Wiped;

/// After this nobody waits any more: Timer F (RFC 3261 section 17.1.2.2).
const TIMER_F: Duration = Duration::from_secs(32);

/// A request as the client sent it, and whose it is.
pub(super) struct Waiting {
    pub(super) connection: u64,
    pub(super) peer: SocketAddr,
    pub(super) zone: String,
    pub(super) request: Wiped,
    pub(super) since: Instant,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The request holds a token.
        f.debug_struct("Waiting")
            .field("connection", &self.connection)
            .field("zone", &self.zone)
            .finish_non_exhaustive()
    }
}

/// The table, by the branch of the edge's Via.
#[derive(Debug)]
pub(super) struct PendingTable {
    by_branch: HashMap<String, Waiting>,
    /// How many of them are from each address.
    per_peer: HashMap<IpAddr, usize>,
    max: usize,
    max_per_peer: usize,
}

impl PendingTable {
    pub(super) fn new(max: usize, max_per_peer: usize) -> Self {
        Self {
            by_branch: HashMap::new(),
            per_peer: HashMap::new(),
            max,
            max_per_peer,
        }
    }

    /// Remembers a request; false when there is no room for it. A full table forgets what nobody waits for any more.
    pub(super) fn insert(&mut self, branch: String, waiting: Waiting) -> bool {
        // The same request again takes the place of the first.
        self.answered(&branch);
        let peer = waiting.peer.ip();
        if self.is_full_for(peer) {
            let now = waiting.since;
            self.take(|old| now.saturating_duration_since(old.since) >= TIMER_F);
            if self.is_full_for(peer) {
                return false;
            }
        }
        *self.per_peer.entry(peer).or_default() += 1;
        self.by_branch.insert(branch, waiting);
        true
    }

    /// The request was answered finally.
    pub(super) fn answered(&mut self, branch: &str) {
        if let Some(waiting) = self.by_branch.remove(branch) {
            self.forget(waiting.peer.ip());
        }
    }

    /// Whether a request of this client waits for its answer.
    pub(super) fn is_waited_for(&self, connection: u64) -> bool {
        self.by_branch
            .values()
            .any(|waiting| waiting.connection == connection)
    }

    /// The client is gone.
    pub(super) fn client_gone(&mut self, connection: u64) {
        self.take(|waiting| waiting.connection == connection);
    }

    /// Takes out what waits for a zone.
    pub(super) fn take_zone(&mut self, zone: &str) -> Vec<Waiting> {
        self.take(|waiting| waiting.zone == zone)
    }

    fn is_full_for(&self, peer: IpAddr) -> bool {
        let from_peer = self.per_peer.get(&peer).copied().unwrap_or(0);
        self.by_branch.len() >= self.max || from_peer >= self.max_per_peer
    }

    fn take(&mut self, which: impl Fn(&Waiting) -> bool) -> Vec<Waiting> {
        let taken: Vec<_> = self
            .by_branch
            .extract_if(|_, waiting| which(waiting))
            .map(|(_, waiting)| waiting)
            .collect();
        for waiting in &taken {
            self.forget(waiting.peer.ip());
        }
        taken
    }

    fn forget(&mut self, peer: IpAddr) {
        if let Some(from_peer) = self.per_peer.get_mut(&peer) {
            *from_peer = from_peer.saturating_sub(1);
            if *from_peer == 0 {
                self.per_peer.remove(&peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(peer: &str, connection: u64, zone: &str, since: Instant) -> Waiting {
        Waiting {
            connection,
            peer: SocketAddr::new(peer.parse().unwrap(), 5061),
            zone: zone.to_owned(),
            request: Wiped(Vec::new()),
            since,
        }
    }

    const A: &str = "192.0.2.1";
    const B: &str = "192.0.2.2";

    #[test]
    fn a_full_table_forgets_only_what_nobody_waits_for() {
        let start = Instant::now();
        let mut table = PendingTable::new(2, 2);
        assert!(table.insert("a".to_owned(), waiting(A, 1, "z", start)));
        assert!(table.insert("b".to_owned(), waiting(A, 1, "z", start)));
        let soon = start + Duration::from_secs(31);
        assert!(!table.insert("c".to_owned(), waiting(B, 2, "z", soon)));
        // The same request again needs no room of its own.
        assert!(table.insert("b".to_owned(), waiting(A, 1, "z", soon)));
        let later = start + TIMER_F;
        assert!(table.insert("d".to_owned(), waiting(B, 2, "z", later)));
        assert!(!table.by_branch.contains_key("a"));
    }

    #[test]
    fn one_address_cannot_take_the_room_of_all() {
        let start = Instant::now();
        let mut table = PendingTable::new(8, 1);
        assert!(table.insert("a".to_owned(), waiting(A, 1, "z", start)));
        assert!(!table.insert("b".to_owned(), waiting(A, 2, "z", start)));
        assert!(table.insert("c".to_owned(), waiting(B, 3, "z", start)));
        table.answered("a");
        assert!(table.insert("b".to_owned(), waiting(A, 2, "z", start)));
        table.client_gone(2);
        table.client_gone(3);
        assert!(table.per_peer.is_empty());
    }

    #[test]
    fn a_broken_zone_takes_its_own_requests_only() {
        let start = Instant::now();
        let mut table = PendingTable::new(8, 8);
        for (branch, connection, zone) in [("a", 1, "x"), ("b", 2, "y"), ("c", 3, "x")] {
            assert!(table.insert(branch.to_owned(), waiting(A, connection, zone, start)));
        }
        assert!(table.is_waited_for(3));
        table.client_gone(3);
        assert!(!table.is_waited_for(3));
        let taken = table.take_zone("x");
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].connection, 1);
        table.answered("b");
        assert!(table.by_branch.is_empty());
    }
}
