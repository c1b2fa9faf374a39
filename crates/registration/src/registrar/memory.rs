//! The store of bindings in memory.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::convert::Infallible;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::binding::{AddressOfRecord, Binding, BindingStore, Snapshot, Swap, Version};

/// How many parts the store has; each is locked by itself.
const SHARDS: usize = 16;

/// Bindings in this process's memory.
///
/// Addresses-of-record are spread over shards, so that threads seldom wait for each other. Expiry
/// follows an index ordered by time, devices and nodes are found by indices of their names: nothing is scanned.
#[derive(Debug)]
pub struct MemoryStore {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Shard {
    entries: HashMap<AddressOfRecord, Entry>,
    /// Each entry once, under the earliest expiry of its bindings.
    expiry: BTreeSet<(SystemTime, AddressOfRecord)>,
    /// Names of devices in lower case.
    devices: Index,
    nodes: Index,
    /// The last version given out. It only grows, so that an entry removed and made again is not
    /// taken for the old one.
    last_version: u64,
}

#[derive(Debug)]
struct Entry {
    version: Version,
    bindings: Arc<[Binding]>,
    first_expiry: SystemTime,
}

/// Which entries have a binding of this name.
#[derive(Debug, Default)]
struct Index(HashMap<Box<str>, HashSet<AddressOfRecord>>);

impl Index {
    fn insert(&mut self, name: &str, aor: &AddressOfRecord) {
        if let Some(entries) = self.0.get_mut(name) {
            entries.insert(aor.clone());
        } else {
            self.0.insert(name.into(), HashSet::from([aor.clone()]));
        }
    }

    fn remove(&mut self, name: &str, aor: &AddressOfRecord) {
        if let Some(entries) = self.0.get_mut(name)
            && entries.remove(aor)
            && entries.is_empty()
        {
            self.0.remove(name);
        }
    }

    fn get(&self, name: &str) -> impl Iterator<Item = &AddressOfRecord> {
        self.0.get(name).into_iter().flatten()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
        }
    }

    /// How many addresses-of-record have bindings.
    pub fn len(&self) -> usize {
        self.locked().map(|shard| shard.entries.len()).sum()
    }

    /// Whether no address-of-record has bindings.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "only the low bits choose the shard"
    )]
    #[expect(
        clippy::indexing_slicing,
        reason = "the index is taken modulo the length"
    )]
    fn shard(&self, aor: &AddressOfRecord) -> MutexGuard<'_, Shard> {
        lock(&self.shards[self.hasher.hash_one(aor) as usize % SHARDS])
    }

    fn locked(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(lock)
    }

    /// The bindings that are `wanted`, of the entries that an index names.
    fn matching(
        &self,
        index: impl Fn(&Shard) -> &Index,
        name: &str,
        wanted: impl Fn(&Binding) -> bool,
    ) -> Vec<(AddressOfRecord, Binding)> {
        let mut found = Vec::new();
        for shard in self.locked() {
            for aor in index(&shard).get(name) {
                let bindings = shard.entries.get(aor).map(|entry| &entry.bindings);
                let matching = bindings.into_iter().flat_map(|all| all.iter());
                found.extend(
                    matching
                        .filter(|binding| wanted(binding))
                        .map(|binding| (aor.clone(), binding.clone())),
                );
            }
        }
        found
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // No method panics between two changes that belong together.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shard {
    /// Puts bindings in place of an entry, or removes it when there are none.
    fn put(&mut self, aor: &AddressOfRecord, bindings: &Arc<[Binding]>) {
        let first_expiry = bindings.iter().map(|binding| binding.expires_at).min();
        let old = if let Some(first_expiry) = first_expiry {
            self.last_version += 1;
            let entry = Entry {
                version: Version::new(self.last_version),
                bindings: Arc::clone(bindings),
                first_expiry,
            };
            self.entries.insert(aor.clone(), entry)
        } else {
            self.entries.remove(aor)
        };
        let old_expiry = old.as_ref().map(|old| old.first_expiry);
        if old_expiry != first_expiry {
            if let Some(old) = old_expiry {
                self.expiry.remove(&(old, aor.clone()));
            }
            if let Some(first) = first_expiry {
                self.expiry.insert((first, aor.clone()));
            }
        }
        let old = old.as_ref().map_or(&[][..], |old| &old.bindings);
        // A refresh, which is what comes most, changes neither.
        let same = old.len() == bindings.len()
            && old
                .iter()
                .zip(bindings.iter())
                .all(|(old, new)| old.device == new.device && old.node == new.node);
        if !same {
            self.index(aor, old, bindings);
        }
    }

    /// Has the indices follow a change of an entry.
    fn index(&mut self, aor: &AddressOfRecord, old: &[Binding], new: &[Binding]) {
        for binding in old {
            self.nodes.remove(&binding.node, aor);
            if let Some(device) = &binding.device {
                self.devices.remove(&device.to_ascii_lowercase(), aor);
            }
        }
        for binding in new {
            self.nodes.insert(&binding.node, aor);
            if let Some(device) = &binding.device {
                self.devices.insert(&device.to_ascii_lowercase(), aor);
            }
        }
    }

    /// Takes the bindings out of an entry that `ended` says are over.
    fn remove_where(
        &mut self,
        aor: &AddressOfRecord,
        ended: impl Fn(&Binding) -> bool,
        removed: &mut Vec<(AddressOfRecord, Binding)>,
    ) {
        let Some(entry) = self.entries.get(aor) else {
            return;
        };
        let (over, kept): (Vec<_>, Vec<_>) = entry.bindings.iter().cloned().partition(ended);
        if !over.is_empty() {
            removed.extend(over.into_iter().map(|binding| (aor.clone(), binding)));
            self.put(aor, &kept.into());
        }
    }
}

