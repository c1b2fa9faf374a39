//! What a client does by itself: which node comes next, what a lost connection leads to, how a request
//! is begun.

use std::time::Instant;

use sip_oauth_message::Method;
use sip_oauth_token::AccessToken;

use super::Client;
use super::config::{Alarm, PresentToken, Target, Transport};
use super::event::{ConnectionFailure, Event, FlowId};
use super::lease::{Lease, later};
use super::round::Round;
use super::series::Series;
use super::state::{Connection, Purpose, State, Transaction};
use crate::transaction::ClientTransaction;

impl Client {
    /// Whether a token near its end is worth renewing.
    pub(super) fn wants_token(&self) -> bool {
        match &self.state {
            State::Connecting { .. }
            | State::Requesting { .. }
            | State::AwaitingToken { .. }
            | State::Registered { .. } => true,
            State::Idle | State::Refused { .. } | State::Failed { .. } | State::Suspended => false,
        }
    }

    /// A round over all nodes.
    pub(super) fn begin(&mut self, now: Instant) {
        if let Some(targets) = self.afterwards.targets.take() {
            self.put_targets(targets);
        }
        self.round = Round::all(self.config.targets.len());
        self.short_lived = 0;
        self.answered_before = 0;
        self.try_next(None, now);
    }

    /// The next node of the round, or the end of it.
    pub(super) fn try_next(&mut self, failed: Option<(usize, ConnectionFailure)>, now: Instant) {
        let next = self.round.next();
        match (next, failed) {
            (Some(next), Some((from, cause))) if next != from => {
                let (from, to) = (self.node_name(from), self.node_name(next));
                self.events.push_back(Event::FailedOver { from, to, cause });
            }
            (Some(next), Some((_, cause))) => {
                let node = self.node_name(next);
                self.events.push_back(Event::Reconnecting { node, cause });
            }
            (Some(_), None) | (None, _) => {}
        }
        if let Some(node) = next {
            self.connect(node, now);
        } else {
            let restart_at = self
                .config
                .options
                .restart_after_failure
                .map(|wait| later(now, wait));
            let causes = self.round.take_causes();
            self.state = State::Failed { restart_at };
            self.stop_watching();
            self.events.push_back(Event::AllNodesFailed {
                causes: causes
                    .into_iter()
                    .map(|(node, cause)| (self.node_name(node), cause))
                    .collect(),
                restart_at,
            });
        }
    }

    /// Asks for a connection to a node.
    pub(super) fn connect(&mut self, node: usize, now: Instant) {
        // A round holds places in the list of targets only.
        let Some(target) = self.config.targets.get(node) else {
            return;
        };
        let target = target.clone();
        if self.take_watched(node, now) {
            return;
        }
        let id = self.ask_for_connection(target);
        self.state = State::Connecting {
            id,
            node,
            give_up_at: later(now, self.config.options.connect_timeout),
        };
    }

    /// Has the caller open a connection.
    pub(super) fn ask_for_connection(&mut self, target: Target) -> FlowId {
        self.connections += 1;
        let connection = FlowId(self.connections);
        self.events.push_back(Event::Connect { connection, target });
        connection
    }

