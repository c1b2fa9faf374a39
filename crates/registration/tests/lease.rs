//! A registration over time: "at 114 s nothing, at 115 s this REGISTER".

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that fails says so by panicking, one that is skipped by printing"
)]

mod support;

use std::time::Duration;

use sip_oauth_registration::client::{
    ClientState, ConnectionFailure, Event, GaveUp, PresentToken, ProvideTokenError, Target,
    TokenReason, Transport,
};
use sip_oauth_registration::registrar::{BindingStore, Decision, Listener};
use sip_oauth_token::AccessToken;
use support::{NODE, Pair, Path, USER, client_config, registrar, token_of, wall};

fn registered() -> Pair {
    let mut pair = Pair::new();
    pair.start();
    assert_eq!(pair.client.state(), ClientState::Registered);
    pair.take_events();
    pair.sent.clear();
    pair.answers.clear();
    pair
}

mod refresh {
    use super::*;

    #[test]
    fn at_114_s_nothing_at_115_s_a_register_with_the_token() {
        let mut pair = registered();
        pair.advance_to(114);
        assert!(pair.sent.is_empty());
        pair.advance_to(115);
        assert_eq!(pair.statuses(), [200], "no challenge: the token came along");
        assert!(pair.request(0).headers.get("Proxy-Authorization").is_some());
        assert!(
            pair.request(0).headers.get("Reason").is_none(),
            "reported once"
        );
        let events = pair.take_events();
        assert!(
            matches!(&events[..], [Event::Refreshed(grant)] if !grant.new_registration),
            "{events:?}"
        );
        assert!(
            pair.answer(0)
                .headers
                .get("Contact")
                .is_some_and(|contact| !contact.contains("newreg"))
        );
        pair.advance_to(230);
        assert_eq!(pair.sent.len(), 2, "115 s after the refresh");
    }

    #[test]
    fn without_the_token_a_refresh_is_challenged_again() {
        let mut config = client_config();
        config.options.present_token = PresentToken::Challenged;
        let mut pair = Pair::with(config, registrar(), Path::Direct(Listener::SipOAuth));
        pair.start();
        pair.advance_to(115);
        assert_eq!(pair.statuses(), [407, 200, 407, 200]);
    }

    #[test]
    fn an_hour_of_refreshes_keeps_one_binding() {
        let mut pair = registered();
        pair.advance_to(1800);
        assert_eq!(pair.sent.len(), 15);
        assert_eq!(
            pair.registrar.store().of_device("CSFJDOE").unwrap().len(),
            1
        );
        assert_eq!(pair.client.state(), ClientState::Registered);
    }

    #[test]
    fn a_node_that_restarted_is_reported_as_having_lost_its_state() {
        let mut pair = registered();
        pair.registrar.restart().unwrap();
        pair.advance_to(115);
        let events = pair.take_events();
        assert!(
            matches!(&events[..], [Event::Refreshed(grant)] if grant.new_registration),
            "{events:?}"
        );
    }

    #[test]
    fn a_registration_not_refreshed_ends_at_the_registrar() {
        let pair = registered();
        assert!(
            pair.registrar
                .expire(wall() + Duration::from_secs(119))
                .unwrap()
                .is_empty()
        );
        let ended = pair
            .registrar
            .expire(wall() + Duration::from_secs(120))
            .unwrap();
        assert_eq!(
            ended[0].cause,
            sip_oauth_registration::Unregistration::KeepAliveTimeout
        );
    }
}

mod lapse {
    use super::*;

    #[test]
    fn at_120_s_without_an_answer_the_registration_is_over_and_at_147_s_the_node_is_silent() {
        let mut pair = registered();
        pair.path = Path::Silence;
        pair.advance_to(119);
        assert!(pair.client.is_registered());
        assert!(pair.take_events().is_empty());
        pair.advance_to(120);
        assert!(!pair.client.is_registered());
        assert!(matches!(&pair.take_events()[..], [Event::Lapsed { node }] if node == NODE));
        pair.advance_to(146);
        assert_eq!(pair.client.state(), ClientState::Registering);
        assert!(pair.take_events().is_empty());
        pair.advance_to(147);
        let events = pair.take_events();
        assert!(
            matches!(
                &events[..],
                [
                    Event::Close { .. },
                    Event::Reconnecting {
                        cause: ConnectionFailure::NoResponse,
                        ..
                    },
                    Event::Connect { .. }
                ]
            ),
            "{events:?}"
        );
    }
}

mod deregistration {
    use super::*;

