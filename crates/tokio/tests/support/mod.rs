//! A small estate on loopback: certificates made on the spot, one node, one authorization server, somebody who watches.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub(crate) mod http;
pub(crate) mod kept;
pub(crate) mod log;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    task::Poll,
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SerialNumber,
};
use rustls::{
    SupportedProtocolVersion,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use sip_oauth_registration::{
    client::{ClientConfig, Device, Event, Instance, Line, Target, Transport},
    registrar::{
        Cluster, Database, DeviceLine, DeviceRecord, Listener, Node, NodePorts, Observation,
        Registrar, RegistrarConfig, SecurityProfile, SipOAuthMode,
    },
};
use sip_oauth_token::{Verifier, issue::AuthorizationServer};
use sip_oauth_tokio::{
    ClientEvent, ClientEvents, Clock, ConnectionChange, ConnectionEvent, Connector, Direction,
    Ends, HttpEvent, MessageEvent, Observer, ObtainedToken, RefusalRelay, RegistrarServer, Role,
    ServerLimits, StaticResolver, Timeouts,
};
use sip_oauth_trust::{
    AllowedNames, AllowedRow, CertifiedIdentity, Explanation, LiveAllowedNames, LiveTrustStore,
    ServerCertificate, ServerConfigs, ServerVerifier, Source, TrustStore,
    client_config_with_versions,
};

pub(crate) const NODE: &str = "ucm1.example.com";
pub(crate) const EDGE: &str = "expc.example.com";
pub(crate) const DEVICE: &str = "CSFJDOE";
pub(crate) const CONTACT: &str = "a1b2c3d4-0000-4000-8000-000000000001";

pub(crate) const UUID: &str = "8e9de0a5-0b1d-4d4c-a8e8-0d29c5e0c2b5";

/// Both TLS versions, newest first, as configurations take them.
pub(crate) const BOTH: &[&SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

/// Each TLS version by itself.
pub(crate) const EACH: [&[&SupportedProtocolVersion]; 2] =
    [&[&rustls::version::TLS13], &[&rustls::version::TLS12]];

/// A certificate authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        log::watch();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for `name` with serverAuth and clientAuth, as both products want it.
    pub(crate) fn issue(&self, name: &str) -> CertifiedIdentity {
        self.issue_until(name, None)
    }

    /// The same, good until then.
    pub(crate) fn issue_until(&self, name: &str, end: Option<SystemTime>) -> CertifiedIdentity {
        identity(self.sign(name, name, end))
    }

    /// The same with a CN that is not its DNS name.
    pub(crate) fn issue_as(&self, common_name: &str, name: &str) -> CertifiedIdentity {
        identity(self.sign(common_name, name, None))
    }

    /// The same as PEM, certificate and key in one file, for programs that are not ours.
    pub(crate) fn issue_pem(&self, name: &str) -> String {
        let (certificate, key) = self.sign(name, name, None);
        certificate.pem() + &key.serialize_pem()
    }

    fn sign(
        &self,
        common_name: &str,
        name: &str,
        end: Option<SystemTime>,
    ) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        if let Some(end) = end {
            params.not_after = end.into();
        }
        (params.signed_by(&key, &self.0).unwrap(), key)
    }

    /// The authority's own certificate, for programs that are not ours.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A store that trusts this authority alone and has a list of it that revokes this certificate.
    pub(crate) fn store_revoking(&self, name: &str, revoked: &CertifiedIdentity) -> TrustStore {
        let serial = revoked.summary().serial().split(':');
        let serial: Vec<u8> = serial
            .map(|octet| u8::from_str_radix(octet, 16).unwrap())
            .collect();
        let (day, now) = (Duration::from_secs(86_400), SystemTime::now());
        let list = CertificateRevocationListParams {
            this_update: (now - day).into(),
            next_update: (now + day).into(),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from_slice(&serial),
                revocation_time: (now - day).into(),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.0).unwrap();
        let mut store = self.store(name);
        let source = Source::Memory("made for this test".to_owned());
        assert_eq!(store.add_crl(list.der(), &source).unwrap(), 1);
        store
    }

    /// A store that trusts this authority alone.
    pub(crate) fn store(&self, name: &str) -> TrustStore {
        let mut store = TrustStore::new(name);
        store
            .add_der(
                self.0.der().clone(),
                &Source::Memory("made for this test".to_owned()),
            )
            .unwrap();
        store
    }
}

