//! Cisco device configuration files (*.cnf.xml): read as they are, edited without harm, written whole.

mod builder;
mod config;
mod device;
mod device_name;
mod document;
mod edge_config;
mod edit;
mod error;
mod finding;
mod limits;
mod line;
mod modes;
mod node;
mod position;
mod read;
mod recognise;
mod rule;
mod stack;
mod target;
mod value;
mod write;
mod xml;
mod xml_writer;

pub use builder::{DeviceFile, DeviceFileBuilder, WantsLine, WantsNode, WantsSecurity};
pub use config::{CapfServer, DeviceConfig, Srst};
pub use device::{Capf, Device, LineSettings, Member, NodePorts, Setting, StackSettings};
pub use device_name::{DeviceKind, DeviceName, DeviceNameError, Service};
pub use document::{Attribute, Document, Element};
pub use edge_config::{EdgeConfig, EdgeServer};
pub use edit::{Edit, EditError};
pub use error::{ReadError, ReadErrorKind, ValueError};
pub use finding::Finding;
pub use limits::Limits;
pub use line::Line;
pub use modes::{CapfAuthMode, DeviceSecurityMode, SipOauthMode, TransportLayerProtocol};
pub use node::{CallManagerNode, Ports};
pub use position::{Position, Span};
pub use rule::{Rule, Severity};
pub use stack::SipStack;
pub use target::{
    Authentication, ConnectedBy, EDGE_TLS_PORT, MraPortReading, Place, RegistrationTarget,
    TargetError, Transport,
};
pub use value::{Origin, Value};
pub use xml_writer::WriteError;
