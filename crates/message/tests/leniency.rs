//! Each leniency: refused by the grammar, read where it is allowed by name, and by nothing else.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use sip_oauth_message::{
    Frame, Framer, FramingErrorKind, Leniencies, Leniency, Limits, MessageView, Parser, header,
};

/// Whether the message and each of its header fields are well formed.
fn is_well_formed(view: &MessageView<'_>) -> bool {
    let mut fields = view.fields();
    fields.all(|field| header::check_value(field.name(), field.value()).is_ok())
}

/// What a parser with these leniencies makes of the message, if it is well formed then.
fn read(message: &[u8], leniencies: Leniencies) -> Option<(Vec<u8>, Leniencies)> {
    let parser = Parser::new(Limits::default()).with_leniencies(leniencies);
    let mut copy = Vec::new();
    let reading = parser.parse(message, &mut copy).ok()?;
    let relaxed = reading.relaxed;
    is_well_formed(&reading.view).then(|| {
        let bytes = if relaxed.is_empty() {
            message.to_vec()
        } else {
            copy
        };
        (bytes, relaxed)
    })
}

const LATIN_1: &[u8] = b"OPTIONS sip:h SIP/2.0\r\nSubject: caf\xe9\r\n\r\n\xe9";

/// What is refused, which leniency reads it, and as what.
const RELAXED: &[(Leniency, &[u8], &str)] = &[
    (
        Leniency::BareLineFeed,
        b"OPTIONS sip:h SIP/2.0\nTo: <sip:h>\r\n\nbo\ndy",
        "OPTIONS sip:h SIP/2.0\r\nTo: <sip:h>\r\n\r\nbo\ndy",
    ),
    (
        Leniency::LeadingLineEnds,
        b"\r\n\r\nOPTIONS sip:h SIP/2.0\r\n\r\n",
        "OPTIONS sip:h SIP/2.0\r\n\r\n",
    ),
    (
        Leniency::ControlCharacters,
        b"OPTIONS sip:h SIP/2.0\r\nSubject: a\x1b[31m\"\\\x07\x07\"\r\n\r\n\x07",
        "OPTIONS sip:h SIP/2.0\r\nSubject: a [31m\"\\\x07 \"\r\n\r\n\x07",
    ),
    (
        Leniency::SpacesInStartLine,
        b" OPTIONS  sip:h\tSIP/2.0 \r\n\r\n",
        "OPTIONS sip:h SIP/2.0\r\n\r\n",
    ),
    (
        Leniency::SpacesInStartLine,
        b" OPTIONS sip:h SIP/2.0\r\n\r\n",
        "OPTIONS sip:h SIP/2.0\r\n\r\n",
    ),
    (
        Leniency::SpacesInStartLine,
        b"OPTIONS sip:h\tSIP/2.0\r\n\r\n",
        "OPTIONS sip:h SIP/2.0\r\n\r\n",
    ),
    (
        Leniency::SpacesInStartLine,
        b"SIP/2.0  200  OK\r\n\r\n",
        "SIP/2.0 200  OK\r\n\r\n",
    ),
    (
        Leniency::BracketedRequestUri,
        b"OPTIONS <sip:h;lr> SIP/2.0\r\n\r\n",
        "OPTIONS sip:h;lr SIP/2.0\r\n\r\n",
    ),
    (
        Leniency::NoReasonPhrase,
        b"SIP/2.0 200\r\n\r\n",
        "SIP/2.0 200 \r\n\r\n",
    ),
    (
        Leniency::Latin1,
        LATIN_1,
        "OPTIONS sip:h SIP/2.0\r\nSubject: caf\u{e9}\r\n\r\n",
    ),
    (
        Leniency::WhiteSpaceInUri,
        b"OPTIONS sip:h; lr SIP/2.0\r\nTo: < sip:h;x= y >;tag=1\r\n\r\n",
        "OPTIONS sip:h;lr SIP/2.0\r\nTo: <sip:h;x=y>;tag=1\r\n\r\n",
    ),
    (
        Leniency::EmptyParameter,
        b"OPTIONS sip:h SIP/2.0\r\nm: <sip:h>;;a=\";;\"; ,<sip:i>;\r\n\r\n",
        "OPTIONS sip:h SIP/2.0\r\nm: <sip:h>;a=\";;\" ,<sip:i>\r\n\r\n",
    ),
    (
        Leniency::EmptyElement,
        b"OPTIONS sip:h SIP/2.0\r\nSupported: ,path,, gruu ,\r\n\r\n",
        "OPTIONS sip:h SIP/2.0\r\nSupported: path, gruu \r\n\r\n",
    ),
    (
        Leniency::UnbracketedUri,
        b"OPTIONS sip:h SIP/2.0\r\nContact: sip:u@h?Route=%3Csip:i%3E;expires=5\r\n\r\n",
        "OPTIONS sip:h SIP/2.0\r\nContact: <sip:u@h?Route=%3Csip:i%3E>;expires=5\r\n\r\n",
    ),
    (
        Leniency::UnquotedDisplayName,
        b"OPTIONS sip:h SIP/2.0\r\nFrom: Bell, Alexander <sip:u@h>;tag=43\r\n\r\n",
        "OPTIONS sip:h SIP/2.0\r\nFrom: \"Bell, Alexander\" <sip:u@h>;tag=43\r\n\r\n",
    ),
    (
        Leniency::ViaComment,
        b"OPTIONS sip:h SIP/2.0\r\nv: SIP/2.0/UDP h;branch=1 (a (b) c),SIP/2.0/UDP i\r\n\r\n",
        "OPTIONS sip:h SIP/2.0\r\nv: SIP/2.0/UDP h;branch=1 ,SIP/2.0/UDP i\r\n\r\n",
    ),
];

