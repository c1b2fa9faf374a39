//! *Refresh servers* on the edge: discovery, the push of its names, the zone.

use sip_oauth_axl::push::Plan;
use sip_oauth_registration::{
    edge::{DiscoveredNode, SEARCH_RULE_PRIORITY, SearchRule},
    registrar::Listener,
};

use super::{client::annotate, sip, story::Story};
use crate::{
    Error, Lab, Refreshed,
    lab::{EDGE, EDGE_NAMES, NODE},
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
    let names = EDGE_NAMES.join(",");

    let mut by_axl = story.events();
    let mut by_tls = take_from(&mut by_axl, |what| {
        matches!(what, Occurrence::Connection(_))
    });
    let table = take_from(&mut by_tls, |what| {
        matches!(what, Occurrence::Console { .. })
    });
    discovered(story, lab, by_axl, &before, &refreshed);
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
    for (operation, answer) in OPERATIONS.into_iter().zip(answers(refreshed)) {
        annotate(&mut events, operation, vec![answer]);
    }
    story.step(
        "Refresh servers: the edge discovers the node and pushes the names of its certificate",
        events,
        "one node and its MRA port found; CN and SAN pushed into a table that was empty",
        checks,
    );
}

/// What the edge made of each answer, in the order of [`OPERATIONS`].
fn answers(refreshed: &Refreshed) -> [String; 5] {
    let of_nodes = |tell: fn(&DiscoveredNode) -> String| {
        let told: Vec<String> = refreshed.nodes.iter().map(tell).collect();
        told.join(", ")
    };
    let (row, pushed) = match &refreshed.pushed.plan {
        Plan::Add(add) => {
            let names = add.x509_subject_name_or_subject_alternate_name.value();
            let names = names.map_or_else(|| "no name".to_owned(), ToString::to_string);
            ("no row of its own", format!("added {names}"))
        }
        Plan::Update(_) => ("a row that names something else", "no add".to_owned()),
        Plan::UpToDate => ("a row that names the same", "no add".to_owned()),
    };
    [
        of_nodes(|node| node.name.clone()),
        of_nodes(|node| format!("sipOAuthMRAPort {}", node.mra_oauth_port)),
        of_nodes(|node| format!("ClusterSIPOAuthMode {}", u8::from(node.sip_oauth_mode))),
        row.to_owned(),
        pushed,
    ]
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
            "port connected to",
            lab.unified_cm().port(Listener::SipMraOAuth),
            handshake.and_then(|handshake| handshake.leg.port),
        ),
        Check::present(
            "certificate of the edge shown",
            true,
            handshake.map(|handshake| handshake.client_certificate),
        ),
        Check::present(
            "names the node verified",
            EDGE_NAMES.join(" "),
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
