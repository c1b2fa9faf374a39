//! AXL over HTTPS: what an Expressway-C asks a Unified CM, and what it tells it.

mod client;
mod discovery;

pub use client::{AxlClient, AxlCredentials, AxlError, AxlFailure};
pub use discovery::{DiscoveredNode, Discovery, Pushed};
