//! What an account makes of a device file: the nodes, the line and the timers of the file, and the edge of the embedder.

// Helpers of tests may panic, as tests do.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use sip_oauth::csf::{DeviceConfig, DeviceFile, DeviceName, Limits, LineSettings, Member};
use sip_oauth::registration::client::{Instance, Transport};
use sip_oauth::token::AccessToken;
use sip_oauth::tokio::FixedToken;
use sip_oauth::trust::{LiveTrustStore, TrustStore};
use sip_oauth::{Account, AccountError, Edge};

fn name() -> DeviceName {
    "CSFrado".parse().unwrap()
}

fn file(oauth: bool) -> DeviceConfig {
    let steps = DeviceFile::builder(name(), "7b2e9d14-3c5f-4a68-8e90-6f5e4d3c2b1a")
        .node(Member::new("ucm1.example.com"))
        .node(Member::new("ucm2.example.com").oauth_ports(5190, 5191))
        .line(LineSettings::new("1010"))
        .with(|device| device.sip_stack.timer_register_expires = 1800);
    let file = if oauth {
        steps.sip_oauth()
    } else {
        steps.encrypted()
    };
    DeviceConfig::read(file.to_xml().unwrap().as_bytes(), &Limits::default()).unwrap()
}

fn account(file: &DeviceConfig, edge: Option<Edge>) -> Result<Account, AccountError> {
    let name = name();
    let steps = Account::of(&name, Instance::new("00:50:56:aa:bb:cc").unwrap(), file);
    let steps = match edge {
        None => steps.on_premises(),
        Some(edge) => steps.through_edge(edge),
    };
    let token = AccessToken::parse("abc.def.ghi").unwrap();
    steps
        .trusting(Arc::new(LiveTrustStore::new(TrustStore::new("nobody"))))
        .with_tokens(Arc::new(FixedToken::new(token)))
}

#[test]
fn on_premises_each_node_is_dialled_at_its_own_oauth_port() {
    let account = account(&file(true), None).unwrap();
    let dialled: Vec<_> = account
        .client
        .targets
        .iter()
        .map(|target| (target.host.as_str(), target.port, target.transport))
        .collect();
    let tls = Transport::Tls;
    assert_eq!(
        dialled,
        [
            ("ucm1.example.com", 5090, tls),
            ("ucm2.example.com", 5190, tls)
        ]
    );
}

#[test]
fn over_mra_the_edge_is_dialled_and_the_nodes_stay_in_the_request() {
    let edge = Edge::new("expe.example.com")
        .port(5071)
        .route("<sip:198.51.100.7:5061;lr>");
    let account = account(&file(true), Some(edge)).unwrap();
    for (target, node) in account
        .client
        .targets
        .iter()
        .zip(["ucm1.example.com", "ucm2.example.com"])
    {
        assert_eq!(
            (target.host.as_str(), target.port),
            ("expe.example.com", 5071)
        );
        assert_eq!(target.node, node);
        assert_eq!(target.route.as_deref(), Some("<sip:198.51.100.7:5061;lr>"));
    }
}

#[test]
fn line_and_timers_are_those_of_the_file() {
    let account = account(&file(true), None).unwrap();
    assert_eq!(account.client.line.name, "1010");
    assert_eq!(account.client.expires, Duration::from_secs(1800));
    assert_eq!(account.client.register_delta, Duration::from_secs(5));
}

#[test]
fn a_file_that_leads_to_a_certificate_listener_is_refused_with_what_to_do() {
    let error = account(&file(false), None).unwrap_err();
    assert!(
        matches!(error, AccountError::NotForTokens { .. }),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("enable SIP OAuth in the phone security profile")
    );
}

#[test]
fn an_account_prints_no_token() {
    let account = account(&file(true), None).unwrap();
    assert!(!format!("{account:?}").contains("abc.def"));
}
