//! The server at the other end of a connection of ours, looked at again while it is up.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use rustls::pki_types::{CertificateDer, ServerName};
use sip_oauth_trust::{ChangeListener, Explanation, ServerVerifier};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};

use crate::{
    clock::Clock,
    connection::{Connection, ConnectionError},
    recheck::{ends_of, next_look},
};

/// A verifier whose trust store may change while its servers are connected.
#[derive(Clone)]
pub(crate) struct LiveTrust {
    verifier: Arc<ServerVerifier>,
    changes: Arc<watch::Sender<()>>,
    /// Hears of the changes as long as somebody may ask for them.
    _listener: Arc<ChangeListener>,
}

impl LiveTrust {
    pub(crate) fn new(verifier: Arc<ServerVerifier>) -> Self {
        let changes = Arc::new(watch::Sender::new(()));
        let telling = Arc::clone(&changes);
        let listener = ChangeListener::new(move || {
            telling.send_replace(());
        });
        verifier.on_change(&listener);
        Self {
            verifier,
            changes,
            _listener: Arc::new(listener),
        }
    }

    /// To be called before the handshake, which a change or an end may fall into.
    pub(crate) fn before_handshake(&self, clock: &Clock) -> Since {
        Since {
            changes: self.changes.subscribe(),
            judged: clock.system_now(),
        }
    }

    /// The server that showed `chain` when `name` was connected to.
    pub(crate) fn server(
        &self,
        since: Since,
        chain: &[CertificateDer<'static>],
        name: ServerName<'static>,
        clock: &Clock,
    ) -> LiveServer {
        let ends: Vec<_> = ends_of(chain).collect();
        LiveServer(Some(Server {
            next: next_look(ends.iter().copied(), since.judged, clock),
            trust: self.clone(),
            changes: since.changes,
            chain: chain.to_vec(),
            ends,
            name,
            clock: clock.clone(),
        }))
    }
}

/// The time from which on what happens to a server is not known to its handshake.
pub(crate) struct Since {
    changes: watch::Receiver<()>,
    judged: SystemTime,
}

/// Tells when a server that was trusted is not any more.
pub(crate) struct LiveServer(Option<Server>);

struct Server {
    trust: LiveTrust,
    changes: watch::Receiver<()>,
    chain: Vec<CertificateDer<'static>>,
    /// When its certificates end.
    ends: Vec<SystemTime>,
    name: ServerName<'static>,
    clock: Clock,
    /// When it is judged anew at the latest.
    next: Instant,
}

impl LiveServer {
    /// A server that proved nothing, or to a verifier that is not known: nobody withdraws anything.
    pub(crate) fn nobody() -> Self {
        Self(None)
    }

    /// Waits until the trust in the server is withdrawn: it is judged anew after each change of the trust store, when one
    /// of its certificates ends, and once an hour. Cancel-safe.
    pub(crate) async fn withdrawn(&mut self) -> Box<Explanation> {
        match &mut self.0 {
            Some(server) => server.withdrawn().await,
            None => std::future::pending().await,
        }
    }

    /// The changes that are to be judged before more is sent.
    pub(crate) fn unjudged(&self) -> Unjudged {
        Unjudged(self.0.as_ref().map(|server| server.changes.clone()))
    }

    /// Ends the connection to the server after `error`: in order as long as it is trusted. What TLS still holds would be
    /// flushed by that; one that is not trusted does not get it.
    pub(crate) async fn close<S>(
        mut self,
        connection: Connection<S>,
        error: Option<&ConnectionError>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if matches!(error, Some(ConnectionError::Withdrawn(_))) {
            return;
        }
        tokio::select! {
            biased;
            _ = self.withdrawn() => {}
            () = connection.close() => {}
        }
    }
}

/// Changes of the trust store that [`LiveServer::withdrawn`] may not have seen.
pub(crate) struct Unjudged(Option<watch::Receiver<()>>);

impl Unjudged {
    /// Lets the branch of the task that waits for [`LiveServer::withdrawn`] judge what has changed. It has to come first.
    pub(crate) async fn judged(&mut self) {
        let Some(changes) = &mut self.0 else { return };
        while changes.has_changed().unwrap_or(false) {
            changes.borrow_and_update();
            tokio::task::yield_now().await;
        }
    }
}

impl Server {
    async fn withdrawn(&mut self) -> Box<Explanation> {
        loop {
            tokio::select! {
                // `trust` holds the sender.
                _ = self.changes.changed() => {}
                () = self.clock.sleep_until(self.next) => {}
            }
            let now = self.clock.system_now();
            self.next = next_look(self.ends.iter().copied(), now, &self.clock);
            let verifier = &self.trust.verifier;
            if let Err(refusal) = verifier.recheck_peer(&self.chain, &self.name, now) {
                return Box::new(refusal.explanation());
            }
        }
    }
}

#[cfg(test)]
mod tests;
