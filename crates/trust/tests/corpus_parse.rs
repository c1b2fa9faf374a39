//! Malformed certificates of the corpus: what cannot be read is refused, and nothing panics.
//!
//! A certificate counts as read when its identities can be read and webpki takes it as an end entity or an anchor: both
//! happen before anything is accepted. Where that differs from the corpus, the file is listed with its reason; the run
//! fails when it starts to agree.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "test helpers stand outside #[test] functions"
)]

use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use serde_json::Value;
use sip_oauth_trust::{CertificateSummary, Source, TrustStore, not_after};
use webpki::EndEntityCert;
use x509_parser::pem::Pem;

const DISAGREEMENTS: &[(&[&str], &str)] = &[
    (
        &[
            "bad_policy_qualifiers.pem",
            "policy_constraints_empty.pem",
            "subject_key_identifier_not_octet_string.pem",
        ],
        "an extension that neither webpki nor we evaluate",
    ),
    (
        &["basic_constraints_unconsumed_data.pem"],
        "webpki looks at basicConstraints on a path only",
    ),
    (
        &["extension_critical_0.pem", "extensions_empty_sequence.pem"],
        "BER where DER is due, or an empty list: one reading only, and webpki has the same",
    ),
    (
        &["subject_not_ascii.pem"],
        "a name that cannot be decoded is kept apart as unusable and matches nothing",
    ),
    (
        &["subjectaltname_general_names_empty_sequence.pem"],
        "it has a subjectAltName without names, so nothing matches and no CN counts under RFC 5922",
    ),
    (
        &["cert_skeleton.pem"],
        "the frame of a certificate around empty parts",
    ),
];

fn is_read(der: &CertificateDer<'_>) -> bool {
    let mut store = TrustStore::new("corpus");
    let is_anchor = store
        .add_der(der.clone(), &Source::Memory("the corpus".to_owned()))
        .is_ok();
    CertificateSummary::of(der).is_ok() && (EndEntityCert::try_from(der).is_ok() || is_anchor)
}

#[test]
fn malformed_certificates_are_refused_but_for_the_listed() {
    let root = std::env::var_os("SIP_OAUTH_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
        PathBuf::from,
    );
    let folder = root.join("x509/parse");
    let Ok(index) = std::fs::read(folder.join("index.json")) else {
        println!("skipped: {} is not there", folder.display());
        return;
    };
    let index: Value = serde_json::from_slice(&index).unwrap();
    let mut surprises = Vec::new();
    let mut skipped = Vec::new();
    let mut right = 0;
    for case in index.as_array().unwrap() {
        let file = case["file"].as_str().unwrap();
        let text = std::fs::read(folder.join(file)).unwrap();
        let block = Pem::iter_from_buffer(&text)
            .filter_map(Result::ok)
            .find(|block| block.label == "CERTIFICATE");
        let Some(block) = block else {
            skipped.push(file);
            continue;
        };
        let certificate = CertificateDer::from(block.contents);
        let read = is_read(&certificate);
        if let Ok(summary) = CertificateSummary::of(&certificate) {
            let end = Some(summary.not_after());
            assert_eq!(not_after(&certificate), end, "{file}");
        }
        let agrees = read == (case["result"] == "valid");
        let listed = DISAGREEMENTS.iter().any(|(files, _)| files.contains(&file));
        right += usize::from(agrees);
        if agrees == listed {
            surprises.push(format!(
                "{file}: read: {read}, listed: {listed}, {}",
                case["errors"]
            ));
        }
    }
    println!("{right} as the corpus expects; a part of a certificate, not run: {skipped:?}");
    for (files, reason) in DISAGREEMENTS {
        println!("differs: {}: {reason}", files.join(", "));
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}
