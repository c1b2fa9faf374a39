//! Revocation lists: honoured when given, and what a missing or an old one means (RFC 5280 §6.3).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{
    CertificateRevocationListParams, CrlDistributionPoint, CrlIssuingDistributionPoint,
    KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::AlertDescription;
use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use sip_oauth_trust::{
    AllowedNames, AllowedRow, CertifiedIdentity, ClientVerifier, LiveAllowedNames, LiveTrustStore,
    MissingCrl, Purpose, Reason, RevocationDepth, RevocationPolicy, ServerVerifier, Source,
    StaleCrl, TrustStore, client_config, verify_chain,
};
use support::{Authority, Heard, Leaf, authority, connect, provider, sub_authority};

const NODE: &str = "cucm1.example.com";

/// A list of `issuer` with these serial numbers.
fn list(issuer: &Authority, serials: &[u64], until: i32) -> Vec<u8> {
    numbered_list(issuer, serials, (2024, until), 1)
}

fn numbered_list(
    issuer: &Authority,
    serials: &[u64],
    (from, until): (i32, i32),
    number: u64,
) -> Vec<u8> {
    let params = list_params(serials, (from, until), number);
    params.signed_by(issuer).unwrap().der().to_vec()
}

fn list_params(
    serials: &[u64],
    (from, until): (i32, i32),
    number: u64,
) -> CertificateRevocationListParams {
    CertificateRevocationListParams {
        this_update: date_time_ymd(from, 1, 1),
        next_update: date_time_ymd(until, 1, 1),
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: serials
            .iter()
            .map(|serial| RevokedCertParams {
                serial_number: SerialNumber::from(*serial),
                revocation_time: date_time_ymd(2024, 1, 1),
                reason_code: Some(RevocationReason::KeyCompromise),
                invalidity_date: None,
            })
            .collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    }
}

fn upload() -> Source {
    Source::Upload("ca.crl".to_owned())
}

fn trusting(authority: &Authority, lists: &[Vec<u8>]) -> TrustStore {
    let mut store = TrustStore::new("Tomcat-trust");
    store.add_der(authority.der().clone(), &upload()).unwrap();
    for list in lists {
        store.add_crl(list, &upload()).unwrap();
    }
    store
}

/// Outside of a handshake, and on 5091, which say the same.
fn verdict(chain: &CertifiedIdentity, store: &TrustStore) -> Result<(), Reason> {
    let (chain, now) = (chain.chain(), SystemTime::now());
    let verdict = verify_chain(chain, store, Purpose::Both, now, &provider())
        .map(drop)
        .map_err(|refusal| refusal.reason);
    let table = AllowedNames::new([AllowedRow::new("x", "", NODE)]);
    let verifier = ClientVerifier::builder(
        Arc::new(LiveTrustStore::new(store.clone())),
        Arc::new(LiveAllowedNames::new(table)),
        provider(),
    )
    .build();
    let on_5091 = verifier.recheck_peer(chain, now).map(drop);
    assert_eq!(on_5091.map_err(|refusal| refusal.reason), verdict);
    verdict
}

/// What rustls' own verifier for clients says, which reads the list for itself.
fn taken_by_rustls(chain: &CertifiedIdentity, store: &TrustStore, list: &[u8]) -> bool {
    let policy = store.revocation_policy();
    let roots = Arc::clone(store.roots());
    let mut builder = WebPkiClientVerifier::builder_with_provider(roots, provider())
        .with_crls([list.to_vec().into()]);
    if policy.missing == MissingCrl::Accept {
        builder = builder.allow_unknown_revocation_status();
    }
    if policy.depth == RevocationDepth::EndEntity {
        builder = builder.only_check_end_entity_revocation();
    }
    if policy.stale == StaleCrl::Refuse {
        builder = builder.enforce_revocation_expiration();
    }
    let verifier = builder.build().unwrap();
    let (end_entity, intermediates) = chain.chain().split_first().unwrap();
    let now = UnixTime::now();
    verifier
        .verify_client_cert(end_entity, intermediates, now)
        .is_ok()
}

