//! How many connections there may be, in all and from one address.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::ServerLimits;

/// Counts connections and handshakes of one server.
#[derive(Debug)]
pub(crate) struct Gate {
    limits: ServerLimits,
    counts: Mutex<Counts>,
    handshakes: Arc<Semaphore>,
    turned_away: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    per_peer: HashMap<Source, usize>,
    /// Transactions that wait for somebody else's word, by the address of the client.
    waiting: HashMap<Source, usize>,
    all_waiting: usize,
    shaking: HashMap<Source, Share>,
}

/// What counts as one address: one of IPv4, however written, and a whole network of 64 bits of IPv6, in which a single host
/// may take any address it likes (RFC 8981).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Source(IpAddr);

impl From<IpAddr> for Source {
    fn from(peer: IpAddr) -> Self {
        Self(match peer.to_canonical() {
            ip @ IpAddr::V4(_) => ip,
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        })
    }
}

/// The handshakes with one address, waiting for their turn or in flight.
#[derive(Debug)]
struct Share {
    turns: Arc<Semaphore>,
    users: usize,
}

/// Why a connection was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    All(usize),
    Peer(usize),
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(limit) => write!(f, "the limit of {limit} connections is reached"),
            Self::Peer(limit) => write!(
                f,
                "the limit of {limit} connections from one address is reached"
            ),
        }
    }
}

impl Gate {
    pub(crate) fn new(limits: ServerLimits) -> Arc<Self> {
        Arc::new(Self {
            handshakes: Arc::new(Semaphore::new(
                limits.handshakes.clamp(1, Semaphore::MAX_PERMITS),
            )),
            turned_away: Arc::new(Semaphore::new(
                limits.turned_away.min(Semaphore::MAX_PERMITS),
            )),
            limits,
            counts: Mutex::default(),
        })
    }

    pub(crate) fn limits(&self) -> &ServerLimits {
        &self.limits
    }

    /// Takes one connection from `peer` into account until the permit is dropped.
    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Permit, Full> {
        let peer = Source::from(peer);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= self.limits.connections {
            return Err(Full::All(self.limits.connections));
        }
        let from_peer = counts.per_peer.get(&peer).copied().unwrap_or(0);
        if from_peer >= self.limits.connections_per_peer {
            return Err(Full::Peer(self.limits.connections_per_peer));
        }
        counts.per_peer.insert(peer, from_peer + 1);
        counts.all += 1;
        Ok(Permit {
            gate: Arc::clone(self),
            peer,
        })
    }

    /// Waits for a turn to shake hands with `peer`: among those of its address first, then among all.
    pub(crate) async fn handshake(self: &Arc<Self>, peer: IpAddr) -> Turn {
        let peer = Source::from(peer);
        let turns = {
            let most = self.limits.handshakes_per_peer;
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let share = counts.shaking.entry(peer).or_insert_with(|| Share {
                turns: Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))),
                users: 0,
            });
            share.users += 1;
            Arc::clone(&share.turns)
        };
        // Counted from here on, also where nobody waits for the turn any more.
        let counted = Shaking {
            gate: Arc::clone(self),
            peer,
        };
        let of_peer = turns
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        let of_all = Arc::clone(&self.handshakes);
        let of_all = of_all
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        Turn {
            _of_peer: of_peer,
            _of_all: of_all,
            _counted: counted,
        }
    }

    /// Takes one transaction of `peer` that waits for somebody else into account until the place is dropped; `None` where
    /// too many wait already.
    pub(crate) fn wait(self: &Arc<Self>, peer: IpAddr) -> Option<WaitingPlace> {
        let peer = Source::from(peer);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let from_peer = counts.waiting.get(&peer).copied().unwrap_or(0);
        if counts.all_waiting >= self.limits.pending_transactions
            || from_peer >= self.limits.pending_transactions_per_peer
        {
            return None;
        }
        counts.waiting.insert(peer, from_peer + 1);
        counts.all_waiting += 1;
        Some(WaitingPlace {
            gate: Arc::clone(self),
            peer,
        })
    }

    /// Room to tell a connection beyond the limit why it is not taken, if there is any now.
    pub(crate) fn turn_away(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turned_away).try_acquire_owned().ok()
    }

    /// Connections there are now.
    pub(crate) fn connections(&self) -> usize {
        self.counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .all
    }
}

/// One connection that is counted.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    peer: Source,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self
            .gate
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        one_less(&mut counts.per_peer, self.peer);
    }
}

