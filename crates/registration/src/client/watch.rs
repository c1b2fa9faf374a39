//! Nodes that do not hold the registration: the standby, those that would be better, and one that was just left.
//!
//! Each is kept connected and asked with a REGISTER of `Expires: 0`, which removes nothing where nothing is registered: the
//! product's keep-alive to the standby node. A node that was left is asked the same way once, which removes what it may
//! still hold.

mod hand_over;

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use sip_oauth_message::Method;

use super::Client;
use super::answer::Facts;
use super::config::{OtherNodes, PresentToken};
use super::event::{ConnectionFailure, Event, FlowId};
use super::lease::{Lease, later};
use super::request::{Register, Scheme};
use super::series::Series;
use super::state::{Connection, Purpose, Transaction};
use crate::transaction::{ClientTransaction, Received};

/// The longest time between two questions to a better node (`MAX_FALLBACK_MONITOR_PERIOD`).
const MAX_FALLBACK_PERIOD: Duration = Duration::from_secs(300);

/// One node that is asked whether it is there.
#[derive(Debug)]
pub(super) struct Watch {
    node: usize,
    role: Role,
    stage: Stage,
    /// Since when every answer was good.
    good_since: Option<Instant>,
    /// What was last reported about it.
    reported: Option<bool>,
    /// Whether it has answered a token with a success: later requests may carry one unasked.
    known: bool,
    scheme: Scheme,
}

/// Why a node is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It is next where the one that holds the registration fails.
    Standby,
    /// It comes before the one that holds the registration.
    Better,
    /// It held this registration. It is told so when another one does, and closed then.
    Left {
        lease: Lease,
        /// How often its connection was pinged at least.
        ping: Option<Duration>,
    },
}

#[derive(Debug)]
enum Stage {
    /// Out of reach; tried again then.
    Waiting {
        until: Instant,
    },
    Connecting {
        id: FlowId,
        give_up_at: Instant,
    },
    /// Connected; asked again then. `None` until another node holds the registration.
    Open {
        connection: Connection,
        series: Series,
        ask_at: Option<Instant>,
    },
    Asking {
        connection: Connection,
        series: Series,
        transaction: Box<Transaction>,
    },
}

impl Watch {
    fn new(node: usize, role: Role, scheme: Scheme, now: Instant) -> Self {
        Self {
            node,
            role,
            stage: Stage::Waiting { until: now },
            good_since: None,
            reported: None,
            known: false,
            scheme,
        }
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Waiting { until } => Some(*until),
            Stage::Connecting { give_up_at, .. } => Some(*give_up_at),
            Stage::Open { ask_at, .. } => *ask_at,
            Stage::Asking { transaction, .. } => transaction.exchange.poll_timeout(),
        }
    }

    fn connection(&self) -> Option<FlowId> {
        match &self.stage {
            Stage::Waiting { .. } => None,
            Stage::Connecting { id, .. } => Some(*id),
            Stage::Open { connection, .. } | Stage::Asking { connection, .. } => {
                Some(connection.id)
            }
        }
    }
}

impl Client {
    /// The registration is at `active`: which other nodes are watched from now on.
    pub(super) fn arrange_watches(&mut self, active: usize, now: Instant) {
        let nodes = self.config.targets.len();
        let (standby, fall_back) = match self.config.options.other_nodes {
            OtherNodes::Ignored => (false, false),
            OtherNodes::Standby => (true, false),
            OtherNodes::StandbyAndFallBack => (true, true),
        };
        let role_of = |node: usize| {
            if node < active && fall_back {
                Some(Role::Better)
            } else if node == active + 1 && standby && node < nodes {
                Some(Role::Standby)
            } else {
                None
            }
        };
        let mut closed = Vec::new();
        self.watches.retain_mut(|watch| {
            let left = matches!(watch.role, Role::Left { .. });
            match role_of(watch.node) {
                Some(role) => watch.role = role,
                // It is still to be told that the registration is elsewhere.
                None if left => {}
                None => {
                    closed.extend(watch.connection());
                    return false;
                }
            }
            if let (true, Stage::Open { ask_at, .. }) = (left, &mut watch.stage) {
                ask_at.get_or_insert(now);
            }
            true
        });
        for connection in closed {
            self.close(Some(connection));
        }
        for node in 0..nodes {
            if let Some(role) = role_of(node)
                && !self.watches.iter().any(|watch| watch.node == node)
            {
                self.watches.push(Watch::new(node, role, self.scheme, now));
            }
        }
        self.watches.sort_by_key(|watch| watch.node);
        self.watches_timeout(now);
    }

