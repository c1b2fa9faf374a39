//! Listeners that start, restart and stop together.

use std::{fmt, io, net::SocketAddr, sync::Arc};

use rustls::ServerConfig;
use sip_oauth_message::Limits;
use sip_oauth_registration::registrar::{BindingStore, Listener, Registrar};
use sip_oauth_trust::{ChangeListener, Explanation, ServerConfigs};
use tokio::{net::TcpListener, sync::Notify};

use super::{
    enquiry::Enquiry,
    judge::Judge,
    serve::{Desk, expire},
};
use crate::{
    clock::Clock,
    limits::{ServerLimits, Timeouts},
    observe::{Ends, Observed, Observer},
    server::{Doors, Entrance, Gate, Listening, Pressure, Security, bind},
    stop::Stop,
};

/// A registrar at work on its listeners.
///
/// Dropping it begins what [`RegistrarServer::shutdown`] does, without waiting for the end.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
/// use sip_oauth_registration::registrar::{Listener, Registrar};
/// use sip_oauth_tokio::RegistrarServer;
/// use sip_oauth_trust::ServerConfigs;
/// # async fn example(registrar: Arc<Registrar>, tls: Arc<ServerConfigs>) -> Result<(), Box<dyn std::error::Error>> {
///
/// let mut server = RegistrarServer::builder(registrar, tls)
///     .listen(Listener::SipOAuth, "[::]:5090".parse()?)
///     .listen(Listener::SipMraOAuth, "[::]:5091".parse()?)
///     .listen(Listener::Sip, "[::]:5060".parse()?)
///     .start()
///     .await?;
/// assert_eq!(server.local_addr(Listener::SipOAuth).map(|address| address.port()), Some(5090));
///
/// // The administrator disables SIP OAuth and restarts Cisco CallManager.
/// server.restart([(Listener::Sip, "[::]:5060".parse()?)]).await?;
/// assert_eq!(server.local_addr(Listener::SipOAuth), None);
/// server.shutdown().await;
/// # Ok(()) }
/// ```
pub struct RegistrarServer {
    judge: Arc<dyn Judge>,
    tls: Arc<ServerConfigs>,
    secure_tls: Option<Arc<ServerConfig>>,
    enquiry: Option<Arc<dyn Enquiry>>,
    doors: Doors,
    listening: Vec<(Listener, Listening)>,
    /// Ends the timer of the present registrar.
    timer: Stop,
    /// Ends the watch on the runtime's lateness.
    gauge: Stop,
    /// Ends the watch on store and table.
    trust: Stop,
    /// Hears of their changes as long as the server lives.
    _listener: ChangeListener,
}

impl fmt::Debug for RegistrarServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrarServer")
            .field("listening", &self.listening)
            .finish_non_exhaustive()
    }
}

/// Steps to a [`RegistrarServer`].
#[must_use = "a builder does nothing until it is started"]
pub struct RegistrarServerBuilder {
    judge: Arc<dyn Judge>,
    tls: Arc<ServerConfigs>,
    secure_tls: Option<Arc<ServerConfig>>,
    enquiry: Option<Arc<dyn Enquiry>>,
    binds: Vec<(Listener, Bind)>,
    limits: ServerLimits,
    message_limits: Limits,
    timeouts: Timeouts,
    clock: Clock,
    observed: Observed,
}

impl fmt::Debug for RegistrarServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrarServerBuilder")
            .field("binds", &self.binds)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Bind {
    Address(SocketAddr),
    Socket(TcpListener),
}

impl RegistrarServer {
    /// Begins a server that asks `registrar` and presents and verifies certificates by `tls`.
    pub fn builder<S>(
        registrar: Arc<Registrar<S>>,
        tls: Arc<ServerConfigs>,
    ) -> RegistrarServerBuilder
    where
        S: BindingStore + Send + Sync + 'static,
    {
        RegistrarServerBuilder {
            judge: registrar,
            tls,
            secure_tls: None,
            enquiry: None,
            binds: Vec::new(),
            limits: ServerLimits::default(),
            message_limits: Limits::default(),
            timeouts: Timeouts::default(),
            clock: Clock::real(),
            observed: Observed::default(),
        }
    }

