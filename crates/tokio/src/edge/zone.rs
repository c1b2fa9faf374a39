//! The connection of one zone: mutual TLS to a node's SIP Mobile and Remote Access Port, kept up.

use std::{sync::Arc, time::Duration};

use sip_oauth_registration::{client::Transport, edge::Zone};
use sip_oauth_trust::Explanation;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::{sleep, timeout},
};

use tracing::Instrument as _;

use super::shared::Shared;
use crate::{
    connect::Connector,
    connection::{Connection, ConnectionError, ConnectionSettings, Incoming},
    live_server::{LiveServer, Unjudged},
    stop::{Stop, Stopped},
    stream::Stream,
    wiped::Wiped,
};

/// With TLS 1.3 our handshake is over before the node has looked at our certificate. Therefore a keep-alive is sent first,
/// and the zone counts as active at the first thing that is read, or when nothing was refused within this time: a node
/// that does not know keep-alives answers nothing.
const PROBE: Duration = Duration::from_millis(500);

/// Between attempts: at first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Even in a hurry a node is left this long in peace.
const LEAST_RETRY: Duration = Duration::from_millis(200);

/// The edge's end of a zone. Dropping it closes the connection.
#[derive(Debug)]
pub(super) struct ZoneLink {
    requests: mpsc::Sender<Vec<u8>>,
    hurry: Arc<Notify>,
    stop: Stop,
    task: JoinHandle<()>,
}

impl ZoneLink {
    /// Spawns the zone's task. It begins when the task of `before`, which led elsewhere under the same name, has ended:
    /// that one would speak for this one.
    pub(super) fn open(
        zone: &Zone,
        shared: Arc<Shared>,
        connector: Connector,
        before: Option<ZoneLink>,
    ) -> Self {
        let (requests, for_requests) =
            mpsc::channel(shared.doors.gate.limits().queued_messages.max(1));
        let hurry = Arc::new(Notify::new());
        let stop = Stop::new();
        let stopped = stop.listen();
        let task = Task {
            zone: zone.clone(),
            shared,
            connector,
            requests: for_requests,
            hurry: Arc::clone(&hurry),
        };
        let span = tracing::info_span!("zone", name = zone.name);
        let run = async move {
            if let Some(before) = before {
                before.close().await;
                task.shared.forget_attempts(&task.zone.name);
            }
            task.run(stopped).await;
        };
        let task = tokio::spawn(run.instrument(span));
        Self {
            requests,
            hurry,
            stop,
            task,
        }
    }

    /// Begins to close the connection.
    pub(super) fn stop(&self) {
        self.stop.stop();
    }

    /// Closes the connection and returns when it is closed.
    pub(super) async fn close(self) {
        self.stop();
        // A panic in the task has been reported where it happened.
        let _ = self.task.await;
    }

    /// Queues a request; false when the zone is closed or its node does not read.
    pub(super) fn send(&self, request: Vec<u8>) -> bool {
        self.requests.try_send(request).is_ok()
    }

    /// Tries again now, if it waits to try again.
    pub(super) fn hurry(&self) {
        self.hurry.notify_one();
    }
}

struct Task {
    zone: Zone,
    shared: Arc<Shared>,
    connector: Connector,
    requests: mpsc::Receiver<Vec<u8>>,
    hurry: Arc<Notify>,
}

impl Task {
    async fn run(mut self, mut stopped: Stopped) {
        let mut wait = RETRY.0;
        loop {
            let connected = tokio::select! {
                () = stopped.wait() => return,
                connected = self.connect() => connected,
            };
            if let Some((mut connection, mut server)) = connected {
                wait = RETRY.0;
                let unjudged = server.unjudged();
                let ended = tokio::select! {
                    // What is queued is not for a node that is no longer trusted.
                    biased;
                    why = server.withdrawn() => Some(Err(ConnectionError::Withdrawn(why))),
                    () = stopped.wait() => None,
                    ended = self.serve(&mut connection, unjudged) => Some(ended),
                };
                let error = ended.as_ref().and_then(|ended| ended.as_ref().err());
                connection.report_end(error);
                if let Some(ended) = &ended {
                    let why = match ended {
                        Ok(()) => "the node closed the connection".to_owned(),
                        Err(error) => error.to_string(),
                    };
                    self.down(&why, error.and_then(ConnectionError::explanation));
                }
                server.close(connection, error).await;
                if ended.is_none() {
                    return;
                }
            }
            // What was queued for the connection that is gone has been answered by `zone_down`.
            while self.requests.try_recv().is_ok() {}
            tokio::select! {
                () = stopped.wait() => return,
                () = sleep(wait) => {}
                () = async {
                    sleep(LEAST_RETRY).await;
                    self.hurry.notified().await;
                } => {}
            }
            wait = (wait * 2).min(RETRY.1);
        }
    }

    async fn connect(&self) -> Option<(Connection<Stream>, LiveServer)> {
        let Zone { host, port, .. } = &self.zone;
        let connecting = self.connector.connect_live(host, *port, Transport::Tls);
        let (stream, ends, mut server) = match connecting.await {
            Ok(connected) => connected,
            Err(error) => {
                self.down(&error.to_string(), error.explanation());
                return None;
            }
        };
        let doors = &self.shared.doors;
        let settings = ConnectionSettings {
            limits: doors.limits,
            timeouts: doors.timeouts.clone(),
            clock: doors.clock.clone(),
            observed: doors.observed.clone(),
        };
        let mut connection = Connection::new(stream, ends, settings);
        let probing = async {
            match connection.ping().await {
                Ok(()) => timeout(PROBE, connection.receive()).await,
                Err(error) => Ok(Err(error)),
            }
        };
        let probed = tokio::select! {
            biased;
            why = server.withdrawn() => Ok(Err(ConnectionError::Withdrawn(why))),
            probed = probing => probed,
        };
        match probed {
            // Silence is no refusal.
            Err(_) | Ok(Ok(Incoming::Pong)) => {}
            Ok(Ok(Incoming::Message(message))) => {
                self.shared.take_response(&self.zone.name, &message);
            }
            Ok(Ok(Incoming::End)) => {
                connection.report_end(None);
                self.down("the node closed the connection", None);
                return None;
            }
            Ok(Err(error)) => {
                connection.report_end(Some(&error));
                self.down(&error.to_string(), error.explanation());
                return None;
            }
        }
        self.shared.zone_up(&self.zone.name, ends.local);
        Some((connection, server))
    }

    async fn serve(
        &mut self,
        connection: &mut Connection<Stream>,
        mut unjudged: Unjudged,
    ) -> Result<(), ConnectionError> {
        loop {
            tokio::select! {
                request = self.requests.recv() => match request {
                    Some(request) => {
                        let request = Wiped(request);
                        unjudged.judged().await;
                        connection.send(&request).await?;
                    }
                    // The zone's end is dropped together with its stop.
                    None => return Ok(()),
                },
                incoming = connection.receive() => match incoming? {
                    Incoming::Message(message) => {
                        self.shared.take_response(&self.zone.name, &message);
                    }
                    Incoming::Pong => {}
                    Incoming::End => return Ok(()),
                },
            }
        }
    }

    fn down(&self, why: &str, explanation: Option<&Explanation>) {
        self.shared.zone_down(&self.zone.name, why, explanation);
    }
}
