//! A device as a value: what a configuration file says about it, to be kept, changed and written.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::DeviceConfig;
use crate::error::ValueError;
use crate::modes::{
    CapfAuthMode, DeviceSecurityMode, PhoneServiceKind, PhoneServiceProvisioning, SipOauthMode,
    TransportLayerProtocol,
};
use crate::value::Value;

/// Everything of a device that its configuration file is generated from.
///
/// [`to_xml`](Self::to_xml) writes a complete file, with the product's usual values for the elements that are not here;
/// `TryFrom<&DeviceConfig>` reads one back. It is no store for a file somebody else made, of which it forgets what it
/// does not know: edit a [`DeviceConfig`] for that. With serde it can be kept as TOML or JSON. It has no
/// passwords but what stands in the vendor levels, which is kept and written and never shown ([`Setting`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an element that holds true or false"
)]
pub struct Device {
    /// `@uuid` with its braces.
    pub uuid: String,
    /// `@ctiid`, the number of the device type.
    pub ctiid: u32,
    /// `fullConfig`.
    #[serde(default = "yes")]
    pub full_config: bool,
    /// `devicePool/@uuid` with its braces; none where the file has no such attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_pool_uuid: Option<String>,
    /// `devicePool/name`.
    #[serde(default)]
    pub device_pool: String,
    /// `devicePool/dateTimeSetting/@uuid`, as that of the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_time_setting_uuid: Option<String>,
    /// `devicePool/callManagerGroup/name`.
    #[serde(default)]
    pub call_manager_group: String,
    /// `devicePool/connectionMonitorDuration`, in seconds.
    #[serde(default = "two_minutes")]
    pub connection_monitor_duration: u32,
    /// `devicePool/srstInfo/@uuid`, as that of the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srst_uuid: Option<String>,
    /// `devicePool/srstInfo/name`.
    #[serde(default)]
    pub srst_name: String,
    /// `devicePool/srstInfo/srstOption`.
    #[serde(default)]
    pub srst_option: String,
    /// `devicePool/srstInfo/sipIpAddr1` and `sipPort1`, to 3: at most three, those without an address left out.
    #[serde(default)]
    pub srst_gateways: Vec<Gateway>,
    /// `devicePool/srstInfo/isSecure`.
    #[serde(default)]
    pub srst_is_secure: bool,
    /// `sipProfile/phoneLabel`.
    #[serde(default)]
    pub phone_label: String,
    /// `sipProfile/startMediaPort`.
    pub start_media_port: u16,
    /// `sipProfile/stopMediaPort`.
    pub stop_media_port: u16,
    /// `sipProfile/voipControlPort`.
    pub voip_control_port: u16,
    /// `loadInformation`.
    #[serde(default)]
    pub load_information: String,
    /// `inactiveLoadInformation`.
    #[serde(default)]
    pub inactive_load_information: String,
    /// `versionStamp`.
    #[serde(default)]
    pub version_stamp: String,
    /// `deviceSecurityMode`.
    pub device_security_mode: DeviceSecurityMode,
    /// `transportLayerProtocol`.
    pub transport_layer_protocol: TransportLayerProtocol,
    /// `sipOAuthMode`.
    pub sip_oauth_mode: SipOauthMode,
    /// `capfAuthMode`.
    pub capf_auth_mode: CapfAuthMode,
    /// `certHash`.
    #[serde(default)]
    pub cert_hash: String,
    /// `encrConfig`.
    #[serde(default)]
    pub encr_config: bool,
    /// `userId`.
    #[serde(default)]
    pub user_id: String,
    /// `ownerId`.
    #[serde(default)]
    pub owner_id: String,
    /// `phoneServices/@useHTTPS`; false where nothing says so, in a file as in what a device is kept in.
    #[serde(default)]
    pub phone_services_use_https: bool,
    /// `phoneServices/provisioning`.
    #[serde(default = "internal")]
    pub phone_service_provisioning: PhoneServiceProvisioning,
    /// `sipProfile/sipStack`.
    pub sip_stack: StackSettings,
    /// `devicePool/callManagerGroup/members`.
    pub members: Vec<Member>,
    /// `sipProfile/sipLines`.
    pub lines: Vec<LineSettings>,
    /// `capfList`.
    #[serde(default)]
    pub capf_list: Vec<Capf>,
    /// `phoneServices/phoneService`.
    #[serde(default)]
    pub phone_services: Vec<PhoneServiceEntry>,
    /// `vendorConfig`: what the device itself is set to.
    #[serde(default)]
    pub vendor_config: Vec<Setting>,
    /// `commonConfig`: what its common phone profile says.
    #[serde(default)]
    pub common_config: Vec<Setting>,
    /// `enterpriseConfig`: what the cluster says.
    #[serde(default)]
    pub enterprise_config: Vec<Setting>,
}

