//! Registers a device with an access token: at a Unified CM, at the registrar of `registrar.rs`, at any registrar that
//! takes Bearer tokens.
//!
//!     cargo run --example register -- --config target/node/CSFrado.cnf.xml --token target/node/token.txt \
//!         --trust target/node/tomcat-ca.pem --resolve ucm-pub.example.com=127.0.0.1 --seconds 3
//!
//! (`cargo run --example registrar -- --init target/node` makes those files; its header shows the rest.)
//!
//! The configuration is a file or the node's `http://…:6970/<device>.cnf.xml` or `https://…:6972/…`. On premises the node and port come from
//! it; with `--place mra --edge expe.example.com:5061` the device goes through an edge. The token's file is read again when
//! the registrar refuses the token, so another program may keep it fresh. What happens is printed as it happens: registered
//! for how long, refreshed, refused and why. After `--seconds`, or at Ctrl-C, the device deregisters. The exit status is 0
//! when it was registered and deregistered, 1 otherwise.

// A program talks to a person.
#![allow(clippy::print_stdout)]

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use sip_oauth::csf::{DeviceConfig, DeviceName, Limits};
use sip_oauth::registration::client::{Event, Instance};
use sip_oauth::tokio::{ClientEvent, TokenFile};
use sip_oauth::{Account, Edge};

mod common;

/// Registers a device with an access token.
#[derive(Parser)]
struct Arguments {
    /// The device's configuration: a file named <device>.cnf.xml, or a URL that ends so.
    #[arg(long)]
    config: String,
    /// A file of one line, the access token; read again when a token is wanted.
    #[arg(long)]
    token: PathBuf,
    /// Whom to trust, PEM: the signer of Tomcat's certificate, or of the edge's over MRA.
    #[arg(long)]
    trust: PathBuf,
    /// Where the device is.
    #[arg(long, value_enum, default_value_t = Place::OnPremises)]
    place: Place,
    /// The edge to go through with `--place mra`, as host:port.
    #[arg(long, required_if_eq("place", "mra"), value_parser = edge)]
    edge: Option<Edge>,
    /// Twelve hexadecimal digits that stay the same for this installation.
    #[arg(long, default_value = "02:00:00:00:00:01")]
    instance: String,
    /// An address for a name, as name=address; others are looked up as usual.
    #[arg(long, value_parser = common::name_and_address)]
    resolve: Vec<(String, IpAddr)>,
    /// How long to stay registered; until Ctrl-C without it.
    #[arg(long)]
    seconds: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Place {
    OnPremises,
    Mra,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match account(&arguments).await {
        Ok(account) => run(account, arguments.seconds).await,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Joins configuration, trust, token and place.
async fn account(arguments: &Arguments) -> Result<Account, String> {
    let connector = common::connector(&arguments.resolve);
    let fetching = common::with_trust(connector.clone(), &arguments.trust)?;
    let bytes = common::file_or_url(&arguments.config, fetching).await?;
    let in_config = |error: &dyn std::fmt::Display| format!("{}: {error}", arguments.config);
    let name = DeviceName::from_file_name(&arguments.config).map_err(|error| in_config(&error))?;
    let file = DeviceConfig::read(&bytes, &Limits::default()).map_err(|error| in_config(&error))?;
    let trust = common::read_trust("of --trust", &arguments.trust)?;
    // Whether there is one is said before anything is connected; the client reads the file itself.
    common::read_token(&arguments.token)?;
    let instance = Instance::new(&arguments.instance).map_err(|error| error.to_string())?;

    let steps = Account::of(&name, instance, &file).connector(connector);
    let steps = match (arguments.place, &arguments.edge) {
        (Place::Mra, Some(edge)) => steps.through_edge(edge.clone()),
        _ => steps.on_premises(),
    };
    steps
        .trusting(trust)
        .with_tokens(Arc::new(TokenFile::new(&arguments.token)))
        .map_err(|error| in_config(&error))
}

/// Registers, tells what happens, and deregisters in the end.
async fn run(account: Account, seconds: Option<u64>) -> ExitCode {
    let (handle, mut events) = account.register();
    let stay = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(stay);
    let mut registered = false;
    let mut stopping = false;
    loop {
        tokio::select! {
            () = &mut stay, if !stopping => {
                stopping = true;
                handle.stop();
            }
            _ = tokio::signal::ctrl_c(), if !stopping => {
                stopping = true;
                handle.stop();
            }
            event = events.recv() => match event {
                None => break,
                Some(event) => match tell(&event) {
                    Told::Registered => registered = true,
                    Told::Failed => {
                        registered = false;
                        handle.stop();
                    }
                    Told::Unconfirmed => {
                        if registered {
                            eprintln!("the registrar did not answer the deregistration");
                        }
                        registered = false;
                    }
                    Told::Other => {}
                },
            }
        }
    }
    if registered {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

enum Told {
    Registered,
    Failed,
    /// Deregistered as far as this side can tell.
    Unconfirmed,
    Other,
}

/// Prints one event as a sentence.
fn tell(event: &ClientEvent) -> Told {
    match event {
        ClientEvent::Registration(Event::Registered(grant)) => {
            println!(
                "registered at {} for {} s",
                grant.node,
                grant.granted.as_secs()
            );
            return Told::Registered;
        }
        ClientEvent::Registration(Event::Refreshed(grant)) => {
            println!(
                "refreshed at {} for {} s",
                grant.node,
                grant.granted.as_secs()
            );
        }
        ClientEvent::Registration(Event::Deregistered { confirmed }) => {
            if !confirmed {
                return Told::Unconfirmed;
            }
            println!("deregistered");
        }
        ClientEvent::Registration(Event::Refused(refused)) => {
            let warning = refused.warning.as_deref().unwrap_or("no warning");
            eprintln!(
                "{} refused: {} {} ({warning})",
                refused.node, refused.status, refused.reason
            );
            if let Some(entry) = refused.entry() {
                eprintln!("  {}", entry.sentence);
            }
            return Told::Failed;
        }
        ClientEvent::Registration(Event::AllNodesFailed { .. }) => {
            eprintln!("no node is left to try");
            return Told::Failed;
        }
        // The failure says who refused whom and what to change, where it was TLS.
        ClientEvent::Connection { failure, .. } => eprintln!("{failure}"),
        ClientEvent::TokenUnavailable(why) => {
            eprintln!("{why}");
            return Told::Failed;
        }
        other => println!("{other:?}"),
    }
    Told::Other
}

fn edge(text: &str) -> Result<Edge, String> {
    let (host, port) = text.rsplit_once(':').ok_or("expected host:port")?;
    let port = port
        .parse()
        .map_err(|_| "expected a port number after the colon")?;
    Ok(Edge::new(host).port(port))
}
