//! What changes while listeners run, and what must not come back in.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::SystemTime;

use rcgen::ExtendedKeyUsagePurpose;
use rustls::client::ResolvesClientCert;
use rustls::server::ServerSessionMemoryCache;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::{HandshakeKind, SignatureScheme, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, ServerName};
use sip_oauth_trust::{
    AllowedNames, AllowedRow, ClientVerifier, LiveAllowedNames, LiveTrustStore, Reason,
    ServerCertificate, ServerConfigs, ServerVerifier, Source, TrustStore, client_config,
};
use support::scene::BOTH;
use support::{Authority, Leaf, authority, connect, provider, store};

const NODE: &str = "cucm1.example.com";
const EDGE: &str = "expc1.example.com";

struct Cluster {
    ca: Authority,
    certificate: Arc<ServerCertificate>,
    trust: Arc<LiveTrustStore>,
    table: Arc<LiveAllowedNames>,
    configs: ServerConfigs,
    client: Arc<rustls::ClientConfig>,
    edge: CertificateDer<'static>,
}

fn cluster() -> Cluster {
    cluster_with(rustls::DEFAULT_VERSIONS)
}

fn cluster_with(versions: &[&'static SupportedProtocolVersion]) -> Cluster {
    let ca = authority("Example CA");
    let certificate = Arc::new(ServerCertificate::new(Leaf::named(NODE).signed_by(&ca)));
    let trust = store("Tomcat-trust", [ca.der()]);
    let table = Arc::new(LiveAllowedNames::new(AllowedNames::new([AllowedRow::new(
        EDGE, "", EDGE,
    )])));
    let configs = ServerConfigs::with_versions(
        Arc::clone(&certificate),
        Arc::clone(&trust),
        Arc::clone(&table),
        provider(),
        None,
        versions,
    )
    .expect("the provider speaks TLS");
    let edge = Leaf::named(EDGE).signed_by(&ca);
    let verifier =
        ServerVerifier::builder(store("trusted CA list", [ca.der()]), provider()).build();
    let mut client =
        client_config(Arc::new(verifier), Some(&edge)).expect("the provider speaks TLS");
    // A peer that tries to resume, as OpenSSL and rustls do by themselves.
    client.resumption = rustls::client::Resumption::default();
    Cluster {
        edge: edge.chain().first().expect("a chain").clone(),
        ca,
        certificate,
        trust,
        table,
        configs,
        client: Arc::new(client),
    }
}

impl Cluster {
    fn come_in(&self) -> (bool, Option<HandshakeKind>) {
        let (ends, _, server) = connect(Arc::clone(&self.client), self.configs.mra_oauth(), NODE);
        (
            ends.server.is_ok() && ends.client.is_ok(),
            server.handshake_kind(),
        )
    }

    fn presented(&self) -> Option<CertificateDer<'static>> {
        let (_, client, _) = connect(Arc::clone(&self.client), self.configs.oauth(), NODE);
        Some(client.peer_certificates()?.first()?.clone())
    }
}

/// Each with the versions of one cluster.
fn each_version() -> impl Iterator<Item = Cluster> {
    BOTH.into_iter()
        .map(|version| cluster_with(&[version.in_rustls()]))
}

/// The trap, and the proof that the client of these tests would resume if it could: with one configuration for all
/// connections, and sessions in it, a peer taken off the list comes back in without any verifier.
#[test]
fn client_of_these_tests_resumes_where_a_server_lets_it() {
    for cluster in each_version() {
        let mut config = rustls::ServerConfig::clone(&cluster.configs.mra_oauth());
        config.session_storage = ServerSessionMemoryCache::new(8);
        config.send_tls13_tickets = 2;
        let config = Arc::new(config);
        let come_in = || {
            let (ends, _, server) = connect(Arc::clone(&cluster.client), Arc::clone(&config), NODE);
            ends.client.unwrap();
            ends.server.unwrap();
            server.handshake_kind()
        };
        assert_eq!(come_in(), Some(HandshakeKind::Full));
        assert_eq!(come_in(), Some(HandshakeKind::Resumed));
        cluster.table.replace(AllowedNames::default());
        assert_eq!(come_in(), Some(HandshakeKind::Resumed));
        // Which is why the list is asked again after each accept.
        let chain = [cluster.edge.clone()];
        cluster.configs.check_peer(&chain).unwrap_err();
    }
}

