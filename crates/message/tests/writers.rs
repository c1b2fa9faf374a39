//! What a writer is given and cannot be written gives no other message, and none that cannot be read.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use proptest::prelude::*;
use sip_oauth_message::header::{AlarmLoads, CiscoAlarm, Contact, Reason, Transport, Via};
use sip_oauth_message::{
    ErrorKind, HeaderName, Headers, Host, Limits, MessageView, Method, NameAddr, Params, Request,
    Response, StatusCode, Text, TypedHeader, Uri,
};

/// What ends an element, a value, a line or a message where it stands unchecked.
const INTRUDERS: [&str; 9] = [
    "",
    " ",
    "a b",
    "a\r\nEvil: 1",
    "a\nEvil: 1",
    "a\r\n\r\nEvil",
    "a\0",
    "a:",
    "\u{e9}",
];

const OWN: HeaderName<'_> = HeaderName::from_static("X-Own");

#[test]
fn a_method_is_a_token() {
    for text in INTRUDERS {
        let error = Method::parse(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StartLine, "{text:?}");
    }
    // One that is known is not another one with the same text.
    assert_eq!(Method::parse("INVITE"), Ok(Method::Invite));
    let Ok(Method::Other(other)) = Method::parse("invite") else {
        unreachable!("methods are case-sensitive");
    };
    assert_eq!(other.as_str(), "invite");
}

#[test]
fn the_name_of_a_field_is_a_token() {
    let mut headers = Headers::new();
    for text in INTRUDERS {
        for error in [
            HeaderName::parse(text).unwrap_err(),
            headers.try_push(text, "1").unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::HeaderLine, "{text:?}");
        }
    }
    assert!(headers.is_empty());
    headers.push(OWN, 1);
    headers.try_push("mime-version", "1.0").unwrap();
    let names: Vec<_> = headers.iter().map(|field| field.name_text()).collect();
    assert_eq!(names, ["X-Own", "mime-version"], "as it is spelled");
    assert_eq!(HeaderName::from_static("I"), HeaderName::CallId);
    assert_eq!(HeaderName::parse("x-OWN"), Ok(OWN));
}

#[test]
#[should_panic(expected = "a token")]
fn the_name_of_a_field_in_the_program_is_a_token() {
    let _ = HeaderName::from_static("X Own");
}

#[test]
fn a_value_of_somebody_else_is_on_one_line_or_refused() {
    let mut headers = Headers::new();
    for (value, offset) in [
        ("a\r\nEvil: 1", 1),
        ("a\n", 1),
        ("\r", 0),
        ("a\r\n b", 1),
        ("ab\u{8}", 2),
        ("\"\u{1b}[31m\"", 1),
    ] {
        let error = headers.try_push("Subject", value).unwrap_err();
        assert_eq!(
            (error.kind(), error.offset()),
            (ErrorKind::ControlCharacter, offset),
            "{value:?}"
        );
        assert_eq!(error.header(), Some(HeaderName::Subject));
    }
    assert!(headers.is_empty());
    headers.try_push("Subject", " \ta \"\\\u{7}\" ").unwrap();
    assert_eq!(headers.get("s"), Some("a \"\\\u{7}\""));
}

