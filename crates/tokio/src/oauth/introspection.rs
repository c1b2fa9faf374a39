//! Asking the authorization server about a token (RFC 7662).

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hyper::{Method, StatusCode, Uri};
use sip_oauth_registration::Entropy;
use sip_oauth_token::{
    MAX_INTROSPECTION_BYTES, TokenError, TokenErrorKind, VerifiedToken, Verifier,
};
use tokio::sync::{OnceCell, Semaphore};

use super::{
    backoff::Backoff,
    client_authentication::ClientAuthentication,
    digest::sha256,
    form::Form,
    token_answer::{form_headers, https, retry_after},
};
use crate::{
    clock::later,
    connect::Connector,
    http::{Exchange, HttpFailure, printable},
};

/// How many tokens without success are remembered.
const MAX_REFUSED: usize = 4096;

/// Judges tokens by asking an introspection endpoint where a [`Verifier`] cannot judge by itself.
///
/// - Accepted verdicts are the verifier's to remember, by the judgement's own end and
///   [`Policy::introspection_reuse`](sip_oauth_token::Policy); without a [cache](Verifier::with_cache) each is asked for anew.
/// - A token that was found inactive is refused without asking for 10 s more.
/// - One request per token at a time, 32 in all; who comes on top is told that it is busy.
/// - 10 s and 64 KiB per answer. A redirect is a failure: the token would go elsewhere.
/// - While the endpoint fails it is left alone for 1 s, then twice as long each time, up to 30 s, and up to 20 % more at
///   random. An answer without a boolean `active` is a failure, no verdict. A status 4xx other than 401, 403 and 429 is about
///   the one question: that token is not asked about for 10 s, others are. A status 5xx other than 503, an answer that cannot be
///   read and one that does not come may be about the one question as well: the endpoint is left alone with others once
///   two of them in a row fared so.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
/// use sip_oauth_token::{KeySet, Policy, Verifier};
/// use sip_oauth_tokio::{ClientAuthentication, Connector, IntrospectionClient};
///
/// # async fn example(connector: Connector, text: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let policy = Policy::introspection("https://as.example.com", "sip:example.com");
/// let verifier = Arc::new(Verifier::new(KeySet::builder().build(), policy).with_cache(10_000));
/// let registrar = ClientAuthentication::basic("registrar", "its secret");
/// let introspection =
///     IntrospectionClient::new(connector, "https://as.example.com/introspect", registrar, verifier)?;
/// println!("{}", introspection.verify(text).await?.user());
/// # Ok(()) }
/// ```
pub struct IntrospectionClient {
    connector: Connector,
    endpoint: Uri,
    client: ClientAuthentication,
    verifier: Arc<Verifier>,
    timeout: Duration,
    refused_for: Duration,
    backoff: Backoff,
    in_flight: Semaphore,
    state: Mutex<State>,
}

type Digest = [u8; 32];
type Verdict = Result<VerifiedToken, IntrospectionError>;

#[derive(Default)]
struct State {
    /// Questions that are being asked, by the token's SHA-256.
    asking: HashMap<Digest, Arc<OnceCell<Verdict>>>,
    /// Tokens that are not active or whose question the server does not take, and until when that is believed.
    refused: HashMap<Digest, (IntrospectionError, Instant)>,
    failures: u32,
    failed: Option<(String, Instant)>,
    /// The token of the last question whose failure may have been its own, if none was answered since.
    suspect: Option<Digest>,
}

/// Why a token is not accepted by introspection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntrospectionError {
    /// It was judged, and refused.
    #[error(transparent)]
    Refused(#[from] TokenError),
    /// It could not be judged: the endpoint gives no answer. The token may well be good; a registrar answers 503, not 401.
    #[error("{0}")]
    Unavailable(String),
}

