//! What holds for every order of calls and every input.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that fails says so by panicking, one that is skipped by printing"
)]

mod support;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use sip_oauth_message::header::{Contact, Reason, To};
use sip_oauth_message::{Limits, MessageView, check};
use sip_oauth_registration::Seeded;
use sip_oauth_registration::client::{
    Client, ConnectionFailure, Event, FlowId, Line, Target, Transport,
};
use sip_oauth_token::AccessToken;
use support::{NODE, client_config, local, on_premises, registrar, wall};

/// One thing that may happen to a client.
#[derive(Clone, Debug)]
enum Step {
    Start,
    Deregister,
    Connected,
    Disconnected,
    Token(u8),
    NoToken,
    Answer(u16),
    Garbage(Vec<u8>),
    Wait(u64),
    Timeout,
    /// What follows is about another one of the connections.
    Pick(usize),
    Suspend,
    Resume,
    Relocate,
    TakeOver,
    Pong,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Start),
        1 => Just(Step::Deregister),
        4 => Just(Step::Connected),
        1 => Just(Step::Disconnected),
        2 => (0..24_u8).prop_map(Step::Token),
        1 => Just(Step::NoToken),
        6 => prop_oneof![Just(200), Just(407), Just(401), Just(403), Just(423), Just(503), Just(302), Just(100)]
            .prop_map(Step::Answer),
        1 => proptest::collection::vec(any::<u8>(), 0..64).prop_map(Step::Garbage),
        3 => (0..200_u64).prop_map(Step::Wait),
        2 => Just(Step::Timeout),
        3 => (0..4_usize).prop_map(Step::Pick),
        1 => prop_oneof![
            Just(Step::Suspend),
            Just(Step::Resume),
            Just(Step::Relocate),
            Just(Step::TakeOver),
            Just(Step::Pong),
        ],
    ]
}

fn targets() -> Vec<Target> {
    ["ucm1.example.com", "ucm2.example.com", "ucm3.example.com"]
        .map(|node| Target::new(node, 5090, Transport::Tls))
        .to_vec()
}

fn client() -> Client {
    let mut config = client_config();
    config.targets = targets();
    config.options.flow_keep_alive = Some(Duration::from_secs(40));
    Client::new(config, Seeded::new(1))
}

/// Drives a client and remembers what it did. `eager` polls after every step; otherwise only where a
/// message or connection is needed, and events before messages or after.
struct Run {
    client: Client,
    now: Instant,
    /// The one that steps are about, and all that were asked for.
    connection: Option<FlowId>,
    connections: Vec<FlowId>,
    last_requests: HashMap<FlowId, Vec<u8>>,
    events: Vec<String>,
    requests: Vec<Vec<u8>>,
    events_first: bool,
    spurious: bool,
}

impl Run {
    fn new(start: Instant, events_first: bool, spurious: bool) -> Self {
        Self {
            client: client(),
            now: start,
            connection: None,
            connections: Vec::new(),
            last_requests: HashMap::new(),
            events: Vec::new(),
            requests: Vec::new(),
            events_first,
            spurious,
        }
    }

    fn poll_events(&mut self) {
        while let Some(event) = self.client.poll_event() {
            if let Event::Connect { connection, .. } = &event {
                self.connection = Some(*connection);
                self.connections.push(*connection);
            }
            self.events.push(format!("{event:?}"));
        }
    }

    fn poll_requests(&mut self) {
        let mut out = Vec::new();
        while let Some(connection) = self.client.poll_transmit(wall(), &mut out) {
            let sent = std::mem::take(&mut out);
            if sent != b"\r\n\r\n" {
                self.last_requests.insert(connection, sent.clone());
                self.requests.push(sent);
            }
        }
    }

    fn poll(&mut self) {
        if self.events_first {
            self.poll_events();
            self.poll_requests();
        } else {
            self.poll_requests();
            self.poll_events();
        }
    }

