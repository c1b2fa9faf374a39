//! Nothing of what an authorization server and its clients tell each other reaches a log line, an error or a `Debug`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "helpers of a test may fail it, and one log is told in one piece"
)]

mod support;

use std::{
    fmt::{Debug, Display},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use sip_oauth_registration::client::TokenReason::{Challenged, Rejected, Renewal};
use sip_oauth_token::{
    AccessToken, Form, KeySet, Policy, Verifier,
    issue::{AuthorizationServer, IssuedToken},
};
use sip_oauth_tokio::{
    ClientAuthentication, CodeGrant, IntrospectionClient, JwksClient, RefreshGrant, RenewingToken,
    TokenFile, TokenRequest, TokenSource as _,
};
use support::{
    BOTH, Estate, UUID,
    http::{HttpServer, Seen},
    kept::Kept,
    server_tls, soon,
};

const SERVER: &str = "as.example.com";
const REDIRECT: &str = "http://127.0.0.1:49152/callback";
const PASSWORD: &str = "correct-horse-battery-staple";
const CLIENT_SECRET: &str = "gX1fBat3bV-client-secret";
const CODE: &str = "SplxlOBeZQQYbYS6WxSbIA-code";

/// Both ways an error is printed, and what lies under it.
fn note<T, E: Display + Debug + std::error::Error>(said: &Kept, outcome: Result<T, E>) {
    let Err(error) = outcome else { return };
    said.note(&format!("error: {error} {error:?}\n"));
    let mut source = error.source();
    while let Some(error) = source {
        said.note(&format!("under it: {error} {error:?}\n"));
        source = error.source();
    }
}

/// How the server behaves.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Honest,
    /// Refuses everything and repeats what it was told, as badly written servers do.
    Echo(u16),
    /// Answers with what is cut in the middle of a token.
    Cut,
}

fn field(form: &str, name: &str) -> String {
    let pairs = form.split(['&', '?']);
    let value = pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name);
    value.map(|(_, value)| value.to_owned()).unwrap_or_default()
}

fn answer(
    tokens: &AuthorizationServer,
    estate: &EstateClock,
    mood: Mood,
    request: &Seen,
) -> Response<Full<Bytes>> {
    let now = estate.0.system_now();
    let issued = |form| {
        let IssuedToken { token, .. } = tokens
            .issue_access_for(form, "sip:example.com", "jdoe", "C0ffee", &[], now)
            .unwrap();
        token.expose().to_owned()
    };
    let path = request.path.split('?').next().unwrap();
    let honest = match path {
        "/authorize" => format!(
            "{REDIRECT}?code={CODE}&state={}",
            field(&request.path, "state")
        ),
        "/token" => format!(
            r#"{{"access_token":"{}","token_type":"Bearer","expires_in":60,"refresh_token":"{}"}}"#,
            issued(Form::UnifiedCm),
            issued(Form::Opaque),
        ),
        "/jwks" => tokens.jwk_set(),
        _ => tokens.introspect(&field(&request.body, "token"), now),
    };
    let built = Response::builder();
    match mood {
        Mood::Honest if path == "/authorize" => built
            .status(302)
            .header("location", honest)
            .body(Full::default()),
        Mood::Honest => built.status(200).body(Full::new(honest.into())),
        Mood::Echo(status) => {
            let echo = format!(
                r#"{{"error":"{}","error_description":"{}"}}"#,
                request.body, request.body
            );
            built
                .status(status)
                .header("location", format!("{REDIRECT}?error={CODE}"))
                .body(Full::new(echo.into()))
        }
        Mood::Cut => built
            .status(200)
            .body(Full::new(Bytes::from(honest).slice(..honest_half(path)))),
    }
    .unwrap()
}

fn honest_half(path: &str) -> usize {
    if path == "/token" { 900 } else { 20 }
}

struct EstateClock(sip_oauth_tokio::Clock);

