//! What a client does about an answer.
//!
//! | answer | reaction |
//! |---|---|
//! | 1xx | wait |
//! | 2xx | registered, refreshed or deregistered |
//! | 300, 301, 302, 305 | registered at the first Contact that is a configured node and did not redirect itself |
//! | 401, 407 | the same again with a token, at most [`ClientOptions::max_challenges`] times |
//! | 423 | again with `Min-Expires` and a new Call-ID, if that is not above the limit |
//! | any other | [`Event::Refused`]; again after `Retry-After`; never another node |
//!
//! [`ClientOptions::max_challenges`]: super::ClientOptions::max_challenges

use std::time::{Duration, Instant};

use super::Client;
use super::answer::Facts;
use super::config::{Alarm, Dialect};
use super::event::{ConnectionFailure, Event, GaveUp, Grant, Refused, TokenChallenge, TokenReason};
use super::lease::{self, Lease, later};
use super::leave::Bound;
use super::request::Scheme;
use super::series::Series;
use super::state::{Connection, Purpose, State, Transaction};
use crate::address::uri_host;
use crate::refusal::Refusal;
use crate::transaction::Received;

/// The highest expiry a 423 may raise the request to.
const HIGHEST_MIN_EXPIRES: Duration = Duration::from_secs(3600);

/// The shortest time a refusal is waited out: `Retry-After: 0` must not lead to a storm.
const SHORTEST_RETRY: Duration = Duration::from_secs(1);

/// The statuses whose `Retry-After` is honoured.
const RETRIED: [u16; 9] = [403, 404, 413, 480, 486, 500, 503, 600, 603];

impl Alarm {
    /// What the first REGISTER after a lost connection reports.
    pub(super) fn after(cause: &ConnectionFailure) -> Self {
        match cause {
            ConnectionFailure::Unresolved(_)
            | ConnectionFailure::Refused(_)
            | ConnectionFailure::ConnectTimeout => Self::new(10, "tcp_timeout"),
            ConnectionFailure::Protocol(_) => Self::new(13, "cm-aborted-tcp"),
            ConnectionFailure::Closed | ConnectionFailure::Broken(_) => {
                Self::new(14, "cm-closed-tcp")
            }
            ConnectionFailure::NoResponse | ConnectionFailure::FlowFailed => {
                Self::new(17, "reg-timeout")
            }
            ConnectionFailure::Tls(_) => Self::new(106, "tls-error"),
        }
    }
}

/// The refusal that stands for a token that cannot be had.
pub(super) fn no_token(node: String, status: u16) -> Refused {
    Refused {
        node,
        status,
        reason: String::new(),
        warning: None,
        retry_after: None,
        retry_at: None,
        candidates: vec![Refusal::TokenMissing.entry()],
        gave_up: Some(GaveUp::NoToken),
    }
}

impl Client {
    /// The answer to the outstanding request.
    pub(super) fn handle_answer(&mut self, facts: &Facts, now: Instant) {
        if let State::Requesting { transaction, .. } = &mut self.state
            && transaction.exchange.handle_response(facts.status, now) != Received::Final
        {
            return;
        }
        let (connection, transaction, lease) = match std::mem::replace(&mut self.state, State::Idle)
        {
            State::Requesting {
                connection,
                transaction,
                lease,
            } => (connection, transaction, lease),
            other => {
                self.state = other;
                return;
            }
        };
        if transaction.purpose == Purpose::Deregister {
            return self.deregistration_answered(facts, connection, &transaction, now);
        }
        if transaction.purpose == Purpose::KeepAlive {
            return self.question_answered(facts, connection, transaction, now);
        }
        self.flow_timer(connection.id, facts, now);
        match facts.status {
            200..=299 => self.registered(facts, connection, transaction.purpose, now),
            300 | 301 | 302 | 305 => self.redirected(facts, connection, now),
            401 | 407 => self.challenged(facts, connection, transaction, lease, now),
            423 => self.too_brief(facts, connection, &transaction, lease, now),
            _ => self.refused(facts, connection, None, now),
        }
        if self.leaving {
            self.leave(now);
        }
    }

    /// Follows a redirection, but only to a node that is configured: a token must not go wherever
    /// somebody else says.
    fn redirected(&mut self, facts: &Facts, connection: Connection, now: Instant) {
        self.round.redirected(connection.node);
        let leads_to = facts.alternatives().find_map(|(host, port)| {
            self.config
                .targets
                .iter()
                .enumerate()
                .filter(|(node, _)| self.round.may_lead_to(*node))
                .find(|(_, target)| {
                    uri_host(&target.node).eq_ignore_ascii_case(host)
                        && port.is_none_or(|port| port == target.port)
                })
                .map(|(node, _)| node)
        });
        let Some(node) = leads_to else {
            return self.refused(facts, connection, Some(GaveUp::Redirection), now);
        };
        self.round.take(node);
        self.close(Some(connection.id));
        self.events.push_back(Event::Redirected {
            from: self.node_name(connection.node),
            to: self.node_name(node),
        });
        self.connect(node, now);
    }

