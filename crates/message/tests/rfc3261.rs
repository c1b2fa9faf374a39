//! RFC 3261, by section.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use sip_oauth_message::header::{
    Accept, CSeq, CallId, Contact, ContentLength, Date, Expires, From, MaxForwards, MimeVersion,
    RetryAfter, Route, Rport, Server, Supported, To, Transport, Via, Warning,
};
use sip_oauth_message::{
    ErrorKind, HeaderName, Limits, MessageView, Method, NameAddr, Params, ParseError, Request,
    Text, TypedHeader, Uri,
};

const REGISTER: &str = concat!(
    "REGISTER sip:ucm.example.com SIP/2.0\r\n",
    "Via: SIP/2.0/TLS 192.0.2.7:62162;branch=z9hG4bK00004a82\r\n",
    "From: <sip:1010@ucm.example.com>;tag=005056000001000100000001-00000001\r\n",
    "To: <sip:1010@ucm.example.com>\r\n",
    "Call-ID: 00505600-00010001-00000001-00000002@192.0.2.7\r\n",
    "Max-Forwards: 70\r\n",
    "CSeq: 2271 REGISTER\r\n",
    "X-Unknown :  kept ; as , it is\t\r\n",
    "Contact: <sip:4f6d2c18@192.0.2.7:62162;transport=tls>;video\r\n",
    "Expires: 3600\r\n",
    "Content-Length:  4\r\n",
    "\r\n",
    "body",
);

fn view(text: &str) -> Result<MessageView<'_>, ParseError> {
    MessageView::parse(text.as_bytes(), &Limits::default())
}

fn with_field(line: &str) -> String {
    format!("OPTIONS sip:a@example.com SIP/2.0\r\n{line}\r\n\r\n")
}

mod section_7_1 {
    use super::*;

    #[test]
    fn method_is_case_sensitive_and_any_token() {
        let line = view("re%47ister sip:a@example.com SIP/2.0\r\n\r\n").unwrap();
        let line = line.as_request().unwrap();
        assert_eq!(line.method, Method::parse("re%47ister").unwrap());
        assert_ne!(Method::parse("register").unwrap(), Method::Register);
    }

    #[test]
    fn elements_are_separated_by_exactly_one_space() {
        for line in [
            "INVITE  sip:a@example.com SIP/2.0",
            "INVITE sip:a@example.com  SIP/2.0",
            "INVITE sip:a@example.com SIP/2.0 ",
            "INVITE sip:a b@example.com SIP/2.0",
            "INVITE <sip:a@example.com> SIP/2.0",
            "INVITE sip:a@example.com",
            " INVITE sip:a@example.com SIP/2.0",
            "INVITE sip:a@example.com HTTP/1.1",
            "",
        ] {
            let message = format!("{line}\r\nCSeq: 1 INVITE\r\n\r\n");
            let error = view(&message).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StartLine, "{line:?}");
        }
    }
}

mod section_7_2 {
    use super::*;

    #[test]
    fn reason_phrase_may_be_empty_and_is_utf8() {
        let status = |text| view(text).unwrap().as_response().unwrap().reason.to_owned();
        assert_eq!(status("SIP/2.0 100 \r\n\r\n"), "");
        assert_eq!(status("SIP/2.0 200 прекрасно\r\n\r\n"), "прекрасно");
        assert!(view("SIP/2.0 100\r\n\r\n").is_err());
        assert!(view("SIP/2.0 4294967301 better\r\n\r\n").is_err());
        assert!(view("SIP/2.0 099 early\r\n\r\n").is_err());
    }
}

mod section_7_3_1 {
    use super::*;

    #[test]
    fn unchanged_message_is_written_byte_for_byte() {
        let request = view(REGISTER).unwrap().to_request().unwrap();
        assert_eq!(request.to_bytes(), REGISTER.as_bytes());
    }

