//! RFC 9525: service identity of a server.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use proptest::prelude::*;
use rcgen::{OtherNameValue, SanType};
use rustls::client::verify_server_name;
use rustls::server::ParsedCertificate;
use rustls_pki_types::ServerName;
use sip_oauth_trust::{Identities, ReferenceIdentity, Rule, dangerous};
use support::Leaf;

fn matches(reference: &str, leaf: Leaf) -> bool {
    let reference: ReferenceIdentity = reference.parse().expect("a reference identity");
    Rule::Rfc9525
        .matches(&reference, &leaf.identities())
        .is_ok()
}

mod section_6_3_dns_id {
    use super::*;

    const PRESENTED_MATCHES_REFERENCE: &[(&str, &str, bool)] = &[
        ("cucm1.example.com", "cucm1.example.com", true),
        ("CUCM1.Example.Com", "cucm1.example.com", true),
        ("cucm1.example.com", "cucm1.example.com.", true),
        ("cucm1.example.com.", "cucm1.example.com", false),
        ("*.example.com", "cucm1.example.com", true),
        ("*.example.com", "a.b.example.com", false),
        ("*.example.com", "example.com", false),
        ("*.com", "example.com", false),
        ("c*.example.com", "cucm1.example.com", false),
        ("cucm1.*.com", "cucm1.example.com", false),
        ("*.*.com", "a.example.com", false),
        ("*", "example", false),
        ("cucm_1.example.com", "cucm_1.example.com", true),
        ("example.com", "cucm1.example.com", false),
        ("192.0.2.1", "192.0.2.1", false),
    ];

    #[test]
    fn only_the_whole_left_most_label_may_be_a_wildcard() {
        for (presented, reference, expected) in PRESENTED_MATCHES_REFERENCE {
            let found = matches(reference, Leaf::default().dns(presented));
            assert_eq!(found, *expected, "{presented} against {reference}");
        }
    }
}

mod section_6_5_ip_id {
    use super::*;

    #[test]
    fn addresses_are_compared_as_addresses() {
        assert!(matches("192.0.2.1", Leaf::default().ip("192.0.2.1")));
        assert!(matches(
            "[2001:db8::1]",
            Leaf::default().ip("2001:db8:0:0::1")
        ));
        assert!(!matches("192.0.2.2", Leaf::default().ip("192.0.2.1")));
        assert!(!matches(
            "192.0.2.1",
            Leaf::default().ip("::ffff:192.0.2.1")
        ));
    }
}

mod section_2_common_name {
    use super::*;

    #[test]
    fn is_never_looked_at() {
        assert!(!matches(
            "cucm1.example.com",
            Leaf::default().cn("cucm1.example.com")
        ));
    }

    #[test]
    fn counts_under_a_dangerous_name_without_dns_and_ip_entries() {
        let reference = "cucm1.example.com".parse().expect("a name");
        let only_cn = Leaf::default().cn("cucm1.example.com");
        assert!(dangerous::common_name_fallback(&reference, &only_cn.clone().identities()).is_ok());
        let last = Leaf::default()
            .cn("other.example.com")
            .cn("cucm1.example.com");
        assert!(dangerous::common_name_fallback(&reference, &last.identities()).is_ok());
        let first = Leaf::default()
            .cn("cucm1.example.com")
            .cn("other.example.com");
        let mismatch = dangerous::common_name_fallback(&reference, &first.identities());
        let shown: Vec<_> = mismatch.unwrap_err().presented;
        let shown: Vec<_> = shown.iter().map(ToString::to_string).collect();
        let names = ["CN \"cucm1.example.com\"", "CN \"other.example.com\""];
        assert_eq!(shown, names, "the CNs are among what was presented");
        let doubtful = Leaf::default()
            .cn("cucm1.example.com\0")
            .cn("cucm1.example.com");
        let doubtful = dangerous::common_name_fallback(&reference, &doubtful.identities());
        assert_eq!(doubtful.unwrap_err().unusable.len(), 1, "and it is named");
        let address = "192.0.2.1".parse().expect("an address");
        for (name, expected) in [("192.0.2.1", true), ("192.0.2.2", false)] {
            let leaf = Leaf::default().cn(name).identities();
            let found = dangerous::common_name_fallback(&address, &leaf);
            assert_eq!(found.is_ok(), expected, "{name}");
        }
        let with_dns = only_cn.clone().dns("other.example.com").identities();
        assert!(dangerous::common_name_fallback(&reference, &with_dns).is_err());
        let with_ip = only_cn.ip("192.0.2.1").identities();
        assert!(dangerous::common_name_fallback(&reference, &with_ip).is_err());
    }

