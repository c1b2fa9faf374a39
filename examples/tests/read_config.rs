//! What `read_config --format json` prints is what the library's serde gives: a program may read either.
//!
//! The program is the one that `cargo test` builds beside this test.

// Helpers of tests may panic, as tests do.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};
use sip_oauth::csf::{DeviceConfig, DeviceKind, Limits, Place};

/// Runs the program on files and gives its exit status and its JSON.
fn read_config(files: &[&str]) -> (Option<i32>, Value) {
    let tests = std::env::current_exe().unwrap();
    let program = tests
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples/read_config");
    let output = Command::new(&program)
        .args(["--format", "json"])
        .args(files)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; build the examples", program.display()));
    let report = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code(), report)
}

fn example_file() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/CSFrado.cnf.xml").to_owned()
}

/// A file with that content, and its name.
fn write(name: &str, content: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("read_config");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The same file by the library.
fn by_serde(file: &str) -> Value {
    let config = DeviceConfig::read(&fs::read(file).unwrap(), &Limits::default()).unwrap();
    let targets = |place| match config.registration_targets(place) {
        Ok(targets) => serde_json::to_value(targets).unwrap(),
        Err(problem) => json!({ "error": problem.to_string() }),
    };
    json!({
        "on_premises": targets(Place::OnPremises),
        "mra": targets(Place::Mra),
        "findings": serde_json::to_value(config.findings_for(DeviceKind::Csf)).unwrap(),
    })
}

#[test]
fn targets_and_findings_are_spelt_as_the_library_serialises_them() {
    let good = example_file();
    let text = fs::read_to_string(&good).unwrap();
    // Findings of each kind of place: a value, a missing element, a node.
    let findings = text
        .replace("<deviceSecurityMode>3<", "<deviceSecurityMode>1<")
        .replace("<sipMRAOAuthPort>5091</sipMRAOAuthPort>\n", "")
        .replace("<encrConfig>false<", "<encrConfig>true<");
    let findings = write("CSFfindings.cnf.xml", &findings);
    let mode_off = text.replace("<sipOAuthMode>1<", "<sipOAuthMode>0<");
    let mode_off = write("CSFoff.cnf.xml", &mode_off);
    let nowhere = write("CSFnowhere.cnf.xml", "<device></device>");
    let files = [&*good, &findings, &mode_off, &nowhere];

    let (status, report) = read_config(&files);
    assert_eq!(status, Some(1), "one file leads nowhere");
    assert_eq!(report["schema"], "sip-oauth-read-config/1");
    let reports = report["files"].as_array().unwrap();
    assert_eq!(reports.len(), files.len());
    for (report, file) in reports.iter().zip(files) {
        let library = by_serde(file);
        assert_eq!(report["file"], *file);
        for part in ["on_premises", "mra", "findings"] {
            assert_eq!(report[part], library[part], "{file}: {part}");
        }
    }
    assert!(reports[1]["findings"].as_array().unwrap().len() >= 3);
    assert!(reports[3]["mra"]["error"].is_string());
    // What the kind of device refuses, which the name of the file tells.
    let found = reports[3]["findings"].as_array().unwrap();
    assert!(
        found
            .iter()
            .any(|finding| finding["rule"] == "refused-by-csf")
    );
}

/// The spelling itself: who changes it breaks the programs of others.
#[test]
fn the_spelling_is_the_documented_one() {
    let (status, report) = read_config(&[&example_file()]);
    assert_eq!(status, Some(0));
    let target = &report["files"][0]["on_premises"][0];
    let text = fs::read_to_string(example_file()).unwrap();
    let port = text.find("5090</sipOAuthPort>").unwrap();
    assert_eq!(
        *target,
        json!({
            "node": "ucm-pub.example.com",
            "member": 0,
            "host": "ucm-pub.example.com",
            "port": 5090,
            "port_origin": { "written": { "start": port, "end": port + 4 } },
            "transport": "tls",
            "authentication": "bearer",
            "server_identity": "ucm-pub.example.com",
            "connected_by": "client",
            "client_port": 5090
        })
    );
    let target = &report["files"][0]["mra"][0];
    let words =
        ["transport", "authentication", "connected_by", "client_port"].map(|key| &target[key]);
    let expected = [
        json!("mutual-tls"),
        json!("bearer"),
        json!("expressway-c"),
        json!(5061),
    ];
    assert_eq!(words, expected.each_ref());

    let file = text.replace("<deviceSecurityMode>3<", "<deviceSecurityMode>1<");
    let (_, report) = read_config(&[&write("CSFspelling.cnf.xml", &file)]);
    let finding = &report["files"][0]["findings"][0];
    let keys: Vec<_> = finding
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, ["fix", "position", "rule", "severity", "what", "why"]);
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["rule"], "not-encrypted");
    let at = file.find("1</deviceSecurityMode>").unwrap();
    let position = &finding["position"];
    assert_eq!(position["path"], "/device/deviceSecurityMode");
    assert_eq!(position["offset"], at);
    assert_eq!(position["line"], file[..at].matches('\n').count() + 1);
    assert_eq!(position["column"], "<deviceSecurityMode>".len() + 1);
}
