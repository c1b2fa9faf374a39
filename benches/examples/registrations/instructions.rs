//! Instructions per registration, sockets and TLS included: unlike times they do not depend on what else the machine does.

use std::fmt::Write;
use std::fs;

use super::Outcome;
use super::client::{self, Case};
use super::material::{Folder, Folders, Keys, Material};
use super::process::Watched;
use super::table::{Who, peers, prove};

/// A program under callgrind is fifty times slower: few devices at once, so that each is answered in time.
const AT_ONCE: usize = 5;

const ROWS: [(Case, Keys, bool, usize); 6] = [
    (Case::Exchange, Keys::P256, false, 500),
    (Case::TokenAtOnce, Keys::P256, false, 500),
    (Case::NewConnection, Keys::Rsa2048, false, 50),
    (Case::NewConnection, Keys::P256, false, 50),
    (Case::NewConnection, Keys::Rsa2048, true, 50),
    (Case::NewConnection, Keys::P256, true, 50),
];

/// Counts and prints.
pub(crate) fn print() -> Outcome {
    let folders = Folders::make()?;
    let peers = peers();
    prove(&folders, &peers)?;
    let mut all = vec![
        ("ours".to_owned(), Who::Ours(0)),
        ("ours, verdict cached".to_owned(), Who::Ours(1_000)),
    ];
    all.extend(
        peers
            .iter()
            .map(|&peer| (peer.to_string(), Who::Kamailio(peer))),
    );

    println!("Instructions of the server per registration, in thousands\n");
    let names = all.iter().map(|(name, _)| format!(" {name} |"));
    println!("| |{}", names.collect::<String>());
    println!("|---|{}", "--:|".repeat(all.len()));
    for (case, keys, mutual, count) in ROWS {
        let suffix = if mutual { ", mutual" } else { "" };
        let mut row = format!("| {case}, {keys}{suffix} |");
        for (_, who) in &all {
            let few = count_of(*who, folders.of(keys), mutual, case, count)?;
            let many = count_of(*who, folders.of(keys), mutual, case, 3 * count)?;
            let each = many.saturating_sub(few) / u64::try_from(2 * count)?;
            write!(row, " {} |", each / 1_000)?;
        }
        println!("{row}");
    }
    Ok(())
}

/// What the server takes from its start to its end for so many registrations.
fn count_of(who: Who, folder: &Folder, mutual: bool, case: Case, count: usize) -> Outcome<u64> {
    let (server, address) = who.start(folder, mutual, Watched::ByCallgrind)?;
    let material = Material::read(folder.path())?;
    let process = server.process();
    client::run(&material, address, case, (AT_ONCE, count), || process.cpu())?;
    drop(server);
    let log = fs::read_to_string(folder.file(who.log()))?;
    // Each of its processes says so at its end.
    let counts = log
        .lines()
        .filter_map(|line| line.split_once("Collected : "));
    let counts = counts.map(|(_, count)| count.trim().parse::<u64>());
    match counts.sum::<Result<u64, _>>()? {
        0 => Err(format!("callgrind did not count:\n{log}").into()),
        sum => Ok(sum),
    }
}
