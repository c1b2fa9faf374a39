//! A Unified CM node and an Expressway-C that meet in memory, verified by us, by rustls and by webpki alone.

use std::io::Cursor;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use sip_oauth_trust::rustls::client::{Resumption, WebPkiServerVerifier};
use sip_oauth_trust::rustls::crypto::CryptoProvider;
use sip_oauth_trust::rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime,
};
use sip_oauth_trust::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use sip_oauth_trust::rustls::{
    ClientConfig, ClientConnection, Error, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};
use sip_oauth_trust::{
    AllowedNames, AllowedRow, CertifiedIdentity, ClientVerifier, LiveAllowedNames, LiveTrustStore,
    ServerCertificate, ServerConfigs, ServerVerifier, Source, TrustStore,
    client_config_with_versions, default_provider,
};
use webpki::{EndEntityCert, KeyUsage};

pub(crate) const NODE: &str = "cucm1.example.com";
const EDGE: &str = "expc1.example.com";

/// The keys of certificates and of who signs them.
#[derive(Clone, Copy)]
pub(crate) enum Key {
    P256,
    Rsa,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

/// Who takes part: either end with its chain, and what each trusts.
pub(crate) struct Cast {
    provider: Arc<CryptoProvider>,
    pub(crate) node_chain: Vec<CertificateDer<'static>>,
    pub(crate) edge_chain: Vec<CertificateDer<'static>>,
    node_key: KeyPair,
    edge_key: KeyPair,
    /// What the node trusts, and what the edge trusts.
    node_store: TrustStore,
    edge_store: TrustStore,
    pub(crate) roots_of_node: Arc<RootCertStore>,
    pub(crate) roots_of_edge: Arc<RootCertStore>,
}

impl Cast {
    /// Chains with so many intermediates.
    pub(crate) fn new(key: Key, depth: usize) -> Self {
        let (node_anchor, node_chain, node_key) = chain(NODE, key, depth);
        let (edge_anchor, edge_chain, edge_key) = chain(EDGE, key, depth);
        let (node_store, edge_store) = (store(&[edge_anchor]), store(&[node_anchor]));
        Self {
            provider: default_provider().expect("a provider"),
            roots_of_node: Arc::clone(node_store.roots()),
            roots_of_edge: Arc::clone(edge_store.roots()),
            node_chain,
            edge_chain,
            node_key,
            edge_key,
            node_store,
            edge_store,
        }
    }

    pub(crate) fn server_verifier(&self) -> ServerVerifier {
        let live = Arc::new(LiveTrustStore::new(self.edge_store.clone()));
        ServerVerifier::builder(live, Arc::clone(&self.provider)).build()
    }

    pub(crate) fn client_verifier(&self) -> ClientVerifier {
        let live = Arc::new(LiveTrustStore::new(self.node_store.clone()));
        ClientVerifier::builder(live, table(), Arc::clone(&self.provider)).build()
    }

    /// Both ends with our verifiers.
    pub(crate) fn ours(
        &self,
        version: &'static SupportedProtocolVersion,
        mutual: bool,
    ) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
        let identity = mutual.then(|| self.edge_identity());
        let verifier = Arc::new(self.server_verifier());
        let client = client_config_with_versions(verifier, identity.as_ref(), &[version])
            .expect("a configuration");
        let configs = self.live_server(version).configs;
        let server = if mutual {
            configs.mra_oauth()
        } else {
            configs.oauth()
        };
        (Arc::new(client), server)
    }

    /// A node whose store can be replaced.
    pub(crate) fn live_server(&self, version: &'static SupportedProtocolVersion) -> LiveServer {
        let store = Arc::new(LiveTrustStore::new(self.node_store.clone()));
        let identity = identity(&self.node_chain, &self.node_key, &self.provider);
        let configs = ServerConfigs::with_versions(
            Arc::new(ServerCertificate::new(identity)),
            Arc::clone(&store),
            table(),
            Arc::clone(&self.provider),
            None,
            &[version],
        );
        LiveServer {
            store,
            configs: configs.expect("configurations"),
        }
    }

