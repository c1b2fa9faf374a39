//! Cisco device configuration files (`*.cnf.xml`): read as they are, edited without harm, written whole.
//!
//! A Unified CM hands every device a file that says which nodes it registers to, on which ports, and whether with an
//! access token (SIP OAuth mode). These files are not well-formed under Namespaces (`xsi:type` is never declared), hold
//! elements nobody documented, and are copied, patched and kept for years. This crate
//!
//! * **reads** them within [`Limits`], refusing what no configuration needs (DOCTYPEs, entities, a second root) with the
//!   element path, line, column and byte: [`DeviceConfig::read`], [`ReadError`];
//! * gives **typed access** to what registration needs; every [`Value`] knows the bytes it came from, and whether it is a
//!   default;
//! * **derives** the nodes a client tries: [`DeviceConfig::registration_targets`];
//! * **judges** what contradicts SIP OAuth mode: [`DeviceConfig::findings`];
//! * **changes** one value, node or line and no other byte: [`DeviceConfig::set`], [`DeviceConfig::add_member`];
//! * **writes** a complete file from a typed [`Device`]: [`DeviceFile::builder`];
//! * reads the bootstrap document of Mobile and Remote Access, [`EdgeConfig`], and `jabber-config.xml`,
//!   [`JabberConfig`].
//!
//! ```
//! use sip_oauth_csf::{ConfigService, DeviceConfig, DeviceFile, FileForm, Limits, LineSettings, Member, Place};
//!
//! // A cluster writes the file ...
//! let file = DeviceFile::builder("CSFrado".parse()?, "7b2e9d14-3c5f-4a68-8e90-1d2c3b4a5f6e")
//!     .node(Member::new("cucm1.example.com"))
//!     .line(LineSettings::new("2001"))
//!     .sip_oauth();
//! let url = file.name.url(FileForm::Plain, ConfigService::Plain, "cucm1.example.com");
//! assert_eq!(url, "http://cucm1.example.com:6970/CSFrado.cnf.xml");
//! let bytes = file.to_xml()?.into_bytes();
//!
//! // ... and a client reads it.
//! let mut config = DeviceConfig::read(&bytes, &Limits::default())?;
//! assert_eq!(config.registration_targets(Place::OnPremises)?[0].port, 5090);
//! assert!(config.findings().is_empty());
//!
//! // An administrator moves the port; four bytes change.
//! config.set_sip_oauth_port(0, 5190)?;
//! assert_eq!(config.registration_targets(Place::OnPremises)?[0].port, 5190);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Encodings
//!
//! UTF-8, UTF-16 with a byte order mark, US-ASCII, and the encodings of one byte a character that the WHATWG Encoding
//! Standard knows (ISO-8859-1 among them, read as windows-1252). What is given back is the file as it was: bytes of
//! [`DeviceConfig::source`], every [`Span`] and every [`Position`] are those of the file, not of its text in UTF-8, and an
//! edit is written in the file's encoding, with a character reference for what that has no byte for. A declaration that
//! contradicts the byte order mark, and any other encoding, is refused by name.
//!
//! # What is a choice here
//!
//! Cisco does not publish these; each is named where it is made:
//!
//! * where `<sipOAuthMode>` stands among the children of `<device>`: at the end in files written here;
//! * who connects to `<sipMRAOAuthPort>`: [`MraPortReading`];
//! * the values of elements that have no bearing on registration, in files written here, and which of the elements for
//!   the marking of packets (`dscp...`) stand there: those whose names are published.
//!
//! # What it does not do
//!
//! It fetches nothing, verifies no signature and decrypts nothing. Signed and encrypted files are recognised
//! ([`ReadErrorKind::Signed`], [`ReadErrorKind::Encrypted`]) and refused, with a sentence on what to do. Encodings in
//! which a character may take several forms or lengths (Shift_JIS, GB18030 ...) are refused by name. Passwords in a file
//! have no getters of their own and are never printed; [`Element::text`] reaches them, and
//! [`DeviceConfig::vendor_setting`] and [`JabberConfig::setting`] those among the settings, as a [`SettingText`].

mod builder;
mod config;
mod content;
mod device;
mod device_name;
mod document;
mod edge_config;
mod edit;
mod encoding;
mod error;
mod finding;
mod jabber_config;
mod limits;
mod line;
mod modes;
mod node;
mod position;
mod read;
mod recognise;
mod refusal;
mod repeated;
mod restart;
mod restructure;
mod rule;
mod services;
mod signed;
mod stack;
mod target;
mod tree;
mod unreadable;
mod value;
mod vendor;
mod work;
mod write;
mod xml;
mod xml_writer;

pub use builder::{DeviceFile, DeviceFileBuilder, WantsLine, WantsNode, WantsSecurity};
pub use config::{CapfServer, DeviceConfig, Srst, SrstGateway};
pub use device::{
    Capf, Device, Gateway, LineSettings, Member, NodePorts, PhoneServiceEntry, Setting,
    StackSettings,
};
pub use device_name::{ConfigService, DeviceKind, DeviceName, DeviceNameError, FileForm};
pub use document::{Attribute, Document, Element};
pub use edge_config::{EdgeConfig, EdgeServer};
pub use edit::{Edit, EditError};
pub use error::{ReadError, ReadErrorKind, ValueError};
pub use finding::Finding;
pub use jabber_config::{ExcludedService, JabberConfig};
pub use limits::Limits;
pub use line::Line;
pub use modes::{
    CapfAuthMode, DeviceSecurityMode, PhoneServiceKind, PhoneServiceProvisioning, SipOauthMode,
    TransportLayerProtocol,
};
pub use node::{CallManagerNode, Ports};
pub use position::{Position, Span};
pub use rule::{Rule, Severity};
pub use services::{PhoneService, TrustVerificationServer};
pub use signed::UnverifiedConfig;
pub use stack::SipStack;
pub use target::{
    Authentication, ConnectedBy, EDGE_TLS_PORT, MraPortReading, Place, RegistrationTarget,
    TargetError, Transport,
};
pub use value::{Origin, Value};
pub use vendor::{SettingText, VendorLevel};
pub use xml_writer::WriteError;