    /// Nobody is watched any more.
    pub(super) fn stop_watching(&mut self) {
        for watch in std::mem::take(&mut self.watches) {
            self.close(watch.connection());
        }
    }

    /// A connection that is not the one in use was made.
    pub(super) fn watched_connected(&mut self, id: FlowId, local: SocketAddr, now: Instant) {
        let instance = &self.config.device.instance;
        let Some(watch) = self
            .watches
            .iter_mut()
            .find(|watch| matches!(watch.stage, Stage::Connecting { id: ours, .. } if ours == id))
        else {
            return;
        };
        let node = watch.node;
        watch.stage = Stage::Open {
            connection: Connection { id, node, local },
            series: Series::new(node, local.ip(), instance, self.entropy.as_mut()),
            ask_at: Some(now),
        };
        self.watches_timeout(now);
    }

    /// A connection that is not the one in use was lost.
    pub(super) fn watched_disconnected(
        &mut self,
        id: FlowId,
        cause: ConnectionFailure,
        now: Instant,
    ) {
        if let Some(at) = self.watch_of(id) {
            self.out_of_reach(at, cause, now);
        }
    }

    fn watch_of(&self, id: FlowId) -> Option<usize> {
        self.watches
            .iter()
            .position(|watch| watch.connection() == Some(id))
    }

    /// The connection of a watched node is gone, or could not be made.
    fn out_of_reach(&mut self, at: usize, cause: ConnectionFailure, now: Instant) {
        let wait = self.config.options.node_keep_alive;
        let Some(watch) = self.watches.get_mut(at) else {
            return;
        };
        if matches!(watch.role, Role::Left { .. }) {
            self.watches.remove(at);
            return;
        }
        watch.good_since = None;
        let period = period(watch.role, wait);
        watch.stage = Stage::Waiting {
            until: later(now, period),
        };
        if watch.reported.replace(false) != Some(false) {
            let node = watch.node;
            let node = self.node_name(node);
            self.events.push_back(Event::Unreachable { node, cause });
        }
    }

    /// Asks who is due, and gives up on who does not answer.
    pub(super) fn watches_timeout(&mut self, now: Instant) {
        let mut at = 0;
        while let Some(watch) = self.watches.get_mut(at) {
            let (due, node) = (watch.deadline(), watch.node);
            let connection = watch.connection();
            let silent = match watch.stage {
                _ if due.is_none_or(|due| due > now) => None,
                Stage::Waiting { .. } => {
                    self.connect_watch(at, node, now);
                    None
                }
                Stage::Open { .. } => {
                    self.ask(at, 0, now);
                    None
                }
                Stage::Connecting { .. } => Some(ConnectionFailure::ConnectTimeout),
                Stage::Asking { .. } => Some(ConnectionFailure::NoResponse),
            };
            let before = self.watches.len();
            if let Some(cause) = silent {
                self.close(connection);
                self.out_of_reach(at, cause, now);
            }
            if self.watches.len() == before {
                at += 1;
            }
        }
    }

    fn connect_watch(&mut self, at: usize, node: usize, now: Instant) {
        let Some(target) = self.config.targets.get(node).cloned() else {
            return;
        };
        let id = self.ask_for_connection(target);
        let give_up_at = later(now, self.config.options.connect_timeout);
        if let Some(watch) = self.watches.get_mut(at) {
            watch.stage = Stage::Connecting { id, give_up_at };
        }
    }

    /// Makes the next question to a node; `answered` counts the challenges it answers.
    fn ask(&mut self, at: usize, answered: u8, now: Instant) {
        let Some(watch) = self.watches.get(at) else {
            return;
        };
        let unasked = match self.config.options.present_token {
            PresentToken::Always => true,
            PresentToken::Refreshes => watch.known,
            PresentToken::Challenged => false,
        };
        let token = self
            .usable_token(watch.node, now)
            .filter(|_| self.may_carry_token(watch.node) && (unasked || answered > 0))
            .cloned();
        let exchange = ClientTransaction::new(
            &Series::branch(self.entropy.as_mut()),
            Method::Register,
            self.config.options.response_timeout,
            now,
        );
        let Some(watch) = self.watches.get_mut(at) else {
            return;
        };
        let stage = std::mem::replace(&mut watch.stage, Stage::Waiting { until: now });
        watch.stage = match stage {
            Stage::Open {
                connection,
                mut series,
                ..
            }
            | Stage::Asking {
                connection,
                mut series,
                ..
            } => Stage::Asking {
                connection,
                transaction: Box::new(Transaction {
                    purpose: Purpose::KeepAlive,
                    exchange,
                    cseq: series.next_cseq(),
                    token,
                    answered,
                    unsent: true,
                }),
                series,
            },
            other @ (Stage::Waiting { .. } | Stage::Connecting { .. }) => other,
        };
    }

