//! The client: what Jabber does, with a user's patience.

use std::{sync::Arc, time::Duration};

use rustls::crypto::CryptoProvider;
use sip_oauth_csf as csf;
use sip_oauth_registration::client::TokenReason;
use sip_oauth_registration::client::{
    Alarm, ClientConfig, Device, Event, Grant, Instance, Line, Load, Refused, Target, Transport,
};
use sip_oauth_token::RefreshToken;
use sip_oauth_tokio::{
    ClientEvent, ClientEvents, ClientHandle, Clock, CodeGrant, ConfigFetch, Connector, FixedToken,
    ObtainedToken, RefreshGrant, RefusalRelay, RegistrationClient, RenewingToken, Resolver,
    SignedIn, TokenRequest, TokenSource, TokenUnavailable,
};
use sip_oauth_trust::{Explanation, LiveTrustStore, ServerVerifier};

use crate::{
    Error, PartyId, UnifiedCm,
    recorder::Recorder,
    unified_cm::{Account, SCOPE},
};

/// The client id Jabber has had for years, cut down to one that is nobody's: `C` and 64 hexadecimal digits.
pub const CLIENT_ID: &str = "C0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// Where a browser would be sent back to (RFC 8252 section 7.3); nobody listens there, the lab reads the URL.
const REDIRECT_URI: &str = "http://127.0.0.1:49152/callback";
/// How long a person would wait for anything that takes milliseconds here.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the client registers.
#[derive(Clone, Debug)]
pub enum Way {
    /// Straight to the node.
    OnPremises,
    /// Through an edge: where it listens, and the route it told the client.
    Mra {
        /// The edge's host name.
        host: String,
        /// The port clients connect to.
        port: u16,
        /// The value of the `Route` header field.
        route: String,
    },
}

/// What became of a registration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// Registered anew.
    Registered(Grant),
    /// Registered again.
    Refreshed(Grant),
    /// No longer registered; the registrar said so, or not.
    Deregistered {
        /// Whether the registrar answered.
        confirmed: bool,
    },
    /// The registrar or the edge refused.
    Refused(Box<Refused>),
    /// No connection.
    Unreachable {
        /// Why, in one sentence.
        reason: String,
        /// Who refused whom, if it was TLS.
        explanation: Option<Box<Explanation>>,
    },
    /// Nothing happened in twenty seconds.
    Silence,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Registered(grant) => write!(f, "registered for {} s", grant.granted.as_secs()),
            Self::Refreshed(grant) => write!(f, "refreshed for {} s", grant.granted.as_secs()),
            Self::Deregistered { confirmed: true } => f.write_str("deregistered"),
            Self::Deregistered { confirmed: false } => f.write_str("deregistered, unanswered"),
            Self::Refused(refused) => {
                write!(f, "refused: {} {}", refused.status, refused.reason)?;
                match &refused.warning {
                    Some(warning) => write!(f, ", {warning}"),
                    None => Ok(()),
                }
            }
            Self::Unreachable { reason, .. } => write!(f, "unreachable: {reason}"),
            Self::Silence => f.write_str("nothing"),
        }
    }
}

/// Where the client's tokens come from.
enum Tokens {
    /// One, obtained by hand.
    Fixed(ObtainedToken),
    /// From a sign-in, renewed in time.
    Renewing {
        tokens: Box<RenewingToken<RefreshGrant>>,
        /// How long each is good.
        life: Option<Duration>,
    },
}

/// One Jabber and its user.
pub struct Jabber {
    device: String,
    user: Account,
    instance: Instance,
    provider: Arc<CryptoProvider>,
    trust: Arc<LiveTrustStore>,
    connector: Connector,
    tokens: Option<Tokens>,
    registration: Option<(ClientHandle, ClientEvents)>,
}

impl std::fmt::Debug for Jabber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jabber")
            .field("device", &self.device)
            .field("user", &self.user.name)
            .finish_non_exhaustive()
    }
}

impl Jabber {
    pub(crate) fn new(
        device: &str,
        user: Account,
        clock: &Clock,
        recorder: &Recorder,
        resolver: Arc<dyn Resolver>,
        provider: Arc<CryptoProvider>,
        trust: Arc<LiveTrustStore>,
    ) -> Result<Self, Error> {
        let failed = |cause: &dyn std::fmt::Display| Error::setup("Jabber", cause);
        let verifier = ServerVerifier::builder(Arc::clone(&trust), Arc::clone(&provider))
            .observer(Arc::new(RefusalRelay::new()))
            .build();
        let connector = Connector::new()
            .with_resolver(resolver)
            .with_clock(clock.clone())
            .with_observer(recorder.observer(PartyId::Jabber))
            .with_verifier(Arc::new(verifier), None)
            .map_err(|error| failed(&error))?;
        Ok(Self {
            device: device.to_owned(),
            user,
            instance: Instance::new("005056aabbcc").map_err(|error| failed(&error))?,
            provider,
            trust,
            connector,
            tokens: None,
            registration: None,
        })
    }

