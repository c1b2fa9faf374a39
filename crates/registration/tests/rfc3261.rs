//! RFC 3261: a registrar without devices, bindings by the letter of section 10.3.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that fails says so by panicking, one that is skipped by printing"
)]

mod support;

use sip_oauth_message::{Limits, MessageView, Response};
use sip_oauth_registration::registrar::{
    Answer, Arrival, BindingStore, Cluster, Database, Decision, Listener, MemoryStore, Registrar,
    RegistrarConfig,
};
use sip_oauth_registration::{Refusal, Seeded};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use support::{
    ask, contact_line, local, on_premises, register, registrar_with, response, token_of, verifier,
    wall,
};

const DOMAIN: &str = "example.com";

/// A registrar for example.com, and somebody who asks it as 1010 with a token.
struct Bench<S = MemoryStore> {
    registrar: Registrar<S>,
    now: SystemTime,
}

impl Bench {
    fn new() -> Self {
        let config = RegistrarConfig::rfc8898(DOMAIN, "https://as.example.com");
        Self {
            registrar: registrar_with(config),
            now: wall(),
        }
    }
}

impl<S: BindingStore> Bench<S> {
    fn ask(&self, call_id: &str, cseq: u32, lines: &str) -> Answer {
        let text = format!(
            "REGISTER sip:{DOMAIN} SIP/2.0\r\n\
             Via: SIP/2.0/TLS 192.0.2.10:62162;branch=z9hG4bK{cseq}\r\n\
             From: <sip:1010@{DOMAIN}>;tag=1\r\nTo: <sip:1010@{DOMAIN}>\r\nCall-ID: {call_id}\r\n\
             Max-Forwards: 70\r\nCSeq: {cseq} REGISTER\r\nAuthorization: Bearer {}\r\n{}Content-Length: 0\r\n\r\n",
            token_of("1010", self.now).expose(),
            lines.replace('\n', "\r\n"),
        );
        let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
        let arrival = Arrival::new(Listener::SipOAuth, 5090, local());
        self.registrar
            .handle(&arrival, &view, self.now, &mut Seeded::new(3))
    }

    fn status(&self, call_id: &str, cseq: u32, lines: &str) -> u16 {
        response(self.ask(call_id, cseq, lines)).status.as_u16()
    }

    fn bindings(&self) -> Vec<String> {
        contacts(&response(self.ask("query", 1, "")))
    }
}

fn contacts(response: &Response) -> Vec<String> {
    response
        .headers
        .get_all("Contact")
        .map(str::to_owned)
        .collect()
}

mod section_8_1_3_4 {
    use super::*;
    use sip_oauth_registration::client::{
        Client, ClientState, Event, FlowId, GaveUp, Target, Transport,
    };
    use std::time::Instant;
    use support::{answer_to, client_config};

    struct Redirected {
        client: Client,
        now: Instant,
    }

    impl Redirected {
        fn new() -> Self {
            let mut config = client_config();
            config.targets = ["a", "b", "c"]
                .map(|node| Target::new(&format!("{node}.example.com"), 5090, Transport::Tls))
                .to_vec();
            let (mut client, now) = (Client::new(config, Seeded::new(1)), Instant::now());
            client.start(now);
            Self { client, now }
        }

        /// Connects as asked for, and answers the REGISTER: where it went.
        fn answer(&mut self, status: &str, lines: &str) -> String {
            let connection = self.connection();
            self.client.handle_connected(connection, local(), self.now);
            let mut out = Vec::new();
            self.client.poll_transmit(wall(), &mut out).unwrap();
            let answer = answer_to(&out, status, lines);
            self.client.handle_message(connection, &answer, self.now);
            let text = String::from_utf8(out).unwrap();
            text.split(' ').nth(1).unwrap().to_owned()
        }

        fn connection(&mut self) -> FlowId {
            let Some(Event::Connect { connection, .. }) = self.client.poll_event() else {
                panic!("no Connect")
            };
            connection
        }

        fn refused(&mut self) -> Option<GaveUp> {
            match self.client.poll_event() {
                Some(Event::Refused(refused)) => refused.gave_up,
                other => panic!("{other:?}"),
            }
        }

        fn redirected(&mut self, expected: (&str, &str)) {
            assert!(matches!(
                self.client.poll_event(),
                Some(Event::Close { .. })
            ));
            let Some(Event::Redirected { from, to }) = self.client.poll_event() else {
                panic!("not redirected")
            };
            assert_eq!((from.as_str(), to.as_str()), expected);
        }
    }

