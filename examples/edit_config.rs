//! Changes the SIP OAuth port of one node in a device configuration file and prints the difference: the bytes of the
//! port, and no others. The file itself is left alone unless `--output` says where the changed one goes.
//!
//!     cargo run --example edit_config
//!     cargo run --example edit_config -- --node ucm-pub.example.com --port 5999
//!     cargo run --example edit_config -- --mra --port 5991 --output target/CSFrado.cnf.xml examples/data/CSFrado.cnf.xml
//!
//! Without a file it takes the one beside this program. The exit status is 0 when the file was changed, 1 otherwise.

// A program talks to a person.
#![allow(clippy::print_stdout)]

use std::error::Error as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sip_oauth::csf::{DeviceConfig, Edit, Limits, Place, Span};

mod common;

/// Changes the SIP OAuth port of one node and prints the difference.
#[derive(Parser)]
struct Arguments {
    /// The device configuration file.
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/CSFrado.cnf.xml"))]
    file: PathBuf,
    /// The node, by the host it is reached at; the first of the file by default.
    #[arg(long)]
    node: Option<String>,
    /// The new port.
    #[arg(long, default_value_t = 5190, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// The port of Mobile and Remote Access instead of the one on premises.
    #[arg(long)]
    mra: bool,
    /// Where to write the changed file.
    #[arg(long)]
    output: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let name = arguments.file.display();
    let problem = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    let before = common::read(&arguments.file)?;
    let old = DeviceConfig::read(&before, &Limits::default()).map_err(|error| problem(&error))?;
    let mut config = old.clone();
    let node = find_node(&config, arguments.node.as_deref()).map_err(|error| problem(&error))?;

    // Nothing but the digits of the port is written; comments, spacing and line ends are those of the file.
    let edit = if arguments.mra {
        config.set_sip_mra_oauth_port(node, arguments.port)
    } else {
        config.set_sip_oauth_port(node, arguments.port)
    }
    .map_err(|error| match error.source() {
        Some(source) => format!("{name}: {error}: {source}"),
        None => problem(&error),
    })?;

    print_difference(&name.to_string(), &old, &config, edit);
    print_consequences(&name.to_string(), &config, arguments.mra);
    if let Some(output) = &arguments.output {
        std::fs::write(output, config.source())
            .map_err(|error| format!("{}: cannot be written: {error}", output.display()))?;
        println!("written to {}", output.display());
    }
    Ok(())
}

/// The place of a node among the members of the file.
fn find_node(config: &DeviceConfig, host: Option<&str>) -> Result<usize, String> {
    let hosts: Vec<_> = config
        .members()
        .map(|node| {
            node.process_node_name()
                .map_or_else(String::new, |host| host.value.into_owned())
        })
        .collect();
    match host {
        _ if hosts.is_empty() => Err("the file names no node".to_owned()),
        None => Ok(0),
        Some(host) => hosts
            .iter()
            .position(|known| known.eq_ignore_ascii_case(host))
            .ok_or_else(|| format!("there is no node {host}, only {}", hosts.join(", "))),
    }
}

/// Unchanged lines shown on either side of a change.
const CONTEXT: usize = 3;

/// Characters of a line shown on either side of a change, or of one without a change. A file may be one line.
const WIDTH: usize = 80;

/// The lines around the edit as `diff -u` shows them, passwords blanked.
fn print_difference(name: &str, old: &DeviceConfig, config: &DeviceConfig, edit: Edit) {
    if old.source() == config.source() {
        println!("{name} has that port already; not one byte changes.");
        return;
    }
    println!("--- {name}\n+++ {name}");
    let encoding = config.document().encoding();
    if encoding.starts_with("UTF-16") {
        // A terminal would show it as letters with nothing in between.
        println!(
            "{} bytes at byte {}, {encoding}",
            edit.inserted.len(),
            edit.inserted.start
        );
        return;
    }
    let (old_lines, old) = lines(&without_secrets(old), edit.replaced);
    let (new_lines, new) = lines(&without_secrets(config), edit.inserted);
    let first = old.start.saturating_sub(CONTEXT);
    let last = |lines: &[String], changed: usize| (changed + CONTEXT).min(lines.len());
    let (old_end, new_end) = (last(&old_lines, old.end), last(&new_lines, new.end));
    println!(
        "@@ -{},{} +{},{} @@",
        first + 1,
        old_end - first,
        first + 1,
        new_end - first
    );
    let show = |sign: char, lines: &[String], range: std::ops::Range<usize>| {
        for line in lines.get(range).unwrap_or_default() {
            println!("{sign}{line}");
        }
    };
    show(' ', &old_lines, first..old.start);
    show('-', &old_lines, old.start..old.end);
    show('+', &new_lines, new.start..new.end);
    show(' ', &old_lines, old.end..old_end);
}