    fn step(&mut self, step: &Step) {
        let now = self.now;
        match step {
            Step::Start => self.client.start(now),
            Step::Deregister => self.client.deregister(now),
            Step::Connected => {
                if let Some(connection) = self.connection {
                    self.client.handle_connected(connection, local(), now);
                }
            }
            Step::Disconnected => {
                if let Some(connection) = self.connection {
                    self.client
                        .handle_disconnected(connection, ConnectionFailure::Closed, now);
                }
            }
            Step::Token(which) => {
                let token = AccessToken::parse(&format!("token{which}")).unwrap();
                let _ = self
                    .client
                    .provide_token(token, Some(Duration::from_secs(600)), now);
            }
            Step::NoToken => self.client.token_unavailable(),
            Step::Answer(status) => self.answer(*status),
            Step::Garbage(bytes) => {
                if let Some(connection) = self.connection {
                    self.client.handle_message(connection, bytes, now);
                }
            }
            Step::Wait(seconds) => self.now += Duration::from_secs(*seconds),
            Step::Timeout => self.client.handle_timeout(now),
            Step::Pick(back) => {
                // The latest ones are those in use.
                let at = self.connections.len().checked_sub(1 + back);
                self.connection = at.map(|at| self.connections[at]).or(self.connection);
            }
            Step::Suspend => self.client.suspend(),
            Step::Resume => self.client.resume(now),
            Step::Relocate => {
                let mut targets = targets();
                targets.reverse();
                self.client.relocate(targets, now);
            }
            Step::TakeOver => self.client.take_over(now),
            Step::Pong => {
                if let Some(connection) = self.connection {
                    self.client.handle_pong(connection, now);
                }
            }
        }
        if self.spurious {
            self.spurious();
        }
        self.poll();
    }

    /// Calls that mean nothing: early time-outs, news of a connection never made.
    fn spurious(&mut self) {
        if self.client.poll_timeout().is_none_or(|due| due > self.now) {
            self.client.handle_timeout(self.now);
        }
        if let Some(connection) = self.connection {
            self.client.handle_message(connection, b"not sip", self.now);
            let options = b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n";
            self.client.handle_message(connection, options, self.now);
        }
    }

    fn answer(&mut self, status: u16) {
        let Some(connection) = self.connection else {
            return;
        };
        let Some(request) = self.last_requests.get(&connection) else {
            return;
        };
        let view = MessageView::parse(request, &Limits::default()).expect("our own");
        let mut echoed = String::new();
        for field in view.fields() {
            if ["Via", "From", "To", "Call-ID", "CSeq"].contains(&field.name_text()) {
                echoed.extend([
                    field.name_text(),
                    ": ",
                    field.value(),
                    "
",
                ]);
            }
        }
        echoed.push_str(match status {
            407 => "Proxy-Authenticate: Bearer realm=\"ccmsipline\"\r\n",
            401 => "WWW-Authenticate: Bearer realm=\"ccmsipline\"\r\n",
            403 | 503 => "Retry-After: 35\r\n",
            423 => "Min-Expires: 3601\r\n",
            200 => "Expires: 120\r\n",
            _ => "",
        });
        let answer = format!("SIP/2.0 {status} X\r\n{echoed}Content-Length: 0\r\n\r\n");
        self.client
            .handle_message(connection, answer.as_bytes(), self.now);
    }
}

fn token_in(request: &[u8]) -> Option<String> {
    let view = MessageView::parse(request, &Limits::default()).ok()?;
    let request = view.to_request()?;
    let found = request
        .headers
        .get("Proxy-Authorization")
        .or(request.headers.get("Authorization"));
    found.map(str::to_owned)
}

