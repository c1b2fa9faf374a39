//! Where a client's tokens come from: a file that is read again, and one token renewed in time for many clients. Time is
//! scripted: the clock moves, nobody sleeps.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unnecessary_wraps,
    reason = "helpers of a test may fail it"
)]

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use sip_oauth_registration::client::TokenReason::{self, Challenged, Rejected, Renewal};
use sip_oauth_token::AccessToken;
use sip_oauth_tokio::{
    BoxFuture, Clock, ObtainedToken, RenewingToken, TokenFile, TokenRequest, TokenSource,
    TokenUnavailable,
};
use tokio::sync::Semaphore;

const HOUR: Duration = Duration::from_secs(3600);

fn token(text: &str) -> AccessToken {
    AccessToken::parse(text).unwrap()
}

fn request(reason: TokenReason) -> TokenRequest {
    TokenRequest::new(reason, None)
}

/// A request of a client that was given this token last.
fn of(reason: TokenReason, held: &str) -> TokenRequest {
    request(reason).held(token(held))
}

type Answer = Result<ObtainedToken, TokenUnavailable>;

fn hour_long(text: &str) -> Answer {
    Ok(ObtainedToken::new(token(text)).expires_in(HOUR))
}

fn down() -> Answer {
    Err(TokenUnavailable::new("the server is down"))
}

/// A source that gives these answers in turn, counts who asks, and answers no sooner than it is let.
#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<usize>>,
    let_go: Arc<Semaphore>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            asked: Arc::default(),
            let_go: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        }
    }

    fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

impl TokenSource for Script {
    fn token<'a>(&'a self, _: &'a TokenRequest) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            *self.asked.lock().unwrap() += 1;
            self.let_go.acquire().await.unwrap().forget();
            self.answers.lock().unwrap().pop_front().unwrap()
        })
    }
}

struct Stage {
    clock: Clock,
    script: Script,
    tokens: RenewingToken<Script>,
}

impl Stage {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let clock = Clock::stopped();
        let script = Script::new(answers);
        // What chance adds to a pause has a test of its own.
        let tokens = RenewingToken::new(script.clone(), clock.clone()).jitter(0);
        Self {
            clock,
            script,
            tokens,
        }
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Lets tasks run until nothing moves: there is one thread.
    async fn settle(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// What a client is told without waiting for anything.
    async fn told_at_once(&self, request: TokenRequest) -> Option<String> {
        tokio::select! {
            biased;
            told = self.ask(request) => Some(told),
            () = self.settle() => None,
        }
    }

    async fn ask(&self, request: TokenRequest) -> String {
        match self.tokens.token(&request).await {
            Ok(obtained) => obtained.token.expose().to_owned(),
            Err(error) => error.to_string(),
        }
    }
}

mod renewal {
    use super::*;

    #[tokio::test]
    async fn the_same_token_until_three_quarters_of_its_life_then_the_next() {
        let stage = Stage::new([hour_long("one"), hour_long("two")]);
        assert_eq!(stage.ask(request(Challenged)).await, "one");
        stage.wait(2695);
        assert_eq!(stage.ask(request(Challenged)).await, "one");
        assert_eq!(stage.script.asked(), 1);
        stage.wait(5);
        assert_eq!(stage.ask(of(Renewal, "one")).await, "two");
        assert_eq!(stage.ask(request(Challenged)).await, "two");
        assert_eq!(stage.script.asked(), 2);
    }

    /// The old one is good for a quarter of its life: nobody waits for the next who does not ask for it.
    #[tokio::test]
    async fn a_good_token_is_given_while_the_next_one_is_fetched() {
        let stage = Stage::new([hour_long("one"), hour_long("two")]);
        stage.ask(request(Challenged)).await;
        stage.script.let_go.forget_permits(usize::MAX);
        stage.wait(2700);
        for _ in 0..3 {
            let told = stage.told_at_once(request(Challenged)).await;
            assert_eq!(told.as_deref(), Some("one"));
        }
        assert_eq!(stage.told_at_once(of(Renewal, "one")).await, None);
        assert_eq!(stage.script.asked(), 2);
        stage.script.let_go.add_permits(1);
        stage.settle().await;
        assert_eq!(stage.ask(request(Challenged)).await, "two");
        assert_eq!(stage.script.asked(), 2);
    }

