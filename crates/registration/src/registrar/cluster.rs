//! What an administrator configures, and what the nodes run: two values, a restart moves one to the
//! other.

use std::collections::{BTreeMap, BTreeSet};

use sip_oauth_trust::{AllowedNames, AllowedRow};

use super::arrival::Listener;
use super::device::DeviceRecord;
use super::ports::NodePorts;
use super::profile::{ProfileProblem, SecurityProfile};

/// A node of the cluster as the administrator configured it (System > Cisco Unified CM).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// Its name (`processNodeName`), which clients put into the Request-URI.
    pub name: String,
    /// Other hosts that mean this node, for example its address.
    pub aliases: Vec<String>,
    /// Its ports.
    pub ports: NodePorts,
}

impl Node {
    /// A node under its name alone.
    pub fn new(name: &str, ports: NodePorts) -> Self {
        Self {
            name: name.to_owned(),
            aliases: Vec::new(),
            ports,
        }
    }

    /// The same node, also known as `host`.
    #[must_use]
    pub fn with_alias(mut self, host: &str) -> Self {
        self.aliases.push(host.to_owned());
        self
    }

    /// Whether `host` means this node. Host names are compared without regard to case.
    pub fn is_called(&self, host: &str) -> bool {
        std::iter::once(&self.name)
            .chain(&self.aliases)
            .any(|name| name.eq_ignore_ascii_case(host))
    }
}

/// Cluster SIPOAuth Mode (`utils sipOAuth-mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum SipOAuthMode {
    /// 0.
    #[default]
    Disabled,
    /// 1.
    Enabled,
}

/// A row of table `expresswaycconfiguration` (Device > Expressway-C).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpresswayRow {
    /// Host name or IP address, the key.
    pub host_name_or_ip: String,
    /// Description.
    pub description: Option<String>,
    /// X.509 Subject Name or Subject Alternate Name: names separated by commas, semicolons or blanks.
    pub names: Option<String>,
}

impl ExpresswayRow {
    /// The row as the certificate check reads it.
    pub fn to_allowed(&self) -> AllowedRow {
        AllowedRow::new(
            &self.host_name_or_ip,
            self.description.as_deref().unwrap_or_default(),
            self.names.as_deref().unwrap_or_default(),
        )
    }
}

/// Why the administrator's change was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// There is no such node.
    #[error("no node is called {0:?}")]
    UnknownNode(String),
    /// Two nodes of one name.
    #[error("a node called {0:?} exists already")]
    DuplicateNode(String),
    /// There is no such profile.
    #[error("no phone security profile is called {0:?}")]
    UnknownProfile(String),
    /// A profile contradicts itself.
    #[error("phone security profile {name:?}: {}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    InvalidProfile {
        /// The profile.
        name: String,
        /// What contradicts SIP OAuth in it.
        problems: Vec<ProfileProblem>,
    },
    /// SIP OAuth mode needs OAuth with Refresh Login Flow.
    #[error("enable the enterprise parameter OAuth with Refresh Login Flow before SIP OAuth mode")]
    RefreshLoginFlowDisabled,
}

/// What a node took over from the configuration when it last started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunningNode {
    /// Its ports.
    pub ports: NodePorts,
    /// Its mode.
    pub sip_oauth_mode: SipOAuthMode,
}

impl RunningNode {
    /// Whether this listener is open.
    pub const fn is_open(&self, listener: Listener) -> bool {
        match self.sip_oauth_mode {
            SipOAuthMode::Enabled => true,
            SipOAuthMode::Disabled => !listener.is_oauth(),
        }
    }

    /// The listeners that are open, and their ports.
    pub fn listeners(&self) -> impl Iterator<Item = (Listener, u16)> + '_ {
        Listener::ALL
            .into_iter()
            .filter(|&listener| self.is_open(listener))
            .map(|listener| (listener, self.ports.port(listener)))
    }
}

/// The facts of a cluster.
///
/// Node ports and SIP OAuth mode are *configured* at once and *running* after
/// [`restart`](Self::restart); profiles, devices and Expressway-C rows apply at once.
///
/// ```
/// use sip_oauth_registration::registrar::{Cluster, Listener, Node, NodePorts, SipOAuthMode};
///
/// let mut cluster = Cluster::new();
/// cluster.add_node(Node::new("ucm1.example.com", NodePorts::default()))?;
/// cluster.restart("ucm1.example.com")?;
/// cluster.set_refresh_login_flow(true);
/// cluster.set_sip_oauth_mode(SipOAuthMode::Enabled)?;
///
/// // Enabled, but the node does not listen before it is restarted.
/// let node = cluster.running("ucm1.example.com").expect("it was started");
/// assert!(!node.is_open(Listener::SipOAuth));
/// assert_eq!(cluster.nodes_to_restart(), ["ucm1.example.com"]);
/// assert!(cluster.restart("ucm1.example.com")?.is_open(Listener::SipOAuth));
/// # Ok::<(), sip_oauth_registration::registrar::ClusterError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    nodes: Vec<Node>,
    running: BTreeMap<String, RunningNode>,
    sip_oauth_mode: SipOAuthMode,
    refresh_login_flow: bool,
    profiles: BTreeMap<String, SecurityProfile>,
    /// By name in upper case.
    devices: BTreeMap<String, DeviceRecord>,
    /// Which of them have a line: an index, so that no request makes us look at them all.
    having_line: BTreeMap<String, BTreeSet<String>>,
    expressway_rows: Vec<ExpresswayRow>,
}

