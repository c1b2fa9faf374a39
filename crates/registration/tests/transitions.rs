//! Every reaction of the reference's client, one at a time: an answer or an event, and what follows from it at which second.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::time::{Duration, Instant};

use sip_oauth_registration::Seeded;
use sip_oauth_registration::client::{
    Client, ClientConfig, ClientState, ConnectionFailure, ConnectionId, Event, GaveUp, Target,
    Transport,
};
use support::{USER, answer_to, client_config, local, token_of, wall};

/// A client, a clock, and whoever the test plays at the other end.
struct Bench {
    client: Client,
    start: Instant,
    now: Instant,
    connection: Option<ConnectionId>,
    events: Vec<Event>,
    last: Vec<u8>,
}

impl Bench {
    fn new(config: ClientConfig) -> Self {
        let start = Instant::now();
        let mut client = Client::new(config, Seeded::new(1));
        client
            .provide_token(token_of(USER, wall()), None, start)
            .unwrap();
        let mut bench = Self {
            client,
            start,
            now: start,
            connection: None,
            events: Vec::new(),
            last: Vec::new(),
        };
        bench.client.start(start);
        bench.connect();
        bench
    }

    fn registered(config: ClientConfig) -> Self {
        let mut bench = Self::new(config);
        bench.sent();
        bench.answer("200 OK", "Expires: 120\r\n");
        assert_eq!(bench.client.state(), ClientState::Registered);
        bench.events.clear();
        bench
    }

    /// Makes the connection that is asked for.
    fn connect(&mut self) {
        self.poll();
        let connection = self.connection.take().expect("it wants a connection");
        self.client.handle_connected(connection, local(), self.now);
        self.connection = Some(connection);
        self.poll();
    }

    fn poll(&mut self) {
        while let Some(event) = self.client.poll_event() {
            if let Event::Connect { connection, .. } = &event {
                self.connection = Some(*connection);
            }
            self.events.push(event);
        }
    }

    /// What is sent now, if anything.
    fn transmit(&mut self) -> Option<String> {
        let mut out = Vec::new();
        self.client.poll_transmit(wall(), &mut out)?;
        self.last.clone_from(&out);
        Some(String::from_utf8(out).unwrap())
    }

    /// The REGISTER that must be sent now.
    fn sent(&mut self) -> String {
        self.transmit().expect("a REGISTER")
    }

    fn answer(&mut self, status: &str, lines: &str) {
        let answer = answer_to(&self.last, status, lines);
        let connection = self.connection.unwrap();
        self.client.handle_message(connection, &answer, self.now);
        self.poll();
    }

    fn at(&mut self, seconds: u64) {
        self.at_ms(seconds * 1000);
    }

    fn at_ms(&mut self, ms: u64) {
        self.now = self.start + Duration::from_millis(ms);
        self.client.handle_timeout(self.now);
        self.poll();
    }

    fn lose(&mut self, cause: ConnectionFailure) {
        let connection = self.connection.unwrap();
        self.client.handle_disconnected(connection, cause, self.now);
        self.poll();
    }

    fn closed(&self) -> usize {
        let close = |event: &&Event| matches!(event, Event::Close { .. });
        self.events.iter().filter(close).count()
    }
}

fn field<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| {
        line.strip_prefix(name)?
            .strip_prefix(": ")
            .map(|value| value.trim_end_matches('\r'))
    })
}

mod provisional {
    use super::*;

    #[test]
    fn a_100_is_waited_out_and_timer_f_goes_on() {
        let mut bench = Bench::new(client_config());
        bench.sent();
        bench.at(10);
        bench.answer("100 Trying", "");
        assert_eq!(bench.client.state(), ClientState::Registering);
        bench.at_ms(31_999);
        assert_eq!(bench.client.state(), ClientState::Registering);
        bench.at(32);
        assert!(matches!(
            bench.events.last(),
            Some(Event::AllNodesFailed { causes, .. }) if causes[0].1 == ConnectionFailure::NoResponse
        ));
    }
}

mod refusals {
    use super::*;

    /// Section 1.3 of the reference, and RFC 3261 section 20.33.
    const WAITED_OUT: [u16; 9] = [403, 404, 413, 480, 486, 500, 503, 600, 603];
    const FINAL: [u16; 12] = [400, 405, 406, 408, 410, 415, 420, 481, 488, 501, 505, 606];

