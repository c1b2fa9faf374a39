//! A registrar in SIP OAuth mode on this machine: the two listeners, TLS and mutual TLS, set up by a TOML file.
//!
//! Terminal one makes a folder with everything a node needs (certificates, keys, a device, its token) and serves it:
//!
//!     cargo run --example registrar -- --init target/node
//!     cargo run --example registrar -- target/node/registrar.toml
//!
//! Terminal two registers the device (see `register.rs`):
//!
//!     cargo run --example register -- --config target/node/CSFrado.cnf.xml --token target/node/token.txt \
//!         --trust target/node/tomcat-ca.pem --resolve ucm-pub.example.com=127.0.0.1 --seconds 3
//!
//! Terminal one prints one line for each decision: who, where from, what was answered and why. Ctrl-C stops it after
//! answering what has arrived. A wrong setup gives one sentence and exit status 1.

// A program talks to a person.
#![allow(clippy::print_stdout)]

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use clap::Parser;
use serde::{Deserialize, Serialize};
use sip_oauth::csf::{DeviceFile, LineSettings, Member};
use sip_oauth::registration::registrar::{
    Cluster, Database, DeviceLine, DeviceRecord, ExpresswayRow, Listener, Node, NodePorts,
    Observation, Registrar, RegistrarConfig, SecurityProfile, SipOAuthMode,
};
use sip_oauth::token::{ContentEncryption, EncryptionKey, KeySet, Policy, Verifier};
use sip_oauth::tokio::{ConnectionChange, ConnectionEvent, Ends, Observer, RegistrarServer};
use sip_oauth::trust::{
    AllowedNames, AllowedRow, CertifiedIdentity, LiveAllowedNames, ServerCertificate,
    ServerConfigs, default_provider,
};
use sip_oauth_lab::CertificateAuthority;
use sip_oauth_token::issue::AuthorizationServer;

mod common;

/// Serves SIP registrations with access tokens.
#[derive(Parser)]
struct Arguments {
    /// The setup, as `--init` writes it.
    #[arg(default_value = "registrar.toml")]
    setup: PathBuf,
    /// Makes a folder with a setup, certificates, keys, a device file and an access token, and ends.
    #[arg(long, value_name = "FOLDER")]
    init: Option<PathBuf>,
}