    #[test]
    fn expires_0_and_the_connection_is_closed() {
        let mut pair = registered();
        pair.client.deregister(pair.now());
        pair.drive();
        assert_eq!(pair.request(0).headers.get("Expires"), Some("0"));
        let last = pair.decisions.last().unwrap();
        assert_eq!(
            last.observation.decision,
            Decision::Unregistered { removed: 1 }
        );
        let events = pair.take_events();
        assert!(
            matches!(
                &events[..],
                [Event::Close { .. }, Event::Deregistered { confirmed: true }]
            ),
            "{events:?}"
        );
        assert_eq!(pair.client.state(), ClientState::Idle);
        assert_eq!(pair.client.poll_timeout(), None);
    }

    #[test]
    fn silence_is_not_waited_for_longer_than_timer_f() {
        let mut pair = registered();
        pair.path = Path::Silence;
        pair.client.deregister(pair.now());
        pair.drive();
        pair.advance_to(31);
        assert!(pair.take_events().is_empty());
        pair.advance_to(32);
        let events = pair.take_events();
        assert!(
            matches!(
                &events[..],
                [
                    Event::Close { .. },
                    Event::Deregistered { confirmed: false }
                ]
            ),
            "{events:?}"
        );
    }

    #[test]
    fn waits_for_the_answer_that_is_under_way() {
        let mut pair = registered();
        pair.path = Path::Silence;
        pair.advance_to(115);
        pair.client.deregister(pair.now());
        pair.drive();
        assert_eq!(pair.sent.len(), 1, "one request at a time");
        assert_eq!(pair.client.state(), ClientState::Refreshing);
    }
}

mod token {
    use super::*;

    #[test]
    fn a_refused_token_is_never_presented_twice() {
        let mut pair = Pair::new();
        let wrong = token_of("mallory", wall());
        pair.tokens = vec![wrong.clone(), token_of(USER, wall())];
        pair.start();
        assert_eq!(pair.statuses(), [407, 407, 200]);
        let reasons: Vec<_> = pair
            .events
            .iter()
            .filter_map(|event| match event {
                Event::TokenNeeded { reason, .. } => Some(*reason),
                _ => None,
            })
            .collect();
        assert_eq!(reasons, [TokenReason::Challenged, TokenReason::Rejected]);
        let now = pair.now();
        assert_eq!(
            pair.client.provide_token(wrong, None, now),
            Err(ProvideTokenError::AlreadyRefused)
        );
    }

    #[test]
    fn three_tries_and_no_more() {
        let mut pair = Pair::new();
        pair.tokens = ["a", "b", "c", "d"]
            .iter()
            .map(|user| token_of(user, wall()))
            .collect();
        pair.start();
        assert_eq!(pair.statuses(), [407, 407, 407, 407]);
        assert_eq!(pair.tokens.len(), 1);
        assert!(matches!(
            pair.events.last(),
            Some(Event::Refused(refused)) if refused.gave_up == Some(GaveUp::TooManyChallenges)
        ));
    }

    #[test]
    fn a_new_one_is_asked_for_at_three_quarters_and_used_by_the_next_refresh() {
        let mut pair = Pair::new();
        pair.expires_in = Some(Duration::from_secs(400));
        pair.start();
        let first = pair
            .request(1)
            .headers
            .get("Proxy-Authorization")
            .unwrap()
            .to_owned();
        pair.advance_to(299);
        pair.take_events();
        pair.tokens = vec![token_of(USER, pair.wall())];
        pair.advance_to(300);
        assert!(matches!(
            pair.take_events()[..],
            [Event::TokenNeeded {
                reason: TokenReason::Renewal,
                ..
            }]
        ));
        assert!(pair.tokens.is_empty());
        pair.advance_to(345);
        let last = pair.request(pair.sent.len() - 1);
        assert_ne!(
            last.headers.get("Proxy-Authorization"),
            Some(first.as_str())
        );
        assert_eq!(pair.client.state(), ClientState::Registered);
    }

    /// RFC 6749 section 5.1, `expires_in`: a server that answers 0 each time is asked twice a minute, and the registration
    /// goes on.
    #[test]
    fn one_without_a_life_is_not_asked_for_without_rest() {
        let mut pair = Pair::new();
        pair.expires_in = Some(Duration::from_secs(400));
        pair.start();
        pair.expires_in = Some(Duration::ZERO);
        pair.advance_to(299);
        pair.take_events();
        pair.tokens = (0..1000)
            .map(|number| AccessToken::parse(&format!("number-{number}")).unwrap())
            .collect();
        pair.advance_to(320);
        assert_eq!(pair.tokens.len(), 999, "at 300 s");
        pair.advance_to(344);
        assert_eq!(pair.tokens.len(), 998, "at 330 s");
        assert_eq!(pair.client.state(), ClientState::Registered);
    }

