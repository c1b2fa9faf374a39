//! Who refuses whom in TLS, seen from a connection that was opened and one that was accepted.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use rustls::AlertDescription;
use sip_oauth_registration::{
    client::Transport,
    registrar::{Listener, PeerIdentity},
};
use sip_oauth_tokio::{Connection, ConnectionSettings, Connector, Incoming, RegistrarServer};
use sip_oauth_trust::{Explanation, Party, Reason};
use support::{Authority, BOTH, EACH, Estate, NODE, client_tls, connector, soon};

/// Connects to the mutual-TLS listener, sends `bytes`, and gives the explanation of how that ended. With TLS 1.3 the
/// refusal comes after the handshake: with a write, or with the first read.
async fn refusal(connector: &Connector, server: &RegistrarServer, bytes: &[u8]) -> Explanation {
    let port = server.local_addr(Listener::SipMraOAuth).unwrap().port();
    let connected = soon(connector.connect(NODE, port, Transport::Tls)).await;
    let (stream, ends) = match connected {
        Ok(connected) => connected,
        Err(error) => return error.explanation().unwrap().clone(),
    };
    let mut connection = Connection::new(stream, ends, ConnectionSettings::default());
    let error = match soon(connection.send(bytes)).await {
        Err(error) => error,
        Ok(()) => soon(connection.receive()).await.unwrap_err(),
    };
    error
        .explanation()
        .unwrap_or_else(|| panic!("{error}"))
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_client_reads_the_alert_however_much_it_was_writing() {
    for versions in EACH {
        let estate = Estate::with_versions(versions);
        let server = estate.serve().await;
        for size in [400, 200_000, 3_000_000] {
            let explanation = refusal(&estate.connector(), &server, &vec![b'x'; size]).await;
            assert_eq!(explanation.refused_by, Party::Peer, "{size} bytes");
            assert_eq!(explanation.reason, Reason::NoCertificate, "{size} bytes");
        }
        let at_node = &estate.trace;
        at_node
            .until("three refusals", |trace| trace.refusals().len() == 3)
            .await;
        let refusals = at_node.refusals();
        assert!(
            refusals
                .iter()
                .all(|(_, refusal)| refusal.refused_by == Party::Us)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_under_another_name_is_refused_with_both_names() {
    for versions in EACH {
        let estate = Estate::with_versions(versions);
        let server = estate.serve().await;
        let port = server.local_addr(Listener::SipOAuth).unwrap().port();
        let connector = estate.connector();
        let connected = connector.connect("ucm2.example.com", port, Transport::Tls);
        let error = soon(connected).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("ucm1.example.com") && text.contains("ucm2.example.com"),
            "{text}"
        );
        assert!(matches!(
            error.explanation().unwrap().reason,
            Reason::NameMismatch { names: Some(_) }
        ));
        let at_node = &estate.trace;
        at_node
            .until("the alert", |trace| !trace.refusals().is_empty())
            .await;
        assert_eq!(
            at_node.refusals()[0].1.alert,
            Some(AlertDescription::BadCertificate)
        );
    }
}

/// Whoever compares them does so name by name: a name with a separator in it is neither several nor none.
#[test]
fn the_names_of_a_peer_are_those_it_presented() {
    let name = "a, ucm2.example.com";
    let identity = Authority::new("Example CA").issue_as(name, "a.example.com");
    let peer = PeerIdentity::of(identity.summary().identities());
    assert_eq!(peer.names, [name, "a.example.com"]);
    assert_eq!(peer.allowed_by, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_checked_against_the_addresses_of_the_certificate() {
    let estate = Estate::new();
    let server = estate.serve().await;
    let port = server.local_addr(Listener::SipOAuth).unwrap().port();
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]"] {
        let error = soon(estate.connector().connect(host, port, Transport::Tls))
            .await
            .unwrap_err();
        assert!(error.explanation().is_some(), "{host}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trust_store_that_changes_counts_from_the_next_connection_on() {
    let estate = Estate::new();
    let server = estate.serve().await;
    let stranger = Authority::new("Another CA");
    let identity = stranger.issue(support::EDGE);
    let tls = client_tls(estate.authority.store("trusted CAs"), Some(&identity), BOTH);
    let connector = connector(tls, &estate.clock);
    let refused = refusal(&connector, &server, b"").await;
    assert_eq!(refused.alert, Some(AlertDescription::UnknownCA));

    let mut store = estate.authority.store("Tomcat-trust");
    for anchor in stranger.store("").anchors() {
        store
            .add_der(anchor.certificate().clone(), anchor.source())
            .unwrap();
    }
    estate.trust.replace(store);
    let port = server.local_addr(Listener::SipMraOAuth).unwrap().port();
    let (stream, ends) = soon(connector.connect(NODE, port, Transport::Tls))
        .await
        .unwrap();
    let mut connection = Connection::new(stream, ends, ConnectionSettings::default());
    connection.ping().await.unwrap();
    assert_eq!(soon(connection.receive()).await.unwrap(), Incoming::Pong);
}
