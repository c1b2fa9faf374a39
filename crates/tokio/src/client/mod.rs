//! The client with sockets: connections, tokens and time for [`sip_oauth_registration::client::Client`].

mod driver;
mod handle;
mod link;
mod refresh_grant;
mod renewing_token;
mod token_file;
mod token_source;

use std::{fmt, sync::Arc, time::Duration};

use sip_oauth_message::Limits;
use sip_oauth_registration::{
    Entropy,
    client::{Client, ClientConfig, ClientOptions},
};

use crate::{connect::Connector, entropy::ProviderEntropy};
use driver::Driver;
use link::Flow;

pub use handle::{ClientEvent, ClientEvents, ClientHandle, CommandError};
pub use refresh_grant::RefreshGrant;
pub use renewing_token::RenewingToken;
pub use token_file::TokenFile;
pub use token_source::{
    FixedToken, ObtainedToken, TokenFn, TokenRequest, TokenSource, TokenUnavailable, token_fn,
};

/// A client about to start: who registers where, over which connections, with whose tokens.
///
/// [`RegistrationClient::start`] spawns the task that runs it. It decides nothing: which node, when to refresh, what a
/// refusal means is [`Client`]'s. It opens connections, asks the [`TokenSource`], and keeps time by the
/// [`Clock`](crate::Clock) of its [`Connector`].
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
/// use sip_oauth_registration::client::{ClientConfig, Device, Event, Instance, Line, Target, Transport};
/// use sip_oauth_token::AccessToken;
/// use sip_oauth_tokio::{ClientEvent, Connector, FixedToken, RegistrationClient};
/// # async fn example(connector: Connector, token: AccessToken) -> Result<(), Box<dyn std::error::Error>> {
/// let device = Device::csf("CSFJDOE", Instance::new("005056aabbcc")?);
/// let line = Line::new("1010", "a1b2c3d4-0000-4000-8000-000000000001");
/// let targets = vec![Target::new("ucm1.example.com", 5090, Transport::Tls)];
/// let config = ClientConfig::unified_cm(device, line, targets);
///
/// let tokens = Arc::new(FixedToken::new(token));
/// let (handle, mut events) = RegistrationClient::new(config, connector, tokens).start();
/// while let Some(event) = events.recv().await {
///     match event {
///         ClientEvent::Registration(Event::Registered(grant)) => {
///             println!("registered to {} for {:?}", grant.node, grant.granted);
///             handle.stop(); // deregisters, then ends the task
///         }
///         other => println!("{other:?}"),
///     }
/// }
/// # Ok(()) }
/// ```
pub struct RegistrationClient {
    config: ClientConfig,
    connector: Connector,
    tokens: Arc<dyn TokenSource>,
    entropy: Box<dyn Entropy + Send>,
    limits: Limits,
    keep_alive: Option<Duration>,
}

impl RegistrationClient {
    /// A client of `config` that connects through `connector` and gets its tokens from `tokens`.
    pub fn new(config: ClientConfig, connector: Connector, tokens: Arc<dyn TokenSource>) -> Self {
        let provider = connector.tls().map(|tls| &**tls.crypto_provider());
        Self {
            entropy: Box::new(ProviderEntropy::of(provider)),
            config,
            connector,
            tokens,
            limits: Limits::default(),
            keep_alive: None,
        }
    }

    /// Draws tags, branches and Call-IDs from `entropy` instead of the crypto provider.
    #[must_use]
    pub fn with_entropy(mut self, entropy: impl Entropy + Send + 'static) -> Self {
        self.entropy = Box::new(entropy);
        self
    }

    /// Bounds the messages that are read.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sends keep-alives of two CRLF, and gives a connection up whose peer does not answer one within 10 s: sets
    /// [`ClientOptions::flow_keep_alive`], whatever [`with_options`](Self::with_options) says.
    #[must_use]
    pub fn with_keep_alive(mut self, interval: Duration) -> Self {
        self.keep_alive = Some(interval);
        self
    }

    /// Sets what no document decides.
    #[must_use]
    pub fn with_options(mut self, options: ClientOptions) -> Self {
        self.config.options = options;
        self
    }

    /// Spawns the client on the current runtime and starts registering.
    ///
    /// When all nodes have failed it stays [`Failed`](sip_oauth_registration::client::ClientState::Failed) until
    /// [`ClientHandle::start`]: with one node that is after one attempt to connect again. Set
    /// [`restart_after_failure`](sip_oauth_registration::client::ClientOptions::restart_after_failure) to have it try again by
    /// itself.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, as [`tokio::spawn`] does.
    pub fn start(self) -> (ClientHandle, ClientEvents) {
        let mut config = self.config;
        if self.keep_alive.is_some() {
            config.options.flow_keep_alive = self.keep_alive;
        }
        let client = Client::new(config, BoxedEntropy(self.entropy));
        let (handle, events, ends) = handle::channels(&client);
        let flow = Flow {
            connector: self.connector,
            limits: self.limits,
        };
        let driver = Driver::new(client, flow, self.tokens, ends);
        tokio::spawn(driver.run());
        (handle, events)
    }
}

impl fmt::Debug for RegistrationClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrationClient")
            .field("config", &self.config)
            .field("connector", &self.connector)
            .finish_non_exhaustive()
    }
}

/// Lets a boxed source stand where one is taken by value.
struct BoxedEntropy(Box<dyn Entropy + Send>);

impl Entropy for BoxedEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}
