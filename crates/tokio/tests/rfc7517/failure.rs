//! A server that does not answer, or with something else.

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