    #[tokio::test]
    async fn the_part_of_the_life_is_between_1_and_99_percent() {
        for (percent, seconds) in [(0, 36), (1, 36), (50, 1800), (99, 3564), (200, 3564)] {
            let mut stage = Stage::new([hour_long("one"), hour_long("two")]);
            stage.tokens = stage.tokens.renew_at_percent(percent);
            stage.ask(request(Challenged)).await;
            stage.wait(seconds - 1);
            assert_eq!(stage.ask(request(Challenged)).await, "one", "{percent}");
            stage.settle().await;
            assert_eq!(stage.script.asked(), 1, "{percent}");
            stage.wait(1);
            assert_eq!(stage.ask(request(Challenged)).await, "one", "{percent}");
            stage.settle().await;
            assert_eq!(stage.ask(request(Challenged)).await, "two", "{percent}");
        }
    }

    #[tokio::test]
    async fn what_is_left_of_the_life_is_told() {
        let stage = Stage::new([hour_long("one")]);
        stage.ask(request(Challenged)).await;
        stage.wait(600);
        let left = stage.tokens.token(&request(Challenged)).await.unwrap();
        assert_eq!(left.expires_in, Some(Duration::from_secs(3000)));
    }

    #[tokio::test]
    async fn a_client_that_asks_for_the_next_token_gets_it_once() {
        let stage = Stage::new([hour_long("one"), hour_long("two")]);
        stage.ask(request(Challenged)).await;
        assert_eq!(stage.ask(of(Renewal, "one")).await, "two");
        assert_eq!(
            stage.ask(of(Renewal, "one")).await,
            "two",
            "it came too late"
        );
        assert_eq!(stage.script.asked(), 2);
    }

    #[tokio::test]
    async fn a_token_of_unknown_life_is_kept_until_it_is_refused() {
        let unknown = Ok(ObtainedToken::new(token("one")));
        let stage = Stage::new([unknown, hour_long("two")]);
        stage.ask(request(Challenged)).await;
        stage.wait(1_000_000);
        assert_eq!(stage.ask(request(Challenged)).await, "one");
        assert_eq!(stage.ask(of(Rejected, "one")).await, "two");
    }

    #[tokio::test]
    async fn keep_fresh_renews_though_nobody_asks() {
        let stage = Stage::new([hour_long("one"), down(), hour_long("two")]);
        stage.ask(request(Challenged)).await;
        let tokens = stage.tokens.clone();
        let keeper = tokio::spawn(async move { tokens.keep_fresh().await });
        let asked = async |number| {
            while stage.script.asked() < number {
                tokio::task::yield_now().await;
            }
        };
        tokio::task::yield_now().await;
        stage.wait(2700);
        asked(2).await;
        // It failed: five seconds later it is tried again. The clock is moved until the task has seen it.
        while stage.script.asked() < 3 {
            stage.wait(5);
            tokio::task::yield_now().await;
        }
        assert_eq!(stage.ask(of(Renewal, "one")).await, "two");
        keeper.abort();
    }
}

mod keep_fresh {
    use super::*;

    fn for_a(life: Duration, text: &str) -> Answer {
        Ok(ObtainedToken::new(token(text)).expires_in(life))
    }

    /// Until it is so, for at most 20 s of real time.
    async fn until(is_so: impl Fn() -> bool) {
        let wait = async {
            while !is_so() {
                tokio::task::yield_now().await;
            }
        };
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, wait)
            .await
            .expect("this takes milliseconds");
    }

