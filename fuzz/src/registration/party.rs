//! One client and everything that is checked about what it does.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use sip_oauth_message::{Limits, MessageView};
use sip_oauth_registration::Seeded;
use sip_oauth_registration::client::{
    Client, ClientConfig, ClientState, ConnectionFailure, Dialect, Event, FlowId, Target,
    TokenChallenge, Transport,
};
use sip_oauth_token::AccessToken;

use super::{NODES, OTHER_SERVER, SERVER};

/// A client, and the requests and connections it has out.
pub(super) struct Party {
    pub(super) client: Client,
    /// Connections that were asked for and not closed, and where each leads.
    open: Vec<(FlowId, Target)>,
    /// The request of each that is not answered yet.
    asked: HashMap<FlowId, Vec<u8>>,
    /// The last CSeq of each Call-ID.
    numbers: HashMap<String, u32>,
    /// Tokens each node challenged: never shown to it again.
    challenged: Vec<(usize, String)>,
    /// Where a challenge just came that names nobody it trusts: it is not answered.
    distrusted: Option<FlowId>,
    ports: u16,
    /// Tokens made for it to come to rest with.
    tokens: usize,
    /// What its owner said last: to be registered, or not to be.
    wanted: bool,
}

impl Party {
    pub(super) fn new(config: ClientConfig, seed: u64) -> Self {
        Self {
            client: Client::new(config, Seeded::new(seed)),
            open: Vec::new(),
            asked: HashMap::new(),
            numbers: HashMap::new(),
            challenged: Vec::new(),
            distrusted: None,
            ports: 20_000,
            tokens: 0,
            wanted: false,
        }
    }

    pub(super) fn start(&mut self, now: Instant) {
        // Without a network nothing is started.
        self.wanted |= self.client.state() != ClientState::Suspended;
        self.client.start(now);
    }

    pub(super) fn take_over(&mut self, now: Instant) {
        self.wanted |= self.client.state() != ClientState::Suspended;
        self.client.take_over(now);
    }

    pub(super) fn deregister(&mut self, now: Instant) {
        self.wanted = false;
        self.client.deregister(now);
    }

    /// One of its connections, if there are any.
    pub(super) fn connection(&self, at: usize) -> Option<FlowId> {
        let many = self.open.len();
        let (id, _) = self.open.get(at.checked_rem(many)?)?;
        Some(*id)
    }

    pub(super) fn connect(&mut self, id: FlowId, now: Instant) {
        self.ports = self.ports.wrapping_add(1).max(20_000);
        let local = ([192, 0, 2, 10], self.ports).into();
        self.client.handle_connected(id, local, now);
    }

    pub(super) fn lose(&mut self, id: FlowId, cause: ConnectionFailure, now: Instant) {
        self.forget(id);
        self.client.handle_disconnected(id, cause, now);
    }

    fn forget(&mut self, id: FlowId) {
        self.open.retain(|(open, _)| *open != id);
        self.asked.remove(&id);
    }

    /// The node a connection leads to.
    pub(super) fn node_of(&self, id: FlowId) -> Option<usize> {
        let (_, target) = self.open.iter().find(|(open, _)| *open == id)?;
        NODES.iter().position(|node| *node == target.node)
    }

    /// The request that waits for an answer over a connection.
    pub(super) fn asked(&self, id: FlowId) -> Option<&[u8]> {
        self.asked.get(&id).map(Vec::as_slice)
    }

    /// Answers the request that waits over a connection.
    pub(super) fn answer(&mut self, id: FlowId, status: u16, answer: &[u8], now: Instant) {
        let Some(request) = self.asked.get(&id) else {
            return;
        };
        if matches!(status, 401 | 407)
            && let Some(token) = token_in(&read(request))
            && let Some(node) = self.node_of(id)
        {
            self.challenged.push((node, token));
        }
        if matches!(status, 401 | 407) && self.distrusts(&String::from_utf8_lossy(answer)) {
            self.distrusted = Some(id);
        }
        if status >= 200 {
            self.asked.remove(&id);
        }
        self.client.handle_message(id, answer, now);
    }

    /// Whether a challenge names an authorization server that the client does not trust, and no other challenge stands beside it.
    fn distrusts(&self, answer: &str) -> bool {
        let named = [SERVER, OTHER_SERVER];
        let foreign = named
            .iter()
            .any(|server| !self.trusts(server) && answer.contains(server));
        foreign && answer.matches("Bearer").count() == 1
    }

    fn trusts(&self, server: &str) -> bool {
        match &self.client.config().dialect {
            Dialect::Rfc8898 {
                trusted_authorization_servers,
            } => trusted_authorization_servers
                .iter()
                .any(|trusted| trusted == server),
            _ => true,
        }
    }

    /// A token is asked for only where it is trusted.
    fn check_wanted(&self, challenge: &TokenChallenge) {
        if let Some(server) = &challenge.authorization_server {
            assert!(self.trusts(server), "a token is wanted of {server}");
        }
    }

    /// Takes everything the client has to say.
    pub(super) fn settle(&mut self, wall: SystemTime) {
        loop {
            let mut out = Vec::new();
            if let Some(id) = self.client.poll_transmit(wall, &mut out) {
                self.sent(id, out);
                continue;
            }
            match self.client.poll_event() {
                Some(Event::Connect { connection, target }) => self.open.push((connection, target)),
                Some(Event::Close { connection }) => self.forget(connection),
                Some(Event::TokenNeeded {
                    challenge: Some(challenge),
                    ..
                }) => self.check_wanted(&challenge),
                Some(_) => {}
                None => break,
            }
        }
        self.distrusted = None;
        self.check_state();
    }

