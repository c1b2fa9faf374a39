//! The edge between a client outside and a node.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that fails says so by panicking, one that is skipped by printing"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use sip_oauth_message::{Limits, MessageView};
use sip_oauth_registration::Seeded;
use sip_oauth_registration::client::{ClientState, Event, Target, Transport};
use sip_oauth_registration::edge::{
    DiscoveredNode, Edge, EdgeArrival, EdgeConfig, EdgeRefusal, Forwarding, MissingToken,
    NotReturned, RefusedToken, TokenGate, ZoneChange,
};
use sip_oauth_registration::registrar::Decision;
use sip_oauth_token::{KeySet, Policy, Verifier};
use support::{
    AUTHORIZATION_SERVER, CONTACT, NODE, Pair, Path, USER, client_config, contact_line,
    credentials_line, edge_address, register, registrar, token_of_an_unknown_key, tokens_lines,
    verifier, verifier_that_asks, wall,
};

const EDGE: &str = "expc.example.com";
const ROUTE: &str = "<sip:198.51.100.7:5061;transport=tls;zone-id=3;directed;lr>";

fn edge_with(tokens: TokenGate) -> Edge {
    let config = EdgeConfig::new(EDGE, 5061)
        .with_own_host("198.51.100.7")
        .with_tokens(tokens);
    let mut edge = Edge::new(config);
    edge.refresh_servers(&[DiscoveredNode::new(NODE, 5091)]);
    edge.zone_active(&format!("CEOAuth {NODE}"), edge_address());
    edge
}

fn forward(edge: &Edge, text: &str) -> Forwarding {
    let bytes = text.replace('\n', "\r\n");
    let view = MessageView::parse(bytes.as_bytes(), &Limits::default()).unwrap();
    let from = EdgeArrival::new(7, ([203, 0, 113, 5], 40000).into());
    edge.forward_request(&from, &view, wall(), &mut Seeded::new(1))
}

#[test]
fn a_client_registers_through_it() {
    let mut config = client_config();
    config.targets = vec![
        Target::new(NODE, 5091, Transport::Tls)
            .through("edge.example.com", 5061)
            .with_route(ROUTE),
    ];
    let edge = edge_with(TokenGate::judging(verifier()));
    let mut pair = Pair::with(config, registrar(), Path::Edge(Box::new(edge)));
    pair.start();
    assert_eq!(pair.statuses(), [407, 200]);
    assert_eq!(pair.request(0).headers.get("Route"), Some(ROUTE));
    let granted = pair.answer(1);
    let contact = granted.headers.get("Contact").unwrap();
    assert_eq!(
        contact,
        format!(
            "<sip:{CONTACT}@{EDGE}:5061;transport=tls;orig-hostport=192.0.2.10:62162>\
             ;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-005056aabbcc>\"\
             ;+u.sip!devicename.ccm.cisco.com=\"CSFJDOE\";+u.sip!model.ccm.cisco.com=\"503\";video\
             ;+u.sip!userid.ccm.cisco.com=\"{USER}\";x-cisco-newreg"
        )
    );
    let via = granted.headers.get("Via").unwrap();
    assert!(
        via.starts_with("SIP/2.0/TLS 192.0.2.10:62162;branch="),
        "{via}"
    );
    assert!(
        via.ends_with(";received=203.0.113.5;rport=40000;ingress-zone=CollaborationEdgeZone"),
        "{via}"
    );
    assert_eq!(
        granted.headers.get_all("Via").count(),
        1,
        "the edge took its own off"
    );
    assert!(matches!(pair.events.last(), Some(Event::Registered(grant)) if grant.new_registration));

    pair.advance_to(115);
    assert_eq!(pair.client.state(), ClientState::Registered);
    assert!(matches!(
        pair.decisions.last().unwrap().observation.decision,
        Decision::Refreshed { .. }
    ));
    pair.client.deregister(pair.now());
    pair.drive();
    assert!(matches!(
        pair.events.last(),
        Some(Event::Deregistered { confirmed: true })
    ));
}