    #[test]
    fn refused_in_mid_lease_it_is_replaced_and_the_lease_goes_on() {
        let mut pair = registered();
        let other = sip_oauth_token::issue::AuthorizationServer::new(
            "5c1e7f20-93ab-4d6e-8a57-1f0b2c3d4e5f",
        )
        .unwrap();
        let verifier = sip_oauth_token::Verifier::new(other.key_set(), other.policy());
        pair.registrar.set_verifier(std::sync::Arc::new(verifier));
        let issued = other.issue_access(USER, "C1", &[], wall()).unwrap();
        pair.tokens = vec![issued.token];
        pair.advance_to(115);
        assert_eq!(pair.statuses(), [407, 200]);
        assert!(matches!(
            pair.take_events()[..],
            [
                Event::TokenNeeded {
                    reason: TokenReason::Rejected,
                    ..
                },
                Event::Refreshed(_)
            ]
        ));
    }

    #[test]
    fn without_any_the_registration_is_given_up_when_the_caller_says_so() {
        let mut pair = Pair::new();
        pair.tokens.clear();
        pair.start();
        assert_eq!(pair.client.state(), ClientState::AwaitingToken);
        assert_eq!(
            pair.client.poll_timeout(),
            None,
            "a person may be signing in"
        );
        pair.client.token_unavailable();
        pair.drive();
        assert!(matches!(
            pair.events.last(),
            Some(Event::Refused(refused)) if refused.gave_up == Some(GaveUp::NoToken)
        ));
    }

    #[test]
    fn it_is_not_sent_over_a_connection_without_tls() {
        let mut config = client_config();
        config.targets = vec![Target::new(NODE, 5060, Transport::Tcp)];
        let mut pair = Pair::with(config, registrar(), Path::Direct(Listener::SipOAuth));
        pair.start();
        assert_eq!(pair.statuses(), [407]);
        assert!(matches!(
            pair.events.last(),
            Some(Event::Refused(refused)) if refused.gave_up == Some(GaveUp::TokenWithoutTls)
        ));
    }
}

mod fail_over {
    use super::*;

    fn three_nodes() -> Pair {
        let mut config = client_config();
        config.targets = ["a.example.com", NODE, "c.example.com"]
            .map(|node| Target::new(node, 5090, Transport::Tls))
            .to_vec();
        Pair::with(config, registrar(), Path::Direct(Listener::SipOAuth))
    }

    #[test]
    fn a_node_out_of_reach_leads_to_the_next() {
        let mut pair = three_nodes();
        pair.unreachable = vec!["a.example.com".to_owned()];
        pair.start();
        assert_eq!(pair.client.node(), Some(NODE));
        assert!(pair.client.is_registered());
        assert!(pair.events.iter().any(|event| matches!(
            event,
            Event::FailedOver { from, to, cause: ConnectionFailure::Refused(_) } if from == "a.example.com" && to == NODE
        )));
    }

    #[test]
    fn a_refusal_does_not() {
        // The node in front is one the cluster does not know: it answers 404.
        let mut pair = three_nodes();
        pair.start();
        assert_eq!(pair.statuses(), [404]);
        assert_eq!(pair.client.state(), ClientState::Refused);
        assert!(
            !pair
                .events
                .iter()
                .any(|event| matches!(event, Event::FailedOver { .. }))
        );
    }

    #[test]
    fn silence_for_32_s_does() {
        let mut pair = three_nodes();
        pair.unreachable = vec!["a.example.com".to_owned(), "c.example.com".to_owned()];
        pair.path = Path::Silence;
        pair.start();
        pair.advance_to(31);
        assert_eq!(pair.client.state(), ClientState::Registering);
        pair.advance_to(32);
        let Some(Event::AllNodesFailed {
            causes,
            restart_at: None,
        }) = pair.events.last()
        else {
            panic!("{:?}", pair.events)
        };
        let nodes: Vec<_> = causes.iter().map(|(node, _)| node.as_str()).collect();
        assert_eq!(nodes, ["a.example.com", NODE, "c.example.com"]);
        assert_eq!(causes[1].1, ConnectionFailure::NoResponse);
    }

