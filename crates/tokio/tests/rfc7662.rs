//! Introspection over HTTPS, RFC 7662. Time is scripted.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use sip_oauth_token::{Form, KeySet, Policy, TokenErrorKind, Verifier, issue::AuthorizationServer};
use sip_oauth_tokio::{ClientAuthentication, Clock, IntrospectionClient, IntrospectionError};
use support::{
    BOTH, Estate, UUID, at_once,
    http::{HttpServer, respond},
    server_tls, soon,
};

const SERVER: &str = "as.example.com";
const AUDIENCE: &str = "sip:example.com";

/// What the endpoint does.
#[derive(Clone)]
enum Endpoint {
    /// What the authorization server knows.
    Honest,
    /// This status and body.
    Fixed(u16, String),
    /// This status for this token, and the truth about others.
    Picky(u16, String),
}

struct Stage {
    estate: Estate,
    tokens: Arc<Mutex<AuthorizationServer>>,
    endpoint: Arc<Mutex<Endpoint>>,
    server: HttpServer,
    client: IntrospectionClient,
}

impl Stage {
    async fn new() -> Self {
        // Time passes where the script says so, however long the machine takes to come to the next line.
        let mut estate = Estate::new();
        estate.clock = Clock::stopped();
        let tokens = Arc::new(Mutex::new(AuthorizationServer::new(UUID).unwrap()));
        let endpoint = Arc::new(Mutex::new(Endpoint::Honest));
        let authority = &estate.authority;
        let tls = server_tls(authority.issue(SERVER), authority.store("trust"), "", BOTH);
        let (knows, does, clock) = (
            Arc::clone(&tokens),
            Arc::clone(&endpoint),
            estate.clock.clone(),
        );
        let server = HttpServer::start(Some(tls.oauth()), move |request| {
            let token = request.body.strip_prefix("token=").unwrap();
            let token = token.split('&').next().unwrap();
            match does.lock().unwrap().clone() {
                Endpoint::Fixed(status, body) => respond(status, body),
                Endpoint::Picky(status, strange) if strange == token => respond(status, ""),
                Endpoint::Picky(..) | Endpoint::Honest => respond(
                    200,
                    knows.lock().unwrap().introspect(token, clock.system_now()),
                ),
            }
        })
        .await;
        let policy = Policy::introspection(UUID, AUDIENCE);
        let verifier = Arc::new(Verifier::new(KeySet::builder().build(), policy).with_cache(64));
        let url = format!("https://{SERVER}:{}/introspect", server.address.port());
        let registrar = ClientAuthentication::basic("registrar", "hunter2");
        let client =
            IntrospectionClient::new(estate.connector(), &url, registrar, verifier).unwrap();
        // Time is a script; what chance adds has a test of its own.
        let client = client.jitter(0);
        Self {
            estate,
            tokens,
            endpoint,
            server,
            client,
        }
    }

    fn token(&self) -> String {
        let now = self.estate.clock.system_now();
        let issued = self
            .tokens
            .lock()
            .unwrap()
            .issue_access_for(Form::Opaque, AUDIENCE, "jdoe", "C0ffee", &[], now)
            .unwrap();
        issued.token.expose().to_owned()
    }

    fn does(&self, endpoint: Endpoint) {
        *self.endpoint.lock().unwrap() = endpoint;
    }

    fn wait(&self, seconds: u64) {
        self.estate.clock.advance(Duration::from_secs(seconds));
    }

    fn asked(&self) -> usize {
        self.server.seen().len()
    }

    async fn verify(&self, token: &str) -> Result<String, IntrospectionError> {
        let token = soon(self.client.verify(token)).await?;
        Ok(token.user().to_owned())
    }

