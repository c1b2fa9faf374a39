//! An Expressway-C.
//!
//! The lab's edge stands for the pair: towards clients it shows the certificate of an Expressway-E, towards Unified CM that of
//! an Expressway-C, and what passes between the two is left out. What Expressway-C does towards Unified CM is all here:
//! discovery and the push of its names by AXL, CEOAuth zones, search rules, mutual TLS.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustls::crypto::CryptoProvider;
use sip_oauth_axl::{
    Description, HostNameOrIp,
    push::{OwnNames, Push},
};
use sip_oauth_registration::edge::{DiscoveredNode, Edge, EdgeConfig, SearchRule, TokenGate};
use sip_oauth_tokio::{
    AxlClient, AxlCredentials, Clock, Connector, EdgeServer, Pushed, RefusalRelay, Resolver,
    ZoneReport,
};
use sip_oauth_trust::{
    AllowedNames, CertifiedIdentity, LiveAllowedNames, LiveTrustStore, ServerCertificate,
    ServerConfigs, ServerVerifier, Source, TrustStore,
};
use tokio::{net::TcpListener, sync::Mutex as AsyncMutex};

use crate::{
    Certificate, CertificateAuthority, Error, PartyId, UnifiedCm, Way, recorder::Recorder,
    unified_cm::Account,
};

/// What an edge is started with.
pub(crate) struct Setup {
    pub(crate) name: String,
    pub(crate) outer_name: String,
    pub(crate) outer_certificate: Certificate,
    pub(crate) certificate: Certificate,
    pub(crate) clients: TcpListener,
    pub(crate) clock: Clock,
    pub(crate) recorder: Recorder,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) axl_user: Account,
}

/// What *Refresh servers* found and did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refreshed {
    /// The nodes.
    pub nodes: Vec<DiscoveredNode>,
    /// What became of the names of the edge's certificate.
    pub pushed: Pushed,
    /// The zones, each active or with the reason why not.
    pub zones: Vec<ZoneReport>,
}

/// An Expressway-C with its own certificate, trusted CA list, zones and search rules.
#[derive(Debug)]
pub struct ExpresswayC {
    name: String,
    port: u16,
    clock: Clock,
    recorder: Recorder,
    resolver: Arc<dyn Resolver>,
    provider: Arc<CryptoProvider>,
    axl_user: Account,
    trust: Arc<LiveTrustStore>,
    outer_name: String,
    outer_certificate: CertifiedIdentity,
    certificate: Mutex<CertifiedIdentity>,
    server: AsyncMutex<Option<EdgeServer>>,
    /// What the last refresh found. A snapshot: changes on Unified CM are not seen before the next one.
    nodes: Mutex<Vec<DiscoveredNode>>,
    tokens: Mutex<TokenGate>,
}

impl ExpresswayC {
    pub(crate) async fn start(setup: Setup) -> Result<Self, Error> {
        let port = setup
            .clients
            .local_addr()
            .map_err(Error::socket("Expressway-C"))?
            .port();
        let certificate = identity(&setup.certificate, &setup.provider)?;
        let outer_certificate = identity(&setup.outer_certificate, &setup.provider)?;
        let edge = Self {
            name: setup.name,
            port,
            clock: setup.clock,
            recorder: setup.recorder,
            resolver: setup.resolver,
            provider: setup.provider,
            axl_user: setup.axl_user,
            trust: Arc::new(LiveTrustStore::new(TrustStore::new(
                "trusted CA list of Expressway-C",
            ))),
            outer_name: setup.outer_name,
            outer_certificate,
            certificate: Mutex::new(certificate),
            server: AsyncMutex::new(None),
            nodes: Mutex::default(),
            tokens: Mutex::new(TokenGate::open()),
        };
        let server = edge.serve(setup.clients).await?;
        *edge.server.lock().await = Some(server);
        Ok(edge)
    }

    /// The edge's name: the CN of its certificate.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port clients connect to, 5061 in the product.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The way of a client through this edge: where to connect, and the route as `get_edge_config` would tell it.
    pub fn way(&self) -> Way {
        Way::Mra {
            host: self.outer_name.clone(),
            port: self.port,
            route: format!(
                "<sip:127.0.0.1:{};transport=tls;zone-id=3;directed;lr>",
                self.port
            ),
        }
    }

    /// CN and SAN of the certificate in use: what is pushed.
    pub fn certificate_names(&self) -> Vec<String> {
        self.certificate().names_for_table()
    }

    /// Loads a CA certificate into the trusted CA list.
    ///
    /// # Errors
    ///
    /// When it cannot be a trust anchor.
    pub fn trust(&self, authority: &CertificateAuthority) -> Result<(), Error> {
        let source = Source::Upload(format!("{}.pem", authority.name()));
        self.trust
            .update(|store| {
                let mut store = store.clone();
                store
                    .add_der(authority.certificate().clone(), &source)
                    .map(|_| store)
            })
            .map_err(|error| Error::setup("trusted CA list", error))
    }

