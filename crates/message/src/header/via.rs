//! Via.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

use crate::grammar::{
    Parsed, behind_separator, cut, digits, element, expected, is_token, nested, separator,
    skip_lws, token,
};
use crate::params::params;
use crate::uri::{Host, behind_host, port_at};
use crate::{ErrorKind, HeaderName, Params, ParseError, TypedHeader};

/// One hop that a request has taken (RFC 3261 section 20.42).
///
/// ```text
/// via-parm      = sent-protocol LWS sent-by *( SEMI via-params )
/// sent-protocol = protocol-name SLASH protocol-version SLASH transport
/// sent-by       = host [ COLON port ]
/// ```
///
/// ```
/// use sip_oauth_message::{header::{Transport, Via}, TypedHeader};
/// let via = Via::parse("SIP/2.0/TLS 192.0.2.7:62162;branch=z9hG4bK00001188")?;
/// assert_eq!(via.transport(), Transport::Tls);
/// assert_eq!((via.host().as_str(), via.port()), ("192.0.2.7", Some(62162)));
/// assert_eq!(via.branch(), Some("z9hG4bK00001188"));
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Via<'a> {
    protocol: &'a str,
    version: &'a str,
    transport: &'a str,
    host: Host<'a>,
    port: Option<u16>,
    params: Params<'a>,
}

/// Protocol and transport have no case (RFC 3261 section 7.3.1).
impl PartialEq for Via<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.protocol.eq_ignore_ascii_case(other.protocol)
            && self.version.eq_ignore_ascii_case(other.version)
            && self.transport.eq_ignore_ascii_case(other.transport)
            && (self.host, self.port, self.params) == (other.host, other.port, other.params)
    }
}

impl Eq for Via<'_> {}

/// The transport in a Via (RFC 3261 section 20.42, RFC 4168, RFC 7118).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport<'a> {
    /// `UDP`
    Udp,
    /// `TCP`
    Tcp,
    /// `TLS`
    Tls,
    /// `SCTP`
    Sctp,
    /// `TLS-SCTP`
    TlsSctp,
    /// `WS`
    Ws,
    /// `WSS`
    Wss,
    /// Any other token.
    Other(OtherTransport<'a>),
}

/// `other-transport = token`: a transport that is none of those above.
///
/// [`Transport::parse`] makes one, so that it is a token and no known transport.
#[derive(Clone, Copy, Debug)]
pub struct OtherTransport<'a>(&'a str);

impl PartialEq for OtherTransport<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for OtherTransport<'_> {}

impl Hash for OtherTransport<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

/// The `rport` parameter (RFC 3581).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rport {
    /// Without a value: the client asks for it.
    Asked,
    /// The port the request came from.
    Port(u16),
}

impl<'a> Transport<'a> {
    /// As it is written.
    pub const fn as_str(&self) -> &'a str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Sctp => "SCTP",
            Self::TlsSctp => "TLS-SCTP",
            Self::Ws => "WS",
            Self::Wss => "WSS",
            Self::Other(other) => other.0,
        }
    }

    /// Reads a transport, without regard to case.
    ///
    /// # Errors
    ///
    /// When `text` is not a token (RFC 3261 section 25.1).
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        if is_token(text) {
            Ok(Self::of_token(text))
        } else {
            let error = ParseError::new(ErrorKind::HeaderValue, 0, "a transport");
            Err(error.in_header(HeaderName::Via))
        }
    }

    /// The transport that a token names.
    fn of_token(text: &'a str) -> Self {
        let known = [
            Self::Udp,
            Self::Tcp,
            Self::Tls,
            Self::Sctp,
            Self::TlsSctp,
            Self::Ws,
            Self::Wss,
        ];
        let same = |transport: &Self| transport.as_str().eq_ignore_ascii_case(text);
        let known = known.into_iter().find(same);
        known.unwrap_or(Self::Other(OtherTransport(text)))
    }
}

impl<'a> Via<'a> {
    /// A hop of ours; `params` begins with `;branch=z9hG4bK…`.
    pub const fn new(
        transport: Transport<'a>,
        host: Host<'a>,
        port: Option<u16>,
        params: Params<'a>,
    ) -> Self {
        Self {
            protocol: "SIP",
            version: "2.0",
            transport: transport.as_str(),
            host,
            port,
            params,
        }
    }

