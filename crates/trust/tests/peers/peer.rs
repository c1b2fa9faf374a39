//! The programs at the other end: how they are started, and what they say.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::cell::Spoiled;
use crate::support::scene::{NODE, Version};

/// How long a program may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// The files a peer works with: each holds a chain and its key, or the certificates to trust.
pub(crate) struct Files<'a> {
    pub(crate) folder: &'a Path,
    /// Whether the peer presents `own.pem`.
    pub(crate) presents: bool,
    /// Whether the peer, as a server, asks for a certificate and insists on one.
    pub(crate) asks: bool,
    /// The name the peer, as a client, expects.
    pub(crate) name: &'a str,
}

impl Files<'_> {
    fn own(&self) -> String {
        self.folder.join("own.pem").display().to_string()
    }

    fn trusted(&self) -> String {
        self.folder.join("trusted.pem").display().to_string()
    }
}

pub(crate) trait Peer {
    fn name(&self) -> &'static str;
    fn is_installed(&self) -> bool;
    fn client(&self, port: u16, version: Version, files: &Files<'_>) -> Command;
    fn server(&self, port: u16, version: Version, files: &Files<'_>) -> Command;
    /// What its server prints when it listens.
    fn listens(&self) -> &'static str;
    /// What it prints when it has read this alert.
    fn read_alert(&self, number: u8, is_server: bool) -> String;
    /// What it prints when it refuses for this reason.
    fn refuses(&self, why: Spoiled, is_server: bool) -> &'static str;
    /// The alert it sends then, or `None` when it does not mind.
    fn sends(&self, why: Spoiled, version: Version) -> Option<u8>;
    /// What it prints when the handshake is complete; as a server, when it has read what was sent.
    fn is_up(&self, is_server: bool) -> &'static str;
}

pub(crate) struct OpenSsl;

impl Peer for OpenSsl {
    fn name(&self) -> &'static str {
        "OpenSSL"
    }

    fn is_installed(&self) -> bool {
        answers("openssl", "version")
    }

    fn client(&self, port: u16, version: Version, files: &Files<'_>) -> Command {
        let mut command = Command::new("openssl");
        command
            .args(["s_client", "-connect", &format!("127.0.0.1:{port}")])
            .args(["-servername", NODE, "-verify_hostname", files.name])
            .args(["-CAfile", &files.trusted(), "-verify_return_error"])
            .args(["-no-CApath", "-no-CAstore", openssl_version(version)]);
        if files.presents {
            command.args(["-cert", &files.own(), "-key", &files.own()]);
        }
        command
    }

    fn server(&self, port: u16, version: Version, files: &Files<'_>) -> Command {
        let mut command = Command::new("openssl");
        command
            .args(["s_server", "-accept", &format!("127.0.0.1:{port}")])
            .args(["-cert", &files.own(), "-key", &files.own()])
            .args(["-CAfile", &files.trusted(), "-verify_return_error"])
            .args(["-no-CApath", "-no-CAstore", openssl_version(version)])
            .args(["-naccept", "1"]);
        if files.asks {
            command.args(["-Verify", "2"]);
        }
        command
    }

    fn listens(&self) -> &'static str {
        "ACCEPT"
    }

    fn read_alert(&self, number: u8, _is_server: bool) -> String {
        format!("SSL alert number {number}")
    }

    fn refuses(&self, why: Spoiled, _is_server: bool) -> &'static str {
        match why {
            Spoiled::ServerCaUnknown | Spoiled::ClientCaUnknown => "verify error:num=20",
            Spoiled::ServerExpired | Spoiled::ClientExpired => "verify error:num=10",
            Spoiled::WrongName => "verify error:num=62",
            Spoiled::ServerUsage | Spoiled::ClientUsage => "verify error:num=26",
            Spoiled::NoClientCertificate => "peer did not return a certificate",
            Spoiled::Nothing | Spoiled::NotInList => "",
        }
    }

    fn sends(&self, why: Spoiled, version: Version) -> Option<u8> {
        match why {
            Spoiled::ServerCaUnknown | Spoiled::ClientCaUnknown => Some(48),
            Spoiled::ServerExpired | Spoiled::ClientExpired => Some(45),
            Spoiled::WrongName => Some(42),
            Spoiled::ServerUsage | Spoiled::ClientUsage => Some(43),
            Spoiled::NoClientCertificate => Some(match version {
                Version::Tls12 => 40,
                Version::Tls13 => 116,
            }),
            Spoiled::Nothing | Spoiled::NotInList => None,
        }
    }

    fn is_up(&self, is_server: bool) -> &'static str {
        if is_server { "hello" } else { "Cipher is" }
    }
}

pub(crate) struct Gnutls;

