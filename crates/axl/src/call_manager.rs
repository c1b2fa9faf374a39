//! `CallManager`: a node that runs the CallManager service, and its ports.

use crate::{
    codec::Parameters,
    element::Element,
    error::{ReadError, ReadErrorKind},
    text::{ObjectName, Prose},
    uuid::Uuid,
    writer::Writer,
};

pub(crate) const OBJECT: &str = "callManager";
const NAME: &str = "name";
const DESCRIPTION: &str = "description";
const NODE: &str = "processNodeName";
const PORTS: &str = "ports";
const ETHERNET: &str = "ethernetPhonePort";
const MGCP: &str = "mgcpPorts";
const LISTEN: &str = "listen";
const KEEP_ALIVE: &str = "keepAlive";
const SIP: &str = "sipPorts";
const SIP_PHONE: &str = "sipPhonePort";
const SIP_PHONE_SECURE: &str = "sipPhoneSecurePort";
const SIP_OAUTH: &str = "sipOAuthPort";
const SIP_OAUTH_MRA: &str = "sipOAuthMRAPort";
const SEARCH: &str = "searchCriteria";
const TAGS: &str = "returnedTags";
const PORT: &str = "a port number from 0 to 65535";

/// Which node is meant: by identifier or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallManagerKey {
    /// `uuid`.
    Uuid(Uuid),
    /// `name`, such as `CM_cucm-pub`.
    Name(ObjectName),
}

impl CallManagerKey {
    /// Whether this key means that node.
    pub fn selects(&self, node: &CallManager) -> bool {
        match self {
            Self::Uuid(uuid) => node.uuid.as_ref() == Some(uuid),
            Self::Name(name) => node.name.as_ref() == Some(name),
        }
    }
}

/// `getCallManager`: one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetCallManager {
    /// The node.
    pub key: CallManagerKey,
    /// What to answer with; everything when absent.
    pub returned_tags: Option<CallManagerTags>,
}

impl Parameters for GetCallManager {
    fn write(&self, writer: &mut Writer) {
        match &self.key {
            CallManagerKey::Uuid(uuid) => writer.value("uuid", uuid),
            CallManagerKey::Name(name) => writer.value(NAME, name),
        }
        if let Some(tags) = self.returned_tags {
            tags.write(writer);
        }
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        element.only(&["uuid", NAME, TAGS])?;
        let key = match (element.child("uuid")?, element.child(NAME)?) {
            (Some(uuid), None) => CallManagerKey::Uuid(uuid.uuid()?),
            (None, Some(name)) => CallManagerKey::Name(name.value()?),
            (None, None) => return Err(element.error(ReadErrorKind::Missing("uuid or name"))),
            (Some(_), Some(name)) => return Err(name.unexpected("uuid or name, not both")),
        };
        Ok(Self {
            key,
            returned_tags: element
                .child(TAGS)?
                .map(CallManagerTags::read)
                .transpose()?,
        })
    }
}

/// `listCallManager`: the nodes that match. Patterns are SQL `LIKE` patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListCallManager {
    /// Pattern for `name`.
    pub name: Option<Prose>,
    /// Pattern for `description`.
    pub description: Option<Prose>,
    /// What to answer with.
    pub returned_tags: CallManagerTags,
    /// Nodes to leave out at the start; it counts only beside `first`.
    pub skip: Option<u64>,
    /// Nodes to answer with at most.
    pub first: Option<u64>,
}

impl ListCallManager {
    /// Every node, whole.
    pub fn all() -> Self {
        Self {
            name: Some(Prose::lossy("%")),
            description: None,
            returned_tags: CallManagerTags::ALL,
            skip: None,
            first: None,
        }
    }
}

impl Parameters for ListCallManager {
    fn write(&self, writer: &mut Writer) {
        writer.element(SEARCH, &[], |w| {
            w.optional(NAME, self.name.as_ref());
            w.optional(DESCRIPTION, self.description.as_ref());
        });
        self.returned_tags.write(writer);
        writer.optional("skip", self.skip.as_ref());
        writer.optional("first", self.first.as_ref());
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        element.only(&[SEARCH, TAGS, "skip", "first"])?;
        let search = element.required(SEARCH)?;
        search.only(&[NAME, DESCRIPTION])?;
        Ok(Self {
            name: search.optional_value(NAME)?,
            description: search.optional_value(DESCRIPTION)?,
            returned_tags: CallManagerTags::read(element.required(TAGS)?)?,
            skip: element.optional_number("skip", "a number of rows")?,
            first: element.optional_number("first", "a number of rows")?,
        })
    }
}

/// `returnedTags`: which fields an answer carries.
///
/// A tag this crate does not model (a Unified CM has more) is passed over on reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallManagerTags(u8);

