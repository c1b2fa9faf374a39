//! The authorization server over HTTPS: RFC 6749, 7636, 7517, 7662, and the product's own paths.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

#[path = "../../tokio/tests/support/log.rs"]
mod log;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use sip_oauth_lab::{CLIENT_ID, Lab, LabBuilder, NODE, Outcome, SCOPE, USER, Way};
use sip_oauth_registration::client::Transport;
use sip_oauth_token::{KeySet, Policy, Verifier};
use sip_oauth_tokio::{Connector, IntrospectionClient, JwksClient, KeysNews, StaticResolver};
use sip_oauth_trust::{ServerVerifier, client_config};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A lab whose log is watched for tokens.
fn lab() -> LabBuilder {
    log::watch();
    Lab::builder()
}

const REDIRECT: &str = "http://127.0.0.1:49152/callback";
/// RFC 7636 Appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

struct Stage {
    lab: Box<Lab>,
    connector: Connector,
    /// What the user types, as HTTP Basic.
    user: String,
}

/// An answer, taken apart.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the answer is JSON")
    }

    /// What `Location` says behind the redirect URI.
    fn location(&self) -> &str {
        let line = self
            .head
            .lines()
            .find_map(|line| line.strip_prefix("location: "));
        line.and_then(|line| line.strip_prefix(REDIRECT))
            .unwrap_or_else(|| panic!("no redirect: {} {}", self.status, self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

fn basic(name: &str, password: &str) -> String {
    format!(
        "authorization: Basic {}\r\n",
        STANDARD.encode(format!("{name}:{password}"))
    )
}

fn field<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .trim_start_matches(['?', '#'])
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

impl Stage {
    async fn new() -> Self {
        let lab = Box::new(Box::pin(lab().start()).await.unwrap());
        let jabber = lab.jabber().unwrap();
        let verifier =
            ServerVerifier::builder(Arc::clone(jabber.trust()), Arc::clone(jabber.provider()))
                .build();
        let names = StaticResolver::new().with(NODE, IpAddr::V4(Ipv4Addr::LOCALHOST));
        let connector = Connector::new()
            .with_resolver(Arc::new(names))
            .with_tls(Arc::new(client_config(Arc::new(verifier), None).unwrap()))
            .with_clock(lab.clock().clone());
        let user = basic(USER, lab.user_password());
        Self {
            lab,
            connector,
            user,
        }
    }

    /// Sends a request over TLS and reads to the end.
    async fn send(&self, request: String) -> Answer {
        let port = self.lab.unified_cm().web_port();
        let (mut stream, _) = self
            .connector
            .connect(NODE, port, Transport::Tls)
            .await
            .unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        // A server may end TLS without a farewell; what was read counts.
        let _ = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("an HTTP answer");
        Answer {
            status: head[9..12].parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    async fn get(&self, path: &str, headers: &str) -> Answer {
        self.send(format!(
            "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n"
        ))
        .await
    }

    async fn post(&self, path: &str, headers: &str, form: &str) -> Answer {
        let length = form.len();
        let kind = "application/x-www-form-urlencoded";
        self.send(format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n{headers}\r\n{form}"
        ))
        .await
    }

    async fn authorize(&self, query: &str) -> Answer {
        self.get(&format!("/ssosp/oauth/authorize?{query}"), &self.user)
            .await
    }

    async fn token(&self, form: &str) -> Answer {
        self.post("/lab/oauth2/token", "", form).await
    }

    /// A code for the client, the redirect URI and the challenge above.
    async fn code(&self) -> String {
        let answer = self.authorize(&good_query()).await;
        field(answer.location(), "code").expect("a code").to_owned()
    }

    async fn stop(self) {
        Box::pin((*self.lab).stop()).await;
    }
}

fn good_query() -> String {
    format!(
        "response_type=code&client_id={CLIENT_ID}&redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fcallback\
         &scope=UnifiedCommunications%3Areadwrite&state=a%20b&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
}

fn code_form(code: &str) -> String {
    format!(
        "grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}&client_id={CLIENT_ID}&code_verifier={VERIFIER}"
    )
}

mod rfc6749_section_4_1 {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_code_becomes_tokens_once_and_its_second_use_ends_them() {
        let stage = Stage::new().await;
        let answer = stage.authorize(&good_query()).await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (302, Some("no-store"))
        );
        assert_eq!(field(answer.location(), "state"), Some("a%20b"));
        let code = field(answer.location(), "code").unwrap().to_owned();

        let answer = stage.token(&code_form(&code)).await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (200, Some("no-store"))
        );
        let tokens = answer.json();
        assert_eq!(
            (&tokens["token_type"], &tokens["expires_in"]),
            (&"Bearer".into(), &3600.into())
        );
        assert_eq!(tokens["scope"], SCOPE);
        let now = stage.lab.clock().system_now();
        let access = tokens["access_token"].as_str().unwrap();
        let verified = stage
            .lab
            .unified_cm()
            .token_verifier()
            .verify(access, now)
            .unwrap();
        assert_eq!(
            (verified.user(), verified.client_id()),
            (USER, Some(CLIENT_ID))
        );

        let refresh = tokens["refresh_token"].as_str().unwrap();
        let refresh =
            format!("grant_type=refresh_token&refresh_token={refresh}&client_id={CLIENT_ID}");
        assert_eq!(stage.token(&refresh).await.status, 200);
        let again = stage.token(&code_form(&code)).await;
        assert_eq!(
            (again.status, again.json()["error"].as_str()),
            (400, Some("invalid_grant"))
        );
        // Section 4.1.2: "SHOULD revoke (when possible) all tokens previously issued based on that authorization code".
        assert_eq!(stage.token(&refresh).await.json()["error"], "invalid_grant");
        stage.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_code_is_over_after_a_minute() {
        let stage = Stage::new().await;
        let code = stage.code().await;
        stage.lab.wait(Duration::from_secs(60)).await;
        assert_eq!(
            stage.token(&code_form(&code)).await.json()["error"],
            "invalid_grant"
        );
        stage.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_code_is_worth_nothing_to_who_does_not_have_its_verifier_and_redirect_uri() {
        let stage = Stage::new().await;
        for (from, to) in [
            (VERIFIER, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("&redirect_uri=http://127.0.0.1:49152/callback", ""),
            (":49152/", ":49153/"),
        ] {
            let form = code_form(&stage.code().await);
            assert!(form.contains(from));
            let answer = stage.token(&form.replace(from, to)).await;
            assert_eq!(answer.json()["error"], "invalid_grant", "{to}");
        }
        stage.stop().await;
    }

    /// Section 4.1.2.1: parts of the query, by what they are replaced, and the error that goes back to the client.
    const REFUSED: &[(&str, &str, &str)] = &[
        ("response_type=code", "", "invalid_request"),
        (
            "response_type=code",
            "response_type=code&response_type=code",
            "invalid_request",
        ),
        (
            "response_type=code",
            "response_type=id_token",
            "unsupported_response_type",
        ),
        ("scope=Unified", "scope=Other", "invalid_scope"),
        ("&code_challenge_method=S256", "", "invalid_request"),
        ("=S256", "=plain", "invalid_request"),
        ("code_challenge=E9", "code_challenge=", "invalid_request"),
        ("code_challenge=E9", "x=E9", "invalid_request"),
        ("state=a", "state=a&state=b", "invalid_request"),
    ];

    #[tokio::test(flavor = "multi_thread")]
    async fn section_4_1_2_1_errors_go_back_to_the_client() {
        let stage = Stage::new().await;
        for (from, to, error) in REFUSED {
            let query = good_query();
            assert!(query.contains(from));
            let answer = stage.authorize(&query.replace(from, to)).await;
            let location = answer.location();
            assert_eq!(field(location, "error"), Some(*error), "{from} -> {to}");
            assert_eq!(field(location, "code"), None);
        }
        stage.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn section_4_1_2_1_a_wrong_client_or_redirect_uri_is_told_to_the_user_and_sent_nowhere() {
        let stage = Stage::new().await;
        for (from, to) in [
            (CLIENT_ID, "Cother"),
            ("&client_id=", "&x="),
            ("127.0.0.1%3A49152", "evil.example.com"),
            ("callback", "elsewhere"),
        ] {
            let answer = stage.authorize(&good_query().replace(from, to)).await;
            assert_eq!(
                (answer.status, answer.header("location")),
                (400, None),
                "{from} -> {to}"
            );
        }
        for headers in [
            "",
            "authorization: Basic !!\r\n",
            &basic(USER, "wrong"),
            &basic("ana", "x"),
        ] {
            let answer = stage
                .get(&format!("/ssosp/oauth/authorize?{}", good_query()), headers)
                .await;
            assert_eq!((answer.status, answer.header("location")), (401, None));
            assert!(
                answer
                    .header("www-authenticate")
                    .unwrap()
                    .starts_with("Basic ")
            );
        }
        let long = format!("{}&x={}", good_query(), "a".repeat(41 * 1024));
        let answer = stage.authorize(&long).await;
        assert!(
            matches!(answer.status, 413 | 414 | 431),
            "{}",
            answer.status
        );
        assert_eq!(
            stage
                .post("/ssosp/oauth/authorize", &stage.user, "")
                .await
                .status,
            405
        );
        stage.stop().await;
    }
}

mod rfc6749_section_5_2 {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn errors_of_the_token_endpoint() {
        let stage = Stage::new().await;
        let refresh = stage.lab.unified_cm().log_in(USER, CLIENT_ID).unwrap();
        let good = format!(
            "grant_type=refresh_token&refresh_token={}&client_id={CLIENT_ID}",
            refresh.expose()
        );
        assert_eq!(stage.token(&good).await.status, 200);
        for (form, status, error) in [
            (String::new(), 400, "invalid_request"),
            (
                "grant_type=password".to_owned(),
                400,
                "unsupported_grant_type",
            ),
            (good.replace("grant_type", "x"), 400, "invalid_request"),
            (good.replace("&client_id=", "&x="), 400, "invalid_request"),
            (
                format!("{good}&client_id={CLIENT_ID}"),
                400,
                "invalid_request",
            ),
            (good.replace(CLIENT_ID, "Cother"), 401, "invalid_client"),
            (format!("{good}&client_secret=x"), 401, "invalid_client"),
            (format!("{good}&scope=other"), 400, "invalid_scope"),
            (
                good.replace("refresh_token=ey", "refresh_token=ex"),
                400,
                "invalid_grant",
            ),
            (
                good.replace("grant_type=refresh_token", "grant_type=authorization_code"),
                400,
                "invalid_request",
            ),
        ] {
            let answer = stage.token(&form).await;
            assert_eq!(answer.json()["error"], error, "{error}");
            assert_eq!(answer.status, status, "{error}");
            assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
        }
        assert_eq!(stage.get("/lab/oauth2/token", "").await.status, 405);
        stage.stop().await;
    }
}

mod product {
    use super::*;

    /// The published query, which names no redirect URI.
    #[tokio::test(flavor = "multi_thread")]
    async fn the_published_authorize_query_gives_a_simple_token_that_introspection_knows() {
        let stage = Stage::new().await;
        let query = format!(
            "scope=UnifiedCommunications:readwrite&response_type=token&client_id={CLIENT_ID}"
        );
        let answer = stage.authorize(&query).await;
        assert_eq!(answer.status, 302);
        let location = answer.header("location").unwrap();
        let fragment = location
            .strip_prefix("http://127.0.0.1/callback#")
            .expect("a fragment");
        assert_eq!(field(fragment, "expires_in"), Some("3600"));
        let token = field(fragment, "access_token").unwrap();
        assert_eq!(token.len(), 43, "opaque");

        let node = stage.lab.unified_cm();
        let issuer = "5c1e7f20-93ab-4d6e-8a57-1f0b2c3d4e5f";
        let verifier = Verifier::new(
            KeySet::builder().build(),
            Policy::introspection(issuer, issuer),
        );
        let client = IntrospectionClient::new(
            stage.connector.clone(),
            &node.introspection_endpoint(),
            node.resource_server(),
            Arc::new(verifier),
        )
        .unwrap();
        assert_eq!(client.verify(token).await.unwrap().user(), USER);
        let bad = stage.authorize(&query.replace("Unified", "Other")).await;
        assert!(
            bad.header("location")
                .unwrap()
                .ends_with("callback#error=invalid_scope")
        );
        stage.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn revocation_answers_as_published_and_ends_the_tokens() {
        let stage = Stage::new().await;
        let node = stage.lab.unified_cm();
        let (name, password) = node.application_user();
        let administrator = basic(name, password);
        let refresh = node.log_in(USER, CLIENT_ID).unwrap();
        node.log_in(USER, "C2").unwrap();
        let path = format!("/ssosp/token/revoke?user_id={USER}");
        assert_eq!(stage.get(&path, "").await.status, 401);
        assert_eq!(stage.get(&path, &stage.user).await.status, 401);
        assert_eq!(
            stage
                .get("/ssosp/token/revoke", &administrator)
                .await
                .status,
            400
        );

        let answer = stage
            .get(&format!("{path}&client_id={CLIENT_ID}"), &administrator)
            .await;
        let start = format!(
            r#"{{"revoked_tokens":{{"status":"success","user_id":"{USER}","clientID_tokens":[{{"client_id":"{CLIENT_ID}","refresh_token":""#
        );
        let rest = answer
            .body
            .strip_prefix(&start)
            .expect("the published form");
        assert_eq!((rest.len(), &rest[64..]), (64 + 5, r#""}]}}"#), "{rest}");
        let form = format!(
            "grant_type=refresh_token&refresh_token={}&client_id={CLIENT_ID}",
            refresh.expose()
        );
        assert_eq!(stage.token(&form).await.json()["error"], "invalid_grant");
        let all = stage.get(&path, &administrator).await.json();
        assert_eq!(
            all["revoked_tokens"]["clientID_tokens"][0]["client_id"],
            "C2"
        );
        stage.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_new_signing_key_ends_every_token_after_the_restart() {
        let stage = Stage::new().await;
        let node = stage.lab.unified_cm();
        let mut jabber = stage.lab.jabber().unwrap();
        jabber.sign_in(node).await.unwrap();
        let shown = stage.lab.cli("show key authz signing").await.unwrap();
        stage.lab.cli("set key regen authz signing").await.unwrap();
        assert_ne!(
            stage.lab.cli("show key authz signing").await.unwrap(),
            shown
        );
        stage
            .lab
            .cli("utils service restart Cisco CallManager")
            .await
            .unwrap();
        let config = jabber
            .fetch_configuration(NODE, node.configuration_port())
            .await
            .unwrap();
        jabber.register(&config, &Way::OnPremises).unwrap();
        let outcome = jabber.outcome().await;
        assert!(!matches!(outcome, Outcome::Registered(_)), "{outcome}");
        jabber.stop().await;
        jabber.sign_in(node).await.unwrap();
        jabber.register(&config, &Way::OnPremises).unwrap();
        let outcome = jabber.outcome().await;
        assert!(matches!(outcome, Outcome::Registered(_)), "{outcome}");
        jabber.stop().await;
        stage.stop().await;
    }
}

mod resource_server {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn rfc7517_the_key_is_published_and_asked_about_by_its_etag() {
        let stage = Stage::new().await;
        let node = stage.lab.unified_cm();
        let verifier = Verifier::new(KeySet::builder().build(), Policy::rfc9068("a", "b"));
        let keys = JwksClient::new(
            stage.connector.clone(),
            &node.jwks_uri(),
            Arc::new(verifier),
        )
        .unwrap();
        assert_eq!(keys.refresh().await.unwrap(), KeysNews::Replaced);
        stage.lab.wait(Duration::from_secs(300)).await;
        assert_eq!(keys.refresh().await.unwrap(), KeysNews::Unchanged);
        let etag = stage.get("/lab/oauth2/jwks", "").await;
        let etag = etag.header("etag").unwrap();
        let known = format!("if-none-match: {etag}\r\n");
        assert_eq!(stage.get("/lab/oauth2/jwks", &known).await.status, 304);
        stage.lab.cli("set key regen authz signing").await.unwrap();
        stage.lab.wait(Duration::from_secs(300)).await;
        assert_eq!(keys.refresh().await.unwrap(), KeysNews::Replaced);
        stage.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rfc7662_only_a_resource_server_that_says_who_it_is_may_ask() {
        let stage = Stage::new().await;
        let (name, password) = stage.lab.unified_cm().application_user();
        for headers in [
            String::new(),
            basic("resource-server", "wrong"),
            basic(name, password),
        ] {
            let answer = stage
                .post("/lab/oauth2/introspect", &headers, "token=x")
                .await;
            assert_eq!(
                (answer.status, &answer.json()["error"]),
                (401, &"invalid_client".into())
            );
        }
        assert_eq!(stage.get("/lab/oauth2/introspect", "").await.status, 405);
        stage.stop().await;
    }
}

/// The first token is over at 120 s and 60 s more; the registration of 230 s is one with the third.
#[tokio::test(flavor = "multi_thread")]
async fn a_registration_outlives_its_first_token() {
    use sip_oauth_token::issue::AccessTokenExpiryTimer;
    let stage = Stage::new().await;
    let node = stage.lab.unified_cm();
    node.set_access_token_expiry_timer(AccessTokenExpiryTimer::from_minutes(2).unwrap());
    let mut jabber = stage.lab.jabber().unwrap();
    let first = jabber.sign_in(node).await.unwrap().access_token;
    let config = jabber
        .fetch_configuration(NODE, node.configuration_port())
        .await
        .unwrap();
    jabber.register(&config, &Way::OnPremises).unwrap();
    assert!(matches!(jabber.outcome().await, Outcome::Registered(_)));
    for _ in 0..3 {
        stage.lab.wait(Duration::from_secs(95)).await;
        jabber.token().await.unwrap();
        stage.lab.wait(Duration::from_secs(20)).await;
        let outcome = jabber.outcome().await;
        assert!(matches!(outcome, Outcome::Refreshed(_)), "{outcome}");
    }
    let now = stage.lab.clock().system_now();
    assert!(
        node.token_verifier()
            .verify(first.token.expose(), now)
            .is_err()
    );
    jabber.stop().await;
    stage.stop().await;
}
