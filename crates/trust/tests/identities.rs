//! RFC 5280 names of a certificate, and certificates that are none.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use proptest::prelude::*;
use rcgen::DnValue;
use rustls_pki_types::CertificateDer;
use sip_oauth_trust::{Identities, UnreadableCertificate};
use support::Leaf;

#[test]
fn kinds_are_kept_apart() {
    let identities = Leaf::default()
        .cn("expc1.example.com")
        .dns("expc1.example.com")
        .dns("*.example.net")
        .uri("sip:example.com")
        .ip("192.0.2.7")
        .ip("2001:db8::7")
        .identities();
    assert_eq!(identities.common_names(), ["expc1.example.com"]);
    assert_eq!(
        identities.dns_names(),
        ["expc1.example.com", "*.example.net"]
    );
    assert_eq!(identities.uris(), ["sip:example.com"]);
    assert_eq!(identities.ip_addresses().len(), 2);
    assert!(identities.unusable().is_empty());
    assert_eq!(
        identities.to_string(),
        "[CN \"expc1.example.com\", DNS \"expc1.example.com\", DNS \"*.example.net\", IP 192.0.2.7, \
         IP 2001:db8::7, URI \"sip:example.com\"]"
    );
    assert_eq!(
        identities.names_for_table(),
        ["expc1.example.com", "*.example.net"]
    );
}

#[test]
fn name_that_would_be_several_in_a_row_is_not_pushed() {
    let names = |name: &str| Leaf::default().cn(name).identities().names_for_table();
    for name in [
        "x,cucm.example.com",
        "x;cucm.example.com",
        "x cucm.example.com",
        "x\u{3000}cucm.example.com",
    ] {
        assert!(names(name).is_empty(), "{name:?}");
    }
    assert_eq!(names("cucm.example.com"), ["cucm.example.com"]);
}

#[test]
fn string_types_of_a_cn_are_decoded() {
    for value in [
        DnValue::Utf8String("Zürich".to_owned()),
        DnValue::BmpString("Zürich".try_into().unwrap()),
        DnValue::UniversalString("Zürich".try_into().unwrap()),
    ] {
        assert_eq!(
            Leaf::default().cn_value(value).identities().common_names(),
            ["Zürich"]
        );
    }
    for value in [
        DnValue::PrintableString("expc1.example.com".try_into().unwrap()),
        DnValue::Ia5String("expc1.example.com".try_into().unwrap()),
        DnValue::TeletexString("expc1.example.com".try_into().unwrap()),
    ] {
        assert_eq!(
            Leaf::default().cn_value(value).identities().common_names(),
            ["expc1.example.com"]
        );
    }
}

#[test]
fn names_with_nul_or_control_characters_are_shown_but_not_used() {
    let identities = Leaf::default()
        .cn("good.example.com\0.evil.example")
        .dns("a\nb")
        .dns("")
        .identities();
    assert!(identities.common_names().is_empty());
    assert!(identities.dns_names().is_empty());
    let shown: Vec<_> = identities
        .unusable()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        shown,
        [
            "CN \"good.example.com\\u{0}.evil.example\" (it holds NUL, control or invisible characters)",
            "DNS \"a\\u{a}b\" (it holds NUL, control or blank characters)",
            "DNS \"\" (it is empty)",
        ]
    );
}

#[test]
fn trailing_bytes_are_refused() {
    let certificate = Leaf::named("expc1.example.com").self_signed();
    let mut bytes = certificate.chain()[0].to_vec();
    let at = bytes.len();
    bytes.extend_from_slice(b"\0\0");
    assert_eq!(
        Identities::of(&CertificateDer::from(bytes)),
        Err(UnreadableCertificate::TrailingBytes { at, bytes: 2 })
    );
}

#[test]
fn what_is_no_certificate_is_refused() {
    for bytes in [
        &b""[..],
        b"0",
        b"\x30\x82\xff\xff",
        b"-----BEGIN CERTIFICATE-----",
    ] {
        let found = Identities::of(&CertificateDer::from(bytes.to_vec()));
        assert!(
            matches!(found, Err(UnreadableCertificate::Malformed { .. })),
            "{bytes:?}: {found:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = Identities::of(&CertificateDer::from(bytes));
    }

    /// One octet of a good certificate changed: an answer or an error, and never a control character.
    #[test]
    fn no_damaged_certificate_yields_control_characters(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let leaf = Leaf::named("expc1.example.com").uri("sip:example.com").ip("192.0.2.7");
        let mut bytes = leaf.self_signed().chain()[0].to_vec();
        let at = at.index(bytes.len());
        bytes[at] = octet;
        if let Ok(identities) = Identities::of(&CertificateDer::from(bytes)) {
            prop_assert!(!identities.to_string().chars().any(char::is_control));
            let names = identities.common_names().iter().chain(identities.dns_names());
            prop_assert!(names.flat_map(|name| name.chars()).all(|c| !c.is_control()));
        }
    }
}
