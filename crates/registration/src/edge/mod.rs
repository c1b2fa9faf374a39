//! The edge: Expressway-C between a client outside and the nodes of Unified CM.

mod config;
mod rewrite;
mod size;
mod zone;

use std::net::SocketAddr;
use std::time::SystemTime;

use sip_oauth_message::header::{Contact, Route, Via};
use sip_oauth_message::{
    BearerChallenge, HeaderName, MessageView, Method, Request, Response, StatusCode, TypedHeader,
    Uri, check,
};
use sip_oauth_token::{BearerError, ChallengeDialect, Role, TokenError};

pub use config::{EdgeConfig, MissingToken, RefusedToken, TokenGate};
pub use zone::{DiscoveredNode, SEARCH_RULE_PRIORITY, SearchRule, Zone, ZoneChange, ZoneState};

use crate::bearer::{Field, Hope, bearers};
use crate::entropy::Entropy;
use crate::reply;
use crate::salvage::{Salvaged, salvage};

/// How a request reached the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EdgeArrival {
    /// The connection it came over, by a number that is never used for another one.
    pub connection: u64,
    /// The address of the client.
    pub peer: SocketAddr,
}

impl EdgeArrival {
    /// A request from `peer` over the connection of this number.
    pub const fn new(connection: u64, peer: SocketAddr) -> Self {
        Self { connection, peer }
    }
}

/// What the edge does with a request.
#[derive(Debug)]
pub enum Forwarding {
    /// It goes into a zone.
    ToZone {
        /// The name of the zone.
        zone: String,
        /// The request as it goes on.
        request: Request,
        /// The user of its token, where the edge judged one.
        user: Option<String>,
    },
    /// The edge answers itself.
    Answer {
        /// The answer, back over the connection of the request.
        response: Response,
        /// Why.
        why: EdgeRefusal,
    },
    /// Nothing is sent: an ACK that leads nowhere, or no request at all.
    Drop,
}

/// Why the edge answers itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EdgeRefusal {
    /// The request breaks a rule every proxy holds to (RFC 3261 section 16.3).
    #[error("{0}")]
    Invalid(String),
    /// No search rule matches the host of the Request-URI.
    #[error("no search rule matches host {host:?}; run Refresh servers")]
    NoZone {
        /// The host.
        host: String,
    },
    /// The zone it matches is not active.
    #[error("zone {zone:?} is {state}")]
    ZoneInactive {
        /// The zone.
        zone: String,
        /// Its state.
        state: ZoneState,
    },
    /// More requests are under way than there is room for.
    #[error("no room for another request into zone {zone:?}")]
    Overloaded {
        /// The zone it would have gone into.
        zone: String,
    },
    /// The request grew beyond what a node takes when it was rewritten.
    #[error("rewritten for the node the request exceeds {0}")]
    TooLarge(&'static str),
    /// The edge as a whole has no room or no time for requests.
    #[error("the edge is overloaded")]
    Busy,
    /// The request has no token and the edge wants one.
    #[error("the request has no token")]
    NoToken,
    /// The edge refuses the token.
    #[error("{0}")]
    Token(TokenError),
    /// The credentials cannot be read.
    #[error("unreadable credentials: {0}")]
    Credentials(String),
}

/// An answer on its way back.
#[derive(Debug)]
#[non_exhaustive]
pub struct Returned {
    /// The connection of the client, as [`EdgeArrival::connection`] named it. It may be closed by now.
    pub connection: u64,
    /// The answer as it goes on.
    pub response: Response,
}

/// Why an answer is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NotReturned {
    /// It is a request.
    #[error("not a response")]
    NotAResponse,
    /// Its topmost Via is not the edge's own, or there is none of a client below.
    #[error("no answer to a request this edge passed on")]
    NotOurs,
}