/// The TOML file. Paths are relative to it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setup {
    /// The node's name: host of requests to it, agent of its warnings, name in its certificate.
    node: String,
    /// The address to listen on.
    address: IpAddr,
    /// SIP Phone OAuth Port: TLS.
    sip_oauth_port: u16,
    /// SIP Mobile and Remote Access Port: mutual TLS.
    sip_mra_oauth_port: u16,
    certificates: Certificates,
    tokens: Tokens,
    #[serde(default)]
    devices: Vec<Device>,
    #[serde(default)]
    expressways: Vec<Expressway>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Certificates {
    /// The Tomcat certificate with its chain, PEM.
    tomcat: PathBuf,
    /// Its key, PEM.
    tomcat_key: PathBuf,
    /// Tomcat-trust: who may sign an Expressway-C's certificate, PEM.
    tomcat_trust: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    /// The authorization server's UUID, the first half of each key id.
    issuer: String,
    /// Its public signing key, PEM.
    signing_key: PathBuf,
    /// Its encryption key: 64 hexadecimal digits.
    encryption_key: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Device {
    name: String,
    owner: String,
    lines: Vec<String>,
}

/// A row of `expresswaycconfiguration`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expressway {
    host_name_or_ip: String,
    names: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.init {
        Some(folder) => init(folder).map_err(|error| error.to_string()),
        None => serve(&arguments.setup).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(path: &Path) -> Result<(), String> {
    let setup: Setup = toml::from_str(&common::read_text(path)?)
        .map_err(|error| format!("{}: {}", path.display(), error.message()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let one_sentence = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());

    // What the administrator configured. Enabling the mode opens the ports at the next restart, as in the product.
    let ports = NodePorts::oauth(setup.sip_oauth_port, setup.sip_mra_oauth_port)
        .map_err(|error| one_sentence(&error))?;
    let cluster = cluster(&setup, ports).map_err(|error| one_sentence(&error))?;

    // Who may present which token.
    let verifier = verifier(&setup.tokens, folder)?;
    let registrar = Arc::new(Registrar::new(
        RegistrarConfig::unified_cm(&setup.node),
        Database::new(cluster),
        Arc::new(verifier),
    ));

    // What is shown to peers, and who is let in on the mutual-TLS port.
    let provider = default_provider().map_err(|error| error.to_string())?;
    let certificates = &setup.certificates;
    let tomcat = CertifiedIdentity::from_pem(
        &common::read(&folder.join(&certificates.tomcat))?,
        &common::read(&folder.join(&certificates.tomcat_key))?,
        &provider,
    )
    .map_err(|error| format!("{}: {error}", certificates.tomcat.display()))?;
    tomcat
        .check_validity(SystemTime::now())
        .map_err(|error| format!("{}: {error}", certificates.tomcat.display()))?;
    let trust = common::read_trust("Tomcat-trust", &folder.join(&certificates.tomcat_trust))?;
    let rows = setup
        .expressways
        .iter()
        .map(|row| AllowedRow::new(&row.host_name_or_ip, "", &row.names));
    let allowed = Arc::new(LiveAllowedNames::new(AllowedNames::new(rows)));
    let certificate = Arc::new(ServerCertificate::new(tomcat));
    let tls = ServerConfigs::new(certificate, trust, allowed, provider, None)
        .map_err(|error| error.to_string())?;

    let at = |port| SocketAddr::new(setup.address, port);
    let server = RegistrarServer::builder(registrar, Arc::new(tls))
        .listen(Listener::SipOAuth, at(setup.sip_oauth_port))
        .listen(Listener::SipMraOAuth, at(setup.sip_mra_oauth_port))
        .observer(Arc::new(Printer))
        .start()
        .await
        .map_err(|error| format!("{}: {error}", path.display()))?;
    println!(
        "{} listens: TLS on {}, mutual TLS on {}",
        setup.node, setup.sip_oauth_port, setup.sip_mra_oauth_port
    );
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| error.to_string())?;
    println!("stopping");
    server.shutdown().await;
    Ok(())
}

fn cluster(
    setup: &Setup,
    ports: NodePorts,
) -> Result<Cluster, sip_oauth::registration::registrar::ClusterError> {
    let mut cluster = Cluster::new();
    cluster.add_node(Node::new(&setup.node, ports))?;
    cluster.set_refresh_login_flow(true);
    cluster.set_sip_oauth_mode(SipOAuthMode::Enabled)?;
    cluster.restart(&setup.node)?;
    cluster.put_profile(SecurityProfile::oauth("OAuth"))?;
    for device in &setup.devices {
        let lines = device.lines.iter().map(|line| DeviceLine::new(line));
        cluster.put_device(DeviceRecord::csf(
            &device.name,
            "OAuth",
            &device.owner,
            lines,
        ))?;
    }
    for row in &setup.expressways {
        cluster.put_expressway_row(ExpresswayRow {
            host_name_or_ip: row.host_name_or_ip.clone(),
            description: None,
            names: Some(row.names.clone()),
        });
    }
    Ok(cluster)
}

fn verifier(tokens: &Tokens, folder: &Path) -> Result<Verifier, String> {
    let signing = common::read_text(&folder.join(&tokens.signing_key))?;
    let hex = common::read_text(&folder.join(&tokens.encryption_key))?;
    let encryption = EncryptionKey::from_hex(ContentEncryption::A128CbcHs256, hex.trim_end())
        .map_err(|error| format!("{}: {error}", tokens.encryption_key.display()))?;
    let keys = KeySet::builder()
        .unified_cm(&tokens.issuer, &signing, encryption)
        .map_err(|error| format!("{}: {error}", tokens.signing_key.display()))?
        .build();
    Ok(Verifier::new(keys, Policy::unified_cm(&tokens.issuer)).with_cache(10_000))
}

/// One line for each decision and each refused connection.
struct Printer;

impl Observer for Printer {
    fn decision(&self, ends: Ends, observation: &Observation) {
        println!("{} {observation}", ends.peer);
    }

    fn connection(&self, event: &ConnectionEvent<'_>) {
        if let ConnectionChange::Refused(explanation) = event.change {
            println!("{} {explanation}", event.peer);
        }
    }
}

/// Makes everything that `serve` reads and a device needs.
fn init(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let node = "ucm-pub.example.com";
    let authority = CertificateAuthority::new("Example Tomcat CA")?;
    let tomcat = authority.issue(node, &[node])?;
    let edge = authority.issue("expc.example.com", &["expc.example.com"])?;
    let tokens = AuthorizationServer::new("7b2e9d14-3c5f-4a68-8e90-6f5e4d3c2b1a")?;
    let token = tokens
        .issue_access("rado", "Cexample", &[], SystemTime::now())?
        .token;
    let device = DeviceFile::builder("CSFrado".parse()?, "7b2e9d14-3c5f-4a68-8e90-1d2c3b4a5f6e")
        .node(Member::new(node))
        .line(LineSettings::new("1010"))
        .sip_oauth();
    let setup = Setup {
        node: node.to_owned(),
        address: IpAddr::from([127, 0, 0, 1]),
        sip_oauth_port: 5090,
        sip_mra_oauth_port: 5091,
        certificates: Certificates {
            tomcat: "tomcat.pem".into(),
            tomcat_key: "tomcat-key.pem".into(),
            tomcat_trust: "tomcat-ca.pem".into(),
        },
        tokens: Tokens {
            issuer: tokens.uuid().to_owned(),
            signing_key: "authz-signing.pem".into(),
            encryption_key: "authz-encryption.hex".into(),
        },
        devices: vec![Device {
            name: "CSFrado".into(),
            owner: "rado".into(),
            lines: vec!["1010".into()],
        }],
        expressways: vec![Expressway {
            host_name_or_ip: "expc.example.com".into(),
            names: "expc.example.com".into(),
        }],
    };

    fs::create_dir_all(folder)?;
    let files = [
        ("registrar.toml", toml::to_string_pretty(&setup)?),
        ("tomcat-ca.pem", authority.certificate_pem()),
        ("tomcat.pem", tomcat.chain_pem().to_owned()),
        ("tomcat-key.pem", tomcat.key_pem().to_owned()),
        ("expressway-c.pem", edge.chain_pem().to_owned()),
        ("expressway-c-key.pem", edge.key_pem().to_owned()),
        ("authz-signing.pem", tokens.signing_key_pem().to_owned()),
        (
            "authz-encryption.hex",
            tokens.encryption_key().to_hex().to_string(),
        ),
        ("CSFrado.cnf.xml", device.to_xml()?),
        ("token.txt", format!("{}\n", token.expose())),
    ];
    for (name, content) in &files {
        fs::write(folder.join(name), content)?;
        println!("{}", folder.join(name).display());
    }
    println!(
        "serve it: cargo run --example registrar -- {}",
        folder.join("registrar.toml").display()
    );
    Ok(())
}