/// Lists that were read when they came into the store are honoured as `WebPkiClientVerifier` honours them.
#[test]
fn one_list_is_judged_as_rustls_judges_it_under_every_policy() {
    let (ca, other) = (authority("Example CA"), authority("Other CA"));
    let sub = sub_authority("Example issuing CA", &ca);
    let leaf = |serial| Leaf::named(NODE).serial(serial);
    let chains = [
        leaf(7).signed_by(&ca),
        leaf(8).signed_by(&ca),
        leaf(7).signed_by(&sub),
        leaf(8).signed_by(&sub),
    ];
    let lists = [
        list(&ca, &[7], 3000),
        list(&ca, &[7], 2025),
        list(&sub, &[7], 3000),
        list(&other, &[7], 3000),
    ];
    let (mut taken, mut refused) = (0, 0);
    for missing in [MissingCrl::Accept, MissingCrl::Refuse] {
        for depth in [RevocationDepth::Chain, RevocationDepth::EndEntity] {
            for stale in [StaleCrl::Accept, StaleCrl::Refuse] {
                for list in &lists {
                    let mut store = trusting(&ca, std::slice::from_ref(list));
                    let policy = RevocationPolicy::new().missing(missing);
                    store.set_revocation_policy(policy.depth(depth).stale(stale));
                    for chain in &chains {
                        let by_rustls = taken_by_rustls(chain, &store, list);
                        let ours = verdict(chain, &store);
                        assert_eq!(ours.is_ok(), by_rustls, "{ours:?}");
                        *(if by_rustls { &mut taken } else { &mut refused }) += 1;
                    }
                }
            }
        }
    }
    assert!(taken > 20 && refused > 20, "{taken} {refused}");
}

#[test]
fn revoked_certificate_is_refused_and_its_neighbour_is_not() {
    let ca = authority("Example CA");
    let store = trusting(&ca, &[list(&ca, &[7], 3000)]);
    let revoked = Leaf::named(NODE).serial(7).signed_by(&ca);
    let good = Leaf::named(NODE).serial(8).signed_by(&ca);
    assert_eq!(verdict(&revoked, &store), Err(Reason::Revoked));
    assert_eq!(verdict(&good, &store), Ok(()));
    let known = &store.revocation_lists()[0];
    assert_eq!((known.issuer(), known.len()), ("CN=Example CA", 1));
    assert!(known.next_update().unwrap() > known.this_update());
}

/// As with certificates: a list passed over in silence would be one that revokes nobody.
#[test]
fn list_with_an_odd_boundary_is_never_lost() {
    let (one, two) = (authority("One"), authority("Two"));
    let pem = |issuer: &Authority| {
        let params = list_params(&[7], (2024, 3000), 1);
        params.signed_by(issuer).unwrap().pem().unwrap()
    };
    let good = pem(&one);
    for bad in [
        format!(" {}", pem(&two)),
        pem(&two).replace("-----BEGIN", "----BEGIN"),
        pem(&two).replace("X509 CRL", "CRL"),
        pem(&two).replace("-----END X509 CRL-----\n", ""),
    ] {
        for text in [format!("{good}{bad}"), format!("{bad}{good}")] {
            let mut store = TrustStore::new("Tomcat-trust");
            store.add_crl(text.as_bytes(), &upload()).unwrap_err();
            assert!(store.revocation_lists().is_empty());
        }
    }
    let mut store = TrustStore::new("Tomcat-trust");
    let both = format!("\u{feff}{good}{}", pem(&two));
    assert_eq!(store.add_crl(both.as_bytes(), &upload()), Ok(2));
}

