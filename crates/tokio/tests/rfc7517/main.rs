//! The keys of an authorization server over HTTPS: RFC 7517 section 5, cached by RFC 9111. Time is scripted.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

#[path = "../support/mod.rs"]
mod support;

mod caching;
mod failure;
mod limits;
mod several_issuers;
mod unknown_keys;

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