    /// *Refresh servers*: discovers the nodes by AXL, pushes the names of the certificate, takes the authz keys, makes zones
    /// and search rules, and connects the zones.
    ///
    /// By which request a real Expressway-C fetches the authz keys is not public: they are handed over in process.
    ///
    /// # Errors
    ///
    /// When an AXL request fails. A zone that cannot be connected is no error; its report says why.
    pub async fn refresh_servers(&self, node: &UnifiedCm) -> Result<Refreshed, Error> {
        let failed = |cause: &dyn std::fmt::Display| Error::setup("Refresh servers", cause);
        let credentials = AxlCredentials::new(&self.axl_user.name, &self.axl_user.password)
            .map_err(|error| failed(&error))?;
        let axl = AxlClient::new(self.connector()?, node.name(), node.web_port(), credentials)
            .map_err(|error| failed(&error))?;

        let discovery = axl.discover().await.map_err(|error| failed(&error))?;
        let identities = self.certificate().summary().identities().clone();
        let names = OwnNames::new(identities.common_names(), identities.dns_names());
        let host = HostNameOrIp::new(self.name.as_str()).map_err(|error| failed(&error))?;
        let push =
            Push::new(host, names).with_description(Description::lossy("Expressway-C peer 1"));
        let pushed = axl.push(&push).await.map_err(|error| failed(&error))?;

        *lock(&self.tokens) = TokenGate::judging(Arc::new(node.token_verifier()));
        let enabled = discovery.mode == sip_oauth_axl::ClusterSipOAuthMode::Enabled;
        *lock(&self.nodes) = discovery
            .nodes
            .iter()
            .map(|node| {
                let mut found =
                    DiscoveredNode::new(&node.process_node_name, node.sip_mra_oauth_port());
                found.sip_oauth_mode = enabled;
                found
            })
            .collect();
        let zones = self.connect_zones().await;
        Ok(Refreshed {
            nodes: lock(&self.nodes).clone(),
            pushed,
            zones,
        })
    }

    /// Lets zones that are not active try again, and reports on all.
    pub async fn check_zones(&self) -> Vec<ZoneReport> {
        match &*self.server.lock().await {
            Some(server) => server.check_zones().await,
            None => Vec::new(),
        }
    }

    /// The search rules.
    pub async fn search_rules(&self) -> Vec<SearchRule> {
        match &*self.server.lock().await {
            Some(server) => server.with_edge(|edge| edge.search_rules().to_vec()),
            None => Vec::new(),
        }
    }

    /// Installs another certificate and restarts. Servers are not refreshed: zones and pushed names are those of before.
    ///
    /// # Errors
    ///
    /// When the certificate cannot be used, or the port was taken meanwhile.
    pub async fn install_certificate(
        &self,
        certificate: &Certificate,
    ) -> Result<Vec<ZoneReport>, Error> {
        let next = identity(certificate, &self.provider)?;
        *lock(&self.certificate) = next;
        let mut server = self.server.lock().await;
        if let Some(server) = server.take() {
            server.shutdown().await;
        }
        let clients = crate::ports::listen("Expressway", Some(self.port)).await?;
        *server = Some(self.serve(clients).await?);
        drop(server);
        Ok(self.connect_zones().await)
    }

    /// Closes everything.
    pub(crate) async fn stop(self) {
        if let Some(server) = self.server.into_inner() {
            server.shutdown().await;
        }
    }

    /// Makes zones of the nodes found last.
    async fn connect_zones(&self) -> Vec<ZoneReport> {
        let nodes = lock(&self.nodes).clone();
        match &*self.server.lock().await {
            Some(server) => {
                server.set_tokens(lock(&self.tokens).clone());
                server.refresh_servers(&nodes).await
            }
            None => Vec::new(),
        }
    }

    async fn serve(&self, clients: TcpListener) -> Result<EdgeServer, Error> {
        let failed = |cause: &dyn std::fmt::Display| Error::setup("Expressway-C", cause);
        // Towards clients only its one-way half is used: no client certificate is asked for.
        let tls = ServerConfigs::new(
            Arc::new(ServerCertificate::new(self.outer_certificate.clone())),
            Arc::clone(&self.trust),
            Arc::new(LiveAllowedNames::new(AllowedNames::new([]))),
            Arc::clone(&self.provider),
            Some(Arc::new(RefusalRelay::new())),
        )
        .map_err(|error| failed(&error))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let config =
            EdgeConfig::new(&self.name, self.port).with_own_host(&address.ip().to_string());
        EdgeServer::builder(Edge::new(config), Arc::new(tls), self.connector()?)
            .listen_on(clients)
            .start()
            .await
            .map_err(Error::socket("Expressway-C"))
    }

    /// Towards Unified CM: the trusted CA list, and the edge's own certificate when it is asked for.
    fn connector(&self) -> Result<Connector, Error> {
        let verifier = ServerVerifier::builder(Arc::clone(&self.trust), Arc::clone(&self.provider))
            .observer(Arc::new(RefusalRelay::new()))
            .build();
        Connector::new()
            .with_resolver(Arc::clone(&self.resolver))
            .with_clock(self.clock.clone())
            .with_observer(self.recorder.observer(PartyId::ExpresswayC))
            .with_verifier(Arc::new(verifier), Some(&self.certificate()))
            .map_err(|error| Error::setup("Expressway-C", error))
    }

    fn certificate(&self) -> CertifiedIdentity {
        lock(&self.certificate).clone()
    }
}

/// A poisoned lock still holds a whole value: each is replaced in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn identity(
    certificate: &Certificate,
    provider: &CryptoProvider,
) -> Result<CertifiedIdentity, Error> {
    CertifiedIdentity::from_der(certificate.chain().to_vec(), certificate.key(), provider)
        .map_err(|error| Error::setup("Expressway-C", error))
}