    #[tokio::test]
    async fn begins_with_the_first_token_that_comes() {
        let stage = Stage::new([hour_long("one"), hour_long("two")]);
        let tokens = stage.tokens.clone();
        let keeper = tokio::spawn(async move { tokens.keep_fresh().await });
        tokio::task::yield_now().await;
        assert_eq!(stage.ask(request(Challenged)).await, "one");
        tokio::task::yield_now().await;
        stage.wait(2700);
        until(|| stage.script.asked() == 2).await;
        keeper.abort();
    }

    /// However small the part of the life, once a second is the most.
    #[tokio::test]
    async fn rests_however_short_the_life() {
        let answers = (0..100).map(|_| for_a(Duration::from_secs(1), "one"));
        let mut stage = Stage::new(answers);
        stage.tokens = stage.tokens.renew_at_percent(1);
        stage.ask(request(Challenged)).await;
        let tokens = stage.tokens.clone();
        let keeper = tokio::spawn(async move { tokens.keep_fresh().await });
        stage.settle().await;
        stage.clock.advance(Duration::from_millis(999));
        stage.settle().await;
        assert_eq!(stage.script.asked(), 1);
        stage.clock.advance(Duration::from_millis(1));
        until(|| stage.script.asked() == 2).await;
        keeper.abort();
    }

    #[tokio::test]
    async fn no_token_is_given_beyond_its_life() {
        let life = Duration::from_millis(1500);
        let stage = Stage::new([for_a(life, "one"), hour_long("two")]);
        assert_eq!(stage.ask(request(Challenged)).await, "one");
        stage.clock.advance(life);
        assert_eq!(stage.ask(request(Challenged)).await, "two");
    }

    /// `"expires_in":0` (RFC 6749 section 5.1): whoever asks, and however often, the server is left alone as after any other
    /// failure.
    #[tokio::test]
    async fn a_token_without_a_life_is_a_failure_with_its_pause() {
        let nearly = Duration::from_millis(999);
        let lives = [Duration::ZERO, nearly, Duration::ZERO];
        let stage = Stage::new(lives.map(|life| for_a(life, "one")));
        let mut asked = 0;
        for pause in [5, 10, 20] {
            for _ in 0..100 {
                let told = stage.ask(request(Challenged)).await;
                assert!(told.contains("less than a second"), "{told}");
            }
            asked += 1;
            assert_eq!(stage.script.asked(), asked);
            stage.wait(pause);
        }
    }

    /// And the one in hand is given as long as it is good.
    #[tokio::test]
    async fn a_token_without_a_life_does_not_replace_a_good_one() {
        let stage = Stage::new([hour_long("one"), for_a(Duration::ZERO, "two")]);
        stage.ask(request(Challenged)).await;
        stage.wait(2700);
        for _ in 0..10 {
            assert_eq!(stage.ask(of(Renewal, "one")).await, "one");
        }
        assert_eq!(stage.script.asked(), 2);
    }
}

mod one_at_a_time {
    use super::*;

    #[tokio::test]
    async fn however_many_ask() {
        let stage = Stage::new([hour_long("one"), hour_long("two")]);
        stage.script.let_go.forget_permits(usize::MAX);
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let tokens = stage.tokens.clone();
                tokio::spawn(async move { tokens.token(&request(Challenged)).await })
            })
            .collect();
        while stage.script.asked() == 0 {
            tokio::task::yield_now().await;
        }
        stage.script.let_go.add_permits(2);
        for one in waiting {
            assert_eq!(one.await.unwrap().unwrap().token, token("one"));
        }
        assert_eq!(stage.script.asked(), 1);
    }

    #[tokio::test]
    async fn a_failure_is_shared_as_well() {
        let stage = Stage::new([down()]);
        stage.script.let_go.forget_permits(usize::MAX);
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let tokens = stage.tokens.clone();
                tokio::spawn(async move { tokens.token(&request(Challenged)).await })
            })
            .collect();
        while stage.script.asked() == 0 {
            tokio::task::yield_now().await;
        }
        stage.script.let_go.add_permits(2);
        for one in waiting {
            let error = one.await.unwrap().unwrap_err().to_string();
            assert!(error.starts_with("the server is down"), "{error}");
        }
        assert_eq!(stage.script.asked(), 1);
    }

    #[tokio::test]
    async fn a_client_that_goes_away_does_not_cut_the_renewal_short() {
        let stage = Stage::new([hour_long("one")]);
        stage.script.let_go.forget_permits(usize::MAX);
        let tokens = stage.tokens.clone();
        let gone = tokio::spawn(async move { tokens.token(&request(Challenged)).await });
        while stage.script.asked() == 0 {
            tokio::task::yield_now().await;
        }
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        stage.script.let_go.add_permits(1);
        assert_eq!(stage.ask(request(Challenged)).await, "one");
        assert_eq!(stage.script.asked(), 1);
    }
}

