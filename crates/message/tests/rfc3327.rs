//! Path: RFC 3327, and what comes back as Service-Route: RFC 3608.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use sip_oauth_message::header::{Path, Route, ServiceRoute, Supported};
use sip_oauth_message::{HeaderName, Headers, Limits, MessageView, TypedHeader};

fn with_fields(lines: &str) -> String {
    format!("REGISTER sip:example.com SIP/2.0\r\n{lines}\r\n\r\n")
}

fn view(text: &str) -> MessageView<'_> {
    MessageView::parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// `path-value = name-addr *( SEMI rr-param )`
mod rfc3327_section_4 {
    use super::*;

    #[test]
    fn the_hops_are_a_list_in_one_field_or_in_several() {
        let text = with_fields(
            "Path: <sip:p3.example.com;lr>,<sip:p2@[2001:db8::2]:5061;lr>;x=\"a,b\"\r\n\
             Supported: path\r\npath: \"first, of all\" <sips:p1.example.com;lr>",
        );
        let view = view(&text);
        let hops: Vec<_> = view.all::<Path<'_>>().collect::<Result<_, _>>().unwrap();
        let hosts = hops.iter().map(|hop| hop.uri().host().unwrap().as_str());
        assert_eq!(
            hosts.collect::<Vec<_>>(),
            ["p3.example.com", "2001:db8::2", "p1.example.com"]
        );
        assert!(hops.iter().all(|hop| hop.uri().params().contains("lr")));
        let supported = view.required::<Supported<'_>>().unwrap();
        assert!(supported.is("path"));
    }

    #[test]
    fn a_proxy_puts_itself_in_front_of_those_before_it() {
        let text =
            with_fields("Via: SIP/2.0/TLS h;branch=z9hG4bK1\r\nPath: <sip:p1.example.com;lr>");
        let mut headers = view(&text).to_headers();
        headers.push_after(HeaderName::Via, HeaderName::Path, "<sip:p2.example.com;lr>");
        let hops: Vec<_> = headers.get_all("Path").collect();
        assert_eq!(hops, ["<sip:p2.example.com;lr>", "<sip:p1.example.com;lr>"]);
    }

    #[test]
    fn what_is_no_hop_is_an_error_of_this_field() {
        for (value, offset) in [
            ("", 0),
            ("<sip:a.example.com;lr", 21),
            ("<sip:a.example.com;lr>,", 23),
            ("<sip:a.example.com> <sip:b.example.com>", 20),
            ("*", 0),
        ] {
            let error = Path::decode(value).unwrap_err();
            assert_eq!(
                (error.header(), error.offset()),
                (Some(HeaderName::Path), offset),
                "{value}"
            );
        }
    }
}

mod rfc3327_section_5_3 {
    use super::*;

    #[test]
    fn the_registrar_gives_the_path_back_in_its_order() {
        let text = with_fields("Path: <sip:p2.example.com;lr>,\r\n <sip:p1.example.com;lr>;own=1");
        let view = view(&text);
        let mut answer = Headers::new();
        for hop in view.all::<Path<'_>>() {
            answer.push_typed(&hop.unwrap());
        }
        let hops: Vec<_> = answer.get_all("Path").collect();
        assert_eq!(
            hops,
            ["<sip:p2.example.com;lr>", "<sip:p1.example.com;lr>;own=1"]
        );
    }
}

/// `sr-value = name-addr *( SEMI rr-param )`
mod rfc3608_section_5 {
    use super::*;

    #[test]
    fn a_service_route_is_a_route_of_the_same_hops() {
        let text = with_fields(
            "Service-Route: <sip:hsp.example.com;lr>, \"last\" <sip:edge@[2001:db8::9]:5061;lr>;x",
        );
        let view = view(&text);
        let mut request = Headers::new();
        for hop in view.all::<ServiceRoute<'_>>() {
            request.push_typed(&Route(hop.unwrap().0));
        }
        let hops: Vec<_> = request.get_all("Route").collect();
        assert_eq!(
            hops,
            [
                "<sip:hsp.example.com;lr>",
                "\"last\" <sip:edge@[2001:db8::9]:5061;lr>;x"
            ]
        );
    }

    #[test]
    fn the_order_holds_over_several_fields() {
        let text = with_fields(
            "Service-Route: <sip:a.example.com;lr>\r\nservice-route: <sip:b.example.com;lr>",
        );
        let view = view(&text);
        let hops = view
            .all::<ServiceRoute<'_>>()
            .map(|hop| hop.unwrap().to_string());
        assert_eq!(
            hops.collect::<Vec<_>>(),
            ["<sip:a.example.com;lr>", "<sip:b.example.com;lr>"]
        );
    }

    #[test]
    fn what_is_no_hop_is_an_error_of_this_field() {
        for value in [
            "",
            "<sip:a.example.com",
            "<sip:a.example.com;lr>;",
            "sip:a.example.com?x=y",
        ] {
            let error = ServiceRoute::parse(value).unwrap_err();
            assert_eq!(error.header(), Some(HeaderName::ServiceRoute), "{value}");
        }
    }
}
