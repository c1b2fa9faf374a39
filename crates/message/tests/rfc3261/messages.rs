//! Sections 7, 8 and 18: messages, their lines and their bodies.

use sip_oauth_message::header::{CSeq, MaxForwards, Route, Supported, Via};
use sip_oauth_message::{ErrorKind, HeaderName, Method, TypedHeader};

use crate::{REGISTER, view, with_field};

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
                .map(|tag| tag.unwrap().as_str())
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
