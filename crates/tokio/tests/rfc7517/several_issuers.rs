//! The keys of more than one authorization server.

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
    let [of_first, of_second] = [(UUID, "/first"), (SECOND, "/second")].map(|(issuer, path)| {
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
