//! Handshakes as the accepting side, with an end to each and an alert that arrives.

use std::{io, sync::Arc, task::Poll, time::Duration};

use rustls::{ServerConfig, server::Acceptor};
use sip_oauth_trust::{Explanation, Side, explain, tls_cause};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::{LazyConfigAcceptor, TlsStream};

use super::gate::Gate;
use crate::{
    connect::IoReason,
    connection::drain,
    limits::Timeouts,
    refusal_relay,
    stop::{Stopped, ready_at_a_stop},
    stream::Stream,
};

/// Shakes hands on `tcp`.
///
/// `config` is asked once the ClientHello is there, so that what is swapped in meanwhile counts. A peer that connects and
/// says nothing takes none of the handshakes that may be in flight, and is not waited for once `stopped`, nor is the rest of
/// a ClientHello; a handshake whose ClientHello has come goes on.
pub(crate) async fn accept_tls(
    tcp: TcpStream,
    config: impl FnOnce() -> Arc<ServerConfig>,
    gate: &Arc<Gate>,
    timeouts: &Timeouts,
    stopped: &mut Stopped,
) -> Result<Stream, NotAccepted> {
    let deadline = Instant::now() + timeouts.handshake;
    let timed_out = || NotAccepted {
        failure: AcceptFailure::TimedOut(timeouts.handshake),
        tcp: None,
    };

    let mut hello = std::pin::pin!(LazyConfigAcceptor::new(Acceptor::default(), tcp));
    let started = tokio::select! {
        biased;
        started = timeout_at(deadline, hello.as_mut()) => started,
        () = stopped.wait() => match ready_at_a_stop(hello.as_mut()).await {
            Poll::Ready(started) => Ok(started),
            Poll::Pending => {
                return Err(NotAccepted {
                    failure: AcceptFailure::Stopping,
                    tcp: None,
                });
            }
        },
    };
    let start = match started {
        Err(_) => return Err(timed_out()),
        Ok(Ok(start)) => start,
        Ok(Err(error)) => {
            return Err(NotAccepted {
                failure: AcceptFailure::from_handshake(error, None),
                tcp: hello.take_io(),
            });
        }
    };
    let peer = start.io.peer_addr().map(|peer| peer.ip());
    let peer = peer.map_err(|error| NotAccepted {
        failure: AcceptFailure::Io(error),
        tcp: None,
    })?;
    let turn = timeout_at(deadline, gate.handshake(peer))
        .await
        .map_err(|_| timed_out())?;
    let accept = start.into_stream(config()).into_fallible();
    let (shaken, refusal) = refusal_relay::catch(timeout_at(deadline, accept)).await;
    drop(turn);
    match shaken {
        Err(_) => Err(timed_out()),
        Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(TlsStream::Server(stream)))),
        Ok(Err((error, tcp))) => Err(NotAccepted {
            failure: AcceptFailure::from_handshake(error, refusal),
            tcp: Some(tcp),
        }),
    }
}

/// A socket that did not become a connection.
#[derive(Debug)]
pub(crate) struct NotAccepted {
    pub(crate) failure: AcceptFailure,
    /// The socket, where an alert is on its way to the peer.
    tcp: Option<TcpStream>,
}

impl NotAccepted {
    /// Ends the socket so that the alert arrives: our FIN after it, then the peer's bytes until it ends too. Closing with
    /// unread bytes would send a reset, which destroys what the peer has not read yet.
    pub(crate) async fn linger(self, for_at_most: Duration) {
        if let Some(mut tcp) = self.tcp {
            let _ = timeout(for_at_most, tcp.shutdown()).await;
            drain(&mut tcp, for_at_most).await;
        }
    }
}

/// Why an accepted socket did not become a connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AcceptFailure {
    #[error("no end of the TLS handshake within {0:?}")]
    TimedOut(Duration),
    #[error("no TLS handshake had begun when the listener stopped")]
    Stopping,
    #[error("{0}")]
    Refused(Box<Explanation>),
    #[error("TLS handshake: {}", IoReason(_0))]
    Io(io::Error),
}

impl AcceptFailure {
    /// Sorts what came out of a handshake; a refusal of our own knows more than its error.
    fn from_handshake(error: io::Error, refusal: Option<Explanation>) -> Self {
        let explained = || tls_cause(&error).map(|cause| explain(cause, Side::Server));
        match refusal.or_else(explained) {
            Some(explanation) => Self::Refused(Box::new(explanation)),
            None => Self::Io(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{limits::ServerLimits, stop::Stop};

    /// What a socket becomes that has sent `came`, when the server has stopped before the runtime looked at it.
    async fn at_a_stop(came: &[u8]) -> AcceptFailure {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        std::io::Write::write_all(&mut peer, came).unwrap();
        let stop = Stop::new();
        stop.stop();
        let (gate, timeouts) = (Gate::new(ServerLimits::new()), Timeouts::new());
        let config = || unreachable!("no ClientHello was sent");
        let accepted = accept_tls(tcp, config, &gate, &timeouts, &mut stop.listen()).await;
        accepted.map(drop).unwrap_err().failure
    }

    #[tokio::test]
    async fn a_stop_reads_what_waits_in_the_kernel() {
        let failure = at_a_stop(b"OPTIONS sip:ucm1.example.com SIP/2.0\r\n\r\n").await;
        assert!(!matches!(failure, AcceptFailure::Stopping), "{failure}");
    }

    #[tokio::test]
    async fn a_stop_does_not_wait_for_the_rest_of_a_client_hello() {
        // The head of a record of TLS that holds 512 bytes.
        for came in [&b""[..], b"\x16\x03\x01\x02\x00\x01\x00"] {
            let failure = at_a_stop(came).await;
            assert!(matches!(failure, AcceptFailure::Stopping), "{failure}");
        }
    }
}
