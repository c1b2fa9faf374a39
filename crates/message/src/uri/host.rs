//! Hosts: names, IPv4 addresses, bracketed IPv6 addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::grammar::{HOST, cut, span};
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
pub(crate) fn host(text: &str) -> Result<(Host<'_>, &str), ParseError> {
    let fail = |what| Err(ParseError::new(ErrorKind::Uri, 0, what));
    if let Some(inner) = text.strip_prefix('[') {
        let Some(end) = memchr::memchr(b']', inner.as_bytes()) else {
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
    let (text, rest) = cut(text, span(text.as_bytes(), HOST));
    if text.is_empty() {
        return fail("a host");
    }
    let host = Host {
        text,
        bracketed: false,
    };
    Ok((host, rest))
}

/// `hostport = host [ ":" port ]`
pub(crate) fn host_port(text: &str) -> Result<(Host<'_>, Option<u16>, &str), ParseError> {
    let (host, rest) = host(text)?;
    match rest.strip_prefix(':') {
        Some(digits) => {
            let (port, rest) =
                port(digits).map_err(|error| error.shifted(text.len() - digits.len()))?;
            Ok((host, Some(port), rest))
        }
        None => Ok((host, None, rest)),
    }
}

/// `port = 1*DIGIT`, up to 65535.
pub(crate) fn port(text: &str) -> Result<(u16, &str), ParseError> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = cut(text, length);
    match digits.parse() {
        Ok(port) => Ok((port, rest)),
        Err(_) => Err(ParseError::new(ErrorKind::Uri, 0, "a port up to 65535")),
    }
}
