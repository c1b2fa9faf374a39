//! What a run of the lab reports: scenarios, steps, events, checks.
//!
//! The same values are drawn as a ladder ([`Ladder`](crate::Ladder)) and written as one JSON document
//! (`docs/lab-report.md` describes every member). A report holds no token: the recorder keeps the length
//! of a credential and drops the rest before anything arrives here.

use std::{fmt::Display, time::Duration};

use serde::{Serialize, Serializer};

/// The name and version of the JSON document, its member `schema`.
pub const SCHEMA: &str = "sip-oauth-lab/1";

/// A run of the lab: every scenario that was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Whether the two minutes between registrations were waited for or skipped.
    pub clock: ClockKind,
    /// Where the listeners were.
    pub ports: PortsKind,
    /// Whether every step of every scenario went as the document says.
    pub as_documented: bool,
    /// The scenarios, in the order they were run.
    pub scenarios: Vec<Scenario>,
}

impl Report {
    /// A report of `scenarios`.
    pub fn new(clock: ClockKind, ports: PortsKind, scenarios: Vec<Scenario>) -> Self {
        let as_documented =
            !scenarios.is_empty() && scenarios.iter().all(|scenario| scenario.as_documented);
        Self {
            schema: SCHEMA,
            clock,
            ports,
            as_documented,
            scenarios,
        }
    }

    /// The report as one JSON document, indented, without a line end.
    ///
    /// # Errors
    ///
    /// None in practice: every member has a JSON form. The error is serde's.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// The steps that did not go as the document says, each with the scenario it belongs to.
    pub fn differences(&self) -> impl Iterator<Item = (&Scenario, &Step)> {
        self.scenarios.iter().flat_map(|scenario| {
            scenario
                .steps
                .iter()
                .filter(|step| !step.as_documented)
                .map(move |step| (scenario, step))
        })
    }
}

/// How time passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockKind {
    /// The shared clock was advanced over the waiting times.
    Compressed,
    /// Every waiting time was waited for.
    Real,
}

/// Which ports the listeners had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortsKind {
    /// Free ports inside the product's range.
    Free,
    /// 5060, 5090, 5091, 6970 and 8443.
    Product,
}

/// One story: who took part, what they did, and how it compares with the document.
#[derive(Clone, Debug, Serialize)]
pub struct Scenario {
    /// `on-premises`, `mra`, or the name of a failure such as `port-mismatch`.
    pub id: &'static str,
    /// One line for a person.
    pub title: String,
    /// Whether every step went as the document says.
    pub as_documented: bool,
    /// The lifelines, from left to right.
    pub parties: Vec<Party>,
    /// What happened, in order.
    pub steps: Vec<Step>,
}

/// One lifeline.
#[derive(Clone, Debug, Serialize)]
pub struct Party {
    /// How events name this party.
    pub id: PartyId,
    /// What the party is.
    pub name: &'static str,
    /// Which one it is: a device name or a fully qualified domain name.
    pub instance: String,
}

/// Who an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartyId {
    /// The client.
    Jabber,
    /// The edge.
    ExpresswayC,
    /// The node: registrar, configuration server, database and authorization server.
    UnifiedCm,
}

impl PartyId {
    /// What the party is called in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jabber => "Jabber",
            Self::ExpresswayC => "Expressway-C",
            Self::UnifiedCm => "Unified CM",
        }
    }
}

/// One step of a scenario: what was seen, what was expected of it, and the verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What is being done.
    pub title: String,
    /// Whether every check held.
    pub as_documented: bool,
    /// One sentence: what this step showed.
    pub verdict: String,
    /// What was seen, in order of time.
    pub events: Vec<Event>,
    /// What the document says, held against what was seen.
    pub checks: Vec<Check>,
}

/// Something seen, and when.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Time on the lab's clock since the scenario began; `at_ms` in JSON, whole milliseconds.
    #[serde(rename = "at_ms", serialize_with = "milliseconds")]
    pub at: Duration,
    /// What was seen.
    #[serde(flatten)]
    pub what: Occurrence,
}

fn milliseconds<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
}

/// The kinds of things that are seen; the member `kind` in JSON.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Occurrence {
    /// A SIP message on its way.
    Sip(SipMessage),
    /// An HTTP request or response: configuration file, AXL, token endpoint.
    Http(HttpMessage),
    /// A connection that came up or was refused.
    Connection(Connection),
    /// Something that changed inside one party.
    State {
        /// Whose state.
        party: PartyId,
        /// What it became.
        text: String,
    },
    /// What the administrator typed, and what came back.
    Console {
        /// The command.
        command: String,
        /// The output, line by line.
        output: Vec<String>,
    },
}

