//! The device configuration file.

use std::borrow::Cow;
use std::fmt;

use crate::document::{Document, Element};
use crate::error::{ReadError, ValueError};
use crate::limits::Limits;
use crate::line::Line;
use crate::modes::{CapfAuthMode, DeviceSecurityMode, SipOauthMode, TransportLayerProtocol};
use crate::node::CallManagerNode;
use crate::stack::SipStack;
use crate::value::{self, Origin, Value};

/// A device configuration file: typed access to what registration needs, and everything else as it was.
///
/// Reading checks the form of the document; a getter checks its value when it is asked for. So a file with one
/// unreadable timer still leads to its nodes, and [`findings`](Self::findings) names the timer.
///
/// ```
/// use sip_oauth_csf::{DeviceConfig, Limits, SipOauthMode};
///
/// let file = br#"<device  xsi:type="axl:XIPPhone" ctiid="24"><sipOAuthMode>1</sipOAuthMode></device>"#;
/// let config = DeviceConfig::read(file, &Limits::default())?;
///
/// let mode = config.sip_oauth_mode()?;
/// assert_eq!(mode.value, SipOauthMode::On);
/// assert_eq!(&config.source()[mode.span().unwrap().range()], b"1");
/// assert_eq!(config.source(), file);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DeviceConfig {
    pub(crate) document: Document,
}

impl DeviceConfig {
    /// The name of the root element.
    pub const ROOT: &str = "device";

