//! The registrar: who may register what, where and for how long (RFC 3261 section 10.3, RFC 8898).

mod admission;
mod answer;
mod arrival;
mod binding;
mod change;
mod cluster;
mod credentials;
mod database;
mod device;
mod judge;
mod memory;
mod observation;
mod options;
mod pending;
mod ports;
mod profile;
mod register;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use sip_oauth_message::{MessageView, Method, Response};
use sip_oauth_token::{SipAnswer, Verifier};

pub use admission::{Admission, admit};
pub use arrival::{Arrival, Listener, PeerIdentity};
pub use binding::{AddressOfRecord, Binding, BindingStore, Snapshot, Swap, Version};
pub use cluster::{Cluster, ClusterError, ExpresswayRow, Node, RunningNode, SipOAuthMode};
pub use database::Database;
pub use device::{DeviceKind, DeviceLine, DeviceRecord};
pub use memory::MemoryStore;
pub use observation::{Decision, Observation, TokenFinding, TokenVerdict};
pub use options::{
    DeviceLookup, ExpiresPolicy, GracefulRegistration, RegistrarConfig, RegistrarDialect,
    RejectedToken, TokenPlace,
};
pub use pending::{Pending, Proposal, Step};
pub use ports::{MAX_OAUTH_PORT, MIN_OAUTH_PORT, NodePorts, PortProblem};
pub use profile::{DeviceSecurityMode, ProfileProblem, SecurityProfile, TransportType};

use crate::cause::Unregistration;
use crate::entropy::Entropy;
use crate::refusal::Refusal;
use crate::salvage::salvage;
use answer::{Extra, Skeleton};
use judge::Judge;
use pending::{Change, Refused, Verdict, refuse};

/// What a registrar gives back for a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// What to send; nothing for an ACK.
    pub response: Option<Response>,
    /// What was decided and why.
    pub observation: Observation,
    /// The registrations that the change of the bindings ends beside what its client asked for: those of another client that
    /// had the device, and those it finds past their expiry.
    pub ended: Vec<Ended>,
}

/// A registration that ended without its client asking for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// Under which key it was kept.
    pub aor: AddressOfRecord,
    /// The binding.
    pub binding: Binding,
    /// Why it ended.
    pub cause: Unregistration,
}

/// One node's registrar.
///
/// A decision is a function: where a request arrived, the request, the facts of the cluster, the verdict
/// on its token, the present bindings and the time give an answer and a change of the bindings.
/// [`handle`](Self::handle) makes it against a [`BindingStore`] that answers at once;
/// [`begin`](Self::begin) makes the same decision in steps, for a store that does not.
///
/// It may be shared between threads: nothing is locked while a decision is made.
///
/// ```
/// use std::sync::Arc;
/// use std::time::SystemTime;
/// use sip_oauth_message::{Limits, MessageView};
/// use sip_oauth_registration::Seeded;
/// use sip_oauth_registration::registrar::{
///     Arrival, Cluster, Database, DeviceLine, DeviceRecord, Listener, Node, NodePorts, Registrar,
///     RegistrarConfig, SecurityProfile, SipOAuthMode,
/// };
/// use sip_oauth_token::{KeySet, Policy, Verifier};
///
/// let mut cluster = Cluster::new();
/// cluster.add_node(Node::new("ucm1.example.com", NodePorts::default()))?;
/// cluster.set_refresh_login_flow(true);
/// cluster.set_sip_oauth_mode(SipOAuthMode::Enabled)?;
/// cluster.restart("ucm1.example.com")?;
/// cluster.put_profile(SecurityProfile::oauth("CSF - OAuth"))?;
/// cluster.put_device(DeviceRecord::csf("CSFJDOE", "CSF - OAuth", "jdoe", [DeviceLine::new("1010")]))?;
///
/// let keys = KeySet::builder().build();
/// let verifier = Verifier::new(keys, Policy::unified_cm("5c1e7f20-93ab-4d6e-8a57-1f0b2c3d4e5f"));
/// let config = RegistrarConfig::unified_cm("ucm1.example.com");
/// let registrar = Registrar::new(config, Database::new(cluster), Arc::new(verifier));
///
/// let request = b"REGISTER sip:ucm1.example.com SIP/2.0\r\n\
///     Via: SIP/2.0/TLS 192.0.2.10:62162;branch=z9hG4bK00001188\r\n\
///     From: <sip:1010@ucm1.example.com>;tag=1\r\n\
///     To: <sip:1010@ucm1.example.com>\r\n\
///     Call-ID: 1@192.0.2.10\r\n\
///     Max-Forwards: 70\r\n\
///     CSeq: 1 REGISTER\r\n\
///     Contact: <sip:guid@192.0.2.10:62162;transport=tls>;+u.sip!devicename.ccm.cisco.com=\"CSFJDOE\"\r\n\
///     Expires: 3600\r\n\
///     Content-Length: 0\r\n\r\n";
/// let view = MessageView::parse(request, &Limits::default())?;
/// let arrival = Arrival::new(Listener::SipOAuth, 5090, "192.0.2.10:62162".parse()?);
/// let answer = registrar.handle(&arrival, &view, SystemTime::now(), &mut Seeded::new(1));
/// let response = answer.response.expect("a REGISTER is answered");
/// assert_eq!(response.status.as_u16(), 407);
/// assert_eq!(response.headers.get("Proxy-Authenticate"), Some("Bearer realm=\"ccmsipline\""));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Registrar<S = MemoryStore> {
    config: Arc<RegistrarConfig>,
    database: Database,
    verifier: RwLock<Arc<Verifier>>,
    store: S,
}

