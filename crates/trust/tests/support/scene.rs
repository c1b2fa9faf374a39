//! A Unified CM node and an Expressway-C that meet, and what each of them makes of the outcome.

use std::sync::Arc;

use rustls::{AlertDescription, Error, ProtocolVersion, SupportedProtocolVersion};
use rustls_pki_types::CertificateDer;
use sip_oauth_trust::{
    AllowedNames, AllowedRow, CertifiedIdentity, Explanation, LiveAllowedNames, Observer, Party,
    Place, ServerCertificate, ServerConfigs, ServerVerifier, Side, client_config_with_versions,
    explain,
};

use super::{Authority, Ends, Heard, Leaf, authority, connect, provider, store};

pub(crate) const NODE: &str = "cucm1.example.com";
pub(crate) const EDGE: &str = "expc1.example.com";

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Version {
    Tls12,
    Tls13,
}

impl Version {
    pub(crate) fn in_rustls(self) -> &'static SupportedProtocolVersion {
        match self {
            Self::Tls12 => &rustls::version::TLS12,
            Self::Tls13 => &rustls::version::TLS13,
        }
    }
}

pub(crate) const BOTH: [Version; 2] = [Version::Tls12, Version::Tls13];

/// A Unified CM node and an Expressway-C, with everything right; each test spoils one thing.
pub(crate) struct Scene {
    pub(crate) node_ca: Authority,
    pub(crate) edge_ca: Authority,
    pub(crate) node: CertifiedIdentity,
    pub(crate) edge: Option<CertifiedIdentity>,
    pub(crate) node_trusts: Vec<CertificateDer<'static>>,
    pub(crate) edge_trusts: Vec<CertificateDer<'static>>,
    pub(crate) table: Vec<AllowedRow>,
    pub(crate) connect_to: &'static str,
    pub(crate) mutual: bool,
}

pub(crate) struct Seen {
    pub(crate) version: Version,
    pub(crate) ends: Ends,
    pub(crate) node_heard: Arc<Heard>,
    pub(crate) edge_heard: Arc<Heard>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let node_ca = authority("Node CA");
        let edge_ca = authority("Edge CA");
        Self {
            node: Leaf::named(NODE).signed_by(&node_ca),
            edge: Some(Leaf::named(EDGE).signed_by(&edge_ca)),
            node_trusts: vec![edge_ca.der().clone()],
            edge_trusts: vec![node_ca.der().clone()],
            table: vec![AllowedRow::new(EDGE, "", EDGE)],
            connect_to: NODE,
            mutual: true,
            node_ca,
            edge_ca,
        }
    }

    pub(crate) fn on_premises(mut self) -> Self {
        self.mutual = false;
        self.edge = None;
        self
    }

    pub(crate) fn play(&self, version: Version) -> Seen {
        let node_heard = Arc::new(Heard::default());
        let edge_heard = Arc::new(Heard::default());
        let versions = &[version.in_rustls()];
        let configs = ServerConfigs::with_versions(
            Arc::new(ServerCertificate::new(self.node.clone())),
            store("Tomcat-trust", &self.node_trusts),
            Arc::new(LiveAllowedNames::new(AllowedNames::new(self.table.clone()))),
            provider(),
            Some(Arc::<Heard>::clone(&node_heard) as Arc<dyn Observer>),
            versions,
        )
        .unwrap();
        let verifier =
            ServerVerifier::builder(store("trusted CA list", &self.edge_trusts), provider())
                .observer(Arc::<Heard>::clone(&edge_heard) as Arc<dyn Observer>)
                .build();
        let client =
            client_config_with_versions(Arc::new(verifier), self.edge.as_ref(), versions).unwrap();
        let server = if self.mutual {
            configs.mra_oauth()
        } else {
            configs.oauth()
        };
        let (ends, client, _server) = connect(Arc::new(client), server, self.connect_to);
        if ends.client.is_ok() {
            let expected = match version {
                Version::Tls12 => ProtocolVersion::TLSv1_2,
                Version::Tls13 => ProtocolVersion::TLSv1_3,
            };
            assert_eq!(client.protocol_version(), Some(expected));
        }
        Seen {
            version,
            ends,
            node_heard,
            edge_heard,
        }
    }
}

impl Seen {
    pub(crate) fn both_up(self) {
        self.ends.client.unwrap();
        self.ends.server.unwrap();
        assert_eq!(self.node_heard.count() + self.edge_heard.count(), 0);
    }

    /// The node refused the edge: what the node did, and what both ends make of it.
    pub(crate) fn node_refused(self, alert: AlertDescription) -> (Error, Explanation) {
        let ours = self.ends.server.unwrap_err();
        let theirs = self.ends.client.unwrap_err();
        assert_eq!(theirs, Error::AlertReceived(alert), "{:?}", self.version);
        assert_eq!(
            self.ends.client_was_up,
            self.version == Version::Tls13,
            "in 1.3, and only there, the client learns of it after its own handshake"
        );
        let edge = explain(&theirs, Side::Client);
        let node = explain(&ours, Side::Server);
        assert_eq!((edge.refused_by, node.refused_by), (Party::Peer, Party::Us));
        assert_eq!((edge.alert, node.alert), (Some(alert), Some(alert)));
        assert_eq!(self.edge_heard.count(), 0);
        if self.node_heard.count() > 0 {
            let refusal = self.node_heard.only();
            assert_eq!((refusal.side, refusal.alert), (Side::Server, alert));
            assert_eq!(refusal.store, "Tomcat-trust");
            return (ours, agreed(refusal.explanation(), &edge));
        }
        (ours, agreed(node, &edge))
    }

    /// The edge refused the node.
    pub(crate) fn edge_refused(self, alert: AlertDescription) -> (Error, Explanation) {
        let ours = self.ends.client.unwrap_err();
        let theirs = self.ends.server.unwrap_err();
        assert_eq!(theirs, Error::AlertReceived(alert), "{:?}", self.version);
        let edge = explain(&ours, Side::Client);
        let node = explain(&theirs, Side::Server);
        assert_eq!((edge.refused_by, node.refused_by), (Party::Us, Party::Peer));
        assert_eq!((edge.alert, node.alert), (Some(alert), Some(alert)));
        assert_eq!(self.node_heard.count(), 0);
        let refusal = self.edge_heard.only();
        assert_eq!((refusal.side, refusal.alert), (Side::Client, alert));
        assert_eq!(refusal.store, "trusted CA list");
        (ours, agreed(refusal.explanation(), &node))
    }
}

/// The end that was refused knows an alert only: the place to change is among those it names, and it names one as
/// certain only if it is that.
fn agreed(refused: Explanation, told: &Explanation) -> Explanation {
    let place = refused.remedy.place;
    let places: Vec<_> = told.remedies().iter().map(|it| it.place).collect();
    assert!(places.contains(&place), "{refused}\n{told}");
    assert!(
        [place, Place::Log].contains(&told.remedy.place),
        "{refused}\n{told}"
    );
    refused
}
