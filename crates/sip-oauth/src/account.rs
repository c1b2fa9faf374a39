//! One device that registers: its configuration, whom it trusts, where its tokens come from, and where it is.

use std::fmt;
use std::sync::Arc;

use sip_oauth_csf::{
    Authentication, DeviceConfig, DeviceName, EDGE_TLS_PORT, Line, Place, RegistrationTarget,
    TargetError, Transport, ValueError,
};
use sip_oauth_registration::client::{self, ClientConfig, Device, Instance, Target};
use sip_oauth_tokio::{ClientEvents, ClientHandle, Connector, RegistrationClient, TokenSource};
use sip_oauth_trust::rustls::crypto::CryptoProvider;
use sip_oauth_trust::{LiveTrustStore, NoProvider, ServerVerifier, default_provider, rustls};

/// A device ready to register: what its configuration file says, joined with what no file can say.
///
/// The file gives nodes, ports, line and timers. The embedder gives the rest, as steps that cannot be left out: where
/// the device is, whose certificates it trusts, and where its access tokens come from.
///
/// ```no_run
/// use std::sync::Arc;
/// use sip_oauth::csf::{DeviceConfig, DeviceName, Limits};
/// use sip_oauth::registration::client::Instance;
/// use sip_oauth::token::AccessToken;
/// use sip_oauth::tokio::FixedToken;
/// use sip_oauth::trust::{LiveTrustStore, Source, TrustStore};
/// use sip_oauth::Account;
///
/// # async fn example(xml: Vec<u8>, ca: Vec<u8>, token: String) -> Result<(), Box<dyn std::error::Error>> {
/// let file = DeviceConfig::read(&xml, &Limits::default())?;
/// let tomcat = TrustStore::from_pem("Tomcat's CA", &ca, &Source::File("ca.pem".into()))?;
/// let account = Account::of(&"CSFrado".parse::<DeviceName>()?, Instance::new("005056aabbcc")?, &file)
///     .on_premises()
///     .trusting(Arc::new(LiveTrustStore::new(tomcat)))
///     .with_tokens(Arc::new(FixedToken::new(AccessToken::parse(&token)?)))?;
/// let (handle, mut events) = account.register();
/// while let Some(event) = events.recv().await {
///     println!("{event:?}");
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Account {
    /// What the registration machine is told: device, line, nodes, timers, options.
    pub client: ClientConfig,
    /// How connections are opened.
    pub connector: Connector,
    /// Where tokens come from.
    pub tokens: Arc<dyn TokenSource>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("client", &self.client)
            .field("connector", &self.connector)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// Begins with the device: its name, its configuration file, and an `instance` that should stay the same over
    /// restarts and differ between installations (RFC 5626 section 4.1).
    pub fn of<'a>(
        name: &'a DeviceName,
        instance: Instance,
        file: &'a DeviceConfig,
    ) -> AccountBuilder<'a, WantsPlace> {
        AccountBuilder {
            name,
            instance,
            file,
            connector: Connector::new(),
            state: WantsPlace(()),
        }
    }

    /// Starts registering on the current tokio runtime. The handle deregisters and stops; the events tell the story.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn register(self) -> (ClientHandle, ClientEvents) {
        RegistrationClient::new(self.client, self.connector, self.tokens).start()
    }
}

/// The Expressway-E a device goes through when it is not in reach of the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edge {
    /// The host to connect to, which its certificate must name.
    pub host: String,
    /// The TLS port, 5061 unless the bootstrap document says otherwise.
    pub port: u16,
    /// The `Route` the bootstrap document (`get_edge_config`) gives.
    pub route: Option<String>,
}

impl Edge {
    /// An edge at the usual port without a route.
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: EDGE_TLS_PORT,
            route: None,
        }
    }

    /// The same at another port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The same with a `Route` value for each request.
    #[must_use]
    pub fn route(mut self, route: impl Into<String>) -> Self {
        self.route = Some(route.into());
        self
    }
}

/// The steps to an [`Account`].
#[must_use = "a builder does nothing until its last step"]
pub struct AccountBuilder<'a, State> {
    name: &'a DeviceName,
    instance: Instance,
    file: &'a DeviceConfig,
    connector: Connector,
    state: State,
}

impl<State> fmt::Debug for AccountBuilder<'_, State> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountBuilder")
            .field("name", &self.name)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

/// Where the device is comes next.
#[derive(Debug)]
pub struct WantsPlace(());

/// Whom it trusts comes next.
#[derive(Debug)]
pub struct WantsTrust(Option<Edge>);

/// Where its tokens come from is the last step.
pub struct WantsTokens {
    edge: Option<Edge>,
    store: Arc<LiveTrustStore>,
    provider: Option<Arc<CryptoProvider>>,
}

impl fmt::Debug for WantsTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WantsTokens")
            .field("edge", &self.edge)
            .finish_non_exhaustive()
    }
}

impl<'a, State> AccountBuilder<'a, State> {
    /// Sets names, time-outs, clock and observer of its connections. Its TLS configuration is replaced by the last step.
    pub fn connector(mut self, connector: Connector) -> Self {
        self.connector = connector;
        self
    }

