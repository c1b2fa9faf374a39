//! What this code sends, held against the published messages: fields, their order, their values, the bytes of the bodies.
//!
//! The published messages are not part of this repository. They are looked for beside the corpus
//! (`$SIP_OAUTH_CORPUS/../wire`, `../shared/wire` by default); without them each test passes and says what it skipped.

// What a test skips is told on standard output, where the test runner shows it.
#![allow(clippy::print_stdout)]

#[path = "../../tokio/tests/support/log.rs"]
mod log;

use std::path::PathBuf;

use sip_oauth_lab::{Header, Lab, LabBuilder, NODE, Occurrence, Scenario, SipMessage, scenario};

/// A lab whose log is watched for tokens.
fn lab() -> LabBuilder {
    log::watch();
    Lab::builder()
}

/// Where the lab's client is.
const LOOPBACK: &str = "127.0.0.1";

/// A published message: its lines and its body.
struct Published {
    start_line: String,
    headers: Vec<Header>,
    body_bytes: usize,
    node: &'static str,
    client: &'static str,
}

/// Reads a published message; nothing, with a word about it, where the folder of them is not at hand.
fn published(name: &str, node: &'static str, client: &'static str) -> Option<Published> {
    let corpus = std::env::var_os("SIP_OAUTH_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
        PathBuf::from,
    );
    let folder = corpus.join("../wire");
    if !folder.is_dir() {
        println!("skipped {name}: no folder {}", folder.display());
        return None;
    }
    let text = std::fs::read_to_string(folder.join(name)).expect("the folder holds the message");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text.trim_end(), ""));
    let mut lines = head.lines();
    let start_line = lines.next().expect("a start line").trim_end().to_owned();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| Header {
            name: name.to_owned(),
            value: value.trim_end().to_owned(),
        })
        .collect();
    Some(Published {
        start_line,
        headers,
        body_bytes: body.len(),
        node,
        client,
    })
}

/// The SIP messages of a scenario, in order.
fn messages(scenario: &Scenario) -> Vec<SipMessage> {
    let events = scenario.steps.iter().flat_map(|step| &step.events);
    events
        .filter_map(|event| match &event.what {
            Occurrence::Sip(message) => Some(message.clone()),
            _ => None,
        })
        .collect()
}

