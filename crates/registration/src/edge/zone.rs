//! Zones and search rules, as discovery makes them.

use std::fmt;
use std::net::SocketAddr;

/// The priority of the search rules discovery makes.
pub const SEARCH_RULE_PRIORITY: u8 = 45;

/// A Unified CM node as the edge learnt it when its servers were last refreshed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveredNode {
    /// The node's name, which clients put into the Request-URI.
    pub name: String,
    /// Where to connect, if not to the name.
    pub address: Option<String>,
    /// The node's SIP Mobile and Remote Access Port.
    pub mra_oauth_port: u16,
    /// Whether the cluster is in SIP OAuth mode.
    pub sip_oauth_mode: bool,
    /// Whether the node was discovered with TLS verify on.
    pub tls_verify: bool,
}

impl DiscoveredNode {
    /// A node of a cluster in SIP OAuth mode, discovered with TLS verify on.
    pub fn new(name: &str, mra_oauth_port: u16) -> Self {
        Self {
            name: name.to_owned(),
            address: None,
            mra_oauth_port,
            sip_oauth_mode: true,
            tls_verify: true,
        }
    }

    /// The same node, connected to at another host or address.
    #[must_use]
    pub fn at(mut self, address: &str) -> Self {
        self.address = Some(address.to_owned());
        self
    }
}

/// Whether requests can be sent into a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZoneState {
    /// They can.
    Active {
        /// The edge's own end of the connection.
        local: SocketAddr,
    },
    /// They cannot.
    Inactive {
        /// Why; nothing was tried yet when there is no reason.
        why: Option<String>,
    },
}

impl ZoneState {
    /// Whether requests can be sent.
    pub const fn is_active(&self) -> bool {
        matches!(self, Self::Active { .. })
    }
}

impl fmt::Display for ZoneState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active { .. } => f.write_str("Active"),
            Self::Inactive { why: None } => f.write_str("Inactive"),
            Self::Inactive { why: Some(why) } => write!(f, "Inactive ({why})"),
        }
    }
}

/// A neighbour zone `CEOAuth <node>`: mutual TLS to the node's SIP Mobile and Remote Access Port. Made
/// by discovery; nothing in it can be configured.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Zone {
    /// `CEOAuth <node>`.
    pub name: String,
    /// The node.
    pub node: String,
    /// Host to connect to.
    pub host: String,
    /// Port to connect to.
    pub port: u16,
    /// Whether the node's certificate is verified: on if it was discovered with TLS verify on.
    pub tls_verify: bool,
    /// Whether requests can be sent into it.
    pub state: ZoneState,
}

impl Zone {
    pub(super) fn of(node: &DiscoveredNode) -> Self {
        Self {
            name: zone_name(&node.name),
            node: node.name.clone(),
            host: node.address.clone().unwrap_or_else(|| node.name.clone()),
            port: node.mra_oauth_port,
            tls_verify: node.tls_verify,
            state: ZoneState::Inactive { why: None },
        }
    }

    /// Whether a connection made for `self` serves `other` as well.
    pub(super) fn leads_where(&self, other: &Self) -> bool {
        (&self.host, self.port, self.tls_verify) == (&other.host, other.port, other.tls_verify)
    }
}

fn zone_name(node: &str) -> String {
    format!("CEOAuth {node}")
}

/// A search rule discovery makes beside each zone, with the zone's name.
///
/// The product's own pattern is not published; ours matches the node's name as the host of the
/// Request-URI, without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchRule {
    /// The name, as the zone's.
    pub name: String,
    /// The priority, [`SEARCH_RULE_PRIORITY`]; lower comes first.
    pub priority: u8,
    /// The host it matches.
    pub host: String,
    /// The zone it leads to.
    pub zone: String,
}

impl SearchRule {
    pub(super) fn of(zone: &Zone) -> Self {
        Self {
            name: zone.name.clone(),
            priority: SEARCH_RULE_PRIORITY,
            host: zone.node.clone(),
            zone: zone.name.clone(),
        }
    }

    /// Whether a request to `host` takes this rule.
    pub fn matches(&self, host: &str) -> bool {
        self.host.eq_ignore_ascii_case(host)
    }
}

/// What a refresh of the servers did to a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZoneChange {
    /// It was made: connect it.
    Added(Zone),
    /// It leads elsewhere now: close its connection and connect it again.
    Changed(Zone),
    /// It is gone: close its connection.
    Removed {
        /// Its name.
        name: String,
    },
}
