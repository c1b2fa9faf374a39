//! What its owner tells a client, in whatever order: other nodes, another place, no network, to leave, to take over.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

#[path = "support/bench.rs"]
mod bench;
mod support;

use bench::{Bench, field};
use sip_oauth_registration::client::{ClientState, ConnectionFailure, Event, Target, Transport};
use support::client_config;

/// The hosts that connections were asked for to.
fn connects(bench: &Bench) -> Vec<String> {
    let host = |event: &Event| match event {
        Event::Connect { target, .. } => Some(target.host.clone()),
        _ => None,
    };
    bench.events.iter().filter_map(host).collect()
}

fn nodes(names: &[&str]) -> Vec<Target> {
    let target = |name: &&str| Target::new(name, 5090, Transport::Tls);
    names.iter().map(target).collect()
}

const CHALLENGE: &str = "Proxy-Authenticate: Bearer realm=\"ccmsipline\"\r\n";

mod targets {
    use super::*;

    /// Registered at the first of two nodes, with a connection to the second.
    fn with_a_standby() -> Bench {
        let mut config = client_config();
        config.targets = nodes(&["old1.example.com", "old2.example.com"]);
        let mut bench = Bench::new(config);
        bench.sent();
        bench.answer("200 OK", "Expires: 120\r\n");
        bench.connect();
        assert_eq!(field(&bench.sent(), "Expires"), Some("0"));
        bench.answer("200 OK", "");
        bench.events.clear();
        bench
    }

    /// The refresh is challenged, and there is no other token.
    fn without_a_token() -> Bench {
        let mut bench = with_a_standby();
        bench.at(115);
        bench.sent();
        bench.answer("407 Proxy Authentication Required", CHALLENGE);
        assert_eq!(bench.client.state(), ClientState::AwaitingToken);
        bench.client.token_unavailable();
        bench.poll();
        assert_eq!(bench.client.state(), ClientState::Refused);
        bench
    }

    /// Section 1.3 of the reference: "drop fallback monitors".
    #[test]
    fn who_has_no_token_asks_no_node_any_more() {
        let mut bench = without_a_token();
        assert_eq!(bench.closed(), 1, "the standby's");
        bench.at(100_000);
        assert_eq!(bench.transmit(), None);
        assert_eq!(bench.client.poll_timeout(), None);
    }

    /// A token for a new node must not go over what was opened to an old one.
    #[test]
    fn other_ones_are_reached_over_their_own_connections() {
        let mut bench = without_a_token();
        bench.give_token();
        let others = nodes(&["new1.example.com", "new2.example.com"]);
        bench.client.set_targets(others);
        bench.client.start(bench.now);
        bench.poll();
        assert_eq!(bench.closed(), 2, "nothing old is left open");
        bench.lose(ConnectionFailure::ConnectTimeout);
        assert_eq!(bench.transmit(), None);
        assert_eq!(
            connects(&bench),
            ["new1.example.com", "new2.example.com"],
            "none of them is taken for an old one"
        );
        bench.connect();
        assert!(bench.sent().starts_with("REGISTER sip:new2.example.com "));
    }

    #[test]
    fn wait_while_a_registration_is_in_force_or_about_to_be() {
        let others = || nodes(&["new1.example.com"]);
        let mut bench = with_a_standby();
        bench.client.set_targets(others());
        bench.at(115);
        assert!(bench.sent().starts_with("REGISTER sip:old1.example.com "));
        bench.answer("200 OK", "Expires: 120\r\n");
        bench.client.deregister(bench.now);
        bench.sent();
        bench.answer("200 OK", "");
        bench.events.clear();
        bench.client.start(bench.now);
        bench.poll();
        assert_eq!(connects(&bench), ["new1.example.com"]);
    }

