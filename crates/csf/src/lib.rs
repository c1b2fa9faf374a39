//! Cisco device configuration files (*.cnf.xml): read as they are, edited without harm, written whole.

mod device_name;
mod document;
mod error;
mod limits;
mod position;
mod read;

pub use device_name::{DeviceKind, DeviceName, DeviceNameError, Service};
pub use document::{Attribute, Document, Element};
pub use error::{ReadError, ReadErrorKind, ValueError};
pub use limits::Limits;
pub use position::{Position, Span};
