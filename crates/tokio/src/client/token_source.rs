//! Where a client's access tokens come from.

use std::{fmt, sync::Arc, time::Duration};

use sip_oauth_registration::client::{TokenChallenge, TokenReason};
use sip_oauth_token::AccessToken;

use crate::resolver::BoxFuture;

/// What a registrar asked for, and whether the last token was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    /// Why a token is wanted now.
    pub reason: TokenReason,
    /// What the registrar asked for; `None` before any challenge.
    pub challenge: Option<TokenChallenge>,
    /// The token the client was given last; when `reason` is [`TokenReason::Rejected`], the refused one.
    pub held: Option<AccessToken>,
}

impl TokenRequest {
    /// A request for `reason`, answering `challenge`.
    pub fn new(reason: TokenReason, challenge: Option<TokenChallenge>) -> Self {
        Self {
            reason,
            challenge,
            held: None,
        }
    }

    /// The same request of a client that was given `token` last.
    #[must_use]
    pub fn held(mut self, token: AccessToken) -> Self {
        self.held = Some(token);
        self
    }

    /// Whether a registrar refused the last token: giving the same again will not do.
    pub fn is_rejected(&self) -> bool {
        self.reason == TokenReason::Rejected
    }
}

/// An access token and how long it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObtainedToken {
    /// The token.
    pub token: AccessToken,
    /// Its remaining life as the authorization server told (`expires_in`); `None` when it did not.
    pub expires_in: Option<Duration>,
}

impl ObtainedToken {
    /// A token of unknown life.
    pub fn new(token: AccessToken) -> Self {
        Self {
            token,
            expires_in: None,
        }
    }

    /// The same token with its remaining life.
    #[must_use]
    pub fn expires_in(mut self, expires_in: Duration) -> Self {
        self.expires_in = Some(expires_in);
        self
    }
}

/// Gives a client its access tokens.
///
/// [`FixedToken`] has one; [`TokenFile`](crate::TokenFile) reads a file; [`token_fn`] asks a closure;
/// [`RefreshGrant`](crate::RefreshGrant) asks an authorization server. [`RenewingToken`](crate::RenewingToken) keeps what
/// one of them gave, for many clients, and renews it in time.
pub trait TokenSource: Send + Sync {
    /// A token for `request`.
    ///
    /// # Errors
    ///
    /// [`TokenUnavailable`] when there is none; the client then reports it and stops, unless the source says
    /// [when it may have one](TokenUnavailable::retry_after): then it waits and asks again.
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<ObtainedToken, TokenUnavailable>>;
}

/// There is no token to give, in one sentence without any secret.
#[derive(Debug, Clone)]
pub struct TokenUnavailable {
    sentence: String,
    retry_after: Option<Duration>,
    for_good: bool,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl fmt::Display for TokenUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for TokenUnavailable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl TokenUnavailable {
    /// A reason in a sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            retry_after: None,
            for_good: false,
            source: None,
        }
    }

    /// Asking again within `wait` is of no use; after that it may be.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Asking again is of no use until a person has done something: signed in again, corrected a setting.
    #[must_use]
    pub fn for_good(mut self) -> Self {
        self.for_good = true;
        self
    }

    /// How long to wait at least before asking again, if the source said so.
    pub fn retry_at_least(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether asking again is of no use until a person has done something.
    pub fn is_final(&self) -> bool {
        self.for_good
    }

    /// The same with what lies under it.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }
}

/// One token, given until it is refused.
#[derive(Debug, Clone)]
pub struct FixedToken(ObtainedToken);

impl FixedToken {
    /// Gives `token` whenever one is wanted, except after a refusal.
    pub fn new(token: impl Into<ObtainedToken>) -> Self {
        Self(token.into())
    }
}

impl From<AccessToken> for ObtainedToken {
    fn from(token: AccessToken) -> Self {
        Self::new(token)
    }
}

impl TokenSource for FixedToken {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<ObtainedToken, TokenUnavailable>> {
        Box::pin(async move {
            match request.reason {
                TokenReason::Challenged => Ok(self.0.clone()),
                TokenReason::Rejected => Err(TokenUnavailable::new(
                    "the registrar refused the token, and there is no other; get a new one",
                )),
                TokenReason::Renewal => Err(TokenUnavailable::new(
                    "the token nears its end, and there is no other; get a new one",
                )),
                _ => Err(TokenUnavailable::new("there is no other token")),
            }
        })
    }
}

/// A source that asks `ask`, an async closure or function, for every token.
///
/// # Examples
///
/// ```
/// use sip_oauth_token::AccessToken;
/// use sip_oauth_tokio::{ObtainedToken, TokenRequest, TokenUnavailable, token_fn};
///
/// let source = token_fn(|request: TokenRequest| async move {
///     if request.is_rejected() {
///         return Err(TokenUnavailable::new("sign in again"));
///     }
///     let token = AccessToken::parse("bXktc2VjcmV0").map_err(|e| TokenUnavailable::new(e.to_string()))?;
///     Ok(ObtainedToken::new(token))
/// });
/// # let _ = source;
/// ```
pub fn token_fn<F, Fut>(ask: F) -> TokenFn<F>
where
    F: Fn(TokenRequest) -> Fut + Send + Sync,
    Fut: Future<Output = Result<ObtainedToken, TokenUnavailable>> + Send + 'static,
{
    TokenFn(ask)
}

/// What [`token_fn`] makes of a closure.
pub struct TokenFn<F>(F);

impl<F> fmt::Debug for TokenFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenFn(..)")
    }
}

impl<F, Fut> TokenSource for TokenFn<F>
where
    F: Fn(TokenRequest) -> Fut + Send + Sync,
    Fut: Future<Output = Result<ObtainedToken, TokenUnavailable>> + Send + 'static,
{
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<ObtainedToken, TokenUnavailable>> {
        Box::pin((self.0)(request.clone()))
    }
}
