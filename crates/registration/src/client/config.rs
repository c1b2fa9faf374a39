//! What a client is told once: who it is, where it registers, and how it behaves where no document
//! decides.

use std::time::Duration;

/// Which rules of registering with a token apply.
///
/// Challenges and credentials of both are always understood; the dialect decides what is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// Cisco Unified CM in SIP OAuth mode: credentials are `Bearer token="…"`, the challenge is a 407
    /// with nothing but a realm, the REGISTER carries the product's header fields and body.
    UnifiedCm,
    /// RFC 8898: credentials are `Bearer <token68>`, the challenge names an authorization server.
    Rfc8898 {
        /// The authorization servers whose tokens this client may present, as https URIs. "The UAC
        /// MUST check the AS URL received in the 401/407 response against a list of trusted ASs"
        /// (RFC 8898 section 2.1.1). A challenge that names another one is refused.
        trusted_authorization_servers: Vec<String>,
    },
}

/// How the connection to a registrar is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// TLS over TCP.
    Tls,
    /// TCP without protection. A token is sent over it only when
    /// [`ClientOptions::token_without_tls`] says so.
    Tcp,
}

impl Transport {
    /// As it stands in Via: `TLS`, `TCP`.
    pub const fn via_name(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::Tcp => "TCP",
        }
    }

    /// As it stands in a URI's `transport` parameter: `tls`, `tcp`.
    pub const fn uri_name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Tcp => "tcp",
        }
    }
}

/// One node a client may register to, in the order of preference given by its place in the list.
///
/// ```
/// use sip_oauth_registration::client::{Target, Transport};
///
/// let on_premises = Target::new("ucm1.example.com", 5090, Transport::Tls);
/// assert_eq!(on_premises.host, "ucm1.example.com");
///
/// // Over MRA the connection goes to the edge, the request to the node.
/// let mra = Target::new("ucm1.example.com", 5090, Transport::Tls)
///     .through("edge.example.com", 5061)
///     .with_route("<sip:198.51.100.7:5061;transport=tls;lr>");
/// assert_eq!((mra.node.as_str(), mra.host.as_str(), mra.port), ("ucm1.example.com", "edge.example.com", 5061));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Target {
    /// The registrar's name (`processNodeName`): host of Request-URI, From and To.
    pub node: String,
    /// Where to connect: the node itself, or the edge in front of it.
    pub host: String,
    /// The port to connect to.
    pub port: u16,
    /// How to connect.
    pub transport: Transport,
    /// The value of a `Route` header field to add, as `get_edge_config` gives it for MRA.
    pub route: Option<String>,
}

impl Target {
    /// A node that is connected to directly.
    pub fn new(node: &str, port: u16, transport: Transport) -> Self {
        Self {
            node: node.to_owned(),
            host: node.to_owned(),
            port,
            transport,
            route: None,
        }
    }

    /// The same node, connected to at another host and port.
    #[must_use]
    pub fn through(mut self, host: &str, port: u16) -> Self {
        host.clone_into(&mut self.host);
        self.port = port;
        self
    }

    /// The same node, with a `Route` header field in each request.
    #[must_use]
    pub fn with_route(mut self, route: &str) -> Self {
        self.route = Some(route.to_owned());
        self
    }
}

/// The device a client registers as.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// The device name, for example `CSFJDOE`.
    pub name: String,
    /// The model number: 503 for a Client Services Framework device (Jabber).
    pub model: u16,
    /// The instance: 12 hexadecimal digits like a MAC address. `+sip.instance`, Call-ID and tags are
    /// made from it.
    pub instance: Instance,
    /// The `User-Agent`.
    pub user_agent: String,
    /// Whether the Contact says `video`.
    pub video: bool,
    /// The option tags of `Supported`, in order.
    pub supported: Vec<String>,
    /// The software, as the `Reason` of the first REGISTER tells it.
    pub load: Load,
    /// What happened before the first REGISTER: the number and text of `cisco-alarm`. `None` leaves
    /// the `Reason` header field out.
    pub alarm: Option<Alarm>,
}

impl Device {
    /// A Jabber-like device: model 503, `Cisco-CSF`, video, the option tags Jabber 12.8 sends, alarm
    /// 25 `initialized`.
    ///
    /// ```
    /// use sip_oauth_registration::client::{Device, Instance};
    ///
    /// let device = Device::csf("CSFJDOE", Instance::new("005056aabbcc")?);
    /// assert_eq!(device.model, 503);
    /// # Ok::<(), sip_oauth_registration::client::InvalidInstance>(())
    /// ```
    pub fn csf(name: &str, instance: Instance) -> Self {
        Self {
            name: name.to_owned(),
            model: 503,
            instance,
            user_agent: "Cisco-CSF".to_owned(),
            video: true,
            supported: JABBER_SUPPORTED.iter().map(|&tag| tag.to_owned()).collect(),
            load: Load::default(),
            alarm: Some(Alarm::new(25, "initialized")),
        }
    }
}