/// An anchor needs no list (RFC 5280 §6.1), but one that names it counts: a host whose own certificate is in the store.
#[test]
fn pinned_certificate_needs_no_list_and_is_refused_by_one_that_names_it() {
    let ca = authority("Example CA");
    for pinned in [
        Leaf::named(NODE).serial(7).signed_by(&ca),
        Leaf::named(NODE).serial(7).self_signed(),
        Leaf::named(NODE).serial(7).ca().self_signed(),
    ] {
        let mut store = TrustStore::new("Tomcat-trust");
        store.add_der(pinned.chain()[0].clone(), &upload()).unwrap();
        store.set_revocation_policy(RevocationPolicy::new().missing(MissingCrl::Refuse));
        assert_eq!(verdict(&pinned, &store), Ok(()));
        let issuer = authority(pinned.summary().issuer().trim_start_matches("CN="));
        store
            .add_crl(&list(&issuer, &[8], 3000), &upload())
            .unwrap();
        assert_eq!(verdict(&pinned, &store), Ok(()));
        store
            .add_crl(&numbered_list(&issuer, &[7], (2025, 3000), 2), &upload())
            .unwrap();
        assert_eq!(verdict(&pinned, &store), Err(Reason::Revoked));
    }
}

/// RFC 5280 §5.2.5: a list with an issuing distribution point speaks for some certificates only. webpki asks the first
/// that it finds, so that one given first would hide what the complete list says (as in PKITS 4.5.5).
#[test]
fn a_list_of_limited_scope_does_not_hide_what_the_complete_one_revokes() {
    let ca = authority("Example CA");
    let mut limited = list_params(&[], (2024, 3000), 2);
    limited.issuing_distribution_point = Some(CrlIssuingDistributionPoint {
        distribution_point: CrlDistributionPoint {
            uris: vec!["http://crl.example.com/some.crl".to_owned()],
        },
        scope: None,
    });
    let limited = limited.signed_by(&ca).unwrap().der().to_vec();
    let complete = list(&ca, &[7], 3000);
    let revoked = Leaf::named(NODE).serial(7).signed_by(&ca);
    let good = Leaf::named(NODE).serial(8).signed_by(&ca);
    for lists in [[limited.clone(), complete.clone()], [complete, limited]] {
        let store = trusting(&ca, &lists);
        assert_eq!(store.revocation_lists().len(), 2);
        assert_eq!(verdict(&revoked, &store), Err(Reason::Revoked));
        assert_eq!(verdict(&good, &store), Ok(()));
    }
}

/// The trap of one subject for two certificates, with a list of each (RFC 5280 §5.2.1: authorityKeyIdentifier tells them
/// apart). webpki asks the first list of the name, and the newer one took the place of the older.
mod authorities_of_one_name {
    use super::*;

    fn two() -> (Authority, Authority) {
        (authority("Example CA"), authority("Example CA"))
    }

    #[test]
    fn have_their_lists_side_by_side() {
        let (one, two) = two();
        let lists = [
            numbered_list(&one, &[7], (2024, 3000), 1),
            numbered_list(&two, &[8], (2025, 3000), 2),
        ];
        for order in [[0, 1], [1, 0]] {
            for missing in [MissingCrl::Accept, MissingCrl::Refuse] {
                let mut store = trusting(&one, &order.map(|at| lists[at].clone()));
                store.add_der(two.der().clone(), &upload()).unwrap();
                store.set_revocation_policy(RevocationPolicy::new().missing(missing));
                assert_eq!(store.revocation_lists().len(), 2);
                for (ca, serial, expected) in [
                    (&one, 7, Err(Reason::Revoked)),
                    (&one, 8, Ok(())),
                    (&two, 7, Ok(())),
                    (&two, 8, Err(Reason::Revoked)),
                ] {
                    let chain = Leaf::named(NODE).serial(serial).signed_by(ca);
                    assert_eq!(verdict(&chain, &store), expected, "{serial}");
                }
            }
        }
    }

    #[test]
    fn keep_the_newer_list_of_each() {
        let (one, two) = two();
        let mut store = trusting(&one, &[numbered_list(&one, &[7], (2024, 3000), 1)]);
        let newer = numbered_list(&one, &[7, 9], (2025, 3000), 2);
        assert_eq!(store.add_crl(&newer, &upload()), Ok(1));
        assert_eq!(store.revocation_lists().len(), 1);
        store.add_crl(&list(&two, &[], 3000), &upload()).unwrap();
        let older = numbered_list(&one, &[], (2023, 3000), 1);
        assert_eq!(store.add_crl(&older, &upload()), Ok(0));
        let revoked = Leaf::named(NODE).serial(9).signed_by(&one);
        assert_eq!(verdict(&revoked, &store), Err(Reason::Revoked));
    }

