//! Hosts: names, IPv4 addresses, bracketed IPv6 addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::grammar::{HOST, behind_long, cut};
use crate::scan::may_have_two_below;
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
    pub(crate) fn of_checked(text: &'a str) -> Self {
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
    let (host, rest) = cut(text, behind_host(text, 0)?);
    Ok((Host::of_checked(host), rest))
}

/// Where a host at `at` ends.
#[allow(clippy::inline_always, reason = "as the rules of the grammar")]
#[inline(always)]
pub(crate) fn behind_host(text: &str, at: usize) -> Result<usize, ParseError> {
    let bytes = text.as_bytes();
    if bytes.get(at) == Some(&b'[') {
        return behind_reference(text, at);
    }
    let end = behind_long(bytes, at, HOST);
    if !is_name_or_ipv4(bytes.get(at..end).unwrap_or_default()) {
        return Err(no_host(at, "a host name or an address"));
    }
    Ok(end)
}

/// `IPv6reference = "[" IPv6address "]"`
#[inline(never)]
fn behind_reference(text: &str, at: usize) -> Result<usize, ParseError> {
    let inner = cut(text, at + 1).1;
    let Some(length) = inner.find(']') else {
        return Err(no_host(at, "an IPv6 address closed by ']'"));
    };
    if cut(inner, length).0.parse::<Ipv6Addr>().is_err() {
        return Err(no_host(at, "an IPv6 address between the brackets"));
    }
    Ok(at + length + 2)
}

#[cold]
fn no_host(at: usize, what: &'static str) -> ParseError {
    ParseError::new(ErrorKind::Uri, at, what)
}

/// Whether labels are separated by single dots and neither begin nor end with a hyphen, and whether
/// what ends with a number is an IPv4 address.
///
/// ```text
/// hostname    = *( domainlabel "." ) toplabel [ "." ]
/// domainlabel = alphanum / alphanum *( alphanum / "-" ) alphanum
/// toplabel    = ALPHA / ALPHA *( alphanum / "-" ) alphanum
/// ```
///
/// Besides, an underscore is a letter here, and the last label may begin with a digit where it is
/// no number, as names of containers do (RFC 1123 section 2.1).
#[inline]
pub(crate) fn is_name_or_ipv4(text: &[u8]) -> bool {
    match text {
        [] => false,
        [.., b'0'..=b'9'] => ends_well_with_digit(text),
        _ => has_whole_labels(text),
    }
}

fn ends_well_with_digit(text: &[u8]) -> bool {
    let ends_with_number = || {
        let before = text.iter().rfind(|byte| !byte.is_ascii_digit());
        matches!(before, None | Some(b'.'))
    };
    is_ipv4(text) || (has_whole_labels(text) && !ends_with_number())
}

/// `a.b.c.d`, each number up to 255 and without zeros in front, as [`Ipv4Addr`] reads it.
fn is_ipv4(text: &[u8]) -> bool {
    let mut rest = text;
    for _ in 0..3 {
        match behind_octet(rest) {
            Some([b'.', after @ ..]) => rest = after,
            _ => return false,
        }
    }
    matches!(behind_octet(rest), Some([]))
}

/// `dec-octet` of RFC 3986 section 3.2.2, the longest first.
fn behind_octet(text: &[u8]) -> Option<&[u8]> {
    match text {
        [b'1', b'0'..=b'9', b'0'..=b'9', rest @ ..]
        | [b'2', b'0'..=b'4', b'0'..=b'9', rest @ ..]
        | [b'2', b'5', b'0'..=b'5', rest @ ..]
        | [b'1'..=b'9', b'0'..=b'9', rest @ ..]
        | [b'0'..=b'9', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// Whether no dot or hyphen is where a label would begin, and no hyphen where one would end. One dot
/// may be the end.
fn has_whole_labels(text: &[u8]) -> bool {
    let (Some(first), Some(last)) = (text.first(), text.last()) else {
        return false;
    };
    // What is below the digits is a dot or a hyphen.
    *first >= b'0'
        && *last != b'-'
        && (!may_have_two_below(text, b'0') || {
            let mut pairs = text.windows(2);
            pairs.all(|pair| !matches!(pair, [b'.', b'.' | b'-'] | [b'-', b'.']))
        })
}

/// `port = 1*DIGIT`, up to 65535, at `at`, and where it ends.
#[inline]
pub(crate) fn port_at(bytes: &[u8], at: usize) -> Result<(u16, usize), ParseError> {
    let mut port = 0_u16;
    let mut end = at;
    while let Some(digit @ b'0'..=b'9') = bytes.get(end) {
        let next = port
            .checked_mul(10)
            .and_then(|port| port.checked_add(u16::from(digit - b'0')));
        match next {
            Some(next) => port = next,
            None => return Err(no_port(at)),
        }
        end += 1;
    }
    if end == at {
        return Err(no_port(at));
    }
    Ok((port, end))
}

/// `host [ ":" port ]` that is all of `text`.
pub(crate) fn is_host_port(text: &str) -> bool {
    let bytes = text.as_bytes();
    let end = match behind_host(text, 0) {
        Ok(colon) if bytes.get(colon) == Some(&b':') => {
            port_at(bytes, colon + 1).map(|(_, end)| end)
        }
        other => other,
    };
    end.is_ok_and(|end| end == bytes.len())
}

#[cold]
fn no_port(at: usize) -> ParseError {
    ParseError::new(ErrorKind::Uri, at, "a port up to 65535")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_ipv4_address_is_what_the_standard_library_says(
            text in r"[0-9]{1,4}(\.[0-9]{0,4}){1,4}|(2[0-9]{2}|[0-9]{1,2})(\.(2[0-9]{2}|[0-9]{1,2})){3}",
        ) {
            prop_assert_eq!(is_ipv4(text.as_bytes()), text.parse::<Ipv4Addr>().is_ok());
        }

        #[test]
        fn a_name_is_made_of_whole_labels(text in r"[a1_.-]{1,12}") {
            let dotless = text.strip_suffix('.').unwrap_or(&text);
            let is_whole = |label: &str| {
                !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
            };
            let is_number = |label: &str| label.bytes().all(|b| b.is_ascii_digit());
            let plain = dotless.split('.').all(is_whole)
                && (text.ends_with('.') || !text.rsplit('.').next().is_some_and(is_number));
            prop_assert_eq!(Host::parse(&text).is_ok(), plain || text.parse::<Ipv4Addr>().is_ok());
        }
    }
}
