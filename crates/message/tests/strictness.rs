//! What the grammar forbids is refused unless a leniency is named.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::HashSet;

use sip_oauth_message::header::{
    Contact, ContentType, Date, From, Reason, SessionId, Supported, Transport, UserAgent, Via,
    Warning,
};
use sip_oauth_message::{
    ErrorKind, HeaderName, Headers, Host, Leniencies, Leniency, Limits, MessageView, Parser,
    Response, StatusCode, Text, TypedHeader, Uri,
};

fn response(reason: &str, field: &str) -> String {
    format!("SIP/2.0 200 {reason}\r\n{field}\r\nl: 0\r\n\r\n")
}

/// RFC 3261 section 25.1: no rule for a value or a phrase has CTL, but quoted-pair.
mod control_characters {
    use super::*;

    const CONTROLS: [char; 4] = ['\0', '\u{8}', '\u{1b}', '\u{7f}'];

    #[test]
    fn are_refused_where_they_stand() {
        let limits = Limits::default();
        for control in CONTROLS {
            for front in ["", "x", &"x".repeat(17), &"x".repeat(150), &"x".repeat(700)] {
                let reason = format!("{front}{control}K");
                for (text, kind) in [
                    (response(&reason, "X: y"), "phrase"),
                    (response("OK", &format!("X: {reason}")), "value"),
                    (response("OK", &format!("X: a\r\n {reason}\r\n\tb")), "fold"),
                    (response("OK", &format!("X: \"{reason}\"")), "quotes"),
                    (response("OK", &format!("X: \\{front}\\{control}")), "pair"),
                ] {
                    let error = MessageView::parse(text.as_bytes(), &limits).expect_err(kind);
                    assert_eq!(error.kind(), ErrorKind::ControlCharacter, "{kind}");
                    assert_eq!(error.offset(), text.find(control).unwrap(), "{kind}");
                }
            }
        }
    }

