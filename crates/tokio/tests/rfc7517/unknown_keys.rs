//! A token whose key is not in the set asks for the set, in measure.

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
    let again = ask().await.unwrap_err();
    assert!(matches!(again.failure, JwksFailure::TooSoon { .. }));
}

/// A stranger has made it ask just before: the first token of a new key is not found bad for that, but put off for as long
/// as the server is left alone.
#[tokio::test]
async fn a_rotation_right_after_a_question_is_an_open_question() {
    let mut stage = Stage::new().await;
    let stranger = AuthorizationServer::new(UUID).unwrap();
    assert!(!stage.verifies(&stage.token_of(&stranger)).await);
    stage.wait(5);
    stage.tokens.regenerate_signing_key().unwrap();
    stage.show(Page::of(stage.tokens.jwk_set()));
    let new = stage.tokens.signing_key_id().clone();
    let ask = async || soon(stage.client.key_unknown(&new)).await;
    for (seconds, expected) in [(1, 24), (23, 1)] {
        stage.wait(seconds);
        let error = ask().await.unwrap_err();
        let JwksFailure::TooSoon { left } = error.failure else {
            panic!("{error}")
        };
        assert_eq!(left, Duration::from_secs(expected));
        let words = format!("not again for {expected} s");
        assert!(error.to_string().contains(&words), "{error}");
    }
    assert_eq!(stage.asked(), 1);
    stage.wait(1);
    assert_eq!(ask().await.unwrap(), KeysNews::Replaced);
    assert!(stage.verifies(&stage.token()).await);
    assert_eq!(stage.asked(), 2);
}

/// Who waited for a request that began after their token came has its answer: that key is not there.
#[tokio::test]
async fn all_who_came_before_a_question_have_its_answer() {
    let stage = Stage::new().await;
    let stranger = KeyId::new("nobody knows it").unwrap();
    let all = soon(at_once((0..5).map(|_| stage.client.key_unknown(&stranger)))).await;
    let mut news: Vec<_> = all.into_iter().map(Result::unwrap).collect();
    news.sort_by_key(|news| *news == KeysNews::NotAsked);
    assert_eq!(news[0], KeysNews::Replaced);
    assert_eq!(news[1..], [KeysNews::NotAsked; 4]);
    assert_eq!(stage.asked(), 1);
}

/// A note made once, in the pause after a question, is not lost; nor is it when the answer to it is a failure. The set would
/// be fresh for a day.
#[tokio::test]
async fn one_note_is_enough() {
    let mut stage = Stage::new().await;
    let day =
        |stage: &Stage| Page::of(stage.tokens.jwk_set()).with("cache-control", "max-age=86400");
    stage.show(day(&stage));
    stage.refresh().await.unwrap();
    stage.tokens.regenerate_signing_key().unwrap();
    let token = stage.token();
    // Until so many questions are answered; the set is fresh, so this asks none.
    let answered = async |number| {
        while stage.asked() < number {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(stage.refresh().await, Ok(KeysNews::NotAsked));
        assert_eq!(stage.asked(), number);
    };
    let script = async {
        stage.show(Page::status(503));
        stage.wait(10);
        stage.client.note_unknown_key();
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        stage.wait(20);
        answered(2).await;
        stage.show(day(&stage));
        stage.wait(30);
        answered(3).await;
        let now = stage.estate.clock.system_now();
        assert!(stage.client.verifier().verify(&token, now).is_ok());
        // It has its answer. Where a machine is too slow for a question here, this proves less and fails nothing.
        stage.wait(60);
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        answered(3).await;
    };
    tokio::select! {
        () = stage.client.keep_fresh() => {}
        () = soon(script) => {}
    }
}

#[tokio::test]
async fn many_at_once_wait_for_one_request() {
    let stage = Stage::new().await;
    let token = stage.token();
    let all = soon(at_once((0..20).map(|_| stage.client.verify(&token)))).await;
    assert!(all.len() == 20 && all.iter().all(Result::is_ok));
    assert_eq!(stage.asked(), 1);
}