    fn next<Next>(self, next: impl FnOnce(State) -> Next) -> AccountBuilder<'a, Next> {
        AccountBuilder {
            name: self.name,
            instance: self.instance,
            file: self.file,
            connector: self.connector,
            state: next(self.state),
        }
    }
}

impl<'a> AccountBuilder<'a, WantsPlace> {
    /// The device reaches the nodes itself.
    pub fn on_premises(self) -> AccountBuilder<'a, WantsTrust> {
        self.next(|_| WantsTrust(None))
    }

    /// Mobile and Remote Access: the device connects to `edge`, which forwards to the nodes.
    pub fn through_edge(self, edge: Edge) -> AccountBuilder<'a, WantsTrust> {
        self.next(|_| WantsTrust(Some(edge)))
    }
}

impl<'a> AccountBuilder<'a, WantsTrust> {
    /// Trusts the certificates `store` leads to: the signer of the nodes' Tomcat certificates on premises, of the edge's
    /// certificate over Mobile and Remote Access.
    pub fn trusting(self, store: Arc<LiveTrustStore>) -> AccountBuilder<'a, WantsTokens> {
        self.next(|WantsTrust(edge)| WantsTokens {
            edge,
            store,
            provider: None,
        })
    }
}

impl AccountBuilder<'_, WantsTokens> {
    /// Does TLS by `provider` instead of [`default_provider`].
    pub fn provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.state.provider = Some(provider);
        self
    }

    /// Takes access tokens from `tokens`, and is done.
    ///
    /// # Errors
    ///
    /// [`AccountError`] when the file leads to no node a token can be presented to, has no line, or there is no crypto
    /// provider.
    pub fn with_tokens(self, tokens: Arc<dyn TokenSource>) -> Result<Account, AccountError> {
        let WantsTokens {
            edge,
            store,
            provider,
        } = self.state;
        let client = client_of(self.name, self.instance, self.file, edge.as_ref())?;
        let provider = provider.map_or_else(default_provider, Ok)?;
        let verifier = ServerVerifier::builder(store, provider).build();
        Ok(Account {
            client,
            connector: self.connector.with_verifier(Arc::new(verifier), None)?,
            tokens,
        })
    }
}

/// What the file says, in the registration machine's words.
fn client_of(
    name: &DeviceName,
    instance: Instance,
    file: &DeviceConfig,
    edge: Option<&Edge>,
) -> Result<ClientConfig, AccountError> {
    let place = edge.map_or(Place::OnPremises, |_| Place::Mra);
    let targets = file
        .registration_targets(place)?
        .iter()
        .map(|target| client_target(target, edge))
        .collect::<Result<_, _>>()?;
    let line = file
        .lines()
        .find_map(|line| client_line(line).transpose())
        .ok_or(AccountError::NoLine)??;
    let stack = file.sip_stack();
    let mut client = ClientConfig::unified_cm(Device::csf(name.as_str(), instance), line, targets);
    client.expires = stack.timer_register_expires()?.value;
    client.register_delta = stack.timer_register_delta()?.value;
    Ok(client)
}

fn client_target(target: &RegistrationTarget, edge: Option<&Edge>) -> Result<Target, AccountError> {
    let transport = match (target.transport, edge) {
        (_, Some(_)) | (Transport::Tls, None) => client::Transport::Tls,
        (Transport::Tcp | Transport::TcpOrUdp, None) => client::Transport::Tcp,
        (Transport::Udp | Transport::MutualTls, None) => {
            return Err(AccountError::NotForTokens {
                transport: target.transport,
                authentication: target.authentication,
            });
        }
    };
    let mut to = Target::new(&target.host, target.port, transport);
    if let Some(edge) = edge {
        to = to.through(&edge.host, edge.port);
        if let Some(route) = &edge.route {
            to = to.with_route(route);
        }
    }
    Ok(to)
}

/// The line, if it is one that registers.
fn client_line(line: Line<'_>) -> Result<Option<client::Line>, ValueError> {
    if !line.is_usable()? {
        return Ok(None);
    }
    let text = |value: Option<sip_oauth_csf::Value<_>>| value.map(|value| value.value);
    let name: Option<std::borrow::Cow<'_, str>> = text(line.name());
    let contact = text(line.contact());
    Ok(name
        .zip(contact)
        .map(|(name, contact)| client::Line::new(&name, &contact)))
}

/// Why a file and an embedder's choices do not make an account.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The file leads nowhere.
    #[error(transparent)]
    Targets(#[from] TargetError),
    /// A value the account needs cannot be read.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// No line of the file has a name and a contact.
    #[error(
        "/device/sipProfile/sipLines: expected a line (featureID 9) with a name and a contact; add a directory number to the device"
    )]
    NoLine,
    /// The file sends the device where no token is presented.
    #[error(
        "sipOAuthMode is 0 in the file, which sends the device to {transport:?} with {authentication:?}: enable SIP OAuth in \
         the phone security profile, reset the device and fetch its file again"
    )]
    NotForTokens {
        /// The transport the file leads to.
        transport: Transport,
        /// What it would be authenticated with.
        authentication: Authentication,
    },
    /// No crypto provider is installed or compiled in.
    #[error(transparent)]
    Provider(#[from] NoProvider),
    /// The crypto provider cannot do TLS 1.2 and 1.3.
    #[error("the crypto provider was refused: {0}")]
    Tls(#[from] rustls::Error),
}
