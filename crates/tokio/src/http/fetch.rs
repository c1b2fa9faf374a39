//! The configuration server: `http://<node>:6970/<device>.cnf.xml` and its HTTPS forms.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hyper::{
    Method, StatusCode, Uri,
    header::{AUTHORIZATION, LOCATION},
    http::uri::PathAndQuery,
};

use sip_oauth_token::AccessToken;
use zeroize::Zeroizing;

use super::{
    exchange::{Answer, Exchange, HttpError, HttpFailure, printable},
    secret::credentials,
};
use crate::connect::Connector;

/// Fetches device configuration files, bounded in size, time and redirects.
///
/// Plain `http` needs nothing; `https` (ports 6971 and 6972) needs a [`Connector`] with a TLS configuration.
///
/// # Examples
///
/// ```
/// use sip_oauth_tokio::{ConfigFetch, Connector, StaticResolver};
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let nobody_known = Connector::new().with_resolver(Arc::new(StaticResolver::new()));
/// let error = ConfigFetch::new(nobody_known)
///     .get("http://ucm1.example.com:6970/CSFJDOE.cnf.xml")
///     .await
///     .unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "http://ucm1.example.com:6970/CSFJDOE.cnf.xml: the name cannot be resolved; check the DNS for it"
/// );
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ConfigFetch {
    connector: Connector,
    timeout: Duration,
    max_bytes: usize,
    max_redirects: u8,
    token: Option<AccessToken>,
}

impl ConfigFetch {
    /// Fetches through `connector`: within 15 s, at most 1 MiB (real files are 12-20 KB), at most 3 redirects.
    pub fn new(connector: Connector) -> Self {
        Self {
            connector,
            timeout: Duration::from_secs(15),
            max_bytes: 1024 * 1024,
            max_redirects: 3,
            token: None,
        }
    }

    /// Sets the time each request may take, connecting included.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the largest file taken.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Presents `token` as `Authorization: Bearer` (RFC 6750 section 2.1), over `https` only.
    ///
    /// Phones in SIP OAuth mode fetch their file from port 6971 "with the token for authentication"; in which header field
    /// is not published, so this one is our choice.
    #[must_use]
    pub fn token(mut self, token: AccessToken) -> Self {
        self.token = Some(token);
        self
    }

    /// Sets how many redirects are followed; they may change path and port, never the host, and never from `https` to
    /// `http`.
    #[must_use]
    pub fn max_redirects(mut self, max_redirects: u8) -> Self {
        self.max_redirects = max_redirects;
        self
    }

    /// Fetches the file at `url`.
    ///
    /// # Errors
    ///
    /// [`FetchError`]: one sentence saying what, where and what to do.
    pub async fn get(&self, url: &str) -> Result<FetchedConfig, FetchError> {
        let mut uri: Uri = url.parse().map_err(|_| FetchError {
            url: url.escape_default().take(200).collect(),
            failure: FetchFailure::Http(HttpFailure::NotHttp),
        })?;
        let mut left = self.max_redirects;
        loop {
            let answer = self.once(&uri).await?;
            let failed = |failure| FetchError {
                url: printable(&uri),
                failure,
            };
            match answer.status {
                StatusCode::OK => {
                    return Ok(FetchedConfig {
                        url: printable(&uri),
                        bytes: answer.body,
                        fetched_at: self.connector.clock().system_now(),
                    });
                }
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    let next = redirect(&uri, &answer).map_err(failed)?;
                    left = left.checked_sub(1).ok_or_else(|| {
                        failed(FetchFailure::TooManyRedirects(self.max_redirects))
                    })?;
                    uri = next;
                }
                StatusCode::NOT_FOUND => return Err(failed(FetchFailure::NotFound)),
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    return Err(failed(FetchFailure::Denied(answer.status.as_u16())));
                }
                other => return Err(failed(FetchFailure::Status(other.as_u16()))),
            }
        }
    }

    /// The time by the clock of the connector.
    pub(super) fn now(&self) -> SystemTime {
        self.connector.clock().system_now()
    }

    async fn once(&self, uri: &Uri) -> Result<Answer, FetchError> {
        let subject = uri.path().rsplit('/').next().unwrap_or_default();
        let token = self
            .token
            .as_ref()
            .filter(|_| uri.scheme_str() == Some("https"));
        let authorization = token.and_then(|token| {
            let text = Zeroizing::new(["Bearer ", token.expose()].concat());
            Some((AUTHORIZATION, credentials(text)?))
        });
        Exchange {
            method: Method::GET,
            uri,
            headers: Vec::from_iter(authorization),
            body: Bytes::new(),
            subject,
            max_body_bytes: self.max_bytes,
            timeout: self.timeout,
        }
        .run(&self.connector)
        .await
        .map_err(|HttpError { url, failure }| FetchError {
            url,
            failure: FetchFailure::Http(failure),
        })
    }
}

