//! Which changes of a file make a client register again.

use std::borrow::Cow;

use crate::config::DeviceConfig;
use crate::device::NodePorts;
use crate::document::{Attribute, Element};
use crate::error::ValueError;
use crate::line::Line;
use crate::modes::{DeviceSecurityMode, SipOauthMode};
use crate::node::CallManagerNode;
use crate::target::is_host;
use crate::value::{self, Value};

impl DeviceConfig {
    /// The elements that differ between this file and a newer one, and whose change makes a client register again: nodes
    /// and their ports, security, transport, lines, the timers of registration, and what SIP says in it. Other changes
    /// are taken over while it stays registered.
    ///
    /// What is compared is what the files say, not how: of the nodes the order in which they are tried, the host and the
    /// ports that the mode of either file uses; of the lines what a registration carries, not the label of a button.
    /// White space, comments and the order of attributes do not count, nor whether a default is written that this crate knows:
    /// a file of an older cluster without `<sipOAuthMode>` says what one with mode 0 says. Elements of the SIP profile whose
    /// defaults are not published (`natEnabled`, `kpml`, …) are compared as text.
    ///
    /// The list follows SIPCC, the stack these clients grew from; Cisco publishes none for Jabber. That `fullConfig`,
    /// `encrConfig`, `certHash` and `capfAuthMode` are on it is a choice of this crate: they change how the client proves
    /// who it is, or which file it reads.
    ///
    /// ```
    /// use sip_oauth_csf::{DeviceConfig, Limits};
    ///
    /// let old = DeviceConfig::read(b"<device><sipOAuthMode>0</sipOAuthMode></device>", &Limits::default())?;
    /// let new = DeviceConfig::read(b"<device> <sipOAuthMode>1</sipOAuthMode></device>", &Limits::default())?;
    /// assert_eq!(old.restart_reasons(&new), ["/device/sipOAuthMode"]);
    /// assert!(!old.is_restart_needed(&old));
    /// # Ok::<(), sip_oauth_csf::ReadError>(())
    /// ```
    pub fn restart_reasons(&self, new: &Self) -> Vec<String> {
        let mut comparison = Comparison {
            old: self,
            new,
            reasons: Vec::new(),
        };
        comparison.device();
        comparison.members();
        comparison.profile();
        comparison.reasons
    }

    /// Whether a client that registered by this file must register again by a newer one.
    pub fn is_restart_needed(&self, new: &Self) -> bool {
        !self.restart_reasons(new).is_empty()
    }
}

struct Comparison<'a> {
    old: &'a DeviceConfig,
    new: &'a DeviceConfig,
    reasons: Vec<String>,
}

/// A value, or the text that should be one.
type Said<T> = Result<T, String>;

/// A number that may be on every node and line: where it cannot be read no place is looked for, which would cost as much
/// as the file is long.
fn number(text: Option<Cow<'_, str>>, default: u32) -> Said<u32> {
    let text = text.unwrap_or_default();
    match text.trim() {
        "" => Ok(default),
        text => value::parse_number(text).ok_or_else(|| text.to_owned()),
    }
}

fn said<T>(value: Result<Value<T>, ValueError>) -> Said<T> {
    value.map(|value| value.value).map_err(|error| error.found)
}

