//! The keys of an authorization server over HTTPS: a JWK set (RFC 7517), kept fresh.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hyper::{
    Method, StatusCode, Uri,
    header::{ACCEPT, ETAG, HeaderValue, IF_NONE_MATCH},
};
use sip_oauth_registration::Entropy;
use sip_oauth_token::{KeyError, KeyId, KeySet, TokenError, VerifiedToken, Verifier};
use tokio::sync::{Mutex, Notify};

use super::{
    backoff::Backoff,
    freshness::{Bounds, Freshness},
    token_answer::{https, retry_after},
};
use crate::{
    clock::later,
    connect::Connector,
    http::{Answer, Exchange, FetchFailure, HttpFailure, printable, redirect},
};

/// Fetches an authorization server's JWK set and puts its keys into a [`Verifier`], as those of its issuer.
///
/// - The verifier's own set and the sets of other issuers stay: an encryption key belongs into the set the verifier is made
///   with, and each authorization server has a client of its own ([`of_issuer`](Self::of_issuer)).
/// - The set is asked for again when its `Cache-Control` says so (RFC 9111), within bounds; with `If-None-Match` where the
///   server gave an `ETag`. A set of the same keys, in whatever order and with whatever `Cache-Control` it is written, leaves
///   the verifier and its verdicts alone.
/// - A token with an unknown `kid` makes it ask at once, but no more often than every 30 s, whoever sends such tokens.
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
    /// Held over a request: who comes meanwhile waits for its end.
    state: Arc<Mutex<State>>,
    wanted: Arc<Notify>,
}

#[derive(Default)]
struct State {
    /// The last good set.
    keys: Option<KeySet>,
    etag: Option<HeaderValue>,
    fresh_until: Option<Instant>,
    /// When the server was asked last.
    asked_at: Option<Instant>,
    failures: u32,
    /// The last failure, and until when the server is left alone.
    failed: Option<(JwksError, Instant)>,
}

