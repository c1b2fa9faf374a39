//! What the owner of a running client holds.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sip_oauth_registration::client::{Client, ClientState, ConnectionFailure, Event, Target};
use sip_oauth_trust::Explanation;
use tokio::sync::{mpsc, watch};

use crate::stop::{Stop, Stopped};

/// Commands not yet taken up. The client takes each up as soon as its task runs, so only a runtime that is held up lets them
/// gather.
const MAX_COMMANDS: usize = 64;

/// Events kept for an owner that does not read; what comes on top is counted in [`ClientEvent::Missed`].
const MAX_EVENTS: usize = 256;

/// What a client reports.
#[derive(Clone)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The registration changed. Never [`Event::Connect`], [`Event::Close`] or [`Event::TokenNeeded`]: those are done
    /// here.
    Registration(Event),
    /// A connection could not be made or was lost.
    Connection {
        /// Where it led.
        target: Target,
        /// Why.
        failure: ConnectionFailure,
        /// Who refused whom and what to change, if it was TLS.
        explanation: Option<Box<Explanation>>,
    },
    /// No token can be had; one sentence, without any secret.
    TokenUnavailable(String),
    /// A message that is not about the registration: a request of the registrar, or an answer to somebody else's.
    Unclaimed(Vec<u8>),
    /// This many events were lost because nobody read them.
    Missed(u64),
}

impl fmt::Debug for ClientEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registration(event) => f.debug_tuple("Registration").field(event).finish(),
            Self::Connection {
                target,
                failure,
                explanation,
            } => f
                .debug_struct("Connection")
                .field("target", target)
                .field("failure", failure)
                .field("explanation", explanation)
                .finish(),
            Self::TokenUnavailable(why) => f.debug_tuple("TokenUnavailable").field(why).finish(),
            // Whole messages are not printed: what they hold is not ours to know.
            Self::Unclaimed(bytes) => write!(f, "Unclaimed(<{} bytes>)", bytes.len()),
            Self::Missed(events) => f.debug_tuple("Missed").field(events).finish(),
        }
    }
}

#[derive(Debug)]
pub(super) enum Command {
    Start,
    Deregister,
    Targets(Vec<Target>),
    Relocate(Vec<Target>),
    TakeOver,
    Suspend,
    Resume,
}

/// Controls a running client. Dropping the last clone stops the client as [`ClientHandle::stop`] does.
#[derive(Debug, Clone)]
pub struct ClientHandle {
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<ClientState>,
    stop: Arc<Stop>,
}

/// Why a client does not do what it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// Its task has ended, or was told to.
    #[error("the client has stopped")]
    Stopped,
    /// It has as many commands that it has not come to as it holds: its runtime is held up. Nothing was done; try again later.
    #[error(
        "the client has not come to the {} commands before this one",
        MAX_COMMANDS
    )]
    Busy,
}

impl ClientHandle {
    /// Where the client stands.
    pub fn state(&self) -> ClientState {
        *self.state.borrow()
    }

    /// Starts registering again after [`deregister`](Self::deregister), a refusal, or the failure of all nodes.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; the command then has no effect.
    pub fn start(&self) -> Result<(), CommandError> {
        self.command(Command::Start)
    }

    /// Ends the registration; the client stays and can be started again.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; the command then has no effect.
    pub fn deregister(&self) -> Result<(), CommandError> {
        self.command(Command::Deregister)
    }

    /// Other nodes, from the next [`start`](Self::start) or round over all nodes on: what is in force or about to be goes on
    /// where it is. [`relocate`](Self::relocate) does not wait.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; the command then has no effect.
    pub fn set_targets(&self, targets: Vec<Target>) -> Result<(), CommandError> {
        self.command(Command::Targets(targets))
    }

    /// The place changed, from on premises to outside or back: ends the registration and registers at these nodes.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; the command then has no effect.
    pub fn relocate(&self, targets: Vec<Target>) -> Result<(), CommandError> {
        self.command(Command::Relocate(targets))
    }

    /// Registers by force, where "Registration is active for another client" was the answer and the person said yes.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; the command then has no effect.
    pub fn take_over(&self) -> Result<(), CommandError> {
        self.command(Command::TakeOver)
    }

    /// The network is gone: closes every connection and tries nothing until [`resume`](Self::resume).
    ///
    /// # Errors
    ///
    /// [`CommandError`]; the command then has no effect.
    pub fn suspend(&self) -> Result<(), CommandError> {
        self.command(Command::Suspend)
    }

