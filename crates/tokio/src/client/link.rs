//! One connection of a client: made, kept, and given up.

use sip_oauth_message::{Limits, MessageView};
use sip_oauth_registration::client::{ConnectionFailure, FlowId, Target};
use sip_oauth_trust::Explanation;
use tokio::sync::mpsc;
use tracing::Instrument as _;

use crate::{
    connect::{ConnectError, ConnectFailure, Connector},
    connection::{Connection, ConnectionError, ConnectionSettings, Incoming},
    live_server::Unjudged,
    server::transaction_span,
    wiped::Wiped,
};

/// Requests waiting for a registrar that does not read. A client has one outstanding at a time.
const MAX_QUEUED: usize = 8;

/// The keep-alive the machine gives out between requests (RFC 5626 section 3.5.1).
const PING: &[u8] = b"\r\n\r\n";

/// How connections are made and kept.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) connector: Connector,
    pub(super) limits: Limits,
}

/// What a connection tells the driver.
pub(super) enum News {
    Connected(std::net::SocketAddr),
    Message(Vec<u8>),
    /// The peer answered a keep-alive.
    Pong,
    Down(ConnectionFailure, Option<Box<Explanation>>),
}

/// The driver's end of a connection. When it is dropped, what was queued is written and the connection closed.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) target: Target,
    /// The span of the transaction its last request began.
    pub(super) transaction: tracing::Span,
    requests: mpsc::Sender<Vec<u8>>,
}

impl Link {
    /// Spawns the connection's task.
    pub(super) fn open(
        id: FlowId,
        target: Target,
        flow: Flow,
        news: mpsc::Sender<(FlowId, News)>,
    ) -> Self {
        let (requests, for_requests) = mpsc::channel(MAX_QUEUED);
        let task = Task {
            id,
            target: target.clone(),
            flow,
            requests: for_requests,
            news,
        };
        let span = tracing::info_span!("connection", node = target.node, host = target.host);
        tokio::spawn(task.run().instrument(span));
        Self {
            target,
            transaction: tracing::Span::none(),
            requests,
        }
    }

    /// Queues a request; false when the connection is gone or does not take it.
    pub(super) fn send(&mut self, request: Vec<u8>, limits: &Limits) -> bool {
        // A keep-alive is no transaction.
        if let Ok(view) = MessageView::parse(&request, limits) {
            self.transaction = transaction_span(&view);
            let _in = self.transaction.enter();
            tracing::debug!(host = self.target.host, "request");
        }
        self.requests.try_send(request).is_ok()
    }
}

struct Task {
    id: FlowId,
    target: Target,
    flow: Flow,
    requests: mpsc::Receiver<Vec<u8>>,
    news: mpsc::Sender<(FlowId, News)>,
}

impl Task {
    async fn run(mut self) {
        let Target {
            host,
            port,
            transport,
            ..
        } = &self.target;
        let connecting = self.flow.connector.connect_live(host, *port, *transport);
        let (stream, ends, mut server) = tokio::select! {
            connected = connecting => match connected {
                Ok(connected) => connected,
                Err(error) => {
                    let failure = failure_of_connect(&error);
                    let explanation = error.explanation().cloned().map(Box::new);
                    return self.tell(News::Down(failure, explanation)).await;
                }
            },
            // Nothing is queued before the connection is there: the driver has given it up.
            _ = self.requests.recv() => return,
        };
        let connector = &self.flow.connector;
        let settings = ConnectionSettings {
            limits: self.flow.limits,
            timeouts: connector.timeouts().clone(),
            clock: connector.clock().clone(),
            observed: connector.observed().clone(),
        };
        let mut connection = Connection::new(stream, ends, settings);
        self.tell(News::Connected(ends.local)).await;
        let unjudged = server.unjudged();
        let ended = tokio::select! {
            // What is queued is not for a server that is no longer trusted.
            biased;
            why = server.withdrawn() => Err(ConnectionError::Withdrawn(why)),
            ended = self.serve(&mut connection, unjudged) => ended,
        };
        connection.report_end(ended.as_ref().err());
        match &ended {
            Ok(End::OurWish) => {}
            Ok(End::PeersWish) => self.tell(News::Down(ConnectionFailure::Closed, None)).await,
            Err(error) => {
                let failure = failure_of_connection(error);
                let explanation = error.explanation().cloned().map(Box::new);
                self.tell(News::Down(failure, explanation)).await;
            }
        }
        server.close(connection, ended.as_ref().err()).await;
    }

    async fn serve<S>(
        &mut self,
        connection: &mut Connection<S>,
        mut unjudged: Unjudged,
    ) -> Result<End, ConnectionError>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        loop {
            tokio::select! {
                request = self.requests.recv() => match request {
                    // No message: observers see SIP only.
                    Some(ping) if ping == PING => connection.ping().await?,
                    Some(request) => {
                        let request = Wiped(request);
                        unjudged.judged().await;
                        connection.send(&request).await?;
                    }
                    None => return Ok(End::OurWish),
                },
                incoming = connection.receive() => match incoming? {
                    Incoming::Message(message) => self.tell(News::Message(message)).await,
                    Incoming::Pong => self.tell(News::Pong).await,
                    Incoming::End => return Ok(End::PeersWish),
                },
            }
        }
    }

    async fn tell(&self, news: News) {
        // The driver may have ended; then nobody needs to know.
        let _ = self.news.send((self.id, news)).await;
    }
}

enum End {
    OurWish,
    PeersWish,
}

fn failure_of_connect(error: &ConnectError) -> ConnectionFailure {
    match &error.failure {
        ConnectFailure::Resolve(_) => ConnectionFailure::Unresolved(error.to_string()),
        ConnectFailure::TcpTimedOut(_) | ConnectFailure::HandshakeTimedOut(_) => {
            ConnectionFailure::ConnectTimeout
        }
        ConnectFailure::Tcp(_) => ConnectionFailure::Refused(error.to_string()),
        ConnectFailure::Tls { .. }
        | ConnectFailure::Handshake(_)
        | ConnectFailure::NoTlsConfiguration
        | ConnectFailure::UnknownTransport
        | ConnectFailure::NotAServerName => ConnectionFailure::Tls(error.to_string()),
    }
}

fn failure_of_connection(error: &ConnectionError) -> ConnectionFailure {
    match error {
        ConnectionError::Tls { .. } | ConnectionError::Withdrawn(_) => {
            ConnectionFailure::Tls(error.to_string())
        }
        ConnectionError::Framing(_)
        | ConnectionError::FirstMessageTooLong(_)
        | ConnectionError::Malformed(_) => ConnectionFailure::Protocol(error.to_string()),
        ConnectionError::EndInsideMessage
        | ConnectionError::TimedOut(_)
        | ConnectionError::Io(_) => ConnectionFailure::Broken(error.to_string()),
    }
}