    /// Reads a plain configuration file.
    ///
    /// # Errors
    ///
    /// [`ReadError`] with reason, element path, line, column and byte. Signed and encrypted files are told apart from
    /// broken ones.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        Ok(Self {
            document: Document::read(bytes, Self::ROOT, limits)?,
        })
    }

    /// The file, byte for byte as it was read or last edited.
    pub fn source(&self) -> &[u8] {
        self.document.source()
    }

    /// The root element, from which everything can be reached.
    pub fn root(&self) -> Element<'_> {
        self.document.root()
    }

    /// The document tree.
    pub fn document(&self) -> &Document {
        &self.document
    }

    fn at(&self, names: &[&str]) -> Option<Element<'_>> {
        self.root().descend(names)
    }

    /// `@uuid` of the root, braces included.
    pub fn uuid(&self) -> Option<Value<Cow<'_, str>>> {
        let attribute = self.root().attribute("uuid")?;
        Some(Value {
            value: attribute.value(),
            origin: Origin::Written(attribute.span()),
        })
    }

    /// `@ctiid` of the root: the number of the device type, 24 in a Jabber desktop file. None when missing or empty.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is no number.
    pub fn ctiid(&self) -> Result<Option<Value<u32>>, ValueError> {
        value::number_attribute(self.root(), "ctiid")
    }

    /// `deviceProtocol`: `SIP` or `SCCP`.
    pub fn device_protocol(&self) -> Option<Value<Cow<'_, str>>> {
        value::word(self.at(&["deviceProtocol"]))
    }

    /// What the file says instead of SIP.
    pub(crate) fn other_protocol(&self) -> Option<Value<Cow<'_, str>>> {
        self.device_protocol()
            .filter(|protocol| !protocol.value.is_empty())
            .filter(|protocol| !protocol.value.eq_ignore_ascii_case("SIP"))
    }

    pub(crate) fn require_sip(&self) -> Result<(), ValueError> {
        match (self.other_protocol(), self.at(&["deviceProtocol"])) {
            (Some(protocol), Some(element)) => Err(ValueError {
                position: element.content_position(),
                expected: "SIP",
                found: crate::error::shorten(&protocol.value),
            }),
            _ => Ok(()),
        }
    }

    /// `fullConfig`: false when the file is the short one that only leads to an encrypted one. Default true.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is neither `true` or `1` nor `false` or `0`.
    pub fn full_config(&self) -> Result<Value<bool>, ValueError> {
        value::boolean(self.at(&["fullConfig"]), true)
    }

    /// `sipOAuthMode`. Default off.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is neither `0` nor `1`; no other value is known.
    pub fn sip_oauth_mode(&self) -> Result<Value<SipOauthMode>, ValueError> {
        let element = self.at(&["sipOAuthMode"]);
        value::parsed(
            element,
            SipOauthMode::Off,
            SipOauthMode::EXPECTED,
            SipOauthMode::from_text,
        )
    }

    /// `deviceSecurityMode`. Default non-secure.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is none of the known numbers.
    pub fn device_security_mode(&self) -> Result<Value<DeviceSecurityMode>, ValueError> {
        let element = self.at(&["deviceSecurityMode"]);
        let default = DeviceSecurityMode::NonSecure;
        value::parsed(
            element,
            default,
            DeviceSecurityMode::EXPECTED,
            DeviceSecurityMode::from_text,
        )
    }

    /// `transportLayerProtocol`. Default TCP+UDP.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is none of the known numbers.
    pub fn transport_layer_protocol(&self) -> Result<Value<TransportLayerProtocol>, ValueError> {
        let element = self.at(&["transportLayerProtocol"]);
        let default = TransportLayerProtocol::TcpUdp;
        value::parsed(
            element,
            default,
            TransportLayerProtocol::EXPECTED,
            TransportLayerProtocol::from_text,
        )
    }

    /// `devicePool/name`.
    pub fn device_pool_name(&self) -> Option<Value<Cow<'_, str>>> {
        value::text(self.at(&["devicePool", "name"]))
    }

    /// `devicePool/callManagerGroup/name`.
    pub fn call_manager_group_name(&self) -> Option<Value<Cow<'_, str>>> {
        value::text(self.at(&["devicePool", "callManagerGroup", "name"]))
    }

    /// The members of the Unified CM group in document order.
    pub fn members(&self) -> impl Iterator<Item = CallManagerNode<'_>> {
        let members = self.at(&["devicePool", "callManagerGroup", "members"]);
        let members = members
            .into_iter()
            .flat_map(|members| members.children_named("member"));
        members
            .enumerate()
            .map(|(index, member)| CallManagerNode::new(member, index))
    }

    /// The members of the Unified CM group in the order a client tries them: by priority, equals in document order.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when a priority is no number.
    pub fn nodes(&self) -> Result<Vec<CallManagerNode<'_>>, ValueError> {
        let mut nodes = self
            .members()
            .map(|node| Ok((node.priority()?.value, node)))
            .collect::<Result<Vec<_>, ValueError>>()?;
        // The sort is stable, which keeps document order.
        nodes.sort_by_key(|&(priority, _)| priority);
        Ok(nodes.into_iter().map(|(_, node)| node).collect())
    }

    /// `devicePool/connectionMonitorDuration` in seconds: how long the link to a better node must hold before the
    /// device goes back to it. Default 120.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is no number.
    pub fn connection_monitor_duration(&self) -> Result<Value<std::time::Duration>, ValueError> {
        value::seconds(self.at(&["devicePool", "connectionMonitorDuration"]), 120)
    }

    /// `devicePool/srstInfo`: the gateway that takes registrations when no node answers.
    pub fn srst(&self) -> Option<Srst<'_>> {
        self.at(&["devicePool", "srstInfo"])
            .map(|srst| Srst { srst })
    }

    /// `sipProfile/sipLines/line` in document order: lines, and buttons with other features.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let lines = self.at(&["sipProfile", "sipLines"]);
        lines
            .into_iter()
            .flat_map(|lines| lines.children_named("line"))
            .map(Line::new)
    }

    /// `sipProfile/sipStack`.
    pub fn sip_stack(&self) -> SipStack<'_> {
        SipStack::new(self.at(&["sipProfile", "sipStack"]))
    }

    /// `sipProfile/voipControlPort`: the local SIP port. Default 5060.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when something else than a port from 1 to 65535 is written.
    pub fn voip_control_port(&self) -> Result<Value<u16>, ValueError> {
        value::port(self.at(&["sipProfile", "voipControlPort"]), 5060)
    }

    /// `sipProfile/startMediaPort` and `stopMediaPort`. Default 16384 and 32766.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when something else than a port from 1 to 65535 is written.
    pub fn media_ports(&self) -> Result<(Value<u16>, Value<u16>), ValueError> {
        Ok((self.start_media_port()?, self.stop_media_port()?))
    }

    pub(crate) fn start_media_port(&self) -> Result<Value<u16>, ValueError> {
        let (start, _) = Self::MEDIA_PORTS;
        value::port(self.at(&["sipProfile", "startMediaPort"]), start)
    }

    pub(crate) fn stop_media_port(&self) -> Result<Value<u16>, ValueError> {
        let (_, stop) = Self::MEDIA_PORTS;
        value::port(self.at(&["sipProfile", "stopMediaPort"]), stop)
    }

    /// The first and the last port of media where the file says nothing.
    pub(crate) const MEDIA_PORTS: (u16, u16) = (16384, 32766);

    /// `capfAuthMode`. Default none.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is none of the known numbers.
    pub fn capf_auth_mode(&self) -> Result<Value<CapfAuthMode>, ValueError> {
        value::parsed(
            self.at(&["capfAuthMode"]),
            CapfAuthMode::None,
            CapfAuthMode::EXPECTED,
            CapfAuthMode::from_text,
        )
    }

    /// `capfList/capf`: where certificates are asked for.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when something else than a port from 1 to 65535 is written.
    pub fn capf_list(&self) -> Result<Vec<CapfServer<'_>>, ValueError> {
        let list = self
            .at(&["capfList"])
            .into_iter()
            .flat_map(|list| list.children_named("capf"));
        list.map(|capf| {
            let host = value::word(capf.child("processNodeName"));
            Ok(CapfServer {
                process_node_name: host.unwrap_or_else(|| Value::missing(Cow::Borrowed(""))),
                phone_port: value::port(capf.child("phonePort"), CapfServer::PHONE_PORT)?,
            })
        })
        .collect()
    }

    /// `certHash`: the hash of the device's certificate, empty when it has none.
    pub fn cert_hash(&self) -> Option<Value<Cow<'_, str>>> {
        value::word(self.at(&["certHash"]))
    }

    /// `encrConfig`: whether an encrypted file is to be fetched. Default false.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is neither `true` or `1` nor `false` or `0`.
    pub fn encr_config(&self) -> Result<Value<bool>, ValueError> {
        value::boolean(self.at(&["encrConfig"]), false)
    }

    /// `versionStamp`: changes with every change of the configuration.
    pub fn version_stamp(&self) -> Option<Value<Cow<'_, str>>> {
        value::word(self.at(&["versionStamp"]))
    }

    /// `loadInformation`: the firmware or program version to run.
    pub fn load_information(&self) -> Option<Value<Cow<'_, str>>> {
        value::word(self.at(&["loadInformation"]))
    }

    /// `inactiveLoadInformation`.
    pub fn inactive_load_information(&self) -> Option<Value<Cow<'_, str>>> {
        value::word(self.at(&["inactiveLoadInformation"]))
    }

    /// `userId`.
    pub fn user_id(&self) -> Option<Value<Cow<'_, str>>> {
        value::word(self.at(&["userId"]))
    }

    /// `ownerId`.
    pub fn owner_id(&self) -> Option<Value<Cow<'_, str>>> {
        value::word(self.at(&["ownerId"]))
    }
}

