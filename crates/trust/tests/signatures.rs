//! A signature that does not verify: which one, whose key it should have been made with, and where that is mended.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::SystemTime;

use rustls::client::ResolvesClientCert;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{AlertDescription, ClientConfig, Error, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sip_oauth_trust::{
    AllowedNames, AllowedRow, CertifiedIdentity, ChainRefusal, ClientVerifier, IssuerPlace,
    LiveAllowedNames, LiveTrustStore, Observer, Place, Purpose, Reason, ServerVerifier, Side,
    Source, TrustStore, Unfit, explain, verify_chain,
};
use support::scene::{BOTH, EDGE, NODE, Scene, Version};
use support::watched::watched;
use support::{Authority, Heard, Leaf, authority, connect, provider, store, sub_authority};

fn refusal(chain: &[CertificateDer<'static>], trusted: &[&Authority]) -> Box<ChainRefusal> {
    let store = store("Tomcat-trust", trusted.iter().map(|it| it.der())).load();
    let now = SystemTime::now();
    verify_chain(chain, &store, Purpose::Server, now, &provider()).unwrap_err()
}

/// The certificate of one and the key of another.
fn stolen(certificate: &CertifiedIdentity) -> Arc<SingleCertAndKey> {
    let other = Leaf::named("other.example.com").self_signed();
    let key = Arc::clone(&other.certified_key().key);
    let chain = certificate.chain().to_vec();
    Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key)))
}

fn versions(version: Version) -> [&'static rustls::SupportedProtocolVersion; 1] {
    [version.in_rustls()]
}

mod of_the_handshake {
    use super::*;

    /// RFC 8446 §4.4.3, RFC 5246 §7.4.8: CertificateVerify. The chain is good, and no store has to change.
    #[test]
    fn by_a_client_without_the_key_accuses_no_anchor() {
        for version in BOTH {
            let ca = authority("Edge CA");
            let edge = Leaf::named(EDGE).signed_by(&ca);
            let node_ca = authority("Node CA");
            let heard = Arc::new(Heard::default());
            let verifier = ClientVerifier::builder(
                store("Tomcat-trust", [ca.der()]),
                Arc::new(LiveAllowedNames::new(AllowedNames::new([AllowedRow::new(
                    EDGE, "", EDGE,
                )]))),
                provider(),
            )
            .observer(Arc::<Heard>::clone(&heard) as Arc<dyn Observer>)
            .build();
            let node = Leaf::named(NODE).signed_by(&node_ca);
            let server = ServerConfig::builder_with_provider(provider())
                .with_protocol_versions(&versions(version))
                .unwrap()
                .with_client_cert_verifier(Arc::new(verifier))
                .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(
                    node.certified_key(),
                ))));
            let client = client(&node_ca, version, stolen(&edge));
            let (ends, _, _) = connect(Arc::new(client), Arc::new(server), NODE);
            let told = Error::AlertReceived(AlertDescription::DecryptError);
            assert_eq!(ends.client, Err(told.clone()));
            let refused = heard.only();
            assert_eq!(refused.reason, Reason::HandshakeSignature);
            assert_eq!((refused.at, refused.tried.len()), (Some(0), 0));
            let explanation = refused.explanation();
            assert_eq!(explanation.remedy.place, Place::ClientCertificate);
            let told = explain(&told, Side::Client).remedies();
            assert!(told.contains(&explanation.remedy));
        }
    }

    #[test]
    fn by_a_server_without_the_key_accuses_no_anchor() {
        for version in BOTH {
            let node_ca = authority("Node CA");
            let node = Leaf::named(NODE).signed_by(&node_ca);
            let server = ServerConfig::builder_with_provider(provider())
                .with_protocol_versions(&versions(version))
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(stolen(&node));
            let heard = Arc::new(Heard::default());
            let verifier = verifier(&node_ca, Some(&heard));
            let client = ClientConfig::builder_with_provider(provider())
                .with_protocol_versions(&versions(version))
                .unwrap()
                .dangerous()
                .with_custom_certificate_verifier(verifier)
                .with_no_client_auth();
            let (ends, _, _) = connect(Arc::new(client), Arc::new(server), NODE);
            let told = Error::AlertReceived(AlertDescription::DecryptError);
            assert_eq!(ends.server, Err(told));
            let refused = heard.only();
            assert_eq!(refused.reason, Reason::HandshakeSignature);
            assert_eq!((refused.at, refused.tried.len()), (Some(0), 0));
            let place = refused.explanation().remedy.place;
            assert_eq!(place, Place::TomcatCertificate);
        }
    }

    fn verifier(ca: &Authority, heard: Option<&Arc<Heard>>) -> Arc<ServerVerifier> {
        let builder = ServerVerifier::builder(store("trusted CA list", [ca.der()]), provider());
        Arc::new(match heard {
            Some(heard) => builder
                .observer(Arc::<Heard>::clone(heard) as Arc<dyn Observer>)
                .build(),
            None => builder.build(),
        })
    }

    fn client(
        ca: &Authority,
        version: Version,
        presents: Arc<dyn ResolvesClientCert>,
    ) -> ClientConfig {
        ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&versions(version))
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier(ca, None))
            .with_client_cert_resolver(presents)
    }
}