    #[test]
    fn retry_after_is_waited_out_to_the_second() {
        for status in WAITED_OUT {
            let mut bench = Bench::new(client_config());
            bench.sent();
            bench.answer(&format!("{status} No"), "Retry-After: 35\r\n");
            assert!(
                matches!(bench.events.last(), Some(Event::Refused(_))),
                "{status}"
            );
            bench.at_ms(34_999);
            assert_eq!(bench.transmit(), None, "{status}");
            bench.at(35);
            let again = bench.sent();
            assert_eq!(field(&again, "Expires"), Some("3600"), "{status}");
            assert_eq!(bench.closed(), 0, "on the same connection");
        }
    }

    #[test]
    fn without_retry_after_nothing_is_tried_again() {
        for status in WAITED_OUT.into_iter().chain(FINAL) {
            let mut bench = Bench::new(client_config());
            bench.sent();
            bench.answer(&format!("{status} No"), "");
            bench.at(100_000);
            assert_eq!(bench.client.state(), ClientState::Refused, "{status}");
            assert_eq!(bench.transmit(), None, "{status}");
            assert_eq!(bench.client.poll_timeout(), None, "{status}");
        }
    }

    #[test]
    fn what_retry_after_does_not_belong_to_is_final_even_with_one() {
        for status in FINAL {
            let mut bench = Bench::new(client_config());
            bench.sent();
            bench.answer(&format!("{status} No"), "Retry-After: 5\r\n");
            bench.at(100_000);
            assert_eq!(bench.transmit(), None, "{status}");
        }
    }

    #[test]
    fn in_mid_lease_it_ends_the_registration_and_leads_to_no_other_node() {
        for status in WAITED_OUT.into_iter().chain(FINAL) {
            let mut config = client_config();
            config
                .targets
                .push(Target::new("ucm2.example.com", 5090, Transport::Tls));
            config.options.other_nodes = sip_oauth_registration::client::OtherNodes::Ignored;
            let mut bench = Bench::registered(config);
            bench.at(115);
            bench.sent();
            bench.answer(&format!("{status} No"), "");
            assert!(!bench.client.is_registered(), "{status}");
            assert!(
                !bench
                    .events
                    .iter()
                    .any(|event| matches!(event, Event::Connect { .. })),
                "{status}"
            );
        }
    }

    #[test]
    fn a_challenge_that_is_not_for_a_token_is_given_up() {
        for challenge in [
            "WWW-Authenticate: Digest realm=\"ccmsipline\", nonce=\"1\"\r\n",
            "WWW-Authenticate: Negotiate\r\n",
            "",
        ] {
            let mut bench = Bench::new(client_config());
            bench.sent();
            bench.answer("401 Unauthorized", challenge);
            let Some(Event::Refused(refused)) = bench.events.last() else {
                panic!("{:?}", bench.events)
            };
            assert_eq!(refused.gave_up, Some(GaveUp::NotBearer), "{challenge}");
        }
    }

    #[test]
    fn a_401_is_answered_in_authorization_and_a_407_in_proxy_authorization() {
        for (status, challenge, answered) in [
            ("401 Unauthorized", "WWW-Authenticate", "Authorization"),
            (
                "407 Proxy Authentication Required",
                "Proxy-Authenticate",
                "Proxy-Authorization",
            ),
        ] {
            let mut bench = Bench::new(client_config());
            let first = bench.sent();
            bench.answer(
                status,
                &format!("{challenge}: Bearer realm=\"ccmsipline\"\r\n"),
            );
            let second = bench.sent();
            assert!(field(&second, answered).is_some_and(|value| value.starts_with("Bearer ")));
            assert_eq!(field(&first, "Call-ID"), field(&second, "Call-ID"));
            assert_eq!(field(&first, "From"), field(&second, "From"));
            assert_ne!(field(&first, "Via"), field(&second, "Via"), "a new branch");
        }
    }
}

mod alarms {
    use super::*;

    /// What the first REGISTER after each event says in its Reason (section 1.7 of the reference).
    #[test]
    fn the_reason_of_the_next_register_tells_what_happened() {
        let tls = || ConnectionFailure::Tls("unknown_ca".to_owned());
        for (cause, code, last) in [
            (ConnectionFailure::Closed, 14, "cm-closed-tcp"),
            (
                ConnectionFailure::Broken(String::new()),
                14,
                "cm-closed-tcp",
            ),
            (
                ConnectionFailure::Protocol(String::new()),
                13,
                "cm-aborted-tcp",
            ),
            (ConnectionFailure::NoResponse, 17, "reg-timeout"),
            (ConnectionFailure::FlowFailed, 17, "reg-timeout"),
            (tls(), 106, "tls-error"),
        ] {
            let mut bench = Bench::registered(client_config());
            bench.at(60);
            bench.lose(cause);
            bench.connect();
            let text = bench.sent();
            let reason = field(&text, "Reason").expect("a Reason");
            assert!(reason.contains(&format!("cisco-alarm:{code} ")), "{reason}");
            assert!(reason.ends_with(&format!("Last={last}\"")), "{reason}");
            bench.answer("200 OK", "Expires: 120\r\n");
            bench.at(180);
            assert_eq!(field(&bench.sent(), "Reason"), None, "told once");
        }
    }
}