impl Cluster {
    /// A cluster without nodes, everything at the product's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node. It does not run before it is restarted.
    ///
    /// # Errors
    ///
    /// When a node of this name exists.
    pub fn add_node(&mut self, node: Node) -> Result<(), ClusterError> {
        if self.node(&node.name).is_some() {
            return Err(ClusterError::DuplicateNode(node.name));
        }
        self.nodes.push(node);
        Ok(())
    }

    /// Configures other ports. They apply after a restart.
    ///
    /// # Errors
    ///
    /// When there is no such node.
    pub fn set_ports(&mut self, node: &str, ports: NodePorts) -> Result<(), ClusterError> {
        let found = self
            .nodes
            .iter_mut()
            .find(|candidate| candidate.is_called(node))
            .ok_or_else(|| ClusterError::UnknownNode(node.to_owned()))?;
        found.ports = ports;
        Ok(())
    }

    /// The nodes as configured.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node a host means.
    pub fn node(&self, host: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.is_called(host))
    }

    /// What a node runs with; `None` before its first start.
    pub fn running(&self, node: &str) -> Option<&RunningNode> {
        self.running.get(&self.node(node)?.name)
    }

    /// Restarts Cisco CallManager on a node: it takes over what is configured.
    ///
    /// # Errors
    ///
    /// When there is no such node.
    pub fn restart(&mut self, node: &str) -> Result<RunningNode, ClusterError> {
        let node = self
            .nodes
            .iter()
            .find(|candidate| candidate.is_called(node))
            .ok_or_else(|| ClusterError::UnknownNode(node.to_owned()))?;
        let running = RunningNode {
            ports: node.ports.clone(),
            sip_oauth_mode: self.sip_oauth_mode,
        };
        self.running.insert(node.name.clone(), running.clone());
        Ok(running)
    }

    /// The nodes whose running values differ from the configured ones.
    pub fn nodes_to_restart(&self) -> Vec<&str> {
        self.nodes
            .iter()
            .filter(|node| {
                self.running.get(&node.name).is_none_or(|running| {
                    running.ports != node.ports || running.sip_oauth_mode != self.sip_oauth_mode
                })
            })
            .map(|node| node.name.as_str())
            .collect()
    }

    /// Cluster SIPOAuth Mode as configured.
    pub fn sip_oauth_mode(&self) -> SipOAuthMode {
        self.sip_oauth_mode
    }

    /// `utils sipOAuth-mode enable` and `disable`. Applies after a restart.
    ///
    /// # Errors
    ///
    /// When it is enabled while OAuth with Refresh Login Flow is disabled. The documents name that a
    /// prerequisite; that the command refuses is our choice.
    pub fn set_sip_oauth_mode(&mut self, mode: SipOAuthMode) -> Result<(), ClusterError> {
        if mode == SipOAuthMode::Enabled && !self.refresh_login_flow {
            return Err(ClusterError::RefreshLoginFlowDisabled);
        }
        self.sip_oauth_mode = mode;
        Ok(())
    }

    /// Enterprise parameter OAuth with Refresh Login Flow; disabled by default.
    pub fn refresh_login_flow(&self) -> bool {
        self.refresh_login_flow
    }

    /// Sets the enterprise parameter OAuth with Refresh Login Flow.
    pub fn set_refresh_login_flow(&mut self, enabled: bool) {
        self.refresh_login_flow = enabled;
    }

    /// Adds or replaces a phone security profile.
    ///
    /// # Errors
    ///
    /// When it enables OAuth and contradicts it elsewhere.
    pub fn put_profile(&mut self, profile: SecurityProfile) -> Result<(), ClusterError> {
        let problems = profile.problems();
        if !problems.is_empty() {
            let name = profile.name;
            return Err(ClusterError::InvalidProfile { name, problems });
        }
        self.profiles.insert(profile.name.clone(), profile);
        Ok(())
    }

    /// The profile of this name.
    pub fn profile(&self, name: &str) -> Option<&SecurityProfile> {
        self.profiles.get(name)
    }

    /// Adds or replaces a device. Device names are compared without regard to case.
    ///
    /// # Errors
    ///
    /// When its profile does not exist.
    pub fn put_device(&mut self, device: DeviceRecord) -> Result<(), ClusterError> {
        if !self.profiles.contains_key(&device.profile) {
            return Err(ClusterError::UnknownProfile(device.profile));
        }
        self.remove_device(&device.name);
        let key = device.name.to_ascii_uppercase();
        for line in &device.lines {
            let having = self.having_line.entry(line.name.clone()).or_default();
            having.insert(key.clone());
        }
        self.devices.insert(key, device);
        Ok(())
    }

    /// Removes a device.
    pub fn remove_device(&mut self, name: &str) -> Option<DeviceRecord> {
        let key = name.to_ascii_uppercase();
        let removed = self.devices.remove(&key)?;
        for line in &removed.lines {
            if let Some(having) = self.having_line.get_mut(&line.name) {
                having.remove(&key);
                if having.is_empty() {
                    self.having_line.remove(&line.name);
                }
            }
        }
        Some(removed)
    }

    /// The device that has this line, where one alone has it.
    pub fn device_of_line(&self, line: &str) -> Option<&DeviceRecord> {
        let mut having = self.having_line.get(line)?.iter();
        match (having.next(), having.next()) {
            (Some(only), None) => self.devices.get(only),
            (None | Some(_), _) => None,
        }
    }

    /// The device of this name.
    pub fn device(&self, name: &str) -> Option<&DeviceRecord> {
        self.devices.get(&name.to_ascii_uppercase())
    }

    /// All devices.
    pub fn devices(&self) -> impl Iterator<Item = &DeviceRecord> {
        self.devices.values()
    }

    /// What `sipOAuthMode` of a device's configuration file says: cluster mode and profile both on.
    pub fn sip_oauth_mode_of(&self, device: &DeviceRecord) -> bool {
        self.sip_oauth_mode == SipOAuthMode::Enabled
            && self
                .profile(&device.profile)
                .is_some_and(|profile| profile.oauth_authentication)
    }

    /// The rows of table `expresswaycconfiguration`.
    pub fn expressway_rows(&self) -> &[ExpresswayRow] {
        &self.expressway_rows
    }

    /// The names a certificate may have on the SIP Mobile and Remote Access Port: the table as it is now.
    pub fn allowed_names(&self) -> AllowedNames {
        self.expressway_rows
            .iter()
            .map(ExpresswayRow::to_allowed)
            .collect()
    }

    /// Adds a row, or replaces the one of the same host name or address.
    pub fn put_expressway_row(&mut self, row: ExpresswayRow) {
        match self.expressway_rows.iter_mut().find(|present| {
            present
                .host_name_or_ip
                .eq_ignore_ascii_case(&row.host_name_or_ip)
        }) {
            Some(present) => *present = row,
            None => self.expressway_rows.push(row),
        }
    }

    /// Removes the row of this host name or address.
    pub fn remove_expressway_row(&mut self, host_name_or_ip: &str) -> Option<ExpresswayRow> {
        let at = self
            .expressway_rows
            .iter()
            .position(|row| row.host_name_or_ip.eq_ignore_ascii_case(host_name_or_ip))?;
        Some(self.expressway_rows.remove(at))
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::DeviceLine;
    use super::*;

    #[test]
    fn a_device_is_found_by_a_line_it_alone_has() {
        let mut cluster = Cluster::new();
        cluster
            .put_profile(SecurityProfile::oauth("oauth"))
            .unwrap();
        let mut put = |name: &str, lines: &[&str]| {
            let lines = lines.iter().map(|line| DeviceLine::new(line));
            let device = DeviceRecord::csf(name, "oauth", "jdoe", lines);
            cluster.put_device(device).unwrap();
        };
        put("CSFONE", &["1010", "1010", "1011"]);
        put("CSFTWO", &["1011", "1012"]);
        put("csftwo", &["1011", "1013"]);
        let found = |cluster: &Cluster, line: &str| {
            let device = cluster.device_of_line(line);
            device.map(|device| device.name.clone())
        };
        assert_eq!(found(&cluster, "1010").as_deref(), Some("CSFONE"));
        assert_eq!(found(&cluster, "1011"), None, "both have it");
        assert_eq!(found(&cluster, "1012"), None, "replaced");
        assert_eq!(found(&cluster, "1013").as_deref(), Some("csftwo"));
        assert!(cluster.remove_device("CSFTWO").is_some());
        assert_eq!(found(&cluster, "1011").as_deref(), Some("CSFONE"));
    }
}
