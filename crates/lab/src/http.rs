//! The small HTTP server behind port 6970 and port 8443.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

/// More than any configuration file or AXL request takes.
const MAX_BODY_BYTES: usize = 1 << 20;
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers requests whose body has been read.
pub(crate) trait Answers: Send + Sync + 'static {
    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes>;
}

/// A running server; it stops when dropped.
#[derive(Debug)]
pub(crate) struct HttpServer {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl HttpServer {
    /// Serves on `listener`, over TLS if there is an acceptor.
    ///
    /// # Errors
    ///
    /// The listener's, if it does not know its own address.
    pub(crate) fn start(
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        service: Arc<dyn Answers>,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            // Dropped with this task, and every connection with it.
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((tcp, _)) = accepted else {
                            // No descriptor is free, most likely: one will be, but not at once.
                            tokio::time::sleep(ACCEPT_PAUSE).await;
                            continue;
                        };
                        let (tls, service) = (tls.clone(), Arc::clone(&service));
                        connections.spawn(async move {
                            match tls {
                                None => converse(tcp, service).await,
                                Some(tls) => {
                                    let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(tcp));
                                    if let Ok(Ok(stream)) = handshake.await {
                                        converse(stream, service).await;
                                    }
                                }
                            }
                        });
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { address, accepting })
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Stops, and returns when the port is free again.
    pub(crate) async fn stop(mut self) {
        self.accepting.abort();
        // Cancelled, as we wanted.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    service: Arc<dyn Answers>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let service = Arc::clone(&service);
        async move {
            let (head, body) = request.into_parts();
            let answer = match Limited::new(body, MAX_BODY_BYTES).collect().await {
                Ok(body) => service.answer(&Request::from_parts(head, body.to_bytes())),
                Err(_) => plain(StatusCode::PAYLOAD_TOO_LARGE, "request body over 1 MiB\n"),
            };
            Ok::<_, std::convert::Infallible>(answer.map(Full::new))
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "an HTTP connection ended early");
    }
}

/// A response with a line of text.
pub(crate) fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Bytes> {
    with_type(status, "text/plain; charset=utf-8", text)
}

/// A response with a body of the given media type.
pub(crate) fn with_type(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(
        hyper::header::CONTENT_TYPE,
        hyper::header::HeaderValue::from_static(media_type),
    );
    response
}
