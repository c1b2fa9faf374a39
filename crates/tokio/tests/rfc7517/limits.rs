//! Intervals and pauses at the ends of what can be set.

use super::*;

/// Settings beyond what the clock can tell.
mod without_end {
    use super::*;

    #[tokio::test]
    async fn an_interval_between_unknown_keys_lets_one_question_through() {
        let stage = Stage::with(|client| client.unknown_key_interval(Duration::MAX)).await;
        let stranger = KeyId::new("nobody knows it").unwrap();
        let ask = async || soon(stage.client.key_unknown(&stranger)).await;
        assert_eq!(ask().await.unwrap(), KeysNews::Replaced);
        stage.wait(1_000_000);
        let failure = ask().await.unwrap_err().failure;
        assert!(matches!(failure, JwksFailure::TooSoon { .. }), "{failure}");
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