mod of_a_chain {
    use super::*;

    /// The CA below the root was renewed with another key, and its new certificate sent with an old end entity.
    #[test]
    fn with_a_renewed_issuer_in_it_accuses_that_one_and_not_the_root() {
        let root = authority("Root");
        let (old, renewed) = (
            sub_authority("Issuing CA", &root),
            sub_authority("Issuing CA", &root),
        );
        let chain = Leaf::named(NODE).signed_by_with(&old, &[&renewed]);
        let refused = refusal(chain.chain(), &[&root]);
        let issuer = Some(IssuerPlace::Chain);
        assert_eq!(refused.reason, Reason::BadSignature { issuer });
        assert_eq!((refused.at, refused.tried.len()), (Some(0), 0));
        assert_eq!(
            refused.to_string(),
            "certificate 1 \"CN=cucm1.example.com\": the certificate of its issuer's name that was presented has another \
             key than the one that signed it"
        );
        for (presenter, place) in [
            (Side::Server, Place::TomcatCertificate),
            (Side::Client, Place::ClientCertificate),
        ] {
            assert_eq!(refused.reason.remedy(presenter).place, place);
        }
        // Sent beside the right one it is no trouble.
        let both = Leaf::named(NODE).signed_by_with(&old, &[&renewed, &old]);
        let trusted = store("Tomcat-trust", [root.der()]).load();
        let now = SystemTime::now();
        let verified = verify_chain(both.chain(), &trusted, Purpose::Both, now, &provider());
        assert_eq!(verified.unwrap().path, [0, 2]);
    }

    #[test]
    fn higher_up_is_told_at_its_place_with_the_anchor_that_was_tried() {
        let (root, renewed) = (authority("Root"), authority("Root"));
        let below = sub_authority("Issuing CA", &root);
        let chain = Leaf::named(NODE).signed_by_with(&below, &[&below]);
        let refused = refusal(chain.chain(), &[&renewed]);
        let issuer = Some(IssuerPlace::Store);
        assert_eq!(refused.reason, Reason::BadSignature { issuer });
        assert_eq!(refused.at, Some(1));
        assert_eq!(refused.tried.len(), 1);
        assert_eq!(refused.tried[0].why, Unfit::OtherKey);
        assert_eq!(
            refused.reason.remedy(Side::Client).place,
            Place::TomcatTrust
        );
    }

    /// Made with `openssl x509 -req`: a CA with an RSA key of 1024 bits, as anchor and below another.
    #[test]
    fn by_a_weak_key_is_told_as_that_with_its_length() {
        for (file, at, anchor) in [
            ("weak-anchor.pem", 0, Some("CN=Weak CA".to_owned())),
            ("weak-issuer.pem", 1, None),
        ] {
            let path = format!("{}/tests/fixtures/{file}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read(path).unwrap();
            let chain = CertificateDer::pem_slice_iter(&text);
            let mut chain: Vec<_> = chain.map(|it| it.unwrap()).collect();
            let root = chain.pop().unwrap();
            let mut store = TrustStore::new("Tomcat-trust");
            let source = Source::Upload("root".to_owned());
            store.add_der(root, &source).unwrap();
            let now = SystemTime::now();
            let refused =
                verify_chain(&chain, &store, Purpose::Server, now, &provider()).unwrap_err();
            let bits = Some(1024);
            assert_eq!(refused.reason, Reason::WeakKey { bits, anchor }, "{file}");
            assert_eq!((refused.at, refused.tried.len()), (Some(at), 0), "{file}");
            let place = refused.reason.remedy(Side::Server).place;
            assert_eq!(place, Place::TomcatCertificate);
        }
    }
}

mod self_signed {
    use super::*;

    /// The Tomcat certificate was regenerated, and the store has the one before: the sentence does not say both that it
    /// is not there and that it is.
    #[test]
    fn beside_another_of_its_name_says_what_is_there() {
        for (node, why) in [
            (Leaf::named(NODE).ca().rsa(), Unfit::SameKey),
            (Leaf::named(NODE).ca(), Unfit::OtherKey),
            (Leaf::named(NODE), Unfit::OtherKey),
        ] {
            let old = node.clone().serial(1).self_signed();
            let new = node.clone().serial(2).self_signed();
            let trusted = store("Tomcat-trust", [&old.chain()[0]]).load();
            let now = SystemTime::now();
            let refused =
                verify_chain(new.chain(), &trusted, Purpose::Server, now, &provider()).unwrap_err();
            assert_eq!(refused.reason, Reason::SelfSigned);
            assert_eq!((refused.at, refused.tried.len()), (Some(0), 1));
            assert_eq!(refused.tried[0].why, why);
            assert_eq!(
                refused.to_string(),
                format!(
                    "certificate 1 \"CN=cucm1.example.com\": it is self-signed and not itself in the store; the store has \
                     another certificate with subject \"CN=cucm1.example.com\" (serial 01 from made for this test): {why}"
                )
            );
            let place = refused.reason.remedy(Side::Server).place;
            assert_eq!(place, Place::ClientTrust);
        }
    }

