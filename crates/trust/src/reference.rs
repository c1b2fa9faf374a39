//! Reference identities: what the caller expects to talk to.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use rustls_pki_types::ServerName;

use crate::dns_name::{TrailingDot, canonical, ip_literal, printable};

/// The text is neither a DNS name nor an IP address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("reference identity: expected a DNS name or an IP address, found {found:?}")]
pub struct ReferenceError {
    found: String,
}

/// What a client expects its peer to be (RFC 9525 §1.5 "reference identifier").
///
/// ```
/// use sip_oauth_trust::ReferenceIdentity;
///
/// let dns: ReferenceIdentity = "CUCM1.example.com.".parse()?;
/// assert_eq!(dns.to_string(), "cucm1.example.com");
/// let ip: ReferenceIdentity = "[2001:db8::1]".parse()?;
/// assert_eq!(ip.to_string(), "2001:db8::1");
/// assert!("*.example.com".parse::<ReferenceIdentity>().is_err());
/// # Ok::<(), sip_oauth_trust::ReferenceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReferenceIdentity {
    /// A DNS name; under RFC 5922 the SIP domain.
    Dns(DnsName),
    /// An IP address.
    Ip(IpAddr),
}

/// A DNS name to compare with: in lower case, without trailing dot, and no wildcard.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DnsName(String);

impl DnsName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DnsName {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        canonical(text, TrailingDot::Ignored)
            .map(Self)
            .ok_or_else(|| ReferenceError {
                found: printable(text),
            })
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ReferenceIdentity {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(address) = ip_literal(text) {
            return Ok(Self::Ip(address));
        }
        text.parse().map(Self::Dns)
    }
}

impl TryFrom<&ServerName<'_>> for ReferenceIdentity {
    type Error = ReferenceError;

    fn try_from(name: &ServerName<'_>) -> Result<Self, Self::Error> {
        match name {
            ServerName::DnsName(name) => name.as_ref().parse(),
            ServerName::IpAddress(address) => Ok(Self::Ip(IpAddr::from(*address))),
            _ => Err(ReferenceError {
                found: name.to_str().into_owned(),
            }),
        }
    }
}

impl fmt::Display for ReferenceIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => name.fmt(f),
            Self::Ip(address) => write!(f, "{address}"),
        }
    }
}
