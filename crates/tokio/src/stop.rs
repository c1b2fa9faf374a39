//! Telling tasks to stop, and knowing that they did.

use std::{future::poll_fn, pin::Pin, task::Poll};

use tokio::{
    sync::watch,
    task::{coop, yield_now},
};

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

/// What `future` has now. The runtime looks at its sockets first, and the turn of the task does not count: either could
/// leave what has come unread, as if the peer had sent nothing.
pub(crate) async fn ready_at_a_stop<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    yield_now().await;
    coop::unconstrained(poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx)))).await
}
