//! What clients and zones of one edge share.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Instant,
};

use sip_oauth_message::{MessageView, Request, header::Via};
use sip_oauth_registration::edge::{Edge, EdgeArrival, EdgeRefusal, Forwarding, Zone};
use sip_oauth_trust::Explanation;
use tokio::sync::{mpsc, watch};

use super::{
    pending::{PendingTable, Waiting},
    zone::ZoneLink,
};
use crate::{
    connection::ConnectionError,
    entropy::ProviderEntropy,
    observe::Ends,
    server::{Doors, transaction_span},
    wiped::Wiped,
};

/// A zone, and why TLS failed when it last did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ZoneReport {
    /// The zone with its state.
    pub zone: Zone,
    /// Who refused whom in the last attempt and what to change, if TLS failed.
    pub explanation: Option<Explanation>,
}

/// How often each zone has become active or failed.
pub(super) type Attempts = HashMap<String, u64>;

pub(super) struct Shared {
    pub(super) doors: Doors,
    edge: RwLock<Edge>,
    clients: Mutex<HashMap<u64, mpsc::Sender<Vec<u8>>>>,
    zones: Mutex<HashMap<String, ZoneLink>>,
    explanations: Mutex<HashMap<String, Explanation>>,
    pending: Mutex<PendingTable>,
    attempts: watch::Sender<Attempts>,
}

