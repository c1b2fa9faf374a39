//! A peer of mutual TLS whose trust is withdrawn: while it is connected, and while it shakes hands.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use rustls::{
    SignatureScheme, SupportedProtocolVersion,
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms},
    pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm},
};
use sip_oauth_registration::{client::Transport, registrar::Listener};
use sip_oauth_tokio::{Connection, ConnectionSettings, Incoming, RefusalRelay, RegistrarServer};
use sip_oauth_trust::{
    AllowedNames, AllowedRow, CertifiedIdentity, LiveAllowedNames, Reason, ServerCertificate,
    ServerConfigs, TrustStore,
};
use support::{Authority, BOTH, EACH, EDGE, Estate, NODE, client_tls, connector, loopback, soon};

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
            *hook.0.lock().unwrap() = Some(Box::new(move || {
                if is_row {
                    table.replace(AllowedNames::default());
                } else {
                    trust.replace(TrustStore::new("Tomcat-trust"));
                }
            }));
            let mut connection = node.connect(&identity).await;
            assert_eq!(soon(connection.receive()).await.unwrap(), Incoming::End);
            assert!(hook.0.lock().unwrap().is_none(), "it was called");
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

/// What happens once, before the signature of a handshake is verified.
#[derive(Default, Clone)]
struct Hook(Arc<Mutex<Option<Happening>>>);

type Happening = Box<dyn FnOnce() + Send>;

struct Hooked {
    inner: &'static dyn SignatureVerificationAlgorithm,
    hook: Hook,
}

impl fmt::Debug for Hooked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl SignatureVerificationAlgorithm for Hooked {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        if let Some(happens) = self.hook.0.lock().unwrap().take() {
            happens();
        }
        self.inner.verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.signature_alg_id()
    }
}

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

/// The provider with a hook where handshakes are verified; certificates are verified as ever.
fn hooked(hook: &Hook) -> Arc<CryptoProvider> {
    let mut provider = CryptoProvider::clone(&support::provider());
    let known = provider.signature_verification_algorithms;
    // rustls wants them for ever; a test has few.
    let wrap = |inner: &Algorithm| -> Algorithm {
        Box::leak(Box::new(Hooked {
            inner: *inner,
            hook: hook.clone(),
        }))
    };
    let mapping: Vec<(SignatureScheme, &'static [Algorithm])> = known
        .mapping
        .iter()
        .map(|(scheme, algorithms)| {
            let algorithms: Vec<Algorithm> = algorithms.iter().map(wrap).collect();
            (*scheme, &*algorithms.leak())
        })
        .collect();
    provider.signature_verification_algorithms = WebPkiSupportedAlgorithms {
        all: known.all,
        mapping: mapping.leak(),
    };
    Arc::new(provider)
}
