//! `stunnel`, which speaks TLS for a program that cannot.

use std::{fmt::Write, process::Command};

use crate::{
    program::{Folder, Program, free_port},
    support::NODE,
};

/// A tunnel on loopback; `port` is where the program without TLS connects, or where TLS arrives.
pub(crate) struct Tunnel {
    pub(crate) port: u16,
    program: Program,
}

impl Tunnel {
    /// Takes TCP and speaks TLS to `port`, as a client of `trusted` that shows `own`.
    pub(crate) async fn to_tls(
        folder: &Folder,
        port: u16,
        trusted: &str,
        own: Option<&str>,
    ) -> Self {
        let trusted = folder.write("tunnel-ca.pem", trusted);
        let mut service = format!(
            "client = yes\nconnect = 127.0.0.1:{port}\nsni = {NODE}\n\
             CAfile = {}\nverifyChain = yes\ncheckHost = {NODE}\n",
            trusted.display()
        );
        if let Some(own) = own {
            let own = folder.write("tunnel-own.pem", own);
            writeln!(service, "cert = {}", own.display()).unwrap();
        }
        Self::start(folder, &service).await
    }

    /// Takes TLS, showing `own`, and speaks TCP to `port`.
    pub(crate) async fn from_tls(folder: &Folder, port: u16, own: &str) -> Self {
        let own = folder.write("tunnel-own.pem", own);
        let service = format!("connect = 127.0.0.1:{port}\ncert = {}\n", own.display());
        Self::start(folder, &service).await
    }

    async fn start(folder: &Folder, service: &str) -> Self {
        let port = free_port();
        let config = format!(
            "foreground = yes\npid =\nsyslog = no\ndebug = info\n\
             [sip]\naccept = 127.0.0.1:{port}\nTIMEOUTclose = 0\n{service}"
        );
        let config = folder.write("stunnel.conf", &config);
        let program = Program::start(Command::new("stunnel").arg(config));
        program.says("Accepting new connections", 1).await;
        Self { port, program }
    }

    /// What its log must say.
    pub(crate) async fn says(&self, text: &str) {
        self.program.says(text, 1).await;
    }
}