mod silence {
    use super::*;

    /// A source may forget to answer. Time stands until nothing else is left to do, and then moves on by itself.
    #[tokio::test(start_paused = true)]
    async fn of_a_source_is_a_failure_after_a_minute() {
        let stage = Stage::new([hour_long("one")]);
        stage.script.let_go.forget_permits(usize::MAX);
        let patience = Duration::from_secs(3600);
        let asked = tokio::time::timeout(patience, stage.ask(request(Challenged))).await;
        let told = asked.unwrap();
        assert!(told.contains("no answer within 60s"), "{told}");
        let told = stage.told_at_once(request(Challenged)).await.unwrap();
        assert!(told.contains("not asked again for"), "{told}");
        assert_eq!(stage.script.asked(), 1);
        stage.wait(5);
        stage.script.let_go.add_permits(1);
        assert_eq!(stage.ask(request(Challenged)).await, "one");
    }

    #[tokio::test]
    async fn leaves_no_task_behind_for_each_who_asked() {
        let stage = Stage::new([]);
        stage.script.let_go.forget_permits(usize::MAX);
        for _ in 0..50 {
            assert_eq!(stage.told_at_once(request(Challenged)).await, None);
        }
        let alive = tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks();
        assert!(alive <= 2, "the renewal and what it asks, not {alive}");
    }

    #[tokio::test]
    async fn of_one_that_panics_is_told() {
        let stage = Stage::new([]);
        let told = stage.ask(request(Challenged)).await;
        assert!(told.contains("without an answer"), "{told}");
        let told = stage.ask(request(Challenged)).await;
        assert!(told.contains("not asked again for"), "{told}");
    }
}

mod failure {
    use super::*;

    #[tokio::test]
    async fn the_old_token_is_kept_while_it_is_good() {
        let stage = Stage::new([hour_long("one"), down(), down(), hour_long("two")]);
        stage.ask(request(Challenged)).await;
        stage.wait(2700);
        assert_eq!(stage.ask(of(Renewal, "one")).await, "one");
        stage.wait(895);
        assert_eq!(stage.ask(request(Challenged)).await, "one", "asked, failed");
        stage.settle().await;
        stage.wait(5);
        // 3600 s: over, and the second failure is 5 s old.
        let error = stage.ask(request(Challenged)).await;
        assert!(
            error.starts_with("the server is down; not asked again for "),
            "{error}"
        );
        assert_eq!(stage.script.asked(), 3);
        stage.wait(5);
        assert_eq!(stage.ask(request(Challenged)).await, "two");
    }

    #[tokio::test]
    async fn each_one_doubles_the_pause_up_to_its_limit() {
        let stage = Stage::new((0..10).map(|_| down()));
        let mut asked = 0;
        for pause in [5, 10, 20, 40, 80, 160, 300, 300, 300] {
            stage.ask(request(Challenged)).await;
            asked += 1;
            stage.wait(pause - 1);
            stage.ask(request(Challenged)).await;
            assert_eq!(
                stage.script.asked(),
                asked,
                "{} s after a failure",
                pause - 1
            );
            stage.wait(1);
        }
    }

