//! The keys of an authorization server over HTTPS: a JWK set (RFC 7517), kept fresh.

mod error;
mod fetch;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use hyper::{Uri, header::HeaderValue};
use sip_oauth_registration::Entropy;
use sip_oauth_token::{KeyId, KeySet, TokenError, VerifiedToken, Verifier};
use tokio::sync::{Mutex, Notify};

use super::{backoff::Backoff, freshness::Bounds, token_answer::https};
use crate::{clock::later, connect::Connector, http::printable};

pub use error::{JwksError, JwksFailure};

/// Fetches an authorization server's JWK set and puts its keys into a [`Verifier`], as those of its issuer.
///
/// - The verifier's own set and the sets of other issuers stay: an encryption key belongs into the set the verifier is made
///   with, and each authorization server has a client of its own ([`of_issuer`](Self::of_issuer)).
/// - The set is asked for again when its `Cache-Control` says so (RFC 9111), within bounds; with `If-None-Match` where the
///   server gave an `ETag`. A set of the same keys, in whatever order and with whatever `Cache-Control` it is written, leaves
///   the verifier and its verdicts alone.
/// - A token that is signed by an unknown key makes it ask at once, but no more often than every 30 s, whoever sends such
///   tokens. One that comes meanwhile is not found bad: the server may have got that key since, and nobody asked it
///   ([`JwksFailure::TooSoon`]).
/// - While the server is down or answers with something else, the last good set stays. It is asked again after 5 s, then
///   twice as long each time, up to 5 minutes, and up to 20 % more at random. [`max_staleness`](Self::max_staleness) sets an end to that.
/// - One request at a time, which goes on when the one who asked goes away; clones share it. 15 s, 256 KiB, at most 3 redirects, which never leave the host or TLS.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
/// use sip_oauth_token::{KeySet, Policy, Verifier};
/// use sip_oauth_tokio::{Connector, JwksClient};
///
/// # async fn example(connector: Connector) -> Result<(), Box<dyn std::error::Error>> {
/// let policy = Policy::rfc9068("https://as.example.com", "sip:example.com");
/// let verifier = Arc::new(Verifier::new(KeySet::builder().build(), policy));
/// let keys = Arc::new(JwksClient::new(connector, "https://as.example.com/jwks", Arc::clone(&verifier))?);
/// keys.refresh().await?;
/// tokio::spawn({ let keys = Arc::clone(&keys); async move { keys.keep_fresh().await } });
/// // Give `verifier` to the registrar, and `note_unknown_key` to whoever sees its refusals.
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct JwksClient {
    connector: Connector,
    url: Uri,
    verifier: Arc<Verifier>,
    /// Whose keys these are.
    issuer: Arc<str>,
    timeout: Duration,
    max_bytes: usize,
    max_redirects: u8,
    unknown_key_interval: Duration,
    bounds: Bounds,
    backoff: Backoff,
    max_staleness: Option<Duration>,
    grace: Option<Duration>,
    /// Held over a request: who comes meanwhile waits for its end.
    state: Arc<Mutex<State>>,
    /// How many requests have begun, to be read without waiting for the one under way.
    begun: Arc<AtomicU64>,
    /// Somebody has noted an unknown key.
    noted: Arc<Notify>,
}

#[derive(Default)]
struct State {
    /// The last good set.
    keys: Option<KeySet>,
    /// Sets with keys that it does not list any more, oldest first.
    former: Vec<Former>,
    etag: Option<HeaderValue>,
    fresh_until: Option<Instant>,
    /// When the server was asked last.
    asked_at: Option<Instant>,
    failures: u32,
    /// The last failure, and until when the server is left alone.
    failed: Option<(JwksError, Instant)>,
    /// An unknown key was noted, and no request that began since has brought an answer.
    wanted: bool,
}

/// A set that another one took the place of, and until when its keys are good.
struct Former {
    keys: KeySet,
    end: SystemTime,
}

/// What asking for the keys came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeysNews {
    /// The verifier has other keys now.
    Replaced,
    /// The server was asked, and has the same keys.
    Unchanged,
    /// The set is still fresh, has the key, or was asked for by another one who waited: the server was not asked again.
    NotAsked,
}