mod newreg {
    use super::*;

    #[test]
    fn on_a_refresh_it_says_that_the_node_lost_its_state() {
        let mut bench = Bench::registered(client_config());
        bench.at(115);
        let request = bench.sent();
        let contact = field(&request, "Contact").unwrap().to_owned();
        bench.answer(
            "200 OK",
            &format!("Expires: 120\r\nContact: {contact};x-cisco-newreg\r\n"),
        );
        let Some(Event::Refreshed(grant)) = bench.events.last() else {
            panic!("{:?}", bench.events)
        };
        assert!(grant.new_registration);
    }
}

/// RFC 5626: keep-alives and the failure of a flow.
mod rfc5626 {
    use super::*;

    fn with_keep_alive() -> Bench {
        let mut config = client_config();
        config.options.flow_keep_alive = Some(Duration::from_secs(100));
        Bench::registered(config)
    }

    /// When the next keep-alive is due, in milliseconds.
    fn ping_at(bench: &mut Bench) -> u64 {
        let due = bench.client.poll_timeout().unwrap();
        u64::try_from((due - bench.start).as_millis()).unwrap()
    }

    #[test]
    fn section_4_4_a_ping_comes_at_80_to_100_percent_of_the_bound() {
        let mut bench = with_keep_alive();
        let due = ping_at(&mut bench);
        assert!((80_000..=100_000).contains(&due), "{due}");
        bench.at_ms(due - 1);
        assert_eq!(bench.transmit(), None);
        bench.at_ms(due);
        assert_eq!(bench.transmit().as_deref(), Some("\r\n\r\n"));
        assert_eq!(bench.transmit(), None, "once");
    }

    #[test]
    fn section_4_4_1_a_pong_keeps_the_flow_and_the_next_ping_comes_later() {
        let mut bench = with_keep_alive();
        let due = ping_at(&mut bench);
        bench.at_ms(due);
        bench.transmit().unwrap();
        bench.at_ms(due + 9_999);
        bench
            .client
            .handle_pong(bench.connection.unwrap(), bench.now);
        bench.at_ms(due + 10_000);
        assert_eq!(bench.client.state(), ClientState::Registered);
        // A pong nobody asked for means nothing.
        bench
            .client
            .handle_pong(bench.connection.unwrap(), bench.now);
        assert_eq!(bench.transmit(), None);
    }

    #[test]
    fn section_4_4_1_without_a_pong_within_10_s_the_flow_failed_and_a_new_one_is_made() {
        let mut bench = with_keep_alive();
        let due = ping_at(&mut bench);
        bench.at_ms(due);
        bench.transmit().unwrap();
        bench.at_ms(due + 9_999);
        assert_eq!(bench.client.state(), ClientState::Registered);
        bench.at_ms(due + 10_000);
        assert_eq!(bench.client.state(), ClientState::Connecting);
        assert_eq!(bench.closed(), 1);
        assert!(bench.events.iter().any(|event| matches!(
            event,
            Event::Reconnecting {
                cause: ConnectionFailure::FlowFailed,
                ..
            }
        )));
    }

    #[test]
    fn section_10_flow_timer_asks_for_keep_alives() {
        let mut bench = Bench::new(client_config());
        bench.sent();
        bench.answer("200 OK", "Expires: 120\r\nFlow-Timer: 20\r\n");
        let due = ping_at(&mut bench);
        assert!((16_000..=20_000).contains(&due), "{due}");
        bench.at_ms(due);
        assert_eq!(bench.transmit().as_deref(), Some("\r\n\r\n"));
    }

    #[test]
    fn without_being_wanted_there_are_none() {
        let mut bench = Bench::registered(client_config());
        bench.at(114);
        assert_eq!(bench.transmit(), None);
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

    #[test]
    fn who_leaves_in_the_middle_of_a_move_does_not_come_back() {
        let mut bench = Bench::registered(client_config());
        bench.client.relocate(mra(), bench.now);
        bench.client.deregister(bench.now);
        bench.sent();
        bench.answer("200 OK", "");
        assert_eq!(bench.client.state(), ClientState::Idle);
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
