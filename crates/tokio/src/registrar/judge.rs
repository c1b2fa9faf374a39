//! A registrar of any store, as the listeners see it.

use std::time::SystemTime;

use sip_oauth_message::{Limits, MessageView, ParseError};
use sip_oauth_registration::{
    Entropy,
    registrar::{Answer, Arrival, BindingStore, Ended, Observation, Registrar, TokenFinding},
};

use crate::{
    connection::ConnectionError,
    server::{answered_span, transaction_span},
};

/// What was decided about a message.
pub(super) struct Decided {
    pub(super) observation: Observation,
    /// The registrations it ends beside what its client asked for.
    pub(super) ended: Vec<Ended>,
}

impl Decided {
    pub(super) const fn refused(observation: Observation) -> Self {
        Self {
            observation,
            ended: Vec::new(),
        }
    }
}

/// What connections and timers ask of a registrar.
pub(super) trait Judge: Send + Sync {
    /// Decides about a message, appends the answer, if there is one, to `answer`, and says what was decided. An error is a
    /// message that cannot even be refused.
    fn judge(
        &self,
        arrival: &Arrival,
        message: &[u8],
        limits: &Limits,
        now: SystemTime,
        entropy: &mut dyn Entropy,
        answer: &mut Vec<u8>,
    ) -> Result<Decided, ParseError>;

    /// Appends the answer to a request whose token was asked about in vain: what was observed before, and what was found.
    #[expect(
        clippy::too_many_arguments,
        reason = "those of `judge`, and what was found"
    )]
    fn refuse(
        &self,
        arrival: &Arrival,
        message: &[u8],
        limits: &Limits,
        found: (Observation, TokenFinding),
        now: SystemTime,
        entropy: &mut dyn Entropy,
        answer: &mut Vec<u8>,
    ) -> Result<Observation, ParseError>;

    /// Appends the 503 to a request that nobody has room or time for; `None` where nothing may be answered.
    fn turn_away(
        &self,
        arrival: &Arrival,
        message: &[u8],
        now: SystemTime,
        entropy: &mut dyn Entropy,
        answer: &mut Vec<u8>,
    ) -> Option<Observation>;

    /// Appends the 400 to a message of which nobody can tell where it ends; `None` where nothing may be answered.
    fn answer_unframed(
        &self,
        arrival: &Arrival,
        bytes: &[u8],
        error: &ConnectionError,
        now: SystemTime,
        entropy: &mut dyn Entropy,
        answer: &mut Vec<u8>,
    ) -> Option<Observation>;

    /// Ends what was not refreshed in time.
    fn expire(&self, now: SystemTime) -> Vec<Ended>;
}

impl<S> Judge for Registrar<S>
where
    S: BindingStore + Send + Sync,
{
    fn judge(
        &self,
        arrival: &Arrival,
        message: &[u8],
        limits: &Limits,
        now: SystemTime,
        entropy: &mut dyn Entropy,
        answer: &mut Vec<u8>,
    ) -> Result<Decided, ParseError> {
        let decided = match MessageView::parse(message, limits) {
            Ok(view) => {
                let _span = transaction_span(&view).entered();
                let decided = self.handle(arrival, &view, now, entropy);
                tracing::info!(peer = %arrival.peer, observation = %decided.observation, "request");
                decided
            }
            Err(error) => {
                let decided = self.answer_unreadable(arrival, message, &error, now, entropy);
                told("request not read", arrival, decided.ok_or(error)?)
            }
        };
        if let Some(response) = &decided.response {
            response.encode(answer);
        }
        Ok(Decided {
            observation: decided.observation,
            ended: decided.ended,
        })
    }

    fn refuse(
        &self,
        arrival: &Arrival,
        message: &[u8],
        limits: &Limits,
        (seen, finding): (Observation, TokenFinding),
        now: SystemTime,
        entropy: &mut dyn Entropy,
        answer: &mut Vec<u8>,
    ) -> Result<Observation, ParseError> {
        let view = MessageView::parse(message, limits)?;
        let _span = transaction_span(&view).entered();
        let decided = self.refuse_token(arrival, &view, seen, finding, now, entropy);
        tracing::info!(peer = %arrival.peer, observation = %decided.observation, "request");
        if let Some(response) = &decided.response {
            response.encode(answer);
        }
        Ok(decided.observation)
    }

    fn turn_away(
        &self,
        arrival: &Arrival,
        message: &[u8],
        now: SystemTime,
        entropy: &mut dyn Entropy,
        answer: &mut Vec<u8>,
    ) -> Option<Observation> {
        let decided = self.answer_overloaded(arrival, message, now, entropy)?;
        let decided = told("request turned away", arrival, decided);
        decided.response.as_ref()?.encode(answer);
        Some(decided.observation)
    }

    fn answer_unframed(
        &self,
        arrival: &Arrival,
        bytes: &[u8],
        error: &ConnectionError,
        now: SystemTime,
        entropy: &mut dyn Entropy,
        answer: &mut Vec<u8>,
    ) -> Option<Observation> {
        let decided = self.answer_unreadable(arrival, bytes, error, now, entropy)?;
        let decided = told("request without an end", arrival, decided);
        decided.response.as_ref()?.encode(answer);
        Some(decided.observation)
    }

    fn expire(&self, now: SystemTime) -> Vec<Ended> {
        self.expire(now).unwrap_or_else(|error| {
            tracing::warn!(%error, "the store of bindings did not answer");
            Vec::new()
        })
    }
}

/// Tells of an answer to a request that was not judged, within the span of its transaction.
fn told(what: &str, arrival: &Arrival, decided: Answer) -> Answer {
    let observation = &decided.observation;
    let span = decided
        .response
        .as_ref()
        .map(|answer| answered_span(&observation.method, answer));
    let _in = span.map(tracing::Span::entered);
    tracing::info!(peer = %arrival.peer, %observation, "{what}");
    decided
}
