//! The table: all servers, case by case, in one run.

use std::fmt;
use std::net::SocketAddr;

use super::client::{self, AT_ONCE, Case, Spent};
use super::kamailio::{self, Check};
use super::material::{Folder, Folders, Keys, Material};
use super::process::{Server, Watched, open_files};
use super::{Outcome, ours};

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

/// Who is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who {
    /// Our registrar; it remembers so many verdicts.
    Ours(usize),
    Kamailio(Check),
}

impl Who {
    pub(crate) fn start(
        self,
        folder: &Folder,
        is_mutual: bool,
        watched: Watched,
    ) -> Outcome<(Server, SocketAddr)> {
        Ok(match self {
            Self::Ours(remembered) => (
                ours::start(folder, remembered, watched)?,
                ours::address(is_mutual),
            ),
            Self::Kamailio(check) => (
                kamailio::start(folder, is_mutual, check, watched)?,
                kamailio::address(),
            ),
        })
    }

    /// The file of its standard error.
    pub(crate) const fn log(self) -> &'static str {
        match self {
            Self::Ours(_) => ours::LOG,
            Self::Kamailio(_) => kamailio::LOG,
        }
    }

    /// Whether it looks at the token.
    fn checks(self) -> bool {
        !matches!(self, Self::Kamailio(Check::Nothing))
    }
}

/// The peers that are there; says what they are and which are missing.
pub(crate) fn peers() -> Vec<Check> {
    let mut peers = Vec::new();
    for check in [Check::Nothing, Check::InPython] {
        // The second takes what the first does.
        let missing = Check::Nothing.installed().err();
        match missing.map_or_else(|| check.installed(), Err) {
            Ok(versions) => {
                println!("{check}: {versions}");
                peers.push(check);
            }
            Err(why) => println!("skipped: {check}: {why}"),
        }
    }
    println!();
    peers
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

    fn name(&self) -> String {
        let (case, keys) = (self.case, self.keys);
        let mutual = if self.is_mutual { ", mutual" } else { "" };
        let cached = if self.is_cached {
            ", verdict cached"
        } else {
            ""
        };
        format!("{case}, {keys}{mutual}{cached}")
    }

    const fn ours(&self) -> Who {
        Who::Ours(if self.is_cached { 1_000 } else { 0 })
    }

    fn spend(&self, who: Who, folder: &Folder, count: usize) -> Outcome<Spent> {
        let (server, address) = who.start(folder, self.is_mutual, Watched::Not)?;
        let material = Material::read(folder.path())?;
        let process = server.process();
        // A connection costs ten times a registration.
        let count = match self.case {
            Case::NewConnection => count / 4,
            _ => count,
        };
        client::run(&material, address, self.case, (AT_ONCE, count), || {
            process.cpu()
        })
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
    // Both ends of each connection, in two processes, and some files beside.
    let needed = effort.idle + 200;
    let allowed = open_files()?;
    if allowed < needed {
        return Err(format!("{allowed} files may be open, {needed} are needed: ulimit -n").into());
    }
    let folders = Folders::make()?;
    let peers = peers();
    prove(&folders, &peers)?;

    println!(
        "Server CPU-seconds per 1,000 registrations: min / median / max of {}\n",
        effort.rounds
    );
    let columns = peers.iter().map(|peer| format!(" {peer} | ours to it |"));
    println!("| | ours | at most |{}", columns.collect::<String>());
    println!("|---|--:|--:|{}", "--:|--:|".repeat(peers.len()));
    for row in &ROWS {
        let folder = folders.of(row.keys);
        let mut own = Vec::new();
        let mut others = vec![Vec::new(); peers.len()];
        for _ in 0..effort.rounds {
            own.push(row.spend(row.ours(), folder, effort.count)?);
            for (peer, spent) in peers.iter().zip(&mut others) {
                spent.push(row.spend(Who::Kamailio(*peer), folder, effort.count)?);
            }
        }
        let own = Summary::of(&own);
        let cells = others.iter().map(|spent| {
            let peer = Summary::of(spent);
            format!(" {peer} | {:.2} |", own.median / peer.median)
        });
        let (name, at_most) = (row.name(), row.at_most);
        println!(
            "| {name} | {own} | {at_most:.2} |{}",
            cells.collect::<String>()
        );
    }

    println!("\nMemory of idle registered TLS connections, kB each (PSS of all processes)\n");
    println!("| | connections | kB each |");
    println!("|---|--:|--:|");
    for keys in [Keys::Rsa2048, Keys::P256] {
        let folder = folders.of(keys);
        hold("ours", Who::Ours(0), folder, (keys, effort.idle))?;
        for peer in peers.iter().filter(|peer| **peer == Check::Nothing) {
            let who = Who::Kamailio(*peer);
            hold(&peer.to_string(), who, folder, (keys, effort.idle))?;
        }
    }
    Ok(())
}

/// That who checks tokens refuses one with another signature, and who does not takes it.
pub(crate) fn prove(folders: &Folders, peers: &[Check]) -> Outcome {
    let folder = folders.of(Keys::P256);
    for who in [Who::Ours(0), Who::Ours(1_000)]
        .into_iter()
        .chain(peers.iter().map(|peer| Who::Kamailio(*peer)))
    {
        let (_server, address) = who.start(folder, false, Watched::Not)?;
        let material = Material::read(folder.path())?;
        if client::takes_any_token(&material, address)? == who.checks() {
            return Err(format!("{who:?} does not treat tokens as it should").into());
        }
    }
    Ok(())
}

fn hold(name: &str, who: Who, folder: &Folder, (keys, count): (Keys, usize)) -> Outcome {
    let (server, address) = who.start(folder, false, Watched::Not)?;
    let material = Material::read(folder.path())?;
    let process = server.process();
    let before = process.kilobytes()?;
    client::idle(&material, address, count, || {
        let held = process.kilobytes()?.saturating_sub(before);
        let each = held / u64::try_from(count.max(1))?;
        println!("| {name}, {keys} | {count} | {each} |");
        Ok(())
    })
}

/// Lowest, median and highest cost.
struct Summary {
    lowest: f64,
    median: f64,
    highest: f64,
}

impl Summary {
    fn of(spent: &[Spent]) -> Self {
        let mut costs: Vec<f64> = spent.iter().map(Spent::per_thousand).collect();
        costs.sort_by(f64::total_cmp);
        let at = |index: usize| costs.get(index).copied().unwrap_or(f64::NAN);
        Self {
            lowest: at(0),
            median: at(costs.len() / 2),
            highest: at(costs.len().saturating_sub(1)),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            lowest,
            median,
            highest,
        } = self;
        write!(f, "{lowest:.3} / {median:.3} / {highest:.3}")
    }
}