    fn registered(
        &mut self,
        facts: &Facts,
        connection: Connection,
        purpose: Purpose,
        now: Instant,
    ) {
        let contact = facts.contact_of(&self.config.line.contact, connection.local);
        let granted = lease::granted(
            self.asked,
            contact.and_then(|contact| contact.expires),
            facts.expires,
        );
        let lease = Lease::new(&self.config, granted, self.asked, now);
        let grant = Grant {
            node: self.node_name(connection.node),
            granted: lease.granted,
            refresh_at: lease.refresh_at,
            new_registration: facts.new_registration,
            sis_version: facts.sis_version,
        };
        self.round.settled();
        self.answered_before = 0;
        self.bound = Some(Bound::new(connection, &lease));
        // The registrar has taken the report.
        self.alarm = None;
        self.state = State::Registered { connection, lease };
        self.events.push_back(match purpose {
            Purpose::Refresh => Event::Refreshed(grant),
            Purpose::Register | Purpose::Deregister | Purpose::KeepAlive => {
                Event::Registered(grant)
            }
        });
        self.arrange_watches(connection.node, now);
    }

    pub(super) fn challenged(
        &mut self,
        facts: &Facts,
        connection: Connection,
        transaction: Transaction,
        lease: Option<Lease>,
        now: Instant,
    ) {
        let rejected = self.note_challenge(facts, connection.node, transaction.token);
        let answered = self.answered_before.saturating_add(transaction.answered);
        if let Some(why) = self.cannot_answer(facts, connection, answered) {
            return self.refused(facts, connection, Some(why), now);
        }
        if self.usable_token(connection.node, now).is_some() {
            self.request(
                connection,
                transaction.purpose,
                lease,
                transaction.answered + 1,
                now,
            );
            return;
        }
        // A move to a better node does not wait for a token while the registration lapses where it is.
        if !self.return_to_left(connection, facts.status, now) {
            self.state = State::AwaitingToken {
                connection: Some(connection),
                purpose: transaction.purpose,
                answered: transaction.answered,
                lease,
            };
        }
        self.events.push_back(Event::TokenNeeded {
            reason: if rejected {
                TokenReason::Rejected
            } else {
                TokenReason::Challenged
            },
            challenge: self.challenge.clone(),
        });
    }

    /// Remembers what was asked for, and that the token presented, if any, was refused.
    pub(super) fn note_challenge(
        &mut self,
        facts: &Facts,
        node: usize,
        presented: Option<sip_oauth_token::AccessToken>,
    ) -> bool {
        // What a renewal asks for later is what was asked for last, by somebody who may.
        self.challenge = facts
            .challenge
            .clone()
            .filter(|challenge| self.distrusted(challenge).is_none());
        self.scheme = Scheme::answering(facts.status);
        let node = self.node_name(node);
        self.held.refuse(&node, presented)
    }

    /// Why a challenge is not answered, whatever token is at hand.
    pub(super) fn cannot_answer(
        &self,
        facts: &Facts,
        connection: Connection,
        answered: u8,
    ) -> Option<GaveUp> {
        let Some(challenge) = &facts.challenge else {
            return Some(GaveUp::NotBearer);
        };
        if answered >= self.config.options.max_challenges {
            return Some(GaveUp::TooManyChallenges);
        }
        if !self.may_carry_token(connection.node) {
            return Some(GaveUp::TokenWithoutTls);
        }
        let server = self.distrusted(challenge)?;
        Some(GaveUp::UntrustedAuthorizationServer(server.to_owned()))
    }

    /// The authorization server of a challenge, where it is not to be trusted.
    fn distrusted<'c>(&self, challenge: &'c TokenChallenge) -> Option<&'c str> {
        // Without an address the server is the one configured in advance.
        let server = challenge.authorization_server.as_deref()?;
        let trusted = match &self.config.dialect {
            Dialect::Rfc8898 {
                trusted_authorization_servers,
            } => trusted_authorization_servers
                .iter()
                .any(|one| one == server),
            // Unified CM names none.
            Dialect::UnifiedCm => true,
        };
        (!trusted).then_some(server)
    }

    fn too_brief(
        &mut self,
        facts: &Facts,
        connection: Connection,
        transaction: &Transaction,
        lease: Option<Lease>,
        now: Instant,
    ) {
        let highest = HIGHEST_MIN_EXPIRES.max(self.config.expires);
        let raised = facts
            .min_expires
            .map(|seconds| Duration::from_secs(u64::from(seconds)))
            .filter(|&minimum| minimum > self.asked && minimum <= highest);
        let Some(raised) = raised else {
            return self.refused(facts, connection, Some(GaveUp::MinExpires), now);
        };
        self.asked = raised;
        let instance = &self.config.device.instance;
        let local = connection.local.ip();
        self.series = Some(Series::new(
            connection.node,
            local,
            instance,
            self.entropy.as_mut(),
        ));
        self.request(
            connection,
            transaction.purpose,
            lease,
            transaction.answered,
            now,
        );
    }

    fn refused(
        &mut self,
        facts: &Facts,
        connection: Connection,
        gave_up: Option<GaveUp>,
        now: Instant,
    ) {
        if self.return_to_left(connection, facts.status, now) {
            return;
        }
        self.answered_before = 0;
        let honoured = self.config.options.honour_retry_after && RETRIED.contains(&facts.status);
        let retry_at = facts
            .retry_after
            .filter(|_| honoured)
            .map(|wait| later(now, wait.max(SHORTEST_RETRY)));
        self.state = State::Refused {
            connection: Some(connection),
            retry_at,
        };
        self.stop_watching();
        let warning = facts.warning.as_deref();
        self.events.push_back(Event::Refused(Refused {
            node: self.node_name(connection.node),
            status: facts.status,
            reason: facts.reason.clone(),
            warning: facts.warning.clone(),
            retry_after: facts.retry_after,
            retry_at,
            candidates: Refusal::find(facts.status, warning).collect(),
            gave_up,
        }));
    }
}