impl fmt::Debug for IntrospectionClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionClient")
            .field("endpoint", &printable(&self.endpoint))
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl IntrospectionClient {
    /// Asks `endpoint`, an https URL, as `client`: "the endpoint MUST also require some form of authorization to access"
    /// (RFC 7662 section 2.1).
    ///
    /// # Errors
    ///
    /// When `endpoint` is not an https URL (section 4).
    pub fn new(
        connector: Connector,
        endpoint: &str,
        client: ClientAuthentication,
        verifier: Arc<Verifier>,
    ) -> Result<Self, IntrospectionError> {
        let endpoint = https(endpoint, "the introspection endpoint")
            .map_err(IntrospectionError::Unavailable)?;
        Ok(Self {
            connector,
            endpoint,
            client,
            verifier,
            timeout: Duration::from_secs(10),
            refused_for: Duration::from_secs(10),
            backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(30)),
            in_flight: Semaphore::new(32),
            state: Mutex::default(),
        })
    }

    /// Sets the time a request may take, connecting included.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many requests may run at once.
    #[must_use]
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.in_flight = Semaphore::new(requests.clamp(1, Semaphore::MAX_PERMITS));
        self
    }

    /// Sets how long a token that was found inactive is refused without asking again, and one the server takes no question
    /// about is left without an answer.
    #[must_use]
    pub fn refused_for(mut self, time: Duration) -> Self {
        self.refused_for = time;
        self
    }

    /// How long the endpoint is left alone after its first failure, and at most.
    #[must_use]
    pub fn backoff(mut self, first: Duration, most: Duration) -> Self {
        self.backoff.set(first, most);
        self
    }

    /// Sets by how much of itself each such wait is lengthened at most, in percent, at random: 20 by default, 0 for none. A
    /// server that comes back is not asked by everybody at once.
    #[must_use]
    pub fn jitter(mut self, percent: u8) -> Self {
        self.backoff.set_jitter(percent);
        self
    }

    /// Draws the jitter from `entropy` instead of the crypto provider: for tests that are scripts.
    #[must_use]
    pub fn jitter_from(mut self, entropy: impl Entropy + Send + 'static) -> Self {
        self.backoff.set_entropy(entropy);
        self
    }

    /// The verifier that judges the answers.
    pub fn verifier(&self) -> &Arc<Verifier> {
        &self.verifier
    }

    /// Judges a token now, by the connector's clock; the endpoint is asked only where the verifier says that it must be.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError::Refused`] with the reason, [`IntrospectionError::Unavailable`] when nobody could say.
    pub async fn verify(&self, text: &str) -> Result<VerifiedToken, IntrospectionError> {
        let now = self.connector.clock().system_now();
        match self.verifier.verify(text, now) {
            Ok(token) => return Ok(token),
            Err(error) if error.needs_introspection() => {}
            Err(error) => return Err(error.into()),
        }
        let digest = self.digest(text)?;
        let question = {
            let now = self.connector.clock().now();
            let mut state = self.lock();
            if let Some((error, until)) = state.refused.get(&digest) {
                if now < *until {
                    return Err(error.clone());
                }
                state.refused.remove(&digest);
            }
            if let Some((sentence, until)) = &state.failed
                && now < *until
            {
                return Err(IntrospectionError::Unavailable(sentence.clone()));
            }
            Question {
                client: self,
                digest,
                verdict: Arc::clone(state.asking.entry(digest).or_default()),
            }
        };
        // Who waits goes on with it should the one who began be cancelled.
        let verdict = question.verdict.get_or_init(|| self.ask(text, digest));
        verdict.await.clone()
    }

    async fn ask(&self, text: &str, digest: Digest) -> Verdict {
        let busy = "introspection: too many questions at once; try again";
        let _permit = self
            .in_flight
            .try_acquire()
            .map_err(|_| IntrospectionError::Unavailable(busy.to_owned()))?;
        let clock = self.connector.clock();
        let judged = match self.post(text).await {
            Ok(body) => match self.verifier.introspected(text, &body, clock.system_now()) {
                Err(error) if error.is_open() => Err(Failure {
                    sentence: format!("{}: {}", self.place(), error.kind()),
                    pause: None,
                    concerns: Concerns::Unclear,
                }),
                judged => Ok(judged),
            },
            Err(failure) => Err(failure),
        };
        let mut state = self.lock();
        let now = clock.now();
        let verdict = match judged {
            Ok(verdict) => verdict,
            Err(failure) => return Err(self.failed(&mut state, digest, failure, now)),
        };
        state.failures = 0;
        state.failed = None;
        state.suspect = None;
        verdict.map_err(|error| {
            tracing::debug!(reason = %error, "introspection refuses the token");
            let inactive = matches!(error.kind(), TokenErrorKind::Inactive);
            let error = IntrospectionError::Refused(error);
            if inactive {
                state.remember(digest, error.clone(), now, self.refused_for);
            }
            error
        })
    }

    /// Leaves the endpoint alone for a time, with this question or with all.
    fn failed(
        &self,
        state: &mut State,
        digest: Digest,
        failure: Failure,
        now: Instant,
    ) -> IntrospectionError {
        let Failure {
            sentence,
            pause,
            concerns,
        } = failure;
        let error = IntrospectionError::Unavailable(sentence.clone());
        match concerns {
            Concerns::ThisToken => {
                let wait = pause.unwrap_or_default().max(self.refused_for);
                tracing::warn!(reason = sentence, ?wait, "introspection of one token");
                state.remember(digest, error.clone(), now, wait);
            }
            Concerns::Unclear | Concerns::All => {
                state.failures = state.failures.saturating_add(1);
                let wait = self.backoff.after(state.failures, pause);
                tracing::warn!(
                    reason = sentence,
                    failures = state.failures,
                    ?wait,
                    "introspection"
                );
                let may_be_this = match concerns {
                    Concerns::Unclear => {
                        let before = state.suspect.replace(digest);
                        before.is_none_or(|before| before == digest)
                    }
                    Concerns::ThisToken | Concerns::All => false,
                };
                if may_be_this {
                    state.remember(digest, error.clone(), now, wait);
                } else {
                    state.failed = Some((sentence, later(now, wait)));
                }
            }
        }
        error
    }

    async fn post(&self, text: &str) -> Result<bytes::Bytes, Failure> {
        let mut form = Form::default();
        form.field("token", text);
        form.field("token_type_hint", "access_token");
        let headers = form_headers(self.client.apply(&mut form));
        let answer = Exchange {
            method: Method::POST,
            uri: &self.endpoint,
            headers,
            body: form.into_bytes(),
            subject: "introspection",
            max_body_bytes: MAX_INTROSPECTION_BYTES,
            timeout: self.timeout,
        }
        .run(&self.connector)
        .await
        .map_err(|error| Failure {
            sentence: format!("introspection endpoint {error}"),
            pause: None,
            concerns: match error.failure {
                HttpFailure::TimedOut(_) | HttpFailure::TooLarge(_) | HttpFailure::Protocol(_) => {
                    Concerns::Unclear
                }
                _ => Concerns::All,
            },
        })?;
        let place = self.place();
        let status = answer.status;
        if status == StatusCode::OK {
            return Ok(answer.body);
        }
        // RFC 7662 section 2.3.
        if status == StatusCode::UNAUTHORIZED {
            let words = "we are not let in (401); check client id and secret";
            return Err(Failure::of_all(format!("{place}: {words}")));
        }
        let about_us = [
            StatusCode::FORBIDDEN,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
        ];
        Err(Failure {
            sentence: format!("{place}: status {} instead of 200", status.as_u16()),
            pause: retry_after(&answer.headers),
            concerns: if about_us.contains(&status) {
                Concerns::All
            } else if status.is_client_error() {
                Concerns::ThisToken
            } else if status.is_server_error() {
                Concerns::Unclear
            } else {
                Concerns::All
            },
        })
    }

    fn place(&self) -> String {
        format!("introspection endpoint {}", printable(&self.endpoint))
    }

    fn digest(&self, text: &str) -> Result<Digest, IntrospectionError> {
        self.connector
            .tls()
            .and_then(|tls| sha256(tls.crypto_provider(), text.as_bytes()))
            .ok_or_else(|| {
                IntrospectionError::Unavailable(
                    "introspection: no TLS configuration was given".to_owned(),
                )
            })
    }

    /// A poisoned lock still holds whole entries: each is put in or taken out in one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a question has no answer.