    fn check_state(&self) {
        let state = self.client.state();
        if self.wanted {
            assert_ne!(state, ClientState::Idle, "its owner wants it registered");
        } else {
            let leaving = matches!(
                state,
                ClientState::Idle
                    | ClientState::Registering
                    | ClientState::Refreshing
                    | ClientState::Deregistering
            );
            assert!(leaving, "its owner wants it out, and it is {state:?}");
        }
        let most = match state {
            ClientState::Idle | ClientState::Failed | ClientState::Suspended => 0,
            ClientState::Refused => 1,
            _ => self.client.config().targets.len(),
        };
        let open = self.open.len();
        assert!(open <= most, "{open} connections are open in {state:?}");
    }

    fn sent(&mut self, id: FlowId, bytes: Vec<u8>) {
        if bytes == b"\r\n\r\n" {
            return;
        }
        let view = read(&bytes);
        let (call_id, cseq) = (field(&view, "Call-ID"), field(&view, "CSeq"));
        let number = cseq.split(' ').next().and_then(|n| n.parse().ok());
        let number: u32 = number.expect("a number");
        if let Some(last) = self.numbers.insert(call_id.to_owned(), number) {
            assert_eq!(number, last + 1, "CSeq is the next");
        }
        for waiting in self.asked.values() {
            assert_ne!(
                field(&read(waiting), "Call-ID"),
                call_id,
                "the last one is not answered (RFC 3261 section 10.2)"
            );
        }
        let target = self.open.iter().find(|(open, _)| *open == id);
        let (_, target) = target.expect("a request goes over a connection that is open");
        let uri = view.as_request().expect("a request").uri;
        assert_eq!(uri.to_string(), format!("sip:{}", target.node));
        let route = view.fields().find(|field| field.name_text() == "Route");
        assert_eq!(route.map(|route| route.value()), target.route.as_deref());
        if let Some(token) = token_in(&view) {
            assert_eq!(target.transport, Transport::Tls, "a token in clear");
            assert_ne!(
                self.distrusted,
                Some(id),
                "a token to who names whom it does not trust"
            );
            let parameter = matches!(self.client.config().dialect, Dialect::UnifiedCm);
            assert_eq!(
                token.starts_with("Bearer token="),
                parameter,
                "the form of the dialect"
            );
            let node = self.node_of(id).expect("a node of this world");
            assert!(
                !self.challenged.contains(&(node, token)),
                "shown again to who challenged it"
            );
        }
        self.asked.insert(id, bytes);
    }

    /// The time that is due has come, however late; several times, until nothing is left.
    pub(super) fn wake(&mut self, now: Instant, wall: SystemTime) {
        for _ in 0..8 {
            self.client.handle_timeout(now);
            self.settle(wall);
            if self.client.poll_timeout().is_none_or(|left| left > now) {
                return;
            }
        }
        panic!("a timer is left behind");
    }

    /// With the network back and every node content, whatever happened before ends in a registration that is refreshed.
    pub(super) fn comes_to_rest(&mut self, now: Instant, wall: SystemTime) {
        for _ in 0..16 {
            self.client.resume(now);
            self.start(now);
            self.settle(wall);
            if self.client.state() == ClientState::AwaitingToken {
                self.tokens += 1;
                let token = AccessToken::parse(&format!("fresh-{}", self.tokens));
                let token = token.expect("a token68");
                let outcome = self.client.provide_token(token, None, now);
                outcome.expect("nobody has seen it");
                self.settle(wall);
            }
            for id in self.open.iter().map(|(id, _)| *id).collect::<Vec<_>>() {
                self.connect(id, now);
                self.settle(wall);
            }
            for id in self.asked.keys().copied().collect::<Vec<_>>() {
                if let Some(answer) = self.asked(id).map(|request| granted(&read(request))) {
                    self.answer(id, 200, &answer, now);
                    self.settle(wall);
                }
            }
            if self.client.state() == ClientState::Registered {
                let due = self.client.poll_timeout().expect("a refresh is due");
                assert!(due <= now + Duration::from_secs(3600), "within its life");
                return;
            }
        }
        panic!("it hangs: {:?}", self.client);
    }
}

/// A message that was written here.
pub(super) fn read(bytes: &[u8]) -> MessageView<'_> {
    MessageView::parse(bytes, &Limits::default()).expect("what is written is a message")
}

fn field<'a>(view: &MessageView<'a>, name: &str) -> &'a str {
    let field = view.fields().find(|field| field.name_text() == name);
    field.expect("a request has it").value()
}

/// What an answer repeats of its request.
pub(super) fn repeated(request: &MessageView<'_>) -> String {
    let mut head = String::new();
    for field in request.fields() {
        if ["Via", "From", "To", "Call-ID", "CSeq"].contains(&field.name_text()) {
            head.extend([field.name_text(), ": ", field.value(), "\r\n"]);
        }
    }
    head
}

fn granted(request: &MessageView<'_>) -> Vec<u8> {
    let head = repeated(request);
    format!("SIP/2.0 200 OK\r\n{head}Expires: 120\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// The token a request carries.
fn token_in(request: &MessageView<'_>) -> Option<String> {
    let field = request
        .fields()
        .find(|field| ["Proxy-Authorization", "Authorization"].contains(&field.name_text()))?;
    Some(field.value().to_owned())
}
