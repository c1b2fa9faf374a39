//! Authorization codes (RFC 6749 section 4.1.2): short-lived, used once, bound to who asked for them.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
    rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sip_oauth_token::{AccessToken, RefreshToken};

/// "A maximum authorization code lifetime of 10 minutes is RECOMMENDED"; a client on the same machine needs a second.
const LIFETIME: Duration = Duration::from_secs(60);
/// How long a used code is remembered, so that a second use of it is noticed.
const REMEMBERED: Duration = Duration::from_secs(600);
/// More than a lab's users ask for in ten minutes.
const MAX_CODES: usize = 1024;

/// What a code was given for.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) client_id: String,
    /// As the authorization request had it, if it had one.
    pub(super) redirect_uri: Option<String>,
    /// RFC 7636 section 4.2, of method S256.
    pub(super) code_challenge: String,
    pub(super) user: String,
    pub(super) scopes: Vec<String>,
}

/// What a client shows with its code.
pub(super) struct Presented<'a> {
    pub(super) code: &'a str,
    pub(super) client_id: &'a str,
    pub(super) redirect_uri: Option<&'a str>,
    pub(super) code_verifier: &'a str,
}

/// The codes in circulation, by themselves: they are random, live for a minute, and are worth nothing without their
/// verifier.
#[derive(Default)]
pub(super) struct Codes(HashMap<String, Entry>);

struct Entry {
    given_at: SystemTime,
    state: State,
}

enum State {
    Fresh(Request),
    /// Shown once, and good: the tokens are being made.
    Redeemed,
    /// The tokens that were given for it.
    Issued(AccessToken, RefreshToken),
    /// Shown wrongly, or once too often: no token lives on it any more.
    Over,
}

/// What became of a code that was shown.
pub(super) enum Redeemed {
    /// It is good, and used from now on.
    Good(Request),
    /// It is not, whatever the reason: `invalid_grant`.
    Refused,
    /// It was used before: "the authorization server MUST deny the request and SHOULD revoke (when possible) all tokens
    /// previously issued based on that authorization code".
    Again(Option<(AccessToken, RefreshToken)>),
}

impl Codes {
    /// A new code; nothing when there are too many already, or no randomness.
    pub(super) fn give(&mut self, request: Request, now: SystemTime) -> Option<String> {
        self.0
            .retain(|_, entry| !is_past(entry.given_at, REMEMBERED, now));
        if self.0.len() >= MAX_CODES {
            return None;
        }
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).ok()?;
        let code = URL_SAFE_NO_PAD.encode(bytes);
        let entry = Entry {
            given_at: now,
            state: State::Fresh(request),
        };
        self.0.insert(code.clone(), entry);
        Some(code)
    }

    /// Takes a code. Whoever shows it wrongly has used it up: its next guess would be as good as its first.
    pub(super) fn redeem(&mut self, presented: &Presented<'_>, now: SystemTime) -> Redeemed {
        let Some(entry) = self.0.get_mut(presented.code) else {
            return Redeemed::Refused;
        };
        match std::mem::replace(&mut entry.state, State::Over) {
            State::Redeemed | State::Over => Redeemed::Again(None),
            State::Issued(access, refresh) => Redeemed::Again(Some((access, refresh))),
            State::Fresh(request) => {
                let good = !is_past(entry.given_at, LIFETIME, now)
                    && request.client_id == presented.client_id
                    && request.redirect_uri.as_deref() == presented.redirect_uri
                    && is_verifier(presented.code_verifier, &request.code_challenge);
                if good {
                    entry.state = State::Redeemed;
                    Redeemed::Good(request)
                } else {
                    Redeemed::Refused
                }
            }
        }
    }

    /// Remembers what was issued on a code that was good. Says no when the code was shown again in the meantime, or is
    /// forgotten: whoever showed it the second time found nothing to revoke, so that these tokens are to be.
    #[must_use]
    pub(super) fn issued(
        &mut self,
        code: &str,
        access: &AccessToken,
        refresh: &RefreshToken,
    ) -> bool {
        match self.0.get_mut(code).map(|entry| &mut entry.state) {
            Some(state @ State::Redeemed) => {
                *state = State::Issued(access.clone(), refresh.clone());
                true
            }
            _ => false,
        }
    }
}

