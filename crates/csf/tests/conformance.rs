//! James Clark's XML test cases, by what a parser does with them that refuses every DOCTYPE.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod support;

use std::collections::HashMap;
use std::fs;

use sip_oauth_csf::{Document, Limits};

#[test]
fn every_case_has_the_verdict_of_a_parser_without_dtds() {
    let Some(folder) = support::corpus("xml/conformance") else {
        return;
    };
    let archive = fs::read(folder.join("xmltest.zip")).unwrap();
    let files = unpack(&archive);
    let index: Vec<serde_json::Value> =
        serde_json::from_str(&fs::read_to_string(folder.join("index.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for case in &index {
        let path = case["path"].as_str().unwrap();
        let bytes = &files[path];
        let result = Document::read(bytes, &root_name(bytes), &Limits::default());
        if result.is_ok() != (case["no_dtd_parser"] == "accept") {
            wrong.push((path, result.map(|document| document.element_count())));
        }
    }
    println!("{} of {} cases", index.len() - wrong.len(), index.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The first name after `<`, so that no case is refused for the name of its root.
fn root_name(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let tag = text
        .split('<')
        .skip(1)
        .find(|part| part.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':')))
        .unwrap_or("none");
    tag.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))
        .next()
        .unwrap_or("none")
        .to_owned()
}

/// The files of a ZIP archive by name, as its central directory lists them (APPNOTE 6.3, §4.3.12).
fn unpack(archive: &[u8]) -> HashMap<String, Vec<u8>> {
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([archive[at], archive[at + 1]]));
    let u32_at = |at: usize| u16_at(at) | u16_at(at + 2) << 16;
    let end = archive
        .windows(4)
        .rposition(|window| window == b"PK\x05\x06")
        .unwrap();
    let mut files = HashMap::new();
    let mut entry = u32_at(end + 16);
    for _ in 0..u16_at(end + 10) {
        let (method, packed, size) = (u16_at(entry + 10), u32_at(entry + 20), u32_at(entry + 24));
        let (name_len, extra_len, comment_len) =
            (u16_at(entry + 28), u16_at(entry + 30), u16_at(entry + 32));
        let name =
            String::from_utf8_lossy(&archive[entry + 46..entry + 46 + name_len]).into_owned();
        let local = u32_at(entry + 42);
        let data = local + 30 + u16_at(local + 26) + u16_at(local + 28);
        let data = &archive[data..data + packed];
        let bytes = match method {
            0 => data.to_vec(),
            8 => miniz_oxide::inflate::decompress_to_vec_with_limit(data, size).unwrap(),
            other => panic!("{name}: compression method {other}"),
        };
        files.insert(name, bytes);
        entry += 46 + name_len + extra_len + comment_len;
    }
    files
}
