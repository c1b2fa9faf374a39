//! What a registrar's verifier cannot know by itself, asked for before a request is refused.

use sip_oauth_message::{
    Credentials, Limits, MessageView,
    header::{Authorization, ProxyAuthorization},
};
use sip_oauth_registration::registrar::{Observation, TokenFinding, TokenVerdict};
use sip_oauth_token::{AccessToken, VerifiedToken};

use tracing::Instrument as _;

use crate::{
    oauth::{IntrospectionClient, IntrospectionError, JwksClient, JwksFailure},
    resolver::BoxFuture,
    server::transaction_span,
};

/// How many tokens of one request are asked about, as many as a registrar judges.
const MAX_TOKENS: usize = 4;

/// Finds out what a verifier lacks to judge a token: a key it does not have yet, what the authorization server says of an
/// opaque token.
///
/// [`JwksClient`] and [`IntrospectionClient`] do; their verifier must be the registrar's. Give one to
/// [`RegistrarServerBuilder::enquiry`](crate::RegistrarServerBuilder::enquiry).
pub trait Enquiry: Send + Sync {
    /// Asks, and gives what the verifier found `token` to be; the request is decided by that. The connection it came over
    /// waits meanwhile.
    ///
    /// # Errors
    ///
    /// Why it is refused, or why nobody could say; the client is then answered 503 and keeps its token.
    fn enquire<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<VerifiedToken, TokenFinding>>;
}

/// A token whose key is not there while the set cannot be had is one nobody could judge: the server may have that key by now.
impl Enquiry for JwksClient {
    fn enquire<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<VerifiedToken, TokenFinding>> {
        Box::pin(async {
            match self.judge(token).await {
                Ok(judged) => Ok(judged),
                Err((_, Some(unavailable))) => {
                    let finding = TokenFinding::unavailable(unavailable.to_string());
                    Err(match unavailable.failure {
                        JwksFailure::TooSoon { left } => finding.retry_after(left),
                        _ => finding,
                    })
                }
                Err((refused, None)) => Err(TokenFinding::Refused(refused)),
            }
        })
    }
}

/// With a [cache](sip_oauth_token::Verifier::with_cache) the verifier spares the next request with the same token the
/// question.
impl Enquiry for IntrospectionClient {
    fn enquire<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<VerifiedToken, TokenFinding>> {
        Box::pin(async {
            match self.verify(token).await {
                Ok(judged) => Ok(judged),
                Err(IntrospectionError::Refused(error)) => Err(TokenFinding::Refused(error)),
                Err(IntrospectionError::Unavailable(why)) => Err(TokenFinding::unavailable(why)),
            }
        })
    }
}

/// Whether a request was refused for something that could be found out.
pub(super) fn lacks_knowledge(observation: &Observation) -> bool {
    match &observation.token {
        TokenVerdict::Rejected(error) => {
            error.unknown_verifying_key().is_some() || error.needs_introspection()
        }
        _ => false,
    }
}

/// Asks about the tokens of a message until one of them is accepted, and gives that one and its verdict. When none is, it matters most that one may yet be good,
/// then what the first was found to be.
pub(super) async fn ask(
    enquiry: &dyn Enquiry,
    message: &[u8],
    limits: &Limits,
) -> Result<(AccessToken, VerifiedToken), Option<TokenFinding>> {
    let Ok(view) = MessageView::parse(message, limits) else {
        return Err(None);
    };
    let asking = ask_in_turn(enquiry, tokens(&view));
    asking.instrument(transaction_span(&view)).await
}

async fn ask_in_turn(
    enquiry: &dyn Enquiry,
    tokens: Vec<AccessToken>,
) -> Result<(AccessToken, VerifiedToken), Option<TokenFinding>> {
    let mut found = None;
    for token in tokens {
        match enquiry.enquire(token.expose()).await {
            Ok(judged) => return Ok((token, judged)),
            Err(finding) => {
                if found.is_none() || matches!(finding, TokenFinding::Unavailable { .. }) {
                    found = Some(finding);
                }
            }
        }
    }
    Err(found)
}

fn tokens(view: &MessageView<'_>) -> Vec<AccessToken> {
    let proxy = view
        .all::<ProxyAuthorization<'_>>()
        .filter_map(|field| Some(field.ok()?.credentials()));
    let own = view
        .all::<Authorization<'_>>()
        .filter_map(|field| Some(field.ok()?.credentials()));
    proxy
        .chain(own)
        .filter_map(|credentials| match credentials {
            Credentials::Bearer(bearer) => AccessToken::parse(bearer.expose()).ok(),
            _ => None,
        })
        .take(MAX_TOKENS)
        .collect()
}
