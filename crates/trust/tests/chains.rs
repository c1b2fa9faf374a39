//! How far a chain comes: which issuer is missing, which certificate is out of date, what it may not be used for.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};
use rustls::AlertDescription;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use sip_oauth_trust::{
    ChainRefusal, Place, Purpose, Reason, Source, TrustStore, VerifiedChain, describe, verify_chain,
};
use support::scene::{BOTH, EDGE, NODE, Scene};
use support::{
    Authority, Leaf, Validity, authority, provider, store, sub_authority, sub_authority_valid,
};

fn verify(
    chain: &[CertificateDer<'static>],
    trusted: &[&Authority],
    purpose: Purpose,
) -> Result<VerifiedChain, Box<ChainRefusal>> {
    let store = store("Tomcat-trust", trusted.iter().map(|it| it.der())).load();
    verify_chain(chain, &store, purpose, SystemTime::now(), &provider())
}

#[test]
fn path_is_given_whatever_the_order_and_strangers_are_left_out() {
    let root = authority("Root");
    let upper = sub_authority("Upper", &root);
    let lower = sub_authority("Lower", &upper);
    let stranger = authority("Stranger");
    let chain = Leaf::named(NODE).signed_by_with(&lower, &[&stranger, &upper, &lower]);
    let verified = verify(chain.chain(), &[&stranger, &root], Purpose::Both).unwrap();
    assert_eq!(verified.path, [0, 3, 2]);
    assert_eq!(verified.anchor.summary().subject(), "CN=Root");
    assert!(!verified.is_pinned);
}

#[test]
fn missing_issuer_is_the_one_the_path_ended_at() {
    let root = authority("Root");
    let upper = sub_authority("Upper", &root);
    let lower = sub_authority("Lower", &upper);
    let stranger = authority("Stranger");
    // Upper is not there; the last certificate presented belongs to nobody.
    let chain = Leaf::named(NODE).signed_by_with(&lower, &[&lower, &stranger]);
    let refusal = verify(chain.chain(), &[&root], Purpose::Server).unwrap_err();
    let issuer = Some("CN=Upper".to_owned());
    assert_eq!(refusal.reason, Reason::UnknownIssuer { issuer });
    assert_eq!(refusal.at, Some(1));
    assert_eq!(
        refusal.to_string(),
        "certificate 2 \"CN=Lower\": no path to a trust anchor: issuer \"CN=Upper\" is not in the store"
    );
}

#[test]
fn expired_issuer_is_named_with_its_age_and_not_the_end_entity() {
    let root = authority("Root");
    let old = sub_authority_valid("Old", &root, Validity::Past);
    for version in BOTH {
        let mut scene = Scene::new();
        scene.edge = Some(Leaf::named(EDGE).signed_by_with(&old, &[&old]));
        scene.node_trusts = vec![root.der().clone()];
        let (_, explanation) = scene
            .play(version)
            .node_refused(AlertDescription::CertificateExpired);
        assert_eq!(explanation.certificate, Some((2, "CN=Old".to_owned())));
        let sentence = explanation.to_string();
        let expected = "certificate 2 of its chain, \"CN=Old\": it expired ";
        assert!(sentence.contains(expected), "{sentence}");
    }
}

#[test]
fn not_yet_valid_says_when() {
    let root = authority("Root");
    let chain = Leaf::named(NODE).future().signed_by(&root);
    let starts = chain.summary().not_before();
    let store = store("Tomcat-trust", [root.der()]).load();
    let hour = Duration::from_secs(3_600);
    let refusal = verify_chain(
        chain.chain(),
        &store,
        Purpose::Both,
        starts - hour,
        &provider(),
    )
    .unwrap_err();
    assert_eq!(refusal.reason, Reason::NotYetValid { ahead: Some(hour) });
    assert_eq!(refusal.at, Some(0));
    verify_chain(chain.chain(), &store, Purpose::Both, starts, &provider())
        .expect("time is an argument");
}

mod usage {
    use super::*;

    fn with(usages: &[ExtendedKeyUsagePurpose]) -> (Authority, Vec<CertificateDer<'static>>) {
        let root = authority("Root");
        let chain = Leaf::named(NODE).usages(usages).signed_by(&root);
        (root, chain.chain().to_vec())
    }

    #[test]
    fn of_both_roles_is_required_where_the_product_needs_both() {
        let (root, both) = with(&[
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ]);
        verify(&both, &[&root], Purpose::Both).unwrap();
        for (usage, alone, lacks) in [
            (
                ExtendedKeyUsagePurpose::ServerAuth,
                Purpose::Server,
                "clientAuth",
            ),
            (
                ExtendedKeyUsagePurpose::ClientAuth,
                Purpose::Client,
                "serverAuth",
            ),
        ] {
            let (root, chain) = with(&[usage]);
            verify(&chain, &[&root], alone).unwrap();
            let refusal = verify(&chain, &[&root], Purpose::Both).unwrap_err();
            let required = Some(lacks);
            assert_eq!(refusal.reason, Reason::Purpose { required });
            assert_eq!(refusal.at, Some(0));
        }
    }

    #[test]
    fn of_key_without_digital_signature_cannot_make_a_handshake() {
        for version in BOTH {
            let mut scene = Scene::new();
            let usages = [KeyUsagePurpose::KeyEncipherment];
            scene.edge = Some(
                Leaf::named(EDGE)
                    .key_usages(&usages)
                    .signed_by(&scene.edge_ca),
            );
            let (_, explanation) = scene
                .play(version)
                .node_refused(AlertDescription::UnsupportedCertificate);
            assert_eq!(explanation.reason, Reason::KeyUsage);
            assert_eq!(explanation.remedy.place, Place::ClientCertificate);
        }
    }
}

mod weak {
    use super::*;

    /// Made with `openssl x509 -req`: an end entity with a 1024-bit key, and one signed with SHA-1.
    fn fixture(name: &str) -> (TrustStore, Vec<CertificateDer<'static>>) {
        let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read(path).unwrap();
        let mut chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
            .map(|it| it.unwrap())
            .collect();
        let mut store = TrustStore::new("Tomcat-trust");
        store
            .add_der(chain.pop().unwrap(), &Source::Upload("root".to_owned()))
            .unwrap();
        (store, chain)
    }

    #[test]
    fn rsa_key_is_told_with_its_length() {
        let (store, chain) = fixture("weak-key.pem");
        let now = SystemTime::now();
        let refusal = verify_chain(&chain, &store, Purpose::Server, now, &provider()).unwrap_err();
        assert_eq!(
            refusal.reason,
            Reason::WeakKey {
                bits: Some(1024),
                anchor: None
            }
        );
        assert_eq!(refusal.at, Some(0));
    }

    #[test]
    fn sha1_signature_is_told_as_that() {
        let (store, chain) = fixture("sha1-signature.pem");
        let now = SystemTime::now();
        let refusal = verify_chain(&chain, &store, Purpose::Server, now, &provider()).unwrap_err();
        assert_eq!(refusal.reason, Reason::WeakSignature);
        assert_eq!(refusal.at, Some(0));
    }
}

mod two_anchors_of_one_subject {
    use super::*;

    #[test]
    fn are_both_tried() {
        let (one, two) = (authority("CUCM"), authority("CUCM"));
        let chain = Leaf::named(NODE).signed_by(&two);
        for trusted in [[&one, &two], [&two, &one]] {
            let verified = verify(chain.chain(), &trusted, Purpose::Both).unwrap();
            assert_eq!(verified.anchor.certificate(), two.der());
        }
    }

    #[test]
    fn are_named_in_the_finding_when_neither_signed_it() {
        for version in BOTH {
            let mut scene = Scene::new();
            scene.node_trusts = vec![
                authority("Edge CA").der().clone(),
                authority("Edge CA").der().clone(),
            ];
            let serials: Vec<_> = store("", &scene.node_trusts)
                .load()
                .anchors()
                .iter()
                .map(|anchor| anchor.summary().serial().to_owned())
                .collect();
            let (_, explanation) = scene
                .play(version)
                .node_refused(AlertDescription::DecryptError);
            let tried: Vec<_> = explanation
                .tried
                .iter()
                .map(|it| it.serial.clone())
                .collect();
            assert_eq!(tried, serials);
            let sentence = explanation.to_string();
            let expected = "the store has 2 certificates with subject \"CN=Edge CA\", each was tried and has another key";
            assert!(sentence.contains(expected), "{sentence}");
        }
    }

    #[test]
    fn are_both_in_the_tree() {
        let (one, two) = (authority("CUCM"), authority("CUCM"));
        let chain = Leaf::named(NODE).signed_by(&two);
        let store = store("Tomcat-trust", [one.der(), two.der()]).load();
        let tree = describe(chain.chain(), &store, &provider());
        assert_eq!(tree.anchors.len(), 2);
    }
}

#[test]
fn issuer_that_is_no_authority_is_told_as_that() {
    let root = authority("Root");
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, "No authority");
    let no_authority =
        CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &root).unwrap();
    let chain = Leaf::named(EDGE).signed_by_with(&no_authority, &[&no_authority]);
    let refusal = verify(chain.chain(), &[&root], Purpose::Server).unwrap_err();
    assert!(
        matches!(refusal.reason, Reason::IssuerNotAllowed { what } if what.contains("basicConstraints")),
        "{refusal}"
    );
}

#[test]
fn a_thousand_certificates_in_a_chain_are_no_trouble() {
    let root = authority("Root");
    let stranger = authority("Stranger");
    let strangers = vec![&stranger; 1_000];
    let chain = Leaf::named(NODE).signed_by_with(&root, &strangers);
    verify(chain.chain(), &[&root], Purpose::Server).unwrap();
    let refusal = verify(chain.chain(), &[], Purpose::Server).unwrap_err();
    let issuer = Some("CN=Root".to_owned());
    assert_eq!(refusal.reason, Reason::UnknownIssuer { issuer });
}

#[test]
fn pinned_certificate_is_its_own_anchor() {
    let node = Leaf::named(NODE).ca().self_signed();
    let store = store("Tomcat-trust", node.chain()).load();
    let verified = verify_chain(
        node.chain(),
        &store,
        Purpose::Both,
        SystemTime::now(),
        &provider(),
    )
    .unwrap();
    assert!(verified.is_pinned);
    assert_eq!(verified.anchor.certificate(), &node.chain()[0]);
}
