//! The machines of registration, fed operations and a clock.

mod forged;
mod party;
mod site;

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use party::{Party, read, repeated};
use sip_oauth_registration::Seeded;
use sip_oauth_registration::client::{
    ClientConfig, ConnectionFailure, Device, Dialect, FlowId, Instance, Line, PresentToken, Target,
    Transport,
};
use sip_oauth_registration::registrar::{
    Cluster, DeviceLine, DeviceRecord, Node, NodePorts, RegistrarConfig, SecurityProfile,
    SipOAuthMode,
};
use sip_oauth_token::issue::AuthorizationServer;
use sip_oauth_token::{AccessToken, Verifier};
use site::{Site, arrival};

/// Devices of one owner that share their first line, and the lines of each.
const DEVICES: [(&str, [&str; 2]); 2] =
    [("CSFJDOE", ["1010", "1011"]), ("TABJDOE", ["1010", "1012"])];

/// Whose they are, and who registers by RFC 8898.
const OWNER: &str = "jdoe";

/// The authorization server that the RFC 8898 registrars name.
const SERVER: &str = "https://as.example.com";

/// One that they do not.
const OTHER_SERVER: &str = "https://as.example.net";

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
            .map(|second| issue(OWNER, second * 600))
            .chain([issue("other", 0)])
            .collect(),
    }
});

fn wall() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_585_566_199)
}

/// Clients and registrars of both dialects, and a clock that only goes forward.
struct World<'a> {
    input: &'a [u8],
    /// Of Unified CM: two of the first device, each of an installation of its own, and one of the second. Of RFC 8898: two of
    /// one user, and one of the same who trusts another authorization server.
    parties: [Party; 6],
    /// The one that operations are about.
    who: usize,
    unified_cm: Site,
    rfc8898: Site,
    start: Instant,
    elapsed: Duration,
    entropy: Seeded,
}

/// Whatever happens in whatever order, no machine panics, no timer is left behind, no connection is forgotten, each request is a
/// message to the node its connection leads to, whose CSeq is the next of its Call-ID and comes after the answer to the one
/// before, no node is shown a token it challenged and none goes out in clear, no authorization server counts that is not trusted,
/// a refused request changes no binding and none changes without a token, bindings change in the order of their requests, a device
/// has one registration, of all its lines where they are asked for, and every client does what its owner said last and can still
/// register.
pub fn registration(data: &[u8]) {
    let mut world = World::new(data);
    // Each operation takes a byte at least.
    while let Some(operation) = world.byte() {
        world.step(operation);
        world.settle();
    }
    let (now, wall) = (world.now(), world.wall());
    for party in &mut world.parties {
        party.comes_to_rest(now, wall);
    }
}

