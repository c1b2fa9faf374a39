//! A client outside the network: an Expressway-C in between, mutual TLS to port 5091.

use sip_oauth_csf::Place;
use sip_oauth_registration::{edge::SEARCH_RULE_PRIORITY, registrar::Listener};

use super::{
    client::{Expected, annotate, log_in, read_configuration},
    on_premises::{REFRESH_AFTER, split},
    sip,
    story::Story,
};
use crate::{
    Error, Lab, LabBuilder, Outcome,
    lab::{DEVICE, EDGE, NODE, OUTER_EDGE, USER},
    report::{Check, Event, Occurrence, PartyId, Scenario, SipMessage},
};

use PartyId::{ExpresswayC, Jabber, UnifiedCm};

/// The statement that shows the table.
pub(super) const SELECT_TABLE: &str = "run sql select * from expresswaycconfiguration";

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
        verdict: format!(
            "mode 1 over MRA leads to {NODE}:{port}, to which the edge connects; the client goes to the edge"
        ),
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

/// Discovery and push by AXL, then the zone.
async fn refresh_servers(lab: &Lab, story: &mut Story<'_>) -> Result<(), Error> {
    let node = lab.unified_cm();
    let edge = lab.expressway_c();
    let before = lab.cli(SELECT_TABLE).await?;
    let refreshed = edge.refresh_servers(node).await?;
    let after = lab.cli(SELECT_TABLE).await?;
    let rules = edge.search_rules().await;

    let mut by_axl = story.events();
    let mut by_tls = take_from(&mut by_axl, |what| {
        matches!(what, Occurrence::Connection(_))
    });
    let table = take_from(&mut by_tls, |what| {
        matches!(what, Occurrence::Console { .. })
    });
    let operations: Vec<&str> = by_axl
        .iter()
        .filter_map(|event| match &event.what {
            Occurrence::Http(message) if message.leg.port.is_some() => {
                message.start_line.rsplit(' ').next()
            }
            _ => None,
        })
        .collect();
    let names = edge.certificate_names().join(",");
    let found = refreshed.nodes.first();
    let checks = vec![
        Check::present("rows before", "No records found", before.last()),
        Check::equal(
            "AXL requests",
            "listCallManager getCallManager executeSQLQuery listExpresswayCConfiguration addExpresswayCConfiguration",
            operations.join(" "),
        ),
        Check::equal("nodes discovered", 1, refreshed.nodes.len()),
        Check::present(
            "name of the node",
            NODE,
            found.map(|node| node.name.as_str()),
        ),
        Check::present(
            "SIP Mobile and Remote Access Port",
            node.port(Listener::SipMraOAuth),
            found.map(|node| node.mra_oauth_port),
        ),
    ];
    let mra_port = node.port(Listener::SipMraOAuth);
    annotate(&mut by_axl, "listCallManager", vec![NODE.to_owned()]);
    annotate(
        &mut by_axl,
        "getCallManager",
        vec![format!("sipOAuthMRAPort {mra_port}")],
    );
    annotate(
        &mut by_axl,
        "executeSQLQuery",
        vec!["ClusterSIPOAuthMode 1".to_owned()],
    );
    annotate(
        &mut by_axl,
        "listExpresswayCConfiguration",
        vec!["no row".to_owned()],
    );
    annotate(
        &mut by_axl,
        "addExpresswayCConfiguration",
        vec![format!("added {names}")],
    );
    story.step(
        "Refresh servers: the edge discovers the node and pushes the names of its certificate",
        by_axl,
        "one node and its MRA port found; CN and SAN pushed into a table that was empty",
        checks,
    );

    let zone = refreshed.zones.first();
    let rule = rules.first();
    let handshake = by_tls.iter().find_map(|event| match &event.what {
        Occurrence::Connection(connection) => Some(connection),
        _ => None,
    });
    let zone_name = format!("CEOAuth {NODE}");
    let checks = vec![
        Check::present(
            "zone",
            &zone_name,
            zone.map(|report| report.zone.name.as_str()),
        ),
        Check::present(
            "zone: state",
            "Active",
            zone.map(|report| &report.zone.state),
        ),
        Check::present(
            "search rule",
            &zone_name,
            rule.map(|rule| rule.name.as_str()),
        ),
        Check::present(
            "search rule: priority",
            SEARCH_RULE_PRIORITY,
            rule.map(|rule| rule.priority),
        ),
        Check::present(
            "handshake",
            "TLS 1.3 handshake",
            handshake.map(|handshake| handshake.summary.as_str()),
        ),
        Check::present(
            "certificate of the edge shown",
            true,
            handshake.map(|handshake| handshake.client_certificate),
        ),
        Check::equal("refusals", 0, lab.recorder().take_refusals().len()),
    ];
    let verdict = format!(
        "zone and search rule {zone_name} (priority {SEARCH_RULE_PRIORITY}); both sides verified the other"
    );
    story.step("The zone connects with mutual TLS", by_tls, verdict, checks);

    let row = after.get(2).map(String::as_str).unwrap_or_default();
    let checks = vec![
        Check::that("row: HostNameOrIP", EDGE, row, row.starts_with(EDGE)),
        Check::that(
            "row: names of the certificate",
            &names,
            row,
            row.ends_with(&names),
        ),
    ];
    story.step(
        "The table now",
        table,
        "the names by which the node lets the edge in",
        checks,
    );
    Ok(())
}