#[test]
fn sessions_are_never_resumed_on_5091() {
    for cluster in each_version() {
        for _ in 0..3 {
            assert_eq!(cluster.come_in(), (true, Some(HandshakeKind::Full)));
        }
    }
}

#[test]
fn peer_taken_off_the_list_does_not_come_back_with_its_session() {
    for cluster in each_version() {
        assert!(cluster.come_in().0);
        cluster.table.replace(AllowedNames::default());
        assert!(!cluster.come_in().0);
    }
}

#[test]
fn peer_whose_authority_left_the_store_does_not_come_back_with_its_session() {
    for cluster in each_version() {
        assert!(cluster.come_in().0);
        cluster.trust.replace(TrustStore::new("Tomcat-trust"));
        assert!(!cluster.come_in().0);
    }
}

/// "Server and client both needed where the product needs both."
#[test]
fn both_roles_are_needed_on_5091_when_asked_for() {
    let cluster = cluster();
    let only_client = Leaf::named(EDGE)
        .usages(&[ExtendedKeyUsagePurpose::ClientAuth])
        .signed_by(&cluster.ca);
    let now = SystemTime::now();
    let configs = |cluster: &Cluster| {
        ServerConfigs::new(
            Arc::clone(&cluster.certificate),
            Arc::clone(&cluster.trust),
            Arc::clone(&cluster.table),
            provider(),
            None,
        )
        .unwrap()
    };
    configs(&cluster)
        .recheck_peer(only_client.chain(), now)
        .unwrap();
    let both = configs(&cluster).require_both_roles().unwrap();
    let refused = both.recheck_peer(only_client.chain(), now).unwrap_err();
    let required = Some("serverAuth");
    assert_eq!(refused.reason, Reason::Purpose { required });
    both.recheck_peer(std::slice::from_ref(&cluster.edge), now)
        .unwrap();
    // In a handshake, and after the configurations were made anew.
    let verifier = ServerVerifier::builder(store("", [cluster.ca.der()]), provider()).build();
    let client = Arc::new(client_config(Arc::new(verifier), Some(&only_client)).unwrap());
    for _ in 0..2 {
        let (ends, _, _) = connect(Arc::clone(&client), both.mra_oauth(), NODE);
        ends.server.unwrap_err();
        cluster
            .trust
            .replace(TrustStore::clone(&cluster.trust.load()));
    }
}

#[test]
fn server_that_is_connected_loses_its_trust_with_store_name_or_time() {
    let cluster = cluster();
    let trusted = store("trusted CA list", [cluster.ca.der()]);
    let verifier = ServerVerifier::builder(Arc::clone(&trusted), provider()).build();
    let node = cluster.certificate.loaded();
    let now = SystemTime::now();
    let recheck = |name: &str, now| {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let verdict = verifier.recheck_peer(node.chain(), &name, now);
        verdict.map_err(|refusal| refusal.reason)
    };
    recheck(NODE, now).unwrap();
    let other = recheck("cucm2.example.com", now);
    assert!(matches!(
        other,
        Err(Reason::NameMismatch { names: Some(_) })
    ));
    let early = recheck(NODE, SystemTime::UNIX_EPOCH);
    assert!(matches!(early, Err(Reason::NotYetValid { ahead: Some(_) })));
    trusted.replace(TrustStore::new("trusted CA list"));
    let untrusted = recheck(NODE, now);
    assert!(matches!(untrusted, Err(Reason::UnknownIssuer { .. })));
}

#[test]
fn peer_is_let_in_as_soon_as_its_authority_is_uploaded() {
    let cluster = cluster();
    cluster.trust.replace(TrustStore::new("Tomcat-trust"));
    assert!(!cluster.come_in().0);
    cluster
        .trust
        .update(|current| {
            let mut next = current.clone();
            next.add_der(
                cluster.ca.der().clone(),
                &Source::Upload("ca.pem".to_owned()),
            )?;
            Ok::<_, sip_oauth_trust::StoreError>(next)
        })
        .expect("a good certificate");
    assert!(cluster.come_in().0);
}

