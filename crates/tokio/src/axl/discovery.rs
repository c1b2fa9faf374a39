//! What an Expressway-C learns from a publisher and what it writes there.

use sip_oauth_axl::{
    CallManager, CallManagerKey, ClusterSipOAuthMode, ExecuteSqlQuery, GetCallManager,
    ListCallManager, SipPorts, TypedRequest as _,
    push::{Plan, Push},
};

use super::client::{AxlClient, AxlError, AxlFailure};

/// A cluster as seen by its publisher's AXL service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discovery {
    /// The configured cluster mode. It takes effect on a node when CallManager is restarted there.
    pub mode: ClusterSipOAuthMode,
    /// The nodes that run CallManager, in the order the service lists them.
    pub nodes: Vec<DiscoveredNode>,
}

/// One node that runs CallManager.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveredNode {
    /// The Unified CM's name, which zones and search rules carry.
    pub name: String,
    /// The host the node is reached at (System > Server); the name where the service does not tell.
    pub process_node_name: String,
    /// Its SIP ports; the product's defaults where the service does not tell.
    pub ports: SipPorts,
}

impl DiscoveredNode {
    fn of(node: &CallManager) -> Option<Self> {
        let name = node.name.as_ref().map(|name| name.as_str().to_owned());
        let host = node
            .process_node_name
            .as_ref()
            .map(|host| host.name.as_str().to_owned());
        let told = node.ports.as_ref().and_then(|ports| ports.sip_ports);
        Some(Self {
            process_node_name: host.clone().or_else(|| name.clone())?,
            name: name.or(host)?,
            ports: told.unwrap_or(SipPorts::DEFAULT),
        })
    }

    /// Where mutual TLS for MRA is answered.
    pub fn sip_mra_oauth_port(&self) -> u16 {
        self.ports.sip_oauth_mra_port.unwrap_or(5091)
    }

    /// Where TLS for clients on premises is answered.
    pub fn sip_oauth_port(&self) -> u16 {
        self.ports.sip_oauth_port.unwrap_or(5090)
    }
}

/// What a push did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// What was sent; [`Plan::UpToDate`] when nothing was.
    pub plan: Plan,
    /// Names that did not fit into the field.
    pub cut: Vec<String>,
}

impl AxlClient {
    /// Reads the nodes with their ports, and the cluster's SIP OAuth mode.
    ///
    /// `listCallManager` gives the names, one `getCallManager` each gives the ports, `executeSQLQuery` the mode.
    ///
    /// # Errors
    ///
    /// The first request that fails.
    pub async fn discover(&self) -> Result<Discovery, AxlError> {
        let mut nodes = Vec::new();
        for listed in self.call(ListCallManager::all()).await? {
            let key = match (&listed.uuid, &listed.name) {
                (Some(uuid), _) => CallManagerKey::Uuid(*uuid),
                (None, Some(name)) => CallManagerKey::Name(name.clone()),
                // Neither identifier: there is nothing to ask for.
                (None, None) => continue,
            };
            let node = self
                .call(GetCallManager {
                    key,
                    returned_tags: None,
                })
                .await?;
            nodes.extend(DiscoveredNode::of(&node));
        }
        let rows = self.call(ExecuteSqlQuery::cluster_sip_oauth_mode()).await?;
        let mode = ClusterSipOAuthMode::from_rows(&rows).map_err(|error| AxlError {
            host: self.host(),
            operation: ExecuteSqlQuery::OPERATION,
            failure: AxlFailure::Rows(error),
        })?;
        Ok(Discovery { mode, nodes })
    }

    /// Writes the names of our certificate into `expresswaycconfiguration`: adds the own row when it is missing, updates it
    /// when it names something else, touches no other.
    ///
    /// # Errors
    ///
    /// The first request that fails.
    pub async fn push(&self, push: &Push) -> Result<Pushed, AxlError> {
        let rows = self.call(push.list()).await?;
        let plan = push.plan(&rows);
        match plan.clone() {
            Plan::Add(add) => {
                self.call(add).await?;
            }
            Plan::Update(change) => {
                self.call(change.request).await?;
            }
            Plan::UpToDate => {}
        }
        Ok(Pushed {
            plan,
            cut: push.names().cut().to_vec(),
        })
    }
}