    #[test]
    fn another_version_is_written_as_it_came() {
        for text in [
            "OPTIONS sip:a SIP/7.0\r\nl: 0\r\n\r\n",
            "sip/2.0 200 OK\r\nl: 0\r\n\r\n",
        ] {
            let view = view(text).unwrap();
            let written = match (view.to_request(), view.to_response()) {
                (Some(request), _) => request.to_bytes(),
                (_, response) => response.unwrap().to_bytes(),
            };
            assert_eq!(written, text.as_bytes());
        }
    }

    #[test]
    fn order_duplicates_and_unknown_fields_survive() {
        let text = "SIP/2.0 200 OK\r\nb: 1\r\nX: 2\r\nx: 3\r\nA: 4\r\n a\r\nX: 2\r\n\r\n";
        let headers = view(text).unwrap().to_headers();
        let names: Vec<_> = headers.iter().map(|f| f.name_text().to_owned()).collect();
        assert_eq!(names, ["b", "X", "x", "A", "X"]);
        assert_eq!(headers.get_all("x").collect::<Vec<_>>(), ["2", "3", "2"]);
        assert_eq!(headers.get("A"), Some("4\r\n a"));
        let response = view(text).unwrap().to_response().unwrap();
        let written = response.to_bytes();
        assert!(written.starts_with(text.trim_end().as_bytes()));
    }

    #[test]
    fn folded_values_read_as_one_line() {
        let text = with_field("Subject: one\r\n  two\r\n\tthree");
        let field = view(&text).unwrap().fields().next().unwrap();
        assert_eq!(field.value(), "one\r\n  two\r\n\tthree");
        assert_eq!(field.unfolded(), "one two three");
        let text = with_field("CSeq:\r\n 9\r\n  INVITE");
        let cseq: CSeq<'_> = view(&text).unwrap().required().unwrap();
        assert_eq!((cseq.number(), cseq.method()), (9, &Method::Invite));
    }

    #[test]
    fn comma_lists_and_repeated_fields_are_one_list() {
        let text = with_field(
            "Route: <sip:a@a.example.com;lr>,\r\n <sip:b,b@b.example.com>\r\nroute: <sip:c.example.com>;x=\",\"",
        );
        let view = view(&text).unwrap();
        let routes: Vec<_> = view
            .all::<Route<'_>>()
            .map(|r| r.unwrap().uri().as_str())
            .collect();
        assert_eq!(
            routes,
            [
                "sip:a@a.example.com;lr",
                "sip:b,b@b.example.com",
                "sip:c.example.com"
            ]
        );
    }

    #[test]
    fn lists_of_tokens_are_the_same_in_one_field_and_in_several() {
        for lines in [
            "k: path, gruu,outbound",
            "Supported: path\r\nk:gruu\r\n ,outbound",
        ] {
            let text = with_field(lines);
            let view = view(&text).unwrap();
            let tags: Vec<_> = view
                .all::<Supported<'_>>()
                .flat_map(|list| list.unwrap().iter())
                .collect();
            assert_eq!(tags, ["path", "gruu", "outbound"]);
        }
    }

    #[test]
    fn white_space_around_the_colon_is_allowed() {
        for line in [
            "Max-Forwards:70",
            "Max-Forwards : 70",
            "max-forwards\t:\t70 ",
            "Max-Forwards:\r\n 70",
        ] {
            let text = with_field(line);
            assert_eq!(
                view(&text).unwrap().required::<MaxForwards>().unwrap().0,
                70,
                "{line:?}"
            );
        }
    }

    #[test]
    fn compact_forms_are_the_same_name() {
        for (compact, name) in [
            ("i", HeaderName::CallId),
            ("m", HeaderName::Contact),
            ("e", HeaderName::ContentEncoding),
            ("l", HeaderName::ContentLength),
            ("c", HeaderName::ContentType),
            ("f", HeaderName::From),
            ("s", HeaderName::Subject),
            ("k", HeaderName::Supported),
            ("t", HeaderName::To),
            ("V", HeaderName::Via),
            ("o", HeaderName::Event),
            ("r", HeaderName::ReferTo),
        ] {
            assert_eq!(HeaderName::parse(compact), Ok(name));
            assert!(name.compact().unwrap().eq_ignore_ascii_case(compact));
        }
    }

