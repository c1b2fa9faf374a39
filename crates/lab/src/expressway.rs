//! An Expressway-C.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use sip_oauth_tokio::{Clock, Resolver};
use sip_oauth_trust::{LiveTrustStore, Source, TrustStore};
use tokio::net::TcpListener;

use crate::{Certificate, CertificateAuthority, Error, recorder::Recorder, unified_cm::AxlUser};

/// What an edge is started with.
pub(crate) struct Setup {
    pub(crate) name: String,
    pub(crate) certificate: Certificate,
    pub(crate) clients: TcpListener,
    pub(crate) clock: Clock,
    pub(crate) recorder: Recorder,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) axl_user: AxlUser,
}

/// An Expressway-C.
#[derive(Debug)]
pub struct ExpresswayC {
    trust: Arc<LiveTrustStore>,
    port: u16,
}

impl ExpresswayC {
    pub(crate) async fn start(setup: Setup) -> Result<Self, Error> {
        let port = setup.clients.local_addr().map_err(Error::socket("Expressway-C"))?.port();
        let _ = (setup.name, setup.certificate, setup.clock, setup.recorder, setup.resolver, setup.provider, setup.axl_user.name, setup.axl_user.password);
        Ok(Self { trust: Arc::new(LiveTrustStore::new(TrustStore::new("trusted CA list"))), port })
    }

    /// Loads a CA certificate into the trusted CA list.
    ///
    /// # Errors
    ///
    /// When it cannot be a trust anchor.
    pub fn trust(&self, authority: &CertificateAuthority) -> Result<(), Error> {
        let source = Source::Upload(format!("{}.pem", authority.name()));
        self.trust
            .update(|store| {
                let mut store = store.clone();
                store.add_der(authority.certificate().clone(), &source).map(|_| store)
            })
            .map_err(|error| Error::setup("trusted CA list", error))
    }

    /// The port clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(crate) async fn stop(self) {}
}
