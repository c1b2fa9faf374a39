//! The sets of keys a verifier works with side by side: its own, and one of each issuer.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::set::check_end;
use super::{DecryptionKey, KeyId, KeySet, VerifyingKey};
use crate::error::{Place, TokenError, TokenErrorKind};
use crate::policy::Policy;

/// Immutable, as its sets are: a replacement makes a new value, so that whoever reads one sees all of it.
#[derive(Clone)]
pub(crate) struct Sources {
    /// One more than that of the value this one replaced, so that a verdict can be traced to the keys it
    /// rests on.
    number: u64,
    /// What the verifier was made with.
    own: Arc<KeySet>,
    of_issuers: Vec<(Arc<str>, Arc<KeySet>)>,
}

/// A key a token may have been signed with.
pub(crate) struct Candidate<'a> {
    pub(crate) set: &'a KeySet,
    pub(crate) kid: &'a KeyId,
    pub(crate) key: &'a VerifyingKey,
    /// The set's issuer.
    source: Option<&'a str>,
}

/// Whose a key is.
pub(crate) type Owner<'a> = Option<&'a str>;

impl Sources {
    pub(crate) fn new(own: KeySet) -> Self {
        Self {
            number: 0,
            own: Arc::new(own),
            of_issuers: Vec::new(),
        }
    }

    #[cfg(feature = "aws-lc-rs")]
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn own(&self) -> &KeySet {
        &self.own
    }

    /// The same with another set of its own.
    pub(crate) fn with_own(&self, own: &Arc<KeySet>) -> Self {
        Self {
            number: self.number + 1,
            own: Arc::clone(own),
            of_issuers: self.of_issuers.clone(),
        }
    }

    /// Whether these are the keys of `issuer` already.
    pub(crate) fn has_set_of(&self, issuer: &str, keys: &KeySet) -> bool {
        let mut of_issuers = self.of_issuers.iter();
        match of_issuers.find(|(name, _)| **name == *issuer) {
            Some((_, held)) => held.has_keys_of(keys),
            None => keys.is_empty(),
        }
    }

    /// The same with another set of `issuer`.
    pub(crate) fn with_set_of(&self, issuer: &Arc<str>, keys: &Arc<KeySet>) -> Self {
        let others = self.of_issuers.iter().filter(|(name, _)| name != issuer);
        let new = (Arc::clone(issuer), Arc::clone(keys));
        let new = Some(&new).filter(|_| !keys.is_empty());
        Self {
            number: self.number + 1,
            own: Arc::clone(&self.own),
            of_issuers: others.chain(new).cloned().collect(),
        }
    }

    /// The keys a token with this `kid` may have been signed with: one of each set that knows the name,
    /// since two issuers may give their keys the same; without `kid`, where the policy takes that, the only
    /// key there is.
    ///
    /// # Errors
    ///
    /// `kid` is absent but required, or there are several keys to choose from without it.
    pub(crate) fn verifying_keys<'a>(
        &'a self,
        kid: Option<&KeyId>,
        policy: &Policy,
    ) -> Result<impl Iterator<Item = Candidate<'a>>, TokenError> {
        let place = Place::Header;
        let only = if kid.is_some() {
            None
        } else {
            let all = self.sets().flat_map(|(source, set)| {
                let keys = set.verifying.iter();
                keys.map(move |(kid, key)| (source, set, kid, key))
            });
            Some(only(all, policy, &place)?)
        };
        let named = self.sets().filter_map(move |(source, set)| {
            let (kid, key) = set.verifying.get_key_value(kid?)?;
            Some((source, set, kid, key))
        });
        Ok(named.chain(only).map(|(source, set, kid, key)| Candidate {
            set,
            kid,
            key,
            source,
        }))
    }

    /// The key that opens an encrypted part with this `kid`, and whose it is if it is an issuer's: it may be
    /// that of whom the token is for, whoever issued it.
    pub(crate) fn decryption_key<'a>(
        &'a self,
        kid: Option<&KeyId>,
        policy: &'a Policy,
        now: SystemTime,
    ) -> Result<(&'a DecryptionKey, Owner<'a>), TokenError> {
        let place = Place::EncryptedHeader;
        let (source, name, key) = if let Some(kid) = kid {
            let mut named = self.sets().filter_map(|(source, set)| {
                let (name, key) = set.decryption.get_key_value(kid)?;
                Some((source, name, key))
            });
            named.next().ok_or_else(|| unknown(Some(kid), &place))?
        } else {
            let all = self.sets().flat_map(|(source, set)| {
                let keys = set.decryption.iter();
                keys.map(move |(name, key)| (source, name, key))
            });
            only(all, policy, &place)?
        };
        check_end(kid, key.end(), now, place)?;
        let owner = key.issuer().or(source);
        Ok((key, owner.or_else(|| named_issuer(name, policy))))
    }

    fn sets(&self) -> impl Iterator<Item = (Option<&str>, &KeySet)> {
        let of_issuers = self.of_issuers.iter();
        std::iter::once((None, &*self.own))
            .chain(of_issuers.map(|(issuer, set)| (Some(&**issuer), &**set)))
    }
}

impl<'a> Candidate<'a> {
    /// Whose the key is: its own issuer, else that of its set, else the one its `kid` names in Unified CM's
    /// form, else the only one there is in the policy.
    ///
    /// # Errors
    ///
    /// With several issuers in the policy a key that belongs to none of them could sign for any.
    pub(crate) fn owner(&self, policy: &'a Policy) -> Result<&'a str, TokenError> {
        self.key
            .issuer()
            .or(self.source)
            .or_else(|| named_issuer(self.kid, policy))
            .or_else(|| policy.only_issuer())
            .ok_or_else(|| {
                let kid = self.kid.clone();
                TokenErrorKind::KeyWithoutIssuer { kid }.at(Place::Header)
            })
    }
}

/// The issuer that a `kid` of Unified CM's form names.
fn named_issuer<'a>(kid: &'a KeyId, policy: &'a Policy) -> Owner<'a> {
    policy.issuer_of_uuid(kid.issuer_uuid()?)
}

fn only<T>(
    mut all: impl Iterator<Item = T>,
    policy: &Policy,
    place: &Place,
) -> Result<T, TokenError> {
    if policy.key_id_required {
        let (name, problem) = ("kid", "is absent");
        return Err(TokenErrorKind::Parameter { name, problem }.at(place.clone()));
    }
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(unknown(None, place)),
    }
}

pub(crate) fn unknown(kid: Option<&KeyId>, place: &Place) -> TokenError {
    let kid = kid.cloned();
    TokenErrorKind::UnknownKey { kid }.at(place.clone())
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("own", &self.own)
            .field("of_issuers", &self.of_issuers)
            .finish_non_exhaustive()
    }
}