fn yes() -> bool {
    true
}

fn two_minutes() -> u32 {
    120
}

fn internal() -> PhoneServiceProvisioning {
    PhoneServiceProvisioning::Internal
}

/// A node in the Unified CM group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// `@priority`: the lowest is tried first.
    pub priority: u32,
    /// `name`.
    pub name: String,
    /// `description`.
    #[serde(default)]
    pub description: String,
    /// `processNodeName`.
    pub process_node_name: String,
    /// `ports`.
    #[serde(default)]
    pub ports: NodePorts,
}

impl Member {
    /// A node reached by `host`, with that name and the product's ports.
    pub fn new(host: impl Into<String>) -> Self {
        let host = host.into();
        Self {
            priority: 0,
            name: host.clone(),
            description: String::new(),
            process_node_name: host,
            ports: NodePorts::default(),
        }
    }

    /// The same node with other SIP OAuth ports: `sipOAuthPort` and `sipMRAOAuthPort`.
    #[must_use]
    pub fn oauth_ports(mut self, sip_oauth_port: u16, sip_mra_oauth_port: u16) -> Self {
        self.ports.sip_oauth_port = sip_oauth_port;
        self.ports.sip_mra_oauth_port = sip_mra_oauth_port;
        self
    }
}

/// The ports of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NodePorts {
    /// `ethernetPhonePort`.
    pub ethernet_phone_port: u16,
    /// `sipPort`.
    pub sip_port: u16,
    /// `securedSipPort`.
    pub secured_sip_port: u16,
    /// `sipOAuthPort`.
    pub sip_oauth_port: u16,
    /// `sipMRAOAuthPort`.
    pub sip_mra_oauth_port: u16,
    /// `mgcpPorts/listen`.
    pub mgcp_listen_port: u16,
    /// `mgcpPorts/keepAlive`.
    pub mgcp_keep_alive_port: u16,
}

impl NodePorts {
    /// The product's.
    pub const DEFAULT: Self = Self {
        ethernet_phone_port: 2000,
        sip_port: 5060,
        secured_sip_port: 5061,
        sip_oauth_port: 5090,
        sip_mra_oauth_port: 5091,
        mgcp_listen_port: 2427,
        mgcp_keep_alive_port: 2428,
    };
}

impl Default for NodePorts {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineSettings {
    /// `@button`, which counts speed dials and other features too.
    pub button: u32,
    /// `@lineIndex`, which counts lines; none where the file has no such attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_index: Option<u32>,
    /// `featureLabel`.
    #[serde(default)]
    pub feature_label: String,
    /// `name`: the directory number.
    pub name: String,
    /// `displayName`.
    #[serde(default)]
    pub display_name: String,
    /// `contact`.
    pub contact: String,
    /// `proxy`.
    pub proxy: String,
    /// `port`.
    pub port: u16,
}

impl LineSettings {
    /// A line with this directory number on the first button, which goes to the nodes of the group.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            button: 1,
            line_index: Some(1),
            feature_label: name.clone(),
            display_name: String::new(),
            contact: name.clone(),
            name,
            proxy: "USECALLMANAGER".to_owned(),
            port: 5060,
        }
    }
}

/// `sipStack`, with the product's values as default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StackSettings {
    /// `sipInviteRetx`.
    pub sip_invite_retx: u32,
    /// `sipRetx`.
    pub sip_retx: u32,
    /// `timerInviteExpires`, in seconds.
    pub timer_invite_expires: u32,
    /// `timerRegisterExpires`, in seconds.
    pub timer_register_expires: u32,
    /// `timerRegisterDelta`, in seconds.
    pub timer_register_delta: u32,
    /// `timerKeepAliveExpires`, in seconds.
    pub timer_keep_alive_expires: u32,
    /// `timerSubscribeExpires`, in seconds.
    pub timer_subscribe_expires: u32,
    /// `timerSubscribeDelta`, in seconds.
    pub timer_subscribe_delta: u32,
    /// `timerT1`, in milliseconds.
    pub timer_t1: u32,
    /// `timerT2`, in milliseconds.
    pub timer_t2: u32,
    /// `maxRedirects`.
    pub max_redirects: u32,
}

impl StackSettings {
    /// Those of SIPCC, the stack these devices grew from, which are the product's.
    pub const DEFAULT: Self = Self {
        sip_invite_retx: 6,
        sip_retx: 10,
        timer_invite_expires: 180,
        timer_register_expires: 3600,
        timer_register_delta: 5,
        timer_keep_alive_expires: 120,
        timer_subscribe_expires: 120,
        timer_subscribe_delta: 5,
        timer_t1: 500,
        timer_t2: 4000,
        max_redirects: 70,
    };
}