/// One transaction that is counted while it waits.
#[derive(Debug)]
pub(crate) struct WaitingPlace {
    gate: Arc<Gate>,
    peer: Source,
}

impl Drop for WaitingPlace {
    fn drop(&mut self) {
        let mut counts = self
            .gate
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        counts.all_waiting = counts.all_waiting.saturating_sub(1);
        one_less(&mut counts.waiting, self.peer);
    }
}

/// Addresses come and go; the map holds those of which something is counted.
fn one_less(counts: &mut HashMap<Source, usize>, peer: Source) {
    if let Some(of_peer) = counts.get_mut(&peer) {
        *of_peer = of_peer.saturating_sub(1);
        if *of_peer == 0 {
            counts.remove(&peer);
        }
    }
}

/// A turn to shake hands.
#[derive(Debug)]
pub(crate) struct Turn {
    _of_peer: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
    _counted: Shaking,
}

/// One handshake that is counted, waiting for its turn or in flight.
#[derive(Debug)]
struct Shaking {
    gate: Arc<Gate>,
    peer: Source,
}

impl Drop for Shaking {
    fn drop(&mut self) {
        let mut counts = self
            .gate
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = counts.shaking.get_mut(&self.peer) {
            share.users = share.users.saturating_sub(1);
            if share.users == 0 {
                counts.shaking.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use tokio::time::timeout;

    use super::*;

    #[test]
    fn limits_hold_in_all_and_per_address_and_permits_give_back() {
        let gate = Gate::new(ServerLimits::new().connections(3).connections_per_peer(2));
        let a = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let b = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
        let first = gate.admit(a).unwrap();
        let _second = gate.admit(a).unwrap();
        assert_eq!(gate.admit(a).unwrap_err(), Full::Peer(2));
        let _third = gate.admit(b).unwrap();
        assert_eq!(gate.admit(b).unwrap_err(), Full::All(3));
        drop(first);
        assert_eq!(gate.connections(), 2);
        assert!(gate.admit(a).is_ok());
    }

    /// A host with two listeners to choose from, and one with a network of IPv6 to itself, are one peer each.
    #[test]
    fn an_address_is_counted_once_however_it_is_written() {
        for (a, same, other) in [
            ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"),
            ("2001:db8::1", "2001:db8::ffff:0:0:1", "2001:db8:0:1::1"),
        ] {
            let gate = Gate::new(ServerLimits::new().connections_per_peer(1));
            let admit = |address: &str| gate.admit(address.parse().unwrap());
            let _first = admit(a).unwrap();
            assert_eq!(admit(same).unwrap_err(), Full::Peer(1), "{a} {same}");
            assert!(admit(other).is_ok(), "{a} {other}");
        }
    }

    #[test]
    fn places_to_wait_are_bounded_in_all_and_per_address_and_given_back() {
        let limits = ServerLimits::new()
            .pending_transactions(3)
            .pending_transactions_per_peer(2);
        let gate = Gate::new(limits);
        let a = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let b = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
        let (first, second) = (gate.wait(a).unwrap(), gate.wait(a).unwrap());
        assert!(gate.wait(a).is_none(), "two of one address");
        let third = gate.wait(b).unwrap();
        assert!(gate.wait(b).is_none(), "three in all");
        drop(first);
        let fourth = gate.wait(b).unwrap();
        drop((second, third, fourth));
        let counts = gate.counts.lock().unwrap();
        assert!(counts.waiting.is_empty() && counts.all_waiting == 0);
    }

    #[tokio::test]
    async fn one_address_cannot_take_the_handshakes_of_all() {
        let gate = Gate::new(ServerLimits::new().handshakes(3).handshakes_per_peer(2));
        let a = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let b = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
        let first = gate.handshake(a).await;
        let second = gate.handshake(a).await;
        let soon = Duration::from_millis(20);
        assert!(timeout(soon, gate.handshake(a)).await.is_err(), "it waits");
        let other = timeout(soon, gate.handshake(b)).await;
        assert!(other.is_ok(), "somebody else does not");
        drop(first);
        let third = timeout(soon, gate.handshake(a)).await;
        assert!(third.is_ok());
        assert_eq!(gate.counts.lock().unwrap().shaking.len(), 2);
        drop((second, third, other));
        assert!(gate.counts.lock().unwrap().shaking.is_empty());
    }
}
