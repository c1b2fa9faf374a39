//! Prints how many instructions a device file takes: to its targets, read, edited, and by others.
//!
//! ```sh
//! cargo run --profile bench -p sip-oauth-benches --example csf_instructions
//! ```
//!
//! Needs valgrind. The program runs itself under callgrind, twice for each figure, and takes the difference.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

use std::error::Error;
use std::hint::black_box;

use sip_oauth_benches::instructions;
use sip_oauth_csf::{DeviceConfig, Limits};

#[path = "../jobs/csf.rs"]
mod jobs;

use jobs::{by_roxmltree, by_serde, device_file, event_loop, targets};

const JOBS: [&str; 6] = [
    "event loop",
    "to targets",
    "read",
    "edit",
    "serde",
    "roxmltree",
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => table(),
        [job, times] => work(job, times.parse()?),
        _ => Err("expected no arguments, or JOB TIMES".into()),
    }
}

fn work(job: &str, times: u32) -> Result<(), Box<dyn Error>> {
    let file = device_file();
    let bound = file.replacen("xsi:type", "xsi_type", 1);
    let mut config = DeviceConfig::read(file.as_bytes(), &Limits::default())?;
    let mut port = 5290;
    for _ in 0..times {
        let bytes = black_box(file.as_bytes());
        match job {
            "event loop" => {
                black_box(event_loop(bytes));
            }
            "to targets" => assert_eq!(targets(bytes).len(), 3),
            "read" => drop(black_box(DeviceConfig::read(bytes, &Limits::default())?)),
            "edit" => {
                port ^= 1;
                black_box(config.set_sip_oauth_port(0, black_box(port))?);
            }
            "serde" => assert_eq!(by_serde(black_box(&file)).len(), 3),
            _ => assert_eq!(by_roxmltree(black_box(&bound)).len(), 3),
        }
    }
    Ok(())
}

fn table() -> Result<(), Box<dyn Error>> {
    println!("a file of {} bytes", device_file().len());
    println!("| | instructions |\n|---|--:|");
    for job in JOBS {
        let times = |times| instructions(&[job, times]);
        let hundred = times("200")? - times("100")?;
        println!("| {job} | {} |", hundred / 100);
    }
    Ok(())
}
