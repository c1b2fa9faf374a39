//! The messages of RFC 4475 and RFC 5118, by their manifests.

use std::collections::BTreeMap;
use std::fs;

use crate::reactions;
use crate::streams::is_the_same_as_a_stream;
use crate::support::{
    Score, assert_listed, corpus, is_documented, manifest, read_all_headers, skipped, text,
};
use crate::values::check_value;
use crate::writing::survives_writing;
use sip_oauth_message::{Limits, MessageView, check};

/// Where what we find is not what a manifest says, and why: messages by name, values as `name.key`, reactions as
/// `name/role`. A name that no longer differs fails the run.
const RFC4475_DIFFERS: &[(&str, &str)] = &[];
const RFC5118_DIFFERS: &[(&str, &str)] = &[];

#[test]
fn rfc4475_by_its_manifest() {
    by_manifest("rfc4475", RFC4475_DIFFERS);
}

#[test]
fn rfc5118_by_its_manifest() {
    by_manifest("rfc5118", RFC5118_DIFFERS);
}

/// Tags that the messages of RFC 4475 require.
const EVERY_TAG: &[&str] = &[
    "nothingSupportsThis",
    "nothingSupportsThisEither",
    "norefersub",
];

/// The strictest reading: shape, every known header field, then the second check.
fn verdict(bytes: &[u8]) -> Result<(), String> {
    let view = MessageView::parse(bytes, &Limits::default()).map_err(|e| e.to_string())?;
    read_all_headers(&view).map_err(|e| e.to_string())?;
    let element = check::Element {
        extensions: EVERY_TAG,
        ..check::Element::SERVER
    };
    match check::request(&view, &element) {
        // An unknown scheme is well formed; that it is not served is an answer, not an error.
        Err(refusal) if refusal.cause != check::Cause::Scheme => Err(refusal.to_string()),
        _ => Ok(()),
    }
}

fn by_manifest(set: &str, listed: &[(&str, &str)]) {
    let Some(corpus) = corpus() else {
        return skipped(set);
    };
    let folder = corpus.join("sip").join(set);
    let mut differences = BTreeMap::new();
    let mut score = Score::default();
    let (mut values, mut reactions) = (0, 0);
    for entry in manifest(&folder.join("expected.json")) {
        let id = text(&entry, "id").to_owned();
        let bytes = fs::read(folder.join(text(&entry, "file"))).expect("a file of the manifest");
        let stream = is_the_same_as_a_stream(&bytes, &id);
        let verdict = verdict(&bytes);
        if MessageView::parse(&bytes, &Limits::default()).is_ok() {
            survives_writing(&bytes);
        }
        let agrees = match (text(&entry, "parse"), text(&entry, "validate")) {
            ("accept", _) => verdict.is_ok(),
            ("reject", _) | (_, "reject") => verdict.is_err(),
            ("either", _) => true,
            other => panic!("{id} has the verdict {other:?}"),
        };
        score.count(&bytes, agrees);
        if !agrees {
            differences.insert(id.clone(), format!("verdict {verdict:?}"));
        }
        if entry["close_stream"] == true && stream.lost.is_none() {
            differences.insert(format!("{id}/stream"), "framing is not lost".to_owned());
        }
        if text(&entry, "stream") == "incomplete"
            && (stream.lost, stream.messages.len()) != (None, 0)
        {
            differences.insert(
                format!("{id}/stream"),
                format!("not incomplete: {stream:?}"),
            );
        }
        for (role, expected) in entry["responses"].as_object().into_iter().flatten() {
            for (role, found) in reactions::of(&bytes, role) {
                reactions += 1;
                if !reactions::is_among(found, expected, !text(&entry, "liberal").is_empty()) {
                    let difference = format!("expected {expected}, found {found:?}");
                    differences.insert(format!("{id}/{role}"), difference);
                }
            }
        }
        // Whatever the verdict: a message to refuse has values too, where it has the shape of one.
        if MessageView::parse(&bytes, &Limits::default()).is_ok() {
            for (key, expected) in entry["checks"].as_object().expect("checks") {
                values += 1;
                if let Err(found) = check_value(&bytes, key, expected) {
                    let difference = format!("{key}: expected {expected}, found {found}");
                    differences.insert(format!("{id}.{key}"), difference);
                }
            }
        }
    }
    assert_listed(differences, listed);
    score.report(set);
    is_documented(&format!("| `{set}` | {values} | {reactions} |"));
}
