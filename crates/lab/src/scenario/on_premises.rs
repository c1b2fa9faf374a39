//! A client inside the network: port 5090, TLS, an access token.

use std::time::Duration;

use sip_oauth_csf::Place;
use sip_oauth_registration::registrar::Listener;
use tokio::net::TcpStream;

use super::{
    client::{Expected, log_in, read_configuration},
    published, sip,
    story::Story,
};
use crate::{
    Error, Lab, LabBuilder, Outcome, Way,
    lab::{DEVICE, LINE, NODE},
    report::{Check, Event, Occurrence, PartyId, Scenario},
};

use PartyId::{Jabber, UnifiedCm};

/// What a client refreshes before the granted expiry: 120 − 5 s.
pub(super) const REFRESH_AFTER: Duration = Duration::from_secs(115);

/// SIP OAuth mode is enabled, then a client logs in, reads its file, registers with its token, refreshes and leaves.
///
/// # Errors
///
/// When the lab does not start or a part of it fails in a way that is no difference but a defect.
pub async fn on_premises(lab: &LabBuilder) -> Result<Scenario, Error> {
    let lab = lab.clone().sip_oauth_mode_disabled().start().await?;
    let title = format!("On premises: {DEVICE} registers at {NODE} with an access token");
    let mut story = Story::begin(&lab, "on-premises", title, &[Jabber, UnifiedCm]);

    enable_mode(&lab, &mut story).await?;

    let mut jabber = lab.jabber()?;
    log_in(&lab, &mut jabber, &mut story).await?;
    let port = lab.unified_cm().port(Listener::SipOAuth);
    let expected = Expected {
        title: "Read the device configuration file",
        mode: 1,
        port,
        transport: "Tls",
        verdict: format!("mode 1 on premises leads to {NODE}:{port} over TLS, with the token"),
    };
    let config =
        read_configuration(&lab, &jabber, &mut story, Place::OnPremises, &expected).await?;

    jabber.register(&config, &Way::OnPremises)?;
    let outcome = jabber.outcome().await;
    let events = story.events();
    let (handshake, messages) = split(events);
    connected(&mut story, port, handshake);
    registered(&mut story, &lab, &outcome, messages);

    lab.wait(REFRESH_AFTER).await;
    let outcome = jabber.outcome().await;
    refreshed(&mut story, &outcome);

    jabber.deregister();
    let outcome = jabber.outcome().await;
    deregistered(&mut story, &lab, &outcome);

    jabber.stop().await;
    let scenario = story.end();
    lab.stop().await;
    Ok(scenario)
}

/// Configured is not yet running: the ports open with the restart.
async fn enable_mode(lab: &Lab, story: &mut Story<'_>) -> Result<(), Error> {
    let node = lab.unified_cm();
    let port = node.port(Listener::SipOAuth);
    let pattern = format!("show open ports regexp {port}");
    let read_mode =
        "run sql select paramvalue FROM processconfig WHERE paramname = 'ClusterSIPOAuthMode'";

    let before = lab.cli(read_mode).await?;
    lab.cli("utils sipOAuth-mode enable").await?;
    let after = lab.cli(read_mode).await?;
    let listening_before = lab.cli(&pattern).await?;
    let refused = TcpStream::connect(("127.0.0.1", port)).await.is_err();
    lab.cli("utils service restart Cisco CallManager").await?;
    let listening_after = lab.cli(&pattern).await?;
    let accepted = TcpStream::connect(("127.0.0.1", port)).await.is_ok();
    node.reset_device(DEVICE)?;

    let listens = |lines: &[String]| {
        let found = lines
            .iter()
            .any(|line| line.contains(&format!(":{port} (LISTEN)")));
        if found { "LISTEN" } else { "no line" }
    };
    let opens = |open: bool| if open { "accepted" } else { "refused" };
    let checks = vec![
        Check::present("ClusterSIPOAuthMode before", "0", before.last()),
        Check::present("ClusterSIPOAuthMode after", "1", after.last()),
        Check::equal(
            "open ports before the restart",
            "no line",
            listens(&listening_before),
        ),
        Check::equal(
            "TCP connection before the restart",
            "refused",
            opens(!refused),
        ),
        Check::equal(
            "open ports after the restart",
            "LISTEN",
            listens(&listening_after),
        ),
        Check::equal(
            "TCP connection after the restart",
            "accepted",
            opens(accepted),
        ),
    ];
    let events = story.events();
    story.step(
        "The administrator enables SIP OAuth mode",
        events,
        format!("{port} was closed until Cisco CallManager was restarted"),
        checks,
    );
    Ok(())
}

/// What happened before the first message, and the rest.
pub(super) fn split(events: Vec<Event>) -> (Vec<Event>, Vec<Event>) {
    let first = events
        .iter()
        .position(|event| matches!(event.what, Occurrence::Sip(_)))
        .unwrap_or(events.len());
    let mut before = events;
    let after = before.split_off(first);
    (before, after)
}

