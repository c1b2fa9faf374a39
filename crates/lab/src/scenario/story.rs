//! A scenario while it is being told.

use crate::{
    Lab,
    report::{Check, Event, Party, PartyId, Scenario, Step},
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
    pub(super) fn begin(lab: &'l Lab, id: &'static str, title: impl Into<String>, parties: &[PartyId]) -> Self {
        lab.recorder().restart();
        let parties = parties.iter().map(|&id| Party { id, name: id.name(), instance: lab.instance(id) }).collect();
        Self { lab, id, title: title.into(), parties, steps: Vec::new() }
    }

    /// What was recorded since the last step.
    pub(super) fn events(&self) -> Vec<Event> {
        self.lab.recorder().take()
    }

    /// Adds a step. `verdict` is said when every check holds; otherwise the first that does not is named.
    pub(super) fn step(&mut self, title: &str, events: Vec<Event>, verdict: impl Into<String>, checks: Vec<Check>) {
        let failed = checks.iter().find(|check| !check.holds);
        let verdict = match failed {
            None => verdict.into(),
            Some(check) => format!("differs from the document: {}", check.what),
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

    /// The end.
    pub(super) fn end(self) -> Scenario {
        Scenario {
            id: self.id,
            title: self.title,
            as_documented: !self.steps.is_empty() && self.steps.iter().all(|step| step.as_documented),
            parties: self.parties,
            steps: self.steps,
        }
    }
}
