//! The set of keys a verifier works with.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::time::SystemTime;

use jsonwebtoken::crypto::CryptoProvider;

use super::{DecryptionKey, EncryptionKey, KeyError, KeyId, VerifyingKey, jwk};
#[cfg(feature = "aws-lc-rs")]
use crate::algorithm::Algorithm;
use crate::error::{Place, TokenError, TokenErrorKind};

/// Keys by `kid`. Immutable: a rotation makes a new set, see
/// [`Verifier::replace_keys`](crate::Verifier::replace_keys).
///
/// "The application MUST validate that the cryptographic keys used for the cryptographic operations in the
/// JWT belong to the issuer" (RFC 8725 section 3.8). Whose a key is says the key itself
/// ([`VerifyingKey::of_issuer`]), else the set it came with
/// ([`Verifier::replace_keys_of`](crate::Verifier::replace_keys_of)), else the UUID in a `kid` of Unified CM's
/// form, if the policy calls that issuer or all of its issuers by UUIDs, else the policy, if it has one issuer. With
/// several, a key that belongs to nobody is refused.
///
/// ```
/// # #[cfg(feature = "aws-lc-rs")] {
/// use sip_oauth_token::{Algorithm, KeySet, VerifyingKey};
///
/// # let pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n-----END PUBLIC KEY-----";
/// let keys = KeySet::builder()
///     .verifying_key("2024-key", VerifyingKey::from_pem(pem, Algorithm::Es256)?)?
///     .build();
/// assert_eq!(keys.len(), 1);
/// # }
/// # Ok::<(), sip_oauth_token::KeyError>(())
/// ```
#[derive(Clone)]
pub struct KeySet {
    /// Who checks signatures; where there is none, the keys do, as they were parsed when loaded.
    provider: Option<&'static CryptoProvider>,
    pub(super) verifying: HashMap<KeyId, VerifyingKey>,
    pub(super) decryption: HashMap<KeyId, DecryptionKey>,
    skipped: Vec<KeyError>,
}

impl KeySet {
    /// Starts a set whose signatures are checked by aws-lc-rs, each key being parsed once.
    #[cfg(feature = "aws-lc-rs")]
    pub fn builder() -> KeySetBuilder {
        Self::builder_of(None)
    }

    /// Starts a set whose signatures are checked by `provider`. Only its `verifier_factory` is used, once
    /// for each signature.
    pub fn builder_with_provider(provider: &'static CryptoProvider) -> KeySetBuilder {
        Self::builder_of(Some(provider))
    }

    /// Starts a set whose signatures are checked as this one's are.
    pub(crate) fn another(&self) -> KeySetBuilder {
        Self::builder_of(self.provider)
    }

    fn builder_of(provider: Option<&'static CryptoProvider>) -> KeySetBuilder {
        KeySetBuilder {
            set: Self {
                provider,
                verifying: HashMap::new(),
                decryption: HashMap::new(),
                skipped: Vec::new(),
            },
        }
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.verifying.len() + self.decryption.len()
    }

    /// Whether there is no key at all. Such a set refuses every token.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of all keys, in no particular order.
    pub fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.verifying.keys().chain(self.decryption.keys())
    }

    /// Why entries of JWK sets were left out.
    pub fn skipped(&self) -> &[KeyError] {
        &self.skipped
    }

    /// Whether both hold the same keys, each under its name, and are checked in the same way.
    pub(super) fn has_keys_of(&self, other: &Self) -> bool {
        let same_provider = match (self.provider, other.provider) {
            (None, None) => true,
            (Some(mine), Some(other)) => std::ptr::eq(mine, other),
            _ => false,
        };
        same_provider
            && is_same(&self.verifying, &other.verifying, VerifyingKey::is_same)
            && is_same(&self.decryption, &other.decryption, DecryptionKey::is_same)
    }

    /// Checks a signature.
    pub(crate) fn verifies(
        &self,
        key: &VerifyingKey,
        signing_input: &str,
        signature: &Vec<u8>,
    ) -> bool {
        let message = signing_input.as_bytes();
        match self.provider {
            Some(provider) => {
                (provider.verifier_factory)(&key.algorithm().to_jsonwebtoken(), key.decoding())
                    .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
            }
            #[cfg(feature = "aws-lc-rs")]
            None => key.verifies(message, signature),
            #[cfg(not(feature = "aws-lc-rs"))]
            None => false,
        }
    }
}

/// Refuses a key that is over at `now`.
pub(crate) fn check_end(
    kid: Option<&KeyId>,
    end: Option<SystemTime>,
    now: SystemTime,
    place: Place,
) -> Result<(), TokenError> {
    match (end.and_then(|end| now.duration_since(end).ok()), kid) {
        (None, _) => Ok(()),
        (Some(since), Some(kid)) => Err(TokenErrorKind::RetiredKey {
            kid: kid.clone(),
            since,
        }
        .at(place)),
        (Some(_), None) => Err(TokenErrorKind::UnknownKey { kid: None }.at(place)),
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("verifying", &self.verifying)
            .field("decryption", &self.decryption)
            .finish_non_exhaustive()
    }
}

/// Collects keys for a [`KeySet`].
#[derive(Clone, Debug)]
pub struct KeySetBuilder {
    set: KeySet,
}

impl KeySetBuilder {
    /// Adds a key that verifies signatures.
    ///
    /// # Errors
    ///
    /// [`KeyError::KeyId`] and [`KeyError::Duplicate`].
    pub fn verifying_key(mut self, kid: &str, key: VerifyingKey) -> Result<Self, KeyError> {
        insert(&mut self.set.verifying, KeyId::new(kid)?, key)?;
        Ok(self)
    }

