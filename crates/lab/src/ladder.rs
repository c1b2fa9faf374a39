//! A report drawn for a person: lifelines, arrows, one verdict per step.

use crate::report::{
    Connection, Event, HttpMessage, Leg, Occurrence, Party, PartyId, Report, Scenario, SipMessage,
    Step,
};

mod canvas;
mod label;

use canvas::{Ink, Row};

/// Columns a ladder takes.
pub const WIDTH: usize = 100;

/// How a [`Report`] is drawn.
///
/// ```
/// use sip_oauth_lab::{ClockKind, Ladder, PortsKind, Report};
///
/// let report = Report::new(ClockKind::Compressed, PortsKind::Free, Vec::new());
/// assert!(Ladder::new().draw(&report).contains("nothing was run"));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Ladder {
    colour: bool,
}

impl Ladder {
    /// Plain text.
    pub fn new() -> Self {
        Self::default()
    }

    /// With ANSI colours, if `colour`. Ask for them only where a terminal reads the output and `NO_COLOR` is not set.
    #[must_use]
    pub fn colour(mut self, colour: bool) -> Self {
        self.colour = colour;
        self
    }

    /// The whole report: every scenario, then the summary.
    pub fn draw(&self, report: &Report) -> String {
        let mut out = String::new();
        for scenario in &report.scenarios {
            out.push_str(&self.scenario(scenario));
        }
        out.push_str(&self.summary(report));
        out
    }

    /// One scenario.
    pub fn scenario(&self, scenario: &Scenario) -> String {
        let mut page = Page {
            out: String::new(),
            colour: self.colour,
            lanes: Lanes::of(&scenario.parties),
        };
        page.heading(scenario);
        for (index, step) in scenario.steps.iter().enumerate() {
            page.step(index + 1, step);
        }
        page.out.push('\n');
        page.out
    }

    /// The last lines: one per scenario, then one sentence.
    pub fn summary(&self, report: &Report) -> String {
        let mut page = Page {
            out: String::new(),
            colour: self.colour,
            lanes: Lanes::default(),
        };
        page.rule('━');
        for scenario in &report.scenarios {
            let checks: usize = scenario.steps.iter().map(|step| step.checks.len()).sum();
            let mut row = Row::new();
            row.put(1, mark(scenario.as_documented), ink(scenario.as_documented));
            row.put(3, scenario.id, Ink::Bold);
            let count = format!("{:>2} steps, {checks:>3} checks", scenario.steps.len());
            row.put(26, &count, Ink::Faint);
            page.row(&row);
        }
        let differences = report.differences().count();
        let sentence = match (report.scenarios.is_empty(), differences) {
            (true, _) => "nothing was run".to_owned(),
            (false, 0) => "Every step went as the document says.".to_owned(),
            (false, 1) => "One step differs from the document:".to_owned(),
            (false, n) => format!("{n} steps differ from the document:"),
        };
        let mut row = Row::new();
        row.put(
            1,
            &sentence,
            if report.as_documented {
                Ink::Good
            } else {
                Ink::Bad
            },
        );
        page.blank();
        page.row(&row);
        for (scenario, step) in report.differences() {
            page.line(3, &format!("{}: {}", scenario.id, step.title), Ink::Plain);
            for check in step.checks.iter().filter(|check| !check.holds) {
                page.difference(5, &check.what, &check.expected, &check.observed);
            }
        }
        page.out
    }
}

fn mark(good: bool) -> &'static str {
    if good { "✓" } else { "✗" }
}

fn ink(good: bool) -> Ink {
    if good { Ink::Good } else { Ink::Bad }
}

/// Where the lifelines are.
#[derive(Debug, Default)]
struct Lanes {
    columns: Vec<(PartyId, usize)>,
}

impl Lanes {
    /// The first lifeline leaves room for the time, the last for a port number.
    fn of(parties: &[Party]) -> Self {
        const FIRST: usize = 14;
        const LAST: usize = 88;
        let gaps = parties.len().saturating_sub(1).max(1);
        let columns = parties
            .iter()
            .enumerate()
            .map(|(index, party)| (party.id, FIRST + index * (LAST - FIRST) / gaps))
            .collect();
        Self { columns }
    }

