//! A registrar of any store, as the listeners see it.

use std::time::SystemTime;

use sip_oauth_message::{Limits, MessageView, ParseError};
use sip_oauth_registration::{
    Entropy,
    registrar::{Arrival, BindingStore, Ended, Observation, Registrar},
};

/// What connections and timers ask of a registrar.
pub(super) trait Judge: Send + Sync {
    /// Decides about a message, appends the answer, if there is one, to `answer`, and says what was decided.
    fn judge(
        &self,
        arrival: &Arrival,
        message: &[u8],
        limits: &Limits,
        now: SystemTime,
        entropy: &mut dyn Entropy,
        answer: &mut Vec<u8>,
    ) -> Result<Observation, ParseError>;

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
    ) -> Result<Observation, ParseError> {
        let view = MessageView::parse(message, limits)?;
        let decided = self.handle(arrival, &view, now, entropy);
        if let Some(response) = &decided.response {
            response.encode(answer);
        }
        Ok(decided.observation)
    }

    fn expire(&self, now: SystemTime) -> Vec<Ended> {
        self.expire(now).unwrap_or_else(|error| {
            tracing::warn!(%error, "the store of bindings did not answer");
            Vec::new()
        })
    }
}
