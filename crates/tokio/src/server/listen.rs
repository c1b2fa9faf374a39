//! A listening socket and the tasks of its connections.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rustls::ServerConfig;
use sip_oauth_message::Limits;
use sip_oauth_registration::{client::Transport, registrar::PeerIdentity};
use sip_oauth_trust::{Explanation, Identities, ServerConfigs};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use tracing::Instrument as _;

use super::{
    accept::{AcceptFailure, NotAccepted, accept_tls},
    gate::{Gate, Permit},
    peers::{LivePeer, LivePeers},
    pressure::Pressure,
};
use crate::{
    clock::Clock,
    connection::{Connection, ConnectionSettings, Incoming},
    limits::Timeouts,
    observe::{ConnectionChange, ConnectionEvent, ConnectionId, Ends, Observed, Role},
    stop::{Stop, Stopped},
    stream::Stream,
    wiped::Wiped,
};

/// What a listener speaks before SIP.
#[derive(Clone)]
pub(crate) enum Security {
    /// Nothing.
    Plain,
    /// TLS without asking for a client certificate.
    Tls(Arc<ServerConfigs>),
    /// Mutual TLS; the peer's names are looked up in the table.
    MutualTls(Arc<ServerConfigs>),
    /// TLS as the embedder configured it.
    Other(Arc<ServerConfig>),
}

/// What holds for all listeners of one server.
#[derive(Clone)]
pub(crate) struct Doors {
    pub(crate) gate: Arc<Gate>,
    pub(crate) pressure: Arc<Pressure>,
    pub(crate) peers: Arc<LivePeers>,
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) observed: Observed,
}

/// Makes the answer to the first request of a connection there is no room for.
pub(crate) type TurnAway = Arc<dyn Fn(Ends, &[u8]) -> Option<Vec<u8>> + Send + Sync>;

/// One listener.
pub(crate) struct Entrance {
    pub(crate) doors: Doors,
    pub(crate) security: Security,
    /// As the administrator knows it, for log lines.
    pub(crate) label: &'static str,
    pub(crate) turn_away: TurnAway,
}

/// A connection that came in and was let in.
pub(crate) struct Accepted {
    pub(crate) connection: Connection<Stream>,
    /// Who the peer proved to be by its certificate.
    pub(crate) peer_identity: Option<PeerIdentity>,
    /// Tells when that is no longer good.
    pub(crate) live_peer: LivePeer,
    /// Counts the connection until dropped.
    pub(crate) permit: Permit,
    /// When to finish and leave.
    pub(crate) stopped: Stopped,
}

/// Binds `address`; an error says for which listener and where.
pub(crate) async fn bind(label: &str, address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let sentence = format!("{label}: cannot listen on {address}: {error}");
        io::Error::new(error.kind(), sentence)
    })
}

/// A listener at work.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) local: SocketAddr,
    stop: Stop,
    task: tokio::task::JoinHandle<()>,
}

impl Listening {
    /// Stops accepting at once, lets connections finish what they do, and cuts what is left after
    /// [`Timeouts::shutdown`]. The port is free when this returns.
    pub(crate) async fn stop(self) {
        self.stop.stop();
        // The task never panics of itself; a panic inside a connection stays in its own task.
        let _ = self.task.await;
    }
}

