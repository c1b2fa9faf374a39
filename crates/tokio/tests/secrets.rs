//! No token, password or key reaches a log line, whatever is logged.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::sync::Arc;

use sip_oauth_registration::{
    client::Event,
    edge::{DiscoveredNode, Edge, EdgeConfig},
    registrar::Listener,
};
use sip_oauth_tokio::{EdgeServer, FixedToken, RegistrationClient};
use support::{
    BOTH, EDGE, Estate, NODE, client_tls, connector, device_at, kept::Kept, loopback, registration,
    server_tls, soon,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_most_talkative_log_of_a_registration_through_the_edge_holds_no_token() {
    let log = Kept::from(tracing::Level::TRACE);

    let estate = Estate::new();
    let server = estate.serve().await;
    let identity = estate.authority.issue(EDGE);
    let towards_node = client_tls(estate.authority.store("trusted CAs"), Some(&identity), BOTH);
    let edge = EdgeServer::builder(
        Edge::new(EdgeConfig::new(EDGE, 5061)),
        server_tls(identity, estate.authority.store("trusted CAs"), "", BOTH),
        connector(towards_node, &estate.clock),
    )
    .listen(loopback(0))
    .start()
    .await
    .unwrap();
    let port = server.local_addr(Listener::SipMraOAuth).unwrap().port();
    soon(edge.refresh_servers(&[DiscoveredNode::new(NODE, port)])).await;
    let token = estate.token();
    let target = sip_oauth_registration::client::Target::new(
        NODE,
        5090,
        sip_oauth_registration::client::Transport::Tls,
    )
    .through(EDGE, edge.local_addrs()[0].port());
    let (handle, mut events) = RegistrationClient::new(
        device_at(vec![target]),
        estate.connector(),
        Arc::new(FixedToken::new(token.clone())),
    )
    .start();
    let event = registration(&mut events).await;
    assert!(matches!(event, Event::Registered(_)), "{event:?}");
    handle.stop();
    soon(handle.stopped()).await;
    soon(edge.shutdown()).await;
    soon(server.shutdown()).await;

    let log = log.text();
    assert!(
        log.contains("REGISTER sip:ucm1.example.com SIP/2.0"),
        "the log is not empty"
    );
    // The same log tells each transaction of the client from the others: the REGISTER that was challenged, and the one
    // with the token, within whose span the registration is told.
    let of_client = |line: &&str| line.contains("sip_oauth_tokio::client");
    let branch = |line: &str| {
        let (_, behind) = line.split_once("transaction{method=\"REGISTER\" branch=\"")?;
        Some(behind.split('"').next()?.to_owned())
    };
    let branches: Vec<_> = log.lines().filter(of_client).filter_map(branch).collect();
    let registered = log
        .lines()
        .filter(of_client)
        .find(|line| line.contains("Registered("))
        .and_then(branch);
    let (first, last) = (branches.first().cloned(), registered);
    assert!(first.is_some() && last.is_some() && first != last, "{log}");
    // Any 24 characters of it in a row, counted from its start.
    let token = token.token.expose().as_bytes();
    for piece in token.chunks_exact(24) {
        let piece = std::str::from_utf8(piece).unwrap();
        assert!(!log.contains(piece), "a piece of the token was logged");
    }
}

/// Every test of this folder is watched so while it logs at TRACE.
mod the_watchman {
    use super::support::log;

    const SPOKEN: &str = "SIP_OAUTH_TEST_SPEAKS";

    #[test]
    fn knows_a_secret_from_what_is_printed_for_one() {
        for secret in [
            "eyJhbGciOiJSUzI1NiJ9",
            "Authorization: Bearer 2YotnFZFEjr1zCsicMWpAA",
            "authorization: Basic Z2FyeTpoYW5naW5n",
            r#"Bearer token="2YotnFZFEjr1zCsicMWpAA""#,
            r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA"}"#,
            r#"body="{\"access_token\": \"2YotnFZFEjr1zCsicMWpAA\"}""#,
            "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA",
            "token=mF_9.B5f-4.1JqM&token_type_hint=access_token",
        ] {
            assert!(log::secret_in(secret).is_some(), "{secret}");
        }
        for printed in [
            "AccessToken <1234 bytes>",
            "Proxy-Authorization: Bearer token=<1234 bytes>",
            "Authorization: Bearer <22 bytes>",
            r#"WWW-Authenticate: Bearer realm="sip:example.com", authz_server="https://as.example.com""#,
            "token endpoint https://as.example.com:8443/token: status 400",
            "access_token: expected a string, found a number",
            "subject=\"token refresh\" status=Some(200)",
        ] {
            assert_eq!(log::secret_in(printed), None, "{printed}");
        }
    }

    #[test]
    fn ends_a_program_that_says_one() {
        let run = |what: &str| {
            let program = std::env::current_exe().unwrap();
            let mut program = std::process::Command::new(program);
            let name = "the_watchman::is_spoken_to";
            let program = program.args(["--exact", name]).env(SPOKEN, what);
            program.output().unwrap().status.success()
        };
        assert!(run("nothing"));
        for what in ["in a line", "in a span", "in a task"] {
            assert!(!run(what), "{what}");
        }
    }

    #[tokio::test]
    async fn is_spoken_to() {
        let Ok(what) = std::env::var(SPOKEN) else {
            // The program that was started by the test above speaks.
            return;
        };
        log::watch();
        let token = "eyJhbGciOiJSUzI1NiJ9";
        match what.as_str() {
            "in a line" => tracing::trace!(token, "said"),
            "in a span" => tracing::trace_span!("span", token).in_scope(|| tracing::trace!("said")),
            "in a task" => {
                let task = tokio::spawn(async move { panic!("{token}") });
                task.await.unwrap_err();
            }
            _ => tracing::trace!("nothing is said"),
        }
    }
}