fn identity((certificate, key): (rcgen::Certificate, KeyPair)) -> CertifiedIdentity {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    CertifiedIdentity::from_der(vec![certificate.der().clone()], key, &provider()).unwrap()
}

pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    log::watch();
    sip_oauth_trust::default_provider().unwrap()
}

/// A TLS configuration for connecting: trusts `store`, shows `identity`.
pub(crate) fn client_tls(
    store: TrustStore,
    identity: Option<&CertifiedIdentity>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<rustls::ClientConfig> {
    let store = Arc::new(LiveTrustStore::new(store));
    let verifier = ServerVerifier::builder(store, provider())
        .observer(Arc::new(RefusalRelay::new()))
        .build();
    Arc::new(client_config_with_versions(Arc::new(verifier), identity, versions).unwrap())
}

/// TLS configurations for accepting: shows `identity`, trusts `store`, lets in what `names` lists.
pub(crate) fn server_tls(
    identity: CertifiedIdentity,
    store: TrustStore,
    names: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ServerConfigs> {
    server_tls_with(
        identity,
        Arc::new(LiveTrustStore::new(store)),
        names,
        versions,
    )
}

/// The same over a store that can be changed.
pub(crate) fn server_tls_with(
    identity: CertifiedIdentity,
    store: Arc<LiveTrustStore>,
    names: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ServerConfigs> {
    let allowed = if names.is_empty() {
        AllowedNames::new([])
    } else {
        AllowedNames::new([AllowedRow::new("expressway", "", names)])
    };
    Arc::new(
        ServerConfigs::with_versions(
            Arc::new(ServerCertificate::new(identity)),
            store,
            Arc::new(LiveAllowedNames::new(allowed)),
            provider(),
            Some(Arc::new(RefusalRelay::new())),
            versions,
        )
        .unwrap(),
    )
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// All names of the estate lead to loopback.
pub(crate) fn names() -> Arc<StaticResolver> {
    let home = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Arc::new(
        [
            NODE,
            "ucm2.example.com",
            EDGE,
            "edge.example.com",
            "as.example.com",
        ]
        .iter()
        .fold(StaticResolver::new(), |names, name| names.with(name, home)),
    )
}

pub(crate) fn connector(tls: Arc<rustls::ClientConfig>, clock: &Clock) -> Connector {
    Connector::new()
        .with_resolver(names())
        .with_tls(tls)
        .with_clock(clock.clone())
        .with_timeouts(quick())
}

/// Time-outs for tests: long enough for a busy machine, short enough to wait for.
pub(crate) fn quick() -> Timeouts {
    Timeouts::new()
        .connect(Duration::from_secs(5))
        .handshake(Duration::from_secs(5))
        .linger(Duration::from_millis(300))
        .shutdown(Duration::from_secs(3))
        // The machine may be busy with other things; who tests overload says when it begins.
        .overload(Duration::from_secs(60))
}

/// One node of Unified CM with one device, and what is needed to reach it.
pub(crate) struct Estate {
    pub(crate) authority: Authority,
    pub(crate) tls: Arc<ServerConfigs>,
    /// The node's Tomcat-trust.
    pub(crate) trust: Arc<LiveTrustStore>,
    pub(crate) registrar: Arc<Registrar>,
    pub(crate) tokens: AuthorizationServer,
    pub(crate) clock: Clock,
    pub(crate) trace: Arc<Trace>,
}

impl Estate {
    pub(crate) fn new() -> Self {
        Self::with_versions(BOTH)
    }

    pub(crate) fn with_versions(versions: &[&'static SupportedProtocolVersion]) -> Self {
        let authority = Authority::new("Example CA");
        let trust = Arc::new(LiveTrustStore::new(authority.store("Tomcat-trust")));
        let tls = server_tls_with(authority.issue(NODE), Arc::clone(&trust), EDGE, versions);
        let mut cluster = Cluster::new();
        cluster
            .add_node(Node::new(NODE, NodePorts::default()))
            .unwrap();
        cluster.set_refresh_login_flow(true);
        cluster.set_sip_oauth_mode(SipOAuthMode::Enabled).unwrap();
        cluster.restart(NODE).unwrap();
        cluster
            .put_profile(SecurityProfile::oauth("CSF - OAuth"))
            .unwrap();
        cluster
            .put_device(DeviceRecord::csf(
                DEVICE,
                "CSF - OAuth",
                "jdoe",
                [DeviceLine::new("1010")],
            ))
            .unwrap();
        let tokens = AuthorizationServer::new(UUID).unwrap();
        let verifier = Verifier::new(tokens.key_set(), tokens.policy());
        let registrar = Arc::new(Registrar::new(
            RegistrarConfig::unified_cm(NODE),
            Database::new(cluster),
            Arc::new(verifier),
        ));
        Self {
            authority,
            tls,
            trust,
            registrar,
            tokens,
            clock: Clock::adjustable(),
            trace: Arc::default(),
        }
    }

    /// The three listeners on free ports.
    pub(crate) async fn serve(&self) -> RegistrarServer {
        self.serve_with(quick(), ServerLimits::new()).await
    }

    pub(crate) async fn serve_with(
        &self,
        timeouts: Timeouts,
        limits: ServerLimits,
    ) -> RegistrarServer {
        RegistrarServer::builder(Arc::clone(&self.registrar), Arc::clone(&self.tls))
            .listen(Listener::SipOAuth, loopback(0))
            .listen(Listener::SipMraOAuth, loopback(0))
            .listen(Listener::Sip, loopback(0))
            .clock(self.clock.clone())
            .observer(self.trace.clone())
            .timeouts(timeouts)
            .limits(limits)
            .start()
            .await
            .unwrap()
    }

    /// How many addresses-of-record are registered.
    pub(crate) fn bindings(&self) -> usize {
        self.registrar.store().len()
    }

    /// An access token for the device's owner.
    pub(crate) fn token(&self) -> ObtainedToken {
        self.token_of("jdoe")
    }

    pub(crate) fn token_of(&self, user: &str) -> ObtainedToken {
        let issued = self
            .tokens
            .issue_access(user, "C0ffee", &[], self.clock.system_now())
            .unwrap();
        ObtainedToken::new(issued.token).expires_in(issued.expires_in)
    }

    /// A connector that trusts the estate's authority and shows no certificate.
    pub(crate) fn connector(&self) -> Connector {
        let tls = client_tls(self.authority.store("client trust"), None, BOTH);
        connector(tls, &self.clock)
    }
}

/// The device, registering at these nodes.
pub(crate) fn device_at(targets: Vec<Target>) -> ClientConfig {
    let device = Device::csf(DEVICE, Instance::new("005056aabbcc").unwrap());
    ClientConfig::unified_cm(device, Line::new("1010", CONTACT), targets)
}

/// The node's TLS listener.
pub(crate) fn at_node(server: &RegistrarServer) -> Target {
    let port = server.local_addr(Listener::SipOAuth).unwrap().port();
    Target::new(NODE, port, Transport::Tls)
}

/// Waits for the next event about the registration, passing over others, for at most 20 s.
pub(crate) async fn registration(events: &mut ClientEvents) -> Event {
    loop {
        match soon(events.recv()).await {
            Some(ClientEvent::Registration(event)) => return event,
            Some(_) => {}
            None => panic!("the client ended"),
        }
    }
}

/// The output of `future`, which must come within 20 s.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    log::watch();
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("this takes milliseconds; 20 s have passed")
}

/// Remembers what it sees.
#[derive(Default)]
pub(crate) struct Trace {
    messages: Mutex<Vec<(Direction, Ends, String)>>,
    refusals: Mutex<Vec<(Role, Explanation)>>,
    limited: Mutex<Vec<String>>,
    closed: Mutex<usize>,
    decisions: Mutex<Vec<Observation>>,
    ended: Mutex<Vec<String>>,
    http: Mutex<Vec<(String, Option<u16>)>>,
    accepted: Mutex<Vec<Option<sip_oauth_tokio::TlsFacts>>>,
}

impl Trace {
    /// Start lines, `>` sent and `<` received.
    pub(crate) fn ladder(&self) -> Vec<String> {
        let messages = self.messages.lock().unwrap();
        messages
            .iter()
            .map(|(direction, _, text)| {
                let arrow = match direction {
                    Direction::Sent => '>',
                    Direction::Received => '<',
                };
                format!("{arrow} {}", text.lines().next().unwrap_or_default())
            })
            .collect()
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        let messages = self.messages.lock().unwrap();
        messages.iter().map(|(_, _, text)| text.clone()).collect()
    }

    pub(crate) fn refusals(&self) -> Vec<(Role, Explanation)> {
        self.refusals.lock().unwrap().clone()
    }

    pub(crate) fn limited(&self) -> Vec<String> {
        self.limited.lock().unwrap().clone()
    }

    /// The connection of each message.
    pub(crate) fn ends(&self) -> Vec<Ends> {
        let messages = self.messages.lock().unwrap();
        messages.iter().map(|(_, ends, _)| *ends).collect()
    }

    /// Connections that ended in order.
    pub(crate) fn closed(&self) -> usize {
        *self.closed.lock().unwrap()
    }

    pub(crate) fn decisions(&self) -> Vec<Observation> {
        self.decisions.lock().unwrap().clone()
    }

    pub(crate) fn ended(&self) -> Vec<String> {
        self.ended.lock().unwrap().clone()
    }

    pub(crate) fn http(&self) -> Vec<(String, Option<u16>)> {
        self.http.lock().unwrap().clone()
    }

    pub(crate) fn accepted(&self) -> Vec<Option<sip_oauth_tokio::TlsFacts>> {
        self.accepted.lock().unwrap().clone()
    }

    /// Waits until `seen` holds.
    pub(crate) async fn until(&self, what: &str, seen: impl Fn(&Self) -> bool) {
        for _ in 0..1000 {
            if seen(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not seen within 10 s: {what}");
    }
}

impl Observer for Trace {
    fn message(&self, event: &MessageEvent<'_>) {
        let text = String::from_utf8_lossy(event.bytes.expose()).into_owned();
        let mut messages = self.messages.lock().unwrap();
        messages.push((event.direction, event.ends, text));
    }

    fn connection(&self, event: &ConnectionEvent<'_>) {
        match event.change {
            ConnectionChange::Refused(explanation) => {
                let mut refusals = self.refusals.lock().unwrap();
                refusals.push((event.role, explanation.clone()));
            }
            ConnectionChange::Closed => *self.closed.lock().unwrap() += 1,
            ConnectionChange::Limited(why) => self.limited.lock().unwrap().push(why.to_owned()),
            ConnectionChange::Accepted { tls } => {
                self.accepted.lock().unwrap().push(tls.cloned());
            }
            _ => {}
        }
    }

    fn decision(&self, _: Ends, observation: &Observation) {
        self.decisions.lock().unwrap().push(observation.clone());
    }

    fn ended(&self, ended: &sip_oauth_registration::registrar::Ended) {
        let line = format!("{} {:?}", ended.binding.line, ended.cause);
        self.ended.lock().unwrap().push(line);
    }

    fn http(&self, event: &HttpEvent<'_>) {
        let mut http = self.http.lock().unwrap();
        http.push((format!("{} {}", event.method, event.subject), event.status));
    }
}

/// What `SystemTime` the clock shows; here so that tests need no import for it.
pub(crate) fn wall(clock: &Clock) -> SystemTime {
    clock.system_now()
}

/// Runs all of them at once on this task.
pub(crate) async fn at_once<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures
        .into_iter()
        .map(|one| (Box::pin(one), None))
        .collect();
    std::future::poll_fn(|context| {
        for (future, output) in &mut running {
            if output.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        if running.iter().all(|(_, output)| output.is_some()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    running
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}