    #[test]
    fn may_be_quoted_and_tabs_and_utf8_may_stand_anywhere() {
        for value in [
            "\"BEL:\\\u{7} NUL:\\\0 DEL:\\\u{7f}\"",
            "\"a\r\n \\\0\" <sip:a@example.com>",
            "agent (\\\u{1b})",
            "a\tb",
            "Grüße ☎ \u{85}",
        ] {
            let text = response("Alles\tgut ☎", &format!("X: {value}"));
            let view = MessageView::parse(text.as_bytes(), &Limits::default()).expect(value);
            assert_eq!(view.fields().next().unwrap().value(), value);
            assert_eq!(view.to_response().unwrap().to_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn are_refused_in_values_read_alone() {
        let error = From::parse("\"x\u{1}y\" <sip:a@example.com>").unwrap_err();
        assert_eq!(
            (error.kind(), error.offset()),
            (ErrorKind::ControlCharacter, 2)
        );
        assert!(UserAgent::parse("a\u{1b}[31m").is_err());
    }

    #[test]
    fn are_read_as_spaces_by_a_named_leniency() {
        let text = response("O\0K\u{1b}[31m", "X: a\u{8}b \"\\\u{7}\u{7}\"");
        let mut copy = Vec::new();
        let strict = Parser::new(Limits::default());
        assert!(strict.parse(text.as_bytes(), &mut copy).is_err());
        let others = Leniencies::ALL.without(Leniency::ControlCharacters);
        let others = strict.with_leniencies(others);
        assert!(others.parse(text.as_bytes(), &mut copy).is_err());
        let lenient = strict.allow(Leniency::ControlCharacters);
        let reading = lenient.parse(text.as_bytes(), &mut copy).unwrap();
        assert_eq!(reading.view.as_response().unwrap().reason, "O K [31m");
        let value = reading.view.fields().next().unwrap().value();
        assert_eq!(value, "a b \"\\\u{7} \"");
        assert!(reading.relaxed.contains(Leniency::ControlCharacters));
        assert_eq!(reading.relaxed.iter().count(), 1);
    }

    #[test]
    fn are_not_written() {
        let mut response = Response::new(StatusCode::OK);
        response.reason = "O\0K\u{1b}".to_owned();
        response.headers = Headers::new();
        let own = HeaderName::from_static("X");
        response.headers.push(own, "a\u{8}b\u{7f} \"\\\u{7}\u{7}\"");
        response.headers.push(own, Text::Plain("bell \u{7}"));
        let written = response.to_bytes();
        let view = MessageView::parse(&written, &Limits::default()).unwrap();
        assert_eq!(view.as_response().unwrap().reason, "O K ");
        let values: Vec<_> = view.fields().map(|field| field.value()).collect();
        assert_eq!(values[..2], ["a b  \"\\\u{7} \"", "\"bell \\\u{7}\""]);
    }
}

/// RFC 3261 section 25.1: `host = hostname / IPv4address / IPv6reference`.
#[test]
fn hosts_are_names_or_addresses() {
    for host in [
        "a",
        "a.b.",
        "ucm_1.example.com",
        "xn--bcher-kva.example",
        "3com.example",
        "0f3a",
        "192.0.2.7",
        "255.255.255.255",
        "1.2.3.4.a",
        "a1",
        "a-1",
        "[2001:db8::1]",
    ] {
        assert!(Host::parse(host).is_ok(), "{host}");
        assert!(
            Uri::parse(&format!("sip:a@{host}:5060;x")).is_ok(),
            "{host}"
        );
    }
    for host in [
        "",
        ".",
        "..",
        "-",
        "a..b",
        ".a",
        "-a",
        "a-",
        "a-.b",
        "a.-b",
        "a..",
        "a.-",
        "999.999.999.999",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.04",
        "1",
        "a.1",
        "1..2.3",
    ] {
        assert!(Host::parse(host).is_err(), "{host}");
        assert!(
            Uri::parse(&format!("sip:a@{host}:5060;x")).is_err(),
            "{host}"
        );
        assert!(
            Via::parse(&format!("SIP/2.0/TLS {host};branch=1")).is_err(),
            "{host}"
        );
    }
}

/// RFC 3261 section 20.43: `warn-agent = hostport / pseudonym`.
#[test]
fn an_agent_of_a_warning_is_a_host_or_a_token() {
    for agent in ["ucm-1", "ucm.example.com:5061", "[2001:db8::1]", "a!~"] {
        let text = format!("399 {agent} \"x\"");
        assert_eq!(Warning::parse(&text).unwrap().agent(), agent);
    }
    for agent in ["]:[", "a:", "a:b", "[::1", "::", "a:65536"] {
        assert!(
            Warning::parse(&format!("399 {agent} \"x\"")).is_err(),
            "{agent}"
        );
    }
}

/// RFC 3261 section 25.1: `absoluteURI = scheme ":" ( hier-part / opaque-part )`.
#[test]
fn other_uris_have_escapes_and_brackets_in_their_places() {
    for uri in [
        "http://example.com/a%20b?c=d&e=/f",
        "http://[2001:db8::1]:8080/x",
        "https://user@[::1]",
        "mailto:a%40b@example.com",
        "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "http:///x",
    ] {
        assert!(Uri::parse(uri).is_ok(), "{uri}");
    }
    for (uri, at) in [
        ("http:%zz", 5),
        ("mailto:%", 7),
        ("http:#[]@", 5),
        ("http://a/#b", 9),
        ("http://a/[::1]", 9),
        ("http://[::g]/", 7),
        ("http://[::1]x/", 12),
        ("http://[::1]:80]", 15),
        ("http://[@[::1]", 7),
        ("http:", 5),
    ] {
        let error = Uri::parse(uri).expect_err(uri);
        assert_eq!(
            (error.kind(), error.offset()),
            (ErrorKind::Uri, at),
            "{uri}"
        );
    }
}

/// RFC 3966 section 3.
#[test]
fn parameters_of_telephone_numbers_keep_their_rules() {
    for uri in [
        "tel:1;phone-context=a-b.example",
        "tel:1;phone-context=+(1)",
        "tel:+1;ext=(1)2;p-q",
    ] {
        assert!(Uri::parse(uri).is_ok(), "{uri}");
    }
    for uri in [
        "tel:1;phone-context=!",
        "tel:1;phone-context=+",
        "tel:1;phone-context=+a",
        "tel:1;phone-context=192.0.2.1",
        "tel:+1;phone-context=!",
        "tel:+1;ext=zz",
        "tel:+1;ext",
        "tel:+1;a!b",
    ] {
        assert!(Uri::parse(uri).is_err(), "{uri}");
    }
}

/// RFC 3261 section 25.1: `m-parameter = m-attribute EQUAL m-value`.
#[test]
fn parameters_of_a_media_type_have_values() {
    assert!(ContentType::parse("text/plain;charset=utf-8").is_ok());
    assert!(ContentType::parse("text/plain;charset").is_err());
    assert!(ContentType::parse("text/plain;charset=utf-8;x").is_err());
}

/// RFC 7989 section 5: `sess-uuid = 32(DIGIT / %x61-66)`.
#[test]
fn a_session_id_is_written_in_lower_case() {
    let uuid = "ab30317f1a784dc48ff824d0d3715d86";
    let null = "0".repeat(32);
    for text in [uuid.to_owned(), format!("{uuid};remote={null};x=1")] {
        assert_eq!(SessionId::parse(&text).unwrap().local(), uuid);
    }
    for text in [
        uuid.to_uppercase(),
        format!("{uuid};remote=zzz"),
        format!("{uuid};remote"),
        format!("{uuid};remote=\"{null}\""),
        format!("{uuid};remote={}", uuid.to_uppercase()),
    ] {
        assert!(SessionId::parse(&text).is_err(), "{text}");
    }
}

/// `password = *( unreserved / escaped / "&" / "=" / "+" / "$" / "," )` (RFC 3261 section 25.1): what looks like a host, a
/// port and parameters is not the user and password of another host.
#[test]
fn a_password_ends_where_another_reader_sees_parameters() {
    for (text, offset) in [
        ("sip:example.com:5060;transport=tls?x@evil.example", 20),
        ("sip:a:b;c@example.com", 7),
        ("sips:a:b?c@example.com", 8),
        ("sip:a:b/c@example.com", 7),
        ("sip:a:;@example.com", 6),
    ] {
        let error = Uri::parse(text).expect_err(text);
        assert_eq!(
            (error.kind(), error.offset()),
            (ErrorKind::Uri, offset),
            "{text}"
        );
        let header = format!("<{text}>");
        assert!(From::parse(&header).is_err(), "{text}");
    }
    let good = Uri::parse("sip:a:b&=+$,%3B-_.!~*'()@example.com").unwrap();
    assert_eq!(good.password(), Some("b&=+$,%3B-_.!~*'()"));
}

/// RFC 3261 section 25.1: these values are tokens or numbers. In quotes they are parameters of the extension's, and not these.
#[test]
fn what_is_a_token_has_no_quotes() {
    let from = From::parse("<sip:a@h>;tag=\"x\"").unwrap();
    assert_eq!(from.tag(), None);
    let via = Via::parse("SIP/2.0/UDP h;branch=\"z9hG4bK1\";received=\"192.0.2.1\"").unwrap();
    assert_eq!((via.branch(), via.received()), (None, None));
    let contact = Contact::parse("<sip:a@h>;expires=\"60\";q=\"0.5\"").unwrap();
    // "Malformed values SHOULD be treated as equivalent to 3600" (section 20.10).
    assert_eq!((contact.expires(), contact.q()), (Some(3600), None));
    let reason = Reason::parse("SIP;cause=\"200\"").unwrap();
    assert_eq!(reason.cause(), None);
}

/// RFC 3261 section 25.1: a backslash in a quoted string says nothing by itself.
#[test]
fn quoted_values_are_what_they_say() {
    let kind = ContentType::parse(r#"multipart/mixed;boundary="a\-b""#).unwrap();
    assert_eq!(kind.boundary().as_deref(), Some("a-b"));
    let contact =
        r#"<sip:a@h>;+sip.instance="<urn:u\uid:1>";+u.sip!devicename.ccm.cisco.com="CSF\A""#;
    let contact = Contact::parse(contact).unwrap();
    assert_eq!(contact.instance().as_deref(), Some("urn:uuid:1"));
    assert_eq!(contact.device_name().as_deref(), Some("CSFA"));
}

/// RFC 3261 section 7.3.1: names of types, of option tags and of transports have no case.
#[test]
fn values_without_case_are_equal_without_it() {
    let types = ["Text/Plain;a=b", "text/plain;A=b"].map(|text| ContentType::parse(text).unwrap());
    assert_eq!(types[0], types[1]);
    let tags = ["Path", "path"].map(|text| Supported::parse(text).unwrap());
    assert_eq!(tags[0], tags[1]);
    let hops = ["SIP/2.0/tls h", "sip/2.0/TLS H"].map(|text| Via::parse(text).unwrap());
    assert_eq!(hops[0], hops[1]);
    let transports = ["quic", "QUIC"].map(|text| Transport::parse(text).unwrap());
    assert_eq!(transports[0], transports[1]);
    assert_eq!(HashSet::from(transports).len(), 1);
}

/// RFC 3261 section 25.1: names in a date have no case, and the weekday is none of the moment's business.
#[test]
fn a_date_is_a_moment_in_whatever_case() {
    let moment = Date::parse("Sat, 13 Nov 2010 23:29:00 GMT")
        .unwrap()
        .to_system_time();
    assert!(moment.is_some());
    for text in [
        "sat, 13 nov 2010 23:29:00 GMT",
        "Sun, 13 NOV 2010 23:29:00 GMT",
    ] {
        assert_eq!(
            Date::parse(text).unwrap().to_system_time(),
            moment,
            "{text}"
        );
    }
    for text in [
        "Sat, 31 Feb 2010 23:29:00 GMT",
        "Sat, 13 Nov 2010 25:29:00 GMT",
    ] {
        assert_eq!(Date::parse(text).unwrap().to_system_time(), None, "{text}");
    }
}

/// An error says in which field it is, and where in it.
#[test]
fn errors_name_the_field_and_the_place() {
    let limits = Limits {
        max_line_bytes: 60,
        ..Limits::default()
    };
    let long = format!("To: {}", "x".repeat(60));
    for (line, name, kind, place) in [
        (
            &b"From: a\x01b"[..],
            HeaderName::From,
            ErrorKind::ControlCharacter,
            7,
        ),
        (b"m: \xff", HeaderName::Contact, ErrorKind::Utf8, 3),
        (long.as_bytes(), HeaderName::To, ErrorKind::Limit, 0),
        (
            b"l: 12a",
            HeaderName::ContentLength,
            ErrorKind::ContentLength,
            5,
        ),
    ] {
        let first = b"OPTIONS sip:h SIP/2.0\r\n";
        let message = [first, line, b"\r\n\r\n"].concat();
        let error = MessageView::parse(&message, &limits).unwrap_err();
        assert_eq!((error.header(), error.kind()), (Some(name), kind));
        assert_eq!(error.offset(), first.len() + place, "{name}");
    }
    let error = ContentType::parse("multipart/mixed;a=b;x;c=d").unwrap_err();
    assert_eq!(error.offset(), 21);
    let uuid = "0".repeat(32);
    let error = SessionId::parse(&format!("{uuid};a=b;remote=zz")).unwrap_err();
    assert_eq!(error.offset(), 32 + 12);
    let error = Warning::parse("399 agent\"text\"").unwrap_err();
    assert_eq!(error.offset(), 9);
}

/// RFC 8224 section 4 and RFC 4474 section 14.
#[test]
fn identity_has_its_compact_names() {
    assert_eq!(HeaderName::parse("Y").unwrap(), HeaderName::Identity);
    assert_eq!(HeaderName::parse("n").unwrap(), HeaderName::IdentityInfo);
}

/// Length and number of parameters change nothing in how URIs are compared.
#[test]
fn long_uris_are_compared_as_short_ones() {
    let with = |params: &[&str]| format!("sip:a@example.com{}", params.concat());
    let equivalent = |one: &str, two: &str| {
        let (one, two) = (Uri::parse(one).unwrap(), Uri::parse(two).unwrap());
        assert_eq!(one.equivalent(&two), two.equivalent(&one));
        one.equivalent(&two)
    };
    for length in [100, 2100] {
        let long = format!(";%61{}=%62", "x".repeat(length));
        let (one, two) = (with(&[&long, ";x=1"]), with(&[";x=%31", &long]));
        assert!(equivalent(&one, &two), "{length}");
        assert!(!equivalent(&one, &with(&[";x=2", &long])), "{length}");
    }
    let user = "u".repeat(4000);
    assert!(equivalent(
        &format!("sip:{user}@h;lr"),
        &format!("sip:{user}@H;LR")
    ));
}
