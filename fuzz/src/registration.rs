//! The machines of registration, fed operations and a clock.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use sip_oauth_message::{Limits, MessageView};
use sip_oauth_registration::Seeded;
use sip_oauth_registration::client::{
    Client, ClientConfig, ConnectionFailure, ConnectionId, Device, Event, Instance, Line, Target,
    Transport,
};
use sip_oauth_registration::registrar::{
    Arrival, BindingStore, Cluster, Database, Decision, DeviceLine, DeviceRecord, Listener, Node,
    NodePorts, Registrar, RegistrarConfig, SecurityProfile, SipOAuthMode,
};
use sip_oauth_token::issue::AuthorizationServer;
use sip_oauth_token::{AccessToken, Verifier};

const NODES: [&str; 3] = ["ucm1.example.com", "ucm2.example.com", "ucm3.example.com"];

/// What is issued once, since making keys takes a while.
struct Issued {
    verifier: Arc<Verifier>,
    /// Those of the owner; one of somebody else at the end.
    tokens: Vec<AccessToken>,
}

static ISSUED: LazyLock<Issued> = LazyLock::new(|| {
    let server =
        AuthorizationServer::new("5c1e7f20-93ab-4d6e-8a57-1f0b2c3d4e5f").expect("keys can be made");
    let issue = |user: &str, second: u64| {
        let at = wall() + Duration::from_secs(second);
        server
            .issue_access(user, "C0ffee", &[], at)
            .expect("the server issues")
            .token
    };
    Issued {
        verifier: Arc::new(Verifier::new(server.key_set(), server.policy())),
        tokens: (0..6)
            .map(|second| issue("jdoe", second * 600))
            .chain([issue("other", 0)])
            .collect(),
    }
});

fn wall() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_585_566_199)
}

/// A client, a registrar at each node over one store, and a clock that only goes forward.
struct World<'a> {
    input: &'a [u8],
    client: Client,
    registrars: Vec<Registrar<Arc<sip_oauth_registration::registrar::MemoryStore>>>,
    start: Instant,
    elapsed: Duration,
    /// Connections that were asked for and not closed, and the node each leads to.
    open: Vec<(ConnectionId, usize)>,
    /// The last request of each, not answered yet.
    asked: HashMap<ConnectionId, Vec<u8>>,
    /// The last CSeq of each Call-ID.
    numbers: HashMap<String, u32>,
    /// Tokens each node challenged: never shown to it again.
    challenged: Vec<(usize, String)>,
    entropy: Seeded,
    ports: u16,
}

/// Whatever happens in whatever order, no machine panics, no timer is left behind, each request is a message whose CSeq is
/// the next of its Call-ID, no node is shown a token it challenged, a refused request changes no binding, and a device has
/// one registration.
pub fn registration(data: &[u8]) {
    let mut world = World::new(data);
    // Each operation takes a byte at least.
    while let Some(operation) = world.byte() {
        world.step(operation);
        world.settle();
    }
}

impl<'a> World<'a> {
    fn new(input: &'a [u8]) -> Self {
        let mut cluster = Cluster::new();
        for node in NODES {
            let node = Node::new(node, NodePorts::default());
            cluster.add_node(node).expect("names differ");
        }
        cluster.set_refresh_login_flow(true);
        cluster
            .set_sip_oauth_mode(SipOAuthMode::Enabled)
            .expect("refresh login flow is on");
        for node in NODES {
            cluster.restart(node).expect("the node exists");
        }
        cluster
            .put_profile(SecurityProfile::oauth("oauth"))
            .expect("a valid profile");
        cluster
            .put_device(DeviceRecord::csf(
                "CSFJDOE",
                "oauth",
                "jdoe",
                [DeviceLine::new("1010")],
            ))
            .expect("the profile exists");
        let store = Arc::default();
        let registrars = NODES.map(|node| {
            Registrar::with_store(
                RegistrarConfig::unified_cm(node),
                Database::new(cluster.clone()),
                Arc::clone(&ISSUED.verifier),
                Arc::clone(&store),
            )
        });
        let device = Device::csf("CSFJDOE", Instance::new("005056aabbcc").expect("12 digits"));
        let targets = NODES
            .map(|node| Target::new(node, 5090, Transport::Tls))
            .to_vec();
        let mut config = ClientConfig::unified_cm(device, Line::new("1010", "guid"), targets);
        config.options.restart_after_failure = Some(Duration::from_secs(60));
        Self {
            input,
            client: Client::new(config, Seeded::new(1)),
            registrars: registrars.into(),
            start: Instant::now(),
            elapsed: Duration::ZERO,
            open: Vec::new(),
            asked: HashMap::new(),
            numbers: HashMap::new(),
            challenged: Vec::new(),
            entropy: Seeded::new(2),
            ports: 20_000,
        }
    }

    fn now(&self) -> Instant {
        self.start + self.elapsed
    }

