//! Prints how many instructions a registrar's decision takes: parse, judge with the verdict in the cache, store, write
//! the answer.
//!
//! ```sh
//! cargo run --profile bench -p sip-oauth-benches --example registration_instructions
//! ```
//!
//! Needs valgrind. The program runs itself under callgrind, which counts within the decision only.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

use std::error::Error;
use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use sip_oauth_benches::instructions_within;
use sip_oauth_message::{Limits, MessageView};
use sip_oauth_registration::Seeded;
use sip_oauth_registration::registrar::{Arrival, Listener, NodePorts, Registrar};
use sip_oauth_token::Verifier;
use sip_oauth_token::issue::AuthorizationServer;

#[path = "../common/registrar.rs"]
mod common;

const JOBS: [&str; 2] = ["without token: 407", "refresh, verdict cached: 200"];
const DEVICES: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => table(),
        [job, times] => work(job, times.parse()?),
        _ => Err("expected no arguments, or JOB TIMES".into()),
    }
}

fn work(job: &str, times: u32) -> Result<(), Box<dyn Error>> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let server = AuthorizationServer::new("5d0c7e2a-94b1-4f38-8a67-c1e3f0b2d495")?;
    let verifier = Verifier::new(server.key_set(), server.policy()).with_cache(1024);
    let registrar = common::registrar(NodePorts::default(), DEVICES, verifier)?;
    let token = common::token(&server, now)?;
    let mut out = Vec::new();
    for device in 0..DEVICES {
        let registering = common::request(device, (0, 1), Some(&token));
        answer(&registrar, &registering, now, &mut out)?;
        assert!(out.starts_with(b"SIP/2.0 200 "), "registered");
    }
    let (token, expected): (_, &[u8]) = match job {
        "without token: 407" => (None, b"SIP/2.0 407 "),
        _ => (Some(token.as_str()), b"SIP/2.0 200 "),
    };
    for (device, cseq) in (0..DEVICES).cycle().zip(2..=times + 1) {
        decide(
            &registrar,
            &common::request(device, (0, cseq), token),
            now,
            &mut out,
        )?;
        assert!(out.starts_with(expected), "the right answer");
    }
    Ok(())
}

/// What is counted.
#[inline(never)]
fn decide(
    registrar: &Registrar,
    bytes: &[u8],
    now: SystemTime,
    out: &mut Vec<u8>,
) -> Result<(), Box<dyn Error>> {
    answer(registrar, black_box(bytes), now, out)
}

fn answer(
    registrar: &Registrar,
    bytes: &[u8],
    now: SystemTime,
    out: &mut Vec<u8>,
) -> Result<(), Box<dyn Error>> {
    let peer: SocketAddr = ([192, 0, 2, 10], 62162).into();
    let arrival = Arrival::new(Listener::SipOAuth, 5090, peer);
    let view = MessageView::parse(bytes, &Limits::default())?;
    let answer = registrar.handle(&arrival, &view, now, &mut Seeded::new(7));
    out.clear();
    answer.response.ok_or("no answer")?.encode(out);
    Ok(())
}

fn table() -> Result<(), Box<dyn Error>> {
    const TIMES: u64 = 100;
    println!("| decision | instructions |");
    println!("|---|--:|");
    for job in JOBS {
        let all = instructions_within(
            "registration_instructions::decide",
            &[job, &TIMES.to_string()],
        )?;
        println!("| {job} | {} |", all / TIMES);
    }
    Ok(())
}
