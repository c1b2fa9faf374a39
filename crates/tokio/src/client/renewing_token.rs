//! One token for many, renewed in time.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sip_oauth_registration::{Entropy, client::TokenReason};
use sip_oauth_token::AccessToken;
use tokio::sync::{Notify, watch};

use super::token_source::{ObtainedToken, TokenRequest, TokenSource, TokenUnavailable};
use crate::{clock::Clock, oauth::Backoff, resolver::BoxFuture};

/// Keeps the token of another source, and asks that source for the next one at 75 % of the lifetime it was told.
///
/// - One renewal at a time, however many clients ask. Meanwhile a token that is still good is given at once; who has none, or
///   asks for the next of the one it has, waits for what the renewal brings. A client that goes away does not cut it short: a
///   refresh token that rotates would be lost with the answer. A source that does not answer within 60 s has failed.
/// - While a renewal fails, the token in hand is given as long as it is good. The source is left alone for 5 s, then twice
///   as long after each failure, up to 5 minutes, and longer where it says so itself; and each time up to 20 % more at random.
/// - A token that is good for less than a second is none: it would be over before it is used, and the source would be asked
///   for each request. That counts as a failure.
/// - A source that failed [for good](TokenUnavailable::for_good) is not asked again.
/// - A token that a registrar refused is not given again; a client that reports a refused token which was replaced
///   meanwhile gets the new one without another renewal.
///
/// A token of unknown lifetime is kept until it is refused.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::{sync::Arc, time::Duration};
/// use sip_oauth_registration::client::TokenReason;
/// use sip_oauth_token::AccessToken;
/// use sip_oauth_tokio::{Clock, ObtainedToken, RenewingToken, TokenRequest, TokenSource as _, token_fn};
///
/// let hour_long = token_fn(|_| async {
///     let token = AccessToken::parse("bXktc2VjcmV0").unwrap();
///     Ok(ObtainedToken::new(token).expires_in(Duration::from_secs(3600)))
/// });
/// let clock = Clock::adjustable();
/// let tokens = RenewingToken::new(hour_long, clock.clone());
///
/// let request = TokenRequest::new(TokenReason::Challenged, None);
/// assert!(tokens.token(&request).await?.expires_in > Some(Duration::from_secs(3590)));
/// clock.advance(Duration::from_secs(2000));
/// assert!(tokens.token(&request).await?.expires_in <= Some(Duration::from_secs(1600)));
/// clock.advance(Duration::from_secs(700));
/// // It is time for the next. The old one is good meanwhile; who has it may wait for what comes.
/// let old = tokens.token(&request).await?.token;
/// let next = TokenRequest::new(TokenReason::Renewal, None).held(old);
/// assert!(tokens.token(&next).await?.expires_in > Some(Duration::from_secs(3590)), "renewed");
/// # Ok(()) }
/// ```
pub struct RenewingToken<S> {
    source: Arc<S>,
    clock: Clock,
    percent: u8,
    backoff: Backoff,
    timeout: Duration,
    state: Arc<Mutex<State>>,
    /// Told when `state` changed.
    changed: Arc<Notify>,
}

impl<S> Clone for RenewingToken<S> {
    /// Another handle to the same token.
    fn clone(&self) -> Self {
        Self {
            source: Arc::clone(&self.source),
            clock: self.clock.clone(),
            percent: self.percent,
            backoff: self.backoff.clone(),
            timeout: self.timeout,
            state: Arc::clone(&self.state),
            changed: Arc::clone(&self.changed),
        }
    }
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// The last token a registrar refused.
    refused: Option<AccessToken>,
    failures: u32,
    failed: Option<Failed>,
    /// The one under way.
    renewal: Option<Renewal>,
}

/// The shortest life of a token that is taken, and the shortest time between two renewals that nobody asked for.
const SHORTEST: Duration = Duration::from_secs(1);

struct Held {
    token: AccessToken,
    /// `None`: nobody said.
    ends_at: Option<Instant>,
    renew_at: Option<Instant>,
}

/// Why the source is left alone.
struct Failed {
    sentence: String,
    /// `None`: for good.
    until: Option<Instant>,
}

