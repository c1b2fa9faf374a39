//! Prints how many instructions a verdict on a token takes.
//!
//! ```sh
//! cargo run --profile bench -p sip-oauth-benches --example token_instructions
//! ```
//!
//! Needs valgrind. The program runs itself under callgrind, which counts within that call only: making
//! keys takes another number of instructions each time. Under valgrind the signature check is done with
//! narrower instructions than the machine has, so that it looks dearer than it is, and what is around it
//! does not.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, SystemTime};

use sip_oauth_benches::instructions_within;
use sip_oauth_token::issue::AuthorizationServer;
use sip_oauth_token::{Form, Policy, Verifier};

const UUID: &str = "5d0c7e2a-94b1-4f38-8a67-c1e3f0b2d495";
const AUDIENCE: &str = "sip:example.com";
const JOBS: [(&str, Form, bool); 5] = [
    ("Unified CM form", Form::UnifiedCm, false),
    ("Unified CM form, cached", Form::UnifiedCm, true),
    ("RFC 9068", Form::Jwt, false),
    ("RFC 9068, cached", Form::Jwt, true),
    ("nested", Form::Nested, false),
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
    let (_, form, is_cached) = JOBS
        .into_iter()
        .find(|(name, ..)| *name == job)
        .ok_or("no job of this name")?;
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let server = AuthorizationServer::new(UUID)?;
    let policy = match form {
        Form::UnifiedCm => server.policy(),
        _ => Policy::rfc9068(UUID, AUDIENCE).forms([form]),
    };
    let scopes = ["UnifiedCommunications:readwrite", "profile"];
    let issued = server.issue_access_for(form, AUDIENCE, "anna", "C0ffee", &scopes, now)?;
    let mut verifier = Verifier::new(server.key_set(), policy);
    if is_cached {
        verifier = verifier.with_cache(64);
    }
    for _ in 0..times {
        black_box(verifier.verify(black_box(issued.token.expose()), now)?);
    }
    Ok(())
}

fn table() -> Result<(), Box<dyn Error>> {
    const TIMES: u64 = 100;
    println!("| token | instructions |");
    println!("|---|--:|");
    for (job, ..) in JOBS {
        let function = "sip_oauth_token::verifier::Verifier::verify";
        let all = instructions_within(function, &[job, &TIMES.to_string()])?;
        println!("| {job} | {} |", all / TIMES);
    }
    Ok(())
}