struct Failure {
    sentence: String,
    /// How long the server asks to be left alone.
    pause: Option<Duration>,
    concerns: Concerns,
}

/// Which questions fail as this one did.
enum Concerns {
    /// The server answers, and finds fault with the question (4xx): a stranger chose the token in it.
    ThisToken,
    /// This one, or all: another one will show.
    Unclear,
    All,
}

impl Failure {
    fn of_all(sentence: String) -> Self {
        Self {
            sentence,
            pause: None,
            concerns: Concerns::All,
        }
    }
}

/// A question somebody waits for the answer to.
struct Question<'a> {
    client: &'a IntrospectionClient,
    digest: Digest,
    verdict: Arc<OnceCell<Verdict>>,
}

impl Drop for Question<'_> {
    /// Forgets it when it was answered, or when nobody waits any more: strangers hang up too.
    fn drop(&mut self) {
        let mut state = self.client.lock();
        let is_over = |known: &Arc<OnceCell<Verdict>>| {
            // Two: the table's, and ours.
            Arc::ptr_eq(known, &self.verdict)
                && (known.initialized() || Arc::strong_count(known) == 2)
        };
        if state.asking.get(&self.digest).is_some_and(is_over) {
            state.asking.remove(&self.digest);
        }
    }
}

impl State {
    fn remember(
        &mut self,
        digest: Digest,
        error: IntrospectionError,
        now: Instant,
        time: Duration,
    ) {
        if self.refused.len() >= MAX_REFUSED {
            self.refused.retain(|_, (_, until)| now < *until);
            // Still full: a stranger sends more of them than we remember. Asking again is right, if slow.
            if self.refused.len() >= MAX_REFUSED {
                self.refused.clear();
            }
        }
        self.refused.insert(digest, (error, later(now, time)));
    }
}

