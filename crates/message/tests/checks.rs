//! Well-formed requests that must be refused: RFC 3261 sections 8.2 and 16.3.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use sip_oauth_message::check::{self, Cause, Element, Refusal};
use sip_oauth_message::{HeaderName, Limits, MessageView};

const GOOD: &str = concat!(
    "REGISTER sip:ucm.example.com SIP/2.0\r\n",
    "Via: SIP/2.0/TLS 192.0.2.7;branch=z9hG4bK1\r\n",
    "From: <sip:1010@ucm.example.com>;tag=1\r\n",
    "To: <sip:1010@ucm.example.com>\r\n",
    "Call-ID: 1@192.0.2.7\r\n",
    "CSeq: 8 REGISTER\r\n",
    "Max-Forwards: 70\r\n",
    "Content-Length: 0\r\n\r\n",
);

const PROXY: Element<'static> = Element {
    forwards: true,
    extensions: &["path"],
};

fn refusal(text: &str, element: &Element<'_>) -> Option<Refusal> {
    let view = MessageView::parse(text.as_bytes(), &Limits::default()).expect("well formed");
    check::strict(&view, element).err()
}

#[test]
fn good_request_passes() {
    assert_eq!(refusal(GOOD, &Element::SERVER), None);
    assert_eq!(refusal(GOOD, &PROXY), None);
    assert_eq!(refusal("SIP/2.0 200 OK\r\n\r\n", &Element::SERVER), None);
}

#[test]
fn each_mandatory_field_is_missed() {
    for name in ["Via", "From", "To", "Call-ID", "CSeq", "Max-Forwards"] {
        let lines: String = GOOD
            .split_inclusive("\r\n")
            .filter(|line| !line.starts_with(&format!("{name}:")))
            .collect();
        let refusal = refusal(&lines, &Element::SERVER).expect(name);
        assert_eq!(refusal.status.as_u16(), 400);
        assert_eq!(refusal.cause, Cause::Missing(HeaderName::of(name)));
    }
}

#[test]
fn each_single_field_stands_once() {
    for name in ["From", "To", "Call-ID", "CSeq", "Max-Forwards"] {
        let line = GOOD
            .split_inclusive("\r\n")
            .find(|line| line.starts_with(&format!("{name}:")))
            .expect(name);
        let text = GOOD.replace(line, &line.repeat(2));
        let refusal = refusal(&text, &Element::SERVER).expect(name);
        assert_eq!(refusal.cause, Cause::Repeated(HeaderName::of(name)));
    }
}

#[test]
fn status_codes_of_the_second_check() {
    for (find, put, element, status) in [
        ("SIP/2.0\r", "SIP/7.0\r", Element::SERVER, 505),
        ("8 REGISTER", "8 INVITE", Element::SERVER, 400),
        ("8 REGISTER", "4294967296 REGISTER", Element::SERVER, 400),
        (";tag=1", "", Element::SERVER, 400),
        ("Length: 0", "Length: 9999", Element::SERVER, 400),
        ("Forwards: 70", "Forwards: 256", Element::SERVER, 400),
        ("Forwards: 70", "Forwards: 0", PROXY, 483),
        (
            "REGISTER sip:",
            "REGISTER soap.beep://",
            Element::SERVER,
            416,
        ),
        (
            "ucm.example.com SIP",
            "[2001:db8:: SIP",
            Element::SERVER,
            400,
        ),
        (
            "ucm.example.com SIP",
            "a@b?Route=x SIP",
            Element::SERVER,
            400,
        ),
        (
            "Max",
            "Require: path, outbound\r\nMax",
            Element::SERVER,
            420,
        ),
        ("Max", "Proxy-Require: outbound\r\nMax", PROXY, 420),
    ] {
        let text = GOOD.replacen(find, put, 1);
        assert_ne!(text, GOOD);
        let refusal = refusal(&text, &element).unwrap_or_else(|| panic!("{put}"));
        assert_eq!(refusal.status.as_u16(), status, "{put}");
    }
}

#[test]
fn what_is_not_ones_own_is_let_through() {
    let last_hop = GOOD.replace("Forwards: 70", "Forwards: 0");
    assert_eq!(refusal(&last_hop, &Element::SERVER), None);
    let for_server = GOOD.replace("Max", "Require: outbound\r\nMax");
    assert_eq!(refusal(&for_server, &PROXY), None);
    let known = GOOD.replace("Max", "Proxy-Require: PATH\r\nMax");
    assert_eq!(refusal(&known, &PROXY), None);
}
