//! From the required choices to a device and its file.

use std::fmt;

use crate::config::DeviceConfig;
use crate::device::{Device, LineSettings, Member, StackSettings};
use crate::device_name::DeviceName;
use crate::modes::{
    CapfAuthMode, DeviceSecurityMode, PhoneServiceProvisioning, SipOauthMode,
    TransportLayerProtocol,
};
use crate::xml_writer::WriteError;

/// A device with its name: what is needed to serve `<device>.cnf.xml`.
///
/// ```
/// use sip_oauth_csf::{DeviceConfig, DeviceFile, Limits, LineSettings, Member, Place};
///
/// let file = DeviceFile::builder("CSFrado".parse()?, "7b2e9d14-3c5f-4a68-8e90-1d2c3b4a5f6e")
///     .node(Member::new("cucm1.example.com"))
///     .node(Member::new("cucm2.example.com").oauth_ports(5190, 5191))
///     .line(LineSettings::new("2001"))
///     .sip_oauth();
/// let xml = file.to_xml()?;
/// assert!(xml.starts_with("<device  xsi:type=\"axl:XIPPhone\" ctiid=\"24\" uuid=\"{7b2e9d14-3c5f-4a68-8e90-1d2c3b4a5f6e}\">"));
///
/// let config = DeviceConfig::read(xml.as_bytes(), &Limits::default())?;
/// let targets = config.registration_targets(Place::OnPremises)?;
/// assert_eq!(targets[1].port, 5190);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceFile {
    /// The device's name, from which the file's follows.
    pub name: DeviceName,
    /// What the file says.
    pub device: Device,
}

impl DeviceFile {
    /// Begins a device called `name`; `uuid` is its key in the cluster's database, with or without braces.
    ///
    /// `ctiid` is that of a Jabber desktop client, the only number published; for a device of another kind set
    /// [`Device::ctiid`].
    ///
    /// Then come, as steps that cannot be left out, one node or more, one line or more, and how it registers.
    pub fn builder(name: DeviceName, uuid: impl AsRef<str>) -> DeviceFileBuilder<WantsNode> {
        let uuid = format!("{{{}}}", uuid.as_ref().trim_matches(['{', '}']));
        let device = Device {
            uuid,
            // As in the published file of a Jabber desktop client.
            ctiid: 24,
            full_config: true,
            device_pool_uuid: None,
            device_pool: "Default".to_owned(),
            date_time_setting_uuid: None,
            call_manager_group: "Default".to_owned(),
            connection_monitor_duration: 120,
            srst_uuid: None,
            srst_name: "Disable".to_owned(),
            srst_option: "Disable".to_owned(),
            srst_gateways: Vec::new(),
            srst_is_secure: false,
            phone_label: String::new(),
            start_media_port: DeviceConfig::MEDIA_PORTS.0,
            stop_media_port: DeviceConfig::MEDIA_PORTS.1,
            voip_control_port: 5060,
            load_information: String::new(),
            inactive_load_information: String::new(),
            version_stamp: String::new(),
            device_security_mode: DeviceSecurityMode::NonSecure,
            transport_layer_protocol: TransportLayerProtocol::TcpUdp,
            sip_oauth_mode: SipOauthMode::Off,
            capf_auth_mode: CapfAuthMode::None,
            cert_hash: String::new(),
            encr_config: false,
            user_id: String::new(),
            owner_id: String::new(),
            phone_services_use_https: true,
            phone_service_provisioning: PhoneServiceProvisioning::Internal,
            sip_stack: StackSettings::default(),
            members: Vec::new(),
            lines: Vec::new(),
            capf_list: Vec::new(),
            phone_services: Vec::new(),
            vendor_config: Vec::new(),
            common_config: Vec::new(),
            enterprise_config: Vec::new(),
        };
        DeviceFileBuilder {
            file: Self { name, device },
            state: WantsNode(()),
        }
    }

    /// The complete file, as [`Device::to_xml`].
    ///
    /// # Errors
    ///
    /// [`WriteError`] when a text cannot be written in XML, or a port is 0.
    pub fn to_xml(&self) -> Result<String, WriteError> {
        self.device.to_xml()
    }
}

