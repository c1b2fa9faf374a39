//! Two ends, an edge between them where wanted, and a clock that stands until it is moved.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use sip_oauth_message::{Limits, MessageView, Request, Response};
use sip_oauth_registration::Seeded;
use sip_oauth_registration::client::{
    Client, ClientConfig, ConnectionFailure, Device, Disposition, Event, FlowId, Instance, Line,
    Target, Transport,
};
use sip_oauth_registration::edge::{Edge, EdgeArrival, Forwarding};
use sip_oauth_registration::registrar::{
    Answer, Arrival, Cluster, Database, DeviceLine, DeviceRecord, Listener, Node, NodePorts,
    PeerIdentity, Registrar, RegistrarConfig, SecurityProfile, SipOAuthMode,
};
use sip_oauth_token::issue::AuthorizationServer;
use sip_oauth_token::{AccessToken, Form, Verifier};

pub const NODE: &str = "ucm1.example.com";
pub const DEVICE: &str = "CSFJDOE";
pub const USER: &str = "jdoe";
pub const LINE: &str = "1010";
pub const CONTACT: &str = "a1b2c3d4-0000-4000-8000-000000000001";
pub const CLIENT_ID: &str = "C0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Making RSA keys takes a while: one authorization server for all tests of a file.
pub static AUTHORIZATION_SERVER: LazyLock<AuthorizationServer> = LazyLock::new(|| {
    AuthorizationServer::new("5c1e7f20-93ab-4d6e-8a57-1f0b2c3d4e5f").expect("keys can be made")
});

pub fn verifier() -> Arc<Verifier> {
    let server = &*AUTHORIZATION_SERVER;
    Arc::new(Verifier::new(server.key_set(), server.policy()))
}

/// 30 March 2020, 11:03:19, when the published trace was taken.
pub fn wall() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_585_566_199)
}

pub fn token_of(user: &str, now: SystemTime) -> AccessToken {
    let issued = AUTHORIZATION_SERVER.issue_access(
        user,
        CLIENT_ID,
        &["UnifiedCommunications:readwrite"],
        now,
    );
    issued.expect("the server issues").token
}

/// A cluster of one node in SIP OAuth mode that knows one device.
pub fn cluster() -> Cluster {
    let mut cluster = Cluster::new();
    let node = Node::new(NODE, NodePorts::default())
        .with_alias("10.10.10.1")
        .with_alias("UCM2-PUB");
    cluster.add_node(node).expect("the first node");
    cluster.set_refresh_login_flow(true);
    cluster
        .set_sip_oauth_mode(SipOAuthMode::Enabled)
        .expect("refresh login flow is on");
    cluster.restart(NODE).expect("the node exists");
    cluster
        .put_profile(SecurityProfile::oauth("oauth"))
        .expect("a valid profile");
    cluster
        .put_profile(SecurityProfile::non_secure("legacy"))
        .expect("a valid profile");
    let lines = [DeviceLine::new(LINE), DeviceLine::new("1011")];
    cluster
        .put_device(DeviceRecord::csf(DEVICE, "oauth", USER, lines))
        .expect("the profile exists");
    cluster
}

pub fn registrar_with(config: RegistrarConfig) -> Registrar {
    Registrar::new(config, Database::new(cluster()), verifier())
}

pub fn registrar() -> Registrar {
    registrar_with(RegistrarConfig::unified_cm(NODE))
}

pub fn device() -> Device {
    Device::csf(DEVICE, Instance::new("005056aabbcc").expect("12 digits"))
}

pub fn target() -> Target {
    Target::new(NODE, 5090, Transport::Tls)
}

pub fn client_config() -> ClientConfig {
    ClientConfig::unified_cm(device(), Line::new(LINE, CONTACT), vec![target()])
}

pub fn local() -> SocketAddr {
    ([192, 0, 2, 10], 62162).into()
}

/// Where a request of a client is answered.
pub enum Path {
    /// Straight to the registrar's listener.
    Direct(Listener),
    /// Through an edge to the port for mobile and remote access.
    Edge(Box<Edge>),
    /// Nobody answers.
    Silence,
}

/// A client, a registrar and a clock.
pub struct Pair {
    pub client: Client,
    pub registrar: Registrar,
    pub path: Path,
    pub start: Instant,
    pub elapsed: Duration,
    pub entropy: Seeded,
    /// What the client said since it was last looked at.
    pub events: Vec<Event>,
    /// What went over the wire: requests as the client sent them, answers as they came back.
    pub sent: Vec<Vec<u8>>,
    pub answers: Vec<Vec<u8>>,
    /// What the registrar decided.
    pub decisions: Vec<Answer>,
    /// Given when the client asks.
    pub tokens: Vec<AccessToken>,
    pub expires_in: Option<Duration>,
    /// Connections that fail when they are made.
    pub unreachable: Vec<String>,
}

