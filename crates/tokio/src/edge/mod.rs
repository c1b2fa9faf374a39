//! The Expressway-C with sockets: clients on one side, zones on the other, around
//! [`sip_oauth_registration::edge::Edge`].

mod clients;
mod pending;
mod server;
mod shared;
mod zone;

pub use server::{EdgeServer, EdgeServerBuilder};
pub use shared::ZoneReport;