    /// This edge, which trusts the node of another cast.
    pub(crate) fn client_for(
        &self,
        version: &'static SupportedProtocolVersion,
        other: &Self,
    ) -> Arc<ClientConfig> {
        let verifier = Arc::new(other.server_verifier());
        let identity = self.edge_identity();
        Arc::new(
            client_config_with_versions(verifier, Some(&identity), &[version])
                .expect("a configuration"),
        )
    }

    /// Both ends with the verifiers of rustls, sessions not resumed either.
    pub(crate) fn by_rustls(
        &self,
        version: &'static SupportedProtocolVersion,
        mutual: bool,
    ) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
        let provider = || Arc::clone(&self.provider);
        let verifier = WebPkiServerVerifier::builder_with_provider(
            Arc::clone(&self.roots_of_edge),
            provider(),
        );
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_webpki_verifier(verifier.build().expect("roots"));
        let mut client = if mutual {
            builder
                .with_client_auth_cert(self.edge_chain.clone(), private_key(&self.edge_key))
                .expect("a key")
        } else {
            builder.with_no_client_auth()
        };
        client.resumption = Resumption::disabled();
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .expect("a version");
        let builder = if mutual {
            let verifier = WebPkiClientVerifier::builder_with_provider(
                Arc::clone(&self.roots_of_node),
                provider(),
            );
            builder.with_client_cert_verifier(verifier.build().expect("roots"))
        } else {
            builder.with_no_client_auth()
        };
        let mut server = builder
            .with_single_cert(self.node_chain.clone(), private_key(&self.node_key))
            .expect("a key");
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        (Arc::new(client), Arc::new(server))
    }

    /// What the node trusts, among so many others.
    pub(crate) fn store_of_node_among(&self, others: usize) -> TrustStore {
        let mut store = self.node_store.clone();
        let source = Source::Memory("made for this bench".to_owned());
        for anchor in anchors().iter().take(others) {
            store.add_der(anchor.clone(), &source).expect("an anchor");
        }
        store
    }

    /// webpki alone: the path to an anchor and, where one is expected, the name.
    pub(crate) fn bare_webpki(
        &self,
        roots: &RootCertStore,
        chain: &[CertificateDer<'_>],
        name: Option<&ServerName<'_>>,
        now: UnixTime,
    ) -> Result<(), webpki::Error> {
        let (end_entity, intermediates) = chain.split_first().ok_or(webpki::Error::BadDer)?;
        let certificate = EndEntityCert::try_from(end_entity)?;
        let usage = match name {
            Some(_) => KeyUsage::server_auth(),
            None => KeyUsage::client_auth(),
        };
        let algorithms = self.provider.signature_verification_algorithms.all;
        certificate.verify_for_usage(
            algorithms,
            &roots.roots,
            intermediates,
            now,
            usage,
            None,
            None,
        )?;
        match name {
            Some(name) => certificate.verify_is_valid_for_subject_name(name),
            None => Ok(()),
        }
    }

    fn edge_identity(&self) -> CertifiedIdentity {
        identity(&self.edge_chain, &self.edge_key, &self.provider)
    }
}

/// A node's configurations, and the store behind them.
pub(crate) struct LiveServer {
    store: Arc<LiveTrustStore>,
    pub(crate) configs: ServerConfigs,
}

impl LiveServer {
    pub(crate) fn replace(&self, store: TrustStore) {
        self.store.replace(store);
    }
}

/// A hundred anchors of others, made once.
fn anchors() -> &'static [CertificateDer<'static>] {
    static ANCHORS: std::sync::OnceLock<Vec<CertificateDer<'static>>> = std::sync::OnceLock::new();
    ANCHORS.get_or_init(|| {
        (0..100)
            .map(|number| {
                authority(&format!("Other CA {number}"), Key::P256, None)
                    .der()
                    .clone()
            })
            .collect()
    })
}

