//! An edge at work: the listener for clients and the zones to the nodes.

use std::{fmt, io, net::SocketAddr, sync::Arc};

use sip_oauth_message::Limits;
use sip_oauth_registration::edge::{DiscoveredNode, Edge, TokenGate, ZoneChange};
use sip_oauth_trust::ServerConfigs;
use tokio::net::TcpListener;

use super::{
    clients::serve,
    shared::{Attempts, Shared, ZoneReport},
    zone::ZoneLink,
};
use crate::{
    clock::Clock,
    connect::Connector,
    limits::{ServerLimits, Timeouts},
    observe::{Observed, Observer},
    server::{Doors, Entrance, Gate, Listening, Pressure, Security, bind},
    stop::Stop,
};

/// The listener's name in log lines and errors.
const LABEL: &str = "edge";

/// An edge at work.
///
/// A request for a zone that is not active is answered with 503 and `Retry-After` by the machine, and makes the zone try
/// again at once. A zone that breaks while requests wait in it has them answered the same way.
///
/// Dropping it begins what [`EdgeServer::shutdown`] does, without waiting for the end.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
/// use sip_oauth_registration::edge::{DiscoveredNode, Edge, EdgeConfig};
/// use sip_oauth_tokio::{AxlClient, Connector, EdgeServer};
/// use sip_oauth_trust::ServerConfigs;
/// # async fn example(
/// #     tls: Arc<ServerConfigs>, connector: Connector, publisher: AxlClient,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
///
/// let edge = Edge::new(EdgeConfig::new("expc.example.com", 5061));
/// let server = EdgeServer::builder(edge, tls, connector)
///     .listen("[::]:5061".parse()?)
///     .start()
///     .await?;
///
/// let cluster = publisher.discover().await?;
/// let nodes: Vec<_> = cluster
///     .nodes
///     .iter()
///     .map(|node| DiscoveredNode::new(&node.process_node_name, node.sip_mra_oauth_port()))
///     .collect();
/// for report in server.refresh_servers(&nodes).await {
///     println!("{}: {}", report.zone.name, report.zone.state);
///     if let Some(explanation) = report.explanation {
///         println!("  {explanation}");
///     }
/// }
/// # Ok(()) }
/// ```
pub struct EdgeServer {
    shared: Arc<Shared>,
    connectors: Connectors,
    listening: Vec<Listening>,
    /// Ends the watch on the runtime's lateness when dropped.
    _gauge: Stop,
}

#[derive(Clone)]
struct Connectors {
    verifying: Connector,
    /// For nodes that were discovered with TLS verify off.
    unverified: Option<Connector>,
}

impl fmt::Debug for EdgeServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeServer")
            .field("listening", &self.listening)
            .field("zones", &self.zones())
            .finish_non_exhaustive()
    }
}

/// Steps to an [`EdgeServer`].
#[must_use = "a builder does nothing until it is started"]
pub struct EdgeServerBuilder {
    edge: Edge,
    tls: Arc<ServerConfigs>,
    connectors: Connectors,
    addresses: Vec<SocketAddr>,
    sockets: Vec<TcpListener>,
    limits: ServerLimits,
    message_limits: Limits,
    timeouts: Timeouts,
    observed: Observed,
}

impl fmt::Debug for EdgeServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeServerBuilder")
            .field("edge", &self.edge)
            .finish_non_exhaustive()
    }
}

impl EdgeServer {
    /// Begins a server around `edge`: clients meet `tls` (its configuration without client certificates), nodes are
    /// connected to through `connector`, whose TLS configuration holds the edge's own certificate.
    ///
    /// Zones go by the clock of `connector`, and its observer sees them being connected.
    pub fn builder(edge: Edge, tls: Arc<ServerConfigs>, connector: Connector) -> EdgeServerBuilder {
        EdgeServerBuilder {
            edge,
            tls,
            observed: connector.observed().clone(),
            timeouts: connector.timeouts().clone(),
            connectors: Connectors {
                verifying: connector,
                unverified: None,
            },
            addresses: Vec::new(),
            sockets: Vec::new(),
            limits: ServerLimits::default(),
            message_limits: Limits::default(),
        }
    }