/// The edge.
///
/// It keeps no transaction: the branch of the Via it adds names the connection of the client, so an
/// answer finds its way by what it carries. What is kept are zones and search rules, made from the nodes
/// found when the servers were last refreshed; a change on Unified CM is not seen before the next refresh.
///
/// ```
/// use sip_oauth_registration::edge::{DiscoveredNode, Edge, EdgeConfig, ZoneChange, ZoneState};
///
/// let mut edge = Edge::new(EdgeConfig::new("expc.example.com", 5061));
/// let changes = edge.refresh_servers(&[DiscoveredNode::new("ucm1.example.com", 5091)]);
/// assert!(matches!(changes.as_slice(), [ZoneChange::Added(zone)] if zone.name == "CEOAuth ucm1.example.com"));
/// assert_eq!(edge.search_rules()[0].priority, 45);
///
/// edge.zone_active("CEOAuth ucm1.example.com", "192.0.2.20:25000".parse()?);
/// assert!(edge.zones()[0].state.is_active());
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug)]
pub struct Edge {
    config: EdgeConfig,
    zones: Vec<Zone>,
    rules: Vec<SearchRule>,
}

impl Edge {
    /// An edge that has not discovered any node yet.
    pub fn new(config: EdgeConfig) -> Self {
        Self {
            config,
            zones: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// What the edge was told.
    pub fn config(&self) -> &EdgeConfig {
        &self.config
    }

    /// Judges tokens by another rule from now on.
    pub fn set_tokens(&mut self, tokens: TokenGate) {
        self.config.tokens = tokens;
    }

    /// The zones, in the order of discovery.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The search rules, in the order in which they are tried.
    pub fn search_rules(&self) -> &[SearchRule] {
        &self.rules
    }

    /// *Refresh servers*: makes zones and rules anew from the nodes found.
    ///
    /// A zone that leads where it led keeps its connection. There is none for a cluster that is not in SIP
    /// OAuth mode, and none at all while `Authorize by OAuth token with refresh` is off.
    pub fn refresh_servers(&mut self, nodes: &[DiscoveredNode]) -> Vec<ZoneChange> {
        let wanted = nodes
            .iter()
            .filter(|node| node.sip_oauth_mode && self.config.authorize_by_oauth_token)
            .map(Zone::of);
        let mut before = std::mem::take(&mut self.zones);
        let mut changes = Vec::new();
        for mut zone in wanted {
            match before.iter().position(|old| old.name == zone.name) {
                Some(at) => {
                    let old = before.remove(at);
                    if old.leads_where(&zone) {
                        zone.state = old.state;
                    } else {
                        changes.push(ZoneChange::Changed(zone.clone()));
                    }
                }
                None => changes.push(ZoneChange::Added(zone.clone())),
            }
            self.zones.push(zone);
        }
        changes.extend(
            before
                .into_iter()
                .map(|zone| ZoneChange::Removed { name: zone.name }),
        );
        self.rules = self.zones.iter().map(SearchRule::of).collect();
        changes
    }

    /// The connection of a zone is up.
    pub fn zone_active(&mut self, zone: &str, local: SocketAddr) {
        self.set_state(zone, ZoneState::Active { local });
    }

    /// The connection of a zone is down, or could not be made.
    pub fn zone_inactive(&mut self, zone: &str, why: &str) {
        let why = Some(why.to_owned());
        self.set_state(zone, ZoneState::Inactive { why });
    }

    fn set_state(&mut self, name: &str, state: ZoneState) {
        if let Some(zone) = self.zones.iter_mut().find(|zone| zone.name == name) {
            zone.state = state;
        }
    }

    /// The zone a request to `host` goes to.
    pub fn route(&self, host: &str) -> Option<&Zone> {
        let rule = self
            .rules
            .iter()
            .filter(|rule| rule.matches(host))
            .min_by_key(|rule| rule.priority)?;
        self.zones.iter().find(|zone| zone.name == rule.zone)
    }

    /// A request of a client: where it goes and how it is rewritten.
    ///
    /// Credentials are passed on as they are: a Proxy-Authorization value "MUST NOT be consumed by any proxy
    /// whose realm does not match" (RFC 3261 section 22.3), and tokens are end to end.
    pub fn forward_request(
        &self,
        from: &EdgeArrival,
        request: &MessageView<'_>,
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Forwarding {
        let Some(line) = request.as_request() else {
            return Forwarding::Drop;
        };
        let element = check::Element {
            extensions: &["path"],
            ..check::Element::PROXY
        };
        let routed = check::request(request, &element)
            .map_err(|found| (found.status, EdgeRefusal::Invalid(found.cause.to_string())))
            // What is rewritten must be read; what cannot be read must not slip through as it is.
            .and_then(|()| readable::<Contact<'_>>(request))
            .and_then(|()| readable::<Route<'_>>(request))
            .and_then(|()| self.zone_of(line.uri))
            .and_then(|zone| Ok((zone, self.judge(request, now)?)));
        match routed {
            Ok((zone, user)) => {
                let Some(mut onward) = request.to_request() else {
                    return Forwarding::Drop;
                };
                let hop = rewrite::Hop {
                    config: &self.config,
                    from,
                    user: user.as_deref(),
                };
                rewrite::request(&hop, &mut onward);
                // A node closes the connection of whoever sends it too much, and that is the zone of all clients.
                if let Some(what) = size::excess(&onward, &self.config.node_limits) {
                    let why = EdgeRefusal::TooLarge(what);
                    if line.method == Method::Ack {
                        return Forwarding::Drop;
                    }
                    let status = StatusCode::MESSAGE_TOO_LARGE;
                    let response = self.answer(request, from, status, now, entropy);
                    return Forwarding::Answer { response, why };
                }
                Forwarding::ToZone {
                    zone: zone.name.clone(),
                    request: onward,
                    user,
                }
            }
            Err(_) if line.method == Method::Ack => Forwarding::Drop,
            Err((status, why)) => Forwarding::Answer {
                response: self.answer(request, from, status, now, entropy),
                why,
            },
        }
    }

    /// The answer to a request that was to go into `zone`, but that whoever carries it has no room for: 503 with
    /// Retry-After (RFC 3261 section 21.5.4).
    pub fn overloaded(
        &self,
        zone: &str,
        from: &EdgeArrival,
        request: &MessageView<'_>,
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Forwarding {
        match request.as_request() {
            Some(line) if line.method != Method::Ack => {
                let zone = zone.to_owned();
                let why = EdgeRefusal::Overloaded { zone };
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Forwarding::Answer {
                    response: self.answer(request, from, status, now, entropy),
                    why,
                }
            }
            Some(_) | None => Forwarding::Drop,
        }
    }

    /// The answer to bytes that [`MessageView::parse`] refused with `error`, or of which a
    /// [`Framer`](sip_oauth_message::Framer) could not tell where they end: 400, as far as Via, From, To, Call-ID and
    /// CSeq can be read (RFC 3261 sections 8.2 and 18.3); else
    /// [`Forwarding::Drop`].
    pub fn answer_unreadable(
        &self,
        from: &EdgeArrival,
        bytes: &[u8],
        error: &dyn std::error::Error,
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Forwarding {
        let why = EdgeRefusal::Invalid(error.to_string());
        self.answer_unjudged(StatusCode::BAD_REQUEST, why, from, bytes, now, entropy)
    }

    /// The answer to a request that nobody has room or time for: 503 with Retry-After; it costs a look at the
    /// head. [`Forwarding::Drop`] where nothing may be answered.
    pub fn answer_busy(
        &self,
        from: &EdgeArrival,
        bytes: &[u8],
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Forwarding {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        self.answer_unjudged(status, EdgeRefusal::Busy, from, bytes, now, entropy)
    }

    fn answer_unjudged(
        &self,
        status: StatusCode,
        why: EdgeRefusal,
        from: &EdgeArrival,
        bytes: &[u8],
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Forwarding {
        let salvaged = salvage(bytes);
        match salvaged.as_ref().and_then(Salvaged::view) {
            Some(view) => Forwarding::Answer {
                response: self.answer(&view, from, status, now, entropy),
                why,
            },
            None => Forwarding::Drop,
        }
    }

    fn zone_of(&self, uri: &str) -> Result<&Zone, (StatusCode, EdgeRefusal)> {
        let host = match Uri::parse(uri).map(|uri| uri.host().map(|host| host.as_str().to_owned()))
        {
            Ok(host) => host.unwrap_or_default(),
            Err(error) => {
                return Err((
                    StatusCode::BAD_REQUEST,
                    EdgeRefusal::Invalid(error.to_string()),
                ));
            }
        };
        let Some(zone) = self.route(&host) else {
            return Err((StatusCode::NOT_FOUND, EdgeRefusal::NoZone { host }));
        };
        match &zone.state {
            ZoneState::Active { .. } => Ok(zone),
            state @ ZoneState::Inactive { .. } => Err((
                StatusCode::SERVICE_UNAVAILABLE,
                EdgeRefusal::ZoneInactive {
                    zone: zone.name.clone(),
                    state: state.clone(),
                },
            )),
        }
    }

    /// Whose token a request carries, where tokens are judged; or the answer to one that does not hold.
    fn judge(
        &self,
        request: &MessageView<'_>,
        now: SystemTime,
    ) -> Result<Option<String>, (StatusCode, EdgeRefusal)> {
        let gate = &self.config.tokens;
        let Some(verifier) = &gate.verifier else {
            return Ok(None);
        };
        let mut failure: Option<(Hope, EdgeRefusal)> = None;
        for bearer in bearers(request, &[Field::ProxyAuthorization, Field::Authorization]) {
            let (hope, why) = match bearer {
                Ok(bearer) => match verifier.verify(bearer.expose(), now) {
                    Ok(token) => return Ok(Some(token.user().to_owned())),
                    Err(error) => (Hope::of(&error), EdgeRefusal::Token(error)),
                },
                Err(error) => (Hope::None, EdgeRefusal::Credentials(error.to_string())),
            };
            if failure.as_ref().is_none_or(|(known, _)| *known < hope) {
                failure = Some((hope, why));
            }
        }
        match (failure, gate.refused, gate.missing) {
            (Some((Hope::Open, why)), RefusedToken::Challenge | RefusedToken::Forbid, _) => {
                Err((StatusCode::SERVICE_UNAVAILABLE, why))
            }
            (Some((_, why)), RefusedToken::Challenge, _) => {
                let (role, dialect) = (Role::Proxy, ChallengeDialect::UnifiedCm);
                let answer = match &why {
                    EdgeRefusal::Token(error) => error.answer(role, dialect),
                    _ => BearerError::InvalidRequest.answer(role, dialect),
                };
                let status = StatusCode::new(answer.status());
                Err((status.unwrap_or(StatusCode::FORBIDDEN), why))
            }
            (Some((_, why)), RefusedToken::Forbid, _) => Err((StatusCode::FORBIDDEN, why)),
            (None, _, MissingToken::Challenge) => Err((
                StatusCode::PROXY_AUTHENTICATION_REQUIRED,
                EdgeRefusal::NoToken,
            )),
            (Some(_), RefusedToken::PassOn, _) | (None, _, MissingToken::PassOn) => Ok(None),
        }
    }

    fn answer(
        &self,
        request: &MessageView<'_>,
        from: &EdgeArrival,
        status: StatusCode,
        now: SystemTime,
        entropy: &mut dyn Entropy,
    ) -> Response {
        let mut response = Response::new(status);
        response.headers = reply::headers(request, from.peer, now, None, entropy);
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            let challenge = BearerChallenge::new(&self.config.tokens.realm);
            response
                .headers
                .push(HeaderName::ProxyAuthenticate, challenge);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = self.config.retry_after.as_secs();
            response.headers.push(HeaderName::RetryAfter, seconds);
        }
        response.headers.push(HeaderName::ContentLength, 0);
        response
    }

    /// An answer of a node: whose it is, without the Via the edge added.
    ///
    /// # Errors
    ///
    /// When it is no answer to a request this edge sent.
    pub fn forward_response(&self, response: &MessageView<'_>) -> Result<Returned, NotReturned> {
        let mut returned = response.to_response().ok_or(NotReturned::NotAResponse)?;
        let via = response
            .header::<Via<'_>>()
            .ok()
            .flatten()
            .ok_or(NotReturned::NotOurs)?;
        let connection = via
            .branch()
            .and_then(rewrite::connection_of)
            .filter(|_| via.host().as_str().eq_ignore_ascii_case(&self.config.host))
            .ok_or(NotReturned::NotOurs)?;
        rewrite::remove_top_via(&mut returned.headers);
        // "If no Via header field values remain in the response, the response was meant for this
        // element and MUST NOT be forwarded" (RFC 3261 section 16.7 step 3).
        if !returned.headers.contains("Via") {
            return Err(NotReturned::NotOurs);
        }
        Ok(Returned {
            connection,
            response: returned,
        })
    }
}

/// That every value of a header field keeps to its grammar.
fn readable<'a, H: TypedHeader<'a>>(
    request: &MessageView<'a>,
) -> Result<(), (StatusCode, EdgeRefusal)> {
    request.all::<H>().try_for_each(|value| match value {
        Ok(_) => Ok(()),
        Err(error) => Err((
            StatusCode::BAD_REQUEST,
            EdgeRefusal::Invalid(error.to_string()),
        )),
    })
}
