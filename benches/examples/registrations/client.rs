//! The client: many devices that register.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use sip_oauth_message::{Frame, Framer, Limits, MessageView};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::{JoinSet, LocalSet};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Outcome;
use super::common::{NODE, request};
use super::material::Material;

/// How many devices are at work at once, unless somebody says otherwise.
pub(crate) const AT_ONCE: usize = 50;

/// How many addresses of loopback the devices come from: a server bounds what one address may hold, and one address has
/// 28,000 ports by default, of which a closed connection keeps one for a minute.
const SOURCES: [u8; 4] = [1, 2, 3, 4];

/// What a registration consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// REGISTER, 407, REGISTER with the token, 200, on a connection that stands.
    Exchange,
    /// REGISTER with the token, 200, on a connection that stands.
    TokenAtOnce,
    /// The whole exchange on a connection made for it.
    NewConnection,
}

impl Case {
    pub(crate) const ALL: [Self; 3] = [Self::Exchange, Self::TokenAtOnce, Self::NewConnection];
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exchange => "standing connection, whole exchange",
            Self::TokenAtOnce => "standing connection, token at once",
            Self::NewConnection => "new connection, whole exchange",
        })
    }
}

/// What so many registrations cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) registrations: usize,
    pub(crate) server: Duration,
    pub(crate) took: Duration,
}

impl Spent {
    /// Seconds of the server's CPU for 1,000 registrations.
    pub(crate) fn per_thousand(&self) -> f64 {
        self.server.as_secs_f64() * 1000.0 / per(self.registrations)
    }

    /// Registrations in a second.
    pub(crate) fn rate(&self) -> f64 {
        per(self.registrations) / self.took.as_secs_f64()
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, rate) = (self.per_thousand(), self.rate());
        write!(f, "{seconds:.3} CPU-s per 1,000 registrations, {rate:.0}/s")
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of registrations")]
fn per(count: usize) -> f64 {
    count as f64
}

/// Has so many devices register `count` times in all, and says what it cost by `cpu`. That they connect and register for
/// the first time is not counted.
pub(crate) fn run(
    material: &Material,
    address: SocketAddr,
    case: Case,
    (at_once, count): (usize, usize),
    cpu: impl Fn() -> Outcome<Duration>,
) -> Outcome<Spent> {
    alone(async {
        let fleet = Fleet::new(material, address);
        let devices = fleet.registered(at_once).await?;
        let awake = tokio::task::spawn_local(stay_awake());
        let (before, begun) = (cpu()?, Instant::now());
        fleet.register(devices, case, count).await?;
        awake.abort();
        Ok(Spent {
            registrations: count,
            server: cpu()?.saturating_sub(before),
            took: begun.elapsed(),
        })
    })
}

/// Connects and registers so many devices, has `look` at the server while they are idle, and sees that each is still
/// served.
pub(crate) fn idle(
    material: &Material,
    address: SocketAddr,
    count: usize,
    look: impl FnOnce() -> Outcome,
) -> Outcome {
    alone(async {
        let fleet = Fleet::new(material, address);
        let devices = fleet.registered(count).await?;
        // A node grants 120 s, and the first may have come before that: all refresh, as real ones would.
        let refreshed = Instant::now();
        let devices = crowd(devices, Device::refreshed).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        if refreshed.elapsed() >= Duration::from_secs(120) {
            return Err(
                "the first registration has ended before the last one was refreshed".into(),
            );
        }
        look()?;
        let served = crowd(devices, Device::refreshed).await?;
        assert_eq!(served.len(), count, "each is still there");
        Ok(())
    })
}

/// Whether the server takes a token that is as it was issued but for one character of its signature.
pub(crate) fn takes_any_token(material: &Material, address: SocketAddr) -> Outcome<bool> {
    alone(async {
        let fleet = Fleet::new(material, address);
        let mut device = fleet.device(0).await?;
        device.exchange().await?;
        let (signed, signature) = material.token.rsplit_once('.').ok_or("no JWS")?;
        let (first, rest) = signature.split_at_checked(1).ok_or("no signature")?;
        let other = if first == "A" { "B" } else { "A" };
        device.token = format!("{signed}.{other}{rest}").into();
        match device.ask(true).await? {
            200 => Ok(true),
            401 | 403 | 407 => Ok(false),
            status => Err(format!("{status} to a REGISTER with another signature").into()),
        }
    })
}

/// Looks for answers all the time. A client that sleeps between them has to be woken, which its server pays for: the
/// more, the longer it took to answer.
async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}

/// Runs all devices on this thread.
fn alone<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(LocalSet::new().run_until(work))
}