    /// The address a listener is bound to, the first of several; `None` when there is no such listener.
    pub fn local_addr(&self, listener: Listener) -> Option<SocketAddr> {
        self.listening
            .iter()
            .find(|(open, _)| *open == listener)
            .map(|(_, listening)| listening.local)
    }

    /// Connections there are now, over all listeners.
    pub fn connections(&self) -> usize {
        self.doors.gate.connections()
    }

    /// Verifies the peers of [`Listener::SipMraOAuth`] that are connected anew, and closes those that trust store or table
    /// no longer let in: they, and why.
    ///
    /// The server does so by itself after each change of either, when a certificate ends, and once an hour; this is
    /// for who wants to know the outcome at once.
    pub fn recheck_peers(&self) -> Vec<(Ends, Explanation)> {
        let now = self.doors.clock.system_now();
        self.doors.peers.recheck_by(&self.tls, now)
    }

    /// Replaces the registrar: listeners opened from now on, by a restart, ask `registrar`.
    pub fn set_registrar<S>(&mut self, registrar: Arc<Registrar<S>>)
    where
        S: BindingStore + Send + Sync + 'static,
    {
        self.judge = registrar;
        self.timer = self.start_timer();
    }

    /// Spawns the task that ends registrations in time; it runs as long as the result lives.
    fn start_timer(&self) -> Stop {
        let timer = Stop::new();
        let judge = Arc::clone(&self.judge);
        tokio::spawn(expire(judge, self.doors.clone(), timer.listen()));
        timer
    }

    /// Stops all listeners, ends their connections, and listens anew on these addresses: a restart of Cisco CallManager.
    ///
    /// Server certificate, trust store and table are those of the [`ServerConfigs`] given at the start; reload the
    /// certificate there first.
    ///
    /// # Errors
    ///
    /// When an address cannot be bound, whose text names listener and address; the server then listens on none.
    pub async fn restart(
        &mut self,
        listeners: impl IntoIterator<Item = (Listener, SocketAddr)>,
    ) -> io::Result<()> {
        self.stop_all().await;
        // All are bound before one is opened.
        let mut sockets = Vec::new();
        for (listener, address) in listeners {
            sockets.push((listener, bind(listener.label(), address).await?));
        }
        self.listening = self.open_all(sockets)?;
        Ok(())
    }

    /// The same on sockets that are bound already.
    ///
    /// # Errors
    ///
    /// When a socket has no local address, or [`Listener::SipSecure`] has no configuration.
    pub async fn restart_on(
        &mut self,
        listeners: impl IntoIterator<Item = (Listener, TcpListener)>,
    ) -> io::Result<()> {
        self.stop_all().await;
        self.listening = self.open_all(listeners)?;
        Ok(())
    }

    /// Stops accepting at once, finishes the handshakes whose ClientHello has come, answers each request that has arrived or begun to,
    /// closes every connection, and returns when all is closed; after [`Timeouts::shutdown`] what is left is cut. A
    /// connection that has nothing to be answered, a new one included, is closed without waiting for its next request.
    pub async fn shutdown(mut self) {
        self.stop_all().await;
    }

    async fn stop_all(&mut self) {
        let stopping: Vec<_> = std::mem::take(&mut self.listening)
            .into_iter()
            .map(|(_, listening)| tokio::spawn(listening.stop()))
            .collect();
        for stopped in stopping {
            let _ = stopped.await;
        }
    }

    fn open_all(
        &self,
        sockets: impl IntoIterator<Item = (Listener, TcpListener)>,
    ) -> io::Result<Vec<(Listener, Listening)>> {
        sockets
            .into_iter()
            .map(|(listener, socket)| Ok((listener, self.open(listener, socket)?)))
            .collect()
    }