#[test]
fn one_value_never_becomes_two_fields() {
    let mut response = Response::new(StatusCode::OK);
    response.reason = "OK\r\nEvil: 3".to_owned();
    for value in INTRUDERS {
        response.headers.push(HeaderName::Subject, value);
    }
    let given = response.headers.clone();
    let written = response.to_bytes();
    let view = MessageView::parse(&written, &Limits::default()).unwrap();
    assert_eq!(view.fields().count(), INTRUDERS.len() + 1);
    assert!(view.fields().all(|field| field.name_text() != "Evil"));
    assert!(view.body().is_empty());
    let values = |headers: &Headers| {
        headers
            .get_all("Subject")
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(values(&view.to_headers()), values(&given));
}

#[test]
fn a_request_uri_is_a_uri() {
    for text in INTRUDERS {
        assert!(Uri::parse(text).is_err());
        assert!(
            Uri::parse(&format!("sip:h{text}")).is_err() || text.is_empty(),
            "{text:?}"
        );
    }
    let mut request = Request::new(Method::Options, Uri::parse("sip:a@example.com").unwrap());
    request.set_uri(Uri::parse("tel:+15550100").unwrap());
    assert_eq!(request.uri(), "tel:+15550100");
    assert_eq!(request.request_uri(), Uri::parse("tel:+15550100"));
    assert!(
        request
            .to_bytes()
            .starts_with(b"OPTIONS tel:+15550100 SIP/2.0\r\n")
    );
    // What a strict view accepts and is no URI is copied, and written as it was.
    let text = "OPTIONS x SIP/2.0\r\nContent-Length: 0\r\n\r\n";
    let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
    let copy = view.to_request().unwrap();
    assert!(copy.request_uri().is_err());
    assert_eq!(
        (copy.version(), copy.to_bytes()),
        ("SIP/2.0", text.as_bytes().to_vec())
    );
}

#[test]
fn a_transport_is_a_token() {
    for text in INTRUDERS {
        let error = Transport::parse(text).unwrap_err();
        assert_eq!(error.header(), Some(HeaderName::Via), "{text:?}");
    }
    assert_eq!(Transport::parse("tls"), Ok(Transport::Tls));
    assert_eq!(Transport::parse("x").unwrap().as_str(), "x");
}

#[test]
fn a_display_name_does_not_end_its_own_quotes() {
    let uri = Uri::parse("sip:a@example.com").unwrap();
    for (name, written) in [
        (
            Text::Quoted("a\" <sip:b@example.com>, \""),
            r#""a\" <sip:b@example.com>, \"" <sip:a@example.com>"#,
        ),
        (Text::Quoted("a\\"), r#""a" <sip:a@example.com>"#),
        (Text::Quoted("\\\u{e9}"), "\"\u{e9}\" <sip:a@example.com>"),
        (
            Text::Token("a, <sip:b@example.com>"),
            r#""a, <sip:b@example.com>" <sip:a@example.com>"#,
        ),
        (Text::Token("a:b"), r#""a:b" <sip:a@example.com>"#),
        (Text::Token("a b"), "a b <sip:a@example.com>"),
        (Text::Quoted("a \\\" b"), r#""a \" b" <sip:a@example.com>"#),
    ] {
        let address = NameAddr::new(uri).with_display_name(name);
        assert_eq!(address.to_string(), written);
        assert_eq!(NameAddr::parse(written), Ok(address));
    }
}

#[test]
fn a_word_of_an_alarm_stays_one() {
    let alarm = CiscoAlarm {
        code: 25,
        name: "CSF JDOE Last=x".into(),
        loads: AlarmLoads::One("a\r\nb".into()),
        last: "initialized".into(),
    };
    let value = alarm.to_reason();
    let read = Reason::parse(&value).unwrap().cisco_alarm().unwrap();
    assert_eq!(
        (read.name.as_ref(), read.last.as_ref()),
        ("CSF_JDOE_Last=x", "initialized")
    );
    assert_eq!(read.loads, AlarmLoads::One("a__b".into()));
}

/// Anything, with the characters that mean something to be found often.
fn anything() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[\"\\\\<>,;:@=\r\n\t ]",
        "[\\x00-\\x7f]",
        "[a-z]{1,3}",
        "\\PC"
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_text_is_written_as_one_that_reads_back_equal(text in anything()) {
        for text in [Text::Token(&text), Text::Quoted(&text), Text::Plain(&text)] {
            let params = format!(";a={text};b=1");
            let params = Params::parse(&params);
            let params = params.map_err(|error| TestCaseError::fail(format!("{text:?}: {error}")))?;
            prop_assert_eq!(params.get("a").unwrap().value(), Some(text));
            prop_assert_eq!(params.iter().count(), 2);
            let uri = Uri::parse("sip:a@example.com").unwrap();
            let written = NameAddr::new(uri).with_display_name(text).to_string();
            let mut headers = Headers::new();
            headers.push(HeaderName::Contact, &written);
            let contact: Vec<_> = headers.all::<Contact<'_>>().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(contact.len(), 1);
            prop_assert_eq!(contact[0].uri(), Some(uri));
            let name = contact[0].display_name();
            prop_assert!(name == Some(text) || (name.is_none() && text == ""), "{:?} {:?}", name, text);
        }
    }

    #[test]
    fn any_value_gives_the_message_it_was_given_to(value in anything()) {
        let mut request = Request::new(Method::Options, Uri::parse("sip:a@example.com").unwrap());
        request.headers.push(HeaderName::Subject, &value);
        request.headers.push_first(OWN, &value);
        request.headers.set(HeaderName::Subject, &value);
        let bytes = request.to_bytes();
        let view = MessageView::parse(&bytes, &Limits::default()).unwrap();
        let read = view.to_request().unwrap();
        prop_assert_eq!(read.headers.len(), 3);
        prop_assert_eq!(read.headers.get("Subject"), request.headers.get("Subject"));
        prop_assert_eq!(read.headers.get("X-Own"), request.headers.get("X-Own"));
        prop_assert_eq!(read.to_bytes(), bytes);
    }

    #[test]
    fn what_is_taken_of_a_name_and_a_value_comes_back(name in "[ -~]{0,8}", value in anything()) {
        prop_assume!(HeaderName::parse(&name) != Ok(HeaderName::ContentLength));
        let mut headers = Headers::new();
        if headers.try_push(&name, &value).is_ok() {
            prop_assert_eq!(headers.get(&name), Some(value.trim_matches([' ', '\t'])));
            let mut response = Response::new(StatusCode::OK);
            response.headers = headers;
            let bytes = response.to_bytes();
            let view = MessageView::parse(&bytes, &Limits::default()).unwrap();
            let field = view.fields().next().unwrap();
            prop_assert_eq!(field.name_text(), name);
            prop_assert_eq!(field.value(), value.trim_matches([' ', '\t']));
        } else {
            prop_assert!(headers.is_empty());
        }
    }

    #[test]
    fn a_hop_is_one_hop(transport in "[ -~]{1,8}") {
        if let Ok(transport) = Transport::parse(&transport) {
            let via = Via::new(transport, Host::parse("h").unwrap(), None, Params::EMPTY);
            let written = via.to_string();
            prop_assert_eq!(Via::parse(&written), Ok(via));
        }
    }
}
