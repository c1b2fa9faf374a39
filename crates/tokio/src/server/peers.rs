//! Who is connected by mutual TLS, so that a peer whose trust is withdrawn can be told to go.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime},
};

use rustls::pki_types::CertificateDer;
use sip_oauth_trust::{Explanation, ServerConfigs};
use tokio::sync::{Notify, watch};

use crate::{
    clock::Clock,
    observe::Ends,
    recheck::{RECHECK_AT_LEAST_EVERY, ends_of, next_look},
    stop::Stopped,
};

type Chain = Arc<[CertificateDer<'static>]>;
type Verdict = Option<Box<Explanation>>;

/// The live connections of one server whose peers showed a certificate.
#[derive(Debug, Default)]
pub(crate) struct LivePeers {
    /// Counts the rechecks: a handshake that one falls into is judged again at its end.
    rechecks: AtomicU64,
    peers: Mutex<HashMap<u64, Peer>>,
    /// When they are judged anew at the latest, once that is known.
    next: Mutex<Option<SystemTime>>,
    /// Somebody entered whose certificate ends before that.
    ends_earlier: Notify,
}

#[derive(Debug, Clone)]
struct Peer {
    ends: Ends,
    chain: Chain,
    /// When certificates of the chain end.
    ends_at: Arc<[SystemTime]>,
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
        let ends_at: Arc<[_]> = ends_of(chain).collect();
        let soonest = ends_at.iter().min().copied();
        let chain = chain.into();
        let id = ends.id.get();
        self.lock().insert(
            id,
            Peer {
                ends,
                chain,
                ends_at,
                verdict,
            },
        );
        // All are gone through for the next end: not for each that enters.
        let next = *self.next();
        if soonest.is_some_and(|end| next.is_none_or(|next| end < next)) {
            self.ends_earlier.notify_one();
        }
        LivePeer {
            place: Some((Arc::clone(self), id)),
            verdict: watched,
        }
    }

    /// Judges every peer anew by `tls` at `now`, tells those to go that are refused, and says who they are.
    pub(crate) fn recheck_by(
        &self,
        tls: &ServerConfigs,
        now: SystemTime,
    ) -> Vec<(Ends, Explanation)> {
        self.recheck(|chain| {
            let allowed = tls.recheck_peer(chain, now);
            allowed
                .map(drop)
                .map_err(|refusal| Box::new(refusal.explanation()))
        })
    }

    /// Judges them anew whenever `changed` says that store or table did, when a certificate of one ends, and once an hour
    /// for what has an end elsewhere, such as a revocation list. Runs until stopped.
    pub(crate) async fn watch(
        &self,
        tls: &ServerConfigs,
        clock: &Clock,
        changed: &Notify,
        mut stopped: Stopped,
    ) {
        // Whatever has ended when the first enters is looked at.
        let mut judged = SystemTime::UNIX_EPOCH;
        loop {
            let next = self.next_end(judged, clock);
            tokio::select! {
                biased;
                () = stopped.wait() => return,
                () = changed.notified() => {}
                () = clock.sleep_until(next) => {}
                () = self.ends_earlier.notified() => continue,
            }
            judged = clock.system_now();
            self.recheck_by(tls, judged);
        }
    }

    /// When the next certificate of a peer has ended, after all were `judged`.
    fn next_end(&self, judged: SystemTime, clock: &Clock) -> Instant {
        // Told before the list is read: who enters meanwhile and ends earlier says so.
        *self.next() = clock.system_now().checked_add(RECHECK_AT_LEAST_EVERY);
        let peers = self.lock();
        let ends = peers.values().flat_map(|peer| peer.ends_at.iter());
        next_look(ends.copied(), judged, clock)
    }

    fn next(&self) -> MutexGuard<'_, Option<SystemTime>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges every peer anew, tells those to go that are refused, and says who they are.
    fn recheck(
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
