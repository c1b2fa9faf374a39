//! Values replaced in one step while listeners run.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

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
pub struct Live<T> {
    value: ArcSwap<T>,
    listeners: Mutex<Vec<Weak<Told>>>,
}

type Told = dyn Fn() + Send + Sync;

/// Hears of every change of the [`Live`] values it was given to, as long as it lives.
///
/// It is called by the thread that makes the change, after it: it must not block.
pub struct ChangeListener(Arc<Told>);

impl ChangeListener {
    /// `told` is called after each change.
    pub fn new(told: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }
}

impl fmt::Debug for ChangeListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChangeListener(..)")
    }
}

impl<T: fmt::Debug> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Live").field(&self.value).finish()
    }
}

/// A [`TrustStore`] replaced while listeners run.
pub type LiveTrustStore = Live<TrustStore>;

/// The [`AllowedNames`] replaced while listeners run.
pub type LiveAllowedNames = Live<AllowedNames>;

impl<T> Live<T> {
    /// Starts with `value`.
    pub fn new(value: T) -> Self {
        Self {
            value: ArcSwap::from_pointee(value),
            listeners: Mutex::default(),
        }
    }

    /// The value as it is now; it does not change under the reader.
    pub fn load(&self) -> Arc<T> {
        self.value.load_full()
    }

    /// Puts `value` in place and gives back what stood there.
    pub fn replace(&self, value: T) -> Arc<T> {
        let previous = self.value.swap(Arc::new(value));
        self.tell();
        previous
    }

    /// Replaces the value by what `change` makes of it. `change` may run more than once when several
    /// writers meet, so it must do nothing but compute.
    ///
    /// # Errors
    ///
    /// What `change` returns; the value then stays as it was.
    pub fn update<E>(&self, mut change: impl FnMut(&T) -> Result<T, E>) -> Result<(), E> {
        loop {
            let current = self.value.load_full();
            let next = Arc::new(change(&current)?);
            let previous = self.value.compare_and_swap(&current, next);
            if Arc::ptr_eq(&previous, &current) {
                self.tell();
                return Ok(());
            }
        }
    }

    /// Tells `listener` of every change from now on.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use sip_oauth_trust::{ChangeListener, LiveTrustStore, TrustStore};
    ///
    /// let changes = Arc::new(AtomicUsize::new(0));
    /// let counted = Arc::clone(&changes);
    /// let listener = ChangeListener::new(move || {
    ///     counted.fetch_add(1, Ordering::Relaxed);
    /// });
    /// let live = LiveTrustStore::new(TrustStore::new("Tomcat-trust"));
    /// live.on_change(&listener);
    /// live.replace(TrustStore::new("Tomcat-trust"));
    /// drop(listener);
    /// live.replace(TrustStore::new("Tomcat-trust"));
    /// assert_eq!(changes.load(Ordering::Relaxed), 1);
    /// ```
    pub fn on_change(&self, listener: &ChangeListener) {
        let mut listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(Arc::downgrade(&listener.0));
    }

    fn tell(&self) {
        // Called without the lock: a listener may listen to more.
        let listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for told in listeners.iter().filter_map(Weak::upgrade) {
            told();
        }
    }
}

impl<T> From<T> for Live<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}