#[test]
fn what_is_rewritten_and_what_is_not() {
    let edge = edge_with(TokenGate::open());
    let credentials = credentials_line(USER);
    let lines = format!(
        "Route: {ROUTE}, <sip:other.example.com;lr>\n{}{credentials}",
        contact_line()
    );
    let Forwarding::ToZone {
        zone,
        request,
        user,
    } = forward(&edge, &register(1, &lines))
    else {
        panic!("not forwarded")
    };
    assert_eq!(zone, format!("CEOAuth {NODE}"));
    assert_eq!(user, None, "nothing was judged");
    let headers = &request.headers;
    assert_eq!(headers.get("Max-Forwards"), Some("69"));
    assert_eq!(
        headers.get("Route"),
        Some("<sip:other.example.com;lr>"),
        "only the edge's own is dropped"
    );
    assert_eq!(headers.get_all("Via").count(), 2);
    assert!(
        headers
            .get("Via")
            .unwrap()
            .starts_with("SIP/2.0/TLS expc.example.com:5061;branch=z9hG4bK")
    );
    let sent = credentials.trim_end().split_once(": ").unwrap().1;
    assert_eq!(
        headers.get("Proxy-Authorization"),
        Some(sent),
        "tokens are end to end"
    );
    assert!(!headers.get("Contact").unwrap().contains("userid"));
}

fn with_path_headers() -> Edge {
    let mut config = EdgeConfig::new(EDGE, 5061);
    config.sip_path_headers = true;
    config.tokens = TokenGate::judging(Arc::clone(&verifier()));
    let mut edge = Edge::new(config);
    edge.refresh_servers(&[DiscoveredNode::new(NODE, 5091)]);
    edge.zone_active(&format!("CEOAuth {NODE}"), edge_address());
    edge
}

#[test]
fn a_client_does_not_name_its_own_user() {
    for edge in [edge_with(TokenGate::open()), with_path_headers()] {
        for (from, to) in [
            (";video", ";+u.sip!userid.ccm.cisco.com=\"admin\";video"),
            (";video", ";+U.SIP!UserID.ccm.cisco.com=admin;video"),
            (";video", ";+u.sip!userid.ccm.features.cisco.com=\"admin\""),
            (
                "Contact: <sip:",
                "Contact: <tel:+1>;+u.sip!userid.ccm.cisco.com=admin, <sip:",
            ),
        ] {
            let forged = contact_line().replace(from, to);
            let Forwarding::ToZone { request, .. } = forward(&edge, &register(1, &forged)) else {
                panic!("not forwarded")
            };
            let contact = request.headers.get("Contact").unwrap();
            assert!(!contact.contains("admin"), "{contact}");
            assert!(contact.contains("devicename"), "{contact}");
        }
    }
}

#[test]
fn what_cannot_be_rewritten_goes_no_further() {
    for line in [
        "Contact: <sip:1010@192.0.2.10;+u.sip!userid.ccm.cisco.com=admin\n",
        "Route: <sip:198.51.100.7\n",
    ] {
        let Forwarding::Answer { response, .. } =
            forward(&edge_with(TokenGate::open()), &register(1, line))
        else {
            panic!("forwarded {line}")
        };
        assert_eq!(response.status.as_u16(), 400, "{line}");
    }
}

/// An edge that challenges answers by the same table as a registrar.
#[test]
fn a_challenging_edge_forbids_a_missing_scope_and_puts_off_what_it_cannot_judge() {
    let scope = AUTHORIZATION_SERVER.policy().require_scope("nobody:grants");
    let scope = Verifier::new(AUTHORIZATION_SERVER.key_set(), scope);
    let opaque = Policy::introspection("https://as.example.com", "sip:example.com");
    let opaque = Verifier::new(KeySet::builder().build(), opaque);
    for (verifier, expected, retry_after) in [(scope, 403, None), (opaque, 503, Some("30"))] {
        let mut gate = TokenGate::judging(Arc::new(verifier));
        gate.refused = RefusedToken::Challenge;
        let text = register(1, &format!("{}{}", contact_line(), credentials_line(USER)));
        let Forwarding::Answer { response, .. } = forward(&edge_with(gate), &text) else {
            panic!("not answered")
        };
        assert_eq!(response.status.as_u16(), expected);
        assert_eq!(response.headers.get("Retry-After"), retry_after);
        assert_eq!(response.headers.get("Proxy-Authenticate"), None);
    }
}

