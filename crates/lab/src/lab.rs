//! The cluster in one process.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use rustls::crypto::CryptoProvider;
use sip_oauth_registration::registrar::{Listener, NodePorts, SipOAuthMode};
use sip_oauth_tokio::{Clock, Resolver, StaticResolver};
use sip_oauth_trust::{LiveTrustStore, Source, TrustStore, default_provider};

use crate::{
    CertificateAuthority, Error, ExpresswayC, Jabber, PartyId, UnifiedCm, expressway,
    ports::{self, Kept},
    recorder::{Recorder, Speaks},
    report::Occurrence,
    unified_cm::{self, Account, Accounts},
};

/// The node's name.
pub const NODE: &str = "ucm-pub.example.com";
/// The edge's name.
pub const EDGE: &str = "expc1.example.com";
/// The names of the edge's certificate: its own, which is also the CN, and its cluster's.
pub(crate) const EDGE_NAMES: [&str; 2] = [EDGE, "expc-cluster.example.com"];
/// The name under which clients outside reach the edge: its Expressway-E.
pub const OUTER_EDGE: &str = "expe1.example.com";
/// The device.
pub const DEVICE: &str = "CSFrado";
/// Its owner.
pub const USER: &str = "rado";
/// Its line.
pub const LINE: &str = "1010";
/// The line's contact, a GUID as Unified CM makes one per line.
const CONTACT: &str = "4f6d2c18-7a3b-4e5c-9d0f-8b1a2c3d4e5f";
/// The key of the cluster: issuer of its tokens.
const CLUSTER_UUID: &str = "5c1e7f20-93ab-4d6e-8a57-1f0b2c3d4e5f";

/// Something that is wrong in the lab from the start, as the document's failures have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The Tomcat certificate was renewed by a CA that Expressway-C does not trust. Cisco CallManager has loaded it, Tomcat
    /// itself (port 8443) has not been restarted yet: discovery still works, the MRA port is refused.
    EdgeDistrustsTomcat,
    /// Tomcat-trust lacks the CA that signed the Expressway-C certificate.
    NodeDistrustsEdge,
    /// Enable OAuth Authentication is off in the phone security profile, but the device still has the file of before.
    ProfileWithoutOAuth,
    /// The device got its OAuth profile after its file was made, and was not reset.
    StaleDeviceFile,
}

/// What a lab is started with.
///
/// ```no_run
/// use sip_oauth_lab::Lab;
///
/// # async fn example() -> Result<(), sip_oauth_lab::Error> {
/// let lab = Lab::builder().start().await?;
/// for line in lab.cli("show open ports regexp LISTEN").await? {
///     println!("{line}");
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct LabBuilder {
    product_ports: bool,
    real_time: bool,
    sip_oauth_mode: SipOAuthMode,
    keep_alive_interval: Duration,
    token_path: String,
    faults: Vec<Fault>,
}

impl Default for LabBuilder {
    fn default() -> Self {
        Self {
            product_ports: false,
            real_time: false,
            sip_oauth_mode: SipOAuthMode::Enabled,
            keep_alive_interval: Duration::from_secs(120),
            token_path: "/lab/oauth2/token".to_owned(),
            faults: Vec::new(),
        }
    }
}

impl LabBuilder {
    /// Listens on 5060, 5090, 5091, 6970 and 8443, the edge on 5061, instead of free ports.
    pub fn product_ports(mut self) -> Self {
        self.product_ports = true;
        self
    }

    /// Waits for every waiting time instead of moving the clock.
    pub fn real_time(mut self) -> Self {
        self.real_time = true;
        self
    }

    /// Starts with Cluster SIPOAuth Mode disabled, as a cluster is installed. By default it is enabled and running.
    pub fn sip_oauth_mode_disabled(mut self) -> Self {
        self.sip_oauth_mode = SipOAuthMode::Disabled;
        self
    }

    /// The service parameter SIP Station KeepAlive Interval: what the registrar grants. 120 s by default.
    pub fn keep_alive_interval(mut self, interval: Duration) -> Self {
        self.keep_alive_interval = interval;
        self
    }

