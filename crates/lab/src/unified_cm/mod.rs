//! A Unified CM node.

mod axl;
mod configuration;
mod console;
mod rows;
mod service;
mod sql;
mod tokens;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hyper::{Request, Response, StatusCode};
use rustls::crypto::CryptoProvider;
use sip_oauth_axl::{ExpresswayCConfiguration, Nullable, X509Names};
use sip_oauth_registration::registrar::{
    Cluster, Database, DeviceLine, DeviceRecord, Listener, Node, NodePorts, SecurityProfile,
    SipOAuthMode,
};
use sip_oauth_token::{RefreshToken, Verifier, issue::AuthorizationServer};
use sip_oauth_tokio::{Clock, RefusalRelay};
use sip_oauth_trust::{
    AllowedNames, CertifiedIdentity, LiveAllowedNames, LiveTrustStore, ServerCertificate,
    ServerConfigs, Source, TrustStore,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{
    Certificate, CertificateAuthority, Error,
    http::{Answers, HttpServer, plain},
    ports::Kept,
    recorder::Recorder,
};
use axl::AxlService;
use configuration::ConfigurationServer;
use console::Command;
use rows::Rows;
use service::Service;
use tokens::TokenEndpoint;

/// The name of the phone security profile that enables OAuth, as in the document's screenshot.
pub const OAUTH_PROFILE: &str = "Cisco Unified Client Services Framework - OAuth auth";
/// The name of the product's standard profile for the same phone type.
pub const STANDARD_PROFILE: &str =
    "Cisco Unified Client Services Framework - Standard SIP Non-Secure Profile";
/// The scope Jabber asks for.
pub const SCOPE: &str = "UnifiedCommunications:readwrite";

/// What a node is started with.
pub(crate) struct Setup {
    pub(crate) name: String,
    pub(crate) uuid: String,
    pub(crate) clock: Clock,
    pub(crate) recorder: Recorder,
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) tomcat: Certificate,
    pub(crate) ports: Ports,
    pub(crate) sip_oauth_mode: SipOAuthMode,
    pub(crate) keep_alive_interval: Duration,
    pub(crate) token_path: String,
    pub(crate) axl_user: AxlUser,
}

/// The ports of a node, and the listeners that are open from the start.
pub(crate) struct Ports {
    pub(crate) sip: NodePorts,
    /// Those of `sip`, until their listeners open.
    pub(crate) kept: Kept,
    pub(crate) configuration: TcpListener,
    pub(crate) web: TcpListener,
}

/// The application user Expressway-C is given.
#[derive(Clone)]
pub(crate) struct AxlUser {
    pub(crate) name: String,
    pub(crate) password: String,
}

impl std::fmt::Debug for AxlUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AxlUser")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A Unified CM node: registrar, configuration server, database, authorization server, console.
#[derive(Debug)]
pub struct UnifiedCm {
    name: String,
    uuid: String,
    clock: Clock,
    provider: Arc<CryptoProvider>,
    database: Database,
    rows: Arc<Rows>,
    files: Arc<ConfigurationServer>,
    authorization_server: Arc<Mutex<AuthorizationServer>>,
    verifier: Arc<Verifier>,
    tomcat_trust: Arc<LiveTrustStore>,
    configs: Arc<ServerConfigs>,
    service: Service,
    configuration: HttpServer,
    web: HttpServer,
    token_path: String,
}

