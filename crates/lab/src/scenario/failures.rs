//! What goes wrong, provoked for real; and what ends it, done and tried.

use std::time::Duration;

use sip_oauth_csf::Place;
use sip_oauth_registration::{Refusal, registrar::Listener};
use sip_oauth_tokio::ZoneReport;
use sip_oauth_trust::{Party, Place as Remedy, Reason};

use super::{
    client::{Expected, read_configuration},
    discovery::SELECT_TABLE,
    sip,
    story::Story,
};
use crate::{
    CLIENT_ID, Error, Fault, Lab, LabBuilder, Outcome, Way,
    lab::{DEVICE, NODE},
    recorder::SeenRefusal,
    report::{Check, Event, Occurrence, PartyId, Scenario},
};

use PartyId::{ExpresswayC, Jabber, UnifiedCm};

/// All of them, in the order of the document.
///
/// # Errors
///
/// When a lab does not start or a part of it fails in a way that is no difference but a defect.
pub async fn failures(lab: &LabBuilder) -> Result<Vec<Scenario>, Error> {
    Ok(vec![
        wrong_listener(lab).await?,
        profile_without_oauth(lab).await?,
        edge_distrusts_tomcat(lab).await?,
        node_distrusts_edge(lab).await?,
        name_not_in_table(lab).await?,
    ])
}

/// The device has an OAuth profile but an old file: it goes to the SIP port and is refused there.
///
/// # Errors
///
/// As [`failures`].
pub async fn wrong_listener(lab: &LabBuilder) -> Result<Scenario, Error> {
    let lab = lab.clone().fault(Fault::StaleDeviceFile).start().await?;
    let mut jabber = logged_in(&lab).await?;
    let title = format!("Failure 1: a stale file sends {DEVICE} to the wrong port");
    let mut story = Story::begin(&lab, "wrong-listener", title, &[Jabber, UnifiedCm]);

    let port = lab.unified_cm().port(Listener::Sip);
    let stale = Expected {
        title: "Read the device configuration file",
        mode: 0,
        port,
        transport: "TcpOrUdp",
        verdict: format!(
            "mode 0 leads to {NODE}:{port} without TLS, although the profile says OAuth"
        ),
    };
    let config = read_configuration(&lab, &jabber, &mut story, Place::OnPremises, &stale).await?;
    jabber.register(&config, &Way::OnPremises)?;
    let outcome = jabber.outcome().await;
    port_mismatch(&mut story, &outcome);
    jabber.stop().await;

    // The fix of the document: reset the device, so that it reads a file of now.
    lab.unified_cm().reset_device(DEVICE)?;
    let port = lab.unified_cm().port(Listener::SipOAuth);
    let fresh = Expected {
        title: "The fix: reset the device, which reads its new file",
        mode: 1,
        port,
        transport: "Tls",
        verdict: format!("the device was reset: mode 1 leads to {NODE}:{port} over TLS"),
    };
    // What stopping the client left on the wire belongs to no step.
    story.events();
    let config = read_configuration(&lab, &jabber, &mut story, Place::OnPremises, &fresh).await?;
    jabber.register(&config, &Way::OnPremises)?;
    let outcome = jabber.outcome().await;
    registers(
        &mut story,
        &lab,
        &outcome,
        "registered on the port its new file names",
    );
    jabber.stop().await;
    let scenario = story.end();
    lab.stop().await;
    Ok(scenario)
}

/// The file leads to the right port, but Enable OAuth Authentication is off in the profile.
///
/// # Errors
///
/// As [`failures`].
pub async fn profile_without_oauth(lab: &LabBuilder) -> Result<Scenario, Error> {
    let lab = lab
        .clone()
        .fault(Fault::ProfileWithoutOAuth)
        .start()
        .await?;
    let mut jabber = logged_in(&lab).await?;
    let config = jabber
        .fetch_configuration(NODE, lab.unified_cm().configuration_port())
        .await?;
    let title = format!("Failure 1 again: the profile of {DEVICE} does not enable OAuth");
    let mut story = Story::begin(&lab, "profile-without-oauth", title, &[Jabber, UnifiedCm]);

    jabber.register(&config, &Way::OnPremises)?;
    let outcome = jabber.outcome().await;
    port_mismatch(&mut story, &outcome);

    lab.unified_cm().set_oauth_authentication(true)?;
    lab.recorder().state(
        UnifiedCm,
        "Enable OAuth Authentication ticked in the phone security profile",
    );
    jabber.retry();
    let outcome = jabber.outcome().await;
    registers(
        &mut story,
        &lab,
        &outcome,
        "Enable OAuth Authentication was ticked: the same device registers",
    );
    jabber.stop().await;
    let scenario = story.end();
    lab.stop().await;
    Ok(scenario)
}