    #[test]
    fn lines_end_with_crlf_and_nothing_else() {
        for text in [
            "OPTIONS sip:a@example.com SIP/2.0\nCSeq: 1 OPTIONS\n\n",
            "OPTIONS sip:a@example.com SIP/2.0\r\nCSeq: 1 OPTIONS\n\r\n",
            "OPTIONS sip:a@example.com SIP/2.0\r\nCSeq: 1\rOPTIONS\r\n\r\n",
        ] {
            assert_eq!(
                view(text).unwrap_err().kind(),
                ErrorKind::LineEnding,
                "{text:?}"
            );
        }
    }

    #[test]
    fn head_without_its_empty_line_is_incomplete() {
        for end in 0..REGISTER.len() - 4 {
            let kind = view(&REGISTER[..end]).unwrap_err().kind();
            assert_eq!(kind, ErrorKind::Incomplete, "cut at {end}");
        }
    }
}

mod section_8_1_1_5 {
    use super::*;

    #[test]
    fn cseq_is_below_two_to_the_31() {
        assert_eq!(CSeq::parse("2147483647 ACK").unwrap().number(), CSeq::MAX);
        for value in [
            "2147483648 ACK",
            "99999999999999999999 ACK",
            "-1 ACK",
            "1ACK",
            "1",
            " ACK",
        ] {
            assert!(CSeq::parse(value).is_err(), "{value}");
        }
    }
}

mod section_18_3 {
    use super::*;

    #[test]
    fn bytes_behind_the_body_are_ignored() {
        let text = format!("{REGISTER}INVITE sip:b@example.com SIP/2.0\r\n\r\n");
        let view = view(&text).unwrap();
        assert_eq!((view.body(), view.trailing()), (&b"body"[..], 36));
    }

    #[test]
    fn content_length_is_written_where_it_stands_and_is_right() {
        let mut request = view(REGISTER).unwrap().to_request().unwrap();
        request.body = b"longer body".to_vec();
        let written = String::from_utf8(request.to_bytes()).unwrap();
        assert_eq!(
            written,
            REGISTER
                .replace("Content-Length:  4", "Content-Length: 11")
                .replace("body", "longer body"),
        );
    }

    #[test]
    fn content_lengths_that_differ_or_are_no_number_are_errors() {
        for field in [
            "l: 1\r\nContent-Length: 2",
            "l: -1",
            "l: 1 2",
            "l:",
            "l: 4294967296",
            "l: 0x1",
        ] {
            let text = with_field(field);
            let error = view(&text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ContentLength, "{field}");
            assert_eq!(error.header(), Some(HeaderName::ContentLength));
        }
        assert!(view(&with_field("l: 0\r\nContent-Length: 00")).is_ok());
    }
}

mod section_18_2_1 {
    use super::*;

    #[test]
    fn received_and_rport_are_added_for_the_source() {
        let source = "203.0.113.9:5555".parse().unwrap();
        for (via, expected) in [
            (
                "SIP/2.0/TLS 192.0.2.7;branch=1",
                "SIP/2.0/TLS 192.0.2.7;branch=1;received=203.0.113.9",
            ),
            (
                "SIP/2.0/TLS 203.0.113.9;branch=1",
                "SIP/2.0/TLS 203.0.113.9;branch=1",
            ),
            (
                "SIP/2.0/UDP 203.0.113.9;rport;branch=1",
                "SIP/2.0/UDP 203.0.113.9;rport=5555;branch=1;received=203.0.113.9",
            ),
            // RFC 3581 section 4: never rport without received.
            (
                "SIP/2.0/UDP 203.0.113.9;rport=x",
                "SIP/2.0/UDP 203.0.113.9;rport=5555;received=203.0.113.9",
            ),
            (
                "SIP/2.0/TLS pc.example.com;received=198.51.100.1",
                "SIP/2.0/TLS pc.example.com;received=203.0.113.9",
            ),
        ] {
            let via = Via::parse(via).unwrap();
            assert_eq!(via.received_from(source).to_string(), expected);
        }
    }
}

