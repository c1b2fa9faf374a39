//! Messages that are owned, changed and written.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::io::Write as _;

use crate::header::ContentLength;
use crate::headers::{Entry, Headers};
use crate::start_line::VERSION;
use crate::typed::TypedHeader;
use crate::uri::Redacted;
use crate::{HeaderName, Method, ParseError, StatusCode, Uri};

/// A request that can be changed and written.
///
/// ```
/// use sip_oauth_message::{HeaderName, Limits, MessageView, Method, Request, Uri};
/// let mut request = Request::new(Method::Register, Uri::parse("sip:ucm.example.com")?);
/// request.headers.push(HeaderName::CSeq, "1 REGISTER");
/// let bytes = request.to_bytes();
/// assert!(bytes.ends_with(b"CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"));
/// let view = MessageView::parse(&bytes, &Limits::default())?;
/// assert_eq!(view.to_request().unwrap().method, Method::Register);
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method<'static>,
    /// As in a request line: without blanks and control characters.
    pub(crate) uri: String,
    pub(crate) version: Cow<'static, str>,
    /// The header fields.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// A response that can be changed and written.
///
/// ```
/// use sip_oauth_message::{HeaderName, Response, StatusCode};
/// let mut response = Response::new(StatusCode::FORBIDDEN);
/// response.headers.push(HeaderName::RetryAfter, 35);
/// assert_eq!(response.to_bytes(), b"SIP/2.0 403 Forbidden\r\nRetry-After: 35\r\nContent-Length: 0\r\n\r\n");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    pub(crate) version: Cow<'static, str>,
    /// The status code.
    pub status: StatusCode,
    /// The reason phrase, for people; a control character in it is written as a space.
    pub reason: String,
    /// The header fields.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without header fields and body.
    pub fn new(method: Method<'_>, uri: Uri<'_>) -> Self {
        Self {
            method: method.into_owned(),
            uri: uri.as_str().to_owned(),
            version: Cow::Borrowed(VERSION),
            headers: Headers::new(),
            body: Vec::new(),
        }
    }

    /// The Request-URI as written; [`request_uri`](Self::request_uri) reads it.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The Request-URI, read.
    ///
    /// # Errors
    ///
    /// When this is a copy of a request whose Request-URI is no URI.
    pub fn request_uri(&self) -> Result<Uri<'_>, ParseError> {
        Uri::parse(&self.uri)
    }

    /// Gives the request another Request-URI.
    pub fn set_uri(&mut self, uri: Uri<'_>) {
        uri.as_str().clone_into(&mut self.uri);
    }

    /// The version as written: `SIP/2.0` in all that is not a copy of something else.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Appends the message to `out`.
    ///
    /// Content-Length is written where it stands and always tells the length of the body; it is
    /// appended where it is absent.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (method, uri, version) = (&self.method, &self.uri, &self.version);
        put(out, format_args!("{method} {uri} {version}\r\n"));
        encode(&self.headers, &self.body, out);
    }

    /// The message as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(capacity(&self.headers, &self.body));
        self.encode(&mut out);
        out
    }
}

impl Response {
    /// A response with the usual phrase, without header fields and body.
    pub fn new(status: StatusCode) -> Self {
        Self {
            version: Cow::Borrowed(VERSION),
            status,
            reason: status.default_reason().to_owned(),
            headers: Headers::new(),
            body: Vec::new(),
        }
    }

    /// The version as written, as in [`Request::version`].
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Appends the message to `out`; Content-Length as in [`Request::encode`].
    pub fn encode(&self, out: &mut Vec<u8>) {
        put(out, format_args!("{} {} ", self.version, self.status));
        phrase(out, &self.reason);
        encode(&self.headers, &self.body, out);
    }

    /// The message as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(capacity(&self.headers, &self.body));
        self.encode(&mut out);
        out
    }
}

/// What a message lets be asked of its header fields.
macro_rules! asks_headers {
    ($message:ident) => {
        impl $message {
            /// The first value of a typed field, if there is one.
            ///
            /// # Errors
            ///
            /// When the value breaks its grammar.
            pub fn header<'s, H: TypedHeader<'s>>(&'s self) -> Result<Option<H>, ParseError> {
                self.headers.header()
            }

            /// The first value of a typed field that must be there.
            ///
            /// # Errors
            ///
            /// When there is none, or when it breaks its grammar.
            pub fn required<'s, H: TypedHeader<'s>>(&'s self) -> Result<H, ParseError> {
                self.headers.required()
            }

            /// All values of a typed field.
            pub fn all<'s, H: TypedHeader<'s>>(
                &'s self,
            ) -> impl Iterator<Item = Result<H, ParseError>> + use<'s, H> {
                self.headers.all()
            }
        }
    };
}

asks_headers!(Request);
asks_headers!(Response);

/// Credentials and passwords are not printed, nor is the body.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("uri", &Redacted(&self.uri).to_string())
            .field("version", &self.version)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// As for [`Request`].
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("version", &self.version)
            .field("status", &self.status)
            .field("reason", &self.reason)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// The version of a copy; the usual one is not allocated.
pub(crate) fn owned_version(text: &str) -> Cow<'static, str> {
    if text == VERSION {
        Cow::Borrowed(VERSION)
    } else {
        Cow::Owned(text.to_owned())
    }
}

/// Writes a reason phrase and the end of its line.
fn phrase(out: &mut Vec<u8>, text: &str) {
    let printable = |byte: u8| {
        if byte.is_ascii_control() && byte != b'\t' {
            b' '
        } else {
            byte
        }
    };
    out.extend(text.bytes().map(printable));
    out.extend_from_slice(b"\r\n");
}

fn encode(headers: &Headers, body: &[u8], out: &mut Vec<u8>) {
    let mut declared = false;
    for entry in headers.entries() {
        if entry.name() == HeaderName::ContentLength {
            declared = true;
            if !says(entry, body.len()) {
                put(out, format_args!("Content-Length: {}\r\n", body.len()));
                continue;
            }
        }
        out.extend_from_slice(entry.text().as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if !declared {
        put(out, format_args!("Content-Length: {}\r\n", body.len()));
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

fn says(entry: &Entry, length: usize) -> bool {
    ContentLength::parse(entry.value()).is_ok_and(|declared| declared.0 as usize == length)
}

fn put(out: &mut Vec<u8>, text: impl Display) {
    write!(out, "{text}").expect("writing to a Vec does not fail");
}

fn capacity(headers: &Headers, body: &[u8]) -> usize {
    let lines: usize = headers.entries().iter().map(|e| e.text().len() + 2).sum();
    lines + body.len() + 128
}