impl Default for StackSettings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A gateway that takes registrations when no node answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// `sipIpAddr`.
    pub address: String,
    /// `sipPort`.
    pub port: u16,
}

/// A place where certificates are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capf {
    /// `phonePort`.
    pub phone_port: u16,
    /// `processNodeName`.
    pub process_node_name: String,
}

/// An entry of the services, directories or messages menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhoneServiceEntry {
    /// `@type`.
    pub kind: PhoneServiceKind,
    /// `@category`.
    #[serde(default)]
    pub category: u32,
    /// `name`.
    pub name: String,
    /// `url`.
    pub url: String,
    /// `vendor`.
    #[serde(default)]
    pub vendor: String,
    /// `version`.
    #[serde(default)]
    pub version: String,
}

/// An element of one of the three vendor levels.
///
/// Some of them are passwords (`adminPassword`), and their names are as many as there are models: `Debug` shows the name
/// and the length of the value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The element's name; in a group, as Jabber has them, the group's and a slash in front: `ice/iceEnabled`.
    pub name: String,
    /// Its text.
    pub value: String,
}

impl Setting {
    /// The most bytes of a [`name`](Self::name). The product's have 60. Names may be as long as a file, and each is kept once
    /// for every setting in its group.
    pub const MAX_PATH_BYTES: usize = 256;

    /// The most names in a [`name`](Self::name), its groups' and its own: as many as
    /// [`Limits::default`](crate::Limits::default) lets be nested in a level.
    pub const MAX_DEPTH: usize = 30;

    pub(crate) const fn is_path_in_bounds(depth: usize, bytes: usize) -> bool {
        depth <= Self::MAX_DEPTH && bytes <= Self::MAX_PATH_BYTES
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Setting({}, {} bytes)", self.name, self.value.len())
    }
}

/// The text of an element, empty when there is none.
fn text(value: Option<Value<std::borrow::Cow<'_, str>>>) -> String {
    value
        .map(|value| value.value.into_owned())
        .unwrap_or_default()
}

impl TryFrom<&DeviceConfig> for Device {
    type Error = ValueError;

    /// Takes from a file of a SIP device what a [`Device`] knows; defaults stand where the file says nothing. Buttons that
    /// are no lines are left out, and of the vendor levels attributes, text beside elements, and what has a path beyond
    /// [`Setting::MAX_PATH_BYTES`] or [`Setting::MAX_DEPTH`]. So taking one costs at most 512 bytes an element of the
    /// file, beside its text.
    fn try_from(config: &DeviceConfig) -> Result<Self, ValueError> {
        config.require_sip()?;
        let (start_media_port, stop_media_port) = config.media_ports()?;
        let srst = config.srst();
        let level = |name: &str| -> Vec<Setting> {
            let mut settings = Vec::new();
            if let Some(level) = config.root().child(name) {
                collect_settings(level, 1, "", &mut settings);
            }
            settings
        };
        let mut lines = Vec::new();
        for line in config.lines() {
            if line.feature_id()?.value == crate::Line::FEATURE_LINE {
                lines.push(LineSettings {
                    button: line
                        .button()?
                        .map_or(crate::Line::DEFAULT_BUTTON, |button| button.value),
                    line_index: line.line_index()?.map(|index| index.value),
                    feature_label: text(line.feature_label()),
                    name: text(line.name()),
                    display_name: text(line.display_name()),
                    contact: text(line.contact()),
                    proxy: text(line.proxy()),
                    port: line.port()?.value,
                });
            }
        }
        Ok(Self {
            uuid: text(config.uuid()),
            ctiid: config.ctiid()?.map_or(0, |ctiid| ctiid.value),
            full_config: config.full_config()?.value,
            device_pool_uuid: uuid(config, &["devicePool"]),
            device_pool: text(config.device_pool_name()),
            date_time_setting_uuid: uuid(config, &["devicePool", "dateTimeSetting"]),
            call_manager_group: text(config.call_manager_group_name()),
            connection_monitor_duration: seconds(config.connection_monitor_duration()?),
            srst_uuid: uuid(config, &["devicePool", "srstInfo"]),
            srst_name: text(srst.and_then(crate::Srst::name)),
            srst_option: text(srst.and_then(crate::Srst::option)),
            srst_gateways: match srst {
                Some(srst) => srst.sip_gateways()?.into_iter().map(gateway).collect(),
                None => Vec::new(),
            },
            srst_is_secure: match srst {
                Some(srst) => srst.is_secure()?.value,
                None => false,
            },
            phone_label: text(crate::value::text(
                config.root().descend(&["sipProfile", "phoneLabel"]),
            )),
            start_media_port: start_media_port.value,
            stop_media_port: stop_media_port.value,
            voip_control_port: config.voip_control_port()?.value,
            load_information: text(config.load_information()),
            inactive_load_information: text(config.inactive_load_information()),
            version_stamp: text(config.version_stamp()),
            device_security_mode: config.device_security_mode()?.value,
            transport_layer_protocol: config.transport_layer_protocol()?.value,
            sip_oauth_mode: config.sip_oauth_mode()?.value,
            capf_auth_mode: config.capf_auth_mode()?.value,
            cert_hash: text(config.cert_hash()),
            encr_config: config.encr_config()?.value,
            user_id: text(config.user_id()),
            owner_id: text(config.owner_id()),
            phone_services_use_https: config.phone_services_use_https()?.value,
            phone_service_provisioning: config.phone_service_provisioning()?.value,
            sip_stack: stack_settings(config)?,
            members: config.members().map(member).collect::<Result<_, _>>()?,
            lines,
            capf_list: config
                .capf_list()?
                .into_iter()
                .map(|capf| Capf {
                    phone_port: capf.phone_port.value,
                    process_node_name: capf.process_node_name.value.into_owned(),
                })
                .collect(),
            phone_services: config
                .phone_services()
                .map(phone_service)
                .collect::<Result<_, _>>()?,
            vendor_config: level("vendorConfig"),
            common_config: level("commonConfig"),
            enterprise_config: level("enterpriseConfig"),
        })
    }
}

