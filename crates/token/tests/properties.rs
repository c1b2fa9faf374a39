//! What holds for every token, not only for those somebody thought of.
#![cfg(feature = "issue")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod common;

use std::sync::OnceLock;
use std::time::Duration;

use common::{NOW, UUID, at, now};
use proptest::prelude::*;
use sip_oauth_token::issue::AuthorizationServer;
use sip_oauth_token::{AccessToken, Form, Policy, Verifier, inspect};

const AUDIENCE: &str = "sip:example.com";

fn server() -> &'static AuthorizationServer {
    static SERVER: OnceLock<AuthorizationServer> = OnceLock::new();
    SERVER.get_or_init(|| AuthorizationServer::new(UUID).unwrap())
}

fn verifier(form: Form) -> Verifier {
    let policy = match form {
        Form::UnifiedCm => server().policy(),
        _ => Policy::rfc9068(UUID, AUDIENCE).forms([form]),
    };
    Verifier::new(server().key_set(), policy)
}

fn any_form() -> impl Strategy<Value = Form> {
    prop_oneof![Just(Form::UnifiedCm), Just(Form::Jwt), Just(Form::Nested)]
}

fn issue(form: Form, user: &str, client_id: &str, scopes: &[&str]) -> AccessToken {
    let issued = server().issue_access_for(form, AUDIENCE, user, client_id, scopes, now());
    issued.unwrap().token
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn what_is_issued_verifies_and_says_the_same(
        form in any_form(),
        user in "[^\\x00]{1,40}",
        client_id in "[ -~]{1,70}",
        scopes in proptest::collection::vec("[!#-\\[\\]-~]{1,20}", 0..4),
    ) {
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let token = issue(form, &user, &client_id, &scopes);
        let verified = verifier(form).verify(token.expose(), now()).unwrap();
        prop_assert_eq!(verified.form(), form);
        prop_assert_eq!(verified.user(), user);
        prop_assert_eq!(verified.client_id(), Some(client_id.as_str()));
        prop_assert_eq!(verified.scopes(), scopes);
        prop_assert_eq!(verified.expires_at(), at(NOW + 3600));
    }

    #[test]
    fn one_bit_makes_another_token(form in any_form(), place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let token = issue(form, "rado", "C1", &[]);
        let mut bytes = token.expose().as_bytes().to_vec();
        let at = place.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            prop_assert!(verifier(form).verify(text, now()).is_err());
        }
    }

    #[test]
    fn a_token_cut_anywhere_is_refused(form in any_form(), place in any::<prop::sample::Index>()) {
        let token = issue(form, "rado", "C1", &[]);
        let end = place.index(token.len());
        prop_assert!(verifier(form).verify(&token.expose()[..end], now()).is_err());
    }

    /// A cache may save work; it may not change a verdict.
    #[test]
    fn a_cache_changes_no_verdict(times in proptest::collection::vec(NOW - 200..NOW + 4000, 1..20)) {
        let token = issue(Form::UnifiedCm, "rado", "C1", &[]);
        let plain = verifier(Form::UnifiedCm);
        let cached = verifier(Form::UnifiedCm).with_cache(4);
        for time in times {
            prop_assert_eq!(plain.verify(token.expose(), at(time)), cached.verify(token.expose(), at(time)));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,300}", header in ".{0,60}", payload in ".{0,60}", seconds in 0..u64::from(u32::MAX)) {
        let shaped = common::sign(&header, &payload);
        for form in [Form::UnifiedCm, Form::Jwt, Form::Nested] {
            for text in [&text, &shaped] {
                let _ = verifier(form).verify(text, at(seconds));
                let _ = verifier(form).verify_refresh(text, at(seconds));
                let _ = inspect(text);
            }
        }
    }

    #[test]
    fn numbers_of_any_size_are_times_or_refused(exp in any::<f64>(), iat in any::<u64>(), now_seconds in any::<u32>()) {
        let claims = common::with(common::CLAIMS, "exp", Some(&serde_json::json!(exp).to_string()));
        let claims = common::with(&claims, "iat", Some(&iat.to_string()));
        let policy = common::rfc9068().max_lifetime(Duration::MAX);
        let token = common::sign(common::HEADER, claims);
        let _ = Verifier::new(common::keys(), policy).verify(&token, at(u64::from(now_seconds)));
    }
}

/// Every bit of one token of each form, not a sample of them.
#[test]
fn no_bit_of_a_token_can_be_flipped() {
    for form in [Form::UnifiedCm, Form::Jwt] {
        let verifier = verifier(form);
        let token = issue(form, "rado", "C1", &[]);
        assert!(verifier.verify(token.expose(), now()).is_ok());
        let mut bytes = token.expose().as_bytes().to_vec();
        for at in 0..bytes.len() {
            for bit in 0..7 {
                bytes[at] ^= 1 << bit;
                let text = std::str::from_utf8(&bytes).unwrap();
                assert!(
                    verifier.verify(text, now()).is_err(),
                    "{form}: bit {bit} of byte {at}"
                );
                bytes[at] ^= 1 << bit;
            }
        }
    }
}
