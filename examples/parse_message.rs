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
                .try_for_each(|message| print(message))
                .map_err(|error| format!("{}: {error}", file.display()))
        });
        if let Err(problem) = outcome {
            eprintln!("{problem}");
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

    // Typed values are read when they are asked for, and only then checked: one that breaks its grammar leaves the rest
    // of the message readable.
    tell(view.all::<CSeq<'_>>(), |cseq| {
        format!(
            "sequence number {} of method {}",
            cseq.number(),
            cseq.method()
        )
    });
    tell(view.all::<Via<'_>>(), |via| {
        format!("came through {}", via.host())
    });
    tell(view.all::<Contact<'_>>(), |contact| {
        format!("contact {contact}")
    });
    tell(view.all::<Expires>(), |expires| {
        format!("expires in {} s", expires.0)
    });
    tell(view.all::<Reason<'_>>(), |reason| {
        format!("reason {reason}")
    });
    tell(view.all::<Warning<'_>>(), |warning| {
        format!("warning: {}", warning.text())
    });
    tell(view.all::<RetryAfter<'_>>(), |retry| {
        format!("to be tried again after {} s", retry.seconds())
    });
    tell(view.all::<ProxyAuthenticate<'_>>(), |challenge| {
        format!("challenged by a proxy: {challenge}")
    });
    tell(view.all::<WwwAuthenticate<'_>>(), |challenge| {
        format!("challenged: {challenge}")
    });
    // Credentials print as their length; the token takes an explicit `expose()`.
    tell(view.all::<ProxyAuthorization<'_>>(), |credentials| {
        format!("presents {credentials:?}")
    });
    if view.as_request().is_some()
        && let Err(refusal) = check::request(&view, &Element::SERVER)
    {
        println!("  a server answers {} {}", refusal.status, refusal.reason());
    }
    Ok(())
}

/// Prints each value of a header, or what is wrong with it and where.
fn tell<H>(values: impl Iterator<Item = Result<H, ParseError>>, say: impl Fn(&H) -> String) {
    for value in values {
        match value {
            Ok(value) => println!("  {}", say(&value)),
            Err(error) => println!("  unreadable: {error}"),
        }
    }
}
