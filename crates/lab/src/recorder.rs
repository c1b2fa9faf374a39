//! What the parties see, in one order.

mod show;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use sip_oauth_registration::edge::Zone;
use sip_oauth_tokio::{
    Clock, ConnectionChange, ConnectionEvent, ConnectionId, Direction, HttpEvent, MessageEvent,
    Observer, Role, TlsFacts,
};
use sip_oauth_trust::Explanation;

use crate::report::{Connection, Event, HttpMessage, Leg, Occurrence, PartyId};
use show::{attempt, handshake, parts, refusal, sip_message};

/// Collects what the observers of all parties report.
///
/// Everything is recorded at the end that opened the connection, so that nothing appears twice. What the other end
/// made of a refusal is kept aside, as evidence for the verdict.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    clock: Clock,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    origin: SystemTime,
    events: Vec<Event>,
    refusals: Vec<SeenRefusal>,
    /// The names of peers that were let in with a certificate, and by whom.
    let_in: Vec<(PartyId, Vec<String>)>,
    /// Connections that are being made, and since when.
    connecting: HashMap<ConnectionId, SystemTime>,
    listeners: HashMap<u16, (PartyId, Speaks)>,
}

/// What is spoken at a listener: of the web's connections only the exchanges are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    Sip,
    Http,
}

/// A TLS refusal as one end saw it.
#[derive(Clone, Debug)]
pub(crate) struct SeenRefusal {
    /// Who saw it.
    pub(crate) party: PartyId,
    /// Who refused whom, why, and what to change.
    pub(crate) explanation: Explanation,
}

impl Recorder {
    pub(crate) fn new(clock: Clock) -> Self {
        let origin = clock.system_now();
        let inner = Inner {
            origin,
            events: Vec::new(),
            refusals: Vec::new(),
            let_in: Vec::new(),
            connecting: HashMap::new(),
            listeners: HashMap::new(),
        };
        Self {
            clock,
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// The observer through which `party` reports.
    pub(crate) fn observer(&self, party: PartyId) -> Arc<dyn Observer> {
        Arc::new(PartyObserver {
            party,
            recorder: self.clone(),
        })
    }

    /// Says whose listener a port is.
    pub(crate) fn listener(&self, port: u16, party: PartyId, speaks: Speaks) {
        self.lock().listeners.insert(port, (party, speaks));
    }

    /// Starts a story: time counts from now, nothing has happened.
    pub(crate) fn restart(&self) {
        let mut inner = self.lock();
        inner.origin = self.clock.system_now();
        inner.events.clear();
        inner.refusals.clear();
        inner.let_in.clear();
    }

    /// What happened since the last call, in order of time.
    pub(crate) fn take(&self) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.lock().events);
        events.sort_by_key(|event| event.at);
        events
    }

    /// The TLS refusals seen since the last call.
    pub(crate) fn take_refusals(&self) -> Vec<SeenRefusal> {
        std::mem::take(&mut self.lock().refusals)
    }

    /// The names of the last peer `party` let in by its certificate.
    pub(crate) fn let_in(&self, party: PartyId) -> Option<Vec<String>> {
        let inner = self.lock();
        let mut seen = inner.let_in.iter().rev();
        seen.find(|(by, _)| *by == party)
            .map(|(_, names)| names.clone())
    }

    /// Records a change inside `party`, now.
    pub(crate) fn state(&self, party: PartyId, text: impl Into<String>) {
        self.now(Occurrence::State {
            party,
            text: text.into(),
        });
    }

    /// Records something now.
    pub(crate) fn now(&self, what: Occurrence) {
        let at = self.clock.system_now();
        self.push(at, what);
    }

    fn push(&self, at: SystemTime, what: Occurrence) {
        let mut inner = self.lock();
        let at = at.duration_since(inner.origin).unwrap_or(Duration::ZERO);
        inner.events.push(Event { at, what });
    }

    fn owner(&self, port: u16, speaks: Speaks) -> Option<PartyId> {
        let (party, spoken) = self.lock().listeners.get(&port).copied()?;
        (spoken == speaks).then_some(party)
    }

