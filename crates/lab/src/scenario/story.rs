//! A scenario while it is being told.

use crate::{
    Lab,
    lab::instance,
    report::{Check, Event, Occurrence, Party, PartyId, Scenario, SipMessage, Step},
};

/// Collects steps: what was recorded since the last one, and what is to be said about it.
pub(super) struct Story<'l> {
    lab: &'l Lab,
    id: &'static str,
    title: String,
    parties: Vec<Party>,
    steps: Vec<Step>,
}

impl<'l> Story<'l> {
    /// Begins now: time counts from here.
    pub(super) fn begin(
        lab: &'l Lab,
        id: &'static str,
        title: impl Into<String>,
        parties: &[PartyId],
    ) -> Self {
        lab.recorder().restart();
        let parties = parties
            .iter()
            .map(|&id| Party {
                id,
                name: id.name(),
                instance: instance(id).to_owned(),
            })
            .collect();
        Self {
            lab,
            id,
            title: title.into(),
            parties,
            steps: Vec::new(),
        }
    }

    /// What was recorded since the last step.
    pub(super) fn events(&self) -> Vec<Event> {
        self.lab.recorder().take()
    }

    /// Adds a step. `verdict` is said when every check holds; otherwise the first that does not is named.
    pub(super) fn step(
        &mut self,
        title: &str,
        events: Vec<Event>,
        verdict: impl Into<String>,
        checks: Vec<Check>,
    ) {
        let failed = checks.iter().find(|check| !check.holds);
        let verdict = match failed {
            None => verdict.into(),
            Some(check) => differs(check),
        };
        self.steps.push(Step {
            title: title.to_owned(),
            // A step that checks nothing shows nothing.
            as_documented: failed.is_none() && !checks.is_empty(),
            verdict,
            events,
            checks,
        });
    }

    /// Adds a check to the step told last.
    pub(super) fn also(&mut self, check: Check) {
        if let Some(step) = self.steps.last_mut() {
            if step.as_documented && !check.holds {
                step.as_documented = false;
                step.verdict = differs(&check);
            }
            step.checks.push(check);
        }
    }

    /// The last SIP request of a party in the steps told so far.
    pub(super) fn last_request(&self, from: PartyId) -> Option<SipMessage> {
        self.told().rev().find_map(|event| match &event.what {
            Occurrence::Sip(message) if message.leg.from == from && message.is_request() => {
                Some(message.clone())
            }
            _ => None,
        })
    }

    /// Whether the first SIP message of `events` came 115 s after the last answer of `answering` told so far, give or
    /// take what a busy machine needs; and the time in words.
    pub(super) fn is_115_s_later(&self, events: &[Event], answering: PartyId) -> (bool, String) {
        let answered = self.told().rev().find_map(|event| match &event.what {
            Occurrence::Sip(message) if message.leg.from == answering && !message.is_request() => {
                Some(event.at)
            }
            _ => None,
        });
        let refreshed = events
            .iter()
            .find(|event| matches!(event.what, Occurrence::Sip(_)))
            .map(|event| event.at);
        match (answered, refreshed) {
            (Some(answered), Some(refreshed)) => {
                let waited = refreshed.saturating_sub(answered).as_secs_f64();
                ((114.9..120.0).contains(&waited), format!("{waited:.1} s"))
            }
            _ => (false, "no message".to_owned()),
        }
    }

    fn told(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.steps.iter().flat_map(|step| &step.events)
    }

    /// The end.
    pub(super) fn end(self) -> Scenario {
        Scenario {
            id: self.id,
            title: self.title,
            as_documented: !self.steps.is_empty()
                && self.steps.iter().all(|step| step.as_documented),
            parties: self.parties,
            steps: self.steps,
        }
    }
}

fn differs(check: &Check) -> String {
    format!("differs from the document: {}", check.what)
}
