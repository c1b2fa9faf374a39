//! rustls configurations without the session-resumption trap.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, DEFAULT_VERSIONS, Error, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::CertificateDer;

use crate::{
    CertifiedIdentity, ChangeListener, ClientVerifier, LiveAllowedNames, LiveTrustStore, NameMatch,
    Observer, Refusal, ServerCertificate, ServerVerifier, TrustStore,
};

/// The configurations of the two listeners: 5090 without client authentication, 5091 mutual TLS.
///
/// A session resumed with a ticket skips the client verifier, so a peer taken off the list would come
/// back in. Therefore: whole configurations are swapped, a listener takes one for each connection; the
/// two listeners share no session storage; there are neither tickets nor stored sessions. After each
/// accept on 5091 call [`check_peer`](Self::check_peer), which looks the peer up in the table as it is
/// at that moment.
///
/// Trust store and table are live: a change counts from the next handshake on. A new server certificate
/// counts from the first connection after [`ServerCertificate::reload`]. A connection that was up before a
/// change is the caller's to look at: [`recheck_peer`](Self::recheck_peer) says whether it may stay.
pub struct ServerConfigs {
    certificate: Arc<ServerCertificate>,
    store: Arc<LiveTrustStore>,
    allowed: Arc<LiveAllowedNames>,
    provider: Arc<CryptoProvider>,
    observer: Option<Arc<dyn Observer>>,
    versions: Vec<&'static SupportedProtocolVersion>,
    both_roles: bool,
    current: ArcSwap<Pair>,
    /// One at a time makes them anew: another one would only do the same, or put an older pair over a newer one.
    rebuilding: Mutex<()>,
}

struct Pair {
    key: Arc<CertifiedKey>,
    trusted: Arc<TrustStore>,
    oauth: Arc<ServerConfig>,
    mra: Arc<ServerConfig>,
    verifier: Arc<ClientVerifier>,
}

impl ServerConfigs {
    /// Both configurations with TLS 1.2 and 1.3, presenting the loaded value of `certificate`.
    ///
    /// # Errors
    ///
    /// When `provider` has no cipher suite for TLS 1.2 and 1.3.
    pub fn new(
        certificate: Arc<ServerCertificate>,
        store: Arc<LiveTrustStore>,
        allowed: Arc<LiveAllowedNames>,
        provider: Arc<CryptoProvider>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, Error> {
        Self::with_versions(
            certificate,
            store,
            allowed,
            provider,
            observer,
            DEFAULT_VERSIONS,
        )
    }

    /// As [`new`](Self::new) with these TLS versions. Which versions the product's two ports speak is
    /// not published.
    ///
    /// # Errors
    ///
    /// When `provider` has no cipher suite for one of `versions`.
    pub fn with_versions(
        certificate: Arc<ServerCertificate>,
        store: Arc<LiveTrustStore>,
        allowed: Arc<LiveAllowedNames>,
        provider: Arc<CryptoProvider>,
        observer: Option<Arc<dyn Observer>>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Result<Self, Error> {
        let trusted = store.load();
        let verifier = verifier(&store, &allowed, &provider, observer.as_ref(), false);
        let current = pair(&certificate, trusted, verifier, &provider, versions)?;
        Ok(Self {
            certificate,
            store,
            allowed,
            provider,
            observer,
            versions: versions.to_vec(),
            both_roles: false,
            current: ArcSwap::from_pointee(current),
            rebuilding: Mutex::new(()),
        })
    }

    /// Refuses a client of 5091 whose certificate lacks serverAuth in its extended key usage, although its handshake needs
    /// clientAuth alone: an Expressway-C's certificate needs both. See
    /// [`ClientVerifierBuilder::require_both_roles`](crate::ClientVerifierBuilder::require_both_roles).
    ///
    /// # Errors
    ///
    /// As [`rebuild`](Self::rebuild).
    pub fn require_both_roles(mut self) -> Result<Self, Error> {
        self.both_roles = true;
        self.rebuild()?;
        Ok(self)
    }

    /// Makes both configurations anew now, instead of when the next connection asks. Handshakes in flight end
    /// with the configuration they began with.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); the configurations in use then stay.
    pub fn rebuild(&self) -> Result<(), Error> {
        let _alone = self.alone();
        self.renewed().map(drop)
    }

    fn alone(&self) -> MutexGuard<'_, ()> {
        self.rebuilding
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The pair of what is loaded and trusted now, put in place. The caller is alone.
    fn renewed(&self) -> Result<Arc<Pair>, Error> {
        // Taken before the verifier takes its hints: at worst they are newer than this, and are made again.
        let trusted = self.store.load();
        let verifier = verifier(
            &self.store,
            &self.allowed,
            &self.provider,
            self.observer.as_ref(),
            self.both_roles,
        );
        let next = pair(
            &self.certificate,
            trusted,
            verifier,
            &self.provider,
            &self.versions,
        )?;
        let next = Arc::new(next);
        self.current.store(Arc::clone(&next));
        Ok(next)
    }

    /// For the next connection on `sipOAuthPort` (5090): no client certificate is asked for.
    pub fn oauth(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current().oauth)
    }

    /// For the next connection on `sipMRAOAuthPort` (5091): mutual TLS.
    pub fn mra_oauth(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current().mra)
    }

