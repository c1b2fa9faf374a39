//! SIP OAuth registration without sockets: the client, the registrar and the edge as state machines.
//!
//! Three machines over one vocabulary (RFC 3261 section 10, RFC 8898):
//!
//! - [`client::Client`] holds a lease with a registrar: connect, register, answer the challenge with
//!   an access token, refresh, fail over, deregister;
//! - [`registrar::Registrar`] judges a request by where it arrived, whose device it is and what its
//!   token proves, and answers it;
//! - [`edge::Edge`] is the Expressway-C between the two: zones, search rules and what is rewritten.
//!
//! Under them lie the [`transaction`]s of RFC 3261 section 17.
//!
//! None of them opens a socket, reads a clock or draws randomness: time is an argument
//! ([`Instant`](std::time::Instant) for timers, [`SystemTime`](std::time::SystemTime) for validity and
//! `Date`), randomness comes from an [`Entropy`], bytes go in and out.

mod address;
mod bearer;
pub mod cause;
pub mod client;
mod date;
pub mod edge;
pub mod entropy;
pub mod refusal;
pub mod registrar;
mod reply;
mod salvage;
pub mod transaction;

pub use sip_oauth_message;
pub use sip_oauth_token;
pub use sip_oauth_trust;

pub use cause::{DeviceStatus, RegistrationFailure, Unregistration};
pub use entropy::{Entropy, Seeded};
pub use refusal::{Refusal, RefusalEntry};
