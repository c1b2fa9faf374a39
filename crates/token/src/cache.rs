//! Verdicts remembered, so that the same token does not pay for RSA at every refresh.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use aws_lc_rs::digest;

use crate::verified::VerifiedToken;
use crate::verifier::Window;

/// SHA-256 of a token.
pub(crate) type Digest = [u8; digest::SHA256_OUTPUT_LEN];

/// Locks that are held for one look-up each; threads rarely meet at one of them.
const MAX_SHARDS: usize = 16;

/// A shard of fewer entries would make room too early, since digests do not spread evenly.
const LEAST_ENTRIES_PER_SHARD: usize = 8;

/// Accepted tokens by digest, the oldest making room for the newest.
pub(crate) struct Cache {
    /// Never empty.
    shards: Vec<Mutex<Shard>>,
    max_entries_per_shard: usize,
    max_bytes_per_shard: usize,
}

#[derive(Default)]
struct Shard {
    entries: HashMap<Digest, Entry>,
    /// The keys of `entries` in the order they came, each once.
    order: VecDeque<Digest>,
    /// The sum of `bytes` of `entries`.
    bytes: usize,
}

struct Entry {
    /// The key set the verdict rests on; `None` where it rests on none.
    generation: Option<u64>,
    window: Window,
    token: VerifiedToken,
    bytes: usize,
}

impl Entry {
    fn rests_on(&self, generation: u64) -> bool {
        self.generation.is_none_or(|mine| mine == generation)
    }

    /// Whether it rests on keys that were replaced by those of `generation`.
    fn is_older_than(&self, generation: Option<u64>) -> bool {
        matches!((self.generation, generation), (Some(mine), Some(newest)) if mine < newest)
    }
}

pub(crate) fn digest(text: &str) -> Digest {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    let mut key = Digest::default();
    key.copy_from_slice(digest.as_ref());
    key
}

impl Cache {
    /// What an entry takes beside its verdict: itself, and its digest in the map and in the order.
    const OVERHEAD_BYTES: usize = size_of::<Entry>() + 2 * size_of::<Digest>();

    pub(crate) fn new(max_entries: usize, max_bytes: usize) -> Self {
        let shards = (max_entries / LEAST_ENTRIES_PER_SHARD).clamp(1, MAX_SHARDS);
        Self {
            shards: (0..shards).map(|_| Mutex::default()).collect(),
            max_entries_per_shard: max_entries / shards,
            max_bytes_per_shard: max_bytes / shards,
        }
    }

    /// The verdict on the token with this digest, if it rests on this generation of keys and holds at
    /// `now`.
    pub(crate) fn get(
        &self,
        key: &Digest,
        generation: u64,
        now: SystemTime,
    ) -> Option<VerifiedToken> {
        let shard = self.shard(key)?;
        let entry = shard.entries.get(key)?;
        let holds =
            entry.rests_on(generation) && entry.window.from <= now && now < entry.window.until;
        holds.then(|| entry.token.clone())
    }

    /// Remembers a verdict made at `now`, and forgets what is over, then what is oldest, to stay within
    /// the bounds.
    pub(crate) fn insert(
        &self,
        key: Digest,
        generation: Option<u64>,
        window: Window,
        token: VerifiedToken,
        now: SystemTime,
    ) {
        let Some(mut shard) = self.shard(&key) else {
            return;
        };
        let bytes = Self::OVERHEAD_BYTES + token.held_bytes();
        let entry = Entry {
            generation,
            window,
            token,
            bytes,
        };
        let former = shard.entries.get(&key);
        if former.is_some_and(|former| entry.is_older_than(former.generation)) {
            // The keys were replaced while it was made, and somebody was faster with the new ones.
            return;
        }
        shard.bytes += bytes;
        match shard.entries.insert(key, entry) {
            Some(former) => shard.bytes -= former.bytes,
            None => shard.order.push_back(key),
        }
        while let Some(oldest) = shard.order.front().copied() {
            let is_over = shard
                .entries
                .get(&oldest)
                .is_none_or(|entry| entry.is_older_than(generation) || entry.window.until <= now);
            let is_too_much = shard.entries.len() > self.max_entries_per_shard
                || shard.bytes > self.max_bytes_per_shard;
            if !is_over && !is_too_much {
                break;
            }
            shard.order.pop_front();
            if let Some(entry) = shard.entries.remove(&oldest) {
                shard.bytes -= entry.bytes;
            }
        }
    }

