//! The table: both servers, case by case, in one run.

use super::client::{self, Case, Spent};
use super::material::{Folder, Keys, Material};
use super::process::Server;
use super::{Outcome, kamailio, ours};

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    rounds: usize,
    count: usize,
    idle: usize,
}

impl Effort {
    pub(crate) fn of(options: &[&str]) -> Option<Self> {
        let mut effort = Self {
            rounds: 3,
            count: 4_000,
            idle: 10_000,
        };
        for option in options.chunks(2) {
            let [name, value] = option else { return None };
            let value = value.parse().ok()?;
            match *name {
                "--rounds" => effort.rounds = value,
                "--count" => effort.count = value,
                "--idle" => effort.idle = value,
                _ => return None,
            }
        }
        Some(effort)
    }
}

/// One row of the table, and what it may cost at most.
struct Row {
    case: Case,
    keys: Keys,
    is_mutual: bool,
    /// Whether our registrar remembers verdicts; else it verifies every token.
    is_cached: bool,
    at_most: f64,
}

impl Row {
    const fn new(case: Case, keys: Keys, is_mutual: bool, is_cached: bool, at_most: f64) -> Self {
        Self {
            case,
            keys,
            is_mutual,
            is_cached,
            at_most,
        }
    }

    fn ours(&self, folder: &Folder) -> Outcome<(Server, std::net::SocketAddr)> {
        let remembered = if self.is_cached { 1_000 } else { 0 };
        let server = ours::start(folder, remembered)?;
        Ok((server, ours::address(self.is_mutual)))
    }

    fn peer(&self, folder: &Folder) -> Outcome<(Server, std::net::SocketAddr)> {
        let server = kamailio::start(folder, self.is_mutual)?;
        Ok((server, kamailio::address()))
    }
}

const ROWS: [Row; 7] = [
    Row::new(Case::Exchange, Keys::Rsa2048, false, false, 0.08),
    Row::new(Case::TokenAtOnce, Keys::Rsa2048, false, false, 0.08),
    Row::new(Case::TokenAtOnce, Keys::Rsa2048, false, true, 0.04),
    Row::new(Case::NewConnection, Keys::Rsa2048, false, false, 0.45),
    Row::new(Case::NewConnection, Keys::P256, false, false, 0.20),
    Row::new(Case::NewConnection, Keys::Rsa2048, true, false, 0.55),
    Row::new(Case::NewConnection, Keys::P256, true, false, 0.32),
];

/// Measures and prints.
pub(crate) fn print(effort: &Effort) -> Outcome {
    let at = std::env::temp_dir().join(format!("registrations-{}", std::process::id()));
    let measured = measure(effort, &at);
    std::fs::remove_dir_all(&at)?;
    measured
}

fn measure(effort: &Effort, at: &std::path::Path) -> Outcome {
    let rsa = Folder::make(at.join("rsa"), Keys::Rsa2048)?;
    let p256 = Folder::make(at.join("p256"), Keys::P256)?;
    let folder = |keys| match keys {
        Keys::Rsa2048 => &rsa,
        Keys::P256 => &p256,
    };
    let peer = kamailio::version();
    match &peer {
        Some(version) => println!("beside {version}, which takes any token without looking\n"),
        None => println!("skipped: Kamailio, which is not installed\n"),
    }
    println!(
        "Server CPU-seconds per 1,000 registrations: min / median / max of {}\n",
        effort.rounds
    );
    println!("| | ours | at most | Kamailio | ours, 1/s | Kamailio, 1/s |");
    println!("|---|--:|--:|--:|--:|--:|");
    for row in &ROWS {
        let folder = folder(row.keys);
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for _ in 0..effort.rounds {
            own.push(spend(row, folder, effort.count, Row::ours)?);
            if peer.is_some() {
                others.push(spend(row, folder, effort.count, Row::peer)?);
            }
        }
        let (own, own_rate) = summary(own);
        let (others, other_rate) = summary(others);
        let (case, keys) = (row.case, row.keys);
        let mutual = if row.is_mutual { ", mutual" } else { "" };
        let cached = if row.is_cached {
            ", verdict cached"
        } else {
            ""
        };
        println!(
            "| {case}, {keys}{mutual}{cached} | {own} | {:.2} | {others} | {own_rate} | {other_rate} |",
            row.at_most
        );
    }
    println!("\nMemory of idle registered TLS connections, kB each (PSS of all processes)\n");
    println!("| | connections | kB each |");
    println!("|---|--:|--:|");
    for keys in [Keys::Rsa2048, Keys::P256] {
        let folder = folder(keys);
        let row = Row::new(Case::Exchange, keys, false, false, 0.0);
        hold(
            &format!("ours, {keys}"),
            row.ours(folder)?,
            folder,
            effort.idle,
        )?;
        if peer.is_some() {
            hold(
                &format!("Kamailio, {keys}"),
                row.peer(folder)?,
                folder,
                effort.idle,
            )?;
        }
    }
    Ok(())
}

fn spend(
    row: &Row,
    folder: &Folder,
    count: usize,
    start: impl Fn(&Row, &Folder) -> Outcome<(Server, std::net::SocketAddr)>,
) -> Outcome<Spent> {
    let (server, address) = start(row, folder)?;
    let material = Material::read(folder.path())?;
    let process = server.process();
    // A connection costs ten times a registration.
    let count = match row.case {
        Case::NewConnection => count / 4,
        _ => count,
    };
    client::run(&material, address, row.case, count, || process.cpu())
}

fn hold(
    name: &str,
    (server, address): (Server, std::net::SocketAddr),
    folder: &Folder,
    count: usize,
) -> Outcome {
    let material = Material::read(folder.path())?;
    let process = server.process();
    let before = process.kilobytes()?;
    client::idle(&material, address, count, || {
        let held = process.kilobytes()?.saturating_sub(before);
        let each = held / u64::try_from(count.max(1))?;
        println!("| {name} | {count} | {each} |");
        Ok(())
    })
}

/// Lowest, median and highest cost, and the median rate.
fn summary(mut spent: Vec<Spent>) -> (String, String) {
    spent.sort_by(|one, other| one.per_thousand().total_cmp(&other.per_thousand()));
    let (Some(first), Some(last)) = (spent.first(), spent.last()) else {
        return ("–".to_owned(), "–".to_owned());
    };
    let middle = spent.get(spent.len() / 2).unwrap_or(first);
    let costs = [first, middle, last].map(|spent| format!("{:.3}", spent.per_thousand()));
    (costs.join(" / "), format!("{:.0}", middle.rate()))
}
