//! One cell of the matrix: who serves, which listener, which version, and what is spoiled.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rcgen::ExtendedKeyUsagePurpose;
use rustls::{AlertDescription, ClientConnection, Error, ServerConnection};
use rustls_pki_types::ServerName;
use sip_oauth_trust::{
    AllowedNames, AllowedRow, CertifiedIdentity, LiveAllowedNames, Observer, Party, Place,
    ServerCertificate, ServerConfigs, ServerVerifier, Side, client_config_with_versions, explain,
    tls_cause,
};

use crate::peer::{Files, Peer, Running, free_port};
use crate::support::scene::{EDGE, NODE, Version};
use crate::support::{Authority, Heard, Leaf, authority, provider, store};

/// Which end we are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum We {
    Serve,
    Connect,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Listener {
    /// Port 5090: no client certificate.
    OnPremises,
    /// Port 5091: mutual TLS.
    Mra,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Keys {
    Ecdsa,
    Rsa,
}

/// The one thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Spoiled {
    Nothing,
    ServerCaUnknown,
    ServerExpired,
    ServerUsage,
    WrongName,
    ClientCaUnknown,
    ClientExpired,
    ClientUsage,
    NoClientCertificate,
    NotInList,
}

impl Spoiled {
    pub(crate) const ALL: [Self; 10] = [
        Self::Nothing,
        Self::ServerCaUnknown,
        Self::ServerExpired,
        Self::ServerUsage,
        Self::WrongName,
        Self::ClientCaUnknown,
        Self::ClientExpired,
        Self::ClientUsage,
        Self::NoClientCertificate,
        Self::NotInList,
    ];

    /// Whether the server is the one to refuse.
    fn server_refuses(self) -> bool {
        matches!(
            self,
            Self::ClientCaUnknown
                | Self::ClientExpired
                | Self::ClientUsage
                | Self::NoClientCertificate
                | Self::NotInList
        )
    }

