//! Where a client stands: each state holds exactly what exists in it.

use std::net::SocketAddr;
use std::time::Instant;

use sip_oauth_token::AccessToken;

use super::event::FlowId;
use super::lease::Lease;
use crate::transaction::ClientTransaction;

/// Where a client stands, for people and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientState {
    /// Not started, or deregistered.
    Idle,
    /// A connection is being made.
    Connecting,
    /// The first REGISTER to a node, or its repetition with a token, waits for its answer.
    Registering,
    /// A registrar asked for a token the client does not have.
    AwaitingToken,
    /// Registered.
    Registered,
    /// Registered, and a refresh waits for its answer.
    Refreshing,
    /// A REGISTER with `Expires: 0` waits for its answer.
    Deregistering,
    /// The registrar refused.
    Refused,
    /// No node could be reached.
    Failed,
    /// The network is gone; nothing is tried until it is back.
    Suspended,
}

/// A connection and the node it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    pub(super) id: FlowId,
    /// The node's place in the configuration.
    pub(super) node: usize,
    pub(super) local: SocketAddr,
}

/// What a REGISTER is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Register,
    Refresh,
    Deregister,
    /// `Expires: 0` to a node that does not hold the registration: whether it is there. The REGISTER of a registration that
    /// comes to it meanwhile waits for the answer.
    KeepAlive,
}

impl Purpose {
    /// Whether the request asks for `Expires: 0`.
    pub(super) const fn is_for_nothing(self) -> bool {
        match self {
            Self::Deregister | Self::KeepAlive => true,
            Self::Register | Self::Refresh => false,
        }
    }
}

/// One REGISTER between its making and its final answer.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) purpose: Purpose,
    /// Its branch and Timer F.
    pub(super) exchange: ClientTransaction,
    pub(super) cseq: u32,
    /// The token it carries.
    pub(super) token: Option<AccessToken>,
    /// How many challenges were answered up to and including this request.
    pub(super) answered: u8,
    /// Whether it still has to be handed out.
    pub(super) unsent: bool,
}

/// The states of a client.
#[derive(Debug)]
pub(super) enum State {
    Idle,
    Connecting {
        id: FlowId,
        node: usize,
        give_up_at: Instant,
    },
    Requesting {
        connection: Connection,
        transaction: Transaction,
        /// The registration that is being refreshed or ended.
        lease: Option<Lease>,
    },
    AwaitingToken {
        /// `None` when the registrar closed the connection meanwhile.
        connection: Option<Connection>,
        purpose: Purpose,
        answered: u8,
        lease: Option<Lease>,
    },
    Registered {
        connection: Connection,
        lease: Lease,
    },
    Refused {
        /// `None` when the registrar closed the connection meanwhile.
        connection: Option<Connection>,
        retry_at: Option<Instant>,
    },
    Failed {
        restart_at: Option<Instant>,
    },
    Suspended,
}

impl State {
    /// The connection requests go over, where there is one.
    pub(super) fn connection(&self) -> Option<Connection> {
        match self {
            Self::Idle | Self::Connecting { .. } | Self::Failed { .. } | Self::Suspended => None,
            Self::Requesting { connection, .. } | Self::Registered { connection, .. } => {
                Some(*connection)
            }
            Self::AwaitingToken { connection, .. } | Self::Refused { connection, .. } => {
                *connection
            }
        }
    }

    /// When [`handle_timeout`](super::Client::handle_timeout) has something to do in this state.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Idle | Self::Suspended => None,
            Self::Connecting { give_up_at, .. } => Some(*give_up_at),
            Self::Requesting {
                transaction, lease, ..
            } => {
                let lapse = lease
                    .filter(|_| transaction.purpose == Purpose::Refresh)
                    .map(|lease| lease.ends_at);
                lapse
                    .into_iter()
                    .chain(transaction.exchange.poll_timeout())
                    .min()
            }
            Self::AwaitingToken { lease, .. } => lease.map(|lease| lease.ends_at),
            Self::Registered { lease, .. } => Some(lease.refresh_at),
            Self::Refused { retry_at, .. } => *retry_at,
            Self::Failed { restart_at } => *restart_at,
        }
    }

    /// The same for people and logs.
    pub(super) fn name(&self) -> ClientState {
        match self {
            Self::Idle => ClientState::Idle,
            Self::Connecting { .. } => ClientState::Connecting,
            Self::Requesting { transaction, .. } => match transaction.purpose {
                Purpose::Register | Purpose::KeepAlive => ClientState::Registering,
                Purpose::Refresh => ClientState::Refreshing,
                Purpose::Deregister => ClientState::Deregistering,
            },
            Self::AwaitingToken { .. } => ClientState::AwaitingToken,
            Self::Registered { .. } => ClientState::Registered,
            Self::Refused { .. } => ClientState::Refused,
            Self::Failed { .. } => ClientState::Failed,
            Self::Suspended => ClientState::Suspended,
        }
    }
}