    /// Clients that met the same failure do not come back together.
    #[tokio::test]
    async fn the_pause_is_longer_by_chance_and_never_shorter() {
        let most = |bytes: &mut [u8]| bytes.fill(0xff);
        let mut stage = Stage::new((0..3).map(|_| down()));
        stage.tokens = stage.tokens.jitter(20).jitter_from(most);
        for (asked, pause) in [(1, 6), (2, 12)] {
            stage.ask(request(Challenged)).await;
            stage.wait(pause - 1);
            stage.ask(request(Challenged)).await;
            assert_eq!(stage.script.asked(), asked);
            stage.wait(1);
        }
        stage.ask(request(Challenged)).await;
        assert_eq!(stage.script.asked(), 3);
    }

    #[tokio::test]
    async fn a_success_forgets_the_failures() {
        let stage = Stage::new([down(), down(), hour_long("one"), down(), hour_long("two")]);
        stage.ask(request(Challenged)).await;
        stage.wait(5);
        stage.ask(request(Challenged)).await;
        stage.wait(10);
        assert_eq!(stage.ask(request(Challenged)).await, "one");
        stage.wait(3600);
        stage.ask(request(Challenged)).await;
        stage.wait(5);
        assert_eq!(stage.ask(request(Challenged)).await, "two");
    }

    #[tokio::test]
    async fn a_server_may_ask_for_a_longer_pause() {
        let busy = TokenUnavailable::new("busy").retry_after(Duration::from_secs(120));
        let stage = Stage::new([Err(busy), hour_long("one")]);
        stage.ask(request(Challenged)).await;
        stage.wait(119);
        stage.ask(request(Challenged)).await;
        assert_eq!(stage.script.asked(), 1);
        stage.wait(1);
        assert_eq!(stage.ask(request(Challenged)).await, "one");
    }

    #[tokio::test]
    async fn one_for_good_is_not_tried_again() {
        let revoked = TokenUnavailable::new("sign in again").for_good();
        let stage = Stage::new([hour_long("one"), Err(revoked)]);
        stage.ask(request(Challenged)).await;
        stage.wait(2700);
        assert_eq!(stage.ask(request(Challenged)).await, "one");
        stage.settle().await;
        stage.wait(100_000);
        assert_eq!(stage.ask(request(Challenged)).await, "sign in again");
        assert_eq!(stage.script.asked(), 2);
        // And what keeps it fresh ends.
        stage.tokens.keep_fresh().await;
    }
}

mod refusal {
    use super::*;

    #[tokio::test]
    async fn a_refused_token_is_renewed_once_for_all_who_held_it() {
        let stage = Stage::new([hour_long("one"), hour_long("two")]);
        stage.ask(request(Challenged)).await;
        for _ in 0..3 {
            assert_eq!(stage.ask(of(Rejected, "one")).await, "two");
        }
        assert_eq!(stage.script.asked(), 2);
    }

    /// Nor later, when another has been good meanwhile.
    #[tokio::test]
    async fn a_refused_token_stays_refused() {
        let stage = Stage::new([hour_long("one"), hour_long("two"), hour_long("one")]);
        stage.ask(request(Challenged)).await;
        assert_eq!(stage.ask(of(Rejected, "one")).await, "two");
        stage.wait(2700);
        // Asks, and gets "one".
        assert_eq!(stage.ask(of(Renewal, "two")).await, "two");
        assert_eq!(stage.script.asked(), 3);
        assert_eq!(stage.ask(request(Challenged)).await, "two");
    }

    #[tokio::test]
    async fn a_refused_token_is_never_given_again() {
        let stage = Stage::new([hour_long("one"), hour_long("one"), down()]);
        stage.ask(request(Challenged)).await;
        let error = stage.ask(of(Rejected, "one")).await;
        assert!(error.contains("refused"), "{error}");
        stage.wait(5);
        let error = stage.ask(request(Challenged)).await;
        assert!(error.starts_with("the server is down"), "{error}");
    }
}

mod file {
    use super::*;

    /// A file of its own for a test, removed with it.
    struct Temporary(PathBuf);

