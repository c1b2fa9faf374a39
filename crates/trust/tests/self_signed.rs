//! A self-signed `CA:TRUE` certificate that is itself in the store: an exact pin, and no more than that.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use rcgen::ExtendedKeyUsagePurpose;
use rustls::AlertDescription;
use sip_oauth_trust::Place;
use support::Leaf;
use support::scene::{BOTH, EDGE, NODE, Scene};

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
