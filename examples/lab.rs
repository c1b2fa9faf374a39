//! The whole thing in one process: a client registers to a Unified CM with an access token, on premises and through
//! an Expressway-C; a user signs in for the token; and the four failures of the document happen for real.
//!
//! ```text
//! cargo run --release --example lab
//! cargo run --release --example lab -- --only mra
//! cargo run --release --example lab -- --format json > report.json
//! ```
//!
//! You will see one ladder per scenario: who sent what to whom, when, with the few header fields that matter, and under
//! each step one line that says whether it went as the document says. Everything on the ladder crossed a real socket on
//! loopback; TLS, tokens and certificates are real and were made on the spot. A token is never shown, only its length.
//!
//! The two minutes between registrations are skipped by moving the lab's clock; `--real-time` waits for them.
//! The exit status is 0 only if every step went as the document says.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use sip_oauth_lab::{
    ClockKind, Error, Lab, LabBuilder, Ladder, PortsKind, Report, Scenario, scenario,
};
use tracing_subscriber::EnvFilter;

/// A SIP OAuth cluster on loopback: registration on premises, sign-in, registration through the edge, and refusals.
#[derive(Debug, Parser)]
struct Arguments {
    /// How the run is told.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Only this part.
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Wait for every waiting time instead of skipping it (about six minutes).
    #[arg(long)]
    real_time: bool,
    /// Use 5060, 5061, 5090, 5091, 6970 and 8443 instead of free ports.
    #[arg(long)]
    product_ports: bool,
    /// Write the libraries' own log to standard error; RUST_LOG narrows it.
    #[arg(long)]
    trace: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A ladder for each scenario.
    Text,
    /// One JSON document, described in docs/lab-report.md.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The registration inside the network.
    OnPremises,
    /// The sign-in that its tokens come from.
    SignIn,
    /// The registration through an Expressway-C.
    Mra,
    /// The refusals, and what ends them.
    Failures,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.trace {
        let filter = EnvFilter::try_from_default_env()
            .unwrap_or_else(|_| EnvFilter::new("sip_oauth=debug,info"));
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(io::stderr)
            .init();
    }
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("lab: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what was asked for and says whether all of it went as the document says.
async fn run(arguments: &Arguments) -> Result<bool, Failure> {
    let mut lab = Lab::builder();
    if arguments.product_ports {
        lab = lab.product_ports();
    }
    if arguments.real_time {
        lab = lab.real_time();
    }
    let ladder = Ladder::new().colour(wants_colour());
    let mut scenarios: Vec<Scenario> = Vec::new();
    for part in [Part::OnPremises, Part::SignIn, Part::Mra, Part::Failures] {
        if arguments.only.is_some_and(|only| only != part) {
            continue;
        }
        for scenario in tell(part, &lab).await? {
            if arguments.format == Format::Text {
                // Each story as soon as it is over: with --real-time the next one takes minutes.
                write!(io::stdout(), "{}", ladder.scenario(&scenario))?;
            }
            scenarios.push(scenario);
        }
    }
    let clock = if arguments.real_time {
        ClockKind::Real
    } else {
        ClockKind::Compressed
    };
    let ports = if arguments.product_ports {
        PortsKind::Product
    } else {
        PortsKind::Free
    };
    let report = Report::new(clock, ports, scenarios);
    match arguments.format {
        Format::Text => write!(io::stdout(), "{}", ladder.summary(&report))?,
        Format::Json => writeln!(io::stdout(), "{}", report.to_json()?)?,
    }
    Ok(report.as_documented)
}

async fn tell(part: Part, lab: &LabBuilder) -> Result<Vec<Scenario>, Error> {
    match part {
        Part::OnPremises => Ok(vec![scenario::on_premises(lab).await?]),
        Part::SignIn => Ok(vec![scenario::sign_in(lab).await?]),
        Part::Mra => Ok(vec![scenario::mra(lab).await?]),
        Part::Failures => scenario::failures(lab).await,
    }
}

/// Colour only where a person looks and has not asked for none (<https://no-color.org>).
fn wants_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Why there is no report.
#[derive(Debug)]
enum Failure {
    Lab(Error),
    Output(io::Error),
    Json(serde_json::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lab(error) => error.fmt(f),
            Self::Output(error) => write!(f, "standard output: {error}"),
            Self::Json(error) => write!(f, "JSON: {error}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Lab(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}