impl BindingStore for MemoryStore {
    type Error = Infallible;

    fn load(&self, aor: &AddressOfRecord) -> Result<Snapshot, Infallible> {
        Ok(self
            .shard(aor)
            .entries
            .get(aor)
            .map_or_else(Snapshot::absent, |entry| Snapshot {
                version: entry.version,
                bindings: Arc::clone(&entry.bindings),
            }))
    }

    fn compare_and_swap(
        &self,
        aor: &AddressOfRecord,
        expected: Version,
        bindings: Vec<Binding>,
    ) -> Result<Swap, Infallible> {
        let mut shard = self.shard(aor);
        let current = shard
            .entries
            .get(aor)
            .map_or(Version::ABSENT, |entry| entry.version);
        if current != expected {
            return Ok(Swap::Conflict);
        }
        shard.put(aor, &bindings.into());
        Ok(Swap::Stored)
    }

    fn expire(&self, now: SystemTime) -> Result<Vec<(AddressOfRecord, Binding)>, Infallible> {
        let mut ended = Vec::new();
        for mut shard in self.locked() {
            while let Some((due, aor)) = shard.expiry.first().cloned() {
                if due > now {
                    break;
                }
                shard.remove_where(&aor, |binding| binding.expires_at <= now, &mut ended);
            }
        }
        Ok(ended)
    }

    fn next_expiry(&self) -> Result<Option<SystemTime>, Infallible> {
        Ok(self
            .locked()
            .filter_map(|shard| shard.expiry.first().map(|(due, _)| *due))
            .min())
    }

    fn drop_node(&self, node: &str) -> Result<Vec<(AddressOfRecord, Binding)>, Infallible> {
        let mut dropped = Vec::new();
        for mut shard in self.locked() {
            let keys: Vec<_> = shard.nodes.get(node).cloned().collect();
            for aor in keys {
                shard.remove_where(&aor, |binding| binding.node == node, &mut dropped);
            }
        }
        Ok(dropped)
    }

    fn of_device(&self, device: &str) -> Result<Vec<(AddressOfRecord, Binding)>, Infallible> {
        let name = device.to_ascii_lowercase();
        let is_its = |binding: &Binding| {
            let name = binding.device.as_deref();
            name.is_some_and(|name| name.eq_ignore_ascii_case(device))
        };
        Ok(self.matching(|shard| &shard.devices, &name, is_its))
    }