/// A panic while one of these is held would be a bug of the machine; its value is whole at every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(edge: Edge, doors: Doors) -> Self {
        let limits = doors.gate.limits();
        let pending = PendingTable::new(
            limits.pending_transactions,
            limits.pending_transactions_per_peer,
        );
        Self {
            doors,
            edge: RwLock::new(edge),
            clients: Mutex::default(),
            zones: Mutex::default(),
            explanations: Mutex::default(),
            pending: Mutex::new(pending),
            attempts: watch::Sender::new(Attempts::new()),
        }
    }

    pub(super) fn edge(&self) -> RwLockReadGuard<'_, Edge> {
        self.edge.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn edge_mut(&self) -> RwLockWriteGuard<'_, Edge> {
        self.edge.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn zone_links(&self) -> MutexGuard<'_, HashMap<String, ZoneLink>> {
        lock(&self.zones)
    }

    pub(super) fn reports(&self) -> Vec<ZoneReport> {
        let explanations = lock(&self.explanations);
        self.edge()
            .zones()
            .iter()
            .map(|zone| ZoneReport {
                zone: zone.clone(),
                explanation: explanations.get(&zone.name).cloned(),
            })
            .collect()
    }

    // Clients.

    pub(super) fn client_came(&self, connection: u64) -> mpsc::Receiver<Vec<u8>> {
        let (sender, receiver) = mpsc::channel(self.doors.gate.limits().queued_messages.max(1));
        lock(&self.clients).insert(connection, sender);
        receiver
    }

    pub(super) fn client_left(&self, connection: u64) {
        lock(&self.clients).remove(&connection);
        lock(&self.pending).client_gone(connection);
    }

    /// Whether a request of this client waits for its answer.
    pub(super) fn is_waited_for(&self, connection: u64) -> bool {
        lock(&self.pending).is_waited_for(connection)
    }

    fn to_client(&self, connection: u64, message: Vec<u8>) {
        let sent = lock(&self.clients)
            .get(&connection)
            .is_some_and(|client| client.try_send(message).is_ok());
        if !sent {
            tracing::debug!(
                connection,
                "an answer for a client that is gone or does not read"
            );
        }
    }

    /// The answer to the last message of a client, of which nobody can tell where it ends.
    pub(super) fn answer_unframed(
        &self,
        arrival: &EdgeArrival,
        bytes: &[u8],
        error: &ConnectionError,
    ) -> Option<Vec<u8>> {
        let now = self.doors.clock.system_now();
        let mut entropy = ProviderEntropy::of(None);
        let edge = self.edge();
        match edge.answer_unreadable(arrival, bytes, error, now, &mut entropy) {
            Forwarding::Answer { response, why } => {
                tracing::info!(connection = arrival.connection, %why, "request answered by the edge");
                Some(response.to_bytes())
            }
            _ => None,
        }
    }

    /// A message of a client: forwards it, or gives the edge's own answer.
    pub(super) fn take_request(
        &self,
        arrival: &EdgeArrival,
        message: &[u8],
        entropy: &mut ProviderEntropy,
    ) -> Result<Option<Vec<u8>>, ConnectionError> {
        let now = self.doors.clock.system_now();
        if self.doors.pressure.is_too_high() {
            let busy = self.edge().answer_busy(arrival, message, now, entropy);
            if let Forwarding::Answer { response, .. } = busy {
                return Ok(Some(response.to_bytes()));
            }
        }
        let view = match MessageView::parse(message, &self.doors.limits) {
            Ok(view) => view,
            Err(error) => {
                let edge = self.edge();
                let answered = edge.answer_unreadable(arrival, message, &error, now, entropy);
                let Forwarding::Answer { response, why } = answered else {
                    return Err(ConnectionError::Malformed(error));
                };
                tracing::info!(connection = arrival.connection, %why, "request answered by the edge");
                return Ok(Some(response.to_bytes()));
            }
        };
        let _span = transaction_span(&view).entered();
        // Bound first: the lock on the machine must not last while it is asked again.
        let forwarding = self.edge().forward_request(arrival, &view, now, entropy);
        let forwarding = match forwarding {
            Forwarding::ToZone {
                zone,
                request,
                user,
            } => {
                if self.pass_on(arrival, message, &zone, &request) {
                    tracing::info!(connection = arrival.connection, zone, user, "forwarded");
                    return Ok(None);
                }
                self.edge().overloaded(&zone, arrival, &view, now, entropy)
            }
            own => own,
        };
        let Forwarding::Answer { response, why } = forwarding else {
            return Ok(None);
        };
        tracing::info!(connection = arrival.connection, %why, "request answered by the edge");
        self.hurry(&why);
        Ok(Some(response.to_bytes()))
    }

    /// The answer to the first request of a connection there is no room for.
    pub(super) fn turn_away(&self, ends: Ends, message: &[u8]) -> Option<Vec<u8>> {
        let arrival = EdgeArrival::new(ends.id.get(), ends.peer);
        let now = self.doors.clock.system_now();
        let mut entropy = ProviderEntropy::of(None);
        match self
            .edge()
            .answer_busy(&arrival, message, now, &mut entropy)
        {
            Forwarding::Answer { response, .. } => Some(response.to_bytes()),
            Forwarding::ToZone { .. } | Forwarding::Drop => None,
        }
    }

    /// Sends `onward`, made of the client's `message`, into `zone`; false when the table of waiting requests or the queue
    /// of the zone is full.
    fn pass_on(&self, arrival: &EdgeArrival, message: &[u8], zone: &str, onward: &Request) -> bool {
        let via = onward.header::<Via<'_>>().ok().flatten();
        let Some(branch) = via.and_then(|via| via.branch().map(str::to_owned)) else {
            return false;
        };
        let waiting = Waiting {
            connection: arrival.connection,
            peer: arrival.peer,
            zone: zone.to_owned(),
            request: Wiped(message.to_vec()),
            since: Instant::now(),
        };
        if !lock(&self.pending).insert(branch.clone(), waiting) {
            return false;
        }
        let queued = self
            .zone_links()
            .get(zone)
            .is_some_and(|link| link.send(onward.to_bytes()));
        if !queued {
            lock(&self.pending).answered(&branch);
        }
        queued
    }

    /// Makes an inactive zone that is wanted try again now.
    fn hurry(&self, why: &EdgeRefusal) {
        if let EdgeRefusal::ZoneInactive { zone, .. } = why
            && let Some(link) = self.zone_links().get(zone)
        {
            link.hurry();
        }
    }

    // Zones.

    pub(super) fn zone_up(&self, zone: &str, local: std::net::SocketAddr) {
        lock(&self.explanations).remove(zone);
        self.edge_mut().zone_active(zone, local);
        self.zone_changed(zone, None);
    }

    pub(super) fn zone_down(&self, zone: &str, why: &str, explanation: Option<&Explanation>) {
        match explanation {
            Some(explanation) => {
                lock(&self.explanations).insert(zone.to_owned(), explanation.clone());
            }
            None => {
                lock(&self.explanations).remove(zone);
            }
        }
        self.edge_mut().zone_inactive(zone, why);
        self.zone_changed(zone, explanation);
        self.zone_closed(zone);
    }

    /// The connection of a zone is gone: who waits for an answer through it is told.
    pub(super) fn zone_closed(&self, zone: &str) {
        let waiting = lock(&self.pending).take_zone(zone);
        let mut entropy = ProviderEntropy::of(None);
        for waiting in waiting {
            self.answer_for(&waiting, &mut entropy);
        }
    }

    /// The zone a request went into is down: the machine now answers it itself.
    fn answer_for(&self, waiting: &Waiting, entropy: &mut ProviderEntropy) {
        let Ok(view) = MessageView::parse(&waiting.request, &self.doors.limits) else {
            return;
        };
        let arrival = EdgeArrival::new(waiting.connection, waiting.peer);
        let now = self.doors.clock.system_now();
        let forwarding = self.edge().forward_request(&arrival, &view, now, entropy);
        if let Forwarding::Answer { response, .. } = forwarding {
            self.to_client(waiting.connection, response.to_bytes());
        }
    }

    pub(super) fn attempts(&self) -> Attempts {
        self.attempts.borrow().clone()
    }

    pub(super) fn watch_attempts(&self) -> watch::Receiver<Attempts> {
        self.attempts.subscribe()
    }

    pub(super) fn forget_attempts(&self, zone: &str) {
        self.attempts.send_modify(|attempts| {
            attempts.remove(zone);
        });
    }

    fn zone_changed(&self, name: &str, explanation: Option<&Explanation>) {
        let found = self
            .edge()
            .zones()
            .iter()
            .find(|known| known.name == name)
            .cloned();
        if let Some(zone) = found {
            tracing::info!(zone = zone.name, state = %zone.state, "zone");
            self.doors.observed.zone(&zone, explanation);
        }
        self.attempts.send_modify(|attempts| {
            let count = attempts.entry(name.to_owned()).or_default();
            *count = count.wrapping_add(1);
        });
    }

    /// A message of a node: an answer goes back to its client. One that cannot be read is dropped; the zone carries the
    /// answers of other clients too.
    pub(super) fn take_response(&self, zone: &str, message: &[u8]) {
        let view = match MessageView::parse(message, &self.doors.limits) {
            Ok(view) => view,
            Err(error) => {
                tracing::info!(zone, %error, "unreadable message of a node dropped");
                return;
            }
        };
        let returned = self.edge().forward_response(&view);
        match returned {
            Ok(returned) => {
                let finally = returned.response.status.as_u16() >= 200;
                // Before it counts as answered: a client that stops waits until all is.
                self.to_client(returned.connection, returned.response.to_bytes());
                if finally
                    && let Ok(Some(via)) = view.header::<Via<'_>>()
                    && let Some(branch) = via.branch()
                {
                    lock(&self.pending).answered(branch);
                }
            }
            Err(why) => tracing::info!(zone, %why, "message of a node dropped"),
        }
    }
}
