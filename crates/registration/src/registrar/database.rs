//! The facts of a cluster, shared by its nodes.

use std::sync::{Arc, PoisonError, RwLock};

use super::cluster::Cluster;

/// The cluster's database, replicated to every node: clones share one [`Cluster`].
///
/// Who reads gets a snapshot that does not change under its hands.
///
/// ```
/// use sip_oauth_registration::registrar::{Cluster, Database};
///
/// let publisher = Database::new(Cluster::new());
/// let subscriber = publisher.clone();
/// publisher.edit(|cluster| cluster.set_refresh_login_flow(true));
/// assert!(subscriber.read().refresh_login_flow());
/// ```
#[derive(Clone, Debug)]
pub struct Database(Arc<RwLock<Arc<Cluster>>>);

impl Database {
    /// A database that holds `cluster`.
    pub fn new(cluster: Cluster) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(cluster))))
    }

    /// The facts as they are now.
    pub fn read(&self) -> Arc<Cluster> {
        // A writer that panicked left the old snapshot in place: `edit` works on a copy.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the facts in one step.
    pub fn edit<R>(&self, change: impl FnOnce(&mut Cluster) -> R) -> R {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Cluster::clone(&current);
        let result = change(&mut next);
        *current = Arc::new(next);
        result
    }
}
