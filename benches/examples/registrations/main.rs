//! What a registration costs a registrar: CPU time and memory, ours beside Kamailio, driven by one client.
//!
//! ```sh
//! apt-get install kamailio kamailio-tls-modules     # a peer that looks at no token; a peer that is not there is left
//! apt-get install kamailio-python3-modules python3-jwt    # out by name, and so is the one that checks tokens in Python
//! ulimit -n 20000                                   # for 10,000 idle connections
//! cargo run --profile bench -p sip-oauth-benches --example registrations
//! cargo run --profile bench -p sip-oauth-benches --example registrations -- instructions    # needs valgrind
//! ```
//!
//! Each server is a process of its own with one thread for connections, made anew for each row with certificates made
//! on the spot. What is counted is the time its processes were on a CPU, from `/proc`, so that other work on the machine
//! disturbs less than it would a stop watch, or the instructions of its processes. Every answer is checked, and before
//! anything is counted each server is shown a token with another signature: who checks tokens must refuse it.
//!
//! The same client drives any other registrar that answers `407` or `401`, and ours may be started by itself, for a
//! profiler; it makes the folder with its certificates and its token where there is none, and listens on port 15090:
//!
//! ```sh
//! registrations serve FOLDER REMEMBERED            # how many verdicts; 0: each token is verified
//! registrations drive ADDRESS FOLDER PID COUNT     # of 127.0.0.1:15090; 15091 is mutual TLS
//! ```
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

mod client;
mod instructions;
mod kamailio;
mod material;
mod ours;
mod process;
mod table;

#[path = "../../common/registrar.rs"]
mod common;

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const USAGE: &str = "expected no arguments, or [--rounds N] [--count N] [--idle N], or instructions, or drive ADDRESS FOLDER PID COUNT, or serve FOLDER REMEMBERED";

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", folder, remembered] => {
            let folder = Path::new(folder);
            if !folder.join("ca.pem").exists() {
                material::Folder::make(folder.to_owned(), material::Keys::P256)?;
            }
            ours::serve(folder, remembered.parse()?)
        }
        ["drive", address, folder, pid, count] => drive(
            address.parse()?,
            Path::new(folder),
            pid.parse()?,
            count.parse()?,
        ),
        ["instructions"] => instructions::print(),
        options => table::print(&table::Effort::of(options).ok_or(USAGE)?),
    }
}

/// Drives a server somebody else started. The folder holds `ca.pem`, `token.txt` and, for mutual TLS, `client.pem` and
/// `client-key.pem`.
fn drive(address: SocketAddr, folder: &Path, pid: u32, count: usize) -> Outcome {
    let material = material::Material::read(folder)?;
    let process = process::Process::of(pid);
    for case in client::Case::ALL {
        let spent = client::run(&material, address, case, (client::AT_ONCE, count), || {
            process.cpu()
        })?;
        println!("{case}: {spent}");
    }
    Ok(())
}
