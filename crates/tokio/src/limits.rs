//! Bounds on what a stranger may make us hold, and on how long we wait for anybody.

use std::time::Duration;

/// How long each step of a connection may take. All of it is real time, not [`Clock`](crate::Clock) time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// TCP connect, per address. Default 8 s, the product's TLS_CONNECT_TIME.
    pub connect: Duration,
    /// TLS handshake, either side. Default 8 s.
    pub handshake: Duration,
    /// Writing one message. Default 10 s.
    pub write: Duration,
    /// From the end of an accepted handshake to the first complete message. Default 30 s.
    pub first_message: Duration,
    /// From the first byte of a message to its last: what drops those who send slowly. Default 30 s.
    pub message: Duration,
    /// Without any message or keep-alive on an accepted connection. Default 10 minutes, five times the 120 s that a
    /// device is granted.
    pub idle: Duration,
    /// How long a refused peer's bytes are drained after our FIN, so that the TLS alert arrives instead of a reset.
    /// Default 500 ms.
    pub linger: Duration,
    /// How long a graceful stop lets handshakes, requests and answers that have begun come to their end before they are cut.
    /// Default 5 s.
    pub shutdown: Duration,
    /// How long what has arrived may wait in the runtime before it is answered with 503 and Retry-After instead of being
    /// judged. Default 1 s: a client gives up after 32 s and then tries again, which makes a queue longer still.
    pub overload: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(8),
            handshake: Duration::from_secs(8),
            write: Duration::from_secs(10),
            first_message: Duration::from_secs(30),
            message: Duration::from_secs(30),
            idle: Duration::from_secs(600),
            linger: Duration::from_millis(500),
            shutdown: Duration::from_secs(5),
            overload: Duration::from_secs(1),
        }
    }
}

impl Timeouts {
    /// The defaults, each of which may be set by the method of its name.
    pub fn new() -> Self {
        Self::default()
    }
}

macro_rules! setters {
    ($type:ty { $($(#[$doc:meta])* $field:ident: $value:ty),+ $(,)? }) => {
        impl $type {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                #[must_use]
                pub fn $field(mut self, $field: $value) -> Self {
                    self.$field = $field;
                    self
                }
            )+
        }
    };
}

setters!(Timeouts {
    connect: Duration,
    handshake: Duration,
    write: Duration,
    first_message: Duration,
    message: Duration,
    idle: Duration,
    linger: Duration,
    shutdown: Duration,
    overload: Duration,
});

/// How much a server holds at once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerLimits {
    /// Connections in all, over every listener. Default 20,000.
    pub connections: usize,
    /// Connections from one address, of IPv6 from one network of 64 bits. Default 5,000, a quarter of all: an Expressway
    /// carries all its clients over few connections, but a network behind one address has many. More are for a load
    /// generator, or where there is one such network.
    pub connections_per_peer: usize,
    /// Handshakes in flight. Default 256; more wait for their turn, no longer than [`Timeouts::handshake`] in all.
    pub handshakes: usize,
    /// Handshakes in flight with one address, counted as for [`connections_per_peer`](Self::connections_per_peer). Default 128;
    /// more wait for their turn behind it, so that one address that shakes hands slowly does not take the turns of all
    /// others.
    pub handshakes_per_peer: usize,
    /// Bytes an accepted connection may send before its first message is complete. Default 64 KiB: a REGISTER with a token
    /// has 3 to 8 KB. Later messages are bounded by [`Limits`](sip_oauth_message::Limits) alone.
    pub first_message_bytes: usize,
    /// Connections beyond these limits that are let in for one request, to answer it with 503 and Retry-After; what comes on
    /// top is closed unheard. Default 64.
    pub turned_away: usize,
    /// Requests that wait for somebody else: at an edge those it has forwarded, at a registrar those whose token an
    /// [`Enquiry`](crate::Enquiry) asks about. Default 4,096; what comes on top is answered with 503.
    pub pending_transactions: usize,
    /// The same for the clients of one address. Default 1,024.
    pub pending_transactions_per_peer: usize,
    /// Messages queued towards one peer that reads slowly. Default 64.
    pub queued_messages: usize,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            connections_per_peer: 5_000,
            handshakes: 256,
            handshakes_per_peer: 128,
            first_message_bytes: 64 * 1024,
            turned_away: 64,
            pending_transactions: 4_096,
            pending_transactions_per_peer: 1_024,
            queued_messages: 64,
        }
    }
}

impl ServerLimits {
    /// The defaults, each of which may be set by the method of its name.
    pub fn new() -> Self {
        Self::default()
    }
}

setters!(ServerLimits {
    connections: usize,
    connections_per_peer: usize,
    handshakes: usize,
    handshakes_per_peer: usize,
    first_message_bytes: usize,
    turned_away: usize,
    pending_transactions: usize,
    pending_transactions_per_peer: usize,
    queued_messages: usize,
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_may_take_all_there_is_by_default() {
        let limits = ServerLimits::default();
        assert!(limits.connections_per_peer * 4 <= limits.connections);
        assert!(limits.handshakes_per_peer * 2 <= limits.handshakes);
        assert!(limits.pending_transactions_per_peer * 4 <= limits.pending_transactions);
    }
}