    #[test]
    fn are_those_of_the_next_round_after_all_failed() {
        let mut config = client_config();
        config.options.restart_after_failure = Some(std::time::Duration::from_secs(60));
        let mut bench = Bench::new(config);
        bench.sent();
        bench.client.set_targets(nodes(&["new1.example.com"]));
        bench.at(32);
        assert_eq!(bench.client.state(), ClientState::Failed);
        bench.events.clear();
        bench.at(92);
        assert_eq!(connects(&bench), ["new1.example.com"]);
    }

    #[test]
    fn wait_for_what_a_refusal_was_to_be_followed_by() {
        let mut bench = Bench::new(client_config());
        bench.sent();
        bench.answer("503 Service Unavailable", "Retry-After: 35\r\n");
        bench.client.set_targets(nodes(&["new1.example.com"]));
        bench.at(35);
        assert!(bench.sent().starts_with("REGISTER sip:ucm1.example.com "));
    }
}

mod leaving {
    use super::*;

    /// What is left of a registration whose refresh was refused: the binding made before, which a refusal does not remove.
    fn refused(status: &str) -> Bench {
        let mut bench = Bench::registered(client_config());
        bench.at(115);
        bench.sent();
        bench.answer(status, "Retry-After: 35\r\n");
        assert_eq!(bench.client.state(), ClientState::Refused);
        bench
    }

    #[test]
    fn the_binding_of_a_refused_refresh_is_removed() {
        let mut bench = refused("503 Service Unavailable");
        bench.client.deregister(bench.now);
        let goodbye = bench.sent();
        assert_eq!(field(&goodbye, "Expires"), Some("0"));
        assert!(field(&goodbye, "Proxy-Authorization").is_some());
        bench.answer("200 OK", "");
        let left = Event::Deregistered { confirmed: true };
        assert_eq!(bench.events.last(), Some(&left));
        assert_eq!(bench.client.state(), ClientState::Idle);
    }

    #[test]
    fn it_is_removed_as_well_where_the_refusal_comes_while_leaving() {
        let mut bench = Bench::registered(client_config());
        bench.at(115);
        bench.sent();
        bench.client.deregister(bench.now);
        bench.answer("503 Service Unavailable", "Retry-After: 35\r\n");
        assert_eq!(field(&bench.sent(), "Expires"), Some("0"));
    }

    #[test]
    fn one_that_is_over_is_not() {
        let mut bench = refused("503 Service Unavailable");
        bench.at(120);
        bench.client.deregister(bench.now);
        assert_eq!(bench.transmit(), None);
        assert_eq!(bench.client.state(), ClientState::Idle);
    }

    #[test]
    fn who_was_never_registered_has_nothing_to_remove() {
        let mut bench = Bench::new(client_config());
        bench.sent();
        bench.answer("503 Service Unavailable", "Retry-After: 35\r\n");
        bench.client.deregister(bench.now);
        assert_eq!(bench.transmit(), None);
        assert_eq!(bench.client.state(), ClientState::Idle);
    }

    #[test]
    fn who_starts_again_before_it_is_out_registers_afterwards() {
        let mut bench = Bench::registered(client_config());
        bench.client.deregister(bench.now);
        bench.sent();
        bench.client.start(bench.now);
        assert_eq!(bench.transmit(), None, "one request at a time");
        bench.answer("200 OK", "");
        bench.connect();
        assert_eq!(field(&bench.sent(), "Expires"), Some("3600"));
    }
}

mod network {
    use super::*;

    #[test]
    fn when_it_is_lost_nothing_is_tried_and_when_it_is_back_everything_is() {
        let mut bench = Bench::registered(client_config());
        bench.at(60);
        bench.client.suspend();
        bench.poll();
        assert_eq!(bench.closed(), 1);
        assert_eq!(bench.client.state(), ClientState::Suspended);
        assert_eq!(bench.client.poll_timeout(), None);
        bench.at(5000);
        assert_eq!(bench.transmit(), None);
        bench.client.start(bench.now);
        assert_eq!(
            bench.client.state(),
            ClientState::Suspended,
            "there is no network"
        );
        bench.client.resume(bench.now);
        bench.connect();
        assert_eq!(field(&bench.sent(), "Expires"), Some("3600"));
        bench.client.resume(bench.now);
        assert_eq!(
            bench.client.state(),
            ClientState::Registering,
            "a second time does nothing"
        );
    }

