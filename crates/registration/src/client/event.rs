//! What a client reports.

use std::time::{Duration, Instant};

use super::config::Target;
use crate::refusal::RefusalEntry;

/// Names one flow of a client: a connection from when it is asked for until it is closed or lost (RFC 5626 section 2). Never used
/// twice by the same client, so that what is said about a connection given up long ago is known to be about that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub(crate) u64);

impl FlowId {
    /// The number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// Why a connection is not there (any more).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionFailure {
    /// The host name could not be resolved.
    Unresolved(String),
    /// TCP could not connect.
    Refused(String),
    /// The TLS handshake failed; the text says who refused and why.
    Tls(String),
    /// The peer closed the connection.
    Closed,
    /// The connection broke.
    Broken(String),
    /// What came over the connection was not SIP.
    Protocol(String),
    /// Nothing happened in the time allowed for connecting.
    ConnectTimeout,
    /// A request was not answered in the time allowed.
    NoResponse,
    /// A keep-alive was not answered within 10 s: the flow failed (RFC 5626 section 4.4.1).
    FlowFailed,
}

impl std::fmt::Display for ConnectionFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unresolved(why) => write!(f, "the host name did not resolve: {why}"),
            Self::Refused(why) => write!(f, "TCP did not connect: {why}"),
            Self::Tls(why) => write!(f, "the TLS handshake failed: {why}"),
            Self::Closed => f.write_str("the peer closed the connection"),
            Self::Broken(why) => write!(f, "the connection broke: {why}"),
            Self::Protocol(why) => write!(f, "the peer does not speak SIP: {why}"),
            Self::ConnectTimeout => f.write_str("the connection took too long"),
            Self::NoResponse => f.write_str("no answer came in time"),
            Self::FlowFailed => f.write_str("the peer did not answer a keep-alive"),
        }
    }
}

/// What a registrar asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenChallenge {
    /// 401 or 407.
    pub status: u16,
    /// The realm: `ccmsipline` for Unified CM.
    pub realm: Option<String>,
    /// The authorization server to obtain a token from (RFC 8898 section 4).
    pub authorization_server: Option<String>,
    /// The scope to ask for at least (RFC 8898 section 4).
    pub scope: Option<String>,
    /// Why the last token was refused, where the registrar says so: `invalid_token`, `invalid_scope`.
    pub error: Option<String>,
}

impl TokenChallenge {
    /// A challenge of this status, 401 or 407, with no parameters: for tests of what answers it.
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            realm: None,
            authorization_server: None,
            scope: None,
            error: None,
        }
    }
}

/// Why a token is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenReason {
    /// A registrar asks for one and none is at hand.
    Challenged,
    /// The registrar refused the one it was given. Giving the same again is an error.
    Rejected,
    /// The one at hand is near its end; registration goes on meanwhile.
    Renewal,
}

/// The registrar registered the client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// The node.
    pub node: String,
    /// The expiry granted.
    pub granted: Duration,
    /// When the refresh is due.
    pub refresh_at: Instant,
    /// Whether the registrar made a new registration (`x-cisco-newreg`). On a refresh it means that
    /// the node lost its state: subscriptions and the like must be made again.
    pub new_registration: bool,
    /// The interface version of `X-cisco-sis-…`; 1.0.0 where the answer has none.
    pub sis_version: [u16; 3],
}

/// The registrar refused, or asked for what cannot be done. Registration does not go to another node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The node that answered.
    pub node: String,
    /// The status code.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// The text of the Warning header field, unquoted.
    pub warning: Option<String>,
    /// The `Retry-After` of the answer.
    pub retry_after: Option<Duration>,
    /// When the client tries again by itself.
    pub retry_at: Option<Instant>,
    /// The rows of the refusal table that fit; more than one where the answer does not decide.
    pub candidates: Vec<&'static RefusalEntry>,
    /// Why the client gave up although the registrar left it a choice.
    pub gave_up: Option<GaveUp>,
}

