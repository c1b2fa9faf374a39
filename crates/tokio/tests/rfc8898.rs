//! A registrar and a client of RFC 8898 over sockets: 401, an authorization server by its name, `error` and `scope`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::sync::{Arc, Mutex};

use sip_oauth_registration::{
    client::{ClientConfig, Device, Event, Instance, Line, TokenChallenge, TokenReason},
    registrar::{Cluster, Database, Registrar, RegistrarConfig, RegistrarDialect},
};
use sip_oauth_token::{RefreshToken, Verifier, issue::AuthorizationServer};
use sip_oauth_tokio::{
    ObtainedToken, RefreshGrant, RegistrarServer, RegistrationClient, TokenRequest, TokenSource,
    token_fn,
};
use support::{
    BOTH, CONTACT, DEVICE, Estate, NODE, UUID, at_node,
    http::{HttpServer, respond},
    registration, server_tls,
};

const SERVER: &str = "as.example.com";
const ISSUER: &str = "https://as.example.com";
const SCOPE: &str = "sip:register";

/// A registrar of one domain, and the server whose tokens it takes.
struct Stage {
    estate: Estate,
    tokens: Arc<AuthorizationServer>,
    node: RegistrarServer,
}

impl Stage {
    async fn new(scope: Option<&str>) -> Self {
        let mut estate = Estate::new();
        let tokens = Arc::new(AuthorizationServer::new(UUID).unwrap());
        let mut config = RegistrarConfig::rfc8898(NODE, ISSUER);
        if let RegistrarDialect::Rfc8898 { scope: wanted, .. } = &mut config.dialect {
            *wanted = scope.map(str::to_owned);
        }
        let verifier = Verifier::new(tokens.key_set(), tokens.policy());
        let nobody = Database::new(Cluster::new());
        estate.registrar = Arc::new(Registrar::new(config, nobody, Arc::new(verifier)));
        let node = estate.serve().await;
        Self {
            estate,
            tokens,
            node,
        }
    }

    /// What becomes of a registration with the tokens of this source.
    async fn register(&self, source: Arc<dyn TokenSource>) -> Event {
        let device = Device::csf(DEVICE, Instance::new("005056aabbcc").unwrap());
        let line = Line::new("1010", CONTACT);
        let targets = vec![at_node(&self.node)];
        let config = ClientConfig::rfc8898(device, line, targets, vec![ISSUER.to_owned()]);
        let (_handle, mut events) =
            RegistrationClient::new(config, self.estate.connector(), source).start();
        registration(&mut events).await
    }

    /// The challenges the registrar sent, each as its parameters.
    fn challenges(&self) -> Vec<String> {
        let messages = self.estate.trace.messages();
        let lines = messages.iter().flat_map(|message| message.lines());
        lines
            .filter_map(|line| line.strip_prefix("WWW-Authenticate: Bearer "))
            .map(str::to_owned)
            .collect()
    }

    /// A token endpoint that grants the scope it is asked for.
    async fn endpoint(&self) -> HttpServer {
        let authority = &self.estate.authority;
        let tls = server_tls(authority.issue(SERVER), authority.store("trust"), "", BOTH);
        let (tokens, clock) = (Arc::clone(&self.tokens), self.estate.clock.clone());
        HttpServer::start(Some(tls.oauth()), move |request| {
            let asks = request.body.contains("&scope=sip%3Aregister");
            let scopes: &[&str] = if asks { &[SCOPE] } else { &[] };
            let issued = tokens
                .issue_access("1010", "C0ffee", scopes, clock.system_now())
                .unwrap();
            let token = issued.token.expose();
            respond(
                200,
                format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600}}"#),
            )
        })
        .await
    }

    fn grant(&self, endpoint: &HttpServer) -> RefreshGrant {
        let url = format!("https://{SERVER}:{}/token", endpoint.address.port());
        let refresh = RefreshToken::parse("a-refresh-token").unwrap();
        RefreshGrant::new(self.estate.connector(), &url, "C0ffee", refresh).unwrap()
    }
}

mod section_2_1_1 {
    use super::*;

    /// The client asks its authorization server for the scope of the challenge, where whoever embeds it says that the user
    /// granted that.
    #[tokio::test(flavor = "multi_thread")]
    async fn the_scope_of_the_challenge_is_asked_for_where_told_to() {
        let stage = Stage::new(Some(SCOPE)).await;
        let endpoint = stage.endpoint().await;
        let grant = stage.grant(&endpoint).ask_scope_of_challenge();
        let event = stage.register(Arc::new(grant)).await;
        assert!(matches!(event, Event::Registered(_)), "{event:?}");
        let seen = endpoint.seen();
        assert_eq!(seen.len(), 1);
        let body = &seen[0].body;
        assert!(body.contains("&scope=sip%3Aregister&"), "{body}");
        assert_eq!(
            stage.challenges(),
            [format!(
                r#"realm="{NODE}", authz_server="{ISSUER}", scope="{SCOPE}""#
            )]
        );
    }

