//! Real handshakes in memory: who refuses whom, which alert each side sees, what both are told to change.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::Arc;

use rcgen::ExtendedKeyUsagePurpose;
use rustls::{
    AlertDescription, CertificateError, Error, ProtocolVersion, SupportedProtocolVersion,
};
use sip_oauth_trust::{
    AllowedNames, AllowedRow, CertifiedIdentity, Explanation, LiveAllowedNames, Observer, Party,
    Place, Reason, ServerCertificate, ServerConfigs, ServerVerifier, Side,
    client_config_with_versions, explain,
};
use support::{Authority, Ends, Heard, Leaf, authority, connect, provider, store};

const NODE: &str = "cucm1.example.com";
const EDGE: &str = "expc1.example.com";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Version {
    Tls12,
    Tls13,
}

impl Version {
    fn in_rustls(self) -> &'static SupportedProtocolVersion {
        match self {
            Self::Tls12 => &rustls::version::TLS12,
            Self::Tls13 => &rustls::version::TLS13,
        }
    }
}

const BOTH: [Version; 2] = [Version::Tls12, Version::Tls13];

/// A Unified CM node and an Expressway-C, with everything right; each test spoils one thing.
struct Scene {
    node_ca: Authority,
    edge_ca: Authority,
    node: CertifiedIdentity,
    edge: Option<CertifiedIdentity>,
    node_trusts: Vec<rustls_pki_types::CertificateDer<'static>>,
    edge_trusts: Vec<rustls_pki_types::CertificateDer<'static>>,
    table: Vec<AllowedRow>,
    connect_to: &'static str,
    mutual: bool,
}

struct Seen {
    version: Version,
    ends: Ends,
    node_heard: Arc<Heard>,
    edge_heard: Arc<Heard>,
}

