//! One client, and a test that plays everybody else.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

use std::time::{Duration, Instant};

use sip_oauth_registration::Seeded;
use sip_oauth_registration::client::{
    Client, ClientConfig, ClientState, ConnectionFailure, Event, FlowId,
};

use super::support::{USER, answer_to, local, token_of, wall};

/// A client, a clock, and whoever the test plays at the other end.
pub struct Bench {
    pub client: Client,
    pub start: Instant,
    pub now: Instant,
    pub connection: Option<FlowId>,
    pub events: Vec<Event>,
    pub last: Vec<u8>,
    /// The connection it was sent over.
    pub over: Option<FlowId>,
    tokens: u64,
}

impl Bench {
    pub fn new(config: ClientConfig) -> Self {
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
            over: None,
            tokens: 0,
        };
        bench.client.start(start);
        bench.connect();
        bench
    }

    pub fn registered(config: ClientConfig) -> Self {
        let mut bench = Self::new(config);
        bench.sent();
        bench.answer("200 OK", "Expires: 120\r\n");
        assert_eq!(bench.client.state(), ClientState::Registered);
        bench.events.clear();
        bench
    }

    /// Makes the connection that is asked for.
    pub fn connect(&mut self) {
        self.poll();
        let connection = self.connection.take().expect("it wants a connection");
        self.client.handle_connected(connection, local(), self.now);
        self.connection = Some(connection);
        self.poll();
    }

    pub fn poll(&mut self) {
        while let Some(event) = self.client.poll_event() {
            if let Event::Connect { connection, .. } = &event {
                self.connection = Some(*connection);
            }
            self.events.push(event);
        }
    }

    /// What is sent now, if anything.
    pub fn transmit(&mut self) -> Option<String> {
        let mut out = Vec::new();
        self.over = Some(self.client.poll_transmit(wall(), &mut out)?);
        self.last.clone_from(&out);
        Some(String::from_utf8(out).unwrap())
    }

    /// The REGISTER that must be sent now.
    pub fn sent(&mut self) -> String {
        self.transmit().expect("a REGISTER")
    }

    /// Answers what was sent last.
    pub fn answer(&mut self, status: &str, lines: &str) {
        let answer = answer_to(&self.last, status, lines);
        let connection = self.over.unwrap();
        self.client.handle_message(connection, &answer, self.now);
        self.poll();
    }

    pub fn at(&mut self, seconds: u64) {
        self.at_ms(seconds * 1000);
    }

    pub fn at_ms(&mut self, ms: u64) {
        self.now = self.start + Duration::from_millis(ms);
        self.client.handle_timeout(self.now);
        self.poll();
    }

    pub fn lose(&mut self, cause: ConnectionFailure) {
        let connection = self.connection.unwrap();
        self.client.handle_disconnected(connection, cause, self.now);
        self.poll();
    }

    /// Gives the client a token it has not seen.
    pub fn give_token(&mut self) {
        self.tokens += 1;
        let issued = wall() + Duration::from_secs(self.tokens);
        self.client
            .provide_token(token_of(USER, issued), None, self.now)
            .unwrap();
        self.poll();
    }

    pub fn closed(&self) -> usize {
        let close = |event: &&Event| matches!(event, Event::Close { .. });
        self.events.iter().filter(close).count()
    }
}

pub fn field<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| {
        line.strip_prefix(name)?
            .strip_prefix(": ")
            .map(|value| value.trim_end_matches('\r'))
    })
}
