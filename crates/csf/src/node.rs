//! The nodes of the Unified CM group.

use std::borrow::Cow;

use crate::device::NodePorts;
use crate::document::Element;
use crate::error::ValueError;
use crate::value::{self, Value};

/// `devicePool/callManagerGroup/members/member`: one Unified CM node the device may register to.
#[derive(Debug, Clone, Copy)]
pub struct CallManagerNode<'a> {
    member: Element<'a>,
    index: usize,
}

impl<'a> CallManagerNode<'a> {
    pub(crate) fn new(member: Element<'a>, index: usize) -> Self {
        Self { member, index }
    }

    /// Its place among the members of the file, from 0, whatever its priority.
    pub fn index(self) -> usize {
        self.index
    }

    /// The `member` element.
    pub fn element(self) -> Element<'a> {
        self.member
    }

    fn call_manager(self) -> Option<Element<'a>> {
        self.member.child("callManager")
    }

    fn child(self, name: &str) -> Option<Element<'a>> {
        self.call_manager()?.child(name)
    }

    /// `@priority`: the lowest is tried first. Missing or empty counts as 0.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is no number.
    pub fn priority(self) -> Result<Value<u32>, ValueError> {
        value::number_attribute_or_0(self.member, "priority")
    }

    /// As [`priority`](Self::priority), none when it cannot be read.
    pub(crate) fn readable_priority(self) -> Option<u32> {
        value::readable_number_attribute(self.member, "priority", 0)
    }

    /// `name`: the node as the administration pages list it.
    pub fn name(self) -> Option<Value<Cow<'a, str>>> {
        value::text(self.child("name"))
    }

    /// `description`.
    pub fn description(self) -> Option<Value<Cow<'a, str>>> {
        value::text(self.child("description"))
    }

    /// `processNodeName`: the host name or address SIP goes to.
    pub fn process_node_name(self) -> Option<Value<Cow<'a, str>>> {
        value::word(self.child("processNodeName"))
    }

    pub(crate) fn process_node_name_element(self) -> Option<Element<'a>> {
        self.child("processNodeName")
    }

    /// `ports`: the node's own; every node may have others.
    pub fn ports(self) -> Ports<'a> {
        Ports {
            ports: self.child("ports"),
        }
    }
}

/// `ports` of one node. A port that is missing or empty is the product's default.
#[derive(Debug, Clone, Copy)]
pub struct Ports<'a> {
    ports: Option<Element<'a>>,
}

/// One getter per port.
macro_rules! ports {
    ($($(#[$meta:meta])* $getter:ident: $element:literal,)+) => {
        impl<'a> Ports<'a> {
            $(
                $(#[$meta])*
                ///
                /// # Errors
                ///
                /// [`ValueError`] when something else than a port from 1 to 65535 is written.
                pub fn $getter(self) -> Result<Value<u16>, ValueError> {
                    value::port(self.child($element), NodePorts::DEFAULT.$getter)
                }
            )+

            /// The `ports` element, when the node has one.
            pub fn element(self) -> Option<Element<'a>> {
                self.ports
            }

            /// One of its elements.
            pub(crate) fn child(self, name: &str) -> Option<Element<'a>> {
                self.ports?.child(name)
            }
        }
    };
}

ports! {
    /// `ethernetPhonePort`, SCCP. Default 2000.
    ethernet_phone_port: "ethernetPhonePort",
    /// `sipPort`, SIP over TCP and UDP. Default 5060.
    sip_port: "sipPort",
    /// `securedSipPort`, SIP over TLS with client certificates. Default 5061.
    secured_sip_port: "securedSipPort",
    /// `sipOAuthPort`, SIP over TLS without a client certificate, on premises. Default 5090.
    sip_oauth_port: "sipOAuthPort",
    /// `sipMRAOAuthPort`, SIP over TLS for Mobile and Remote Access; who connects to it is
    /// [`MraPortReading`](crate::MraPortReading). Default 5091.
    sip_mra_oauth_port: "sipMRAOAuthPort",
}

impl Ports<'_> {
    /// `mgcpPorts/listen`. Default 2427.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when something else than a port from 1 to 65535 is written.
    pub fn mgcp_listen_port(self) -> Result<Value<u16>, ValueError> {
        value::port(
            self.child("mgcpPorts")
                .and_then(|ports| ports.child("listen")),
            NodePorts::DEFAULT.mgcp_listen_port,
        )
    }

    /// `mgcpPorts/keepAlive`. Default 2428.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when something else than a port from 1 to 65535 is written.
    pub fn mgcp_keep_alive_port(self) -> Result<Value<u16>, ValueError> {
        value::port(
            self.child("mgcpPorts")
                .and_then(|ports| ports.child("keepAlive")),
            NodePorts::DEFAULT.mgcp_keep_alive_port,
        )
    }
}
