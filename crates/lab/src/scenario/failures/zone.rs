//! Failures 2 and 3 of the document, and the fourth it describes: the zone between edge and node does not come up.

use std::time::Duration;

use sip_oauth_tokio::ZoneReport;
use sip_oauth_trust::{Party, Place as Remedy, Reason, alert_name};

use super::logged_in;
use crate::{
    Error, Fault, Jabber as Client, Lab, LabBuilder,
    lab::NODE,
    recorder::SeenRefusal,
    report::{Check, Event, Occurrence, PartyId, Scenario},
    scenario::{discovery::SELECT_TABLE, sip, story::Story},
};

use PartyId::{ExpresswayC, Jabber, UnifiedCm};

/// The edge does not trust the signer of the Tomcat certificate.
///
/// # Errors
///
/// As [`failures`](super::failures).
pub async fn edge_distrusts_tomcat(lab: &LabBuilder) -> Result<Scenario, Error> {
    let lab = lab
        .clone()
        .fault(Fault::EdgeDistrustsTomcat)
        .start()
        .await?;
    let mut jabber = logged_in(&lab).await?;
    let title = "Failure 2: Expressway-C refuses the Tomcat certificate";
    let mut story = Story::begin(
        &lab,
        "edge-distrusts-tomcat",
        title,
        &[Jabber, ExpresswayC, UnifiedCm],
    );
    let edge = lab.expressway_c();

    let refreshed = edge.refresh_servers(lab.unified_cm()).await?;
    let expected = Expect {
        by: ExpresswayC,
        alert: "alert unknown_ca (48)",
        reason: UNKNOWN_ISSUER,
        remedy: Remedy::ClientTrust,
    };
    zone_refused(&mut story, &lab, &refreshed.zones, &expected).await;
    unavailable(&mut story, &lab, &mut jabber).await?;

    let authority = &lab.authorities().renewed;
    edge.trust(authority)?;
    lab.recorder().state(
        ExpresswayC,
        format!("{} loaded into the trusted CA list", authority.name()),
    );
    let zones = edge.check_zones().await;
    zone_active(
        &mut story,
        "The fix: the CA that signed the Tomcat certificate",
        &zones,
    );
    registers_through_edge(&mut story, &lab, &mut jabber).await;
    let scenario = story.end();
    lab.stop().await;
    Ok(scenario)
}

/// The node does not trust the signer of the Expressway-C certificate.
///
/// # Errors
///
/// As [`failures`](super::failures).
pub async fn node_distrusts_edge(lab: &LabBuilder) -> Result<Scenario, Error> {
    let lab = lab.clone().fault(Fault::NodeDistrustsEdge).start().await?;
    let mut jabber = logged_in(&lab).await?;
    let title = "Failure 3: Unified CM refuses the Expressway-C certificate";
    let mut story = Story::begin(
        &lab,
        "node-distrusts-edge",
        title,
        &[Jabber, ExpresswayC, UnifiedCm],
    );

    let refreshed = lab.expressway_c().refresh_servers(lab.unified_cm()).await?;
    let expected = Expect {
        by: UnifiedCm,
        alert: "alert unknown_ca (48)",
        reason: UNKNOWN_ISSUER,
        remedy: Remedy::TomcatTrust,
    };
    zone_refused(&mut story, &lab, &refreshed.zones, &expected).await;
    unavailable(&mut story, &lab, &mut jabber).await?;

    let authority = &lab.authorities().expressway;
    lab.unified_cm().upload_to_tomcat_trust(authority)?;
    lab.recorder().state(
        UnifiedCm,
        format!("{} uploaded to Tomcat-trust", authority.name()),
    );
    lab.cli("utils service restart Cisco CallManager").await?;
    let zones = lab.expressway_c().check_zones().await;
    zone_active(
        &mut story,
        "The fix: the edge's CA in Tomcat-trust, and a restart",
        &zones,
    );
    registers_through_edge(&mut story, &lab, &mut jabber).await;
    let scenario = story.end();
    lab.stop().await;
    Ok(scenario)
}

