//! From a verifier deep inside a handshake to the event of that very connection.
//!
//! rustls carries an error out of a verifier, but not everything the verifier knew: which names were presented, which row
//! was missing. A verifier hands its refusal to its observer while the handshake's future is being polled, so a value local
//! to the task connects the two.

use std::{cell::RefCell, future::Future, sync::Arc};

use sip_oauth_trust::{Explanation, Observer, Refusal};

tokio::task_local! {
    static CAUGHT: RefCell<Option<Explanation>>;
}

/// Give this to the verifiers ([`sip_oauth_trust::ServerConfigs`], [`sip_oauth_trust::ServerVerifier`]) as their observer:
/// the events and errors of this crate's connections then carry the verifier's full reason instead of what the TLS error
/// alone tells.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use sip_oauth_tokio::RefusalRelay;
/// use sip_oauth_trust::{LiveTrustStore, ServerVerifier, TrustStore};
///
/// let provider = sip_oauth_trust::default_provider()?;
/// let store = Arc::new(LiveTrustStore::new(TrustStore::new("Tomcat-trust")));
/// let verifier = ServerVerifier::builder(store, provider)
///     .observer(Arc::new(RefusalRelay::new()))
///     .build();
/// # let _ = verifier;
/// # Ok::<(), sip_oauth_trust::NoProvider>(())
/// ```
#[derive(Default, Clone)]
pub struct RefusalRelay {
    next: Option<Arc<dyn Observer>>,
}

impl RefusalRelay {
    /// Relays to the connection only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Relays to the connection and to `next`.
    pub fn with_next(next: Arc<dyn Observer>) -> Self {
        Self { next: Some(next) }
    }
}

impl std::fmt::Debug for RefusalRelay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefusalRelay(..)")
    }
}

impl Observer for RefusalRelay {
    fn refused(&self, refusal: &Refusal) {
        // Outside of a handshake of ours there is nobody to relay to.
        let _ = CAUGHT.try_with(|caught| caught.replace(Some(refusal.explanation())));
        if let Some(next) = &self.next {
            next.refused(refusal);
        }
    }
}

/// Runs a handshake and catches the refusal of a verifier inside it.
pub(crate) async fn catch<F: Future>(handshake: F) -> (F::Output, Option<Explanation>) {
    CAUGHT
        .scope(RefCell::new(None), async {
            let output = handshake.await;
            (output, CAUGHT.with(RefCell::take))
        })
        .await
}