/// The steps to a [`DeviceFile`]: none can be left out.
///
/// ```compile_fail,E0599
/// # use sip_oauth_csf::{DeviceFile, LineSettings};
/// // A line before there is a node.
/// DeviceFile::builder("CSFrado".parse().unwrap(), "0").line(LineSettings::new("2001"));
/// ```
///
/// ```compile_fail,E0599
/// # use sip_oauth_csf::{DeviceFile, Member};
/// // No line.
/// DeviceFile::builder("CSFrado".parse().unwrap(), "0").node(Member::new("cucm1.example.com")).sip_oauth();
/// ```
#[must_use = "a builder does nothing until its last step"]
pub struct DeviceFileBuilder<State> {
    file: DeviceFile,
    state: State,
}

impl<State> fmt::Debug for DeviceFileBuilder<State> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeviceFileBuilder")
            .field(&self.file)
            .finish()
    }
}

/// A node is needed first.
#[derive(Debug)]
pub struct WantsNode(());

/// Another node, or the first line.
#[derive(Debug)]
pub struct WantsLine(());

/// Another node or line, or how the device registers.
#[derive(Debug)]
pub struct WantsSecurity(());

impl<State> DeviceFileBuilder<State> {
    /// Nodes are tried in the order they are added: the priority is the number of those before.
    fn push_node(&mut self, node: Member) {
        let members = &mut self.file.device.members;
        let priority = u32::try_from(members.len()).unwrap_or(u32::MAX);
        members.push(Member { priority, ..node });
    }

    /// Lines have the first buttons, in the order they are added.
    fn push_line(&mut self, line: LineSettings) {
        let lines = &mut self.file.device.lines;
        let button = u32::try_from(lines.len() + 1).unwrap_or(u32::MAX);
        lines.push(LineSettings {
            button,
            line_index: Some(button),
            ..line
        });
    }

    /// Sets what the steps do not ask for: pool, load, timers, vendor settings.
    pub fn with(mut self, set: impl FnOnce(&mut Device)) -> Self {
        set(&mut self.file.device);
        self
    }

    fn into<Next>(self, next: Next) -> DeviceFileBuilder<Next> {
        DeviceFileBuilder {
            file: self.file,
            state: next,
        }
    }
}

impl DeviceFileBuilder<WantsNode> {
    /// Adds the first node.
    pub fn node(mut self, node: Member) -> DeviceFileBuilder<WantsLine> {
        let WantsNode(()) = self.state;
        self.push_node(node);
        self.into(WantsLine(()))
    }
}

impl DeviceFileBuilder<WantsLine> {
    /// Adds a node to fall back to.
    pub fn node(mut self, node: Member) -> Self {
        self.push_node(node);
        self
    }

    /// Adds the first line.
    pub fn line(mut self, line: LineSettings) -> DeviceFileBuilder<WantsSecurity> {
        let WantsLine(()) = self.state;
        self.push_line(line);
        self.into(WantsSecurity(()))
    }
}

impl DeviceFileBuilder<WantsSecurity> {
    /// Adds a node to fall back to.
    pub fn node(mut self, node: Member) -> Self {
        self.push_node(node);
        self
    }

    /// Adds a line.
    pub fn line(mut self, line: LineSettings) -> Self {
        self.push_line(line);
        self
    }

    /// With an access token: SIP OAuth mode on, and what a security profile with it must be, encrypted and TLS.
    pub fn sip_oauth(self) -> DeviceFile {
        self.finish(
            SipOauthMode::On,
            DeviceSecurityMode::Encrypted,
            TransportLayerProtocol::Tls,
        )
    }

    /// With a certificate of its own over TLS, SIP OAuth mode off.
    pub fn encrypted(self) -> DeviceFile {
        self.finish(
            SipOauthMode::Off,
            DeviceSecurityMode::Encrypted,
            TransportLayerProtocol::Tls,
        )
    }

    /// With its name only, over TCP and UDP, SIP OAuth mode off.
    pub fn non_secure(self) -> DeviceFile {
        self.finish(
            SipOauthMode::Off,
            DeviceSecurityMode::NonSecure,
            TransportLayerProtocol::TcpUdp,
        )
    }

    fn finish(
        self,
        mode: SipOauthMode,
        security: DeviceSecurityMode,
        transport: TransportLayerProtocol,
    ) -> DeviceFile {
        let WantsSecurity(()) = self.state;
        let mut file = self.file;
        file.device.sip_oauth_mode = mode;
        file.device.device_security_mode = security;
        file.device.transport_layer_protocol = transport;
        file
    }
}
