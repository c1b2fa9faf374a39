//! A decision and the store of its bindings: races lost, stores down, stores asked in steps.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails says so by panicking"
)]

mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use sip_oauth_message::{Limits, MessageView};
use sip_oauth_registration::registrar::{
    AddressOfRecord, Answer, Binding, BindingStore, Database, MemoryStore, Proposal, Registrar,
    RegistrarConfig, Snapshot, Step, Swap, Version,
};
use sip_oauth_registration::{Refusal, Seeded};
use support::{
    NODE, USER, cluster, contact_line, credentials_line, on_premises, register, verifier, wall,
};

/// Loses the race so many times, then behaves; or never answers.
#[derive(Debug)]
struct Troubled {
    inner: MemoryStore,
    conflicts: AtomicU32,
    down: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("connection to the store lost")]
struct Down;

type Found = Result<Vec<(AddressOfRecord, Binding)>, Down>;

impl BindingStore for Troubled {
    type Error = Down;

    fn load(&self, aor: &AddressOfRecord) -> Result<Snapshot, Down> {
        if self.down {
            return Err(Down);
        }
        self.inner.load(aor).map_err(|never| match never {})
    }

    fn compare_and_swap(
        &self,
        aor: &AddressOfRecord,
        expected: Version,
        bindings: Vec<Binding>,
    ) -> Result<Swap, Down> {
        let lost = |left: u32| left.checked_sub(1);
        if self
            .conflicts
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, lost)
            .is_ok()
        {
            return Ok(Swap::Conflict);
        }
        self.inner
            .compare_and_swap(aor, expected, bindings)
            .map_err(|never| match never {})
    }

    fn expire(&self, _: SystemTime) -> Found {
        Err(Down)
    }

    fn next_expiry(&self) -> Result<Option<SystemTime>, Down> {
        Err(Down)
    }

    fn drop_node(&self, _: &str) -> Found {
        Err(Down)
    }

    fn of_device(&self, _: &str) -> Found {
        Err(Down)
    }

    fn of_node(&self, _: &str) -> Found {
        Err(Down)
    }
}

fn registrar_over(conflicts: u32, down: bool) -> Registrar<Troubled> {
    let store = Troubled {
        inner: MemoryStore::new(),
        conflicts: conflicts.into(),
        down,
    };
    Registrar::with_store(
        RegistrarConfig::unified_cm(NODE),
        Database::new(cluster()),
        verifier(),
        store,
    )
}

fn ask<S: BindingStore>(registrar: &Registrar<S>, text: &str) -> Answer {
    let bytes = text.replace('\n', "\r\n");
    let view = MessageView::parse(bytes.as_bytes(), &Limits::default()).unwrap();
    registrar.handle(&on_premises(), &view, wall(), &mut Seeded::new(1))
}

fn request() -> String {
    register(1, &format!("{}{}", contact_line(), credentials_line(USER)))
}

#[test]
fn a_lost_race_is_run_again() {
    let registrar = registrar_over(3, false);
    let answer = ask(&registrar, &request());
    let at_once = ask(&registrar_over(0, false), &request());
    assert_eq!(answer.observation, at_once.observation);
    assert_eq!(support::response(answer).status.as_u16(), 200);
    assert_eq!(registrar.store().inner.len(), 1);
}

#[test]
fn a_race_lost_for_ever_and_a_store_that_is_down_are_answered_503() {
    for registrar in [registrar_over(u32::MAX, false), registrar_over(0, true)] {
        let answer = ask(&registrar, &request());
        assert_eq!(answer.observation.refusal(), Some(Refusal::Unavailable));
        assert_eq!(answer.observation.method, "REGISTER");
        assert!(answer.observation.device.is_some(), "whose it was is known");
        let response = support::response(answer);
        assert_eq!(response.status.as_u16(), 503);
        assert_eq!(response.headers.get("Retry-After"), Some("30"));
    }
}

#[test]
fn a_store_that_is_asked_in_steps_leads_to_the_same_answer() {
    let registrar = support::registrar();
    let bytes = request().replace('\n', "\r\n");
    let view = MessageView::parse(bytes.as_bytes(), &Limits::default()).unwrap();
    let step = registrar.begin(&on_premises(), &view, wall(), &mut Seeded::new(1));
    let Step::NeedBindings(pending) = step else {
        panic!("decided without bindings")
    };
    assert_eq!(pending.aor(), &AddressOfRecord::of_line("1010"));
    let Proposal::Store { bindings, answer } = pending.decide(&Snapshot::absent()) else {
        panic!("nothing to store")
    };
    assert_eq!(bindings.len(), 1);
    let whole = ask(&registrar, &request());
    assert_eq!(
        support::response(answer).to_bytes(),
        support::response(whole).to_bytes()
    );
}

#[test]
fn of_many_at_once_none_is_lost() {
    let config = RegistrarConfig::rfc8898("example.com", "https://as.example.com");
    let registrar = support::registrar_with(config);
    let token = support::token_of("1010", wall());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (registrar, token) = (&registrar, &token);
            scope.spawn(move || {
                for number in 0..8 {
                    let text = format!(
                        "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/TLS 192.0.2.10;branch=z9hG4bK1\n\
                         From: <sip:1010@example.com>;tag=1\nTo: <sip:1010@example.com>\n\
                         Call-ID: {thread}-{number}\nMax-Forwards: 70\nCSeq: 1 REGISTER\n\
                         Contact: <sip:1010@192.0.2.{thread}:{}>\nAuthorization: Bearer {}\n\
                         Content-Length: 0\n\n",
                        5060 + number,
                        token.expose()
                    );
                    let answer = ask(registrar, &text);
                    assert_eq!(support::response(answer).status.as_u16(), 200);
                }
            });
        }
    });
    let aor = AddressOfRecord::new("1010", "example.com");
    assert_eq!(registrar.store().load(&aor).unwrap().bindings.len(), 32);
}
