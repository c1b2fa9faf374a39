//! The tables, in Markdown.

use std::fmt::Write as _;

use crate::Finding;
use crate::case::{Case, Set};
use crate::check::{Job, Outcome};
use crate::measure::Cost;
use crate::peer::{Kind, Peer};
use crate::probe::{Probe, verdict};

/// What each job costs each peer, a table for each job and set of messages.
pub fn costs(peers: &[Box<dyn Peer>], cases: &[Case], findings: &[Finding<'_>]) -> String {
    let mut text = String::new();
    for (set, whose) in [
        (Set::Own, "the project's own messages"),
        (Set::Shared, "the shared messages"),
    ] {
        let cases: Vec<&Case> = cases.iter().filter(|case| case.set == set).collect();
        if cases.is_empty() {
            continue;
        }
        for (job, what) in [
            (Job::Head, "(i) start line and header fields found"),
            (Job::TenHeaders, "(ii) and the ten headers typed and read"),
        ] {
            let _ = writeln!(text, "\n{what}; {whose}:\n");
            line(
                &mut text,
                std::iter::once(String::new()).chain(cases.iter().map(|case| case.name.clone())),
            );
            line(
                &mut text,
                std::iter::once("---".to_owned()).chain(cases.iter().map(|_| "--:".to_owned())),
            );
            for peer in peers {
                let cells: Vec<String> = cases
                    .iter()
                    .map(|case| cell(peer.as_ref(), case, job, findings))
                    .collect();
                if cells.iter().any(|cell| cell != "–") {
                    line(
                        &mut text,
                        std::iter::once(title(peer.as_ref())).chain(cells),
                    );
                }
            }
        }
    }
    text
}

/// Thousands of instructions and nanoseconds, each as a multiple of ours, and how much of it is right.
fn cell(peer: &dyn Peer, case: &Case, job: Job, findings: &[Finding<'_>]) -> String {
    let find = |wanted: &dyn Fn(&Finding<'_>) -> bool| {
        findings
            .iter()
            .find(|finding| finding.case.name == case.name && finding.job == job && wanted(finding))
    };
    let ours = find(&|finding| finding.peer.kind() == Kind::Ours).and_then(|finding| finding.cost);
    let Some(Finding { outcome, cost, .. }) = find(&|finding| finding.peer.name() == peer.name())
    else {
        return "–".to_owned();
    };
    match (outcome, cost) {
        (Outcome::NotOffered, _) => "–".to_owned(),
        (Outcome::Refused(_), _) => "refuses".to_owned(),
        (Outcome::Read { .. }, None) => "not measured".to_owned(),
        (Outcome::Read { right, of, faults }, Some(cost)) => {
            let mark = if faults.is_empty() {
                String::new()
            } else {
                format!(", {right}/{of}")
            };
            let times = ours.filter(|_| peer.kind() != Kind::Ours);
            format!("{}{mark}", figures(*cost, times))
        }
    }
}

fn figures(cost: Cost, ours: Option<Cost>) -> String {
    let nanoseconds = grouped(cost.nanoseconds);
    let thousands = cost
        .instructions
        .map(|count| format!("{:.1} k", count / 1000.0));
    let Some(ours) = ours else {
        return format!(
            "{}{nanoseconds} ns",
            thousands.map_or(String::new(), |text| text + " / ")
        );
    };
    let slower = cost.nanoseconds / ours.nanoseconds;
    match (thousands, cost.instructions, ours.instructions) {
        (Some(text), Some(count), Some(own)) => {
            format!(
                "{text} / {nanoseconds} ns ({:.1}× / {slower:.1}×)",
                count / own
            )
        }
        _ => format!("{nanoseconds} ns ({slower:.1}×)"),
    }
}

fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What was refused, lost or read wrongly, by peer.
pub fn faults(peers: &[Box<dyn Peer>], findings: &[Finding<'_>]) -> String {
    let mut text = "\nWhat was not read, or not rightly:\n\n".to_owned();
    for peer in peers {
        let mut seen: Vec<(String, Vec<&str>)> = Vec::new();
        for finding in findings
            .iter()
            .filter(|finding| finding.peer.name() == peer.name())
        {
            let (job, found) = (job(finding.job), faults_of(&finding.outcome));
            for fault in found {
                let fault = format!("{job}{fault}");
                match seen.iter_mut().find(|(known, _)| *known == fault) {
                    Some((_, messages)) => messages.push(&finding.case.name),
                    None => seen.push((fault, vec![&finding.case.name])),
                }
            }
        }
        for (fault, messages) in seen {
            let _ = writeln!(text, "- {}: {fault} ({})", peer.name(), messages.join(", "));
        }
    }
    text
}

fn job(job: Job) -> &'static str {
    match job {
        Job::Head => "(i) ",
        Job::TenHeaders => "(ii) ",
    }
}

fn faults_of(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::NotOffered => Vec::new(),
        Outcome::Refused(reason) => vec![format!("refuses the message: `{reason}`")],
        Outcome::Read { faults, .. } => faults.clone(),
    }
}

/// What each peer makes of the probes.
pub fn probes(peers: &[Box<dyn Peer>], probes: &[Probe]) -> String {
    let peers: Vec<&dyn Peer> = peers
        .iter()
        .map(Box::as_ref)
        .filter(|peer| peer.kind() != Kind::Ceiling)
        .collect();
    let mut text = "\nWhat each does with messages that tell them apart:\n\n".to_owned();
    line(
        &mut text,
        std::iter::once(String::new()).chain(peers.iter().map(|peer| peer.name().to_owned())),
    );
    line(
        &mut text,
        std::iter::once("---".to_owned()).chain(peers.iter().map(|_| "---".to_owned())),
    );
    for probe in probes {
        let verdicts = peers
            .iter()
            .map(|peer| verdict(*peer, probe).word().to_owned());
        line(
            &mut text,
            std::iter::once(probe.about.to_owned()).chain(verdicts),
        );
    }
    text
}

fn title(peer: &dyn Peer) -> String {
    let title = format!("{} {}", peer.name(), peer.version());
    match peer.kind() {
        Kind::Ours => format!("**{title}**"),
        Kind::Rust => title,
        Kind::C => format!("{title} (C)"),
        Kind::Ceiling => format!("{title} (HTTP)"),
    }
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.collect();
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}