    /// The network is back: registers again, best node first.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; the command then has no effect.
    pub fn resume(&self) -> Result<(), CommandError> {
        self.command(Command::Resume)
    }

    /// Ends the registration, waits for the registrar's answer as long as
    /// [`Timeouts::shutdown`](crate::Timeouts::shutdown) says, closes, and ends the task.
    ///
    /// What it was told before and has not come to is not done any more; what it is told from now on is an error.
    /// [`ClientEvents::recv`] gives `None` when it has ended, and so does [`ClientHandle::stopped`].
    pub fn stop(&self) {
        self.stop.stop();
    }

    /// Waits until the client's task has ended.
    pub async fn stopped(&self) {
        let mut state = self.state.clone();
        // The task holds the sender: the channel closes when the task ends.
        while state.changed().await.is_ok() {}
    }

    fn command(&self, command: Command) -> Result<(), CommandError> {
        if self.stop.is_stopped() {
            return Err(CommandError::Stopped);
        }
        self.commands
            .try_send(command)
            .map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(_) => CommandError::Busy,
                mpsc::error::TrySendError::Closed(_) => CommandError::Stopped,
            })
    }
}

/// What a running client reports, in order.
#[derive(Debug)]
pub struct ClientEvents {
    receiver: mpsc::Receiver<ClientEvent>,
    missed: Arc<AtomicU64>,
}

impl ClientEvents {
    /// The next event; `None` when the client has stopped and all was read. Cancel-safe.
    pub async fn recv(&mut self) -> Option<ClientEvent> {
        if let Ok(event) = self.receiver.try_recv() {
            return Some(event);
        }
        // What was lost came after everything that was kept.
        match self.missed.swap(0, Ordering::Relaxed) {
            0 => self.receiver.recv().await,
            missed => Some(ClientEvent::Missed(missed)),
        }
    }
}

/// The task's side of the channels.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) stopped: Stopped,
    state: watch::Sender<ClientState>,
    events: mpsc::Sender<ClientEvent>,
    missed: Arc<AtomicU64>,
}

impl Ends {
    pub(super) fn emit(&self, event: ClientEvent) {
        match self.events.try_send(event) {
            // Nobody listens any more, which is the owner's choice.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.missed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn set_state(&self, state: ClientState) {
        self.state.send_if_modified(|known| {
            let changed = *known != state;
            *known = state;
            changed
        });
    }
}

pub(super) fn channels(client: &Client) -> (ClientHandle, ClientEvents, Ends) {
    let (commands, for_commands) = mpsc::channel(MAX_COMMANDS);
    let (events, for_events) = mpsc::channel(MAX_EVENTS);
    let (state, for_state) = watch::channel(client.state());
    let stop = Stop::new();
    let stopped = stop.listen();
    let missed = Arc::new(AtomicU64::new(0));
    (
        ClientHandle {
            commands,
            state: for_state,
            stop: Arc::new(stop),
        },
        ClientEvents {
            receiver: for_events,
            missed: Arc::clone(&missed),
        },
        Ends {
            commands: for_commands,
            stopped,
            state,
            events,
            missed,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends() -> (ClientHandle, ClientEvents, Ends) {
        use sip_oauth_registration::client::{ClientConfig, Device, Instance, Line};
        let device = Device::csf("CSFJDOE", Instance::new("005056aabbcc").unwrap());
        let line = Line::new("1010", "a1b2c3d4-0000-4000-8000-000000000001");
        let config = ClientConfig::unified_cm(device, line, Vec::new());
        let entropy = crate::entropy::ProviderEntropy::of(None);
        channels(&Client::new(config, entropy))
    }

    #[test]
    fn commands_that_are_not_taken_up_are_bounded_and_none_is_lost_in_silence() {
        let (handle, _events, mut ends) = ends();
        for _ in 0..MAX_COMMANDS {
            assert_eq!(handle.start(), Ok(()));
        }
        assert_eq!(handle.deregister(), Err(CommandError::Busy));
        assert!(matches!(ends.commands.try_recv(), Ok(Command::Start)));
        assert_eq!(handle.deregister(), Ok(()));
    }

    #[test]
    fn a_client_that_is_stopping_takes_no_command() {
        let (handle, _events, ends) = ends();
        handle.stop();
        assert_eq!(handle.start(), Err(CommandError::Stopped));
        drop(ends);
        assert_eq!(handle.resume(), Err(CommandError::Stopped));
    }
}