impl UnifiedCm {
    /// Starts the web services; Cisco CallManager is started by [`UnifiedCm::restart_call_manager`].
    pub(crate) fn start(setup: Setup) -> Result<Self, Error> {
        let Setup {
            name,
            uuid,
            clock,
            recorder,
            provider,
            tomcat,
            ports,
            ..
        } = setup;
        let failed = |cause: &dyn std::fmt::Display| Error::setup("Unified CM", cause);

        let mut cluster = Cluster::new();
        cluster
            .add_node(Node::new(&name, ports.sip))
            .map_err(|error| failed(&error))?;
        cluster.set_refresh_login_flow(true);
        cluster
            .set_sip_oauth_mode(setup.sip_oauth_mode)
            .map_err(|error| failed(&error))?;
        for profile in [
            SecurityProfile::oauth(OAUTH_PROFILE),
            SecurityProfile::non_secure(STANDARD_PROFILE),
        ] {
            cluster
                .put_profile(profile)
                .map_err(|error| failed(&error))?;
        }
        let database = Database::new(cluster);

        let authorization_server =
            AuthorizationServer::new(&uuid).map_err(|error| failed(&error))?;
        let verifier = Arc::new(Verifier::new(
            authorization_server.key_set(),
            authorization_server.policy(),
        ));
        let authorization_server = Arc::new(Mutex::new(authorization_server));

        let identity =
            CertifiedIdentity::from_der(tomcat.chain().to_vec(), tomcat.key(), &provider)
                .map_err(|error| failed(&error))?;
        let tomcat_trust = Arc::new(LiveTrustStore::new(TrustStore::new("Tomcat-trust")));
        let allowed = Arc::new(LiveAllowedNames::new(AllowedNames::new([])));
        let rows = Arc::new(Rows::new(database.clone(), Arc::clone(&allowed)));
        let configs = Arc::new(
            ServerConfigs::new(
                Arc::new(ServerCertificate::new(identity)),
                Arc::clone(&tomcat_trust),
                allowed,
                Arc::clone(&provider),
                Some(Arc::new(RefusalRelay::new())),
            )
            .map_err(|error| failed(&error))?,
        );

        let files = Arc::new(ConfigurationServer::default());
        let configuration = HttpServer::start(
            ports.configuration,
            None,
            Arc::<ConfigurationServer>::clone(&files),
        )
        .map_err(Error::socket("configuration server"))?;
        let user = &setup.axl_user;
        let axl = AxlService::new(
            database.clone(),
            Arc::clone(&rows),
            Arc::clone(&provider),
            &user.name,
            &user.password,
        )
        .map_err(|error| failed(&error))?;
        let tokens = TokenEndpoint::new(Arc::clone(&authorization_server), clock.clone());
        let web = Arc::new(Web {
            axl,
            tokens,
            token_path: setup.token_path.clone(),
        });
        // Tomcat's own port: one way, as 5090.
        let tls = TlsAcceptor::from(configs.oauth());
        let web =
            HttpServer::start(ports.web, Some(tls), web).map_err(Error::socket("port 8443"))?;

        let service = Service::new(
            &name,
            setup.keep_alive_interval,
            clock.clone(),
            recorder,
            ports.kept,
        );
        Ok(Self {
            name,
            uuid,
            clock,
            provider,
            database,
            rows,
            files,
            authorization_server,
            verifier,
            tomcat_trust,
            configs,
            service,
            configuration,
            web,
            token_path: setup.token_path,
        })
    }

    /// The node's name: `processNodeName`, and the DNS name of its Tomcat certificate.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is configured and what is running.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The configured port of a listener.
    pub fn port(&self, listener: Listener) -> u16 {
        // The lab adds its one node when it starts and never removes it.
        self.database
            .read()
            .node(&self.name)
            .map_or(0, |node| node.ports.port(listener))
    }

    /// The port of the configuration server, 6970 in the product.
    pub fn configuration_port(&self) -> u16 {
        self.configuration.port()
    }

    /// The port of AXL and of the token endpoint, 8443 in the product.
    pub fn web_port(&self) -> u16 {
        self.web.port()
    }

    /// The URL of the token endpoint. Unified CM's own is not public; see
    /// [`LabBuilder::token_path`](crate::LabBuilder::token_path).
    pub fn token_endpoint(&self) -> String {
        format!(
            "https://{}:{}{}",
            self.name,
            self.web.port(),
            self.token_path
        )
    }

    /// The listeners that are open now, with their ports.
    pub fn open_listeners(&self) -> Vec<(Listener, u16)> {
        self.service.open()
    }

    /// How many bindings the registrar holds.
    pub fn bindings(&self) -> usize {
        self.service.bindings()
    }

    /// Types a command at the console and gives back what it prints.
    ///
    /// Known are `utils sipOAuth-mode enable|disable|status`, `utils service restart Cisco CallManager`,
    /// `run sql <statement>` and `show open ports regexp <pattern>`. What the product prints for them is not public, but
    /// for the form of `show open ports`; the texts are ours.
    ///
    /// # Errors
    ///
    /// When Cisco CallManager does not start again.
    pub async fn cli(&self, line: &str) -> Result<Vec<String>, Error> {
        Ok(match Command::read(line) {
            Command::SetMode(mode) => console::set_mode(&self.database, mode),
            Command::ModeStatus => console::mode_status(&self.database.read()),
            Command::Sql(statement) => console::run_sql(&self.database.read(), statement),
            Command::OpenPorts(pattern) => {
                console::open_ports(&self.name, &self.open_listeners(), pattern)
            }
            Command::RestartCallManager => {
                self.restart_call_manager().await?;
                vec![
                    "Cisco CallManager[STOPPING]".to_owned(),
                    "Cisco CallManager[STARTED]".to_owned(),
                ]
            }
            Command::Unknown => {
                vec!["Executed command unsuccessfully: not a command of the lab".to_owned()]
            }
        })
    }

    /// Restarts Cisco CallManager: what is configured runs from now on, the Tomcat certificate is loaded anew, and every
    /// binding is gone.
    ///
    /// # Errors
    ///
    /// [`Error::PortInUse`] when a listener's port was taken meanwhile.
    pub async fn restart_call_manager(&self) -> Result<(), Error> {
        self.service
            .restart(&self.database, &self.configs, &self.verifier)
            .await
    }

    /// Stops the node: Cisco CallManager and the web services.
    pub(crate) async fn stop(self) {
        self.service.stop().await;
        self.configuration.stop().await;
        self.web.stop().await;
    }

