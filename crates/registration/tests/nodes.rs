//! Several nodes: the standby, fail-over over its connection, fall-back, a crash, and weather of every kind.
//!
//! The times are those of the reference: a question to the standby every 120 s, a better node that was there for 120 s, a
//! refresh 5 s before 120 s are over.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;
#[path = "support/world.rs"]
mod world;

use std::time::Duration;

use sip_oauth_registration::client::{Client, ClientState, OtherNodes, ProvideTokenError};
use support::{token_of, wall};
use world::{Manner, Weather, World, node_name};

fn lines(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    expected
        .iter()
        .map(|(at, what)| (*at, (*what).to_owned()))
        .collect()
}

/// Both REGISTERs of a registration: the challenge comes between them.
const TWICE_TO_1: [(u64, &str); 2] = [(0, "REGISTER ucm1 3600"), (0, "REGISTER ucm1 3600")];

mod standby {
    use super::*;

    #[test]
    fn the_next_node_is_asked_with_expires_0_every_120_s() {
        let mut world = World::new(3, 1, 1);
        world.start_all();
        world.run_to(114);
        let mut expected = lines(&TWICE_TO_1);
        expected.extend(lines(&[
            (0, "registered ucm1"),
            (0, "REGISTER ucm2 0"),
            (0, "REGISTER ucm2 0"),
            (0, "reachable ucm2"),
        ]));
        assert_eq!(world.take_log(0), expected);
        world.run_to(119);
        assert_eq!(world.take_log(0), lines(&[(115, "REGISTER ucm1 3600")]));
        world.run_to(120);
        // It has shown that it takes a token: no challenge any more.
        assert_eq!(world.take_log(0), lines(&[(120, "REGISTER ucm2 0")]));
        assert_eq!(world.bindings(0).len(), 1, "a keep-alive binds nothing");
        assert_eq!(world.bindings(0)[0].node, node_name(0));
    }

    #[test]
    fn a_fail_over_uses_its_connection() {
        let mut world = World::new(3, 1, 1);
        world.start_all();
        world.run_to(10);
        world.take_log(0);
        let before = world.connections;
        world.crash(0);
        world.run_to(11);
        let log = world.take_log(0);
        assert_eq!(
            log[..3],
            lines(&[
                (10, "REGISTER ucm2 3600"),
                (10, "failed over ucm1 ucm2"),
                (10, "REGISTER ucm2 3600"),
            ])
        );
        assert_eq!(log[3], (10, "registered ucm2".to_owned()));
        // One to the new standby, one to the node that failed; none to the node that was standby.
        assert_eq!(world.connections, before + 2);
        assert_eq!(world.bindings(0).len(), 1);
        assert_eq!(world.bindings(0)[0].node, node_name(1));
    }

    /// What a node refused while it was only asked holds when the registration comes to it.
    #[test]
    fn one_that_refused_the_token_is_not_shown_it_again_after_a_fail_over() {
        let mut world = World::new(2, 1, 1);
        world.nodes[1].manner = Manner::RefusesTokens;
        let token = token_of("user0", wall());
        let held = token.clone();
        world.act(0, |client, now| {
            client.provide_token(held, None, now).unwrap();
        });
        world.start_all();
        world.run_to(10);
        assert_eq!(world.clients[0].state(), ClientState::Registered);
        world.take_log(0);
        world.crash(0);
        world.run_to(11);
        let expected = lines(&[
            (10, "failed over ucm1 ucm2"),
            (10, "REGISTER ucm2 3600"),
            (10, "token needed: Rejected"),
        ]);
        let log = world.take_log(0);
        assert_eq!(
            log.iter().filter(|line| expected.contains(line)).count(),
            3,
            "{log:?}"
        );
        world.act(0, |client, now| {
            let error = ProvideTokenError::AlreadyRefused;
            assert_eq!(client.provide_token(token, None, now), Err(error));
        });
        // Another one is shown it, and refused for itself.
        let another = token_of("user0", wall() + Duration::from_secs(1));
        world.act(0, |client, now| {
            client.provide_token(another, None, now).unwrap();
        });
        world.run_to(11);
        assert!(
            world
                .take_log(0)
                .contains(&(11, "token needed: Rejected".to_owned()))
        );
    }

