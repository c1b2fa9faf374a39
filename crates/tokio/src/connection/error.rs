//! Why a connection is of no further use.

use std::{io, time::Duration};

use sip_oauth_message::{FramingError, ParseError};
use sip_oauth_trust::Explanation;

use crate::connect::IoReason;

/// Why a connection is of no further use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The peer let us wait too long.
    #[error("{0}")]
    TimedOut(Waiting),
    /// The bytes are not SIP, or too many.
    #[error(transparent)]
    Framing(FramingError),
    /// More bytes than allowed before the first message was complete.
    #[error("no whole message within the first {0} bytes")]
    FirstMessageTooLong(usize),
    /// A frame that is no SIP message.
    #[error("{0}")]
    Malformed(ParseError),
    /// The stream ended in the middle of a message.
    #[error("the peer closed the connection inside a message")]
    EndInsideMessage,
    /// One of the two sides refused the other in TLS.
    #[error("{explanation}")]
    Tls {
        /// Who refused whom, why, and what to change.
        explanation: Box<Explanation>,
        /// The error as it came from the TLS library.
        #[source]
        source: io::Error,
    },
    /// The peer was trusted when it connected and is not any more.
    #[error("{0}")]
    Withdrawn(Box<Explanation>),
    /// The socket failed.
    #[error("{}", IoReason(_0))]
    Io(io::Error),
}

impl ConnectionError {
    /// Who refused whom, if it was TLS that failed.
    pub fn explanation(&self) -> Option<&Explanation> {
        match self {
            Self::Tls { explanation, .. } | Self::Withdrawn(explanation) => Some(explanation),
            _ => None,
        }
    }
}

/// What did not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Waiting {
    /// The first message of an accepted connection.
    #[error("no first message within {0:?}")]
    FirstMessage(Duration),
    /// The rest of a message that has begun.
    #[error("a message took longer than {0:?}")]
    Message(Duration),
    /// Any message or keep-alive.
    #[error("idle for {0:?}")]
    Idle(Duration),
    /// The answer to our keep-alive.
    #[error("no answer to a keep-alive within {0:?}")]
    Pong(Duration),
    /// The peer reading what we write.
    #[error("the peer did not take our message within {0:?}")]
    Write(Duration),
}
