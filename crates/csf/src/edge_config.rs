//! The bootstrap document of Mobile and Remote Access.

use std::borrow::Cow;

use crate::document::{Document, Element};
use crate::error::{ReadError, ValueError};
use crate::finding::Finding;
use crate::limits::Limits;
use crate::rule::Rule;
use crate::target::EDGE_TLS_PORT;
use crate::value::{self, Value};

/// The answer to `get_edge_config`: where a client outside goes, and what it writes into its Route header.
///
/// ```
/// use sip_oauth_csf::{EdgeConfig, Limits};
///
/// let answer = b"<getEdgeConfigResponse version=\"1.0\"><edgeConfig><sipEdgeServer><server>\
///     <address>expe.example.com</address><tlsPort>5061</tlsPort></server></sipEdgeServer><sipRequest>\
///     <route>&lt;sip:192.0.2.100:5061;transport=tls;zone-id=3;directed;lr&gt;</route></sipRequest></edgeConfig>\
///     </getEdgeConfigResponse>";
/// let edge = EdgeConfig::read(answer, &Limits::default())?;
///
/// let server = &edge.sip_edge_servers()?[0];
/// assert_eq!((&*server.address.value, server.port.value), ("expe.example.com", 5061));
/// assert_eq!(edge.route().unwrap().value, "<sip:192.0.2.100:5061;transport=tls;zone-id=3;directed;lr>");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct EdgeConfig {
    document: Document,
}

/// A host and a port the bootstrap document names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeServer<'a> {
    /// `address`.
    pub address: Value<Cow<'a, str>>,
    /// `tlsPort` or `port`.
    pub port: Value<u16>,
}

impl EdgeConfig {
    /// The name of the root element.
    pub const ROOT: &str = "getEdgeConfigResponse";

    /// Reads an answer.
    ///
    /// # Errors
    ///
    /// [`ReadError`] as for a device file.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        Ok(Self {
            document: Document::read(bytes, Self::ROOT, limits)?,
        })
    }

    /// The document tree.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// `edgeConfig/sipEdgeServer`: the Expressway-E nodes for SIP, in document order. Default port 5061.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when something else than a port from 1 to 65535 is written.
    pub fn sip_edge_servers(&self) -> Result<Vec<EdgeServer<'_>>, ValueError> {
        self.edge_servers("sipEdgeServer", EDGE_TLS_PORT)
    }

    /// `edgeConfig/httpEdgeServer`: the Expressway-E nodes that proxy HTTP. Default port 8443.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when something else than a port from 1 to 65535 is written.
    pub fn http_edge_servers(&self) -> Result<Vec<EdgeServer<'_>>, ValueError> {
        self.edge_servers("httpEdgeServer", 8443)
    }

    fn edge_servers(
        &self,
        group: &str,
        default_port: u16,
    ) -> Result<Vec<EdgeServer<'_>>, ValueError> {
        let group = self.document.root().descend(&["edgeConfig", group]);
        let servers = group
            .into_iter()
            .flat_map(|group| group.children_named("server"));
        named(servers, "tlsPort", default_port)
    }

    /// `edgeConfig/sipRequest/route`: the value of the Route header, none when missing or empty.
    pub fn route(&self) -> Option<Value<Cow<'_, str>>> {
        let request = ["edgeConfig", "sipRequest", "route"];
        value::word(self.document.root().descend(&request)).filter(|route| !route.value.is_empty())
    }

    /// `serviceConfig/service[name="_cisco-uds"]`: the User Data Services, by priority and then document order.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when a priority is no number, or a port none from 1 to 65535.
    pub fn uds_servers(&self) -> Result<Vec<EdgeServer<'_>>, ValueError> {
        let mut servers = Vec::new();
        for service in self.services("_cisco-uds") {
            for server in service.children_named("server") {
                servers.push((value::number(server.child("priority"), 0)?.value, server));
            }
        }
        servers.sort_by_key(|&(priority, _)| priority);
        named(servers.into_iter().map(|(_, server)| server), "port", 8443)
    }

    /// `edgeConfig/userUdsServer`: the User Data Services of the user's home cluster. Default port 8443. None when the
    /// address is empty, which a client reports as "XML didn't contain UDS server address": the user has no home cluster,
    /// or no service profile.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when something else than a port from 1 to 65535 is written.
    pub fn user_uds_servers(&self) -> Result<Vec<EdgeServer<'_>>, ValueError> {
        self.edge_servers("userUdsServer", 8443)
    }

    /// What keeps a client outside from signing in by this answer: no User Data Service of its user's home cluster, or values
    /// that cannot be read.
    ///
    /// ```
    /// use sip_oauth_csf::{EdgeConfig, Limits, Rule};
    ///
    /// let answer = b"<getEdgeConfigResponse><edgeConfig><userUdsServer><server><address></address></server>\
    ///     </userUdsServer></edgeConfig></getEdgeConfigResponse>";
    /// let edge = EdgeConfig::read(answer, &Limits::default())?;
    /// assert_eq!(edge.findings()[0].rule, Rule::NoHomeUds);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut count = |servers: Result<Vec<EdgeServer<'_>>, ValueError>| match servers {
            Ok(servers) => Some(servers.len()),
            Err(error) => {
                findings.push(Finding::unreadable(Rule::UnreadableValue, error));
                None
            }
        };
        count(self.sip_edge_servers());
        count(self.http_edge_servers());
        let discovered = count(self.uds_servers());
        let home = count(self.user_uds_servers());
        let root = self.document.root();
        let group = root.descend(&["edgeConfig", "userUdsServer"]);
        // An answer may leave the element out and name the services instead.
        if home == Some(0) && (group.is_some() || discovered == Some(0)) {
            let position = group.unwrap_or(root).position();
            let what = "there is no address of a User Data Service";
            findings.push(Finding::new(Rule::NoHomeUds, position, what));
        }
        findings
    }

    /// `serviceConfig/service[name="tftpServer"]`: the hosts that serve device files, empty ones left out.
    pub fn tftp_servers(&self) -> Vec<Value<Cow<'_, str>>> {
        self.services("tftpServer")
            .flat_map(|service| service.children_named("address"))
            .filter_map(|address| value::word(Some(address)))
            .filter(|address| !address.value.is_empty())
            .collect()
    }

    fn services<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Element<'a>> + 'a {
        let config = self.document.root().child("serviceConfig");
        config
            .into_iter()
            .flat_map(|config| config.children_named("service"))
            .filter(move |service| {
                value::word(service.child("name")).is_some_and(|found| found.value == name)
            })
    }
}

/// The servers that have an address.
fn named<'a>(
    servers: impl Iterator<Item = Element<'a>>,
    port: &str,
    default_port: u16,
) -> Result<Vec<EdgeServer<'a>>, ValueError> {
    let mut found = Vec::new();
    for server in servers {
        let address = value::word(server.child("address"));
        if let Some(address) = address.filter(|address| !address.value.is_empty()) {
            let port = value::port(server.child(port), default_port)?;
            found.push(EdgeServer { address, port });
        }
    }
    Ok(found)
}
