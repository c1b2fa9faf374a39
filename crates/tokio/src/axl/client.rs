//! One AXL request, one answer: `POST /axl/` with Basic authentication and a `SOAPAction`.

use std::{fmt, time::Duration};

use bytes::Bytes;
use hyper::{
    Method, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use sip_oauth_axl::{
    AnswerError, Call, Envelope, Fault, Limits, Operation, ReadError, SqlError, TypedRequest,
    Version,
};
use sip_oauth_trust::Explanation;

use crate::{
    connect::Connector,
    http::{Answer, Exchange, HttpError, HttpFailure, basic},
};

const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");

/// The account of an application user with the role Standard AXL API Access. Never printed.
#[derive(Clone)]
pub struct AxlCredentials(HeaderValue);

impl AxlCredentials {
    /// A user and a password for Basic authentication (RFC 7617).
    ///
    /// # Errors
    ///
    /// [`AxlFailure::UserName`] when the user's name holds a colon, which RFC 7617 section 2 forbids.
    pub fn new(user: &str, password: &str) -> Result<Self, AxlFailure> {
        if user.contains(':') || user.is_empty() {
            return Err(AxlFailure::UserName);
        }
        basic(user, password).map(Self).ok_or(AxlFailure::UserName)
    }
}

impl fmt::Debug for AxlCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AxlCredentials(..)")
    }
}

/// A client of one Unified CM's AXL service.
///
/// The [`Connector`] must hold a TLS configuration whose trust store knows the signer of the Tomcat certificate.
///
/// # Examples
///
/// ```
/// use sip_oauth_tokio::{AxlClient, AxlCredentials, Connector};
///
/// let credentials = AxlCredentials::new("axladmin", "not printed")?;
/// let client = AxlClient::new(Connector::new(), "cucm1.example.com", 8443, credentials)?;
/// assert!(!format!("{client:?}").contains("not printed"));
/// # Ok::<(), sip_oauth_tokio::AxlFailure>(())
/// ```
#[derive(Debug, Clone)]
pub struct AxlClient {
    connector: Connector,
    uri: Uri,
    credentials: AxlCredentials,
    version: Version,
    timeout: Duration,
    limits: Limits,
}

impl AxlClient {
    /// Speaks to `https://<host>:<port>/axl/` in schema version 14.0; each request may take 30 s.
    ///
    /// # Errors
    ///
    /// [`AxlFailure::Http`] when `host` cannot stand in a URL.
    pub fn new(
        connector: Connector,
        host: &str,
        port: u16,
        credentials: AxlCredentials,
    ) -> Result<Self, AxlFailure> {
        let authority = if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        let uri = Uri::builder()
            .scheme("https")
            .authority(authority)
            .path_and_query(Envelope::PATH)
            .build()
            .map_err(|_| AxlFailure::Http(HttpFailure::NotHttp))?;
        Ok(Self {
            connector,
            uri,
            credentials,
            version: Version::V14_0,
            timeout: Duration::from_secs(30),
            limits: Limits::default(),
        })
    }

