//! Real handshakes in memory: who refuses whom, which alert each side sees, what both are told to change.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use rcgen::ExtendedKeyUsagePurpose;
use rustls::{AlertDescription, CertificateError, Error};
use sip_oauth_trust::{AllowedRow, IssuerPlace, Place, Reason, Side, explain};
use support::scene::{BOTH, EDGE, NODE, Scene};
use support::{Leaf, authority};

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
        let issuer = Some(IssuerPlace::Store);
        assert_eq!(explanation.reason, Reason::BadSignature { issuer });
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

#[test]
fn rsa_and_ecdsa_certificates_work_on_either_side() {
    for version in BOTH {
        for (node_rsa, edge_rsa) in [(true, false), (false, true), (true, true)] {
            let leaf = |name, rsa| {
                if rsa {
                    Leaf::named(name).rsa()
                } else {
                    Leaf::named(name)
                }
            };
            let mut scene = Scene::new();
            scene.node = leaf(NODE, node_rsa).signed_by(&scene.node_ca);
            scene.edge = Some(leaf(EDGE, edge_rsa).signed_by(&scene.edge_ca));
            scene.play(version).both_up();
        }
    }
}