    fn wall(&self) -> SystemTime {
        wall() + self.elapsed
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.input.split_first()?;
        self.input = rest;
        Some(first)
    }

    fn number(&mut self) -> usize {
        self.byte().unwrap_or_default().into()
    }

    /// A connection the next byte chooses, if there is one.
    fn connection(&mut self) -> Option<(ConnectionId, usize)> {
        let at = self.number();
        let many = self.open.len();
        self.open.get(at.checked_rem(many)?).copied()
    }

    fn step(&mut self, operation: u8) {
        let now = self.now();
        match operation % 21 {
            0 => self.client.start(now),
            1 => self.client.deregister(now),
            2 => {
                if let Some((id, _)) = self.connection() {
                    self.ports = self.ports.wrapping_add(1).max(20_000);
                    let local = ([192, 0, 2, 10], self.ports).into();
                    self.client.handle_connected(id, local, now);
                }
            }
            3 => {
                if let Some((id, _)) = self.connection() {
                    let cause = match self.number() % 4 {
                        0 => ConnectionFailure::Closed,
                        1 => ConnectionFailure::Tls("refused".to_owned()),
                        2 => ConnectionFailure::ConnectTimeout,
                        _ => ConnectionFailure::Refused("refused".to_owned()),
                    };
                    self.open.retain(|(open, _)| *open != id);
                    self.asked.remove(&id);
                    self.client.handle_disconnected(id, cause, now);
                }
            }
            // The usual course of things is more likely than the rest.
            4..=7 => self.let_the_registrar_answer(),
            8 | 9 => self.answer_by_hand(),
            10 => {
                let at = self.number();
                let tokens = &ISSUED.tokens;
                if let Some(token) = tokens.get(at % tokens.len()) {
                    let life = at.is_multiple_of(2).then(|| Duration::from_secs(3600));
                    // A token that was refused is not taken, which is an answer too.
                    let _ = self.client.provide_token(token.clone(), life, now);
                }
            }
            11 => self.client.token_unavailable(),
            12 => self.client.suspend(),
            13 => self.client.resume(now),
            14 => {
                let first = self.number() % NODES.len();
                let targets = NODES.iter().cycle().skip(first).take(NODES.len());
                let targets = targets.map(|node| Target::new(node, 5090, Transport::Tls));
                self.client.relocate(targets.collect(), now);
            }
            15 => self.client.take_over(now),
            16 => {
                if let Some((id, _)) = self.connection() {
                    self.client.handle_pong(id, now);
                }
            }
            17 => {
                let node = self.number() % NODES.len();
                if let Some(registrar) = self.registrars.get(node) {
                    registrar.restart().expect("memory answers");
                }
            }
            18 | 19 => {
                let unit = if operation % 21 == 18 { 1 } else { 60 };
                let many = u64::from(self.byte().unwrap_or_default());
                self.pass(Duration::from_secs(unit * many));
            }
            _ => self.noise(),
        }
    }

    /// Bytes nobody made: to the client as a message, to a registrar as what could not be read.
    fn noise(&mut self) {
        let many = self.number().min(self.input.len());
        let (bytes, rest) = self.input.split_at_checked(many).unwrap_or_default();
        self.input = rest;
        if let Some((id, _)) = self.connection() {
            self.client.handle_message(id, bytes, self.now());
        }
        let arrival = Arrival::new(Listener::SipOAuth, 5090, ([192, 0, 2, 10], 20_000).into());
        let now = self.wall();
        if let Some(registrar) = self.registrars.first()
            && let Some(answer) =
                registrar.answer_overloaded(&arrival, bytes, now, &mut self.entropy)
        {
            let response = answer
                .response
                .expect("what is answered has a response")
                .to_bytes();
            MessageView::parse(&response, &Limits::default()).expect("an answer is a message");
        }
    }

    /// Moves the clock, stopping wherever something is due.
    fn pass(&mut self, time: Duration) {
        let goal = self.elapsed + time;
        while let Some(due) = self
            .client
            .poll_timeout()
            .filter(|due| *due <= self.start + goal)
        {
            self.elapsed = self.elapsed.max(due - self.start);
            self.client.handle_timeout(self.now());
            self.settle();
            let left = self.client.poll_timeout();
            assert!(
                left.is_none_or(|left| left > self.now()),
                "a timer is left behind"
            );
        }
        self.elapsed = goal;
        if let Some(registrar) = self.registrars.first() {
            registrar.expire(self.wall()).expect("memory answers");
        }
    }

    /// Takes everything the client has to say.
    fn settle(&mut self) {
        loop {
            let mut out = Vec::new();
            if let Some(id) = self.client.poll_transmit(self.wall(), &mut out) {
                self.sent(id, out);
                continue;
            }
            match self.client.poll_event() {
                Some(Event::Connect { connection, target }) => {
                    let node = NODES.iter().position(|node| *node == target.node);
                    self.open
                        .push((connection, node.expect("a node of this world")));
                }
                Some(Event::Close { connection }) => {
                    self.open.retain(|(open, _)| *open != connection);
                    self.asked.remove(&connection);
                }
                Some(_) => {}
                None => return,
            }
        }
    }

