//! The corpus' identity matching tables, each source scored as its own policy.
//!
//! Where we differ from a source, the case stands in `DISAGREEMENTS` with its reason; the run fails when
//! a case outside the list differs and when a listed one starts to agree.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "test helpers stand outside #[test] functions; scores are printed"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnValue, GeneralSubtree,
    IsCa, KeyPair, NameConstraints, SanType,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;
use sip_oauth_trust::{
    Identities, Purpose, ReferenceIdentity, Rule, dangerous, sip_domains, verify_chain,
};

/// Cases and the reason we differ. But for the last group, we are the stricter ones.
const DISAGREEMENTS: &[(&[&str], &str)] = &[
    (
        &[
            "curl-dns-id-match-021",
            "curl-dns-id-match-024",
            "curl-dns-id-match-025",
            "rustls-webpki-dns-id-match-057",
        ],
        "the reference is no DNS name (blank, asterisks, label over 63 octets, per cent sign)",
    ),
    (
        &["curl-dns-id-match-046"],
        "an address in a dNSName is no IP-ID (RFC 9525 §6.4)",
    ),
    (
        &[
            "curl-dns-id-match-027",
            "curl-dns-id-match-028",
            "go-dns-id-match-020",
            "go-dns-id-match-021",
            "go-dns-id-match-022",
            "node-cert-hostname-004",
        ],
        "a presented name has no trailing dot (RFC 5280 §4.2.1.6); webpki says the same",
    ),
    (
        &[
            "mozpkix-dns-id-match-017",
            "mozpkix-dns-id-match-018",
            "mozpkix-dns-id-match-019",
            "mozpkix-dns-name-validity-024",
            "mozpkix-dns-name-validity-026",
            "mozpkix-dns-name-validity-027",
            "mozpkix-dns-name-validity-096",
            "mozpkix-dns-name-validity-097",
            "mozpkix-dns-name-validity-098",
            "mozpkix-dns-name-validity-099",
            "mozpkix-dns-name-validity-102",
        ],
        "a label neither begins nor ends with a hyphen (RFC 1034 §3.5); rustls-pki-types says the same",
    ),
    (
        &["node-cert-hostname-019"],
        "a wildcard is a whole label (RFC 9525 §6.3)",
    ),
    (
        &["node-cert-hostname-022"],
        "a URI is no DNS-ID (RFC 9525 §6.3)",
    ),
    (
        &["rustls-pki-types-dns-name-validity-193"],
        "the last label is a number, so that some resolvers read an IPv4 address; so does the \
         rustls-pki-types in use",
    ),
    (
        &["mozpkix-cert-hostname-025", "mozpkix-cert-hostname-057"],
        "another dNSName of the certificate is malformed: mozpkix refuses the certificate, webpki and we \
         only that name",
    ),
];

fn corpus(path: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("SIP_OAUTH_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
        PathBuf::from,
    );
    let file = root.join("x509").join(path);
    let found = std::fs::read(&file).ok();
    if found.is_none() {
        println!("skipped: {} is not there", file.display());
    }
    found
}

/// A field, given as text or as hexadecimal octets.
fn octets(case: &Value, field: &str) -> Vec<u8> {
    if let Some(text) = case[field].as_str() {
        return text.as_bytes().to_vec();
    }
    let hex = case[format!("{field}_hex")].as_str().unwrap_or_default();
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

fn reference(case: &Value, field: &str) -> Option<ReferenceIdentity> {
    String::from_utf8(octets(case, field)).ok()?.parse().ok()
}

/// A certificate with exactly these octets in its names.
fn certificate(
    common_names: Vec<DnValue>,
    san: Option<&[(u8, Vec<u8>)]>,
) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    for (at, name) in common_names.into_iter().enumerate() {
        params
            .distinguished_name
            .push(support::common_name(at), name);
    }
    if let Some(entries) = san {
        let names: Vec<u8> = entries
            .iter()
            .flat_map(|(tag, content)| tlv(0x80 | tag, content))
            .collect();
        let content = tlv(0x30, &names);
        let extension = CustomExtension::from_oid_content(&[2, 5, 29, 17], content);
        params.custom_extensions.push(extension);
    }
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().clone()
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut encoded = vec![tag];
    let length = u16::try_from(content.len()).unwrap();
    if length < 128 {
        encoded.push(u8::try_from(length).unwrap());
    } else {
        encoded.push(0x82);
        encoded.extend(length.to_be_bytes());
    }
    encoded.extend_from_slice(content);
    encoded
}

fn rfc9525(case: &Value) -> bool {
    let certificate = certificate(Vec::new(), Some(&[(2, octets(case, "presented"))]));
    let Some(reference) = reference(case, "reference") else {
        return false;
    };
    Identities::of(&certificate).is_ok_and(|it| Rule::Rfc9525.matches(&reference, &it).is_ok())
}