/// The edge does not trust the signer of the Tomcat certificate.
///
/// # Errors
///
/// As [`failures`].
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
        is_reason: |reason| matches!(reason, Reason::UnknownIssuer { .. }),
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
/// As [`failures`].
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
        is_reason: |reason| matches!(reason, Reason::UnknownIssuer { .. }),
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
/// As [`failures`].
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
        is_reason: |reason| matches!(reason, Reason::NameNotInTable { .. }),
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

/// A client whose user has logged in, before the story begins.
async fn logged_in(lab: &Lab) -> Result<crate::Jabber, Error> {
    let mut jabber = lab.jabber()?;
    let node = lab.unified_cm();
    let refresh_token = node.log_in(jabber.user(), CLIENT_ID)?;
    jabber
        .obtain_token(&node.token_endpoint(), refresh_token)
        .await?;
    Ok(jabber)
}

/// The 403 of the document.
fn port_mismatch(story: &mut Story<'_>, outcome: &Outcome) {
    let events = story.events();
    let request = sip::sent(&events, Jabber, UnifiedCm).last().copied();
    let answer = sip::sent(&events, UnifiedCm, Jabber).last().copied();
    let mut checks = sip::port_mismatch(NODE, request, answer);
    let entry = match outcome {
        Outcome::Refused(refused) => refused.entry(),
        _ => None,
    };
    checks.push(Check::equal(
        "what the client reports",
        "refused: 403 Forbidden, SIP OAuth Registration port Mismatch",
        outcome,
    ));
    checks.push(Check::equal(
        "row of the refusal table, found from the answer",
        format!("{:?}", Refusal::OAuthPortMismatch),
        entry.map_or_else(|| "none".to_owned(), |entry| format!("{:?}", entry.refusal)),
    ));
    let verdict = format!(
        "403 from the node: {}",
        entry.map_or("", |entry| entry.sentence)
    );
    story.step("REGISTER", events, verdict, checks);
}

/// The registration that shows that the fix is one.
fn registers(story: &mut Story<'_>, lab: &Lab, outcome: &Outcome, verdict: &str) {
    let events = story.events();
    let answer = sip::sent(&events, UnifiedCm, Jabber).last().copied();
    let checks = vec![
        sip::start_line("status line", "SIP/2.0 200 OK", answer),
        Check::equal("what the client reports", "registered for 120 s", outcome),
        Check::equal("bindings at the node", 1, lab.unified_cm().bindings()),
    ];
    story.step("REGISTER again", events, verdict, checks);
}

/// Who must refuse whom, and why.
struct Expect {
    by: PartyId,
    alert: &'static str,
    is_reason: fn(&Reason) -> bool,
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
        Check::that(
            "reason at the side that refused",
            "as provoked",
            if reason.is_empty() {
                "none seen"
            } else {
                &reason
            },
            explanation.is_some_and(|explanation| (expected.is_reason)(&explanation.reason)),
        ),
        Check::present(
            "what has to change, by the side that refused",
            expected.remedy.name(),
            explanation.map(|explanation| explanation.remedy.place.name()),
        ),
        Check::equal("the other side saw itself refused", true, other.is_some()),
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
async fn unavailable(
    story: &mut Story<'_>,
    lab: &Lab,
    jabber: &mut crate::Jabber,
) -> Result<(), Error> {
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

async fn registers_through_edge(story: &mut Story<'_>, lab: &Lab, jabber: &mut crate::Jabber) {
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