/// The two ends after their handshake.
pub(crate) struct Connection {
    pub(crate) client: ClientConnection,
    pub(crate) server: ServerConnection,
}

/// A handshake without sockets.
pub(crate) fn connect(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
    name: &'static str,
) -> Result<Connection, Error> {
    let name = ServerName::try_from(name).expect("a name");
    let mut client = ClientConnection::new(Arc::clone(client), name)?;
    let mut server = ServerConnection::new(Arc::clone(server))?;
    let mut wire = Vec::with_capacity(8 << 10);
    while client.is_handshaking() || server.is_handshaking() {
        wire.clear();
        while client.wants_write() {
            client.write_tls(&mut wire).expect("memory");
        }
        let mut sent = Cursor::new(wire.as_slice());
        while sent.position() < wire.len() as u64 {
            server.read_tls(&mut sent).expect("memory");
            server.process_new_packets()?;
        }
        wire.clear();
        while server.wants_write() {
            server.write_tls(&mut wire).expect("memory");
        }
        let mut sent = Cursor::new(wire.as_slice());
        while sent.position() < wire.len() as u64 {
            client.read_tls(&mut sent).expect("memory");
            client.process_new_packets()?;
        }
    }
    Ok(Connection { client, server })
}

/// The full table: the edge stands in the last of 1,000 rows of 50 names.
fn table() -> Arc<LiveAllowedNames> {
    let names =
        |row: usize| (0..50).map(move |number| format!("edge{number}.site{row}.example.com"));
    let rows = (0..1_000).map(|row| {
        let mut names: Vec<String> = names(row).collect();
        if row == 999 {
            names.push(EDGE.to_owned());
        }
        AllowedRow::new(format!("edge0.site{row}.example.com"), "", names.join(","))
    });
    Arc::new(LiveAllowedNames::new(rows.collect::<AllowedNames>()))
}

fn store(anchors: &[CertificateDer<'static>]) -> TrustStore {
    let mut store = TrustStore::new("Tomcat-trust");
    let source = Source::Memory("made for this bench".to_owned());
    for anchor in anchors {
        store.add_der(anchor.clone(), &source).expect("an anchor");
    }
    store
}

/// An anchor, the chain of `name` below it, and the key of its first certificate.
fn chain(
    name: &str,
    key: Key,
    depth: usize,
) -> (
    CertificateDer<'static>,
    Vec<CertificateDer<'static>>,
    KeyPair,
) {
    let root = authority(&format!("Root of {name}"), key, None);
    let anchor = root.der().clone();
    let mut signer = root;
    let mut above = Vec::new();
    for number in 0..depth {
        signer = authority(&format!("Authority {number} of {name}"), key, Some(&signer));
        above.insert(0, signer.der().clone());
    }
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let pair = pair(key);
    let certificate = params.signed_by(&pair, &signer).expect("a certificate");
    above.insert(0, certificate.der().clone());
    (anchor, above, pair)
}

fn authority(name: &str, key: Key, issuer: Option<&Authority>) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    match issuer {
        None => CertifiedIssuer::self_signed(params, pair(key)),
        Some(issuer) => CertifiedIssuer::signed_by(params, pair(key), issuer),
    }
    .expect("an authority")
}

/// One key is enough for all RSA certificates: nobody is to be kept out here, and making one takes long.
fn pair(key: Key) -> KeyPair {
    match key {
        Key::P256 => KeyPair::generate(),
        Key::Rsa => KeyPair::from_pem(include_str!(
            "../../crates/trust/tests/fixtures/rsa-2048.key.pem"
        )),
    }
    .expect("a key")
}

fn private_key(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()))
}

fn identity(
    chain: &[CertificateDer<'static>],
    key: &KeyPair,
    provider: &Arc<CryptoProvider>,
) -> CertifiedIdentity {
    CertifiedIdentity::from_der(chain.to_vec(), private_key(key), provider).expect("an identity")
}