    impl Temporary {
        fn new(name: &str) -> Self {
            let name = format!("sip-oauth-{}-{name}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn write(&self, text: impl AsRef<[u8]>) {
            std::fs::write(&self.0, text).unwrap();
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[tokio::test]
    async fn is_read_again_each_time() {
        let file = Temporary::new("again");
        let source = TokenFile::new(&file.0);
        file.write("one\n");
        let first = source.token(&request(Challenged)).await.unwrap();
        assert_eq!(first, ObtainedToken::new(token("one")));
        file.write("two\r\n");
        let second = source.token(&of(Rejected, "one")).await.unwrap();
        assert_eq!(second.token, token("two"));
    }

    #[tokio::test]
    async fn a_refused_token_in_it_is_not_given_again() {
        let file = Temporary::new("refused");
        file.write("one\n");
        let source = TokenFile::new(&file.0);
        let error = source.token(&of(Rejected, "one")).await.unwrap_err();
        assert!(error.to_string().contains("write a new one"), "{error}");
    }

    /// Opening a FIFO waits for who writes to it: each attempt would leave a thread behind.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_fifo_in_its_place_is_refused_and_not_waited_for() {
        let fifo = Temporary::new("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo.0).status();
        assert!(made.unwrap().success());
        let source = TokenFile::new(&fifo.0);
        let request = request(Challenged);
        let limit = Duration::from_secs(20);
        let told = tokio::time::timeout(limit, source.token(&request)).await;
        if told.is_err() {
            // Lets the thread go that waits, so that this test ends.
            let _ = std::fs::File::options().write(true).open(&fifo.0);
        }
        let error = told.expect("this takes milliseconds").unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }

    #[tokio::test]
    async fn its_age_counts_against_the_life_of_its_token() {
        let file = Temporary::new("age");
        file.write("one");
        let written = SystemTime::now() - Duration::from_secs(1000);
        std::fs::File::options()
            .write(true)
            .open(&file.0)
            .unwrap()
            .set_modified(written)
            .unwrap();
        let clock = Clock::adjustable();
        let source = TokenFile::new(&file.0).lifetime(HOUR).clock(clock.clone());
        let left = source.token(&request(Challenged)).await.unwrap().expires_in;
        let left = left.unwrap().as_secs();
        assert!((2590..=2600).contains(&left), "{left}");
        clock.advance(Duration::from_secs(2600));
        let error = source.token(&request(Challenged)).await.unwrap_err();
        assert!(error.to_string().contains("good for 3600 s"), "{error}");
    }

    #[tokio::test]
    async fn its_token_is_over_with_the_last_second_of_its_life() {
        let file = Temporary::new("over");
        file.write("one");
        let clock = Clock::stopped();
        let opened = std::fs::File::options().write(true).open(&file.0).unwrap();
        opened.set_modified(clock.system_now() - HOUR).unwrap();
        let source = TokenFile::new(&file.0).clock(clock);
        let longer = source.clone().lifetime(HOUR + Duration::from_secs(1));
        let left = longer.token(&request(Challenged)).await.unwrap().expires_in;
        assert_eq!(left, Some(Duration::from_secs(1)));
        let error = source
            .lifetime(HOUR)
            .token(&request(Challenged))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("written 3600 s ago"), "{error}");
    }

    #[tokio::test]
    async fn what_is_no_token_is_refused_without_being_shown() {
        let file = Temporary::new("bad");
        let source = TokenFile::new(&file.0);
        let large = vec![b'a'; 10 * 1024 * 1024];
        for (content, words) in [
            (&b""[..], "empty"),
            (b"hunter2 hunter2", "at byte 7"),
            (b"hunter2\nhunter3\n", "line break"),
            (b"\xff\xfe", "UTF-8"),
            (&large, "bytes"),
        ] {
            file.write(content);
            let error = source.token(&request(Challenged)).await.unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(words), "{text}");
            assert!(!text.contains("hunter") && text.len() < 500, "{text}");
        }
        let folder = TokenFile::new(std::env::temp_dir());
        assert!(folder.token(&request(Challenged)).await.is_err());
    }
}