    #[test]
    fn a_lost_connection_is_made_again_when_there_is_no_other_node() {
        let mut pair = registered();
        let Some(Event::Connect { connection, .. }) = ({
            let mut fresh = Pair::new();
            fresh.start();
            fresh.take_events().into_iter().next()
        }) else {
            panic!("no connection")
        };
        pair.client
            .handle_disconnected(connection, ConnectionFailure::Closed, pair.now());
        pair.drive();
        let events = pair.take_events();
        assert!(
            matches!(&events[0], Event::Reconnecting { node, .. } if node == NODE),
            "{events:?}"
        );
        assert!(pair.client.is_registered());
        let reason = pair.request(0).headers.get("Reason").unwrap().to_owned();
        assert!(
            reason.contains("cisco-alarm:14") && reason.contains("Last=cm-closed-tcp"),
            "{reason}"
        );
    }

    #[test]
    fn a_node_that_drops_every_registration_is_not_asked_for_ever() {
        let mut pair = Pair::new();
        pair.start();
        for _ in 0..3 {
            let mut connections = pair
                .take_events()
                .into_iter()
                .filter_map(|event| match event {
                    Event::Connect { connection, .. } => Some(connection),
                    _ => None,
                });
            let Some(connection) = connections.next_back() else {
                break;
            };
            let now = pair.now();
            pair.client
                .handle_disconnected(connection, ConnectionFailure::Closed, now);
            pair.drive();
        }
        assert_eq!(pair.client.state(), ClientState::Failed);
        assert_eq!(
            pair.statuses(),
            [407, 200, 407, 200],
            "registered twice, then given up"
        );
    }

    #[test]
    fn all_nodes_are_tried_again_where_that_is_wanted() {
        let mut config = client_config();
        config.options.restart_after_failure = Some(Duration::from_secs(60));
        let mut pair = Pair::with(config, registrar(), Path::Direct(Listener::SipOAuth));
        pair.unreachable = vec![NODE.to_owned()];
        pair.start();
        assert_eq!(pair.client.state(), ClientState::Failed);
        pair.unreachable.clear();
        pair.advance_to(59);
        assert_eq!(pair.client.state(), ClientState::Failed);
        pair.advance_to(60);
        assert_eq!(pair.client.state(), ClientState::Registered);
    }

    #[test]
    fn a_connection_may_take_8_s() {
        let mut client = sip_oauth_registration::client::Client::new(
            client_config(),
            sip_oauth_registration::Seeded::new(1),
        );
        let now = std::time::Instant::now();
        client.start(now);
        assert_eq!(client.poll_timeout(), Some(now + Duration::from_secs(8)));
        client.handle_timeout(now + Duration::from_secs(8));
        assert_eq!(client.state(), ClientState::Failed);
    }
}

mod retry_after {
    use super::*;

    #[test]
    fn a_mismatch_is_tried_again_after_35_s_and_not_before() {
        let mut pair = Pair::with(client_config(), registrar(), Path::Direct(Listener::Sip));
        pair.start();
        assert_eq!(pair.statuses(), [403]);
        pair.path = Path::Direct(Listener::SipOAuth);
        pair.advance_to(34);
        assert_eq!(pair.sent.len(), 1);
        pair.advance_to(35);
        assert_eq!(pair.statuses(), [403, 407, 200]);
    }

    #[test]
    fn of_0_s_is_waited_out_for_a_second() {
        let mut client = Pair::new().client;
        let now = std::time::Instant::now();
        client.start(now);
        let Some(Event::Connect { connection, .. }) = client.poll_event() else {
            panic!("no Connect")
        };
        client.handle_connected(connection, support::local(), now);
        let mut out = Vec::new();
        client.poll_transmit(wall(), &mut out).unwrap();
        let answer = support::answer_to(&out, "503 Service Unavailable", "Retry-After: 0\r\n");
        client.handle_message(connection, &answer, now);
        assert_eq!(client.state(), ClientState::Refused);
        assert_eq!(client.poll_timeout(), Some(now + Duration::from_secs(1)));
    }

    #[test]
    fn after_it_every_node_may_be_tried_again() {
        let mut config = client_config();
        config.targets = ["a.example.com", NODE]
            .map(|node| Target::new(node, 5090, Transport::Tls))
            .to_vec();
        let mut pair = Pair::with(config, registrar(), Path::Direct(Listener::Sip));
        pair.unreachable = vec!["a.example.com".to_owned()];
        pair.start();
        assert_eq!(pair.statuses(), [403]);
        pair.unreachable.clear();
        pair.path = Path::Silence;
        pair.advance_to(35 + 32);
        assert!(
            pair.events.iter().any(|event| matches!(
                event,
                Event::FailedOver { from, to, .. } if from == NODE && to == "a.example.com"
            )),
            "{:?}",
            pair.events
        );
    }
}
