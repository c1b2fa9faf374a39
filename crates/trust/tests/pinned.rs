//! A certificate of a host in the store: it vouches for itself, byte for byte, and for nobody else.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::time::SystemTime;

use rcgen::{
    CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use rustls::AlertDescription;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sip_oauth_trust::{CertifiedIdentity, Purpose, verify_chain};
use support::scene::{BOTH, EDGE, Scene};
use support::{Authority, Leaf, authority, provider, store};

/// `expc2.example.com`, with a certificate of its own that may sign handshakes only, or says nothing of it.
fn host(issuer: Option<&Authority>, is_ca: IsCa, key_usages: &[KeyUsagePurpose]) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    let name = "expc2.example.com";
    params.distinguished_name.push(DnType::CommonName, name);
    params.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
    params.is_ca = is_ca;
    params.key_usages = key_usages.to_vec();
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let key = KeyPair::generate().unwrap();
    match issuer {
        Some(issuer) => CertifiedIssuer::signed_by(params, key, issuer).unwrap(),
        None => CertifiedIssuer::self_signed(params, key).unwrap(),
    }
}

fn own(host: &Authority) -> CertifiedIdentity {
    let key = PrivatePkcs8KeyDer::from(host.key().serialize_der());
    CertifiedIdentity::from_der(
        vec![host.der().clone()],
        PrivateKeyDer::from(key),
        &provider(),
    )
    .unwrap()
}

fn hosts() -> Vec<Authority> {
    let ca = authority("Edge CA");
    let signs_handshakes = [KeyUsagePurpose::DigitalSignature];
    vec![
        host(Some(&ca), IsCa::ExplicitNoCa, &signs_handshakes),
        host(Some(&ca), IsCa::NoCa, &[]),
        host(None, IsCa::ExplicitNoCa, &[]),
        host(None, IsCa::NoCa, &signs_handshakes),
        // Says CA:TRUE, and that its key signs no certificates (RFC 5280 §4.2.1.3).
        host(
            None,
            IsCa::Ca(rcgen::BasicConstraints::Unconstrained),
            &signs_handshakes,
        ),
    ]
}

/// Expressway-C's certificate "(or its CA)" goes into Tomcat-trust. `openssl verify -partial_chain` refuses these
/// chains as well: "invalid CA certificate".
#[test]
fn key_of_a_host_in_the_store_signs_no_other_name() {
    for host in hosts() {
        for version in BOTH {
            let mut scene = Scene::new();
            scene.node_trusts = vec![host.der().clone()];
            scene.edge = Some(Leaf::named(EDGE).signed_by(&host));
            scene
                .play(version)
                .node_refused(AlertDescription::UnknownCA);
        }
        let chain = Leaf::named(EDGE).signed_by(&host);
        let sub = support::sub_authority("Below", &host);
        let longer = Leaf::named(EDGE).signed_by_with(&sub, &[&sub, &host]);
        let other = authority("Other CA");
        for trusted in [vec![host.der()], vec![other.der(), host.der()]] {
            let store = store("Tomcat-trust", trusted).load();
            for chain in [chain.chain(), longer.chain()] {
                let now = SystemTime::now();
                verify_chain(chain, &store, Purpose::Client, now, &provider()).unwrap_err();
            }
        }
    }
}

#[test]
fn host_in_the_store_is_accepted_itself() {
    for host in hosts() {
        for version in BOTH {
            let mut scene = Scene::new();
            scene.node_trusts = vec![host.der().clone()];
            scene.edge = Some(own(&host));
            let name = "expc2.example.com";
            scene.table = vec![sip_oauth_trust::AllowedRow::new(name, "", name)];
            scene.play(version).both_up();
        }
        let store = store("Tomcat-trust", [host.der()]).load();
        let now = SystemTime::now();
        let verified = verify_chain(
            &[host.der().clone()],
            &store,
            Purpose::Both,
            now,
            &provider(),
        )
        .unwrap();
        assert!(verified.is_pinned);
        assert_eq!(verified.anchor.certificate(), host.der());
    }
}

#[test]
fn host_in_the_store_still_expires_and_needs_its_name_in_the_table() {
    let ca = authority("Edge CA");
    for version in BOTH {
        let mut scene = Scene::new();
        let edge = Leaf::named(EDGE).expired().signed_by(&ca);
        scene.node_trusts = edge.chain().to_vec();
        scene.edge = Some(edge);
        scene
            .play(version)
            .node_refused(AlertDescription::CertificateExpired);

        let mut scene = Scene::new();
        let edge = Leaf::named("expc9.example.com").signed_by(&ca);
        scene.node_trusts = edge.chain().to_vec();
        scene.edge = Some(edge);
        scene
            .play(version)
            .node_refused(AlertDescription::AccessDenied);
    }
}

#[test]
fn host_beside_its_authority_has_a_path_to_it() {
    let ca = authority("Edge CA");
    let edge = Leaf::named(EDGE).signed_by(&ca);
    let store = store("Tomcat-trust", [&edge.chain()[0], ca.der()]).load();
    let now = SystemTime::now();
    let verified = verify_chain(edge.chain(), &store, Purpose::Both, now, &provider()).unwrap();
    assert!(!verified.is_pinned);
    assert_eq!(verified.anchor.certificate(), ca.der());
}

#[test]
fn host_whose_authority_was_renewed_under_its_name_is_accepted_still() {
    let edge = Leaf::named(EDGE).signed_by(&authority("Edge CA"));
    let renewed = authority("Edge CA");
    let store = store("Tomcat-trust", [&edge.chain()[0], renewed.der()]).load();
    let now = SystemTime::now();
    verify_chain(edge.chain(), &store, Purpose::Both, now, &provider()).unwrap();
}
