//! Which well-formed messages must be refused, and with which status code.
//!
//! A message that [`MessageView::parse`](crate::MessageView::parse) accepts has the right shape. Whether it says something
//! that can be acted on is checked here, so that the answer can be a response and not silence.
//!
//! | function | of whom | rules |
//! |---|---|---|
//! | [`request`] | every server and proxy | RFC 3261 sections 8.2, 16.3 and 18.3 |
//! | [`strict`] | who wants nothing of RFC 2543 | besides, section 8.1.1 |
//! | [`register`] | a registrar | besides, section 10.3 |
//! | [`response`] | who gets an answer | sections 8.1.3.3, 18.1.2 and 18.3 |
//!
//! Not here is what takes a memory or a decision: merged requests and loops, who the user is,
//! whether the address is served.

mod content;
mod request;
mod response;

use std::collections::BTreeSet;
use std::fmt;

pub use self::request::{register, request, strict};
pub use self::response::{Recipient, response};

use crate::header::{ProxyRequire, Require};
use crate::{HeaderName, Headers, MessageView, Method, ParseError, StatusCode, TypedHeader};

/// A request that must be refused. An ACK is never answered: it is dropped where it is refused
/// (RFC 3261 section 17.1.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status code to answer.
    pub status: StatusCode,
    /// What was wrong.
    pub cause: Cause,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A version other than SIP/2.0.
    Version,
    /// The Request-URI is no URI.
    RequestUri(ParseError),
    /// A Request-URI of a scheme that is not served.
    Scheme,
    /// A mandatory header field is missing (RFC 3261 section 8.1.1).
    Missing(HeaderName<'static>),
    /// A header field that may stand once stands more often.
    Repeated(HeaderName<'static>),
    /// A mandatory header field breaks its grammar.
    Malformed(ParseError),
    /// The method of CSeq is not the one of the request (section 8.1.1.5).
    CSeqMethod,
    /// From has no tag (section 8.1.1.3).
    FromTag,
    /// Content-Length says more than there is (section 18.3).
    ContentLength,
    /// Max-Forwards is 0 and the request would have to go on (section 16.3).
    MaxForwards,
    /// Extensions are required that are not known (section 8.2.2.3).
    Extensions,
    /// A method that is known but not allowed here (section 8.2.1).
    MethodNotAllowed,
    /// A method that nobody here knows (section 21.5.2).
    MethodUnknown,
    /// A body, or a part of one that is not optional, of a type that is not understood
    /// (section 8.2.3).
    MediaType,
    /// A body in an encoding that is not understood (section 8.2.3).
    Encoding,
    /// No body that could be answered with is accepted (section 21.4.7).
    Accept,
    /// The address-of-record of a REGISTER is no SIP URI (section 10.3 step 5).
    AddressOfRecord,
    /// `Contact: *` beside another Contact or without `Expires: 0` (section 10.3 step 6).
    Wildcard,
    /// A response whose topmost Via is another's (section 18.1.2).
    NotOurs,
    /// A response with more than one Via that goes no further (section 8.1.3.3).
    SeveralVias,
    /// A response that would go on to a broadcast or multicast address (RFC 4475 section 3.3.10).
    Broadcast,
}

/// What the element that checks is able to do. Begin with [`SERVER`](Self::SERVER) or
/// [`PROXY`](Self::PROXY); an empty list of methods or media types means that any will do.
///
/// ```
/// use sip_oauth_message::{check::Element, Method};
/// let registrar = Element { methods: &[Method::Register, Method::Options], ..Element::SERVER };
/// assert!(!registrar.forwards);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Element<'s> {
    /// Whether it would send the request on, so that Max-Forwards counts and Proxy-Require
    /// instead of Require, and neither the method nor the body is its business.
    pub forwards: bool,
    /// The option tags it knows.
    pub extensions: &'s [&'s str],
    /// The methods it allows.
    pub methods: &'s [Method<'s>],
    /// The media types it understands in a body, such as `application/sdp`.
    pub media_types: &'s [&'s str],
    /// The media types of the bodies it would answer with.
    pub answers: &'s [&'s str],
}

impl Element<'_> {
    /// A user agent server or registrar without extensions.
    pub const SERVER: Element<'static> = Element {
        forwards: false,
        extensions: &[],
        methods: &[],
        media_types: &[],
        answers: &[],
    };
    /// A proxy without extensions.
    pub const PROXY: Element<'static> = Element {
        forwards: true,
        ..Element::SERVER
    };

    fn knows(&self, tag: &str) -> bool {
        self.extensions.iter().any(|e| e.eq_ignore_ascii_case(tag))
    }
}