impl fmt::Debug for JwksClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksClient")
            .field("url", &printable(&self.url))
            .field("issuer", &self.issuer)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

impl JwksClient {
    /// Asks `url`, an https URL, and feeds `verifier` with the keys of the issuer its policy accepts.
    ///
    /// # Errors
    ///
    /// When `url` is not an https URL: whoever changes the keys on their way makes tokens. When the policy accepts several
    /// issuers, since a key must belong to one.
    pub fn new(
        connector: Connector,
        url: &str,
        verifier: Arc<Verifier>,
    ) -> Result<Self, JwksError> {
        let issuer = verifier.policy().only_issuer().map(Arc::from);
        Self::build(connector, issuer, url, verifier)
    }

    /// The same with the keys of one issuer of several.
    ///
    /// # Errors
    ///
    /// When `url` is not an https URL, or the policy does not accept the issuer.
    pub fn of_issuer(
        connector: Connector,
        issuer: &str,
        url: &str,
        verifier: Arc<Verifier>,
    ) -> Result<Self, JwksError> {
        let issuer = verifier
            .policy()
            .has_issuer(issuer)
            .then(|| Arc::from(issuer));
        Self::build(connector, issuer, url, verifier)
    }

    fn build(
        connector: Connector,
        issuer: Option<Arc<str>>,
        url: &str,
        verifier: Arc<Verifier>,
    ) -> Result<Self, JwksError> {
        let failed = |failure| JwksError {
            url: url.escape_default().take(200).collect(),
            failure,
        };
        let uri = https(url, "the URL of the keys").map_err(|_| failed(JwksFailure::NotHttps))?;
        let issuer = issuer.ok_or_else(|| failed(JwksFailure::Issuer))?;
        Ok(Self {
            connector,
            url: uri,
            verifier,
            issuer,
            timeout: Duration::from_secs(15),
            max_bytes: 256 * 1024,
            max_redirects: 3,
            unknown_key_interval: Duration::from_secs(30),
            bounds: Bounds {
                least: Duration::from_secs(60),
                unsaid: Duration::from_secs(600),
                most: Duration::from_secs(24 * 3600),
            },
            backoff: Backoff::default(),
            max_staleness: None,
            grace: None,
            state: Arc::default(),
            begun: Arc::default(),
            noted: Arc::default(),
        })
    }

