//! How a report is drawn.

use std::time::Duration;

use sip_oauth_lab::{
    Check, ClockKind, Connection, Event, Header, HttpMessage, Ladder, Leg, Occurrence, Party,
    PartyId, PortsKind, Report, Scenario, SipMessage, Step, WIDTH,
};

fn leg(from: PartyId, to: PartyId, port: Option<u16>) -> Leg {
    Leg {
        from,
        to,
        transport: "TLS",
        port,
    }
}

fn at(milliseconds: u64, what: Occurrence) -> Event {
    Event {
        at: Duration::from_millis(milliseconds),
        what,
    }
}

fn header(name: &str, value: &str) -> Header {
    Header {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

fn register(leg: Leg) -> Occurrence {
    Occurrence::Sip(SipMessage {
        leg,
        start_line: "REGISTER sip:ucm-pub.example.com SIP/2.0".to_owned(),
        headers: vec![
            header("Via", "SIP/2.0/TLS 127.0.0.1:50312;branch=z9hG4bK00001188"),
            header("CSeq", "2271 REGISTER"),
            header(
                "Contact",
                "<sip:4f6d2c18-7a3b-4e5c-9d0f-8b1a2c3d4e5f@127.0.0.1:50312;transport=tls>;+sip.instance=\"<urn:uuid:0>\";video",
            ),
            header("Proxy-Authorization", "Bearer token=\"<1999 bytes>\""),
            header("Expires", "3600"),
        ],
        body_bytes: 1271,
        message_bytes: 4521,
    })
}

fn step(title: &str, verdict: &str, checks: Vec<Check>, events: Vec<Event>) -> Step {
    Step {
        title: title.to_owned(),
        as_documented: checks.iter().all(|check| check.holds),
        verdict: verdict.to_owned(),
        events,
        checks,
    }
}

fn report(granted: &str) -> Report {
    use PartyId::{ExpresswayC, Jabber, UnifiedCm};
    let parties = vec![
        Party {
            id: Jabber,
            name: "Jabber",
            instance: "CSFrado".to_owned(),
        },
        Party {
            id: ExpresswayC,
            name: "Expressway-C",
            instance: "expc1.example.com".to_owned(),
        },
        Party {
            id: UnifiedCm,
            name: "Unified CM",
            instance: "ucm-pub.example.com".to_owned(),
        },
    ];
    let steps = vec![
        step(
            "The edge asks for the nodes",
            "one node found",
            vec![Check::equal("nodes", 1, 1)],
            vec![
                at(
                    0,
                    Occurrence::Console {
                        command: "run sql select * from expresswaycconfiguration".to_owned(),
                        output: vec!["hostnameorip".to_owned(), "============".to_owned()],
                    },
                ),
                at(
                    3,
                    Occurrence::Http(HttpMessage {
                        leg: leg(ExpresswayC, UnifiedCm, Some(8443)),
                        start_line: "POST /axl/ listCallManager".to_owned(),
                        shows: Vec::new(),
                        body_bytes: 512,
                    }),
                ),
                at(
                    5,
                    Occurrence::State {
                        party: ExpresswayC,
                        text: "zone CEOAuth ucm-pub.example.com: Active".to_owned(),
                    },
                ),
                at(
                    6,
                    Occurrence::State {
                        party: UnifiedCm,
                        text: "row expc1.example.com".to_owned(),
                    },
                ),
            ],
        ),
        step(
            "REGISTER with the token",
            "registered",
            vec![Check::equal("Expires of the 200", "120", granted)],
            vec![
                at(7, register(leg(Jabber, ExpresswayC, Some(5061)))),
                at(8, register(leg(ExpresswayC, UnifiedCm, Some(5091)))),
                at(
                    9,
                    Occurrence::Connection(Connection {
                        leg: leg(UnifiedCm, Jabber, None),
                        refused: true,
                        client_certificate: false,
                        summary: "alert unknown_ca (48)".to_owned(),
                        shows: Vec::new(),
                    }),
                ),
            ],
        ),
    ];
    let scenario = Scenario {
        id: "mra",
        title: "Mobile and remote access".to_owned(),
        as_documented: steps.iter().all(|step| step.as_documented),
        parties,
        steps,
    };
    Report::new(ClockKind::Compressed, PortsKind::Free, vec![scenario])
}

#[test]
fn no_line_is_wider_than_a_hundred_columns() {
    for granted in [
        "120",
        "a grant that takes far more room than any line on this page has, so that it must be broken into two",
    ] {
        let text = Ladder::new().draw(&report(granted));
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }
}

#[test]
fn a_difference_is_named_with_both_sides() {
    let report = report("60");
    assert!(!report.as_documented);
    let text = Ladder::new().draw(&report);
    assert!(text.contains("✗ registered"));
    assert!(text.contains("expected  120"));
    assert!(text.contains("observed  60"));
    assert!(text.contains("One step differs from the document"));
}

#[test]
fn a_run_without_differences_says_so() {
    let report = report("120");
    assert!(report.as_documented);
    assert!(
        Ladder::new()
            .draw(&report)
            .ends_with("Every step went as the document says.\n")
    );
}

#[test]
fn colour_changes_no_text() {
    let report = report("60");
    let coloured = Ladder::new().colour(true).draw(&report);
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some(start) = rest.find('\x1b') {
        plain.push_str(&rest[..start]);
        let end = rest[start..]
            .find('m')
            .expect("an SGR sequence ends with m");
        rest = &rest[start + end + 1..];
    }
    plain.push_str(rest);
    assert_eq!(plain, Ladder::new().draw(&report));
}

#[test]
fn nothing_run_is_not_a_success() {
    assert!(!Report::new(ClockKind::Compressed, PortsKind::Free, Vec::new()).as_documented);
}

#[test]
fn a_report_has_the_documented_members() {
    let json: serde_json::Value = serde_json::from_str(&report("120").to_json().unwrap()).unwrap();
    assert_eq!(json["schema"], "sip-oauth-lab/1");
    assert_eq!(json["clock"], "compressed");
    assert_eq!(json["ports"], "free");
    let event = &json["scenarios"][0]["steps"][1]["events"][0];
    assert_eq!(event["kind"], "sip");
    assert_eq!(event["at_ms"], 7);
    assert_eq!(event["from"], "jabber");
    assert_eq!(event["to"], "expressway-c");
    assert_eq!(event["port"], 5061);
    assert_eq!(event["headers"][0]["name"], "Via");
}