    /// Adds a shared key that opens encrypted parts, `alg` `dir`.
    ///
    /// # Errors
    ///
    /// [`KeyError::KeyId`] and [`KeyError::Duplicate`].
    pub fn encryption_key(self, kid: &str, key: EncryptionKey) -> Result<Self, KeyError> {
        self.decryption_key(kid, key.into())
    }

    /// Adds a key that opens encrypted parts, in whatever way.
    ///
    /// # Errors
    ///
    /// [`KeyError::KeyId`] and [`KeyError::Duplicate`].
    pub fn decryption_key(mut self, kid: &str, key: DecryptionKey) -> Result<Self, KeyError> {
        insert(&mut self.set.decryption, KeyId::new(kid)?, key)?;
        Ok(self)
    }

    /// Adds the keys of a JWK set (RFC 7517 section 5) that verify signatures, each under its `kid`.
    ///
    /// Entries of other kinds, without `kid`, with one that is there already, or with keys that are not taken are
    /// left out, as section 5 asks; [`KeySet::skipped`] says why.
    ///
    /// # Errors
    ///
    /// Not a JWK set, or not one usable key.
    pub fn jwk_set(mut self, json: &str) -> Result<Self, KeyError> {
        let mut usable = false;
        let entries = jwk::read_set(json)?;
        for entry in &entries {
            let added = jwk::from_set(entry)
                .and_then(|(kid, key)| insert(&mut self.set.verifying, KeyId::new(kid)?, key));
            match added {
                Ok(()) => usable = true,
                Err(error) => self.set.skipped.push(error),
            }
        }
        if usable {
            Ok(self)
        } else {
            Err(KeyError::NoUsableKey {
                skipped: entries.len(),
            })
        }
    }

    /// Adds the two keys of a Unified CM authorization server, each under the `kid` that
    /// [`KeyId::unified_cm`] makes, as keys of that issuer: its signing key as PEM of a `PUBLIC KEY` or
    /// of the AUTHZ `CERTIFICATE`, and its 32 byte encryption key.
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::from_pem`] and [`KeySetBuilder::verifying_key`].
    #[cfg(feature = "aws-lc-rs")]
    pub fn unified_cm(
        self,
        issuer_uuid: &str,
        signing_pem: &str,
        encryption_key: EncryptionKey,
    ) -> Result<Self, KeyError> {
        let spki = super::verifying::spki_of_pem(signing_pem)?;
        let signing_kid = KeyId::unified_cm(issuer_uuid, &spki);
        let encryption_kid = KeyId::unified_cm(issuer_uuid, encryption_key.expose());
        let signing_key = VerifyingKey::from_spki_der(&spki, Algorithm::Rs256)?;
        let encryption_key = DecryptionKey::from(encryption_key);
        self.verifying_key(signing_kid.as_str(), signing_key.of_issuer(issuer_uuid))?
            .decryption_key(
                encryption_kid.as_str(),
                encryption_key.of_issuer(issuer_uuid),
            )
    }

    /// Adds the keys of a set that this one replaces, as its grace set: they serve until `end`, or their own if that is
    /// earlier. A key whose `kid` is there already is not added: the new one counts.
    ///
    /// ```
    /// # #[cfg(feature = "aws-lc-rs")] {
    /// use std::time::{Duration, SystemTime};
    /// use sip_oauth_token::{Algorithm, KeySet, VerifyingKey};
    ///
    /// # let key = || VerifyingKey::from_secret(&[7; 32], Algorithm::Hs256);
    /// let old = KeySet::builder().verifying_key("2025", key()?)?.build();
    /// let new = KeySet::builder()
    ///     .verifying_key("2026", key()?)?
    ///     .grace(&old, SystemTime::now() + Duration::from_secs(3600))
    ///     .build();
    /// assert_eq!(new.len(), 2);
    /// # }
    /// # Ok::<(), sip_oauth_token::KeyError>(())
    /// ```
    #[must_use]
    pub fn grace(mut self, former: &KeySet, end: SystemTime) -> Self {
        let earlier = |own: Option<SystemTime>| own.map_or(end, |own| own.min(end));
        for (kid, key) in &former.verifying {
            let entry = self.set.verifying.entry(kid.clone());
            entry.or_insert_with(|| key.clone().until(earlier(key.end())));
        }
        for (kid, key) in &former.decryption {
            let entry = self.set.decryption.entry(kid.clone());
            entry.or_insert_with(|| key.clone().until(earlier(key.end())));
        }
        self
    }

    /// The set.
    pub fn build(self) -> KeySet {
        self.set
    }
}

fn is_same<K>(
    mine: &HashMap<KeyId, K>,
    other: &HashMap<KeyId, K>,
    is_same_key: impl Fn(&K, &K) -> bool,
) -> bool {
    let has = |(kid, key)| other.get(kid).is_some_and(|other| is_same_key(key, other));
    mine.len() == other.len() && mine.iter().all(has)
}

fn insert<K>(keys: &mut HashMap<KeyId, K>, kid: KeyId, key: K) -> Result<(), KeyError> {
    match keys.entry(kid) {
        Entry::Vacant(entry) => {
            entry.insert(key);
            Ok(())
        }
        Entry::Occupied(entry) => Err(KeyError::Duplicate(entry.key().clone())),
    }
}