    /// The connection of the present state is gone. Closing it, where it is still open, is the
    /// caller's part.
    pub(super) fn connection_failed(&mut self, cause: ConnectionFailure, now: Instant) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {}
            State::Connecting { node, .. } => self.node_failed(node, cause, now),
            State::Requesting {
                transaction:
                    Transaction {
                        purpose: Purpose::Deregister,
                        ..
                    },
                ..
            } => self.left(None, false, now),
            State::Requesting { .. } if self.leaving => self.left(None, false, now),
            State::Requesting {
                connection,
                lease: Some(lease),
                ..
            }
            | State::Registered { connection, lease } => {
                self.round = self.round_after_losing(connection.node, &lease, now);
                self.node_failed(connection.node, cause, now);
            }
            State::Requesting { connection, .. } => self.node_failed(connection.node, cause, now),
            State::AwaitingToken {
                connection,
                answered,
                lease,
                ..
            } => {
                if lease.is_some() {
                    self.lapsed(connection.map(|open| open.node));
                }
                self.state = State::AwaitingToken {
                    connection: None,
                    purpose: Purpose::Register,
                    answered,
                    lease: None,
                };
            }
            State::Refused { retry_at, .. } => {
                self.state = State::Refused {
                    connection: None,
                    retry_at,
                };
            }
            other @ (State::Failed { .. } | State::Suspended) => self.state = other,
        }
    }

    /// The round after the loss of a registration.
    ///
    /// A node that takes a registration and drops the connection at once would be asked for ever: when
    /// as many registrations in a row were short-lived as there are nodes, and one more, no node is left.
    fn round_after_losing(&mut self, node: usize, lease: &Lease, now: Instant) -> Round {
        let nodes = self.config.targets.len();
        let settled = later(lease.started, self.config.options.min_refresh) <= now;
        self.short_lived = if settled { 0 } else { self.short_lived + 1 };
        if self.short_lived > nodes {
            Round::default()
        } else {
            Round::after_losing(node, nodes)
        }
    }

    pub(super) fn node_failed(&mut self, node: usize, cause: ConnectionFailure, now: Instant) {
        self.alarm.get_or_insert_with(|| Alarm::after(&cause));
        self.round.failed(node, cause.clone());
        self.try_next(Some((node, cause)), now);
    }

    /// Makes the next REGISTER.
    pub(super) fn request(
        &mut self,
        connection: Connection,
        purpose: Purpose,
        lease: Option<Lease>,
        answered: u8,
        now: Instant,
    ) {
        let unasked = match self.config.options.present_token {
            PresentToken::Always => true,
            PresentToken::Refreshes => purpose != Purpose::Register,
            PresentToken::Challenged => false,
        };
        let allowed = self.may_carry_token(connection.node);
        let token = self
            .usable_token(connection.node, now)
            .filter(|_| allowed && (unasked || answered > 0))
            .cloned();
        let Some(series) = self.series.as_mut() else {
            // `handle_connected` makes the series before the first request of a connection.
            return;
        };
        self.state = State::Requesting {
            connection,
            transaction: Transaction {
                purpose,
                exchange: ClientTransaction::new(
                    &Series::branch(self.entropy.as_mut()),
                    Method::Register,
                    self.config.options.response_timeout,
                    now,
                ),
                cseq: series.next_cseq(),
                token,
                answered,
                unsent: true,
            },
            lease,
        };
    }

    /// The token this node may be shown, if there is one.
    pub(super) fn usable_token(&self, node: usize, now: Instant) -> Option<&AccessToken> {
        let target = self.config.targets.get(node)?;
        self.held.usable_at(&target.node, now)
    }

    /// Whether a token may be sent to this node: over TLS, or where the caller insists.
    pub(super) fn may_carry_token(&self, node: usize) -> bool {
        self.config
            .targets
            .get(node)
            .is_some_and(|target| match target.transport {
                Transport::Tls => true,
                Transport::Tcp => self.config.options.token_without_tls,
            })
    }

    /// Other nodes. What is open leads to those before: none of it is used for these.
    pub(super) fn put_targets(&mut self, targets: Vec<Target>) {
        self.stop_watching();
        self.forget_take_over();
        self.config.targets = targets;
        self.series = None;
    }

    pub(super) fn lapsed(&mut self, node: Option<usize>) {
        if let Some(node) = node {
            let node = self.node_name(node);
            self.events.push_back(Event::Lapsed { node });
        }
    }

    /// The lease ended while its refresh is not answered. The answer may still come; it registers then.
    pub(super) fn lapsed_unanswered(
        &mut self,
        connection: Connection,
        mut transaction: Transaction,
        lease: Lease,
        now: Instant,
    ) {
        self.round = self.round_after_losing(connection.node, &lease, now);
        self.lapsed(Some(connection.node));
        transaction.purpose = Purpose::Register;
        self.state = State::Requesting {
            connection,
            transaction,
            lease: None,
        };
    }

    pub(super) fn close(&mut self, open: Option<FlowId>) {
        self.events
            .extend(open.map(|connection| Event::Close { connection }));
    }

    pub(super) fn node_name(&self, node: usize) -> String {
        self.config
            .targets
            .get(node)
            .map_or_else(String::new, |target| target.node.clone())
    }
}