    /// The device name.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// The user.
    pub fn user(&self) -> &str {
        &self.user.name
    }

    /// The certificates this client trusts.
    pub fn trust(&self) -> &Arc<LiveTrustStore> {
        &self.trust
    }

    /// The crypto provider its TLS uses.
    pub fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    /// Signs the user in at a node over HTTPS, by authorization code with PKCE (RFC 6749 section 4.1, RFC 7636), and keeps
    /// the tokens: registrations renew them at three quarters of their life.
    ///
    /// The browser's part is done without one: the lab's server takes name and password by HTTP Basic.
    ///
    /// # Errors
    ///
    /// When an endpoint refuses.
    pub async fn sign_in(&mut self, node: &UnifiedCm) -> Result<SignedIn, Error> {
        let failed = |error: TokenUnavailable| Error::setup("sign-in", error);
        let grant = CodeGrant::new(
            self.connector.clone(),
            &node.authorization_endpoint(),
            &node.token_endpoint(),
            CLIENT_ID,
            REDIRECT_URI,
        )
        .map_err(failed)?
        .scope(SCOPE);
        let begun = grant.begin().map_err(failed)?;
        let redirected_to = grant
            .authorize_with_password(&begun, &self.user.name, &self.user.password)
            .await
            .map_err(failed)?;
        let signed_in = grant.finish(begun, &redirected_to).await.map_err(failed)?;
        let refresh_token = signed_in
            .refresh_token
            .clone()
            .ok_or_else(|| Error::setup("sign-in", "no refresh token came with it"))?;
        let refresh = RefreshGrant::new(
            self.connector.clone(),
            &node.token_endpoint(),
            CLIENT_ID,
            refresh_token,
        )
        .map_err(failed)?;
        let renewing = RenewingToken::new(refresh, self.connector.clock().clone())
            .starting_with(signed_in.access_token.clone());
        self.tokens = Some(Tokens::Renewing {
            tokens: Box::new(renewing),
            life: signed_in.access_token.expires_in,
        });
        Ok(signed_in)
    }

    /// The token in hand; the next one when three quarters of its life are over.
    ///
    /// # Errors
    ///
    /// When there is none, or no longer.
    pub async fn token(&self) -> Result<ObtainedToken, Error> {
        let request = TokenRequest::new(TokenReason::Challenged, None);
        match &self.tokens {
            None => Err(Error::setup("Jabber", "no access token yet")),
            Some(Tokens::Fixed(token)) => Ok(token.clone()),
            Some(Tokens::Renewing { tokens, life }) => {
                let failed = |error| Error::setup("token", error);
                let in_hand = tokens.token(&request).await.map_err(failed)?;
                let (Some(life), Some(left)) = (*life, in_hand.expires_in) else {
                    return Ok(in_hand);
                };
                if left > life / 4 {
                    return Ok(in_hand);
                }
                let next = TokenRequest::new(TokenReason::Renewal, None).held(in_hand.token);
                tokens.token(&next).await.map_err(failed)
            }
        }
    }

    /// Gets an access token for a refresh token (RFC 6749 section 6) and keeps it.
    ///
    /// # Errors
    ///
    /// When the token endpoint gives none.
    pub async fn obtain_token(
        &mut self,
        endpoint: &str,
        refresh_token: RefreshToken,
    ) -> Result<ObtainedToken, Error> {
        let failed = |error: TokenUnavailable| Error::setup("token", error);
        let grant = RefreshGrant::new(self.connector.clone(), endpoint, CLIENT_ID, refresh_token)
            .map_err(failed)?;
        let token = grant
            .token(&TokenRequest::new(TokenReason::Renewal, None))
            .await
            .map_err(failed)?;
        self.tokens = Some(Tokens::Fixed(token.clone()));
        Ok(token)
    }

    /// Fetches and reads the device's configuration file.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] with the fetch's or the reader's own sentence.
    pub async fn fetch_configuration(
        &self,
        host: &str,
        port: u16,
    ) -> Result<csf::DeviceConfig, Error> {
        let failed = |cause: &dyn std::fmt::Display| Error::setup("configuration file", cause);
        let name = csf::DeviceName::new(&self.device).map_err(|error| failed(&error))?;
        let fetched = ConfigFetch::new(self.connector.clone())
            .get(&name.plain_url(host, port))
            .await
            .map_err(|error| failed(&error))?;
        csf::DeviceConfig::read(&fetched.bytes, &csf::Limits::default())
            .map_err(|error| failed(&error))
    }

