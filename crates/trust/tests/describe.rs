//! A chain as text and as data.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use sip_oauth_trust::describe;
use support::{Leaf, authority, provider, store, sub_authority};

#[test]
fn tree_shows_each_certificate_and_the_anchors_found() {
    let (ca, twin) = (authority("Example CA"), authority("Example CA"));
    let leaf = Leaf::named("cucm1.example.com")
        .cn("bad\0name")
        .expired()
        .signed_by(&ca);
    let trust = store("Tomcat-trust", [twin.der(), ca.der()]).load();
    let described = describe(leaf.chain(), &trust, &provider());
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
    let described = describe(leaf.chain(), &store("Tomcat-trust", []).load(), &provider());
    assert!(
        described
            .to_string()
            .ends_with("└─ no anchor for it in Tomcat-trust\n"),
        "{described}"
    );
}

#[test]
fn tree_follows_the_issuers_whatever_the_order_and_shows_strangers_apart() {
    let root = authority("Root");
    let upper = sub_authority("Upper", &root);
    let lower = sub_authority("Lower", &upper);
    let stranger = authority("Stranger");
    let chain =
        Leaf::named("cucm1.example.com").signed_by_with(&lower, &[&upper, &stranger, &lower]);
    let trust = store("Tomcat-trust", [root.der()]).load();
    let described = describe(chain.chain(), &trust, &provider());
    assert_eq!(described.way, [0, 3, 1]);
    assert_eq!(described.strangers, [2]);
    let text = described.to_string();
    let place = |what: &str| {
        text.find(what)
            .unwrap_or_else(|| panic!("{what} in {text}"))
    };
    let order = [
        "CN=cucm1",
        "└─ CN=Lower",
        "└─ CN=Upper",
        "└─ CN=Root",
        "not on that way",
        "CN=Stranger",
    ];
    assert!(
        order.windows(2).all(|pair| place(pair[0]) < place(pair[1])),
        "{text}"
    );
    assert!(
        text.contains(&format!("SHA-1    {}", described.certificates[0].sha1)),
        "{text}"
    );
}

#[test]
fn anchor_that_the_peer_sends_along_is_found_in_the_store_and_not_named_an_issuer_twice() {
    let root = authority("Root");
    let chain = Leaf::named("cucm1.example.com").signed_by_with(&root, &[&root]);
    let trust = store("Tomcat-trust", [root.der()]).load();
    let described = describe(chain.chain(), &trust, &provider());
    assert_eq!(
        (described.way.as_slice(), described.strangers.as_slice()),
        (&[0][..], &[1][..])
    );
    assert_eq!(described.anchors.len(), 1);
    let text = described.to_string();
    assert_eq!(text.matches("└─ CN=Root\n").count(), 1, "{text}");
    // Without it in the store, the way ends at the root the peer sent.
    let described = describe(
        chain.chain(),
        &store("Tomcat-trust", []).load(),
        &provider(),
    );
    assert_eq!(described.way, [0, 1]);
}

#[test]
fn certificate_that_cannot_be_read_is_shown_beside_the_others() {
    let root = authority("Root");
    let below = sub_authority("Below", &root);
    let good = Leaf::named("cucm1.example.com").signed_by_with(&below, &[&below]);
    let mut chain = good.chain().to_vec();
    chain.insert(1, vec![0x30, 0x82, 0xff].into());
    let trust = store("Tomcat-trust", [root.der()]).load();
    let described = describe(&chain, &trust, &provider());
    assert_eq!(
        (described.way.as_slice(), described.strangers.as_slice()),
        (&[0, 2][..], &[1][..])
    );
    assert_eq!(described.anchors.len(), 1);
    described.certificates[1].summary.as_ref().unwrap_err();
    let text = described.to_string();
    let expected = "presented too, and not on that way:\ncannot be read: certificate: expected a DER X.509 certificate, found \
                    3 bytes that are none";
    assert!(text.contains(expected), "{text}");
    // Without an end entity nothing leads anywhere.
    let described = describe(&chain[1..], &trust, &provider());
    assert!(described.way.is_empty() && described.anchors.is_empty());
    assert!(
        described.to_string().contains("no anchor for it"),
        "{described}"
    );
}

#[test]
fn pinned_certificate_is_shown_as_its_own_anchor() {
    let ca = authority("Example CA");
    let edge = Leaf::named("expc1.example.com").signed_by(&ca);
    let trust = store("Tomcat-trust", [&edge.chain()[0]]).load();
    let described = describe(edge.chain(), &trust, &provider());
    assert_eq!(described.anchors.len(), 1);
    assert_eq!(
        described.anchors[0].certificate.sha256,
        edge.sha256(&provider())
    );
}
