//! A peer of mutual TLS whose trust is withdrawn: while it is connected, and while it shakes hands.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

#[path = "../../trust/tests/support/watched.rs"]
mod watched;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use rustls::{SupportedProtocolVersion, crypto::CryptoProvider};
use sip_oauth_registration::{
    client::{ConnectionFailure, Event, Transport},
    edge::{DiscoveredNode, Edge, EdgeConfig},
    registrar::Listener,
};
use sip_oauth_tokio::{
    ClientEvent, ClientEvents, ClientHandle, Connection, ConnectionSettings, Connector, EdgeServer,
    FixedToken, Incoming, RefusalRelay, RegistrarServer, RegistrationClient, Role,
};
use sip_oauth_trust::{
    AllowedNames, AllowedRow, CertifiedIdentity, LiveAllowedNames, LiveTrustStore, Party, Reason,
    ServerCertificate, ServerConfigs, ServerVerifier, TrustStore,
};
use support::{
    Authority, BOTH, EACH, EDGE, Estate, NODE, Trace, at_node, client_tls, connector, device_at,
    loopback, registration, server_tls, server_tls_with, soon,
};
use watched::{watched, watched_handshakes};

/// A node on 5091 whose store, table and clock a test changes.
struct Node {
    estate: Estate,
    table: Arc<LiveAllowedNames>,
    server: RegistrarServer,
}

