//! Values replaced in one step while listeners run.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::{AllowedNames, TrustStore};

/// A value that readers take as a whole and that is replaced as a whole.
///
/// A handshake that began with one trust store ends with it; the next one sees the new store. No reader
/// waits for a writer.
///
/// ```
/// use sip_oauth_trust::{LiveTrustStore, TrustStore};
///
/// let live = LiveTrustStore::new(TrustStore::new("Tomcat-trust"));
/// let before = live.load();
/// live.replace(TrustStore::new("CallManager-trust"));
/// assert_eq!(before.name(), "Tomcat-trust");
/// assert_eq!(live.load().name(), "CallManager-trust");
/// ```
#[derive(Debug)]
pub struct Live<T>(ArcSwap<T>);

/// A [`TrustStore`] replaced while listeners run.
pub type LiveTrustStore = Live<TrustStore>;

/// The [`AllowedNames`] replaced while listeners run.
pub type LiveAllowedNames = Live<AllowedNames>;

impl<T> Live<T> {
    /// Starts with `value`.
    pub fn new(value: T) -> Self {
        Self(ArcSwap::from_pointee(value))
    }

    /// The value as it is now; it does not change under the reader.
    pub fn load(&self) -> Arc<T> {
        self.0.load_full()
    }

    /// Puts `value` in place and gives back what stood there.
    pub fn replace(&self, value: T) -> Arc<T> {
        self.0.swap(Arc::new(value))
    }

    /// Replaces the value by what `change` makes of it. `change` may run more than once when several
    /// writers meet, so it must do nothing but compute.
    ///
    /// # Errors
    ///
    /// What `change` returns; the value then stays as it was.
    pub fn update<E>(&self, mut change: impl FnMut(&T) -> Result<T, E>) -> Result<(), E> {
        loop {
            let current = self.0.load_full();
            let next = Arc::new(change(&current)?);
            let previous = self.0.compare_and_swap(&current, next);
            if Arc::ptr_eq(&previous, &current) {
                return Ok(());
            }
        }
    }
}

impl<T> From<T> for Live<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}
