//! Bodies in several parts: RFC 2046 section 5.1, RFC 5621.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use sip_oauth_message::header::ContentType;
use sip_oauth_message::multipart::{BodyPart, Multipart, free_boundary, parts};
use sip_oauth_message::{ErrorKind, Limits, ParseError, TypedHeader};

fn bodies(boundary: &str, body: &str) -> Result<Vec<String>, ParseError> {
    parts(boundary, body.as_bytes(), &Limits::default())
        .map(|part| Ok(String::from_utf8_lossy(part?.body()).into_owned()))
        .collect()
}

mod section_5_1_1 {
    use super::*;

    #[test]
    fn preamble_and_epilogue_are_passed_over() {
        for preamble in [
            "",
            "\r\n",
            "a\r\n",
            "--\r\n",
            "-----\r\n",
            "a--\r\n",
            "--a\r\n",
        ] {
            let body = format!("{preamble}--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo");
            assert_eq!(bodies("b", &body).unwrap(), ["one"], "{preamble:?}");
        }
    }

    #[test]
    fn part_may_be_headers_only_or_nothing() {
        let body = "--b\r\nContent-Type: text/plain\r\n\r\n--b\r\n\r\n--b--";
        let parts: Vec<_> = parts("b", body.as_bytes(), &Limits::default())
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(parts.len(), 2);
        assert!(parts[0].content_type().unwrap().is_some());
        assert_eq!((parts[0].body(), parts[1].body()), (&b""[..], &b""[..]));
        assert_eq!(parts[1].fields().count(), 0);
    }

    #[test]
    fn what_is_no_multipart_body_is_an_error() {
        let long = "b".repeat(71);
        for (boundary, body, offset) in [
            ("", "--\r\n\r\n--\r\n", 0),
            ("b\r", "--b\r\r\n\r\n--b\r--", 0),
            (&*long, "", 0),
            ("b", "--c\r\n\r\n--c--", 0),
            ("b", "--b\r\n\r\n", 7),
            ("b", "--b\r\n--b--", 5),
            ("b", "--b--\r\n", 0),
            ("b", "--b\r\n\r\n--bc\r\n--b--", 7),
            ("b", "--b\r\n\r\n--b-\r\n--b--", 7),
            ("b", "--b\r\n\r\n--b--x\r\n--b--", 7),
            ("b", "--b\r\nX: y\r\n--b--", 9),
        ] {
            let error = bodies(boundary, body).unwrap_err();
            assert_eq!(error.offset(), offset, "{body:?}: {error}");
        }
    }

    #[test]
    fn written_parts_keep_their_header_fields() {
        let mut body = Multipart::new("b").unwrap();
        body.parts
            .push(BodyPart::new("text/plain\r\nX: y\r\n\r\n", "one"));
        let body = body.to_bytes().unwrap();
        let parts: Vec<_> = parts("b", &body, &Limits::default())
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(
            (parts[0].fields().count(), parts[0].body()),
            (1, &b"one"[..])
        );
    }

