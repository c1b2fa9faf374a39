//! How a registration is ended by its owner, and what follows.

use std::time::Instant;

use super::Client;
use super::answer::Facts;
use super::config::Target;
use super::event::{Event, FlowId};
use super::lease::Lease;
use super::state::{Connection, Purpose, State, Transaction};

/// What its owner wants of a client once what it is at has ended.
#[derive(Debug, Default)]
pub(super) struct Afterwards {
    /// Other nodes, for the next round over all of them.
    pub(super) targets: Option<Vec<Target>>,
    /// To register again: it moves, or was started while it was leaving.
    pub(super) register: bool,
}

/// A binding that a registrar may hold, whatever the client thinks of its registration: a refresh that is refused removes
/// nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    connection: FlowId,
    until: Instant,
}

impl Bound {
    pub(super) const fn new(connection: Connection, lease: &Lease) -> Self {
        Self {
            connection: connection.id,
            until: lease.ends_at,
        }
    }
}

impl Client {
    /// Ends the registration: a REGISTER with `Expires: 0` where a binding may still stand, then
    /// [`Event::Deregistered`].
    pub fn deregister(&mut self, now: Instant) {
        self.afterwards.register = false;
        self.end_registration(now);
    }

    pub(super) fn end_registration(&mut self, now: Instant) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {}
            // One request at a time: the answer comes first.
            requesting @ State::Requesting { .. } => {
                self.leaving = true;
                self.state = requesting;
            }
            State::Registered { connection, lease } => {
                self.request(connection, Purpose::Deregister, Some(lease), 0, now);
            }
            State::AwaitingToken {
                connection: Some(connection),
                lease,
                ..
            } if self.is_bound(connection, now) => {
                self.request(connection, Purpose::Deregister, lease, 0, now);
            }
            State::Refused {
                connection: Some(connection),
                ..
            } if self.is_bound(connection, now) => {
                self.request(connection, Purpose::Deregister, None, 0, now);
            }
            State::AwaitingToken { connection, .. } | State::Refused { connection, .. } => {
                self.left(connection.map(|open| open.id), false, now);
            }
            State::Connecting { id, .. } => self.left(Some(id), false, now),
            State::Failed { .. } | State::Suspended => self.left(None, false, now),
        }
    }

    /// Whether the registrar may hold a binding that was made over this connection.
    fn is_bound(&self, connection: Connection, now: Instant) -> bool {
        self.bound
            .is_some_and(|bound| bound.connection == connection.id && bound.until > now)
    }

    /// Whether the client is on its way out.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving
            || matches!(
                &self.state,
                State::Requesting { transaction, .. } if transaction.purpose == Purpose::Deregister
            )
    }

    /// The caller wanted out while an answer was awaited, which is there.
    pub(super) fn leave(&mut self, now: Instant) {
        // A repetition with a token is as much a request as the first one: wait for its answer.
        if !matches!(self.state, State::Requesting { .. }) {
            self.leaving = false;
            self.end_registration(now);
        }
    }

    pub(super) fn deregistration_answered(
        &mut self,
        facts: &Facts,
        connection: Connection,
        transaction: &Transaction,
        now: Instant,
    ) {
        if matches!(facts.status, 401 | 407) {
            self.note_challenge(facts, connection.node, transaction.token.clone());
            let answerable = self
                .cannot_answer(facts, connection, transaction.answered)
                .is_none();
            if answerable && self.usable_token(connection.node, now).is_some() {
                self.request(
                    connection,
                    Purpose::Deregister,
                    None,
                    transaction.answered + 1,
                    now,
                );
                return;
            }
        }
        self.left(Some(connection.id), (200..300).contains(&facts.status), now);
    }

    /// The caller wanted out, and is.
    pub(super) fn left(&mut self, open: Option<FlowId>, confirmed: bool, now: Instant) {
        self.close(open);
        self.leaving = false;
        // In the middle of a fall-back the registration is where it was, and is ended there.
        if let Some((connection, ..)) = self.retake_left() {
            return self.request(connection, Purpose::Deregister, None, 0, now);
        }
        self.stop_watching();
        self.bound = None;
        self.forget_take_over();
        self.state = State::Idle;
        self.events.push_back(Event::Deregistered { confirmed });
        let Afterwards { targets, register } = std::mem::take(&mut self.afterwards);
        if let Some(targets) = targets {
            self.put_targets(targets);
        }
        if register {
            self.begin(now);
        }
    }
}