    fn first(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| *column)
    }

    fn column(&self, party: PartyId) -> Option<usize> {
        self.columns
            .iter()
            .find(|(id, _)| *id == party)
            .map(|(_, column)| *column)
    }
}

/// The text under construction.
#[derive(Debug)]
struct Page {
    out: String,
    colour: bool,
    lanes: Lanes,
}

impl Page {
    fn heading(&mut self, scenario: &Scenario) {
        self.rule('━');
        self.line(1, &scenario.title, Ink::Bold);
        self.rule('━');
        for part in [
            canvas::Part::Top,
            canvas::Part::Name,
            canvas::Part::Instance,
            canvas::Part::Bottom,
        ] {
            let mut row = Row::new();
            for party in &scenario.parties {
                if let Some(column) = self.lanes.column(party.id) {
                    row.put_box(column, part, party.name, &party.instance);
                }
            }
            self.row(&row);
        }
    }

    fn step(&mut self, number: usize, step: &Step) {
        self.lifelines();
        let mut row = self.lanes_row();
        let heading = format!(" {number:>2}  ");
        // The first lifeline would cut a short title off from nothing.
        row.clear(0, self.lanes.first() + 2);
        row.put(0, &heading, Ink::Faint);
        row.put(heading.len(), &step.title, Ink::Bold);
        let end = heading.len() + step.title.chars().count();
        row.put(end, "  ", Ink::Plain);
        self.row(&row);
        for event in &step.events {
            self.event(event);
        }
        self.verdict(step);
    }

    fn verdict(&mut self, step: &Step) {
        let good = step.as_documented;
        let held = step.checks.iter().filter(|check| check.holds).count();
        let count = format!("{held} of {} checks", step.checks.len());
        let room = WIDTH - 5 - count.chars().count() - 2;
        for (index, text) in label::wrap(&step.verdict, room, 0).iter().enumerate() {
            let mut row = Row::new();
            if index == 0 {
                row.put(2, mark(good), ink(good));
                row.put(WIDTH - count.chars().count() - 1, &count, Ink::Faint);
            }
            row.put(4, text, ink(good));
            self.row(&row);
        }
        for check in step.checks.iter().filter(|check| !check.holds) {
            self.difference(4, &check.what, &check.expected, &check.observed);
        }
    }

    fn difference(&mut self, column: usize, what: &str, expected: &str, observed: &str) {
        self.line(column, what, Ink::Bad);
        self.line(column + 2, &format!("expected  {expected}"), Ink::Plain);
        self.line(column + 2, &format!("observed  {observed}"), Ink::Plain);
    }

    fn event(&mut self, event: &Event) {
        let time = format!("{:>9.3} s", event.at.as_secs_f64());
        match &event.what {
            Occurrence::Sip(message) => self.sip(&time, message),
            Occurrence::Http(message) => self.http(&time, message),
            Occurrence::Connection(connection) => self.connection(&time, connection),
            Occurrence::State { party, text } => self.state(&time, *party, text),
            Occurrence::Console { command, output } => self.console(&time, command, output),
        }
    }

    fn sip(&mut self, time: &str, message: &SipMessage) {
        let labels = label::sip(message, self.room(message.leg));
        self.arrow(time, &labels, message.leg, Ink::Accent, false);
    }

    fn http(&mut self, time: &str, message: &HttpMessage) {
        let mut labels = vec![message.start_line.clone()];
        labels.extend(message.shows.iter().cloned());
        self.arrow(time, &labels, message.leg, Ink::Bold, false);
    }

    fn connection(&mut self, time: &str, connection: &Connection) {
        let mut labels = vec![connection.summary.clone()];
        labels.extend(connection.shows.iter().cloned());
        let ink = if connection.refused {
            Ink::Bad
        } else {
            Ink::Bold
        };
        self.arrow(time, &labels, connection.leg, ink, connection.refused);
    }