    #[test]
    fn the_preferred_contact_that_is_configured_is_followed_and_no_node_twice() {
        let mut bench = Redirected::new();
        let contacts = "Contact: <sip:mallory.example.net>, <sip:b.example.com>;q=0.2, \
             <sip:c.example.com:5091>;q=0.9, <sip:C.example.com:5090>;q=0.8\r\n";
        assert_eq!(
            bench.answer("302 Moved Temporarily", contacts),
            "sip:a.example.com"
        );
        bench.redirected(("a.example.com", "c.example.com"));
        let back = "Contact: <sip:a.example.com>\r\n";
        assert_eq!(
            bench.answer("302 Moved Temporarily", back),
            "sip:c.example.com"
        );
        assert_eq!(bench.refused(), Some(GaveUp::Redirection));
        assert_eq!(bench.client.state(), ClientState::Refused);
    }

    #[test]
    fn a_node_nobody_configured_is_not_followed() {
        for contact in ["sip:mallory.example.net", "sip:b.example.com:1", "tel:+1"] {
            let mut bench = Redirected::new();
            let lines = format!("Contact: <{contact}>\r\n");
            bench.answer("301 Moved Permanently", &lines);
            assert_eq!(bench.refused(), Some(GaveUp::Redirection), "{contact}");
        }
    }

    #[test]
    fn when_the_node_redirected_to_is_out_of_reach_the_others_remain() {
        let mut bench = Redirected::new();
        bench.answer("305 Use Proxy", "Contact: <sip:b.example.com>\r\n");
        bench.redirected(("a.example.com", "b.example.com"));
        let connection = bench.connection();
        let why = sip_oauth_registration::client::ConnectionFailure::ConnectTimeout;
        bench.client.handle_disconnected(connection, why, bench.now);
        assert!(matches!(
            bench.client.poll_event(),
            Some(Event::FailedOver { to, .. }) if to == "c.example.com"
        ));
    }
}

mod section_10_2 {
    use super::*;

    #[test]
    fn bindings_are_asked_for_without_contact() {
        let bench = Bench::new();
        bench.ask("a", 1, "Contact: <sip:1010@192.0.2.10>\nExpires: 600\n");
        let answer = bench.ask("a", 2, "");
        assert_eq!(answer.observation.decision, Decision::Listed);
        assert_eq!(
            contacts(&response(answer)),
            ["<sip:1010@192.0.2.10>;expires=600"]
        );
    }

    #[test]
    fn star_with_expires_0_removes_all() {
        let bench = Bench::new();
        bench.ask(
            "a",
            1,
            "Contact: <sip:1010@192.0.2.10>, <sip:1010@192.0.2.11>;q=0.5\n",
        );
        assert_eq!(bench.bindings().len(), 2);
        let answer = bench.ask("a", 2, "Contact: *\nExpires: 0\n");
        assert_eq!(
            answer.observation.decision,
            Decision::Unregistered { removed: 2 }
        );
        assert!(bench.bindings().is_empty());
    }

    #[test]
    fn star_with_another_expiry_or_beside_another_contact_is_refused() {
        let bench = Bench::new();
        for lines in [
            "Contact: *\n",
            "Contact: *\nExpires: 60\n",
            "Contact: *\nContact: <sip:1010@192.0.2.10>\nExpires: 0\n",
        ] {
            let answer = bench.ask("a", 1, lines);
            assert_eq!(
                answer.observation.refusal(),
                Some(Refusal::WildcardMisuse),
                "{lines}"
            );
            assert_eq!(response(answer).status.as_u16(), 400);
        }
    }
}

mod section_10_2_1_2 {
    use super::*;

    #[test]
    fn bindings_are_listed_in_the_order_of_preference() {
        let bench = Bench::new();
        let contacts = "Contact: <sip:a@192.0.2.10>;q=0.5, <sip:b@192.0.2.10>;q=0.50;x, \
             <sip:c@192.0.2.10>, <sip:d@192.0.2.10>;q=0.7, <sip:e@192.0.2.10>;q=0\n";
        assert_eq!(bench.status("a", 1, contacts), 200);
        let order: String = bench
            .bindings()
            .iter()
            .filter_map(|contact| contact.chars().nth("<sip:".len()))
            .collect();
        assert_eq!(order, "cdabe");
    }
}

mod section_10_2_8 {
    use super::*;
    use sip_oauth_registration::client::{
        ClientConfig, ClientState, Event, GaveUp, Line, Target, Transport,
    };
    use support::{Pair, Path, answer_to, device};

