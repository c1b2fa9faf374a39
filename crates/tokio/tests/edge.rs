//! The same registration through an Expressway-C: a zone with mutual TLS to the node's 5091.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::{sync::Arc, time::Duration};

use sip_oauth_registration::{
    client::{Event, Target, Transport},
    edge::{DiscoveredNode, Edge, EdgeConfig},
    registrar::Listener,
};
use sip_oauth_tokio::{EdgeServer, FixedToken, RegistrarServer, RegistrationClient, ServerLimits};
use sip_oauth_trust::{CertifiedIdentity, Reason, TrustStore};
use support::{
    Authority, BOTH, EACH, EDGE, Estate, NODE, Trace, UUID, client_tls, connector, device_at,
    loopback, quick, registration, server_tls, soon,
};

/// An edge that shows `identity` everywhere and trusts `trusted` towards the node.
async fn edge(
    estate: &Estate,
    identity: CertifiedIdentity,
    trusted: TrustStore,
    trace: &Arc<Trace>,
) -> EdgeServer {
    let towards_node = connector(client_tls(trusted, Some(&identity), BOTH), &estate.clock)
        .with_observer(trace.clone());
    let towards_clients = server_tls(identity, estate.authority.store("trusted CAs"), "", BOTH);
    EdgeServer::builder(
        Edge::new(EdgeConfig::new(EDGE, 5061)),
        towards_clients,
        towards_node,
    )
    .listen(loopback(0))
    .limits(ServerLimits::new())
    .start()
    .await
    .unwrap()
}

fn node_of(server: &RegistrarServer) -> DiscoveredNode {
    let port = server.local_addr(Listener::SipMraOAuth).unwrap().port();
    DiscoveredNode::new(NODE, port)
}

fn through(edge: &EdgeServer) -> Target {
    Target::new(NODE, 5090, Transport::Tls).through(EDGE, edge.local_addrs()[0].port())
}

