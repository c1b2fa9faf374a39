//! A server certificate that is replaced on disk at once and loaded only when told.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::CertifiedIdentity;

/// The two values a Tomcat certificate has: the one installed, and the one the listeners present.
///
/// After the Tomcat certificate is regenerated, ports 5090 and 5091 keep presenting the old one until
/// Cisco CallManager is restarted. That state can be seen ([`is_reload_due`](Self::is_reload_due)) and is
/// ended by [`reload`](Self::reload).
#[derive(Debug)]
pub struct ServerCertificate {
    installed: ArcSwap<CertifiedIdentity>,
    loaded: ArcSwap<CertifiedIdentity>,
    /// One reload at a time: another one must not put back what it read before.
    reloading: Mutex<()>,
}

impl ServerCertificate {
    /// Installed and loaded alike.
    pub fn new(identity: CertifiedIdentity) -> Self {
        let identity = Arc::new(identity);
        Self {
            installed: ArcSwap::new(Arc::clone(&identity)),
            loaded: ArcSwap::new(identity),
            reloading: Mutex::new(()),
        }
    }

    /// Puts a new certificate in place without presenting it to anybody yet.
    pub fn install(&self, identity: CertifiedIdentity) {
        self.installed.store(Arc::new(identity));
    }

    /// Loads what is installed, as a service restart does, and says whether anything changed.
    ///
    /// Listeners made by [`ServerConfigs`](crate::ServerConfigs) present it from their next connection on.
    pub fn reload(&self) -> bool {
        let _alone = self
            .reloading
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let installed = self.installed.load_full();
        let previous = self.loaded.swap(Arc::clone(&installed));
        previous.chain() != installed.chain()
    }

    /// The certificate on disk; what port 8443 presents.
    pub fn installed(&self) -> Arc<CertifiedIdentity> {
        self.installed.load_full()
    }

    /// The certificate in use on ports 5090 and 5091.
    pub fn loaded(&self) -> Arc<CertifiedIdentity> {
        self.loaded.load_full()
    }

    /// Whether the two differ: "Tomcat regenerated, CallManager not restarted".
    pub fn is_reload_due(&self) -> bool {
        self.installed.load().chain() != self.loaded.load().chain()
    }
}