fn is_past(given_at: SystemTime, life: Duration, now: SystemTime) -> bool {
    now.duration_since(given_at).is_ok_and(|age| age >= life)
}

/// RFC 7636 section 4.6: `BASE64URL-ENCODE(SHA256(ASCII(code_verifier))) == code_challenge`, the verifier being 43 to 128
/// unreserved characters (section 4.1).
fn is_verifier(verifier: &str, challenge: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(unreserved)
        && verify_slices_are_equal(
            URL_SAFE_NO_PAD
                .encode(digest(&SHA256, verifier.as_bytes()))
                .as_bytes(),
            challenge.as_bytes(),
        )
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn request() -> Request {
        Request {
            client_id: "C1".to_owned(),
            redirect_uri: Some("http://127.0.0.1:1/callback".to_owned()),
            code_challenge: CHALLENGE.to_owned(),
            user: "rado".to_owned(),
            scopes: Vec::new(),
        }
    }

    fn presented(code: &str) -> Presented<'_> {
        Presented {
            code,
            client_id: "C1",
            redirect_uri: Some("http://127.0.0.1:1/callback"),
            code_verifier: VERIFIER,
        }
    }

    #[test]
    fn rfc7636_appendix_b() {
        assert!(is_verifier(VERIFIER, CHALLENGE));
        for wrong in [
            &VERIFIER[1..],
            "",
            &VERIFIER.replace('d', "e"),
            &"a".repeat(129),
        ] {
            assert!(!is_verifier(wrong, CHALLENGE), "{wrong}");
        }
    }

    #[test]
    fn a_code_is_good_once_for_a_minute() {
        let now = SystemTime::now();
        let mut codes = Codes::default();
        let code = codes.give(request(), now).unwrap();
        let later = now + Duration::from_secs(59);
        assert!(matches!(
            codes.redeem(&presented(&code), later),
            Redeemed::Good(_)
        ));
        assert!(matches!(
            codes.redeem(&presented(&code), later),
            Redeemed::Again(_)
        ));
        let code = codes.give(request(), now).unwrap();
        let later = now + Duration::from_secs(60);
        assert!(matches!(
            codes.redeem(&presented(&code), later),
            Redeemed::Refused
        ));
    }

    #[test]
    fn a_code_is_bound_to_client_redirect_uri_and_verifier_and_burnt_by_a_wrong_use() {
        let now = SystemTime::now();
        let wrong: [fn(&mut Presented<'_>); 4] = [
            |shown| shown.client_id = "C2",
            |shown| shown.redirect_uri = None,
            |shown| shown.redirect_uri = Some("http://127.0.0.1:2/callback"),
            |shown| shown.code_verifier = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ];
        for change in wrong {
            let mut codes = Codes::default();
            let code = codes.give(request(), now).unwrap();
            let mut shown = presented(&code);
            change(&mut shown);
            assert!(matches!(codes.redeem(&shown, now), Redeemed::Refused));
            assert!(matches!(
                codes.redeem(&presented(&code), now),
                Redeemed::Again(None)
            ));
        }
        assert!(matches!(
            Codes::default().redeem(&presented("x"), now),
            Redeemed::Refused
        ));
    }

    #[test]
    fn no_more_than_a_thousand_are_kept_and_they_are_forgotten() {
        let now = SystemTime::now();
        let mut codes = Codes::default();
        for _ in 0..MAX_CODES {
            codes.give(request(), now).unwrap();
        }
        assert_eq!(codes.give(request(), now), None);
        assert!(codes.give(request(), now + REMEMBERED).is_some());
        assert_eq!(codes.0.len(), 1);
    }
}
