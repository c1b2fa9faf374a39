//! How long a set is used (RFC 9111).

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
    stage.show(Page::of(AuthorizationServer::new(UUID).unwrap().jwk_set()).with("etag", "\"v2\""));
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
    assert_eq!(stage.refresh().await, Ok(KeysNews::Unchanged));
    assert!(!stage.server.seen()[1].headers.contains_key("if-none-match"));
}

/// Issue 4: the same token must cost no second RSA operation. Each answer here is another text, none may be stored, and
/// all are of the same two keys: the verdicts that rest on those keys stay, as `Verifier::replace_keys_of` promises.
#[tokio::test]
async fn the_same_keys_written_otherwise_leave_the_verifier_alone() {
    let stage = Stage::new().await;
    let second = AuthorizationServer::new(UUID).unwrap();
    let [one, two] = [&stage.tokens, &second].map(|server| {
        let set = server.jwk_set();
        let (from, to) = (set.find('[').unwrap() + 1, set.rfind(']').unwrap());
        set[from..to].to_owned()
    });
    let show = |keys: String| {
        stage.show(Page::of(keys).with("cache-control", "no-cache, no-store, max-age=0"));
    };
    show(format!(r#"{{"keys":[{one},{two}]}}"#));
    assert_eq!(stage.refresh().await, Ok(KeysNews::Replaced));
    for again in [
        format!(r#"{{"keys":[{one},{two}]}}"#),
        format!(r#"{{"keys":[{two},{one}]}}"#),
        format!(r#"{{"at":"12:00","keys":[ {one} , {two} ]}}"#),
        format!(r#"{{"keys":[{one},{{"kty":"of tomorrow"}},{two}]}}"#),
    ] {
        stage.wait(60);
        show(again.clone());
        assert_eq!(stage.refresh().await, Ok(KeysNews::Unchanged), "{again}");
    }
    stage.wait(60);
    show(format!(r#"{{"keys":[{two}]}}"#));
    assert_eq!(stage.refresh().await, Ok(KeysNews::Replaced));
    assert!(!stage.verifies(&stage.token()).await, "its key is gone");
    assert!(stage.verifies(&stage.token_of(&second)).await);
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

/// A server that drops a key at once, where an embedder knows that tokens signed by it are still about. The time counts from
/// the first answer without the key, however often the server is asked meanwhile.
#[tokio::test]
async fn a_key_that_is_gone_is_good_for_the_grace_and_no_longer() {
    let stage = Stage::with(|client| client.grace(Duration::from_secs(1000))).await;
    let verify = |token: &str| {
        let now = stage.estate.clock.system_now();
        stage.client.verifier().verify(token, now).map(drop)
    };
    stage.refresh().await.unwrap();
    let old = stage.token();
    assert_eq!(verify(&old), Ok(()));
    for minutes in 0..2 {
        let next = AuthorizationServer::new(UUID).unwrap().jwk_set();
        stage.show(Page::of(next).with("cache-control", "max-age=60"));
        stage.wait(if minutes == 0 { 600 } else { 60 });
        assert_eq!(stage.refresh().await, Ok(KeysNews::Replaced));
        assert_eq!(verify(&old), Ok(()), "{minutes}");
    }
    stage.wait(939);
    stage.refresh().await.unwrap();
    assert_eq!(verify(&old), Ok(()));
    stage.wait(1);
    assert!(verify(&old).is_err());
    stage.refresh().await.unwrap();
    assert!(verify(&old).is_err());
}

#[tokio::test]
async fn without_grace_a_key_that_is_gone_is_good_no_more() {
    let stage = Stage::new().await;
    stage.refresh().await.unwrap();
    let old = stage.token();
    stage.show(Page::of(AuthorizationServer::new(UUID).unwrap().jwk_set()));
    stage.wait(600);
    assert_eq!(stage.refresh().await, Ok(KeysNews::Replaced));
    let now = stage.estate.clock.system_now();
    assert!(stage.client.verifier().verify(&old, now).is_err());
}
