//! IPv6 in SIP messages: RFC 5118, with messages of our own.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::net::IpAddr;

use sip_oauth_message::header::{Contact, From, Via};
use sip_oauth_message::{ErrorKind, Host, Limits, MessageView, ParseError, TypedHeader, Uri};

fn register(uri: &str, via: &str, contact: &str) -> String {
    format!(
        "REGISTER {uri} SIP/2.0\r\nVia: {via};branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: <sip:1010@example.com>;tag=1\r\nTo: <sip:1010@example.com>\r\n\
         Call-ID: 1@[2001:db8::10]\r\nCSeq: 1 REGISTER\r\nContact: {contact}\r\nContent-Length: 0\r\n\r\n"
    )
}

fn view(text: &str) -> MessageView<'_> {
    MessageView::parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn request_uri<'a>(view: &MessageView<'a>) -> Result<Uri<'a>, ParseError> {
    view.as_request().unwrap().request_uri()
}

/// What [`Host::ip`] gives for this address.
fn ip(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

mod section_4_1 {
    use super::*;

    #[test]
    fn an_address_in_brackets_is_a_host_wherever_one_stands() {
        let text = register(
            "sip:[2001:db8::10]",
            "SIP/2.0/UDP [2001:db8::9:1]",
            "\"1010\" <sip:1010@[2001:db8::9:1]>",
        );
        let view = view(&text);
        assert_eq!(
            request_uri(&view).unwrap().host().unwrap().ip(),
            ip("2001:db8::10")
        );
        let via = view.required::<Via<'_>>().unwrap();
        assert_eq!((via.host().ip(), via.port()), (ip("2001:db8::9:1"), None));
        let contact = view.required::<Contact<'_>>().unwrap();
        assert_eq!(contact.uri().unwrap().host(), Some(via.host()));
        assert_eq!(view.to_request().unwrap().to_bytes(), text.as_bytes());
    }
}

mod section_4_2 {
    use super::*;

    #[test]
    fn an_address_without_brackets_is_an_error() {
        let text = register(
            "sip:2001:db8::10",
            "SIP/2.0/UDP [2001:db8::9:1]",
            "<sip:1010@[2001:db8::9:1]>",
        );
        let view = view(&text);
        let error = request_uri(&view).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Uri);
        for text in [
            "sip:1010@2001:db8::10",
            "sip:[2001:db8::10",
            "sip:2001:db8::10]",
            "sip:[192.0.2.1]",
        ] {
            assert_eq!(
                Uri::parse(text).unwrap_err().kind(),
                ErrorKind::Uri,
                "{text}"
            );
        }
        assert!(Via::parse("SIP/2.0/UDP 2001:db8::9:1").is_err());
    }
}

mod section_4_3 {
    use super::*;

    #[test]
    fn what_looks_like_a_port_inside_the_brackets_is_of_the_address() {
        let uri = Uri::parse("sip:[2001:db8::10:5070]").unwrap();
        assert_eq!(
            (uri.host().unwrap().ip(), uri.port()),
            (ip("2001:db8::10:5070"), None)
        );
    }
}

mod section_4_4 {
    use super::*;

    #[test]
    fn a_port_stands_behind_the_brackets() {
        let uri = Uri::parse("sip:[2001:db8::10]:5070").unwrap();
        assert_eq!(
            (uri.host().unwrap().ip(), uri.port()),
            (ip("2001:db8::10"), Some(5070))
        );
        let via = Via::parse("SIP/2.0/TLS [2001:db8::9] : 5061;branch=z9hG4bK1").unwrap();
        assert_eq!(
            (via.host().ip(), via.port()),
            (ip("2001:db8::9"), Some(5061))
        );
    }
}

mod section_4_5 {
    use super::*;

    #[test]
    fn received_is_read_with_brackets_and_without() {
        for received in ["[2001:db8::9:255]", "2001:db8::9:255"] {
            let text = format!("SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bK1");
            let via = Via::parse(&text).unwrap();
            assert_eq!(via.received(), Some(received));
            assert_eq!(via.received_ip(), ip("2001:db8::9:255"));
            assert_eq!(via.to_string(), text);
        }
        assert!(Via::parse("SIP/2.0/UDP h;received=[2001:db8::9:255").is_err());
    }
}

mod section_4_6 {
    use super::*;

    #[test]
    fn addresses_in_a_body_have_no_brackets_and_are_left_alone() {
        let sdp = "v=0\r\no=a 0 0 IN IP6 2001:db8::20\r\ns=-\r\nc=IN IP6 2001:db8::20\r\nt=0 0\r\n";
        let text = format!(
            "INVITE sip:b@[2001:db8::10] SIP/2.0\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        let view = view(&text);
        assert_eq!(view.body(), sdp.as_bytes());
        assert_eq!(view.to_request().unwrap().to_bytes(), text.as_bytes());
    }
}

mod section_4_7 {
    use super::*;

    #[test]
    fn hops_of_both_kinds_stand_in_one_message() {
        let text = "BYE sip:a@[2001:db8::20] SIP/2.0\r\n\
             Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bK3, SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2\r\n\
             Via: SIP/2.0/TCP [2001:db8::9:ffff];branch=z9hG4bK1;received=2001:db8::9:255\r\n\r\n";
        let view = view(text);
        let hops = view.all::<Via<'_>>().map(|via| via.unwrap().host().ip());
        assert_eq!(
            hops.collect::<Vec<_>>(),
            [ip("2001:db8::9:1"), ip("192.0.2.1"), ip("2001:db8::9:ffff")]
        );
    }
}

mod section_4_9 {
    use super::*;

    #[test]
    fn an_ipv4_address_may_be_mapped() {
        let from = From::parse("<sip:1010@[::ffff:192.0.2.10]:5060>;tag=1").unwrap();
        let host = from.uri().host().unwrap();
        assert_eq!(
            (host.ip(), from.uri().port()),
            (ip("::ffff:192.0.2.10"), Some(5060))
        );
        // The same address, but the host of another kind (RFC 3261 section 19.1.4 compares what is written).
        assert_eq!(Host::parse("[::FFFF:c000:20a]"), Ok(host));
        assert_ne!(Host::parse("192.0.2.10"), Ok(host));
    }
}

mod section_4_10 {
    use super::*;

    #[test]
    fn two_colons_stand_before_an_ipv4_part_and_not_three() {
        let uri = Uri::parse("sip:1010@[2001:db8::192.0.2.1]").unwrap();
        assert_eq!(uri.host().unwrap().ip(), ip("2001:db8::c000:201"));
        // The grammar of RFC 3261 has three, by mistake; that of RFC 3986 has two.
        let error = Uri::parse("sip:1010@[2001:db8:::192.0.2.1]").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Uri);
    }
}