proptest! {
    #[test]
    fn no_poll_order_and_no_spurious_call_changes_the_outcome(steps in proptest::collection::vec(step(), 0..60)) {
        let start = Instant::now();
        let mut runs = [
            Run::new(start, true, false),
            Run::new(start, false, false),
            Run::new(start, true, true),
        ];
        for step in &steps {
            for run in &mut runs {
                run.step(step);
            }
        }
        let [first, others @ ..] = &runs;
        for other in others {
            prop_assert_eq!(&first.events, &other.events);
            prop_assert_eq!(&first.requests, &other.requests);
            prop_assert_eq!(first.client.state(), other.client.state());
            prop_assert_eq!(first.client.poll_timeout(), other.client.poll_timeout());
        }
    }

    #[test]
    fn names_of_any_text_make_a_register_that_says_them(name in "\\PC{1,20}") {
        let mut config = client_config();
        config.device.name.clone_from(&name);
        config.device.load.active.clone_from(&name);
        config.line = Line::new(&name, &name);
        let mut client = Client::new(config, Seeded::new(1));
        let now = Instant::now();
        client.start(now);
        let Some(Event::Connect { connection, .. }) = client.poll_event() else {
            panic!("no Connect")
        };
        client.handle_connected(connection, local(), now);
        let mut out = Vec::new();
        client.poll_transmit(wall(), &mut out).unwrap();
        let view = MessageView::parse(&out, &Limits::default()).unwrap();
        check::strict(&view, &check::Element::SERVER).unwrap();
        let contact: Contact<'_> = view.required().unwrap();
        let to: To<'_> = view.required().unwrap();
        for uri in [to.uri(), contact.uri().unwrap()] {
            prop_assert_eq!(&*uri.user_unescaped().unwrap(), name.as_bytes());
        }
        let device = contact.params().get("+u.sip!devicename.ccm.cisco.com").unwrap();
        let device = device.value().unwrap();
        prop_assert_eq!(device.to_str(), name.as_str());
        prop_assert!(view.required::<Reason<'_>>().is_ok());
    }

    #[test]
    fn every_request_is_sip_and_each_cseq_of_a_call_id_is_the_next(
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let mut run = Run::new(Instant::now(), true, false);
        for step in &steps {
            run.step(step);
        }
        let mut last: HashMap<String, u32> = HashMap::new();
        for request in &run.requests {
            let view = MessageView::parse(request, &Limits::default()).unwrap();
            let call_id = view.required::<sip_oauth_message::header::CallId<'_>>().unwrap().as_str().to_owned();
            let cseq = view.required::<sip_oauth_message::header::CSeq<'_>>().unwrap().number();
            if let Some(before) = last.insert(call_id, cseq) {
                prop_assert!(cseq > before);
            }
            prop_assert_eq!(view.required::<sip_oauth_message::header::To<'_>>().unwrap().tag(), None);
        }
    }

    #[test]
    fn a_token_that_was_challenged_is_not_presented_again(steps in proptest::collection::vec(step(), 0..80)) {
        let mut run = Run::new(Instant::now(), true, false);
        let mut refused = std::collections::HashSet::new();
        let mut seen = 0;
        for step in &steps {
            let before = run.connection.and_then(|connection| run.last_requests.get(&connection));
            let before = before.cloned().unwrap_or_default();
            let was_waiting = run.client.state();
            run.step(step);
            let waited = matches!(
                was_waiting,
                sip_oauth_registration::client::ClientState::Registering
                    | sip_oauth_registration::client::ClientState::Refreshing
            );
            // A node that is asked with Expires: 0 speaks for itself.
            let question = before.windows(14).any(|window| window == b"\r\nExpires: 0\r\n");
            if let (Step::Answer(401 | 407), true, false) = (step, waited, question) {
                refused.extend(token_in(&before));
            }
            for request in run.requests.iter().skip(seen) {
                if let Some(token) = token_in(request) {
                    prop_assert!(!refused.contains(&token));
                }
            }
            seen = run.requests.len();
        }
    }

    #[test]
    fn no_event_and_no_debug_output_holds_a_token(steps in proptest::collection::vec(step(), 0..60)) {
        let mut run = Run::new(Instant::now(), true, false);
        for step in &steps {
            run.step(step);
            let printed = format!("{:?}", run.client);
            prop_assert!(!printed.contains("token0") && !printed.contains("token1"), "{printed}");
        }
        prop_assert!(run.events.iter().all(|event| !event.contains("token0")));
    }

    #[test]
    fn the_registrar_answers_any_message_without_panic(
        lines in proptest::collection::vec("[A-Za-z-]{1,12}: [ -~]{0,40}", 0..12),
        method in "REGISTER|OPTIONS|INVITE|[A-Z]{1,9}",
        uri in "sip:ucm1.example.com|sips:[ -~]{0,10}|[!-~]{1,20}",
    ) {
        let mut text = format!("{method} {uri} SIP/2.0\r\n");
        for line in &lines {
            text.push_str(line);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        if let Ok(view) = MessageView::parse(text.as_bytes(), &Limits::default()) {
            let answer = registrar().handle(&on_premises(), &view, wall(), &mut Seeded::new(1));
            let _ = answer.observation.to_string();
            if let Some(response) = answer.response {
                let bytes = response.to_bytes();
                prop_assert!(MessageView::parse(&bytes, &Limits::default()).is_ok());
            }
        }
    }

    #[test]
    fn register_values_of_any_text_do_not_panic_the_registrar(
        contact in "[ -~]{0,60}", to in "[ -~]{0,30}", expires in "[0-9]{1,12}|[ -~]{0,5}",
    ) {
        let text = format!(
            "REGISTER sip:{NODE} SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.10;branch=z9hG4bK1\r\n\
             From: <sip:1010@{NODE}>;tag=1\r\nTo: <sip:1010@{NODE}>{to}\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n\
             Contact: {contact}\r\nExpires: {expires}\r\n\r\n"
        );
        if let Ok(view) = MessageView::parse(text.as_bytes(), &Limits::default()) {
            let _ = registrar().handle(&on_premises(), &view, wall(), &mut Seeded::new(1));
        }
    }
}
