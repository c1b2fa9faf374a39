//! Several clients, several nodes over one store of bindings, a network that may fail, and one clock.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sip_oauth_message::{Limits, MessageView};
use sip_oauth_registration::client::{
    Client, ClientConfig, ClientState, ConnectionFailure, Device, Event, FlowId, Instance, Line,
    Target, Transport,
};
use sip_oauth_registration::registrar::{
    Arrival, Binding, BindingStore, Cluster, Database, DeviceLine, DeviceRecord, Listener,
    MemoryStore, Node, NodePorts, Registrar, RegistrarConfig, SecurityProfile, SipOAuthMode,
};
use sip_oauth_registration::{Entropy, Seeded};

use super::support::{token_of, verifier, wall};

/// The name of a node, counted from 0.
pub fn node_name(node: usize) -> String {
    format!("ucm{}.example.com", node + 1)
}

pub fn line_of(client: usize) -> String {
    format!("{}", 2000 + client)
}

fn user_of(client: usize) -> String {
    format!("user{client}")
}

pub struct WorldNode {
    pub registrar: Registrar<Arc<MemoryStore>>,
    /// A node that is down refuses connections, and those it had are closed.
    pub up: bool,
    pub manner: Manner,
}

/// How a node that is up behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Good,
    /// It accepts everything and answers nothing.
    Silent,
    /// It answers questions of `Expires: 0` only.
    SilentToRegistrations,
    /// It answers everything else with 503.
    RefusesRegistrations,
    /// It challenges whatever token it is shown.
    RefusesTokens,
    /// It challenges whatever token it is shown to register, not those of questions.
    RefusesTokensToRegister,
}

/// What the network does to what is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// How long a message takes at most; connections keep their order.
    pub max_delay_ms: u32,
    /// Of 1000 messages, how many cost the connection.
    pub breaks: u32,
    /// Of 1000 messages, how many make the connection silent for ever: neither end hears of it.
    pub black_holes: u32,
}

enum Delivery {
    ToNode(Vec<u8>),
    ToClient(Vec<u8>),
    Connected,
    Failed(ConnectionFailure),
}

struct Wire {
    node: usize,
    local: SocketAddr,
    open: bool,
    black_hole: bool,
    /// Nothing overtakes what was sent before it.
    last: Duration,
}

/// One line of what happened: when, who, what.
pub type Line3 = (u64, usize, String);

pub struct World {
    pub nodes: Vec<WorldNode>,
    pub clients: Vec<Client>,
    pub store: Arc<MemoryStore>,
    pub weather: Weather,
    pub start: Instant,
    pub elapsed: Duration,
    /// In whole seconds: requests as "REGISTER ucm1 3600" or "REGISTER ucm1 0", events by name.
    pub log: Vec<Line3>,
    /// How many connections were asked for.
    pub connections: usize,
    /// The tokens that nodes of [`Manner::RefusesTokens`] were shown.
    challenged: Vec<(usize, String)>,
    wires: BTreeMap<(usize, FlowId), Wire>,
    in_flight: BTreeMap<(Duration, u64), (usize, FlowId, Delivery)>,
    sequence: u64,
    chance: Seeded,
    entropy: Seeded,
    next_port: u16,
}

fn expires<'a>(request: &MessageView<'a>) -> &'a str {
    request
        .fields()
        .find(|field| field.name_text() == "Expires")
        .map_or("", |field| field.value())
}

/// The credentials of a request.
fn token_in<'a>(request: &MessageView<'a>) -> &'a str {
    request
        .fields()
        .find(|field| field.name_text().ends_with("uthorization"))
        .map_or("", |field| field.value())
}

impl World {
    pub fn new(nodes: usize, clients: usize, seed: u64) -> Self {
        Self::with(nodes, clients, seed, |_| {})
    }

