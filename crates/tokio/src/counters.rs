//! What passes, counted through the [`metrics`] facade.

use std::{fmt, sync::Arc};

use metrics::{counter, histogram};
use sip_oauth_registration::{
    edge::Zone,
    registrar::{Decision, Ended, Listener, Observation},
};
use sip_oauth_trust::Explanation;

use crate::observe::{
    ConnectionChange, ConnectionEvent, Direction, Ends, HttpEvent, MessageEvent, Observer, Role,
};

/// An [`Observer`] that counts through the recorder the process has installed, and hands everything on to another one.
///
/// | metric | kind | labels |
/// |---|---|---|
/// | `sip_messages_total` | counter | `direction`: `sent`, `received`; `kind`: `request`, `1xx` to `6xx` |
/// | `sip_message_bytes` | histogram, bytes | `direction` |
/// | `sip_connections_total` | counter | `role`: `initiator`, `acceptor`; `change`: `opened`, `refused`, `failed`, `limited`, `closed` |
/// | `sip_decisions_total` | counter | `listener`: `sip`, `sip_secure`, `sip_oauth`, `sip_mra_oauth`; `decision`; `refusal` |
/// | `sip_registrations_ended_total` | counter | `cause` |
/// | `sip_zone_changes_total` | counter | `state`: `active`, `inactive` |
/// | `http_exchanges_total` | counter | `status`, or `none` where there was no answer |
///
/// How many connections there are now is told by
/// [`RegistrarServer::connections`](crate::RegistrarServer::connections) and
/// [`EdgeServer::connections`](crate::EdgeServer::connections). No label takes a value that a stranger chooses, so the number of series is bounded.
///
/// ```
/// use std::sync::Arc;
/// use sip_oauth_tokio::{Connector, Counters};
///
/// // Whatever recorder the process installs, for example an exporter, receives them.
/// let counters = Arc::new(Counters::new());
/// let connector = Connector::new().with_observer(counters);
/// # let _ = connector;
/// ```
#[derive(Clone, Default)]
pub struct Counters {
    next: Option<Arc<dyn Observer>>,
}

impl Counters {
    /// Counts only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts, and lets `next` see everything too.
    pub fn with_next(next: Arc<dyn Observer>) -> Self {
        Self { next: Some(next) }
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counters(..)")
    }
}

impl Observer for Counters {
    fn message(&self, event: &MessageEvent<'_>) {
        let direction = match event.direction {
            Direction::Sent => "sent",
            Direction::Received => "received",
        };
        let bytes = event.bytes.expose();
        counter!("sip_messages_total", "direction" => direction, "kind" => kind(bytes))
            .increment(1);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a message is far shorter than 2^52 bytes"
        )]
        histogram!("sip_message_bytes", "direction" => direction).record(bytes.len() as f64);
        if let Some(next) = &self.next {
            next.message(event);
        }
    }

    fn connection(&self, event: &ConnectionEvent<'_>) {
        let role = match event.role {
            Role::Initiator => "initiator",
            Role::Acceptor => "acceptor",
        };
        let change = match event.change {
            ConnectionChange::Connecting { .. } => None,
            ConnectionChange::Connected { .. } | ConnectionChange::Accepted { .. } => {
                Some("opened")
            }
            ConnectionChange::Refused(_) => Some("refused"),
            ConnectionChange::Failed(_) => Some("failed"),
            ConnectionChange::Limited(_) => Some("limited"),
            ConnectionChange::Closed => Some("closed"),
        };
        if let Some(change) = change {
            counter!("sip_connections_total", "role" => role, "change" => change).increment(1);
        }
        if let Some(next) = &self.next {
            next.connection(event);
        }
    }

    fn decision(&self, ends: Ends, observation: &Observation) {
        let decision = match observation.decision {
            Decision::Registered { .. } => "registered",
            Decision::Refreshed { .. } => "refreshed",
            Decision::Unregistered { .. } => "unregistered",
            Decision::Listed => "listed",
            Decision::OptionsAnswered => "options",
            Decision::Refused(_) => "refused",
            _ => "ignored",
        };
        let refusal = observation
            .refusal()
            .map_or_else(String::new, |refusal| format!("{refusal:?}"));
        let listener = match observation.listener {
            Listener::Sip => "sip",
            Listener::SipSecure => "sip_secure",
            Listener::SipOAuth => "sip_oauth",
            Listener::SipMraOAuth => "sip_mra_oauth",
        };
        counter!(
            "sip_decisions_total",
            "listener" => listener, "decision" => decision, "refusal" => refusal
        )
        .increment(1);
        if let Some(next) = &self.next {
            next.decision(ends, observation);
        }
    }

    fn zone(&self, zone: &Zone, explanation: Option<&Explanation>) {
        let state = if zone.state.is_active() {
            "active"
        } else {
            "inactive"
        };
        counter!("sip_zone_changes_total", "state" => state).increment(1);
        if let Some(next) = &self.next {
            next.zone(zone, explanation);
        }
    }

    fn ended(&self, ended: &Ended) {
        let cause = format!("{:?}", ended.cause);
        counter!("sip_registrations_ended_total", "cause" => cause).increment(1);
        if let Some(next) = &self.next {
            next.ended(ended);
        }
    }

    fn http(&self, event: &HttpEvent<'_>) {
        let status = event
            .status
            .map_or_else(|| "none".to_owned(), |status| status.to_string());
        counter!("http_exchanges_total", "status" => status).increment(1);
        if let Some(next) = &self.next {
            next.http(event);
        }
    }
}

