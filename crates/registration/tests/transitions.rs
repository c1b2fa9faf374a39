//! Every reaction of the reference's client, one at a time: an answer or an event, and what follows from it at which second.

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

use std::time::Duration;

use bench::{Bench, field};
use sip_oauth_registration::client::{
    ClientState, ConnectionFailure, Event, GaveUp, PresentToken, Target, Transport,
};
use support::client_config;

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

mod challenges {
    use super::*;

    /// The registrar refuses every token, and closes the connection before the next one comes.
    fn closes_after_each_challenge(present: PresentToken) -> (Bench, usize) {
        const CHALLENGE: &str = "Proxy-Authenticate: Bearer realm=\"ccmsipline\"\r\n";
        let mut config = client_config();
        config.options.present_token = present;
        let mut bench = Bench::new(config);
        let mut shown = 0;
        for _ in 0..20 {
            while let Some(request) = bench.transmit() {
                shown += usize::from(field(&request, "Proxy-Authorization").is_some());
                bench.answer("407 Proxy Authentication Required", CHALLENGE);
            }
            if bench.client.state() != ClientState::AwaitingToken {
                break;
            }
            bench.lose(ConnectionFailure::Closed);
            bench.give_token();
            bench.connect();
        }
        (bench, shown)
    }

    /// "At most 3 tries", and no more where each comes over another connection.
    #[test]
    fn those_of_a_registrar_that_closes_count_as_those_of_one_that_does_not() {
        for (present, tokens) in [(PresentToken::Refreshes, 2), (PresentToken::Always, 4)] {
            let (bench, shown) = closes_after_each_challenge(present);
            let Some(Event::Refused(refused)) = bench.events.last() else {
                panic!("{present:?}: {:?}", bench.events)
            };
            assert_eq!(refused.gave_up, Some(GaveUp::TooManyChallenges));
            assert_eq!(shown, tokens, "{present:?}");
        }
    }

    #[test]
    fn after_a_start_they_are_counted_anew() {
        let (mut bench, _) = closes_after_each_challenge(PresentToken::Refreshes);
        bench.client.start(bench.now);
        bench.give_token();
        bench.connect();
        bench.sent();
        bench.answer(
            "407 Proxy Authentication Required",
            "Proxy-Authenticate: Bearer realm=\"ccmsipline\"\r\n",
        );
        assert!(field(&bench.sent(), "Proxy-Authorization").is_some());
    }
}

/// RFC 3261 section 10.2: "UAs MUST NOT send a new registration … until they have received a final response from the registrar
/// for the previous one or the previous REGISTER request has timed out."
mod one_request_at_a_time {
    use super::*;

    fn two_nodes() -> Bench {
        let mut config = client_config();
        let standby = Target::new("ucm2.example.com", 5090, Transport::Tls);
        config.targets.push(standby);
        Bench::registered(config)
    }

    fn cseq(message: &str) -> u32 {
        let value = field(message, "CSeq").and_then(|value| value.split(' ').next());
        value.unwrap().parse().unwrap()
    }

    /// The standby has been asked and has not answered when the node that held the registration is lost.
    fn asked_and_lost() -> (Bench, String) {
        let mut bench = two_nodes();
        let active = bench.over.unwrap();
        bench.connect();
        let question = bench.sent();
        assert_eq!(field(&question, "Expires"), Some("0"));
        bench
            .client
            .handle_disconnected(active, ConnectionFailure::Closed, bench.now);
        bench.poll();
        let failed_over = |event: &Event| matches!(event, Event::FailedOver { .. });
        assert!(bench.events.iter().any(failed_over));
        assert_eq!(bench.client.state(), ClientState::Registering);
        assert_eq!(bench.transmit(), None, "the standby is to answer first");
        (bench, question)
    }

