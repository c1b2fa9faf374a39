//! The access token a client holds, and those it must not present again.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};
use std::time::{Duration, Instant};

use sip_oauth_token::AccessToken;

/// How many refused tokens are remembered, by their digests. Each costs a visit to the authorization server and an answer
/// of a registrar: a client does not come to so many.
const REMEMBERED: usize = 4096;

/// The shortest time between a token and the question for the next one. `expires_in` is the authorization
/// server's word: one that says 0, or so little that each answer leads to the next question, must not be
/// asked without rest.
const SHORTEST_RENEWAL: Duration = Duration::from_secs(30);

/// Why a token was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ProvideTokenError {
    /// A registrar has refused this very token.
    #[error("a registrar has already refused this token; obtain another one")]
    AlreadyRefused,
}

/// Token, its times, and the refused ones.
#[derive(Debug, Default)]
pub(super) struct Held {
    current: Option<Current>,
    refused: VecDeque<RefusedToken>,
}

#[derive(Debug)]
struct RefusedToken {
    digest: Digest,
    by: RefusedBy,
}

/// What stands for a token that is over: 16 bytes of SipHash. Who could make two tokens of one digest is who issues them,
/// and gains nothing but the refusal of the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Digest([u64; 2]);

impl Digest {
    fn of(token: &AccessToken) -> Self {
        Self([0_u8, 1].map(|half| {
            let mut hasher = DefaultHasher::new();
            hasher.write(&[half]);
            hasher.write(token.expose().as_bytes());
            hasher.finish()
        }))
    }
}

/// Who is not shown a token again.
#[derive(Debug)]
enum RefusedBy {
    /// The node that was to hold the registration refused it: nobody is.
    Registrar,
    /// Nodes that were only asked whether they are there. Those may lag behind the one that is content with it.
    Watched(Vec<String>),
}

impl RefusedToken {
    fn is_refused_by(&self, node: &str) -> bool {
        match &self.by {
            RefusedBy::Registrar => true,
            RefusedBy::Watched(nodes) => nodes.iter().any(|known| known == node),
        }
    }
}

#[derive(Debug)]
struct Current {
    token: AccessToken,
    /// When it ends; `None` when nobody said.
    ends_at: Option<Instant>,
    /// When a new one is asked for. Taken out when it was.
    renew_at: Option<Instant>,
}

impl Held {
    /// Takes a token in place of the one before.
    pub(super) fn put(
        &mut self,
        token: AccessToken,
        expires_in: Option<Duration>,
        renew_at_percent: u8,
        now: Instant,
    ) -> Result<(), ProvideTokenError> {
        let refused = self.refusal(&token);
        if refused.is_some_and(|refused| matches!(refused.by, RefusedBy::Registrar)) {
            return Err(ProvideTokenError::AlreadyRefused);
        }
        let percent = u32::from(renew_at_percent.min(100));
        self.current = Some(Current {
            token,
            // A life too long for the clock is one without end.
            ends_at: expires_in.and_then(|life| now.checked_add(life)),
            renew_at: expires_in.and_then(|life| {
                let part = life.checked_mul(percent).map_or(life, |part| part / 100);
                now.checked_add(part.max(SHORTEST_RENEWAL))
            }),
        });
        Ok(())
    }

    /// The token, if this node may see it: neither over nor refused by it.
    pub(super) fn usable_at(&self, node: &str, now: Instant) -> Option<&AccessToken> {
        let current = self.current.as_ref()?;
        let over = current.ends_at.is_some_and(|end| end <= now);
        (!over && !self.is_refused_by(node, &current.token)).then_some(&current.token)
    }

    /// Whether this node has refused this token.
    pub(super) fn is_refused_by(&self, node: &str, token: &AccessToken) -> bool {
        self.refusal(token)
            .is_some_and(|refused| refused.is_refused_by(node))
    }

    /// The node that is to hold the registration challenged: the token it was shown, now or while it was only watched, is
    /// never presented again. False where it was shown none.
    pub(super) fn refuse(&mut self, node: &str, presented: Option<AccessToken>) -> bool {
        let token = presented.or_else(|| {
            let current = &self.current.as_ref()?.token;
            self.is_refused_by(node, current).then(|| current.clone())
        });
        let Some(token) = token else {
            return false;
        };
        self.current.take_if(|current| current.token == token);
        let mut refused = self.recall(Digest::of(&token));
        refused.by = RefusedBy::Registrar;
        self.remember(refused);
        true
    }

    /// A watched node challenged the token: it is not shown it again. Others are.
    pub(super) fn refuse_at(&mut self, node: &str, token: &AccessToken) {
        let mut refused = self.recall(Digest::of(token));
        if let RefusedBy::Watched(nodes) = &mut refused.by
            && !nodes.iter().any(|known| known == node)
        {
            nodes.push(node.to_owned());
        }
        self.remember(refused);
    }

    fn refusal(&self, token: &AccessToken) -> Option<&RefusedToken> {
        if self.refused.is_empty() {
            return None;
        }
        let digest = Digest::of(token);
        self.refused.iter().find(|refused| refused.digest == digest)
    }

    /// Takes out what is remembered of a token.
    fn recall(&mut self, digest: Digest) -> RefusedToken {
        let at = self.refused.iter().position(|known| known.digest == digest);
        at.and_then(|at| self.refused.remove(at))
            .unwrap_or(RefusedToken {
                digest,
                by: RefusedBy::Watched(Vec::new()),
            })
    }

