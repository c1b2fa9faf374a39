//! What in a file contradicts SIP OAuth mode, or keeps a device from registering at all.

use std::fmt;
use std::time::Duration;

use crate::config::DeviceConfig;
use crate::device_name::DeviceKind;
use crate::document::Element;
use crate::error::ValueError;
use crate::modes::{CapfAuthMode, DeviceSecurityMode, SipOauthMode, TransportLayerProtocol};
use crate::node::CallManagerNode;
use crate::position::Position;
use crate::rule::{Rule, Severity};
use crate::target::is_host;
use crate::value::Value;

/// One thing found in a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Which rule found it.
    pub rule: Rule,
    /// The element or attribute; for a missing one its path, and the place of the element it belongs in.
    pub position: Position,
    /// What stands there, in one sentence.
    pub what: String,
    /// Why that matters.
    pub why: &'static str,
    /// What to do, in the product's menu words.
    pub fix: &'static str,
}

impl Finding {
    pub(crate) fn new(rule: Rule, position: Position, what: impl Into<String>) -> Self {
        Self {
            severity: rule.severity(),
            rule,
            position,
            what: what.into(),
            why: rule.why(),
            fix: rule.fix(),
        }
    }
}

impl Finding {
    pub(crate) fn unreadable(rule: Rule, error: ValueError) -> Self {
        let what = format!("expected {}, found {:?}", error.expected, error.found);
        Self::new(rule, error.position, what)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}: {}. {} {}",
            self.severity, self.position, self.what, self.why, self.fix
        )
    }
}

/// More findings than this are not kept: a hundred say enough, and a hostile file could have thousands.
const MAX_FINDINGS: usize = 100;

/// A registration with less time left to its refresh counts as one without an expiry in SIPCC, the stack these clients
/// grew from.
const SHORTEST_REGISTRATION: Duration = Duration::from_secs(20);

impl DeviceConfig {
    /// Judges the file: what contradicts SIP OAuth mode, what keeps it from registering, and every value registration
    /// needs that cannot be read; and what else cannot be read. The 100 gravest at most, the gravest first, then in document
    /// order. What only some kinds of devices insist on is a note; [`findings_for`](Self::findings_for) knows the kind.
    ///
    /// ```
    /// use sip_oauth_csf::{DeviceConfig, Limits, Rule};
    ///
    /// let file = b"<device><deviceSecurityMode>1</deviceSecurityMode><sipOAuthMode>1</sipOAuthMode></device>";
    /// let config = DeviceConfig::read(file, &Limits::default())?;
    /// let finding = config.findings().into_iter().find(|finding| finding.rule == Rule::NotEncrypted).unwrap();
    /// assert_eq!(finding.position.path, "/device/deviceSecurityMode");
    /// assert_eq!(finding.position.offset, 28);
    /// # Ok::<(), sip_oauth_csf::ReadError>(())
    /// ```
    pub fn findings(&self) -> Vec<Finding> {
        self.judged(None)
    }

    /// As [`findings`](Self::findings), for a device of this kind, which its name tells
    /// ([`DeviceName::kind`](crate::DeviceName::kind)): what a CSF refuses a file without is an error there, and of no
    /// interest to a desk phone.
    pub fn findings_for(&self, kind: DeviceKind) -> Vec<Finding> {
        self.judged(Some(kind))
    }

    fn judged(&self, kind: Option<DeviceKind>) -> Vec<Finding> {
        let mut judge = Judge {
            config: self,
            kind,
            findings: Vec::new(),
        };
        judge.whole_file();
        judge.repeated();
        let mode = judge.read(self.sip_oauth_mode());
        let security = judge.read(self.device_security_mode());
        let transport = judge.read(self.transport_layer_protocol());
        match mode {
            Some(SipOauthMode::On) => judge.mode_on(security, transport),
            Some(SipOauthMode::Off) => judge.mode_off(security, transport),
            // That the mode cannot be read is found; nothing is said of what it would ask for.
            None => judge.unreadable_security(),
        }
        let is_on = mode == Some(SipOauthMode::On);
        judge.nodes(is_on);
        judge.lines(is_on);
        judge.timers();
        judge.settings();
        let mut findings = judge.findings;
        findings
            .sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.position.offset));
        findings
    }
}