    #[test]
    fn a_standby_that_was_just_asked_registers_after_its_answer() {
        for status in ["200 OK", "503 Service Unavailable"] {
            let (mut bench, question) = asked_and_lost();
            bench.answer(status, "Retry-After: 35\r\n");
            let hello = bench.sent();
            assert_eq!(field(&hello, "Expires"), Some("3600"), "{status}");
            assert_eq!(field(&hello, "Call-ID"), field(&question, "Call-ID"));
            assert_eq!(cseq(&hello), cseq(&question) + 1);
            bench.answer("200 OK", "Expires: 120\r\n");
            assert_eq!(bench.client.state(), ClientState::Registered);
        }
    }

    #[test]
    fn its_challenge_is_answered_by_the_registration() {
        let (mut bench, question) = asked_and_lost();
        let challenge = "Proxy-Authenticate: Bearer realm=\"ccmsipline\"\r\n";
        bench.answer("407 Proxy Authentication Required", challenge);
        let hello = bench.sent();
        assert_eq!(field(&hello, "Expires"), Some("3600"));
        assert!(field(&hello, "Proxy-Authorization").is_some());
        assert_eq!(cseq(&hello), cseq(&question) + 1);
    }

    #[test]
    fn its_silence_is_that_of_a_node_that_is_registered_to() {
        let (mut bench, _) = asked_and_lost();
        bench.at_ms(31_999);
        assert_eq!(bench.client.state(), ClientState::Registering);
        bench.at(32);
        assert!(bench.events.iter().any(|event| matches!(
            event,
            Event::FailedOver {
                cause: ConnectionFailure::NoResponse,
                ..
            }
        )));
    }

    #[test]
    fn who_leaves_meanwhile_registers_nowhere() {
        let (mut bench, _) = asked_and_lost();
        bench.client.deregister(bench.now);
        bench.answer("200 OK", "");
        assert_eq!(bench.transmit(), None);
        assert_eq!(bench.client.state(), ClientState::Idle);
    }

