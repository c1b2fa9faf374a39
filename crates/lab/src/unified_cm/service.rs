//! Cisco CallManager on one node: the registrar and its listeners.

use std::{
    sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError},
    time::Duration,
};

use sip_oauth_registration::registrar::{
    BindingStore as _, Database, Listener, MemoryStore, Registrar, RegistrarConfig,
};
use sip_oauth_token::Verifier;
use sip_oauth_tokio::{Clock, RegistrarServer};
use sip_oauth_trust::ServerConfigs;
use tokio::sync::Mutex;

use crate::{
    Error, PartyId,
    ports::{self, Kept},
    recorder::Recorder,
};

/// The service, running or not.
#[derive(Debug)]
pub(super) struct Service {
    node: String,
    keep_alive_interval: Duration,
    clock: Clock,
    recorder: Recorder,
    server: Mutex<Option<RegistrarServer>>,
    /// The ports of listeners that are not open.
    kept: SyncMutex<Kept>,
    state: SyncMutex<State>,
}

/// What is asked about a running service without waiting for it.
#[derive(Debug, Default)]
struct State {
    registrar: Option<Arc<Registrar<MemoryStore>>>,
    open: Vec<(Listener, u16)>,
}

impl Service {
    pub(super) fn new(
        node: &str,
        keep_alive_interval: Duration,
        clock: Clock,
        recorder: Recorder,
        kept: Kept,
    ) -> Self {
        Self {
            node: node.to_owned(),
            keep_alive_interval,
            clock,
            recorder,
            server: Mutex::new(None),
            kept: SyncMutex::new(kept),
            state: SyncMutex::default(),
        }
    }

    /// Stops what runs and starts with what is configured now.
    pub(super) async fn restart(
        &self,
        database: &Database,
        configs: &Arc<ServerConfigs>,
        verifier: &Arc<Verifier>,
    ) -> Result<(), Error> {
        let failed = |cause: &dyn std::fmt::Display| Error::setup("Cisco CallManager", cause);
        let mut server = self.server.lock().await;
        if let Some(server) = server.take() {
            server.shutdown().await;
        }
        *self.state() = State::default();

        configs.certificate().reload();
        configs.rebuild().map_err(|error| failed(&error))?;
        let mut config = RegistrarConfig::unified_cm(&self.node);
        config.expires.max = self.keep_alive_interval;
        config.expires.default = self.keep_alive_interval;
        let registrar = Arc::new(Registrar::new(
            config,
            database.clone(),
            Arc::clone(verifier),
        ));
        // The bindings that end with it are the registrar's to report; here nobody asks.
        let (running, _ended) = registrar.restart().map_err(|error| failed(&error))?;

        let mut builder = RegistrarServer::builder(Arc::clone(&registrar), Arc::clone(configs))
            .clock(self.clock.clone())
            .observer(self.recorder.observer(PartyId::UnifiedCm));
        let mut open = Vec::new();
        // The secure port is for phones with certificates of their own, of which the lab has none.
        for (listener, port) in running
            .listeners()
            .filter(|(listener, _)| *listener != Listener::SipSecure)
        {
            self.kept().let_go(port);
            builder =
                builder.listen_on(listener, ports::listen(listener.label(), Some(port)).await?);
            open.push((listener, port));
        }
        *server = Some(
            builder
                .start()
                .await
                .map_err(Error::socket("Cisco CallManager"))?,
        );
        *self.state() = State {
            registrar: Some(registrar),
            open,
        };
        Ok(())
    }

    pub(super) async fn stop(&self) {
        let stopping = self.server.lock().await.take();
        *self.state() = State::default();
        if let Some(server) = stopping {
            server.shutdown().await;
        }
    }

    /// The listeners that are open.
    pub(super) fn open(&self) -> Vec<(Listener, u16)> {
        self.state().open.clone()
    }

    /// How many bindings there are.
    pub(super) fn bindings(&self) -> usize {
        let registrar = self.state().registrar.clone();
        // A store in memory always answers.
        registrar
            .and_then(|registrar| registrar.store().of_node(&self.node).ok())
            .map_or(0, |bindings| bindings.len())
    }

    /// A poisoned lock still holds whole sockets.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A poisoned lock still holds a whole state: it is only ever replaced.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