    #[test]
    fn a_body_is_written_as_it_was_read() {
        for body in [
            "--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b--",
            "--b\r\n\r\none\r\n--b\r\nX :  y \r\n z\r\nx: 2\r\n\r\n\r\n\r\n--b--\r\n",
            "preamble\r\n\r\n--b\r\n\r\n\r\n--b--  \r\nepilogue\r\n--b\r\n",
        ] {
            let read = Multipart::parse("b", body.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(String::from_utf8(read.to_bytes().unwrap()).unwrap(), body);
        }
    }

    #[test]
    fn blanks_behind_a_delimiter_and_a_missing_empty_line_are_made_good() {
        let body = b"--b \t\r\nX: y\r\n\r\n--b--";
        let read = Multipart::parse("b", body, &Limits::default()).unwrap();
        assert_eq!(read.parts[0].body, b"");
        let written = read.to_bytes().unwrap();
        assert_eq!(written, b"--b\r\nX: y\r\n\r\n\r\n--b--");
        let again = Multipart::parse("b", &written, &Limits::default()).unwrap();
        assert_eq!(again, read);
    }

    #[test]
    fn a_part_with_the_delimiter_in_it_is_not_written() {
        for inside in ["--b", "x\r\n--b", "--b--", "--bc"] {
            let mut body = Multipart::new("b").unwrap();
            body.parts.push(BodyPart::new("text/plain", "one"));
            body.parts.push(BodyPart::new("text/plain", inside));
            let error = body.to_bytes().unwrap_err();
            assert_eq!(error.offset(), 1, "{inside}: {error}");
        }
        for inside in ["x--b", "-b", "\n--b"] {
            let mut body = Multipart::new("b").unwrap();
            body.parts.push(BodyPart::new("text/plain", inside));
            let written = body.to_bytes().unwrap();
            assert_eq!(
                Multipart::parse("b", &written, &Limits::default()),
                Ok(body)
            );
        }
        assert!(Multipart::new("b").unwrap().to_bytes().is_err(), "no part");
        assert!(Multipart::new("b\"").is_err());
    }

    #[test]
    fn a_free_boundary_stands_in_no_part() {
        let inside = "--n00000000\r\n--n00000001--n00000002 --n0000003";
        let parts = vec![BodyPart::new("text/plain", inside)];
        assert_eq!(free_boundary("n", &parts), "n00000003");
        let dashes = vec![BodyPart::new("text/plain", "-----00000000")];
        assert_eq!(free_boundary("-", &dashes), "-00000001");
        let mut body = Multipart::new(free_boundary("n", &parts)).unwrap();
        body.parts = parts;
        let kind = body.content_type("mixed");
        let kind = ContentType::parse(&kind).unwrap();
        let written = body.to_bytes().unwrap();
        let read = Multipart::parse(&kind.boundary().unwrap(), &written, &Limits::default());
        assert_eq!(read, Ok(body));
    }
}

/// A stranger chooses how many parts there are: each costs a kilobyte when all are kept.
#[test]
fn parts_beyond_the_limit_are_refused() {
    let limits = Limits::default();
    let body = |many: usize| format!("{}--b--", "--b\r\n\r\n\r\n".repeat(many));
    for many in [limits.max_parts, limits.max_parts + 1, 5000] {
        let body = body(many);
        let read: Vec<_> = parts("b", body.as_bytes(), &limits).collect();
        assert_eq!(read.iter().flatten().count(), many.min(limits.max_parts));
        let error = read.into_iter().find_map(Result::err);
        let kind = (many > limits.max_parts).then_some(ErrorKind::Limit);
        assert_eq!(error.map(|error| error.kind()), kind, "{many}");
        let owned = Multipart::parse("b", body.as_bytes(), &limits);
        assert_eq!(owned.err().map(|error| error.kind()), kind, "{many}");
    }
}

/// Section 5.1.1: a line that begins with the boundary is a delimiter to some, so it may stand nowhere.
#[test]
fn a_preamble_has_no_line_that_begins_with_the_boundary() {
    for preamble in ["--bX\r\n", "text\r\n--b x\r\n"] {
        let body = format!("{preamble}--b\r\n\r\none\r\n--b--");
        let read: Result<Vec<_>, _> = parts("b", body.as_bytes(), &Limits::default()).collect();
        let error = read.unwrap_err();
        assert_eq!(
            (error.kind(), error.offset()),
            (ErrorKind::Multipart, preamble.find("--b").unwrap())
        );
    }
}

mod rfc5621_section_3 {
    use super::*;

    #[test]
    fn a_part_may_be_multipart_itself() {
        let mut inner = Multipart::new("inner").unwrap();
        inner.parts = vec![
            BodyPart::new("text/plain", "one"),
            BodyPart::new("a/b", "two"),
        ];
        let mut outer = Multipart::new("outer").unwrap();
        let kind = inner.content_type("alternative");
        outer.parts = vec![BodyPart::new(&kind, inner.to_bytes().unwrap())];
        let written = outer.to_bytes().unwrap();

        let parts: Vec<_> = parts("outer", &written, &Limits::default())
            .collect::<Result<_, _>>()
            .unwrap();
        let kind = parts[0].content_type().unwrap().unwrap();
        assert!(kind.is("multipart", "alternative"));
        let read = Multipart::parse(
            &kind.boundary().unwrap(),
            parts[0].body(),
            &Limits::default(),
        );
        assert_eq!(read, Ok(inner));
    }

    #[test]
    fn handling_is_required_unless_a_part_says_optional() {
        let body = "--b\r\nContent-Disposition: session;handling=OPTIONAL\r\n\r\n\r\n--b\r\nContent-Disposition: session\r\n\r\n\r\n--b--";
        let optional: Vec<_> = parts("b", body.as_bytes(), &Limits::default())
            .map(|part| {
                part.unwrap()
                    .content_disposition()
                    .unwrap()
                    .unwrap()
                    .is_optional()
            })
            .collect();
        assert_eq!(optional, [true, false]);
    }
}
