//! Where the corpus is, how its manifests are read, and how a set is scored.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sip_oauth_message::{Leniencies, Limits, MessageView, ParseError, Parser, header};

pub(crate) fn corpus() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let path = std::env::var_os("SIP_OAUTH_CORPUS").map_or(default, PathBuf::from);
    path.join("sip").is_dir().then_some(path)
}

pub(crate) fn skipped(what: &str) {
    println!("skipped: {what} (no corpus; set SIP_OAUTH_CORPUS)");
}

pub(crate) fn manifest(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a manifest");
    match serde_json::from_str(&text).expect("JSON") {
        Value::Array(entries) => entries,
        Value::Object(mut object) => match object.remove("cases") {
            Some(Value::Array(entries)) => entries,
            _ => panic!("{} has no cases", path.display()),
        },
        _ => panic!("{} is no manifest", path.display()),
    }
}

pub(crate) fn text<'v>(entry: &'v Value, key: &str) -> &'v str {
    entry[key].as_str().unwrap_or_default()
}

/// Reads every header field that has a type, to its last element.
pub(crate) fn read_all_headers(view: &MessageView<'_>) -> Result<(), ParseError> {
    view.fields()
        .try_for_each(|field| header::check_value(field.name(), field.value()))
}

/// Whether the message and all its header fields are well formed.
pub(crate) fn read_strictly(bytes: &[u8]) -> Result<(), ParseError> {
    read_all_headers(&MessageView::parse(bytes, &Limits::default())?)
}

/// Whether it is, once every leniency there is has been allowed.
pub(crate) fn is_read_leniently(bytes: &[u8]) -> bool {
    let parser = Parser::new(Limits::default()).with_leniencies(Leniencies::ALL);
    let mut copy = Vec::new();
    let reading = parser.parse(bytes, &mut copy);
    reading.is_ok_and(|reading| read_all_headers(&reading.view).is_ok())
}

/// How a set came out.
#[derive(Default)]
pub(crate) struct Score {
    total: usize,
    /// Of the cases that come with a verdict.
    agree: Option<usize>,
    strict: usize,
    lenient: usize,
}

impl Score {
    /// Counts one case, which agreed with its manifest or not.
    pub(crate) fn count(&mut self, bytes: &[u8], agrees: bool) {
        *self.agree.get_or_insert(0) += usize::from(agrees);
        self.count_without_verdict(bytes);
    }

    /// Counts one case of a set that comes without verdicts.
    pub(crate) fn count_without_verdict(&mut self, bytes: &[u8]) {
        self.total += 1;
        let strict = read_strictly(bytes).is_ok();
        let lenient = is_read_leniently(bytes);
        assert!(lenient || !strict, "a leniency refuses nothing");
        self.strict += usize::from(strict);
        self.lenient += usize::from(lenient);
    }

    /// Prints the score and holds it against the page.
    pub(crate) fn report(&self, set: &str) {
        let Self {
            total,
            agree,
            strict,
            lenient,
        } = self;
        let agree = agree.map_or("–".to_owned(), |agree| agree.to_string());
        is_documented(&format!(
            "| `{set}` | {total} | {agree} | {strict} | {lenient} |"
        ));
    }
}

/// Prints a row and looks for it on the page of scores.
pub(crate) fn is_documented(row: &str) {
    println!("{row}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let page = fs::read_to_string(page).expect("docs/conformance.md");
    assert!(
        page.lines().any(|line| line == row),
        "docs/conformance.md has another score than {row}"
    );
}

/// Fails for what differs and is not listed, and for what is listed and does not differ.
pub(crate) fn assert_listed(mut differs: BTreeMap<String, String>, listed: &[(&str, &str)]) {
    for (name, reason) in listed {
        println!("{name}: {reason}");
        if differs.remove(*name).is_none() {
            differs.insert(
                (*name).to_owned(),
                "agrees now; take it off the list".to_owned(),
            );
        }
    }
    assert!(differs.is_empty(), "{differs:#?}");
}
