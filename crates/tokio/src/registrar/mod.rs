//! The registrar with sockets: listeners and connections around
//! [`sip_oauth_registration::registrar::Registrar`].

mod enquiry;
mod judge;
mod serve;
mod server;

pub use enquiry::Enquiry;
pub use server::{RegistrarServer, RegistrarServerBuilder};
