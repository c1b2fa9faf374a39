//! What subscriptions add: Event of RFC 6665, and Refer-To of RFC 3515.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use sip_oauth_message::header::{Event, ReferTo};
use sip_oauth_message::{HeaderName, Limits, MessageView, TypedHeader};

/// `Event = ( "Event" / "o" ) HCOLON event-type *( SEMI event-param )`
mod rfc6665_section_8_2_1 {
    use super::*;

    #[test]
    fn a_package_has_templates_and_an_id() {
        for (value, package, id) in [
            ("presence", "presence", None),
            ("presence.winfo;id=2", "presence.winfo", Some("2")),
            ("refer ; Id = 93809824;x=y", "refer", Some("93809824")),
        ] {
            let event = Event::parse(value).unwrap();
            assert_eq!((event.package(), event.id()), (package, id), "{value}");
            let written = event.to_string();
            assert_eq!(Event::parse(&written), Ok(event));
        }
    }

    #[test]
    fn it_is_one_package_and_no_list() {
        for (value, offset) in [("", 0), (";id=1", 0), ("a,b", 1), ("a b", 2), ("a;", 2)] {
            let error = Event::parse(value).unwrap_err();
            assert_eq!(
                (error.header(), error.offset()),
                (Some(HeaderName::Event), offset),
                "{value}"
            );
        }
    }
}

/// `Refer-To = ("Refer-To" / "r") HCOLON ( name-addr / addr-spec ) * (SEMI generic-param)`
mod rfc3515_section_2_1 {
    use super::*;

    #[test]
    fn a_referral_may_say_which_dialog_is_replaced() {
        let text = "REFER sip:b@example.com SIP/2.0\r\n\
             r: \"Carol\" <sip:carol@example.com?Replaces=1%40192.0.2.7%3Bto-tag%3D2&Accept-Contact=%2A>;x=1\r\n\r\n";
        let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
        let refer = view.required::<ReferTo<'_>>().unwrap();
        assert_eq!(refer.uri().user(), Some("carol"));
        let headers: Vec<_> = refer.uri().headers().iter().collect();
        assert_eq!(
            headers,
            [
                ("Replaces", "1%40192.0.2.7%3Bto-tag%3D2"),
                ("Accept-Contact", "%2A")
            ]
        );
        assert_eq!(refer.params().value("x"), Some("1"));
    }

    #[test]
    fn it_is_one_address_of_any_scheme() {
        for value in [
            "sip:a@example.com",
            "<http://example.com/x?y>",
            "<tel:+15550100>",
        ] {
            assert!(ReferTo::parse(value).is_ok(), "{value}");
        }
        for value in [
            "",
            "<sip:a@example.com>,<sip:b@example.com>",
            "sip:a@example.com?Replaces=1",
        ] {
            let error = ReferTo::parse(value).unwrap_err();
            assert_eq!(error.header(), Some(HeaderName::ReferTo), "{value}");
        }
    }
}
