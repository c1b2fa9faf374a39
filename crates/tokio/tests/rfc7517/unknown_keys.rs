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