#[cfg(test)]
mod tests {
    use sip_oauth_token::{KeySet, Policy};
    use sip_oauth_trust::{LiveTrustStore, ServerVerifier, TrustStore, client_config};
    use tokio::net::TcpListener;

    use super::*;

    /// A client whose endpoint takes connections and says nothing.
    async fn silent() -> (TcpListener, IntrospectionClient) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = sip_oauth_trust::default_provider().unwrap();
        let store = Arc::new(LiveTrustStore::new(TrustStore::new("nobody")));
        let trust = ServerVerifier::builder(store, provider).build();
        let tls = client_config(Arc::new(trust), None).unwrap();
        let policy = Policy::introspection("https://as.example.com", "sip:example.com");
        let url = format!("https://{}/introspect", listener.local_addr().unwrap());
        let client = IntrospectionClient::new(
            Connector::new().with_tls(Arc::new(tls)),
            &url,
            ClientAuthentication::public("registrar"),
            Arc::new(Verifier::new(KeySet::builder().build(), policy)),
        );
        (listener, client.unwrap())
    }

    #[tokio::test]
    async fn a_question_is_forgotten_when_nobody_waits_for_its_answer() {
        let (_listener, client) = silent().await;
        let asked = |text: &'static str| {
            let wait = Duration::from_millis(50);
            tokio::time::timeout(wait, client.verify(text))
        };
        let (one, same, other) = tokio::join!(asked("one"), asked("one"), asked("other"));
        assert!(
            one.is_err() && same.is_err() && other.is_err(),
            "nobody answered"
        );
        assert!(client.lock().asking.is_empty());
        assert_eq!(client.in_flight.available_permits(), 32);
    }
}
