//! A request and its answer as they travel: SOAP envelope, version, sequence number.

use std::fmt;

use crate::{
    answer::Answer,
    document::Document,
    element::Element,
    error::{ReadError, ReadErrorKind},
    fault::{FAULT, Fault},
    limits::Limits,
    operation::{Operation, SoapAction},
    request::Request,
    version::{NAMESPACE_PREFIX, Version},
    writer::Writer,
};

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// A request ready for HTTP: `POST /axl/` to port 8443 with this header and this body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The value of the `SOAPAction` header, quotes included.
    pub soap_action: String,
    /// The body.
    pub body: String,
}

impl Envelope {
    /// The `Content-Type` of bodies in both directions.
    pub const CONTENT_TYPE: &'static str = "text/xml; charset=utf-8";
    /// Where a Unified CM takes requests.
    pub const PATH: &'static str = "/axl/";
}

/// A request with its version and sequence number.
///
/// ```
/// use sip_oauth_axl::{Answer, Call, ClusterSipOAuthMode, ExecuteSqlQuery, Limits, Version};
///
/// let call = Call {
///     version: Version::V12_5,
///     sequence: Some(7),
///     request: ExecuteSqlQuery::cluster_sip_oauth_mode().into(),
/// };
/// let sent = call.encode();
/// let received = Call::decode(sent.body.as_bytes(), Some(&sent.soap_action), &Limits::default())?;
/// assert_eq!(received, call);
///
/// let reply = received.reply(Answer::ExecuteSqlQuery(ClusterSipOAuthMode::Enabled.to_rows()));
/// assert_eq!(reply.sequence, Some(7));
/// # Ok::<(), sip_oauth_axl::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The schema version.
    pub version: Version,
    /// The `sequence` attribute, which the answer repeats.
    pub sequence: Option<u64>,
    /// The request.
    pub request: Request,
}

impl Call {
    /// A call without a sequence number.
    pub fn new(version: Version, request: impl Into<Request>) -> Self {
        Self {
            version,
            sequence: None,
            request: request.into(),
        }
    }

    /// Writes header and body.
    pub fn encode(&self) -> Envelope {
        encode_request(self.version, self.sequence, &self.request)
    }

    /// Reads the body of an HTTP request, and its `SOAPAction` header when it has one.
    ///
    /// Elements go by their local names whatever their prefix. The version is the header's, or the
    /// namespace's when the header is absent or empty; where both name one they must agree. An
    /// element the schema does not have is refused, the order of elements is not looked at.
    ///
    /// # Errors
    ///
    /// [`ReadError`] with element path and byte offset; nothing of the request takes effect then,
    /// and [`Fault::unreadable`] makes the answer.
    pub fn decode(
        body: &[u8],
        soap_action: Option<&str>,
        limits: &Limits,
    ) -> Result<Self, ReadError> {
        let action = read_action(soap_action)?;
        let document = Document::parse(body, limits)?;
        let element = open_envelope(&document)?;
        let operation = Operation::from_name(element.name())
            .ok_or_else(|| element.unexpected("of a known operation"))?;
        let header_operation = action.and_then(|action| action.operation);
        if let Some(header) = header_operation.filter(|header| *header != operation) {
            return Err(element.error(ReadErrorKind::OperationMismatch {
                header,
                body: operation,
            }));
        }
        Ok(Self {
            version: agree(action.map(|action| action.version), element)?,
            sequence: sequence(element)?,
            request: Request::read(operation, element)?,
        })
    }

    /// The reply to this call: same version, same sequence number.
    pub fn reply(&self, answer: Answer) -> Reply {
        Reply {
            version: Some(self.version),
            sequence: self.sequence,
            answer,
        }
    }
}

/// An answer with its version and sequence number. A fault has neither on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The schema version; none when the answer's namespace names none.
    pub version: Option<Version>,
    /// The request's `sequence` attribute.
    pub sequence: Option<u64>,
    /// The answer.
    pub answer: Answer,
}

impl From<Fault> for Reply {
    fn from(fault: Fault) -> Self {
        Self {
            version: None,
            sequence: None,
            answer: Answer::Fault(fault),
        }
    }
}

impl Reply {
    /// The HTTP status to send with it: 500 for a fault (SOAP 1.1 section 6.2), else 200.
    pub fn http_status(&self) -> u16 {
        match self.answer {
            Answer::Fault(_) => 500,
            _ => 200,
        }
    }

