//! What a server remembers about tokens, until they expire.

use std::collections::HashMap;
use std::hash::Hash;

/// Below this number nothing is tidied away.
const FIRST_PURGE: usize = 1024;

/// Entries with an end, in seconds since the epoch; what has ended is dropped when their number doubles.
#[derive(Debug)]
pub(super) struct Expiring<K, V> {
    entries: HashMap<K, (u64, V)>,
    purge_at: usize,
}

impl<K, V> Default for Expiring<K, V> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            purge_at: FIRST_PURGE,
        }
    }
}

impl<K: Eq + Hash, V> Expiring<K, V> {
    pub(super) fn insert(&mut self, key: K, ends: u64, value: V, now: u64) {
        if self.entries.len() >= self.purge_at {
            self.entries.retain(|_, (ends, _)| now < *ends);
            self.purge_at = (2 * self.entries.len()).max(FIRST_PURGE);
        }
        self.entries.insert(key, (ends, value));
    }

    /// The entry, if it has not ended.
    pub(super) fn get(&self, key: &K, now: u64) -> Option<&V> {
        let (ends, value) = self.entries.get(key)?;
        (now < *ends).then_some(value)
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key).map(|(_, value)| value)
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Takes out what `belongs`.
    pub(super) fn take(&mut self, mut belongs: impl FnMut(&V) -> bool) -> Vec<(K, V)> {
        let taken = self.entries.extract_if(|_, (_, value)| belongs(value));
        taken.map(|(key, (_, value))| (key, value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_is_dropped_when_the_number_doubles() {
        let mut entries = Expiring::default();
        for second in 0..100_000_u64 {
            entries.insert(second, second + 10, (), second);
            assert!(entries.entries.len() <= FIRST_PURGE, "{second}");
        }
        assert!(entries.get(&99_999, 100_008).is_some());
        assert!(entries.get(&99_999, 100_009).is_none());
    }
}