    #[test]
    fn without_a_list_of_the_one_that_signed_say_nothing() {
        let (one, two) = two();
        let third = authority("Example CA");
        let mut store = trusting(&one, &[list(&two, &[7], 3000), list(&third, &[7], 3000)]);
        let chain = Leaf::named(NODE).serial(7).signed_by(&one);
        assert_eq!(verdict(&chain, &store), Err(Reason::RevocationUnknown));
        store.add_crl(&list(&one, &[], 3000), &upload()).unwrap();
        assert_eq!(verdict(&chain, &store), Ok(()));
    }

    #[test]
    fn are_bounded() {
        let mut store = TrustStore::new("Tomcat-trust");
        let add = |store: &mut TrustStore| {
            let list = list(&authority("Example CA"), &[], 3000);
            store.add_crl(&list, &upload())
        };
        for _ in 0..16 {
            add(&mut store).unwrap();
        }
        let error = add(&mut store).unwrap_err().to_string();
        assert!(error.contains("at most 16 combinations"), "{error}");
        assert_eq!(store.revocation_lists().len(), 16, "nothing has changed");
    }
}

#[test]
fn revoked_issuer_is_named() {
    let ca = authority("Example CA");
    let middle = sub_authority("Middle", &ca);
    let serial = sip_oauth_trust::CertificateSummary::of(middle.der()).unwrap();
    let serial: Vec<u8> = serial
        .serial()
        .split(':')
        .map(|octet| u8::from_str_radix(octet, 16).unwrap())
        .collect();
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        next_update: date_time_ymd(3000, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let revokes_middle = params.signed_by(&ca).unwrap().der().to_vec();
    let chain = Leaf::named(NODE).signed_by_with(&middle, &[&middle]);
    let mut store = trusting(&ca, &[revokes_middle]);
    let refusal = verify_chain(
        chain.chain(),
        &store,
        Purpose::Both,
        SystemTime::now(),
        &provider(),
    )
    .unwrap_err();
    assert_eq!((&refusal.reason, refusal.at), (&Reason::Revoked, Some(1)));

    store.set_revocation_policy(RevocationPolicy::new().depth(RevocationDepth::EndEntity));
    assert_eq!(verdict(&chain, &store), Ok(()), "the end entity alone");
}

#[test]
fn missing_list_is_accepted_unless_the_policy_says_otherwise() {
    let (ca, other) = (authority("Example CA"), authority("Other CA"));
    let chain = Leaf::named(NODE).signed_by(&ca);
    for lists in [vec![], vec![list(&other, &[], 3000)]] {
        let mut store = trusting(&ca, &lists);
        assert_eq!(verdict(&chain, &store), Ok(()));
        store.set_revocation_policy(RevocationPolicy::new().missing(MissingCrl::Refuse));
        assert_eq!(verdict(&chain, &store), Err(Reason::RevocationUnknown));
        store.add_crl(&list(&ca, &[], 3000), &upload()).unwrap();
        assert_eq!(verdict(&chain, &store), Ok(()));
    }
}

#[test]
fn stale_list_is_refused_unless_the_policy_says_otherwise() {
    let ca = authority("Example CA");
    let chain = Leaf::named(NODE).signed_by(&ca);
    let mut store = trusting(&ca, &[list(&ca, &[], 2025)]);
    assert_eq!(verdict(&chain, &store), Err(Reason::RevocationUnknown));
    store.set_revocation_policy(RevocationPolicy::new().stale(StaleCrl::Accept));
    assert_eq!(verdict(&chain, &store), Ok(()));
}

#[test]
fn list_signed_with_another_key_convinces_nobody() {
    let ca = authority("Example CA");
    let impostor = authority("Example CA");
    let chain = Leaf::named(NODE).serial(7).signed_by(&ca);
    let store = trusting(&ca, &[list(&impostor, &[], 3000)]);
    assert_eq!(verdict(&chain, &store), Err(Reason::RevocationUnknown));
}

#[test]
fn newer_list_takes_the_place_of_the_older_and_never_the_other_way() {
    let ca = authority("Example CA");
    let chain = Leaf::named(NODE).serial(7).signed_by(&ca);
    let older = numbered_list(&ca, &[], (2024, 3000), 1);
    let newer = numbered_list(&ca, &[7], (2025, 3000), 2);
    let mut store = trusting(&ca, std::slice::from_ref(&older));
    assert_eq!(verdict(&chain, &store), Ok(()));
    assert_eq!(store.add_crl(&newer, &upload()), Ok(1));
    assert_eq!(store.add_crl(&older, &upload()), Ok(0));
    assert_eq!(store.revocation_lists().len(), 1);
    assert_eq!(verdict(&chain, &store), Err(Reason::Revoked));
}

#[test]
fn unusable_lists_are_errors_and_change_nothing() {
    let ca = authority("Example CA");
    let mut store = trusting(&ca, &[]);
    let cut = &list(&ca, &[7], 3000)[..40];
    for (bytes, sentence) in [
        (
            b"".as_slice(),
            "expected DER or a BEGIN X509 CRL section, found none in 0 bytes",
        ),
        (
            ca.pem().as_bytes(),
            "expected DER or a BEGIN X509 CRL section",
        ),
        (cut, "revocation list 1: "),
        (
            b"-----BEGIN X509 CRL-----\nMAA=\n".as_slice(),
            "section 1: no END line",
        ),
    ] {
        let error = store.add_crl(bytes, &upload()).unwrap_err().to_string();
        assert!(
            error.starts_with("trust store Tomcat-trust, upload ca.crl: revocation list"),
            "{error}"
        );
        assert!(error.contains(sentence), "{error}");
    }
    assert!(store.revocation_lists().is_empty());
}

mod in_a_handshake {
    use super::*;

    #[test]
    fn either_end_refuses_a_revoked_certificate_with_that_alert() {
        let ca = authority("Example CA");
        let lists = [list(&ca, &[7], 3000)];
        for (node, edge) in [(7, 8), (8, 7), (8, 9)] {
            let node_identity = Leaf::named(NODE).serial(node).signed_by(&ca);
            let edge_identity = Leaf::named("expc1.example.com").serial(edge).signed_by(&ca);
            let heard = Arc::new(Heard::default());
            let trust = Arc::new(LiveTrustStore::new(trusting(&ca, &lists)));
            let table = AllowedNames::new([AllowedRow::new("", "", "expc1.example.com")]);
            let asked = ClientVerifier::builder(
                Arc::clone(&trust),
                Arc::new(LiveAllowedNames::new(table)),
                provider(),
            )
            .observer(Arc::<Heard>::clone(&heard))
            .build();
            let verifier = ServerVerifier::builder(trust, provider())
                .observer(Arc::<Heard>::clone(&heard))
                .build();
            let client = client_config(Arc::new(verifier), Some(&edge_identity)).unwrap();
            let server = rustls::ServerConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_client_cert_verifier(Arc::new(asked))
                .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(Arc::clone(
                    node_identity.certified_key(),
                ))));
            let (ends, _, _) = connect(Arc::new(client), Arc::new(server), NODE);
            let alert = rustls::Error::AlertReceived(AlertDescription::CertificateRevoked);
            match (node, edge) {
                (7, _) => assert_eq!(ends.server, Err(alert)),
                (_, 7) => assert_eq!(ends.client, Err(alert)),
                _ => {
                    ends.client.unwrap();
                    ends.server.unwrap();
                    continue;
                }
            }
            let refusal = heard.only();
            assert_eq!((refusal.reason, refusal.at), (Reason::Revoked, Some(0)));
        }
    }
}