mod section_19_1_4 {
    use super::*;

    #[test]
    fn equivalent_uris() {
        for (one, two) in [
            (
                "sip:%61lice@atlanta.example.com;transport=TCP",
                "sip:alice@AtLanTa.Example.CoM;Transport=tcp",
            ),
            (
                "sip:carol@chicago.example.com",
                "sip:carol@chicago.example.com;newparam=5",
            ),
            (
                "sip:carol@chicago.example.com;security=on",
                "sip:carol@chicago.example.com;newparam=5",
            ),
            (
                "sip:b@example.com;transport=tcp?priority=urgent&to=sip:a%40example.com",
                "sip:b@example.com;transport=tcp?to=sip:a%40example.com&priority=urgent",
            ),
            ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"),
            ("tel:+1-201-555-0123", "tel:+12015550123"),
            ("sip:h;x=1;x=2", "sip:h;x=2;x=1"),
        ] {
            let (one, two) = (Uri::parse(one).unwrap(), Uri::parse(two).unwrap());
            assert!(one.equivalent(&two) && two.equivalent(&one), "{one} {two}");
        }
    }

    #[test]
    fn a_uri_of_very_many_parameters_is_compared_as_text() {
        let text = |last: &str| format!("sip:h{}{last}", ";a".repeat(8000));
        let (one, two) = (text(";b=1"), text(";b=2"));
        let (one, two) = (Uri::parse(&one).unwrap(), Uri::parse(&two).unwrap());
        assert!(one.equivalent(&one) && !one.equivalent(&two));
    }

    #[test]
    fn different_uris() {
        for (one, two) in [
            ("sip:h", "sip:h;%75ser=phone"),
            ("sip:ALICE@example.com", "sip:alice@example.com"),
            ("sip:bob@example.com", "sip:bob@example.com:5060"),
            ("sip:bob@example.com", "sip:bob@example.com;transport=udp"),
            ("sip:bob@example.com", "sips:bob@example.com"),
            ("sip:bob@example.com", "sip:bob@example.com;maddr=192.0.2.1"),
            (
                "sip:carol@example.com;newparam=5",
                "sip:carol@example.com;newparam=6",
            ),
            (
                "sip:carol@example.com",
                "sip:carol@example.com?Subject=next%20meeting",
            ),
            ("sip:a%3Bb@example.com", "sip:a;b@example.com"),
            ("sip:a@192.0.2.1", "sip:a@pc.example.com"),
            ("sip:example.com", "sip:a@example.com"),
            ("tel:+1-201-555-0123", "tel:+1-201-555-0124"),
            ("urn:service:sos", "urn:service:test"),
            ("sip:h;x=1;x=2", "sip:h;x=1;x=3"),
        ] {
            let (one, two) = (Uri::parse(one).unwrap(), Uri::parse(two).unwrap());
            assert!(
                !one.equivalent(&two) && !two.equivalent(&one),
                "{one} {two}"
            );
        }
    }
}

mod section_20_10 {
    use super::*;

    #[test]
    fn parameters_without_brackets_are_of_the_field() {
        let contact = Contact::parse("sip:a@example.com;x=1").unwrap();
        assert_eq!(contact.uri().unwrap().as_str(), "sip:a@example.com");
        assert_eq!(contact.params().value("x"), Some("1"));
        let contact = Contact::parse("<sip:a@example.com;x=1>").unwrap();
        assert_eq!(contact.uri().unwrap().params().value("x"), Some("1"));
        assert!(contact.params().is_empty());
        assert!(Contact::parse("sip:a@example.com?Route=x").is_err());
    }