    /// Sets the time each request may take, connecting included.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the largest set taken; 256 KiB is also the most that is ever read.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes.min(256 * 1024);
        self
    }

    /// Sets how many redirects are followed; they may change path and port, never the host, and never leave `https`.
    #[must_use]
    pub fn max_redirects(mut self, max_redirects: u8) -> Self {
        self.max_redirects = max_redirects;
        self
    }

    /// Sets the least time between two requests that unknown keys cause. One too long for the clock is for ever, as in the
    /// other settings.
    #[must_use]
    pub fn unknown_key_interval(mut self, interval: Duration) -> Self {
        self.unknown_key_interval = interval;
        self
    }

    /// Sets how long a set is used before it is asked for again: at least, where the server says nothing, and at most;
    /// 1 minute, 10 minutes, 24 hours.
    #[must_use]
    pub fn lifetimes(mut self, least: Duration, unsaid: Duration, most: Duration) -> Self {
        self.bounds = Bounds {
            // Less than a second would ask without rest.
            least: least.max(Duration::from_secs(1)),
            unsaid,
            most,
        };
        self
    }

    /// How long the server is left alone after its first failure, and at most.
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

    /// Sets how long the last good set is used beyond its freshness while no newer one can be had; then its keys are taken
    /// out of the verifier, and tokens signed by them are of an unknown key. No limit by default: whoever can block the
    /// server of the keys cannot sign.
    ///
    /// [`keep_fresh`](Self::keep_fresh) sees to it at the moment; without that the next request for keys does.
    #[must_use]
    pub fn max_staleness(mut self, time: Duration) -> Self {
        self.max_staleness = Some(time);
        self
    }

    /// Sets how long a key is still good that the server lists no more, counted from the first answer without it. Not at
    /// all by default: leaving a key out is how a server takes it back. For one that drops a key while tokens signed by it
    /// are still about.
    #[must_use]
    pub fn grace(mut self, time: Duration) -> Self {
        self.grace = Some(time);
        self
    }

    /// The verifier that is fed.
    pub fn verifier(&self) -> &Arc<Verifier> {
        &self.verifier
    }

    /// Asks for the set, unless it is still fresh.
    ///
    /// # Errors
    ///
    /// The server's failure, or its last one while it is left alone. The verifier keeps the last good set.
    pub async fn refresh(&self) -> Result<KeysNews, JwksError> {
        let this = self.clone();
        self.finish(async move { this.ask_if_stale().await }).await
    }

    async fn ask_if_stale(&self) -> Result<KeysNews, JwksError> {
        let mut state = self.state.lock().await;
        let now = self.connector.clock().now();
        if state.fresh_until.is_some_and(|until| now < until) {
            return Ok(KeysNews::NotAsked);
        }
        if state.failed.is_some() {
            self.drop_stale(&mut state);
        }
        if let Some((error, until)) = &state.failed
            && now < *until
        {
            return Err(error.clone());
        }
        self.ask(&mut state).await
    }

    /// Asks for a newer set because a token named a key that is not there, unless the server was asked a moment ago.
    ///
    /// # Errors
    ///
    /// As [`JwksClient::refresh`]. The last failure, or [`JwksFailure::TooSoon`], where the server was asked before this was
    /// called and may not be asked again yet: then nobody knows whether it has the key.
    pub async fn key_unknown(&self, kid: &KeyId) -> Result<KeysNews, JwksError> {
        let (this, kid) = (self.clone(), kid.clone());
        let begun = self.begun.load(Ordering::Relaxed);
        self.finish(async move { this.ask_for(&kid, begun).await })
            .await
    }

    /// `begun`: the requests that had begun when the token came, and may have been answered before its key was there.
    async fn ask_for(&self, kid: &KeyId, begun: u64) -> Result<KeysNews, JwksError> {
        let mut state = self.state.lock().await;
        let now = self.connector.clock().now();
        let known = |keys: &KeySet| keys.key_ids().any(|known| known == kid);
        if state.keys.as_ref().is_some_and(known) {
            return Ok(KeysNews::NotAsked);
        }
        let left = self
            .unknown_key_due(&state)
            .map(|due| due.saturating_duration_since(now))
            .filter(|left| !left.is_zero());
        match (left, &state.failed) {
            // Not asked is no answer: after a failure nobody knows whether the server has the key.
            (Some(_), Some((error, _))) => Err(error.clone()),
            // Asked by another while this one waited.
            (Some(_), None) if self.begun.load(Ordering::Relaxed) > begun => Ok(KeysNews::NotAsked),
            (Some(left), None) => Err(JwksError {
                url: printable(&self.url),
                failure: JwksFailure::TooSoon { left },
            }),
            (None, _) => {
                tracing::debug!(%kid, "a token names a key that is not there");
                self.ask(&mut state).await
            }
        }
    }

    /// The same for who cannot wait: [`keep_fresh`](Self::keep_fresh) will ask, as soon as it may, and again until it has an
    /// answer. To be called with what [`TokenError::unknown_verifying_key`] gives.
    pub fn note_unknown_key(&self) {
        self.noted.notify_one();
    }

    /// Judges a token now, by the connector's clock; if its key is unknown, once more after asking for a newer set.
    ///
    /// # Errors
    ///
    /// As [`Verifier::verify`]. Whether an unknown key is one that the server does not have, or the server could not be asked,
    /// [`key_unknown`](Self::key_unknown) tells.
    pub async fn verify(&self, text: &str) -> Result<VerifiedToken, TokenError> {
        self.judge(text).await.map_err(|(refused, _)| refused)
    }

    /// The same, with the reason why a newer set could not be had where that was in the way.
    pub(crate) async fn judge(
        &self,
        text: &str,
    ) -> Result<VerifiedToken, (TokenError, Option<JwksError>)> {
        let now = || self.connector.clock().system_now();
        let refused = match self.verifier.verify(text, now()) {
            Ok(token) => return Ok(token),
            Err(refused) => refused,
        };
        // A key that decrypts is in no set that a server publishes.
        let Some(kid) = refused.unknown_verifying_key() else {
            return Err((refused, None));
        };
        match self.key_unknown(kid).await {
            // NotAsked too: another task may have replaced the set meanwhile.
            Ok(_) => self
                .verifier
                .verify(text, now())
                .map_err(|refused| (refused, None)),
            Err(unavailable) => Err((refused, Some(unavailable))),
        }
    }

    /// Keeps the set fresh for ever; to be spawned.
    pub async fn keep_fresh(&self) {
        loop {
            let due = self.due(&*self.state.lock().await);
            tokio::select! {
                () = self.connector.clock().sleep_until(due) => {}
                () = self.noted.notified() => {
                    self.state.lock().await.wanted = true;
                    continue;
                }
            }
            let mut state = self.state.lock().await;
            let now = self.connector.clock().now();
            let is_wanted =
                state.wanted && self.unknown_key_due(&state).is_none_or(|due| due <= now);
            // What came of it is in the log, and in the state for the next one who asks.
            if is_wanted {
                let _ = self.ask(&mut state).await;
            } else {
                drop(state);
                let _ = self.refresh().await;
            }
        }
    }

    /// When [`keep_fresh`](Self::keep_fresh) has something to do.
    fn due(&self, state: &State) -> Instant {
        let now = self.connector.clock().now();
        let fresh_until = state.fresh_until.unwrap_or(now);
        let ask = match &state.failed {
            Some((_, until)) => fresh_until.max(*until),
            None => fresh_until,
        };
        let unknown_key = state
            .wanted
            .then(|| self.unknown_key_due(state).unwrap_or(now));
        [self.stale_at(state), unknown_key]
            .into_iter()
            .flatten()
            .fold(ask, Instant::min)
    }

    /// On a task of its own: whoever sends a token and hangs up would otherwise cut the request short, and the next one
    /// would have to wait.
    async fn finish(
        &self,
        request: impl Future<Output = Result<KeysNews, JwksError>> + Send + 'static,
    ) -> Result<KeysNews, JwksError> {
        tokio::spawn(request).await.unwrap_or_else(|_| {
            Err(JwksError {
                url: printable(&self.url),
                failure: JwksFailure::GivenUp,
            })
        })
    }

    /// Asks the server and takes over what it gives.
    async fn ask(&self, state: &mut State) -> Result<KeysNews, JwksError> {
        let clock = self.connector.clock();
        state.asked_at = Some(clock.now());
        self.begun.fetch_add(1, Ordering::Relaxed);
        match self.fetch(state).await {
            Ok((news, freshness)) => {
                tracing::debug!(url = %printable(&self.url), ?news, lifetime = ?freshness.lifetime, "keys");
                state.fresh_until = Some(later(clock.now(), freshness.lifetime));
                state.failures = 0;
                state.failed = None;
                state.wanted = false;
                Ok(news)
            }
            Err((error, wanted)) => {
                state.failures = state.failures.saturating_add(1);
                let wait = self.backoff.after(state.failures, wanted);
                tracing::warn!(
                    %error, failures = state.failures, ?wait, keeps_old = state.keys.is_some(),
                    "keys not fetched"
                );
                state.failed = Some((error.clone(), later(clock.now(), wait)));
                self.drop_stale(state);
                Err(error)
            }
        }
    }

    /// When an unknown key may make it ask; `None` when it was never asked.
    fn unknown_key_due(&self, state: &State) -> Option<Instant> {
        let due = later(state.asked_at?, self.unknown_key_interval);
        let pause = state.failed.as_ref().map(|(_, until)| *until);
        Some(pause.map_or(due, |until| due.max(until)))
    }

    /// When the set that is there has been stale for too long.
    fn stale_at(&self, state: &State) -> Option<Instant> {
        state.keys.as_ref()?;
        state.fresh_until?.checked_add(self.max_staleness?)
    }

    /// Takes the set's keys out of the verifier when they are too old.
    fn drop_stale(&self, state: &mut State) {
        let now = self.connector.clock().now();
        if self.stale_at(state).is_some_and(|at| at <= now) {
            tracing::warn!(url = %printable(&self.url), "the last good set of keys is too old and is not used any more");
            let none = self.verifier.key_set_builder().build();
            self.verifier.replace_keys_of(&self.issuer, none);
            (state.keys, state.etag) = (None, None);
            state.former.clear();
        }
    }
}