    /// The addresses clients may connect to.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.listening
            .iter()
            .map(|listening| listening.local)
            .collect()
    }

    /// Connections of clients there are now.
    pub fn connections(&self) -> usize {
        self.shared.doors.gate.connections()
    }

    /// The zones as they are now.
    pub fn zones(&self) -> Vec<ZoneReport> {
        self.shared.reports()
    }

    /// Looks at the machine: its zones, search rules and configuration.
    pub fn with_edge<R>(&self, look: impl FnOnce(&Edge) -> R) -> R {
        look(&self.shared.edge())
    }

    /// Judges tokens by another rule from now on.
    pub fn set_tokens(&self, tokens: TokenGate) {
        self.shared.edge_mut().set_tokens(tokens);
    }

    /// *Refresh servers*: makes zones and search rules from the nodes found, connects new and changed zones, closes those
    /// that are gone, and returns when every zone is active or has failed.
    pub async fn refresh_servers(&self, nodes: &[DiscoveredNode]) -> Vec<ZoneReport> {
        let mut before = self.shared.attempts();
        let changes = self.shared.edge_mut().refresh_servers(nodes);
        for change in changes {
            match change {
                ZoneChange::Added(zone) | ZoneChange::Changed(zone) => {
                    let connector = match &self.connectors.unverified {
                        Some(unverified) if !zone.tls_verify => unverified,
                        _ => &self.connectors.verifying,
                    };
                    before.remove(&zone.name);
                    self.shared.zone_closed(&zone.name);
                    self.shared.forget_attempts(&zone.name);
                    let mut links = self.shared.zone_links();
                    let old = links.remove(&zone.name);
                    let shared = Arc::clone(&self.shared);
                    let link = ZoneLink::open(&zone, shared, connector.clone(), old);
                    links.insert(zone.name, link);
                }
                ZoneChange::Removed { name } => {
                    self.shared.zone_links().remove(&name);
                    self.shared.forget_attempts(&name);
                    self.shared.zone_closed(&name);
                }
                _ => {}
            }
        }
        self.hurry();
        self.settled(&before).await
    }

    /// Lets every zone that is not active try again, and returns when each is active or has failed.
    pub async fn check_zones(&self) -> Vec<ZoneReport> {
        let before = self.shared.attempts();
        self.hurry();
        self.settled(&before).await
    }

    fn hurry(&self) {
        for report in self.zones() {
            if !report.zone.state.is_active()
                && let Some(link) = self.shared.zone_links().get(&report.zone.name)
            {
                link.hurry();
            }
        }
    }

    /// Waits until every zone is active or was tried more often than `before`.
    async fn settled(&self, before: &Attempts) -> Vec<ZoneReport> {
        let mut attempts = self.shared.watch_attempts();
        loop {
            let now = attempts.borrow_and_update().clone();
            let reports = self.zones();
            let tried = |name: &str| now.get(name) > before.get(name);
            if reports
                .iter()
                .all(|report| report.zone.state.is_active() || tried(&report.zone.name))
            {
                return reports;
            }
            // `shared` holds the sender.
            let _ = attempts.changed().await;
        }
    }

    /// Stops accepting at once, forwards each request that has arrived or begun to, brings the answers, closes clients and
    /// zones, and returns when all is closed; after [`Timeouts::shutdown`] what is left is cut.
    pub async fn shutdown(mut self) {
        let stopping: Vec<_> = std::mem::take(&mut self.listening)
            .into_iter()
            .map(|listening| tokio::spawn(listening.stop()))
            .collect();
        for stopped in stopping {
            let _ = stopped.await;
        }
        let links: Vec<_> = self.shared.zone_links().drain().collect();
        for (_, link) in &links {
            link.stop();
        }
        for (_, link) in links {
            link.close().await;
        }
    }
}

impl Drop for EdgeServer {
    fn drop(&mut self) {
        // The zones' tasks hold `shared`, which holds what stops them.
        self.shared.zone_links().clear();
    }
}

impl EdgeServerBuilder {
    /// Listens for clients on `address`; port 0 takes a free one, told by [`EdgeServer::local_addrs`].
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.addresses.push(address);
        self
    }

    /// Listens for clients on a socket that is bound already.
    pub fn listen_on(mut self, socket: TcpListener) -> Self {
        self.sockets.push(socket);
        self
    }

    /// Connects to nodes that were discovered with TLS verify off through `connector`; without this they are verified
    /// like the others.
    pub fn connector_without_tls_verify(mut self, connector: Connector) -> Self {
        self.connectors.unverified = Some(connector);
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

    /// Bounds how long each step of a client's connection may take; by default as the connector's.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Reports to `observer`; by default to the connector's.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observed = Observed::by(observer);
        self
    }

    /// Binds and starts. There is no zone before [`EdgeServer::refresh_servers`].
    ///
    /// # Errors
    ///
    /// When an address cannot be bound; the text names it.
    pub async fn start(self) -> io::Result<EdgeServer> {
        let clock: Clock = self.connectors.verifying.clock().clone();
        let doors = Doors {
            gate: Gate::new(self.limits),
            pressure: Arc::new(Pressure::new(self.timeouts.overload)),
            peers: Arc::default(),
            timeouts: self.timeouts,
            limits: self.message_limits,
            clock,
            observed: self.observed,
        };
        let shared = Arc::new(Shared::new(self.edge, doors));
        let gauge = Stop::new();
        let (pressure, stopped) = (Arc::clone(&shared.doors.pressure), gauge.listen());
        tokio::spawn(async move { pressure.watch(stopped).await });
        let mut sockets = self.sockets;
        for address in self.addresses {
            sockets.push(bind(LABEL, address).await?);
        }
        let mut listening = Vec::new();
        for socket in sockets {
            let turn_away = Arc::clone(&shared);
            let entrance = Entrance {
                doors: shared.doors.clone(),
                security: Security::Tls(Arc::clone(&self.tls)),
                label: LABEL,
                turn_away: Arc::new(move |ends, message| turn_away.turn_away(ends, message)),
            };
            let shared = Arc::clone(&shared);
            listening
                .push(entrance.open(socket, move |accepted| serve(Arc::clone(&shared), accepted))?);
        }
        Ok(EdgeServer {
            shared,
            connectors: self.connectors,
            listening,
            _gauge: gauge,
        })
    }
}
