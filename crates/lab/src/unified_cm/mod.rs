//! A Unified CM node.

mod axl;
mod configuration;
mod console;
mod oauth;
mod rows;
mod service;
mod sql;

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
use sip_oauth_token::{
    RefreshToken, Verifier,
    issue::{AccessTokenExpiryTimer, AuthorizationServer, RefreshTokenExpiryTimer},
};
use sip_oauth_tokio::{ClientAuthentication, Clock, RefusalRelay};
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
use console::{AuthzKey, Command};
pub(crate) use oauth::Accounts;
use oauth::OAuth;
use rows::Rows;
use service::Service;

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
    pub(crate) accounts: Accounts,
}

/// The ports of a node, and the listeners that are open from the start.
pub(crate) struct Ports {
    pub(crate) sip: NodePorts,
    /// Those of `sip`, until their listeners open.
    pub(crate) kept: Kept,
    pub(crate) configuration: TcpListener,
    pub(crate) web: TcpListener,
}

/// A name and its password: an application user, an end user, a resource server.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
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
    accounts: Accounts,
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

        let database = database(&name, ports.sip, setup.sip_oauth_mode)?;

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
        let web = Arc::new(Web {
            axl: AxlService::new(
                database.clone(),
                Arc::clone(&rows),
                Arc::clone(&provider),
                &setup.accounts.administrator.name,
                &setup.accounts.administrator.password,
            )
            .map_err(|error| failed(&error))?,
            oauth: OAuth::new(
                Arc::clone(&authorization_server),
                database.clone(),
                clock.clone(),
                &setup.token_path,
                setup.accounts.clone(),
            ),
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
            accounts: setup.accounts,
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

    /// The port of AXL and of the authorization server, 8443 in the product.
    pub fn web_port(&self) -> u16 {
        self.web.port()
    }

    /// The URL where a user signs in, with the product's path.
    pub fn authorization_endpoint(&self) -> String {
        self.url(oauth::AUTHORIZE_PATH)
    }

    /// The URL of the token endpoint. Unified CM's own is not public; see
    /// [`LabBuilder::token_path`](crate::LabBuilder::token_path).
    pub fn token_endpoint(&self) -> String {
        self.url(&self.token_path)
    }

    /// The URL of the signing key as a JWK set, under a path of the lab's own.
    pub fn jwks_uri(&self) -> String {
        self.url(oauth::JWKS_PATH)
    }

    /// The URL of the introspection endpoint, under a path of the lab's own.
    pub fn introspection_endpoint(&self) -> String {
        self.url(oauth::INTROSPECTION_PATH)
    }

    /// Who may ask the introspection endpoint: a resource server by HTTP Basic.
    pub fn resource_server(&self) -> ClientAuthentication {
        let Account { name, password } = &self.accounts.resource_server;
        ClientAuthentication::basic(name, password)
    }

    /// Name and password of the application user: AXL, and revocation at `/ssosp/token/revoke`.
    pub fn application_user(&self) -> (&str, &str) {
        let Account { name, password } = &self.accounts.administrator;
        (name, password)
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}:{}{path}", self.name, self.web.port())
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
    /// `run sql <statement>`, `show open ports regexp <pattern>`, `show key authz signing|encryption` and
    /// `set key regen authz signing|encryption`. What the product prints for them is not public, but for the form of
    /// `show open ports`; the texts are ours.
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
            Command::ShowKey(key) => vec![console::key_line(key, &self.key_id(key))],
            Command::RegenerateKey(key) => self.regenerate(key)?,
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
        // New authz keys are loaded with the restart, as the product's documents have it.
        let keys = self.authorization_server().key_set();
        self.verifier.replace_keys(keys);
        self.service
            .restart(&self.database, &self.configs, &self.verifier)
            .await
    }

    /// The `kid` of a key.
    fn key_id(&self, key: AuthzKey) -> String {
        let server = self.authorization_server();
        match key {
            AuthzKey::Signing => server.signing_key_id().as_str().to_owned(),
            AuthzKey::Encryption => server.encryption_key_id().as_str().to_owned(),
        }
    }

    fn regenerate(&self, key: AuthzKey) -> Result<Vec<String>, Error> {
        let mut server = self.authorization_server();
        match key {
            AuthzKey::Signing => server.regenerate_signing_key(),
            AuthzKey::Encryption => server.regenerate_encryption_key(),
        }
        .map_err(|error| Error::setup("authorization server", error))?;
        Ok(console::regenerated(key))
    }

    /// Sets the enterprise parameter OAuth Access Token Expiry Timer.
    pub fn set_access_token_expiry_timer(&self, timer: AccessTokenExpiryTimer) {
        self.authorization_server()
            .set_access_token_expiry_timer(timer);
    }

    /// Sets the enterprise parameter OAuth Refresh Token Expiry Timer; another value revokes every token.
    pub fn set_refresh_token_expiry_timer(&self, timer: RefreshTokenExpiryTimer) {
        self.authorization_server()
            .set_refresh_token_expiry_timer(timer);
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

    /// Logs a user in without a browser: a refresh token for `client_id`, handed over in process.
    /// [`Jabber::sign_in`](crate::Jabber::sign_in) does it over HTTPS.
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

/// A cluster of one node with the two profiles of the document.
fn database(node: &str, ports: NodePorts, mode: SipOAuthMode) -> Result<Database, Error> {
    let failed = |cause: &dyn std::fmt::Display| Error::setup("Unified CM", cause);
    let mut cluster = Cluster::new();
    cluster
        .add_node(Node::new(node, ports))
        .map_err(|error| failed(&error))?;
    cluster.set_refresh_login_flow(true);
    cluster
        .set_sip_oauth_mode(mode)
        .map_err(|error| failed(&error))?;
    for profile in [
        SecurityProfile::oauth(OAUTH_PROFILE),
        SecurityProfile::non_secure(STANDARD_PROFILE),
    ] {
        cluster
            .put_profile(profile)
            .map_err(|error| failed(&error))?;
    }
    Ok(Database::new(cluster))
}

/// Port 8443: two services, told apart by path.
struct Web {
    axl: AxlService,
    oauth: OAuth,
}

impl Answers for Web {
    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        match request.uri().path() {
            "/axl/" | "/axl" => self.axl.answer(request),
            _ => self
                .oauth
                .answer(request)
                .unwrap_or_else(|| plain(StatusCode::NOT_FOUND, "no such service\n")),
        }
    }
}