#[test]
fn accepted_peer_is_looked_up_in_the_table_as_it_is_now() {
    let cluster = cluster();
    let chain = [cluster.edge.clone()];
    let matched = cluster.configs.check_peer(&chain).expect("in the table");
    assert_eq!((matched.row.as_str(), matched.entry.as_str()), (EDGE, EDGE));
    cluster.table.replace(AllowedNames::default());
    let refusal = cluster
        .configs
        .check_peer(&chain)
        .expect_err("no longer in the table");
    assert!(matches!(
        refusal.reason,
        Reason::NameNotInTable { names: Some(_) }
    ));
    let nobody = cluster.configs.check_peer(&[]).expect_err("no certificate");
    assert_eq!(nobody.reason, Reason::NoCertificate);
}

#[test]
fn tomcat_certificate_replaced_but_not_loaded_is_a_state_that_can_be_seen() {
    let cluster = cluster();
    let old = cluster.certificate.loaded().chain().first().cloned();
    let next = Leaf::named(NODE).signed_by(&cluster.ca);
    let new = next.chain().first().cloned();

    cluster.certificate.install(next);
    assert!(cluster.certificate.is_reload_due());
    assert_eq!(cluster.presented(), old, "the old one until told");

    assert!(cluster.certificate.reload());
    assert_eq!(cluster.presented(), new);
    assert!(!cluster.certificate.is_reload_due());
    assert!(!cluster.certificate.reload(), "nothing new to load");
}

#[test]
fn failed_update_leaves_the_store_as_it_was() {
    let cluster = cluster();
    let error = cluster.trust.update(|current| {
        let mut next = current.clone();
        next.add_pem(b"no PEM", &Source::Upload("ca.pem".to_owned()))?;
        Ok::<_, sip_oauth_trust::StoreError>(next)
    });
    assert!(error.is_err());
    assert_eq!(cluster.trust.load().len(), 1);
}

#[test]
fn connection_that_is_up_loses_its_trust_with_store_table_or_time() {
    let cluster = cluster();
    let chain = [cluster.edge.clone()];
    let now = SystemTime::now();
    cluster
        .configs
        .recheck_peer(&chain, now)
        .expect("still trusted");

    let early = cluster
        .configs
        .recheck_peer(&chain, SystemTime::UNIX_EPOCH)
        .expect_err("long before");
    assert!(
        matches!(early.reason, Reason::NotYetValid { .. }),
        "{early}"
    );

    let trusted = cluster.trust.replace(TrustStore::new("Tomcat-trust"));
    let refusal = cluster
        .configs
        .recheck_peer(&chain, now)
        .expect_err("nobody is trusted");
    assert!(
        matches!(refusal.reason, Reason::UnknownIssuer { .. }),
        "{refusal}"
    );
    cluster.trust.replace(TrustStore::clone(&trusted));
    cluster.table.replace(AllowedNames::default());
    let refusal = cluster
        .configs
        .recheck_peer(&chain, now)
        .expect_err("not in the table");
    assert!(
        matches!(refusal.reason, Reason::NameNotInTable { .. }),
        "{refusal}"
    );
}

#[test]
fn client_is_told_the_authorities_of_the_store_as_it_is() {
    let cluster = cluster();
    cluster.configs.mra_oauth();
    let other = authority("Another CA");
    cluster.trust.replace(TrustStore::clone(
        &store("Tomcat-trust", [other.der()]).load(),
    ));
    let hints = Arc::new(Hints::default());
    let mut client = rustls::ClientConfig::clone(&cluster.client);
    client.client_auth_cert_resolver = Arc::<Hints>::clone(&hints) as Arc<dyn ResolvesClientCert>;
    connect(Arc::new(client), cluster.configs.mra_oauth(), NODE);
    let told = hints.0.lock().expect("no panic under the lock").clone();
    let expected = store("", [other.der()]).load().roots().subjects();
    let expected: Vec<Vec<u8>> = expected.iter().map(|name| name.as_ref().to_vec()).collect();
    assert_eq!(told, expected);
}

