//! Tokens and keys appear in nothing that is printed.
#![cfg(feature = "issue")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod common;

use std::collections::HashSet;
use std::fmt::{Debug, Display};

use common::{
    CLAIMS, HEADER, UCM_CLAIMS, UUID, at, b64, keys, now, rfc9068, sign, ucm, unified_cm, with,
};
use sip_oauth_token::issue::AuthorizationServer;
use sip_oauth_token::{AccessToken, RefreshToken, Verifier, inspect};

/// Whether any 12 characters of `secret` in a row stand in `printed`.
fn leaks(printed: &str, secret: &str) -> bool {
    let printed: HashSet<&[u8]> = printed.as_bytes().windows(12).collect();
    secret
        .as_bytes()
        .windows(12)
        .any(|window| printed.contains(window))
}

fn printed(value: &(impl Debug + Display)) -> String {
    format!("{value} {value:?} {value:#?}")
}

#[test]
fn a_token_prints_as_its_length() {
    let text = sign(HEADER, CLAIMS);
    let access = AccessToken::parse(&text).unwrap();
    let refresh = RefreshToken::parse(&text).unwrap();
    assert_eq!(
        format!("{access:?}"),
        format!("AccessToken <{} bytes>", text.len())
    );
    assert_eq!(format!("{refresh}"), format!("<{} bytes>", text.len()));
    assert!(!leaks(&printed(&access), &text));
    assert!(!leaks(&printed(&refresh), &text));
}

#[test]
fn no_error_repeats_the_token() {
    let good = sign(HEADER, CLAIMS);
    let mut tokens = vec![
        format!("{good}\n"),
        format!("{good} "),
        format!("{good}="),
        format!("{good}.{good}"),
        format!("\"{good}\""),
        good.replace('.', "_"),
        good.replacen('.', "A.", 1),
        good.repeat(40),
        unified_cm(UCM_CLAIMS),
        unified_cm("no json at all, but long enough to be noticed"),
    ];
    for name in ["alg", "typ", "kid", "crit", "jwk"] {
        for value in ["7", "\"\"", "\"an unexpected value\"", "null"] {
            tokens.push(sign(&with(HEADER, name, Some(value)), CLAIMS));
        }
    }
    for name in [
        "iss",
        "aud",
        "exp",
        "iat",
        "nbf",
        "sub",
        "client_id",
        "jti",
        "scope",
        "ctyp",
    ] {
        for value in ["7", "\"\"", "\"refresh\"", "null", "[]"] {
            tokens.push(sign(HEADER, with(CLAIMS, name, Some(value))));
        }
    }
    let mut refused = 0;
    for token in &tokens {
        for policy in [rfc9068(), ucm(), ucm().any_type()] {
            let verifier = Verifier::new(keys(), policy);
            for verdict in [
                verifier.verify(token, now()).map(drop),
                verifier.verify(token, at(u64::from(u32::MAX))).map(drop),
                verifier.verify_refresh(token, now()).map(drop),
                inspect(token).map(drop),
                AccessToken::parse(token).map(drop),
            ] {
                let Err(error) = verdict else { continue };
                refused += 1;
                assert!(!leaks(&printed(&error), token), "{error}");
                assert!(!error.advice().is_empty());
            }
        }
    }
    assert!(refused > 300, "{refused}");
}

#[test]
fn a_verified_token_does_not_hold_its_text() {
    let text = sign(HEADER, CLAIMS);
    let verified = common::verify(&text).unwrap();
    assert!(!leaks(&format!("{verified:?}"), &text));
}

#[test]
fn an_inspection_shows_claims_but_no_signature_and_no_ciphertext() {
    for text in [sign(HEADER, CLAIMS), unified_cm(UCM_CLAIMS)] {
        let seen = inspect(&text).unwrap();
        assert!(!leaks(&printed(&seen), &text));
    }
}

#[test]
fn keys_are_not_printed() {
    let server = AuthorizationServer::new(UUID).unwrap();
    let hex = server.encryption_key().to_hex();
    let base64 = b64(server.encryption_key().expose());
    let bytes = format!("{:?}", server.encryption_key().expose());
    let verifier = Verifier::new(server.key_set(), server.policy()).with_cache(8);
    let issued = server.issue_access("rado", "C1", &[], now()).unwrap();
    verifier.verify(issued.token.expose(), now()).unwrap();
    for printed in [
        format!("{server:?} {server:#?}"),
        format!("{verifier:?} {verifier:#?}"),
        format!("{:?}", server.key_set()),
        format!("{:?}", server.encryption_key()),
        format!("{issued:?}"),
    ] {
        for secret in [hex.as_str(), &base64, &bytes, issued.token.expose()] {
            assert!(!leaks(&printed, secret), "{printed}");
        }
    }
}
