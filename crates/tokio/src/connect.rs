//! Opening connections: resolve, connect, and on TLS handshake, each within its time.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::{ClientConfig, pki_types::ServerName};
use sip_oauth_registration::client::Transport;
use sip_oauth_trust::{
    CertifiedIdentity, Explanation, ServerVerifier, Side, client_config, explain, tls_cause,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, TlsStream};

use crate::{
    clock::Clock,
    limits::Timeouts,
    live_server::{LiveServer, LiveTrust},
    observe::{ConnectionChange, ConnectionEvent, ConnectionId, Ends, Observed, Observer, Role},
    refusal_relay,
    resolver::{Resolver, SystemResolver, addresses, literal},
    stream::Stream,
};

/// How connections are opened: names, trust, time and who watches.
///
/// Cheap to clone. TLS goes by a [`ServerVerifier`], which has the trust store and the rule for names, and for mutual TLS by
/// our own certificate.
///
/// # Examples
///
/// ```
/// use std::{net::{IpAddr, Ipv4Addr}, sync::Arc};
/// use sip_oauth_tokio::{Connector, StaticResolver, Timeouts};
///
/// let names = StaticResolver::new().with("cucm1.example.com", IpAddr::V4(Ipv4Addr::LOCALHOST));
/// let connector = Connector::new()
///     .with_resolver(Arc::new(names))
///     .with_timeouts(Timeouts::default());
/// assert!(connector.tls().is_none(), "plain TCP only until a TLS configuration is given");
/// ```
#[derive(Clone)]
pub struct Connector {
    resolver: Arc<dyn Resolver>,
    tls: Option<Arc<ClientConfig>>,
    trust: Option<LiveTrust>,
    timeouts: Timeouts,
    clock: Clock,
    observed: Observed,
}

impl Default for Connector {
    fn default() -> Self {
        Self {
            resolver: Arc::new(SystemResolver),
            tls: None,
            trust: None,
            timeouts: Timeouts::default(),
            clock: Clock::real(),
            observed: Observed::default(),
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("resolver", &self.resolver)
            .field("tls", &self.tls.is_some())
            .field("timeouts", &self.timeouts)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

impl Connector {
    /// Plain TCP, the system's names, default time-outs, the real clock, nobody watching.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks names up with `resolver`.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Connects TLS to servers that `verifier` accepts, and shows `identity` to those that ask for a certificate: as
    /// [`with_tls`](Self::with_tls) with [`client_config`].
    ///
    /// The servers of a [`RegistrationClient`](crate::RegistrationClient) and of an [`EdgeServer`](crate::EdgeServer) are
    /// also verified anew while they are connected: after each change of the trust store, when a certificate of theirs
    /// ends, and once an hour; handshakes go by the same [clock](Self::with_clock). One that is then refused is sent nothing
    /// more, not even close_notify, and its connection is closed
    /// ([`ConnectionError::Withdrawn`](crate::ConnectionError::Withdrawn)). What the system's socket has taken may still arrive.
    ///
    /// # Errors
    ///
    /// When the verifier's provider has no cipher suite for TLS 1.2 and 1.3.
    pub fn with_verifier(
        self,
        verifier: Arc<ServerVerifier>,
        identity: Option<&CertifiedIdentity>,
    ) -> Result<Self, rustls::Error> {
        let config = client_config(Arc::clone(&verifier), identity)?;
        let trust = Some(LiveTrust::new(verifier));
        let connector = Self {
            trust,
            ..self.with_tls(Arc::new(config))
        };
        Ok(connector.judging_by_the_clock())
    }

    /// Connects TLS with `config`, of which nobody can tell when it would refuse a server that is connected:
    /// [`with_verifier`](Self::with_verifier) can.
    #[must_use]
    pub fn with_tls(mut self, config: Arc<ClientConfig>) -> Self {
        self.tls = Some(config);
        self.trust = None;
        self
    }

    /// Bounds each step by `timeouts`.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Stamps events with `clock`, and judges certificates by it where it has the [verifier](Self::with_verifier).
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self.judging_by_the_clock()
    }

    /// Handshakes go by the time that servers are verified anew by. A configuration we were given keeps its own.
    fn judging_by_the_clock(mut self) -> Self {
        if let (Some(tls), Some(_)) = (&mut self.tls, &self.trust) {
            Arc::make_mut(tls).time_provider = Arc::new(self.clock.clone());
        }
        self
    }

    /// Reports to `observer`.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observed = Observed::by(observer);
        self
    }

    /// The TLS configuration, if one was given.
    pub fn tls(&self) -> Option<&Arc<ClientConfig>> {
        self.tls.as_ref()
    }

    /// The clock of [`with_clock`](Self::with_clock).
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The bounds of each step.
    pub fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    pub(crate) fn observed(&self) -> &Observed {
        &self.observed
    }

    /// Connects to `host` (a name or a literal address), trying its addresses in turn.
    ///
    /// On TLS, `host` is also the name that the peer's certificate must carry.
    ///
    /// # Errors
    ///
    /// The failure of the last address tried. A TLS refusal ends the attempt at once: another address of the same name
    /// would show the same certificate.
    pub async fn connect(
        &self,
        host: &str,
        port: u16,
        transport: Transport,
    ) -> Result<(Stream, Ends), ConnectError> {
        let (stream, ends, _) = self.connect_live(host, port, transport).await?;
        Ok((stream, ends))
    }

    /// The same, and who tells when the server is no longer trusted.
    pub(crate) async fn connect_live(
        &self,
        host: &str,
        port: u16,
        transport: Transport,
    ) -> Result<(Stream, Ends, LiveServer), ConnectError> {
        let error = |peer, failure| ConnectError {
            host: host.to_owned(),
            port,
            peer,
            failure,
        };
        let tls = match transport {
            Transport::Tcp => None,
            Transport::Tls => Some(self.tls_for(host).map_err(|failure| error(None, failure))?),
            _ => return Err(error(None, ConnectFailure::UnknownTransport)),
        };
        let addresses = timeout(self.timeouts.connect, addresses(&*self.resolver, host))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|source| error(None, ConnectFailure::Resolve(source)))?;

        let mut last = error(
            None,
            ConnectFailure::Resolve(io::ErrorKind::NotFound.into()),
        );
        for address in addresses {
            let peer = SocketAddr::new(address, port);
            let attempt = Attempt {
                connector: self,
                id: ConnectionId::next(),
                peer,
                transport,
            };
            attempt.report(None, ConnectionChange::Connecting { host });
            match attempt.run(tls.clone()).await {
                Ok((stream, local, server)) => {
                    let own = self.tls.as_ref();
                    let own = own.is_some_and(|tls| tls.client_auth_cert_resolver.has_certs());
                    let tls = stream.tls_facts(own);
                    let tls = tls.as_ref();
                    attempt.report(Some(local), ConnectionChange::Connected { tls });
                    return Ok((stream, attempt.ends(local), server));
                }
                Err(failure) => {
                    attempt.report_failure(&failure);
                    let refused = matches!(failure, ConnectFailure::Tls { .. });
                    last = error(Some(peer), failure);
                    if refused {
                        break;
                    }
                }
            }
        }
        Err(last)
    }