impl<S: TokenSource + 'static> RenewingToken<S> {
    /// Keeps the token of `source` by `clock`.
    pub fn new(source: S, clock: Clock) -> Self {
        Self {
            source: Arc::new(source),
            clock,
            percent: 75,
            backoff: Backoff::default(),
            timeout: Duration::from_secs(60),
            state: Arc::default(),
            changed: Arc::default(),
        }
    }

    /// Renews at this part of the lifetime, 1 to 99; 75 by default, as the product's clients do. To be said before
    /// [`starting_with`](Self::starting_with).
    #[must_use]
    pub fn renew_at_percent(mut self, percent: u8) -> Self {
        self.percent = percent.clamp(1, 99);
        self
    }

    /// Sets how long the source may take, in real time; 60 s. What it is doing is then dropped, and counts as a failure.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long the source is left alone after its first failure, and at most.
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

    /// Begins with this token, as a sign-in brought it, instead of asking for the first one.
    #[must_use]
    pub fn starting_with(mut self, token: ObtainedToken) -> Self {
        let ObtainedToken { token, expires_in } = token;
        let held = Held::new(token, expires_in, self.percent, self.clock.now());
        self.state = Arc::new(Mutex::new(State {
            held: Some(held),
            ..State::default()
        }));
        self
    }

    /// Renews by itself when it is time, so that no client waits for it; to be spawned. Ends when the source failed for
    /// good.
    ///
    /// It starts with the first token: until a client has asked for one, none is fetched.
    pub async fn keep_fresh(&self) {
        loop {
            let changed = self.changed.notified();
            let due = {
                let state = self.lock();
                let renew_at = state.held.as_ref().and_then(|held| held.renew_at);
                match &state.failed {
                    Some(Failed { until: None, .. }) => return,
                    Some(Failed { until, .. }) => {
                        renew_at.max(*until).filter(|_| renew_at.is_some())
                    }
                    None => renew_at,
                }
            };
            tokio::select! {
                () = self.clock.sleep_until_or_forever(due) => {
                    let step = self.next(&TokenRequest::new(TokenReason::Renewal, None));
                    if let Step::Renewing(renewal, _) = step {
                        // What came of it is in the state, and in the log.
                        let _ = outcome_of(renewal).await;
                    }
                }
                () = changed => {}
            }
        }
    }

    async fn obtain(&self, request: &TokenRequest) -> Result<ObtainedToken, TokenUnavailable> {
        let renewal = match self.next(request) {
            Step::Answer(answer) => return answer,
            Step::Renewing(_, Some(meanwhile)) => return Ok(meanwhile),
            Step::Renewing(renewal, None) => renewal,
        };
        let outcome = outcome_of(renewal).await;
        // The old one may still be good, the new one may be older than its answer.
        match self.lock().good(self.clock.now()) {
            Some(good) => Ok(good),
            None => outcome,
        }
    }

    /// What a request comes to. Begins a renewal where one is due and none is under way.
    fn next(&self, request: &TokenRequest) -> Step {
        let mut state = self.lock();
        let now = self.clock.now();
        state.note_refusal(request);
        let good = state.good(now);
        if let (Some(good), Some(held)) = (&good, &state.held)
            && !held.is_due(request, now)
        {
            return Step::Answer(Ok(good.clone()));
        }
        if let Some(failed) = &state.failed
            && failed.until.is_none_or(|until| now < until)
        {
            return Step::Answer(good.ok_or_else(|| failed.again(now)));
        }
        let asks_for_the_next = state.held.as_ref().is_some_and(|held| held.is_had(request));
        let meanwhile = good.filter(|_| !asks_for_the_next);
        // One that ended with its runtime is none.
        let under_way = state.renewal.as_ref();
        let renewal = match under_way.filter(|renewal| renewal.has_changed().is_ok()) {
            Some(renewal) => renewal.clone(),
            None => self.begin(&mut state, request),
        };
        Step::Renewing(renewal, meanwhile)
    }

    fn begin(&self, state: &mut State, request: &TokenRequest) -> Renewal {
        let (tell, renewal) = watch::channel(None);
        state.renewal = Some(renewal.clone());
        let (this, request) = (self.clone(), request.clone());
        // On a task of its own: it goes on when the one who asked goes away.
        tokio::spawn(async move {
            let answer = this.ask(request).await;
            let outcome = this.take_over(answer);
            tell.send_replace(Some(outcome));
            this.changed.notify_waiters();
        });
        renewal
    }

    async fn ask(&self, request: TokenRequest) -> Result<ObtainedToken, TokenUnavailable> {
        let source = Arc::clone(&self.source);
        // And another one: a source that panics is one that failed.
        let mut asking = tokio::spawn(async move { source.token(&request).await });
        match tokio::time::timeout(self.timeout, &mut asking).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(ended_without_an_answer()),
            Err(_) => {
                asking.abort();
                Err(TokenUnavailable::new(format!(
                    "the token source gave no answer within {:?}",
                    self.timeout
                )))
            }
        }
    }

    /// Takes over what the source gave, or that it failed.
    fn take_over(
        &self,
        answer: Result<ObtainedToken, TokenUnavailable>,
    ) -> Result<ObtainedToken, TokenUnavailable> {
        let mut state = self.lock();
        state.renewal = None;
        let now = self.clock.now();
        let answer = match answer {
            Ok(obtained) if state.refused.as_ref() == Some(&obtained.token) => {
                Err(TokenUnavailable::new(
                    "the source gave the token that the registrar refused; get a new one",
                ))
            }
            Ok(ObtainedToken {
                expires_in: Some(life),
                ..
            }) if life < SHORTEST => Err(TokenUnavailable::new(format!(
                "the source gave a token that is good for {life:?}, less than a second; check the lifetime its server gives tokens"
            ))),
            other => other,
        };
        match answer {
            Ok(ObtainedToken { token, expires_in }) => {
                tracing::debug!(?expires_in, "token renewed");
                let held = Held::new(token, expires_in, self.percent, now);
                let obtained = held.obtained(now);
                *state = State {
                    held: Some(held),
                    refused: state.refused.take(),
                    ..State::default()
                };
                Ok(obtained)
            }
            Err(error) => {
                state.failures = state.failures.saturating_add(1);
                let wait = self.backoff.after(state.failures, error.retry_at_least());
                let until = (!error.is_final()).then(|| now.checked_add(wait)).flatten();
                tracing::warn!(
                    reason = %error, failures = state.failures, keeps_old = state.good(now).is_some(),
                    "token not renewed"
                );
                state.failed = Some(Failed {
                    sentence: error.to_string(),
                    until,
                });
                // Who gets nothing learns when it is worth asking again.
                Err(if error.is_final() {
                    error
                } else {
                    error.retry_after(wait)
                })
            }
        }
    }

    /// A poisoned lock still holds a whole state: nothing that could panic runs under it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request comes to.