fn register(number: usize) -> String {
    format!(
        "REGISTER sip:{NODE} SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.7:5061;branch=z9hG4bK{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:1010@{NODE}>;tag=1\r\nTo: <sip:1010@{NODE}>\r\n\
         Call-ID: {number}\r\nCSeq: 101 REGISTER\r\n\
         Contact: <sip:c0ffee@192.0.2.7:5061;transport=tls>\r\nContent-Length: 0\r\n\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn register_refresh_and_deregister_through_the_edge() {
    for versions in EACH {
        let estate = Estate::with_versions(versions);
        let server = estate.serve().await;
        let trace = Arc::default();
        let identity = estate.authority.issue(EDGE);
        let edge = edge(
            &estate,
            identity,
            estate.authority.store("trusted CAs"),
            &trace,
        )
        .await;
        let zones = soon(edge.refresh_servers(&[node_of(&server)])).await;
        assert_eq!(zones[0].zone.name, format!("CEOAuth {NODE}"));
        assert!(zones[0].zone.state.is_active(), "{:?}", zones[0]);

        let tokens = Arc::new(FixedToken::new(estate.token()));
        let (handle, mut events) =
            RegistrationClient::new(device_at(vec![through(&edge)]), estate.connector(), tokens)
                .start();
        let Event::Registered(grant) = registration(&mut events).await else {
            panic!("not registered");
        };
        assert_eq!(grant.node, NODE);
        estate.clock.advance(Duration::from_secs(115));
        let event = registration(&mut events).await;
        assert!(matches!(event, Event::Refreshed(_)), "{event:?}");
        handle.stop();
        let event = registration(&mut events).await;
        assert_eq!(event, Event::Deregistered { confirmed: true });

        // The node saw one connection, the edge's, with its certificate.
        let accepted = estate.trace.accepted();
        assert_eq!(accepted.len(), 1);
        let facts = accepted[0].as_ref().unwrap();
        assert_eq!(facts.peer.as_ref().unwrap().dns_names(), [EDGE]);
        // What the node got was rewritten on the way.
        let registers = estate.trace.messages();
        let registers = registers.iter().filter(|text| text.starts_with("REGISTER"));
        assert!(
            registers
                .clone()
                .all(|text| text.contains("orig-hostport="))
        );
        assert_eq!(registers.count(), 4);
        soon(edge.shutdown()).await;
        soon(server.shutdown()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_of_one_edge_get_their_own_answers_over_one_zone() {
    let estate = Estate::new();
    let server = estate.serve().await;
    let trace = Arc::default();
    let identity = estate.authority.issue(EDGE);
    let edge = edge(
        &estate,
        identity,
        estate.authority.store("trusted CAs"),
        &trace,
    )
    .await;
    soon(edge.refresh_servers(&[node_of(&server)])).await;
    for _ in 0..2 {
        let tokens = Arc::new(FixedToken::new(estate.token()));
        let (handle, mut events) =
            RegistrationClient::new(device_at(vec![through(&edge)]), estate.connector(), tokens)
                .start();
        let event = registration(&mut events).await;
        assert!(matches!(event, Event::Registered(_)), "{event:?}");
        handle.stop();
        soon(handle.stopped()).await;
    }
    assert_eq!(estate.trace.accepted().len(), 1);
}

mod zone_that_fails {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_edge_does_not_trust_the_signer_of_the_tomcat_certificate() {
        for versions in EACH {
            let estate = Estate::with_versions(versions);
            let server = estate.serve().await;
            let trace = Arc::default();
            let identity = estate.authority.issue(EDGE);
            let stranger = Authority::new("Another CA");
            let edge = edge(&estate, identity, stranger.store("trusted CAs"), &trace).await;
            let zones = soon(edge.refresh_servers(&[node_of(&server)])).await;
            let explanation = zones[0].explanation.as_ref().unwrap();
            assert_eq!(explanation.refused_by, sip_oauth_trust::Party::Us);
            assert!(matches!(
                &explanation.reason,
                Reason::UnknownIssuer { issuer: Some(issuer) } if issuer.contains("Example CA")
            ));
            // The node reads the alert.
            let at_node = &estate.trace;
            at_node
                .until("the alert", |trace| !trace.refusals().is_empty())
                .await;
            let refusals = at_node.refusals();
            assert_eq!(refusals[0].1.refused_by, sip_oauth_trust::Party::Peer);
            assert_eq!(
                refusals[0].1.alert,
                Some(rustls::AlertDescription::UnknownCA)
            );

            // A client is told at once, by 503.
            let tokens = Arc::new(FixedToken::new(estate.token()));
            let (_handle, mut events) = RegistrationClient::new(
                device_at(vec![through(&edge)]),
                estate.connector(),
                tokens,
            )
            .start();
            let Event::Refused(refused) = registration(&mut events).await else {
                panic!("not refused");
            };
            assert_eq!(refused.status, 503);
            assert!(refused.retry_after.is_some());
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_node_does_not_trust_the_signer_of_the_edges_certificate() {
        for versions in EACH {
            let estate = Estate::with_versions(versions);
            let server = estate.serve().await;
            let trace = Arc::default();
            let stranger = Authority::new("Another CA").issue(EDGE);
            let edge = edge(
                &estate,
                stranger,
                estate.authority.store("trusted CAs"),
                &trace,
            )
            .await;
            let zones = soon(edge.refresh_servers(&[node_of(&server)])).await;
            assert!(!zones[0].zone.state.is_active());
            let explanation = zones[0].explanation.as_ref().unwrap();
            assert_eq!(explanation.refused_by, sip_oauth_trust::Party::Peer);
            assert_eq!(explanation.alert, Some(rustls::AlertDescription::UnknownCA));
            let at_node = &estate.trace;
            at_node
                .until("the refusal", |trace| !trace.refusals().is_empty())
                .await;
            assert!(matches!(
                &at_node.refusals()[0].1.reason,
                Reason::UnknownIssuer { issuer: Some(issuer) } if issuer.contains("Another CA")
            ));
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_chain_is_good_but_the_name_is_not_in_the_table() {
        for versions in EACH {
            let estate = Estate::with_versions(versions);
            let server = estate.serve().await;
            let trace = Arc::default();
            let identity = estate.authority.issue("other.example.com");
            let edge = edge(
                &estate,
                identity,
                estate.authority.store("trusted CAs"),
                &trace,
            )
            .await;
            let zones = soon(edge.refresh_servers(&[node_of(&server)])).await;
            assert!(!zones[0].zone.state.is_active());
            assert!(zones[0].explanation.is_some());
            let at_node = &estate.trace;
            at_node
                .until("the refusal", |trace| !trace.refusals().is_empty())
                .await;
            let reason = at_node.refusals().remove(0).1.reason;
            let Reason::NameNotInTable { names: Some(names) } = reason else {
                panic!("the reason lacks the names: {reason:?}");
            };
            assert_eq!(names.expected, [EDGE]);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_node_that_comes_back_makes_its_zone_active_again() {
        let estate = Estate::new();
        let mut server = estate.serve().await;
        let address = server.local_addr(Listener::SipMraOAuth).unwrap();
        let trace = Arc::default();
        let identity = estate.authority.issue(EDGE);
        let edge = edge(
            &estate,
            identity,
            estate.authority.store("trusted CAs"),
            &trace,
        )
        .await;
        soon(edge.refresh_servers(&[node_of(&server)])).await;

        soon(server.restart([])).await.unwrap();
        let zones = soon(async {
            loop {
                let zones = edge.zones();
                if !zones[0].zone.state.is_active() {
                    return zones;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        assert!(
            zones[0].explanation.is_none(),
            "this is not a matter of TLS"
        );
        soon(server.restart([(Listener::SipMraOAuth, address)]))
            .await
            .unwrap();
        let zones = soon(edge.check_zones()).await;
        assert!(zones[0].zone.state.is_active(), "{:?}", zones[0].zone.state);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_zone_is_closed_when_the_edges_shutdown_returns() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let trace = Arc::<Trace>::default();
        let identity = estate.authority.issue(EDGE);
        let trusted = estate.authority.store("trusted CAs");
        let edge = edge(&estate, identity, trusted, &trace).await;
        soon(edge.refresh_servers(&[node_of(&server)])).await;
        soon(edge.shutdown()).await;
        assert_eq!(trace.closed(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_node_that_is_gone_from_discovery_loses_its_zone() {
        let estate = Estate::new();
        let server = estate.serve_with(quick(), ServerLimits::new()).await;
        let trace = Arc::default();
        let identity = estate.authority.issue(EDGE);
        let edge = edge(
            &estate,
            identity,
            estate.authority.store("trusted CAs"),
            &trace,
        )
        .await;
        soon(edge.refresh_servers(&[node_of(&server)])).await;
        assert_eq!(server.connections(), 1);
        assert!(soon(edge.refresh_servers(&[])).await.is_empty());
        soon(async {
            while server.connections() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }
}

mod overload {
    use sip_oauth_tokio::{Connection, ConnectionSettings, Incoming, Timeouts};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Sends `count` requests at once and gives the statuses that come back.
    async fn statuses(estate: &Estate, edge: &EdgeServer, count: usize) -> Vec<String> {
        let connector = estate.connector();
        let port = edge.local_addrs()[0].port();
        let (stream, ends) = soon(connector.connect(EDGE, port, Transport::Tls))
            .await
            .unwrap();
        let mut client = Connection::new(stream, ends, ConnectionSettings::default());
        let requests: String = (0..count).map(register).collect();
        client.send(requests.as_bytes()).await.unwrap();
        let mut statuses = Vec::new();
        while statuses.len() < count {
            let Incoming::Message(answer) = soon(client.receive()).await.unwrap() else {
                panic!("the edge closed the connection");
            };
            let text = String::from_utf8(answer).unwrap();
            assert!(
                !text.contains(" 503 ") || text.contains("Retry-After: "),
                "{text}"
            );
            statuses.push(text.split(' ').nth(1).unwrap().to_owned());
        }
        statuses
    }

    async fn edge_with(
        estate: &Estate,
        server: &RegistrarServer,
        limits: ServerLimits,
    ) -> EdgeServer {
        edge_in(estate, server, limits, Timeouts::new()).await
    }

    async fn edge_in(
        estate: &Estate,
        server: &RegistrarServer,
        limits: ServerLimits,
        timeouts: Timeouts,
    ) -> EdgeServer {
        let identity = estate.authority.issue(EDGE);
        let trusted = || estate.authority.store("trusted CAs");
        let tls = client_tls(trusted(), Some(&identity), BOTH);
        let edge = EdgeServer::builder(
            Edge::new(EdgeConfig::new(EDGE, 5061)),
            server_tls(identity, trusted(), "", BOTH),
            connector(tls, &estate.clock),
        )
        .listen(loopback(0))
        .limits(limits)
        .timeouts(timeouts)
        .start()
        .await
        .unwrap();
        let zones = soon(edge.refresh_servers(&[node_of(server)])).await;
        assert!(zones[0].zone.state.is_active());
        edge
    }

    /// A node that takes its time: it answers what it was asked once it is told to.
    async fn slow_node(
        estate: &Estate,
    ) -> (
        DiscoveredNode,
        Arc<tokio::sync::Notify>,
        Arc<tokio::sync::Notify>,
    ) {
        let listener = tokio::net::TcpListener::bind(loopback(0)).await.unwrap();
        let node = DiscoveredNode::new(NODE, listener.local_addr().unwrap().port());
        let tls = tokio_rustls::TlsAcceptor::from(estate.tls.mra_oauth());
        let (asked, answer) = (
            Arc::<tokio::sync::Notify>::default(),
            Arc::<tokio::sync::Notify>::default(),
        );
        let (tell, wait) = (Arc::clone(&asked), Arc::clone(&answer));
        tokio::spawn(async move {
            let (tcp, _) = listener.accept().await.unwrap();
            let mut stream = tls.accept(tcp).await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(b"Content-Length: 0\r\n\r\n") {
                stream.read_buf(&mut read).await.unwrap();
            }
            tell.notify_one();
            wait.notified().await;
            let request = String::from_utf8(read).unwrap();
            let copied: String = request
                .lines()
                .filter(|line| {
                    ["Via:", "From:", "To:", "Call-ID:", "CSeq:"]
                        .iter()
                        .any(|name| line.starts_with(name))
                })
                .flat_map(|line| [line, "\r\n"])
                .collect();
            let answer = format!("SIP/2.0 200 OK\r\n{copied}Content-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            let _ = stream.read_buf(&mut Vec::new()).await;
        });
        (node, asked, answer)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_graceful_stop_still_brings_the_answer_to_what_was_forwarded() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let edge = edge_with(&estate, &server, ServerLimits::new()).await;
        let (node, asked, answer) = slow_node(&estate).await;
        let zones = soon(edge.refresh_servers(&[node])).await;
        assert!(zones[0].zone.state.is_active());
        let connector = estate.connector();
        let port = edge.local_addrs()[0].port();
        let (stream, ends) = soon(connector.connect(EDGE, port, Transport::Tls))
            .await
            .unwrap();
        let mut client = Connection::new(stream, ends, ConnectionSettings::default());
        client.send(register(1).as_bytes()).await.unwrap();
        soon(asked.notified()).await;
        let stopping = tokio::spawn(edge.shutdown());
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer.notify_one();
        let Incoming::Message(answer) = soon(client.receive()).await.unwrap() else {
            panic!("the edge left without the answer");
        };
        assert!(answer.starts_with(b"SIP/2.0 200 "));
        assert_eq!(soon(client.receive()).await.unwrap(), Incoming::End);
        drop(client);
        soon(stopping).await.unwrap();
    }

    /// A client of `edge` whose first request is at the node, and half of whose second one is at the edge, which is told to
    /// stop.
    async fn half_a_request_at_a_stop(
        estate: &Estate,
        edge: EdgeServer,
        asked: &tokio::sync::Notify,
    ) -> (
        Connection<sip_oauth_tokio::Stream>,
        tokio::task::JoinHandle<()>,
    ) {
        let connector = estate.connector();
        let port = edge.local_addrs()[0].port();
        let (mut stream, ends) = soon(connector.connect(EDGE, port, Transport::Tls))
            .await
            .unwrap();
        let (second, first) = (register(2), register(1));
        let begun = [&first, &second[..second.len() / 2]].concat();
        // In one record, so that the half is at the edge when the first has reached the node.
        stream.write_all(begun.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        soon(asked.notified()).await;
        let client = Connection::new(stream, ends, ConnectionSettings::default());
        let stopping = tokio::spawn(edge.shutdown());
        tokio::time::sleep(Duration::from_millis(100)).await;
        (client, stopping)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_graceful_stop_brings_an_answer_while_the_rest_of_a_request_is_waited_for() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let long = quick().shutdown(Duration::from_secs(60));
        let edge = edge_in(&estate, &server, ServerLimits::new(), long).await;
        let (node, asked, answer) = slow_node(&estate).await;
        soon(edge.refresh_servers(&[node])).await;
        let (mut client, stopping) = half_a_request_at_a_stop(&estate, edge, &asked).await;
        answer.notify_one();
        let Incoming::Message(answer) = soon(client.receive()).await.unwrap() else {
            panic!("the edge left without the answer");
        };
        assert!(answer.starts_with(b"SIP/2.0 200 "));
        drop(client);
        soon(stopping).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_graceful_stop_brings_an_answer_although_the_rest_of_a_request_does_not_come() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let time = Duration::from_millis(300);
        let short = quick().shutdown(Duration::from_secs(60)).message(time);
        let edge = edge_in(&estate, &server, ServerLimits::new(), short).await;
        let (node, asked, answer) = slow_node(&estate).await;
        soon(edge.refresh_servers(&[node])).await;
        let (mut client, stopping) = half_a_request_at_a_stop(&estate, edge, &asked).await;
        // A test that is held up here passes too: the answer then comes before the time is over.
        tokio::time::sleep(3 * time).await;
        answer.notify_one();
        let Incoming::Message(answer) = soon(client.receive()).await.unwrap() else {
            panic!("the edge left without the answer");
        };
        assert!(answer.starts_with(b"SIP/2.0 200 "));
        drop(client);
        soon(stopping).await.unwrap();
    }

    #[tokio::test]
    async fn a_request_that_outgrows_the_node_is_answered_513_and_the_zone_stays_active() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let edge = edge_with(&estate, &server, ServerLimits::new()).await;
        let connector = estate.connector();
        let port = edge.local_addrs()[0].port();
        let (stream, ends) = soon(connector.connect(EDGE, port, Transport::Tls))
            .await
            .unwrap();
        let mut client = Connection::new(stream, ends, ConnectionSettings::default());
        // As many fields as a node takes: the edge's own Via is one too many.
        let limits = sip_oauth_message::Limits::default();
        let padding = "X: 1\r\n".repeat(limits.max_header_fields - 8);
        let request = register(1).replace("Content-Length", &format!("{padding}Content-Length"));
        client.send(request.as_bytes()).await.unwrap();
        let Incoming::Message(answer) = soon(client.receive()).await.unwrap() else {
            panic!("the edge closed the connection");
        };
        assert!(
            answer.starts_with(b"SIP/2.0 513 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        assert!(edge.zones()[0].zone.state.is_active());
        assert!(
            !statuses(&estate, &edge, 1)
                .await
                .contains(&"513".to_owned())
        );
    }

    #[tokio::test]
    async fn what_frames_but_does_not_parse_is_answered_400() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let edge = edge_with(&estate, &server, ServerLimits::new()).await;
        let connector = estate.connector();
        let port = edge.local_addrs()[0].port();
        let (stream, ends) = soon(connector.connect(EDGE, port, Transport::Tls))
            .await
            .unwrap();
        let mut client = Connection::new(stream, ends, ConnectionSettings::default());
        let request = register(1).replace("Max-Forwards", "no colon\r\nMax-Forwards");
        for request in [request, register(2)] {
            client.send(request.as_bytes()).await.unwrap();
        }
        for expected in ["400", "407"] {
            let Incoming::Message(answer) = soon(client.receive()).await.unwrap() else {
                panic!("the edge closed the connection");
            };
            let text = String::from_utf8(answer).unwrap();
            assert_eq!(text.split(' ').nth(1), Some(expected), "{text}");
        }
    }

    /// RFC 3261 section 18.3, and RFC 4475 sections 3.1.2.3 and 3.3.9: 400, and then the stream is of no further use.
    #[tokio::test]
    async fn a_message_without_one_good_length_is_answered_400_and_the_connection_closed() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let edge = edge_with(&estate, &server, ServerLimits::new()).await;
        let port = edge.local_addrs()[0].port();
        for length in [
            "",
            "Content-Length: -1\r\n",
            "Content-Length: 0\r\nl: 1\r\n",
        ] {
            let connector = estate.connector();
            let (stream, ends) = soon(connector.connect(EDGE, port, Transport::Tls))
                .await
                .unwrap();
            let mut client = Connection::new(stream, ends, ConnectionSettings::default());
            let request = register(1).replace("Content-Length: 0\r\n", length);
            client.send(request.as_bytes()).await.unwrap();
            let Incoming::Message(answer) = soon(client.receive()).await.unwrap() else {
                panic!("closed without an answer: {length:?}");
            };
            let text = String::from_utf8(answer).unwrap();
            assert_eq!(text.split(' ').nth(1), Some("400"), "{text}");
            assert_eq!(soon(client.receive()).await.unwrap(), Incoming::End);
        }
    }

    #[tokio::test]
    async fn a_burst_beyond_the_zones_queue_is_answered_503_and_the_zone_stays_active() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let edge = edge_with(&estate, &server, ServerLimits::new().queued_messages(16)).await;
        // One thread: the whole burst is read before the zone's task takes anything.
        let first = statuses(&estate, &edge, 20).await;
        assert_eq!(
            first.iter().filter(|status| *status == "503").count(),
            4,
            "{first:?}"
        );
        assert!(edge.zones()[0].zone.state.is_active());
        assert!(
            !statuses(&estate, &edge, 1)
                .await
                .contains(&"503".to_owned())
        );
    }

    #[tokio::test]
    async fn what_the_table_of_waiting_requests_has_no_room_for_is_answered_503() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let limits = ServerLimits::new().pending_transactions(1);
        let edge = edge_with(&estate, &server, limits).await;
        let first = statuses(&estate, &edge, 3).await;
        assert_eq!(
            first.iter().filter(|status| *status == "503").count(),
            2,
            "{first:?}"
        );
        assert!(
            !statuses(&estate, &edge, 1)
                .await
                .contains(&"503".to_owned())
        );
    }
}

/// An edge that judges tokens itself: of several the one that may yet be good decides, wherever it stands.
mod several_tokens {
    use sip_oauth_registration::edge::{RefusedToken, TokenGate};
    use sip_oauth_token::{Form, Policy, Verifier, issue::AuthorizationServer};
    use sip_oauth_tokio::{Connection, ConnectionSettings, Incoming};

    use super::*;

    /// Of a server that is asked about its tokens.
    const OPAQUE: &str = "2YotnFZFEjr1zCsicMWpAA";

    #[tokio::test(flavor = "multi_thread")]
    async fn what_nobody_has_judged_is_503_and_what_was_judged_is_forbidden() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let identity = estate.authority.issue(EDGE);
        let trusted = || estate.authority.store("trusted CAs");
        let tls = client_tls(trusted(), Some(&identity), BOTH);
        let policy = Policy::unified_cm(UUID).forms([Form::UnifiedCm, Form::Opaque]);
        let mut gate = TokenGate::judging(Arc::new(Verifier::new(estate.tokens.key_set(), policy)));
        gate.refused = RefusedToken::Forbid;
        let edge = EdgeServer::builder(
            Edge::new(EdgeConfig::new(EDGE, 5061).with_tokens(gate)),
            server_tls(identity, trusted(), "", BOTH),
            connector(tls, &estate.clock),
        )
        .listen(loopback(0))
        .start()
        .await
        .unwrap();
        let zones = soon(edge.refresh_servers(&[node_of(&server)])).await;
        assert!(zones[0].zone.state.is_active());

        let now = estate.clock.system_now();
        let stranger = AuthorizationServer::new(UUID).unwrap();
        let stranger = stranger.issue_access("jdoe", "C0ffee", &[], now).unwrap();
        let (stranger, good) = (stranger.token, estate.token().token);
        let (stranger, good) = (stranger.expose(), good.expose());
        let port = edge.local_addrs()[0].port();
        let connector = estate.connector();
        let connected = soon(connector.connect(EDGE, port, Transport::Tls)).await;
        let (stream, ends) = connected.unwrap();
        let mut client = Connection::new(stream, ends, ConnectionSettings::default());
        for (number, (tokens, by_the_edge)) in [
            ([stranger, stranger], Some("403")),
            ([stranger, OPAQUE], Some("503")),
            ([OPAQUE, stranger], Some("503")),
            ([stranger, good], None),
            ([OPAQUE, good], None),
        ]
        .into_iter()
        .enumerate()
        {
            let request = register(number).replace(
                "Content-Length",
                &format!(
                    "Proxy-Authorization: Bearer token=\"{}\"\r\n\
                     Proxy-Authorization: Bearer token=\"{}\"\r\nContent-Length",
                    tokens[0], tokens[1]
                ),
            );
            client.send(request.as_bytes()).await.unwrap();
            let Incoming::Message(answer) = soon(client.receive()).await.unwrap() else {
                panic!("the edge closed the connection");
            };
            let text = String::from_utf8(answer).unwrap();
            let messages = estate.trace.messages();
            let call = format!("Call-ID: {number}\r\n");
            let reached_the_node = messages.iter().any(|message| message.contains(&call));
            assert_eq!(reached_the_node, by_the_edge.is_none(), "{number}: {text}");
            if let Some(status) = by_the_edge {
                assert_eq!(text.split(' ').nth(1), Some(status), "{number}");
                assert_eq!(text.contains("Retry-After: "), status == "503", "{text}");
            }
        }
        soon(edge.shutdown()).await;
    }
}
