//! What a server gets when its connection ends.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use sip_oauth_registration::client::Transport;
use sip_oauth_trust::{Side, explain};
use tokio::io::ReadBuf;

use super::*;
use crate::{
    connection::ConnectionSettings,
    observe::{ConnectionId, Ends, Role},
};

/// A stream that holds a record back until it is flushed or shut down, as TLS does.
struct Holding(Arc<AtomicBool>);

impl AsyncRead for Holding {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Holding {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.store(true, Ordering::SeqCst);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// Whether what was held got out when the connection ended after `error`.
async fn gets_out(error: Option<ConnectionError>) -> bool {
    let out = Arc::new(AtomicBool::new(false));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 5061));
    let ends = Ends {
        id: ConnectionId::next(),
        local: address,
        peer: address,
        transport: Transport::Tls,
        role: Role::Initiator,
    };
    let stream = Holding(Arc::clone(&out));
    let connection = Connection::new(stream, ends, ConnectionSettings::default());
    LiveServer::nobody().close(connection, error.as_ref()).await;
    out.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_server_that_is_no_longer_trusted_does_not_get_what_tls_still_holds() {
    let revoked = rustls::Error::InvalidCertificate(rustls::CertificateError::Revoked);
    let explanation = Box::new(explain(&revoked, Side::Client));
    assert!(!gets_out(Some(ConnectionError::Withdrawn(explanation))).await);
    assert!(gets_out(None).await);
    assert!(gets_out(Some(ConnectionError::EndInsideMessage)).await);
}

/// The branch that judges comes first: when the other goes on, it has.
#[tokio::test]
async fn a_change_is_judged_before_more_is_sent() {
    let changes = watch::Sender::new(());
    let mut judging = changes.subscribe();
    let mut unjudged = Unjudged(Some(judging.clone()));
    unjudged.judged().await;
    // Of another thread, after the first branch was polled.
    let changing = async {
        changes.send_replace(());
        unjudged.judged().await;
    };
    tokio::select! {
        biased;
        told = judging.changed() => told.expect("the sender is here"),
        () = changing => panic!("sent before it was judged"),
    }
}