/// The option tags of Jabber 12.8, in its order.
const JABBER_SUPPORTED: [&str; 17] = [
    "replaces",
    "join",
    "sdp-anat",
    "norefersub",
    "resource-priority",
    "extended-refer",
    "X-cisco-callinfo",
    "X-cisco-serviceuri",
    "X-cisco-escapecodes",
    "X-cisco-service-control",
    "X-cisco-srtp-fallback",
    "X-cisco-monrec",
    "X-cisco-config",
    "X-cisco-sis-7.0.0",
    "X-cisco-xsi-8.5.1",
    "X-cisco-graceful-reg",
    "X-cisco-duplicate-reg",
];

/// Twelve lower-case hexadecimal digits that tell one installation from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instance(String);

/// A text that is not twelve hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("instance: expected 12 hexadecimal digits like a MAC address, found {found:?}")]
pub struct InvalidInstance {
    found: String,
}

impl Instance {
    /// Takes 12 hexadecimal digits; colons and hyphens between them are dropped.
    ///
    /// # Errors
    ///
    /// When anything else is left.
    pub fn new(text: &str) -> Result<Self, InvalidInstance> {
        let digits: String = text
            .chars()
            .filter(|c| !matches!(c, ':' | '-'))
            .map(|c| c.to_ascii_lowercase())
            .collect();
        if digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(digits))
        } else {
            Err(InvalidInstance {
                found: text.chars().take(64).collect(),
            })
        }
    }

    /// The 12 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The software of a device: `ActiveLoad` and `InactiveLoad` of the `Reason` header field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// The software that runs.
    pub active: String,
    /// The software a phone could switch to; Jabber repeats the active one.
    pub inactive: String,
}

impl Load {
    /// The two loads.
    pub fn new(active: &str, inactive: &str) -> Self {
        Self {
            active: active.to_owned(),
            inactive: inactive.to_owned(),
        }
    }
}

impl Default for Load {
    fn default() -> Self {
        let own = concat!("sip-oauth-", env!("CARGO_PKG_VERSION"));
        Self::new(own, own)
    }
}

/// What a device reports about the time before its first REGISTER.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alarm {
    /// The number after `cisco-alarm:`.
    pub code: u16,
    /// The text after `Last=`.
    pub last: String,
}

impl Alarm {
    /// 25, the device was started.
    pub fn initialized() -> Self {
        Self::new(25, "initialized")
    }

    /// 111, the form of a registration that takes the device over from another client.
    pub fn forced() -> Self {
        Self::new(111, "Application-Requested-Destroy")
    }

    /// 18, the registration comes back to a better node.
    pub fn fallback() -> Self {
        Self::new(18, "fallback")
    }

    /// Any alarm.
    pub fn new(code: u16, last: &str) -> Self {
        Self {
            code,
            last: last.to_owned(),
        }
    }
}

/// The line a client registers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// The line's name, usually its directory number: user part of From and To.
    pub name: String,
    /// The line's contact, a GUID of the device configuration: user part of the Contact.
    pub contact: String,
}

impl Line {
    /// A line and its contact.
    pub fn new(name: &str, contact: &str) -> Self {
        Self {
            name: name.to_owned(),
            contact: contact.to_owned(),
        }
    }
}

/// Which requests carry the token without having been challenged.
///
/// Whether Jabber sends the token with a refresh is not published; RFC 3261 section 22.2 lets a client
/// reuse credentials per realm, so [`Refreshes`](Self::Refreshes) is our default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PresentToken {
    /// None: every REGISTER is challenged first.
    Challenged,
    /// All but the first one to a node.
    #[default]
    Refreshes,
    /// All, where a token is at hand.
    Always,
}

/// What is done about an expiry so short that refreshing at granted minus delta would come within
/// [`ClientOptions::min_refresh`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ShortExpiry {
    /// The grant is kept and refreshed at half of its time. Our default: the binding stays alive.
    #[default]
    RefreshAtHalf,
    /// The grant counts as absent and the expiry asked for applies, as in the stack Jabber grew from.
    /// The binding then lapses at the registrar before it is refreshed.
    Disregard,
}