    #[test]
    fn star_stands_alone() {
        assert_eq!(Contact::parse("*").unwrap(), Contact::Star);
        assert!(Contact::parse("*;expires=0").is_err());
        assert!(Contact::parse("*, <sip:a@example.com>").is_err());
    }

    #[test]
    fn duplicates_and_both_spellings_of_feature_parameters_are_kept() {
        let value = concat!(
            "<sip:a@192.0.2.9>;+sip.instance=\"<urn:uuid:1>\";+sip.instance=\"<urn:uuid:2>\"",
            ";+u.sip!devicename.ccm.features.cisco.com=\"SEP005056000001\";EXPIRES=7;q=0.5",
        );
        let contact = Contact::parse(value).unwrap();
        assert_eq!(contact.device_name(), Some("SEP005056000001"));
        assert_eq!(contact.instance(), Some("urn:uuid:1"));
        let instances = contact
            .params()
            .iter()
            .filter(|p| p.name() == "+sip.instance");
        assert_eq!(instances.count(), 2);
        assert_eq!(
            (contact.expires(), contact.q().unwrap().thousandths()),
            (Some(7), 500)
        );
        assert_eq!(contact.to_string(), value);
    }

    #[test]
    fn malformed_expires_means_an_hour() {
        for value in [
            "expires=99999999999",
            "expires=+5",
            "expires=soon",
            "expires",
        ] {
            let text = format!("<sip:a@example.com>;{value}");
            assert_eq!(Contact::parse(&text).unwrap().expires(), Some(3600));
        }
    }

    #[test]
    fn errors_say_where() {
        let error = Contact::parse("\"Bob\" <sip:bob@example.com").unwrap_err();
        let text = "Contact: expected '>' closing the name-addr, at byte 26";
        assert_eq!(error.to_string(), text);
        let message = with_field("To: <sip:a@exa mple.com>");
        let error = view(&message).unwrap().required::<To<'_>>().unwrap_err();
        assert_eq!(message.as_bytes()[error.offset()], b' ');
    }
}

mod section_20_17 {
    use super::*;

    #[test]
    fn date_is_rfc_1123_in_gmt() {
        let date = "Mon, 30 Mar 2020 11:03:19 GMT";
        assert_eq!(Date::parse(date).unwrap().as_str(), date);
        for value in [
            "Mon, 30 Mar 2020 11:03:19 EST",
            "Mon, 3 Mar 2020 11:03:19 GMT",
            "2020-03-30",
            "Moo, 30 Mar 2020 11:03:19 GMT",
        ] {
            assert!(Date::parse(value).is_err(), "{value}");
        }
    }
}

mod section_20_19 {
    use super::*;

    #[test]
    fn expires_is_below_two_to_the_32() {
        assert_eq!(Expires::parse("4294967295").unwrap().0, u32::MAX);
        let error = Expires::parse("4294967296").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Range);
    }
}

mod section_20_24 {
    use super::*;

    #[test]
    fn mime_version_is_two_numbers_and_a_dot() {
        let version = MimeVersion::parse("1.0").unwrap();
        assert_eq!((version.major, version.minor), (1, 0));
        for value in ["1", "1.", ".0", "1 . 0", "1,0", "1.0.0", ""] {
            assert!(MimeVersion::parse(value).is_err(), "{value}");
        }
    }
}

mod section_20_1 {
    use super::*;