#[tokio::test(flavor = "multi_thread")]
async fn the_most_talkative_log_of_sign_in_renewal_keys_and_introspection_holds_no_secret() {
    let said = Kept::from(tracing::Level::TRACE);
    let panics = said.clone();
    std::panic::set_hook(Box::new(move |info| {
        panics.note(&format!("PANICKED: {info}\n"));
    }));

    let estate = Estate::new();
    let mood = Arc::new(Mutex::new(Mood::Honest));
    let authority = &estate.authority;
    let tls = server_tls(authority.issue(SERVER), authority.store("trust"), "", BOTH);
    let issuer = AuthorizationServer::new(UUID).unwrap();
    let opaque = issuer
        .issue_access_for(
            Form::Opaque,
            "sip:example.com",
            "jdoe",
            "C0ffee",
            &[],
            estate.clock.system_now(),
        )
        .unwrap()
        .token;
    let jwt = issuer
        .issue_access_for(
            Form::Jwt,
            "sip:example.com",
            "jdoe",
            "C0ffee",
            &[],
            estate.clock.system_now(),
        )
        .unwrap()
        .token;
    let (shown, clock) = (Arc::clone(&mood), EstateClock(estate.clock.clone()));
    let given = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&given);
    let server = HttpServer::start(Some(tls.oauth()), move |request| {
        let mood = *shown.lock().unwrap();
        noted.lock().unwrap().push(request.clone());
        answer(&issuer, &clock, mood, request)
    })
    .await;
    let url = |path: &str| {
        format!(
            "https://{SERVER}:{}{path}?key=query-secret-7788",
            server.address.port()
        )
    };
    let client = || ClientAuthentication::basic("C0ffee", CLIENT_SECRET);
    let mut secrets: Vec<String> = [
        PASSWORD,
        CLIENT_SECRET,
        CODE,
        opaque.expose(),
        jwt.expose(),
        "query-secret-7788",
    ]
    .map(str::to_owned)
    .to_vec();

    for next in [
        Mood::Honest,
        Mood::Echo(400),
        Mood::Echo(500),
        Mood::Echo(200),
        Mood::Echo(302),
        Mood::Cut,
    ] {
        // A sign-in begins well, so that there is a code to lose.
        *mood.lock().unwrap() = Mood::Honest;
        let grant = CodeGrant::new(
            estate.connector(),
            &url("/authorize"),
            &url("/token"),
            "C0ffee",
            REDIRECT,
        )
        .unwrap()
        .client(client());
        let sign_in = grant.begin().unwrap();
        said.note(&format!("{grant:?} {sign_in:?}\n"));
        let back = soon(grant.authorize_with_password(&sign_in, "jdoe", PASSWORD))
            .await
            .unwrap();
        *mood.lock().unwrap() = next;
        let other = grant.begin().unwrap();
        note(
            &said,
            soon(grant.authorize_with_password(&other, "jdoe", PASSWORD)).await,
        );
        note(&said, soon(grant.finish(other, &back)).await);
        let signed_in = soon(grant.finish(sign_in, &back)).await;
        if let Ok(signed_in) = &signed_in {
            said.note(&format!("{signed_in:?}\n"));
            secrets.push(signed_in.access_token.token.expose().to_owned());
            secrets.push(
                signed_in
                    .refresh_token
                    .as_ref()
                    .unwrap()
                    .expose()
                    .to_owned(),
            );
        }
        note(&said, signed_in);

        let first = sip_oauth_token::RefreshToken::parse("8xLOxBtZp8-first-refresh-token").unwrap();
        secrets.push(first.expose().to_owned());
        let refresh = RefreshGrant::new(estate.connector(), &url("/token"), "C0ffee", first)
            .unwrap()
            .client(client());
        let renewing = RenewingToken::new(refresh, estate.clock.clone());
        for reason in [Challenged, Rejected, Renewal] {
            let request = TokenRequest::new(reason, None).held(jwt.clone());
            said.note(&format!("{renewing:?} {request:?}\n"));
            let outcome = soon(renewing.token(&request)).await;
            said.note(&format!("{outcome:?}\n"));
            note(&said, outcome);
        }

        let policy = Policy::rfc9068(UUID, "sip:example.com");
        let verifier = Arc::new(Verifier::new(KeySet::builder().build(), policy));
        let keys = JwksClient::new(estate.connector(), &url("/jwks"), verifier).unwrap();
        note(&said, soon(keys.verify(jwt.expose())).await);
        note(&said, soon(keys.refresh()).await);
        let policy = Policy::introspection(UUID, "sip:example.com");
        let verifier = Arc::new(Verifier::new(KeySet::builder().build(), policy));
        let introspection =
            IntrospectionClient::new(estate.connector(), &url("/introspect"), client(), verifier)
                .unwrap();
        said.note(&format!("{keys:?} {introspection:?}\n"));
        note(&said, soon(introspection.verify(opaque.expose())).await);
        note(&said, soon(introspection.verify(opaque.expose())).await);
    }
    let file = std::env::temp_dir().join(format!("sip-oauth-{}-secret", std::process::id()));
    std::fs::write(&file, format!("{}\nsecond line", jwt.expose())).unwrap();
    let source = TokenFile::new(&file);
    note(
        &said,
        source.token(&TokenRequest::new(Challenged, None)).await,
    );
    std::fs::write(&file, jwt.expose()).unwrap();
    note(
        &said,
        source
            .token(&TokenRequest::new(Rejected, None).held(jwt.clone()))
            .await,
    );
    said.note(&format!("{source:?}\n"));
    std::fs::remove_file(&file).unwrap();

    for request in given.lock().unwrap().iter() {
        for name in ["code_verifier", "refresh_token"] {
            let value = field(&request.body, name);
            if !value.is_empty() {
                secrets.push(value);
            }
        }
        if let Some(credentials) = request.headers.get("authorization") {
            let credentials = credentials.to_str().unwrap();
            secrets.push(credentials.split_once(' ').unwrap().1.to_owned());
        }
    }
    let said = said.text();
    assert!(
        said.contains("token endpoint https://as.example.com"),
        "errors were noted"
    );
    assert!(said.contains("introspection"), "the log is not empty");
    assert!(!said.contains("PANICKED"), "{said}");
    assert!(
        secrets
            .iter()
            .any(|secret| AccessToken::parse(secret).is_ok_and(|token| token.len() > 1000))
    );
    for secret in &secrets {
        // Any 16 characters of it in a row, counted from its start; all of it where it is shorter.
        for piece in secret.as_bytes().chunks_exact(secret.len().min(16)) {
            let piece = std::str::from_utf8(piece).unwrap();
            let line = said.lines().find(|line| line.contains(piece));
            assert_eq!(line, None, "a piece of {} was said", &secret[..8]);
        }
    }
}