    fn tls_for(&self, host: &str) -> Result<(TlsConnector, ServerName<'static>), ConnectFailure> {
        let config = self.tls.clone().ok_or(ConnectFailure::NoTlsConfiguration)?;
        let name = match literal(host) {
            Some(address) => ServerName::IpAddress(address.into()),
            None => ServerName::try_from(host.trim_end_matches('.').to_owned())
                .map_err(|_| ConnectFailure::NotAServerName)?,
        };
        Ok((TlsConnector::from(config), name))
    }
}

/// One attempt at one address.
struct Attempt<'a> {
    connector: &'a Connector,
    id: ConnectionId,
    peer: SocketAddr,
    transport: Transport,
}

impl Attempt<'_> {
    async fn run(
        &self,
        tls: Option<(TlsConnector, ServerName<'static>)>,
    ) -> Result<(Stream, SocketAddr, LiveServer), ConnectFailure> {
        let timeouts = &self.connector.timeouts;
        let tcp = timeout(timeouts.connect, TcpStream::connect(self.peer))
            .await
            .map_err(|_| ConnectFailure::TcpTimedOut(timeouts.connect))?
            .map_err(ConnectFailure::Tcp)?;
        // Messages are written whole; waiting for more would only add 40 ms to each.
        let _ = tcp.set_nodelay(true);
        let local = tcp.local_addr().map_err(ConnectFailure::Tcp)?;
        let Some((connector, name)) = tls else {
            return Ok((Stream::Tcp(tcp), local, LiveServer::nobody()));
        };
        let trust = self.connector.trust.as_ref();
        let trust = trust.map(|trust| {
            (
                trust,
                trust.before_handshake(&self.connector.clock),
                name.clone(),
            )
        });
        let (shaken, refusal) =
            refusal_relay::catch(timeout(timeouts.handshake, connector.connect(name, tcp))).await;
        let stream = shaken
            .map_err(|_| ConnectFailure::HandshakeTimedOut(timeouts.handshake))?
            .map_err(|error| ConnectFailure::from_handshake(error, refusal))?;
        let stream = Stream::Tls(Box::new(TlsStream::Client(stream)));
        let server = match (trust, stream.peer_certificates()) {
            (Some((trust, since, name)), Some(chain)) => {
                trust.server(since, chain, name, &self.connector.clock)
            }
            _ => LiveServer::nobody(),
        };
        Ok((stream, local, server))
    }

    fn ends(&self, local: SocketAddr) -> Ends {
        Ends {
            id: self.id,
            local,
            peer: self.peer,
            transport: self.transport,
            role: Role::Initiator,
        }
    }

    fn report(&self, local: Option<SocketAddr>, change: ConnectionChange<'_>) {
        self.connector.observed.connection(&ConnectionEvent {
            id: self.id,
            local,
            peer: self.peer,
            transport: self.transport,
            role: Role::Initiator,
            at: self.connector.clock.system_now(),
            change,
        });
    }

    fn report_failure(&self, failure: &ConnectFailure) {
        tracing::info!(
            connection = %self.id, peer = %self.peer, transport = self.transport.via_name(), %failure,
            "connection not made"
        );
        match failure {
            ConnectFailure::Tls { explanation, .. } => {
                self.report(None, ConnectionChange::Refused(explanation));
            }
            other => self.report(None, ConnectionChange::Failed(&other.to_string())),
        }
    }
}

