//! Our registrar as a process.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use sip_oauth_registration::registrar::{Listener, NodePorts};
use sip_oauth_tokio::{RegistrarServer, Timeouts};
use sip_oauth_trust::{
    AllowedNames, AllowedRow, CertifiedIdentity, LiveAllowedNames, LiveTrustStore,
    ServerCertificate, ServerConfigs, Source, TrustStore, default_provider,
};

use super::Outcome;
use super::common::registrar;
use super::material::Folder;
use super::process::{Server, Watched, free};

/// How many devices it knows.
pub(crate) const DEVICES: usize = 10_000;

/// Its standard error, in the folder.
pub(crate) const LOG: &str = "ours.log";

const PORTS: (u16, u16) = (15_090, 15_091);

/// Where it listens: TLS, and mutual TLS.
pub(crate) fn address(is_mutual: bool) -> SocketAddr {
    let port = if is_mutual { PORTS.1 } else { PORTS.0 };
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Starts it; `remembered` verdicts are kept.
pub(crate) fn start(folder: &Folder, remembered: usize, watched: Watched) -> Outcome<Server> {
    free(address(false))?;
    free(address(true))?;
    let mut command = watched.command(std::env::current_exe()?);
    command
        .arg("serve")
        .arg(folder.path())
        .arg(remembered.to_string())
        .stdout(Stdio::piped());
    let mut server = Server::start(&mut command, File::create(folder.file(LOG))?)?;
    let said = server.child().stdout.take().ok_or("no output")?;
    if let Some(Ok(_)) = BufReader::new(said).lines().next() {
        return Ok(server);
    }
    let log = fs::read_to_string(folder.file(LOG))?;
    Err(format!("our registrar did not start:\n{log}").into())
}

/// What the process does.
pub(crate) fn serve(folder: &Path, remembered: usize) -> Outcome {
    let verifier = match remembered {
        0 => Folder::verifier(folder)?,
        entries => Folder::verifier(folder)?.with_cache(entries),
    };
    let ports = NodePorts::oauth(PORTS.0, PORTS.1)?;
    let registrar = Arc::new(registrar(ports, DEVICES, verifier)?);

    let provider = default_provider()?;
    let certificate = fs::read(folder.join("server.pem"))?;
    let key = fs::read(folder.join("server-key.pem"))?;
    let identity = CertifiedIdentity::from_pem(&certificate, &key, &provider)?;
    let authority = fs::read(folder.join("ca.pem"))?;
    let source = Source::File("ca.pem".into());
    let store = TrustStore::from_pem("Tomcat-trust", &authority, &source)?;
    let allowed = AllowedNames::new([AllowedRow::new("expc.example.com", "", "expc.example.com")]);
    let tls = ServerConfigs::new(
        Arc::new(ServerCertificate::new(identity)),
        Arc::new(LiveTrustStore::new(store)),
        Arc::new(LiveAllowedNames::new(allowed)),
        provider,
        None,
    )?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let server = RegistrarServer::builder(registrar, Arc::new(tls))
            .listen(Listener::SipOAuth, address(false))
            .listen(Listener::SipMraOAuth, address(true))
            // Under a profiler everything is late; that is no reason to turn anybody away.
            .timeouts(Timeouts::new().overload(Duration::from_secs(60)))
            .start()
            .await?;
        println!("listening");
        std::io::stdout().flush()?;
        let mut asked = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        asked.recv().await;
        server.shutdown().await;
        Ok(())
    })
}