impl Peer for Gnutls {
    fn name(&self) -> &'static str {
        "GnuTLS"
    }

    fn is_installed(&self) -> bool {
        answers("gnutls-cli", "--version") && answers("gnutls-serv", "--version")
    }

    fn client(&self, port: u16, version: Version, files: &Files<'_>) -> Command {
        let mut command = Command::new("gnutls-cli");
        command
            .args(["--port", &port.to_string()])
            .args(["--priority", gnutls_version(version)])
            .args(["--x509cafile", &files.trusted()])
            .args(["--sni-hostname", NODE])
            .args(["--verify-hostname", files.name]);
        if files.presents {
            command
                .args(["--x509certfile", &files.own()])
                .args(["--x509keyfile", &files.own()]);
        }
        command.arg("127.0.0.1");
        command
    }

    fn server(&self, port: u16, version: Version, files: &Files<'_>) -> Command {
        let mut command = Command::new("gnutls-serv");
        command
            .args(["--port", &port.to_string(), "--echo", "--debug", "5"])
            .args(["--priority", gnutls_version(version)])
            .args(["--x509cafile", &files.trusted()])
            .args(["--x509certfile", &files.own()])
            .args(["--x509keyfile", &files.own()]);
        if files.asks {
            command.args(["--require-client-cert", "--verify-client-cert"]);
        } else {
            command.arg("--disable-client-cert");
        }
        command
    }

    fn listens(&self) -> &'static str {
        "done"
    }

    fn read_alert(&self, number: u8, is_server: bool) -> String {
        if is_server {
            // Only its log of records tells which one it was.
            format!("Alert[2|{number}]")
        } else {
            format!("eceived alert [{number}]")
        }
    }

    fn refuses(&self, why: Spoiled, is_server: bool) -> &'static str {
        // Its server gives no detail, whatever is wrong with the certificate.
        if is_server && why != Spoiled::NoClientCertificate {
            return "Error in the certificate";
        }
        match why {
            Spoiled::ServerCaUnknown | Spoiled::ClientCaUnknown => "issuer is unknown",
            Spoiled::ServerExpired | Spoiled::ClientExpired => "expired",
            Spoiled::WrongName => "does not match",
            Spoiled::ServerUsage | Spoiled::ClientUsage => "purpose",
            Spoiled::NoClientCertificate => "certificate",
            Spoiled::Nothing | Spoiled::NotInList => "",
        }
    }

    fn sends(&self, why: Spoiled, version: Version) -> Option<u8> {
        match why {
            Spoiled::ServerCaUnknown
            | Spoiled::ServerExpired
            | Spoiled::WrongName
            | Spoiled::ServerUsage => Some(42),
            Spoiled::ClientCaUnknown | Spoiled::ClientExpired => Some(49),
            Spoiled::NoClientCertificate => Some(match version {
                Version::Tls12 => 50,
                Version::Tls13 => 116,
            }),
            Spoiled::ClientUsage | Spoiled::Nothing | Spoiled::NotInList => None,
        }
    }

    fn is_up(&self, is_server: bool) -> &'static str {
        if is_server {
            "received cmd: hello"
        } else {
            "Handshake was completed"
        }
    }
}

fn answers(program: &str, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn openssl_version(version: Version) -> &'static str {
    match version {
        Version::Tls12 => "-tls1_2",
        Version::Tls13 => "-tls1_3",
    }
}

fn gnutls_version(version: Version) -> &'static str {
    match version {
        Version::Tls12 => "NORMAL:-VERS-ALL:+VERS-TLS1.2",
        Version::Tls13 => "NORMAL:-VERS-ALL:+VERS-TLS1.3",
    }
}

/// A port nobody has at this moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A program that runs, and everything it has printed.
pub(crate) struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    said: String,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env("LC_ALL", "C")
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let pipes: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for mut pipe in pipes {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count) = pipe.read(&mut buffer) {
                    let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
                    if count == 0 || sender.send(text).is_err() {
                        break;
                    }
                }
            });
        }
        Self {
            child,
            lines,
            said: String::new(),
        }
    }

    /// Waits until it has printed `text`; says whether it did.
    pub(crate) fn wait_for(&mut self, text: &str) -> bool {
        let end = Instant::now() + PATIENCE;
        while !self.said.contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(more) => self.said.push_str(&more),
                Err(_) => return false,
            }
        }
        true
    }

    /// Waits until it has ended by itself or `text` has been printed, ends it, and gives what it printed.
    pub(crate) fn finish(mut self, text: &str) -> String {
        self.wait_for(text);
        let _ = self.child.kill();
        let _ = self.child.wait();
        while let Ok(more) = self.lines.recv_timeout(Duration::from_secs(1)) {
            self.said.push_str(&more);
        }
        self.said
    }
}