    /// The path of the token endpoint on port 8443, `/lab/oauth2/token` by default. Unified CM's own path is not public.
    pub fn token_path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.token_path);
        self
    }

    /// Starts with a fault.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Starts everything.
    ///
    /// # Errors
    ///
    /// [`Error::PortInUse`] when a product port is taken; other [`Error`]s when no keys or sockets are to be had.
    pub async fn start(&self) -> Result<Lab, Error> {
        let provider =
            default_provider().map_err(|error| Error::setup("crypto provider", error))?;
        let clock = if self.real_time {
            Clock::real()
        } else {
            Clock::adjustable()
        };
        let recorder = Recorder::new(clock.clone());
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let resolver: Arc<dyn Resolver> = Arc::new(
            StaticResolver::new()
                .with(NODE, loopback)
                .with(OUTER_EDGE, loopback),
        );
        let authorities = Authorities {
            unified_cm: CertificateAuthority::new("Example Corp Unified CM CA")?,
            renewed: CertificateAuthority::new("Example Corp Renewed CA")?,
            expressway: CertificateAuthority::new("Example Corp Expressway CA")?,
        };
        let account = |name: &str| {
            Ok::<_, Error>(Account {
                name: name.to_owned(),
                password: random_password(&provider)?,
            })
        };
        let accounts = Accounts {
            administrator: account("axl-expressway")?,
            user: account(USER)?,
            resource_server: account("resource-server")?,
        };

        let (sip, kept) = self.node_ports().await?;
        let product = |port: u16| self.product_ports.then_some(port);
        let unified_cm = Box::new(UnifiedCm::start(unified_cm::Setup {
            name: NODE.to_owned(),
            uuid: CLUSTER_UUID.to_owned(),
            clock: clock.clone(),
            recorder: recorder.clone(),
            provider: Arc::clone(&provider),
            tomcat: authorities.unified_cm.issue(NODE, &[NODE])?,
            ports: unified_cm::Ports {
                sip,
                kept,
                configuration: ports::listen("configuration server", product(6970)).await?,
                web: ports::listen("AXL", product(8443)).await?,
            },
            sip_oauth_mode: self.sip_oauth_mode,
            keep_alive_interval: self.keep_alive_interval,
            token_path: self.token_path.clone(),
            accounts: accounts.clone(),
        })?);
        if !self.has(Fault::NodeDistrustsEdge) {
            unified_cm.upload_to_tomcat_trust(&authorities.expressway)?;
        }
        unified_cm.add_device(DEVICE, USER, LINE, CONTACT)?;
        if self.has(Fault::ProfileWithoutOAuth) {
            unified_cm.set_oauth_authentication(false)?;
        }
        if self.has(Fault::StaleDeviceFile) {
            unified_cm.assign_profile(DEVICE, unified_cm::STANDARD_PROFILE)?;
            unified_cm.reset_device(DEVICE)?;
            unified_cm.assign_profile(DEVICE, unified_cm::OAUTH_PROFILE)?;
        }
        if self.has(Fault::EdgeDistrustsTomcat) {
            unified_cm.install_tomcat(&authorities.renewed.issue(NODE, &[NODE])?)?;
        }
        unified_cm.restart_call_manager().await?;
        for listener in Listener::ALL {
            recorder.listener(unified_cm.port(listener), PartyId::UnifiedCm, Speaks::Sip);
        }
        for port in [unified_cm.configuration_port(), unified_cm.web_port()] {
            recorder.listener(port, PartyId::UnifiedCm, Speaks::Http);
        }

        let expressway_c = Box::pin(ExpresswayC::start(expressway::Setup {
            name: EDGE.to_owned(),
            outer_name: OUTER_EDGE.to_owned(),
            outer_certificate: authorities.expressway.issue(OUTER_EDGE, &[OUTER_EDGE])?,
            certificate: authorities.expressway.issue(EDGE, &EDGE_NAMES)?,
            clients: ports::listen("Expressway", product(5061)).await?,
            clock: clock.clone(),
            recorder: recorder.clone(),
            resolver: Arc::clone(&resolver),
            provider: Arc::clone(&provider),
            axl_user: accounts.administrator,
        }))
        .await?;
        recorder.listener(expressway_c.port(), PartyId::ExpresswayC, Speaks::Sip);
        expressway_c.trust(&authorities.unified_cm)?;

        Ok(Lab {
            clock,
            real_time: self.real_time,
            recorder,
            resolver,
            provider,
            authorities,
            unified_cm,
            expressway_c: Box::new(expressway_c),
            user: accounts.user,
        })
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// The product's ports, or four free ones that are kept until their listeners open.
    async fn node_ports(&self) -> Result<(NodePorts, Kept), Error> {
        if self.product_ports {
            return Ok((NodePorts::default(), Kept::default()));
        }
        let mut sockets = Vec::new();
        for listener in Listener::ALL {
            sockets.push(ports::listen(listener.label(), None).await?);
        }
        let mut free = [0; 4];
        for (port, socket) in free.iter_mut().zip(&sockets) {
            *port = socket
                .local_addr()
                .map_err(Error::socket("Unified CM"))?
                .port();
        }
        drop(sockets);
        let kept = Kept::of(free);
        let [sip, sip_secure, sip_oauth, sip_mra_oauth] = free;
        let ports = NodePorts::new(sip, sip_secure, sip_oauth, sip_mra_oauth)
            .map_err(|error| Error::setup("Unified CM", error))?;
        Ok((ports, kept))
    }
}

