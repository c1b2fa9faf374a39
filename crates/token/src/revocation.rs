//! What was revoked: a self-contained token stays good by itself, so the verifier keeps a list.
//!
//! It has no bound of its own: only the operator adds to it. Nor does an entry end by itself: a token without
//! `iat` may name any `exp`, and be accepted shortly before it however long ago it was revoked.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use crate::verified::Grant;

/// Tokens and users that are refused although their tokens verify.
#[derive(Clone, Debug, Default)]
pub(crate) struct DenyList {
    token_ids: HashSet<String>,
    /// Tokens of the user issued at or before that time are refused.
    users: HashMap<String, SystemTime>,
}

impl DenyList {
    pub(crate) fn add_token(&mut self, token_id: &str) {
        self.token_ids.insert(token_id.to_owned());
    }

    pub(crate) fn add_user(&mut self, user: &str, until: SystemTime) {
        let entry = self.users.entry(user.to_owned()).or_insert(until);
        *entry = until.max(*entry);
    }

    pub(crate) fn remove_token(&mut self, token_id: &str) {
        self.token_ids.remove(token_id);
    }

    pub(crate) fn remove_user(&mut self, user: &str) {
        self.users.remove(user);
    }

    pub(crate) fn denies_token(&self, token_id: &str) -> bool {
        self.token_ids.contains(token_id)
    }

    pub(crate) fn denies(&self, grant: &Grant) -> bool {
        let by_token = grant
            .token_id
            .as_ref()
            .is_some_and(|token_id| self.denies_token(token_id));
        // A token that does not say when it was issued is taken for an old one.
        let by_user = self
            .users
            .get(&grant.subject)
            .is_some_and(|until| grant.issued_at.is_none_or(|issued| issued <= *until));
        by_token || by_user
    }
}
