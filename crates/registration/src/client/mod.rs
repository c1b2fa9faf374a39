//! The client: a lease with a registrar (RFC 3261 section 10.2, RFC 8898 section 2.1).

mod answer;
mod config;
mod event;
mod flow;
mod held;
mod keep_alive;
mod lease;
mod leave;
mod place;
mod reaction;
mod request;
mod round;
mod series;
mod state;
mod watch;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use sip_oauth_message::{Limits, MessageView, Method, ParseError};
use sip_oauth_token::AccessToken;

pub use config::{
    Alarm, ClientConfig, ClientOptions, Device, Dialect, Instance, InvalidInstance, Line, Load,
    OtherNodes, PresentToken, ShortExpiry, Target, Transport,
};
pub use event::{
    ConnectionFailure, Event, FlowId, GaveUp, Grant, Refused, TokenChallenge, TokenReason,
};
pub use held::ProvideTokenError;
pub use state::ClientState;

use crate::entropy::Entropy;
use answer::Facts;
use held::Held;
use keep_alive::FlowKeepAlive;
use leave::{Afterwards, Bound};
use request::Scheme;
use round::Round;
use series::Series;
use state::{Connection, Purpose, State};
use watch::Watch;

/// What a client did with a message.
#[derive(Debug)]
pub enum Disposition {
    /// It belonged to the registration: an answer, in time or late.
    Consumed,
    /// It is something else: a request of the registrar, or an answer to somebody else's request.
    NotForUs,
    /// It is no SIP message. Nothing changed; the caller should close the connection and say so with
    /// [`ConnectionFailure::Protocol`].
    Malformed(ParseError),
}