    /// The alert that our end sends when it refuses for this reason, and where we say that the change is made.
    fn ours(self) -> (AlertDescription, Place) {
        match self {
            Self::ServerCaUnknown => (AlertDescription::UnknownCA, Place::ClientTrust),
            Self::ServerExpired => (
                AlertDescription::CertificateExpired,
                Place::TomcatCertificate,
            ),
            Self::ServerUsage => (
                AlertDescription::UnsupportedCertificate,
                Place::TomcatCertificate,
            ),
            Self::WrongName => (AlertDescription::BadCertificate, Place::ServerName),
            Self::ClientCaUnknown => (AlertDescription::UnknownCA, Place::TomcatTrust),
            Self::ClientExpired => (
                AlertDescription::CertificateExpired,
                Place::ClientCertificate,
            ),
            Self::ClientUsage => (
                AlertDescription::UnsupportedCertificate,
                Place::ClientCertificate,
            ),
            Self::NoClientCertificate => (
                AlertDescription::CertificateRequired,
                Place::ClientCertificate,
            ),
            Self::NotInList => (AlertDescription::AccessDenied, Place::AllowedNamesTable),
            Self::Nothing => unreachable!("nothing is refused"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) we: We,
    pub(crate) listener: Listener,
    pub(crate) version: Version,
    pub(crate) spoiled: Spoiled,
    pub(crate) keys: Keys,
}

/// Certificates of both ends, and whom each trusts.
struct Parts {
    node: (CertifiedIdentity, String),
    edge: (CertifiedIdentity, String),
    node_trusts: Authority,
    edge_trusts: Authority,
    expected_name: &'static str,
    listed: &'static str,
}

impl Cell {
    pub(crate) fn makes_sense(self) -> bool {
        let mutual = self.listener == Listener::Mra;
        match self.spoiled {
            // The list is ours; no peer has one.
            Spoiled::NotInList => mutual && self.we == We::Serve,
            spoiled => mutual || !spoiled.server_refuses(),
        }
    }

    /// Plays it; the error says how what was seen differs from what was expected.
    pub(crate) fn play(self, peer: &dyn Peer) -> Result<(), String> {
        let folder = Folder::new();
        let parts = self.parts();
        let (own, trusted) = match self.we {
            We::Serve => (&parts.edge.1, &parts.edge_trusts),
            We::Connect => (&parts.node.1, &parts.node_trusts),
        };
        fs::write(folder.0.join("own.pem"), own).unwrap();
        fs::write(folder.0.join("trusted.pem"), trusted.pem()).unwrap();
        let mutual = self.listener == Listener::Mra;
        let files = Files {
            folder: &folder.0,
            presents: mutual && self.spoiled != Spoiled::NoClientCertificate,
            asks: mutual,
            name: parts.expected_name,
        };
        let heard = Arc::new(Heard::default());
        let observer = Arc::<Heard>::clone(&heard) as Arc<dyn Observer>;
        let refusal = self.refusal(peer);
        let (ours, theirs) = match self.we {
            We::Serve => self.serve(peer, &parts, &files, observer, refusal.as_ref()),
            We::Connect => self.connect(peer, &parts, &files, observer, refusal.as_ref()),
        };
        self.judge(peer, refusal.as_ref(), &ours, &theirs, &heard)
            .map_err(|what| format!("{what}\nwe: {ours:?}\n{}: {theirs}", peer.name()))
    }

    /// Who refuses, and with which alert.
    fn refusal(self, peer: &dyn Peer) -> Option<(Party, AlertDescription)> {
        if self.spoiled == Spoiled::Nothing {
            return None;
        }
        let we_refuse = self.spoiled.server_refuses() == (self.we == We::Serve);
        if we_refuse {
            return Some((Party::Us, self.spoiled.ours().0));
        }
        let number = peer.sends(self.spoiled, self.version)?;
        Some((Party::Peer, AlertDescription::from(number)))
    }

    fn judge(
        self,
        peer: &dyn Peer,
        refusal: Option<&(Party, AlertDescription)>,
        ours: &Result<(), Error>,
        theirs: &str,
        heard: &Heard,
    ) -> Result<(), String> {
        let is_server = self.we == We::Connect;
        let Some((party, alert)) = refusal else {
            if ours.is_err() {
                return Err("expected a connection at our end".to_owned());
            }
            return expect(theirs, peer.is_up(is_server));
        };
        let Err(error) = ours else {
            return Err(format!("expected a refusal by {party:?} with {alert:?}"));
        };
        let side = match self.we {
            We::Serve => Side::Server,
            We::Connect => Side::Client,
        };
        let explanation = explain(error, side);
        if (explanation.refused_by, explanation.alert) != (*party, Some(*alert)) {
            return Err(format!("expected {party:?} and {alert:?}: {explanation}"));
        }
        match party {
            Party::Us => {
                let place = self.spoiled.ours().1;
                if explanation.remedy.place != place {
                    return Err(format!("expected {place:?}: {explanation}"));
                }
                // A missing certificate reaches no verifier, so no observer either.
                let expected = usize::from(self.spoiled != Spoiled::NoClientCertificate);
                if heard.count() != expected {
                    return Err(format!("the observer heard {} refusals", heard.count()));
                }
                expect(theirs, &peer.read_alert(u8::from(*alert), is_server))
            }
            Party::Peer => {
                // An alert tells less than a reason: the place is among those named, and no other is named as certain.
                let place = self.spoiled.ours().1;
                let named = explanation.remedies();
                if !named.iter().any(|remedy| remedy.place == place)
                    || ![place, Place::Log].contains(&explanation.remedy.place)
                {
                    return Err(format!("expected {place:?} among others: {explanation}"));
                }
                expect(theirs, peer.refuses(self.spoiled, is_server))
            }
        }
    }

    fn parts(self) -> Parts {
        let (node_ca, edge_ca) = (authority("Node CA"), authority("Edge CA"));
        let leaf = |name| match self.keys {
            Keys::Ecdsa => Leaf::named(name),
            Keys::Rsa => Leaf::named(name).rsa(),
        };
        let (mut node, mut edge) = (leaf(NODE), leaf(EDGE));
        match self.spoiled {
            Spoiled::ServerExpired => node = node.expired(),
            Spoiled::ClientExpired => edge = edge.expired(),
            Spoiled::ServerUsage => node = node.usages(&[ExtendedKeyUsagePurpose::ClientAuth]),
            Spoiled::ClientUsage => edge = edge.usages(&[ExtendedKeyUsagePurpose::ServerAuth]),
            _ => {}
        }
        Parts {
            node: node.signed_by_as_pem(&node_ca),
            edge: edge.signed_by_as_pem(&edge_ca),
            node_trusts: if self.spoiled == Spoiled::ClientCaUnknown {
                authority("Another CA")
            } else {
                edge_ca
            },
            edge_trusts: if self.spoiled == Spoiled::ServerCaUnknown {
                authority("Another CA")
            } else {
                node_ca
            },
            expected_name: if self.spoiled == Spoiled::WrongName {
                "cucm2.example.com"
            } else {
                NODE
            },
            listed: if self.spoiled == Spoiled::NotInList {
                "expc2.example.com"
            } else {
                EDGE
            },
        }
    }

    /// We listen, the peer connects.
    fn serve(
        self,
        peer: &dyn Peer,
        parts: &Parts,
        files: &Files<'_>,
        observer: Arc<dyn Observer>,
        refusal: Option<&(Party, AlertDescription)>,
    ) -> (Result<(), Error>, String) {
        let table = AllowedNames::new([AllowedRow::new(EDGE, "", parts.listed)]);
        let configs = ServerConfigs::with_versions(
            Arc::new(ServerCertificate::new(parts.node.0.clone())),
            store("Tomcat-trust", [parts.node_trusts.der()]),
            Arc::new(LiveAllowedNames::new(table)),
            provider(),
            Some(observer),
            &[self.version.in_rustls()],
        )
        .unwrap();
        let config = match self.listener {
            Listener::OnPremises => configs.oauth(),
            Listener::Mra => configs.mra_oauth(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let running = Running::start(peer.client(port, self.version, files));
        let (mut tcp, _) = listener.accept().unwrap();
        patient(&tcp);
        let mut tls = ServerConnection::new(config).unwrap();
        let outcome = match tls.complete_io(&mut tcp) {
            Ok(_) => {
                let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
                // A peer that refuses us in 1.3 does so before it sends anything.
                let greeted = stream.write_all(b"hello\n").and_then(|()| stream.flush());
                match (self.spoiled, greeted) {
                    (Spoiled::Nothing, greeted) => greeted.map_err(|error| cause(&error)),
                    (_, Err(error)) => Err(cause(&error)),
                    (_, Ok(())) => read_once(&mut stream),
                }
            }
            Err(error) => Err(cause(&error)),
        };
        // Linger, so that the alert arrives: FIN after it, then read until the peer is gone.
        if outcome.is_err() {
            let _ = tls.complete_io(&mut tcp);
            let _ = tcp.shutdown(Shutdown::Write);
            tcp.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            let mut sink = [0; 4096];
            while tcp.read(&mut sink).is_ok_and(|count| count > 0) {}
        }
        let theirs = running.finish(&self.last_words(peer, refusal));
        (outcome, theirs)
    }

    /// The peer listens, we connect.
    fn connect(
        self,
        peer: &dyn Peer,
        parts: &Parts,
        files: &Files<'_>,
        observer: Arc<dyn Observer>,
        refusal: Option<&(Party, AlertDescription)>,
    ) -> (Result<(), Error>, String) {
        let verifier = ServerVerifier::builder(
            store("trusted CA list", [parts.edge_trusts.der()]),
            provider(),
        )
        .observer(observer)
        .build();
        let identity = files.presents.then_some(&parts.edge.0);
        let config =
            client_config_with_versions(Arc::new(verifier), identity, &[self.version.in_rustls()])
                .unwrap();
        let (running, mut tcp) = listening(peer, self.version, files);
        patient(&tcp);
        let name = ServerName::try_from(parts.expected_name).unwrap();
        let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
        let outcome = match stream.write_all(b"hello\n").and_then(|()| stream.flush()) {
            Ok(()) if self.spoiled == Spoiled::Nothing || refusal.is_none() => Ok(()),
            // In 1.3 the refusal arrives after the first write, and after a write error one reads once.
            Ok(()) => read_once(&mut stream),
            Err(error) => match cause(&error) {
                Error::General(_) => read_once(&mut stream),
                error => Err(error),
            },
        };
        if outcome.is_ok() {
            tls.send_close_notify();
        }
        let _ = tls.complete_io(&mut tcp);
        let _ = tcp.shutdown(Shutdown::Write);
        let theirs = running.finish(&self.last_words(peer, refusal));
        (outcome, theirs)
    }

    /// What the peer prints last of what is looked for.
    fn last_words(self, peer: &dyn Peer, refusal: Option<&(Party, AlertDescription)>) -> String {
        let is_server = self.we == We::Connect;
        match refusal {
            None => peer.is_up(is_server).to_owned(),
            Some((Party::Us, alert)) => peer.read_alert(u8::from(*alert), is_server),
            Some((Party::Peer, _)) => peer.refuses(self.spoiled, is_server).to_owned(),
        }
    }
}

/// A server of the peer that listens, and a connection to it.
fn listening(peer: &dyn Peer, version: Version, files: &Files<'_>) -> (Running, TcpStream) {
    for _ in 0..5 {
        // Somebody may take the port before the peer has it: then try another.
        let port = free_port();
        let mut running = Running::start(peer.server(port, version, files));
        if running.wait_for(peer.listens())
            && let Ok(tcp) = TcpStream::connect(("127.0.0.1", port))
        {
            return (running, tcp);
        }
        running.finish("");
    }
    panic!("{} does not listen", peer.name());
}

fn patient(tcp: &TcpStream) {
    tcp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
}

fn read_once(stream: &mut impl Read) -> Result<(), Error> {
    let mut buffer = [0; 64];
    stream
        .read(&mut buffer)
        .map(drop)
        .map_err(|error| cause(&error))
}

/// The TLS error in an I/O error, or the words of another.
fn cause(error: &io::Error) -> Error {
    tls_cause(error)
        .cloned()
        .unwrap_or_else(|| Error::General(error.to_string()))
}

fn expect(said: &str, words: &str) -> Result<(), String> {
    if said.contains(words) {
        return Ok(());
    }
    Err(format!("expected the peer to say {words:?}"))
}

/// A folder of one cell, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("sip-oauth-peers-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