/// What asking for the keys came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeysNews {
    /// The verifier has other keys now.
    Replaced,
    /// The server was asked, and has the same keys.
    Unchanged,
    /// The set is still fresh, or was asked for too recently: the server was not asked.
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
            state: Arc::default(),
            wanted: Arc::default(),
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
    /// As [`JwksClient::refresh`]; the last failure too where it was a moment ago, since then nobody knows of the key.
    pub async fn key_unknown(&self, kid: &KeyId) -> Result<KeysNews, JwksError> {
        let (this, kid) = (self.clone(), kid.clone());
        self.finish(async move { this.ask_for(&kid).await }).await
    }

    async fn ask_for(&self, kid: &KeyId) -> Result<KeysNews, JwksError> {
        let mut state = self.state.lock().await;
        let now = self.connector.clock().now();
        let known = |keys: &KeySet| keys.key_ids().any(|known| known == kid);
        if state.keys.as_ref().is_some_and(known) {
            return Ok(KeysNews::NotAsked);
        }
        let too_soon = self.asked_a_moment_ago(&state, now);
        // Not asked is no answer: after a failure nobody knows whether the server has the key.
        if let Some((error, until)) = &state.failed
            && (too_soon || now < *until)
        {
            return Err(error.clone());
        }
        if too_soon {
            return Ok(KeysNews::NotAsked);
        }
        tracing::debug!(%kid, "a token names a key that is not there");
        self.ask(&mut state).await
    }

    /// The same for who cannot wait: [`keep_fresh`](Self::keep_fresh) will ask. To be called with what
    /// [`TokenError::unknown_key`] gives.
    pub fn note_unknown_key(&self) {
        self.wanted.notify_one();
    }

    /// Judges a token now, by the connector's clock; if its key is unknown, once more after asking for a newer set.
    ///
    /// # Errors
    ///
    /// As [`Verifier::verify`]. Why a newer set could not be had is in the log, and in [`refresh`](Self::refresh).
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
        let Some(kid) = refused.unknown_key() else {
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
            let due = {
                let state = self.state.lock().await;
                let ask = match (&state.failed, state.fresh_until) {
                    (Some((_, until)), Some(fresh)) => (*until).max(fresh),
                    (Some((_, until)), None) => *until,
                    (None, fresh) => fresh.unwrap_or_else(|| self.connector.clock().now()),
                };
                Some(self.stale_at(&state).map_or(ask, |stale| stale.min(ask)))
            };
            let unknown = tokio::select! {
                () = self.connector.clock().sleep_until_or_forever(due) => false,
                () = self.wanted.notified() => true,
            };
            // What came of it is in the log, and in the state for the next one who asks.
            if unknown {
                let mut state = self.state.lock().await;
                let now = self.connector.clock().now();
                let waits = state.failed.as_ref().is_some_and(|(_, until)| now < *until);
                if !waits && !self.asked_a_moment_ago(&state, now) {
                    let _ = self.ask(&mut state).await;
                }
            } else {
                let _ = self.refresh().await;
            }
        }
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
        match self.fetch(state).await {
            Ok((news, freshness)) => {
                tracing::debug!(url = %printable(&self.url), ?news, lifetime = ?freshness.lifetime, "keys");
                state.fresh_until = Some(later(clock.now(), freshness.lifetime));
                state.failures = 0;
                state.failed = None;
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

    /// Whether an unknown key must wait because the server was asked just now.
    fn asked_a_moment_ago(&self, state: &State, now: Instant) -> bool {
        state
            .asked_at
            .is_some_and(|asked| now.saturating_duration_since(asked) < self.unknown_key_interval)
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
        }
    }

    async fn fetch(
        &self,
        state: &mut State,
    ) -> Result<(KeysNews, Freshness), (JwksError, Option<Duration>)> {
        let mut uri = self.url.clone();
        let mut left = self.max_redirects;
        let answer = loop {
            let failed = |failure| {
                (
                    JwksError {
                        url: printable(&uri),
                        failure,
                    },
                    None,
                )
            };
            let answer = self
                .once(&uri, state.etag.as_ref())
                .await
                .map_err(|error| (error, None))?;
            if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                break answer;
            }
            let next = redirect(&uri, &answer)
                .map_err(|failure| failed(JwksFailure::Redirect(Arc::new(failure))))?;
            left = left.checked_sub(1).ok_or_else(|| {
                let failure = FetchFailure::TooManyRedirects(self.max_redirects);
                failed(JwksFailure::Redirect(Arc::new(failure)))
            })?;
            uri = next;
        };
        let failed = |failure, wait| {
            (
                JwksError {
                    url: printable(&uri),
                    failure,
                },
                wait,
            )
        };
        let freshness = Freshness::of(&answer.headers, self.bounds);
        match answer.status {
            StatusCode::OK => {}
            // Only to a request that had an ETag, which came with a good set.
            StatusCode::NOT_MODIFIED if state.etag.is_some() => {
                return Ok((KeysNews::Unchanged, freshness));
            }
            status => {
                let wait = retry_after(&answer.headers);
                return Err(failed(JwksFailure::Status(status.as_u16()), wait));
            }
        }
        let keys = std::str::from_utf8(&answer.body)
            .map_err(|_| KeyError::Jwk("not UTF-8"))
            .and_then(|json| self.verifier.key_set_builder().jwk_set(json))
            .map_err(|error| failed(JwksFailure::Keys(error), None))?
            .build();
        for skipped in keys.skipped() {
            tracing::debug!(reason = %skipped, "a key of the set was left out");
        }
        state.keys = Some(keys.clone());
        // By its keys, not by its text: an answer that may not be stored is no reason to check every signature again.
        let news = if self.verifier.replace_keys_of(&self.issuer, keys) {
            KeysNews::Replaced
        } else {
            KeysNews::Unchanged
        };
        state.etag = answer
            .headers
            .get(ETAG)
            .filter(|_| freshness.may_store)
            .cloned();
        Ok((news, freshness))
    }

    async fn once(&self, uri: &Uri, etag: Option<&HeaderValue>) -> Result<Answer, JwksError> {
        let json = HeaderValue::from_static("application/jwk-set+json, application/json");
        let mut headers = vec![(ACCEPT, json)];
        headers.extend(etag.map(|etag| (IF_NONE_MATCH, etag.clone())));
        Exchange {
            method: Method::GET,
            uri,
            headers,
            body: Bytes::new(),
            subject: "keys",
            max_body_bytes: self.max_bytes,
            timeout: self.timeout,
        }
        .run(&self.connector)
        .await
        .map_err(|error| JwksError {
            url: error.url,
            failure: JwksFailure::Http(Arc::new(error.failure)),
        })
    }
}

/// The keys could not be had: what, where, what to do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JwksError {
    /// The URL without user information and query.
    pub url: String,
    /// What failed.
    pub failure: JwksFailure,
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys from {}: {}", self.url, self.failure)
    }
}

impl std::error::Error for JwksError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.failure)
    }
}

/// Why the keys could not be had.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum JwksFailure {
    /// Keys are fetched over TLS only.
    #[error("expected an https URL")]
    NotHttps,
    /// Keys belong to an issuer (RFC 8725 section 3.8).
    #[error(
        "whose keys are these? expected one issuer in the policy, or one of those in it by `JwksClient::of_issuer`"
    )]
    Issuer,
    /// The runtime ended while it was asked.
    #[error("asking was given up")]
    GivenUp,
    /// There was no whole answer.
    #[error("{0}")]
    Http(Arc<HttpFailure>),
    /// Another status than 200.
    #[error("status {0} instead of 200; check the URL against the server's `jwks_uri`")]
    Status(u16),
    /// A redirect that is not followed.
    #[error("{0}")]
    Redirect(Arc<FetchFailure>),
    /// What came is no set with a usable key.
    #[error("{0}")]
    Keys(KeyError),
}