    /// Writes the next question to a watched node.
    pub(super) fn poll_watch_request(
        &mut self,
        wall: SystemTime,
        out: &mut Vec<u8>,
    ) -> Option<FlowId> {
        self.watches.iter_mut().find_map(|watch| {
            let Stage::Asking {
                connection,
                series,
                transaction,
            } = &mut watch.stage
            else {
                return None;
            };
            let target = self.config.targets.get(connection.node)?;
            if !std::mem::take(&mut transaction.unsent) {
                return None;
            }
            let register = Register {
                config: &self.config,
                target,
                local: connection.local,
                series,
                transaction,
                scheme: watch.scheme,
                asked: Duration::ZERO,
                alarm: None,
            };
            register.build(wall)?.encode(out);
            Some(connection.id)
        })
    }

    /// Whether a message came from a watched node as an answer to it, in time or late.
    pub(super) fn watched_message(&mut self, id: FlowId, facts: &Facts, now: Instant) -> bool {
        let Some(at) = self.watch_of(id) else {
            return false;
        };
        match self.watches.get_mut(at).map(|watch| &mut watch.stage) {
            Some(Stage::Asking {
                series,
                transaction,
                ..
            }) if facts.method_is_register && facts.call_id == series.call_id => {
                let answers = !transaction.unsent
                    && facts.cseq == transaction.cseq
                    && transaction
                        .exchange
                        .matches(&facts.branch, &Method::Register)
                    && transaction.exchange.handle_response(facts.status, now) == Received::Final;
                if answers {
                    self.watched_answered(at, facts, now);
                }
                true
            }
            Some(Stage::Open { series, .. }) => {
                facts.method_is_register && facts.call_id == series.call_id
            }
            _ => false,
        }
    }

    fn watched_answered(&mut self, at: usize, facts: &Facts, now: Instant) {
        let wait = self.config.options.node_keep_alive;
        let Some(watch) = self.watches.get_mut(at) else {
            return;
        };
        let Stage::Asking {
            connection,
            transaction,
            ..
        } = &mut watch.stage
        else {
            return;
        };
        let (connection, answered) = (*connection, transaction.answered);
        if matches!(facts.status, 401 | 407) {
            watch.scheme = Scheme::answering(facts.status);
            if let Some(token) = transaction.token.take() {
                let node = self.node_name(connection.node);
                self.held.refuse_at(&node, &token);
            }
            let usable = self.usable_token(connection.node, now).is_some();
            if usable && self.cannot_answer(facts, connection, answered).is_none() {
                return self.ask(at, answered + 1, now);
            }
        }
        let good = (200..300).contains(&facts.status);
        let Some(watch) = self.watches.get_mut(at) else {
            return;
        };
        if matches!(watch.role, Role::Left { .. }) {
            self.watches.remove(at);
            return self.close(Some(connection.id));
        }
        if good {
            watch.known |= transaction_carried_token(&watch.stage);
            watch.good_since.get_or_insert(now);
        } else {
            watch.good_since = None;
        }
        // A node that refuses is there all the same: "on the standby node: stay".
        let news = watch.reported.replace(true) != Some(true);
        let retry_after = facts.retry_after.unwrap_or_default();
        let ask_at = later(now, period(watch.role, wait).max(retry_after));
        let stage = std::mem::replace(&mut watch.stage, Stage::Waiting { until: now });
        if let Stage::Asking {
            connection, series, ..
        } = stage
        {
            watch.stage = Stage::Open {
                connection,
                series,
                ask_at: Some(ask_at),
            };
        }
        if news {
            let node = self.node_name(connection.node);
            self.events.push_back(Event::Reachable { node });
        }
        self.fall_back(at, now);
    }
}

fn transaction_carried_token(stage: &Stage) -> bool {
    matches!(stage, Stage::Asking { transaction, .. } if transaction.token.is_some())
}

fn period(role: Role, keep_alive: Duration) -> Duration {
    match role {
        Role::Standby | Role::Left { .. } => keep_alive,
        Role::Better => keep_alive.min(MAX_FALLBACK_PERIOD),
    }
}