/// No connection to `host`, and why.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConnectError {
    /// The name or address as given.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The address that was tried; `None` when it did not come to that.
    pub peer: Option<SocketAddr>,
    /// What failed.
    pub failure: ConnectFailure,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = Place(&self.host, self.port, self.peer);
        write!(f, "{place}: {}", self.failure)
    }
}

impl std::error::Error for ConnectError {
    // `failure` is part of our own sentence; what lies under it is not.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.failure.source()
    }
}

impl ConnectError {
    /// Who refused whom, if it was TLS that failed.
    pub fn explanation(&self) -> Option<&Explanation> {
        match &self.failure {
            ConnectFailure::Tls { explanation, .. } => Some(explanation),
            _ => None,
        }
    }
}

struct Place<'a>(&'a str, u16, Option<SocketAddr>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(host, port, peer) = self;
        if host.contains(':') && !host.starts_with('[') {
            write!(f, "[{host}]:{port}")?;
        } else {
            write!(f, "{host}:{port}")?;
        }
        match peer {
            Some(peer) if literal(host).is_none() => write!(f, " ({})", peer.ip()),
            _ => Ok(()),
        }
    }
}

/// The step that failed on the way to a connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectFailure {
    /// The name has no address.
    #[error("the name cannot be resolved; check the DNS for it")]
    Resolve(#[source] io::Error),
    /// Nobody answered.
    #[error(
        "no answer to the TCP connect within {0:?}; check the address and the firewalls between"
    )]
    TcpTimedOut(Duration),
    /// TCP was refused or could not be set up.
    #[error("TCP: {}", IoReason(_0))]
    Tcp(io::Error),
    /// TCP is there, TLS does not answer.
    #[error("no end of the TLS handshake within {0:?}; does this port speak TLS?")]
    HandshakeTimedOut(Duration),
    /// One of the two sides refused the other in TLS.
    #[error("{explanation}")]
    Tls {
        /// Who refused whom, why, and what to change.
        explanation: Box<Explanation>,
        /// The error as it came from the TLS library.
        #[source]
        source: io::Error,
    },
    /// TCP broke during the handshake.
    #[error("TLS handshake: {}", IoReason(_0))]
    Handshake(io::Error),
    /// TLS was asked for without a configuration.
    #[error("TLS is wanted but no TLS configuration was given")]
    NoTlsConfiguration,
    /// The transport is not one this crate can carry.
    #[error("this transport is not supported; use TLS or TCP")]
    UnknownTransport,
    /// The host cannot stand in a certificate.
    #[error(
        "the host is neither a DNS name nor an IP address, so no certificate can be checked against it"
    )]
    NotAServerName,
}

impl ConnectFailure {
    /// Sorts what came out of a client handshake; a refusal of our own knows more than its error.
    fn from_handshake(source: io::Error, refusal: Option<Explanation>) -> Self {
        let explained = || tls_cause(&source).map(|cause| explain(cause, Side::Client));
        match refusal.or_else(explained) {
            Some(explanation) => Self::Tls {
                explanation: Box::new(explanation),
                source,
            },
            None => Self::Handshake(source),
        }
    }
}

/// An I/O error in the words an operator looks for.
pub(crate) struct IoReason<'a>(pub(crate) &'a io::Error);

impl fmt::Display for IoReason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind() {
            io::ErrorKind::ConnectionRefused => {
                f.write_str("connection refused; nothing listens on that port")
            }
            io::ErrorKind::ConnectionReset => f.write_str("connection reset by the peer"),
            io::ErrorKind::UnexpectedEof => f.write_str("connection closed by the peer"),
            _ => self.0.fmt(f),
        }
    }
}
