//! One promise a target, as plain functions: the fuzzer feeds them, and `tests/replay.rs` feeds them the seeds.
//!
//! A function panics when its promise is broken, and returns whatever else it is given.

// A panic is how a fuzz target says that its promise is broken.
#![allow(clippy::missing_panics_doc, clippy::panic)]

pub mod csf;
pub mod message;
pub mod registration;
pub mod sealed;
pub mod token;

use std::net::IpAddr;
use std::sync::LazyLock;

use sip_oauth_axl::Call;
use sip_oauth_trust::{
    AllowedEntry, AllowedNames, AllowedRow, DnsName, Identities, PresentedName, Source, TrustStore,
    sip_domains,
};

/// A parser's promise, to be held for any bytes.
pub type Promise = fn(&[u8]);

/// Every target by its name, which is also that of its folder of seeds.
pub const TARGETS: &[(&str, Promise)] = &[
    ("allowed_names", allowed_names),
    ("axl", axl),
    ("bearer", message::bearer),
    ("certificate_identity", certificate_identity),
    ("device_xml", csf::device_xml),
    ("device_xml_edit", csf::device_xml_edit),
    ("device_xml_round_trip", csf::device_xml_round_trip),
    ("framer", message::framer),
    ("headers", message::headers),
    ("introspection", token::introspection),
    ("jwk_set", token::jwk_set),
    ("leniency", message::leniency),
    ("message", message::message),
    ("message_round_trip", message::message_round_trip),
    ("multipart", message::multipart),
    ("pem_bundle", pem_bundle),
    ("registration", registration::registration),
    ("token", token::token),
    ("token_claims", token::token_claims),
    ("token_encrypted", sealed::token_encrypted),
    ("uri", message::uri),
];

/// The names of a certificate are read without a panic; none that counts holds what could cut or disguise it.
pub fn certificate_identity(data: &[u8]) {
    let Ok(identities) = Identities::of(&data.into()) else {
        return;
    };
    for name in identities.common_names() {
        assert!(
            !name.is_empty() && !name.chars().any(char::is_control),
            "a control character cuts a name elsewhere"
        );
    }
    for name in identities.dns_names().iter().chain(identities.uris()) {
        assert!(
            !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic()),
            "dNSName and URI are IA5String"
        );
    }
    let printed = identities.to_string();
    assert!(!printed.chars().any(char::is_control));
    let table = AllowedNames::new([AllowedRow::new("expc.example.com", "", "*, *.example.com")]);
    let Err(refused) = table.check(&identities) else {
        panic!("a wildcard lets nobody in");
    };
    assert!(!refused.to_string().chars().any(char::is_control));
    let pushed = identities.names_for_table();
    let row = AllowedRow::new("expc.example.com", "", pushed.join(","));
    assert!(
        row.entries().iter().map(AllowedEntry::text).eq(&pushed),
        "what is pushed names nobody else"
    );
    let own = AllowedNames::new([row]);
    if let Ok(found) = own.check(&identities) {
        assert!(identities.presented().any(|name| name == found.presented));
    }
    // A name that counts is a reference identity of its own.
    for domain in sip_domains(&identities) {
        assert!(
            domain
                .parse::<DnsName>()
                .is_ok_and(|name| name.as_str() == domain)
        );
    }
}

/// A bundle gives certificates or an error, never neither; what a store refuses changes nothing in it, and what it has
/// it does not take again.
pub fn pem_bundle(data: &[u8]) {
    let found = sip_oauth_trust::certificates(data);
    assert!(found.as_ref().map_or(true, |found| !found.is_empty()));
    let count = |boundary: &[u8]| {
        data.windows(boundary.len())
            .filter(|it| *it == boundary)
            .count()
    };
    if let Ok(found) = &found
        && data.first() != Some(&0x30)
        && count(b"BEGIN PKCS7") + count(b"BEGIN CMS") == 0
    {
        assert_eq!(
            found.len(),
            count(b"-BEGIN CERTIFICATE-"),
            "no certificate of a text is passed over in silence"
        );
    }
    let mut store = TrustStore::new("fuzz");
    let source = Source::Memory("fuzz".to_owned());
    match store.add_bundle(data, &source) {
        Ok(added) => {
            assert!(found.is_ok() && added == store.len());
            let anchors = store.anchors().iter();
            let issuing = anchors.filter(|anchor| anchor.summary().may_issue());
            assert_eq!(store.roots().len(), issuing.count());
            assert_eq!(store.add_bundle(data, &source), Ok(0));
        }
        Err(error) => {
            assert!(store.is_empty());
            assert!(!error.to_string().is_empty());
        }
    }
    if store.add_crl(data, &source).is_err() {
        assert!(store.revocation_lists().is_empty());
    }
}

