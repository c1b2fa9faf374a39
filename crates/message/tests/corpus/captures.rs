//! Traffic of real devices, messages from other stacks' unit tests, and inputs of other stacks'
//! fuzzers.

use std::collections::BTreeMap;
use std::fs;

use crate::streams::is_the_same_as_a_stream;
use crate::support::{Score, assert_listed, corpus, manifest, read_all_headers, skipped, text};
use crate::writing::survives_writing;
use sip_oauth_message::{Limits, MessageView, check};

/// Captures with a header field that breaks its grammar, and why.
const CAPTURES_WITH_BAD_FIELD: &[(&str, &str)] = &[(
    "7d478f34d0f5.sip",
    "From has backslashes where the quotes of the display name should be",
)];

#[test]
fn captures_parse() {
    let Some(corpus) = corpus() else {
        return skipped("captures");
    };
    let folder = corpus.join("sip/captures");
    let mut score = Score::default();
    let (mut untyped, mut failures) = (BTreeMap::new(), BTreeMap::new());
    for entry in manifest(&folder.join("index.json")) {
        let name = text(&entry, "file");
        let bytes = fs::read(folder.join(name)).expect("a file of the manifest");
        is_the_same_as_a_stream(&bytes, name);
        let parsed = MessageView::parse(&bytes, &Limits::default());
        score.count(&bytes, parsed.is_ok() || text(&entry, "expect") != "parse");
        match parsed {
            Ok(view) => {
                survives_writing(&bytes);
                if let Err(error) = read_all_headers(&view) {
                    untyped.insert(name.to_owned(), error.to_string());
                }
            }
            Err(error) if text(&entry, "expect") == "parse" => {
                failures.insert(name.to_owned(), error.to_string());
            }
            Err(_) => {}
        }
    }
    assert_listed(untyped, CAPTURES_WITH_BAD_FIELD);
    assert_listed(failures, &[]);
    score.report("captures");
}

#[test]
fn unit_messages_survive() {
    no_verdict("unit-messages", true);
}

#[test]
fn fuzz_inputs_survive() {
    no_verdict("fuzz", false);
}

/// A set without verdicts: nothing panics, and what is accepted survives writing.
fn no_verdict(set: &str, has_index: bool) {
    let Some(corpus) = corpus() else {
        return skipped(set);
    };
    let folder = corpus.join("sip").join(set);
    let names: Vec<_> = if has_index {
        let entries = manifest(&folder.join("index.json"));
        let names = entries.iter().map(|entry| text(entry, "file").to_owned());
        names.collect()
    } else {
        let entries = fs::read_dir(&folder).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names
            .map(|name| name.into_string().expect("UTF-8"))
            .collect()
    };
    let mut score = Score::default();
    for name in names {
        let bytes = fs::read(folder.join(&name)).expect("a file");
        is_the_same_as_a_stream(&bytes, &name);
        score.count_without_verdict(&bytes);
        if let Ok(view) = MessageView::parse(&bytes, &Limits::default()) {
            let _ = check::strict(&view, &check::Element::SERVER);
            survives_writing(&bytes);
        }
    }
    score.report(set);
}
