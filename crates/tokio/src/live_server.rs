//! The server at the other end of a connection of ours, looked at again while it is up.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use rustls::pki_types::{CertificateDer, ServerName};
use sip_oauth_trust::{ChangeListener, Explanation, ServerVerifier};
use tokio::sync::watch;

use crate::{
    clock::Clock,
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

    /// What changes from now on: to be taken before the handshake, which a change may fall into.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// The server that showed `chain` when `name` was connected to.
    pub(crate) fn server(
        &self,
        changes: watch::Receiver<()>,
        chain: &[CertificateDer<'static>],
        name: ServerName<'static>,
        clock: &Clock,
    ) -> LiveServer {
        let ends: Vec<_> = ends_of(chain).collect();
        LiveServer(Some(Server {
            next: next_look(ends.iter().copied(), clock),
            trust: self.clone(),
            changes,
            chain: chain.to_vec(),
            ends,
            name,
            clock: clock.clone(),
        }))
    }
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
}

impl Server {
    async fn withdrawn(&mut self) -> Box<Explanation> {
        loop {
            tokio::select! {
                // `trust` holds the sender.
                _ = self.changes.changed() => {}
                () = self.clock.sleep_until(self.next) => {}
            }
            self.next = next_look(self.ends.iter().copied(), &self.clock);
            let now = self.clock.system_now();
            let verifier = &self.trust.verifier;
            if let Err(refusal) = verifier.recheck_peer(&self.chain, &self.name, now) {
                return Box::new(refusal.explanation());
            }
        }
    }
}