impl Refusal {
    /// The phrase to answer.
    pub fn reason(&self) -> String {
        match self.cause {
            Cause::Version | Cause::Scheme | Cause::MaxForwards | Cause::Extensions => {
                self.status.default_reason().to_owned()
            }
            other => format!("{} ({other})", self.status.default_reason()),
        }
    }

    /// Adds the header fields that the answer must have beside those of every response: Allow
    /// in a 405, Accept or Accept-Encoding in a 415, Unsupported in a 420
    /// (RFC 3261 sections 21.4.6, 21.4.13 and 21.4.15).
    pub fn push_headers(
        &self,
        request: &MessageView<'_>,
        element: &Element<'_>,
        headers: &mut Headers,
    ) {
        match self.cause {
            Cause::MethodNotAllowed => {
                let methods: Vec<_> = element.methods.iter().map(Method::as_str).collect();
                headers.push(HeaderName::Allow, methods.join(", "));
            }
            Cause::MediaType => headers.push(HeaderName::Accept, element.media_types.join(", ")),
            Cause::Encoding => headers.push(HeaderName::AcceptEncoding, "identity"),
            Cause::Extensions => {
                headers.push(
                    HeaderName::Unsupported,
                    unsupported(request, element).join(", "),
                );
            }
            _ => {}
        }
    }
}

/// The option tags a request requires that the element does not know, each once and in order: what
/// belongs into Unsupported. Fields that break their grammar have none.
///
/// None in a CANCEL and in an ACK, where they MUST be ignored (RFC 3261 section 8.2.2.3).
pub fn unsupported<'a>(request: &MessageView<'a>, element: &Element<'_>) -> Vec<&'a str> {
    if requires_nothing(request) {
        return Vec::new();
    }
    let mut tags: Vec<&str> = if element.forwards {
        let tags = request.all::<ProxyRequire<'a>>().flatten();
        tags.map(|tag| tag.as_str()).collect()
    } else {
        let tags = request.all::<Require<'a>>().flatten();
        tags.map(|tag| tag.as_str()).collect()
    };
    let mut seen = BTreeSet::new();
    tags.retain(|tag| !element.knows(tag) && seen.insert(tag.to_ascii_lowercase()));
    tags
}

/// Whether it is a CANCEL or an ACK. That of an ACK for a 2xx requires what its INVITE did, which was
/// judged.
fn requires_nothing(request: &MessageView<'_>) -> bool {
    matches!(request.method(), Some(Method::Cancel | Method::Ack))
}

/// All values of a header field that must be there, none of them malformed; the first one.
fn required<'a, H: TypedHeader<'a>>(view: &MessageView<'a>, list: bool) -> Result<H, Cause> {
    let mut first = None;
    for value in view.all::<H>() {
        let value = value.map_err(Cause::Malformed)?;
        match &first {
            None => first = Some(value),
            Some(_) if list => {}
            Some(_) => return Err(Cause::Repeated(H::NAME)),
        }
    }
    first.ok_or(Cause::Missing(H::NAME))
}

/// Whether Content-Length says more than there is.
fn is_cut_short(view: &MessageView<'_>) -> bool {
    let declared = view.content_length();
    declared.is_some_and(|length| length as usize > view.body().len())
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version => f.write_str("the version is not SIP/2.0"),
            Self::RequestUri(error) => write!(f, "Request-URI: {error}"),
            Self::Scheme => f.write_str("the scheme of the Request-URI is not served"),
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Repeated(name) => write!(f, "{name} is there more than once"),
            Self::Malformed(error) => error.fmt(f),
            Self::CSeqMethod => f.write_str("the method of CSeq is another"),
            Self::FromTag => f.write_str("From has no tag"),
            Self::ContentLength => f.write_str("the body is shorter than Content-Length"),
            Self::MaxForwards => f.write_str("Max-Forwards is 0"),
            Self::Extensions => f.write_str("an extension is required that is not known"),
            Self::MethodNotAllowed => f.write_str("the method is not allowed"),
            Self::MethodUnknown => f.write_str("the method is not known"),
            Self::MediaType => f.write_str("the type of the body is not understood"),
            Self::Encoding => f.write_str("the encoding of the body is not understood"),
            Self::Accept => f.write_str("nothing is accepted that could be answered"),
            Self::AddressOfRecord => f.write_str("To is no SIP address-of-record"),
            Self::Wildcard => f.write_str("Contact * stands alone and with Expires 0 only"),
            Self::NotOurs => f.write_str("the topmost Via is another's"),
            Self::SeveralVias => f.write_str("there is a Via below ours"),
            Self::Broadcast => f.write_str("the next Via is a broadcast or multicast address"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}: {}",
            self.status,
            self.status.default_reason(),
            self.cause
        )
    }
}

impl std::error::Error for Refusal {}
