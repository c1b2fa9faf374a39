//! A client that names its server by another rule than RFC 9525 and the host it connected to.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::Arc;

use sip_oauth_trust::{
    AllowedNames, LiveAllowedNames, Rule, ServerCertificate, ServerConfigs, ServerVerifier,
    ServerVerifierBuilder, client_config,
};
use support::scene::{NODE, Scene};
use support::{Leaf, connect, provider, store};

fn comes_up(node: Leaf, policy: impl Fn(ServerVerifierBuilder) -> ServerVerifierBuilder) -> bool {
    let scene = Scene::new();
    let configs = ServerConfigs::new(
        Arc::new(ServerCertificate::new(node.signed_by(&scene.node_ca))),
        store("Tomcat-trust", []),
        Arc::new(LiveAllowedNames::new(AllowedNames::default())),
        provider(),
        None,
    );
    let builder = ServerVerifier::builder(store("trusted CA list", &scene.edge_trusts), provider());
    let verifier = Arc::new(policy(builder).build());
    let client = client_config(verifier, None).unwrap();
    let (ends, _, _) = connect(Arc::new(client), configs.unwrap().oauth(), NODE);
    assert_eq!(ends.client.is_ok(), ends.server.is_ok());
    ends.client.is_ok()
}

#[test]
fn sip_domain_is_expected_instead_of_the_host_found_by_dns() {
    let domain = || "example.com".parse().unwrap();
    let sip = |builder: ServerVerifierBuilder| builder.rule(Rule::Rfc5922).reference(domain());
    assert!(comes_up(Leaf::default().uri("sip:example.com"), sip));
    assert!(!comes_up(Leaf::default().dns(NODE), sip));
    assert!(!comes_up(Leaf::default().dns("*.example.com"), |builder| {
        builder.rule(Rule::Rfc5922)
    }));
}

#[test]
fn common_name_counts_only_when_asked_for_by_its_dangerous_name() {
    let only_cn = Leaf::default().cn(NODE);
    assert!(!comes_up(only_cn.clone(), |builder| builder));
    assert!(comes_up(
        only_cn.clone(),
        ServerVerifierBuilder::dangerous_common_name_fallback
    ));
    // The last word counts, whichever it is: neither is left without effect.
    let beside_a_name = only_cn.clone().dns("other.example.com");
    let dangerous_last = |builder: ServerVerifierBuilder| {
        builder.rule(Rule::Rfc5922).dangerous_common_name_fallback()
    };
    assert!(comes_up(only_cn.clone(), dangerous_last));
    assert!(!comes_up(beside_a_name, dangerous_last));
    // RFC 9525 has wildcards, RFC 5922 has none.
    assert!(comes_up(
        Leaf::default().dns("*.example.com"),
        dangerous_last
    ));
    assert!(!comes_up(only_cn, |builder| {
        builder.dangerous_common_name_fallback().rule(Rule::Rfc9525)
    }));
}
