//! JAIN-SIP's unit tests of header fields, and its torture test.

use std::collections::BTreeMap;

use crate::streams::is_the_same_as_a_stream;
use crate::support::{
    Score, assert_listed, corpus, manifest, read_all_headers, read_strictly, skipped, text,
};
use crate::writing::survives_writing;
use sip_oauth_message::check::{self, Cause};
use sip_oauth_message::{Limits, MessageView, Uri};

/// A message with this one line.
fn with_line(line: &str) -> String {
    format!("OPTIONS sip:a@example.com SIP/2.0\r\n{line}\r\n\r\n")
}

/// Header lines of JAIN-SIP's unit tests that we refuse, and why.
const JSIP_HEADERS_REFUSED: &[(&str, &str)] = &[
    (
        "jsiph-039",
        "CRLF without white space behind it inside one field",
    ),
    (
        "jsiph-096",
        "a Route without brackets, which `Leniency::UnbracketedUri` reads",
    ),
    ("jsiph-110", COMMENT_IN_VIA),
    ("jsiph-112", COMMENT_IN_VIA),
    ("jsiph-114", COMMENT_IN_VIA),
    ("jsiph-115", COMMENT_IN_VIA),
];

const COMMENT_IN_VIA: &str = "a comment behind the parameters of Via is of RFC 2543";

#[test]
fn jsip_headers_parse() {
    let Some(corpus) = corpus() else {
        return skipped("jsip-headers");
    };
    let (mut refused, mut score) = (BTreeMap::new(), Score::default());
    let entries = manifest(&corpus.join("sip/jsip-headers/cases.json"));
    for entry in &entries {
        let line = text(entry, "raw").trim_end_matches(['\r', '\n', '\0']);
        let message = with_line(line);
        let verdict = read_strictly(message.as_bytes());
        score.count(message.as_bytes(), verdict.is_ok());
        is_the_same_as_a_stream(message.as_bytes(), text(entry, "id"));
        match verdict {
            Ok(()) => survives_writing(message.as_bytes()),
            Err(error) => {
                refused.insert(text(entry, "id").to_owned(), format!("{error}: {line}"));
            }
        }
    }
    assert_listed(refused, JSIP_HEADERS_REFUSED);
    score.report("jsip-headers");
}

/// Cases of JAIN-SIP's torture test where its verdict is not ours, and why. Its verdicts are
/// partly older than RFC 3261.
const JSIP_TORTURE_DIFFERS: &[(&str, &str)] = &[
    ("jsip-014", "a line of one space instead of the empty line"),
    ("jsip-015", "white space between '<' and the URI"),
    ("jsip-018", "a fold between name and colon is of RFC 2543"),
    ("jsip-028", "LF without CR"),
    ("jsip-143", WHITE_SPACE_IN_URI),
    ("jsip-145", WHITE_SPACE_IN_URI),
    ("jsip-147", WHITE_SPACE_IN_URI),
    ("jsip-154", WHITE_SPACE_IN_URI),
    ("jsip-155", WHITE_SPACE_IN_URI),
    ("jsip-344", WHITE_SPACE_IN_URI),
    ("jsip-345", WHITE_SPACE_IN_URI),
    ("jsip-359", "a second start line among the header fields"),
];

const WHITE_SPACE_IN_URI: &str = "white space inside a URI";

#[test]
fn jsip_torture_by_its_manifest() {
    let Some(corpus) = corpus() else {
        return skipped("jsip-torture");
    };
    let (mut differs, mut score) = (BTreeMap::new(), Score::default());
    let entries = manifest(&corpus.join("sip/jsip-torture/cases.json"));
    for entry in &entries {
        let raw = text(entry, "raw");
        let (message, verdict) = match text(entry, "kind") {
            "message" => {
                is_the_same_as_a_stream(raw.as_bytes(), text(entry, "id"));
                (raw.to_owned(), message_verdict(raw))
            }
            "uri" => {
                // The rest of the message is good, so that it is as good as the URI.
                let message = with_line(&format!("Contact: <{raw}>"));
                (
                    message,
                    Uri::parse(raw)
                        .map(|_| ())
                        .map_err(|error| error.to_string()),
                )
            }
            _ => {
                let message = with_line(raw.trim_end_matches(['\r', '\n']));
                let verdict = read_strictly(message.as_bytes());
                (message, verdict.map_err(|error| error.to_string()))
            }
        };
        if MessageView::parse(message.as_bytes(), &Limits::default()).is_ok() {
            survives_writing(message.as_bytes());
        }
        let agrees = verdict.is_ok() == (text(entry, "expect") == "parse");
        score.count(message.as_bytes(), agrees);
        if !agrees {
            let id = text(entry, "id").to_owned();
            differs.insert(id, format!("{verdict:?}, {}", text(entry, "error_at")));
        }
    }
    assert_listed(differs, JSIP_TORTURE_DIFFERS);
    score.report("jsip-torture");
}

/// Shape, Request-URI and every header field: what JAIN-SIP's parser judges.
fn message_verdict(raw: &str) -> Result<(), String> {
    let view = MessageView::parse(raw.as_bytes(), &Limits::default()).map_err(|e| e.to_string())?;
    if let Some(line) = view.as_request() {
        line.request_uri().map_err(|error| error.to_string())?;
    }
    read_all_headers(&view).map_err(|error| error.to_string())?;
    match check::request(&view, &check::Element::SERVER) {
        // Well formed; that it is not served is no error.
        Err(refusal) if !matches!(refusal.cause, Cause::Scheme | Cause::Extensions) => {
            Err(refusal.to_string())
        }
        _ => Ok(()),
    }
}
