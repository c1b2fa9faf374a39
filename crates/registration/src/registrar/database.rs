//! The facts of a cluster, shared by its nodes.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

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
pub struct Database(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Held for the time it takes to copy or replace a pointer: every request reads.
    current: RwLock<Arc<Cluster>>,
    /// Held for the time of a change: one comes after the other.
    changing: Mutex<()>,
}

impl Database {
    /// A database that holds `cluster`.
    pub fn new(cluster: Cluster) -> Self {
        Self(Arc::new(Shared {
            current: RwLock::new(Arc::new(cluster)),
            changing: Mutex::new(()),
        }))
    }

    /// The facts as they are now.
    pub fn read(&self) -> Arc<Cluster> {
        // Nothing that could panic runs under the lock.
        let current = &self.0.current;
        Arc::clone(&current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the facts in one step. Where `change` panics, they stay as they were.
    ///
    /// It works on a copy, and who reads meanwhile gets the facts from before; so does [`read`](Self::read) within it. Other
    /// changes wait, so that `change` must not call [`edit`](Self::edit) itself: it would wait for ever. Each call copies
    /// the whole cluster: put many devices in one call.
    pub fn edit<R>(&self, change: impl FnOnce(&mut Cluster) -> R) -> R {
        // A change that panicked has left the facts alone.
        let changing = self.0.changing.lock();
        let _one_at_a_time = changing.unwrap_or_else(PoisonError::into_inner);
        let mut next = Cluster::clone(&self.read());
        let result = change(&mut next);
        let next = Arc::new(next);
        let mut current = self
            .0
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *current, next);
        drop(current);
        // The old facts may be many: nobody waits while they are freed.
        drop(before);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_during_a_change_gets_the_facts_from_before_and_does_not_wait() {
        let database = Database::new(Cluster::new());
        database.edit(|cluster| {
            cluster.set_refresh_login_flow(true);
            assert!(!database.read().refresh_login_flow(), "of the same thread");
            let elsewhere = database.clone();
            let reading = std::thread::spawn(move || elsewhere.read().refresh_login_flow());
            assert!(!reading.join().unwrap(), "of another one");
        });
        assert!(database.read().refresh_login_flow());
    }

    #[test]
    fn a_change_that_panics_changes_nothing_and_the_next_one_does() {
        let database = Database::new(Cluster::new());
        let elsewhere = database.clone();
        let broken = std::thread::spawn(move || {
            elsewhere.edit(|cluster| {
                cluster.set_refresh_login_flow(true);
                panic!("in the middle of a change");
            });
        });
        assert!(broken.join().is_err());
        assert!(!database.read().refresh_login_flow());
        database.edit(|cluster| cluster.set_refresh_login_flow(true));
        assert!(database.read().refresh_login_flow());
    }

    #[test]
    fn changes_at_the_same_time_are_all_made() {
        let database = Database::new(Cluster::new());
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let database = database.clone();
                std::thread::spawn(move || {
                    for number in 0..25 {
                        let profile = format!("profile-{thread}-{number}");
                        let profile = super::super::SecurityProfile::oauth(&profile);
                        database.edit(|cluster| cluster.put_profile(profile).unwrap());
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let facts = database.read();
        for thread in 0..4 {
            for number in 0..25 {
                let name = format!("profile-{thread}-{number}");
                assert!(facts.profile(&name).is_some(), "{name}");
            }
        }
    }
}