    /// A poisoned lock still holds whole events: each is pushed in one step.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reports in the name of one party.
#[derive(Debug)]
struct PartyObserver {
    party: PartyId,
    recorder: Recorder,
}

impl Observer for PartyObserver {
    fn message(&self, event: &MessageEvent<'_>) {
        if event.ends.role != Role::Initiator {
            return;
        }
        let Some(other) = self.recorder.owner(event.ends.peer.port(), Speaks::Sip) else {
            return;
        };
        let leg = match event.direction {
            Direction::Sent => Leg {
                from: self.party,
                to: other,
                transport: event.ends.transport.via_name(),
                port: Some(event.ends.peer.port()),
            },
            Direction::Received => Leg {
                from: other,
                to: self.party,
                transport: event.ends.transport.via_name(),
                port: None,
            },
        };
        if let Some(message) = sip_message(leg, event.bytes.expose()) {
            self.recorder.push(event.at, Occurrence::Sip(message));
        }
    }

    fn connection(&self, event: &ConnectionEvent<'_>) {
        let opened = event.role == Role::Initiator;
        if let ConnectionChange::Refused(explanation) = event.change {
            self.recorder.lock().refusals.push(SeenRefusal {
                party: self.party,
                explanation: explanation.clone(),
            });
        }
        if let ConnectionChange::Accepted {
            tls: Some(TlsFacts {
                peer: Some(peer), ..
            }),
        } = event.change
        {
            let names = peer.dns_names().to_vec();
            self.recorder.lock().let_in.push((self.party, names));
        }
        if !opened {
            return;
        }
        let Some(other) = self.recorder.owner(event.peer.port(), Speaks::Sip) else {
            return;
        };
        let outward = Leg {
            from: self.party,
            to: other,
            transport: event.transport.via_name(),
            port: Some(event.peer.port()),
        };
        let since = match event.change {
            ConnectionChange::Connecting { .. } => {
                self.recorder.lock().connecting.insert(event.id, event.at);
                None
            }
            _ => self.recorder.lock().connecting.remove(&event.id),
        };
        let connection = match event.change {
            ConnectionChange::Connected { tls: Some(tls) } => handshake(outward, tls),
            ConnectionChange::Refused(explanation) => {
                // Refused before there was anything else to show of it.
                if let Some(since) = since {
                    self.recorder
                        .push(since, Occurrence::Connection(attempt(outward)));
                }
                refusal(outward, explanation)
            }
            ConnectionChange::Failed(why) => Connection {
                leg: Leg {
                    from: other,
                    to: self.party,
                    port: None,
                    ..outward
                },
                refused: true,
                client_certificate: false,
                summary: why.to_owned(),
                shows: Vec::new(),
            },
            _ => return,
        };
        self.recorder
            .push(event.at, Occurrence::Connection(connection));
    }

    fn zone(&self, zone: &Zone, _: Option<&Explanation>) {
        let state = if zone.state.is_active() {
            "Active"
        } else {
            "Inactive"
        };
        self.recorder
            .state(self.party, format!("zone {}: {state}", zone.name));
    }

    fn http(&self, event: &HttpEvent<'_>) {
        let Some((secure, port, path)) = parts(event.url) else {
            return;
        };
        let Some(other) = self.recorder.owner(port, Speaks::Http) else {
            return;
        };
        let transport = if secure { "HTTPS" } else { "HTTP" };
        let mut start_line = format!("{} {path}", event.method);
        if !path.ends_with(event.subject) {
            start_line = format!("{start_line}  {}", event.subject);
        }
        self.recorder.push(
            event.started_at,
            Occurrence::Http(HttpMessage {
                leg: Leg {
                    from: self.party,
                    to: other,
                    transport,
                    port: Some(port),
                },
                start_line,
                shows: Vec::new(),
                body_bytes: 0,
            }),
        );
        let back = Leg {
            from: other,
            to: self.party,
            transport,
            port: None,
        };
        let what = match (event.status, event.error) {
            (Some(status), error) => Occurrence::Http(HttpMessage {
                leg: back,
                start_line: format!("{status}, {} bytes", event.body_bytes),
                shows: error.map(str::to_owned).into_iter().collect(),
                body_bytes: event.body_bytes,
            }),
            (None, error) => Occurrence::Connection(Connection {
                leg: back,
                refused: true,
                client_certificate: false,
                summary: error.unwrap_or("no answer").to_owned(),
                shows: Vec::new(),
            }),
        };
        self.recorder.push(event.ended_at, what);
    }
}