    async fn unavailable(&self, token: &str) -> String {
        match self.verify(token).await {
            Err(IntrospectionError::Unavailable(sentence)) => sentence,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn section_2_1_the_request_is_a_form_from_a_client_that_says_who_it_is() {
    let stage = Stage::new().await;
    let token = stage.token();
    assert_eq!(stage.verify(&token).await, Ok("jdoe".to_owned()));
    let seen = &stage.server.seen()[0];
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("POST", "/introspect")
    );
    assert_eq!(
        seen.body,
        format!("token={token}&token_type_hint=access_token")
    );
    assert_eq!(
        seen.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(
        seen.headers["authorization"],
        "Basic cmVnaXN0cmFyOmh1bnRlcjI="
    );
    assert_eq!(seen.headers["accept"], "application/json");
}

#[tokio::test]
async fn a_verdict_is_used_again_for_a_minute_and_never_past_the_tokens_end() {
    let stage = Stage::new().await;
    let token = stage.token();
    for _ in 0..5 {
        stage.verify(&token).await.unwrap();
    }
    assert_eq!(stage.asked(), 1);
    stage.wait(60);
    stage.verify(&token).await.unwrap();
    assert_eq!(stage.asked(), 2);
    stage.wait(3600 - 60);
    assert!(stage.verify(&token).await.is_err());
}

#[tokio::test]
async fn a_revocation_is_noticed_when_the_verdict_is_used_up() {
    let stage = Stage::new().await;
    let token = stage.token();
    stage.verify(&token).await.unwrap();
    stage.tokens.lock().unwrap().revoke("jdoe", None);
    stage.wait(60);
    let Err(IntrospectionError::Refused(error)) = stage.verify(&token).await else {
        panic!("accepted");
    };
    assert_eq!(error.kind(), &TokenErrorKind::Inactive);
}

#[tokio::test]
async fn an_inactive_token_is_refused_without_asking_for_ten_seconds() {
    let stage = Stage::new().await;
    for _ in 0..5 {
        assert!(stage.verify("2YotnFZFEjr1zCsicMWpAA").await.is_err());
    }
    assert_eq!(stage.asked(), 1);
    stage.wait(10);
    assert!(stage.verify("2YotnFZFEjr1zCsicMWpAA").await.is_err());
    assert_eq!(stage.asked(), 2);
}

#[tokio::test]
async fn one_token_is_asked_about_once_however_many_come_with_it() {
    let stage = Stage::new().await;
    let token = stage.token();
    let all = soon(at_once((0..50).map(|_| stage.client.verify(&token)))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(stage.asked(), 1);
}

#[tokio::test]
async fn more_than_thirty_two_questions_at_once_are_not_asked() {
    let stage = Stage::new().await;
    let tokens: Vec<_> = (0..40).map(|_| stage.token()).collect();
    let all = soon(at_once(
        tokens.iter().map(|token| stage.client.verify(token)),
    ))
    .await;
    let busy = |one: &&Result<_, _>| matches!(one, Err(IntrospectionError::Unavailable(_)));
    assert_eq!(all.iter().filter(busy).count(), 8);
    assert_eq!(stage.asked(), 32);
    // And that was no failure of the endpoint's.
    assert!(stage.verify(&tokens[39]).await.is_ok());
}

#[tokio::test]
async fn an_endpoint_that_fails_is_left_alone_for_longer_each_time() {
    let stage = Stage::new().await;
    let token = stage.token();
    stage.does(Endpoint::Fixed(500, String::new()));
    let mut asked = 0;
    for pause in [1, 2, 4, 8, 16, 30, 30] {
        let first = stage.unavailable(&token).await;
        asked += 1;
        assert!(first.contains("status 500"), "{first}");
        assert_eq!(stage.unavailable(&token).await, first);
        assert_eq!(stage.asked(), asked);
        stage.wait(pause);
    }
    stage.does(Endpoint::Honest);
    assert!(stage.verify(&token).await.is_ok());
}

#[tokio::test]
async fn section_2_3_what_is_no_answer_is_told_and_shows_no_secret() {
    let stage = Stage::new().await;
    let token = stage.token();
    for (status, body, words) in [
        (
            401,
            r#"{"error":"invalid_client"}"#.to_owned(),
            "check client id and secret",
        ),
        (302, String::new(), "status 302"),
        (200, " ".repeat(100_000), "larger than 65536 bytes"),
    ] {
        stage.does(Endpoint::Fixed(status, body));
        stage.wait(60);
        let sentence = stage.unavailable(&token).await;
        assert!(sentence.contains(words), "{sentence}");
        assert!(
            !sentence.contains(&token) && !sentence.contains("hunter2"),
            "{sentence}"
        );
    }
}

/// An answer has `active`, "REQUIRED. Boolean indicator". What has not is none: it says nothing about the
/// token, and the endpoint is left alone as one that fails.
#[tokio::test]
async fn section_2_2_an_answer_without_active_is_no_verdict() {
    let stage = Stage::new().await;
    for (body, words) in [
        ("", "not a JSON object"),
        ("<html>sign in</html>", "not a JSON object"),
        ("[]", "not a JSON object"),
        ("{}", "member \"active\" is absent"),
        (r#"{"active":"true"}"#, "member \"active\" is no boolean"),
        (r#"{"active":null}"#, "member \"active\" is no boolean"),
        (r#"{"active":true,"active":true}"#, "a member stands twice"),
    ] {
        let (token, asked) = (stage.token(), stage.asked());
        stage.does(Endpoint::Fixed(200, body.to_owned()));
        let sentence = stage.unavailable(&token).await;
        assert!(sentence.contains(words), "{body}: {sentence}");
        // The second token shows that it is not the first one's fault.
        assert_eq!(stage.unavailable(&stage.token()).await, sentence);
        assert_eq!(stage.unavailable(&stage.token()).await, sentence);
        assert_eq!(stage.asked(), asked + 2, "{body}");
        stage.does(Endpoint::Honest);
        stage.wait(2);
        assert_eq!(stage.verify(&token).await, Ok("jdoe".to_owned()), "{body}");
    }
}

/// What the server says is active and the policy does not take was judged.
#[tokio::test]
async fn section_2_2_an_active_token_the_policy_does_not_take_is_refused() {
    let stage = Stage::new().await;
    let token = stage.token();
    stage.does(Endpoint::Fixed(200, r#"{"active":true}"#.to_owned()));
    let verdict = stage.verify(&token).await;
    assert!(
        matches!(verdict, Err(IntrospectionError::Refused(_))),
        "{verdict:?}"
    );
}

/// A stranger chooses the token, and a server or what stands before it may find fault with that one.
#[tokio::test]
async fn section_2_3_a_question_the_server_does_not_take_keeps_no_other_token_waiting() {
    let stage = Stage::new().await;
    for status in [400, 404, 408, 413, 422, 431, 451] {
        let (good, asked) = (stage.token(), stage.asked());
        let strange = format!("strange-{status}");
        stage.does(Endpoint::Picky(status, strange.clone()));
        for _ in 0..3 {
            let sentence = stage.unavailable(&strange).await;
            assert!(sentence.contains(&format!("status {status}")), "{sentence}");
        }
        assert_eq!(stage.asked(), asked + 1, "that was asked a moment ago");
        assert_eq!(stage.verify(&good).await, Ok("jdoe".to_owned()), "{status}");
        stage.wait(10);
        stage.unavailable(&strange).await;
        assert_eq!(stage.asked(), asked + 3, "{status}");
    }
}

/// A server may stumble over one token, which a stranger chose: others are asked about. Over two in a row it does not.
#[tokio::test]
async fn an_endpoint_that_stumbles_over_one_token_is_asked_about_others() {
    let stage = Stage::new().await;
    for status in [500, 502, 504, 599] {
        let (good, asked) = (stage.token(), stage.asked());
        let strange = format!("strange-{status}");
        stage.does(Endpoint::Picky(status, strange.clone()));
        for _ in 0..3 {
            let sentence = stage.unavailable(&strange).await;
            assert!(sentence.contains(&format!("status {status}")), "{sentence}");
        }
        assert_eq!(stage.asked(), asked + 1, "left alone for a second");
        assert_eq!(stage.verify(&good).await, Ok("jdoe".to_owned()), "{status}");
        stage.wait(1);
        stage.unavailable(&strange).await;
        assert_eq!(stage.asked(), asked + 3, "{status}");
        // Answered: what comes next is the first of its kind again.
        assert!(stage.verify(&stage.token()).await.is_ok(), "{status}");
    }
    stage.wait(60);
    stage.does(Endpoint::Fixed(200, " ".repeat(100_000)));
    stage.unavailable("one").await;
    let sentence = stage.unavailable("two").await;
    let asked = stage.asked();
    stage.does(Endpoint::Honest);
    assert_eq!(stage.unavailable(&stage.token()).await, sentence);
    assert_eq!(stage.asked(), asked, "two in a row: it is the endpoint");
    stage.wait(2);
    assert!(stage.verify(&stage.token()).await.is_ok());
}

/// Those are about us, or about all: 401 and 403 refuse the client, 429 is too many questions.
#[tokio::test]
async fn section_2_3_what_the_server_says_about_its_client_keeps_all_tokens_waiting() {
    let stage = Stage::new().await;
    for status in [401, 403, 429, 503, 302] {
        let asked = stage.asked();
        let strange = format!("strange-{status}");
        stage.does(Endpoint::Picky(status, strange.clone()));
        let sentence = stage.unavailable(&strange).await;
        assert_eq!(stage.unavailable(&stage.token()).await, sentence);
        assert_eq!(stage.asked(), asked + 1, "{status}");
        stage.wait(30);
    }
}

#[test]
fn section_4_the_endpoint_must_be_https() {
    for url in ["http://as.example.com/introspect", "as.example.com", ""] {
        let verifier = Verifier::new(
            KeySet::builder().build(),
            Policy::introspection(UUID, AUDIENCE),
        );
        let client = IntrospectionClient::new(
            sip_oauth_tokio::Connector::new(),
            url,
            ClientAuthentication::public("registrar"),
            Arc::new(verifier),
        );
        assert!(client.is_err(), "{url}");
    }
}
