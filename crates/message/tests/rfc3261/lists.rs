//! Section 20: lists of tokens, numbers and short values.

use sip_oauth_message::header::{
    Allow, ContentDisposition, ContentLength, Expires, MaxForwards, MinExpires, ProxyRequire,
    RecordRoute, Require, Unsupported, UserAgent,
};
use sip_oauth_message::{ErrorKind, HeaderName, TypedHeader};

use crate::{view, with_field};

mod section_20_5 {
    use super::*;

    #[test]
    fn methods_are_listed_and_may_be_none() {
        let text = with_field("Allow: INVITE, ACK ,\r\n BYE\r\nallow:x-own");
        let view = view(&text).unwrap();
        let methods: Vec<_> = view.all::<Allow<'_>>().map(Result::unwrap).collect();
        let names: Vec<_> = methods.iter().map(Allow::as_str).collect();
        assert_eq!(names, ["INVITE", "ACK", "BYE", "x-own"]);
        // "The method token is case-sensitive" (section 7.1).
        assert!(methods.iter().any(|method| method.is("BYE")));
        assert!(!methods.iter().any(|method| method.is("bye")));
        assert_eq!(Allow::parse("").unwrap().as_str(), "");
        for value in [",", "INVITE,", "INVITE ACK", "IN(VITE"] {
            assert!(Allow::parse(value).is_err(), "{value}");
        }
    }
}

mod section_20_11 {
    use super::*;

    #[test]
    fn a_disposition_has_a_type_and_may_be_optional() {
        for (value, disposition, optional) in [
            ("session", "session", false),
            ("render;handling=optional", "render", true),
            ("icon ; handling = Optional;x=1", "icon", true),
            ("alert;handling=required", "alert", false),
            // A token has no quotes (section 25.1).
            ("x-own;handling=\"optional\"", "x-own", false),
        ] {
            let read = ContentDisposition::parse(value).unwrap();
            assert_eq!(read.disposition(), disposition);
            assert_eq!(read.is_optional(), optional, "{value}");
            let written = read.to_string();
            assert_eq!(ContentDisposition::parse(&written), Ok(read));
        }
        for value in ["", ";handling=optional", "session,render", "session;"] {
            let error = ContentDisposition::parse(value).unwrap_err();
            assert_eq!(error.header(), Some(HeaderName::ContentDisposition));
        }
    }
}

mod section_20_14 {
    use super::*;

    #[test]
    fn content_length_is_digits() {
        assert_eq!(ContentLength::parse("0349").unwrap().0, 349);
        assert_eq!(ContentLength::parse("4294967295").unwrap().0, u32::MAX);
        for value in ["", "-1", "+1", "1.0", "0x1", "4294967296", "1 2"] {
            let error = ContentLength::parse(value).unwrap_err();
            assert_eq!(error.header(), Some(HeaderName::ContentLength), "{value}");
        }
    }
}

mod section_20_22 {
    use super::*;

    #[test]
    fn max_forwards_is_0_to_255() {
        for (value, hops) in [("0", 0), ("070", 70), ("255", 255)] {
            assert_eq!(MaxForwards::parse(value).unwrap().0, hops);
        }
        for (value, kind) in [
            ("", ErrorKind::HeaderValue),
            ("-1", ErrorKind::HeaderValue),
            ("256", ErrorKind::Range),
            ("300", ErrorKind::Range),
        ] {
            let error = MaxForwards::parse(value).unwrap_err();
            assert_eq!(
                (error.kind(), error.header()),
                (kind, Some(HeaderName::MaxForwards)),
                "{value}"
            );
        }
    }
}

mod section_20_23 {
    use super::*;

    #[test]
    fn min_expires_is_seconds_below_two_to_the_32() {
        assert_eq!(MinExpires::parse("60").unwrap().0, 60);
        assert_eq!(MinExpires::parse("4294967295").unwrap().0, u32::MAX);
        for value in ["", "60s", "4294967296"] {
            assert!(MinExpires::parse(value).is_err(), "{value}");
            assert!(Expires::parse(value).is_err(), "{value}");
        }
    }
}

/// Sections 20.29, 20.32 and 20.40: lists that have one option tag at least.
mod sections_20_29_32_40 {
    use super::*;

    #[test]
    fn what_is_required_is_named() {
        let text = with_field(
            "Require: 100rel, path\r\nProxy-Require: foo,\r\n bar\r\nUnsupported: foo\r\nrequire: gruu",
        );
        let view = view(&text).unwrap();
        let tags = view.all::<Require<'_>>().map(Result::unwrap);
        let tags: Vec<_> = tags.map(|tag| tag.as_str()).collect();
        assert_eq!(tags, ["100rel", "path", "gruu"]);
        let proxies: Vec<_> = view.all::<ProxyRequire<'_>>().map(Result::unwrap).collect();
        assert!(proxies[0].is("FOO") && proxies[1].is("bar"));
        assert_eq!(proxies[0], ProxyRequire::parse("Foo").unwrap());
        assert_eq!(proxies.len(), 2);
        assert_eq!(view.required::<Unsupported<'_>>().unwrap().as_str(), "foo");
    }

    #[test]
    fn none_is_an_error() {
        for value in ["", ",", "a,", "a b", "a;b"] {
            assert!(Require::parse(value).is_err(), "{value}");
            assert!(ProxyRequire::parse(value).is_err(), "{value}");
            assert!(Unsupported::parse(value).is_err(), "{value}");
        }
    }
}

mod section_20_30 {
    use super::*;

    #[test]
    fn record_routes_keep_their_order_and_their_parameters() {
        let text = with_field(
            "Record-Route: <sip:p2.example.com;lr>;x=1, \"P, 1\" <sips:p1.example.com:5061;lr>\r\n\
             Record-Route: <sip:[2001:db8::1];transport=tls;lr>",
        );
        let view = view(&text).unwrap();
        let hops = view
            .all::<RecordRoute<'_>>()
            .map(|hop| hop.unwrap().to_string());
        assert_eq!(
            hops.collect::<Vec<_>>(),
            [
                "<sip:p2.example.com;lr>;x=1",
                "\"P, 1\" <sips:p1.example.com:5061;lr>",
                "<sip:[2001:db8::1];transport=tls;lr>"
            ]
        );
    }
}

mod section_20_41 {
    use super::*;

    #[test]
    fn a_product_is_any_text_but_none() {
        for value in [
            "Cisco-CSF",
            "Softphone Beta1.5",
            "A/1.0 (comment; with, all) B",
        ] {
            assert_eq!(UserAgent::parse(value).unwrap().as_str(), value);
        }
        assert!(UserAgent::parse(" ").is_err());
    }
}
