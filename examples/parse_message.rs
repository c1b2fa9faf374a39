//! Reads SIP messages from files and prints what they say, without a byte of any credential.
//!
//!     cargo run --example parse_message
//!     cargo run --example parse_message -- examples/data/407.sip examples/data/200.sip
//!
//! Without a file it reads a REGISTER, a 407, a 200 and a 403 from `examples/data`. For each message: the start line,
//! every header field (credentials as their length), the typed values that registration lives on, and whether a server
//! would have to refuse it. A file may hold several messages, as a stream does. The exit status is 1 when a file holds
//! something that is no SIP message.

// A program talks to a person.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sip_oauth::message::check::{self, Element};
use sip_oauth::message::header::{
    CSeq, Contact, Expires, ProxyAuthenticate, ProxyAuthorization, Reason, RetryAfter, Via,
    Warning, WwwAuthenticate,
};
use sip_oauth::message::{Frame, Framer, Limits, MessageView, ParseError, StartLine};

mod common;

/// Prints what SIP messages say.
#[derive(Parser)]
struct Arguments {
    /// Files of one message, or of several as on a stream.
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let mut files = Arguments::parse().files;
    if files.is_empty() {
        let data = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/data"));
        files = ["register.sip", "407.sip", "200.sip", "403.sip"]
            .map(|name| data.join(name))
            .into();
    }
    let mut failed = false;
    for file in &files {
        println!("{}", file.display());
        let outcome = common::read(file).and_then(|bytes| {
            messages(&bytes)
                .iter()
                .try_for_each(|message| print(message).map_err(|error| error.to_string()))
        });
        if let Err(problem) = outcome {
            eprintln!("  {problem}");
            failed = true;
        }
        println!();
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Cuts a file as a stream; a file that a stream would wait on is taken as one datagram.
fn messages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut framer = Framer::new(Limits::default());
    framer.feed(bytes);
    let mut messages = Vec::new();
    while let Ok(Some(frame)) = framer.next_frame() {
        if let Frame::Message(message) = frame {
            messages.push(message.to_vec());
        }
    }
    if messages.is_empty() {
        messages.push(bytes.to_vec());
    }
    messages
}

fn print(bytes: &[u8]) -> Result<(), ParseError> {
    let view = MessageView::parse(bytes, &Limits::default())?;
    match view.start_line() {
        StartLine::Request(line) => println!("  {} {}", line.method, line.uri),
        StartLine::Response(line) => println!("  {} {}", line.status, line.reason),
    }
    for field in view.fields() {
        // A field prints itself with its credentials, if it has any, as their length.
        println!("  | {field:?}");
    }
    println!("  | {} bytes of body", view.body().len());

    // Typed values are read when they are asked for, and only then checked.
    if let Some(cseq) = view.header::<CSeq<'_>>()? {
        println!(
            "  sequence number {} of method {}",
            cseq.number(),
            cseq.method()
        );
    }
    for via in view.all::<Via<'_>>() {
        let via = via?;
        println!(
            "  came through {} on port {}",
            via.host(),
            via.port().unwrap_or(5060)
        );
    }
    for contact in view.all::<Contact<'_>>() {
        println!("  contact {}", contact?);
    }
    if let Some(expires) = view.header::<Expires>()? {
        println!("  expires in {} s", expires.0);
    }
    if let Some(reason) = view.header::<Reason<'_>>()? {
        println!("  reason {reason}");
    }
    for warning in view.all::<Warning<'_>>() {
        println!("  warning: {}", warning?.text());
    }
    if let Some(retry_after) = view.header::<RetryAfter<'_>>()? {
        println!("  to be tried again after {} s", retry_after.seconds());
    }
    for challenge in view.all::<ProxyAuthenticate<'_>>() {
        println!("  challenged by a proxy: {}", challenge?);
    }
    for challenge in view.all::<WwwAuthenticate<'_>>() {
        println!("  challenged: {}", challenge?);
    }
    for credentials in view.all::<ProxyAuthorization<'_>>() {
        println!("  presents {:?}", credentials?);
    }
    if view.as_request().is_some()
        && let Err(refusal) = check::request(&view, &Element::SERVER)
    {
        println!("  a server answers {} {}", refusal.status, refusal.reason());
    }
    Ok(())
}
