//! The peers, one a file.

#[cfg(any(osip, sofia))]
mod c;
mod ezk;
mod httparse;
#[cfg(osip)]
mod osip;
mod ours;
mod parsip;
mod rsip;
mod rsipstack;
mod rvoip;
mod sip_core;
mod sip_header;
mod sipx;
#[cfg(sofia)]
mod sofia;

use crate::peer::Peer;
use crate::values::Reading;

/// Every peer that this build has, ours first.
pub fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(ours::Ours),
        Box::new(rsip::Rsip),
        Box::new(ezk::Ezk),
        Box::new(rvoip::Rvoip),
        Box::new(rsipstack::Rsipstack),
        Box::new(sipx::Sipx),
        Box::new(sip_core::SipCore),
        Box::new(parsip::Parsip),
        Box::new(sip_header::SipHeader),
        #[cfg(osip)]
        Box::new(osip::LIBRARY),
        #[cfg(sofia)]
        Box::new(sofia::LIBRARY),
        Box::new(httparse::Httparse),
    ]
}

/// The libraries that were not there when this was built.
pub fn missing() -> Vec<&'static str> {
    vec![
        #[cfg(not(osip))]
        "libosip2 (libosip2-dev)",
        #[cfg(not(sofia))]
        "sofia-sip (libsofia-sip-ua-dev)",
    ]
}

/// The version of a crate in this package's own lock file.
fn locked(name: &str) -> String {
    let lock = include_str!("../../Cargo.lock");
    let entry = format!("name = \"{name}\"\nversion = \"");
    let version = lock
        .split(&entry)
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    version.unwrap_or("unknown").to_owned()
}

/// The reading of a header that was typed, or not, into something that lives on.
fn reading<'s, H, E, T>(
    found: Option<&'s Result<H, E>>,
    read: impl FnOnce(&'s H) -> T,
) -> Reading<'s, T> {
    match found {
        None => Reading::Absent,
        Some(Ok(header)) => Reading::Value(read(header)),
        Some(Err(_)) => Reading::Refused,
    }
}
