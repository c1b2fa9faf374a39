//! From a file to the nodes and ports a client tries.

use crate::config::DeviceConfig;
use crate::device::NodePorts;
use crate::error::ValueError;
use crate::modes::{DeviceSecurityMode, SipOauthMode, TransportLayerProtocol};
use crate::node::{CallManagerNode, Ports};
use crate::value::{self, Origin, Value};

/// Where the device is: there are these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In reach of the nodes.
    OnPremises,
    /// Mobile and Remote Access: behind an Expressway-E and an Expressway-C.
    Mra,
}

/// Who uses `<sipMRAOAuthPort>`.
///
/// Cisco's text says that Jabber uses it for Mobile and Remote Access, and its note that Unified CM listens there for
/// Expressway. Which of the two connects is not published; this is a choice, and targets carry both ports either way.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MraPortReading {
    /// Expressway-C connects to it; the client connects to the Expressway-E on [`EDGE_TLS_PORT`] and sends a Route
    /// header. The default: no port of a node can be reached from outside.
    #[default]
    ExpresswayC,
    /// The client connects to it, over TLS in which only the node shows a certificate: with SIP OAuth mode on a client has
    /// none of its own to show.
    Client,
}

/// The TLS port of an Expressway-E, unless its bootstrap document names another.
pub const EDGE_TLS_PORT: u16 = 5061;

/// How a node is reached. These are all that the security mode and `transportLayerProtocol` lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TCP or UDP, as the device likes.
    TcpOrUdp,
    /// TLS in which only the server shows a certificate.
    Tls,
    /// TLS in which both show one.
    MutualTls,
}

/// What the registration is authenticated with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Authentication {
    /// An access token in the REGISTER.
    Bearer,
    /// The device's certificate (LSC or MIC) in the TLS handshake.
    Certificate,
    /// Nothing in the file: the device name alone, or digest credentials if the node asks.
    DeviceName,
}

/// Who opens the connection to a node: there is nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectedBy {
    /// The client.
    Client,
    /// An Expressway-C on the client's behalf.
    ExpresswayC,
}

/// One node to register to, and how.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RegistrationTarget {
    /// The node's `name`, or its `processNodeName` where the name is missing or empty.
    pub node: String,
    /// The place of the node among the members of the file, from 0.
    pub member: usize,
    /// Its `processNodeName`: the host to connect to, and of the Request-URI.
    pub host: String,
    /// The port of the node.
    pub port: u16,
    /// Where `port` is written, or that it is the default.
    pub port_origin: Origin,
    /// The transport to `port`.
    pub transport: Transport,
    /// What proves who registers.
    pub authentication: Authentication,
    /// The name the node's certificate must show, when there is a certificate.
    pub server_identity: Option<String>,
    /// Who opens the connection to `host` and `port`.
    pub connected_by: ConnectedBy,
    /// The port the client itself connects to: `port`, or [`EDGE_TLS_PORT`] of an Expressway-E that the file does not name.
    pub client_port: u16,
}

impl RegistrationTarget {
    /// `host` and `port` as they stand in a URI: `cucm1.example.com:5090`, `[2001:db8::1]:5090` (RFC 3261 section 25.1,
    /// `hostport`).
    pub fn host_and_port(&self) -> String {
        if self.host.parse::<std::net::Ipv6Addr>().is_ok() {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// Why a file leads to no node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// An element the choice depends on cannot be read.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The device does not speak SIP.
    #[error("/device/deviceProtocol: expected \"SIP\", found {found:?}")]
    NotSip {
        /// What it speaks.
        found: String,
    },
    /// The file is the short one, which only says that there is an encrypted one.
    #[error(
        "/device/fullConfig is false: this is the short configuration of a device with TFTP Encrypted Config, which SIP \
         OAuth mode does not allow"
    )]
    ShortConfiguration,
    /// There is no member in the Unified CM group.
    #[error(
        "/device/devicePool/callManagerGroup/members has no member: the file names no node to register to"
    )]
    NoNode,
    /// There are members, and none has a `processNodeName` that can be a host.
    #[error(
        "none of the {members} members of /device/devicePool/callManagerGroup/members has a processNodeName that is a host \
         name or an address"
    )]
    NoUsableNode {
        /// The number of members.
        members: usize,
    },
    /// SIP OAuth mode is off, the security mode is non-secure, and the transport is TLS.
    #[error(
        "/device/transportLayerProtocol is 3 (TLS) and /device/deviceSecurityMode is not 2 or 3, with SIP OAuth mode off: \
         the phone security profile contradicts itself"
    )]
    TlsWithoutSecurity,
}

