//! A client and a registrar over real sockets, with real TLS and a real token.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::{sync::Arc, time::Duration};

use sip_oauth_registration::{
    client::{ClientState, Event, GaveUp, Instance, Target, Transport},
    registrar::{Decision, Listener},
};
use sip_oauth_tokio::{
    ClientEvent, FixedToken, RegistrarServer, RegistrationClient, TokenUnavailable, token_fn,
};
use support::{EACH, Estate, NODE, at_node, device_at, registration, soon};

mod on_premises {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn register_refresh_and_deregister_with_both_tls_versions() {
        for versions in EACH {
            let estate = Estate::with_versions(versions);
            let server = estate.serve().await;
            let tokens = Arc::new(FixedToken::new(estate.token()));
            let (handle, mut events) = RegistrationClient::new(
                device_at(vec![at_node(&server)]),
                estate.connector(),
                tokens,
            )
            .start();

            let Event::Registered(grant) = registration(&mut events).await else {
                panic!("not registered");
            };
            assert_eq!(grant.node, NODE);
            assert_eq!(grant.granted, Duration::from_secs(120));
            assert!(grant.new_registration);

            // Nothing is due at 114 s; at 115 s the refresh is, and carries the token unasked.
            estate.clock.advance(Duration::from_secs(114));
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(estate.trace.ladder().len(), 4);
            estate.clock.advance(Duration::from_secs(1));
            let event = registration(&mut events).await;
            assert!(matches!(event, Event::Refreshed(_)), "{event:?}");

            handle.stop();
            let event = registration(&mut events).await;
            assert_eq!(event, Event::Deregistered { confirmed: true });
            assert!(soon(events.recv()).await.is_none());
            soon(handle.stopped()).await;

            let register = format!("< REGISTER sip:{NODE} SIP/2.0");
            let register = register.as_str();
            assert_eq!(
                estate.trace.ladder(),
                [
                    register,
                    "> SIP/2.0 407 Proxy Authentication Required",
                    register,
                    "> SIP/2.0 200 OK",
                    register,
                    "> SIP/2.0 200 OK",
                    register,
                    "> SIP/2.0 200 OK",
                ]
            );
            let facts = estate.trace.accepted().remove(0).unwrap();
            assert_eq!(facts.version, Some(versions[0].version));
            assert!(facts.peer.is_none(), "5090 asks for no certificate");
            soon(server.shutdown()).await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_whole_exchange_goes_over_one_connection() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let tokens = Arc::new(FixedToken::new(estate.token()));
        let (_handle, mut events) = RegistrationClient::new(
            device_at(vec![at_node(&server)]),
            estate.connector(),
            tokens,
        )
        .start();
        registration(&mut events).await;
        assert_eq!(estate.trace.accepted().len(), 1);
        assert_eq!(server.connections(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_registration_that_is_not_refreshed_ends_at_the_registrar() {
        let estate = Estate::new();
        let server = estate.serve().await;
        // The client's clock stands still while the registrar's goes on.
        let connector = estate
            .connector()
            .with_clock(sip_oauth_tokio::Clock::real());
        let tokens = Arc::new(FixedToken::new(estate.token()));
        let (_handle, mut events) =
            RegistrationClient::new(device_at(vec![at_node(&server)]), connector, tokens).start();
        registration(&mut events).await;
        estate.clock.advance(Duration::from_secs(121));
        let trace = &estate.trace;
        trace
            .until("the end", |trace| !trace.ended().is_empty())
            .await;
        assert_eq!(trace.ended(), ["1010 KeepAliveTimeout"]);
    }

    /// Who lost the device did not ask to be unregistered.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_registration_that_is_taken_over_is_told_to_have_ended() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let client = |instance: &str| {
            let mut config = device_at(vec![at_node(&server)]);
            config.device.instance = Instance::new(instance).unwrap();
            let tokens = Arc::new(FixedToken::new(estate.token()));
            RegistrationClient::new(config, estate.connector(), tokens).start()
        };
        let (_first, mut of_first) = client("005056aabbcc");
        registration(&mut of_first).await;
        let (second, mut of_second) = client("005056ddeeff");
        let event = registration(&mut of_second).await;
        assert!(matches!(event, Event::Refused(_)), "{event:?}");
        assert_eq!(estate.trace.ended(), [""; 0]);
        second.take_over().unwrap();
        let event = registration(&mut of_second).await;
        assert!(matches!(event, Event::Registered(_)), "{event:?}");
        assert_eq!(estate.trace.ended(), ["1010 DuplicateRegistration"]);
    }
}

mod listeners {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// RFC 3261 section 18.2.1: `received` is added where the host of Via "differs from the packet source address". To a
    /// listener on `[::]` a client of IPv4 comes as `::ffff:127.0.0.1`.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_listener_of_both_families_knows_a_client_of_ipv4_by_its_address() {
        let Ok(both) = tokio::net::TcpListener::bind("[::]:0").await else {
            println!("skipped: dual_stack (no IPv6 here)");
            return;
        };
        let estate = Estate::new();
        let port = both.local_addr().unwrap().port();
        let server =
            RegistrarServer::builder(Arc::clone(&estate.registrar), Arc::clone(&estate.tls))
                .listen_on(Listener::Sip, both)
                .observer(estate.trace.clone())
                .start()
                .await
                .unwrap();
        let mut tcp = tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .unwrap();
        for (host, received) in [("127.0.0.1", ""), ("192.0.2.1", ";received=127.0.0.1")] {
            let via = format!("Via: SIP/2.0/TCP {host}:5060;branch=z9hG4bK1");
            let options = format!(
                "OPTIONS sip:{NODE} SIP/2.0\r\n{via}\r\nFrom: <sip:a@{NODE}>;tag=1\r\n\
                 To: <sip:{NODE}>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\
                 Content-Length: 0\r\n\r\n"
            );
            tcp.write_all(options.as_bytes()).await.unwrap();
            let mut buffer = [0; 4096];
            let read = soon(tcp.read(&mut buffer)).await.unwrap();
            let answer = String::from_utf8_lossy(&buffer[..read]).into_owned();
            assert!(answer.starts_with("SIP/2.0 200 OK\r\n"), "{answer}");
            assert!(
                answer.contains(&format!("\r\n{via}{received}\r\n")),
                "{answer}"
            );
        }
        let [ends, ..] = estate.trace.ends()[..] else {
            panic!("nothing was seen")
        };
        assert_eq!(ends.peer.ip().to_string(), "127.0.0.1");
        assert_eq!(ends.local.to_string(), format!("127.0.0.1:{port}"));
        soon(server.shutdown()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_oauth_device_on_the_plain_port_is_refused_with_the_port_mismatch() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let port = server.local_addr(Listener::Sip).unwrap().port();
        let target = Target::new(NODE, port, Transport::Tcp);
        let tokens = Arc::new(FixedToken::new(estate.token()));
        let (handle, mut events) =
            RegistrationClient::new(device_at(vec![target]), estate.connector(), tokens).start();
        let Event::Refused(refused) = registration(&mut events).await else {
            panic!("not refused");
        };
        assert_eq!(refused.status, 403);
        assert_eq!(
            refused.warning.as_deref(),
            Some("SIP OAuth Registration port Mismatch")
        );
        assert_eq!(refused.retry_after, Some(Duration::from_secs(35)));
        assert_eq!(handle.state(), ClientState::Refused);
        let decisions = estate.trace.decisions();
        assert!(matches!(decisions[0].decision, Decision::Refused(_)));
        // No token went over a connection without protection.
        let messages = estate.trace.messages();
        assert!(
            !messages
                .iter()
                .any(|message| message.contains("Bearer token"))
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_restart_frees_and_takes_the_same_ports_and_the_client_comes_back() {
        let estate = Estate::new();
        let mut server = estate.serve().await;
        let address = server.local_addr(Listener::SipOAuth).unwrap();
        let tokens = Arc::new(FixedToken::new(estate.token()));
        let (handle, mut events) = RegistrationClient::new(
            device_at(vec![at_node(&server)]),
            estate.connector(),
            tokens,
        )
        .start();
        registration(&mut events).await;

        estate.registrar.restart().unwrap();
        soon(server.restart([(Listener::SipOAuth, address)]))
            .await
            .unwrap();
        assert_eq!(server.local_addr(Listener::SipOAuth), Some(address));
        assert_eq!(server.local_addr(Listener::Sip), None);
        loop {
            match registration(&mut events).await {
                Event::Registered(grant) => {
                    assert!(grant.new_registration, "the node lost its state");
                    break;
                }
                // There is no other node; when to come back is the owner's to say.
                Event::AllNodesFailed { .. } => handle.start().unwrap(),
                _ => {}
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_address_that_is_taken_is_named_with_its_listener() {
        let estate = Estate::new();
        let mut server = estate.serve().await;
        let taken = tokio::net::TcpListener::bind(support::loopback(0))
            .await
            .unwrap();
        let address = taken.local_addr().unwrap();
        let restarted = server.restart([
            (Listener::SipOAuth, support::loopback(0)),
            (Listener::SipMraOAuth, address),
        ]);
        let error = soon(restarted).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
        let text = error.to_string();
        let place = format!("SIP Mobile and Remote Access Port: cannot listen on {address}: ");
        assert!(text.starts_with(&place), "{text}");
        assert_eq!(server.local_addr(Listener::SipOAuth), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_listener_may_have_several_addresses() {
        let estate = Estate::new();
        let socket = || tokio::net::TcpListener::bind(support::loopback(0));
        let (first, second) = (socket().await.unwrap(), socket().await.unwrap());
        let ports = [&first, &second].map(|socket| socket.local_addr().unwrap().port());
        let mut server = estate.serve().await;
        soon(server.restart_on([(Listener::SipOAuth, first), (Listener::SipOAuth, second)]))
            .await
            .unwrap();
        for port in ports {
            let connector = estate.connector();
            let connected = connector.connect(NODE, port, Transport::Tls);
            assert!(soon(connected).await.is_ok());
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_listener_takes_a_socket_that_is_bound_already() {
        let estate = Estate::new();
        let socket = tokio::net::TcpListener::bind(support::loopback(0))
            .await
            .unwrap();
        let address = socket.local_addr().unwrap();
        let server = sip_oauth_tokio::RegistrarServer::builder(
            Arc::clone(&estate.registrar),
            Arc::clone(&estate.tls),
        )
        .listen_on(Listener::SipOAuth, socket)
        .start()
        .await
        .unwrap();
        assert_eq!(server.local_addr(Listener::SipOAuth), Some(address));
        soon(server.shutdown()).await;
        // The port is free at once.
        tokio::net::TcpListener::bind(address).await.unwrap();
    }
}

mod tokens {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_refused_token_is_replaced_once() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let (wrong, right) = (estate.token_of("somebody"), estate.token());
        let tokens = Arc::new(token_fn(move |request| {
            let token = if request.is_rejected() {
                &right
            } else {
                &wrong
            };
            let token = token.clone();
            async move { Ok(token) }
        }));
        let (_handle, mut events) = RegistrationClient::new(
            device_at(vec![at_node(&server)]),
            estate.connector(),
            tokens,
        )
        .start();
        let event = registration(&mut events).await;
        assert!(matches!(event, Event::Registered(_)), "{event:?}");
        let challenges = estate.trace.ladder();
        let challenges = challenges.iter().filter(|line| line.contains(" 407 "));
        assert_eq!(challenges.count(), 2);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_source_without_a_token_is_reported_in_its_own_words() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let tokens = Arc::new(token_fn(|_| async {
            Err(TokenUnavailable::new("sign in again"))
        }));
        let (_handle, mut events) = RegistrationClient::new(
            device_at(vec![at_node(&server)]),
            estate.connector(),
            tokens,
        )
        .start();
        let event = soon(events.recv()).await;
        assert!(
            matches!(&event, Some(ClientEvent::TokenUnavailable(why)) if why == "sign in again"),
            "{event:?}"
        );
        let Event::Refused(refused) = registration(&mut events).await else {
            panic!("not refused");
        };
        assert_eq!(refused.gave_up, Some(GaveUp::NoToken));
    }
}

mod keep_alive {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn an_answered_keep_alive_leaves_the_registration_alone() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let tokens = Arc::new(FixedToken::new(estate.token()));
        let (handle, mut events) = RegistrationClient::new(
            device_at(vec![at_node(&server)]),
            estate.connector(),
            tokens,
        )
        .with_keep_alive(Duration::from_millis(20))
        .start();
        registration(&mut events).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(handle.state(), ClientState::Registered);
        assert_eq!(
            estate.trace.ladder().len(),
            4,
            "keep-alives are no messages"
        );
    }
}

mod failover {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_node_that_refuses_connections_is_followed_by_the_next() {
        let estate = Estate::new();
        let server = estate.serve().await;
        // Bound and dropped: nobody listens there.
        let closed = tokio::net::TcpListener::bind(support::loopback(0))
            .await
            .unwrap();
        let port = closed.local_addr().unwrap().port();
        drop(closed);
        let targets = vec![
            Target::new("ucm2.example.com", port, Transport::Tls),
            at_node(&server),
        ];
        let tokens = Arc::new(FixedToken::new(estate.token()));
        let (_handle, mut events) =
            RegistrationClient::new(device_at(targets), estate.connector(), tokens).start();
        let event = registration(&mut events).await;
        assert!(
            matches!(&event, Event::FailedOver { from, to, .. } if from == "ucm2.example.com" && to == NODE),
            "{event:?}"
        );
        let event = registration(&mut events).await;
        assert!(matches!(event, Event::Registered(_)), "{event:?}");
    }

    /// Two listeners of one registrar, as two nodes of a cluster: its bindings are the same.
    #[tokio::test(flavor = "multi_thread")]
    async fn the_standby_connection_takes_the_registration_when_the_node_is_lost() {
        let estate = Estate::new();
        let (first, second) = (estate.serve().await, estate.serve().await);
        let targets = vec![at_node(&first), at_node(&second)];
        let tokens = Arc::new(FixedToken::new(estate.token()));
        let (handle, mut events) =
            RegistrationClient::new(device_at(targets), estate.connector(), tokens).start();
        let event = registration(&mut events).await;
        assert!(matches!(event, Event::Registered(_)), "{event:?}");
        let event = registration(&mut events).await;
        assert!(matches!(event, Event::Reachable { .. }), "{event:?}");
        assert_eq!(second.connections(), 1);
        assert_eq!(
            estate.registrar.store().len(),
            1,
            "a question binds nothing"
        );
        let before = estate.trace.accepted().len();

        first.shutdown().await;
        let event = registration(&mut events).await;
        assert!(matches!(event, Event::FailedOver { .. }), "{event:?}");
        let event = registration(&mut events).await;
        assert!(matches!(event, Event::Registered(_)), "{event:?}");
        assert_eq!(estate.trace.accepted().len(), before, "no new connection");
        assert_eq!(estate.registrar.store().len(), 1);
        handle.stop();
        soon(handle.stopped()).await;
        assert!(estate.registrar.store().is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_is_told_that_the_network_is_gone_waits_until_it_is_back() {
        let estate = Estate::new();
        let server = estate.serve().await;
        let tokens = Arc::new(FixedToken::new(estate.token()));
        let targets = vec![at_node(&server)];
        let (handle, mut events) =
            RegistrationClient::new(device_at(targets), estate.connector(), tokens).start();
        registration(&mut events).await;
        handle.suspend().unwrap();
        soon(async {
            while server.connections() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        assert_eq!(handle.state(), ClientState::Suspended);
        handle.resume().unwrap();
        let event = registration(&mut events).await;
        assert!(matches!(event, Event::Registered(_)), "{event:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn when_no_node_is_left_every_cause_is_told() {
        let estate = Estate::new();
        let targets = vec![Target::new("nowhere.example.com", 5090, Transport::Tls)];
        let tokens = Arc::new(FixedToken::new(estate.token()));
        let (handle, mut events) =
            RegistrationClient::new(device_at(targets), estate.connector(), tokens).start();
        let event = registration(&mut events).await;
        let Event::AllNodesFailed { causes, .. } = event else {
            panic!("{event:?}");
        };
        assert!(
            causes[0].1.to_string().contains("cannot be resolved"),
            "{causes:?}"
        );
        drop(handle);
        // Without a handle nobody can want it any more.
        soon(async { while events.recv().await.is_some() {} }).await;
    }
}