#[test]
fn each_leniency_is_needed_and_enough() {
    for (leniency, message, expected) in RELAXED {
        assert_eq!(read(message, Leniencies::NONE), None, "{leniency:?}");
        let others = Leniencies::ALL.without(*leniency);
        assert_eq!(read(message, others), None, "{leniency:?} alone helps");
        let alone = Leniencies::NONE.with(*leniency);
        let found = read(message, alone);
        let (bytes, relaxed) = found.unwrap_or_else(|| panic!("{leniency:?} is enough"));
        let mut expected = expected.as_bytes().to_vec();
        if *leniency == Leniency::Latin1 {
            expected.push(0xe9);
        }
        assert_eq!(
            String::from_utf8_lossy(&bytes),
            String::from_utf8_lossy(&expected),
            "{leniency:?}"
        );
        assert_eq!(bytes, expected);
        assert_eq!(relaxed, alone);
    }
}

/// What two leniencies together make of a list: each address stays one, and no step is named that was not needed.
#[test]
fn leniencies_together_lose_no_value_and_take_no_step_too_many() {
    let with = |line: &str| format!("OPTIONS sip:h SIP/2.0\r\n{line}\r\n\r\n");
    for (line, expected, needed) in [
        (
            "Contact: sip:a@h, <sip:b@h>;",
            Some("Contact: sip:a@h, <sip:b@h>"),
            Some(Leniency::EmptyParameter),
        ),
        (
            "Contact: sip:a@h,, <sip:b@h>",
            Some("Contact: sip:a@h, <sip:b@h>"),
            Some(Leniency::EmptyElement),
        ),
        (
            "From: Bob <sip:b@h>;",
            Some("From: Bob <sip:b@h>"),
            Some(Leniency::EmptyParameter),
        ),
        ("Route: sip:a@h, <sip:b@h>;", None, None),
    ] {
        let found = read(with(line).as_bytes(), Leniencies::ALL);
        let Some(expected) = expected else {
            assert_eq!(found, None, "{line}");
            continue;
        };
        let (bytes, relaxed) = found.expect(line);
        assert_eq!(String::from_utf8(bytes).unwrap(), with(expected));
        let alone = needed.map_or(Leniencies::NONE, |one| Leniencies::NONE.with(one));
        assert_eq!(relaxed, alone, "{line}");
    }
}

/// `route-param = name-addr *( SEMI rr-param )` (RFC 3261 section 25.1): an addr-spec is none.
#[test]
fn a_route_stands_in_brackets_or_is_lenient() {
    for name in ["Route", "Record-Route", "Path", "Service-Route"] {
        let message = format!("OPTIONS sip:h SIP/2.0\r\n{name}: sip:p;lr\r\n\r\n");
        assert_eq!(read(message.as_bytes(), Leniencies::NONE), None, "{name}");
        let alone = Leniencies::NONE.with(Leniency::UnbracketedUri);
        let (bytes, _) = read(message.as_bytes(), alone).unwrap();
        let expected = format!("OPTIONS sip:h SIP/2.0\r\n{name}: <sip:p>;lr\r\n\r\n");
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        // Two of them: the comma may be part of either.
        let message = format!("OPTIONS sip:h SIP/2.0\r\n{name}: sip:p,sip:q\r\n\r\n");
        assert_eq!(read(message.as_bytes(), Leniencies::ALL), None, "{name}");
    }
}