/// Takes the events from the first of a kind on.
fn take_from(events: &mut Vec<Event>, is_first: fn(&Occurrence) -> bool) -> Vec<Event> {
    let at = events
        .iter()
        .position(|event| is_first(&event.what))
        .unwrap_or(events.len());
    events.split_off(at)
}

fn connected(story: &mut Story<'_>, events: Vec<Event>) {
    let handshake = events.iter().find_map(|event| match &event.what {
        Occurrence::Connection(connection) => Some(connection),
        _ => None,
    });
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

/// The four legs of one exchange.
struct Exchange<'e> {
    /// From the client to the edge.
    request: Option<&'e SipMessage>,
    /// From the edge to the node.
    forwarded: Option<&'e SipMessage>,
    /// From the node to the edge.
    answer: Option<&'e SipMessage>,
    /// From the edge to the client.
    returned: Option<&'e SipMessage>,
}

impl<'e> Exchange<'e> {
    /// The `number`-th exchange among these events, from 0.
    fn nth(events: &'e [Event], number: usize) -> Self {
        let leg = |from, to| sip::sent(events, from, to).get(number).copied();
        Self {
            request: leg(Jabber, ExpresswayC),
            forwarded: leg(ExpresswayC, UnifiedCm),
            answer: leg(UnifiedCm, ExpresswayC),
            returned: leg(ExpresswayC, Jabber),
        }
    }

    /// What every request and answer through the edge must show.
    fn checks(&self, edge_port: u16) -> Vec<Check> {
        let Self {
            request,
            forwarded,
            answer,
            returned,
        } = *self;
        let via = |message: Option<&SipMessage>, number: usize| {
            let message = message?;
            // One field with both values, or two fields: both are RFC 3261.
            let values = message
                .headers
                .iter()
                .filter(|header| header.name.eq_ignore_ascii_case("Via"));
            let values = values.flat_map(|header| header.value.split(','));
            values.map(str::trim).nth(number).map(str::to_owned)
        };
        let client = sip::sent_by(request).unwrap_or("absent");
        let contact = sip::value(forwarded, "Contact")
            .unwrap_or("absent")
            .to_owned();
        let starts = |what: &str, expected: String, observed: Option<String>| {
            let holds = observed
                .as_ref()
                .is_some_and(|observed| observed.starts_with(&expected));
            Check::that(
                what,
                format!("{expected}…"),
                observed.unwrap_or_else(|| "absent".to_owned()),
                holds,
            )
        };
        let contains = |what: &str, expected: String, observed: &str| {
            Check::that(
                what,
                format!("…{expected}…"),
                observed,
                observed.contains(&expected),
            )
        };
        let second = via(forwarded, 1).unwrap_or_else(|| "absent".to_owned());
        vec![
            Check::that(
                "client's request: Route",
                "the edge",
                sip::value(request, "Route").unwrap_or("absent"),
                sip::value(request, "Route").is_some(),
            ),
            sip::absent("forwarded request", "Route", forwarded),
            starts(
                "forwarded request: top Via",
                format!("SIP/2.0/TLS {EDGE}:{edge_port};branch="),
                via(forwarded, 0),
            ),
            contains(
                "forwarded request: client's Via",
                ";ingress-zone=CollaborationEdgeZone".to_owned(),
                &second,
            ),
            contains(
                "forwarded request: client's Via",
                ";received=127.0.0.1".to_owned(),
                &second,
            ),
            contains(
                "forwarded request: Contact",
                format!("@{EDGE}:{edge_port};transport=tls"),
                &contact,
            ),
            contains(
                "forwarded request: Contact",
                format!("orig-hostport={client}"),
                &contact,
            ),
            sip::field("forwarded request", "Max-Forwards", "69", forwarded),
            sip::same(
                "Call-ID through the edge",
                sip::value(request, "Call-ID"),
                sip::value(forwarded, "Call-ID"),
            ),
            sip::same(
                "CSeq through the edge",
                sip::value(request, "CSeq"),
                sip::value(forwarded, "CSeq"),
            ),
            sip::same(
                "From through the edge",
                sip::value(request, "From"),
                sip::value(forwarded, "From"),
            ),
            sip::same(
                "status through the edge",
                answer.map(|answer| answer.start_line.as_str()),
                returned.map(|returned| returned.start_line.as_str()),
            ),
            Check::present(
                "returned answer: Via fields",
                "absent",
                Some(via(returned, 1).map_or("absent", |_| "two")),
            ),
            starts(
                "returned answer: Via",
                format!("SIP/2.0/TLS {client};"),
                via(returned, 0),
            ),
            sip::same(
                "returned answer: CSeq",
                sip::value(request, "CSeq"),
                sip::value(returned, "CSeq"),
            ),
        ]
    }
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
    of_second.push(sip::body("200", sip::GRANTED_BODY_BYTES, second.answer));
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
        "the edge puts itself into Via and Contact (orig-hostport keeps the client's); the node's 407 comes back",
        of_first,
    );
    story.step(
        "REGISTER with the access token",
        of_token,
        "the edge verified the token, passed it on unchanged and named its user; 200 for 120 s",
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