    #[test]
    fn a_client_that_is_leaving_has_left_when_it_is_lost() {
        let mut bench = Bench::registered(client_config());
        bench.client.deregister(bench.now);
        bench.client.suspend();
        bench.poll();
        assert_eq!(bench.client.state(), ClientState::Idle);
        assert_eq!(
            bench.events.last(),
            Some(&Event::Deregistered { confirmed: false })
        );
        bench.client.resume(bench.now);
        assert_eq!(bench.client.state(), ClientState::Idle);
    }
}

mod place {
    use super::*;

    fn mra() -> Vec<Target> {
        vec![
            Target::new("ucm1.example.com", 5090, Transport::Tls)
                .through("edge.example.com", 5061)
                .with_route("<sip:198.51.100.7:5061;transport=tls;lr>"),
        ]
    }

    #[test]
    fn from_on_premises_to_mra_and_back() {
        let mut bench = Bench::registered(client_config());
        for (targets, host, routed) in [
            (mra(), "edge.example.com", true),
            (client_config().targets, "ucm1.example.com", false),
        ] {
            bench.client.relocate(targets, bench.now);
            let goodbye = bench.sent();
            assert_eq!(field(&goodbye, "Expires"), Some("0"));
            assert_eq!(
                field(&goodbye, "Route").is_some(),
                !routed,
                "over the old way"
            );
            bench.events.clear();
            bench.answer("200 OK", "");
            assert!(
                bench
                    .events
                    .contains(&Event::Deregistered { confirmed: true })
            );
            let connect = bench.events.iter().find_map(|event| match event {
                Event::Connect { target, .. } => Some(target.host.clone()),
                _ => None,
            });
            assert_eq!(connect.as_deref(), Some(host));
            bench.connect();
            let hello = bench.sent();
            assert_eq!(field(&hello, "Route").is_some(), routed);
            bench.answer("200 OK", "Expires: 120\r\n");
            assert_eq!(bench.client.state(), ClientState::Registered);
        }
    }

    #[test]
    fn where_the_old_one_is_out_of_reach_nobody_waits_for_it() {
        let mut bench = Bench::registered(client_config());
        bench.client.suspend();
        bench.client.relocate(mra(), bench.now);
        bench.client.resume(bench.now);
        bench.connect();
        assert!(field(&bench.sent(), "Route").is_some());
    }

    /// Idle, and at the edge with the next start.
    fn assert_out_and_next_at_the_edge(bench: &mut Bench) {
        assert_eq!(bench.client.state(), ClientState::Idle);
        bench.events.clear();
        bench.client.start(bench.now);
        bench.poll();
        assert_eq!(connects(bench), ["edge.example.com"]);
    }

    #[test]
    fn who_leaves_in_the_middle_of_a_move_does_not_come_back() {
        let mut bench = Bench::registered(client_config());
        bench.client.relocate(mra(), bench.now);
        bench.client.deregister(bench.now);
        bench.sent();
        bench.answer("200 OK", "");
        assert_out_and_next_at_the_edge(&mut bench);
    }

    #[test]
    fn who_moves_while_leaving_does_not_come_back_either() {
        let mut bench = Bench::registered(client_config());
        bench.client.deregister(bench.now);
        bench.client.relocate(mra(), bench.now);
        bench.sent();
        bench.answer("200 OK", "");
        assert_out_and_next_at_the_edge(&mut bench);
        // The same where the answer to a refresh comes first.
        let mut bench = Bench::registered(client_config());
        bench.at(115);
        bench.sent();
        bench.client.deregister(bench.now);
        bench.client.relocate(mra(), bench.now);
        bench.answer("200 OK", "Expires: 120\r\n");
        assert_eq!(field(&bench.sent(), "Expires"), Some("0"));
        bench.answer("200 OK", "");
        assert_out_and_next_at_the_edge(&mut bench);
    }