    #[test]
    fn on_5091_is_mended_in_tomcat_trust() {
        for version in BOTH {
            let mut scene = Scene::new();
            scene.edge = Some(Leaf::named(EDGE).self_signed());
            let (_, explanation) = scene
                .play(version)
                .node_refused(AlertDescription::UnknownCA);
            assert_eq!(explanation.reason, Reason::SelfSigned);
            assert_eq!(explanation.remedy.place, Place::TomcatTrust);
        }
    }
}

#[test]
fn authority_as_end_entity_is_told_as_that_in_the_store_or_not() {
    let root = authority("Root");
    let node = Leaf::named(NODE).ca().signed_by(&root);
    for trusted in [vec![root.der()], vec![root.der(), &node.chain()[0]]] {
        let store = store("Tomcat-trust", trusted).load();
        let now = SystemTime::now();
        let refused =
            verify_chain(node.chain(), &store, Purpose::Server, now, &provider()).unwrap_err();
        assert_eq!(refused.reason, Reason::AuthorityAsEndEntity);
        assert!(!refused.to_string().contains("store"), "{refused}");
        let place = refused.reason.remedy(Side::Server).place;
        assert_eq!(place, Place::TomcatCertificate);
    }
}

mod refusal_of_a_live_store {
    use super::*;

    /// A provider during whose first signature the store is replaced by one with the right CA.
    fn replaced_meanwhile(live: &Arc<LiveTrustStore>, right: &Authority) -> Arc<CryptoProvider> {
        let mut next = TrustStore::new("the store after");
        let source = Source::Memory("uploaded meanwhile".to_owned());
        next.add_der(right.der().clone(), &source).unwrap();
        let (live, done) = (Arc::clone(live), AtomicBool::new(false));
        watched(&provider(), move || {
            if !done.swap(true, Ordering::Relaxed) {
                live.replace(next.clone());
            }
        })
    }

    #[test]
    fn tells_of_the_store_that_was_judged_with() {
        let (ca, renewed) = (authority("CA"), authority("CA"));
        let chain = Leaf::named(NODE).signed_by(&ca);
        let (end_entity, now) = (&chain.chain()[0], UnixTime::now());
        for side in [Side::Client, Side::Server] {
            let live = store("the store before", [renewed.der()]);
            let provider = replaced_meanwhile(&live, &ca);
            let heard = Arc::new(Heard::default());
            let observer = Arc::<Heard>::clone(&heard) as Arc<dyn Observer>;
            match side {
                Side::Client => ServerVerifier::builder(Arc::clone(&live), provider)
                    .observer(observer)
                    .build()
                    .verify_server_cert(
                        end_entity,
                        &[],
                        &ServerName::try_from(NODE).unwrap(),
                        &[],
                        now,
                    )
                    .map(drop),
                Side::Server => ClientVerifier::builder(
                    Arc::clone(&live),
                    Arc::new(LiveAllowedNames::new(AllowedNames::default())),
                    provider,
                )
                .observer(observer)
                .build()
                .verify_client_cert(end_entity, &[], now)
                .map(drop),
            }
            .unwrap_err();
            assert_eq!(live.load().name(), "the store after");
            let refused = heard.only();
            assert_eq!(refused.store, "the store before");
            let serials: Vec<_> = refused.tried.iter().map(|it| &it.serial).collect();
            let before = store("", [renewed.der()]).load();
            assert_eq!(serials, [before.anchors()[0].summary().serial()]);
        }
    }
}

/// RFC 5280 §6 sets no bound; webpki verifies 100 signatures at most, and finding the wrong one takes 16 more.
#[test]
fn hostile_chain_of_many_issuers_with_one_name_ends_in_bounded_work() {
    // Each could have signed each: without a bound, the paths are as many as their orders.
    let same: Vec<_> = (0..40)
        .scan(authority("Same"), |issuer, _| {
            let next = sub_authority("Same", issuer);
            *issuer = sub_authority("Same", &authority("Same"));
            Some(next)
        })
        .collect();
    let last = sub_authority("Same", &authority("Same"));
    let chain = Leaf::named(NODE).signed_by_with(&last, &same.iter().collect::<Vec<_>>());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let provider = watched(&provider(), move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let anchors: Vec<_> = (0..40).map(|_| authority("Same")).collect();
    let store = store(
        "Tomcat-trust",
        anchors.iter().map(rcgen::CertifiedIssuer::der),
    )
    .load();
    let now = SystemTime::now();
    let refused = verify_chain(chain.chain(), &store, Purpose::Server, now, &provider).unwrap_err();
    assert_eq!(refused.reason, Reason::TooComplex, "{refused}");
    let count = count.load(Ordering::Relaxed);
    assert!((100..=116).contains(&count), "{count} signatures");
}
