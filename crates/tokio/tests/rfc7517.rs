//! The keys of an authorization server over HTTPS: RFC 7517 section 5, cached by RFC 9111. Time is scripted.

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

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use sip_oauth_token::{
    Form, KeyId, KeySet, Policy, Verifier,
    issue::{AuthorizationServer, IssuedToken},
};
use sip_oauth_tokio::{Clock, JwksClient, JwksError, JwksFailure, KeysNews};
use support::{BOTH, Estate, UUID, at_once, http::HttpServer, server_tls, soon};

const SERVER: &str = "as.example.com";
const AUDIENCE: &str = "sip:example.com";

/// What the server answers with: status, header fields, body.
#[derive(Clone, Default)]
struct Page {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Page {
    fn of(body: impl Into<String>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

struct Stage {
    estate: Estate,
    tokens: AuthorizationServer,
    page: Arc<Mutex<Page>>,
    server: HttpServer,
    client: JwksClient,
}

impl Stage {
    async fn new() -> Self {
        Self::with(|client| client).await
    }

    async fn with(set_up: impl FnOnce(JwksClient) -> JwksClient) -> Self {
        // Time passes where the script says so, however long the machine takes to come to the next line.
        let mut estate = Estate::new();
        estate.clock = Clock::stopped();
        let tokens = AuthorizationServer::new(UUID).unwrap();
        let page = Arc::new(Mutex::new(Page::of(tokens.jwk_set())));
        let authority = &estate.authority;
        let tls = server_tls(authority.issue(SERVER), authority.store("trust"), "", BOTH);
        let shown = Arc::clone(&page);
        let server = HttpServer::start(Some(tls.oauth()), move |request| {
            let page = shown.lock().unwrap().clone();
            let etag = page.headers.iter().find(|(name, _)| *name == "etag");
            let known = request.headers.get("if-none-match");
            let mut answer = Response::builder();
            for (name, value) in &page.headers {
                answer = answer.header(*name, value);
            }
            let unchanged = etag.is_some_and(|(_, etag)| known.is_some_and(|known| known == etag));
            let (status, body) = if unchanged {
                (304, String::new())
            } else {
                (page.status, page.body)
            };
            answer
                .status(status)
                .body(Full::new(Bytes::from(body)))
                .unwrap()
        })
        .await;
        let policy = Policy::rfc9068(UUID, AUDIENCE);
        let verifier = Arc::new(Verifier::new(KeySet::builder().build(), policy).with_cache(64));
        let url = format!("https://{SERVER}:{}/jwks", server.address.port());
        let client = JwksClient::new(estate.connector(), &url, verifier).unwrap();
        // Time is a script; what chance adds has a test of its own.
        let client = client.jitter(0);
        Self {
            estate,
            tokens,
            page,
            server,
            client: set_up(client),
        }
    }

    fn show(&self, page: Page) {
        *self.page.lock().unwrap() = page;
    }

    fn wait(&self, seconds: u64) {
        self.estate.clock.advance(Duration::from_secs(seconds));
    }

    fn asked(&self) -> usize {
        self.server.seen().len()
    }

    async fn refresh(&self) -> Result<KeysNews, String> {
        soon(self.client.refresh())
            .await
            .map_err(|error| error.to_string())
    }

    fn token(&self) -> String {
        self.token_of(&self.tokens)
    }

    fn token_of(&self, server: &AuthorizationServer) -> String {
        let now = self.estate.clock.system_now();
        let IssuedToken { token, .. } = server
            .issue_access_for(Form::Jwt, AUDIENCE, "jdoe", "C0ffee", &[], now)
            .unwrap();
        token.expose().to_owned()
    }

    async fn verifies(&self, token: &str) -> bool {
        soon(self.client.verify(token)).await.is_ok()
    }
}

mod caching {
    use super::*;

    #[tokio::test]
    async fn a_set_is_used_as_long_as_cache_control_says() {
        let stage = Stage::new().await;
        let set = stage.tokens.jwk_set();
        stage.show(Page::of(&set).with("cache-control", "public, max-age=3600"));
        assert_eq!(stage.refresh().await, Ok(KeysNews::Replaced));
        stage.wait(3590);
        assert_eq!(stage.refresh().await, Ok(KeysNews::NotAsked));
        stage.wait(10);
        assert_eq!(stage.refresh().await, Ok(KeysNews::Unchanged));
        assert_eq!(stage.asked(), 2);
    }

    #[tokio::test]
    async fn an_etag_is_asked_about_and_an_unchanged_set_leaves_the_verifier_alone() {
        let stage = Stage::new().await;
        let page = Page::of(stage.tokens.jwk_set()).with("etag", "\"v1\"");
        stage.show(page.clone());
        stage.refresh().await.unwrap();
        stage.wait(600);
        assert_eq!(stage.refresh().await, Ok(KeysNews::Unchanged));
        assert_eq!(stage.server.seen()[1].headers["if-none-match"], "\"v1\"");
        stage.show(
            Page::of(AuthorizationServer::new(UUID).unwrap().jwk_set()).with("etag", "\"v2\""),
        );
        stage.wait(600);
        assert_eq!(stage.refresh().await, Ok(KeysNews::Replaced));
    }

    #[tokio::test]
    async fn no_store_keeps_nothing_to_ask_about_and_is_asked_again_in_a_minute() {
        let stage = Stage::new().await;
        stage.show(
            Page::of(stage.tokens.jwk_set())
                .with("etag", "\"v1\"")
                .with("cache-control", "no-store"),
        );
        stage.refresh().await.unwrap();
        stage.wait(59);
        assert_eq!(stage.refresh().await, Ok(KeysNews::NotAsked));
        stage.wait(1);
        assert_eq!(stage.refresh().await, Ok(KeysNews::Replaced));
        assert!(!stage.server.seen()[1].headers.contains_key("if-none-match"));
    }

    #[tokio::test]
    async fn keep_fresh_asks_by_itself_and_after_an_unknown_key() {
        let stage = Stage::new().await;
        let asked = async |number| {
            while stage.asked() < number {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let script = async {
            asked(1).await;
            // Until the task has taken the answer in, which the second request shows.
            while stage.asked() < 2 {
                stage.wait(600);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            stage.wait(30);
            stage.client.note_unknown_key();
            asked(3).await;
        };
        tokio::select! {
            () = stage.client.keep_fresh() => {}
            () = soon(script) => {}
        }
    }
}

mod unknown_keys {
    use super::*;

    #[tokio::test]
    async fn a_rotation_is_noticed_with_the_first_token_of_the_new_key() {
        let mut stage = Stage::new().await;
        assert!(
            stage.verifies(&stage.token()).await,
            "the first fetch is one too"
        );
        stage.wait(30);
        stage.tokens.regenerate_signing_key().unwrap();
        stage.show(Page::of(stage.tokens.jwk_set()));
        assert!(stage.verifies(&stage.token()).await);
        assert_eq!(stage.asked(), 2);
    }

    #[tokio::test]
    async fn a_stranger_makes_it_ask_once_in_thirty_seconds() {
        let stage = Stage::new().await;
        stage.refresh().await.unwrap();
        let stranger = AuthorizationServer::new(UUID).unwrap();
        let token = stage.token_of(&stranger);
        for _ in 0..10 {
            assert!(!stage.verifies(&token).await);
        }
        assert_eq!(stage.asked(), 1);
        stage.wait(30);
        for _ in 0..10 {
            assert!(!stage.verifies(&token).await);
        }
        assert_eq!(stage.asked(), 2);
    }

    /// A token of an unknown key is not found bad while the set cannot be had, whoever was the one to ask for it.
    #[tokio::test]
    async fn are_an_open_question_to_everybody_while_the_server_is_down() {
        let stage = Stage::new().await;
        stage.show(Page::status(503));
        let stranger = KeyId::new("nobody knows it").unwrap();
        let ask = async || soon(stage.client.key_unknown(&stranger)).await;
        let down = |answer: Result<KeysNews, JwksError>| {
            matches!(answer.unwrap_err().failure, JwksFailure::Status(503))
        };
        assert!(down(ask().await), "asked, in vain");
        // At once, when the pause after the failure is over, and shortly before another question is allowed.
        for seconds in [0, 5, 20] {
            stage.wait(seconds);
            assert!(down(ask().await), "{seconds} s more");
        }
        assert_eq!(stage.asked(), 1);
        stage.wait(5);
        stage.show(Page::of(stage.tokens.jwk_set()));
        assert_eq!(ask().await.unwrap(), KeysNews::Replaced);
        assert_eq!(ask().await.unwrap(), KeysNews::NotAsked, "answered now");
    }

    #[tokio::test]
    async fn many_at_once_wait_for_one_request() {
        let stage = Stage::new().await;
        let token = stage.token();
        let all = soon(at_once((0..20).map(|_| stage.client.verify(&token)))).await;
        assert!(all.len() == 20 && all.iter().all(Result::is_ok));
        assert_eq!(stage.asked(), 1);
    }
}

mod hanging_up {
    use super::*;

    /// Whoever sends a token of an unknown key and goes away at once must not keep others from the new set.
    /// On one thread, so that no answer can come while the first caller is there.
    #[tokio::test]
    async fn does_not_cut_a_request_short() {
        let stage = Stage::new().await;
        let token = stage.token();
        tokio::select! {
            biased;
            _ = stage.client.verify(&token) => panic!("answered before it was sent"),
            () = std::future::ready(()) => {}
        }
        assert!(stage.verifies(&token).await);
        assert_eq!(stage.asked(), 1);
    }
}

mod failure {
    use super::*;

    #[tokio::test]
    async fn the_last_good_set_is_kept_and_the_server_is_left_alone_for_longer_each_time() {
        let stage = Stage::new().await;
        stage.refresh().await.unwrap();
        let token = stage.token();
        stage.wait(600);
        stage.show(Page::status(503));
        let mut asked = 1;
        for pause in [5, 10, 20, 40] {
            assert!(stage.refresh().await.unwrap_err().contains("status 503"));
            asked += 1;
            stage.wait(pause - 1);
            assert!(
                stage.refresh().await.is_err(),
                "the same sentence, without asking"
            );
            assert_eq!(stage.asked(), asked);
            assert!(
                stage
                    .client
                    .verifier()
                    .verify(&token, stage.estate.clock.system_now())
                    .is_ok()
            );
            stage.wait(1);
        }
        stage.show(Page::of(stage.tokens.jwk_set()));
        assert_eq!(stage.refresh().await, Ok(KeysNews::Unchanged));
    }

    /// Registrars that met the same failure do not come back together.
    #[tokio::test]
    async fn the_pause_is_longer_by_chance_and_never_shorter() {
        let half = |bytes: &mut [u8]| bytes.copy_from_slice(&(1_u32 << 31).to_be_bytes());
        let stage = Stage::with(|client| client.jitter(40).jitter_from(half)).await;
        for (page, pause) in [
            (Page::status(503), 6),
            (Page::status(429).with("retry-after", "100"), 120),
        ] {
            stage.show(page);
            let asked = stage.asked() + 1;
            assert!(stage.refresh().await.is_err());
            stage.wait(pause - 1);
            assert!(stage.refresh().await.is_err());
            assert_eq!(stage.asked(), asked, "{} s after a failure", pause - 1);
            stage.wait(1);
        }
    }

    #[tokio::test]
    async fn a_set_that_is_stale_for_longer_than_set_is_used_no_more() {
        let stage = Stage::with(|client| client.max_staleness(Duration::from_secs(300))).await;
        stage.refresh().await.unwrap();
        let token = stage.token();
        let verdict = || {
            let verifier = stage.client.verifier();
            verifier
                .verify(&token, stage.estate.clock.system_now())
                .map_err(|error| error.unknown_key().is_some())
        };
        stage.show(Page::status(503));
        stage.wait(600);
        assert!(stage.refresh().await.is_err());
        stage.wait(299);
        assert!(stage.refresh().await.is_err());
        assert!(verdict().is_ok(), "not yet");
        stage.wait(1);
        assert!(stage.refresh().await.is_err(), "while it is left alone too");
        assert_eq!(verdict().map(drop), Err(true));
        // The same set is a new one by now.
        stage.show(Page::of(stage.tokens.jwk_set()));
        stage.wait(300);
        assert_eq!(stage.refresh().await, Ok(KeysNews::Replaced));
        assert!(verdict().is_ok());
    }

    #[tokio::test]
    async fn keep_fresh_takes_a_stale_set_out_by_itself() {
        let stage = Stage::with(|client| {
            client
                .max_staleness(Duration::from_secs(30))
                .backoff(Duration::from_secs(3600), Duration::from_secs(3600))
        })
        .await;
        stage.refresh().await.unwrap();
        let token = stage.token();
        stage.show(Page::status(503));
        let script = async {
            let accepted = || {
                let now = stage.estate.clock.system_now();
                stage.client.verifier().verify(&token, now).is_ok()
            };
            stage.wait(600);
            while stage.asked() < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            stage.wait(29);
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert!(accepted(), "not yet");
            stage.wait(1);
            while accepted() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            assert_eq!(stage.asked(), 2);
        };
        tokio::select! {
            () = stage.client.keep_fresh() => {}
            () = soon(script) => {}
        }
    }

    #[tokio::test]
    async fn a_server_may_ask_for_a_longer_pause() {
        let stage = Stage::new().await;
        stage.show(Page::status(429).with("retry-after", "60"));
        assert!(stage.refresh().await.is_err());
        stage.wait(59);
        assert!(stage.refresh().await.is_err());
        assert_eq!(stage.asked(), 1);
        stage.wait(1);
        assert!(stage.refresh().await.is_err());
        assert_eq!(stage.asked(), 2);
    }

    #[tokio::test]
    async fn what_is_no_set_changes_nothing() {
        let stage = Stage::new().await;
        stage.refresh().await.unwrap();
        let token = stage.token();
        for (page, words) in [
            (Page::of("<html/>"), "not a JSON object"),
            (Page::of("{}"), "`keys`"),
            (Page::of(r#"{"keys":[]}"#), "no key"),
            (
                Page::of(r#"{"keys":[{"kty":"oct","kid":"a","k":"aGVsbG8"}]}"#),
                "no key",
            ),
            (Page::of("\u{feff}{\"keys\":[]}"), "not a JSON object"),
            (Page::of(" ".repeat(300_000)), "larger than 262144 bytes"),
            (Page::status(404), "status 404"),
            (Page::status(304), "status 304"),
        ] {
            stage.wait(86_400);
            stage.show(page);
            let error = stage.refresh().await.unwrap_err();
            assert!(error.contains(words), "{error}");
            let early = stage.estate.clock.system_now() - Duration::from_secs(30);
            // The key is still there: it is the time that is not.
            let refused = stage.client.verifier().verify(&token, early).unwrap_err();
            assert_eq!(refused.unknown_key(), None, "{refused}");
        }
    }

    #[tokio::test]
    async fn an_answer_must_come_in_time() {
        let silent = tokio::net::TcpListener::bind(support::loopback(0))
            .await
            .unwrap();
        let estate = Estate::new();
        let verifier = Verifier::new(KeySet::builder().build(), Policy::rfc9068(UUID, AUDIENCE));
        let url = format!(
            "https://{SERVER}:{}/jwks",
            silent.local_addr().unwrap().port()
        );
        let client = JwksClient::new(estate.connector(), &url, Arc::new(verifier))
            .unwrap()
            .timeout(Duration::from_millis(100));
        let started = std::time::Instant::now();
        let error = soon(client.refresh()).await.unwrap_err();
        assert!(error.to_string().contains("within 100ms"), "{error}");
        // Not the default of 15 s; how busy the machine is does not matter then.
        assert!(started.elapsed() < Duration::from_secs(14));
        assert!(matches!(error.failure, JwksFailure::Http(_)));
    }
}

/// Settings beyond what the clock can tell.
mod without_end {
    use super::*;

    #[tokio::test]
    async fn an_interval_between_unknown_keys_lets_one_question_through() {
        let stage = Stage::with(|client| client.unknown_key_interval(Duration::MAX)).await;
        let stranger = KeyId::new("nobody knows it").unwrap();
        let ask = async || soon(stage.client.key_unknown(&stranger)).await.unwrap();
        assert_eq!(ask().await, KeysNews::Replaced);
        stage.wait(1_000_000);
        assert_eq!(ask().await, KeysNews::NotAsked);
        assert_eq!(stage.asked(), 1);
    }

    #[tokio::test]
    async fn a_lifetime_keeps_the_set_for_ever() {
        let for_ever = |client: JwksClient| {
            client.lifetimes(Duration::from_secs(1), Duration::MAX, Duration::MAX)
        };
        let stage = Stage::with(for_ever).await;
        assert_eq!(stage.refresh().await, Ok(KeysNews::Replaced));
        stage.wait(1_000_000);
        assert_eq!(stage.refresh().await, Ok(KeysNews::NotAsked));
        assert_eq!(stage.asked(), 1);
    }

    #[tokio::test]
    async fn a_pause_after_a_failure_leaves_the_server_alone() {
        let stage = Stage::with(|client| client.backoff(Duration::MAX, Duration::MAX)).await;
        stage.show(Page::status(503));
        for _ in 0..3 {
            assert!(stage.refresh().await.unwrap_err().contains("status 503"));
            stage.wait(1_000_000);
        }
        assert_eq!(stage.asked(), 1);
    }
}

mod redirects {
    use super::*;

    #[tokio::test]
    async fn are_not_followed_without_end_or_to_another_server() {
        let stage = Stage::new().await;
        for (location, words) in [
            ("/jwks", "more than 3 times"),
            ("https://other.example.com/jwks", "another server"),
            ("http://as.example.com/jwks", "not https"),
        ] {
            stage.show(Page::status(302).with("location", location));
            stage.wait(3600);
            let error = stage.refresh().await.unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        assert_eq!(stage.asked(), 4 + 1 + 1);
    }

    #[tokio::test]
    async fn the_url_must_be_https() {
        let verifier = Verifier::new(KeySet::builder().build(), Policy::rfc9068(UUID, AUDIENCE));
        let verifier = Arc::new(verifier);
        for url in [
            "http://as.example.com/jwks",
            "/jwks",
            "https://",
            "ftp://as.example.com/",
        ] {
            let client = JwksClient::new(Estate::new().connector(), url, Arc::clone(&verifier));
            assert!(
                matches!(client.unwrap_err().failure, JwksFailure::NotHttps),
                "{url}"
            );
        }
    }
}

/// RFC 8725 section 3.8: keys belong to an issuer, so each has a client of its own.
mod several_issuers {
    use sip_oauth_token::{Algorithm, VerifyingKey};

    use super::*;

    const SECOND: &str = "0a1b2c3d-0000-4000-8000-00000000beef";

    #[tokio::test]
    async fn two_clients_feed_one_verifier_and_leave_its_own_set_alone() {
        let estate = Estate::new();
        let now = estate.clock.system_now();
        // Of the first issuer one key is published, one was put in by hand, and one comes later.
        let [first, by_hand, later, second, successor] =
            [UUID, UUID, UUID, SECOND, SECOND].map(|uuid| AuthorizationServer::new(uuid).unwrap());
        let authority = &estate.authority;
        let tls = server_tls(authority.issue(SERVER), authority.store("trust"), "", BOTH);
        let sets = Arc::new(Mutex::new([first.jwk_set(), second.jwk_set()]));
        let shown = Arc::clone(&sets);
        let server = HttpServer::start(Some(tls.oauth()), move |request| {
            let [of_first, of_second] = shown.lock().unwrap().clone();
            let body = match request.path.as_str() {
                "/second" => of_second,
                _ => of_first,
            };
            Response::new(Full::new(Bytes::from(body)))
        })
        .await;

        let key = VerifyingKey::from_pem(by_hand.signing_key_pem(), Algorithm::Rs256).unwrap();
        let own = KeySet::builder().verifying_key(by_hand.signing_key_id().as_str(), key);
        let policy = Policy::rfc9068(UUID, AUDIENCE).issuer(SECOND);
        let verifier = Arc::new(Verifier::new(own.unwrap().build(), policy).with_cache(64));
        let [of_first, of_second] =
            [(UUID, "/first"), (SECOND, "/second")].map(|(issuer, path)| {
                let url = format!("https://{SERVER}:{}{path}", server.address.port());
                let verifier = Arc::clone(&verifier);
                JwksClient::of_issuer(estate.connector(), issuer, &url, verifier).unwrap()
            });
        let replaced = async |client: &JwksClient| {
            estate.clock.advance(Duration::from_secs(24 * 3600));
            assert_eq!(soon(client.refresh()).await.unwrap(), KeysNews::Replaced);
        };
        let good = |server: &AuthorizationServer| {
            let issued = server.issue_access_for(Form::Jwt, AUDIENCE, "jdoe", "C1", &[], now);
            let token = issued.unwrap().token;
            verifier.verify(token.expose(), now).is_ok()
        };

        replaced(&of_first).await;
        replaced(&of_second).await;
        assert_eq!([&first, &by_hand, &second].map(good), [true; 3]);

        sets.lock().unwrap()[0] = later.jwk_set();
        replaced(&of_first).await;
        assert_eq!(
            [&first, &by_hand, &later, &second].map(good),
            [false, true, true, true]
        );

        // What is put in or taken out by hand is not undone by the next fetch, whoever's it is.
        verifier.replace_keys(KeySet::builder().build());
        sets.lock().unwrap()[1] = successor.jwk_set();
        replaced(&of_second).await;
        assert_eq!(
            [&by_hand, &later, &second, &successor].map(good),
            [false, true, false, true]
        );
    }

    #[test]
    fn it_must_be_said_whose_keys_they_are() {
        let url = "https://as.example.com/jwks";
        let policy = Policy::rfc9068(UUID, AUDIENCE).issuer(SECOND);
        let verifier = Arc::new(Verifier::new(KeySet::builder().build(), policy));
        let client = JwksClient::new(Estate::new().connector(), url, Arc::clone(&verifier));
        let refused = client.unwrap_err();
        assert!(matches!(refused.failure, JwksFailure::Issuer), "{refused}");
        let of = |issuer| {
            let verifier = Arc::clone(&verifier);
            JwksClient::of_issuer(Estate::new().connector(), issuer, url, verifier)
        };
        assert!(of(UUID).is_ok() && of(SECOND).is_ok());
        let refused = of("https://third.example").unwrap_err();
        assert!(matches!(refused.failure, JwksFailure::Issuer), "{refused}");
    }
}

mod asking_without_rest {
    use super::*;

    /// A key that is there cannot be why a token was refused.
    #[tokio::test]
    async fn a_known_key_is_not_asked_about() {
        let stage = Stage::new().await;
        stage.refresh().await.unwrap();
        stage.wait(60);
        let known = stage.tokens.signing_key_id();
        let news = soon(stage.client.key_unknown(known)).await.unwrap();
        assert_eq!((news, stage.asked()), (KeysNews::NotAsked, 1));
    }

    #[tokio::test]
    async fn an_unknown_key_waits_out_the_pause_a_server_asked_for() {
        let stage = Stage::new().await;
        stage.show(Page::status(429).with("retry-after", "120"));
        assert!(!stage.verifies(&stage.token()).await);
        stage.wait(119);
        assert!(!stage.verifies(&stage.token()).await);
        assert_eq!(stage.asked(), 1);
        stage.wait(1);
        assert!(!stage.verifies(&stage.token()).await);
        assert_eq!(stage.asked(), 2);
    }

    /// The same for those who only leave a note.
    #[tokio::test]
    async fn a_noted_key_waits_as_long() {
        let stage = Stage::new().await;
        stage.refresh().await.unwrap();
        // Long enough for a request, were there one; a machine that is slower proves less and fails nothing.
        let note = async || {
            stage.client.note_unknown_key();
            tokio::time::sleep(Duration::from_millis(100)).await;
            // Waits for a request that is under way, and asks none itself: the set is fresh.
            assert_eq!(stage.refresh().await, Ok(KeysNews::NotAsked));
            stage.asked()
        };
        let script = async {
            stage.wait(29);
            assert_eq!(note().await, 1);
            stage.wait(1);
            stage.show(Page::status(429).with("retry-after", "120"));
            while note().await < 2 {}
            stage.wait(119);
            assert_eq!(note().await, 2);
            stage.wait(1);
            while note().await < 3 {}
        };
        tokio::select! {
            () = stage.client.keep_fresh() => {}
            () = soon(script) => {}
        }
    }

    #[tokio::test]
    async fn a_success_forgets_the_failures() {
        let stage = Stage::new().await;
        stage.refresh().await.unwrap();
        stage.wait(600);
        for pause in [5, 10] {
            stage.show(Page::status(503));
            assert!(stage.refresh().await.is_err());
            stage.wait(pause);
        }
        stage.show(Page::of(stage.tokens.jwk_set()));
        stage.refresh().await.unwrap();
        stage.wait(600);
        stage.show(Page::status(503));
        assert!(stage.refresh().await.is_err());
        stage.wait(5);
        let asked = stage.asked();
        assert!(stage.refresh().await.is_err());
        assert_eq!(stage.asked(), asked + 1, "five seconds, not twenty");
    }

    /// The first failure finds a set that is too old already: it goes at once, not at the next question.
    #[tokio::test]
    async fn a_set_is_too_old_at_the_first_failure_too() {
        let stage = Stage::with(|client| client.max_staleness(Duration::from_secs(300))).await;
        stage.refresh().await.unwrap();
        let token = stage.token();
        stage.show(Page::status(503));
        stage.wait(900);
        assert!(stage.refresh().await.is_err());
        let now = stage.estate.clock.system_now();
        let refused = stage.client.verifier().verify(&token, now).unwrap_err();
        assert!(refused.unknown_key().is_some(), "{refused}");
    }

    #[tokio::test]
    async fn options_do_not_go_beyond_what_is_safe() {
        let large = Stage::with(|client| client.max_bytes(10_000_000)).await;
        large.show(Page::of(" ".repeat(300_000)));
        let error = large.refresh().await.unwrap_err();
        assert!(error.contains("larger than 262144 bytes"), "{error}");

        let zero = Duration::ZERO;
        let hasty = Stage::with(|client| client.lifetimes(zero, zero, zero)).await;
        hasty.refresh().await.unwrap();
        assert_eq!(hasty.refresh().await, Ok(KeysNews::NotAsked));
        hasty.wait(1);
        assert_eq!(hasty.refresh().await, Ok(KeysNews::Unchanged));
    }
}
