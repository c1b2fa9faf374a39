//! One connection of a registrar, and its timer.

use std::{sync::Arc, time::Duration};

use sip_oauth_message::FramingError;
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
        if let Some(error) = ended.as_ref().err().and_then(ConnectionError::wrong_length)
            && let Some(answer) = self.answer_unframed(&connection, &arrival, error)
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
        connection: &Connection<Stream>,
        arrival: &Arrival,
        error: &FramingError,
    ) -> Option<Vec<u8>> {
        let mut answer = Vec::new();
        let mut entropy = ProviderEntropy::of(None);
        let now = self.doors.clock.system_now();
        let (bytes, judge) = (connection.unframed(), &self.judge);
        let observation =
            judge.answer_unframed(arrival, bytes, error, now, &mut entropy, &mut answer)?;
        self.doors
            .observed
            .decision(connection.ends(), &observation);
        Some(answer)
    }

    async fn run(
        &self,
        connection: &mut Connection<Stream>,
        arrival: &Arrival,
        stopped: &mut Stopped,
    ) -> Result<(), ConnectionError> {
        let Doors {
            clock,
            observed,
            limits,
            pressure,
            ..
        } = &self.doors;
        let mut entropy = ProviderEntropy::of(None);
        let mut stop = std::pin::pin!(stopped.wait());
        loop {
            let incoming = tokio::select! {
                // What has arrived whole is answered before we leave.
                biased;
                incoming = connection.receive() => incoming?,
                () = &mut stop => return Ok(()),
            };
            let message = match incoming {
                Incoming::Message(message) => message,
                Incoming::Pong => continue,
                Incoming::End => return Ok(()),
            };
            let mut answer = Vec::new();
            let now = clock.system_now();
            let turned_away = if pressure.is_too_high() {
                self.judge
                    .turn_away(arrival, &message, now, &mut entropy, &mut answer)
            } else {
                None
            };
            let Decided { observation, ended } = if let Some(observation) = turned_away {
                Decided::refused(observation)
            } else {
                let judge = &self.judge;
                let decided = judge
                    .judge(arrival, &message, limits, now, &mut entropy, &mut answer)
                    .map_err(ConnectionError::Malformed)?;
                let asked = match &self.enquiry {
                    Some(enquiry) if enquiry::lacks_knowledge(&decided.observation) => {
                        match self.doors.gate.wait(arrival.peer.ip()) {
                            Some(_place) => enquiry::ask(&**enquiry, &message, limits).await,
                            None => Err(Some(TokenFinding::unavailable(
                                "too many requests wait for an authorization server",
                            ))),
                        }
                    }
                    _ => Err(None),
                };
                // A refusal changed nothing: the same request may be judged again.
                let now = clock.system_now();
                match asked {
                    Ok((token, judged)) => {
                        answer.clear();
                        let arrival = arrival.clone().with_judged_token(token, judged);
                        judge.judge(&arrival, &message, limits, now, &mut entropy, &mut answer)
                    }
                    Err(Some(finding)) => {
                        answer.clear();
                        let found = (decided.observation, finding);
                        judge
                            .refuse(
                                arrival,
                                &message,
                                limits,
                                found,
                                now,
                                &mut entropy,
                                &mut answer,
                            )
                            .map(Decided::refused)
                    }
                    Err(None) => Ok(decided),
                }
                .map_err(ConnectionError::Malformed)?
            };
            observed.decision(connection.ends(), &observation);
            report(observed, &ended);
            if !answer.is_empty() {
                connection.send(&answer).await?;
            }
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