    /// Columns for a label between two lifelines.
    fn room(&self, leg: Leg) -> usize {
        let column = |party| self.lanes.column(party).unwrap_or_default();
        column(leg.from).abs_diff(column(leg.to)).saturating_sub(3)
    }

    /// Label rows between two lifelines, then the arrow.
    fn arrow(&mut self, time: &str, labels: &[String], leg: Leg, first: Ink, refused: bool) {
        let (Some(from), Some(to)) = (self.lanes.column(leg.from), self.lanes.column(leg.to))
        else {
            return;
        };
        let (left, right) = (from.min(to), from.max(to));
        let room = self.room(leg);
        let mut time = Some(time);
        for (index, text) in labels.iter().enumerate() {
            for line in label::wrap(text, room, 2) {
                let mut row = self.lanes_row();
                if let Some(time) = time.take() {
                    row.put(0, time, Ink::Faint);
                }
                row.clear(left + 1, right);
                row.put(left + 2, &line, if index == 0 { first } else { Ink::Plain });
                self.row(&row);
            }
        }
        let mut row = self.lanes_row();
        row.put_arrow(from, to, leg.transport, refused);
        if let Some(port) = leg.port {
            let text = format!(":{port}");
            let column = if to > from {
                to + 1
            } else {
                to.saturating_sub(text.chars().count())
            };
            row.put(column, &text, Ink::Faint);
        }
        self.row(&row);
    }

    /// A change inside one party: a dot on its lifeline, the text where there is room.
    fn state(&mut self, time: &str, party: PartyId, text: &str) {
        let Some(column) = self.lanes.column(party) else {
            return;
        };
        let last = self
            .lanes
            .columns
            .last()
            .is_some_and(|(id, _)| *id == party);
        let next = self
            .lanes
            .columns
            .iter()
            .map(|(_, column)| *column)
            .find(|other| *other > column);
        let before = self
            .lanes
            .columns
            .iter()
            .map(|(_, column)| *column)
            .rfind(|other| *other < column);
        let (start, room) = if last {
            let start = before.map_or(12, |before| before + 2);
            (start, column.saturating_sub(start + 1))
        } else {
            (column + 2, next.unwrap_or(WIDTH).saturating_sub(column + 3))
        };
        for (index, line) in label::wrap(text, room, 2).iter().enumerate() {
            let mut row = self.lanes_row();
            if index == 0 {
                row.put(0, time, Ink::Faint);
                row.put(column, "●", Ink::Accent);
            }
            let at = if last {
                column.saturating_sub(line.chars().count() + 1)
            } else {
                start
            };
            row.put(at, line, Ink::Plain);
            self.row(&row);
        }
    }

    /// What the administrator typed stands over the lifelines, as on a console beside them.
    fn console(&mut self, time: &str, command: &str, output: &[String]) {
        for (index, line) in label::wrap(&format!("admin:{command}"), WIDTH - 15, 6)
            .iter()
            .enumerate()
        {
            let mut row = Row::new();
            if index == 0 {
                row.put(0, time, Ink::Faint);
            }
            row.put(13, line, Ink::Bold);
            self.row(&row);
        }
        for line in output {
            self.line(13, line, Ink::Faint);
        }
    }

    fn lanes_row(&self) -> Row {
        let mut row = Row::new();
        for (_, column) in &self.lanes.columns {
            row.put(*column, "│", Ink::Line);
        }
        row
    }

    fn lifelines(&mut self) {
        let row = self.lanes_row();
        self.row(&row);
    }

    fn line(&mut self, column: usize, text: &str, ink: Ink) {
        for line in label::wrap(text, WIDTH - column, 2) {
            let mut row = Row::new();
            row.put(column, &line, ink);
            self.row(&row);
        }
    }

    fn rule(&mut self, with: char) {
        let mut row = Row::new();
        row.put(0, &with.to_string().repeat(WIDTH), Ink::Line);
        self.row(&row);
    }

    fn blank(&mut self) {
        self.out.push('\n');
    }

    fn row(&mut self, row: &Row) {
        row.write(&mut self.out, self.colour);
        self.out.push('\n');
    }
}
