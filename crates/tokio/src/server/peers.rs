//! Who is connected by mutual TLS, so that a peer whose trust is withdrawn can be told to go.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rustls::pki_types::CertificateDer;
use sip_oauth_trust::Explanation;
use tokio::sync::watch;

use crate::observe::Ends;

type Chain = Arc<[CertificateDer<'static>]>;
type Verdict = Option<Box<Explanation>>;

/// The live connections of one server whose peers showed a certificate.
#[derive(Debug, Default)]
pub(crate) struct LivePeers {
    /// Counts the rechecks: a handshake that one falls into is judged again at its end.
    rechecks: AtomicU64,
    peers: Mutex<HashMap<u64, Peer>>,
}

#[derive(Debug, Clone)]
struct Peer {
    ends: Ends,
    chain: Chain,
    verdict: watch::Sender<Verdict>,
}

/// One connection's place among the live peers, given up when dropped.
#[derive(Debug)]
pub(crate) struct LivePeer {
    place: Option<(Arc<LivePeers>, u64)>,
    verdict: watch::Receiver<Verdict>,
}

impl LivePeers {
    /// How many rechecks there have been.
    pub(crate) fn rechecks(&self) -> u64 {
        self.rechecks.load(Ordering::SeqCst)
    }

    /// Takes in a peer that showed `chain`.
    pub(crate) fn enter(
        self: &Arc<Self>,
        ends: Ends,
        chain: &[CertificateDer<'static>],
    ) -> LivePeer {
        let (verdict, watched) = watch::channel(None);
        let chain = chain.into();
        let id = ends.id.get();
        self.lock().insert(
            id,
            Peer {
                ends,
                chain,
                verdict,
            },
        );
        LivePeer {
            place: Some((Arc::clone(self), id)),
            verdict: watched,
        }
    }

    /// Judges every peer anew, tells those to go that are refused, and says who they are.
    pub(crate) fn recheck(
        &self,
        judge: impl Fn(&[CertificateDer<'static>]) -> Result<(), Box<Explanation>>,
    ) -> Vec<(Ends, Explanation)> {
        // Before the list is read: who enters later sees that it has to be judged again.
        self.rechecks.fetch_add(1, Ordering::SeqCst);
        // Signatures are checked without the lock.
        let peers: Vec<Peer> = self.lock().values().cloned().collect();
        peers
            .into_iter()
            .filter_map(|peer| {
                let explanation = judge(&peer.chain).err()?;
                let _ = peer.verdict.send(Some(explanation.clone()));
                Some((peer.ends, *explanation))
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LivePeer {
    /// A connection whose peer proved nothing: there is nothing to withdraw.
    pub(crate) fn nobody() -> Self {
        Self {
            place: None,
            verdict: watch::channel(None).1,
        }
    }

    /// Waits until the trust in the peer is withdrawn. Cancel-safe.
    pub(crate) async fn withdrawn(&mut self) -> Box<Explanation> {
        let refused = match self.verdict.wait_for(Option::is_some).await {
            Ok(verdict) => verdict.clone(),
            Err(_) => None,
        };
        match refused {
            Some(explanation) => explanation,
            // Nobody is left who could withdraw it.
            None => std::future::pending().await,
        }
    }
}

impl Drop for LivePeer {
    fn drop(&mut self) {
        if let Some((peers, id)) = &self.place {
            peers.lock().remove(id);
        }
    }
}
