//! One connection of a registrar, and its timer.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use sip_oauth_message::ParseError;
use sip_oauth_registration::registrar::{Arrival, Ended, Listener, TokenFinding};

use super::{
    enquiry::{self, Enquiry},
    judge::{Decided, Judge},
};
use crate::{
    connection::{Connection, ConnectionError, Incoming},
    entropy::ProviderEntropy,
    observe::{Ends, Observed},
    server::{Accepted, Doors},
    stop::Stopped,
    stream::Stream,
    wiped::Wiped,
};

/// How often registrations are looked through for those that have ended.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);

/// What all connections of one listener share.
pub(super) struct Desk {
    pub(super) listener: Listener,
    pub(super) judge: Arc<dyn Judge>,
    pub(super) enquiry: Option<Arc<dyn Enquiry>>,
    pub(super) doors: Doors,
}

impl Desk {
    /// Runs one connection to its end.
    pub(super) async fn serve(self: Arc<Self>, accepted: Accepted) {
        let Accepted {
            mut connection,
            peer_identity,
            mut live_peer,
            permit,
            mut stopped,
        } = accepted;
        let ends = connection.ends();
        let mut arrival = Arrival::new(self.listener, ends.local.port(), ends.peer);
        if let Some(identity) = peer_identity {
            arrival = arrival.with_peer_identity(identity);
        }
        let ended = tokio::select! {
            // What the peer sends after this is not looked at.
            biased;
            why = live_peer.withdrawn() => Err(ConnectionError::Withdrawn(why)),
            ended = self.run(&mut connection, &arrival, &mut stopped) => ended,
        };
        if let Err(error) = &ended
            && let Some(message) = connection.without_end(error)
            && let Some(answer) = self.answer_unframed(ends, &arrival, message, error)
        {
            // Closed for what it was, whether or not the peer takes this.
            let _ = connection.send(&answer).await;
        }
        connection.report_end(ended.as_ref().err());
        connection.close().await;
        drop(permit);
    }

    /// The answer to the first request of a connection there is no room for.
    pub(super) fn turn_away(&self, ends: Ends, message: &[u8]) -> Option<Vec<u8>> {
        let arrival = Arrival::new(self.listener, ends.local.port(), ends.peer);
        let mut answer = Vec::new();
        let mut entropy = ProviderEntropy::of(None);
        let now = self.doors.clock.system_now();
        let observation =
            self.judge
                .turn_away(&arrival, message, now, &mut entropy, &mut answer)?;
        self.doors.observed.decision(ends, &observation);
        Some(answer)
    }

    /// The answer to the last message of a connection, of which nobody can tell where it ends.
    fn answer_unframed(
        &self,
        ends: Ends,
        arrival: &Arrival,
        bytes: &[u8],
        error: &ConnectionError,
    ) -> Option<Vec<u8>> {
        let mut answer = Vec::new();
        let mut entropy = ProviderEntropy::of(None);
        let now = self.doors.clock.system_now();
        let judge = &self.judge;
        let observation =
            judge.answer_unframed(arrival, bytes, error, now, &mut entropy, &mut answer)?;
        self.doors.observed.decision(ends, &observation);
        Some(answer)
    }

    async fn run(
        &self,
        connection: &mut Connection<Stream>,
        arrival: &Arrival,
        stopped: &mut Stopped,
    ) -> Result<(), ConnectionError> {
        let mut entropy = ProviderEntropy::of(None);
        {
            let mut stop = std::pin::pin!(stopped.wait());
            loop {
                let incoming = tokio::select! {
                    biased;
                    incoming = connection.receive() => incoming?,
                    () = &mut stop => break,
                };
                let over = self
                    .take(connection, arrival, incoming, &mut entropy)
                    .await?;
                if over.is_break() {
                    return Ok(());
                }
            }
        }
        // What has begun to arrive is answered before we leave; whoever stops us cuts what takes too long.
        while let Some(incoming) = connection.receive_begun().await? {
            let over = self
                .take(connection, arrival, incoming, &mut entropy)
                .await?;
            if over.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Answers what came; breaks where nothing more will.
    async fn take(
        &self,
        connection: &mut Connection<Stream>,
        arrival: &Arrival,
        incoming: Incoming,
        entropy: &mut ProviderEntropy,
    ) -> Result<ControlFlow<()>, ConnectionError> {
        let message = match incoming {
            Incoming::Message(message) => Wiped(message),
            Incoming::Pong => return Ok(ControlFlow::Continue(())),
            Incoming::End => return Ok(ControlFlow::Break(())),
        };
        let mut answer = Vec::new();
        let decided = self.decide(arrival, &message, entropy, &mut answer).await;
        let Decided { observation, ended } = decided.map_err(ConnectionError::Malformed)?;
        let observed = &self.doors.observed;
        observed.decision(connection.ends(), &observation);
        report(observed, &ended);
        if !answer.is_empty() {
            connection.send(&answer).await?;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Decides about a message, asking about its token where that helps, and appends the answer.
    async fn decide(
        &self,
        arrival: &Arrival,
        message: &[u8],
        entropy: &mut ProviderEntropy,
        answer: &mut Vec<u8>,
    ) -> Result<Decided, ParseError> {
        let Doors {
            clock,
            limits,
            pressure,
            gate,
            ..
        } = &self.doors;
        let judge = &self.judge;
        let now = clock.system_now();
        if pressure.is_too_high()
            && let Some(observation) = judge.turn_away(arrival, message, now, entropy, answer)
        {
            return Ok(Decided::refused(observation));
        }
        let decided = judge.judge(arrival, message, limits, now, entropy, answer)?;
        let asked = match &self.enquiry {
            Some(enquiry) if enquiry::lacks_knowledge(&decided.observation) => {
                match gate.wait(arrival.peer.ip()) {
                    Some(_place) => enquiry::ask(&**enquiry, message, limits).await,
                    None => Err(Some(TokenFinding::unavailable(
                        "too many requests wait for an authorization server",
                    ))),
                }
            }
            _ => return Ok(decided),
        };
        // A refusal changed nothing: the same request may be judged again.
        let now = clock.system_now();
        match asked {
            Ok((token, judged)) => {
                answer.clear();
                let arrival = arrival.clone().with_judged_token(token, judged);
                judge.judge(&arrival, message, limits, now, entropy, answer)
            }
            Err(Some(finding)) => {
                answer.clear();
                let found = (decided.observation, finding);
                judge
                    .refuse(arrival, message, limits, found, now, entropy, answer)
                    .map(Decided::refused)
            }
            Err(None) => Ok(decided),
        }
    }
}

/// Ends registrations that were not refreshed, until stopped.
pub(super) async fn expire(judge: Arc<dyn Judge>, doors: Doors, mut stopped: Stopped) {
    loop {
        let again = doors.clock.now() + EXPIRY_INTERVAL;
        tokio::select! {
            () = stopped.wait() => return,
            () = doors.clock.sleep_until(again) => {}
        }
        report(&doors.observed, &judge.expire(doors.clock.system_now()));
    }
}

/// Tells of registrations that ended without their client asking for it.
fn report(observed: &Observed, ended: &[Ended]) {
    for ended in ended {
        tracing::info!(aor = %ended.aor, cause = ?ended.cause, "registration ended");
        observed.ended(ended);
    }
}