pub(crate) struct Judge<'a> {
    pub(crate) config: &'a DeviceConfig,
    kind: Option<DeviceKind>,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn push(&mut self, rule: Rule, position: impl FnOnce() -> Position, what: impl Into<String>) {
        // Computing a position reads the file up to it, which is done for findings that are kept only: each severity fills
        // the list once at most.
        if self.findings.len() >= MAX_FINDINGS {
            let latest_mildest = self
                .findings
                .iter()
                .enumerate()
                .rev()
                .min_by_key(|(_, finding)| finding.severity)
                .filter(|(_, finding)| finding.severity < rule.severity());
            let Some((index, _)) = latest_mildest else {
                return;
            };
            self.findings.remove(index);
        }
        self.findings.push(Finding::new(rule, position(), what));
    }

    /// Whether nothing of this severity that is found from now on would be kept.
    pub(crate) fn is_full(&self, severity: Severity) -> bool {
        self.findings.len() >= MAX_FINDINGS
            && self
                .findings
                .iter()
                .all(|finding| finding.severity >= severity)
    }

    /// At an element's text.
    pub(crate) fn at(&mut self, rule: Rule, element: Element<'_>, what: impl Into<String>) {
        self.push(rule, || element.content_position(), what);
    }

    /// At a child that may be missing.
    fn at_child(&mut self, rule: Rule, parent: Element<'_>, name: &str, what: impl Into<String>) {
        match parent.child(name) {
            Some(child) => self.at(rule, child, what),
            None => self.push(rule, || missing(parent, name), what),
        }
    }

    /// A value, or a finding that it cannot be read.
    fn read<T>(&mut self, value: Result<Value<T>, ValueError>) -> Option<T> {
        match value {
            Ok(value) => Some(value.value),
            Err(error) => {
                self.unreadable(Rule::UnreadableValue, error);
                None
            }
        }
    }

    pub(crate) fn unreadable(&mut self, rule: Rule, error: ValueError) {
        let what = format!("expected {}, found {:?}", error.expected, error.found);
        self.push(rule, || error.position, what);
    }

    fn whole_file(&mut self) {
        let config = self.config;
        let root = config.root();
        if let Some(protocol) = config.other_protocol() {
            let what = format!(
                "the device protocol is {:?}",
                crate::error::shorten(&protocol.value)
            );
            self.at_child(Rule::NotSip, root, "deviceProtocol", what);
        }
        if self.read(config.full_config()) == Some(false) {
            self.at_child(
                Rule::ShortConfiguration,
                root,
                "fullConfig",
                "this is the short configuration",
            );
        }
        let profile = root.child("sipProfile");
        let missing: Vec<&str> = ["fullConfig", "capfAuthMode", "certHash", "encrConfig"]
            .into_iter()
            .filter(|name| root.child(name).is_none())
            .chain(
                [
                    "startMediaPort",
                    "stopMediaPort",
                    "dscpForAudio",
                    "dscpVideo",
                    "enableVad",
                ]
                .into_iter()
                .filter(|name| profile.and_then(|profile| profile.child(name)).is_none()),
            )
            .collect();
        let rule = match self.kind {
            Some(DeviceKind::Sep) => return,
            Some(DeviceKind::Csf) => Rule::RefusedByCsf,
            _ => Rule::MissingForJabber,
        };
        if !missing.is_empty() {
            self.push(
                rule,
                || root.position(),
                format!("there is no {}", missing.join(", ")),
            );
        }
    }

    fn mode_on(
        &mut self,
        security: Option<DeviceSecurityMode>,
        transport: Option<TransportLayerProtocol>,
    ) {
        let config = self.config;
        let root = config.root();
        if let Some(security) =
            security.filter(|&security| security != DeviceSecurityMode::Encrypted)
        {
            let what = format!(
                "SIP OAuth mode is on and the security mode is {}, not 3 (encrypted)",
                security.code()
            );
            self.at_child(Rule::NotEncrypted, root, "deviceSecurityMode", what);
        }
        if let Some(transport) =
            transport.filter(|&transport| transport != TransportLayerProtocol::Tls)
        {
            let what = format!(
                "SIP OAuth mode is on and the transport is {}, not 3 (TLS)",
                transport.code()
            );
            self.at_child(Rule::NotTls, root, "transportLayerProtocol", what);
        }
        if self.read(config.encr_config()) == Some(true) {
            let what = "SIP OAuth mode is on and the configuration is encrypted";
            self.at_child(Rule::EncryptedConfiguration, root, "encrConfig", what);
        }
        if self
            .read(config.capf_auth_mode())
            .is_some_and(|mode| mode != CapfAuthMode::None)
        {
            self.at_child(
                Rule::CapfPending,
                root,
                "capfAuthMode",
                "a certificate operation is pending",
            );
        }
    }

    fn mode_off(
        &mut self,
        security: Option<DeviceSecurityMode>,
        transport: Option<TransportLayerProtocol>,
    ) {
        let root = self.config.root();
        if security.is_some_and(|security| !security.is_secure())
            && transport == Some(TransportLayerProtocol::Tls)
        {
            let what = "the transport is 3 (TLS) and the security mode is non-secure";
            self.at_child(
                Rule::TlsWithoutSecurity,
                root,
                "transportLayerProtocol",
                what,
            );
        }
        self.at_child(
            Rule::SipOauthOff,
            root,
            "sipOAuthMode",
            "SIP OAuth mode is off",
        );
        self.unreadable_security();
    }

    /// What is asked for with SIP OAuth mode on, and must be readable in any file.
    fn unreadable_security(&mut self) {
        self.read(self.config.encr_config());
        self.read(self.config.capf_auth_mode());
    }

    fn nodes(&mut self, is_on: bool) {
        let mut hosts = std::collections::HashSet::new();
        let mut usable = false;
        for node in self.config.members() {
            if self.is_full(Severity::Error) {
                return;
            }
            self.repeated_in_member(node.element());
            if let Err(error) = node.priority() {
                self.unreadable(Rule::UnreadableValue, error);
            }
            let host = node
                .process_node_name()
                .map(|host| host.value)
                .unwrap_or_default();
            let element = node.process_node_name_element().unwrap_or(node.element());
            if host.is_empty() {
                self.at(
                    Rule::NodeWithoutName,
                    element,
                    "the node has no processNodeName",
                );
            } else if !is_host(&host) {
                let what = format!(
                    "expected a host name or an address, found {:?}",
                    crate::error::shorten(&host)
                );
                self.at(Rule::UnreadableValue, element, what);
            } else {
                usable = true;
                if is_on && !is_fqdn(&host) {
                    self.at(
                        Rule::HostNotFqdn,
                        element,
                        format!("{host:?} is no fully qualified domain name"),
                    );
                }
                if !hosts.insert(host.to_ascii_lowercase()) {
                    self.at(
                        Rule::RepeatedNode,
                        element,
                        format!("{host:?} stands twice"),
                    );
                }
            }
            self.ports(node, is_on);
        }
        if !usable {
            let root = self.config.root();
            let members = root.descend(&["devicePool", "callManagerGroup", "members"]);
            self.at(
                Rule::NoUsableNode,
                members.unwrap_or(root),
                "no member of the Unified CM group can be registered to",
            );
        }
    }

    fn ports(&mut self, node: CallManagerNode<'_>, is_on: bool) {
        let ports = node.ports();
        let read = [
            ("ethernetPhonePort", ports.ethernet_phone_port()),
            ("sipPort", ports.sip_port()),
            ("securedSipPort", ports.secured_sip_port()),
            ("sipOAuthPort", ports.sip_oauth_port()),
            ("sipMRAOAuthPort", ports.sip_mra_oauth_port()),
            ("mgcpPorts/listen", ports.mgcp_listen_port()),
            ("mgcpPorts/keepAlive", ports.mgcp_keep_alive_port()),
        ];
        let mut seen: Vec<(&str, u16)> = Vec::new();
        let mut absent: Vec<(&str, u16)> = Vec::new();
        let mut assumed: Vec<(&str, u16)> = Vec::new();
        let parent = ports.element().unwrap_or(node.element());
        for (name, port) in read {
            let port = match port {
                Ok(port) => port,
                Err(error) => {
                    self.unreadable(Rule::UnreadableValue, error);
                    continue;
                }
            };
            let oauth = matches!(name, "sipOAuthPort" | "sipMRAOAuthPort");
            if port.is_default() {
                let absent = if oauth { &mut absent } else { &mut assumed };
                absent.push((name, port.value));
                continue;
            }
            if is_on && oauth && !(1024..=49151).contains(&port.value) {
                let what = format!("{name} is {}, not within 1024 to 49151", port.value);
                self.at_child(Rule::PortOutOfRange, parent, name, what);
            }
            if let Some((other, _)) = seen.iter().find(|&&(_, value)| value == port.value) {
                let what = format!("{other} and {name} are both {}", port.value);
                let element = name.split('/').try_fold(parent, Element::child);
                self.at(Rule::PortsEqual, element.unwrap_or(parent), what);
            }
            seen.push((name, port.value));
        }
        // A node that names one of the two has the feature, and listens on the default of the other.
        if let &[one] = absent.as_slice() {
            assumed.push(one);
        }
        for (name, default) in assumed {
            if let Some((other, _)) = seen.iter().find(|&&(_, value)| value == default) {
                let what = format!("{other} is {default}, as {name} is by default");
                self.at_child(Rule::PortsEqual, parent, name, what);
            }
        }
        if is_on {
            match absent.as_slice() {
                [] => {}
                [(one, _)] => self.at_child(
                    Rule::OauthPortMissing,
                    parent,
                    one,
                    format!("the node has no {one}"),
                ),
                [(first, _), ..] => {
                    self.at_child(
                        Rule::NodeWithoutOauthPorts,
                        parent,
                        first,
                        "the node has no SIP OAuth ports",
                    );
                }
            }
        }
    }

    fn lines(&mut self, is_on: bool) {
        let mut usable = false;
        for line in self.config.lines() {
            if self.is_full(Severity::Error) {
                return;
            }
            self.repeated_in_line(line.element());
            self.line_settings(line);
            if let Err(error) = line.button() {
                self.unreadable(Rule::UnreadableValue, error);
            }
            match line.is_usable() {
                Err(error) => self.unreadable(Rule::UnreadableValue, error),
                Ok(false) => {}
                Ok(true) => {
                    usable = true;
                    let element = line.element();
                    if is_on && !line.uses_call_manager() {
                        self.at_child(
                            Rule::LineWithProxy,
                            element,
                            "proxy",
                            "the line does not use the group's nodes",
                        );
                    }
                    if is_on && line.has_auth_password() {
                        let what = "SIP OAuth mode is on and the line has digest credentials";
                        self.at_child(Rule::DigestCredentials, element, "authPassword", what);
                    }
                }
            }
        }
        if !usable {
            let root = self.config.root();
            let lines = root.descend(&["sipProfile", "sipLines"]).unwrap_or(root);
            self.at(Rule::NoUsableLine, lines, "no line has a name");
        }
    }

    fn timers(&mut self) {
        let stack = self.config.sip_stack();
        let expires = self.read(stack.timer_register_expires());
        let delta = self.read(stack.timer_register_delta());
        if let (Some(expires), Some(delta), Some(element)) = (expires, delta, stack.element()) {
            let left = expires.saturating_sub(delta);
            let what = format!(
                "timerRegisterDelta is {} s of {} s",
                delta.as_secs(),
                expires.as_secs()
            );
            if left.is_zero() {
                self.at_child(Rule::DeltaTooLong, element, "timerRegisterDelta", what);
            } else if left < SHORTEST_REGISTRATION {
                self.at_child(Rule::RefreshTooSoon, element, "timerRegisterExpires", what);
            }
        }
        for timer in [
            stack.timer_t1(),
            stack.timer_t2(),
            stack.timer_invite_expires(),
            stack.timer_keep_alive_expires(),
            stack.timer_subscribe_expires(),
            stack.timer_subscribe_delta(),
            self.config.connection_monitor_duration(),
        ] {
            self.read(timer);
        }
        for count in [
            stack.sip_invite_retx(),
            stack.sip_retx(),
            stack.max_redirects(),
        ] {
            self.read(count);
        }
        self.read(self.config.voip_control_port());
        self.read(self.config.start_media_port());
        self.read(self.config.stop_media_port());
    }
}

/// The path a missing child would have, at the element it belongs in.
fn missing(parent: Element<'_>, name: &str) -> Position {
    let mut position = parent.position();
    position.path = format!("{}/{name}", position.path);
    position
}

/// Whether a host is a name with a domain, not an address.
fn is_fqdn(host: &str) -> bool {
    let name = host.trim_end_matches('.');
    // No top-level domain is a number (RFC 3696 section 2), and no IPv6 address has a dot before its last colon.
    name.rsplit_once('.')
        .is_some_and(|(_, top)| !top.bytes().all(|byte| byte.is_ascii_digit()))
        && !name.contains(':')
}