/// The entries of a row are the pieces of its string and no others, and one that counts is a whole name.
pub fn allowed_names(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (host, names) = text.split_once('\n').unwrap_or(("expc.example.com", text));
    let allowed = AllowedNames::new([AllowedRow::new(host, "", names)]);
    let [row] = allowed.rows() else {
        panic!("one row was given");
    };
    assert_eq!(row.names(), names, "the string itself is kept");
    let mut usable = 0;
    for entry in row.entries() {
        let text = entry.text();
        assert!(
            !text.is_empty() && names.contains(text),
            "an entry is a piece of the string"
        );
        assert!(!text.contains(|c: char| c.is_whitespace() || matches!(c, ',' | ';')));
        if entry.problem().is_none() {
            usable += 1;
            assert!(text.is_ascii() && text.len() <= 254 && !text.contains(['*', '\0', '@', '/']));
        }
    }
    assert!(allowed.len() <= usable, "equal entries count once");
    assert_eq!(allowed.is_empty(), usable == 0);
    for identities in presented() {
        let expected = identities.presented().find(|name| is_listed(names, name));
        match (allowed.check(identities), expected) {
            (Ok(found), Some(name)) => assert!(found.presented == name && found.row == host),
            (Err(refused), None) => {
                assert!(refused.expected.len() <= refused.expected_total);
                assert_eq!(
                    refused.unusable_expected_total,
                    row.entries().len() - usable
                );
            }
            (verdict, expected) => panic!("{verdict:?}, expected {expected:?}"),
        }
    }
}

/// The names of the seeds of `certificate_identity`, some of which a table may have.
fn presented() -> &'static [Identities] {
    static PRESENTED: LazyLock<Vec<Identities>> = LazyLock::new(|| {
        let certificates: [&[u8]; 3] = [
            include_bytes!("../seeds/certificate_identity/cn-only.der"),
            include_bytes!("../seeds/certificate_identity/san.der"),
            include_bytes!("../seeds/certificate_identity/every-kind.der"),
        ];
        let read =
            |der: &&[u8]| Identities::of(&(*der).into()).expect("a seed that is a certificate");
        certificates.iter().map(read).collect()
    });
    &PRESENTED
}

/// The rule once more, written naively. It may be laxer than the rule in what is a name at all: the presented names are
/// good ones.
fn is_listed(names: &str, presented: &PresentedName) -> bool {
    let plain = |name: &str| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let address = |name: &str| {
        let inner = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        match inner {
            Some(inner) => inner.parse().ok().map(IpAddr::V6),
            None => name.parse::<IpAddr>().ok(),
        }
    };
    let mut entries = names.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
    entries.any(|entry| match presented {
        PresentedName::Ip(presented) => address(entry) == Some(*presented),
        PresentedName::CommonName(name) | PresentedName::Dns(name) => {
            !name.contains('*') && plain(entry) == plain(name)
        }
        _ => false,
    })
}

/// A request that was read is written and read again as the same.
pub fn axl(data: &[u8]) {
    let limits = sip_oauth_axl::Limits::default();
    let Ok(call) = Call::decode(data, None, &limits) else {
        return;
    };
    let envelope = call.encode();
    let again = Call::decode(envelope.body.as_bytes(), None, &limits)
        .expect("what was written can be read");
    assert_eq!(call, again);
}
