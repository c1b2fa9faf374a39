//! One connection of a registrar.

use std::{sync::Arc, time::SystemTime};

use sip_oauth_registration::registrar::{Arrival, BindingStore, Listener, Observation, Registrar};

use crate::{
    clock::Clock,
    connection::{Connection, ConnectionError, Incoming},
    observe::Observed,
    server::Accepted,
    stop::Stopped,
    stream::Stream,
};

/// What a connection asks about each message.
pub(super) trait Judge: Send + Sync {
    /// The bytes to answer, if any, and what was decided.
    fn judge(
        &self,
        arrival: &Arrival,
        message: &[u8],
        now: SystemTime,
        answer: &mut Vec<u8>,
    ) -> Observation;
}

/// Runs one connection to its end.
pub(super) async fn serve(
    accepted: Accepted,
    listener: Listener,
    judge: Arc<dyn Judge>,
    clock: Clock,
    observed: Observed,
) {
    let Accepted {
        mut connection,
        peer_identity,
        permit,
        mut stopped,
    } = accepted;
    let ends = connection.ends();
    let mut arrival = Arrival::new(listener, ends.local.port(), ends.peer);
    if let Some(identity) = peer_identity {
        arrival = arrival.with_peer_identity(identity);
    }
    let ended = run(
        &mut connection,
        &arrival,
        &*judge,
        &clock,
        &observed,
        &mut stopped,
    )
    .await;
    connection.report_end(ended.as_ref().err());
    connection.close().await;
    drop(permit);
}

async fn run(
    connection: &mut Connection<Stream>,
    arrival: &Arrival,
    judge: &dyn Judge,
    clock: &Clock,
    observed: &Observed,
    stopped: &mut Stopped,
) -> Result<(), ConnectionError> {
    loop {
        let incoming = tokio::select! {
            // What has arrived whole is answered before we leave.
            biased;
            incoming = connection.receive() => incoming?,
            () = stopped.wait() => return Ok(()),
        };
        let message = match incoming {
            Incoming::Message(message) => message,
            Incoming::Pong => continue,
            Incoming::End => return Ok(()),
        };
        let mut answer = Vec::new();
        let observation = judge.judge(arrival, &message, clock.system_now(), &mut answer);
        tracing::info!(
            connection = %connection.ends().id, peer = %arrival.peer, %observation,
            "request"
        );
        observed.decision(connection.ends(), &observation);
        if !answer.is_empty() {
            connection.send(&answer).await?;
        }
    }
}