/// Where something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Leg {
    /// The sender.
    pub from: PartyId,
    /// The receiver.
    pub to: PartyId,
    /// The transport under it, such as `TLS`.
    pub transport: &'static str,
    /// The listener's port, given on what goes towards the listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// A SIP message as it was on the wire, credentials replaced by their length.
#[derive(Clone, Debug, Serialize)]
pub struct SipMessage {
    /// Where it went.
    #[serde(flatten)]
    pub leg: Leg,
    /// The request line or status line.
    pub start_line: String,
    /// Every header field, in wire order.
    pub headers: Vec<Header>,
    /// Length of the body in bytes.
    pub body_bytes: usize,
    /// Length of the whole message in bytes, credentials included.
    pub message_bytes: usize,
}

impl SipMessage {
    /// The value of the first header field called `name`, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_str())
    }

    /// Every value of the list header field called `name`, whether in one field or in several (RFC 3261 section 7.3.1).
    /// Commas inside quotes are not looked for: lists of Via have none.
    pub fn values<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m str> {
        self.headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .flat_map(|header| header.value.split(','))
            .map(str::trim)
    }

    /// The number in the status line; nothing for a request.
    pub fn status(&self) -> Option<u16> {
        self.start_line
            .strip_prefix("SIP/2.0 ")?
            .get(..3)?
            .parse()
            .ok()
    }

    /// Whether this is a request.
    pub fn is_request(&self) -> bool {
        self.status().is_none()
    }
}

/// One header field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Header {
    /// The name as written.
    pub name: String,
    /// The value as written, except that credentials are replaced by their length.
    pub value: String,
}

/// An HTTP message, as far as it tells the story.
#[derive(Clone, Debug, Serialize)]
pub struct HttpMessage {
    /// Where it went.
    #[serde(flatten)]
    pub leg: Leg,
    /// The request line without version, or the status.
    pub start_line: String,
    /// What else is worth seeing, one line each.
    pub shows: Vec<String>,
    /// Length of the body in bytes.
    pub body_bytes: usize,
}

/// A connection that came up or was refused.
#[derive(Clone, Debug, Serialize)]
pub struct Connection {
    /// From the party whose message this is: the one that opened it or, when refused, the one that refused.
    #[serde(flatten)]
    pub leg: Leg,
    /// Whether it was refused.
    pub refused: bool,
    /// Whether the side that opened it had a certificate of its own to show.
    pub client_certificate: bool,
    /// One line: what was agreed on, or the alert.
    pub summary: String,
    /// What else is worth seeing, one line each.
    pub shows: Vec<String>,
}

/// One thing the document says, held against what was observed.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What is compared.
    pub what: String,
    /// What the document says.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// Whether they agree.
    pub holds: bool,
}

impl Check {
    /// Holds if `observed` equals `expected`.
    ///
    /// ```
    /// use sip_oauth_lab::Check;
    /// assert!(Check::equal("Expires of the 200", "120", "120").holds);
    /// assert!(!Check::equal("Expires of the 200", "120", "60").holds);
    /// ```
    pub fn equal<E: Display, O: Display>(
        what: impl Into<String>,
        expected: E,
        observed: O,
    ) -> Self {
        let (expected, observed) = (expected.to_string(), observed.to_string());
        Self {
            what: what.into(),
            holds: expected == observed,
            expected,
            observed,
        }
    }

    /// Holds if there is a value and it equals `expected`; a missing value is reported as `absent`.
    pub fn present<E: Display, O: Display>(
        what: impl Into<String>,
        expected: E,
        observed: Option<O>,
    ) -> Self {
        match observed {
            Some(observed) => Self::equal(what, expected, observed),
            None => Self {
                what: what.into(),
                expected: expected.to_string(),
                observed: "absent".to_owned(),
                holds: false,
            },
        }
    }

    /// Holds if `holds`; both sides are described in words.
    pub fn that(
        what: impl Into<String>,
        expected: impl Display,
        observed: impl Display,
        holds: bool,
    ) -> Self {
        Self {
            what: what.into(),
            expected: expected.to_string(),
            observed: observed.to_string(),
            holds,
        }
    }
}
