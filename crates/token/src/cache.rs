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
const SHARDS: usize = 16;

/// Accepted tokens by digest, the oldest making room for the newest.
pub(crate) struct Cache {
    shards: [Mutex<Shard>; SHARDS],
    max_entries_per_shard: usize,
}

#[derive(Default)]
struct Shard {
    entries: HashMap<Digest, Entry>,
    /// The keys of `entries` in the order they came, each once.
    order: VecDeque<Digest>,
}

struct Entry {
    generation: u64,
    window: Window,
    token: VerifiedToken,
}

pub(crate) fn digest(text: &str) -> Digest {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    let mut key = Digest::default();
    key.copy_from_slice(digest.as_ref());
    key
}

impl Cache {
    pub(crate) fn new(max_entries: usize) -> Self {
        Self {
            shards: Default::default(),
            max_entries_per_shard: max_entries.div_ceil(SHARDS),
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
            entry.generation == generation && entry.window.from <= now && now < entry.window.until;
        holds.then(|| entry.token.clone())
    }

    pub(crate) fn insert(
        &self,
        key: Digest,
        generation: u64,
        window: Window,
        token: VerifiedToken,
    ) {
        let Some(mut shard) = self.shard(&key) else {
            return;
        };
        if shard
            .entries
            .insert(
                key,
                Entry {
                    generation,
                    window,
                    token,
                },
            )
            .is_some()
        {
            return;
        }
        shard.order.push_back(key);
        while shard.entries.len() > self.max_entries_per_shard {
            let Some(oldest) = shard.order.pop_front() else {
                return;
            };
            shard.entries.remove(&oldest);
        }
    }

    fn shard(&self, key: &Digest) -> Option<std::sync::MutexGuard<'_, Shard>> {
        let shard = self.shards.get(usize::from(key[0]) % SHARDS)?;
        // A thread that panicked while holding the lock left whole entries behind.
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
