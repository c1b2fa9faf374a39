//! A SIP OAuth cluster on loopback, for those who have no Unified CM to try with.
//!
//! [`Lab::builder`] starts certificate authorities, a Unified CM node with its authorization server, and an Expressway-C in
//! one process: real TLS, real sockets, real signed and encrypted tokens, one shared clock that can be advanced. It is
//! driven with the administrator's own commands and watched by a recorder; [`scenario`] tells the stories of the document
//! and holds what crossed the wires against what it says, [`Ladder`] draws them, [`Report::to_json`] writes them.
//!
//! ```
//! use sip_oauth_csf::Place;
//! use sip_oauth_lab::{Lab, Outcome, Way};
//!
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let lab = Lab::builder().start().await?;
//! let node = lab.unified_cm();
//!
//! let mut jabber = lab.jabber()?;
//! jabber.sign_in(node).await?;
//! let config = jabber.fetch_configuration(node.name(), node.configuration_port()).await?;
//! assert_eq!(config.registration_targets(Place::OnPremises)?[0].host, "ucm-pub.example.com");
//!
//! jabber.register(&config, &Way::OnPremises)?;
//! assert!(matches!(jabber.outcome().await, Outcome::Registered(_)));
//! assert_eq!(node.bindings(), 1);
//!
//! jabber.stop().await;
//! lab.stop().await;
//! # Ok(()) }
//! ```
//!
//! # What is ours
//!
//! Not everything a lab needs is public. These are choices of this crate, not facts about the products:
//!
//! - how a user signs in at `/ssosp/oauth/authorize`: by HTTP Basic, for an authorization code with PKCE
//!   ([`Jabber::sign_in`]), or for an opaque "simple token" where the query asks for `response_type=token`; a refresh token
//!   may also be handed over in process ([`UnifiedCm::log_in`]);
//! - the token endpoint: RFC 6749 under a path of our own ([`LabBuilder::token_path`]), and so the JWK set
//!   ([`UnifiedCm::jwks_uri`]) and introspection ([`UnifiedCm::introspection_endpoint`]);
//! - what the 64 digits of a revoked token are made of: SHA-256 of its `tid`;
//! - when new authz keys are used: with the restart of Cisco CallManager;
//! - how Expressway-C gets the authz keys: in process, when its servers are refreshed;
//! - what the console prints, but for the form of `show open ports`, and the column names of `expresswaycconfiguration`;
//! - which alert refuses a peer whose name is not in the table, and what an edge answers while its zone is down (503);
//! - the edge is one process with two certificates: what passes between Expressway-E and Expressway-C is left out, and so is
//!   the edge's HTTP proxy, through which a client outside reads its configuration file.

mod authority;
mod error;
mod expressway;
mod http;
mod jabber;
mod lab;
mod ladder;
mod ports;
mod recorder;
mod report;
pub mod scenario;
mod unified_cm;

pub use authority::{Certificate, CertificateAuthority};
pub use error::Error;
pub use expressway::{ExpresswayC, Refreshed};
pub use jabber::{CLIENT_ID, Jabber, Outcome, Way};
pub use lab::{Authorities, DEVICE, EDGE, Fault, LINE, Lab, LabBuilder, NODE, OUTER_EDGE, USER};
pub use ladder::{Ladder, WIDTH};
pub use report::{
    Check, ClockKind, Connection, Event, Header, HttpMessage, Leg, Occurrence, Party, PartyId,
    PortsKind, Report, SCHEMA, Scenario, SipMessage, Step,
};
pub use unified_cm::{OAUTH_PROFILE, SCOPE, STANDARD_PROFILE, UnifiedCm};