    fn of_node(&self, node: &str) -> Result<Vec<(AddressOfRecord, Binding)>, Infallible> {
        Ok(self.matching(|shard| &shard.nodes, node, |binding| binding.node == node))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::entropy::{Entropy, Seeded};

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn binding(device: &str, node: &str, expires_at: SystemTime) -> Binding {
        let uri = format!("sip:{device}@192.0.2.1");
        let peer = ([192, 0, 2, 1], 5060).into();
        Binding {
            device: Some(device.to_owned()),
            ..Binding::new("1010", &uri, ("call", 1), expires_at, node, peer)
        }
    }

    fn store(store: &MemoryStore, aor: &AddressOfRecord, bindings: Vec<Binding>) {
        let version = store.load(aor).unwrap().version;
        assert_eq!(
            store.compare_and_swap(aor, version, bindings),
            Ok(Swap::Stored)
        );
    }

    #[test]
    fn a_change_based_on_an_old_state_is_refused() {
        let bindings = MemoryStore::new();
        let aor = AddressOfRecord::new("1010", "example.com");
        let read_by_both = bindings.load(&aor).unwrap().version;
        let first =
            bindings.compare_and_swap(&aor, read_by_both, vec![binding("A", "ucm1", at(10))]);
        let second =
            bindings.compare_and_swap(&aor, read_by_both, vec![binding("B", "ucm1", at(10))]);
        assert_eq!((first, second), (Ok(Swap::Stored), Ok(Swap::Conflict)));
        assert_eq!(
            bindings.load(&aor).unwrap().bindings[0].device.as_deref(),
            Some("A")
        );
    }

    #[test]
    fn an_entry_removed_and_made_again_is_not_the_old_one() {
        let bindings = MemoryStore::new();
        let aor = AddressOfRecord::new("1010", "example.com");
        store(&bindings, &aor, vec![binding("A", "ucm1", at(10))]);
        let old = bindings.load(&aor).unwrap().version;
        store(&bindings, &aor, Vec::new());
        assert_eq!(bindings.load(&aor).unwrap(), Snapshot::absent());
        store(&bindings, &aor, vec![binding("A", "ucm1", at(10))]);
        assert_eq!(
            bindings.compare_and_swap(&aor, old, Vec::new()),
            Ok(Swap::Conflict)
        );
    }

    #[test]
    fn expiry_takes_what_is_over_and_nothing_else() {
        let bindings = MemoryStore::new();
        let shared = AddressOfRecord::new("1010", "example.com");
        let other = AddressOfRecord::new("2020", "example.com");
        store(
            &bindings,
            &shared,
            vec![binding("A", "ucm1", at(120)), binding("B", "ucm1", at(60))],
        );
        store(&bindings, &other, vec![binding("C", "ucm1", at(90))]);
        assert_eq!(bindings.next_expiry(), Ok(Some(at(60))));
        assert_eq!(bindings.expire(at(59)), Ok(Vec::new()));
        let ended = bindings.expire(at(60)).unwrap();
        assert_eq!(ended, [(shared.clone(), binding("B", "ucm1", at(60)))]);
        assert_eq!(bindings.next_expiry(), Ok(Some(at(90))));
        assert_eq!(bindings.expire(at(500)).unwrap().len(), 2);
        assert!(bindings.is_empty());
        assert_eq!(bindings.next_expiry(), Ok(None));
    }

    #[test]
    fn bindings_are_found_by_device_and_by_node() {
        let bindings = MemoryStore::new();
        for (line, device, node) in [("1", "A", "ucm1"), ("2", "B", "ucm2"), ("3", "C", "ucm2")] {
            let aor = AddressOfRecord::new(line, "example.com");
            store(&bindings, &aor, vec![binding(device, node, at(10))]);
        }
        assert_eq!(bindings.of_device("b").unwrap().len(), 1);
        assert_eq!(bindings.of_node("ucm2").unwrap().len(), 2);
        assert_eq!(bindings.drop_node("ucm2").unwrap().len(), 2);
        assert_eq!(bindings.len(), 1);
    }

    /// Whatever is stored, ends and is dropped in whatever order: what is found by its name is what a look at everything finds.
    #[test]
    fn indices_follow_every_change() {
        let bindings = MemoryStore::new();
        let mut entropy = Seeded::new(7);
        let mut number = move |below: u32| entropy.next_u32() % below;
        let devices = ["A", "b", "C"];
        let nodes = ["ucm1", "ucm2"];
        for step in 0..2_000_u64 {
            match number(8) {
                0 => drop(bindings.expire(at(step)).unwrap()),
                1 if number(20) == 0 => {
                    let node = nodes[number(2) as usize];
                    assert!(
                        bindings
                            .drop_node(node)
                            .unwrap()
                            .iter()
                            .all(|(_, binding)| binding.node == node)
                    );
                    assert_eq!(bindings.of_node(node), Ok(Vec::new()));
                }
                _ => {
                    let aor = AddressOfRecord::new(&number(6).to_string(), "example.com");
                    let one = |number: &mut dyn FnMut(u32) -> u32| {
                        let (device, node) =
                            (devices[number(3) as usize], nodes[number(2) as usize]);
                        binding(device, node, at(step + u64::from(number(40))))
                    };
                    let many = number(4);
                    let all = (0..many).map(|_| one(&mut number)).collect();
                    store(&bindings, &aor, all);
                }
            }
            let mut all = Vec::new();
            for shard in bindings.locked() {
                for (aor, entry) in &shard.entries {
                    all.extend(entry.bindings.iter().map(|one| (aor.clone(), one.clone())));
                }
                let due: usize = shard.expiry.len();
                assert_eq!(due, shard.entries.len(), "each entry once");
            }
            let sorted = |mut found: Vec<(AddressOfRecord, Binding)>| {
                found.sort_by_key(|(aor, one)| (aor.clone(), format!("{one:?}")));
                found
            };
            let of = |wanted: &dyn Fn(&Binding) -> bool| {
                let all = all.iter().filter(|(_, binding)| wanted(binding)).cloned();
                sorted(all.collect())
            };
            for name in devices {
                let scanned = of(&|one| one.device.as_deref() == Some(name));
                let found = bindings.of_device(&name.to_lowercase()).unwrap();
                assert_eq!(sorted(found), scanned);
            }
            for node in nodes {
                let scanned = of(&|one| one.node == node);
                assert_eq!(sorted(bindings.of_node(node).unwrap()), scanned);
            }
        }
        bindings.expire(at(10_000)).unwrap();
        for shard in bindings.locked() {
            assert!(shard.devices.0.is_empty() && shard.nodes.0.is_empty());
        }
    }
}
