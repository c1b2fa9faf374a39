//! Keep-alives of the connection that holds the registration, and the failure of a flow (RFC 5626).

use std::time::{Duration, Instant};

use super::Client;
use super::answer::Facts;
use super::event::{ConnectionFailure, FlowId};
use super::lease::later;
use super::state::State;
use crate::entropy::Entropy;

/// "If a pong is not received within 10 seconds after sending a ping …, then the client MUST treat the flow as
/// failed" (RFC 5626 section 4.4.1).
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// The ping: two CRLF (RFC 5626 section 3.5.1).
const PING: &[u8] = b"\r\n\r\n";

/// Keep-alives of one connection.
///
/// Invariant: at most one of "ping due", "ping to be handed out" and "pong awaited" holds.
#[derive(Debug, Default)]
pub(super) struct FlowKeepAlive(Option<Flow>);

#[derive(Debug)]
struct Flow {
    connection: FlowId,
    /// The upper bound of the time between two pings.
    at_most: Duration,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Quiet { ping_at: Instant },
    Unsent { pong_by: Instant },
    Pinged { pong_by: Instant },
}

impl FlowKeepAlive {
    /// Pings `connection` from now on, at least every `at_most`.
    fn arm(
        &mut self,
        connection: FlowId,
        at_most: Duration,
        entropy: &mut dyn Entropy,
        now: Instant,
    ) {
        let known = self
            .0
            .as_ref()
            .is_some_and(|flow| flow.connection == connection && flow.at_most == at_most);
        if !known {
            self.0 = Some(Flow {
                connection,
                at_most,
                phase: Phase::quiet(at_most, entropy, now),
            });
        }
    }

    /// How often this connection is pinged at least, if it is.
    pub(super) fn bound(&self, connection: FlowId) -> Option<Duration> {
        let flow = self.0.as_ref()?;
        (flow.connection == connection).then_some(flow.at_most)
    }

    /// Pings a connection again that was out of use meanwhile.
    pub(super) fn resume(
        &mut self,
        connection: FlowId,
        at_most: Duration,
        entropy: &mut dyn Entropy,
        now: Instant,
    ) {
        // A pong that was waited for may have come when nobody listened.
        self.0 = None;
        self.arm(connection, at_most, entropy, now);
    }

    pub(super) fn handle_pong(
        &mut self,
        connection: FlowId,
        entropy: &mut dyn Entropy,
        now: Instant,
    ) {
        if let Some(flow) = &mut self.0
            && flow.connection == connection
            && matches!(flow.phase, Phase::Pinged { .. })
        {
            flow.phase = Phase::quiet(flow.at_most, entropy, now);
        }
    }

    /// Appends the ping that is due.
    pub(super) fn poll_transmit(&mut self, out: &mut Vec<u8>) -> Option<FlowId> {
        let flow = self.0.as_mut()?;
        let Phase::Unsent { pong_by } = flow.phase else {
            return None;
        };
        flow.phase = Phase::Pinged { pong_by };
        out.extend_from_slice(PING);
        Some(flow.connection)
    }
}

impl Phase {
    /// "the UA MUST select … a random number between 80% and 100% of the upper bound" (RFC 5626 section 4.4).
    fn quiet(at_most: Duration, entropy: &mut dyn Entropy, now: Instant) -> Self {
        let thousandths = 800 + entropy.next_u32() % 201;
        let wait = at_most
            .checked_mul(thousandths)
            .map_or(at_most, |part| part / 1000);
        Self::Quiet {
            ping_at: later(now, wait),
        }
    }

    const fn deadline(&self) -> Instant {
        match *self {
            Self::Quiet { ping_at } => ping_at,
            Self::Unsent { pong_by } | Self::Pinged { pong_by } => pong_by,
        }
    }
}

impl Client {
    /// An answer came over the connection in use: from here on the flow is worth keeping.
    ///
    /// "If the Flow-Timer header field is present …, the UA MUST send its keep-alives at least as often" (RFC 5626
    /// section 4.4).
    pub(super) fn flow_timer(&mut self, connection: FlowId, facts: &Facts, now: Instant) {
        let wanted = [self.config.options.flow_keep_alive, facts.flow_timer];
        let granted = (200..300).contains(&facts.status);
        if let Some(at_most) = wanted.into_iter().flatten().min().filter(|_| granted) {
            self.keep_alive
                .arm(connection, at_most, self.entropy.as_mut(), now);
        }
    }

    /// The flow of the connection in use; the keep-alives of one that was given up count no longer.
    fn flow(&self) -> Option<&Flow> {
        let in_use = self.state.connection()?.id;
        self.keep_alive
            .0
            .as_ref()
            .filter(|flow| flow.connection == in_use)
    }

    pub(super) fn flow_deadline(&self) -> Option<Instant> {
        self.flow().map(|flow| flow.phase.deadline())
    }

    /// Pings, or finds that the flow failed.
    pub(super) fn flow_timeout(&mut self, now: Instant) {
        if self.flow().is_none() {
            self.keep_alive.0 = None;
            return;
        }
        let Some(flow) = self.keep_alive.0.as_mut() else {
            return;
        };
        if flow.phase.deadline() > now {
            return;
        }
        match flow.phase {
            Phase::Quiet { .. } => {
                flow.phase = Phase::Unsent {
                    pong_by: later(now, PONG_WITHIN),
                };
            }
            Phase::Unsent { .. } | Phase::Pinged { .. } => {
                let failed = flow.connection;
                self.keep_alive.0 = None;
                // What is not connected any more has no flow.
                if !matches!(self.state, State::Idle) {
                    self.close(Some(failed));
                    self.connection_failed(ConnectionFailure::FlowFailed, now);
                }
            }
        }
    }
}
