//! `tel:` URIs: RFC 3966.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use sip_oauth_message::{ErrorKind, Scheme, Uri};

mod section_3 {
    use super::*;

    #[test]
    fn global_and_local_numbers_are_read() {
        for (text, number) in [
            ("tel:+1-201-555-0123", "+1-201-555-0123"),
            ("TEL:+358(0).55", "+358(0).55"),
            ("tel:7042;phone-context=example.com", "7042"),
            ("tel:863-1234;phone-context=+1-914-555", "863-1234"),
            ("tel:*#a1;isub=1;phone-context=example.com", "*#a1"),
            ("tel:+1;ext=12;isub=a%20b;x", "+1"),
        ] {
            let uri = Uri::parse(text).unwrap();
            assert_eq!((uri.scheme(), uri.user()), (Scheme::Tel, Some(number)));
            assert_eq!(uri.host(), None);
            assert_eq!(uri.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_number_is_an_error_at_its_place() {
        for (text, offset) in [
            ("tel:", 4),
            ("tel:+", 5),
            ("tel:-", 5),
            ("tel:+-", 6),
            ("tel:+1a", 6),
            ("tel:+1*", 6),
            ("tel:alice;phone-context=h", 5),
            ("tel:+1;", 7),
            ("tel:+1;=x", 7),
            ("tel:+1;x=", 9),
            ("tel:+1;x=a b", 10),
            ("tel:+1;x=y;z;ext=a", 13),
            ("tel:1@example.com", 5),
        ] {
            let error = Uri::parse(text).expect_err(text);
            assert_eq!(
                (error.kind(), error.offset()),
                (ErrorKind::Uri, offset),
                "{text}"
            );
        }
    }
}

mod section_4 {
    use super::*;

    #[test]
    fn numbers_are_compared_without_separators_and_parameters_without_order() {
        for (one, two) in [
            ("tel:+1-201-555-0123", "tel:+1(201)555.0123"),
            ("tel:+1;ext=1-2;isub=A", "TEL:+1;ISUB=a;EXT=12"),
            (
                "tel:7042;phone-context=Example.COM",
                "tel:70-42;phone-context=example.com",
            ),
            (
                "tel:a1;phone-context=+1-914-555",
                "tel:A-1;phone-context=+1914555",
            ),
            ("tel:+1;x", "tel:+1;X"),
        ] {
            let (one, two) = (Uri::parse(one).unwrap(), Uri::parse(two).unwrap());
            assert!(one.equivalent(&two) && two.equivalent(&one), "{one} {two}");
        }
    }

    #[test]
    fn other_numbers_and_other_parameters_are_not_equal() {
        for (one, two) in [
            ("tel:+12015550123", "tel:+12015550124"),
            ("tel:+1", "tel:1;phone-context=+1"),
            ("tel:+1", "tel:+1;ext=1"),
            ("tel:+1;x", "tel:+1;x=1"),
            ("tel:+1;isub=1-2", "tel:+1;isub=12"),
            (
                "tel:7042;phone-context=a.example.com",
                "tel:7042;phone-context=b.example.com",
            ),
            (
                "tel:7042;phone-context=a-b.example.com",
                "tel:7042;phone-context=ab.example.com",
            ),
            (
                "tel:+12015550123",
                "sip:+12015550123@example.com;user=phone",
            ),
        ] {
            let (one, two) = (Uri::parse(one).unwrap(), Uri::parse(two).unwrap());
            assert!(
                !one.equivalent(&two) && !two.equivalent(&one),
                "{one} {two}"
            );
        }
    }
}

mod section_5_1_5 {
    use super::*;

    #[test]
    fn a_local_number_has_a_context() {
        let error = Uri::parse("tel:7042").unwrap_err();
        assert_eq!(error.expected(), "'+' or a phone-context");
        assert!(Uri::parse("tel:7042;phone-context").is_err());
    }
}
