//! Cisco device configuration files (*.cnf.xml): read as they are, edited without harm, written whole.

mod config;
mod device_name;
mod document;
mod error;
mod limits;
mod line;
mod modes;
mod node;
mod position;
mod read;
mod stack;
mod target;
mod value;

pub use config::{DeviceConfig, Srst};
pub use device_name::{DeviceKind, DeviceName, DeviceNameError, Service};
pub use document::{Attribute, Document, Element};
pub use error::{ReadError, ReadErrorKind, ValueError};
pub use limits::Limits;
pub use line::Line;
pub use modes::{CapfAuthMode, DeviceSecurityMode, SipOauthMode, TransportLayerProtocol};
pub use node::{CallManagerNode, Ports};
pub use position::{Position, Span};
pub use stack::SipStack;
pub use target::{
    Authentication, ConnectedBy, EDGE_TLS_PORT, MraPortReading, Place, RegistrationTarget, TargetError, Transport,
};
pub use value::{Origin, Value};