    fn open(&self, listener: Listener, socket: TcpListener) -> io::Result<Listening> {
        let security = match listener {
            Listener::Sip => Security::Plain,
            Listener::SipOAuth => Security::Tls(Arc::clone(&self.tls)),
            Listener::SipMraOAuth => Security::MutualTls(Arc::clone(&self.tls)),
            Listener::SipSecure => Security::Other(self.secure_tls.clone().ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "SIP Phone Secure Port needs a TLS configuration of its own",
                )
            })?),
        };
        let desk = Arc::new(Desk {
            listener,
            judge: Arc::clone(&self.judge),
            enquiry: self.enquiry.clone(),
            doors: self.doors.clone(),
        });
        let turn_away = Arc::clone(&desk);
        let entrance = Entrance {
            doors: self.doors.clone(),
            security,
            label: listener.label(),
            turn_away: Arc::new(move |ends, message| turn_away.turn_away(ends, message)),
        };
        entrance.open(socket, move |accepted| Arc::clone(&desk).serve(accepted))
    }
}

impl RegistrarServerBuilder {
    /// Listens on `address`; port 0 takes a free one, told by [`RegistrarServer::local_addr`]. A listener may have several
    /// addresses.
    pub fn listen(mut self, listener: Listener, address: SocketAddr) -> Self {
        self.binds.push((listener, Bind::Address(address)));
        self
    }

    /// Listens on a socket that is bound already.
    pub fn listen_on(mut self, listener: Listener, socket: TcpListener) -> Self {
        self.binds.push((listener, Bind::Socket(socket)));
        self
    }

    /// The TLS configuration of [`Listener::SipSecure`], whose client certificates are the phones' own.
    pub fn secure_tls(mut self, config: Arc<ServerConfig>) -> Self {
        self.secure_tls = Some(config);
        self
    }

    /// Asks `enquiry` about a token whose key the verifier does not have, or which only its authorization server can judge,
    /// and judges the request again if that helped. Who cannot be asked leaves the token unjudged: the answer is 503 with
    /// Retry-After. Without an enquiry an unknown key is a refusal, and an opaque token unjudged.
    ///
    /// The connection waits for the answer, and so does whoever shares it behind an edge: a failing server is asked by one
    /// request, then left alone for a while.
    pub fn enquiry(mut self, enquiry: Arc<dyn Enquiry>) -> Self {
        self.enquiry = Some(enquiry);
        self
    }

    /// Bounds what the server holds at once.
    pub fn limits(mut self, limits: ServerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Bounds one message.
    pub fn message_limits(mut self, limits: Limits) -> Self {
        self.message_limits = limits;
        self
    }

    /// Bounds how long each step may take.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The clock that bindings and tokens go by.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Reports to `observer`.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observed = Observed::by(observer);
        self
    }

    /// Binds and starts.
    ///
    /// # Errors
    ///
    /// When an address cannot be bound, whose text names listener and address, or [`Listener::SipSecure`] has no configuration.
    pub async fn start(self) -> io::Result<RegistrarServer> {
        let changed = Arc::new(Notify::new());
        let telling = Arc::clone(&changed);
        let listener = ChangeListener::new(move || telling.notify_one());
        self.tls.on_change(&listener);
        let mut server = RegistrarServer {
            judge: self.judge,
            tls: self.tls,
            secure_tls: self.secure_tls,
            enquiry: self.enquiry,
            doors: Doors {
                gate: Gate::new(self.limits),
                pressure: Arc::new(Pressure::new(self.timeouts.overload)),
                peers: Arc::default(),
                timeouts: self.timeouts,
                limits: self.message_limits,
                clock: self.clock,
                observed: self.observed,
            },
            listening: Vec::new(),
            timer: Stop::new(),
            gauge: Stop::new(),
            trust: Stop::new(),
            _listener: listener,
        };
        server.timer = server.start_timer();
        let (pressure, stopped) = (Arc::clone(&server.doors.pressure), server.gauge.listen());
        tokio::spawn(async move { pressure.watch(stopped).await });
        let (peers, tls) = (Arc::clone(&server.doors.peers), Arc::clone(&server.tls));
        let (clock, stopped) = (server.doors.clock.clone(), server.trust.listen());
        tokio::spawn(async move { peers.watch(&tls, &clock, &changed, stopped).await });
        let mut sockets = Vec::new();
        for (listener, to) in self.binds {
            let socket = match to {
                Bind::Address(address) => bind(listener.label(), address).await?,
                Bind::Socket(socket) => socket,
            };
            sockets.push((listener, socket));
        }
        server.listening = server.open_all(sockets)?;
        Ok(server)
    }
}
