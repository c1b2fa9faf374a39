//! Chains and whole handshakes through our verifiers, beside bare rustls-webpki and rustls with its own verifiers; and
//! handshakes while stores are replaced.

use std::hint::black_box;
use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use criterion::{Criterion, criterion_group, criterion_main};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use sip_oauth_trust::rustls::client::{Resumption, WebPkiServerVerifier};
use sip_oauth_trust::rustls::crypto::CryptoProvider;
use sip_oauth_trust::rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime,
};
use sip_oauth_trust::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use sip_oauth_trust::rustls::sign::SingleCertAndKey;
use sip_oauth_trust::rustls::{
    ClientConfig, ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion,
    version,
};
use sip_oauth_trust::{
    AllowedNames, AllowedRow, CertifiedIdentity, Identities, LiveAllowedNames, LiveTrustStore,
    Purpose, ReferenceIdentity, Rule, ServerCertificate, ServerConfigs, ServerVerifier, Source,
    TrustStore, client_config_with_versions, default_provider, verify_chain,
};
use webpki::{EndEntityCert, KeyUsage};

const NODE: &str = "ucm-pub.example.com";
const EDGE: &str = "expc1.example.com";

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str, issuer: Option<&Authority>) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().expect("a key");
    match issuer {
        Some(issuer) => CertifiedIssuer::signed_by(params, key, issuer),
        None => CertifiedIssuer::self_signed(params, key),
    }
    .expect("an authority")
}

/// End entity, issuing authority and root, as the certificates of both products are.
struct Estate {
    root: Authority,
    issuing: Authority,
}

impl Estate {
    fn new() -> Self {
        let root = authority("Example Root CA", None);
        let issuing = authority("Example Issuing CA", Some(&root));
        Self { root, issuing }
    }

    fn identity(&self, name: &str, provider: &CryptoProvider) -> CertifiedIdentity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().expect("a key");
        let leaf = params
            .signed_by(&key, &self.issuing)
            .expect("a certificate");
        let chain = vec![leaf.der().clone(), self.issuing.der().clone()];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        CertifiedIdentity::from_der(chain, key, provider).expect("its own key")
    }

    fn store(&self) -> TrustStore {
        let mut store = TrustStore::new("Tomcat-trust");
        store
            .add_der(
                self.root.der().clone(),
                &Source::Memory("the bench".to_owned()),
            )
            .expect("an authority");
        store
    }
}

fn provider() -> Arc<CryptoProvider> {
    default_provider().expect("aws-lc-rs is compiled in")
}

fn chain_and_name(criterion: &mut Criterion) {
    let provider = provider();
    let estate = Estate::new();
    let identity = estate.identity(NODE, &provider);
    let chain = identity.chain();
    let store = estate.store();
    let reference: ReferenceIdentity = NODE.parse().expect("a name");
    let name = ServerName::try_from(NODE).expect("a name");
    let now = SystemTime::now();
    let unix = UnixTime::now();

    let ours = |chain: &[CertificateDer<'_>]| {
        verify_chain(chain, &store, Purpose::Server, now, &provider).expect("a good chain");
        let identities = Identities::of(chain.first().expect("a chain")).expect("readable");
        Rule::Rfc9525
            .matches(&reference, &identities)
            .expect("its name")
    };
    let bare = |chain: &[CertificateDer<'_>]| {
        let (first, others) = chain.split_first().expect("a chain");
        let end_entity = EndEntityCert::try_from(first).expect("readable");
        end_entity
            .verify_for_usage(
                provider.signature_verification_algorithms.all,
                &store.roots().roots,
                others,
                unix,
                KeyUsage::server_auth(),
                None,
                None,
            )
            .expect("a good chain");
        end_entity
            .verify_is_valid_for_subject_name(&name)
            .expect("its name");
    };
    assert_eq!(ours(chain).rule, Rule::Rfc9525);
    bare(chain);

    let mut group = criterion.benchmark_group("trust/chain of two and name");
    group.bench_function("verify_chain, Rule::matches", |bencher| {
        bencher.iter(|| ours(black_box(chain)));
    });
    group.bench_function("rustls-webpki", |bencher| {
        bencher.iter(|| bare(black_box(chain)));
    });
    group.finish();
}