impl DeviceConfig {
    /// The nodes a client tries, in order, with the port and transport that mode, security mode and place lead to.
    ///
    /// | `sipOAuthMode` | place | `deviceSecurityMode` | transport | port |
    /// |---|---|---|---|---|
    /// | 1 | on premises | any | TLS | `sipOAuthPort` |
    /// | 1 | MRA | any | mutual TLS, from Expressway-C ([`MraPortReading`]) | `sipMRAOAuthPort` |
    /// | 0 | any | 2, 3 | mutual TLS | `securedSipPort` |
    /// | 0 | any | 0, 1 | `transportLayerProtocol` | `sipPort` |
    ///
    /// A node whose `processNodeName` is missing or can be no host is left out, as the SIP stack these clients grew from
    /// leaves out nodes it cannot resolve, and so is one whose priority or port cannot be read; [`findings`](Self::findings)
    /// names it. When none is left that stack turns to the TFTP server, which the file does not name: that is the caller's
    /// to do.
    ///
    /// # Errors
    ///
    /// [`TargetError`] when no node is left, or an element that decides cannot be read; it names the element.
    ///
    /// ```
    /// use sip_oauth_csf::{Authentication, DeviceConfig, Limits, Place, Transport};
    ///
    /// let file = b"<device><devicePool><callManagerGroup><members><member priority=\"0\"><callManager>\
    ///     <processNodeName>cucm1.example.com</processNodeName></callManager></member></members></callManagerGroup>\
    ///     </devicePool><sipOAuthMode>1</sipOAuthMode></device>";
    /// let config = DeviceConfig::read(file, &Limits::default())?;
    ///
    /// let targets = config.registration_targets(Place::OnPremises)?;
    /// assert_eq!((targets[0].host.as_str(), targets[0].port), ("cucm1.example.com", 5090));
    /// assert_eq!(targets[0].transport, Transport::Tls);
    /// assert_eq!(targets[0].authentication, Authentication::Bearer);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn registration_targets(
        &self,
        place: Place,
    ) -> Result<Vec<RegistrationTarget>, TargetError> {
        self.registration_targets_by(place, MraPortReading::default())
    }

    /// As [`registration_targets`](Self::registration_targets), with a reading of the MRA port, which files with SIP OAuth
    /// mode off have no use for.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn registration_targets_by(
        &self,
        place: Place,
        reading: MraPortReading,
    ) -> Result<Vec<RegistrationTarget>, TargetError> {
        if let Some(protocol) = self.other_protocol() {
            return Err(TargetError::NotSip {
                found: crate::error::shorten(&protocol.value),
            });
        }
        let members = self.members().count();
        if members == 0 {
            let short = !self.full_config()?.value;
            return Err(if short {
                TargetError::ShortConfiguration
            } else {
                TargetError::NoNode
            });
        }
        let route = Route::of(self, place, reading)?;
        // A place is looked for, and with it an error made, for one node at most.
        let mut unreadable = None;
        let mut targets = Vec::with_capacity(members.min(8));
        for node in self.members() {
            let Some(host) = node.process_node_name().filter(|host| is_host(&host.value)) else {
                continue;
            };
            match (node.readable_priority(), route.port_of(node)) {
                (Some(priority), Some(port)) => {
                    targets.push((priority, route.to(node, host.value.into_owned(), port)));
                }
                _ => {
                    unreadable.get_or_insert(node);
                }
            }
        }
        if targets.is_empty() {
            if let Some(node) = unreadable {
                node.priority()?;
                route.port.read(node.ports())?;
            }
            return Err(TargetError::NoUsableNode { members });
        }
        // The sort is stable, which keeps document order.
        targets.sort_by_key(|&(priority, _)| priority);
        Ok(targets.into_iter().map(|(_, target)| target).collect())
    }
}

/// Which of a node's ports is meant.
#[derive(Debug, Clone, Copy)]
enum Port {
    Sip,
    Secured,
    Oauth,
    MraOauth,
}

impl Port {
    fn read(self, ports: Ports<'_>) -> Result<Value<u16>, ValueError> {
        match self {
            Self::Sip => ports.sip_port(),
            Self::Secured => ports.secured_sip_port(),
            Self::Oauth => ports.sip_oauth_port(),
            Self::MraOauth => ports.sip_mra_oauth_port(),
        }
    }
}

