//! The corpus' files as cases.

use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;
use x509_parser::pem::Pem;

use crate::case::Case;

fn folder() -> PathBuf {
    std::env::var_os("SIP_OAUTH_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
        PathBuf::from,
    )
}

fn read(file: &str) -> Option<Vec<u8>> {
    std::fs::read(folder().join("x509").join(file)).ok()
}

fn json(file: &str) -> Option<Value> {
    Some(serde_json::from_slice(&read(file)?).unwrap())
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn certificate(pem: &Value) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_str().unwrap().as_bytes()).unwrap()
}

/// x509-limbo's schema.
pub(crate) fn limbo(file: &str) -> Option<Vec<Case>> {
    let cases = json(file)?;
    let case = |case: &Value| {
        let mut chain = vec![certificate(&case["peer_certificate"])];
        chain.extend(array(&case["untrusted_intermediates"]).map(certificate));
        let name = &case["expected_peer_name"];
        Case {
            id: case["id"].as_str().unwrap().to_owned(),
            expected: case["expected_result"] == "SUCCESS",
            anchors: array(&case["trusted_certs"]).map(certificate).collect(),
            chain,
            lists: array(&case["crls"])
                .map(|list| pem_blocks(list.as_str().unwrap().as_bytes()).remove(0).1)
                .collect(),
            lists_required: false,
            time: case["validation_time"].as_str().map(rfc3339),
            is_client: case["validation_kind"] == "CLIENT",
            name: ["DNS", "IP"]
                .contains(&name["kind"].as_str().unwrap_or(""))
                .then(|| name["value"].as_str().unwrap().to_owned()),
        }
    };
    Some(array(&cases["testcases"]).map(case).collect())
}

/// NIST's suite, with its lists.
pub(crate) fn pkits() -> Option<Vec<Case>> {
    let cases = json("pkits/cases.json")?;
    let file = |kind: &str, name: &Value, ending: &str| {
        read(&format!("pkits/{kind}/{}.{ending}", name.as_str().unwrap())).unwrap()
    };
    let case = |case: &Value| {
        let mut certificates: Vec<CertificateDer<'static>> = array(&case["certs"])
            .map(|name| file("certs", name, "crt").into())
            .collect();
        let anchors = vec![certificates.remove(0)];
        certificates.reverse();
        Case {
            id: format!(
                "pkits {} {}",
                case["id"].as_str().unwrap(),
                case["title"].as_str().unwrap()
            ),
            expected: case["should_validate"] == true,
            anchors,
            chain: certificates,
            lists: array(&case["crls"])
                .map(|name| file("crls", name, "crl"))
                .collect(),
            lists_required: true,
            time: Some(rfc3339("2020-01-01T00:00:00Z")),
            is_client: false,
            name: None,
        }
    };
    Some(array(&cases).map(case).collect())
}

/// Chains with their expected errors.
pub(crate) fn chains() -> Option<Vec<Case>> {
    let cases = json("chains/index.json")?;
    let case = |case: &Value| {
        let text = read(&format!("chains/{}", case["chain"].as_str().unwrap())).unwrap();
        let mut chain: Vec<CertificateDer<'static>> = pem_blocks(&text)
            .into_iter()
            .filter(|(label, _)| label == "CERTIFICATE")
            .map(|(_, der)| der.into())
            .collect();
        let trusted = case["last_cert_trust"]
            .as_str()
            .unwrap()
            .starts_with("TRUSTED");
        let last = chain.pop().unwrap();
        if chain.is_empty() {
            chain.push(last.clone());
        }
        let time = match case["utc_time"].as_str().unwrap() {
            "DEFAULT" => "211005120000Z",
            time => time,
        };
        let two = |at: usize| &time[at..at + 2];
        let time = format!(
            "20{}-{}-{}T{}:{}:{}Z",
            two(0),
            two(2),
            two(4),
            two(6),
            two(8),
            two(10)
        );
        Case {
            id: format!("chains/{}", case["id"].as_str().unwrap()),
            expected: case["result"] == "valid",
            anchors: if trusted { vec![last] } else { Vec::new() },
            chain,
            lists: Vec::new(),
            lists_required: false,
            time: Some(rfc3339(&time)),
            is_client: case["key_purpose"]
                .as_str()
                .unwrap()
                .starts_with("CLIENT_AUTH"),
            name: None,
        }
    };
    Some(array(&cases).map(case).collect())
}

/// A list, the certificate it speaks for and its issuer.
pub(crate) fn crl() -> Option<Vec<Case>> {
    let cases = json("crl/index.json")?;
    let case = |case: &Value| {
        let file = case["file"].as_str().unwrap();
        let blocks = pem_blocks(&read(&format!("crl/{file}")).unwrap());
        let all = |label: &str| {
            let blocks = blocks.iter().filter(move |(found, _)| found == label);
            blocks.map(|(_, der)| der.clone()).collect::<Vec<_>>()
        };
        Case {
            id: format!("crl/{file}"),
            expected: case["result"] == "good",
            anchors: all("CA CERTIFICATE").into_iter().map(Into::into).collect(),
            chain: all("CERTIFICATE").into_iter().map(Into::into).collect(),
            lists: all("CRL"),
            lists_required: true,
            time: Some(1_489_017_600),
            is_client: false,
            name: None,
        }
    };
    Some(
        array(&cases)
            .map(case)
            .filter(|case| !case.chain.is_empty())
            .collect(),
    )
}

fn pem_blocks(text: &[u8]) -> Vec<(String, Vec<u8>)> {
    Pem::iter_from_buffer(text)
        .filter_map(Result::ok)
        .map(|block| (block.label, block.contents))
        .collect()
}

/// `1970-01-01T00:00:03+00:00`, always UTC here.
fn rfc3339(text: &str) -> u64 {
    let number = |at: usize, length: usize| text[at..at + length].parse::<i64>().unwrap();
    let (year, month, day) = (number(0, 4), number(5, 2), number(8, 2));
    // Days from 1970-01-01, years beginning with March.
    let shifted = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year - 719_468;
    let seconds = days * 86_400 + number(11, 2) * 3_600 + number(14, 2) * 60 + number(17, 2);
    u64::try_from(seconds).unwrap()
}