#[test]
fn every_leniency_of_the_parser_has_a_case() {
    for leniency in Leniency::ALL {
        let listed = RELAXED.iter().any(|(case, ..)| case == leniency);
        assert!(
            listed || *leniency == Leniency::NoContentLength,
            "{leniency:?}"
        );
        assert!(leniency.section().starts_with("RFC 3261 section "));
        assert!(leniency.to_string().ends_with(leniency.rule()));
    }
}

#[test]
fn a_good_message_is_not_copied_and_relaxes_nothing() {
    let message = b"OPTIONS sip:h SIP/2.0\r\nTo: <sip:h>\r\nX:;;,,(\r\n\r\n\nbody\n";
    let parser = Parser::new(Limits::default()).with_leniencies(Leniencies::ALL);
    let mut copy = vec![1, 2, 3];
    let reading = parser.parse(message, &mut copy).unwrap();
    assert!(reading.relaxed.is_empty());
    assert_eq!(reading.view.body(), b"\nbody\n");
    assert_eq!(copy, [1, 2, 3]);
}

#[test]
fn what_nobody_can_mean_is_refused_by_every_leniency() {
    for message in [
        // RFC 4475 section 3.1.2.6: a quote that is not closed is not guessed.
        &b"OPTIONS sip:h SIP/2.0\r\nTo: \"Mr. J. User <sip:h>\r\n\r\n"[..],
        b"OPTIONS sip:h SIP/2.0\r\nno colon\r\n\r\n",
        b"OPTIONS sip:h SIP/2.0\r\nTo: <sip:h>",
        // A comment that is not closed would take the next hop with it.
        b"OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=1 (x, SIP/2.0/UDP b;branch=2\r\n\r\n",
        b"OPTIONS sip:h HTTP/1.1\n\n",
        b"OPTIONS SIP/2.0\n\n",
        b"SIP/2.0 4294967301 better\n\n",
        b"OPTIONS sip:h SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\nab",
        b"OPTIONS sip:h SIP/2.0\r\nm: <sip:h;;x>\r\n\r\n",
        b"\n\n\n",
        b"",
    ] {
        assert_eq!(read(message, Leniencies::ALL), None, "{message:?}");
    }
}

#[test]
fn a_refusal_is_that_of_the_message_as_it_came() {
    let message = b"\r\nOPTIONS sip:h SIP/2.0\nTo\n\n";
    let parser = Parser::new(Limits::default()).with_leniencies(Leniencies::ALL);
    let strict = MessageView::parse(message, &Limits::default()).unwrap_err();
    assert_eq!(parser.parse(message, &mut Vec::new()).unwrap_err(), strict);
}

#[test]
fn tokens_are_never_repaired() {
    for value in [
        "Bearer a,",
        "Bearer token=\"a\",",
        "Bearer a,,realm=\"b\"",
        ", Bearer a",
    ] {
        for name in ["Authorization", "Proxy-Authorization"] {
            let message = format!("OPTIONS sip:h SIP/2.0\r\n{name}: {value}\r\n\r\n");
            assert_eq!(read(message.as_bytes(), Leniencies::ALL), None, "{value}");
        }
    }
}

#[test]
fn a_leading_line_feed_alone_is_two_rules_broken() {
    let message = b"\nOPTIONS sip:h SIP/2.0\r\n\r\n";
    let both = Leniencies::NONE
        .with(Leniency::LeadingLineEnds)
        .with(Leniency::BareLineFeed);
    assert_eq!(read(message, both).map(|(_, relaxed)| relaxed), Some(both));
    for leniency in both.iter() {
        assert_eq!(read(message, both.without(leniency)), None, "{leniency:?}");
    }
}

#[test]
fn only_lists_have_empty_elements() {
    let alone = Leniencies::NONE.with(Leniency::EmptyElement);
    for line in [
        "From: ,<sip:a@h>",
        "To: <sip:a@h>,",
        "CSeq: ,1 OPTIONS",
        "Content-Type: text/plain,,",
        "Call-ID: a,",
        "Max-Forwards: 70,",
        "Refer-To: ,<sip:a@h>",
        "Event: ,a",
    ] {
        let message = format!("OPTIONS sip:h SIP/2.0\r\n{line}\r\n\r\n");
        assert_eq!(read(message.as_bytes(), alone), None, "{line}");
    }
    for line in [
        "Via: SIP/2.0/UDP h,",
        "Route: ,<sip:a@h>",
        "Reason: SIP,",
        "Warning: 399 h \"a\",",
        "Accept: a/b,,c/d",
        "WWW-Authenticate: Bearer,",
    ] {
        let message = format!("OPTIONS sip:h SIP/2.0\r\n{line}\r\n\r\n");
        let found = read(message.as_bytes(), alone);
        assert_eq!(found.map(|(_, relaxed)| relaxed), Some(alone), "{line}");
    }
}

