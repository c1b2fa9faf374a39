//! One request, one answer, bounded in bytes and time.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, StatusCode, Uri,
    client::conn::http1,
    header::{CONNECTION, HOST, HeaderName, HeaderValue, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use sip_oauth_registration::client::Transport;
use sip_oauth_trust::Explanation;
use tokio::{task::JoinHandle, time::timeout};

use super::secret;
use crate::{
    connect::{ConnectError, Connector},
    observe::HttpEvent,
};

/// The head of an answer: more than any server of this world sends.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// A request to be made on a connection of its own. Without `Debug`: its body may hold a token.
pub(crate) struct Exchange<'a> {
    pub(crate) method: Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    /// What it is for, for the observer.
    pub(crate) subject: &'a str,
    pub(crate) max_body_bytes: usize,
    pub(crate) timeout: Duration,
}

/// What came back. The body is wiped when nobody holds it any more.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An answer of a token endpoint is a secret.
        write!(f, "Answer({}, <{} bytes>)", self.status, self.body.len())
    }
}

impl Exchange<'_> {
    /// Connects, asks, reads the whole answer, closes.
    pub(crate) async fn run(self, connector: &Connector) -> Result<Answer, HttpError> {
        let started_at = connector.clock().system_now();
        let (method, limit, subject) = (self.method.clone(), self.timeout, self.subject);
        let url = printable(self.uri);
        let outcome = timeout(limit, self.talk(connector))
            .await
            .unwrap_or(Err(HttpFailure::TimedOut(limit)))
            .map_err(|failure| HttpError {
                url: url.clone(),
                failure,
            });
        let error = outcome.as_ref().err().map(ToString::to_string);
        let (status, body_bytes) = match &outcome {
            Ok(answer) => (Some(answer.status.as_u16()), answer.body.len()),
            Err(_) => (None, 0),
        };
        tracing::debug!(%method, %url, subject, ?status, body_bytes, ?error, "http");
        connector.observed().http(&HttpEvent {
            method: method.as_str(),
            url: &url,
            subject,
            status,
            body_bytes,
            error: error.as_deref(),
            started_at,
            ended_at: connector.clock().system_now(),
        });
        outcome
    }

    async fn talk(self, connector: &Connector) -> Result<Answer, HttpFailure> {
        let (transport, default_port) = match self.uri.scheme_str() {
            Some("http") => (Transport::Tcp, 80),
            Some("https") => (Transport::Tls, 443),
            _ => return Err(HttpFailure::NotHttp),
        };
        let authority = self.uri.authority().ok_or(HttpFailure::NotHttp)?;
        let port = authority.port_u16().unwrap_or(default_port);
        // The authority of the URL without user information, which never goes into a Host field.
        let host = match authority.port() {
            Some(port) => format!("{}:{port}", authority.host()),
            None => authority.host().to_owned(),
        };
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.uri.path_and_query().map_or("/", |path| path.as_str()))
            .header(HOST, host)
            .header(CONNECTION, "close")
            .header(USER_AGENT, concat!("sip-oauth/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(self.body))
            .map_err(|_| HttpFailure::NotHttp)?;
        for (name, value) in self.headers {
            request.headers_mut().insert(name, value);
        }

        let (stream, _) = connector
            .connect(authority.host(), port, transport)
            .await
            .map_err(|error| HttpFailure::Connect(Box::new(error)))?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await?;
        let _driver = AbortOnDrop(tokio::spawn(async move {
            // Its errors come out of `send_request` and the body as well.
            let _ = connection.await;
        }));
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: secret::read(body, self.max_body_bytes).await?,
        })
    }
}

/// Ends the connection's task when the exchange ends, in whichever way.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// `uri` without user information and query, either of which may hold a secret.
pub(crate) fn printable(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    let scheme = uri.scheme_str().unwrap_or("?");
    match uri.port_u16() {
        Some(port) => format!("{scheme}://{host}:{port}{}", uri.path()),
        None => format!("{scheme}://{host}{}", uri.path()),
    }
}

/// No answer to an HTTP request, and why.
#[derive(Debug)]
#[non_exhaustive]
pub struct HttpError {
    /// The URL without user information and query.
    pub url: String,
    /// What failed.
    pub failure: HttpFailure,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.url, self.failure)
    }
}

impl std::error::Error for HttpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.failure)
    }
}

impl HttpError {
    /// Who refused whom, if it was TLS that failed.
    pub fn explanation(&self) -> Option<&Explanation> {
        match &self.failure {
            HttpFailure::Connect(error) => error.explanation(),
            _ => None,
        }
    }
}

/// The step of an HTTP exchange that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpFailure {
    /// Not an absolute `http` or `https` URL.
    #[error("not an absolute http or https URL with a host")]
    NotHttp,
    /// There was no connection.
    #[error("{}", _0.failure)]
    Connect(Box<ConnectError>),
    /// The whole exchange took too long.
    #[error("no complete answer within {0:?}")]
    TimedOut(Duration),
    /// The body is larger than we take.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// What came back is not HTTP.
    #[error("the answer is not HTTP/1.1 or broke off: {0}")]
    Protocol(hyper::Error),
}

impl From<hyper::Error> for HttpFailure {
    fn from(error: hyper::Error) -> Self {
        Self::Protocol(error)
    }
}