    fn pair(asked: u64, shortest: u64) -> Pair {
        let mut config = RegistrarConfig::rfc8898(DOMAIN, "https://as.example.com");
        config.expires.min = Duration::from_secs(shortest);
        config.expires.max = Duration::from_secs(shortest);
        let targets = vec![Target::new(DOMAIN, 5061, Transport::Tls)];
        let trusted = vec!["https://as.example.com".to_owned()];
        let mut client =
            ClientConfig::rfc8898(device(), Line::new("1010", "1010"), targets, trusted);
        client.expires = Duration::from_secs(asked);
        let mut pair = Pair::with(
            client,
            registrar_with(config),
            Path::Direct(Listener::SipOAuth),
        );
        pair.tokens = vec![token_of("1010", wall())];
        pair
    }

    #[test]
    fn a_423_is_answered_with_its_min_expires_and_a_new_call_id() {
        let mut pair = pair(30, 90);
        pair.start();
        assert_eq!(pair.statuses(), [401, 423, 200]);
        let (refused, granted) = (pair.request(1), pair.request(2));
        assert_eq!(granted.headers.get("Expires"), Some("90"));
        assert_ne!(
            refused.headers.get("Call-ID"),
            granted.headers.get("Call-ID")
        );
        assert_eq!(
            refused.headers.get("Authorization"),
            granted.headers.get("Authorization")
        );
        assert_eq!(pair.client.state(), ClientState::Registered);
    }

    #[test]
    fn a_423_without_a_usable_min_expires_ends_the_attempt() {
        let mut client = pair(30, 90).client;
        let now = std::time::Instant::now();
        client.start(now);
        let Some(Event::Connect { connection, .. }) = client.poll_event() else {
            panic!("no Connect")
        };
        client.handle_connected(connection, local(), now);
        let mut out = Vec::new();
        client.poll_transmit(wall(), &mut out).unwrap();
        let answer = answer_to(&out, "423 Interval Too Brief", "Min-Expires: 7200\r\n");
        client.handle_message(connection, &answer, now);
        assert!(matches!(
            client.poll_event(),
            Some(Event::Refused(refused)) if refused.gave_up == Some(GaveUp::MinExpires)
        ));
    }
}

mod section_10_3 {
    use super::*;

    #[test]
    fn an_older_request_of_the_same_call_id_changes_nothing() {
        let bench = Bench::new();
        assert_eq!(
            bench.status("a", 5, "Contact: <sip:1010@192.0.2.10>\nExpires: 600\n"),
            200
        );
        for cseq in [4, 5] {
            let answer = bench.ask("a", cseq, "Contact: <sip:1010@192.0.2.10>\nExpires: 0\n");
            assert_eq!(answer.observation.refusal(), Some(Refusal::OutOfOrder));
        }
        assert_eq!(bench.status("a", 4, "Contact: *\nExpires: 0\n"), 500);
        assert_eq!(bench.bindings().len(), 1);
    }

    #[test]
    fn a_request_of_another_call_id_is_not_older() {
        let bench = Bench::new();
        assert_eq!(
            bench.status("a", 5, "Contact: <sip:1010@192.0.2.10>\nExpires: 600\n"),
            200
        );
        assert_eq!(
            bench.status("b", 1, "Contact: <sip:1010@192.0.2.10>\nExpires: 0\n"),
            200
        );
        assert!(bench.bindings().is_empty());
    }

    #[test]
    fn all_changes_are_made_or_none() {
        let bench = Bench::new();
        bench.ask("a", 5, "Contact: <sip:1010@192.0.2.10>\nExpires: 600\n");
        let both = "Contact: <sip:1010@192.0.2.99>;expires=600\nContact: <sip:1010@192.0.2.10>;expires=0\n";
        assert_eq!(bench.status("a", 4, both), 500);
        assert_eq!(bench.bindings(), ["<sip:1010@192.0.2.10>;expires=600"]);
    }

    #[test]
    fn equal_uris_are_one_binding() {
        let bench = Bench::new();
        bench.ask(
            "a",
            1,
            "Contact: <sip:1010@Host.example.com;transport=tls>\nExpires: 600\n",
        );
        bench.ask(
            "a",
            2,
            "Contact: <sip:%31010@host.EXAMPLE.com;Transport=TLS>\nExpires: 600\n",
        );
        assert_eq!(bench.bindings().len(), 1);
    }

    #[test]
    fn the_contact_s_own_expiry_comes_first_and_none_exceeds_the_longest() {
        let bench = Bench::new();
        for (cseq, lines, expected) in [
            (
                1,
                "Contact: <sip:1010@192.0.2.10>;expires=90\nExpires: 600\n",
                90,
            ),
            (2, "Contact: <sip:1010@192.0.2.10>\nExpires: 600\n", 600),
            (3, "Contact: <sip:1010@192.0.2.10>\n", 3600),
            (4, "Contact: <sip:1010@192.0.2.10>\nExpires: 86400\n", 3600),
        ] {
            let listed = contacts(&response(bench.ask("a", cseq, lines)));
            assert_eq!(
                listed,
                [format!("<sip:1010@192.0.2.10>;expires={expected}")],
                "{lines}"
            );
        }
    }