/// Both chains are good, but the edge's new certificate has names the table does not have.
///
/// # Errors
///
/// As [`failures`](super::failures).
pub async fn name_not_in_table(lab: &LabBuilder) -> Result<Scenario, Error> {
    const RENAMED: &str = "expressway.corp.example.com";
    let lab = lab.start().await?;
    let mut jabber = logged_in(&lab).await?;
    let edge = lab.expressway_c();
    let before = edge.refresh_servers(lab.unified_cm()).await?;
    let title = "Failure 4: both chains are good, but the name is not in the table";
    let mut story = Story::begin(
        &lab,
        "name-not-in-table",
        title,
        &[Jabber, ExpresswayC, UnifiedCm],
    );
    lab.recorder().take_refusals();

    let active = before
        .zones
        .first()
        .map(|report| report.zone.state.is_active());
    lab.recorder().state(
        ExpresswayC,
        format!("zone Active; then a new certificate: {RENAMED}"),
    );
    let certificate = lab.authorities().expressway.issue(RENAMED, &[RENAMED])?;
    let zones = edge.install_certificate(&certificate).await?;
    lab.cli(SELECT_TABLE).await?;
    let expected = Expect {
        by: UnifiedCm,
        // Which alert the product sends is not public; this one is the trust crate's choice.
        alert: "alert access_denied (49)",
        reason: NAME_NOT_IN_TABLE,
        remedy: Remedy::AllowedNamesTable,
    };
    zone_refused(&mut story, &lab, &zones, &expected).await;
    story.also(Check::present(
        "zone with the certificate of before",
        true,
        active,
    ));
    unavailable(&mut story, &lab, &mut jabber).await?;

    let refreshed = edge.refresh_servers(lab.unified_cm()).await?;
    lab.cli(SELECT_TABLE).await?;
    zone_active(&mut story, "The fix: refresh servers", &refreshed.zones);
    let rows = lab.unified_cm().expressway_c_rows();
    let names = rows
        .first()
        .and_then(|row| row.x509_subject_name_or_subject_alternate_name.value());
    story.also(Check::present("names in the table", RENAMED, names));
    registers_through_edge(&mut story, &lab, &mut jabber).await;
    let scenario = story.end();
    lab.stop().await;
    Ok(scenario)
}

const UNKNOWN_ISSUER: &str = "no path to a trust anchor";
const NAME_NOT_IN_TABLE: &str = "name not in table expresswaycconfiguration";

/// The reasons that are provoked here; every other one is its own sentence.
fn kind(reason: &Reason) -> String {
    match reason {
        Reason::UnknownIssuer { .. } => UNKNOWN_ISSUER.to_owned(),
        Reason::NameNotInTable { .. } => NAME_NOT_IN_TABLE.to_owned(),
        other => other.to_string(),
    }
}

/// Who must refuse whom, and why.
struct Expect {
    by: PartyId,
    alert: &'static str,
    reason: &'static str,
    remedy: Remedy,
}

/// The zone's handshake fails, at both ends for the same reason.
async fn zone_refused(story: &mut Story<'_>, lab: &Lab, zones: &[ZoneReport], expected: &Expect) {
    let refusals = refusals(lab).await;
    let events = story.events();
    let alert = events.iter().find_map(|event| match &event.what {
        Occurrence::Connection(connection) if connection.refused => Some(connection),
        _ => None,
    });
    let own = refusals
        .iter()
        .find(|seen| seen.party == expected.by && seen.explanation.refused_by == Party::Us);
    let other = refusals
        .iter()
        .find(|seen| seen.party != expected.by && seen.explanation.refused_by == Party::Peer);
    let explanation = own.map(|seen| &seen.explanation);
    let reason = explanation
        .map(|explanation| explanation.reason.to_string())
        .unwrap_or_default();
    let checks = vec![
        Check::present(
            "who sent the alert",
            expected.by.name(),
            alert.map(|alert| alert.leg.from.name()),
        ),
        Check::present(
            "alert",
            expected.alert,
            alert.map(|alert| alert.summary.as_str()),
        ),
        Check::present(
            "reason at the side that refused",
            expected.reason,
            explanation.map(|explanation| kind(&explanation.reason)),
        ),
        Check::present(
            "what has to change, by the side that refused",
            expected.remedy.name(),
            explanation.map(|explanation| explanation.remedy.place.name()),
        ),
        // What the side that refused says it sent is one thing; this is what arrived.
        Check::present(
            "alert the other side received",
            expected.alert,
            other
                .and_then(|seen| seen.explanation.alert)
                .map(|alert| format!("alert {} ({})", alert_name(alert), u8::from(alert))),
        ),
        Check::present(
            "zone active",
            false,
            zones.first().map(|report| report.zone.state.is_active()),
        ),
    ];
    let verdict = match explanation {
        Some(explanation) => {
            let remedy = explanation.remedy.to_string();
            // What follows is for cases that this one is not.
            let remedy = remedy
                .split_once("; if ")
                .map_or(remedy.as_str(), |(usual, _)| usual);
            format!("{} refused: {reason}. Remedy: {remedy}", expected.by.name())
        }
        None => String::new(),
    };
    story.step(
        "The zone does not come up",
        without_axl(events),
        verdict,
        checks,
    );
}