    fn sent(&mut self, id: ConnectionId, bytes: Vec<u8>) {
        if bytes == b"\r\n\r\n" {
            return;
        }
        let view =
            MessageView::parse(&bytes, &Limits::default()).expect("a client writes messages");
        let field = |name: &str| view.fields().find(|field| field.name_text() == name);
        let call_id = field("Call-ID").expect("a Call-ID").value().to_owned();
        let cseq = field("CSeq").expect("a CSeq").value();
        let number: u32 = cseq
            .split(' ')
            .next()
            .and_then(|n| n.parse().ok())
            .expect("a number");
        if let Some(last) = self.numbers.insert(call_id, number) {
            assert_eq!(number, last + 1, "CSeq is the next");
        }
        let node = self
            .open
            .iter()
            .find(|(open, _)| *open == id)
            .map(|(_, node)| *node);
        let node = node.expect("a request goes over a connection that is open");
        if let Some(token) = token_in(&view) {
            assert!(
                !self.challenged.contains(&(node, token)),
                "shown again to who challenged it"
            );
        }
        self.asked.insert(id, bytes);
    }

    fn let_the_registrar_answer(&mut self) {
        let Some((id, node)) = self.connection() else {
            return;
        };
        let Some(request) = self.asked.remove(&id) else {
            return;
        };
        let view = MessageView::parse(&request, &Limits::default()).expect("it was one before");
        let arrival = Arrival::new(Listener::SipOAuth, 5090, ([192, 0, 2, 10], 20_000).into());
        let now = self.wall();
        let Some(registrar) = self.registrars.get(node) else {
            return;
        };
        let before = registrar
            .store()
            .of_device("CSFJDOE")
            .expect("memory answers");
        let answer = registrar.handle(&arrival, &view, now, &mut self.entropy);
        let after = registrar
            .store()
            .of_device("CSFJDOE")
            .expect("memory answers");
        if let Decision::Refused(_) = answer.observation.decision {
            assert_eq!(before, after, "a refusal changes nothing");
        }
        assert!(after.len() <= 1, "one registration a device: {after:?}");
        let Some(response) = answer.response else {
            return;
        };
        if matches!(response.status.as_u16(), 401 | 407)
            && let Some(token) = token_in(&view)
        {
            self.challenged.push((node, token));
        }
        self.client
            .handle_message(id, &response.to_bytes(), self.now());
    }

    /// An answer no registrar of ours would give.
    fn answer_by_hand(&mut self) {
        const STATUSES: [u16; 16] = [
            100, 200, 200, 202, 301, 302, 401, 403, 407, 408, 413, 423, 480, 500, 503, 603,
        ];
        const LINES: [&str; 10] = [
            "Expires: 120\r\n",
            "Expires: 0\r\n",
            "Expires: 4294967295\r\n",
            "Retry-After: 35\r\n",
            "Retry-After: 0\r\n",
            "Min-Expires: 3600\r\n",
            "Flow-Timer: 20\r\n",
            "Proxy-Authenticate: Bearer realm=\"ccmsipline\"\r\n",
            "WWW-Authenticate: Digest realm=\"x\", nonce=\"1\"\r\n",
            "Contact: <sip:1010@ucm2.example.com:5090>;expires=1;x-cisco-newreg\r\n",
        ];
        let Some((id, node)) = self.connection() else {
            return;
        };
        let Some(request) = self.asked.get(&id).cloned() else {
            return;
        };
        let view = MessageView::parse(&request, &Limits::default()).expect("it was one before");
        let status = STATUSES
            .get(self.number() % STATUSES.len())
            .copied()
            .unwrap_or(200);
        let mut lines = String::new();
        for _ in 0..self.number() % 4 {
            lines.push_str(
                LINES
                    .get(self.number() % LINES.len())
                    .copied()
                    .unwrap_or_default(),
            );
        }
        let mut head = String::new();
        for field in view.fields() {
            if ["Via", "From", "To", "Call-ID", "CSeq"].contains(&field.name_text()) {
                for part in [field.name_text(), ": ", field.value(), "\r\n"] {
                    head.push_str(part);
                }
            }
        }
        if matches!(status, 401 | 407)
            && let Some(token) = token_in(&view)
        {
            self.challenged.push((node, token));
        }
        let answer = format!("SIP/2.0 {status} x\r\n{head}{lines}Content-Length: 0\r\n\r\n");
        if status >= 200 {
            self.asked.remove(&id);
        }
        self.client
            .handle_message(id, answer.as_bytes(), self.now());
    }
}

/// The token a request carries.
fn token_in(request: &MessageView<'_>) -> Option<String> {
    let field = request
        .fields()
        .find(|field| ["Proxy-Authorization", "Authorization"].contains(&field.name_text()))?;
    Some(field.value().to_owned())
}
