//! Whole labs: every story goes as the document says, and a cluster that does not is told apart.

#[path = "../../tokio/tests/support/log.rs"]
mod log;

use std::time::Duration;

use sip_oauth_lab::{
    ClockKind, Fault, Lab, LabBuilder, Ladder, PortsKind, Report, Scenario, scenario,
    scenario::failures,
};

/// A lab whose log is watched for tokens.
fn lab() -> LabBuilder {
    log::watch();
    Lab::builder()
}

fn report(scenarios: Vec<Scenario>) -> Report {
    Report::new(ClockKind::Compressed, PortsKind::Free, scenarios)
}

/// What differs, for the message of a failing test.
fn differences(report: &Report) -> String {
    Ladder::new().summary(report)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registration_on_premises_goes_as_the_document_says() {
    let report = report(vec![scenario::on_premises(&lab()).await.unwrap()]);
    assert!(report.as_documented, "{}", differences(&report));
    assert_eq!(report.scenarios[0].steps.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_signs_in_and_the_registration_outlives_the_first_token() {
    let report = report(vec![scenario::sign_in(&lab()).await.unwrap()]);
    assert!(report.as_documented, "{}", differences(&report));
    assert_eq!(report.scenarios[0].steps.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registration_through_the_edge_goes_as_the_document_says() {
    let report = report(vec![scenario::mra(&lab()).await.unwrap()]);
    assert!(report.as_documented, "{}", differences(&report));
    assert_eq!(report.scenarios[0].parties.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_is_provoked_explained_and_ended() {
    let report = report(failures(&lab()).await.unwrap());
    assert!(report.as_documented, "{}", differences(&report));
    let ids: Vec<_> = report
        .scenarios
        .iter()
        .map(|scenario| scenario.id)
        .collect();
    assert_eq!(
        ids,
        [
            "wrong-listener",
            "profile-without-oauth",
            "edge-distrusts-tomcat",
            "node-distrusts-edge",
            "name-not-in-table"
        ]
    );
}

/// A check that cannot fail is a defect: a registrar that grants another time than the document says is found out.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_grants_sixty_seconds_differs_by_name() {
    let lab = lab().keep_alive_interval(Duration::from_secs(60));
    let report = report(vec![scenario::on_premises(&lab).await.unwrap()]);
    assert!(!report.as_documented);
    let differing: Vec<_> = report
        .differences()
        .map(|(_, step)| step.title.as_str())
        .collect();
    assert!(
        differing.contains(&"REGISTER with the access token"),
        "{differing:?}"
    );
    let text = differences(&report);
    assert!(text.contains("200: Expires"), "{text}");
    assert!(text.contains("expected  120"), "{text}");
    assert!(text.contains("observed  60"), "{text}");
}

/// The same for the edge: a node that does not trust it is found out, and the story still comes to its end.
#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_is_not_trusted_differs_by_name() {
    let lab = lab().fault(Fault::NodeDistrustsEdge);
    let report = report(vec![scenario::mra(&lab).await.unwrap()]);
    assert!(!report.as_documented);
    let differing: Vec<_> = report
        .differences()
        .map(|(_, step)| step.title.as_str())
        .collect();
    assert!(
        differing.contains(&"The zone connects with mutual TLS"),
        "{differing:?}"
    );
    assert!(
        differing.contains(&"REGISTER with the access token"),
        "{differing:?}"
    );
    assert!(differences(&report).contains("unknown_ca"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_labs_run_side_by_side() {
    let lab = lab();
    let (one, other) = tokio::join!(scenario::on_premises(&lab), scenario::on_premises(&lab));
    let report = report(vec![one.unwrap(), other.unwrap()]);
    assert!(report.as_documented, "{}", differences(&report));
}

/// Every token of the lab is a JWT, and a JWT begins with the base64url of `{"`.
#[tokio::test(flavor = "multi_thread")]
async fn no_token_reaches_the_text_or_the_json() {
    let report = report(vec![
        scenario::on_premises(&lab()).await.unwrap(),
        scenario::mra(&lab()).await.unwrap(),
    ]);
    let text = Ladder::new().draw(&report);
    let json = report.to_json().unwrap();
    for output in [&text, &json, &format!("{report:?}")] {
        assert!(!output.contains("eyJ"));
        assert!(!output.contains("Basic "));
    }
    assert!(
        text.contains("Proxy-Authorization: Bearer token=\"<"),
        "its length is there"
    );
    assert!(json.contains(r#"Bearer token=\"<"#), "its length is there");
    for line in text.lines() {
        assert!(line.chars().count() <= sip_oauth_lab::WIDTH, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_has_the_members_the_documentation_lists() {
    let report = report(vec![scenario::on_premises(&lab()).await.unwrap()]);
    let json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    assert_eq!(json["schema"], sip_oauth_lab::SCHEMA);
    assert_eq!(json["as_documented"], true);
    let documentation = include_str!("../../../docs/lab-report.md");
    let mut kinds = std::collections::BTreeSet::new();
    let mut members = std::collections::BTreeSet::new();
    collect(&json, &mut members, &mut kinds);
    for name in members.iter().chain(&kinds) {
        assert!(
            documentation.contains(&format!("`{name}`")),
            "{name} is not described"
        );
    }
    assert!(
        kinds.contains("sip") && kinds.contains("console") && kinds.contains("connection"),
        "{kinds:?}"
    );
}

/// Every member name, and every value of `kind`.
fn collect(
    value: &serde_json::Value,
    members: &mut std::collections::BTreeSet<String>,
    kinds: &mut std::collections::BTreeSet<String>,
) {
    match value {
        serde_json::Value::Object(object) => {
            for (name, value) in object {
                members.insert(name.clone());
                if let ("kind", Some(kind)) = (name.as_str(), value.as_str()) {
                    kinds.insert(kind.to_owned());
                }
                collect(value, members, kinds);
            }
        }
        serde_json::Value::Array(values) => {
            for value in values {
                collect(value, members, kinds);
            }
        }
        _ => {}
    }
}