    /// Starts to register where the file and the way lead, and gives back the node of the file that was chosen.
    ///
    /// # Errors
    ///
    /// When the file leads nowhere.
    pub fn register(
        &mut self,
        config: &csf::DeviceConfig,
        way: &Way,
    ) -> Result<csf::RegistrationTarget, Error> {
        let failed = |cause: &dyn std::fmt::Display| Error::setup("configuration file", cause);
        let place = match way {
            Way::OnPremises => csf::Place::OnPremises,
            Way::Mra { .. } => csf::Place::Mra,
        };
        let targets = config
            .registration_targets(place)
            .map_err(|error| failed(&error))?;
        let first = targets
            .first()
            .ok_or_else(|| failed(&"it names no node"))?
            .clone();
        let targets = targets
            .iter()
            .map(|target| client_target(target, way))
            .collect();
        let line = config
            .lines()
            .next()
            .ok_or_else(|| failed(&"it names no line"))?;
        let text = |value: Option<csf::Value<std::borrow::Cow<'_, str>>>| {
            value
                .map(|value| value.value.into_owned())
                .unwrap_or_default()
        };
        let line = Line::new(&text(line.name()), &text(line.contact()));

        let mut device = Device::csf(&self.device, self.instance.clone());
        device.load = Load::new(
            "Jabber_for_Windows-12.8.0.51973",
            "Jabber_for_Windows-12.8.0.51973",
        );
        device.alarm = Some(Alarm::forced());
        let mut settings = ClientConfig::unified_cm(device, line, targets);
        let stack = config.sip_stack();
        settings.expires = stack
            .timer_register_expires()
            .map_err(|error| failed(&error))?
            .value;
        settings.register_delta = stack
            .timer_register_delta()
            .map_err(|error| failed(&error))?
            .value;

        let tokens: Arc<dyn TokenSource> = match &self.tokens {
            None => return Err(Error::setup("Jabber", "no access token yet")),
            Some(Tokens::Fixed(token)) => Arc::new(FixedToken::new(token.clone())),
            Some(Tokens::Renewing { tokens, .. }) => Arc::new(RenewingToken::clone(tokens)),
        };
        let client = RegistrationClient::new(settings, self.connector.clone(), tokens);
        self.registration = Some(client.start());
        Ok(first)
    }

    /// Waits for what becomes of the registration.
    pub async fn outcome(&mut self) -> Outcome {
        let Some((_, events)) = &mut self.registration else {
            return Outcome::Silence;
        };
        tokio::time::timeout(PATIENCE, outcome(events))
            .await
            .unwrap_or(Outcome::Silence)
    }

    /// Starts again after a refusal, on the file's nodes as before.
    pub fn retry(&self) {
        if let Some((handle, _)) = &self.registration {
            // A client that has stopped reports so by its silence.
            let _ = handle.start();
        }
    }

    /// Ends the registration.
    pub fn deregister(&self) {
        if let Some((handle, _)) = &self.registration {
            let _ = handle.deregister();
        }
    }

    /// Ends the client, and the registration with it.
    pub async fn stop(&mut self) {
        if let Some((handle, _events)) = self.registration.take() {
            handle.stop();
            let _ = tokio::time::timeout(PATIENCE, handle.stopped()).await;
        }
    }
}

/// The first event that says how the registration stands.
async fn outcome(events: &mut ClientEvents) -> Outcome {
    let mut last = None;
    while let Some(event) = events.recv().await {
        match event {
            ClientEvent::Registration(Event::Registered(grant)) => {
                return Outcome::Registered(grant);
            }
            ClientEvent::Registration(Event::Refreshed(grant)) => return Outcome::Refreshed(grant),
            ClientEvent::Registration(Event::Deregistered { confirmed }) => {
                return Outcome::Deregistered { confirmed };
            }
            ClientEvent::Registration(Event::Refused(refused)) => {
                return Outcome::Refused(Box::new(refused));
            }
            ClientEvent::Connection {
                failure,
                explanation,
                ..
            } => last = Some((failure.to_string(), explanation)),
            ClientEvent::Registration(Event::AllNodesFailed { .. }) => {
                let (reason, explanation) = last.unwrap_or_default();
                return Outcome::Unreachable {
                    reason,
                    explanation,
                };
            }
            _ => {}
        }
    }
    Outcome::Silence
}

/// The file's words for a node, in the client's.
fn client_target(target: &csf::RegistrationTarget, way: &Way) -> Target {
    let transport = match target.transport {
        csf::Transport::Tls | csf::Transport::MutualTls => Transport::Tls,
        csf::Transport::Tcp | csf::Transport::Udp | csf::Transport::TcpOrUdp => Transport::Tcp,
    };
    let node = Target::new(&target.host, target.port, transport);
    match way {
        Way::OnPremises => node,
        Way::Mra { host, port, route } => node.through(host, *port).with_route(route),
    }
}