impl Node {
    async fn new(versions: &[&'static SupportedProtocolVersion]) -> Self {
        Self::with_provider(versions, support::provider()).await
    }

    async fn with_provider(
        versions: &[&'static SupportedProtocolVersion],
        provider: Arc<CryptoProvider>,
    ) -> Self {
        let estate = Estate::new();
        let row = AllowedRow::new("expressway", "", EDGE);
        let table = Arc::new(LiveAllowedNames::new(AllowedNames::new([row])));
        let tls = ServerConfigs::with_versions(
            Arc::new(ServerCertificate::new(estate.authority.issue(NODE))),
            Arc::clone(&estate.trust),
            Arc::clone(&table),
            provider,
            Some(Arc::new(RefusalRelay::new())),
            versions,
        );
        let tls = Arc::new(tls.unwrap());
        let server = RegistrarServer::builder(Arc::clone(&estate.registrar), tls)
            .listen(Listener::SipMraOAuth, loopback(0))
            .clock(estate.clock.clone())
            .observer(estate.trace.clone())
            .timeouts(support::quick())
            .start()
            .await
            .unwrap();
        Self {
            estate,
            table,
            server,
        }
    }

    /// The edge's connection, its handshake done.
    async fn connect(&self, identity: &CertifiedIdentity) -> Connection<sip_oauth_tokio::Stream> {
        let port = self
            .server
            .local_addr(Listener::SipMraOAuth)
            .unwrap()
            .port();
        let trusted = self.estate.authority.store("trusted CAs");
        let connector = connector(
            client_tls(trusted, Some(identity), BOTH),
            &self.estate.clock,
        );
        let (stream, ends) = soon(connector.connect(NODE, port, Transport::Tls))
            .await
            .unwrap();
        Connection::new(stream, ends, ConnectionSettings::default())
    }

    async fn connected(&self, identity: &CertifiedIdentity) -> Connection<sip_oauth_tokio::Stream> {
        let mut connection = self.connect(identity).await;
        connection.ping().await.unwrap();
        assert_eq!(soon(connection.receive()).await.unwrap(), Incoming::Pong);
        connection
    }

    /// The only refusal the node's observer hears of.
    async fn refusal(&self) -> Reason {
        let trace = &self.estate.trace;
        trace
            .until("the refusal", |trace| !trace.refusals().is_empty())
            .await;
        assert_eq!(trace.refusals().len(), 1);
        trace.refusals()[0].1.reason.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_peer_is_closed_when_its_row_is_deleted() {
    for versions in EACH {
        let node = Node::new(versions).await;
        let mut connection = node.connected(&node.estate.authority.issue(EDGE)).await;
        node.table.replace(AllowedNames::default());
        assert_eq!(soon(connection.receive()).await.unwrap(), Incoming::End);
        let reason = node.refusal().await;
        assert!(matches!(reason, Reason::NameNotInTable { .. }), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_peer_is_closed_when_its_authority_leaves_the_store() {
    for versions in EACH {
        let node = Node::new(versions).await;
        let mut connection = node.connected(&node.estate.authority.issue(EDGE)).await;
        let other = Authority::new("Another CA").store("Tomcat-trust");
        node.estate.trust.replace(other);
        assert_eq!(soon(connection.receive()).await.unwrap(), Incoming::End);
        let reason = node.refusal().await;
        assert!(matches!(reason, Reason::UnknownIssuer { .. }), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_peer_is_closed_when_a_list_revokes_it() {
    for versions in EACH {
        let node = Node::new(versions).await;
        let authority = &node.estate.authority;
        let identity = authority.issue(EDGE);
        let mut connection = node.connected(&identity).await;
        let mut other = node.connected(&authority.issue(EDGE)).await;
        let store = authority.store_revoking("Tomcat-trust", &identity);
        node.estate.trust.replace(store);
        assert_eq!(soon(connection.receive()).await.unwrap(), Incoming::End);
        assert_eq!(node.refusal().await, Reason::Revoked);
        other.ping().await.unwrap();
        assert_eq!(soon(other.receive()).await.unwrap(), Incoming::Pong);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_peer_is_closed_when_its_certificate_ends() {
    for versions in EACH {
        let node = Node::new(versions).await;
        let hour = Duration::from_secs(3600);
        let end = node.estate.clock.system_now() + hour / 2;
        let identity = node.estate.authority.issue_until(EDGE, Some(end));
        let mut connection = node.connected(&identity).await;
        // What is good longer stays.
        let mut other = node.connected(&node.estate.authority.issue(EDGE)).await;
        node.estate.clock.advance(hour / 2 + Duration::from_secs(2));
        assert_eq!(soon(connection.receive()).await.unwrap(), Incoming::End);
        let reason = node.refusal().await;
        assert!(
            matches!(reason, Reason::Expired { ago: Some(_) }),
            "{reason}"
        );
        other.ping().await.unwrap();
        assert_eq!(soon(other.receive()).await.unwrap(), Incoming::Pong);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_peer_stays_when_a_change_does_not_concern_it() {
    let node = Node::new(BOTH).await;
    let mut connection = node.connected(&node.estate.authority.issue(EDGE)).await;
    for round in 0..20 {
        let rows = [
            AllowedRow::new("expressway", "", EDGE),
            AllowedRow::new("another", "", format!("expc{round}.example.com")),
        ];
        node.table.replace(AllowedNames::new(rows));
        let same = TrustStore::clone(&node.estate.trust.load());
        node.estate.trust.replace(same);
        connection.ping().await.unwrap();
        assert_eq!(soon(connection.receive()).await.unwrap(), Incoming::Pong);
    }
    assert!(node.server.recheck_peers().is_empty());
    assert!(node.estate.trace.refusals().is_empty());
}

/// The last thing a handshake does with a client's certificate is to verify the signature made with its key. What
/// changes at that moment is seen by no verifier.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_whose_trust_is_withdrawn_during_its_handshake_does_not_get_in() {
    enum Change {
        Row,
        Authority,
    }
    for versions in EACH {
        for change in [Change::Row, Change::Authority] {
            let hook = Hook::default();
            let node = Node::with_provider(versions, hooked(&hook)).await;
            let identity = node.estate.authority.issue(EDGE);
            let (table, trust) = (Arc::clone(&node.table), Arc::clone(&node.estate.trust));
            let is_row = matches!(change, Change::Row);
            hook.set(move || {
                if is_row {
                    table.replace(AllowedNames::default());
                } else {
                    trust.replace(TrustStore::new("Tomcat-trust"));
                }
            });
            let mut connection = node.connect(&identity).await;
            assert_eq!(soon(connection.receive()).await.unwrap(), Incoming::End);
            assert!(hook.has_happened());
            let reason = node.refusal().await;
            match change {
                Change::Row => assert!(matches!(reason, Reason::NameNotInTable { .. }), "{reason}"),
                Change::Authority => {
                    assert!(matches!(reason, Reason::UnknownIssuer { .. }), "{reason}");
                }
            }
        }
    }
}

/// What happens once, when a handshake verifies its signature.
#[derive(Default, Clone)]
struct Hook(Arc<Mutex<Option<Happening>>>);

type Happening = Box<dyn FnOnce() + Send>;

impl Hook {
    fn set(&self, happening: impl FnOnce() + Send + 'static) {
        *self.0.lock().unwrap() = Some(Box::new(happening));
    }

    fn has_happened(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }
}

/// The provider with a hook where handshakes are verified; certificates are verified as ever.
fn hooked(hook: &Hook) -> Arc<CryptoProvider> {
    let hook = hook.clone();
    watched_handshakes(&support::provider(), move || {
        let happening = hook.0.lock().unwrap().take();
        if let Some(happens) = happening {
            happens();
        }
    })
}

/// The other way round: a server that is connected and no longer trusted by who connected.
mod server {
    use super::*;

    /// What may happen to a store, and whether that is the reason.
    type Change = (TrustStore, fn(&Reason) -> bool);

    /// A node to connect to, the store of who connects, and what is seen at that end.
    struct Caller {
        estate: Estate,
        /// What the node shows.
        shown: CertifiedIdentity,
        node: RegistrarServer,
        trust: Arc<LiveTrustStore>,
        trace: Arc<Trace>,
        connector: Connector,
    }

    impl Caller {
        async fn new(versions: &[&'static SupportedProtocolVersion]) -> Self {
            Self::with(versions, None, support::provider()).await
        }

        /// The node's certificate ends then.
        async fn with(
            versions: &[&'static SupportedProtocolVersion],
            end: Option<SystemTime>,
            provider: Arc<CryptoProvider>,
        ) -> Self {
            let estate = Estate::with_versions(versions);
            let shown = estate.authority.issue_until(NODE, end);
            let tomcat_trust = Arc::clone(&estate.trust);
            let tls = server_tls_with(shown.clone(), tomcat_trust, EDGE, versions);
            let node = RegistrarServer::builder(Arc::clone(&estate.registrar), tls)
                .listen(Listener::SipOAuth, loopback(0))
                .listen(Listener::SipMraOAuth, loopback(0))
                .clock(estate.clock.clone())
                .observer(estate.trace.clone())
                .timeouts(support::quick())
                .start()
                .await
                .unwrap();
            let trust = Arc::new(LiveTrustStore::new(estate.authority.store("trusted CAs")));
            let trace: Arc<Trace> = Arc::default();
            let verifier = ServerVerifier::builder(Arc::clone(&trust), provider)
                .observer(Arc::new(RefusalRelay::new()))
                .build();
            let connector = Connector::new()
                .with_resolver(support::names())
                .with_clock(estate.clock.clone())
                .with_timeouts(support::quick())
                .with_observer(trace.clone())
                .with_verifier(Arc::new(verifier), Some(&estate.authority.issue(EDGE)))
                .unwrap();
            Self {
                estate,
                shown,
                node,
                trust,
                trace,
                connector,
            }
        }

        /// An edge with one zone, to the node.
        async fn edge(&self) -> EdgeServer {
            let towards_clients = server_tls(
                self.estate.authority.issue(EDGE),
                self.estate.authority.store("trusted CAs"),
                "",
                BOTH,
            );
            let edge = Edge::new(EdgeConfig::new(EDGE, 5061));
            let edge = EdgeServer::builder(edge, towards_clients, self.connector.clone())
                .listen(loopback(0))
                .start()
                .await
                .unwrap();
            let port = self.node.local_addr(Listener::SipMraOAuth).unwrap().port();
            soon(edge.refresh_servers(&[DiscoveredNode::new(NODE, port)])).await;
            edge
        }

        fn client(&self) -> (ClientHandle, ClientEvents) {
            let device = device_at(vec![at_node(&self.node)]);
            let tokens = Arc::new(FixedToken::new(self.estate.token()));
            RegistrationClient::new(device, self.connector.clone(), tokens).start()
        }

        /// Why the first connection that was refused was; at this end, and while it was up.
        async fn refusal(&self) -> Reason {
            let trace = &self.trace;
            trace
                .until("the refusal", |trace| !trace.refusals().is_empty())
                .await;
            let (role, explanation) = trace.refusals()[0].clone();
            assert_eq!((role, explanation.refused_by), (Role::Initiator, Party::Us));
            // The other end saw a connection that was closed in order, and no alert.
            let at_node = &self.estate.trace;
            at_node.until("the end", |trace| trace.closed() == 1).await;
            explanation.reason
        }

        fn changes(&self) -> [Change; 2] {
            let authority = &self.estate.authority;
            [
                (
                    Authority::new("Another CA").store("trusted CAs"),
                    |reason| matches!(reason, Reason::UnknownIssuer { .. }),
                ),
                (
                    authority.store_revoking("trusted CAs", &self.shown),
                    |reason| *reason == Reason::Revoked,
                ),
            ]
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_zone_is_closed_when_the_store_no_longer_accepts_its_node() {
        for versions in EACH {
            for change in [0, 1] {
                let caller = Caller::new(versions).await;
                let edge = caller.edge().await;
                assert!(edge.zones()[0].zone.state.is_active());
                let before = TrustStore::clone(&caller.trust.load());
                let (store, is_it) = caller.changes().into_iter().nth(change).unwrap();
                caller.trust.replace(store);
                let reason = caller.refusal().await;
                assert!(is_it(&reason), "{reason}");
                // The zone says so, also after it was tried again.
                for _ in 0..2 {
                    let zone = &soon(edge.check_zones()).await[0];
                    assert!(!zone.zone.state.is_active());
                    assert!(is_it(&zone.explanation.as_ref().unwrap().reason));
                }
                caller.trust.replace(before);
                assert!(soon(edge.check_zones()).await[0].zone.state.is_active());
                soon(edge.shutdown()).await;
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_zone_is_closed_when_the_certificate_of_its_node_ends() {
        for versions in EACH {
            let half_hour = Duration::from_secs(1800);
            let end = SystemTime::now() + half_hour;
            let caller = Caller::with(versions, Some(end), support::provider()).await;
            let edge = caller.edge().await;
            assert!(edge.zones()[0].zone.state.is_active());
            let a_second = Duration::from_secs(1);
            caller.estate.clock.advance(half_hour + 2 * a_second);
            let reason = caller.refusal().await;
            assert!(matches!(reason, Reason::Expired { .. }), "{reason}");
            // A handshake goes by the same clock: it does not come back.
            for _ in 0..2 {
                let zone = &soon(edge.check_zones()).await[0];
                assert!(!zone.zone.state.is_active());
                let reason = &zone.explanation.as_ref().unwrap().reason;
                assert!(matches!(reason, Reason::Expired { .. }), "{reason}");
            }
            soon(edge.shutdown()).await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_client_leaves_a_registrar_that_its_store_no_longer_accepts() {
        for versions in EACH {
            for change in [0, 1] {
                let caller = Caller::new(versions).await;
                let (_handle, mut events) = caller.client();
                let event = registration(&mut events).await;
                assert!(matches!(event, Event::Registered(_)), "{event:?}");
                let (store, is_it) = caller.changes().into_iter().nth(change).unwrap();
                caller.trust.replace(store);
                loop {
                    let event = soon(events.recv()).await.expect("the client goes on");
                    let ClientEvent::Connection {
                        failure,
                        explanation,
                        ..
                    } = event
                    else {
                        continue;
                    };
                    assert!(matches!(failure, ConnectionFailure::Tls(_)), "{failure:?}");
                    assert!(is_it(&explanation.unwrap().reason));
                    break;
                }
                let reason = caller.refusal().await;
                assert!(is_it(&reason), "{reason}");
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_connection_stays_when_a_change_does_not_concern_it() {
        let signatures = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&signatures);
        let provider = watched(&support::provider(), move || {
            counting.fetch_add(1, Ordering::SeqCst);
        });
        let caller = Caller::with(BOTH, None, Arc::clone(&provider)).await;
        let edge = caller.edge().await;
        let stranger = caller.estate.authority.issue(EDGE);
        let store = || {
            let authority = &caller.estate.authority;
            authority.store_revoking("trusted CAs", &stranger)
        };
        let verified = || signatures.load(Ordering::SeqCst);
        // What one look at the node takes.
        let before = verified();
        ServerVerifier::builder(Arc::new(LiveTrustStore::new(store())), provider)
            .build()
            .recheck_peer(
                &caller.shown.certified_key().cert,
                &NODE.try_into().unwrap(),
                SystemTime::now(),
            )
            .unwrap();
        let each = verified() - before;
        assert!(each > 0);
        let mut looked = verified();
        for _ in 0..20 {
            caller.trust.replace(store());
            looked += each;
            soon(async {
                while verified() < looked {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            })
            .await;
        }
        assert!(soon(edge.check_zones()).await[0].zone.state.is_active());
        soon(edge.shutdown()).await;
        assert!(caller.trace.refusals().is_empty());
        assert_eq!(caller.estate.trace.accepted().len(), 1);
    }

    /// A server is sent nothing when the store changes after its certificate was verified and before the handshake ends.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_changes_during_the_handshake_counts() {
        for versions in EACH {
            let hook = Hook::default();
            let caller = Caller::with(versions, None, hooked(&hook)).await;
            let trust = Arc::clone(&caller.trust);
            hook.set(move || {
                trust.replace(TrustStore::new("trusted CAs"));
            });
            let (_handle, _events) = caller.client();
            let reason = caller.refusal().await;
            assert!(matches!(reason, Reason::UnknownIssuer { .. }), "{reason}");
            assert!(hook.has_happened());
            assert!(caller.trace.ladder().is_empty());
        }
    }
}
