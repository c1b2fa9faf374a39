//! JsSIP on Node.js with `authorization_jwt`, over a TLS socket of its user's own (`jssip/register.js`).

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use sip_oauth_registration::registrar::{
    Cluster, Database, Decision, Listener, Observation, Registrar, RegistrarConfig, TokenVerdict,
};
use sip_oauth_token::Verifier;

use crate::{
    program::{Folder, Program, all_installed, skipped},
    serve,
    support::{Estate, NODE},
};

/// Where `npm install --prefix target/peers jssip` puts it.
fn installed() -> Option<PathBuf> {
    if !all_installed(&[("node", "nodejs")]) {
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../peers/node_modules/jssip");
    if folder.is_dir() {
        return Some(folder);
    }
    skipped("JsSIP is not there (npm install --prefix target/peers jssip)");
    None
}

/// Starts `register.js` with this value of `authorization_jwt`.
fn jssip(jssip: &Path, port: u16, trusted: &Path, authorization: &str) -> Program {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/jssip/register.js");
    Program::start(
        Command::new("node")
            .arg(script)
            .env("JSSIP", jssip)
            .env("NODE_PORT", port.to_string())
            .env("NODE_NAME", NODE)
            .env("NODE_CA", trusted)
            .env("AUTHORIZATION", authorization),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn registers_registers_again_and_unregisters() {
    let Some(library) = installed() else {
        return;
    };
    let (estate, folder) = (Estate::new(), Folder::new());
    let server = serve(&estate).await;
    let port = server.local_addr(Listener::SipOAuth).unwrap().port();
    let trusted = folder.write("ca.pem", &estate.authority.pem());
    let issued = estate.token();
    let token = issued.token.expose();
    // Both writings: of RFC 8898 and of Unified CM's clients.
    for authorization in [
        format!("Bearer {token}"),
        format!("Bearer token=\"{token}\""),
    ] {
        let before = estate.trace.decisions().len();
        let mut program = jssip(&library, port, &trusted, &authorization);
        program.says("\nregistered\n", 1).await;
        assert_eq!(estate.bindings(), 1);
        program.types("again\n");
        program.says("answer 200\n", 2).await;
        assert_eq!(estate.bindings(), 1, "the same binding");
        program.types("leave\n");
        program.says("\nunregistered\n", 1).await;
        assert_eq!(estate.bindings(), 0);
        let (status, said) = program.ends().await;
        assert!(status.success(), "{status}:\n{said}");

        let seen: Vec<Observation> = estate.trace.decisions().split_off(before);
        assert_eq!(seen.len(), 3, "it is never challenged: {seen:?}");
        for seen in seen {
            assert!(!matches!(seen.decision, Decision::Refused(_)), "{seen:?}");
            assert!(matches!(seen.token, TokenVerdict::Valid { .. }), "{seen:?}");
        }
    }
    server.shutdown().await;
}

/// RFC 8898 without Cisco's names: JsSIP refreshes by its own timer, five seconds before the end of a short registration.
#[tokio::test(flavor = "multi_thread")]
async fn refreshes_by_itself_at_a_registrar_of_rfc_8898() {
    let Some(library) = installed() else {
        return;
    };
    let (mut estate, folder) = (Estate::new(), Folder::new());
    let mut config = RegistrarConfig::rfc8898(NODE, "https://as.example.com");
    config.expires.max = Duration::from_secs(10);
    let verifier = Verifier::new(estate.tokens.key_set(), estate.tokens.policy());
    let nobody = Database::new(Cluster::new());
    estate.registrar = Arc::new(Registrar::new(config, nobody, Arc::new(verifier)));
    let server = serve(&estate).await;
    let port = server.local_addr(Listener::SipOAuth).unwrap().port();
    let trusted = folder.write("ca.pem", &estate.authority.pem());
    let issued = estate.token_of("1010");
    let authorization = format!("Bearer {}", issued.token.expose());
    let mut program = jssip(&library, port, &trusted, &authorization);
    program.says("\nregistered\n", 1).await;
    program.says("answer 200\n", 2).await;
    assert_eq!(estate.bindings(), 1);
    program.types("leave\n");
    program.says("\nunregistered\n", 1).await;
    assert_eq!(estate.bindings(), 0);
    for seen in estate.trace.decisions() {
        assert!(!matches!(seen.decision, Decision::Refused(_)), "{seen:?}");
    }
    server.shutdown().await;
}

/// JsSIP never answers a Bearer challenge: it reports the 407 and stays unregistered.
#[tokio::test(flavor = "multi_thread")]
async fn is_told_when_its_token_does_not_hold() {
    let Some(library) = installed() else {
        return;
    };
    let (estate, folder) = (Estate::new(), Folder::new());
    let server = serve(&estate).await;
    let port = server.local_addr(Listener::SipOAuth).unwrap().port();
    let trusted = folder.write("ca.pem", &estate.authority.pem());
    let program = jssip(&library, port, &trusted, "Bearer not.a.token");
    program.says("refused 407\n", 1).await;
    assert_eq!(estate.bindings(), 0);
    server.shutdown().await;
}
