//! SIP OAuth registration with tokio and rustls: client, registrar, edge, configuration fetch, AXL.