    #[test]
    fn accept_is_a_list_of_media_ranges() {
        let text = with_field(
            "Accept: application/sdp;level=1, application/x-private;q=0.3\r\naccept: text/*;q=0",
        );
        let view = view(&text).unwrap();
        let all: Vec<_> = view.all::<Accept<'_>>().map(Result::unwrap).collect();
        let read: Vec<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(
            read,
            [
                "application/sdp;level=1",
                "application/x-private;q=0.3",
                "text/*;q=0"
            ]
        );
        let qs: Vec<_> = all.iter().map(|range| range.q().thousandths()).collect();
        assert_eq!(qs, [1000, 300, 0]);
        assert!(!all[2].matches("text", "plain"), "q=0 accepts nothing");
        let range = all[0].range().unwrap();
        assert_eq!(
            (range.main_type(), range.sub_type()),
            ("application", "sdp")
        );
        let nothing = with_field("Accept:");
        let nothing = super::view(&nothing).unwrap();
        assert_eq!(nothing.required::<Accept<'_>>(), Ok(Accept::Nothing));
        for value in ["text", "text/", "/plain", "text/plain,", "text/plain;"] {
            assert!(Accept::parse(value).is_err(), "{value}");
        }
    }
}

mod section_20_33 {
    use super::*;

    #[test]
    fn retry_after_with_comment_and_duration() {
        let value = "18000 (a (nested) \\) one);duration=3600";
        let retry = RetryAfter::parse(value).unwrap();
        assert_eq!(retry.comment(), Some("a (nested) \\) one"));
        assert_eq!(retry.to_string(), value);
        assert!(RetryAfter::parse("5 (open").is_err());
        let signed = RetryAfter::parse("5;duration=+9").unwrap();
        assert_eq!(signed.duration(), None);
    }
}

mod section_20_42 {
    use super::*;

    #[test]
    fn via_with_white_space_everywhere() {
        let via =
            Via::parse("SIP / 2.0\r\n /UDP\r\n  192.0.2.2 : 5060 ; branch = 390skdjuw").unwrap();
        assert_eq!(
            (via.transport(), via.port(), via.branch()),
            (Transport::Udp, Some(5060), Some("390skdjuw"))
        );
        assert_eq!(
            via.to_string(),
            "SIP/2.0/UDP 192.0.2.2:5060; branch = 390skdjuw"
        );
    }