    #[test]
    fn one_that_is_out_of_reach_is_told_once_and_asked_on() {
        let mut world = World::new(2, 1, 1);
        world.crash(1);
        world.start_all();
        world.run_to(300);
        let log = world.take_log(0);
        let told = log.iter().filter(|(_, what)| what == "unreachable ucm2");
        assert_eq!(told.count(), 1, "{log:?}");
        world.come_back(1);
        world.run_to(359);
        assert!(
            !world
                .take_log(0)
                .contains(&(360, "reachable ucm2".to_owned()))
        );
        world.run_to(360);
        assert!(
            world
                .take_log(0)
                .contains(&(360, "reachable ucm2".to_owned()))
        );
        assert_eq!(world.clients[0].state(), ClientState::Registered);
    }

    #[test]
    fn one_that_is_silent_is_given_up_after_32_s_and_the_registration_is_not() {
        let mut world = World::new(2, 1, 1);
        world.nodes[1].manner = Manner::Silent;
        world.start_all();
        world.run_to(31);
        assert!(
            !world
                .take_log(0)
                .contains(&(32, "unreachable ucm2".to_owned()))
        );
        world.run_to(32);
        assert!(
            world
                .take_log(0)
                .contains(&(32, "unreachable ucm2".to_owned()))
        );
        assert_eq!(world.clients[0].state(), ClientState::Registered);
    }

    #[test]
    fn is_left_alone_where_that_is_wanted() {
        let mut world = World::with(3, 1, 1, |config| {
            config.options.other_nodes = OtherNodes::Ignored;
        });
        world.start_all();
        world.run_to(600);
        assert_eq!(world.connections, 1);
    }
}

mod fall_back {
    use super::*;

    #[test]
    fn a_better_node_that_was_there_for_120_s_takes_the_registration_back() {
        let mut world = World::new(3, 1, 1);
        world.crash(0);
        world.start_all();
        world.run_to(200);
        assert_eq!(world.bindings(0)[0].node, node_name(1));
        world.come_back(0);
        world.take_log(0);
        // Asked at 0, 120, 240: good since 240, for 120 s at 360.
        world.run_to(359);
        let log = world.take_log(0);
        assert!(log.contains(&(240, "reachable ucm1".to_owned())), "{log:?}");
        assert!(
            !log.iter().any(|(_, what)| what.starts_with("falling")),
            "{log:?}"
        );
        world.run_to(360);
        let log = world.take_log(0);
        let moved = log
            .iter()
            .position(|(_, what)| what == "falling back ucm2 ucm1")
            .expect("it moves");
        assert_eq!(
            log[moved - 1..moved + 5],
            lines(&[
                (360, "REGISTER ucm1 3600"),
                (360, "falling back ucm2 ucm1"),
                (360, "REGISTER ucm1 3600"),
                // The node that was left is told, and is the standby from here on.
                (360, "REGISTER ucm2 0"),
                (360, "registered ucm1"),
                (360, "reachable ucm2"),
            ])
        );
        assert_eq!(world.bindings(0).len(), 1, "not registered twice");
        assert_eq!(world.bindings(0)[0].node, node_name(0));
        world.run_to(1200);
        assert_eq!(world.bindings(0).len(), 1);
        assert_eq!(world.clients[0].node(), Some(node_name(0).as_str()));
    }

    #[test]
    fn one_that_comes_and_goes_does_not() {
        let mut world = World::new(2, 1, 1);
        world.crash(0);
        world.start_all();
        for round in 1..6_u64 {
            world.run_to(round * 240 - 30);
            world.come_back(0);
            world.run_to(round * 240 + 60);
            world.crash(0);
        }
        let log = world.take_log(0);
        assert!(
            !log.iter().any(|(_, what)| what.starts_with("falling")),
            "{log:?}"
        );
        assert_eq!(world.bindings(0)[0].node, node_name(1));
    }

