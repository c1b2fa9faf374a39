//! Reads device configuration files and says where each leads: which node and port a client tries, on premises
//! and over Mobile and Remote Access, and what in the file contradicts SIP OAuth mode.
//!
//!     cargo run --example read_config
//!     cargo run --example read_config -- --format json examples/data/CSFrado.cnf.xml
//!     cargo run --example read_config -- http://cucm1.example.com:6970/CSFrado.cnf.xml
//!     cargo run --example read_config -- --trust tomcat-ca.pem https://cucm1.example.com:6972/CSFrado.cnf.xml
//!
//! Without a file it reads the one beside this program. The exit status is 0 when every file could be read as a
//! device configuration and led somewhere from either place, 1 otherwise.

// A program talks to a person.
#![allow(clippy::print_stdout)]

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use serde_json::json;
use sip_oauth::csf::{
    Authentication, ConnectedBy, DeviceConfig, DeviceName, Finding, Limits, Line, Place,
    RegistrationTarget, TargetError, Transport,
};

mod common;

/// Reads device configuration files and says which node and port each leads to.
#[derive(Parser)]
struct Arguments {
    /// Files, or http:// or, with --trust, https:// URLs.
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/CSFrado.cnf.xml"))]
    files: Vec<String>,
    /// Text for a person, or one JSON document.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Who signs the certificates of https:// servers, PEM.
    #[arg(long)]
    trust: Option<PathBuf>,
    /// An address for a name, as name=address; others are looked up as usual.
    #[arg(long, value_parser = common::name_and_address)]
    resolve: Vec<(String, IpAddr)>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut failed = false;
    let mut reports = Vec::new();
    for file in &arguments.files {
        match read(file, &arguments).await {
            Ok(config) => {
                let [on_premises, mra] =
                    [Place::OnPremises, Place::Mra].map(|place| config.registration_targets(place));
                failed |= on_premises.is_err() || mra.is_err();
                match arguments.format {
                    Format::Text => print_report(file, &config, &on_premises, &mra),
                    Format::Json => reports.push(report(file, &config, &on_premises, &mra)),
                }
            }
            Err(problem) => {
                failed = true;
                match arguments.format {
                    Format::Text => eprintln!("{problem}\n"),
                    Format::Json => reports.push(json!({ "file": file, "error": problem })),
                }
            }
        }
    }
    if let Format::Json = arguments.format {
        println!(
            "{:#}",
            json!({ "schema": "sip-oauth-read-config/1", "files": reports })
        );
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Fetches or opens a file and reads it; the problem is one sentence that names the file.
async fn read(file: &str, arguments: &Arguments) -> Result<DeviceConfig, String> {
    let connector = common::connector(&arguments.resolve);
    let connector = match &arguments.trust {
        Some(trust) => common::with_trust(connector, trust)?,
        None if file.starts_with("https://") => {
            return Err(format!(
                "{file}: --trust must name who signs its certificate"
            ));
        }
        None => connector,
    };
    let bytes = common::file_or_url(file, connector).await?;
    DeviceConfig::read(&bytes, &Limits::default()).map_err(|error| format!("{file}: {error}"))
}

type Targets = Result<Vec<RegistrationTarget>, TargetError>;

fn print_report(file: &str, config: &DeviceConfig, on_premises: &Targets, mra: &Targets) {
    println!("{file}");
    println!("  {}", describe(file, config));
    print_targets("On premises", on_premises);
    print_targets("Over Mobile and Remote Access", mra);
    let findings = common::findings(file, config);
    if findings.is_empty() {
        println!("  Nothing in the file contradicts registering.");
    }
    for Finding {
        severity,
        position,
        what,
        why,
        fix,
        ..
    } in &findings
    {
        println!("  {severity}: {position}: {what}");
        println!("      {why} {fix}");
    }
    println!();
}

/// What kind of device, and how it is secured, in one line.
fn describe(file: &str, config: &DeviceConfig) -> String {
    let device = DeviceName::from_file_name(file)
        .map_or_else(|_| "a device".to_owned(), |name| name.to_string());
    let mode = value_or_problem(config.sip_oauth_mode().map(|mode| mode.value));
    let security = value_or_problem(config.device_security_mode().map(|mode| mode.value));
    let lines: Vec<_> = config
        .lines()
        .filter_map(Line::name)
        .map(|name| name.value.into_owned())
        .filter(|name| !name.is_empty())
        .collect();
    format!(
        "{device}: SIP OAuth mode {mode}, device security mode {security}, lines {}",
        if lines.is_empty() {
            "none".to_owned()
        } else {
            lines.join(", ")
        }
    )
}

fn value_or_problem<T: std::fmt::Debug>(value: Result<T, impl std::fmt::Display>) -> String {
    value.map_or_else(
        |problem| format!("unreadable ({problem})"),
        |value| format!("{value:?}"),
    )
}

fn print_targets(place: &str, targets: &Targets) {
    match targets {
        Err(problem) => println!("  {place}: nowhere: {problem}"),
        Ok(targets) => {
            println!("  {place} the device tries");
            for (index, target) in targets.iter().enumerate() {
                println!("    {}. {}", index + 1, sentence(target));
            }
        }
    }
}

/// A target in words.
fn sentence(target: &RegistrationTarget) -> String {
    let transport = match target.transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
        Transport::TcpOrUdp => "TCP or UDP",
        Transport::Tls => "TLS",
        Transport::MutualTls => "mutual TLS",
    };
    let authentication = match target.authentication {
        Authentication::Bearer => "an access token",
        Authentication::Certificate => "its certificate",
        Authentication::DeviceName => "its device name",
        _ => "what this program does not know",
    };
    let node = target.host_and_port();
    let way = match target.connected_by {
        ConnectedBy::Client => format!("{transport} to {node}"),
        ConnectedBy::ExpresswayC => format!(
            "TLS to its Expressway-E (port {}), whose Expressway-C opens {transport} to {node}",
            target.client_port
        ),
    };
    let identity = match &target.server_identity {
        Some(identity) => format!("; the certificate must name {identity}"),
        None => String::new(),
    };
    format!("{way}, registering with {authentication}{identity}")
}

fn report(
    file: &str,
    config: &DeviceConfig,
    on_premises: &Targets,
    mra: &Targets,
) -> serde_json::Value {
    json!({
        "file": file,
        "summary": describe(file, config),
        "on_premises": targets_json(on_premises),
        "mra": targets_json(mra),
        "findings": common::findings(file, config),
    })
}

fn targets_json(targets: &Targets) -> serde_json::Value {
    match targets {
        Err(problem) => json!({ "error": problem.to_string() }),
        Ok(targets) => json!(targets),
    }
}
