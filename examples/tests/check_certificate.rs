//! `check_certificate` gives its verdict and the whole tree, also where a certificate cannot be read.
//!
//! The program is the one that `cargo test` builds beside this test.

// Helpers of tests may panic, as tests do.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, process::Command};

use serde_json::Value;

#[test]
fn certificate_that_cannot_be_read_stands_in_the_json_beside_the_others() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let mut chain = fs::read_to_string(data.join("tomcat.pem")).unwrap();
    let good = chain.matches("BEGIN CERTIFICATE").count();
    chain.push_str("\n-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unreadable.pem");
    fs::write(&file, chain).unwrap();
    let tests = std::env::current_exe().unwrap();
    let programs = tests.ancestors().nth(2).unwrap().join("examples");
    let output = Command::new(programs.join("check_certificate"))
        .args([
            "--format",
            "json",
            "--name",
            "ucm-pub.example.com",
            "--store",
        ])
        .arg(data.join("tomcat-trust.pem"))
        .arg(&file)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["schema"], "sip-oauth-check-certificate/1");
    let certificates = report["chain"].as_array().unwrap();
    assert_eq!(certificates.len(), good + 1);
    assert!(certificates[0]["subject"].is_string());
    let unreadable = certificates[good]["unreadable"].as_str().unwrap();
    assert!(unreadable.contains("X.509"), "{unreadable}");
    assert!(certificates[good]["sha1"].is_string());
}