    /// After a night's sleep everything is due at once: the question is made and not sent when the registration comes to the
    /// standby. "A UA MUST increment the CSeq value by one for each REGISTER request with the same Call-ID."
    #[test]
    fn a_number_that_was_not_sent_is_used() {
        let mut bench = two_nodes();
        bench.connect();
        let question = bench.sent();
        bench.answer("200 OK", "");
        bench.at(115);
        bench.sent();
        bench.at(10_000);
        let hello = bench.sent();
        assert_eq!(field(&hello, "Expires"), Some("3600"));
        assert_eq!(field(&hello, "Call-ID"), field(&question, "Call-ID"));
        assert_eq!(cseq(&hello), cseq(&question) + 1);
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

    /// A fall-back that the better node refuses: what was pinged before is pinged again, not only from the next refresh on.
    #[test]
    fn section_4_4_a_flow_that_was_left_and_is_used_again_is_kept_again() {
        let mut config = client_config();
        let better = Target::new("ucm0.example.com", 5090, Transport::Tls);
        config.targets.insert(0, better);
        config.options.flow_keep_alive = Some(Duration::from_secs(100));
        config.options.stable_after = Duration::ZERO;
        let mut bench = Bench::new(config);
        bench.lose(ConnectionFailure::Closed);
        bench.connect();
        bench.sent();
        let (holder, register) = (bench.over, bench.last.clone());
        bench.answer("200 OK", "Expires: 120\r\n");
        bench.connect();
        let question = bench.sent();
        assert!(question.contains("Expires: 0\r\n"), "{question}");
        bench.answer("200 OK", "");
        assert_eq!(bench.client.state(), ClientState::Registering);
        let asked = bench.sent();
        assert!(asked.contains("sip:ucm0.example.com "), "{asked}");
        assert_ne!(bench.over, holder);
        assert!(String::from_utf8_lossy(&register).contains("Expires: 3600"));
        bench.at(5);
        bench.answer("403 Forbidden", "");
        assert_eq!(bench.client.state(), ClientState::Registered);
        // The better node is asked on, and does not want it.
        bench.connect();
        bench.sent();
        bench.answer("403 Forbidden", "");
        let due = ping_at(&mut bench);
        assert!((85_000..=105_000).contains(&due), "{due}");
        bench.at_ms(due);
        assert_eq!(bench.transmit().as_deref(), Some("\r\n\r\n"));
        assert_eq!(bench.over, holder);
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

/// The reference, 1.3 and 1.5: a node that does not hold the registration and refuses a question is there all the same. "On
/// the standby node: stay, send the next keep-alive"; one that says when to come back is asked then.
mod a_watched_node_that_refuses {
    use super::*;

    fn refusing(lines: &str) -> Bench {
        let mut config = client_config();
        let standby = Target::new("ucm2.example.com", 5090, Transport::Tls);
        config.targets.push(standby);
        let mut bench = Bench::registered(config);
        bench.connect();
        bench.sent();
        bench.answer("503 Service Unavailable", lines);
        assert_eq!(bench.client.state(), ClientState::Registered);
        assert_eq!(bench.closed(), 0, "its connection is kept");
        let reachable = |event: &&Event| matches!(event, Event::Reachable { .. });
        assert_eq!(bench.events.iter().filter(reachable).count(), 1);
        // The refresh of the node that holds the registration comes between.
        bench.at(115);
        bench.sent();
        bench.answer("200 OK", "Expires: 3600\r\n");
        bench
    }

    fn asked_at(bench: &mut Bench, seconds: u64) {
        bench.at(seconds - 1);
        assert_eq!(bench.transmit(), None, "at {} s", seconds - 1);
        bench.at(seconds);
        let question = bench.sent();
        assert!(question.starts_with("REGISTER sip:ucm2.example.com "));
        assert_eq!(field(&question, "Expires"), Some("0"));
    }

    #[test]
    fn is_asked_again_after_120_s() {
        asked_at(&mut refusing(""), 120);
    }

    #[test]
    fn is_asked_again_after_its_retry_after_where_that_is_longer() {
        asked_at(&mut refusing("Retry-After: 600\r\n"), 600);
    }
}

/// The reference, 1.5: the period of a better node is the keep-alive's, but 300 s at most (`MAX_FALLBACK_MONITOR_PERIOD`).
#[test]
fn a_better_node_is_asked_at_least_every_300_s_and_a_standby_as_often_as_configured() {
    for (better, due) in [(true, 300), (false, 900)] {
        let mut config = client_config();
        let other = Target::new("ucm2.example.com", 5090, Transport::Tls);
        config.targets.push(other);
        config.options.node_keep_alive = Duration::from_secs(900);
        config.options.stable_after = Duration::from_secs(86_400);
        let mut bench = Bench::new(config);
        if better {
            bench.lose(ConnectionFailure::Closed);
            bench.connect();
        }
        bench.sent();
        bench.answer("200 OK", "Expires: 3000\r\n");
        bench.connect();
        bench.sent();
        bench.answer("200 OK", "");
        assert_eq!(bench.client.state(), ClientState::Registered);
        bench.at(due - 1);
        assert_eq!(bench.transmit(), None, "better: {better}");
        bench.at(due);
        assert_eq!(field(&bench.sent(), "Expires"), Some("0"));
    }
}

/// The reference, 1.3: the version of `X-cisco-sis` is read in Supported, 1.0.0 where there is none.
#[test]
fn the_interface_version_is_that_of_supported_and_1_0_0_without_one() {
    for (lines, expected) in [
        ("", [1, 0, 0]),
        (
            "Supported: X-cisco-srtp-fallback,X-cisco-sis-9.1.0\r\n",
            [9, 1, 0],
        ),
        ("Supported: x-cisco-SIS-12.0.3\r\n", [12, 0, 3]),
        ("Supported: X-cisco-sis-9.1\r\n", [1, 0, 0]),
        ("Supported: X-cisco-sis-9.1.0.4\r\n", [1, 0, 0]),
    ] {
        let mut bench = Bench::new(client_config());
        bench.sent();
        bench.answer("200 OK", &format!("Expires: 120\r\n{lines}"));
        let Some(Event::Registered(grant)) = bench.events.last() else {
            panic!("{:?}", bench.events)
        };
        assert_eq!(grant.sis_version, expected, "{lines}");
    }
}