fn connected(story: &mut Story<'_>, port: u16, events: Vec<Event>) {
    let handshake = sip::handshake(&events);
    let shown = handshake.and_then(|handshake| handshake.shows.first());
    let client_certificate = handshake.map(|handshake| handshake.client_certificate);
    let checks = vec![
        Check::present(
            "handshake",
            "TLS 1.3 handshake",
            handshake.map(|handshake| handshake.summary.as_str()),
        ),
        Check::present(
            "port connected to",
            port,
            handshake.and_then(|handshake| handshake.leg.port),
        ),
        Check::present(
            "certificate of the node",
            format!("certificate of {NODE}"),
            shown,
        ),
        Check::present("certificate of the client", false, client_certificate),
    ];
    story.step(
        "Connect",
        events,
        "Tomcat certificate verified by issuer and DNS name; the client showed none",
        checks,
    );
}

fn registered(story: &mut Story<'_>, lab: &Lab, outcome: &Outcome, events: Vec<Event>) {
    let requests = sip::sent(&events, Jabber, UnifiedCm);
    let answers = sip::sent(&events, UnifiedCm, Jabber);
    let (first, second) = (requests.first().copied(), requests.get(1).copied());
    let (challenge, granted) = (answers.first().copied(), answers.get(1).copied());

    let mut of_first = published::first_register(NODE, DEVICE, LINE, first);
    of_first.extend(published::challenge(first, challenge));
    let mut of_second = published::with_token(first, second);
    of_second.extend(published::granted("120", true, second, granted));
    of_second.push(sip::different(
        "200: tag of To is new",
        sip::parameter(challenge, "To", "tag"),
        sip::parameter(granted, "To", "tag"),
    ));
    of_second.push(Check::equal(
        "what the client reports",
        "registered for 120 s",
        outcome,
    ));
    of_second.push(Check::equal(
        "bindings at the node",
        1,
        lab.unified_cm().bindings(),
    ));
    of_second.push(Check::equal(
        "messages in all",
        4,
        requests.len() + answers.len(),
    ));

    let second_at = events
        .iter()
        .enumerate()
        .filter(
            |(_, event)| matches!(&event.what, Occurrence::Sip(message) if message.is_request()),
        )
        .nth(1)
        .map_or(events.len(), |(index, _)| index);
    let mut of_challenge = events;
    let of_token = of_challenge.split_off(second_at);
    story.step(
        "REGISTER without credentials",
        of_challenge,
        "407, a Bearer challenge of realm ccmsipline and nothing else",
        of_first,
    );
    story.step(
        "REGISTER with the access token",
        of_token,
        "same Call-ID and From tag, CSeq + 1, new branch; 200 for 120 s of 3600 s",
        of_second,
    );
}

fn refreshed(story: &mut Story<'_>, outcome: &Outcome) {
    let events = story.events();
    let requests = sip::sent(&events, Jabber, UnifiedCm);
    let answers = sip::sent(&events, UnifiedCm, Jabber);
    let (request, answer) = (requests.first().copied(), answers.first().copied());
    let last = story.last_request(Jabber);
    let (waited, shown) = story.is_115_s_later(&events, UnifiedCm);
    let checks = vec![
        Check::that(
            "time since the 200",
            "115 s (granted 120 minus delta 5)",
            shown,
            waited,
        ),
        sip::same(
            "same Call-ID",
            sip::value(last.as_ref(), "Call-ID"),
            sip::value(request, "Call-ID"),
        ),
        Check::present(
            "CSeq of the last plus one",
            sip::cseq(last.as_ref()).map_or(0, |number| number + 1),
            sip::cseq(request),
        ),
        sip::same(
            "same connection",
            sip::sent_by(last.as_ref()),
            sip::sent_by(request),
        ),
        sip::start_line("status line", "SIP/2.0 200 OK", answer),
        sip::field("200", "Expires", "120", answer),
        Check::present(
            "200: Contact without x-cisco-newreg",
            sip::value(request, "Contact").unwrap_or_default(),
            sip::value(answer, "Contact"),
        ),
        Check::equal("messages in all", 2, requests.len() + answers.len()),
        Check::equal("what the client reports", "refreshed for 120 s", outcome),
    ];
    story.step(
        "Two minutes later: refresh",
        events,
        "refreshed 115 s after the 200, same connection; no new registration",
        checks,
    );
}

fn deregistered(story: &mut Story<'_>, lab: &Lab, outcome: &Outcome) {
    let events = story.events();
    let requests = sip::sent(&events, Jabber, UnifiedCm);
    let answers = sip::sent(&events, UnifiedCm, Jabber);
    let (request, answer) = (requests.first().copied(), answers.first().copied());
    let last = story.last_request(Jabber);
    let checks = vec![
        sip::field("REGISTER", "Expires", "0", request),
        sip::same(
            "same Call-ID",
            sip::value(last.as_ref(), "Call-ID"),
            sip::value(request, "Call-ID"),
        ),
        sip::start_line("status line", "SIP/2.0 200 OK", answer),
        Check::equal("what the client reports", "deregistered", outcome),
        Check::equal("bindings at the node", 0, lab.unified_cm().bindings()),
    ];
    story.step(
        "Sign out",
        events,
        "REGISTER with Expires: 0; 200, and the node has no binding left",
        checks,
    );
}
