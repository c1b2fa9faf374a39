//! A registrar whose verifier asks the authorization server: a key it does not have yet, an opaque token.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unnecessary_wraps,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use sip_oauth_registration::{
    client::{Event, Transport},
    registrar::{Listener, TokenFinding},
};
use sip_oauth_token::{
    AccessToken, Form, KeySet, Policy, VerifiedToken, Verifier, issue::AuthorizationServer,
};
use sip_oauth_tokio::{
    BoxFuture, ClientAuthentication, ClientEvents, ClientHandle, Clock, Connection,
    ConnectionSettings, Enquiry, FixedToken, Incoming, IntrospectionClient, JwksClient,
    ObtainedToken, RegistrarServer, RegistrationClient, ServerLimits, Stream,
};
use support::{
    BOTH, DEVICE, Estate, NODE, UUID, at_node, device_at,
    http::{HttpServer, respond},
    loopback, quick, registration, server_tls, soon,
};
use tokio::sync::Notify;

const SERVER: &str = "as.example.com";
const AUDIENCE: &str = "sip:example.com";

/// An authorization server, and a registrar that asks it.
struct Stage {
    estate: Estate,
    tokens: Arc<Mutex<AuthorizationServer>>,
    server: HttpServer,
    is_down: Arc<AtomicBool>,
    node: RegistrarServer,
}

impl Stage {
    /// With the verifier of this policy, and what asks in its name.
    async fn new(
        policy: Policy,
        enquiry: impl FnOnce(&Estate, &str, Arc<Verifier>) -> Option<Arc<dyn Enquiry>>,
    ) -> Self {
        Self::by(Estate::new(), policy, enquiry).await
    }

    /// The same in this estate.
    async fn by(
        estate: Estate,
        policy: Policy,
        enquiry: impl FnOnce(&Estate, &str, Arc<Verifier>) -> Option<Arc<dyn Enquiry>>,
    ) -> Self {
        let tokens = Arc::new(Mutex::new(AuthorizationServer::new(UUID).unwrap()));
        let authority = &estate.authority;
        let tls = server_tls(authority.issue(SERVER), authority.store("trust"), "", BOTH);
        let (knows, clock) = (Arc::clone(&tokens), estate.clock.clone());
        let is_down = Arc::new(AtomicBool::new(false));
        let down = Arc::clone(&is_down);
        let server = HttpServer::start(Some(tls.oauth()), move |request| {
            if down.load(Ordering::SeqCst) {
                return respond(500, "");
            }
            let knows = knows.lock().unwrap();
            if request.method == "GET" {
                return respond(200, knows.jwk_set());
            }
            let token = request.body.strip_prefix("token=").unwrap();
            let token = token.split('&').next().unwrap();
            respond(200, knows.introspect(token, clock.system_now()))
        })
        .await;
        let verifier = Arc::new(Verifier::new(KeySet::builder().build(), policy).with_cache(64));
        let url = format!("https://{SERVER}:{}/x", server.address.port());
        let registrar = Arc::clone(&estate.registrar);
        registrar.set_verifier(Arc::clone(&verifier));
        let mut builder = RegistrarServer::builder(registrar, Arc::clone(&estate.tls))
            .listen(Listener::SipOAuth, loopback(0))
            .clock(estate.clock.clone())
            .timeouts(quick());
        if let Some(enquiry) = enquiry(&estate, &url, verifier) {
            builder = builder.enquiry(enquiry);
        }
        let node = builder.start().await.unwrap();
        Self {
            estate,
            tokens,
            server,
            is_down,
            node,
        }
    }

    /// What becomes of a registration with a token of this form.
    async fn register(&self, form: Form) -> Event {
        let (_handle, mut events) = self.start(form);
        registration(&mut events).await
    }

    fn issue(&self, form: Form) -> AccessToken {
        let now = self.estate.clock.system_now();
        let tokens = self.tokens.lock().unwrap();
        tokens
            .issue_access_for(form, AUDIENCE, "jdoe", "C0ffee", &[], now)
            .unwrap()
            .token
    }

    /// What a request that carries these tokens is answered.
    async fn answer_to(&self, tokens: &[&str]) -> String {
        let mut connection = ask(&self.estate, &self.node, tokens).await;
        status(&mut connection).await
    }

    fn start(&self, form: Form) -> (ClientHandle, ClientEvents) {
        let tokens = FixedToken::new(ObtainedToken::new(self.issue(form)));
        RegistrationClient::new(
            device_at(vec![at_node(&self.node)]),
            self.estate.connector(),
            Arc::new(tokens),
        )
        .start()
    }