/// A value with everything taken out that must differ: the node, addresses, and every number, tag, branch and date.
/// A run of hexadecimal digits that has a decimal one, or four digits at least, becomes `#`.
fn shape(value: &str, node: &str, client: &str) -> String {
    // The client's address first: the node's may be the beginning of it.
    let value = value.replace(client, "<client>").replace(node, "<node>");
    let mut out = String::new();
    let mut run = String::new();
    for c in value.chars().chain(['\0']) {
        if c.is_ascii_hexdigit() {
            run.push(c);
            continue;
        }
        if run.len() >= 4 || run.contains(|c: char| c.is_ascii_digit()) {
            out.push('#');
        } else {
            out.push_str(&run);
        }
        run.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// Days and months have no digits and differ all the same.
fn is_date(value: &str) -> bool {
    // Mon, 30 Mar 2020 11:03:19 GMT
    value.len() == 29 && value.ends_with(" GMT") && value.get(3..5) == Some(", ")
}

/// Holds one message against the published one. `differ` lists the fields that cannot be equal; of them the shape is
/// compared, all others byte for byte.
fn agree(ours: &SipMessage, published: &Published, differ: &[&str]) {
    assert_eq!(
        shape(&ours.start_line, NODE, LOOPBACK),
        shape(&published.start_line, published.node, published.client),
        "start line"
    );
    let names = |headers: &[Header]| {
        headers
            .iter()
            .map(|header| header.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&ours.headers),
        names(&published.headers),
        "header fields and their order"
    );
    for (our, theirs) in ours.headers.iter().zip(&published.headers) {
        let name = our.name.as_str();
        if !differ.contains(&name) {
            assert_eq!(our.value, theirs.value, "{name}");
        } else if name == "Date" {
            assert!(
                is_date(&our.value) && is_date(&theirs.value),
                "{name}: {}",
                our.value
            );
        } else if name == "Proxy-Authorization" {
            // Both are cut: ours to its length, theirs to a remark.
            assert!(our.value.starts_with("Bearer token=\"<") && our.value.ends_with(">\""));
            assert!(theirs.value.starts_with("Bearer token=\"<") && theirs.value.ends_with(">\""));
        } else {
            assert_eq!(
                shape(&our.value, NODE, LOOPBACK),
                shape(&theirs.value, published.node, published.client),
                "{name}"
            );
        }
    }
    assert_eq!(ours.body_bytes, published.body_bytes, "bytes in the body");
}

#[tokio::test(flavor = "multi_thread")]
async fn register_challenge_and_grant_agree_with_the_published_messages() {
    const NAMES: [&str; 4] = [
        "01-onprem-register-no-credentials.reconstructed.txt",
        "02-onprem-407-bearer-challenge.txt",
        "03-onprem-register-bearer-token.reconstructed.txt",
        "04-onprem-200-ok.reconstructed.txt",
    ];
    // Addresses, names, tags, branches, dates, numbers and the token.
    const DIFFER: [&[&str]; 4] = [
        &["Via", "From", "To", "Call-ID", "Date", "CSeq", "Contact"],
        &["Via", "From", "To", "Call-ID", "Date", "CSeq"],
        &[
            "Via",
            "From",
            "To",
            "Call-ID",
            "Date",
            "CSeq",
            "Contact",
            "Proxy-Authorization",
        ],
        &["Via", "From", "To", "Call-ID", "Date", "CSeq", "Contact"],
    ];
    let scenario = scenario::on_premises(&lab()).await.unwrap();
    let ours = messages(&scenario);
    for ((name, differ), ours) in NAMES.iter().zip(DIFFER).zip(&ours) {
        if let Some(published) = published(name, "10.10.10.1", "10.10.10.10") {
            agree(ours, &published, differ);
        }
    }
    assert_eq!(ours[0].body_bytes, 1271);
    assert_eq!(ours[2].body_bytes, 1271);
    assert_eq!(ours[3].body_bytes, 381);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refusal_agrees_with_the_published_message() {
    let scenario = scenario::profile_without_oauth(&lab()).await.unwrap();
    let ours = messages(&scenario);
    assert_eq!(ours[1].status(), Some(403));
    if let Some(published) = published("05-onprem-403-port-mismatch.txt", "UCM2-PUB", "10.5.10.121")
    {
        agree(
            &ours[1],
            &published,
            &["Via", "From", "To", "Call-ID", "Date", "CSeq", "Warning"],
        );
    }
}

/// What the shapes above leave out is fixed by the published grammar: digits in branch, tag and Call-ID.
#[tokio::test(flavor = "multi_thread")]
async fn branch_tag_and_call_id_have_the_published_lengths() {
    let scenario = scenario::on_premises(&lab()).await.unwrap();
    let register = &messages(&scenario)[0];
    let hex = |text: &str, groups: &[usize]| {
        let found: Vec<usize> = text.split('-').map(str::len).collect();
        assert_eq!(found, groups, "{text}");
        assert!(
            text.chars().all(|c| c == '-' || c.is_ascii_hexdigit()),
            "{text}"
        );
    };
    let via = register.header("Via").unwrap();
    hex(via.split_once("branch=z9hG4bK").unwrap().1, &[8]);
    let from = register.header("From").unwrap();
    hex(from.split_once(";tag=").unwrap().1, &[24, 8]);
    let (call_id, _) = register.header("Call-ID").unwrap().split_once('@').unwrap();
    hex(call_id, &[8, 8, 8, 8]);
}