    /// Sets the schema version.
    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Sets the time each request may take, connecting included.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the bounds of an answer.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Host and port of the service.
    pub(super) fn host(&self) -> String {
        self.uri
            .authority()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// Sends one request and reads its answer.
    ///
    /// # Errors
    ///
    /// [`AxlError`] with the operation and what to do.
    pub async fn call<R: TypedRequest>(&self, request: R) -> Result<R::Return, AxlError> {
        let failed = |failure| AxlError {
            host: self.host(),
            operation: R::OPERATION,
            failure,
        };
        let envelope = Call::new(self.version, request).encode();
        let action = HeaderValue::try_from(envelope.soap_action)
            .map_err(|_| failed(AxlFailure::Http(HttpFailure::NotHttp)))?;
        let answer = Exchange {
            method: Method::POST,
            uri: &self.uri,
            headers: vec![
                (AUTHORIZATION, self.credentials.0.clone()),
                (
                    CONTENT_TYPE,
                    HeaderValue::from_static(Envelope::CONTENT_TYPE),
                ),
                (SOAP_ACTION, action),
            ],
            body: Bytes::from(envelope.body),
            subject: R::OPERATION.name(),
            max_body_bytes: self.limits.max_bytes,
            timeout: self.timeout,
        }
        .run(&self.connector)
        .await
        .map_err(|HttpError { failure, .. }| failed(AxlFailure::Http(failure)))?;
        self.read::<R>(&answer).map_err(failed)
    }

    fn read<R: TypedRequest>(&self, answer: &Answer) -> Result<R::Return, AxlFailure> {
        let status = answer.status.as_u16();
        match answer.status {
            // SOAP 1.1 section 6.2: a fault travels with status 500.
            StatusCode::OK | StatusCode::INTERNAL_SERVER_ERROR => {}
            StatusCode::UNAUTHORIZED => return Err(AxlFailure::Unauthorized),
            StatusCode::FORBIDDEN => return Err(AxlFailure::Forbidden),
            StatusCode::NOT_FOUND => return Err(AxlFailure::NotFound),
            StatusCode::SERVICE_UNAVAILABLE => return Err(AxlFailure::Unavailable),
            _ => return Err(AxlFailure::Status(status)),
        }
        match R::read_answer(&answer.body, &self.limits) {
            Ok(value) if answer.status == StatusCode::OK => Ok(value),
            Err(AnswerError::Fault(fault)) => Err(AxlFailure::Fault(Box::new(fault))),
            Ok(_) => Err(AxlFailure::Status(status)),
            Err(_) if answer.status != StatusCode::OK => Err(AxlFailure::Status(status)),
            Err(AnswerError::Read(error)) => Err(AxlFailure::Unreadable(error)),
            Err(other) => Err(AxlFailure::OtherAnswer(other.to_string())),
        }
    }
}

/// An AXL request did not do what it was for: which, where, why, what to do.
#[derive(Debug)]
#[non_exhaustive]
pub struct AxlError {
    /// Host and port of the service.
    pub host: String,
    /// The operation.
    pub operation: Operation,
    /// What failed.
    pub failure: AxlFailure,
}

impl fmt::Display for AxlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "AXL {} at {}: {}",
            self.operation, self.host, self.failure
        )
    }
}

impl std::error::Error for AxlError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.failure)
    }
}

impl AxlError {
    /// Who refused whom, if it was TLS that failed.
    pub fn explanation(&self) -> Option<&Explanation> {
        match &self.failure {
            AxlFailure::Http(HttpFailure::Connect(error)) => error.explanation(),
            _ => None,
        }
    }
}

/// Why an AXL request failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AxlFailure {
    /// A user name that Basic authentication cannot carry.
    #[error("the AXL user's name is empty or holds a colon")]
    UserName,
    /// There was no whole answer.
    #[error(transparent)]
    Http(HttpFailure),
    /// The user or the password is wrong.
    #[error("credentials refused (401); check user and password of the application user")]
    Unauthorized,
    /// The user lacks the role.
    #[error("not permitted (403); give the user the role Standard AXL API Access")]
    Forbidden,
    /// Nothing serves `/axl/`.
    #[error("no AXL service there (404); activate Cisco AXL Web Service on that node")]
    NotFound,
    /// The service asks to be left alone for a while.
    #[error("the service is overloaded or starting (503); try again later")]
    Unavailable,
    /// Any other status.
    #[error("status {0} without a readable SOAP fault")]
    Status(u16),
    /// The service understood and refused.
    #[error("{0}")]
    Fault(Box<Fault>),
    /// The answer is not what the operation answers.
    #[error("answer: {0}")]
    Unreadable(ReadError),
    /// The answer is another operation's.
    #[error("answer: {0}")]
    OtherAnswer(String),
    /// The rows of a query do not say what was asked.
    #[error("answer: {0}")]
    Rows(SqlError),
}