    /// Clients whose token nobody can judge are told to come back, the second as well as the first, whose question failed;
    /// they register with the same token when the server is there again.
    async fn register_after_an_outage(&self, form: Form) {
        self.is_down.store(true, Ordering::SeqCst);
        let mut waiting = Vec::new();
        for _ in 0..2 {
            let (handle, mut events) = self.start(form);
            let Event::Refused(refused) = registration(&mut events).await else {
                panic!("the server is down")
            };
            assert_eq!(refused.status, 503);
            assert_eq!(refused.retry_after, Some(Duration::from_secs(30)));
            assert_eq!(refused.gave_up, None);
            waiting.push((handle, events));
        }
        self.is_down.store(false, Ordering::SeqCst);
        self.estate.clock.advance(Duration::from_secs(30));
        for (_handle, events) in &mut waiting {
            let event = registration(events).await;
            assert!(matches!(event, Event::Registered(_)), "{event:?}");
        }
    }
}

fn keys(estate: &Estate, url: &str, verifier: Arc<Verifier>) -> Option<Arc<dyn Enquiry>> {
    Some(Arc::new(
        JwksClient::new(estate.connector(), url, verifier).unwrap(),
    ))
}

fn introspection(estate: &Estate, url: &str, verifier: Arc<Verifier>) -> Option<Arc<dyn Enquiry>> {
    let client = ClientAuthentication::basic("registrar", "hunter2");
    Some(Arc::new(
        IntrospectionClient::new(estate.connector(), url, client, verifier).unwrap(),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_token_of_a_new_key_registers() {
    let stage = Stage::new(Policy::rfc9068(UUID, AUDIENCE), keys).await;
    for asked in 1..=3 {
        let event = stage.register(Form::Jwt).await;
        assert!(matches!(event, Event::Registered(_)), "{event:?}");
        assert_eq!(stage.server.seen().len(), asked);
        stage
            .tokens
            .lock()
            .unwrap()
            .regenerate_signing_key()
            .unwrap();
        stage.estate.clock.advance(Duration::from_secs(30));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opaque_token_registers_after_one_question() {
    let stage = Stage::new(Policy::introspection(UUID, AUDIENCE), introspection).await;
    let event = stage.register(Form::Opaque).await;
    assert!(matches!(event, Event::Registered(_)), "{event:?}");
    assert_eq!(stage.server.seen().len(), 1);
}

/// RFC 7662 section 4 leaves it to the resource server whether a response is used again; where it is not, the request it
/// was asked for is decided by it all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_used_again_registers_too() {
    let policy = Policy::introspection(UUID, AUDIENCE).introspection_reuse(Duration::ZERO);
    let stage = Stage::new(policy, introspection).await;
    let (_handle, mut events) = stage.start(Form::Opaque);
    let event = registration(&mut events).await;
    assert!(matches!(event, Event::Registered(_)), "{event:?}");
    assert_eq!(stage.server.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_server_refuses_is_refused() {
    let stage = Stage::new(
        Policy::introspection("another issuer", AUDIENCE),
        introspection,
    )
    .await;
    let Event::Refused(refused) = stage.register(Form::Opaque).await else {
        panic!("not refused")
    };
    assert_eq!(refused.status, 407, "a verdict, and another token can help");
    assert_eq!(stage.server.seen().len(), 1);
}

/// RFC 7662 section 2.2, "active": false; the token was judged, so it is challenged and not put off.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_the_server_calls_inactive_is_challenged() {
    let stage = Stage::new(Policy::introspection(UUID, AUDIENCE), introspection).await;
    let tokens = FixedToken::new(ObtainedToken::new(
        AccessToken::parse("nobody-issued-this").unwrap(),
    ));
    let (_handle, mut events) = RegistrationClient::new(
        device_at(vec![at_node(&stage.node)]),
        stage.estate.connector(),
        Arc::new(tokens),
    )
    .start();
    let Event::Refused(refused) = registration(&mut events).await else {
        panic!("not refused")
    };
    assert_eq!(refused.status, 407);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_introspection_is_unavailable_the_answer_is_503_with_retry_after() {
    let stage = Stage::new(Policy::introspection(UUID, AUDIENCE), introspection).await;
    stage.register_after_an_outage(Form::Opaque).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_keys_cannot_be_had_the_answer_is_503_with_retry_after() {
    let stage = Stage::new(Policy::rfc9068(UUID, AUDIENCE), keys).await;
    stage.register_after_an_outage(Form::Jwt).await;
}

/// The server was asked a moment before the rotation: 503 and when it may be asked again, not a challenge that makes a client
/// drop a good token.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_new_key_that_comes_too_soon_is_put_off() {
    let mut estate = Estate::new();
    estate.clock = Clock::stopped();
    let stage = Stage::by(estate, Policy::rfc9068(UUID, AUDIENCE), keys).await;
    let old = stage.issue(Form::Jwt);
    assert_eq!(stage.answer_to(&[old.expose()]).await, "200");
    stage.estate.clock.advance(Duration::from_secs(6));
    let new_key = stage.tokens.lock().unwrap().regenerate_signing_key();
    new_key.unwrap();
    let new = stage.issue(Form::Jwt);
    let mut connection = ask(&stage.estate, &stage.node, &[new.expose()]).await;
    let all = whole(&mut connection).await;
    assert!(all.starts_with("SIP/2.0 503 "), "{all}");
    assert!(all.contains("\r\nRetry-After: 24\r\n"), "{all}");
    stage.estate.clock.advance(Duration::from_secs(24));
    assert_eq!(stage.answer_to(&[new.expose()]).await, "200");
    assert_eq!(stage.server.seen().len(), 2);
}

/// RFC 7517 section 9.2: a key that decrypts is a secret, which no published set brings. It takes nobody's question.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_encryption_key_is_not_asked_for() {
    let stage = Stage::new(Policy::unified_cm(UUID), keys).await;
    let token = stage.issue(Form::UnifiedCm);
    assert_eq!(stage.answer_to(&[token.expose()]).await, "407");
    assert_eq!(stage.server.seen().len(), 1, "for the key of its signature");
    stage.estate.clock.advance(Duration::from_secs(60));
    assert_eq!(stage.answer_to(&[token.expose()]).await, "407");
    assert_eq!(stage.server.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_enquiry_nobody_is_asked() {
    let stage = Stage::new(Policy::rfc9068(UUID, AUDIENCE), |_, _, _| None).await;
    let event = stage.register(Form::Jwt).await;
    assert!(matches!(event, Event::Refused(_)), "{event:?}");
    assert!(stage.server.seen().is_empty());
}

/// An authorization server that is asked and does not answer until it is let.
#[derive(Default)]
struct Slow {
    asked: AtomicUsize,
    may_answer: Notify,
}

impl Enquiry for Slow {
    fn enquire<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<VerifiedToken, TokenFinding>> {
        Box::pin(async {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.may_answer.notified().await;
            Err(TokenFinding::unavailable("it says so"))
        })
    }
}

/// A connection to the node's TLS listener, and a REGISTER with these tokens sent over it.
async fn ask(estate: &Estate, node: &RegistrarServer, tokens: &[&str]) -> Connection<Stream> {
    static CALLS: AtomicUsize = AtomicUsize::new(1);
    let call = CALLS.fetch_add(1, Ordering::SeqCst);
    let credentials = tokens
        .iter()
        .flat_map(|token| ["Proxy-Authorization: Bearer token=\"", token, "\"\r\n"])
        .collect::<String>();
    let port = node.local_addr(Listener::SipOAuth).unwrap().port();
    let connected = soon(estate.connector().connect(NODE, port, Transport::Tls)).await;
    let (stream, ends) = connected.unwrap();
    let mut connection = Connection::new(stream, ends, ConnectionSettings::default());
    let request = format!(
        "REGISTER sip:{NODE} SIP/2.0\r\n\
         Via: SIP/2.0/TLS 192.0.2.10;branch=z9hG4bK1\r\n\
         From: <sip:1010@{NODE}>;tag=1\r\n\
         To: <sip:1010@{NODE}>\r\n\
         Call-ID: {call}@192.0.2.10\r\n\
         CSeq: 1 REGISTER\r\n\
         Max-Forwards: 70\r\n\
         Contact: <sip:1010@192.0.2.10>;+u.sip!devicename.ccm.cisco.com=\"{DEVICE}\"\r\n\
         {credentials}\
         Content-Length: 0\r\n\r\n"
    );
    soon(connection.send(request.as_bytes())).await.unwrap();
    connection
}

async fn status(connection: &mut Connection<Stream>) -> String {
    whole(connection).await[8..11].to_owned()
}

async fn whole(connection: &mut Connection<Stream>) -> String {
    match soon(connection.receive()).await.unwrap() {
        Incoming::Message(answer) => String::from_utf8_lossy(&answer).into_owned(),
        other => panic!("{other:?}"),
    }
}

/// [`ServerLimits::pending_transactions`]: who finds no place to wait is answered at once, and the place is given back.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_for_the_authorization_server_are_bounded() {
    let estate = Estate::new();
    let nothing = Verifier::new(KeySet::builder().build(), Policy::unified_cm(UUID));
    estate.registrar.set_verifier(Arc::new(nothing));
    let slow = Arc::new(Slow::default());
    let server = Arc::clone(&slow);
    let node = RegistrarServer::builder(Arc::clone(&estate.registrar), Arc::clone(&estate.tls))
        .listen(Listener::SipOAuth, loopback(0))
        .timeouts(quick())
        .limits(ServerLimits::new().pending_transactions(1))
        .enquiry(server)
        .start()
        .await
        .unwrap();
    let asked = |times| {
        let slow = Arc::clone(&slow);
        move |_: &support::Trace| slow.asked.load(Ordering::SeqCst) == times
    };
    // Of a key the node does not have.
    let token = estate.token().token;
    let token = [token.expose()];
    let mut first = ask(&estate, &node, &token).await;
    estate.trace.until("it is asked", asked(1)).await;
    let mut second = ask(&estate, &node, &token).await;
    assert_eq!(status(&mut second).await, "503");
    slow.may_answer.notify_one();
    assert_eq!(status(&mut first).await, "503");
    let mut third = ask(&estate, &node, &token).await;
    estate.trace.until("there is room again", asked(2)).await;
    slow.may_answer.notify_one();
    assert_eq!(status(&mut third).await, "503");
}

/// A graceful stop answers what it has, and what waits for somebody else too: the client need not wait for its Timer F.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_is_answered_before_a_graceful_stop_ends() {
    let estate = Estate::new();
    let nothing = Verifier::new(KeySet::builder().build(), Policy::unified_cm(UUID));
    estate.registrar.set_verifier(Arc::new(nothing));
    let slow = Arc::new(Slow::default());
    let server = Arc::clone(&slow);
    let node = RegistrarServer::builder(Arc::clone(&estate.registrar), Arc::clone(&estate.tls))
        .listen(Listener::SipOAuth, loopback(0))
        .timeouts(quick().shutdown(Duration::from_secs(20)))
        .enquiry(server)
        .start()
        .await
        .unwrap();
    let address = node.local_addr(Listener::SipOAuth).unwrap();
    let token = estate.token().token;
    let mut waiting = ask(&estate, &node, &[token.expose()]).await;
    let asked = |_: &support::Trace| slow.asked.load(Ordering::SeqCst) == 1;
    estate.trace.until("it is asked", asked).await;
    let stop = tokio::spawn(node.shutdown());
    // From here on nobody is let in.
    let refuses = async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(refuses).await;
    assert!(!stop.is_finished());
    slow.may_answer.notify_one();
    assert_eq!(status(&mut waiting).await, "503");
    let end = soon(waiting.receive()).await.unwrap();
    assert!(matches!(end, Incoming::End), "{end:?}");
    soon(stop).await.unwrap();
}

/// A client on its way through several realms sends a token for each (RFC 3261 section 22.3), in any order: the one that
/// may yet be found good decides what is asked and answered.
mod several_tokens {
    use super::*;

    /// What the realm on the way gave: nothing a JWT could be.
    const OF_ANOTHER_REALM: &str = "2YotnFZFEjr1zCsicMWpAA";

    #[tokio::test(flavor = "multi_thread")]
    async fn a_key_that_is_not_there_yet_is_asked_for_wherever_its_token_stands() {
        for is_first in [true, false] {
            let stage = Stage::new(Policy::rfc9068(UUID, AUDIENCE), keys).await;
            let good = stage.issue(Form::Jwt);
            let mut tokens = [OF_ANOTHER_REALM, good.expose()];
            if is_first {
                tokens.reverse();
            }
            assert_eq!(stage.answer_to(&tokens).await, "200", "first: {is_first}");
            assert_eq!(stage.server.seen().len(), 1);
        }
    }

    /// One that was judged and found bad keeps the other from nothing.
    #[tokio::test(flavor = "multi_thread")]
    async fn an_expired_one_beside_one_of_a_new_key() {
        let stage = Stage::new(Policy::rfc9068(UUID, AUDIENCE), keys).await;
        let expired = stage.issue(Form::Jwt);
        assert_eq!(stage.answer_to(&[expired.expose()]).await, "200");
        stage.estate.clock.advance(Duration::from_secs(2 * 3600));
        assert_eq!(stage.answer_to(&[expired.expose()]).await, "407");
        let asked = stage.server.seen().len();
        stage
            .tokens
            .lock()
            .unwrap()
            .regenerate_signing_key()
            .unwrap();
        let good = stage.issue(Form::Jwt);
        let tokens = [expired.expose(), good.expose()];
        assert_eq!(stage.answer_to(&tokens).await, "200");
        assert_eq!(stage.server.seen().len(), asked + 1);
        // The key is there now.
        assert_eq!(stage.answer_to(&tokens).await, "200");
        assert_eq!(stage.server.seen().len(), asked + 1);
    }

    /// Nobody can say of the second whether it is good: 503, and the client keeps it.
    #[tokio::test(flavor = "multi_thread")]
    async fn while_the_keys_cannot_be_had_it_is_503_wherever_the_token_stands() {
        let stage = Stage::new(Policy::rfc9068(UUID, AUDIENCE), keys).await;
        let good = stage.issue(Form::Jwt);
        stage.is_down.store(true, Ordering::SeqCst);
        let mut tokens = [OF_ANOTHER_REALM, good.expose()];
        for _ in 0..2 {
            assert_eq!(stage.answer_to(&tokens).await, "503");
            tokens.reverse();
        }
        assert_eq!(stage.answer_to(&[OF_ANOTHER_REALM]).await, "407");
        stage.is_down.store(false, Ordering::SeqCst);
        stage.estate.clock.advance(Duration::from_secs(30));
        assert_eq!(stage.answer_to(&tokens).await, "200");
    }

    /// The set was had, and the key is nobody's: both were judged.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_key_of_nobody_beside_another_bad_one_is_challenged() {
        let stage = Stage::new(Policy::rfc9068(UUID, AUDIENCE), keys).await;
        let stranger = AuthorizationServer::new(UUID).unwrap();
        let now = stage.estate.clock.system_now();
        let theirs = stranger
            .issue_access_for(Form::Jwt, AUDIENCE, "jdoe", "C0ffee", &[], now)
            .unwrap()
            .token;
        let tokens = [OF_ANOTHER_REALM, theirs.expose()];
        assert_eq!(stage.answer_to(&tokens).await, "407");
        assert_eq!(stage.server.seen().len(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_opaque_one_is_asked_about_behind_one_that_is_not_active() {
        let stage = Stage::new(Policy::introspection(UUID, AUDIENCE), introspection).await;
        let good = stage.issue(Form::Opaque);
        let tokens = [OF_ANOTHER_REALM, good.expose()];
        assert_eq!(stage.answer_to(&tokens).await, "200");
        assert_eq!(stage.server.seen().len(), 2);
        // Neither is asked about again: the one is remembered as accepted.
        assert_eq!(stage.answer_to(&tokens).await, "200");
        assert_eq!(stage.server.seen().len(), 2);
    }

    /// The first is known to be inactive; of the second nobody can say.
    #[tokio::test(flavor = "multi_thread")]
    async fn an_opaque_one_nobody_can_judge_is_503_behind_one_that_is_not_active() {
        let stage = Stage::new(Policy::introspection(UUID, AUDIENCE), introspection).await;
        let good = stage.issue(Form::Opaque);
        assert_eq!(stage.answer_to(&[OF_ANOTHER_REALM]).await, "407");
        stage.is_down.store(true, Ordering::SeqCst);
        let mut tokens = [OF_ANOTHER_REALM, good.expose()];
        for _ in 0..2 {
            assert_eq!(stage.answer_to(&tokens).await, "503");
            tokens.reverse();
        }
    }

    /// Four are judged: each costs work that a stranger chooses.
    #[tokio::test(flavor = "multi_thread")]
    async fn the_fourth_is_judged_and_the_fifth_is_not() {
        let stage = Stage::new(Policy::rfc9068(UUID, AUDIENCE), keys).await;
        let good = stage.issue(Form::Jwt);
        let mut tokens = [OF_ANOTHER_REALM; 5];
        tokens[4] = good.expose();
        assert_eq!(stage.answer_to(&tokens).await, "407");
        assert!(stage.server.seen().is_empty());
        assert_eq!(stage.answer_to(&tokens[1..]).await, "200");
    }
}
