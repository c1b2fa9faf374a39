//! A client outside the network: an Expressway-C in between, mutual TLS to port 5091.

use sip_oauth_csf::Place;
use sip_oauth_registration::registrar::Listener;

use super::{
    client::{Expected, log_in, read_configuration},
    discovery::refresh_servers,
    exchange::Exchange,
    on_premises::{REFRESH_AFTER, split},
    published, sip,
    story::Story,
};
use crate::{
    Error, Lab, LabBuilder, Outcome,
    lab::{DEVICE, EDGE, NODE, OUTER_EDGE, USER},
    report::{Check, Event, Occurrence, PartyId, Scenario},
};

use PartyId::{ExpresswayC, Jabber, UnifiedCm};

/// The edge discovers the node, pushes its names and connects its zone; then a client registers through it, refreshes and
/// leaves.
///
/// # Errors
///
/// When the lab does not start or a part of it fails in a way that is no difference but a defect.
pub async fn mra(lab: &LabBuilder) -> Result<Scenario, Error> {
    let lab = lab.start().await?;
    let title = format!("Mobile and remote access: {DEVICE} registers at {NODE} through {EDGE}");
    let mut story = Story::begin(&lab, "mra", title, &[Jabber, ExpresswayC, UnifiedCm]);

    refresh_servers(&lab, &mut story).await?;

    let mut jabber = lab.jabber()?;
    log_in(&lab, &mut jabber, &mut story).await?;
    let port = lab.unified_cm().port(Listener::SipMraOAuth);
    let expected = Expected {
        title: "Read the device configuration file (the edge's HTTP proxy, which carries it, is left out)",
        mode: 1,
        port,
        transport: "MutualTls",
        verdict: format!("mode 1 over MRA leads to {NODE}:{port}, for the edge to connect to"),
    };
    let config = read_configuration(&lab, &jabber, &mut story, Place::Mra, &expected).await?;

    jabber.register(&config, &lab.expressway_c().way())?;
    let outcome = jabber.outcome().await;
    let (handshake, messages) = split(story.events());
    connected(&mut story, handshake);
    registered(&mut story, &lab, &outcome, messages);

    lab.wait(REFRESH_AFTER).await;
    let outcome = jabber.outcome().await;
    refreshed(&mut story, &lab, &outcome);

    jabber.deregister();
    let outcome = jabber.outcome().await;
    deregistered(&mut story, &lab, &outcome);

    jabber.stop().await;
    let scenario = story.end();
    lab.stop().await;
    Ok(scenario)
}

fn connected(story: &mut Story<'_>, events: Vec<Event>) {
    let handshake = sip::handshake(&events);
    let shown = handshake.and_then(|handshake| handshake.shows.first());
    let checks = vec![
        Check::present(
            "certificate of the edge",
            format!("certificate of {OUTER_EDGE}"),
            shown,
        ),
        Check::present(
            "certificate of the client",
            false,
            handshake.map(|handshake| handshake.client_certificate),
        ),
    ];
    story.step(
        "Connect to the edge",
        events,
        "the client verified the edge by name and showed no certificate",
        checks,
    );
}

