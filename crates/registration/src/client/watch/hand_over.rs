//! How the registration comes to a watched node: in a fail-over, in a fall-back, and back where that one is broken off.

use std::time::{Duration, Instant};

use super::super::Client;
use super::super::answer::Facts;
use super::super::config::Alarm;
use super::super::event::Event;
use super::super::lease::{Lease, later};
use super::super::round::Round;
use super::super::state::{Connection, Purpose, State, Transaction};
use super::{Role, Stage, Watch};

impl Client {
    /// Uses the connection to a watched node, if there is one or is about to be, for the registration.
    pub(in crate::client) fn take_watched(&mut self, node: usize, now: Instant) -> bool {
        let Some(at) = self.watches.iter().position(|watch| watch.node == node) else {
            return false;
        };
        match self.watches.remove(at).stage {
            Stage::Waiting { .. } => false,
            Stage::Connecting { id, give_up_at } => {
                self.state = State::Connecting {
                    id,
                    node,
                    give_up_at,
                };
                true
            }
            Stage::Open {
                connection, series, ..
            } => {
                self.series = Some(series);
                self.request(connection, Purpose::Register, None, 0, now);
                true
            }
            Stage::Asking {
                connection,
                mut series,
                transaction,
            } if transaction.unsent => {
                series.give_back();
                self.series = Some(series);
                self.request(connection, Purpose::Register, None, 0, now);
                true
            }
            // "UAs MUST NOT send a new registration … until they have received a final response from the registrar for the
            // previous one or the previous REGISTER request has timed out" (RFC 3261 section 10.2).
            Stage::Asking {
                connection,
                series,
                transaction,
            } => {
                self.series = Some(series);
                self.state = State::Requesting {
                    connection,
                    transaction: *transaction,
                    lease: None,
                };
                true
            }
        }
    }

    /// A node answers what it was asked before the registration came to it: now it is asked to register.
    pub(in crate::client) fn question_answered(
        &mut self,
        facts: &Facts,
        connection: Connection,
        transaction: Transaction,
        now: Instant,
    ) {
        let is_challenge = matches!(facts.status, 401 | 407);
        if self.leaving {
            // It may be asked again after another start.
            if let Some(token) = transaction.token.filter(|_| is_challenge) {
                let node = self.node_name(connection.node);
                self.held.refuse_at(&node, &token);
            }
            return self.left(Some(connection.id), false, now);
        }
        if is_challenge {
            let first = Transaction {
                purpose: Purpose::Register,
                answered: 0,
                ..transaction
            };
            return self.challenged(facts, connection, first, None, now);
        }
        self.request(connection, Purpose::Register, None, 0, now);
    }

    /// A better node refused the registration that was to move to it, or wants a token that is not there: the one that was
    /// left still holds it. True where this is what happened.
    pub(in crate::client) fn return_to_left(
        &mut self,
        refusing: Connection,
        status: u16,
        now: Instant,
    ) -> bool {
        let Some((connection, lease, ping)) = self.retake_left() else {
            return false;
        };
        self.close(Some(refusing.id));
        let node = self.node_name(refusing.node);
        self.events
            .push_back(Event::FallBackRefused { node, status });
        self.answered_before = 0;
        if lease.ends_at > now {
            self.state = State::Registered { connection, lease };
            if let Some(at_most) = ping {
                self.keep_alive
                    .resume(connection.id, at_most, self.entropy.as_mut(), now);
            }
            self.arrange_watches(connection.node, now);
        } else {
            self.lapsed(Some(connection.node));
            self.request(connection, Purpose::Register, None, 0, now);
        }
        true
    }

    /// The connection to the node that was left, the registration it holds while no other node has taken it, and how often the
    /// connection was pinged at least.
    pub(in crate::client) fn retake_left(
        &mut self,
    ) -> Option<(Connection, Lease, Option<Duration>)> {
        let at = self.watches.iter().position(|watch| {
            matches!(watch.role, Role::Left { .. })
                && matches!(watch.stage, Stage::Open { ask_at: None, .. })
        })?;
        let watch = self.watches.remove(at);
        let (
            Role::Left { lease, ping },
            Stage::Open {
                connection, series, ..
            },
        ) = (watch.role, watch.stage)
        else {
            return None;
        };
        self.series = Some(series);
        // There was no fall-back to report.
        self.alarm = None;
        Some((connection, lease, ping))
    }

    /// Moves the registration to a better node that was there long enough.
    pub(super) fn fall_back(&mut self, at: usize, now: Instant) {
        let Some(watch) = self.watches.get(at) else {
            return;
        };
        let stable = watch
            .good_since
            .is_some_and(|since| later(since, self.config.options.stable_after) <= now);
        let State::Registered {
            connection: old,
            lease,
        } = self.state
        else {
            // A refresh is under way: at the next answer, then.
            return;
        };
        if watch.role != Role::Better || !stable {
            return;
        }
        let better = watch.node;
        let Some(series) = self.series.take() else {
            return;
        };
        self.events.push_back(Event::FallingBack {
            from: self.node_name(old.node),
            to: self.node_name(better),
        });
        // The node that is left is told after the other one has taken the registration: it lapses nowhere.
        self.watches.retain(|watch| watch.node != old.node);
        let ping = self.keep_alive.bound(old.id);
        let mut left = Watch::new(old.node, Role::Left { lease, ping }, self.scheme, now);
        left.known = true;
        left.stage = Stage::Open {
            connection: old,
            series,
            ask_at: None,
        };
        self.watches.push(left);
        self.round = Round::after_leaving(old.node, better, self.config.targets.len());
        self.alarm = Some(Alarm::fallback());
        self.state = State::Idle;
        self.take_watched(better, now);
    }
}