/// Both ends of a mutual handshake, to be made again and again.
struct Ends {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl Ends {
    fn ours(estate: &Estate, versions: &[&'static SupportedProtocolVersion]) -> Self {
        let provider = provider();
        let configs = server_configs(estate, versions);
        let verifier = ServerVerifier::builder(
            Arc::new(LiveTrustStore::new(estate.store())),
            Arc::clone(&provider),
        )
        .build();
        let edge = estate.identity(EDGE, &provider);
        let client = client_config_with_versions(Arc::new(verifier), Some(&edge), versions);
        Self {
            client: Arc::new(client.expect("the provider speaks TLS")),
            server: configs.mra_oauth(),
        }
    }

    /// The same with the verifiers that rustls has, and no table of names.
    fn of_rustls(estate: &Estate, versions: &[&'static SupportedProtocolVersion]) -> Self {
        let provider = provider();
        let roots = Arc::clone(estate.store().roots());
        let key = |name| {
            let identity = estate.identity(name, &provider);
            Arc::new(SingleCertAndKey::from(Arc::clone(identity.certified_key())))
        };
        let asked =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("the provider speaks TLS")
            .with_client_cert_verifier(asked.build().expect("roots"))
            .with_cert_resolver(key(NODE));
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
        let mut client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("the provider speaks TLS")
            .with_webpki_verifier(verifier.build().expect("roots"))
            .with_client_cert_resolver(key(EDGE));
        client.resumption = Resumption::disabled();
        Self {
            client: Arc::new(client),
            server: Arc::new(server),
        }
    }

    fn shake_hands(&self) -> (ClientConnection, ServerConnection) {
        let name = ServerName::try_from(NODE).expect("a name");
        let client = ClientConnection::new(Arc::clone(&self.client), name);
        let mut client = client.expect("a good configuration");
        let server = ServerConnection::new(Arc::clone(&self.server));
        let mut server = server.expect("a good configuration");
        let mut bytes = Vec::with_capacity(8 * 1024);
        while client.is_handshaking() || server.is_handshaking() {
            bytes.clear();
            while client.wants_write() {
                client.write_tls(&mut bytes).expect("memory");
            }
            server.read_tls(&mut Cursor::new(&bytes)).expect("memory");
            server.process_new_packets().expect("a good client");
            bytes.clear();
            while server.wants_write() {
                server.write_tls(&mut bytes).expect("memory");
            }
            client.read_tls(&mut Cursor::new(&bytes)).expect("memory");
            client.process_new_packets().expect("a good server");
        }
        (client, server)
    }
}

fn server_configs(
    estate: &Estate,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ServerConfigs> {
    let provider = provider();
    let table = AllowedNames::new([AllowedRow::new(EDGE, "", EDGE)]);
    let configs = ServerConfigs::with_versions(
        Arc::new(ServerCertificate::new(estate.identity(NODE, &provider))),
        Arc::new(LiveTrustStore::new(estate.store())),
        Arc::new(LiveAllowedNames::new(table)),
        provider,
        None,
        versions,
    );
    Arc::new(configs.expect("the provider speaks TLS"))
}

fn handshakes(criterion: &mut Criterion) {
    let estate = Estate::new();
    for (version, name) in [(&version::TLS13, "1.3"), (&version::TLS12, "1.2")] {
        let mut group = criterion.benchmark_group(format!("trust/mutual handshake, TLS {name}"));
        for (verifiers, ends) in [
            ("our verifiers", Ends::ours(&estate, &[version])),
            ("rustls' own", Ends::of_rustls(&estate, &[version])),
        ] {
            let (client, server) = ends.shake_hands();
            assert_eq!(client.protocol_version(), Some(version.version));
            assert_eq!(server.peer_certificates().map(<[_]>::len), Some(2));
            group.bench_function(verifiers, |bencher| bencher.iter(|| ends.shake_hands()));
        }
        group.finish();
    }
}

/// Handshakes over a live store that another thread replaces all the time, each time by one of a thousand authorities.
/// The slowest of them is printed: a reader that waited for a writer would show there.
fn replacement(criterion: &mut Criterion) {
    let estate = Estate::new();
    let provider = provider();
    let live = Arc::new(LiveTrustStore::new(estate.store()));
    let mut large = estate.store();
    for number in 0..1_000 {
        let other = authority(&format!("CA {number}"), None);
        let source = Source::Memory("the bench".to_owned());
        large
            .add_der(other.der().clone(), &source)
            .expect("an authority");
    }
    assert_eq!(large.len(), 1_001);
    let verifier = ServerVerifier::builder(Arc::clone(&live), Arc::clone(&provider)).build();
    let edge = estate.identity(EDGE, &provider);
    let versions = &[&version::TLS13];
    let client = client_config_with_versions(Arc::new(verifier), Some(&edge), versions);
    let ends = Ends {
        client: Arc::new(client.expect("the provider speaks TLS")),
        server: server_configs(&estate, versions).mra_oauth(),
    };
    let mut group = criterion.benchmark_group("trust/handshake and store");
    for (what, pause) in [
        ("store at rest", None),
        ("store replaced", Some(Duration::from_micros(200))),
    ] {
        let stop = Arc::new(AtomicBool::new(false));
        let writer = pause.map(|pause| {
            let (stop, live, large) = (Arc::clone(&stop), Arc::clone(&live), large.clone());
            thread::spawn(move || {
                let mut replaced = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    live.replace(large.clone());
                    replaced += 1;
                    thread::sleep(pause);
                }
                replaced
            })
        });
        let mut slowest = Duration::ZERO;
        let mut made = 0_u64;
        group.bench_function(what, |bencher| {
            bencher.iter(|| {
                let start = Instant::now();
                let ends = ends.shake_hands();
                slowest = slowest.max(start.elapsed());
                made += 1;
                ends
            });
        });
        stop.store(true, Ordering::Relaxed);
        let replaced = writer.map(|writer| writer.join().expect("no panic"));
        eprintln!(
            "{what}: {made} handshakes, slowest {slowest:?}, store replaced {replaced:?} times"
        );
    }
    group.finish();
}

criterion_group!(benches, chain_and_name, handshakes, replacement);
criterion_main!(benches);
