//! The registrar with sockets: listeners and connections around
//! [`sip_oauth_registration::registrar::Registrar`].

mod judge;
mod serve;
mod server;

pub use server::{RegistrarServer, RegistrarServerBuilder};
