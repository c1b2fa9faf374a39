//! *Refresh servers* on the edge: discovery, the push of its names, the zone.

use sip_oauth_registration::{
    edge::{SEARCH_RULE_PRIORITY, SearchRule},
    registrar::Listener,
};

use super::{client::annotate, sip, story::Story};
use crate::{
    Error, Lab, Refreshed,
    lab::{EDGE, NODE},
    report::{Check, Event, Occurrence, PartyId},
};

/// The statement that shows the table.
pub(super) const SELECT_TABLE: &str = "run sql select * from expresswaycconfiguration";

/// What the edge asks and tells by AXL, in order, when the table has no row of its own.
const OPERATIONS: [&str; 5] = [
    "listCallManager",
    "getCallManager",
    "executeSQLQuery",
    "listExpresswayCConfiguration",
    "addExpresswayCConfiguration",
];

/// Three steps: AXL, the zone, the table.
pub(super) async fn refresh_servers(lab: &Lab, story: &mut Story<'_>) -> Result<(), Error> {
    let edge = lab.expressway_c();
    let before = lab.cli(SELECT_TABLE).await?;
    let refreshed = edge.refresh_servers(lab.unified_cm()).await?;
    let after = lab.cli(SELECT_TABLE).await?;
    let rules = edge.search_rules().await;
    let names = edge.certificate_names().join(",");

    let mut by_axl = story.events();
    let mut by_tls = take_from(&mut by_axl, |what| {
        matches!(what, Occurrence::Connection(_))
    });
    let table = take_from(&mut by_tls, |what| {
        matches!(what, Occurrence::Console { .. })
    });
    discovered(story, lab, by_axl, &before, &refreshed, &names);
    zone_connected(story, lab, by_tls, &refreshed, &rules);

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

fn discovered(
    story: &mut Story<'_>,
    lab: &Lab,
    mut events: Vec<Event>,
    table_before: &[String],
    refreshed: &Refreshed,
    names: &str,
) {
    let asked: Vec<&str> = events
        .iter()
        .filter_map(|event| match &event.what {
            Occurrence::Http(message) if message.leg.port.is_some() => {
                message.start_line.rsplit(' ').next()
            }
            _ => None,
        })
        .collect();
    let found = refreshed.nodes.first();
    let port = lab.unified_cm().port(Listener::SipMraOAuth);
    let checks = vec![
        Check::present("rows before", "No records found", table_before.last()),
        Check::equal("AXL requests", OPERATIONS.join(" "), asked.join(" ")),
        Check::equal("nodes discovered", 1, refreshed.nodes.len()),
        Check::present(
            "name of the node",
            NODE,
            found.map(|node| node.name.as_str()),
        ),
        Check::present(
            "SIP Mobile and Remote Access Port",
            port,
            found.map(|node| node.mra_oauth_port),
        ),
    ];
    let answers = [
        NODE.to_owned(),
        format!("sipOAuthMRAPort {port}"),
        "ClusterSIPOAuthMode 1".to_owned(),
        "no row".to_owned(),
        format!("added {names}"),
    ];
    for (operation, answer) in OPERATIONS.into_iter().zip(answers) {
        annotate(&mut events, operation, vec![answer]);
    }
    story.step(
        "Refresh servers: the edge discovers the node and pushes the names of its certificate",
        events,
        "one node and its MRA port found; CN and SAN pushed into a table that was empty",
        checks,
    );
}

fn zone_connected(
    story: &mut Story<'_>,
    lab: &Lab,
    events: Vec<Event>,
    refreshed: &Refreshed,
    rules: &[SearchRule],
) {
    let zone = refreshed.zones.first().map(|report| &report.zone);
    let rule = rules.first();
    let handshake = sip::handshake(&events);
    let name = format!("CEOAuth {NODE}");
    let checks = vec![
        Check::present("zone", &name, zone.map(|zone| zone.name.as_str())),
        Check::present("zone: state", "Active", zone.map(|zone| &zone.state)),
        Check::present("search rule", &name, rule.map(|rule| rule.name.as_str())),
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
        Check::present(
            "names the node verified",
            lab.expressway_c().certificate_names().join(" "),
            lab.recorder()
                .let_in(PartyId::UnifiedCm)
                .map(|names| names.join(" ")),
        ),
        Check::equal("refusals", 0, lab.recorder().take_refusals().len()),
    ];
    let verdict =
        format!("{name}: zone active, search rule {SEARCH_RULE_PRIORITY}, each side verified");
    story.step("The zone connects with mutual TLS", events, verdict, checks);
}

/// Takes the events from the first of a kind on.
fn take_from(events: &mut Vec<Event>, is_first: fn(&Occurrence) -> bool) -> Vec<Event> {
    let at = events
        .iter()
        .position(|event| is_first(&event.what))
        .unwrap_or(events.len());
    events.split_off(at)
}