/// What a client does about the nodes that do not hold its registration.
///
/// A node that is watched is kept connected and asked with a REGISTER of `Expires: 0` every
/// [`ClientOptions::node_keep_alive`], as the stack Jabber grew from does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OtherNodes {
    /// Nothing, until the one that holds the registration fails.
    Ignored,
    /// The next one is watched, so that a fail-over needs no new connection.
    Standby,
    /// The next one is watched, and so are all better ones; the registration moves back to one that was there for
    /// [`ClientOptions::stable_after`]. The default. The product asks for permission with a REFER before it moves; what
    /// Unified CM answers to it in SIP OAuth mode is not published, so it is not sent.
    #[default]
    StandbyAndFallBack,
}

/// What no document decides, with our defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientOptions {
    /// Which requests carry the token without having been challenged.
    pub present_token: PresentToken,
    /// What is done about a very short grant.
    pub short_expiry: ShortExpiry,
    /// A refresh sooner than this after a grant falls under [`ClientOptions::short_expiry`]: 20 s.
    pub min_refresh: Duration,
    /// How long a connection may take, TLS handshake included: 8 s.
    pub connect_timeout: Duration,
    /// How long a request waits for its final answer: 32 s (Timer F, RFC 3261 section 17.1.2.2).
    pub response_timeout: Duration,
    /// How many challenges one registration answers: 3.
    pub max_challenges: u8,
    /// The part of a token's life after which a new one is asked for, in percent: 75. Never sooner than 30 s after
    /// the token came, however short its life.
    pub renew_token_at_percent: u8,
    /// Whether a refused registration is tried again after its `Retry-After`: true.
    pub honour_retry_after: bool,
    /// How long after all nodes failed the client starts again by itself. `None`, the default, leaves
    /// it to the caller, who fetches the configuration again first.
    pub restart_after_failure: Option<Duration>,
    /// Whether a token may be sent over [`Transport::Tcp`]: false. RFC 6750 section 5.3 demands TLS;
    /// true is for a TLS tunnel beside the client.
    pub token_without_tls: bool,
    /// What is done about the nodes that do not hold the registration.
    pub other_nodes: OtherNodes,
    /// How often a node that does not hold the registration is asked: 120 s (`timerKeepAliveExpires`). Better
    /// nodes are asked at least every 300 s.
    pub node_keep_alive: Duration,
    /// How long a better node must have answered before the registration moves to it: 120 s
    /// (`connectionMonitorDuration`).
    pub stable_after: Duration,
    /// The longest time between two keep-alives of two CRLF on the connection that holds the registration
    /// (RFC 5626 section 4.4.1); each wait is drawn from 80 to 100 % of it. `None`, the default, sends
    /// none: whether Unified CM answers them is not published, and a refresh every 115 s does the same later. A
    /// registrar that asks for them by `Flow-Timer` gets them in any case.
    pub flow_keep_alive: Option<Duration>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            present_token: PresentToken::default(),
            short_expiry: ShortExpiry::default(),
            min_refresh: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(8),
            response_timeout: Duration::from_secs(32),
            max_challenges: 3,
            renew_token_at_percent: 75,
            honour_retry_after: true,
            restart_after_failure: None,
            token_without_tls: false,
            other_nodes: OtherNodes::default(),
            node_keep_alive: Duration::from_secs(120),
            stable_after: Duration::from_secs(120),
            flow_keep_alive: None,
        }
    }
}

/// Everything a [`Client`](super::Client) is told once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientConfig {
    /// Which rules apply.
    pub dialect: Dialect,
    /// The device.
    pub device: Device,
    /// The line.
    pub line: Line,
    /// The nodes, best first.
    pub targets: Vec<Target>,
    /// The expiry asked for: 3600 s (`timerRegisterExpires`).
    pub expires: Duration,
    /// How long before the granted expiry the refresh is sent: 5 s (`timerRegisterDelta`).
    pub register_delta: Duration,
    /// The rest.
    pub options: ClientOptions,
}

impl ClientConfig {
    /// A client of Unified CM with the product's timers.
    pub fn unified_cm(device: Device, line: Line, targets: Vec<Target>) -> Self {
        Self {
            dialect: Dialect::UnifiedCm,
            device,
            line,
            targets,
            expires: Duration::from_secs(3600),
            register_delta: Duration::from_secs(5),
            options: ClientOptions::default(),
        }
    }

    /// A client of an RFC 8898 registrar that trusts these authorization servers.
    pub fn rfc8898(
        device: Device,
        line: Line,
        targets: Vec<Target>,
        trusted_authorization_servers: Vec<String>,
    ) -> Self {
        Self {
            dialect: Dialect::Rfc8898 {
                trusted_authorization_servers,
            },
            ..Self::unified_cm(device, line, targets)
        }
    }
}