/// The settings in a level or in a group of one, whose names are the `depth`-th of a path.
fn collect_settings(
    group: crate::Element<'_>,
    depth: usize,
    path: &str,
    settings: &mut Vec<Setting>,
) {
    for element in group.children() {
        let name = element.name();
        if !Setting::is_path_in_bounds(depth, path.len() + name.len()) {
            continue;
        }
        if element.is_leaf() {
            settings.push(Setting {
                name: [path, name].concat(),
                value: element.text().into_owned(),
            });
        } else {
            collect_settings(element, depth + 1, &format!("{path}{name}/"), settings);
        }
    }
}

/// `@uuid` of an element below the root.
fn uuid(config: &DeviceConfig, names: &[&str]) -> Option<String> {
    let attribute = config.root().descend(names)?.attribute("uuid")?;
    Some(attribute.value().into_owned())
}

fn gateway(gateway: crate::SrstGateway<'_>) -> Gateway {
    Gateway {
        address: gateway.address.value.into_owned(),
        port: gateway.port.value,
    }
}

fn phone_service(service: crate::PhoneService<'_>) -> Result<PhoneServiceEntry, ValueError> {
    Ok(PhoneServiceEntry {
        kind: service.kind()?.value,
        category: service.category()?.value,
        name: text(service.name()),
        url: text(service.url()),
        vendor: text(service.vendor()),
        version: text(service.version()),
    })
}

fn member(node: crate::CallManagerNode<'_>) -> Result<Member, ValueError> {
    let ports = node.ports();
    Ok(Member {
        priority: node.priority()?.value,
        name: text(node.name()),
        description: text(node.description()),
        process_node_name: text(node.process_node_name()),
        ports: NodePorts {
            ethernet_phone_port: ports.ethernet_phone_port()?.value,
            sip_port: ports.sip_port()?.value,
            secured_sip_port: ports.secured_sip_port()?.value,
            sip_oauth_port: ports.sip_oauth_port()?.value,
            sip_mra_oauth_port: ports.sip_mra_oauth_port()?.value,
            mgcp_listen_port: ports.mgcp_listen_port()?.value,
            mgcp_keep_alive_port: ports.mgcp_keep_alive_port()?.value,
        },
    })
}

/// A time of the file is at most `u32::MAX` of its unit, so it fits again.
fn seconds(value: Value<std::time::Duration>) -> u32 {
    u32::try_from(value.value.as_secs()).unwrap_or(u32::MAX)
}

fn stack_settings(config: &DeviceConfig) -> Result<StackSettings, ValueError> {
    let stack = config.sip_stack();
    let milliseconds = |value: Value<std::time::Duration>| {
        u32::try_from(value.value.as_millis()).unwrap_or(u32::MAX)
    };
    Ok(StackSettings {
        sip_invite_retx: stack.sip_invite_retx()?.value,
        sip_retx: stack.sip_retx()?.value,
        timer_invite_expires: seconds(stack.timer_invite_expires()?),
        timer_register_expires: seconds(stack.timer_register_expires()?),
        timer_register_delta: seconds(stack.timer_register_delta()?),
        timer_keep_alive_expires: seconds(stack.timer_keep_alive_expires()?),
        timer_subscribe_expires: seconds(stack.timer_subscribe_expires()?),
        timer_subscribe_delta: seconds(stack.timer_subscribe_delta()?),
        timer_t1: milliseconds(stack.timer_t1()?),
        timer_t2: milliseconds(stack.timer_t2()?),
        max_redirects: stack.max_redirects()?.value,
    })
}