    #[test]
    fn rport_and_received() {
        let via = Via::parse("SIP/2.0/UDP a.example.com;rport;received=[2001:db8::1]").unwrap();
        assert_eq!(via.rport(), Some(Rport::Asked));
        assert_eq!(via.received_ip(), Some("2001:db8::1".parse().unwrap()));
        let via = Via::parse("SIP/2.0/UDP a.example.com;rport=9;received=2001:db8::1").unwrap();
        assert_eq!(via.rport(), Some(Rport::Port(9)));
        let signed = Via::parse("SIP/2.0/UDP a.example.com;rport=+9").unwrap();
        assert_eq!(signed.rport(), None);
        assert_eq!(via.received_ip(), Some("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn stray_separators_are_errors() {
        for value in [
            "SIP/2.0/UDP 192.0.2.15;;,;,,",
            "SIP/2.0/UDP 192.0.2.15,",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP 192.0.2.15:x",
            "",
        ] {
            assert!(Via::parse(value).is_err(), "{value}");
        }
    }
}

mod section_20_43 {
    use super::*;

    #[test]
    fn warnings_are_a_list() {
        let text = with_field(
            "Warning: 399 UCM2-PUB \"one, \\\"quoted\\\"\", 301 [2001:db8::1]:5060 \"two\"",
        );
        let view = view(&text).unwrap();
        let all: Vec<_> = view.all::<Warning<'_>>().map(Result::unwrap).collect();
        assert_eq!(all[0].text(), "one, \"quoted\"");
        assert_eq!((all[1].code(), all[1].agent()), (301, "[2001:db8::1]:5060"));
        assert!(Warning::parse("1812 host \"four digits\"").is_err());
    }
}

mod section_25_1 {
    use super::*;

    #[test]
    fn quoted_pairs_may_hold_controls() {
        let value = "\"BEL:\\\u{7} NUL:\\\0 DEL:\\\u{7f}\" <sip:1@example.com>";
        let to = To::parse(value).unwrap();
        assert_eq!(to.display_name().unwrap(), "BEL:\u{7} NUL:\0 DEL:\u{7f}");
        assert_eq!(to.to_string(), value);
    }

    #[test]
    fn call_id_is_one_or_two_words() {
        for value in ["a", "a@b", "word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"] {
            assert_eq!(CallId::parse(value).unwrap().as_str(), value);
        }
        for value in ["", "a@", "@a", "a b", "a@b@c"] {
            assert!(CallId::parse(value).is_err(), "{value}");
        }
    }

    #[test]
    fn option_tags_may_be_none() {
        assert_eq!(Supported::parse("").unwrap().iter().count(), 0);
        let text = with_field("Supported:");
        assert!(
            view(&text)
                .unwrap()
                .header::<Supported<'_>>()
                .unwrap()
                .is_some()
        );
        assert!(Supported::parse("a,,b").is_err());
    }
}

#[test]
fn bodies_and_control_characters_are_not_printed() {
    let text = with_field("Subject: \"a\\\u{1b}[31m\"\r\n b") + "secret";
    let view = view(&text).unwrap();
    let request = view.to_request().unwrap();
    for printed in [format!("{view:?}"), format!("{request:?}")] {
        assert!(
            printed.contains("Subject: \"a\\\\u{1b}[31m\" b"),
            "{printed}"
        );
        assert!(printed.contains("body_bytes: 6"), "{printed}");
        assert!(
            !printed.contains("secret") && !printed.contains("115"),
            "{printed}"
        );
    }
}

#[test]
fn values_of_our_own_are_escaped() {
    let uri = Uri::parse("sip:1010@example.com").unwrap();
    let params = Params::parse(";tag=1").unwrap();
    let address = NameAddr::new(uri)
        .with_display_name(Text::Plain("a \"b\" \\c"))
        .with_params(params);
    let text = From(address).to_string();
    assert_eq!(text, r#""a \"b\" \\c" <sip:1010@example.com>;tag=1"#);
    assert_eq!(From::parse(&text).unwrap(), From(address));
}

#[test]
fn limits_are_kept() {
    let limits = Limits {
        max_message_bytes: 400,
        max_line_bytes: 50,
        max_header_bytes: 100,
        max_header_fields: 3,
        max_body_bytes: 5,
    };
    let parse = |text: &str| MessageView::parse(text.as_bytes(), &limits).map(|_| ());
    let long = with_field(&format!("X: {}", "x".repeat(48)));
    for text in [
        &*"x".repeat(401),
        &*long,
        &*with_field(&format!("X: {0}\r\nY: {0}", "x".repeat(40))),
        &*with_field("a:1\r\nb:2\r\nc:3\r\nd:4"),
        &*(with_field("l: 6") + "123456"),
    ] {
        assert_eq!(parse(text).unwrap_err().kind(), ErrorKind::Limit);
    }
    assert_eq!(parse(&(with_field("l: 5") + "12345")), Ok(()));
}

#[test]
fn more_than_64_fields_are_kept_in_order() {
    let lines: Vec<_> = (0..200).map(|n| format!("X-{n}: {n}")).collect();
    let text = with_field(&lines.join("\r\n"));
    let view = view(&text).unwrap();
    assert_eq!(view.fields().count(), 200);
    assert_eq!(view.fields().last().unwrap().value(), "199");
    let request: Request = view.to_request().unwrap();
    assert_eq!(request.headers.get("x-77"), Some("77"));
}

#[test]
fn typed_access_is_the_same_for_views_and_values() {
    let view = view(REGISTER).unwrap();
    let request = view.to_request().unwrap();
    assert_eq!(
        view.required::<ContentLength>(),
        request.required::<ContentLength>()
    );
    assert_eq!(view.required::<From<'_>>(), request.required::<From<'_>>());
    assert_eq!(request.header::<Server<'_>>(), Ok(None));
    let missing = view.required::<Server<'_>>().unwrap_err();
    assert_eq!(
        missing.to_string(),
        "Server: expected this header field, found none"
    );
}