/// RFC 8446 §4.2.4: a client looks for a certificate of one of these. The host's own subject would be no such name.
#[test]
fn client_whose_own_certificate_is_in_the_store_is_told_its_issuer() {
    let ca = authority("Edge CA");
    let edge = Leaf::named("expc1.example.com").signed_by(&ca);
    let hints = |trusted| {
        ClientVerifier::builder(
            store("Tomcat-trust", [trusted]),
            Arc::new(LiveAllowedNames::new(AllowedNames::default())),
            provider(),
        )
        .build()
        .root_hint_subjects()
        .iter()
        .map(|name| name.as_ref().to_vec())
        .collect::<Vec<_>>()
    };
    assert_eq!(hints(&edge.chain()[0]), hints(ca.der()));
}

/// A client without a certificate that notes what it was asked for.
#[derive(Debug, Default)]
struct Hints(Mutex<Vec<Vec<u8>>>);

impl ResolvesClientCert for Hints {
    fn resolve(&self, hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        *self.0.lock().expect("no panic under the lock") =
            hints.iter().map(|hint| hint.to_vec()).collect();
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[test]
fn session_of_5090_is_not_taken_on_5091_nor_the_other_way() {
    let cluster = cluster();
    for _ in 0..2 {
        for config in [cluster.configs.oauth(), cluster.configs.mra_oauth()] {
            let (ends, _, server) = connect(Arc::clone(&cluster.client), config, NODE);
            ends.client.expect("a good server");
            ends.server.expect("a good client");
            assert_eq!(server.handshake_kind(), Some(HandshakeKind::Full));
        }
    }
}

/// "Counts from the first connection after reload", also while others make the configurations anew for another store.
#[test]
fn reloaded_certificate_counts_at_once_although_the_store_changes_meanwhile() {
    let cluster = cluster();
    let others = [Leaf::named(NODE), Leaf::named(NODE)].map(|leaf| leaf.signed_by(&cluster.ca));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let same = TrustStore::clone(&cluster.trust.load());
                    cluster.trust.replace(same);
                    cluster.configs.oauth();
                }
            });
        }
        let stopped = StopOnDrop(&stop);
        for _ in 0..40 {
            for other in &others {
                cluster.certificate.install(other.clone());
                cluster.certificate.reload();
                let config = cluster.configs.mra_oauth();
                let (_, client, _) = connect(Arc::clone(&cluster.client), config, NODE);
                let presented = client.peer_certificates().expect("a handshake");
                assert!(presented == other.chain(), "an older one was presented");
            }
        }
        drop(stopped);
    });
}

/// Ends the other threads when the test fails, too.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Of reloads that meet, the last has the last word: none puts back what it read before another.
#[test]
fn reloads_that_meet_end_with_what_is_installed() {
    let ca = authority("Example CA");
    let both = [Leaf::named(NODE), Leaf::named(NODE)].map(|leaf| leaf.signed_by(&ca));
    let certificate = ServerCertificate::new(both[0].clone());
    for round in 0..200 {
        certificate.install(both[round % 2].clone());
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                certificate.reload();
            });
            start.wait();
            certificate.install(both[(round + 1) % 2].clone());
            certificate.reload();
        });
        assert!(!certificate.is_reload_due(), "round {round}");
    }
}

#[test]
fn connection_that_is_up_stays_up_when_another_certificate_is_loaded() {
    let cluster = cluster();
    let (_, mut client, mut server) = connect(
        Arc::clone(&cluster.client),
        cluster.configs.mra_oauth(),
        NODE,
    );
    cluster
        .certificate
        .install(Leaf::named(NODE).signed_by(&cluster.ca));
    assert!(cluster.certificate.reload());
    client
        .writer()
        .write_all(b"REGISTER")
        .expect("a connection");
    let mut wire = Vec::new();
    client.write_tls(&mut wire).expect("memory");
    server.read_tls(&mut wire.as_slice()).expect("memory");
    server.process_new_packets().expect("the old keys");
    let mut read = [0; 8];
    server
        .reader()
        .read_exact(&mut read)
        .expect("what was sent");
    assert_eq!(&read, b"REGISTER");
}