enum Step {
    Answer(Result<ObtainedToken, TokenUnavailable>),
    /// A renewal, and the token that does meanwhile; none where there is no good one, or the request is for the next.
    Renewing(Renewal, Option<ObtainedToken>),
}

/// What a renewal came to, once it has ended.
type Renewal = watch::Receiver<Option<Result<ObtainedToken, TokenUnavailable>>>;

async fn outcome_of(mut renewal: Renewal) -> Result<ObtainedToken, TokenUnavailable> {
    let ended = renewal.wait_for(Option::is_some).await;
    ended
        .ok()
        .and_then(|outcome| outcome.clone())
        // The runtime ends.
        .unwrap_or_else(|| Err(ended_without_an_answer()))
}

fn ended_without_an_answer() -> TokenUnavailable {
    TokenUnavailable::new("the token source ended without an answer")
}

impl State {
    /// Drops the token that a registrar refused.
    fn note_refusal(&mut self, request: &TokenRequest) {
        if !request.is_rejected() {
            return;
        }
        let refused = |held: &mut Held| {
            request
                .held
                .as_ref()
                .is_none_or(|token| *token == held.token)
        };
        if let Some(held) = self.held.take_if(refused) {
            self.refused = Some(held.token);
        }
    }

    fn good(&self, now: Instant) -> Option<ObtainedToken> {
        let held = self.held.as_ref()?;
        held.is_good(now).then(|| held.obtained(now))
    }
}

impl Held {
    fn new(token: AccessToken, life: Option<Duration>, percent: u8, now: Instant) -> Self {
        let part = |life: Duration| {
            life.checked_mul(u32::from(percent))
                .map_or(life, |product| product / 100)
        };
        Self {
            token,
            // A life too long for the clock is one without end.
            ends_at: life.and_then(|life| now.checked_add(life)),
            // Not at once, however short the life: `keep_fresh` would never rest.
            renew_at: life.and_then(|life| now.checked_add(part(life).max(SHORTEST))),
        }
    }

    fn is_good(&self, now: Instant) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }

    /// Whether another token than this is wanted: it is time, or the client who has this one asks for the next.
    fn is_due(&self, request: &TokenRequest, now: Instant) -> bool {
        self.renew_at.is_some_and(|due| due <= now) || self.is_had(request)
    }

    /// Whether the client who has this one asks for the next.
    fn is_had(&self, request: &TokenRequest) -> bool {
        request.reason == TokenReason::Renewal && request.held.as_ref() == Some(&self.token)
    }

    fn obtained(&self, now: Instant) -> ObtainedToken {
        ObtainedToken {
            token: self.token.clone(),
            expires_in: self.ends_at.map(|end| end.saturating_duration_since(now)),
        }
    }
}

impl Failed {
    fn again(&self, now: Instant) -> TokenUnavailable {
        let sentence = &self.sentence;
        match self.until {
            Some(until) => {
                let left = until.saturating_duration_since(now);
                let shown = left.as_secs().saturating_add(1);
                TokenUnavailable::new(format!("{sentence}; not asked again for {shown} s"))
                    .retry_after(left)
            }
            None => TokenUnavailable::new(sentence).for_good(),
        }
    }
}

impl<S: TokenSource + 'static> TokenSource for RenewingToken<S> {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<ObtainedToken, TokenUnavailable>> {
        Box::pin(self.obtain(request))
    }
}

impl<S: fmt::Debug> fmt::Debug for RenewingToken<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenewingToken")
            .field("source", &self.source)
            .field("renew_at_percent", &self.percent)
            .finish_non_exhaustive()
    }
}