    /// Remembers a refusal as the latest one.
    fn remember(&mut self, refused: RefusedToken) {
        if self.refused.len() == REMEMBERED {
            self.refused.pop_front();
        }
        self.refused.push_back(refused);
    }

    /// When a new token should be asked for.
    pub(super) fn renew_at(&self) -> Option<Instant> {
        self.current.as_ref()?.renew_at
    }

    /// Whether it is time to ask for a new token; true once only.
    pub(super) fn renewal_due(&mut self, now: Instant) -> bool {
        self.current
            .as_mut()
            .and_then(|current| current.renew_at.take_if(|due| *due <= now))
            .is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> AccessToken {
        AccessToken::parse(text).unwrap()
    }

    #[test]
    fn a_refused_token_is_never_taken_again() {
        let now = Instant::now();
        let mut held = Held::default();
        held.put(token("one"), None, 75, now).unwrap();
        assert!(held.refuse("a", Some(token("one"))));
        assert_eq!(held.usable_at("b", now), None);
        assert_eq!(
            held.put(token("one"), None, 75, now),
            Err(ProvideTokenError::AlreadyRefused)
        );
        held.put(token("two"), None, 75, now).unwrap();
        assert_eq!(held.usable_at("a", now), Some(&token("two")));
    }

    /// A person who signs in again and again gets many; none of them is shown twice.
    #[test]
    fn many_refused_tokens_are_remembered() {
        let now = Instant::now();
        let mut held = Held::default();
        for number in 0..100 {
            let one = token(&format!("token-{number}"));
            held.put(one.clone(), None, 75, now).unwrap();
            assert!(held.refuse("a", Some(one)));
        }
        for number in 0..100 {
            assert_eq!(
                held.put(token(&format!("token-{number}")), None, 75, now),
                Err(ProvideTokenError::AlreadyRefused),
                "{number}"
            );
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut held = Held::default();
        for number in 0..=REMEMBERED {
            held.refuse_at("a", &token(&format!("token-{number}")));
        }
        assert_eq!(held.refused.len(), REMEMBERED);
        assert!(
            !held.is_refused_by("a", &token("token-0")),
            "the oldest goes"
        );
        assert!(held.is_refused_by("a", &token("token-1")));
    }

    #[test]
    fn refusing_an_old_token_leaves_the_new_one() {
        let now = Instant::now();
        let mut held = Held::default();
        held.put(token("new"), None, 75, now).unwrap();
        assert!(held.refuse("a", Some(token("old"))));
        assert_eq!(held.usable_at("a", now), Some(&token("new")));
    }

    /// A node that lags behind costs the others nothing; where it is to hold the registration, its word counts.
    #[test]
    fn a_watched_node_that_refuses_a_token_refuses_it_for_itself() {
        let now = Instant::now();
        let mut held = Held::default();
        held.put(token("one"), None, 75, now).unwrap();
        held.refuse_at("standby", &token("one"));
        assert_eq!(held.usable_at("standby", now), None);
        assert_eq!(held.usable_at("primary", now), Some(&token("one")));
        assert_eq!(held.put(token("one"), None, 75, now), Ok(()));
        assert!(!held.refuse("primary", None), "it was shown none");
        assert_eq!(held.usable_at("primary", now), Some(&token("one")));
        assert!(held.refuse("standby", None), "it was, while it was watched");
        assert_eq!(held.usable_at("primary", now), None);
        held.refuse_at("standby", &token("one"));
        assert_eq!(
            held.put(token("one"), None, 75, now),
            Err(ProvideTokenError::AlreadyRefused)
        );
    }

    #[test]
    fn renewal_is_due_once_at_three_quarters() {
        let now = Instant::now();
        let mut held = Held::default();
        held.put(token("one"), Some(Duration::from_secs(3600)), 75, now)
            .unwrap();
        assert_eq!(held.renew_at(), Some(now + Duration::from_secs(2700)));
        assert!(!held.renewal_due(now + Duration::from_secs(2699)));
        assert!(held.renewal_due(now + Duration::from_secs(2700)));
        assert!(
            !held.renewal_due(now + Duration::from_secs(2800)),
            "asked already"
        );
        assert!(
            held.usable_at("a", now + Duration::from_secs(3599))
                .is_some()
        );
        assert_eq!(held.usable_at("a", now + Duration::from_secs(3600)), None);
    }

    /// `expires_in`: 0, and a part of 0 percent: neither makes the next question due at once.
    #[test]
    fn renewal_is_due_no_sooner_than_after_half_a_minute() {
        let now = Instant::now();
        for (life, percent, seconds) in [(0, 75, 30), (3600, 0, 30), (40, 75, 30), (41, 75, 30)] {
            let mut held = Held::default();
            let life = Some(Duration::from_secs(life));
            held.put(token("one"), life, percent, now).unwrap();
            let due = held.renew_at().unwrap() - now;
            assert_eq!(due.as_secs(), seconds, "{percent} % of {life:?}");
            assert!(!held.renewal_due(now + Duration::from_secs(29)));
            assert!(held.renewal_due(now + due));
        }
    }

    #[test]
    fn a_life_longer_than_the_clock_is_one_without_end() {
        let now = Instant::now();
        let mut held = Held::default();
        held.put(token("one"), Some(Duration::MAX), 75, now)
            .unwrap();
        assert!(held.usable_at("a", now).is_some());
    }
}
