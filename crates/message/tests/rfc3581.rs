//! Symmetric response routing, the `rport` of a Via: RFC 3581.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::net::SocketAddr;

use sip_oauth_message::header::{Rport, Via};
use sip_oauth_message::{HeaderName, TypedHeader};

fn answered(via: &str, source: &str) -> String {
    let source: SocketAddr = source.parse().unwrap();
    let via = Via::parse(via).unwrap();
    via.received_from(source).to_string()
}

mod section_3 {
    use super::*;

    #[test]
    fn a_client_asks_with_an_rport_without_a_value() {
        let via = Via::parse("SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1;rport").unwrap();
        assert_eq!(via.rport(), Some(Rport::Asked));
        let via = Via::parse("SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1").unwrap();
        assert_eq!(via.rport(), None);
    }
}

mod section_4 {
    use super::*;

    #[test]
    fn a_server_says_the_port_and_always_the_address_too() {
        for (via, source, expected) in [
            (
                "SIP/2.0/UDP 192.0.2.7:4540;rport;branch=z9hG4bK1",
                "203.0.113.9:9988",
                "SIP/2.0/UDP 192.0.2.7:4540;rport=9988;branch=z9hG4bK1;received=203.0.113.9",
            ),
            // "even if it is identical to the value of the sent-by component"
            (
                "SIP/2.0/UDP 192.0.2.7;rport;branch=z9hG4bK1",
                "192.0.2.7:5060",
                "SIP/2.0/UDP 192.0.2.7;rport=5060;branch=z9hG4bK1;received=192.0.2.7",
            ),
            (
                "SIP/2.0/TLS [2001:db8::7]:5061;RPort;branch=z9hG4bK1",
                "[2001:db8::9]:1024",
                "SIP/2.0/TLS [2001:db8::7]:5061;rport=1024;branch=z9hG4bK1;received=2001:db8::9",
            ),
        ] {
            assert_eq!(answered(via, source), expected);
        }
    }

    #[test]
    fn what_the_client_says_of_itself_is_replaced() {
        let via = "SIP/2.0/UDP 192.0.2.7;received=198.51.100.1;rport=1;branch=z9hG4bK1";
        let expected = "SIP/2.0/UDP 192.0.2.7;rport=9988;branch=z9hG4bK1;received=203.0.113.9";
        assert_eq!(answered(via, "203.0.113.9:9988"), expected);
    }

    /// A socket of both families shows an IPv4 peer as IPv6.
    #[test]
    fn an_ipv4_address_is_one_whichever_socket_it_came_from() {
        let via = "SIP/2.0/UDP 192.0.2.7:4540;branch=z9hG4bK1";
        assert_eq!(answered(via, "[::ffff:192.0.2.7]:9988"), via);
    }

    #[test]
    fn without_rport_the_port_is_not_told() {
        let via = "SIP/2.0/UDP 192.0.2.7:4540;branch=z9hG4bK1";
        assert_eq!(answered(via, "192.0.2.7:9988"), via);
        let expected = "SIP/2.0/UDP 192.0.2.7:4540;branch=z9hG4bK1;received=203.0.113.9";
        assert_eq!(answered(via, "203.0.113.9:9988"), expected);
    }
}

/// `response-port = "rport" [EQUAL 1*DIGIT]`
mod section_5 {
    use super::*;

    #[test]
    fn a_value_is_a_port() {
        for (value, port) in [
            ("rport=9988", Some(Rport::Port(9988))),
            ("rport = 65535", Some(Rport::Port(65535))),
            ("RPORT=0", Some(Rport::Port(0))),
            ("rport=65536", None),
            ("rport=+1", None),
            ("rport=x", None),
            ("rport=\"9988\"", None),
        ] {
            let text = format!("SIP/2.0/UDP 192.0.2.7;{value};branch=z9hG4bK1");
            assert_eq!(Via::parse(&text).unwrap().rport(), port, "{value}");
        }
    }

    #[test]
    fn an_equals_sign_without_a_port_is_an_error() {
        let error = Via::parse("SIP/2.0/UDP 192.0.2.7;rport=").unwrap_err();
        assert_eq!(
            (error.header(), error.offset()),
            (Some(HeaderName::Via), 28)
        );
    }
}