impl Refused {
    /// The row of the refusal table, where exactly one fits.
    pub fn entry(&self) -> Option<&'static RefusalEntry> {
        match self.candidates.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// Why a client did not answer a challenge or another answer that left it a choice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GaveUp {
    /// As many challenges as allowed were answered.
    TooManyChallenges,
    /// The challenge is not one for a token.
    NotBearer,
    /// The challenge names an authorization server that is not trusted.
    UntrustedAuthorizationServer(String),
    /// The connection is not protected, so no token is sent over it.
    TokenWithoutTls,
    /// The registrar redirects, and to no configured node that has not redirected itself.
    Redirection,
    /// The minimum expiry asked for is above what is allowed, or absent.
    MinExpires,
    /// The caller had no token to give.
    NoToken,
}

/// What happened to a client, and what it wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Open a connection and tell [`Client::handle_connected`](super::Client::handle_connected) or
    /// [`Client::handle_disconnected`](super::Client::handle_disconnected).
    Connect {
        /// The name of the connection from now on.
        connection: FlowId,
        /// Where to.
        target: Target,
    },
    /// Close this connection, after what [`Client::poll_transmit`](super::Client::poll_transmit) gave
    /// for it was written. Nothing need be reported back.
    Close {
        /// Which one.
        connection: FlowId,
    },
    /// Obtain an access token and give it to
    /// [`Client::provide_token`](super::Client::provide_token).
    TokenNeeded {
        /// Why.
        reason: TokenReason,
        /// What the registrar asked for; `None` for a renewal before any challenge.
        challenge: Option<TokenChallenge>,
    },
    /// The client is registered.
    Registered(Grant),
    /// The registration was refreshed.
    Refreshed(Grant),
    /// The registration is gone because the caller wanted it.
    Deregistered {
        /// Whether the registrar said so; false when it did not answer any more.
        confirmed: bool,
    },
    /// The registrar refused.
    Refused(Refused),
    /// The lease ended without a refresh; the client registers again, as soon as it has a token where it waits for one.
    Lapsed {
        /// The node that held the registration.
        node: String,
    },
    /// A node redirected the client to another one (RFC 3261 section 8.1.3.4), which is connected to.
    Redirected {
        /// The node that redirected.
        from: String,
        /// The node tried next.
        to: String,
    },
    /// A node is silent or out of reach; the next one is tried.
    FailedOver {
        /// The node given up.
        from: String,
        /// The node tried next.
        to: String,
        /// Why.
        cause: ConnectionFailure,
    },
    /// A better node was there for [`ClientOptions::stable_after`](super::ClientOptions::stable_after): the
    /// registration moves to it.
    FallingBack {
        /// The node that holds the registration.
        from: String,
        /// The better one.
        to: String,
    },
    /// The better node refused, or challenged and no token is at hand: the registration goes on where it was, and the better
    /// one is asked on.
    FallBackRefused {
        /// The better node.
        node: String,
        /// The status code it answered.
        status: u16,
    },
    /// A node that does not hold the registration, the standby or a better one, answers.
    Reachable {
        /// The node.
        node: String,
    },
    /// A node that does not hold the registration is out of reach, and is asked again later.
    Unreachable {
        /// The node.
        node: String,
        /// Why.
        cause: ConnectionFailure,
    },
    /// The connection to the node that held the registration is lost, and no other node is left: the
    /// same one is tried again.
    Reconnecting {
        /// The node.
        node: String,
        /// Why the connection is lost.
        cause: ConnectionFailure,
    },
    /// No node is left to try: fetch the configuration again and
    /// [`start`](super::Client::start) again.
    AllNodesFailed {
        /// Each node tried, in order, and why it failed.
        causes: Vec<(String, ConnectionFailure)>,
        /// When the client starts again by itself.
        restart_at: Option<Instant>,
    },
}
