//! A SIP OAuth cluster on loopback: certificate authority, authorization server, Unified CM, Expressway-C.

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
