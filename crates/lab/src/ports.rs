//! Where the listeners are.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU16, Ordering},
};

use tokio::net::{TcpListener, TcpSocket};

use crate::Error;

/// The range Unified CM takes for its SIP ports; the csf crate checks it, so free ports are chosen inside.
const RANGE: std::ops::RangeInclusive<u16> = 20_000..=32_000;

/// How far apart two processes with neighbouring ids start; every story of the lab together takes about fifty ports.
const APART: u64 = 101;

/// The next port to try, shared by all labs of a process so that they do not race for one.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// A listener on loopback: on `port`, or on a free port inside the product's range.
///
/// # Errors
///
/// [`Error::PortInUse`] naming `purpose`, if the wanted port or every port tried is taken.
pub(crate) async fn listen(purpose: &'static str, port: Option<u16>) -> Result<TcpListener, Error> {
    if let Some(port) = port {
        return bind(port).await.map_err(|cause| Error::PortInUse {
            port,
            purpose,
            source: cause,
        });
    }
    let span = RANGE.end() - RANGE.start() + 1;
    // Two processes start at different places, further apart than the ports a run takes: a port that is let go for a
    // moment, as a node's are over a restart, must not be next in the line of a neighbour.
    let seed = u64::from(std::process::id()) * APART % u64::from(span);
    let seed = u16::try_from(seed).unwrap_or(0);
    let mut last = None;
    for _ in 0..1000 {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = RANGE.start() + (seed + step % span) % span;
        match bind(port).await {
            Ok(listener) => return Ok(listener),
            Err(cause) => last = Some((port, cause)),
        }
    }
    let (port, cause) = last.unwrap_or((*RANGE.start(), std::io::ErrorKind::AddrInUse.into()));
    Err(Error::PortInUse {
        port,
        purpose,
        source: cause,
    })
}

/// Ports that are kept while nothing listens on them: a connection is refused, and no other program can take them.
#[derive(Debug, Default)]
pub(crate) struct Kept(HashMap<u16, TcpSocket>);

impl Kept {
    /// Keeps these ports, as far as nobody has them.
    pub(crate) fn of(ports: impl IntoIterator<Item = u16>) -> Self {
        Self(
            ports
                .into_iter()
                .filter_map(|port| Some((port, keep(port).ok()?)))
                .collect(),
        )
    }

    /// Lets a port go, for a listener of our own.
    pub(crate) fn let_go(&mut self, port: u16) {
        self.0.remove(&port);
    }
}

/// A socket that is bound and does not listen. Without `SO_REUSEADDR`, which listeners set, it shares its port with none.
fn keep(port: u16) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    Ok(socket)
}

async fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}