    /// Writes the body.
    pub fn encode(&self) -> String {
        let mut writer = Writer::default();
        envelope(&mut writer, None, |w| match &self.answer {
            Answer::Fault(fault) => fault.write(w),
            answer => {
                let name = answer.operation().map_or("", Operation::response_name);
                let namespace = self.version.map(Version::namespace);
                let mut attributes: Vec<(&str, &dyn fmt::Display)> = Vec::new();
                if let Some(namespace) = &namespace {
                    attributes.push(("xmlns:ns", namespace));
                }
                if let Some(sequence) = &self.sequence {
                    attributes.push(("sequence", sequence));
                }
                let qualified = match namespace {
                    Some(_) => format!("ns:{name}"),
                    None => name.to_owned(),
                };
                w.element(&qualified, &attributes, |w| {
                    w.element("return", &[], |w| answer.write_return(w));
                });
            }
        });
        writer.finish()
    }

    /// Reads the body of an HTTP response as the answer to `operation`, or as a fault.
    ///
    /// Elements this crate does not know are passed over: a later Unified CM may say more.
    ///
    /// # Errors
    ///
    /// [`ReadError`] with element path and byte offset, also for the answer of another operation.
    pub fn decode(body: &[u8], operation: Operation, limits: &Limits) -> Result<Self, ReadError> {
        let document = Document::parse(body, limits)?;
        let element = open_envelope(&document)?;
        if element.name() == FAULT {
            return Fault::read(element).map(Self::from);
        }
        if element.name() != operation.response_name() {
            return Err(element.unexpected(operation.response_name()));
        }
        Ok(Self {
            version: namespace_version(element),
            sequence: sequence(element)?,
            answer: Answer::read_return(operation, element.required("return")?, limits)?,
        })
    }
}

pub(crate) fn encode_request(
    version: Version,
    sequence: Option<u64>,
    request: &Request,
) -> Envelope {
    let operation = request.operation();
    let mut writer = Writer::default();
    envelope(&mut writer, Some(version), |w| {
        let mut attributes: Vec<(&str, &dyn fmt::Display)> = Vec::new();
        if let Some(sequence) = &sequence {
            attributes.push(("sequence", sequence));
        }
        w.element(&format!("ns:{operation}"), &attributes, |w| {
            request.write(w);
        });
    });
    let action = SoapAction {
        version,
        operation: Some(operation),
    };
    Envelope {
        soap_action: action.to_string(),
        body: writer.finish(),
    }
}

/// A request declares AXL's namespace outside and has an empty header, an answer neither.
fn envelope(writer: &mut Writer, version: Option<Version>, content: impl FnOnce(&mut Writer)) {
    let namespace = version.map(Version::namespace);
    let mut attributes: Vec<(&str, &dyn fmt::Display)> = vec![("xmlns:soapenv", &SOAP)];
    if let Some(namespace) = &namespace {
        attributes.push(("xmlns:ns", namespace));
    }
    writer.element("soapenv:Envelope", &attributes, |w| {
        if namespace.is_some() {
            w.empty("soapenv:Header", &[]);
        }
        w.element("soapenv:Body", &[], content);
    });
}

/// The one element inside `Envelope/Body`.
fn open_envelope(document: &Document) -> Result<Element<'_>, ReadError> {
    let root = document.root();
    if root.name() != "Envelope" {
        return Err(root.unexpected("Envelope"));
    }
    root.only(&["Header", "Body"])?;
    root.child("Header")?;
    let body = root.required("Body")?;
    let mut children = body.children();
    let first = children
        .next()
        .ok_or_else(|| body.error(ReadErrorKind::Missing("of an operation inside Body")))?;
    match children.next() {
        Some(second) => Err(second.unexpected("</Body>")),
        None => Ok(first),
    }
}

fn read_action(header: Option<&str>) -> Result<Option<SoapAction>, ReadError> {
    // SOAP 1.1 section 6.1.1: an empty value, in quotes or not, says nothing about the intent.
    let header = header.map(str::trim).unwrap_or_default();
    if matches!(header, "" | "\"\"") {
        return Ok(None);
    }
    header
        .parse()
        .map(Some)
        .map_err(|error| ReadError::new(ReadErrorKind::SoapAction(error), String::new(), 0))
}

fn namespace_version(element: Element<'_>) -> Option<Version> {
    let version = element.namespace()?.trim().strip_prefix(NAMESPACE_PREFIX)?;
    version.trim_end_matches('/').parse().ok()
}

fn agree(header: Option<Version>, element: Element<'_>) -> Result<Version, ReadError> {
    match (header, namespace_version(element)) {
        (Some(header), Some(body)) if header != body => {
            Err(element.error(ReadErrorKind::VersionMismatch { header, body }))
        }
        (Some(version), _) | (None, Some(version)) => Ok(version),
        (None, None) => Err(element.error(ReadErrorKind::NoVersion)),
    }
}

fn sequence(element: Element<'_>) -> Result<Option<u64>, ReadError> {
    let Some(text) = element.attribute("sequence") else {
        return Ok(None);
    };
    text.trim().parse().map(Some).map_err(|_| {
        element.error(ReadErrorKind::Value {
            expected: "an unsigned 64-bit number in the attribute sequence",
        })
    })
}