/// A client's registration, from the first connection to the last REGISTER.
///
/// It opens no socket and reads no clock. The caller does both, and exchanges with it:
///
/// - *getters* such as [`state`](Self::state): what is known now;
/// - *`handle_*`*: what happened. [`handle_connected`](Self::handle_connected),
///   [`handle_disconnected`](Self::handle_disconnected), [`handle_message`](Self::handle_message),
///   [`handle_timeout`](Self::handle_timeout);
/// - *commands*: what is wanted. [`start`](Self::start), [`deregister`](Self::deregister),
///   [`provide_token`](Self::provide_token), [`token_unavailable`](Self::token_unavailable),
///   [`set_targets`](Self::set_targets), [`relocate`](Self::relocate), [`take_over`](Self::take_over),
///   [`suspend`](Self::suspend), [`resume`](Self::resume);
/// - *`poll_*`*: what to do. After any of the above, take everything from
///   [`poll_event`](Self::poll_event) and [`poll_transmit`](Self::poll_transmit) until both give
///   nothing, and call [`handle_timeout`](Self::handle_timeout) no later than
///   [`poll_timeout`](Self::poll_timeout) says.
///
/// Any order of polls leads to the same messages and events. Calls that mean nothing in the present
/// state (a timeout before it is due, news of a connection given up, a second start) do nothing.
/// `Instant` drives timers; `SystemTime` is only written into `Date`.
///
/// ```
/// use std::time::{Duration, Instant, SystemTime};
/// use sip_oauth_registration::Seeded;
/// use sip_oauth_registration::client::{Client, ClientConfig, ClientState, Device, Event, Instance, Line, Target, Transport};
///
/// let device = Device::csf("CSFJDOE", Instance::new("005056aabbcc")?);
/// let line = Line::new("1010", "a1b2c3d4-0000-4000-8000-000000000001");
/// let targets = vec![Target::new("ucm1.example.com", 5090, Transport::Tls)];
/// let mut client = Client::new(ClientConfig::unified_cm(device, line, targets), Seeded::new(1));
/// let now = Instant::now();
///
/// // 1. Start: the client wants a connection.
/// client.start(now);
/// let Some(Event::Connect { connection, target }) = client.poll_event() else { panic!("no Connect") };
/// assert_eq!((target.host.as_str(), target.port), ("ucm1.example.com", 5090));
///
/// // 2. It is made: the client has something to send, and waits 32 s for the answer.
/// client.handle_connected(connection, "192.0.2.10:62162".parse()?, now);
/// let mut out = Vec::new();
/// assert_eq!(client.poll_transmit(SystemTime::UNIX_EPOCH, &mut out), Some(connection));
/// assert!(out.starts_with(b"REGISTER sip:ucm1.example.com SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.10:62162;"));
/// assert_eq!(client.poll_timeout(), Some(now + Duration::from_secs(32)));
///
/// // 3. The registrar asks for a token: so does the client.
/// let request = sip_oauth_message::MessageView::parse(&out, &Default::default())?;
/// # let echoed: String = request.fields().filter(|f| ["Via", "From", "To", "Call-ID", "CSeq"].contains(&f.name_text()))
/// #     .map(|f| format!("{}: {}\r\n", f.name(), f.value())).collect();
/// let answer = format!(
///     "SIP/2.0 407 Proxy Authentication Required\r\n{echoed}\
///      Proxy-Authenticate: Bearer realm=\"ccmsipline\"\r\nContent-Length: 0\r\n\r\n"
/// );
/// client.handle_message(connection, answer.as_bytes(), now);
/// assert!(matches!(client.poll_event(), Some(Event::TokenNeeded { .. })));
/// assert_eq!(client.state(), ClientState::AwaitingToken);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Client {
    config: ClientConfig,
    entropy: Box<dyn Entropy + Send>,
    state: State,
    events: VecDeque<Event>,
    round: Round,
    series: Option<Series>,
    held: Held,
    /// The expiry asked for; a 423 may have raised it above the configured one.
    asked: Duration,
    /// What the next REGISTER reports in its `Reason`; gone once a registrar has taken it.
    alarm: Option<Alarm>,
    /// The last challenge, and the header field that answers it.
    challenge: Option<TokenChallenge>,
    scheme: Scheme,
    /// The caller wants to leave as soon as the outstanding request is answered: "UAs MUST NOT send
    /// a new registration … until they have received a final response" (RFC 3261 section 10.2).
    leaving: bool,
    /// What follows what it is at.
    afterwards: Afterwards,
    /// The binding made last.
    bound: Option<Bound>,
    /// How many challenges were answered before the connection they came over was lost; 0 after any other end of an
    /// attempt. They count as if it still stood.
    answered_before: u8,
    connections: u64,
    /// How many registrations in a row lost their connection soon after they were made.
    short_lived: usize,
    limits: Limits,
    /// Nodes that do not hold the registration and are asked whether they are there.
    watches: Vec<Watch>,
    /// The keep-alives of the connection in use.
    keep_alive: FlowKeepAlive,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("device", &self.config.device.name)
            .field("state", &self.state)
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client that has not started yet.
    pub fn new(config: ClientConfig, entropy: impl Entropy + Send + 'static) -> Self {
        Self {
            asked: config.expires,
            alarm: config.device.alarm.clone(),
            scheme: Scheme::of_dialect(&config.dialect),
            config,
            entropy: Box::new(entropy),
            state: State::Idle,
            events: VecDeque::new(),
            round: Round::default(),
            series: None,
            held: Held::default(),
            challenge: None,
            leaving: false,
            afterwards: Afterwards::default(),
            bound: None,
            answered_before: 0,
            connections: 0,
            short_lived: 0,
            limits: Limits::default(),
            watches: Vec::new(),
            keep_alive: FlowKeepAlive::default(),
        }
    }

    // Getters.

    /// Where the client stands.
    pub fn state(&self) -> ClientState {
        self.state.name()
    }

    /// What the client was told.
    pub fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Whether a registration is in force.
    pub fn is_registered(&self) -> bool {
        match &self.state {
            State::Registered { .. } => true,
            State::Requesting { lease, .. } | State::AwaitingToken { lease, .. } => lease.is_some(),
            State::Idle
            | State::Connecting { .. }
            | State::Refused { .. }
            | State::Failed { .. }
            | State::Suspended => false,
        }
    }

    /// The node the client is connected to.
    pub fn node(&self) -> Option<&str> {
        let connection = self.state.connection()?;
        Some(&self.config.targets.get(connection.node)?.node)
    }

    // Commands.

    /// Starts registering, best node first.
    ///
    /// Does nothing while the client is registered or about to be. After a refusal or after all nodes
    /// failed it starts afresh, with the targets set meanwhile. One that is just
    /// [leaving](Self::deregister) registers again once it is out.
    pub fn start(&mut self, now: Instant) {
        match self.state {
            State::Idle | State::Failed { .. } => {}
            State::Refused { connection, .. } => self.close(connection.map(|open| open.id)),
            State::Requesting { .. } if self.is_leaving() => {
                self.afterwards.register = true;
                return;
            }
            State::Connecting { .. }
            | State::Requesting { .. }
            | State::AwaitingToken { .. }
            | State::Registered { .. }
            | State::Suspended => return,
        }
        self.leaving = false;
        self.asked = self.config.expires;
        self.begin(now);
    }

    /// Gives the client an access token: before the start, as the answer to
    /// [`Event::TokenNeeded`], or at any other time in place of the one before.
    ///
    /// `expires_in` is what the authorization server said; a client cannot read it in the token. Without
    /// it no renewal is asked for.
    ///
    /// # Errors
    ///
    /// When a registrar has already refused this very token; nothing changed then.
    pub fn provide_token(
        &mut self,
        token: AccessToken,
        expires_in: Option<Duration>,
        now: Instant,
    ) -> Result<(), ProvideTokenError> {
        let percent = self.config.options.renew_token_at_percent;
        self.held.put(token, expires_in, percent, now)?;
        match std::mem::replace(&mut self.state, State::Idle) {
            State::AwaitingToken {
                connection: Some(connection),
                purpose,
                answered,
                lease,
            } => self.request(connection, purpose, lease, answered.saturating_add(1), now),
            State::AwaitingToken {
                connection: None,
                answered,
                ..
            } => {
                let before = self.answered_before;
                self.begin(now);
                self.answered_before = before.saturating_add(answered).saturating_add(1);
            }
            other => self.state = other,
        }
        Ok(())
    }

    /// Says that no token can be had: a wait for one ends in [`Event::Refused`].
    pub fn token_unavailable(&mut self) {
        if let State::AwaitingToken { connection, .. } = self.state {
            self.stop_watching();
            self.state = State::Refused {
                connection,
                retry_at: None,
            };
            let node = connection.map_or(String::new(), |open| self.node_name(open.node));
            let status = self
                .challenge
                .as_ref()
                .map_or(401, |challenge| challenge.status);
            let refused = reaction::no_token(node, status);
            self.events.push_back(Event::Refused(refused));
        }
    }

    /// Other nodes, or the same in another order.
    ///
    /// What is in force, about to be, or waits for the `Retry-After` of a refusal goes on where it is. The client takes them the
    /// next time it begins with the best node: at a [`start`](Self::start), when all nodes failed, or when a connection was
    /// lost while it waited for a token. [`relocate`](Self::relocate) does not wait.
    pub fn set_targets(&mut self, targets: Vec<Target>) {
        match self.state {
            State::Idle | State::Failed { .. } | State::Suspended => self.put_targets(targets),
            State::Connecting { .. }
            | State::Requesting { .. }
            | State::AwaitingToken { .. }
            | State::Registered { .. }
            | State::Refused { .. } => self.afterwards.targets = Some(targets),
        }
    }

    // What happened.

    /// The connection asked for is made, TLS handshake included; `local` is its own end.
    pub fn handle_connected(&mut self, connection: FlowId, local: SocketAddr, now: Instant) {
        let State::Connecting { id, node, .. } = self.state else {
            return self.watched_connected(connection, local, now);
        };
        if id != connection {
            return self.watched_connected(connection, local, now);
        }
        let same_series = self
            .series
            .as_ref()
            .is_some_and(|series| series.node == node && series.local == local.ip());
        if !same_series {
            let instance = &self.config.device.instance;
            self.series = Some(Series::new(
                node,
                local.ip(),
                instance,
                self.entropy.as_mut(),
            ));
        }
        self.request(
            Connection { id, node, local },
            Purpose::Register,
            None,
            0,
            now,
        );
    }

    /// The connection could not be made, or was lost.
    pub fn handle_disconnected(
        &mut self,
        connection: FlowId,
        cause: ConnectionFailure,
        now: Instant,
    ) {
        let ours = match &self.state {
            State::Connecting { id, .. } => *id == connection,
            other => other.connection().is_some_and(|open| open.id == connection),
        };
        if ours {
            self.connection_failed(cause, now);
        } else {
            self.watched_disconnected(connection, cause, now);
        }
    }

    /// A keep-alive of two CRLF was answered by one (RFC 5626 section 4.4.1).
    pub fn handle_pong(&mut self, connection: FlowId, now: Instant) {
        self.keep_alive
            .handle_pong(connection, self.entropy.as_mut(), now);
    }

    /// One whole message came over a connection.
    pub fn handle_message(
        &mut self,
        connection: FlowId,
        bytes: &[u8],
        now: Instant,
    ) -> Disposition {
        let view = match MessageView::parse(bytes, &self.limits) {
            Ok(view) => view,
            Err(error) => return Disposition::Malformed(error),
        };
        if view.as_response().is_none() {
            return Disposition::NotForUs;
        }
        let facts = match Facts::read(&view) {
            Ok(facts) => facts,
            Err(error) => return Disposition::Malformed(error),
        };
        if self.watched_message(connection, &facts, now) {
            return Disposition::Consumed;
        }
        let ours = self
            .series
            .as_ref()
            .is_some_and(|series| facts.method_is_register && facts.call_id == series.call_id);
        if !ours {
            return Disposition::NotForUs;
        }
        let answers = match &self.state {
            State::Requesting {
                connection: open,
                transaction,
                ..
            } => {
                open.id == connection
                    && !transaction.unsent
                    && facts.cseq == transaction.cseq
                    && transaction
                        .exchange
                        .matches(&facts.branch, &Method::Register)
            }
            State::Idle
            | State::Connecting { .. }
            | State::AwaitingToken { .. }
            | State::Registered { .. }
            | State::Refused { .. }
            | State::Failed { .. }
            | State::Suspended => false,
        };
        if answers {
            self.handle_answer(&facts, now);
        }
        Disposition::Consumed
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.ask_for_renewal(now);
        self.run_timers(now);
        // A client that begins again wants a token again.
        self.ask_for_renewal(now);
    }

    fn ask_for_renewal(&mut self, now: Instant) {
        if self.wants_token() && self.held.renewal_due(now) {
            self.events.push_back(Event::TokenNeeded {
                reason: TokenReason::Renewal,
                challenge: self.challenge.clone(),
            });
        }
    }

    fn run_timers(&mut self, now: Instant) {
        self.flow_timeout(now);
        self.watches_timeout(now);
        if self.state.deadline().is_none_or(|due| due > now) {
            return;
        }
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {}
            suspended @ State::Suspended => self.state = suspended,
            connecting @ State::Connecting { id, .. } => {
                self.state = connecting;
                self.close(Some(id));
                self.connection_failed(ConnectionFailure::ConnectTimeout, now);
            }
            State::Requesting {
                connection,
                transaction,
                lease: Some(lease),
            } if transaction.exchange.poll_timeout().is_some_and(|f| f > now) => {
                self.lapsed_unanswered(connection, transaction, lease, now);
            }
            requesting @ State::Requesting { connection, .. } => {
                self.state = requesting;
                self.close(Some(connection.id));
                self.connection_failed(ConnectionFailure::NoResponse, now);
            }
            State::AwaitingToken {
                connection,
                answered,
                ..
            } => {
                self.lapsed(connection.map(|open| open.node));
                self.state = State::AwaitingToken {
                    connection,
                    purpose: Purpose::Register,
                    answered,
                    lease: None,
                };
            }
            State::Registered { connection, lease } => {
                self.request(connection, Purpose::Refresh, Some(lease), 0, now);
            }
            State::Refused {
                connection: Some(connection),
                ..
            } => {
                self.round = Round::after_losing(connection.node, self.config.targets.len());
                self.request(connection, Purpose::Register, None, 0, now);
            }
            State::Refused {
                connection: None, ..
            }
            | State::Failed { .. } => self.begin(now),
        }
    }

    // What to do.

    /// Appends the next request to `out` and says which connection it belongs to; `None`, and `out` as
    /// it was, when there is nothing to send. `wall` is written into `Date`.
    ///
    /// What is appended is a REGISTER, or a keep-alive of two CRLF where
    /// [`ClientOptions::flow_keep_alive`] is set or the registrar asked for it.
    pub fn poll_transmit(&mut self, wall: SystemTime, out: &mut Vec<u8>) -> Option<FlowId> {
        self.poll_request(wall, out)
            .or_else(|| self.poll_watch_request(wall, out))
            .or_else(|| self.keep_alive.poll_transmit(out))
    }

    fn poll_request(&mut self, wall: SystemTime, out: &mut Vec<u8>) -> Option<FlowId> {
        let State::Requesting {
            connection,
            transaction,
            ..
        } = &mut self.state
        else {
            return None;
        };
        // A transaction exists only for a configured target, within the series of its node.
        let target = self.config.targets.get(connection.node)?;
        let series = self.series.as_ref()?;
        if !std::mem::take(&mut transaction.unsent) {
            return None;
        }
        let register = request::Register {
            config: &self.config,
            target,
            local: connection.local,
            series,
            transaction,
            scheme: self.scheme,
            asked: self.asked,
            alarm: self.alarm.as_ref(),
        };
        register.build(wall)?.encode(out);
        Some(connection.id)
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let renewal = if self.wants_token() {
            self.held.renew_at()
        } else {
            None
        };
        let own = [self.state.deadline(), renewal, self.flow_deadline()];
        let watched = self.watches.iter().map(Watch::deadline);
        own.into_iter().chain(watched).flatten().min()
    }
}
