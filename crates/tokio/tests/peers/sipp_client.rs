//! sipp as client through a TLS tunnel: each case is a scenario of `sipp/` and what the registrar made of it.

use std::{
    fmt::Write,
    path::Path,
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use rustls::AlertDescription;
use sip_oauth_registration::{
    Refusal,
    registrar::{DeviceLine, DeviceRecord, Listener, Observation, TokenVerdict},
};
use sip_oauth_token::issue::AuthorizationServer;
use sip_oauth_tokio::{RegistrarServer, Role};

use crate::{
    program::{Folder, Program, all_installed},
    serve,
    support::{DEVICE, EDGE, Estate, UUID},
    tunnel::Tunnel,
};

/// How many devices register in one test.
const DEVICES: usize = 2_000;

fn installed() -> bool {
    all_installed(&[("sipp", "sip-tester"), ("stunnel", "stunnel4")])
}

/// A registrar, a tunnel to its TLS listener, and a folder for sipp.
struct Bench {
    estate: Estate,
    server: RegistrarServer,
    folder: Folder,
}

impl Bench {
    async fn new() -> Self {
        let estate = Estate::new();
        let server = serve(&estate).await;
        Self {
            estate,
            server,
            folder: Folder::new(),
        }
    }

    fn port(&self, listener: Listener) -> u16 {
        self.server.local_addr(listener).unwrap().port()
    }

    async fn tunnel(&self, listener: Listener, own: Option<&str>) -> Tunnel {
        let trusted = self.estate.authority.pem();
        Tunnel::to_tls(&self.folder, self.port(listener), &trusted, own).await
    }

    /// Runs `scenario` once for the estate's device with this token.
    async fn plays(&self, scenario: &str, port: u16, token: &str) -> (ExitStatus, String) {
        let row = format!("SEQUENTIAL\n1010;{DEVICE};{token}\n");
        let rows = self.folder.write("devices.csv", &row);
        let mut command = sipp(scenario, &rows, port);
        command.args(["-m", "1", "-t", "t1"]);
        Program::start(&mut command).ends().await
    }

    /// The same over the TLS listener; it must come out as the scenario says.
    async fn succeeds(&self, scenario: &str, token: &str) {
        let tunnel = self.tunnel(Listener::SipOAuth, None).await;
        let (status, said) = self.plays(scenario, tunnel.port, token).await;
        assert!(status.success(), "{scenario}: {status}:\n{said}");
    }

    fn token(&self) -> String {
        self.estate.token().token.expose().to_owned()
    }

    fn decisions(&self) -> Vec<Observation> {
        self.estate.trace.decisions()
    }
}

/// sipp at `port`; it prints errors on its standard error and gives up a call after half a minute.
fn sipp(scenario: &str, rows: &Path, port: u16) -> Command {
    let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/sipp");
    let mut command = Command::new("sipp");
    command
        .arg(format!("127.0.0.1:{port}"))
        .args(["-sf", &format!("{scenarios}/{scenario}.xml"), "-inf"])
        .arg(rows)
        .current_dir(rows.parent().unwrap())
        .args(["-i", "127.0.0.1", "-nostdin", "-trace_err"])
        .args(["-recv_timeout", "30000", "-timeout", "500s"])
        .args(["-timeout_error"]);
    command
}

fn refusals(seen: &[Observation]) -> Vec<Option<Refusal>> {
    seen.iter().map(Observation::refusal).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn registers_refreshes_and_unregisters() {
    if !installed() {
        return;
    }
    let bench = Bench::new().await;
    bench.succeeds("lease", &bench.token()).await;
    let seen = bench.decisions();
    assert_eq!(
        refusals(&seen),
        [Some(Refusal::TokenMissing), None, None, None]
    );
    assert_eq!(bench.estate.bindings(), 0, "it unregistered");
    bench.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_2_kb_registers() {
    if !installed() {
        return;
    }
    let bench = Bench::new().await;
    let scope = "a".repeat(700);
    let now = bench.estate.clock.system_now();
    let issued = bench
        .estate
        .tokens
        .issue_access("jdoe", "C0ffee", &[&scope], now);
    let token = issued.unwrap().token.expose().to_owned();
    assert!(token.len() > 2048, "{}", token.len());
    bench.succeeds("lease", &token).await;
    assert_eq!(bench.decisions().len(), 4);
    bench.server.shutdown().await;
}

mod tokens_that_do_not_hold {
    use super::*;

    /// Challenged once more, no binding, and this verdict.
    async fn refused(token: &str, bench: Bench, verdict: impl Fn(&TokenVerdict) -> bool) {
        bench.succeeds("refused_token", token).await;
        let seen = bench.decisions();
        assert_eq!(
            refusals(&seen),
            [Some(Refusal::TokenMissing), Some(Refusal::TokenRejected)]
        );
        assert!(verdict(&seen[1].token), "{:?}", seen[1].token);
        assert_eq!(bench.estate.bindings(), 0);
        bench.server.shutdown().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_of_another_authorization_server() {
        if !installed() {
            return;
        }
        let bench = Bench::new().await;
        let other = AuthorizationServer::new(UUID).unwrap();
        let now = bench.estate.clock.system_now();
        let issued = other.issue_access("jdoe", "C0ffee", &[], now).unwrap();
        refused(issued.token.expose(), bench, |verdict| {
            matches!(verdict, TokenVerdict::Rejected(_))
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_that_expired() {
        if !installed() {
            return;
        }
        let bench = Bench::new().await;
        let long_ago = bench.estate.clock.system_now() - Duration::from_secs(24 * 3600);
        let tokens = &bench.estate.tokens;
        let issued = tokens
            .issue_access("jdoe", "C0ffee", &[], long_ago)
            .unwrap();
        refused(issued.token.expose(), bench, |verdict| {
            matches!(verdict, TokenVerdict::Rejected(error) if error.to_string().contains("expired"))
        })
        .await;
    }
}

mod ports {
    use super::*;

    /// 5091 instead of 5090: whoever shows no certificate does not come as far as SIP.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_device_at_the_expressways_port_fails_the_handshake() {
        if !installed() {
            return;
        }
        let bench = Bench::new().await;
        let tunnel = bench.tunnel(Listener::SipMraOAuth, None).await;
        let (status, said) = bench.plays("lease", tunnel.port, &bench.token()).await;
        assert!(!status.success(), "{said}");
        tunnel.says("certificate required").await;
        assert_eq!(bench.decisions(), []);
        let refused = bench.estate.trace.refusals();
        assert_eq!(refused.len(), 1, "{refused:?}");
        let (role, explanation) = &refused[0];
        assert_eq!(*role, Role::Acceptor);
        let alert = AlertDescription::CertificateRequired;
        assert_eq!(explanation.alert, Some(alert), "{explanation:?}");
        bench.server.shutdown().await;
    }

    /// 5091 as it is meant: an allowed Expressway-C brings the device.
    #[tokio::test(flavor = "multi_thread")]
    async fn an_allowed_expressway_registers_the_device_at_its_port() {
        if !installed() {
            return;
        }
        let bench = Bench::new().await;
        let own = bench.estate.authority.issue_pem(EDGE);
        let tunnel = bench.tunnel(Listener::SipMraOAuth, Some(&own)).await;
        let (status, said) = bench.plays("lease", tunnel.port, &bench.token()).await;
        assert!(status.success(), "{status}:\n{said}");
        let seen = bench.decisions();
        assert_eq!(seen.len(), 4);
        assert_eq!(seen[0].listener, Listener::SipMraOAuth);
        bench.server.shutdown().await;
    }

    /// 5060 instead of 5090: the answer of the product, before anything is asked of the device.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_device_at_the_legacy_port_gets_the_port_mismatch() {
        if !installed() {
            return;
        }
        let bench = Bench::new().await;
        let port = bench.port(Listener::Sip);
        let (status, said) = bench.plays("port_mismatch", port, &bench.token()).await;
        assert!(status.success(), "{status}:\n{said}");
        assert_eq!(
            refusals(&bench.decisions()),
            [Some(Refusal::OAuthPortMismatch)]
        );
        bench.server.shutdown().await;
    }
}

/// A REGISTER whose CSeq is no number is answered 400, and the connection goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_message_is_answered_and_the_next_one_is_judged() {
    if !installed() {
        return;
    }
    let bench = Bench::new().await;
    bench.succeeds("malformed", &bench.token()).await;
    assert_eq!(bench.estate.bindings(), 1);
    bench.server.shutdown().await;
}

/// Each device has an owner of its own, a token of its own and a TLS connection of its own.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_devices_register() {
    if !installed() {
        return;
    }
    let bench = Bench::new().await;
    let mut rows = "SEQUENTIAL\n".to_owned();
    bench.estate.registrar.database().edit(|cluster| {
        for number in 0..DEVICES {
            let (device, owner) = (format!("CSF{number:05}"), format!("user{number:05}"));
            let line = format!("2{number:05}");
            let token = bench.estate.token_of(&owner).token;
            writeln!(rows, "{line};{device};{}", token.expose()).unwrap();
            let lines = [DeviceLine::new(&line)];
            cluster
                .put_device(DeviceRecord::csf(&device, "CSF - OAuth", &owner, lines))
                .unwrap();
        }
    });
    let rows = bench.folder.write("devices.csv", &rows);
    let tunnel = bench.tunnel(Listener::SipOAuth, None).await;
    let mut command = sipp("register", &rows, tunnel.port);
    let count = DEVICES.to_string();
    command.args(["-m", &count, "-t", "tn", "-max_socket", "500"]);
    command.args(["-r", "1000", "-l", "100"]);
    let start = Instant::now();
    let (status, said) = Program::start(&mut command).ends().await;
    let took = start.elapsed();
    assert!(status.success(), "{status}:\n{said}");
    assert_eq!(bench.estate.bindings(), DEVICES);
    let seen = bench.decisions();
    assert_eq!(
        seen.len(),
        2 * DEVICES,
        "each challenged once, then accepted"
    );
    let accepted = bench.estate.trace.accepted().len();
    assert_eq!(accepted, DEVICES, "a TLS connection each");
    println!("{DEVICES} devices in {took:?}");
    bench.server.shutdown().await;
}