    /// Forgets the verdict on the token with this digest.
    pub(crate) fn remove(&self, key: &Digest) {
        let Some(mut shard) = self.shard(key) else {
            return;
        };
        if let Some(entry) = shard.entries.remove(key) {
            shard.bytes -= entry.bytes;
            // Looks through one shard, and only for a token that was accepted before.
            shard.order.retain(|other| other != key);
        }
    }

    /// Entries and bytes held.
    #[cfg(test)]
    fn held(&self) -> (usize, usize) {
        self.shards.iter().fold((0, 0), |(entries, bytes), shard| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            assert_eq!(shard.entries.len(), shard.order.len());
            let sum: usize = shard.entries.values().map(|entry| entry.bytes).sum();
            assert_eq!(shard.bytes, sum);
            (entries + shard.entries.len(), bytes + sum)
        })
    }

    fn shard(&self, key: &Digest) -> Option<std::sync::MutexGuard<'_, Shard>> {
        let shard = self.shards.get(usize::from(key[0]) % self.shards.len())?;
        // A thread that panicked while holding the lock left whole entries behind.
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{Cache, Digest, Entry, digest};
    use crate::verified::{Form, Grant, VerifiedToken};
    use crate::verifier::Window;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn token(user: &str) -> VerifiedToken {
        VerifiedToken(Arc::new(Grant {
            form: Form::Jwt,
            issuer: String::new(),
            subject: user.to_owned(),
            client_id: None,
            audience: Vec::new(),
            scopes: Vec::new(),
            token_id: None,
            issued_at: None,
            expires_at: at(100),
        }))
    }

    const WINDOW: Window = Window {
        from: UNIX_EPOCH,
        until: UNIX_EPOCH,
    };

    fn until(seconds: u64) -> Window {
        Window {
            until: at(seconds),
            ..WINDOW
        }
    }

    fn key(number: usize) -> Digest {
        digest(&number.to_string())
    }

    #[test]
    fn entries_stay_within_their_bound() {
        for max in [0, 1, 2, 7, 8, 100, 1000] {
            let cache = Cache::new(max, usize::MAX);
            for number in 0..3 * max + 3 {
                cache.insert(key(number), Some(0), until(100), token("anna"), at(0));
                assert!(cache.held().0 <= max, "{max}");
            }
            assert!(cache.held().0 >= max * 3 / 4, "{max}");
        }
    }

    #[test]
    fn bytes_stay_within_their_bound() {
        let cache = Cache::new(1000, 64 * 1024);
        let long = "a".repeat(3000);
        for number in 0..500 {
            let user = if number % 3 == 0 { &long } else { "anna" };
            cache.insert(key(number), Some(0), until(100), token(user), at(0));
            assert!(cache.held().1 <= 64 * 1024);
        }
        assert!(cache.held().1 > 48 * 1024);
    }

    #[test]
    fn a_verdict_larger_than_the_cache_is_not_kept() {
        let cache = Cache::new(8, 1000);
        cache.insert(key(0), Some(0), until(100), token(&"a".repeat(2000)), at(0));
        assert_eq!(cache.held(), (0, 0));
    }

    #[test]
    fn the_oldest_makes_room() {
        let cache = Cache::new(2, usize::MAX);
        for number in 0..3 {
            cache.insert(key(number), Some(0), until(100), token("anna"), at(0));
        }
        let found = [0, 1, 2].map(|number| cache.get(&key(number), 0, at(0)).is_some());
        assert_eq!(found, [false, true, true]);
    }

    #[test]
    fn a_verdict_counts_once_however_often_it_is_remembered() {
        let cache = Cache::new(8, usize::MAX);
        cache.insert(key(0), Some(0), until(100), token("anna"), at(0));
        let once = cache.held();
        cache.insert(key(0), Some(1), until(100), token("anna"), at(0));
        assert_eq!(cache.held(), once);
    }

    /// The keys are replaced while a slow verification is under way.
    #[test]
    fn a_verdict_of_older_keys_takes_no_newer_one_away() {
        let cache = Cache::new(8, usize::MAX);
        for number in 0..3 {
            cache.insert(key(number), Some(1), until(100), token("anna"), at(0));
        }
        let held = cache.held();
        cache.insert(key(1), Some(0), until(100), token("bert"), at(0));
        assert_eq!(cache.held(), held);
        assert_eq!(cache.get(&key(1), 1, at(0)).unwrap().user(), "anna");
        cache.insert(key(3), Some(0), until(100), token("bert"), at(0));
        let found = [0, 1, 2].map(|number| cache.get(&key(number), 1, at(0)).is_some());
        assert_eq!(found, [true; 3]);
        // And the newer ones make room of it.
        cache.insert(key(4), Some(1), until(100), token("anna"), at(0));
        assert!(cache.get(&key(4), 1, at(0)).is_some());
    }

    #[test]
    fn a_verdict_that_is_removed_leaves_nothing_and_takes_no_other_along() {
        let cache = Cache::new(8, usize::MAX);
        cache.insert(key(0), Some(0), until(100), token("anna"), at(0));
        let one = cache.held();
        cache.insert(key(1), Some(0), until(100), token("bert"), at(0));
        cache.remove(&key(1));
        cache.remove(&key(2));
        assert_eq!(cache.held(), one);
        let found = [0, 1].map(|number| cache.get(&key(number), 0, at(0)).is_some());
        assert_eq!(found, [true, false]);
        // Of four, so that what is left is not as many as what went.
        let cache = Cache::new(8, usize::MAX);
        for number in 0..4 {
            cache.insert(key(number), Some(0), until(100), token("bert"), at(0));
        }
        cache.remove(&key(1));
        assert_eq!(cache.held().0, 3);
    }

    /// The map keeps a digest and the entry, the order the digest once more; behind it lies what the token says.
    #[test]
    fn a_verdict_counts_with_what_holds_it_and_fills_the_cache_to_the_last_byte() {
        let insert = |cache: &Cache| {
            cache.insert(key(0), Some(0), until(100), token(""), at(0));
            cache.held()
        };
        let (entries, bytes) = insert(&Cache::new(8, usize::MAX));
        let least = size_of::<(Digest, Entry)>() + size_of::<Digest>() + size_of::<Grant>();
        assert!(
            entries == 1 && bytes >= least,
            "{bytes} of at least {least}"
        );
        assert_eq!(insert(&Cache::new(8, bytes)), (1, bytes));
        assert_eq!(insert(&Cache::new(8, bytes - 1)), (0, 0));
    }

    #[test]
    fn what_is_over_is_forgotten_at_the_next_entry() {
        let cache = Cache::new(8, usize::MAX);
        cache.insert(key(0), Some(0), until(50), token("anna"), at(0));
        cache.insert(key(1), Some(0), until(100), token("anna"), at(49));
        assert_eq!(cache.held().0, 2);
        cache.insert(key(2), Some(0), until(100), token("anna"), at(50));
        assert_eq!(cache.held().0, 2, "expired with its token");
        cache.insert(key(3), Some(1), until(100), token("anna"), at(50));
        assert_eq!(cache.held().0, 1, "expired with its key set");
    }

    #[test]
    fn a_verdict_holds_in_its_window_and_for_its_keys() {
        let cache = Cache::new(8, usize::MAX);
        let window = Window {
            from: at(10),
            until: at(20),
        };
        cache.insert(key(0), Some(7), window, token("anna"), at(15));
        cache.insert(key(1), None, window, token("anna"), at(15));
        let holds =
            |number, generation, now| cache.get(&key(number), generation, at(now)).is_some();
        assert_eq!(
            [9, 10, 19, 20].map(|now| holds(0, 7, now)),
            [false, true, true, false]
        );
        assert!(!holds(0, 8, 15));
        assert!(holds(1, 8, 15), "rests on no key");
    }
}