impl Entrance {
    /// Accepts on `listener` and runs `serve` for each connection.
    pub(crate) fn open<F, Fut>(self, listener: TcpListener, serve: F) -> io::Result<Listening>
    where
        F: Fn(Accepted) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let local = listener.local_addr()?;
        let stop = Stop::new();
        let stopped = stop.listen();
        tracing::info!(%local, listener = self.label, "listening");
        let task = tokio::spawn(accept_loop(Arc::new(self), listener, local, stopped, serve));
        Ok(Listening { local, stop, task })
    }

    fn transport(&self) -> Transport {
        match self.security {
            Security::Plain => Transport::Tcp,
            Security::Tls(_) | Security::MutualTls(_) | Security::Other(_) => Transport::Tls,
        }
    }

    fn report(&self, ends: &Ends, change: ConnectionChange<'_>) {
        self.doors.observed.connection(&ConnectionEvent {
            id: ends.id,
            local: Some(ends.local),
            peer: ends.peer,
            transport: ends.transport,
            role: Role::Acceptor,
            at: self.doors.clock.system_now(),
            change,
        });
    }

    /// From a socket to a connection that may speak SIP; `None` when it may not.
    async fn let_in(
        &self,
        tcp: TcpStream,
        ends: Ends,
        stopped: &mut Stopped,
    ) -> Option<(Connection<Stream>, Option<PeerIdentity>, LivePeer)> {
        let rechecks = self.doors.peers.rechecks();
        let stream = match self.shake_hands(tcp, stopped).await {
            Ok(stream) => stream,
            Err(not_accepted) => {
                self.report_failure(&ends, &not_accepted.failure);
                not_accepted.linger(self.doors.timeouts.linger).await;
                return None;
            }
        };
        let live_peer = match (&self.security, stream.peer_certificates()) {
            (Security::MutualTls(_), Some(chain)) => self.doors.peers.enter(ends, chain),
            _ => LivePeer::nobody(),
        };
        let identity = self.identify(&stream, self.doors.peers.rechecks() != rechecks);
        let tls = stream.tls_facts(true);
        let connection = Connection::new(
            stream,
            ends,
            ConnectionSettings {
                limits: self.doors.limits,
                timeouts: self.doors.timeouts.clone(),
                clock: self.doors.clock.clone(),
                observed: self.doors.observed.clone(),
            },
        )
        .with_first_message_bytes(self.doors.gate.limits().first_message_bytes);
        match identity {
            Ok(identity) => {
                let tls = tls.as_ref();
                self.report(&ends, ConnectionChange::Accepted { tls });
                Some((connection, identity, live_peer))
            }
            Err(explanation) => {
                tracing::info!(
                    connection = %ends.id, peer = %ends.peer, listener = self.label, %explanation,
                    "connection refused after the handshake"
                );
                self.report(&ends, ConnectionChange::Refused(&explanation));
                connection.close().await;
                None
            }
        }
    }

    fn report_failure(&self, ends: &Ends, failure: &AcceptFailure) {
        tracing::info!(
            connection = %ends.id, peer = %ends.peer, listener = self.label, %failure,
            "connection refused"
        );
        match failure {
            AcceptFailure::Refused(explanation) => {
                self.report(ends, ConnectionChange::Refused(explanation));
            }
            AcceptFailure::TimedOut(_) => {
                self.report(ends, ConnectionChange::Limited(&failure.to_string()));
            }
            AcceptFailure::Io(_) | AcceptFailure::Stopping => {
                self.report(ends, ConnectionChange::Failed(&failure.to_string()));
            }
        }
    }

    /// Hears one request of a connection there is no room for, and answers it. Bounded by the time of a handshake.
    async fn turn_away(&self, tcp: TcpStream, ends: Ends, mut stopped: Stopped) {
        let told = timeout(self.doors.timeouts.handshake, async {
            let (mut connection, _, _) = self.let_in(tcp, ends, &mut stopped).await?;
            let incoming = tokio::select! {
                biased;
                incoming = connection.receive() => incoming.map(Some),
                () = stopped.wait() => connection.receive_begun().await,
            };
            let Ok(Some(Incoming::Message(request))) = incoming else {
                return Some(connection);
            };
            if let Some(answer) = (self.turn_away)(ends, &Wiped(request)) {
                // Whether it arrives is the peer's concern.
                let _ = connection.send(&answer).await;
            }
            Some(connection)
        })
        .await;
        if let Ok(Some(connection)) = told {
            connection.close().await;
        }
    }

    async fn shake_hands(
        &self,
        tcp: TcpStream,
        stopped: &mut Stopped,
    ) -> Result<Stream, NotAccepted> {
        let Doors { gate, timeouts, .. } = &self.doors;
        let config: &(dyn Fn() -> Arc<ServerConfig> + Send + Sync) = match &self.security {
            Security::Plain => return Ok(Stream::Tcp(tcp)),
            Security::Tls(configs) => &|| configs.oauth(),
            Security::MutualTls(configs) => &|| configs.mra_oauth(),
            Security::Other(config) => &|| Arc::clone(config),
        };
        accept_tls(tcp, config, gate, timeouts, stopped).await
    }

    /// Who the peer is by its certificate. On mutual TLS the table is asked again: it may have changed during the
    /// handshake, and a resumed session would not have asked it at all. The chain is verified `anew` when all peers were
    /// rechecked during the handshake.
    fn identify(
        &self,
        stream: &Stream,
        anew: bool,
    ) -> Result<Option<PeerIdentity>, Box<Explanation>> {
        let chain = stream.peer_certificates().unwrap_or_default();
        let row = match &self.security {
            Security::Plain | Security::Tls(_) => return Ok(None),
            Security::Other(_) => None,
            Security::MutualTls(configs) => Some(
                if anew {
                    configs.recheck_peer(chain, self.doors.clock.system_now())
                } else {
                    configs.check_peer(chain)
                }
                .map_err(|refusal| Box::new(refusal.explanation()))?
                .row,
            ),
        };
        let Some(identities) = chain.first().and_then(|leaf| Identities::of(leaf).ok()) else {
            return Ok(None);
        };
        let identity = PeerIdentity::of(&identities);
        Ok(Some(match row {
            Some(row) => identity.allowed_by(&row),
            None => identity,
        }))
    }
}

