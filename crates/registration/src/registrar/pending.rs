//! A decision in steps, for a store of bindings that does not answer at once.

use std::sync::Arc;
use std::time::Duration;

use sip_oauth_token::SipAnswer;

use super::Answer;
use super::answer::{Extra, Skeleton};
use super::binding::{AddressOfRecord, Binding, Snapshot};
use super::change::{self, Changed, Context, Outcome};
use super::observation::{Decision, Observation};
use super::options::{RegistrarConfig, RegistrarDialect};
use super::register::Register;
use crate::refusal::Refusal;

/// How far a decision has come.
#[derive(Debug)]
pub enum Step {
    /// It is made.
    Answer(Box<Answer>),
    /// It needs the bindings of an address-of-record.
    NeedBindings(Box<Pending>),
}

/// A decision that waits for bindings.
#[derive(Debug)]
pub struct Pending {
    pub(super) change: Box<Change>,
    pub(super) config: Arc<RegistrarConfig>,
    pub(super) skeleton: Skeleton,
    pub(super) observation: Observation,
}

/// What follows from the bindings read.
#[derive(Debug)]
pub enum Proposal {
    /// Nothing is to be stored; this is the answer.
    Answer(Answer),
    /// The answer, once these bindings are stored in place of those read.
    Store {
        /// The bindings afterwards.
        bindings: Vec<Binding>,
        /// What to answer then, and only then.
        answer: Answer,
    },
}

impl Pending {
    /// Whose bindings are needed.
    pub fn aor(&self) -> &AddressOfRecord {
        &self.change.aor
    }

    /// Decides on the bindings read. May be asked again when they changed before they could be stored.
    pub fn decide(&self, snapshot: &Snapshot) -> Proposal {
        self.propose(snapshot, self.skeleton.clone(), self.observation.clone())
    }

    /// The same with the beginning of the answer, which is used up.
    pub(super) fn propose(
        &self,
        snapshot: &Snapshot,
        skeleton: Skeleton,
        mut observation: Observation,
    ) -> Proposal {
        let Change {
            register, context, ..
        } = &*self.change;
        let Changed {
            bindings,
            outcome,
            ended,
        } = match change::apply(snapshot, self.aor(), register, context) {
            Ok(changed) => changed,
            Err(refusal) => {
                let extra = Extra::default();
                return Proposal::Answer(refuse(
                    skeleton,
                    refusal,
                    &extra,
                    &self.config,
                    observation,
                ));
            }
        };
        let (granted, new) = match outcome {
            Outcome::Bound { granted, new } => (granted, new),
            Outcome::Listed | Outcome::Removed(_) => (Duration::ZERO, false),
        };
        observation.decision = match outcome {
            Outcome::Listed => Decision::Listed,
            Outcome::Bound { granted, new: true } => Decision::Registered { granted },
            Outcome::Bound {
                granted,
                new: false,
            } => Decision::Refreshed { granted },
            Outcome::Removed(removed) => Decision::Unregistered { removed },
        };
        let response = match self.config.dialect {
            RegistrarDialect::UnifiedCm { .. } if outcome != Outcome::Listed => {
                skeleton.unified_cm(register, &context.expires, granted, new)
            }
            RegistrarDialect::UnifiedCm { .. } | RegistrarDialect::Rfc8898 { .. } => {
                let own = bindings
                    .iter()
                    .filter(|binding| change::concerns(context, binding));
                skeleton.listing(register, own, context.now)
            }
        };
        let answer = Answer {
            response: Some(response),
            observation,
            ended,
        };
        if bindings.as_slice() == &*snapshot.bindings {
            Proposal::Answer(answer)
        } else {
            Proposal::Store { bindings, answer }
        }
    }

    /// The answer when the store does not answer.
    pub fn unavailable(&self, why: &str) -> Answer {
        let mut observation = self.observation.clone();
        observation.detail = Some(why.to_owned());
        let extra = Extra::default();
        refuse(
            self.skeleton.clone(),
            Refusal::Unavailable,
            &extra,
            &self.config,
            observation,
        )
    }
}

/// The answer to a request that is refused.
pub(super) fn refuse(
    skeleton: Skeleton,
    refusal: Refusal,
    extra: &Extra,
    config: &RegistrarConfig,
    mut observation: Observation,
) -> Answer {
    observation.decision = Decision::Refused(refusal);
    Answer {
        response: Some(skeleton.refusal(refusal, config, extra)),
        observation,
        ended: Vec::new(),
    }
}

/// A refusal and what its answer needs.
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    pub(super) extra: Extra,
}

impl Refused {
    /// For its token, which is answered by the token crate's table.
    pub(super) fn token(refusal: Refusal, answer: SipAnswer) -> Self {
        Self {
            refusal: match answer {
                SipAnswer::Unavailable => Refusal::TokenUnjudged,
                _ => refusal,
            },
            extra: Extra {
                token: Some(answer),
                ..Extra::default()
            },
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            extra: Extra::default(),
        }
    }
}

/// What the part of a decision without bindings comes to.
pub(super) enum Verdict {
    Options,
    Change(Box<Change>),
}

/// A change of bindings that is asked for by somebody who may.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) aor: AddressOfRecord,
    pub(super) register: Register,
    pub(super) context: Context,
}
