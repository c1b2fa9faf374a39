//! Published and reconstructed messages of Cisco devices.

use std::fs;

use crate::streams::is_the_same_as_a_stream;
use crate::support::{corpus, is_documented, read_all_headers, skipped};
use crate::writing::survives_writing;
use sip_oauth_message::{Limits, MessageView, check};

/// Files of `wire/` that hold less than one message, and why.
const CUT_SHORT: &[(&str, &str)] = &[
    (
        "01-onprem-register-no-credentials.published.txt",
        "ends inside the head",
    ),
    (
        "03-onprem-register-bearer-token.published.txt",
        "ends behind the head, without its body",
    ),
    (
        "04-onprem-200-ok.published-truncated.txt",
        "ends inside Content-Type",
    ),
];

#[test]
fn wire_messages_parse() {
    let wire = corpus().map(|corpus| corpus.join("../wire"));
    let Some(wire) = wire.filter(|wire| wire.is_dir()) else {
        return skipped("wire");
    };
    let mut names: Vec<_> = fs::read_dir(&wire)
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .filter(|name| name.starts_with(['0', '1']))
        .collect();
    names.sort();
    let mut whole = 0;
    for name in &names {
        let bytes = fs::read(wire.join(name)).expect("a file");
        let parsed = MessageView::parse(&bytes, &Limits::default());
        let is_short = CUT_SHORT.iter().any(|(short, _)| short == name);
        let complete = parsed
            .as_ref()
            .is_ok_and(|view| view.content_length() == u32::try_from(view.body().len()).ok());
        assert_eq!(complete, !is_short, "{name}: {:?}", parsed.err());
        is_the_same_as_a_stream(&bytes, name);
        if !complete {
            continue;
        }
        whole += 1;
        survives_writing(&bytes);
        let view = MessageView::parse(&bytes, &Limits::default()).expect("complete");
        let typed = read_all_headers(&view);
        if name == "03-onprem-register-bearer-token.reconstructed.txt" {
            // The token was replaced by a sentence with blanks in it.
            assert_eq!(
                typed.unwrap_err().expected(),
                "a token of visible ASCII characters"
            );
        } else {
            assert_eq!(typed, Ok(()), "{name}");
        }
        let element = check::Element {
            extensions: &["norefersub"],
            ..check::Element::SERVER
        };
        check::strict(&view, &element).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    }
    is_documented(&format!("| `wire` | {} | {whole} |", names.len()));
}

#[test]
fn wire_bodies_are_what_remotecc_writes() {
    use sip_oauth_message::remotecc::{Features, RegisterBody, ResponseBody};
    let wire = corpus().map(|corpus| corpus.join("../wire"));
    let Some(wire) = wire.filter(|wire| wire.is_dir()) else {
        return skipped("wire bodies");
    };
    let read = |name: &str| fs::read(wire.join(name)).expect("a file");
    let body = |bytes: &[u8]| {
        let view = MessageView::parse(bytes, &Limits::default()).expect("a message");
        view.body().to_vec()
    };
    let jabber = body(&read("01-onprem-register-no-credentials.reconstructed.txt"));
    let phone = body(&read("06-cp7821-register-cucm11.5.txt"));
    let answer = body(&read("04-onprem-200-ok.reconstructed.txt"));
    assert_eq!(RegisterBody::JABBER.encode(), jabber);
    assert_eq!(RegisterBody::PHONE.encode(), phone);
    assert_eq!(ResponseBody::answering(Features::JABBER).encode(), answer);
}