/// Two authorities, so that neither side trusts the other by accident.
#[derive(Debug)]
pub struct Authorities {
    /// Signs the Tomcat certificate.
    pub unified_cm: CertificateAuthority,
    /// Signs the Tomcat certificate of [`Fault::EdgeDistrustsTomcat`].
    pub renewed: CertificateAuthority,
    /// Signs the Expressway-C certificate.
    pub expressway: CertificateAuthority,
}

/// A running cluster: authorities, a Unified CM node, an Expressway-C.
///
/// Everything ends when it is dropped; [`Lab::stop`] waits for it.
#[derive(Debug)]
pub struct Lab {
    clock: Clock,
    real_time: bool,
    recorder: Recorder,
    resolver: Arc<dyn Resolver>,
    provider: Arc<CryptoProvider>,
    authorities: Authorities,
    /// Boxed, as the other: who awaits a scenario would have both on its stack.
    unified_cm: Box<UnifiedCm>,
    expressway_c: Box<ExpresswayC>,
    user: Account,
}

impl Lab {
    /// A lab with everything at its defaults.
    pub fn builder() -> LabBuilder {
        LabBuilder::default()
    }

    /// The node.
    pub fn unified_cm(&self) -> &UnifiedCm {
        &self.unified_cm
    }

    /// The edge.
    pub fn expressway_c(&self) -> &ExpresswayC {
        &self.expressway_c
    }

    /// The certificate authorities.
    pub fn authorities(&self) -> &Authorities {
        &self.authorities
    }

    /// The clock everybody goes by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The password of [`USER`], made anew with each lab.
    pub fn user_password(&self) -> &str {
        &self.user.password
    }

    /// A client that trusts both authorities and has not logged in yet.
    ///
    /// # Errors
    ///
    /// When its TLS configuration cannot be made.
    pub fn jabber(&self) -> Result<Jabber, Error> {
        let mut store = TrustStore::new("the client's certificate store");
        for authority in [&self.authorities.unified_cm, &self.authorities.expressway] {
            let source = Source::Upload(authority.name().to_owned());
            store
                .add_der(authority.certificate().clone(), &source)
                .map_err(|error| Error::setup("Jabber", error))?;
        }
        Jabber::new(
            DEVICE,
            self.user.clone(),
            &self.clock,
            &self.recorder,
            Arc::clone(&self.resolver),
            Arc::clone(&self.provider),
            Arc::new(LiveTrustStore::new(store)),
        )
    }

    /// Types a command at the node's console, as [`UnifiedCm::cli`], and records it.
    ///
    /// # Errors
    ///
    /// As [`UnifiedCm::cli`].
    pub async fn cli(&self, command: &str) -> Result<Vec<String>, Error> {
        let output = self.unified_cm.cli(command).await?;
        self.recorder.now(Occurrence::Console {
            command: command.to_owned(),
            output: output.clone(),
        });
        Ok(output)
    }

    /// Lets time pass: by moving the clock, or by waiting where the lab runs in real time.
    pub async fn wait(&self, duration: Duration) {
        if self.real_time || !self.clock.advance(duration) {
            tokio::time::sleep(duration).await;
        }
    }

    /// Stops everything and waits for the end, so that every port is free again.
    pub async fn stop(self) {
        self.expressway_c.stop().await;
        self.unified_cm.stop().await;
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }
}

/// Which one a party is.
pub(crate) fn instance(party: PartyId) -> &'static str {
    match party {
        PartyId::Jabber => DEVICE,
        PartyId::ExpresswayC => EDGE,
        PartyId::UnifiedCm => NODE,
    }
}

/// A password of an account of the lab: nobody types it.
fn random_password(provider: &CryptoProvider) -> Result<String, Error> {
    let mut bytes = [0; 16];
    provider
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| Error::setup("passwords", "no random numbers"))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