/// Has [`AT_ONCE`] at a time do their work, each once.
async fn crowd<D: 'static, T: 'static>(
    waiting: impl IntoIterator<Item = D>,
    work: impl AsyncFn(D) -> Outcome<T> + Clone + 'static,
) -> Outcome<Vec<T>> {
    let waiting: Vec<D> = waiting.into_iter().collect();
    let waiting = Rc::new(RefCell::new(waiting.into_iter()));
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (waiting, work) = (Rc::clone(&waiting), work.clone());
        tasks.spawn_local(async move {
            let mut done = Vec::new();
            loop {
                let Some(next) = waiting.borrow_mut().next() else {
                    return Outcome::Ok(done);
                };
                done.push(work(next).await?);
            }
        });
    }
    let mut done = Vec::new();
    while let Some(part) = tasks.join_next().await {
        done.extend(part??);
    }
    Ok(done)
}

/// How many fleets this process has made. A process has a number below 2^22.
static CALLS: AtomicU32 = AtomicU32::new(0);

/// What the devices share.
struct Fleet {
    connector: TlsConnector,
    address: SocketAddr,
    token: Rc<str>,
    /// Tells the calls of this run from those of an earlier one.
    call: u32,
}

impl Fleet {
    fn new(material: &Material, address: SocketAddr) -> Rc<Self> {
        Rc::new(Self {
            connector: TlsConnector::from(std::sync::Arc::clone(&material.tls)),
            address,
            token: material.token.as_str().into(),
            call: process::id().wrapping_add(CALLS.fetch_add(1, Ordering::Relaxed) << 22),
        })
    }

    async fn stream(&self, number: usize) -> Outcome<TlsStream<TcpStream>> {
        let socket = TcpSocket::new_v4()?;
        if self.address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) {
            let host = SOURCES.get(number % SOURCES.len()).copied().unwrap_or(1);
            socket.bind((Ipv4Addr::new(127, 0, 0, host), 0).into())?;
        }
        let tcp = socket.connect(self.address).await?;
        tcp.set_nodelay(true)?;
        Ok(self
            .connector
            .connect(ServerName::try_from(NODE)?, tcp)
            .await?)
    }

    /// A device that is connected.
    async fn device(&self, number: usize) -> Outcome<Device> {
        Ok(Device {
            number,
            call: self.call,
            cseq: 0,
            stream: self.stream(number).await?,
            framer: Framer::for_client(Limits::default()),
            token: Rc::clone(&self.token),
        })
    }

    /// So many devices that are connected and registered. Each registers at once: who connects and says nothing is dropped.
    async fn registered(self: &Rc<Self>, count: usize) -> Outcome<Vec<Device>> {
        let fleet = Rc::clone(self);
        crowd(0..count, async move |number| {
            let mut device = fleet.device(number).await?;
            device.exchange().await?;
            Ok(device)
        })
        .await
    }

    /// Has the devices register until it was done `count` times.
    async fn register(self: &Rc<Self>, devices: Vec<Device>, case: Case, count: usize) -> Outcome {
        let left = Rc::new(Cell::new(count));
        let mut tasks = JoinSet::new();
        for mut device in devices {
            let (fleet, left) = (Rc::clone(self), Rc::clone(&left));
            tasks.spawn_local(async move {
                while let Some(less) = left.get().checked_sub(1) {
                    left.set(less);
                    let done = match case {
                        Case::Exchange => device.exchange().await,
                        Case::TokenAtOnce => device.refresh().await,
                        Case::NewConnection => device.anew(&fleet).await,
                    };
                    done?;
                }
                Outcome::Ok(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(())
    }
}

/// One device and its connection.
struct Device {
    number: usize,
    call: u32,
    cseq: u32,
    stream: TlsStream<TcpStream>,
    framer: Framer,
    token: Rc<str>,
}

impl Device {
    async fn exchange(&mut self) -> Outcome {
        let challenged = self.ask(false).await?;
        if ![401, 407].contains(&challenged) {
            return Err(format!("{challenged} to a REGISTER without token").into());
        }
        self.refresh().await
    }

    async fn refresh(&mut self) -> Outcome {
        match self.ask(true).await? {
            200 => Ok(()),
            status => Err(format!("{status} to a REGISTER with the token").into()),
        }
    }

    async fn refreshed(mut self) -> Outcome<Self> {
        self.refresh().await?;
        Ok(self)
    }

    async fn anew(&mut self, fleet: &Fleet) -> Outcome {
        self.stream = fleet.stream(self.number).await?;
        self.exchange().await?;
        Ok(self.stream.shutdown().await?)
    }

    /// Sends a REGISTER, and gives the status of the answer to it.
    async fn ask(&mut self, with_token: bool) -> Outcome<u16> {
        self.cseq += 1;
        let token = with_token.then_some(&*self.token);
        let bytes = request(self.number, (self.call, self.cseq), token);
        self.stream.write_all(&bytes).await?;
        self.stream.flush().await?;
        let mut buffer = [0; 4096];
        loop {
            if let Some(Frame::Message(answer)) = self.framer.next_frame()? {
                let view = MessageView::parse(answer, &Limits::default())?;
                let line = view.as_response().ok_or("a request instead of an answer")?;
                return Ok(line.status.as_u16());
            }
            match self.stream.read(&mut buffer).await? {
                0 => return Err("the server closed the connection".into()),
                read => self.framer.feed(buffer.get(..read).unwrap_or_default()),
            }
        }
    }
}