    pub fn with(
        nodes: usize,
        clients: usize,
        seed: u64,
        adjust: impl Fn(&mut ClientConfig),
    ) -> Self {
        let store = Arc::new(MemoryStore::new());
        let mut cluster = Cluster::new();
        for node in 0..nodes {
            let node = Node::new(&node_name(node), NodePorts::default());
            cluster.add_node(node).expect("names differ");
        }
        cluster.set_refresh_login_flow(true);
        cluster
            .set_sip_oauth_mode(SipOAuthMode::Enabled)
            .expect("refresh login flow is on");
        for node in 0..nodes {
            cluster.restart(&node_name(node)).expect("the node exists");
        }
        cluster
            .put_profile(SecurityProfile::oauth("oauth"))
            .expect("a valid profile");
        for client in 0..clients {
            let lines = [DeviceLine::new(&line_of(client))];
            let name = format!("CSF{client}");
            cluster
                .put_device(DeviceRecord::csf(&name, "oauth", &user_of(client), lines))
                .expect("the profile exists");
        }
        let nodes: Vec<_> = (0..nodes)
            .map(|node| WorldNode {
                registrar: Registrar::with_store(
                    RegistrarConfig::unified_cm(&node_name(node)),
                    Database::new(cluster.clone()),
                    verifier(),
                    Arc::clone(&store),
                ),
                up: true,
                manner: Manner::Good,
            })
            .collect();
        let targets: Vec<_> = (0..nodes.len())
            .map(|node| Target::new(&node_name(node), 5090, Transport::Tls))
            .collect();
        let start = Instant::now();
        let clients = (0..clients)
            .map(|client| {
                let instance = Instance::new(&format!("{client:012x}")).expect("12 digits");
                let device = Device::csf(&format!("CSF{client}"), instance);
                let line = Line::new(&line_of(client), &format!("guid-{client}"));
                let mut config = ClientConfig::unified_cm(device, line, targets.clone());
                adjust(&mut config);
                let mut made = Client::new(config, Seeded::new(seed.wrapping_add(client as u64)));
                let token = token_of(&user_of(client), wall());
                made.provide_token(token, None, start).expect("a new token");
                made
            })
            .collect();
        Self {
            nodes,
            clients,
            store,
            weather: Weather::default(),
            start,
            elapsed: Duration::ZERO,
            log: Vec::new(),
            connections: 0,
            challenged: Vec::new(),
            wires: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            sequence: 0,
            chance: Seeded::new(seed ^ 0x5eed),
            entropy: Seeded::new(seed ^ 0xe47),
            next_port: 20_000,
        }
    }

    pub fn now(&self) -> Instant {
        self.start + self.elapsed
    }

    pub fn wall(&self) -> SystemTime {
        wall() + self.elapsed
    }

    pub fn start_all(&mut self) {
        for client in 0..self.clients.len() {
            self.act(client, Client::start);
        }
    }

    /// Something was done to a client from outside: carries what it has to say.
    pub fn act(&mut self, client: usize, act: impl FnOnce(&mut Client, Instant)) {
        let now = self.now();
        act(&mut self.clients[client], now);
        self.drain(client);
    }

    /// A node crashes: its connections are closed and it refuses new ones.
    pub fn crash(&mut self, node: usize) {
        self.nodes[node].up = false;
        let broken: Vec<_> = self
            .wires
            .iter_mut()
            .filter(|(_, wire)| wire.node == node && wire.open)
            .map(|(key, wire)| {
                wire.open = false;
                *key
            })
            .collect();
        for (client, id) in broken {
            self.post(client, id, Delivery::Failed(ConnectionFailure::Closed));
        }
    }

    /// The node starts again: what was registered to it is gone, as after a restart of Cisco CallManager.
    pub fn come_back(&mut self, node: usize) {
        self.nodes[node]
            .registrar
            .restart()
            .expect("memory answers");
        self.nodes[node].up = true;
    }

    /// Moves the clock, doing everything that is due on the way in its order.
    pub fn run_to(&mut self, seconds: u64) {
        let goal = Duration::from_secs(seconds);
        loop {
            let arrival = self.in_flight.keys().next().map(|(at, _)| *at);
            let timer = self
                .clients
                .iter()
                .filter_map(Client::poll_timeout)
                .min()
                .map(|due| due.saturating_duration_since(self.start));
            let Some(next) = [arrival, timer].into_iter().flatten().min() else {
                break;
            };
            if next > goal {
                break;
            }
            self.elapsed = self.elapsed.max(next);
            self.store.expire(self.wall()).expect("memory answers");
            if arrival == Some(next) {
                self.arrive();
            } else {
                for client in 0..self.clients.len() {
                    let now = self.now();
                    self.clients[client].handle_timeout(now);
                    self.drain(client);
                }
            }
        }
        self.elapsed = goal;
        self.store.expire(self.wall()).expect("memory answers");
    }