/// RFC 3261 section 22.3, as a registrar: what could yet be found good counts, wherever it stands.
#[test]
fn of_several_tokens_an_edge_answers_the_one_that_may_yet_be_good() {
    let unknown_key = token_of_an_unknown_key();
    let judge = |refused: RefusedToken, tokens: &[&str]| {
        let mut gate = TokenGate::judging(verifier_that_asks());
        gate.refused = refused;
        let text = register(1, &format!("{}{}", contact_line(), tokens_lines(tokens)));
        let Forwarding::Answer { response, why } = forward(&edge_with(gate), &text) else {
            panic!("not answered")
        };
        let EdgeRefusal::Token(error) = why else {
            panic!("{why:?}")
        };
        (error, response.status.as_u16())
    };
    for (refused, expected) in [(RefusedToken::Challenge, 407), (RefusedToken::Forbid, 403)] {
        for tokens in [["a.b.c", unknown_key.as_str()], [&unknown_key, "a.b.c"]] {
            let (error, status) = judge(refused, &tokens);
            assert!(error.unknown_key().is_some(), "{error}");
            assert_eq!(status, expected);
        }
        // Nobody has judged it: 403 would tell the client to drop a token that may be good.
        for tokens in [
            ["a.b.c", &unknown_key, "opaque"],
            ["opaque", &unknown_key, "a.b.c"],
        ] {
            let (error, status) = judge(refused, &tokens);
            assert!(error.needs_introspection(), "{error}");
            assert_eq!(status, 503, "{refused:?}");
        }
    }
}

#[test]
fn tokens_are_let_through_as_configured() {
    let (none, bad, good) = (
        String::new(),
        "Proxy-Authorization: Bearer token=\"abc\"\n".to_owned(),
        credentials_line(USER),
    );
    for (refused, missing, lines, expected) in [
        (RefusedToken::PassOn, MissingToken::PassOn, &none, None),
        (RefusedToken::PassOn, MissingToken::PassOn, &bad, None),
        (
            RefusedToken::Challenge,
            MissingToken::PassOn,
            &bad,
            Some(407),
        ),
        (RefusedToken::Forbid, MissingToken::PassOn, &bad, Some(403)),
        (
            RefusedToken::Forbid,
            MissingToken::Challenge,
            &none,
            Some(407),
        ),
        (RefusedToken::Forbid, MissingToken::Challenge, &good, None),
    ] {
        let mut gate = TokenGate::judging(verifier());
        (gate.refused, gate.missing) = (refused, missing);
        let text = register(1, &format!("{}{lines}", contact_line()));
        let answered = match forward(&edge_with(gate), &text) {
            Forwarding::ToZone { .. } => None,
            Forwarding::Answer { response, .. } => Some(response.status.as_u16()),
            Forwarding::Drop => panic!("dropped"),
        };
        assert_eq!(answered, expected, "{refused:?} {missing:?}");
    }
}

#[test]
fn without_zone_or_connection_the_edge_answers_itself() {
    let mut edge = edge_with(TokenGate::open());
    let text = register(1, &contact_line());
    let elsewhere = text.replace(
        &format!("REGISTER sip:{NODE}"),
        "REGISTER sip:ucm9.example.com",
    );
    let Forwarding::Answer { response, why } = forward(&edge, &elsewhere) else {
        panic!("forwarded")
    };
    assert_eq!(response.status.as_u16(), 404);
    assert_eq!(
        why.to_string(),
        "no search rule matches host \"ucm9.example.com\"; run Refresh servers"
    );

    edge.zone_inactive(&format!("CEOAuth {NODE}"), "connection refused");
    let Forwarding::Answer { response, why } = forward(&edge, &text) else {
        panic!("forwarded")
    };
    assert_eq!(response.status.as_u16(), 503);
    assert!(matches!(why, EdgeRefusal::ZoneInactive { .. }));
    assert_eq!(
        why.to_string(),
        format!("zone \"CEOAuth {NODE}\" is Inactive (connection refused)")
    );
}

