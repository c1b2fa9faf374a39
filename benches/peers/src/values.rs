//! What a peer is asked for, in a shape that costs it nothing to fill in.
//!
//! Texts are bytes and borrowed, since some peers lend `str`, some bytes and the C ones pointers:
//! nobody is charged for a copy or a UTF-8 check that its own interface does not ask for.

use std::net::IpAddr;

/// The start line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// The method of a request.
    Request(&'a [u8]),
    /// The status code of a response.
    Response(u16),
}

/// What the first job gives.
pub struct Head<'a> {
    pub start_line: StartLine<'a>,
    /// How many header fields there are; asked for when the answer is checked, not when it is timed.
    pub fields: &'a dyn Fn() -> usize,
}

/// What came of one header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading<'a, T> {
    /// The peer finds no such header.
    #[default]
    Absent,
    /// The peer types the header.
    Value(T),
    /// The peer has no type for it, and hands over its text.
    Text(&'a [u8]),
    /// The peer has a type for it, and could not make one of this.
    Refused,
}

/// What the second job gives; of a list, its first.
#[derive(Debug)]
pub struct TenValues<'a> {
    pub start_line: StartLine<'a>,
    pub via: Reading<'a, Via<'a>>,
    pub from: Reading<'a, Party<'a>>,
    pub to: Reading<'a, Party<'a>>,
    pub call_id: Reading<'a, &'a [u8]>,
    pub cseq: Reading<'a, (u32, &'a [u8])>,
    pub contact: Reading<'a, Contact<'a>>,
    pub proxy_authorization: Reading<'a, Proof<'a>>,
    pub max_forwards: Reading<'a, u32>,
    pub content_length: Reading<'a, u32>,
    pub expires: Reading<'a, u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    pub transport: &'a [u8],
    pub host: Host<'a>,
    pub port: Option<u16>,
    pub branch: Option<&'a [u8]>,
}

/// From and To.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party<'a> {
    pub user: Option<&'a [u8]>,
    pub host: Host<'a>,
    pub tag: Option<&'a [u8]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact<'a> {
    pub user: Option<&'a [u8]>,
    pub host: Host<'a>,
    pub port: Option<u16>,
    /// `+sip.instance`, with or without its quotes and angle brackets.
    pub instance: Option<&'a [u8]>,
    pub expires: Option<u32>,
}

/// What Proxy-Authorization holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof<'a> {
    /// An access token.
    Bearer(&'a [u8]),
    /// The user name of a digest.
    Digest(Option<&'a [u8]>),
    /// Something else, or a Bearer whose token is not reached.
    Other,
}

#[derive(Clone, Copy, Debug)]
pub enum Host<'a> {
    Text(&'a [u8]),
    Address(IpAddr),
}

impl PartialEq for Host<'_> {
    /// A name without regard to case, an address however it is written.
    fn eq(&self, other: &Self) -> bool {
        match (self.address(), other.address()) {
            (Some(left), Some(right)) => left == right,
            (None, None) => self.text().eq_ignore_ascii_case(other.text()),
            _ => false,
        }
    }
}

impl Eq for Host<'_> {}

impl<'a> Host<'a> {
    fn text(&self) -> &'a [u8] {
        match self {
            Self::Text(text) => text,
            Self::Address(_) => b"",
        }
    }

    fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Text(text) => {
                let text = std::str::from_utf8(text).ok()?;
                let inner = text
                    .strip_prefix('[')
                    .and_then(|rest| rest.strip_suffix(']'));
                inner.unwrap_or(text).parse().ok()
            }
        }
    }
}

impl<'a, T> Reading<'a, T> {
    /// Of a header that may be absent, and may not be read.
    pub fn of<E>(found: Option<Result<T, E>>) -> Self {
        match found {
            None => Self::Absent,
            Some(Ok(value)) => Self::Value(value),
            Some(Err(_)) => Self::Refused,
        }
    }

    /// Of a header that is typed when it is there.
    pub fn value(found: Option<T>) -> Self {
        found.map_or(Self::Absent, Self::Value)
    }

    /// Of one of several headers of this name, in order: the first counts.
    pub fn first(&mut self, found: Option<T>) {
        if matches!(self, Self::Absent) {
            *self = found.map_or(Self::Refused, Self::Value);
        }
    }

    /// As [`first`](Self::first), of a header that is there as text only.
    pub fn or_text(&mut self, text: &'a [u8]) {
        if matches!(self, Self::Absent) {
            *self = Self::Text(text);
        }
    }

    /// Of a header the peer does not type.
    pub fn text(found: Option<&'a [u8]>) -> Self {
        found.map_or(Self::Absent, Self::Text)
    }
}

impl<'a> TenValues<'a> {
    /// Nothing but the start line yet.
    pub fn new(start_line: StartLine<'a>) -> Self {
        Self {
            start_line,
            via: Reading::Absent,
            from: Reading::Absent,
            to: Reading::Absent,
            call_id: Reading::Absent,
            cseq: Reading::Absent,
            contact: Reading::Absent,
            proxy_authorization: Reading::Absent,
            max_forwards: Reading::Absent,
            content_length: Reading::Absent,
            expires: Reading::Absent,
        }
    }

    /// Whether the peer could not make one of the ten.
    pub fn refused(&self) -> bool {
        self.via == Reading::Refused
            || self.from == Reading::Refused
            || self.to == Reading::Refused
            || self.call_id == Reading::Refused
            || self.cseq == Reading::Refused
            || self.contact == Reading::Refused
            || self.proxy_authorization == Reading::Refused
            || self.max_forwards == Reading::Refused
            || self.content_length == Reading::Refused
            || self.expires == Reading::Refused
    }
}