    fn arrive(&mut self) {
        let Some((_, (client, id, delivery))) = self.in_flight.pop_first() else {
            return;
        };
        let now = self.now();
        let Some(wire) = self.wires.get(&(client, id)) else {
            return;
        };
        let (node, local, open) = (wire.node, wire.local, wire.open);
        match delivery {
            Delivery::Connected if open => self.clients[client].handle_connected(id, local, now),
            Delivery::Failed(cause) => self.clients[client].handle_disconnected(id, cause, now),
            Delivery::ToClient(bytes) if open => {
                self.clients[client].handle_message(id, &bytes, now);
            }
            Delivery::ToNode(bytes) if open => self.at_node(client, id, node, local, &bytes),
            Delivery::Connected | Delivery::ToClient(_) | Delivery::ToNode(_) => {}
        }
        self.drain(client);
    }

    fn at_node(&mut self, client: usize, id: FlowId, node: usize, local: SocketAddr, bytes: &[u8]) {
        if bytes == b"\r\n\r\n" || self.nodes[node].manner == Manner::Silent {
            return;
        }
        let view = MessageView::parse(bytes, &Limits::default()).expect("our own message");
        let arrival = Arrival::new(Listener::SipOAuth, 5090, local);
        let question = expires(&view) == "0";
        let token = token_in(&view);
        let shown = (node, token.to_owned());
        let challenged = match self.nodes[node].manner {
            Manner::RefusesTokens => !token.is_empty(),
            Manner::RefusesTokensToRegister => !token.is_empty() && !question,
            Manner::Good
            | Manner::Silent
            | Manner::SilentToRegistrations
            | Manner::RefusesRegistrations => false,
        };
        if challenged {
            assert!(
                !self.challenged.contains(&shown),
                "a token shown again to {}",
                node_name(node)
            );
            self.challenged.push(shown);
        }
        let (wall, at) = (self.wall(), &self.nodes[node]);
        if at.manner == Manner::SilentToRegistrations && !question {
            return;
        }
        let (registrar, entropy) = (&at.registrar, &mut self.entropy);
        let answer = match at.manner {
            Manner::RefusesRegistrations if !question => {
                let refused = registrar.answer_overloaded(&arrival, bytes, wall, entropy);
                refused.expect("a request")
            }
            _ if challenged => {
                // What it says of a token of somebody it does not know.
                let text =
                    String::from_utf8_lossy(bytes).replace(token, "Bearer token=\"unknown\"");
                let view = MessageView::parse(text.as_bytes(), &Limits::default());
                registrar.handle(&arrival, &view.expect("our own message"), wall, entropy)
            }
            _ => registrar.handle(&arrival, &view, wall, entropy),
        };
        if let Some(response) = answer.response {
            self.post(client, id, Delivery::ToClient(response.to_bytes()));
        }
    }

    /// Carries out what a client wants.
    fn drain(&mut self, client: usize) {
        loop {
            let mut out = Vec::new();
            let wall = self.wall();
            if let Some(id) = self.clients[client].poll_transmit(wall, &mut out) {
                let node = self
                    .wires
                    .get(&(client, id))
                    .map_or(usize::MAX, |wire| wire.node);
                if let Ok(view) = MessageView::parse(&out, &Limits::default()) {
                    let line = format!("REGISTER ucm{} {}", node + 1, expires(&view));
                    self.log.push((self.elapsed.as_secs(), client, line));
                } else {
                    self.log
                        .push((self.elapsed.as_secs(), client, "PING".to_owned()));
                }
                self.post(client, id, Delivery::ToNode(out));
                continue;
            }
            let Some(event) = self.clients[client].poll_event() else {
                return;
            };
            self.react(client, event);
        }
    }