#[test]
fn a_repair_that_has_no_room_is_left_out() {
    let name = "x ".repeat(8);
    // Quotes would make the From too long for a line; the Contact loses its semicolon all the same.
    let message = format!(
        "OPTIONS sip:h SIP/2.0\r\nFrom: {name}, <sip:h>\r\nTo: a, b <sip:h>\r\nm: <sip:h>;\r\n\r\n"
    );
    let from = format!("From: {name}, <sip:h>");
    let limits = Limits {
        max_line_bytes: from.len(),
        ..Limits::default()
    };
    let parser = Parser::new(limits).with_leniencies(Leniencies::ALL);
    let mut copy = Vec::new();
    let reading = parser.parse(message.as_bytes(), &mut copy).unwrap();
    let fields: Vec<_> = reading.view.fields().map(|field| field.value()).collect();
    assert!(fields[0].starts_with("x x"), "{fields:?}");
    assert_eq!(fields[1..], ["\"a, b\" <sip:h>", "<sip:h>"]);
    assert!(reading.relaxed.contains(Leniency::EmptyParameter));
    // A limit of the whole: what grows is left out together.
    let limits = Limits {
        max_message_bytes: message.len(),
        ..Limits::default()
    };
    let parser = Parser::new(limits).with_leniencies(Leniencies::ALL);
    let mut copy = Vec::new();
    let reading = parser.parse(message.as_bytes(), &mut copy).unwrap();
    assert_eq!(
        reading.relaxed,
        Leniencies::NONE.with(Leniency::EmptyParameter)
    );
    // Nothing but what grows: the message is read as it came.
    let message = "OPTIONS sip:h SIP/2.0\r\nFrom: a, b <sip:h>\r\n\r\n";
    let limits = Limits {
        max_message_bytes: message.len(),
        ..Limits::default()
    };
    let parser = Parser::new(limits).with_leniencies(Leniencies::ALL);
    let mut copy = Vec::new();
    let reading = parser.parse(message.as_bytes(), &mut copy).unwrap();
    assert!(reading.relaxed.is_empty());
    assert_eq!(reading.view.fields().next().unwrap().offset(), 29);
}

#[test]
fn limits_hold_for_lenient_readings() {
    let limits = Limits {
        max_message_bytes: 40,
        ..Limits::default()
    };
    let parser = Parser::new(limits).with_leniencies(Leniencies::ALL);
    let long = format!("OPTIONS sip:h SIP/2.0\nX: {}\n\n", "x".repeat(40));
    assert!(parser.parse(long.as_bytes(), &mut Vec::new()).is_err());
    // The repair makes it longer than the limit.
    let grows = "OPTIONS sip:h SIP/2.0\nX: y\nY: z\nZ: abc\n\n";
    assert_eq!(grows.len(), 40);
    assert!(parser.parse(grows.as_bytes(), &mut Vec::new()).is_err());
}

#[test]
fn streams_are_framed_leniently_in_any_pieces() {
    let stream = "OPTIONS sip:h SIP/2.0\nl: 2\n\nokSIP/2.0 200 OK\r\nX: y\n\r\n\r\n\r\n";
    let lenient = Leniencies::NONE
        .with(Leniency::BareLineFeed)
        .with(Leniency::NoContentLength);
    for piece in [1, 2, 3, stream.len()] {
        let mut framer = Framer::new(Limits::default()).with_leniencies(lenient);
        let mut found = Vec::new();
        for bytes in stream.as_bytes().chunks(piece) {
            framer.feed(bytes);
            while let Some(frame) = framer.next_frame().unwrap() {
                found.push(match frame {
                    Frame::Message(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    other => format!("{other:?}"),
                });
            }
        }
        assert_eq!(
            found,
            [
                "OPTIONS sip:h SIP/2.0\nl: 2\n\nok",
                "SIP/2.0 200 OK\r\nX: y\n\r\n",
                "KeepAlivePing"
            ],
            "in pieces of {piece}"
        );
    }
    for (without, kind) in [
        (Leniency::BareLineFeed, FramingErrorKind::LineEnding),
        (
            Leniency::NoContentLength,
            FramingErrorKind::MissingContentLength,
        ),
    ] {
        let mut framer =
            Framer::new(Limits::default()).with_leniencies(Leniencies::ALL.without(without));
        framer.feed(stream.as_bytes());
        let error = loop {
            match framer.next_frame() {
                Ok(Some(_)) => {}
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        assert_eq!(error.map(|error| error.kind), Some(kind));
    }
}