    /// Looks an accepted peer of 5091 up in the table as it is now; see
    /// [`ClientVerifier::check_peer`].
    ///
    /// # Errors
    ///
    /// The refusal; the caller closes the connection.
    pub fn check_peer(&self, chain: &[CertificateDer<'_>]) -> Result<NameMatch, Box<Refusal>> {
        self.current.load().verifier.check_peer(chain)
    }

    /// Verifies a peer of 5091 anew at `now`; see [`ClientVerifier::recheck_peer`].
    ///
    /// # Errors
    ///
    /// The refusal; the caller closes the connection.
    pub fn recheck_peer(
        &self,
        chain: &[CertificateDer<'_>],
        now: SystemTime,
    ) -> Result<NameMatch, Box<Refusal>> {
        self.current.load().verifier.recheck_peer(chain, now)
    }

    /// Tells `listener` of every change of the trust store and the table: then
    /// [`recheck_peer`](Self::recheck_peer) may say something else of a connection that is up.
    pub fn on_change(&self, listener: &ChangeListener) {
        self.store.on_change(listener);
        self.allowed.on_change(listener);
    }

    /// The pair in use, made anew when the loaded certificate or the store is no longer the one it was
    /// made of.
    fn current(&self) -> Arc<Pair> {
        let current = self.current.load_full();
        if self.is_fresh(&current) {
            return current;
        }
        let _alone = self.alone();
        // Somebody else may have made it while this one waited.
        let current = self.current.load_full();
        if self.is_fresh(&current) {
            return current;
        }
        // Building fails for provider and versions alone, and both were good when `self` was made.
        self.renewed().unwrap_or(current)
    }

    fn is_fresh(&self, pair: &Pair) -> bool {
        Arc::ptr_eq(&pair.key, self.certificate.loaded().certified_key())
            && Arc::ptr_eq(&pair.trusted, &self.store.load())
    }

    /// The certificate whose loaded value is presented.
    pub fn certificate(&self) -> &Arc<ServerCertificate> {
        &self.certificate
    }
}

fn verifier(
    store: &Arc<LiveTrustStore>,
    allowed: &Arc<LiveAllowedNames>,
    provider: &Arc<CryptoProvider>,
    observer: Option<&Arc<dyn Observer>>,
    both_roles: bool,
) -> ClientVerifier {
    let mut builder =
        ClientVerifier::builder(Arc::clone(store), Arc::clone(allowed), Arc::clone(provider));
    if let Some(observer) = observer {
        builder = builder.observer(Arc::clone(observer));
    }
    if both_roles {
        builder = builder.require_both_roles();
    }
    builder.build()
}

fn pair(
    certificate: &ServerCertificate,
    trusted: Arc<TrustStore>,
    verifier: ClientVerifier,
    provider: &Arc<CryptoProvider>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<Pair, Error> {
    let key = Arc::clone(certificate.loaded().certified_key());
    let verifier = Arc::new(verifier);
    let asked: Arc<dyn ClientCertVerifier> = Arc::<ClientVerifier>::clone(&verifier);
    Ok(Pair {
        oauth: Arc::new(server_config(provider, versions, None, Arc::clone(&key))?),
        mra: Arc::new(server_config(
            provider,
            versions,
            Some(asked),
            Arc::clone(&key),
        )?),
        key,
        trusted,
        verifier,
    })
}

fn server_config(
    provider: &Arc<CryptoProvider>,
    versions: &[&'static SupportedProtocolVersion],
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    key: Arc<CertifiedKey>,
) -> Result<ServerConfig, Error> {
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(versions)?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let resolver: Arc<dyn ResolvesServerCert> = Arc::new(SingleCertAndKey::from(key));
    let mut config = builder.with_cert_resolver(resolver);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// A client configuration that verifies servers with `verifier` and presents `identity` when asked, with
/// TLS 1.2 and 1.3.
///
/// Sessions are not resumed: a resumed session would skip the verifier, and with it a store from which
/// the server's CA has been removed.
///
/// # Errors
///
/// When the verifier's provider has no cipher suite for TLS 1.2 and 1.3.
pub fn client_config(
    verifier: Arc<ServerVerifier>,
    identity: Option<&CertifiedIdentity>,
) -> Result<ClientConfig, Error> {
    client_config_with_versions(verifier, identity, DEFAULT_VERSIONS)
}

/// As [`client_config`] with these TLS versions.
///
/// # Errors
///
/// When the verifier's provider has no cipher suite for one of `versions`.
pub fn client_config_with_versions(
    verifier: Arc<ServerVerifier>,
    identity: Option<&CertifiedIdentity>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<ClientConfig, Error> {
    let provider = Arc::clone(verifier.provider());
    let verifier: Arc<dyn ServerCertVerifier> = verifier;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(identity) => {
            let key = Arc::clone(identity.certified_key());
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
        }
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    Ok(config)
}

impl fmt::Debug for ServerConfigs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfigs")
            .field("certificate", &self.certificate.loaded())
            .field("store", &self.store.load().name())
            .finish_non_exhaustive()
    }
}
