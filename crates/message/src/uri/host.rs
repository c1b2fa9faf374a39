//! Hosts: names, IPv4 addresses, bracketed IPv6 addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::grammar::{HOST, behind_long, cut};
use crate::{ErrorKind, ParseError};

/// `host = hostname / IPv4address / IPv6reference` (RFC 3261 section 25.1).
///
/// ```
/// use sip_oauth_message::Host;
/// let host = Host::parse("[2001:DB8::1]")?;
/// assert_eq!(host.as_str(), "2001:DB8::1");
/// assert_eq!(host.to_string(), "[2001:DB8::1]");
/// assert_eq!(host, Host::parse("[2001:db8:0::1]")?);
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Host<'a> {
    /// Without brackets.
    text: &'a str,
    bracketed: bool,
}

impl<'a> Host<'a> {
    /// Reads a host that is all of `text`; an IPv6 address stands in brackets.
    ///
    /// # Errors
    ///
    /// When `text` is not a host.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        match host(text)? {
            (host, "") => Ok(host),
            (_, rest) => Err(ParseError::new(
                ErrorKind::Uri,
                text.len() - rest.len(),
                "the end of the host",
            )),
        }
    }

    /// A host that was checked, with the brackets it may have.
    #[inline]
    pub(super) fn of_checked(text: &'a str) -> Self {
        match text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
        {
            Some(text) => Self {
                text,
                bracketed: true,
            },
            None => Self {
                text,
                bracketed: false,
            },
        }
    }

    /// The name or address, without brackets.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// The address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        if self.bracketed {
            self.text.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        } else {
            self.text.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
        }
    }
}

/// Addresses compare as addresses, names without case.
impl PartialEq for Host<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.bracketed, other.bracketed) {
            (true, true) => self.ip() == other.ip(),
            (false, false) => self.text.eq_ignore_ascii_case(other.text),
            _ => false,
        }
    }
}

impl Eq for Host<'_> {}

impl std::hash::Hash for Host<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        if self.bracketed {
            self.ip().hash(state);
        } else {
            for byte in self.text.bytes() {
                state.write_u8(byte.to_ascii_lowercase());
            }
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bracketed {
            write!(f, "[{}]", self.text)
        } else {
            f.write_str(self.text)
        }
    }
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({self})")
    }
}

/// A host at the front of `text`.
#[inline]
pub(crate) fn host(text: &str) -> Result<(Host<'_>, &str), ParseError> {
    let fail = |what| Err(ParseError::new(ErrorKind::Uri, 0, what));
    if let Some(inner) = text.strip_prefix('[') {
        let Some(end) = inner.find(']') else {
            return fail("an IPv6 address closed by ']'");
        };
        let (text, rest) = cut(inner, end);
        if text.parse::<Ipv6Addr>().is_err() {
            return fail("an IPv6 address between the brackets");
        }
        let host = Host {
            text,
            bracketed: true,
        };
        return Ok((host, cut(rest, 1).1));
    }
    let (text, rest) = cut(text, behind_long(text.as_bytes(), 0, HOST));
    if text.is_empty() {
        return fail("a host");
    }
    let host = Host {
        text,
        bracketed: false,
    };
    Ok((host, rest))
}

/// `port = 1*DIGIT`, up to 65535.
#[inline]
pub(crate) fn port(text: &str) -> Result<(u16, &str), ParseError> {
    let bytes = text.as_bytes();
    let mut port = 0_u16;
    let mut length = 0;
    while let Some(digit @ b'0'..=b'9') = bytes.get(length) {
        let next = port
            .checked_mul(10)
            .and_then(|port| port.checked_add(u16::from(digit - b'0')));
        match next {
            Some(next) => port = next,
            None => return Err(no_port()),
        }
        length += 1;
    }
    if length == 0 {
        return Err(no_port());
    }
    Ok((port, cut(text, length).1))
}

#[cold]
fn no_port() -> ParseError {
    ParseError::new(ErrorKind::Uri, 0, "a port up to 65535")
}