fn with_common_name(case: &Value) -> bool {
    let attributes = case["subject"].as_array().into_iter().flatten();
    let mut raw = Vec::new();
    let common_names = attributes
        .flat_map(|rdn| rdn.as_array().unwrap())
        .filter(|attribute| attribute["type"] == "CN")
        .map(|attribute| {
            let value = octets(attribute, "value");
            // rcgen writes text only: other octets are put in afterwards, in place of as many tildes.
            let text = String::from_utf8(value.clone()).unwrap_or_else(|_| "~".repeat(value.len()));
            if text.as_bytes() != value {
                raw.push(value);
            }
            match attribute["string_type"].as_str() {
                Some("TeletexString") => text
                    .as_str()
                    .try_into()
                    .map_or(DnValue::Utf8String(text.clone()), DnValue::TeletexString),
                _ => DnValue::Utf8String(text),
            }
        })
        .collect();
    let san: Option<Vec<(u8, Vec<u8>)>> = case["san"].as_array().map(|names| {
        names
            .iter()
            .map(|name| {
                let value = octets(name, "value");
                match name["type"].as_str().unwrap() {
                    "DNSName" => (2, value),
                    "URI" => (6, value),
                    "IPAddress" => match std::str::from_utf8(&value).unwrap_or("").parse() {
                        Ok(IpAddr::V4(address)) => (7, address.octets().to_vec()),
                        _ => (7, value),
                    },
                    other => unreachable!("the corpus has no {other}"),
                }
            })
            .collect()
    });
    let mut certificate = certificate(common_names, san.as_deref()).to_vec();
    for value in raw {
        let tildes = vec![b'~'; value.len()];
        while let Some(at) = certificate.windows(value.len()).position(|it| it == tildes) {
            certificate[at..at + value.len()].copy_from_slice(&value);
        }
    }
    let certificate = CertificateDer::from(certificate);
    let Some(reference) = reference(case, "reference") else {
        return false;
    };
    Identities::of(&certificate)
        .is_ok_and(|it| dangerous::common_name_fallback(&reference, &it).is_ok())
}

/// Whether a certificate for `presented` is good under an authority with this dNSName constraint (RFC 5280 §4.2.1.10).
fn under_constraint(case: &Value, is_permitted: bool) -> bool {
    let text = |field: &str| String::from_utf8(octets(case, field)).unwrap();
    let constraint = vec![GeneralSubtree::DnsName(text("constraint"))];
    let (permitted_subtrees, excluded_subtrees) = if is_permitted {
        (constraint, Vec::new())
    } else {
        (Vec::new(), constraint)
    };
    let root = support::authority("Root");
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees,
        excluded_subtrees,
    });
    let key = KeyPair::generate().unwrap();
    let constrained = CertifiedIssuer::signed_by(params, key, &root).unwrap();
    let mut leaf = CertificateParams::new(Vec::new()).unwrap();
    let name = text("presented").try_into().unwrap();
    leaf.subject_alt_names = vec![SanType::DnsName(name)];
    let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &constrained);
    let chain = [leaf.unwrap().der().clone(), constrained.der().clone()];
    let store = support::store("trusted CA list", [root.der()]).load();
    let purpose = Purpose::Server;
    verify_chain(
        &chain,
        &store,
        purpose,
        SystemTime::now(),
        &support::provider(),
    )
    .is_ok()
}

/// Whether we say what the source says; `None` for a set that nobody has looked at.
fn agrees(case: &Value) -> Option<bool> {
    let expected = case["result"] == "match";
    match case["set"].as_str()? {
        "dns-id-match" => Some(rfc9525(case) == expected),
        "cert-hostname" => Some(with_common_name(case) == expected),
        "dns-name-validity" => {
            let valid = matches!(reference(case, "name"), Some(ReferenceIdentity::Dns(_)));
            Some(valid == case["valid_reference"].as_bool()?)
        }
        "ipv4" | "ipv6" => {
            let expected = case["valid"].as_bool()?;
            Some(match reference(case, "name") {
                Some(ReferenceIdentity::Ip(address)) => {
                    let octets = address_octets(address);
                    expected && case["octets"] == Value::from(octets)
                }
                _ => !expected,
            })
        }
        // Nothing malformed is good, and nothing outside of what is permitted.
        "dns-constraint" | "dns-constraint-wildcard-permitted" => {
            Some(under_constraint(case, true) == expected)
        }
        "dns-constraint-wildcard-excluded" => Some(under_constraint(case, false) != expected),
        _ => None,
    }
}

fn address_octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

#[test]
fn names_agree_with_each_source_but_for_the_listed_cases() {
    let Some(text) = corpus("names/cases.json") else {
        return;
    };
    let file: Value = serde_json::from_slice(&text).unwrap();
    let mut score: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut surprises = Vec::new();
    for case in file["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let policy = format!(
            "{}/{}",
            case["source"].as_str().unwrap(),
            case["set"].as_str().unwrap()
        );
        let agrees = agrees(case).unwrap_or_else(|| panic!("{id}: nobody has looked at {policy}"));
        let (right, all) = score.entry(policy).or_default();
        *right += usize::from(agrees);
        *all += 1;
        let listed = DISAGREEMENTS.iter().any(|(names, _)| names.contains(&id));
        if agrees == listed {
            surprises.push(format!("{id}: agrees {agrees}, listed {listed}: {case}"));
        }
    }
    for (policy, (right, all)) in &score {
        println!("{policy}: {right} of {all}");
    }
    for (names, reason) in DISAGREEMENTS {
        println!("differs: {}: {reason}", names.join(", "));
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

#[test]
fn sip_domains_of_the_corpus_certificates() {
    let Some(text) = corpus("sip-domain/expected.json") else {
        return;
    };
    let expected: Value = serde_json::from_slice(&text).unwrap();
    for case in expected.as_array().unwrap() {
        let file = case["file"].as_str().unwrap();
        let pem = corpus(&format!("sip-domain/{file}")).unwrap();
        let certificate = CertificateDer::from_pem_slice(&pem).unwrap();
        let identities = Identities::of(&certificate).unwrap();
        let found = sip_domains(&identities);
        let expected: Vec<_> = case["sip_domain_identities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap())
            .collect();
        assert_eq!(found, expected, "{file}: {identities}");
    }
}
