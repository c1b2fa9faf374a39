//! RFC 5922: domain certificates in SIP.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use sip_oauth_trust::{ReferenceIdentity, Rule, sip_domain, sip_domains};
use support::Leaf;

fn matches(domain: &str, leaf: Leaf) -> bool {
    let reference: ReferenceIdentity = domain.parse().expect("a domain");
    Rule::Rfc5922
        .matches(&reference, &leaf.identities())
        .is_ok()
}

fn domains(leaf: Leaf) -> Vec<String> {
    let identities = leaf.identities();
    Rule::Rfc5922
        .candidates(&identities)
        .iter()
        .map(ToString::to_string)
        .collect()
}

mod section_7_1_finding_identities {
    use super::*;

    #[test]
    fn sip_uri_without_user_part_is_a_domain() {
        assert!(matches(
            "example.com",
            Leaf::default().uri("sip:example.com")
        ));
        assert!(matches(
            "example.com",
            Leaf::default().uri("SIP:Example.COM")
        ));
        assert!(matches(
            "example.com",
            Leaf::default().uri("sip:example.com:5061;transport=tls")
        ));
    }

    #[test]
    fn sip_uri_with_user_part_names_a_user() {
        assert!(!matches(
            "example.com",
            Leaf::default().uri("sip:alice@example.com")
        ));
        assert!(!matches(
            "example.com",
            Leaf::default().uri("sip:alice@other.example;x=sip:example.com")
        ));
    }

    #[test]
    fn other_schemes_are_no_sip_identities() {
        for uri in [
            "sips:example.com",
            "https://example.com",
            "im:example.com",
            "sip://example.com",
        ] {
            assert!(!matches("example.com", Leaf::default().uri(uri)), "{uri}");
        }
    }

    /// RFC 3261 §25.1: `hostport = host [ ":" port ]`, `port = 1*DIGIT`.
    #[test]
    fn a_port_is_digits_and_at_least_one() {
        for (uri, domain) in [
            ("sip:example.com:5061", Some("example.com")),
            ("sip:example.com:5061;transport=tls", Some("example.com")),
            ("sip:example.com:", None),
            ("sip:example.com:sips", None),
            ("sip:example.com:50x", None),
            ("sip::5061", None),
        ] {
            assert_eq!(sip_domain(uri).as_deref(), domain, "{uri}");
        }
    }

    #[test]
    fn dns_names_count_only_without_a_sip_domain_uri() {
        assert!(matches("example.com", Leaf::default().dns("example.com")));
        let both = Leaf::default().uri("sip:example.net").dns("example.com");
        assert_eq!(domains(both.clone()), ["URI \"sip:example.net\""]);
        assert!(!matches("example.com", both));
        let user = Leaf::default()
            .uri("sip:alice@example.net")
            .dns("example.com");
        assert!(matches("example.com", user));
    }

    /// "if and only if no other identity is found that matches the 'sip' URI type": what its host is does not matter.
    #[test]
    fn sip_uri_whose_host_is_no_domain_opens_no_way_to_dns_names() {
        for uri in [
            "sip:*.example.com",
            "sip:192.0.2.1",
            "sip:[2001:db8::1]",
            "sip:example.net.",
            "sip:example.net:x",
            "sip:-",
            "sip:",
            "sip:a b",
            "SIP:example.net\u{0}",
        ] {
            let both = Leaf::default().uri(uri).dns("example.com");
            assert!(!matches("example.com", both), "{uri}");
        }
        let shown = domains(Leaf::default().uri("sip:*.example.com").dns("example.com"));
        assert_eq!(shown, ["URI \"sip:*.example.com\""], "what was looked at");
        let identities = Leaf::default()
            .uri("sip:*.example.com")
            .dns("example.com")
            .identities();
        assert!(sip_domains(&identities).is_empty());
        let several = Leaf::default()
            .uri("sip:Example.net")
            .uri("sip:example.org:5061")
            .dns("example.com");
        assert_eq!(
            sip_domains(&several.identities()),
            ["example.net", "example.org"]
        );
        let reference = "example.com".parse().unwrap();
        let blank = Leaf::default()
            .uri("sip:a b")
            .dns("example.com")
            .identities();
        let mismatch = Rule::Rfc5922.matches(&reference, &blank).unwrap_err();
        assert_eq!(
            mismatch.to_string(),
            "certificate: expected identity \"example.com\", presented [], not usable [URI \"sip:a b\" (it holds NUL, \
             control or blank characters)] (RFC 5922 §7)"
        );
    }

    /// What cannot be compared is named out of the fields that were looked at, and of no others.
    #[test]
    fn a_mismatch_names_the_unusable_of_the_fields_it_looked_at() {
        let reference = "example.com".parse().unwrap();
        let fields = |leaf: Leaf| {
            let mismatch = Rule::Rfc5922.matches(&reference, &leaf.identities());
            let unusable = mismatch.unwrap_err().unusable;
            unusable.iter().map(|name| name.field).collect::<Vec<_>>()
        };
        let bad_cn = Leaf::default().cn("a\0");
        let bad_names = bad_cn.clone().uri("https://a b").dns("a b");
        assert_eq!(fields(bad_names.clone().uri("sip:example.net")), ["URI"]);
        assert_eq!(fields(bad_names), ["URI", "DNS"]);
        assert_eq!(fields(bad_cn), ["CN"]);
    }

    #[test]
    fn common_name_counts_only_without_any_subject_alt_name() {
        assert!(matches("example.com", Leaf::default().cn("example.com")));
        for other in [
            Leaf::default().dns("example.net"),
            Leaf::default().uri("sip:alice@example.net"),
            Leaf::default().ip("192.0.2.1"),
        ] {
            assert!(!matches("example.com", other.cn("example.com")));
        }
    }
}

mod section_7_2_comparing_identities {
    use super::*;

    #[test]
    fn never_a_wildcard() {
        assert!(!matches(
            "sip.example.com",
            Leaf::default().dns("*.example.com")
        ));
        assert!(!matches(
            "sip.example.com",
            Leaf::default().uri("sip:*.example.com")
        ));
        assert!(!matches(
            "sip.example.com",
            Leaf::default().cn("*.example.com")
        ));
    }

    #[test]
    fn exactly_and_case_insensitively() {
        assert!(matches("EXAMPLE.com", Leaf::default().dns("example.COM")));
        assert!(!matches(
            "sip.example.com",
            Leaf::default().dns("example.com")
        ));
        assert!(!matches(
            "example.com",
            Leaf::default().dns("sip.example.com")
        ));
    }

    #[test]
    fn an_address_is_no_sip_domain() {
        assert!(!matches("192.0.2.1", Leaf::default().ip("192.0.2.1")));
        assert!(!matches("192.0.2.1", Leaf::default().uri("sip:192.0.2.1")));
    }
}
