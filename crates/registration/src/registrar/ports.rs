//! The ports of a node: which are allowed, and that none is taken twice.

use super::arrival::Listener;

/// The lowest port the administrator may give a SIP OAuth listener.
pub const MIN_OAUTH_PORT: u16 = 1024;
/// The highest port the administrator may give a SIP OAuth listener.
pub const MAX_OAUTH_PORT: u16 = 49151;

/// The ports of one node, checked: the two OAuth ports are within 1024 to 49151, and none is used
/// twice, not even by a SIP trunk.
///
/// ```
/// use sip_oauth_registration::registrar::{Listener, NodePorts, PortProblem};
///
/// assert_eq!(NodePorts::default().port(Listener::SipMraOAuth), 5091);
/// let moved = NodePorts::default().with(Listener::SipOAuth, 5190)?;
/// assert_eq!(moved.port(Listener::SipOAuth), 5190);
/// assert_eq!(
///     NodePorts::default().with(Listener::SipOAuth, 50000),
///     Err(PortProblem::OutOfRange { listener: Listener::SipOAuth, port: 50000 })
/// );
/// # Ok::<(), PortProblem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodePorts {
    sip: u16,
    sip_secure: u16,
    sip_oauth: u16,
    sip_mra_oauth: u16,
    trunks: Vec<u16>,
}

/// Why ports cannot be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PortProblem {
    /// A SIP OAuth port outside its range, or port 0.
    #[error("{listener}: expected a port from {MIN_OAUTH_PORT} to {MAX_OAUTH_PORT}, found {port}")]
    OutOfRange {
        /// Whose port.
        listener: Listener,
        /// The port.
        port: u16,
    },
    /// Two listeners on one port.
    #[error("{first} and {second} both use port {port}; each needs its own")]
    Clash {
        /// One of them.
        first: Listener,
        /// The other.
        second: Listener,
        /// The port.
        port: u16,
    },
    /// A listener on the incoming port of a SIP trunk.
    #[error("{listener} uses port {port}, which is the incoming port of a SIP trunk")]
    TrunkClash {
        /// Whose port.
        listener: Listener,
        /// The port.
        port: u16,
    },
}

impl Default for NodePorts {
    /// 5060, 5061, 5090 and 5091, no trunk.
    fn default() -> Self {
        Self {
            sip: 5060,
            sip_secure: 5061,
            sip_oauth: 5090,
            sip_mra_oauth: 5091,
            trunks: Vec::new(),
        }
    }
}

impl NodePorts {
    /// Ports of the two OAuth listeners, the others as they are by default.
    ///
    /// # Errors
    ///
    /// A port out of range or used twice.
    pub fn oauth(sip_oauth: u16, sip_mra_oauth: u16) -> Result<Self, PortProblem> {
        Self {
            sip_oauth,
            sip_mra_oauth,
            ..Self::default()
        }
        .checked()
    }

    /// All four ports.
    ///
    /// # Errors
    ///
    /// A port out of range or used twice.
    pub fn new(
        sip: u16,
        sip_secure: u16,
        sip_oauth: u16,
        sip_mra_oauth: u16,
    ) -> Result<Self, PortProblem> {
        Self {
            sip,
            sip_secure,
            sip_oauth,
            sip_mra_oauth,
            trunks: Vec::new(),
        }
        .checked()
    }

    /// The same with one port changed.
    ///
    /// # Errors
    ///
    /// A port out of range or used twice.
    pub fn with(mut self, listener: Listener, port: u16) -> Result<Self, PortProblem> {
        *match listener {
            Listener::Sip => &mut self.sip,
            Listener::SipSecure => &mut self.sip_secure,
            Listener::SipOAuth => &mut self.sip_oauth,
            Listener::SipMraOAuth => &mut self.sip_mra_oauth,
        } = port;
        self.checked()
    }

    /// The same with the incoming ports of the node's SIP trunks.
    ///
    /// # Errors
    ///
    /// A trunk on the port of a listener.
    pub fn with_trunks(
        mut self,
        trunks: impl IntoIterator<Item = u16>,
    ) -> Result<Self, PortProblem> {
        self.trunks = trunks.into_iter().collect();
        self.checked()
    }

    /// The port of a listener.
    pub const fn port(&self, listener: Listener) -> u16 {
        match listener {
            Listener::Sip => self.sip,
            Listener::SipSecure => self.sip_secure,
            Listener::SipOAuth => self.sip_oauth,
            Listener::SipMraOAuth => self.sip_mra_oauth,
        }
    }

    fn checked(self) -> Result<Self, PortProblem> {
        for (index, first) in Listener::ALL.into_iter().enumerate() {
            let port = self.port(first);
            let in_range = if first.is_oauth() {
                (MIN_OAUTH_PORT..=MAX_OAUTH_PORT).contains(&port)
            } else {
                // The range of the other two is not published.
                port != 0
            };
            if !in_range {
                return Err(PortProblem::OutOfRange {
                    listener: first,
                    port,
                });
            }
            if let Some(second) = Listener::ALL
                .into_iter()
                .skip(index + 1)
                .find(|&second| self.port(second) == port)
            {
                return Err(PortProblem::Clash {
                    first,
                    second,
                    port,
                });
            }
            if self.trunks.contains(&port) {
                return Err(PortProblem::TrunkClash {
                    listener: first,
                    port,
                });
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_ends_are_allowed_and_what_lies_beyond_is_not() {
        assert!(NodePorts::oauth(1024, 49151).is_ok());
        for port in [0, 1, 1023, 49152, 65535] {
            assert!(
                matches!(
                    NodePorts::oauth(port, 5091),
                    Err(PortProblem::OutOfRange { .. })
                ),
                "{port}"
            );
        }
    }

    #[test]
    fn no_port_is_used_twice() {
        assert!(matches!(
            NodePorts::oauth(5091, 5091),
            Err(PortProblem::Clash { .. })
        ));
        assert!(matches!(
            NodePorts::oauth(5060, 5091),
            Err(PortProblem::Clash { .. })
        ));
        let problem = NodePorts::default().with_trunks([5070, 5090]);
        assert_eq!(
            problem,
            Err(PortProblem::TrunkClash {
                listener: Listener::SipOAuth,
                port: 5090
            })
        );
    }
}
