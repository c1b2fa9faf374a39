//! One connection of a client: made, kept, and given up.

use sip_oauth_registration::client::{ConnectionFailure, ConnectionId, Target};
use sip_oauth_trust::Explanation;
use tokio::sync::mpsc;

use crate::{
    connect::{ConnectError, ConnectFailure, Connector},
    connection::{Connection, ConnectionError, ConnectionSettings, Incoming},
};

/// Requests waiting for a registrar that does not read. A client has one outstanding at a time.
const MAX_QUEUED: usize = 8;

/// What a connection tells the driver.
#[derive(Debug)]
pub(super) enum News {
    Connected(std::net::SocketAddr),
    Message(Vec<u8>),
    Down(ConnectionFailure, Option<Box<Explanation>>),
}

/// The driver's end of a connection. When it is dropped, what was queued is written and the connection closed.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) target: Target,
    requests: mpsc::Sender<Vec<u8>>,
}

impl Link {
    /// Spawns the connection's task.
    pub(super) fn open(
        id: ConnectionId,
        target: Target,
        connector: Connector,
        limits: sip_oauth_message::Limits,
        news: mpsc::Sender<(ConnectionId, News)>,
    ) -> Self {
        let (requests, for_requests) = mpsc::channel(MAX_QUEUED);
        let settings = ConnectionSettings {
            limits,
            timeouts: connector.timeouts().clone(),
            clock: connector.clock().clone(),
            observed: connector.observed().clone(),
        };
        let task = Task {
            id,
            target: target.clone(),
            connector,
            settings,
            requests: for_requests,
            news,
        };
        tokio::spawn(task.run());
        Self { target, requests }
    }

    /// Queues a request; false when the connection is gone or does not take it.
    pub(super) fn send(&self, request: Vec<u8>) -> bool {
        self.requests.try_send(request).is_ok()
    }
}

struct Task {
    id: ConnectionId,
    target: Target,
    connector: Connector,
    settings: ConnectionSettings,
    requests: mpsc::Receiver<Vec<u8>>,
    news: mpsc::Sender<(ConnectionId, News)>,
}

impl Task {
    async fn run(mut self) {
        let connecting =
            self.connector
                .connect(&self.target.host, self.target.port, self.target.transport);
        let (stream, ends) = tokio::select! {
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
        let mut connection = Connection::new(stream, ends, self.settings.clone());
        self.tell(News::Connected(ends.local)).await;
        let ended = self.serve(&mut connection).await;
        connection.report_end(ended.as_ref().err());
        match ended {
            Ok(End::OurWish) => {}
            Ok(End::PeersWish) => self.tell(News::Down(ConnectionFailure::Closed, None)).await,
            Err(error) => {
                let failure = failure_of_connection(&error);
                let explanation = error.explanation().cloned().map(Box::new);
                self.tell(News::Down(failure, explanation)).await;
            }
        }
        connection.close().await;
    }

    async fn serve<S>(&mut self, connection: &mut Connection<S>) -> Result<End, ConnectionError>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        loop {
            tokio::select! {
                request = self.requests.recv() => match request {
                    Some(request) => connection.send(&request).await?,
                    None => return Ok(End::OurWish),
                },
                incoming = connection.receive() => match incoming? {
                    Incoming::Message(message) => self.tell(News::Message(message)).await,
                    Incoming::Pong => {}
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
        ConnectionError::Tls { .. } => ConnectionFailure::Tls(error.to_string()),
        ConnectionError::Framing(_) | ConnectionError::Malformed(_) => {
            ConnectionFailure::Protocol(error.to_string())
        }
        ConnectionError::EndInsideMessage
        | ConnectionError::TimedOut(_)
        | ConnectionError::Io(_) => ConnectionFailure::Broken(error.to_string()),
    }
}