    #[test]
    fn too_short_an_expiry_is_answered_with_the_shortest() {
        let answer =
            response(Bench::new().ask("a", 1, "Contact: <sip:1010@192.0.2.10>\nExpires: 59\n"));
        assert_eq!(answer.status.as_u16(), 423);
        assert_eq!(answer.headers.get("Min-Expires"), Some("60"));
    }

    #[test]
    fn what_is_over_is_not_listed() {
        let mut bench = Bench::new();
        bench.ask("a", 1, "Contact: <sip:1010@192.0.2.10>\nExpires: 600\n");
        bench.now += Duration::from_secs(599);
        assert_eq!(bench.bindings(), ["<sip:1010@192.0.2.10>;expires=1"]);
        bench.now += Duration::from_secs(1);
        assert!(bench.bindings().is_empty());
    }

    #[test]
    fn one_address_of_record_has_so_many_bindings() {
        let bench = Bench::new();
        for at in 0..32 {
            assert_eq!(
                bench.status("a", at + 1, &format!("Contact: <sip:1010@192.0.2.{at}>\n")),
                200
            );
        }
        let answer = bench.ask("a", 33, "Contact: <sip:1010@192.0.2.32>\n");
        assert_eq!(answer.observation.refusal(), Some(Refusal::TooManyBindings));
        assert_eq!(bench.bindings().len(), 32);
    }

    /// As after the limit was lowered, or with a store shared by registrars of different limits.
    #[test]
    fn where_there_are_too_many_they_may_be_asked_for_prolonged_and_removed() {
        let store = Arc::new(MemoryStore::new());
        let limited = |max| {
            let mut config = RegistrarConfig::rfc8898(DOMAIN, "https://as.example.com");
            config.max_bindings = max;
            let database = Database::new(Cluster::new());
            let registrar = Registrar::with_store(config, database, verifier(), Arc::clone(&store));
            Bench {
                registrar,
                now: wall(),
            }
        };
        let (before, bench) = (limited(4), limited(2));
        for at in 0..4 {
            let lines = format!("Contact: <sip:1010@192.0.2.{at}>\n");
            assert_eq!(before.status("a", at + 1, &lines), 200);
        }
        assert_eq!(bench.bindings().len(), 4);
        let ask = |cseq, lines: &str| bench.status("a", cseq, lines);
        assert_eq!(ask(5, "Contact: <sip:1010@192.0.2.9>\n"), 403);
        assert_eq!(ask(6, "Contact: <sip:1010@192.0.2.0>\n"), 200);
        let swap = "Contact: <sip:1010@192.0.2.0>;expires=0, <sip:1010@192.0.2.9>\n";
        assert_eq!(ask(7, swap), 200, "not more than before");
        let remove = "Contact: <sip:1010@192.0.2.1>\nExpires: 0\n";
        assert_eq!(ask(8, remove), 200);
        assert_eq!(bench.bindings().len(), 3);
        assert_eq!(ask(9, "Contact: *\nExpires: 0\n"), 200);
        assert!(bench.bindings().is_empty());
    }

    #[test]
    fn more_contacts_than_bindings_are_refused_before_they_are_compared() {
        let bench = Bench::new();
        let contacts = |expires: u32| {
            let contact = |at| format!("<sip:1010@192.0.2.{at}>;expires={expires}");
            let all: Vec<_> = (0..33).map(contact).collect();
            format!("Contact: {}\n", all.join(", "))
        };
        for expires in [0, 600] {
            let answer = bench.ask("a", 1, &contacts(expires));
            assert_eq!(
                answer.observation.refusal(),
                Some(Refusal::TooManyBindings),
                "{expires}"
            );
        }
        assert!(bench.bindings().is_empty());
    }

    #[test]
    fn one_uri_twice_in_a_request_is_one_binding() {
        let bench = Bench::new();
        let twice =
            "Contact: <sip:1010@192.0.2.10>;expires=90, <sip:1010@192.0.2.10>;expires=600\n";
        assert_eq!(bench.status("a", 1, twice), 200);
        assert_eq!(bench.bindings(), ["<sip:1010@192.0.2.10>;expires=600"]);
    }

    #[test]
    fn another_domain_is_not_served() {
        let bench = Bench::new();
        let text = register(1, &contact_line());
        let answer = ask(&bench.registrar, &on_premises(), &text);
        assert_eq!(answer.observation.refusal(), Some(Refusal::NotServed));
        assert_eq!(response(answer).status.as_u16(), 404);
    }
}