    /// Adds a device with the OAuth profile, owned by `owner`, and generates its file.
    ///
    /// # Errors
    ///
    /// When `name` is no device name.
    pub fn add_device(
        &self,
        name: &str,
        owner: &str,
        line: &str,
        contact: &str,
    ) -> Result<(), Error> {
        let line = DeviceLine::new(line).with_contact(contact);
        let record = DeviceRecord::csf(name, OAUTH_PROFILE, owner, [line]);
        self.database
            .edit(|cluster| cluster.put_device(record))
            .map_err(|error| Error::setup("device", error))?;
        self.reset_device(name)
    }

    /// Assigns a phone security profile. The device's file is as before until the device is reset.
    ///
    /// # Errors
    ///
    /// When there is no such device or profile.
    pub fn assign_profile(&self, device: &str, profile: &str) -> Result<(), Error> {
        let read = self.database.read();
        let record = read
            .device(device)
            .ok_or_else(|| Error::setup("device", format!("no device {device}")))?;
        let mut record = record.clone();
        profile.clone_into(&mut record.profile);
        self.database
            .edit(|cluster| cluster.put_device(record))
            .map_err(|error| Error::setup("device", error))
    }

    /// Ticks or unticks Enable OAuth Authentication in the OAuth profile.
    ///
    /// # Errors
    ///
    /// None in practice: the profile stays valid either way.
    pub fn set_oauth_authentication(&self, enabled: bool) -> Result<(), Error> {
        let profile = SecurityProfile {
            oauth_authentication: enabled,
            ..SecurityProfile::oauth(OAUTH_PROFILE)
        };
        self.database
            .edit(|cluster| cluster.put_profile(profile))
            .map_err(|error| Error::setup("phone security profile", error))
    }

    /// Resets a device: its configuration file is generated anew.
    ///
    /// # Errors
    ///
    /// When there is no such device.
    pub fn reset_device(&self, device: &str) -> Result<(), Error> {
        self.files
            .generate(&self.database.read(), device, &self.uuid)
    }

    /// Installs another Tomcat certificate. Ports 5090 and 5091 present it after a restart of Cisco CallManager.
    ///
    /// # Errors
    ///
    /// When it cannot be used.
    pub fn install_tomcat(&self, certificate: &Certificate) -> Result<(), Error> {
        let identity = CertifiedIdentity::from_der(
            certificate.chain().to_vec(),
            certificate.key(),
            &self.provider,
        )
        .map_err(|error| Error::setup("Tomcat certificate", error))?;
        self.configs.certificate().install(identity);
        Ok(())
    }

    /// Uploads a CA certificate to Tomcat-trust. The listeners go by it after a restart of Cisco CallManager.
    ///
    /// # Errors
    ///
    /// When it cannot be a trust anchor.
    pub fn upload_to_tomcat_trust(&self, authority: &CertificateAuthority) -> Result<(), Error> {
        let source = Source::Upload(format!("{}.pem", authority.name()));
        self.tomcat_trust
            .update(|store| {
                let mut store = store.clone();
                store
                    .add_der(authority.certificate().clone(), &source)
                    .map(|_| store)
            })
            .map_err(|error| Error::setup("Tomcat-trust", error))
    }

    /// The rows of `expresswaycconfiguration`.
    pub fn expressway_c_rows(&self) -> Vec<ExpresswayCConfiguration> {
        self.rows.read()
    }

    /// Edits the names of every row by hand, as under Device > Expressway-C.
    pub fn edit_expressway_c_names(&self, names: &str) {
        let names = X509Names::lossy(names);
        self.rows.edit(|rows| {
            for row in rows {
                row.x509_subject_name_or_subject_alternate_name = Nullable::Value(names.clone());
            }
        });
    }

    /// Logs a user in: a refresh token for `client_id`. How a client logs in to the product (authorization code, browser)
    /// is left out; the token is handed over in process.
    ///
    /// # Errors
    ///
    /// When no token can be issued.
    pub fn log_in(&self, user: &str, client_id: &str) -> Result<RefreshToken, Error> {
        let (token, _) = self
            .authorization_server()
            .issue_refresh(user, client_id, &[SCOPE], self.now())
            .map_err(|error| Error::setup("authorization server", error))?;
        Ok(token)
    }

    /// The verifier of access tokens, with the authz keys. Expressway-C gets the same keys when its servers are
    /// refreshed; by which request is not public, so the lab hands them over in process.
    pub fn token_verifier(&self) -> Verifier {
        let server = self.authorization_server();
        Verifier::new(server.key_set(), server.policy())
    }

    fn authorization_server(&self) -> MutexGuard<'_, AuthorizationServer> {
        self.authorization_server
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> SystemTime {
        self.clock.system_now()
    }
}

/// Port 8443: two services under two paths.
struct Web {
    axl: AxlService,
    tokens: TokenEndpoint,
    token_path: String,
}

impl Answers for Web {
    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        match request.uri().path() {
            "/axl/" | "/axl" => self.axl.answer(request),
            path if path == self.token_path => self.tokens.answer(request),
            _ => plain(StatusCode::NOT_FOUND, "no such service\n"),
        }
    }
}