/// A field of `CallManager` an answer may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallManagerTag {
    /// The `uuid` attribute.
    Uuid = 1,
    /// `name`.
    Name = 2,
    /// `description`.
    Description = 4,
    /// `processNodeName`.
    ProcessNodeName = 8,
    /// `ports`, all of them.
    Ports = 16,
}

impl CallManagerTags {
    /// No field.
    pub const NONE: Self = Self(0);
    /// Every field this crate knows.
    pub const ALL: Self = Self(31);

    const ELEMENTS: [(&'static str, CallManagerTag); 4] = [
        (NAME, CallManagerTag::Name),
        (DESCRIPTION, CallManagerTag::Description),
        (NODE, CallManagerTag::ProcessNodeName),
        (PORTS, CallManagerTag::Ports),
    ];

    /// These fields and one more.
    #[must_use]
    pub const fn with(self, tag: CallManagerTag) -> Self {
        Self(self.0 | tag as u8)
    }

    /// Whether the field is among them.
    pub const fn contains(self, tag: CallManagerTag) -> bool {
        self.0 & tag as u8 != 0
    }

    fn write(self, writer: &mut Writer) {
        let uuid: &[(&str, &dyn std::fmt::Display)] = if self.contains(CallManagerTag::Uuid) {
            &[("uuid", &"")]
        } else {
            &[]
        };
        writer.element(TAGS, uuid, |w| {
            for (name, tag) in Self::ELEMENTS {
                match tag {
                    CallManagerTag::Ports if self.contains(tag) => write_port_tags(w),
                    _ if self.contains(tag) => w.empty(name, &[]),
                    _ => {}
                }
            }
        });
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        let mut tags = Self::NONE;
        if element.attribute("uuid").is_some() {
            tags = tags.with(CallManagerTag::Uuid);
        }
        for (name, tag) in Self::ELEMENTS {
            if element.child(name)?.is_some() {
                tags = tags.with(tag);
            }
        }
        Ok(tags)
    }
}

fn write_port_tags(writer: &mut Writer) {
    writer.element(PORTS, &[], |w| {
        w.empty(ETHERNET, &[]);
        w.element(MGCP, &[], |w| {
            w.empty(LISTEN, &[]);
            w.empty(KEEP_ALIVE, &[]);
        });
        w.element(SIP, &[], |w| {
            for name in [SIP_PHONE, SIP_PHONE_SECURE, SIP_OAUTH, SIP_OAUTH_MRA] {
                w.empty(name, &[]);
            }
        });
    });
}

/// A Unified CM node, or as much of it as was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallManager {
    /// The object's identifier.
    pub uuid: Option<Uuid>,
    /// `name`, such as `CM_cucm-pub`.
    pub name: Option<ObjectName>,
    /// `description`.
    pub description: Option<Prose>,
    /// `processNodeName`: the node as entered under System > Server, which clients connect to.
    pub process_node_name: Option<ProcessNodeName>,
    /// `ports`.
    pub ports: Option<Ports>,
}

/// `processNodeName`: a name, and the identifier of the node it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessNodeName {
    /// The host name, FQDN or address.
    pub name: ObjectName,
    /// The node's identifier, when the answer has it.
    pub uuid: Option<Uuid>,
}

/// `ports`: where a node listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// `ethernetPhonePort`: SCCP, 2000 by default.
    pub ethernet_phone_port: Option<u16>,
    /// `mgcpPorts`.
    pub mgcp_ports: Option<MgcpPorts>,
    /// `sipPorts`.
    pub sip_ports: Option<SipPorts>,
}

/// `mgcpPorts`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MgcpPorts {
    /// `listen`: 2427 by default.
    pub listen: Option<u16>,
    /// `keepAlive`: 2428 by default.
    pub keep_alive: Option<u16>,
}

/// `sipPorts`. In a request the schema wants all four when the group is there; answers of 12.0 and
/// before have no OAuth ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SipPorts {
    /// `sipPhonePort`: TCP and UDP, 5060 by default.
    pub sip_phone_port: Option<u16>,
    /// `sipPhoneSecurePort`: TLS with a client certificate, 5061 by default.
    pub sip_phone_secure_port: Option<u16>,
    /// `sipOAuthPort`: TLS without a client certificate, 5090 by default, from 1024 to 49151.
    pub sip_oauth_port: Option<u16>,
    /// `sipOAuthMRAPort`: TLS with Expressway-C's certificate, 5091 by default, from 1024 to
    /// 49151. A device's configuration file calls the same port `sipMRAOAuthPort`.
    pub sip_oauth_mra_port: Option<u16>,
}

