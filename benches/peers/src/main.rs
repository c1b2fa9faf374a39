//! Parsers of SIP messages on the same bytes, in the same run: what each reads rightly, and what it
//! costs in instructions and in time.
//!
//! ```sh
//! cargo run --release --manifest-path benches/peers/Cargo.toml
//! ```
//!
//! With `--check`, only what each reads; that fails when this project's parser is not right.

mod case;
mod check;
mod measure;
mod peer;
mod peers;
mod probe;
mod table;
mod values;

use std::error::Error;

use self::case::{Case, cases};
use self::check::{Job, Outcome, outcome};
use self::measure::{COUNT, Cost, TIME, Task};
use self::peer::{Kind, Peer};
use self::probe::{probes, verdict};

/// What came of a job of a peer on a message, and what it costs where that was measured.
pub struct Finding<'p> {
    pub peer: &'p dyn Peer,
    pub case: &'p Case,
    pub job: Job,
    pub outcome: Outcome,
    pub cost: Option<Cost>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // A peer that panics is caught, and it is said in the table.
    std::panic::set_hook(Box::new(|_| ()));
    let (peers, cases) = (peers::all(), cases());
    let mut findings = findings(&peers, &cases)?;
    match arguments.as_slice() {
        [] => {
            measure_all(&peers, &mut findings)?;
            print!("{}", table::costs(&peers, &cases, &findings));
            report(&peers, &findings)
        }
        ["--check"] => report(&peers, &findings),
        [TIME] => {
            for nanoseconds in measure::time_all(&tasks(&findings, |_| true)) {
                println!("{nanoseconds}");
            }
            Ok(())
        }
        [COUNT, name] => {
            measure::count(&tasks(&findings, |task| task.peer.name() == *name));
            Ok(())
        }
        _ => Err("expected nothing, or --check".into()),
    }
}

/// Does every job with every peer once, and looks at the answer.
fn findings<'p>(
    peers: &'p [Box<dyn Peer>],
    cases: &'p [Case],
) -> Result<Vec<Finding<'p>>, Box<dyn Error>> {
    let ours = peers
        .iter()
        .find(|peer| peer.kind() == Kind::Ours)
        .ok_or("we are not there")?;
    let mut findings = Vec::new();
    for job in Job::ALL {
        for case in cases {
            findings.extend(peers.iter().map(|peer| Finding {
                peer: peer.as_ref(),
                case,
                job,
                outcome: outcome(ours.as_ref(), peer.as_ref(), case, job),
                cost: None,
            }));
        }
    }
    Ok(findings)
}

/// What can be measured: jobs that were done. In the order of the findings.
fn tasks<'p>(findings: &[Finding<'p>], wanted: impl Fn(&Task<'p>) -> bool) -> Vec<Task<'p>> {
    let done = findings.iter().filter(|finding| finding.outcome.is_read());
    done.map(|finding| Task {
        peer: finding.peer,
        case: finding.case,
        job: finding.job,
    })
    .filter(wanted)
    .collect()
}

fn measure_all(
    peers: &[Box<dyn Peer>],
    findings: &mut [Finding<'_>],
) -> Result<(), Box<dyn Error>> {
    let times = measure::nanoseconds()?;
    let done = findings
        .iter_mut()
        .filter(|finding| finding.outcome.is_read());
    for (finding, nanoseconds) in done.zip(times) {
        finding.cost = Some(Cost {
            nanoseconds,
            instructions: None,
        });
    }
    for peer in peers {
        let name = peer.name();
        let Some(counts) =
            measure::instructions(&tasks(findings, |task| task.peer.name() == name))?
        else {
            eprintln!("skipped: instructions (no valgrind)");
            return Ok(());
        };
        let costs = findings
            .iter_mut()
            .filter(|finding| finding.peer.name() == name);
        for (cost, count) in costs
            .filter_map(|finding| finding.cost.as_mut())
            .zip(counts)
        {
            cost.instructions = Some(count);
        }
    }
    Ok(())
}

/// Prints what each peer reads and does, and fails where ours is not right.
fn report(peers: &[Box<dyn Peer>], findings: &[Finding<'_>]) -> Result<(), Box<dyn Error>> {
    let probes = probes();
    print!("{}", table::faults(peers, findings));
    print!("{}", table::probes(peers, &probes));
    for name in peers::missing() {
        println!("left out, not installed: {name}");
    }
    let mut wrong = findings
        .iter()
        .filter(|finding| finding.peer.kind() == Kind::Ours)
        .filter(|finding| !matches!(&finding.outcome, Outcome::Read { faults, .. } if faults.is_empty()))
        .map(|finding| finding.case.name.clone());
    let ours = peers.iter().find(|peer| peer.kind() == Kind::Ours);
    let mut unmet = probes
        .iter()
        .filter(|probe| ours.is_some_and(|ours| !verdict(ours.as_ref(), probe).is_right()))
        .map(|probe| probe.about.to_owned());
    match wrong.next().or_else(|| unmet.next()) {
        Some(first) => Err(format!("this project's own parser is not right: {first}").into()),
        None => Ok(()),
    }
}