fn registered(story: &mut Story<'_>, lab: &Lab, outcome: &Outcome, events: Vec<Event>) {
    let port = lab.expressway_c().port();
    let first = Exchange::nth(&events, 0);
    let second = Exchange::nth(&events, 1);

    let mut of_first = first.checks(port);
    of_first.push(sip::absent(
        "forwarded request",
        "Proxy-Authorization",
        first.forwarded,
    ));
    of_first.push(sip::start_line(
        "status line",
        "SIP/2.0 407 Proxy Authentication Required",
        first.answer,
    ));
    of_first.push(sip::field(
        "407",
        "Proxy-Authenticate",
        "Bearer realm=\"ccmsipline\"",
        first.answer,
    ));
    of_first.push(sip::field(
        "returned answer",
        "Proxy-Authenticate",
        "Bearer realm=\"ccmsipline\"",
        first.returned,
    ));

    let mut of_second = second.checks(port);
    of_second.push(sip::same(
        "Proxy-Authorization through the edge",
        sip::value(second.request, "Proxy-Authorization"),
        sip::value(second.forwarded, "Proxy-Authorization"),
    ));
    let user = format!(";+u.sip!userid.ccm.cisco.com=\"{USER}\"");
    let contact = sip::value(second.forwarded, "Contact").unwrap_or("absent");
    of_second.push(Check::that(
        "forwarded request: user of the token in Contact",
        format!("…{user}"),
        contact,
        contact.ends_with(&user),
    ));
    of_second.push(sip::same(
        "same Call-ID",
        sip::value(first.request, "Call-ID"),
        sip::value(second.request, "Call-ID"),
    ));
    of_second.push(Check::present(
        "CSeq of the first plus one",
        sip::cseq(first.request).map_or(0, |number| number + 1),
        sip::cseq(second.request),
    ));
    of_second.push(sip::start_line(
        "status line",
        "SIP/2.0 200 OK",
        second.answer,
    ));
    of_second.push(sip::field("200", "Expires", "120", second.answer));
    of_second.push(Check::present(
        "200: Contact as forwarded, and x-cisco-newreg",
        format!("{contact};x-cisco-newreg"),
        sip::value(second.answer, "Contact"),
    ));
    of_second.push(sip::body(
        "200",
        published::GRANTED_BODY_BYTES,
        second.answer,
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

    let second_at = events
        .iter()
        .enumerate()
        .filter(|(_, event)| {
            matches!(&event.what, Occurrence::Sip(message) if message.is_request() && message.leg.from == Jabber)
        })
        .nth(1)
        .map_or(events.len(), |(index, _)| index);
    let mut of_challenge = events;
    let of_token = of_challenge.split_off(second_at);
    story.step(
        "REGISTER without credentials",
        of_challenge,
        "Via and Contact are the edge's, orig-hostport the client's; the 407 comes back",
        of_first,
    );
    story.step(
        "REGISTER with the access token",
        of_token,
        "token verified by the edge, passed on unchanged, its user named; 200 for 120 s",
        of_second,
    );
}

fn refreshed(story: &mut Story<'_>, lab: &Lab, outcome: &Outcome) {
    let events = story.events();
    let (waited, shown) = story.is_115_s_later(&events, ExpresswayC);
    let exchange = Exchange::nth(&events, 0);
    let mut checks = exchange.checks(lab.expressway_c().port());
    checks.push(Check::that(
        "time since the 200",
        "115 s (granted 120 minus delta 5)",
        shown,
        waited,
    ));
    checks.push(sip::start_line(
        "status line",
        "SIP/2.0 200 OK",
        exchange.answer,
    ));
    checks.push(sip::field("200", "Expires", "120", exchange.answer));
    checks.push(Check::equal(
        "what the client reports",
        "refreshed for 120 s",
        outcome,
    ));
    story.step(
        "Two minutes later: refresh",
        events,
        "refreshed through the same zone; 200",
        checks,
    );
}

fn deregistered(story: &mut Story<'_>, lab: &Lab, outcome: &Outcome) {
    let events = story.events();
    let exchange = Exchange::nth(&events, 0);
    let mut checks = exchange.checks(lab.expressway_c().port());
    checks.push(sip::field(
        "forwarded request",
        "Expires",
        "0",
        exchange.forwarded,
    ));
    checks.push(sip::start_line(
        "status line",
        "SIP/2.0 200 OK",
        exchange.answer,
    ));
    checks.push(Check::equal(
        "what the client reports",
        "deregistered",
        outcome,
    ));
    checks.push(Check::equal(
        "bindings at the node",
        0,
        lab.unified_cm().bindings(),
    ));
    story.step(
        "Sign out",
        events,
        "Expires: 0 through the edge; 200, and the node has no binding left",
        checks,
    );
}