impl Registrar<MemoryStore> {
    /// A registrar that keeps its bindings in memory.
    pub fn new(config: RegistrarConfig, database: Database, verifier: Arc<Verifier>) -> Self {
        Self::with_store(config, database, verifier, MemoryStore::new())
    }
}

impl<S> Registrar<S> {
    /// A registrar that keeps its bindings in `store`.
    pub fn with_store(
        config: RegistrarConfig,
        database: Database,
        verifier: Arc<Verifier>,
        store: S,
    ) -> Self {
        Self {
            config: Arc::new(config),
            database,
            verifier: RwLock::new(verifier),
            store,
        }
    }

    /// What the registrar was told.
    pub fn config(&self) -> &RegistrarConfig {
        &self.config
    }

    /// The facts of the cluster.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Where bindings are kept.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Judges tokens by another verifier from now on.
    pub fn set_verifier(&self, verifier: Arc<Verifier>) {
        *self
            .verifier
            .write()
            .unwrap_or_else(PoisonError::into_inner) = verifier;
    }

    fn verifier(&self) -> Arc<Verifier> {
        Arc::clone(&self.verifier.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes the part of a decision that needs no bindings.
    ///
    /// What is left, if anything, is [`Pending`]: load the bindings of [`Pending::aor`], have them
    /// [decided](Pending::decide) on, store what comes out if nothing changed meanwhile, else start again
    /// with what is there now.
    pub fn begin(
        &self,
        arrival: &Arrival,
        request: &MessageView<'_>,
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Step {
        let Some(line) = request.as_request() else {
            return Step::Answer(Box::new(unanswered("a response", arrival)));
        };
        let method = line.method.as_str().to_owned();
        let observation = Observation::new(&method, arrival.listener);
        if line.method == Method::Ack {
            return Step::Answer(Box::new(unanswered("ACK", arrival)));
        }
        let skeleton = Skeleton::new(request, arrival.peer, &self.config, now, entropy);
        let mut judge = Judge {
            registrar: self,
            cluster: self.database.read(),
            arrival,
            request,
            now,
            observation,
        };
        let answer = match judge.decide() {
            Ok(Verdict::Change(change)) => {
                return Step::NeedBindings(Box::new(Pending {
                    change,
                    config: Arc::clone(&self.config),
                    skeleton,
                    observation: judge.observation,
                }));
            }
            Ok(Verdict::Options) => {
                judge.observation.decision = Decision::OptionsAnswered;
                Answer {
                    response: Some(skeleton.options()),
                    observation: judge.observation,
                    ended: Vec::new(),
                }
            }
            Err(Refused { refusal, extra }) => {
                refuse(skeleton, refusal, &extra, &self.config, judge.observation)
            }
        };
        Step::Answer(Box::new(answer))
    }

    /// The answer to a request whose token was asked about in vain, after it was refused for want of a key or
    /// of an authorization server's word: `seen` is what was observed then.
    ///
    /// 503 with Retry-After where nobody could say; a client is not told to drop a token that may be good.
    pub fn refuse_token(
        &self,
        arrival: &Arrival,
        request: &MessageView<'_>,
        mut seen: Observation,
        finding: TokenFinding,
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Answer {
        let mut wait = None;
        let answer = match finding {
            TokenFinding::Refused(error) => {
                let answer = self
                    .config
                    .answer(|role, dialect| error.answer(role, dialect));
                seen.token = TokenVerdict::Rejected(error);
                answer
            }
            TokenFinding::Unavailable { why, retry_after } => {
                seen.detail = Some(why);
                wait = retry_after;
                SipAnswer::Unavailable
            }
        };
        let Refused { refusal, mut extra } = Refused::token(Refusal::TokenRejected, answer);
        extra.retry_after = wait;
        let skeleton = Skeleton::new(request, arrival.peer, &self.config, now, entropy);
        refuse(skeleton, refusal, &extra, &self.config, seen)
    }

    /// The answer to bytes that [`MessageView::parse`] refused with `error`, or of which a
    /// [`Framer`](sip_oauth_message::Framer) could not tell where they end: 400, as far as Via, From, To, Call-ID and
    /// CSeq can be read (RFC 3261 sections 8.2 and 18.3).
    ///
    /// `None` where nothing may be answered: then the connection is better closed.
    pub fn answer_unreadable(
        &self,
        arrival: &Arrival,
        bytes: &[u8],
        error: &dyn std::error::Error,
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Option<Answer> {
        let why = error.to_string();
        self.answer_unjudged(Refusal::Malformed, why, arrival, bytes, now, entropy)
    }

    /// The answer to a request that nobody has time to judge: 503 with Retry-After (RFC 3261 section 21.5.4).
    ///
    /// It costs a look at the head. `None` where nothing may be answered.
    pub fn answer_overloaded(
        &self,
        arrival: &Arrival,
        bytes: &[u8],
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Option<Answer> {
        let why = "overloaded".to_owned();
        self.answer_unjudged(Refusal::Unavailable, why, arrival, bytes, now, entropy)
    }

    fn answer_unjudged(
        &self,
        refusal: Refusal,
        why: String,
        arrival: &Arrival,
        bytes: &[u8],
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Option<Answer> {
        let salvaged = salvage(bytes)?;
        let view = salvaged.view()?;
        let mut observation = Observation::new(view.method()?.as_str(), arrival.listener);
        observation.detail = Some(why);
        let skeleton = Skeleton::new(&view, arrival.peer, &self.config, now, entropy);
        let extra = Extra::default();
        Some(refuse(skeleton, refusal, &extra, &self.config, observation))
    }
}

impl<S: BindingStore> Registrar<S> {
    /// Decides on a request and carries the decision out.
    pub fn handle(
        &self,
        arrival: &Arrival,
        request: &MessageView<'_>,
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Answer {
        let mut pending = match self.begin(arrival, request, now, entropy) {
            Step::Answer(answer) => return *answer,
            Step::NeedBindings(pending) => pending,
        };
        for _ in 0..self.config.max_attempts {
            let snapshot = match self.store.load(pending.aor()) {
                Ok(snapshot) => snapshot,
                Err(error) => return pending.unavailable(&error.to_string()),
            };
            // Used up rather than copied: a second attempt is rare.
            let skeleton = std::mem::take(&mut pending.skeleton);
            let nothing = Observation::new("", arrival.listener);
            let observation = std::mem::replace(&mut pending.observation, nothing);
            let proposal = pending.propose(&snapshot, skeleton, observation);
            let (bindings, answer) = match proposal {
                Proposal::Answer(answer) => return answer,
                Proposal::Store { bindings, answer } => (bindings, answer),
            };
            let stored = self
                .store
                .compare_and_swap(pending.aor(), snapshot.version, bindings);
            if matches!(stored, Ok(Swap::Stored)) {
                return answer;
            }
            pending.skeleton = Skeleton::new(request, arrival.peer, &self.config, now, entropy);
            pending.observation = answer.observation;
            if let Err(error) = stored {
                return pending.unavailable(&error.to_string());
            }
        }
        pending.unavailable("the bindings kept changing")
    }

    /// Ends the registrations that were not refreshed in time. One that a request finds over before is told with the
    /// [`Answer`] to it.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn expire(&self, now: SystemTime) -> Result<Vec<Ended>, S::Error> {
        Ok(ended(
            self.store.expire(now)?,
            Unregistration::KeepAliveTimeout,
        ))
    }

    /// When [`expire`](Self::expire) has something to do.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn next_expiry(&self) -> Result<Option<SystemTime>, S::Error> {
        self.store.next_expiry()
    }

    /// Restarts Cisco CallManager on this node: what is configured applies from now on, and its
    /// registrations are gone.
    ///
    /// # Errors
    ///
    /// When the cluster has no such node, or the store does not answer.
    pub fn restart(&self) -> Result<(RunningNode, Vec<Ended>), RestartError<S::Error>> {
        let running = self
            .database
            .edit(|cluster| cluster.restart(&self.config.node))
            .map_err(RestartError::Cluster)?;
        let dropped = self
            .store
            .drop_node(&self.config.node)
            .map_err(RestartError::Store)?;
        Ok((running, ended(dropped, Unregistration::CallManagerRestart)))
    }
}

/// Why a node could not be restarted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestartError<E> {
    /// The cluster does not know the node.
    #[error(transparent)]
    Cluster(ClusterError),
    /// The store of bindings did not answer.
    #[error("the store of bindings did not answer: {0}")]
    Store(E),
}

fn ended(bindings: Vec<(AddressOfRecord, Binding)>, cause: Unregistration) -> Vec<Ended> {
    bindings
        .into_iter()
        .map(|(aor, binding)| Ended {
            aor,
            binding,
            cause,
        })
        .collect()
}

fn unanswered(what: &str, arrival: &Arrival) -> Answer {
    Answer {
        response: None,
        observation: Observation::new(what, arrival.listener),
        ended: Vec::new(),
    }
}