impl Scene {
    fn new() -> Self {
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

    fn on_premises(mut self) -> Self {
        self.mutual = false;
        self.edge = None;
        self
    }

    fn play(&self, version: Version) -> Seen {
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
    fn both_up(self) {
        self.ends.client.unwrap();
        self.ends.server.unwrap();
        assert_eq!(self.node_heard.count() + self.edge_heard.count(), 0);
    }

    /// The node refused the edge: what the node did, and what both ends make of it.
    fn node_refused(self, alert: AlertDescription) -> (Error, Explanation) {
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
        assert_eq!(
            edge.remedy, node.remedy,
            "both ends name the same place to change"
        );
        assert_eq!(self.edge_heard.count(), 0);
        if self.node_heard.count() > 0 {
            let refusal = self.node_heard.only();
            assert_eq!((refusal.side, refusal.alert), (Side::Server, alert));
            assert_eq!(refusal.store, "Tomcat-trust");
            return (ours, refusal.explanation());
        }
        (ours, node)
    }

    /// The edge refused the node.
    fn edge_refused(self, alert: AlertDescription) -> (Error, Explanation) {
        let ours = self.ends.client.unwrap_err();
        let theirs = self.ends.server.unwrap_err();
        assert_eq!(theirs, Error::AlertReceived(alert), "{:?}", self.version);
        let edge = explain(&ours, Side::Client);
        let node = explain(&theirs, Side::Server);
        assert_eq!((edge.refused_by, node.refused_by), (Party::Us, Party::Peer));
        assert_eq!((edge.alert, node.alert), (Some(alert), Some(alert)));
        assert_eq!(
            edge.remedy, node.remedy,
            "both ends name the same place to change"
        );
        assert_eq!(self.node_heard.count(), 0);
        let refusal = self.edge_heard.only();
        assert_eq!((refusal.side, refusal.alert), (Side::Client, alert));
        assert_eq!(refusal.store, "trusted CA list");
        (ours, refusal.explanation())
    }
}

#[test]
fn on_premises_no_client_certificate_is_asked_for() {
    for version in BOTH {
        Scene::new().on_premises().play(version).both_up();
    }
}

#[test]
fn mutual_tls_comes_up_when_both_stores_and_the_table_are_right() {
    for version in BOTH {
        Scene::new().play(version).both_up();
    }
}

#[test]
fn edge_without_the_signer_of_the_tomcat_certificate_sends_unknown_ca() {
    for version in BOTH {
        let mut scene = Scene::new();
        scene.edge_trusts = vec![scene.edge_ca.der().clone()];
        let (_, explanation) = scene
            .play(version)
            .edge_refused(AlertDescription::UnknownCA);
        assert_eq!(explanation.remedy.place, Place::ClientTrust);
        assert_eq!(
            explanation.reason,
            Reason::UnknownIssuer {
                issuer: Some("CN=Node CA".to_owned())
            }
        );
    }
}

#[test]
fn on_premises_phone_without_the_signer_of_the_tomcat_certificate_sends_unknown_ca() {
    for version in BOTH {
        let mut scene = Scene::new().on_premises();
        scene.edge_trusts.clear();
        let (_, explanation) = scene
            .play(version)
            .edge_refused(AlertDescription::UnknownCA);
        assert_eq!(explanation.remedy.place, Place::ClientTrust);
    }
}

#[test]
fn node_without_the_signer_of_the_edge_certificate_sends_unknown_ca() {
    for version in BOTH {
        let mut scene = Scene::new();
        scene.node_trusts = vec![scene.node_ca.der().clone()];
        let (_, explanation) = scene
            .play(version)
            .node_refused(AlertDescription::UnknownCA);
        assert_eq!(explanation.remedy.place, Place::TomcatTrust);
        assert!(explanation.to_string().contains("Edge CA"), "{explanation}");
    }
}

#[test]
fn empty_tomcat_trust_refuses_every_peer_as_unknown_ca() {
    for version in BOTH {
        let mut scene = Scene::new();
        scene.node_trusts.clear();
        let (error, _) = scene
            .play(version)
            .node_refused(AlertDescription::UnknownCA);
        assert_eq!(
            error,
            Error::InvalidCertificate(CertificateError::UnknownIssuer)
        );
    }
}

#[test]
fn expired_edge_certificate_is_refused_by_the_node_with_its_age() {
    for version in BOTH {
        let mut scene = Scene::new();
        scene.edge = Some(Leaf::named(EDGE).expired().signed_by(&scene.edge_ca));
        let (_, explanation) = scene
            .play(version)
            .node_refused(AlertDescription::CertificateExpired);
        assert_eq!(explanation.remedy.place, Place::ClientCertificate);
        assert!(
            explanation.to_string().contains("days ago"),
            "{explanation}"
        );
    }
}

#[test]
fn expired_tomcat_certificate_is_refused_by_the_edge() {
    for version in BOTH {
        let mut scene = Scene::new();
        scene.node = Leaf::named(NODE).expired().signed_by(&scene.node_ca);
        let (_, explanation) = scene
            .play(version)
            .edge_refused(AlertDescription::CertificateExpired);
        assert_eq!(explanation.remedy.place, Place::TomcatCertificate);
    }
}

#[test]
fn certificate_from_the_future_is_refused_as_not_yet_valid() {
    for version in BOTH {
        let mut scene = Scene::new();
        scene.node = Leaf::named(NODE).future().signed_by(&scene.node_ca);
        let (_, explanation) = scene
            .play(version)
            .edge_refused(AlertDescription::CertificateExpired);
        assert!(matches!(
            explanation.reason,
            Reason::NotYetValid { ahead: Some(_) }
        ));
    }
}

#[test]
fn wrong_server_name_is_bad_certificate_with_expected_and_presented() {
    for version in BOTH {
        let mut scene = Scene::new();
        scene.connect_to = "cucm2.example.com";
        let (error, explanation) = scene
            .play(version)
            .edge_refused(AlertDescription::BadCertificate);
        assert_eq!(explanation.remedy.place, Place::ServerName);
        let sentence = "certificate: expected identity \"cucm2.example.com\", presented \
                        [DNS \"cucm1.example.com\"] (RFC 9525 §6)";
        assert_eq!(explanation.reason.to_string(), sentence);
        assert_eq!(
            explain(&error, Side::Client).reason.to_string(),
            sentence,
            "the rustls error carries it as well"
        );
    }
}

#[test]
fn name_not_in_the_table_is_access_denied_although_the_chain_is_good() {
    for version in BOTH {
        let mut scene = Scene::new();
        scene.table = vec![AllowedRow::new(
            "other",
            "",
            "expc2.example.com;expc3.example.com",
        )];
        let (_, explanation) = scene
            .play(version)
            .node_refused(AlertDescription::AccessDenied);
        assert_eq!(explanation.remedy.place, Place::AllowedNamesTable);
        assert_eq!(
            explanation.reason.to_string(),
            "certificate: presented [CN \"expc1.example.com\", DNS \"expc1.example.com\"], expected one of \
             [expc2.example.com, expc3.example.com] (table expresswaycconfiguration)"
        );
    }
}

#[test]
fn name_in_the_table_does_not_help_an_untrusted_chain() {
    for version in BOTH {
        let mut scene = Scene::new();
        scene.edge = Some(Leaf::named(EDGE).signed_by(&authority("Rogue CA")));
        scene
            .play(version)
            .node_refused(AlertDescription::UnknownCA);
    }
}

#[test]
fn no_client_certificate_is_refused_on_5091() {
    for version in BOTH {
        let mut scene = Scene::new();
        scene.edge = None;
        let seen = scene.play(version);
        assert_eq!(seen.ends.server, Err(Error::NoCertificatesPresented));
        let alert = AlertDescription::CertificateRequired;
        let (_, explanation) = seen.node_refused(alert);
        assert_eq!(explanation.reason, Reason::NoCertificate);
        assert_eq!(explanation.remedy.place, Place::ClientCertificate);
    }
}

#[test]
fn edge_certificate_without_client_auth_is_unsupported() {
    for version in BOTH {
        let mut scene = Scene::new();
        let usages = [ExtendedKeyUsagePurpose::ServerAuth];
        scene.edge = Some(Leaf::named(EDGE).usages(&usages).signed_by(&scene.edge_ca));
        let (_, explanation) = scene
            .play(version)
            .node_refused(AlertDescription::UnsupportedCertificate);
        assert_eq!(
            explanation.reason,
            Reason::Purpose {
                required: Some("clientAuth")
            }
        );
    }
}

#[test]
fn tomcat_certificate_without_server_auth_is_unsupported() {
    for version in BOTH {
        let mut scene = Scene::new();
        let usages = [ExtendedKeyUsagePurpose::ClientAuth];
        scene.node = Leaf::named(NODE).usages(&usages).signed_by(&scene.node_ca);
        let (_, explanation) = scene
            .play(version)
            .edge_refused(AlertDescription::UnsupportedCertificate);
        assert_eq!(
            explanation.reason,
            Reason::Purpose {
                required: Some("serverAuth")
            }
        );
    }
}

#[test]
fn signer_with_the_subject_of_an_anchor_and_another_key_is_named_as_that() {
    for version in BOTH {
        let mut scene = Scene::new();
        scene.edge = Some(Leaf::named(EDGE).signed_by(&authority("Edge CA")));
        let (_, explanation) = scene
            .play(version)
            .node_refused(AlertDescription::DecryptError);
        assert_eq!(explanation.reason, Reason::BadSignature);
        assert_eq!(explanation.remedy.place, Place::TomcatTrust);
        assert!(
            explanation
                .to_string()
                .contains("two certificates with one subject"),
            "{explanation}"
        );
    }
}

#[test]
fn two_anchors_with_one_subject_are_both_tried() {
    for version in BOTH {
        let mut scene = Scene::new();
        scene.node_trusts = vec![
            authority("Edge CA").der().clone(),
            scene.edge_ca.der().clone(),
        ];
        scene.play(version).both_up();
    }
}

mod self_signed_certificate_in_the_store {
    use super::*;

    /// The Tomcat certificate of an untouched Unified CM: self-signed, CA:TRUE.
    fn scene(node: Leaf) -> Scene {
        let node = node.ca().self_signed();
        let mut scene = Scene::new();
        scene.edge_trusts = vec![node.chain()[0].clone()];
        scene.node = node;
        scene
    }

    #[test]
    fn is_accepted_as_an_exact_pin() {
        for version in BOTH {
            scene(Leaf::named(NODE)).play(version).both_up();
        }
    }

    #[test]
    fn is_accepted_from_a_client_too() {
        for version in BOTH {
            let edge = Leaf::named(EDGE).ca().self_signed();
            let mut scene = Scene::new();
            scene.node_trusts = vec![edge.chain()[0].clone()];
            scene.edge = Some(edge);
            scene.play(version).both_up();
        }
    }

    #[test]
    fn still_expires() {
        for version in BOTH {
            let seen = scene(Leaf::named(NODE).expired()).play(version);
            seen.edge_refused(AlertDescription::CertificateExpired);
        }
    }

    #[test]
    fn still_needs_the_right_name() {
        for version in BOTH {
            let seen = scene(Leaf::named("cucm9.example.com")).play(version);
            seen.edge_refused(AlertDescription::BadCertificate);
        }
    }

    #[test]
    fn still_needs_the_right_key_usage() {
        for version in BOTH {
            let usages = [ExtendedKeyUsagePurpose::ClientAuth];
            let seen = scene(Leaf::named(NODE).usages(&usages)).play(version);
            seen.edge_refused(AlertDescription::UnsupportedCertificate);
        }
    }

    #[test]
    fn with_another_key_is_no_pin() {
        for version in BOTH {
            let mut scene = scene(Leaf::named(NODE));
            scene.node = Leaf::named(NODE).ca().self_signed();
            let (_, explanation) = scene
                .play(version)
                .edge_refused(AlertDescription::UnknownCA);
            assert_eq!(explanation.remedy.place, Place::ClientTrust);
        }
    }
}
