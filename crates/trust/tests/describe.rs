//! A chain as text and as data.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use sip_oauth_trust::describe;
use support::{Leaf, authority, provider, store};

#[test]
fn tree_shows_each_certificate_and_the_anchors_found() {
    let (ca, twin) = (authority("Example CA"), authority("Example CA"));
    let leaf = Leaf::named("cucm1.example.com")
        .cn("bad\0name")
        .expired()
        .signed_by(&ca);
    let trust = store("Tomcat-trust", [twin.der(), ca.der()]).load();
    let described = describe(leaf.chain(), &trust, &provider()).unwrap();
    assert_eq!(
        described.anchors.len(),
        2,
        "both anchors with the subject are named"
    );
    let text = described.to_string();
    assert!(
        text.contains("valid    2020-01-01 00:00:00Z to 2021-01-01 00:00:00Z\n"),
        "{text}"
    );
    assert!(
        text.contains("names    [CN \"cucm1.example.com\", DNS \"cucm1.example.com\"]\n"),
        "{text}"
    );
    assert!(text.contains("unused   CN \"bad\\u{0}name\""), "{text}");
    assert!(text.contains("└─ CN=Example CA\n"), "{text}");
    assert!(
        text.contains("anchor of Tomcat-trust, from made for this test\n"),
        "{text}"
    );
    assert_eq!(described.certificates[0].sha256, leaf.sha256(&provider()));
}

#[test]
fn missing_anchor_is_said() {
    let leaf = Leaf::named("cucm1.example.com").signed_by(&authority("Example CA"));
    let described = describe(leaf.chain(), &store("Tomcat-trust", []).load(), &provider()).unwrap();
    assert!(
        described
            .to_string()
            .ends_with("└─ no anchor for it in Tomcat-trust\n"),
        "{described}"
    );
}
