//! A SIP OAuth cluster on loopback: certificate authority, authorization server, Unified CM, Expressway-C.

mod authority;
mod error;
mod http;
mod ladder;
mod ports;
mod report;
mod unified_cm;

pub use authority::{Certificate, CertificateAuthority};
pub use error::Error;
pub use ladder::{Ladder, WIDTH};
pub use report::{
    Check, ClockKind, Connection, Event, Header, HttpMessage, Leg, Occurrence, Party, PartyId, PortsKind, Report,
    SCHEMA, Scenario, SipMessage, Step,
};