    /// Registered at the second node; the first is there again, and the move begins at 240 s.
    pub(super) fn about_to_move(misbehave: impl FnOnce(&mut World)) -> World {
        let mut world = World::new(2, 1, 1);
        world.crash(0);
        world.start_all();
        world.run_to(100);
        world.come_back(0);
        world.run_to(239);
        misbehave(&mut world);
        world.take_log(0);
        world.run_to(271);
        let log = world.take_log(0);
        assert!(
            log.contains(&(240, "falling back ucm2 ucm1".to_owned())),
            "{log:?}"
        );
        world
    }

    #[test]
    fn when_the_better_one_is_silent_in_the_middle_the_registration_returns_at_once() {
        let mut world =
            about_to_move(|world| world.nodes[0].manner = Manner::SilentToRegistrations);
        assert_eq!(world.clients[0].state(), ClientState::Registering);
        let connections = world.connections;
        world.run_to(272);
        assert_eq!(world.clients[0].state(), ClientState::Registered);
        assert_eq!(world.bindings(0).len(), 1);
        assert_eq!(world.bindings(0)[0].node, node_name(1));
        let log = world.take_log(0);
        assert!(
            log.contains(&(272, "failed over ucm1 ucm2".to_owned())),
            "{log:?}"
        );
        // The connection to the node that was left had been kept; the one made is to the better node, to ask it on.
        assert_eq!(world.connections, connections + 1);
    }

    #[test]
    fn when_the_better_one_refuses_the_registration_goes_on_where_it_was() {
        let mut world = about_to_move(|world| world.nodes[0].manner = Manner::RefusesRegistrations);
        assert_eq!(world.clients[0].state(), ClientState::Registered);
        assert_eq!(world.bindings(0).len(), 1);
        assert_eq!(world.bindings(0)[0].node, node_name(1));
        assert!(
            world.take_log(0).is_empty(),
            "the old registration stands: nothing is registered again"
        );
        world.run_to(350);
        let refreshed = world.take_log(0);
        assert!(
            refreshed.contains(&(345, "REGISTER ucm2 3600".to_owned())),
            "{refreshed:?}"
        );
        // It is asked on, and takes the registration once it wants it.
        world.nodes[0].manner = Manner::Good;
        world.run_to(800);
        assert_eq!(world.bindings(0).len(), 1);
        assert_eq!(world.bindings(0)[0].node, node_name(0));
    }
}

/// A move that ends before the better node has taken the registration.
mod fall_back_broken_off {
    use super::*;

    #[test]
    fn when_the_better_one_wants_another_token_the_registration_goes_on_where_it_was() {
        let manner = Manner::RefusesTokensToRegister;
        let mut world = fall_back::about_to_move(|world| world.nodes[0].manner = manner);
        assert_eq!(world.clients[0].state(), ClientState::Registered);
        assert_eq!(world.clients[0].node(), Some(node_name(1).as_str()));
        // No token can be had: that does not end what is in force.
        world.act(0, |client, _| client.token_unavailable());
        assert_eq!(world.clients[0].state(), ClientState::Registered);
        assert_eq!(world.bindings(0).len(), 1);
        let another = token_of("user0", wall() + Duration::from_secs(1));
        world.act(0, |client, now| {
            client.provide_token(another, None, now).unwrap();
        });
        world.act(0, Client::deregister);
        world.run_to(271);
        assert_eq!(world.bindings(0).len(), 0);
        assert_eq!(world.clients[0].state(), ClientState::Idle);
    }

    #[test]
    fn who_leaves_meanwhile_is_deregistered_where_it_was() {
        let manner = Manner::SilentToRegistrations;
        let mut world = fall_back::about_to_move(|world| world.nodes[0].manner = manner);
        world.act(0, Client::deregister);
        world.run_to(272);
        let log = world.take_log(0);
        assert!(
            log.contains(&(272, "REGISTER ucm2 0".to_owned())),
            "{log:?}"
        );
        assert_eq!(world.bindings(0).len(), 0);
        assert_eq!(world.clients[0].state(), ClientState::Idle);
    }
}

mod crash {
    use super::*;