/// Where a redirect leads, if it may lead there.
pub(crate) fn redirect(from: &Uri, answer: &Answer) -> Result<Uri, FetchFailure> {
    let target = answer
        .headers
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .ok_or(FetchFailure::BadRedirect)?;
    let to: Uri = target.parse().map_err(|_| FetchFailure::BadRedirect)?;
    if to.host().is_none() {
        // A path on the same server (RFC 9110 section 10.2.2). Paths without a leading slash are refused, and so is the
        // network-path form `//host/path`, which would name another server.
        let mut parts = from.clone().into_parts();
        parts.path_and_query = to.path_and_query().cloned();
        return match parts.path_and_query.as_ref().map(PathAndQuery::as_str) {
            Some(path) if path.starts_with('/') && !path.starts_with("//") => {
                Uri::from_parts(parts).map_err(|_| FetchFailure::BadRedirect)
            }
            _ => Err(FetchFailure::BadRedirect),
        };
    }
    let same_host = match (from.host(), to.host()) {
        (Some(from), Some(to)) => from.eq_ignore_ascii_case(to),
        _ => false,
    };
    let downgraded = from.scheme_str() == Some("https") && to.scheme_str() != Some("https");
    if same_host && !downgraded {
        Ok(to)
    } else {
        Err(FetchFailure::RedirectElsewhere(printable(&to)))
    }
}

/// A file as the configuration server gave it.
#[derive(Clone)]
#[non_exhaustive]
pub struct FetchedConfig {
    /// The URL it came from, after redirects.
    pub url: String,
    /// The file.
    pub bytes: Bytes,
    /// When it came, by the [`Clock`](crate::Clock).
    pub fetched_at: SystemTime,
}

impl FetchedConfig {
    /// A file that was fetched from `url` at `fetched_at` and kept elsewhere since, on disk for example.
    pub fn new(url: impl Into<String>, bytes: impl Into<Bytes>, fetched_at: SystemTime) -> Self {
        Self {
            url: url.into(),
            bytes: bytes.into(),
            fetched_at,
        }
    }

    /// How old this copy is at `now`; zero when `now` is earlier.
    pub fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.fetched_at).unwrap_or_default()
    }
}

impl fmt::Debug for FetchedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Device files hold passwords (`sshPassword`, `authPassword`).
        f.debug_struct("FetchedConfig")
            .field("url", &self.url)
            .field("bytes", &self.bytes.len())
            .field("fetched_at", &self.fetched_at)
            .finish()
    }
}

/// A configuration file could not be had: what, where, what to do.
#[derive(Debug)]
#[non_exhaustive]
pub struct FetchError {
    /// The URL without user information and query.
    pub url: String,
    /// What failed.
    pub failure: FetchFailure,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.url, self.failure)
    }
}

impl std::error::Error for FetchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.failure)
    }
}

/// Why a configuration file could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchFailure {
    /// There was no whole answer.
    #[error(transparent)]
    Http(HttpFailure),
    /// The server does not have the file.
    #[error("not found (404); check the device name, and that the device exists in that cluster")]
    NotFound,
    /// The server wants to know who asks.
    #[error("refused ({0}); this server wants credentials for the file")]
    Denied(u16),
    /// Another status than 200.
    #[error(
        "status {0} instead of 200; check that this is the node's configuration (TFTP) service"
    )]
    Status(u16),
    /// A redirect without a usable target.
    #[error("redirected without a usable Location")]
    BadRedirect,
    /// A redirect to another host, or from https to http.
    #[error(
        "redirected to {0}, which is another server or not https any more; ask there yourself if you trust it"
    )]
    RedirectElsewhere(String),
    /// A chain of redirects.
    #[error("redirected more than {0} times")]
    TooManyRedirects(u8),
}

#[cfg(test)]
mod tests {
    use hyper::{HeaderMap, header::HeaderValue};

    use super::*;

    fn answer(location: &'static str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_static(location));
        Answer {
            status: StatusCode::FOUND,
            headers,
            body: Bytes::new(),
        }
    }

    /// Location of the answer to `https://a.example.com:6972/x` and where it leads.
    const REDIRECTS: &[(&str, Option<&str>)] = &[
        ("/y", Some("https://a.example.com:6972/y")),
        ("https://a.example.com/y", Some("https://a.example.com/y")),
        ("https://A.example.com/y", Some("https://A.example.com/y")),
        ("http://a.example.com:6970/y", None),
        ("https://b.example.com/y", None),
        ("//b.example.com/y", None),
        ("y", None),
        ("", None),
    ];

    #[test]
    fn redirects_stay_on_the_host_and_never_lose_tls() {
        let from: Uri = "https://a.example.com:6972/x".parse().unwrap();
        for &(location, expected) in REDIRECTS {
            let to = redirect(&from, &answer(location)).ok();
            assert_eq!(
                to.map(|to| to.to_string()).as_deref(),
                expected,
                "{location}"
            );
        }
    }

    #[test]
    fn a_url_is_printed_without_user_information_and_query() {
        let uri: Uri = "https://me:secret@a.example.com:8443/axl/?token=x"
            .parse()
            .unwrap();
        assert_eq!(printable(&uri), "https://a.example.com:8443/axl/");
    }
}