impl Pair {
    pub fn new() -> Self {
        Self::with(
            client_config(),
            registrar(),
            Path::Direct(Listener::SipOAuth),
        )
    }

    pub fn with(config: ClientConfig, registrar: Registrar, path: Path) -> Self {
        Self {
            client: Client::new(config, Seeded::new(1)),
            registrar,
            path,
            start: Instant::now(),
            elapsed: Duration::ZERO,
            entropy: Seeded::new(2),
            events: Vec::new(),
            sent: Vec::new(),
            answers: Vec::new(),
            decisions: Vec::new(),
            tokens: vec![token_of(USER, wall())],
            expires_in: None,
            unreachable: Vec::new(),
        }
    }

    pub fn now(&self) -> Instant {
        self.start + self.elapsed
    }

    pub fn wall(&self) -> SystemTime {
        wall() + self.elapsed
    }

    pub fn start(&mut self) {
        self.client.start(self.now());
        self.drive();
    }

    /// Moves the clock to `seconds` after the start, stopping at every deadline on the way.
    pub fn advance_to(&mut self, seconds: u64) {
        let goal = self.start + Duration::from_secs(seconds);
        while let Some(due) = self.client.poll_timeout().filter(|&due| due <= goal) {
            self.elapsed = self.elapsed.max(due - self.start);
            self.registrar.expire(self.wall()).expect("memory answers");
            self.client.handle_timeout(self.now());
            self.drive();
        }
        self.elapsed = goal - self.start;
        self.registrar.expire(self.wall()).expect("memory answers");
        self.client.handle_timeout(self.now());
        self.drive();
    }

    /// Carries messages and events until nobody has anything to say.
    pub fn drive(&mut self) {
        loop {
            let mut out = Vec::new();
            if let Some(connection) = self.client.poll_transmit(self.wall(), &mut out) {
                self.deliver(connection, out);
                continue;
            }
            let Some(event) = self.client.poll_event() else {
                return;
            };
            self.react(&event);
            self.events.push(event);
        }
    }

    fn react(&mut self, event: &Event) {
        let now = self.now();
        match event {
            Event::Connect { connection, target } if self.unreachable.contains(&target.node) => {
                let why = ConnectionFailure::Refused("connection refused".to_owned());
                self.client.handle_disconnected(*connection, why, now);
            }
            Event::Connect { connection, .. } => {
                self.client.handle_connected(*connection, local(), now);
            }
            Event::TokenNeeded { .. } if !self.tokens.is_empty() => {
                let token = self.tokens.remove(0);
                self.client
                    .provide_token(token, self.expires_in, now)
                    .expect("a new token");
            }
            _ => {}
        }
    }

    fn deliver(&mut self, connection: FlowId, bytes: Vec<u8>) {
        let answer = match &self.path {
            Path::Silence => None,
            Path::Direct(listener) => {
                let port = NodePorts::default().port(*listener);
                let arrival = Arrival::new(*listener, port, local());
                self.ask_registrar(&arrival, &bytes)
                    .map(|response| response.to_bytes())
            }
            Path::Edge(_) => self.through_edge(&bytes),
        };
        self.sent.push(bytes);
        if let Some(answer) = answer {
            let taken = self.client.handle_message(connection, &answer, self.now());
            assert!(matches!(taken, Disposition::Consumed), "{taken:?}");
            self.answers.push(answer);
        }
    }

    fn ask_registrar(&mut self, arrival: &Arrival, bytes: &[u8]) -> Option<Response> {
        let view = MessageView::parse(bytes, &Limits::default()).expect("our own message");
        let answer = self
            .registrar
            .handle(arrival, &view, self.wall(), &mut self.entropy);
        self.decisions.push(answer.clone());
        answer.response
    }