/// A request, or the class of a response, by the first bytes of its start line.
fn kind(message: &[u8]) -> &'static str {
    match message.strip_prefix(b"SIP/2.0 ").and_then(<[u8]>::first) {
        None => "request",
        Some(b'1') => "1xx",
        Some(b'2') => "2xx",
        Some(b'3') => "3xx",
        Some(b'4') => "4xx",
        Some(b'5') => "5xx",
        Some(_) => "6xx",
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::{Mutex, PoisonError, atomic::AtomicU64, atomic::Ordering},
        time::SystemTime,
    };

    use metrics::{
        Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    };
    use sip_oauth_registration::client::Transport;

    use super::*;
    use crate::observe::{ConnectionId, RedactedBytes};

    /// Keeps counters by name and labels.
    #[derive(Default)]
    struct Kept(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

    impl Kept {
        fn value(&self, name: &str) -> Option<u64> {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get(name)
                .map(|counter| counter.load(Ordering::Relaxed))
        }
    }

    impl Recorder for Kept {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            let labels: Vec<_> = key.labels().map(metrics::Label::value).collect();
            let name = format!("{} {}", key.name(), labels.join(" "));
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Counter::from_arc(Arc::clone(kept.entry(name).or_default()))
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    /// Sees that it is called.
    #[derive(Default)]
    struct Seen(AtomicU64);

    impl Observer for Seen {
        fn message(&self, _: &MessageEvent<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn messages_and_connections_are_counted_by_kind_and_handed_on() {
        let address = ([192, 0, 2, 1], 5061).into();
        let ends = Ends {
            id: ConnectionId::next(),
            local: address,
            peer: address,
            transport: Transport::Tls,
            role: Role::Acceptor,
        };
        let (kept, seen) = (Kept::default(), Arc::new(Seen::default()));
        let counters = Counters::with_next(seen.clone());
        metrics::with_local_recorder(&kept, || {
            for text in [
                "REGISTER sip:x SIP/2.0",
                "SIP/2.0 407 x",
                "SIP/2.0 407 x",
                "SIP/2.0 200 OK",
            ] {
                counters.message(&MessageEvent {
                    direction: Direction::Received,
                    ends,
                    bytes: RedactedBytes(text.as_bytes()),
                    at: SystemTime::UNIX_EPOCH,
                });
            }
            for change in [
                ConnectionChange::Accepted { tls: None },
                ConnectionChange::Closed,
            ] {
                counters.connection(&ConnectionEvent {
                    id: ends.id,
                    local: Some(address),
                    peer: address,
                    transport: Transport::Tls,
                    role: Role::Acceptor,
                    at: SystemTime::UNIX_EPOCH,
                    change,
                });
            }
        });
        for (name, value) in [
            ("sip_messages_total received request", 1),
            ("sip_messages_total received 4xx", 2),
            ("sip_messages_total received 2xx", 1),
            ("sip_connections_total acceptor opened", 1),
            ("sip_connections_total acceptor closed", 1),
        ] {
            assert_eq!(kept.value(name), Some(value), "{name}");
        }
        assert_eq!(seen.0.load(Ordering::Relaxed), 4);
    }
}