impl<'a> Comparison<'a> {
    fn compare<T: PartialEq>(&mut self, path: &[&str], say: impl Fn(&'a DeviceConfig) -> T) {
        if say(self.old) != say(self.new) {
            self.reasons
                .push(format!("/{}/{}", DeviceConfig::ROOT, path.join("/")));
        }
    }

    /// A value whose default is not published: missing is empty.
    fn word(&mut self, path: &[&str]) {
        self.compare(path, |config| {
            value::word(config.root().descend(path)).map_or(Cow::Borrowed(""), |word| word.value)
        });
    }

    fn device(&mut self) {
        self.compare(&["deviceProtocol"], |config| {
            let protocol = config.device_protocol().map(|protocol| protocol.value);
            let protocol = protocol.filter(|protocol| !protocol.is_empty());
            protocol.map_or_else(|| "SIP".to_owned(), |protocol| protocol.to_uppercase())
        });
        self.compare(&["fullConfig"], |config| said(config.full_config()));
        self.compare(&["encrConfig"], |config| said(config.encr_config()));
        self.word(&["certHash"]);
        self.compare(&["capfAuthMode"], |config| said(config.capf_auth_mode()));
        self.compare(&["sipOAuthMode"], |config| said(config.sip_oauth_mode()));
        self.compare(&["deviceSecurityMode"], |config| {
            said(config.device_security_mode()).map(|mode| match mode {
                DeviceSecurityMode::NotSet => DeviceSecurityMode::NonSecure,
                mode => mode,
            })
        });
        self.compare(&["transportLayerProtocol"], |config| {
            said(config.transport_layer_protocol())
        });
    }

    fn members(&mut self) {
        let ports = [UsedPorts::of(self.old), UsedPorts::of(self.new)];
        let used = UsedPorts {
            sip: ports.iter().any(|ports| ports.sip),
            secured: ports.iter().any(|ports| ports.secured),
            oauth: ports.iter().any(|ports| ports.oauth),
        };
        let path = ["devicePool", "callManagerGroup", "members"];
        self.compare(&path, |config| {
            // As the targets are: those whose priority cannot be read are left out.
            let nodes = config.members();
            let mut nodes: Vec<_> = nodes
                .filter_map(|node| Some((node.readable_priority()?, node)))
                .collect();
            nodes.sort_by_key(|&(priority, _)| priority);
            let nodes = nodes.into_iter().filter_map(|(_, node)| used.in_node(node));
            nodes.collect::<Vec<_>>()
        });
    }

    fn profile(&mut self) {
        self.compare(&["sipProfile", "sipLines"], |config| {
            let lines = config.lines().filter(|line| line.is_registering());
            lines.map(Line::element).map(registered).collect::<Vec<_>>()
        });
        self.compare(&["sipProfile", "sipProxies"], |config| {
            let proxies = config.root().descend(&["sipProfile", "sipProxies"]);
            let mut said: Vec<_> = proxies
                .into_iter()
                .flat_map(Element::children)
                .filter_map(|proxy| Some((proxy.name(), value::word(Some(proxy))?.value)))
                .filter(|(_, text)| !text.is_empty())
                .collect();
            said.sort();
            said
        });
        let path = ["sipProfile", "sipStack"];
        self.compare(&path, |config| {
            let stack = config.sip_stack();
            let times = [
                stack.timer_invite_expires(),
                stack.timer_register_expires(),
                stack.timer_register_delta(),
                stack.timer_keep_alive_expires(),
                stack.timer_subscribe_expires(),
                stack.timer_subscribe_delta(),
                stack.timer_t1(),
                stack.timer_t2(),
            ];
            let counts = [
                stack.sip_invite_retx(),
                stack.sip_retx(),
                stack.max_redirects(),
            ];
            let words = ["remotePartyID", "userInfo"].map(|name| {
                let word = value::word(stack.element().and_then(|stack| stack.child(name)));
                word.map_or(Cow::Borrowed(""), |word| word.value)
            });
            (times.map(said), counts.map(said), words)
        });
        self.word(&["sipProfile", "sipCallFeatures", "remoteCcEnable"]);
        self.word(&["sipProfile", "preferredCodec"]);
        self.word(&["sipProfile", "dtmfAvtPayload"]);
        self.word(&["sipProfile", "dtmfDbLevel"]);
        self.word(&["sipProfile", "dtmfOutofBand"]);
        self.word(&["sipProfile", "kpml"]);
        self.compare(&["sipProfile", "startMediaPort"], |config| {
            said(config.start_media_port())
        });
        self.word(&["sipProfile", "natEnabled"]);
        self.word(&["sipProfile", "natAddress"]);
        self.word(&["sipProfile", "natReceivedProcessing"]);
        self.compare(&["sipProfile", "voipControlPort"], |config| {
            said(config.voip_control_port())
        });
    }
}

/// The ports of a node that are registered to, from either place.
#[derive(Clone, Copy)]
struct UsedPorts {
    sip: bool,
    secured: bool,
    oauth: bool,
}

impl UsedPorts {
    fn of(config: &DeviceConfig) -> Self {
        let mode = config.sip_oauth_mode().map(|mode| mode.value);
        let security = config.device_security_mode().map(|mode| mode.value);
        let is_off = mode != Ok(SipOauthMode::On);
        // What cannot be read may be either.
        Self {
            oauth: mode != Ok(SipOauthMode::Off),
            secured: is_off && !security.as_ref().is_ok_and(|mode| !mode.is_secure()),
            sip: is_off && !security.is_ok_and(DeviceSecurityMode::is_secure),
        }
    }

    /// What leads to a node: its host and these ports. None when it leads nowhere.
    fn in_node(self, node: CallManagerNode<'_>) -> Option<impl PartialEq + use<'_>> {
        const DEFAULT: NodePorts = NodePorts::DEFAULT;
        let host = node.process_node_name()?.value.to_ascii_lowercase();
        let ports = [
            (self.sip, "sipPort", DEFAULT.sip_port),
            (self.secured, "securedSipPort", DEFAULT.secured_sip_port),
            (self.oauth, "sipOAuthPort", DEFAULT.sip_oauth_port),
            (self.oauth, "sipMRAOAuthPort", DEFAULT.sip_mra_oauth_port),
        ];
        let ports = ports.map(|(is_used, name, default)| {
            // One that cannot be read leads nowhere, whatever is written.
            let port = value::readable_port(node.ports().child(name), default);
            is_used.then_some(port.map(|port| port.value))
        });
        is_host(&host).then_some((host, ports))
    }
}

/// What of a line a registration carries, or is proved with.
fn registered(line: Element<'_>) -> impl PartialEq + use<'_> {
    // A line without an index has none, and they count from 1.
    let place = [("button", Line::DEFAULT_BUTTON), ("lineIndex", 0)].map(|(name, default)| {
        let place = line.attribute(name).map(Attribute::value);
        number(place, default)
    });
    let port = number(
        line.child("port").map(Element::text),
        Line::DEFAULT_PORT.into(),
    );
    let texts = [
        "name",
        "displayName",
        "contact",
        "proxy",
        "authName",
        "authPassword",
    ];
    let texts = texts.map(|name| value::word(line.child(name)).map(|text| text.value));
    (place, port, texts.map(Option::unwrap_or_default))
}