    #[test]
    fn of_a_node_under_registered_clients_all_come_back_none_is_lost_none_is_doubled() {
        const CLIENTS: usize = 40;
        let mut world = World::new(3, CLIENTS, 7);
        world.weather.max_delay_ms = 400;
        world.start_all();
        world.run_to(60);
        assert!(world.all_registered());
        world.crash(0);
        world.run_to(65);
        assert!(world.all_registered(), "within 5 s");
        for client in 0..CLIENTS {
            let bindings = world.bindings(client);
            assert_eq!(bindings.len(), 1, "client {client}");
            assert_eq!(bindings[0].node, node_name(1));
        }
        assert_eq!(world.store.len(), CLIENTS);
        world.come_back(0);
        world.run_to(700);
        for client in 0..CLIENTS {
            let bindings = world.bindings(client);
            assert_eq!(bindings.len(), 1, "client {client}");
            assert_eq!(bindings[0].node, node_name(0), "it went home");
        }
    }
}

/// A cluster of one node, whose only fail-over is to itself.
mod crash_of_the_only_node {
    use super::*;

    fn after_ten_minutes(restart: Option<Duration>) -> World {
        let mut world = World::with(1, 8, 3, |config| {
            config.options.restart_after_failure = restart;
        });
        world.start_all();
        world.run_to(60);
        assert!(world.all_registered());
        world.crash(0);
        world.run_to(600);
        world.come_back(0);
        world
    }

    /// By default the caller fetches the configuration again and starts anew.
    #[test]
    fn is_told_after_one_attempt_and_left_to_the_caller() {
        let mut world = after_ten_minutes(None);
        world.run_to(3000);
        for client in 0..8 {
            assert_eq!(world.clients[client].state(), ClientState::Failed);
            let log = world.take_log(client);
            let told = log.iter().filter(|(_, what)| what == "all nodes failed");
            assert_eq!(told.count(), 1, "{log:?}");
        }
        world.start_all();
        world.run_to(3001);
        assert!(world.all_registered());
        assert_eq!(world.store.len(), 8);
    }

    #[test]
    fn is_survived_by_clients_that_start_again() {
        let mut world = after_ten_minutes(Some(Duration::from_secs(30)));
        world.run_to(631);
        assert!(world.all_registered());
        assert_eq!(world.store.len(), 8, "none is lost, none is doubled");
    }
}

mod weather {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        /// Delays, breaks, black holes and crashes for ten minutes; then the sky clears, and ten minutes later every
        /// client is registered, once, and at the best node.
        #[test]
        fn after_any_of_it_every_client_is_registered_once(
            seed in any::<u64>(),
            max_delay_ms in 0_u32..4000,
            breaks in 0_u32..200,
            black_holes in 0_u32..100,
            crashes in proptest::collection::vec((0_usize..3, 1_u64..600, 1_u64..200), 0..6),
        ) {
            let mut world = World::with(3, 4, seed, |config| {
                config.options.restart_after_failure = Some(std::time::Duration::from_secs(10));
            });
            world.weather = Weather { max_delay_ms, breaks, black_holes };
            world.start_all();
            let mut script: Vec<(u64, usize, bool)> = crashes
                .iter()
                .flat_map(|&(node, at, long)| [(at, node, true), (at + long, node, false)])
                .collect();
            script.sort_unstable();
            for (at, node, down) in script {
                world.run_to(at.min(600));
                if down {
                    world.crash(node);
                } else {
                    world.come_back(node);
                }
            }
            world.run_to(600);
            for node in 0..3 {
                if !world.nodes[node].up {
                    world.come_back(node);
                }
            }
            world.weather = Weather { max_delay_ms: 50, ..Weather::default() };
            world.run_to(1500);
            // A refresh that is just under way is answered within this second.
            let mut second = 1500;
            while !world.all_registered() && second < 1503 {
                second += 1;
                world.run_to(second);
            }
            for client in 0..4 {
                prop_assert_eq!(world.clients[client].state(), ClientState::Registered, "{:?}", world.take_log(client));
                let bindings = world.bindings(client);
                prop_assert_eq!(bindings.len(), 1, "{:?}", bindings);
                prop_assert_eq!(&bindings[0].node, &node_name(0), "{:?}", world.take_log(client));
            }
        }
    }
}
