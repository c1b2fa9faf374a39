//! Bodies in several parts: RFC 2046 section 5.1.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use sip_oauth_message::multipart::{Builder, parts};
use sip_oauth_message::{Limits, ParseError};

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
            "--bb\r\n",
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
            ("b", "--b\r\nX: y\r\n--b--", 9),
        ] {
            let error = bodies(boundary, body).unwrap_err();
            assert_eq!(error.offset(), offset, "{body:?}: {error}");
        }
    }

    #[test]
    fn written_parts_keep_their_header_fields() {
        let mut builder = Builder::new("b");
        builder.part(&[("Content-Type", "text/plain\r\nX: y\r\n\r\n")], b"one");
        let body = builder.finish();
        let parts: Vec<_> = parts("b", &body, &Limits::default())
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(
            (parts[0].fields().count(), parts[0].body()),
            (1, &b"one"[..])
        );
    }
}