impl<'a> World<'a> {
    fn new(input: &'a [u8]) -> Self {
        let cluster = cluster();
        let [(first, _), (second, _)] = DEVICES;
        let mut third = config(second, "005056ddeeff");
        third.options.flow_keep_alive = Some(Duration::from_secs(40));
        third.options.present_token = PresentToken::Always;
        let mut fifth = rfc8898_config("005056000002", SERVER);
        fifth.options.present_token = PresentToken::Challenged;
        Self {
            input,
            parties: [
                Party::new(config(first, "005056aabbcc"), 1),
                Party::new(config(first, "005056001122"), 3),
                Party::new(third, 4),
                Party::new(rfc8898_config("005056000001", SERVER), 5),
                Party::new(fifth, 6),
                Party::new(rfc8898_config("005056000003", OTHER_SERVER), 7),
            ],
            who: 0,
            unified_cm: Site::new(&cluster, &ISSUED.verifier, RegistrarConfig::unified_cm),
            rfc8898: Site::new(&cluster, &ISSUED.verifier, |node| {
                RegistrarConfig::rfc8898(node, SERVER)
            }),
            start: Instant::now(),
            elapsed: Duration::ZERO,
            entropy: Seeded::new(2),
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

    fn party(&mut self) -> &mut Party {
        self.parties.get_mut(self.who).expect("one of them")
    }

    /// The registrars that the one at hand registers with.
    fn site(&mut self) -> &mut Site {
        match self.party().client.config().dialect {
            Dialect::Rfc8898 { .. } => &mut self.rfc8898,
            _ => &mut self.unified_cm,
        }
    }

    /// A connection the next byte chooses, if there is one.
    fn connection(&mut self) -> Option<FlowId> {
        let at = self.number();
        self.party().connection(at)
    }

    /// Nodes the next byte chooses: which is first, how they are reached, and how many there are.
    fn targets(&mut self) -> Vec<Target> {
        let chosen = self.number();
        let many = NODES.len() - chosen / 9 % NODES.len();
        let nodes = NODES.iter().cycle().skip(chosen % 3).take(many);
        nodes
            .map(|node| match chosen / 3 % 3 {
                0 => Target::new(node, 5090, Transport::Tls),
                1 => Target::new(node, 5090, Transport::Tls)
                    .through("edge.example.com", 5061)
                    .with_route("<sip:198.51.100.7:5061;transport=tls;lr>"),
                _ => Target::new(node, 5060, Transport::Tcp),
            })
            .collect()
    }

    fn step(&mut self, operation: u8) {
        let now = self.now();
        match operation {
            // These came later: the seeds keep their meaning.
            231..239 => {
                let targets = self.targets();
                self.party().client.set_targets(targets);
            }
            243..246 => self.forge(),
            239..247 => {
                self.who = match self.number() {
                    newer @ 250.. => 3 + newer % 3,
                    older => older % 3,
                };
            }
            247.. => {
                let minutes = u64::try_from(self.number()).unwrap_or_default();
                self.elapsed += Duration::from_secs(60 * minutes);
                let (now, wall) = (self.now(), self.wall());
                for party in &mut self.parties {
                    party.wake(now, wall);
                }
            }
            _ => self.usual_step(operation % 21, now),
        }
    }

    fn usual_step(&mut self, operation: u8, now: Instant) {
        match operation {
            0 => self.party().start(now),
            1 => self.party().deregister(now),
            2 => {
                if let Some(id) = self.connection() {
                    self.party().connect(id, now);
                }
            }
            3 => {
                if let Some(id) = self.connection() {
                    let cause = match self.number() % 4 {
                        0 => ConnectionFailure::Closed,
                        1 => ConnectionFailure::Tls("refused".to_owned()),
                        2 => ConnectionFailure::ConnectTimeout,
                        _ => ConnectionFailure::Refused("refused".to_owned()),
                    };
                    self.party().lose(id, cause, now);
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
                    let _ = self.party().client.provide_token(token.clone(), life, now);
                }
            }
            11 => self.party().client.token_unavailable(),
            12 => self.party().client.suspend(),
            13 => self.party().client.resume(now),
            14 => {
                let targets = self.targets();
                self.party().client.relocate(targets, now);
            }
            15 => self.party().take_over(now),
            16 => {
                if let Some(id) = self.connection() {
                    self.party().client.handle_pong(id, now);
                }
            }
            17 => {
                let node = self.number() % NODES.len();
                if let Some(registrar) = self.site().registrar(node) {
                    registrar.restart().expect("memory answers");
                }
            }
            18 | 19 => {
                let unit = if operation == 18 { 1 } else { 60 };
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
        let now = self.now();
        if let Some(id) = self.connection() {
            self.party().client.handle_message(id, bytes, now);
        }
        let now = self.wall();
        let registrar = self.unified_cm.registrar(0).expect("the first");
        if let Some(answer) = registrar.answer_overloaded(&arrival(), bytes, now, &mut self.entropy)
        {
            let response = answer.response.expect("what is answered has a response");
            read(&response.to_bytes());
        }
    }

    /// Moves the clock, stopping wherever something is due.
    fn pass(&mut self, time: Duration) {
        let goal = self.elapsed + time;
        loop {
            let due = self
                .parties
                .iter()
                .filter_map(|party| party.client.poll_timeout());
            let Some(due) = due.min().filter(|due| *due <= self.start + goal) else {
                break;
            };
            self.elapsed = self.elapsed.max(due - self.start);
            let (now, wall) = (self.now(), self.wall());
            for party in &mut self.parties {
                party.client.handle_timeout(now);
                party.settle(wall);
                let left = party.client.poll_timeout();
                assert!(left.is_none_or(|left| left > now), "a timer is left behind");
            }
        }
        self.elapsed = goal;
        let wall = self.wall();
        self.unified_cm.expire(wall);
        self.rfc8898.expire(wall);
    }

    fn settle(&mut self) {
        let wall = self.wall();
        for party in &mut self.parties {
            party.settle(wall);
        }
    }

    fn let_the_registrar_answer(&mut self) {
        let (now, wall) = (self.now(), self.wall());
        let Some(id) = self.connection() else {
            return;
        };
        let Some(request) = self.party().asked(id).map(<[u8]>::to_vec) else {
            return;
        };
        let Some(node) = self.party().node_of(id) else {
            return;
        };
        // Kept apart, since the site is borrowed meanwhile.
        let mut entropy = self.entropy.clone();
        let response = self
            .site()
            .handle(node, &read(&request), wall, &mut entropy);
        self.entropy = entropy;
        if let Some(response) = response {
            let status = response.status.as_u16();
            self.party().answer(id, status, &response.to_bytes(), now);
        }
    }

    /// A registrar of the dialect at hand is asked by a client that is none of ours.
    fn forge(&mut self) {
        let rfc8898 = self.who >= 3;
        let node = self.number() % NODES.len();
        let choose = |below: usize| self.number().checked_rem(below).unwrap_or_default();
        let request = forged::register(choose, node, rfc8898, &ISSUED.tokens);
        let wall = self.wall();
        let mut entropy = self.entropy.clone();
        let site = self.site();
        site.machines_only = false;
        let response = site.handle(node, &read(&request), wall, &mut entropy);
        self.entropy = entropy;
        read(&response.expect("a REGISTER is answered").to_bytes());
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
        const NEWER_LINES: [&str; 6] = [
            "WWW-Authenticate: Bearer realm=\"x\", authz_server=\"https://as.example.com\"\r\n",
            "WWW-Authenticate: Bearer realm=\"x\", authz_server=\"https://as.example.net\"\r\n",
            "WWW-Authenticate: Bearer authz_server=\"https://as.example.com\", scope=\"sip\", error=\"invalid_scope\"\r\n",
            "Proxy-Authenticate: Bearer realm=\"x\", authz-server=\"https://as.example.net\", error=\"invalid_token\"\r\n",
            "Contact: <sip:guid@192.0.2.10:20001;transport=tls>;expires=30\r\n",
            "Retry-After: 3600\r\n",
        ];
        let now = self.now();
        let Some(id) = self.connection() else {
            return;
        };
        let Some(request) = self.party().asked(id) else {
            return;
        };
        let head = repeated(&read(request));
        let status = STATUSES
            .get(self.number() % STATUSES.len())
            .copied()
            .unwrap_or(200);
        let mut lines = String::new();
        for _ in 0..self.number() % 4 {
            let line = match self.number() {
                newer @ 240.. => NEWER_LINES.get(newer % NEWER_LINES.len()),
                older => LINES.get(older % LINES.len()),
            };
            lines.push_str(line.copied().unwrap_or_default());
        }
        let answer = format!("SIP/2.0 {status} x\r\n{head}{lines}Content-Length: 0\r\n\r\n");
        self.party().answer(id, status, answer.as_bytes(), now);
    }
}

fn config(device: &str, instance: &str) -> ClientConfig {
    let device = Device::csf(device, Instance::new(instance).expect("12 digits"));
    let targets = NODES.map(|node| Target::new(node, 5090, Transport::Tls));
    let line = Line::new("1010", "guid");
    let mut config = ClientConfig::unified_cm(device, line, targets.to_vec());
    config.options.restart_after_failure = Some(Duration::from_secs(60));
    config
}

/// A client of the owner that trusts one authorization server.
fn rfc8898_config(instance: &str, server: &str) -> ClientConfig {
    let mut config = config("", instance);
    config.line = Line::new(OWNER, "guid");
    config.dialect = Dialect::Rfc8898 {
        trusted_authorization_servers: vec![server.to_owned()],
    };
    config
}

fn cluster() -> Cluster {
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
    for (device, lines) in DEVICES {
        let lines = lines.map(DeviceLine::new);
        cluster
            .put_device(DeviceRecord::csf(device, "oauth", OWNER, lines))
            .expect("the profile exists");
    }
    cluster
}
