//! Prints how many instructions each of the two jobs takes on each message, and httparse for the
//! first of them on the same message in the shape of HTTP.
//!
//! ```sh
//! cargo run --profile bench -p sip-oauth-benches --example instructions
//! ```
//!
//! Needs valgrind. The program runs itself under callgrind, twice for each figure, and takes the
//! difference, so that what it does before and after the job is not counted. Instructions do not
//! wobble as times do; they still change with the compiler and its options.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

use std::error::Error;
use std::hint::black_box;

use sip_oauth_benches::{Message, head, http_head, instructions, shared, ten_headers};

const JOBS: [&str; 3] = ["httparse", "head", "ten headers"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => table(),
        [job, name, times] => work(job, name, times.parse()?),
        _ => Err("expected no arguments, or JOB NAME TIMES".into()),
    }
}

fn messages() -> Vec<Message> {
    let ours = Message::ours().into_iter().map(|(own, ..)| own);
    ours.chain(shared()).collect()
}

fn work(job: &str, name: &str, times: u32) -> Result<(), Box<dyn Error>> {
    let messages = messages();
    let message = messages.iter().find(|message| message.name == name);
    let message = message.ok_or("no message of this name")?;
    let twin = message.http_twin();
    for _ in 0..times {
        let bytes = black_box(message.bytes.as_slice());
        match job {
            "httparse" => {
                http_head(black_box(&twin))?;
            }
            "head" => head(bytes)?,
            _ => {
                black_box(&ten_headers(bytes)?);
            }
        }
    }
    Ok(())
}

fn table() -> Result<(), Box<dyn Error>> {
    println!("| message | bytes | {} |", JOBS.join(" | "));
    println!("|---|---|---|---|---|");
    for Message { name, bytes } in messages() {
        let once = |job| -> Result<u64, Box<dyn Error>> {
            let times = |times| instructions(&[job, name.as_str(), times]);
            let thousand = times("2000")? - times("1000")?;
            Ok(thousand / 1000)
        };
        let [http, head, ten] = JOBS.map(once);
        println!(
            "| {name} | {} | {} | {} | {} |",
            bytes.len(),
            http?,
            head?,
            ten?
        );
    }
    Ok(())
}