/// What both ends saw. The end that refuses reports a moment after the other: it waits until its alert was read.
async fn refusals(lab: &Lab) -> Vec<SeenRefusal> {
    let mut seen = Vec::new();
    for _ in 0..100 {
        seen.extend(lab.recorder().take_refusals());
        let by_us = seen
            .iter()
            .any(|refusal: &SeenRefusal| refusal.explanation.refused_by == Party::Us);
        let by_peer = seen
            .iter()
            .any(|refusal| refusal.explanation.refused_by == Party::Peer);
        if by_us && by_peer {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    seen
}

/// A client meets an edge whose zone is down.
async fn unavailable(story: &mut Story<'_>, lab: &Lab, jabber: &mut Client) -> Result<(), Error> {
    let config = jabber
        .fetch_configuration(NODE, lab.unified_cm().configuration_port())
        .await?;
    story.events();
    jabber.register(&config, &lab.expressway_c().way())?;
    let outcome = jabber.outcome().await;
    let events = only_sip(story.events());
    let answer = sip::sent(&events, ExpresswayC, Jabber).last().copied();
    let checks = vec![
        // What a real edge answers here is not public.
        sip::start_line("status line", "SIP/2.0 503 Service Unavailable", answer),
        Check::equal(
            "messages that reached the node",
            0,
            sip::sent(&events, ExpresswayC, UnifiedCm).len(),
        ),
        Check::equal(
            "what the client reports",
            "refused: 503 Service Unavailable",
            outcome,
        ),
    ];
    story.step(
        "Meanwhile a client",
        events,
        "the edge has no way to the node and answers itself",
        checks,
    );
    Ok(())
}

fn zone_active(story: &mut Story<'_>, title: &str, zones: &[ZoneReport]) {
    let events = without_axl(story.events());
    let checks = vec![Check::present(
        "zone: state",
        "Active",
        zones.first().map(|report| &report.zone.state),
    )];
    story.step(title, events, "the zone is active", checks);
}

async fn registers_through_edge(story: &mut Story<'_>, lab: &Lab, jabber: &mut Client) {
    jabber.retry();
    let outcome = jabber.outcome().await;
    let events = only_sip(story.events());
    let answer = sip::sent(&events, ExpresswayC, Jabber).last().copied();
    let checks = vec![
        sip::start_line("status line", "SIP/2.0 200 OK", answer),
        Check::equal("what the client reports", "registered for 120 s", outcome),
        Check::equal("bindings at the node", 1, lab.unified_cm().bindings()),
    ];
    story.step(
        "The same client again",
        events,
        "registered through the edge: the fix was one",
        checks,
    );
    jabber.stop().await;
}

/// Discovery is told in the story of MRA; here it would hide what matters.
fn without_axl(events: Vec<Event>) -> Vec<Event> {
    events
        .into_iter()
        .filter(|event| !matches!(event.what, Occurrence::Http(_)))
        .collect()
}

/// A zone that is down is tried again while other things happen: of a client's story only the messages are kept.
fn only_sip(events: Vec<Event>) -> Vec<Event> {
    events
        .into_iter()
        .filter(|event| matches!(event.what, Occurrence::Sip(_)))
        .collect()
}