#[test]
fn the_503_for_a_zone_that_is_down_says_when_to_try_again() {
    let mut config = EdgeConfig::new(EDGE, 5061);
    for (seconds, changed) in [("30", None), ("45", Some(Duration::from_secs(45)))] {
        config.retry_after = changed.unwrap_or(config.retry_after);
        let mut edge = Edge::new(config.clone());
        edge.refresh_servers(&[DiscoveredNode::new(NODE, 5091)]);
        let Forwarding::Answer { response, .. } = forward(&edge, &register(1, &contact_line()))
        else {
            panic!("forwarded")
        };
        assert_eq!(response.status.as_u16(), 503);
        assert_eq!(response.headers.get("Retry-After"), Some(seconds));
    }
}

#[test]
fn a_request_that_went_too_far_is_stopped() {
    let text = register(1, &contact_line()).replace("Max-Forwards: 70", "Max-Forwards: 0");
    let Forwarding::Answer { response, .. } = forward(&edge_with(TokenGate::open()), &text) else {
        panic!("forwarded")
    };
    assert_eq!(response.status.as_u16(), 483);
}

#[test]
fn requests_of_one_transaction_have_one_branch() {
    let edge = edge_with(TokenGate::open());
    let via = |text: &str| {
        let Forwarding::ToZone { request, .. } = forward(&edge, text) else {
            panic!("not forwarded")
        };
        request.headers.get("Via").map(str::to_owned)
    };
    let text = register(1, &contact_line());
    assert_eq!(via(&text), via(&text), "sent again");
    assert_eq!(via(&text), via(&text.replace("REGISTER", "CANCEL")));
    assert_ne!(via(&text), via(&register(2, &contact_line())));
    assert_ne!(via(&text), via(&text.replace("Call-ID: 1", "Call-ID: 2")));
}

#[test]
fn an_answer_to_somebody_else_is_not_returned() {
    let edge = edge_with(TokenGate::open());
    for via in [
        "SIP/2.0/TLS 192.0.2.10:62162;branch=z9hG4bK1",
        // The edge's own, and nobody behind it.
        "SIP/2.0/TLS expc.example.com:5061;branch=z9hG4bK0123456789abcdef-7",
    ] {
        let text = format!("SIP/2.0 200 OK\r\nVia: {via}\r\nContent-Length: 0\r\n\r\n");
        let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(
            edge.forward_response(&view).unwrap_err(),
            NotReturned::NotOurs,
            "{via}"
        );
    }
}

mod zones {
    use super::*;

    #[test]
    fn follow_what_the_last_refresh_found() {
        let mut edge = edge_with(TokenGate::open());
        let same = edge.refresh_servers(&[DiscoveredNode::new(NODE, 5091)]);
        assert_eq!(
            same,
            [],
            "a zone that leads where it led keeps its connection"
        );
        assert!(edge.zones()[0].state.is_active());

        let moved = edge.refresh_servers(&[DiscoveredNode::new(NODE, 5191)]);
        assert!(matches!(&moved[..], [ZoneChange::Changed(zone)] if zone.port == 5191));
        assert!(!edge.zones()[0].state.is_active());

        let gone = edge.refresh_servers(&[]);
        assert_eq!(
            gone,
            [ZoneChange::Removed {
                name: format!("CEOAuth {NODE}")
            }]
        );
        assert!(edge.search_rules().is_empty());
    }

    #[test]
    fn need_sip_oauth_mode_on_the_cluster_and_token_authorization_on_the_edge() {
        let mut edge = Edge::new(EdgeConfig::new(EDGE, 5061));
        let mut node = DiscoveredNode::new(NODE, 5091);
        node.sip_oauth_mode = false;
        assert_eq!(edge.refresh_servers(&[node]), []);

        let mut config = EdgeConfig::new(EDGE, 5061);
        config.authorize_by_oauth_token = false;
        assert_eq!(
            Edge::new(config).refresh_servers(&[DiscoveredNode::new(NODE, 5091)]),
            []
        );
    }
}

#[test]
fn with_path_headers_the_contact_is_left_alone() {
    let edge = with_path_headers();
    let text = register(1, &contact_line());
    let Forwarding::ToZone { request, .. } = forward(&edge, &text) else {
        panic!("not forwarded")
    };
    assert_eq!(
        request.headers.get("Path"),
        Some("<sip:expc.example.com:5061;transport=tls;lr>")
    );
    let contact = contact_line();
    assert_eq!(
        request.headers.get("Contact"),
        contact.trim_end().strip_prefix("Contact: "),
        "byte for byte"
    );
}