    fn react(&mut self, client: usize, event: Event) {
        let seconds = self.elapsed.as_secs();
        let short = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        let line = match event {
            Event::Connect { connection, target } => {
                self.connections += 1;
                let node = (0..self.nodes.len())
                    .find(|&node| node_name(node) == target.node)
                    .expect("a node of this world");
                self.next_port = self.next_port.wrapping_add(1).max(20_000);
                let local = ([192, 0, 2, 10], self.next_port).into();
                let up = self.nodes[node].up;
                let wire = Wire {
                    node,
                    local,
                    open: up,
                    black_hole: false,
                    last: self.elapsed,
                };
                self.wires.insert((client, connection), wire);
                let outcome = if up {
                    Delivery::Connected
                } else {
                    Delivery::Failed(ConnectionFailure::Refused("refused".to_owned()))
                };
                self.post(client, connection, outcome);
                return;
            }
            Event::Close { connection } => {
                self.wires.remove(&(client, connection));
                return;
            }
            Event::Registered(grant) => format!("registered {}", short(&grant.node)),
            Event::Refreshed(grant) if grant.new_registration => {
                format!("lost its state {}", short(&grant.node))
            }
            Event::Refreshed(_) => return,
            Event::FailedOver { from, to, .. } => {
                format!("failed over {} {}", short(&from), short(&to))
            }
            Event::FallingBack { from, to } => {
                format!("falling back {} {}", short(&from), short(&to))
            }
            Event::Reachable { node } => format!("reachable {}", short(&node)),
            Event::Unreachable { node, .. } => format!("unreachable {}", short(&node)),
            Event::AllNodesFailed { .. } => "all nodes failed".to_owned(),
            Event::Refused(refused) => format!("refused {}", refused.status),
            Event::Deregistered { confirmed } => format!("deregistered {confirmed}"),
            Event::Lapsed { node } => format!("lapsed {}", short(&node)),
            Event::TokenNeeded { reason, .. } => format!("token needed: {reason:?}"),
            Event::Reconnecting { node, .. } => format!("reconnecting {}", short(&node)),
            other => format!("{other:?}"),
        };
        self.log.push((seconds, client, line));
    }

    /// Puts something on the wire; the weather decides what becomes of it.
    fn post(&mut self, client: usize, id: FlowId, delivery: Delivery) {
        let weather = self.weather;
        let Some(wire) = self.wires.get_mut(&(client, id)) else {
            return;
        };
        let mut draw = |below: u32| self.chance.next_u32() % below.max(1);
        let mut delivery = delivery;
        if matches!(delivery, Delivery::ToNode(_) | Delivery::ToClient(_)) {
            if draw(1000) < weather.black_holes {
                wire.black_hole = true;
            }
            if wire.black_hole {
                return;
            }
            if draw(1000) < weather.breaks {
                wire.open = false;
                delivery = Delivery::Failed(ConnectionFailure::Broken("reset".to_owned()));
            }
        }
        let delay = Duration::from_millis(draw(weather.max_delay_ms + 1).into());
        wire.last = wire.last.max(self.elapsed + delay);
        self.sequence += 1;
        let at = (wire.last, self.sequence);
        self.in_flight.insert(at, (client, id, delivery));
    }

    /// What was logged of one client since it was last asked.
    pub fn take_log(&mut self, client: usize) -> Vec<(u64, String)> {
        let (mine, others) = std::mem::take(&mut self.log)
            .into_iter()
            .partition(|(_, who, _)| *who == client);
        self.log = others;
        let mine: Vec<Line3> = mine;
        mine.into_iter().map(|(at, _, what)| (at, what)).collect()
    }

    /// The bindings of a client's device.
    pub fn bindings(&self, client: usize) -> Vec<Binding> {
        self.store
            .of_device(&format!("CSF{client}"))
            .expect("memory answers")
            .into_iter()
            .map(|(_, binding)| binding)
            .collect()
    }

    pub fn all_registered(&self) -> bool {
        self.clients
            .iter()
            .all(|client| client.state() == ClientState::Registered)
    }
}
