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

use std::collections::{HashMap, HashSet};
use std::fmt::{Debug, Display};
use std::path::PathBuf;

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

/// The names of all other tests of this crate, as their programs have them.
fn suite() -> Vec<String> {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap();
    let mut names: Vec<String> = folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension().is_some_and(|end| end == "rs") || path.join("main.rs").is_file()
        })
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "secrets")
        .collect();
    // And those that stand beside the code.
    names.push("sip_oauth_token".to_owned());
    names.sort();
    names
}

/// The newest program of each of them that was built. Tests of other crates may have the same name and lie beside them: of
/// which sources a program was made stands in a file beside it.
fn programs() -> HashMap<String, PathBuf> {
    let beside = std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .to_owned();
    let mut newest = HashMap::new();
    for entry in std::fs::read_dir(beside).unwrap() {
        let sources = entry.unwrap().path();
        let program = sources.with_extension(std::env::consts::EXE_EXTENSION);
        let Some(made) = program.metadata().and_then(|data| data.modified()).ok() else {
            continue;
        };
        if sources.extension().is_none_or(|end| end != "d") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&sources) else {
            continue;
        };
        let stem = sources.file_stem().unwrap().to_string_lossy();
        let Some((name, _hash)) = stem.rsplit_once('-') else {
            continue;
        };
        let is_ours = [
            format!("crates/token/tests/{name}.rs"),
            format!("crates/token/tests/{name}/main.rs"),
            "crates/token/src/lib.rs".to_owned(),
        ]
        .iter()
        .any(|source| text.replace('\\', "/").contains(source.as_str()));
        if is_ours && newest.get(name).is_none_or(|(known, _)| *known < made) {
            newest.insert(name.to_owned(), (made, program));
        }
    }
    newest
        .into_iter()
        .map(|(name, (_, program))| (name, program))
        .collect()
}

/// What is printed or logged by every other test of this crate, at the highest level, with back-traces:
/// nothing in it reads like a token. A JOSE text begins with `eyJ`, the base64url of `{"`.
///
/// Their programs are taken from where cargo put this one; one that was not built is named.
#[test]
fn the_whole_suite_prints_no_token() {
    let programs = programs();
    for name in suite() {
        let Some(program) = programs.get(&name) else {
            println!("skipped, not built: {name}");
            continue;
        };
        let output = std::process::Command::new(program)
            .args(["--nocapture", "--include-ignored"])
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .env("PROPTEST_CASES", "4")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("test result: "), "{name} did not run");
        for printed in [output.stdout, output.stderr] {
            let printed = String::from_utf8_lossy(&printed);
            let found = printed.split("eyJ").skip(1).find(|after| {
                let is_base64url =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
                after.bytes().take_while(|byte| is_base64url(*byte)).count() >= 9
            });
            assert!(found.is_none(), "{name} prints what reads like a token");
        }
    }
}

/// Nothing this crate is built from can log at all, so there is no level at which a token could be logged.
#[test]
fn no_logger_is_in_the_tree() {
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");
    let Ok(lock) = std::fs::read_to_string(lock) else {
        println!("skipped, not found: Cargo.lock of the workspace");
        return;
    };
    let package = |name: &str| {
        let head = format!("name = {name:?}\n");
        let body = lock
            .split("[[package]]")
            .find(|package| package.contains(&head));
        let dependencies = body
            .and_then(|body| body.split_once("dependencies = ["))
            .map_or("", |(_, list)| list);
        let dependencies: Vec<String> = dependencies
            .split(['"', '\n'])
            .filter_map(|word| word.split_whitespace().next())
            .filter(|word| word.len() > 1 && *word != "],")
            .map(str::to_owned)
            .collect();
        dependencies
    };
    // Those of tests are in the list too, and they may not log either.
    let (mut seen, mut to_see) = (HashSet::new(), vec!["sip-oauth-token".to_owned()]);
    while let Some(name) = to_see.pop() {
        if seen.insert(name.clone()) {
            to_see.extend(package(&name));
        }
    }
    assert!(
        seen.contains("jsonwebtoken") && seen.contains("aws-lc-sys"),
        "{seen:?}"
    );
    for logger in ["log", "tracing", "tracing-core", "slog", "env_logger"] {
        assert!(!seen.contains(logger), "{logger}");
    }
}

/// A panic may happen in the embedder's code while it holds a token; what it prints is `Debug`.
#[test]
fn a_panic_around_a_token_does_not_show_it() {
    let text = sign(HEADER, CLAIMS);
    let access = AccessToken::parse(&text).unwrap();
    let other = AccessToken::parse("another").unwrap();
    let verdict = common::verify(&format!("{text}x")).map(drop);
    let panics: [Box<dyn Fn() + std::panic::UnwindSafe + std::panic::RefUnwindSafe>; 3] = [
        Box::new(move || assert_eq!(access, other)),
        Box::new(move || verdict.clone().unwrap()),
        Box::new(|| panic!("{:?}", keys())),
    ];
    for panics in panics {
        let message = std::panic::catch_unwind(panics).unwrap_err();
        let message = message.downcast_ref::<String>().unwrap();
        assert!(!message.is_empty() && !leaks(message, &text), "{message}");
    }
}
