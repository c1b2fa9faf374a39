//! Sections 20 and 25: header fields.

use sip_oauth_message::header::{
    Accept, CallId, Contact, Date, Expires, MimeVersion, RetryAfter, Rport, Supported, To,
    Transport, Via, Warning,
};
use sip_oauth_message::{ErrorKind, TypedHeader};

use crate::{view, with_field};

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
        assert_eq!(contact.device_name().as_deref(), Some("SEP005056000001"));
        assert_eq!(contact.instance().as_deref(), Some("urn:uuid:1"));
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
        assert_eq!(Supported::parse("").unwrap().as_str(), "");
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
