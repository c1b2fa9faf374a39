//! What passes over the wires, for ladders, traces and counters.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use rustls::{CipherSuite, ProtocolVersion};
use sip_oauth_registration::{
    client::Transport,
    edge::Zone,
    registrar::{Ended, Observation},
};
use sip_oauth_trust::{Explanation, Identities};

/// Sees every message and every change of every connection.
///
/// Each method has an empty default. They are called on the task of the connection: return soon.
///
/// [`MessageEvent::bytes`] are the bytes of the wire, access tokens included. Who shows them must shorten credentials;
/// this crate's own `tracing` events carry the start line and the size only.
///
/// # Examples
///
/// ```
/// use sip_oauth_tokio::{Direction, MessageEvent, Observer};
///
/// /// Prints one line for each message: who, which way, what.
/// struct Ladder;
///
/// impl Observer for Ladder {
///     fn message(&self, event: &MessageEvent<'_>) {
///         let arrow = match event.direction {
///             Direction::Sent => "-->",
///             Direction::Received => "<--",
///         };
///         let text = String::from_utf8_lossy(event.bytes.expose());
///         let start_line = text.lines().next().unwrap_or_default();
///         println!("{} {arrow} {}  {start_line}", event.ends.local, event.ends.peer);
///     }
/// }
/// ```
pub trait Observer: Send + Sync {
    /// A SIP message was sent or has arrived.
    fn message(&self, event: &MessageEvent<'_>) {
        let _ = event;
    }

    /// A connection changed.
    fn connection(&self, event: &ConnectionEvent<'_>) {
        let _ = event;
    }

    /// A registrar decided about a request that came over the connection `ends`.
    fn decision(&self, ends: Ends, observation: &Observation) {
        let _ = (ends, observation);
    }

    /// The zone of an edge became active or failed; with the explanation, if it was TLS.
    fn zone(&self, zone: &Zone, explanation: Option<&Explanation>) {
        let _ = (zone, explanation);
    }

    /// A registration ended without its client asking for it.
    fn ended(&self, ended: &Ended) {
        let _ = ended;
    }

    /// An HTTP exchange ended: configuration fetch, token endpoint, AXL.
    fn http(&self, event: &HttpEvent<'_>) {
        let _ = event;
    }
}

/// An observer that looks at nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// An observer and the name of who reports to it; what every runner in this crate is given.
#[derive(Clone)]
pub struct Observed(Arc<dyn Observer>);

impl Observed {
    /// Reports to `observer`.
    pub fn by(observer: Arc<dyn Observer>) -> Self {
        Self(observer)
    }
}

impl Default for Observed {
    fn default() -> Self {
        Self(Arc::new(Unobserved))
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observed(..)")
    }
}

impl std::ops::Deref for Observed {
    type Target = dyn Observer;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

/// Tells one connection from another in events and log lines; unique in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(u64);

impl ConnectionId {
    /// The next unused number.
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which way a message went, seen from the reporting side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From us to the peer.
    Sent,
    /// From the peer to us.
    Received,
}

/// Who opened a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// We connected.
    Initiator,
    /// We accepted.
    Acceptor,
}

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// The connection's number.
    pub id: ConnectionId,
    /// Our address.
    pub local: SocketAddr,
    /// The peer's address.
    pub peer: SocketAddr,
    /// What carries the messages.
    pub transport: Transport,
    /// Who opened it.
    pub role: Role,
}

/// One SIP message on a connection.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct MessageEvent<'a> {
    /// Sent or received.
    pub direction: Direction,
    /// The connection it went over.
    pub ends: Ends,
    /// The message as on the wire, credentials included.
    pub bytes: RedactedBytes<'a>,
    /// When, by the [`Clock`](crate::Clock).
    pub at: SystemTime,
}

/// Bytes that may hold credentials: readable, but `Debug` prints their number only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RedactedBytes<'a>(pub(crate) &'a [u8]);

impl<'a> RedactedBytes<'a> {
    /// The bytes themselves, credentials included.
    pub fn expose(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for RedactedBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

/// A connection changed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ConnectionEvent<'a> {
    /// The connection's number.
    pub id: ConnectionId,
    /// Our address; `None` before the socket is connected.
    pub local: Option<SocketAddr>,
    /// The peer's address.
    pub peer: SocketAddr,
    /// What carries the messages.
    pub transport: Transport,
    /// Who opened it.
    pub role: Role,
    /// When, by the [`Clock`](crate::Clock).
    pub at: SystemTime,
    /// What happened.
    pub change: ConnectionChange<'a>,
}

/// What happened to a connection.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ConnectionChange<'a> {
    /// We start to connect; `host` is the name that is being looked for.
    Connecting {
        /// The name or address as configured.
        host: &'a str,
    },
    /// TCP is connected and, on TLS, our side of the handshake is done.
    ///
    /// With TLS 1.3 the peer may still refuse our certificate: that arrives as [`Refused`](Self::Refused) on the first
    /// read.
    Connected {
        /// What TLS agreed on; `None` on plain TCP.
        tls: Option<&'a TlsFacts>,
    },
    /// We accepted the peer.
    Accepted {
        /// What TLS agreed on; `None` on plain TCP.
        tls: Option<&'a TlsFacts>,
    },
    /// TLS ended the connection; the explanation says who refused whom and what to change.
    Refused(&'a Explanation),
    /// The connection could not be made or broke, for a reason that is not TLS.
    Failed(&'a str),
    /// We closed or did not take the connection because a limit was reached.
    Limited(&'a str),
    /// The connection ended in order.
    Closed,
}

/// What a TLS handshake agreed on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TlsFacts {
    /// The protocol version.
    pub version: Option<ProtocolVersion>,
    /// The cipher suite.
    pub cipher_suite: Option<CipherSuite>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// The names in the peer's own certificate; `None` when it showed none, as clients do where none is asked for.
    pub peer: Option<Identities>,
    /// Whether we had a certificate of our own to show. An acceptor always has; an initiator shows it when asked.
    pub own_certificate: bool,
}

/// An HTTP exchange that has ended.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct HttpEvent<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The URL without user information.
    pub url: &'a str,
    /// What it was for: a file name, a SOAP operation, `token refresh`.
    pub subject: &'a str,
    /// Status of the answer; `None` when there was none.
    pub status: Option<u16>,
    /// Bytes of the answer's body.
    pub body_bytes: usize,
    /// Why it failed, in one sentence.
    pub error: Option<&'a str>,
    /// When it started, by the [`Clock`](crate::Clock).
    pub started_at: SystemTime,
    /// When it ended.
    pub ended_at: SystemTime,
}
