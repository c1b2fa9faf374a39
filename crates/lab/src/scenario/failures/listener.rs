//! Failure 1 of the document: a REGISTER on the wrong port, and one whose profile does not enable OAuth.

use sip_oauth_csf::Place;
use sip_oauth_registration::{Refusal, registrar::Listener};

use super::logged_in;
use crate::{
    Error, Fault, Lab, LabBuilder, Outcome, Way,
    lab::{DEVICE, NODE},
    report::{Check, PartyId, Scenario},
    scenario::{
        client::{Expected, read_configuration},
        published, sip,
        story::Story,
    },
};

use PartyId::{Jabber, UnifiedCm};

/// The device has an OAuth profile but an old file: it goes to the SIP port and is refused there.
///
/// # Errors
///
/// As [`failures`](super::failures).
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
        verdict: format!("mode 0 leads to {NODE}:{port} without TLS; the profile says OAuth"),
    };
    let config = read_configuration(&lab, &jabber, &mut story, Place::OnPremises, &stale).await?;
    jabber.register(&config, &Way::OnPremises)?;
    let outcome = jabber.outcome().await;
    port_mismatch(&mut story, port, &outcome);
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
/// As [`failures`](super::failures).
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
    port_mismatch(
        &mut story,
        lab.unified_cm().port(Listener::SipOAuth),
        &outcome,
    );

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

/// The 403 of the document, for a REGISTER that went to `port`.
fn port_mismatch(story: &mut Story<'_>, port: u16, outcome: &Outcome) {
    let events = story.events();
    let request = sip::sent(&events, Jabber, UnifiedCm).last().copied();
    let answer = sip::sent(&events, UnifiedCm, Jabber).last().copied();
    let mut checks = published::port_mismatch(NODE, request, answer);
    checks.push(sip::port("port of the REGISTER", port, request));
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
    let request = sip::sent(&events, Jabber, UnifiedCm).last().copied();
    let answer = sip::sent(&events, UnifiedCm, Jabber).last().copied();
    let checks = vec![
        sip::port(
            "port of the REGISTER",
            lab.unified_cm().port(Listener::SipOAuth),
            request,
        ),
        sip::start_line("status line", "SIP/2.0 200 OK", answer),
        Check::equal("what the client reports", "registered for 120 s", outcome),
        Check::equal("bindings at the node", 1, lab.unified_cm().bindings()),
    ];
    story.step("REGISTER again", events, verdict, checks);
}