/// A byte that no XML file has.
const BLANK: u8 = 0;

/// The bytes of a file, those of passwords blanked one by one so that the places of the others stay.
fn without_secrets(config: &DeviceConfig) -> Vec<u8> {
    let mut bytes = config.source().to_vec();
    let mut elements = vec![config.root()];
    while let Some(element) = elements.pop() {
        let holds_secret = is_secret(element.name());
        if holds_secret {
            blank(&mut bytes, element.content_span());
        } else {
            elements.extend(element.children());
        }
        for attribute in element.attributes() {
            if holds_secret || is_secret(attribute.name()) {
                blank(&mut bytes, attribute.span());
            }
        }
    }
    // An element that was commented out is still there to be read.
    let mut from = 0;
    while let Some(start) = find(&bytes, b"<!--", from) {
        let end = find(&bytes, b"-->", start + 4).unwrap_or(bytes.len());
        let comment = Span {
            start: start + 4,
            end,
        };
        let text = bytes.get(comment.range()).unwrap_or_default();
        if is_secret(&String::from_utf8_lossy(text)) {
            blank(&mut bytes, comment);
        }
        from = end;
    }
    bytes
}

/// Whether what has this name, or a comment with this text, may hold a password.
fn is_secret(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["password", "passphrase", "secret"]
        .iter()
        .any(|word| text.contains(word))
}

fn blank(bytes: &mut [u8], span: Span) {
    for byte in bytes.get_mut(span.range()).into_iter().flatten() {
        if *byte != b'\n' {
            *byte = BLANK;
        }
    }
}

fn find(bytes: &[u8], what: &[u8], from: usize) -> Option<usize> {
    let mut windows = bytes.get(from..)?.windows(what.len());
    Some(from + windows.position(|window| window == what)?)
}

/// The lines of a file as they are shown, and which of them a span touches.
fn lines(bytes: &[u8], span: Span) -> (Vec<String>, std::ops::Range<usize>) {
    let line_of = |at: usize| bytes.iter().take(at).filter(|&&byte| byte == b'\n').count();
    let mut start = 0;
    let mut lines = Vec::new();
    for line in bytes.split(|&byte| byte == b'\n') {
        let end = start + line.len();
        let touched = span.start <= end && start <= span.end;
        let around = if touched {
            span.start.saturating_sub(start)..span.end.min(end) - start
        } else {
            0..0
        };
        lines.push(shown(line, around));
        start = end + 1;
    }
    if bytes.ends_with(b"\n") {
        lines.pop();
    }
    (lines, line_of(span.start)..line_of(span.end) + 1)
}

/// What is shown of a line: the part around some of its bytes, and no blanked byte.
fn shown(line: &[u8], around: std::ops::Range<usize>) -> String {
    let start = around.start.saturating_sub(WIDTH);
    let end = line.len().min(around.end.saturating_add(WIDTH));
    let part = line.get(start..end).unwrap_or_default();
    let mut text = String::from_utf8_lossy(part)
        .trim_end_matches('\r')
        .to_owned();
    while text.contains("\0\0") {
        text = text.replace("\0\0", "\0");
    }
    let text = text.replace(char::from(BLANK), "***");
    let [before, behind] = [start > 0, end < line.len()].map(|cut| if cut { "…" } else { "" });
    format!("{before}{text}{behind}")
}

/// Where the changed file leads, and what is wrong with it.
fn print_consequences(name: &str, config: &DeviceConfig, mra: bool) {
    let place = if mra { Place::Mra } else { Place::OnPremises };
    match config.registration_targets(place) {
        Ok(targets) => {
            for target in targets {
                println!("{} is reached at {}", target.node, target.host_and_port());
            }
        }
        Err(problem) => println!("the file leads nowhere: {problem}"),
    }
    for finding in common::findings(name, config) {
        println!("{finding}");
    }
}
