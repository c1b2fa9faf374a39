//! What an edge is told once.

use std::sync::Arc;
use std::time::Duration;

use sip_oauth_message::Limits;
use sip_oauth_token::Verifier;

/// What the edge does about a token that does not hold.
///
/// Expressway-C verifies tokens itself; what it answers is not published. The default passes the request
/// on: the registrar sent the challenge, so the registrar judges the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RefusedToken {
    /// The request goes on, without the name of a user.
    #[default]
    PassOn,
    /// 407 with the realm given; 403 where a scope is missing, 503 where nobody could judge the token
    /// ([`TokenError::answer`](sip_oauth_token::TokenError::answer)).
    Challenge,
    /// 403; 503 where nobody could judge the token.
    Forbid,
}

/// What the edge does about a request without a token.
///
/// The first REGISTER of a Unified CM client never has one, and the challenge is the registrar's to make:
/// the default passes it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MissingToken {
    /// The request goes on.
    #[default]
    PassOn,
    /// 407 with the realm given.
    Challenge,
}

/// Which tokens are let through.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenGate {
    /// How tokens are judged; `None` lets every request through unjudged.
    pub verifier: Option<Arc<Verifier>>,
    /// What is done about a token that does not hold.
    pub refused: RefusedToken,
    /// What is done about a request without one.
    pub missing: MissingToken,
    /// The realm of the edge's own challenge.
    pub realm: String,
}

impl TokenGate {
    /// Lets every request through unjudged.
    pub fn open() -> Self {
        Self {
            verifier: None,
            refused: RefusedToken::default(),
            missing: MissingToken::default(),
            realm: "ccmsipline".to_owned(),
        }
    }

    /// Judges tokens, and tells the registrar whose they are.
    pub fn judging(verifier: Arc<Verifier>) -> Self {
        Self {
            verifier: Some(verifier),
            ..Self::open()
        }
    }
}

/// Everything an [`Edge`](super::Edge) is told once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EdgeConfig {
    /// Its own host towards Unified CM: in Via and in the rewritten Contact.
    pub host: String,
    /// The port in the rewritten Contact, where Unified CM would send requests: 5061.
    pub port: u16,
    /// Hosts that mean this edge in a Route, its own host included.
    pub own_hosts: Vec<String>,
    /// The zone clients come in by, as `ingress-zone` of their Via tells: `CollaborationEdgeZone`.
    pub ingress_zone: String,
    /// `Authorize by OAuth token with refresh`: on. Off, no CEOAuth zone is made.
    pub authorize_by_oauth_token: bool,
    /// `SIP Path headers`: off, the Contact is rewritten; on, it is left alone and a Path is added. A
    /// name of a user that the client itself put there is taken out in both cases.
    pub sip_path_headers: bool,
    /// Which tokens are let through.
    pub tokens: TokenGate,
    /// The `Retry-After` of a 503 where a zone is not active or has no room, in whole seconds: 30 s. What
    /// Expressway-C sends there is not published; this is our default.
    pub retry_after: Duration,
    /// What a node takes. A request that would exceed it once rewritten is answered 513 instead: a node
    /// closes the connection it comes over, which is every client's. [`Limits::default`]; the product's own
    /// limits are not published.
    pub node_limits: Limits,
}

impl EdgeConfig {
    /// An edge with the product's defaults.
    pub fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.to_owned(),
            port,
            own_hosts: vec![host.to_owned()],
            ingress_zone: "CollaborationEdgeZone".to_owned(),
            authorize_by_oauth_token: true,
            sip_path_headers: false,
            tokens: TokenGate::open(),
            retry_after: Duration::from_secs(30),
            node_limits: Limits::default(),
        }
    }

    /// The same edge, also known as `host` in a Route.
    #[must_use]
    pub fn with_own_host(mut self, host: &str) -> Self {
        self.own_hosts.push(host.to_owned());
        self
    }

    /// The same edge with another rule for tokens.
    #[must_use]
    pub fn with_tokens(mut self, tokens: TokenGate) -> Self {
        self.tokens = tokens;
        self
    }
}
