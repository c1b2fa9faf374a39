//! Well-formed messages that must be refused: RFC 3261 sections 8.1.3.3, 8.2, 10.3, 16.3, 18.1.2 and
//! 18.3, RFC 4475 sections 3.3 and 3.4.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use sip_oauth_message::check::{self, Cause, Element, Recipient, Refusal};
use sip_oauth_message::{HeaderName, Headers, Host, Limits, MessageView, Method, StatusCode};

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
    extensions: &["path"],
    ..Element::PROXY
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
        assert_eq!(
            refusal.cause,
            Cause::Missing(HeaderName::parse(name).unwrap())
        );
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
        assert_eq!(
            refusal.cause,
            Cause::Repeated(HeaderName::parse(name).unwrap())
        );
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
fn an_error_in_the_request_uri_counts_from_the_start_of_the_line() {
    for (uri, at) in [("sip:a@b?Route=x?y", 16), ("sip:a?b@c?Route=x", 18)] {
        let text = GOOD.replace("sip:ucm.example.com SIP", &format!("{uri} SIP"));
        let Some(Cause::RequestUri(error)) = refusal(&text, &Element::SERVER).map(|r| r.cause)
        else {
            panic!("{uri}")
        };
        assert_eq!(error.offset(), at, "{uri}");
        assert_eq!(text.as_bytes()[at], b'?');
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

/// A user agent server for calls without video.
const PHONE: Element<'static> = Element {
    methods: &[Method::Invite, Method::Ack, Method::Bye, Method::Options],
    media_types: &["application/sdp", "multipart/*"],
    answers: &["application/sdp"],
    ..Element::SERVER
};

fn invite(lines: &str, body: &str) -> String {
    let head = GOOD.replace("REGISTER", "INVITE");
    let length = format!(
        "m: <sip:a@192.0.2.7>\r\n{lines}Content-Length: {}",
        body.len()
    );
    head.replace("Content-Length: 0", &length) + body
}

mod section_8_2_1 {
    use super::*;

    #[test]
    fn a_known_method_is_not_allowed_and_an_unknown_one_not_implemented() {
        let view = MessageView::parse(GOOD.as_bytes(), &Limits::default()).unwrap();
        let refused = check::request(&view, &PHONE).unwrap_err();
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
        let mut headers = Headers::new();
        refused.push_headers(&view, &PHONE, &mut headers);
        assert_eq!(headers.get("Allow"), Some("INVITE, ACK, BYE, OPTIONS"));

        // Section 17.1.1.3: an ACK is not answered, so that it is let through unlisted.
        let registrar = Element {
            methods: &[Method::Register],
            ..Element::SERVER
        };
        assert_eq!(refusal(&GOOD.replace("REGISTER", "ACK"), &registrar), None);
        let cancel = refusal(&GOOD.replace("REGISTER", "CANCEL"), &registrar).unwrap();
        assert_eq!(cancel.status, StatusCode::METHOD_NOT_ALLOWED);

        let unknown = GOOD.replace("REGISTER", "REGISTERX");
        let refused = refusal(&unknown, &PHONE).unwrap();
        assert_eq!(refused.status, StatusCode::NOT_IMPLEMENTED);
        assert_eq!(
            refusal(&unknown, &PROXY),
            None,
            "methods are no proxy's business"
        );
    }
}

mod section_8_2_2_3 {
    use super::*;

    #[test]
    fn what_cancel_and_ack_require_is_ignored() {
        let registrar = Element {
            methods: &[Method::Register, Method::Cancel],
            ..Element::SERVER
        };
        for required in ["Require: path", "Proxy-Require: path", "Require: ;"] {
            for method in ["CANCEL", "ACK", "REGISTER"] {
                let text = GOOD
                    .replace("REGISTER", method)
                    .replace("Max", &format!("{required}\r\nMax"));
                let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
                let is_judged = method == "REGISTER";
                let element = if required.starts_with("Proxy") {
                    Element::PROXY
                } else {
                    registrar
                };
                assert_eq!(
                    check::request(&view, &element).is_err(),
                    is_judged,
                    "{text}"
                );
                if !is_judged {
                    assert!(check::unsupported(&view, &element).is_empty());
                }
            }
        }
    }

    #[test]
    fn what_is_not_supported_is_named_once_and_in_order() {
        let text = GOOD.replace("Max", "Require: path, z\r\nRequire: Z, a\r\nMax");
        let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
        let registrar = Element {
            extensions: &["PATH"],
            ..Element::SERVER
        };
        let refused = check::request(&view, &registrar).unwrap_err();
        let mut headers = Headers::new();
        refused.push_headers(&view, &registrar, &mut headers);
        assert_eq!(headers.get("Unsupported"), Some("z, a"));
    }
}

/// RFC 3261 sections 8.1.1.8 and 20.15, RFC 3515 section 2.4.1, RFC 6665 section 8.2.1.
#[test]
fn what_one_method_must_have_is_missed() {
    let of = |method: &str, lines: &str| {
        let text = GOOD.replace("REGISTER", method);
        let text = text.replace("Max", &format!("{lines}Max"));
        refusal(&text, &Element::SERVER).map(|refused| refused.cause)
    };
    for (method, line) in [
        ("INVITE", "m: <sip:a@h>\r\n"),
        ("REFER", "r: <sip:a@h>\r\n"),
        ("SUBSCRIBE", "o: presence\r\n"),
        ("NOTIFY", "Event: presence\r\n"),
    ] {
        assert!(
            matches!(of(method, ""), Some(Cause::Missing(_))),
            "{method}"
        );
        assert_eq!(of(method, line), None, "{method}");
    }
    assert_eq!(of("BYE", ""), None);
    let body = GOOD.replace("Length: 0\r\n\r\n", "Length: 1\r\n\r\nx");
    let cause = Cause::Missing(HeaderName::ContentType);
    assert_eq!(refusal(&body, &Element::SERVER).unwrap().cause, cause);
    let typed = body.replace("Max", "c: a/b\r\nMax");
    assert_eq!(refusal(&typed, &Element::SERVER), None);
}

mod section_8_2_3 {
    use super::*;

    #[test]
    fn a_body_must_be_understood_unless_it_is_optional() {
        let part =
            |kind: &str, more: &str| format!("--b\r\nContent-Type: {kind}\r\n{more}\r\nx\r\n");
        let mixed = "Content-Type: multipart/mixed;boundary=b\r\n";
        let either = "Content-Type: multipart/alternative;boundary=b\r\n";
        let sdp = part("application/sdp", "");
        let foreign = part("application/x-own", "");
        let optional = part(
            "application/x-own",
            "Content-Disposition: x;handling=optional\r\n",
        );
        let untyped = "--b\r\n\r\nx\r\n".to_owned();
        let end = "--b--\r\n";
        for (lines, body, status) in [
            ("Content-Type: application/SDP\r\n", "v=0".to_owned(), None),
            ("Content-Type: text/plain\r\n", "v=0".to_owned(), Some(415)),
            ("Content-Type: text/plain\r\n", String::new(), None),
            ("", "v=0".to_owned(), Some(400)),
            (
                "Content-Type: text/plain\r\nContent-Disposition: render;handling=optional\r\n",
                "v=0".to_owned(),
                None,
            ),
            (
                "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n",
                "v=0".to_owned(),
                Some(415),
            ),
            (mixed, format!("{sdp}{optional}{end}"), None),
            (mixed, format!("{sdp}{foreign}{end}"), Some(415)),
            (mixed, format!("{sdp}{untyped}{end}"), Some(415)),
            (mixed, sdp.clone(), Some(415)),
            (either, format!("{foreign}{sdp}{end}"), None),
            (either, format!("{foreign}{end}"), Some(415)),
            (
                "Content-Type: multipart/mixed\r\n",
                "x".to_owned(),
                Some(415),
            ),
        ] {
            let text = invite(lines, &body);
            let found = refusal(&text, &PHONE).map(|refused| refused.status.as_u16());
            assert_eq!(found, status, "{text}");
            assert_eq!(
                refusal(&text, &PROXY),
                None,
                "bodies are no proxy's business"
            );
        }
    }

    #[test]
    fn a_part_without_a_type_is_text_plain_in_whatever_words_that_is_known() {
        let text = invite(
            "Content-Type: multipart/mixed;boundary=b\r\n",
            "--b\r\n\r\nhello\r\n--b--\r\n",
        );
        for (known, is_refused) in [
            ("text/plain", false),
            ("text/*", false),
            ("Text/Plain", false),
            ("text/html", true),
        ] {
            let media_types = ["multipart/mixed", known];
            let element = Element {
                media_types: &media_types,
                ..Element::SERVER
            };
            assert_eq!(refusal(&text, &element).is_some(), is_refused, "{known}");
        }
    }

    #[test]
    fn so_many_parts_are_looked_at_and_no_more() {
        for (count, is_refused) in [(64, false), (65, true)] {
            let part = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";
            let body = part.repeat(count) + "--b--\r\n";
            let text = invite("Content-Type: multipart/mixed;boundary=b\r\n", &body);
            assert_eq!(refusal(&text, &PHONE).is_some(), is_refused, "{count}");
        }
    }

    #[test]
    fn nested_bodies_are_looked_into_only_so_deep() {
        let mut body = "v=0".to_owned();
        let mut kind = "application/sdp".to_owned();
        for depth in 1..=5 {
            let boundary = format!("b{depth}");
            body = format!("--{boundary}\r\nContent-Type: {kind}\r\n\r\n{body}\r\n--{boundary}--");
            kind = format!("multipart/mixed;boundary={boundary}");
            let text = invite(&format!("Content-Type: {kind}\r\n"), &body);
            assert_eq!(refusal(&text, &PHONE).is_none(), depth <= 4, "{depth}");
        }
    }
}

mod section_21_4_7 {
    use super::*;

    #[test]
    fn an_answer_that_is_not_accepted_is_not_acceptable() {
        for (accept, status) in [
            ("Accept: text/nobodyKnowsThis\r\n", Some(406)),
            ("Accept:\r\n", Some(406)),
            ("Accept: application/sdp;q=0\r\n", Some(406)),
            ("Accept: text/plain, application/*\r\n", None),
            ("Accept: text/plain\r\nAccept: */*\r\n", None),
            ("Accept: text\r\n", Some(400)),
            // The most specific range decides, wherever it stands.
            ("Accept: application/sdp;q=0, */*\r\n", Some(406)),
            ("Accept: */*\r\nAccept: application/*;q=0\r\n", Some(406)),
            ("Accept: application/*;q=0, application/sdp;q=0.1\r\n", None),
            ("Accept: */*;q=0, Application/SDP\r\n", None),
            ("", None),
        ] {
            let found = refusal(&invite(accept, ""), &PHONE);
            assert_eq!(
                found.map(|refused| refused.status.as_u16()),
                status,
                "{accept}"
            );
        }
    }
}

mod section_10_3 {
    use super::*;

    fn registered(text: &str) -> Option<Cause> {
        let view = MessageView::parse(text.as_bytes(), &Limits::default()).expect("well formed");
        let refused = check::register(&view, &Element::SERVER).err()?;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        Some(refused.cause)
    }

    #[test]
    fn the_address_of_record_is_a_sip_uri() {
        assert_eq!(registered(GOOD), None);
        let isbn = GOOD.replace("To: <sip:1010@ucm.example.com>", "To: isbn:2983792873");
        assert_eq!(registered(&isbn), Some(Cause::AddressOfRecord));
        assert_eq!(registered(&isbn.replace("REGISTER", "OPTIONS")), None);
    }

    #[test]
    fn a_wildcard_stands_alone_and_with_expires_0() {
        for (lines, is_good) in [
            ("Contact: *\r\nExpires: 0\r\n", true),
            ("Contact: *\r\nExpires: 1\r\n", false),
            ("Contact: *\r\n", false),
            (
                "Contact: *\r\nm: <sip:a@192.0.2.7>\r\nExpires: 0\r\n",
                false,
            ),
            ("Contact: *\r\nm: *\r\nExpires: 0\r\n", false),
        ] {
            let found = registered(&GOOD.replace("Max", &format!("{lines}Max")));
            assert_eq!(found, (!is_good).then_some(Cause::Wildcard), "{lines}");
        }
    }
}

mod section_7_3_1 {
    use super::*;

    #[test]
    fn what_is_no_list_stands_once() {
        for line in [
            "Expires: 1",
            "Content-Length: 0",
            "Date: x",
            "User-Agent: a",
            "s: b",
            "x: 1800",
            "b: <sip:a@h>",
            "Flow-Timer: 1",
        ] {
            let twice = GOOD.replace("Max", &format!("{line}\r\n{line}\r\nMax"));
            let cause = refusal(&twice, &Element::SERVER).expect(line).cause;
            assert!(matches!(cause, Cause::Repeated(_)), "{line}: {cause}");
        }
        for line in [
            "Require: path",
            "Via: SIP/2.0/UDP h",
            "Warning: 399 a \"b\"",
            "X-Own: y",
        ] {
            let twice = GOOD.replace("Max", &format!("{line}\r\n{line}\r\nMax"));
            let element = Element {
                extensions: &["path"],
                ..Element::SERVER
            };
            assert_eq!(refusal(&twice, &element), None, "{line}");
        }
    }
}

mod responses {
    use super::*;

    const ANSWER: &str = concat!(
        "SIP/2.0 200 OK\r\n",
        "Via: SIP/2.0/TLS 192.0.2.7:5061;branch=z9hG4bK1\r\n",
        "From: <sip:1010@ucm.example.com>;tag=1\r\n",
        "To: <sip:1010@ucm.example.com>;tag=2\r\n",
        "Call-ID: 1@192.0.2.7\r\n",
        "CSeq: 8 REGISTER\r\n",
        "Content-Length: 0\r\n\r\n",
    );

    fn dropped(text: &str, forwards: bool) -> Option<Cause> {
        let view = MessageView::parse(text.as_bytes(), &Limits::default()).expect("well formed");
        let sent_by = [(Host::parse("192.0.2.7").unwrap(), Some(5061))];
        let recipient = Recipient {
            forwards,
            sent_by: &sent_by,
        };
        check::response(&view, &recipient).err()
    }

    #[test]
    fn a_good_answer_and_any_request_pass() {
        assert_eq!(dropped(ANSWER, false), None);
        assert_eq!(dropped(GOOD, false), None);
    }

    #[test]
    fn each_mandatory_field_is_missed() {
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            let lines: String = ANSWER
                .split_inclusive("\r\n")
                .filter(|line| !line.starts_with(&format!("{name}:")))
                .collect();
            assert_eq!(
                dropped(&lines, false),
                Some(Cause::Missing(HeaderName::parse(name).unwrap()))
            );
        }
    }

    #[test]
    fn what_is_not_for_us_is_dropped() {
        let below =
            |via: &str| ANSWER.replace("From:", &format!("Via: SIP/2.0/UDP {via}\r\nFrom:"));
        for (text, forwards, cause) in [
            (ANSWER.replace("7:5061", "8:5061"), false, Cause::NotOurs),
            (ANSWER.replace(":5061", ""), false, Cause::NotOurs),
            (below("192.0.2.8"), false, Cause::SeveralVias),
            (below("255.255.255.255"), true, Cause::Broadcast),
            (below("h;received=224.0.0.1"), true, Cause::Broadcast),
            (below("[ff02::1]"), true, Cause::Broadcast),
            (
                ANSWER.replace("Length: 0", "Length: 1"),
                false,
                Cause::ContentLength,
            ),
            (
                ANSWER.replace("SIP/2.0 200", "SIP/3.0 200"),
                false,
                Cause::Version,
            ),
        ] {
            assert_eq!(dropped(&text, forwards), Some(cause), "{text}");
        }
        assert_eq!(dropped(&below("192.0.2.8"), true), None);
        let bad = dropped(&ANSWER.replace("8 REGISTER", "4294967296 REGISTER"), false);
        assert!(matches!(bad, Some(Cause::Malformed(_))));
    }
}
