//! Opens tokens as far as they can be opened without their keys: form, key ids, sizes, and the claims that are readable.
//!
//!     cargo run --example inspect_token
//!     cargo run --example inspect_token -- token.txt
//!
//! Without a file it issues an access and a refresh token of Unified CM's form on the spot and opens those. A Unified CM
//! access token hides its claims, so there is not even an expiry to read: a client has to remember the `expires_in` it was
//! told. The token itself is never printed. The exit status is 1 when a file holds no token.

// A program talks to a person.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser;
use sip_oauth::token::inspect;
use sip_oauth_token::issue::{AuthorizationServer, IssueError};

mod common;

/// Opens tokens as far as possible without their keys.
#[derive(Parser)]
struct Arguments {
    /// Files of one token each.
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let mut failed = false;
    for (name, text) in tokens(&Arguments::parse().files) {
        println!("{name}");
        match text.and_then(|text| inspect(&text).map_err(|error| format!("{name}: {error}"))) {
            Ok(inspection) => {
                println!("{inspection}");
                if inspection.is_expired(SystemTime::now()) == Some(true) {
                    println!("it has expired");
                }
            }
            Err(problem) => {
                eprintln!("{problem}");
                failed = true;
            }
        }
        println!();
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// A name, and the text of a token or why there is none.
type Named = (String, Result<String, String>);

/// The tokens of the files, or two made on the spot.
fn tokens(files: &[PathBuf]) -> Vec<Named> {
    if files.is_empty() {
        return issued()
            .unwrap_or_else(|error| vec![("made on the spot".into(), Err(error.to_string()))]);
    }
    let read = |file: &PathBuf| common::read_token(file).map(|token| token.expose().to_owned());
    files
        .iter()
        .map(|file| (file.display().to_string(), read(file)))
        .collect()
}

fn issued() -> Result<Vec<Named>, IssueError> {
    let now = SystemTime::now();
    let mut server = AuthorizationServer::new("7b2e9d14-3c5f-4a68-8e90-6f5e4d3c2b1a")?;
    let access = server.issue_access("rado", "Cexample", &[], now)?.token;
    let (refresh, _) = server.issue_refresh("rado", "Cexample", &[], now)?;
    Ok(vec![
        (
            "an access token made on the spot".into(),
            Ok(access.expose().to_owned()),
        ),
        (
            "a refresh token made on the spot".into(),
            Ok(refresh.expose().to_owned()),
        ),
    ])
}
