//! Telling tasks to stop, and knowing that they did.

use tokio::sync::watch;

/// Tells every [`Stopped`] made from it to stop, on request or when dropped.
#[derive(Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

/// Becomes ready when the [`Stop`] it came from says so or is gone.
#[derive(Debug, Clone)]
pub(crate) struct Stopped(watch::Receiver<bool>);

impl Stop {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn listen(&self) -> Stopped {
        Stopped(self.0.subscribe())
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stopped {
    /// Waits for the stop. Cancel-safe; ready at once when it has come already.
    pub(crate) async fn wait(&mut self) {
        // An error means that the sender is gone, which is a stop as well.
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }
}