/// Prints sizes only: a file may hold passwords.
impl fmt::Debug for DeviceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DeviceConfig({} bytes, {} elements)",
            self.source().len(),
            self.document.element_count()
        )
    }
}

/// `devicePool/srstInfo`.
#[derive(Debug, Clone, Copy)]
pub struct Srst<'a> {
    srst: Element<'a>,
}

impl Srst<'_> {
    /// The elements of a gateway's address and port.
    pub(crate) const GATEWAYS: [(&'static str, &'static str); 3] = [
        ("sipIpAddr1", "sipPort1"),
        ("sipIpAddr2", "sipPort2"),
        ("sipIpAddr3", "sipPort3"),
    ];

    /// The port of a gateway that names none.
    pub(crate) const SIP_PORT: u16 = 5060;
}

impl<'a> Srst<'a> {
    /// The `srstInfo` element.
    pub fn element(self) -> Element<'a> {
        self.srst
    }

    /// `name`.
    pub fn name(self) -> Option<Value<Cow<'a, str>>> {
        value::text(self.srst.child("name"))
    }

    /// `srstOption`: `Disable`, `Use Default Gateway` or `User Specific`.
    pub fn option(self) -> Option<Value<Cow<'a, str>>> {
        value::word(self.srst.child("srstOption"))
    }

    /// `isSecure`. Default false.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is neither `true` or `1` nor `false` or `0`.
    pub fn is_secure(self) -> Result<Value<bool>, ValueError> {
        value::boolean(self.srst.child("isSecure"), false)
    }

    /// `sipIpAddr1` to `3` with `sipPort1` to `3`: the gateways that have an address.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when something else than a port from 1 to 65535 is written.
    pub fn sip_gateways(self) -> Result<Vec<SrstGateway<'a>>, ValueError> {
        let mut gateways = Vec::new();
        for (address, port) in Self::GATEWAYS {
            if let Some(address) =
                value::word(self.srst.child(address)).filter(|address| !address.value.is_empty())
            {
                let port = value::port(self.srst.child(port), Self::SIP_PORT)?;
                gateways.push(SrstGateway { address, port });
            }
        }
        Ok(gateways)
    }
}

/// `sipIpAddr1` and `sipPort1`, or 2 or 3, of `srstInfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrstGateway<'a> {
    /// `sipIpAddr`.
    pub address: Value<Cow<'a, str>>,
    /// `sipPort`. Default 5060.
    pub port: Value<u16>,
}

/// `capfList/capf`: a certificate authority proxy function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapfServer<'a> {
    /// `processNodeName`, empty when missing.
    pub process_node_name: Value<Cow<'a, str>>,
    /// `phonePort`. Default 3804.
    pub phone_port: Value<u16>,
}

impl CapfServer<'_> {
    /// The port of a server that names none.
    pub(crate) const PHONE_PORT: u16 = 3804;
}