    /// Without being told to, the client asks for it once its lack was told: without one the server grants what the resource
    /// owner granted (RFC 6749 section 6).
    #[tokio::test(flavor = "multi_thread")]
    async fn it_is_asked_for_once_its_lack_was_told() {
        let stage = Stage::new(Some(SCOPE)).await;
        let endpoint = stage.endpoint().await;
        let event = stage.register(Arc::new(stage.grant(&endpoint))).await;
        assert!(matches!(event, Event::Registered(_)), "{event:?}");
        let asked = endpoint.seen();
        let asked = asked.iter().map(|seen| seen.body.contains("&scope="));
        assert_eq!(asked.collect::<Vec<_>>(), [false, true]);
        let challenges = stage.challenges();
        let told = challenges
            .iter()
            .map(|challenge| challenge.contains(r#"error="invalid_scope""#));
        assert_eq!(told.collect::<Vec<_>>(), [false, true], "{challenges:?}");
    }

    /// What a refusal of the last token says, whoever sends it.
    fn refused_for(error: &str, scope: Option<&str>, held: &ObtainedToken) -> TokenRequest {
        let mut challenge = TokenChallenge::new(401);
        challenge.error = Some(error.to_owned());
        challenge.scope = scope.map(str::to_owned);
        TokenRequest::new(TokenReason::Rejected, Some(challenge)).held(held.token.clone())
    }

    /// A scope that was asked for in vain is not asked for again, and one that nobody names not at all.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_asking_cannot_help_is_given_up() {
        let stage = Stage::new(Some(SCOPE)).await;
        let endpoint = stage.endpoint().await;
        for error in ["invalid_scope", "insufficient_scope"] {
            let grant = stage.grant(&endpoint);
            let first = stage.estate.token();
            let unnamed = grant.token(&refused_for(error, None, &first)).await;
            let unnamed = unnamed.unwrap_err();
            assert!(unnamed.is_final(), "{unnamed}");
            let before = endpoint.seen().len();
            let second = grant.token(&refused_for(error, Some(SCOPE), &first)).await;
            let second = second.unwrap();
            assert_eq!(endpoint.seen().len(), before + 1);
            assert!(
                endpoint.seen()[before]
                    .body
                    .contains("&scope=sip%3Aregister")
            );
            let again = grant.token(&refused_for(error, Some(SCOPE), &second)).await;
            let again = again.unwrap_err();
            assert!(
                again.is_final() && again.to_string().contains(SCOPE),
                "{again}"
            );
            assert_eq!(endpoint.seen().len(), before + 1, "nobody is asked");
            // Another one is another matter, and so is a token that is only over.
            let other = refused_for(error, Some("other"), &second);
            assert!(grant.token(&other).await.is_ok());
            let over = refused_for("invalid_token", Some(SCOPE), &second);
            assert!(grant.token(&over).await.is_ok());
        }
    }
}

mod section_2_2 {
    use super::*;

    /// An expired token is answered 401 and told so; the client gets another one, and its source knows why.
    #[tokio::test(flavor = "multi_thread")]
    async fn an_expired_token_is_invalid_token_and_the_next_one_registers() {
        let stage = Stage::new(None).await;
        let now = stage.estate.clock.system_now();
        let issue = |at| {
            let issued = stage.tokens.issue_access("1010", "C0ffee", &[], at);
            issued.unwrap().token
        };
        let expired = issue(now - std::time::Duration::from_secs(2 * 3600));
        let given = Mutex::new(vec![issue(now), expired]);
        let reasons = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&reasons);
        let source = token_fn(move |request| {
            asked.lock().unwrap().push(request.reason);
            let token = given.lock().unwrap().pop().unwrap();
            async move { Ok(ObtainedToken::new(token)) }
        });
        let event = stage.register(Arc::new(source)).await;
        assert!(matches!(event, Event::Registered(_)), "{event:?}");
        let plain = format!(r#"realm="{NODE}", authz_server="{ISSUER}""#);
        let refused = format!(r#"{plain}, error="invalid_token""#);
        assert_eq!(stage.challenges(), [plain, refused]);
        let reasons = reasons.lock().unwrap().clone();
        assert_eq!(reasons, [TokenReason::Challenged, TokenReason::Rejected]);
    }
}
