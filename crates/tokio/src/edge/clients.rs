//! One client's connection to an edge.

use std::{ops::ControlFlow, sync::Arc};

use sip_oauth_registration::edge::EdgeArrival;
use tokio::sync::mpsc;

use super::shared::Shared;
use crate::{
    connection::{Connection, ConnectionError, Incoming, Waiting},
    entropy::ProviderEntropy,
    server::Accepted,
    stop::Stopped,
    stream::Stream,
    wiped::Wiped,
};

/// Runs one connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, accepted: Accepted) {
    let Accepted {
        mut connection,
        permit,
        mut stopped,
        ..
    } = accepted;
    let ends = connection.ends();
    let arrival = EdgeArrival::new(ends.id.get(), ends.peer);
    let mut answers = shared.client_came(arrival.connection);
    let ended = run(
        &shared,
        &mut connection,
        &arrival,
        &mut answers,
        &mut stopped,
    )
    .await;
    if let Err(error) = &ended
        && let Some(message) = connection.without_end(error)
        && let Some(answer) = shared.answer_unframed(&arrival, message, error)
    {
        // Closed for what it was, whether or not the client takes this.
        let _ = connection.send(&answer).await;
    }
    shared.client_left(arrival.connection);
    connection.report_end(ended.as_ref().err());
    connection.close().await;
    drop(permit);
}

async fn run(
    shared: &Shared,
    connection: &mut Connection<Stream>,
    arrival: &EdgeArrival,
    answers: &mut mpsc::Receiver<Vec<u8>>,
    stopped: &mut Stopped,
) -> Result<(), ConnectionError> {
    let mut entropy = ProviderEntropy::of(None);
    loop {
        tokio::select! {
            biased;
            Some(answer) = answers.recv() => connection.send(&answer).await?,
            incoming = connection.receive() => {
                if take(shared, connection, arrival, incoming?, &mut entropy).await?.is_break() {
                    return Ok(());
                }
            }
            () = stopped.wait() => break,
        }
    }
    // What has begun to arrive is forwarded before we leave, and what was forwarded is answered; whoever stops us cuts what
    // takes too long.
    let read = loop {
        tokio::select! {
            biased;
            Some(answer) = answers.recv() => connection.send(&answer).await?,
            incoming = connection.receive_begun() => match incoming {
                Ok(None) => break Ok(()),
                Ok(Some(incoming)) => {
                    if take(shared, connection, arrival, incoming, &mut entropy).await?.is_break() {
                        return Ok(());
                    }
                }
                // No more can be read, and yet it is owed answers.
                Err(
                    error @ (ConnectionError::Framing(_)
                    | ConnectionError::TimedOut(Waiting::Message(_))),
                ) => break Err(error),
                Err(error) => return Err(error),
            },
        }
    };
    while shared.is_waited_for(arrival.connection) {
        match answers.recv().await {
            Some(answer) => connection.send(&answer).await?,
            None => return read,
        }
    }
    while let Ok(answer) = answers.try_recv() {
        connection.send(&answer).await?;
    }
    read
}

/// Forwards what came, or gives the edge's own answer; breaks where nothing more will come.
async fn take(
    shared: &Shared,
    connection: &mut Connection<Stream>,
    arrival: &EdgeArrival,
    incoming: Incoming,
    entropy: &mut ProviderEntropy,
) -> Result<ControlFlow<()>, ConnectionError> {
    match incoming {
        Incoming::Message(message) => {
            let message = Wiped(message);
            if let Some(answer) = shared.take_request(arrival, &message, entropy)? {
                connection.send(&answer).await?;
            }
            Ok(ControlFlow::Continue(()))
        }
        Incoming::Pong => Ok(ControlFlow::Continue(())),
        Incoming::End => Ok(ControlFlow::Break(())),
    }
}
