//! The two jobs a message parser is timed at.

use std::borrow::Cow;
use std::hint::black_box;

use sip_oauth_message::header::{
    CSeq, CallId, Contact, ContentLength, Expires, From, MaxForwards, ProxyAuthorization, To,
    Transport, Via,
};
use sip_oauth_message::{Credentials, Limits, MessageView, Method, ParseError, Uri};

/// Finds the start line and the header fields.
///
/// # Errors
///
/// As [`MessageView::parse`].
#[inline]
pub fn head(bytes: &[u8]) -> Result<(), ParseError> {
    let view = MessageView::parse(bytes, &Limits::default())?;
    black_box(&view);
    Ok(())
}

/// Finds what [`head`] finds with httparse, which wants a message in the shape of HTTP.
///
/// # Errors
///
/// When httparse does not find a whole head.
#[inline]
pub fn http_head(bytes: &[u8]) -> Result<usize, httparse::Error> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let (status, count) = if bytes.starts_with(b"HTTP/") {
        let mut response = httparse::Response::new(&mut fields);
        let status = response.parse(bytes)?;
        black_box(&response);
        (status, response.headers.len())
    } else {
        let mut request = httparse::Request::new(&mut fields);
        let status = request.parse(bytes)?;
        black_box(&request);
        (status, request.headers.len())
    };
    match status {
        httparse::Status::Complete(_) => Ok(count),
        httparse::Status::Partial => Err(httparse::Error::NewLine),
    }
}

/// Finds the start line and the header fields, types the ten that a registrar looks at and reads
/// their values.
///
/// # Errors
///
/// When the message or one of the ten breaks its grammar.
#[inline]
pub fn ten_headers(bytes: &[u8]) -> Result<TenHeaders<'_>, ParseError> {
    TenHeaders::read(&MessageView::parse(bytes, &Limits::default())?)
}

/// The values that are read; of a list, those of the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenHeaders<'a> {
    /// Transport, host, port and branch.
    pub via: Option<(Transport<'a>, &'a str, Option<u16>, Option<&'a str>)>,
    /// User, host and tag.
    pub from: Option<(&'a str, &'a str, Option<&'a str>)>,
    /// User, host and tag.
    pub to: Option<(&'a str, &'a str, Option<&'a str>)>,
    /// As written.
    pub call_id: Option<&'a str>,
    /// Number and method.
    pub cseq: Option<(u32, Method<'a>)>,
    /// User, host and port.
    pub contact: Option<(&'a str, &'a str, Option<u16>)>,
    /// `+sip.instance` and `expires` of that Contact.
    pub binding: Option<(Option<Cow<'a, str>>, Option<u32>)>,
    /// What proves who sends it.
    pub proxy_authorization: Option<Proof<'a>>,
    /// Hops left.
    pub max_forwards: Option<u8>,
    /// Bytes.
    pub content_length: Option<u32>,
    /// Seconds.
    pub expires: Option<u32>,
}

/// What Proxy-Authorization holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof<'a> {
    /// The length of an access token.
    Bearer(usize),
    /// The user name of a digest.
    Digest(Option<&'a str>),
    /// Another scheme.
    Other(&'a str),
}

impl<'a> TenHeaders<'a> {
    fn read(view: &MessageView<'a>) -> Result<Self, ParseError> {
        let user_and_host = |uri: Uri<'a>| {
            let host = uri.host().map_or("", |host| host.as_str());
            (uri.user().unwrap_or_default(), host)
        };
        let contact = view.header::<Contact<'_>>()?;
        Ok(Self {
            via: view.header::<Via<'_>>()?.map(|via| {
                (
                    via.transport(),
                    via.host().as_str(),
                    via.port(),
                    via.branch(),
                )
            }),
            from: view.header::<From<'_>>()?.map(|from| {
                let (user, host) = user_and_host(from.uri());
                (user, host, from.tag())
            }),
            to: view.header::<To<'_>>()?.map(|to| {
                let (user, host) = user_and_host(to.uri());
                (user, host, to.tag())
            }),
            call_id: view.header::<CallId<'_>>()?.map(|call_id| call_id.as_str()),
            cseq: view
                .header::<CSeq<'_>>()?
                .map(|cseq| (cseq.number(), cseq.method().clone())),
            contact: contact.as_ref().and_then(Contact::uri).map(|uri| {
                let (user, host) = user_and_host(uri);
                (user, host, uri.port())
            }),
            binding: contact.map(|contact| (contact.instance(), contact.expires())),
            proxy_authorization: view
                .header::<ProxyAuthorization<'_>>()?
                .map(|header| Proof::of(&header.credentials())),
            max_forwards: view.header::<MaxForwards>()?.map(|hops| hops.0),
            content_length: view.header::<ContentLength>()?.map(|length| length.0),
            expires: view.header::<Expires>()?.map(|seconds| seconds.0),
        })
    }
}

impl<'a> Proof<'a> {
    fn of(credentials: &Credentials<'a>) -> Self {
        match credentials {
            Credentials::Bearer(bearer) => Self::Bearer(bearer.expose().len()),
            Credentials::Digest(digest) => {
                Self::Digest(digest.username().map(|name| name.as_written()))
            }
            Credentials::Other(other) => Self::Other(other.scheme()),
        }
    }
}