/// An IPv4 address that a listener on `[::]` sees as `::ffff:192.0.2.10`, as its owner knows it and writes it into Via.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        IpAddr::V6(_) => address,
    }
}

async fn accept_loop<F, Fut>(
    entrance: Arc<Entrance>,
    listener: TcpListener,
    local: SocketAddr,
    mut stopped: Stopped,
    serve: F,
) where
    F: Fn(Accepted) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopped.wait() => break,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (tcp, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, or a connection that was gone before it was taken: neither ends the listener.
                tracing::warn!(%local, %error, "accept failed");
                sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        let _ = tcp.set_nodelay(true);
        let peer = canonical(peer);
        let ends = Ends {
            id: ConnectionId::next(),
            local: canonical(tcp.local_addr().unwrap_or(local)),
            peer,
            transport: entrance.transport(),
            role: Role::Acceptor,
        };
        let span = tracing::info_span!(
            "connection", id = %ends.id, %peer, listener = entrance.label
        );
        let permit = match entrance.doors.gate.admit(peer.ip()) {
            Ok(permit) => permit,
            Err(full) => {
                span.in_scope(|| {
                    tracing::warn!(%full, "connection not taken");
                    entrance.report(&ends, ConnectionChange::Limited(&full.to_string()));
                });
                if let Some(turn) = entrance.doors.gate.turn_away() {
                    let entrance = Arc::clone(&entrance);
                    let until = stopped.clone();
                    let turned_away = async move {
                        entrance.turn_away(tcp, ends, until).await;
                        drop(turn);
                    };
                    tasks.spawn(turned_away.instrument(span));
                }
                continue;
            }
        };
        let entrance = Arc::clone(&entrance);
        let serve = serve.clone();
        let mut until = stopped.clone();
        let connection = async move {
            let let_in = entrance.let_in(tcp, ends, &mut until).await;
            if let Some((connection, peer_identity, live_peer)) = let_in {
                serve(Accepted {
                    connection,
                    peer_identity,
                    live_peer,
                    permit,
                    stopped: until,
                })
                .await;
            }
        };
        tasks.spawn(connection.instrument(span));
    }
    // The port is free from here on.
    drop(listener);
    let finished = timeout(entrance.doors.timeouts.shutdown, async {
        while tasks.join_next().await.is_some() {}
    })
    .await;
    if finished.is_err() {
        tasks.shutdown().await;
    }
    tracing::info!(%local, listener = entrance.label, "stopped listening");
}
