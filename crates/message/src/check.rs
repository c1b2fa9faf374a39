//! Which well-formed requests must be refused, and with which status code.
//!
//! A message that [`MessageView::parse`] accepts has the right shape. Whether it says something
//! that can be acted on is checked here, so that the answer can be a response and not silence.

use std::fmt;

use crate::header::{CSeq, CallId, From, MaxForwards, ProxyRequire, Require, To, Via};
use crate::{ErrorKind, HeaderName, MessageView, ParseError, Scheme, StatusCode, TypedHeader};

/// A request that must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status code to answer.
    pub status: StatusCode,
    /// What was wrong.
    pub cause: Cause,
}

/// What is wrong with a request.
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
}

/// What the element that checks is able to do.
#[derive(Clone, Copy, Debug)]
pub struct Element<'s> {
    /// Whether it would send the request on, so that Max-Forwards counts and Proxy-Require
    /// instead of Require.
    pub forwards: bool,
    /// The option tags it knows.
    pub extensions: &'s [&'s str],
}

impl Element<'_> {
    /// A user agent server or registrar without extensions.
    pub const SERVER: Element<'static> = Element {
        forwards: false,
        extensions: &[],
    };
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
}

/// Checks a request as RFC 3261 sections 8.2 and 16.3 have it.
///
/// Requests without From tag, Max-Forwards or the `z9hG4bK` of a branch come from RFC 2543 and
/// are let through (sections 12.1.1, 16.3 and 17.2.3); [`strict`] refuses the first two.
///
/// # Errors
///
/// The first reason to refuse, with the status code to answer. Responses are never refused.
///
/// ```
/// use sip_oauth_message::{check, Limits, MessageView, StatusCode};
/// let bytes = b"OPTIONS sip:ucm.example.com SIP/2.0\r\n\
///     Via: SIP/2.0/TLS 192.0.2.7;branch=z9hG4bK1\r\n\
///     From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n\
///     Call-ID: 1\r\nCSeq: 8 INVITE\r\nMax-Forwards: 70\r\n\r\n";
/// let view = MessageView::parse(bytes, &Limits::default())?;
/// let refusal = check::request(&view, &check::Element::SERVER).unwrap_err();
/// assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
/// assert_eq!(refusal.reason(), "Bad Request (the method of CSeq is another)");
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
pub fn request(view: &MessageView<'_>, element: &Element<'_>) -> Result<(), Refusal> {
    let Some(line) = view.as_request() else {
        return Ok(());
    };
    if !line.version.eq_ignore_ascii_case("SIP/2.0") {
        return refuse(StatusCode::VERSION_NOT_SUPPORTED, Cause::Version);
    }
    required::<Via<'_>>(view, true)?;
    required::<From<'_>>(view, false)?;
    required::<To<'_>>(view, false)?;
    required::<CallId<'_>>(view, false)?;
    let cseq: CSeq<'_> = required(view, false)?;
    if *cseq.method() != line.method {
        return refuse(StatusCode::BAD_REQUEST, Cause::CSeqMethod);
    }
    if view
        .content_length()
        .is_some_and(|length| length as usize > view.body().len())
    {
        return refuse(StatusCode::BAD_REQUEST, Cause::ContentLength);
    }
    max_forwards(view, element)?;
    match line.request_uri() {
        Err(error) => return refuse(StatusCode::BAD_REQUEST, Cause::RequestUri(error)),
        Ok(uri) if matches!(uri.scheme(), Scheme::Other(_)) => {
            return refuse(StatusCode::UNSUPPORTED_URI_SCHEME, Cause::Scheme);
        }
        Ok(uri) if uri.is_sip() && !uri.headers().is_empty() => {
            let what = "a Request-URI without header fields";
            let error = ParseError::new(ErrorKind::Uri, 0, what);
            return refuse(StatusCode::BAD_REQUEST, Cause::RequestUri(error));
        }
        Ok(_) => {}
    }
    extensions(view, element)
}

/// As [`request`], and refuses what RFC 3261 has as mandatory but RFC 2543 did not know:
/// Max-Forwards and the tag of From.
///
/// # Errors
///
/// The first reason to refuse.
pub fn strict(view: &MessageView<'_>, element: &Element<'_>) -> Result<(), Refusal> {
    request(view, element)?;
    if view.as_request().is_some() {
        required::<MaxForwards>(view, false)?;
        let from: From<'_> = required(view, false)?;
        if from.tag().is_none() {
            return refuse(StatusCode::BAD_REQUEST, Cause::FromTag);
        }
    }
    Ok(())
}

fn refuse<T>(status: StatusCode, cause: Cause) -> Result<T, Refusal> {
    Err(Refusal { status, cause })
}

/// A header field that must be there, and all of whose values must be well formed.
fn required<'a, H: TypedHeader<'a>>(view: &MessageView<'a>, list: bool) -> Result<H, Refusal> {
    let bad = |cause| Refusal {
        status: StatusCode::BAD_REQUEST,
        cause,
    };
    let mut first = None;
    for value in view.all::<H>() {
        let value = value.map_err(|error| bad(Cause::Malformed(error)))?;
        match &first {
            None => first = Some(value),
            Some(_) if list => {}
            Some(_) => return Err(bad(Cause::Repeated(H::NAME))),
        }
    }
    first.ok_or_else(|| bad(Cause::Missing(H::NAME)))
}

fn max_forwards(view: &MessageView<'_>, element: &Element<'_>) -> Result<(), Refusal> {
    if view.fields_named(HeaderName::MaxForwards).next().is_none() {
        return Ok(());
    }
    let hops: MaxForwards = required(view, false)?;
    if element.forwards && hops.0 == 0 {
        return refuse(StatusCode::TOO_MANY_HOPS, Cause::MaxForwards);
    }
    Ok(())
}

fn extensions(view: &MessageView<'_>, element: &Element<'_>) -> Result<(), Refusal> {
    let known = |tag: &str| {
        element
            .extensions
            .iter()
            .any(|e| e.eq_ignore_ascii_case(tag))
    };
    let malformed = |error| Refusal {
        status: StatusCode::BAD_REQUEST,
        cause: Cause::Malformed(error),
    };
    let mut all_known = true;
    if element.forwards {
        for list in view.all::<ProxyRequire<'_>>() {
            all_known &= list.map_err(malformed)?.iter().all(known);
        }
    } else {
        for list in view.all::<Require<'_>>() {
            all_known &= list.map_err(malformed)?.iter().all(known);
        }
    }
    if all_known {
        Ok(())
    } else {
        refuse(StatusCode::BAD_EXTENSION, Cause::Extensions)
    }
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