impl SipPorts {
    /// The product's defaults: 5060, 5061, 5090, 5091.
    pub const DEFAULT: Self = Self {
        sip_phone_port: Some(5060),
        sip_phone_secure_port: Some(5061),
        sip_oauth_port: Some(5090),
        sip_oauth_mra_port: Some(5091),
    };
}

impl CallManager {
    /// The port Expressway-C connects to, when the answer has it.
    pub fn sip_oauth_mra_port(&self) -> Option<u16> {
        self.ports?.sip_ports?.sip_oauth_mra_port
    }

    /// The port clients on premises connect to, when the answer has it.
    pub fn sip_oauth_port(&self) -> Option<u16> {
        self.ports?.sip_ports?.sip_oauth_port
    }

    /// The node with the asked fields only, as a server answers.
    #[must_use]
    pub fn only(self, tags: CallManagerTags) -> Self {
        let keep = |tag| tags.contains(tag);
        Self {
            uuid: self.uuid.filter(|_| keep(CallManagerTag::Uuid)),
            name: self.name.filter(|_| keep(CallManagerTag::Name)),
            description: self
                .description
                .filter(|_| keep(CallManagerTag::Description)),
            process_node_name: self
                .process_node_name
                .filter(|_| keep(CallManagerTag::ProcessNodeName)),
            ports: self.ports.filter(|_| keep(CallManagerTag::Ports)),
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        with_uuid(writer, OBJECT, self.uuid.as_ref(), |w| {
            w.optional(NAME, self.name.as_ref());
            w.optional(DESCRIPTION, self.description.as_ref());
            if let Some(ports) = &self.ports {
                ports.write(w);
            }
            if let Some(node) = &self.process_node_name {
                with_uuid(w, NODE, node.uuid.as_ref(), |w| w.text(&node.name));
            }
        });
    }

    pub(crate) fn read(element: Element<'_>) -> Result<Self, ReadError> {
        let process_node_name = match element.child(NODE)? {
            Some(node) => Some(ProcessNodeName {
                name: node.value()?,
                uuid: node.uuid_attribute()?,
            }),
            None => None,
        };
        Ok(Self {
            uuid: element.uuid_attribute()?,
            name: element.optional_value(NAME)?,
            description: match element.child(DESCRIPTION)? {
                Some(nil) if nil.is_nil() => None,
                Some(description) => Some(description.value()?),
                None => None,
            },
            process_node_name,
            ports: element.child(PORTS)?.map(Ports::read).transpose()?,
        })
    }
}

fn with_uuid(
    writer: &mut Writer,
    name: &str,
    uuid: Option<&Uuid>,
    content: impl FnOnce(&mut Writer),
) {
    match uuid {
        Some(uuid) => writer.element(name, &[("uuid", uuid)], content),
        None => writer.element(name, &[], content),
    }
}

impl Ports {
    fn write(&self, writer: &mut Writer) {
        writer.element(PORTS, &[], |w| {
            w.optional(ETHERNET, self.ethernet_phone_port.as_ref());
            if let Some(mgcp) = &self.mgcp_ports {
                w.element(MGCP, &[], |w| {
                    w.optional(LISTEN, mgcp.listen.as_ref());
                    w.optional(KEEP_ALIVE, mgcp.keep_alive.as_ref());
                });
            }
            if let Some(sip) = &self.sip_ports {
                w.element(SIP, &[], |w| {
                    w.optional(SIP_PHONE, sip.sip_phone_port.as_ref());
                    w.optional(SIP_PHONE_SECURE, sip.sip_phone_secure_port.as_ref());
                    w.optional(SIP_OAUTH, sip.sip_oauth_port.as_ref());
                    w.optional(SIP_OAUTH_MRA, sip.sip_oauth_mra_port.as_ref());
                });
            }
        });
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        let mgcp_ports = match element.child(MGCP)? {
            Some(mgcp) => Some(MgcpPorts {
                listen: mgcp.optional_number(LISTEN, PORT)?,
                keep_alive: mgcp.optional_number(KEEP_ALIVE, PORT)?,
            }),
            None => None,
        };
        let sip_ports = match element.child(SIP)? {
            Some(sip) => Some(SipPorts {
                sip_phone_port: sip.optional_number(SIP_PHONE, PORT)?,
                sip_phone_secure_port: sip.optional_number(SIP_PHONE_SECURE, PORT)?,
                sip_oauth_port: sip.optional_number(SIP_OAUTH, PORT)?,
                sip_oauth_mra_port: sip.optional_number(SIP_OAUTH_MRA, PORT)?,
            }),
            None => None,
        };
        Ok(Self {
            ethernet_phone_port: element.optional_number(ETHERNET, PORT)?,
            mgcp_ports,
            sip_ports,
        })
    }
}