    #[test]
    fn a_network_lost_in_the_middle_of_a_move_leaves_it_to_the_resumption() {
        for refreshing in [false, true] {
            let mut bench = Bench::registered(client_config());
            if refreshing {
                bench.at(115);
                bench.sent();
            }
            bench.client.relocate(mra(), bench.now);
            bench.client.suspend();
            bench.poll();
            assert_eq!(bench.client.state(), ClientState::Suspended);
            bench.client.resume(bench.now);
            bench.connect();
            assert!(field(&bench.sent(), "Route").is_some());
        }
    }
}

mod ownership {
    use super::*;

    const IN_USE: &str =
        "Warning: 399 ucm1.example.com \"Registration is active for another client\"\r\n";

    #[test]
    fn a_device_in_use_is_taken_over_when_the_person_says_so() {
        let mut bench = Bench::new(client_config());
        let first = bench.sent();
        assert!(field(&first, "Reason").unwrap().contains("cisco-alarm:25 "));
        bench.answer("403 Forbidden", IN_USE);
        let Some(Event::Refused(refused)) = bench.events.last() else {
            panic!("{:?}", bench.events)
        };
        let entry = refused.entry().expect("one row fits");
        assert_eq!(
            entry.refusal,
            sip_oauth_registration::Refusal::ActiveElsewhere
        );
        assert_eq!(bench.transmit(), None, "not by itself");

        bench.client.take_over(bench.now);
        let forced = bench.sent();
        let reason = field(&forced, "Reason").unwrap();
        assert!(reason.contains("cisco-alarm:111 "), "{reason}");
        assert!(
            reason.contains("Last=Application-Requested-Destroy"),
            "{reason}"
        );
        bench.answer("200 OK", "Expires: 120\r\n");
        assert_eq!(bench.client.state(), ClientState::Registered);
        bench.client.take_over(bench.now);
        assert_eq!(bench.transmit(), None, "it has the device already");
    }

    /// The person answers while the network is gone: it is not forgotten, or the registrar would have them asked once more.
    #[test]
    fn one_that_is_wanted_while_the_network_is_gone_comes_when_it_is_back() {
        let mut bench = Bench::new(client_config());
        bench.sent();
        bench.answer("403 Forbidden", IN_USE);
        bench.client.suspend();
        bench.client.take_over(bench.now);
        assert_eq!(bench.client.state(), ClientState::Suspended);
        assert_eq!(bench.transmit(), None);
        bench.client.resume(bench.now);
        bench.connect();
        let forced = bench.sent();
        let reason = field(&forced, "Reason").unwrap();
        assert!(reason.contains("cisco-alarm:111 "), "{reason}");
    }

    /// It was said of that registration at that cluster.
    #[test]
    fn one_that_was_wanted_is_forgotten_with_the_registration_or_the_cluster() {
        let leave = |bench: &mut Bench| {
            bench.client.deregister(bench.now);
            bench.client.start(bench.now);
        };
        let move_on = |bench: &mut Bench| {
            bench.client.set_targets(nodes(&["new1.example.com"]));
            bench.client.resume(bench.now);
        };
        for forget in [&leave as &dyn Fn(&mut Bench), &move_on] {
            let mut bench = Bench::new(client_config());
            bench.sent();
            bench.answer("403 Forbidden", IN_USE);
            bench.client.suspend();
            bench.client.take_over(bench.now);
            forget(&mut bench);
            bench.connect();
            let next = bench.sent();
            let reason = field(&next, "Reason").unwrap_or_default();
            assert!(!reason.contains("cisco-alarm:111 "), "{reason}");
        }
    }

    #[test]
    fn a_client_that_was_taken_over_does_not_take_it_back() {
        let mut bench = Bench::registered(client_config());
        bench.at(115);
        bench.sent();
        bench.answer("403 Forbidden", IN_USE);
        bench.at(10_000);
        assert_eq!(bench.client.state(), ClientState::Refused);
        assert_eq!(bench.transmit(), None);
    }
}