    /// The transport.
    pub fn transport(&self) -> Transport<'a> {
        Transport::of_token(self.transport)
    }

    /// The host of `sent-by`.
    pub const fn host(&self) -> Host<'a> {
        self.host
    }

    /// The port of `sent-by`, where one is written.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The branch: what this transaction is called.
    pub fn branch(&self) -> Option<&'a str> {
        self.params.token("branch")
    }

    /// The `received` parameter as written.
    pub fn received(&self) -> Option<&'a str> {
        self.params.token("received")
    }

    /// The `received` parameter as an address; IPv6 with or without brackets
    /// (RFC 5118 section 4.5).
    pub fn received_ip(&self) -> Option<IpAddr> {
        let text = self.received()?;
        let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        inner.unwrap_or(text).parse().ok()
    }

    /// The `rport` parameter, if it is well formed: digits without quotes.
    pub fn rport(&self) -> Option<Rport> {
        match self.params.get("rport")?.value {
            None => Some(Rport::Asked),
            Some(_) => digits(self.params.token("rport")?).map(Rport::Port),
        }
    }

    /// The parameters.
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// This hop as a server writes it into a request that came from `source`: with `received`
    /// where `sent-by` is another address (RFC 3261 section 18.2.1), and with `received` and
    /// `rport` where the client asks for it (RFC 3581 section 4).
    ///
    /// An IPv4 address that a socket of both families shows as IPv6 is the IPv4 address.
    pub const fn received_from(&self, source: SocketAddr) -> ReceivedVia<'a> {
        let source = SocketAddr::new(source.ip().to_canonical(), source.port());
        ReceivedVia { via: *self, source }
    }

    fn write_hop(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (protocol, version) = (self.protocol, self.version);
        write!(f, "{protocol}/{version}/{} {}", self.transport, self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl<'a> TypedHeader<'a> for Via<'a> {
    const NAME: HeaderName<'static> = HeaderName::Via;

    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        element(value, Self::NAME, via)
    }
}

/// `protocol-name SLASH protocol-version SLASH`
#[inline]
fn protocol(input: &str) -> Parsed<'_, (&str, &str)> {
    // What the rules below read from what nearly everybody writes.
    if let Some(rest) = input.strip_prefix("SIP/2.0/") {
        return Ok((skip_lws(rest), ("SIP", "2.0")));
    }
    let (rest, protocol) = token(input)?;
    let (rest, ()) = separator(rest, '/', "a slash after the protocol")?;
    let (rest, version) = token(rest)?;
    let (rest, ()) = separator(rest, '/', "a slash after the version")?;
    Ok((rest, (protocol, version)))
}

fn via(input: &str) -> Parsed<'_, Via<'_>> {
    let (rest, (protocol, version)) = protocol(input)?;
    let (rest, transport) = token(rest)?;
    let sent_by = skip_lws(rest);
    if sent_by.len() == rest.len() {
        return expected(rest, "a space after the transport");
    }
    let host_end = match behind_host(sent_by, 0) {
        Ok(end) => end,
        Err(error) => return nested(sent_by, &error),
    };
    let (text, mut rest) = cut(sent_by, host_end);
    let mut port = None;
    if let Some(digits) = behind_separator(rest.as_bytes(), 0, b':') {
        match port_at(rest.as_bytes(), digits) {
            Ok((number, end)) => (port, rest) = (Some(number), cut(rest, end).1),
            Err(error) => return nested(rest, &error),
        }
    }
    let (rest, params) = params(rest)?;
    let via = Via {
        protocol,
        version,
        transport,
        host: Host::of_checked(text),
        port,
        params,
    };
    Ok((rest, via))
}

impl fmt::Display for Via<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_hop(f)?;
        self.params.fmt(f)
    }
}

impl fmt::Display for Transport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A Via with the address its request came from; made by [`Via::received_from`].
#[derive(Clone, Copy, Debug)]
pub struct ReceivedVia<'a> {
    via: Via<'a>,
    source: SocketAddr,
}

impl fmt::Display for ReceivedVia<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.via.write_hop(f)?;
        // An rport that is no number is answered as one without a value.
        let asked = self.via.params.contains("rport");
        for param in self.via.params.iter() {
            if param.name.eq_ignore_ascii_case("received") {
                continue;
            }
            if param.name.eq_ignore_ascii_case("rport") {
                write!(f, ";rport={}", self.source.port())?;
                continue;
            }
            write!(f, ";{param}")?;
        }
        if asked || self.via.host.ip() != Some(self.source.ip()) {
            write!(f, ";received={}", self.source.ip())?;
        }
        Ok(())
    }
}