    /// RFC 6125 §6.4.4: the CN must not count "if the presented identifiers include a DNS-ID, SRV-ID, URI-ID". A mail
    /// address is none of them.
    #[test]
    fn does_not_count_beside_a_uri_or_an_srv_name_under_a_dangerous_name_either() {
        let reference = "cucm1.example.com".parse().expect("a name");
        let counts = |more: Option<SanType>| {
            let mut leaf = Leaf::default().cn("cucm1.example.com");
            leaf.sans.extend(more);
            dangerous::common_name_fallback(&reference, &leaf.identities()).is_ok()
        };
        let srv_name = OtherNameValue::Utf8String("_sips.cucm1.example.com".to_owned());
        let srv_name = SanType::OtherName((vec![1, 3, 6, 1, 5, 5, 7, 8, 7], srv_name));
        let uri = |uri: &str| SanType::URI(uri.try_into().expect("IA5"));
        assert!(!counts(Some(srv_name)));
        assert!(!counts(Some(uri("sip:other.example.com"))));
        assert!(!counts(Some(uri("a b"))), "nor beside one that is unusable");
        let mail = SanType::Rfc822Name("admin@example.com".try_into().expect("IA5"));
        assert!(counts(Some(mail)));
        assert!(counts(None));
    }
}

/// What a TLS client connects to is its reference identity, a name or an address.
#[test]
fn a_server_name_of_rustls_is_a_reference_identity() {
    for name in ["cucm1.example.com", "192.0.2.1", "2001:db8::1"] {
        let server = ServerName::try_from(name).unwrap();
        let expected: ReferenceIdentity = name.parse().unwrap();
        assert_eq!(ReferenceIdentity::try_from(&server), Ok(expected));
    }
}

#[test]
fn mismatch_says_what_was_expected_and_what_was_presented() {
    let reference = "example.com".parse().expect("a name");
    let leaf = Leaf::default().dns("sip1.example.com").ip("192.0.2.1");
    let mismatch = Rule::Rfc9525
        .matches(&reference, &leaf.identities())
        .unwrap_err();
    assert_eq!(
        mismatch.to_string(),
        "certificate: expected identity \"example.com\", presented [DNS \"sip1.example.com\", IP 192.0.2.1] \
         (RFC 9525 §6)"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Ours and webpki's, on names made of few letters so that they often meet.
    #[test]
    fn agrees_with_webpki(presented in "[*.aB_0-]{1,8}", reference in "[.ab_0-]{1,8}") {
        let Ok(server_name) = ServerName::try_from(reference.as_str()) else { return Ok(()) };
        let certificate = Leaf::default().dns(&presented).self_signed();
        let der = certificate.chain().first().expect("a chain");
        let webpki = ParsedCertificate::try_from(der)
            .and_then(|parsed| verify_server_name(&parsed, &server_name))
            .is_ok();
        let ours = ReferenceIdentity::try_from(&server_name)
            .is_ok_and(|expected| {
                let identities = Identities::of(der).expect("a certificate");
                Rule::Rfc9525.matches(&expected, &identities).is_ok()
            });
        prop_assert_eq!(ours, webpki, "presented {:?}, reference {:?}", presented, reference);
    }
}