    fn through_edge(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        // The client is behind a NAT.
        let from = EdgeArrival::new(7, ([203, 0, 113, 5], 40000).into());
        let view = MessageView::parse(bytes, &Limits::default()).expect("our own message");
        let now = self.wall();
        let Path::Edge(edge) = &self.path else {
            return None;
        };
        let request = match edge.forward_request(&from, &view, now, &mut self.entropy) {
            Forwarding::ToZone { request, .. } => request,
            Forwarding::Answer { response, .. } => return Some(response.to_bytes()),
            Forwarding::Drop => return None,
        };
        let identity = PeerIdentity::new(["expc.example.com"]).allowed_by("expc.example.com");
        let arrival =
            Arrival::new(Listener::SipMraOAuth, 5091, edge_address()).with_peer_identity(identity);
        let answer = self
            .ask_registrar(&arrival, &request.to_bytes())?
            .to_bytes();
        let view = MessageView::parse(&answer, &Limits::default()).expect("our own message");
        let Path::Edge(edge) = &self.path else {
            return None;
        };
        let returned = edge
            .forward_response(&view)
            .expect("an answer to the edge's request");
        assert_eq!(returned.connection, 7);
        Some(returned.response.to_bytes())
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The request of this place, as a value.
    pub fn request(&self, index: usize) -> Request {
        let view =
            MessageView::parse(&self.sent[index], &Limits::default()).expect("our own message");
        view.to_request().expect("a request")
    }

    pub fn answer(&self, index: usize) -> Response {
        let view =
            MessageView::parse(&self.answers[index], &Limits::default()).expect("our own message");
        view.to_response().expect("a response")
    }

    pub fn statuses(&self) -> Vec<u16> {
        (0..self.answers.len())
            .map(|at| self.answer(at).status.as_u16())
            .collect()
    }
}

pub fn edge_address() -> SocketAddr {
    ([192, 0, 2, 20], 25000).into()
}

/// Asks a registrar with a message written by hand.
pub fn ask(registrar: &Registrar, arrival: &Arrival, text: &str) -> Answer {
    let bytes = text.replace('\n', "\r\n");
    let view = MessageView::parse(bytes.as_bytes(), &Limits::default()).expect("a message");
    registrar.handle(arrival, &view, wall(), &mut Seeded::new(3))
}

/// The response of an answer; panics where there is none.
pub fn response(answer: Answer) -> Response {
    answer.response.expect("it is answered")
}

/// A REGISTER with these lines between CSeq and Content-Length.
pub fn register(cseq: u32, lines: &str) -> String {
    format!(
        "REGISTER sip:{NODE} SIP/2.0\n\
         Via: SIP/2.0/TLS 192.0.2.10:62162;branch=z9hG4bK0000{cseq:04x}\n\
         From: <sip:{LINE}@{NODE}>;tag=1\n\
         To: <sip:{LINE}@{NODE}>\n\
         Call-ID: 1@192.0.2.10\n\
         Max-Forwards: 70\n\
         CSeq: {cseq} REGISTER\n\
         {lines}Content-Length: 0\n\n"
    )
}

/// The Contact line of the device.
pub fn contact_line() -> String {
    format!(
        "Contact: <sip:{CONTACT}@192.0.2.10:62162;transport=tls>\
         ;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-005056aabbcc>\"\
         ;+u.sip!devicename.ccm.cisco.com=\"{DEVICE}\";+u.sip!model.ccm.cisco.com=\"503\";video\n"
    )
}

pub fn credentials_line(user: &str) -> String {
    format!(
        "Proxy-Authorization: Bearer token=\"{}\"\n",
        token_of(user, wall()).expose()
    )
}

/// What a client on its way through several realms may send (RFC 3261 section 22.3): one token for each.
pub fn tokens_lines(tokens: &[&str]) -> String {
    let line = |token| format!("Proxy-Authorization: Bearer token=\"{token}\"\n");
    tokens.iter().map(line).collect()
}

/// A token of a key that [`verifier`] does not have, as after a rotation.
pub fn token_of_an_unknown_key() -> String {
    let server = AuthorizationServer::new("5c1e7f20-93ab-4d6e-8a57-1f0b2c3d4e5f").expect("keys");
    let issued = server.issue_access(USER, CLIENT_ID, &[], wall());
    issued.expect("the server issues").token.expose().to_owned()
}

/// Knows the keys of [`AUTHORIZATION_SERVER`], and has another one asked about text without form.
pub fn verifier_that_asks() -> Arc<Verifier> {
    let server = &*AUTHORIZATION_SERVER;
    let policy = server.policy().forms([Form::UnifiedCm, Form::Opaque]);
    Arc::new(Verifier::new(server.key_set(), policy))
}

pub fn on_premises() -> Arrival {
    Arrival::new(Listener::SipOAuth, 5090, local())
}

/// An answer to a request of a client: what it repeats of it, and these lines.
pub fn answer_to(request: &[u8], status: &str, lines: &str) -> Vec<u8> {
    let view = MessageView::parse(request, &Limits::default()).expect("our own message");
    let copied: Vec<String> = view
        .fields()
        .filter(|field| ["Via", "From", "To", "Call-ID", "CSeq"].contains(&field.name_text()))
        .map(|field| format!("{}: {}\r\n", field.name_text(), field.value()))
        .collect();
    let head = copied.concat();
    format!("SIP/2.0 {status}\r\n{head}{lines}Content-Length: 0\r\n\r\n").into_bytes()
}