/// What is the same for every node of a file.
struct Route {
    port: Port,
    transport: Transport,
    authentication: Authentication,
    connected_by: ConnectedBy,
}

impl Route {
    fn of(
        config: &DeviceConfig,
        place: Place,
        reading: MraPortReading,
    ) -> Result<Self, TargetError> {
        let mode = config.sip_oauth_mode()?.value;
        // The reading is of a port that is used with SIP OAuth mode on; without it an Expressway-C connects.
        let connected_by = match (place, mode, reading) {
            (Place::OnPremises, ..) | (Place::Mra, SipOauthMode::On, MraPortReading::Client) => {
                ConnectedBy::Client
            }
            (Place::Mra, SipOauthMode::On, MraPortReading::ExpresswayC)
            | (Place::Mra, SipOauthMode::Off, _) => ConnectedBy::ExpresswayC,
        };
        let (port, transport, authentication) = match mode {
            SipOauthMode::On => match place {
                Place::OnPremises => (Port::Oauth, Transport::Tls, Authentication::Bearer),
                Place::Mra => {
                    let transport = match connected_by {
                        ConnectedBy::ExpresswayC => Transport::MutualTls,
                        ConnectedBy::Client => Transport::Tls,
                    };
                    (Port::MraOauth, transport, Authentication::Bearer)
                }
            },
            SipOauthMode::Off => match config.device_security_mode()?.value {
                DeviceSecurityMode::Authenticated | DeviceSecurityMode::Encrypted => (
                    Port::Secured,
                    Transport::MutualTls,
                    Authentication::Certificate,
                ),
                DeviceSecurityMode::NotSet | DeviceSecurityMode::NonSecure => {
                    let transport = match config.transport_layer_protocol()?.value {
                        TransportLayerProtocol::Tcp => Transport::Tcp,
                        TransportLayerProtocol::Udp => Transport::Udp,
                        TransportLayerProtocol::TcpUdp => Transport::TcpOrUdp,
                        TransportLayerProtocol::Tls => return Err(TargetError::TlsWithoutSecurity),
                    };
                    (Port::Sip, transport, Authentication::DeviceName)
                }
            },
        };
        Ok(Self {
            port,
            transport,
            authentication,
            connected_by,
        })
    }

    /// The port of a node, none when it cannot be read.
    fn port_of(&self, node: CallManagerNode<'_>) -> Option<Value<u16>> {
        let (name, default) = match self.port {
            Port::Sip => ("sipPort", NodePorts::DEFAULT.sip_port),
            Port::Secured => ("securedSipPort", NodePorts::DEFAULT.secured_sip_port),
            Port::Oauth => ("sipOAuthPort", NodePorts::DEFAULT.sip_oauth_port),
            Port::MraOauth => ("sipMRAOAuthPort", NodePorts::DEFAULT.sip_mra_oauth_port),
        };
        value::readable_port(node.ports().child(name), default)
    }

    fn to(&self, node: CallManagerNode<'_>, host: String, port: Value<u16>) -> RegistrationTarget {
        let name = node
            .name()
            .map(|name| name.value.into_owned())
            .filter(|name| !name.is_empty());
        RegistrationTarget {
            node: name.unwrap_or_else(|| host.clone()),
            member: node.index(),
            port: port.value,
            port_origin: port.origin,
            transport: self.transport,
            authentication: self.authentication,
            server_identity: matches!(self.transport, Transport::Tls | Transport::MutualTls)
                .then(|| host.clone()),
            connected_by: self.connected_by,
            client_port: match self.connected_by {
                ConnectedBy::Client => port.value,
                ConnectedBy::ExpresswayC => EDGE_TLS_PORT,
            },
            host,
        }
    }
}

/// Whether a text can be a host name, an IPv4 address, or an IPv6 address in brackets or bare.
///
/// Underscores occur in names of nodes. What a template engine left behind, such as `{$server.ip.1}`, is none.
pub(crate) fn is_host(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    if bare.unwrap_or(host).parse::<std::net::Ipv6Addr>().is_ok() {
        return true;
    }
    host.len() <= 253
        && host
            .strip_suffix('.')
            .unwrap_or(host)
            .split('.')
            .all(|label| {
                (1..=63).contains(&label.len())
                    && label
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            })
}
