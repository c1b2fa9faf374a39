//! sipp in the part of Unified CM, behind a TLS tunnel, and our client.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sip_oauth_registration::client::{
    ClientConfig, ClientState, ConnectionFailure, Device, Event, Instance, Line, Target, Transport,
};
use sip_oauth_token::AccessToken;
use sip_oauth_tokio::{
    ClientEvents, ClientHandle, FixedToken, ObtainedToken, RegistrationClient, TokenSource,
    token_fn,
};

use tokio::task::JoinSet;

use crate::{
    patient,
    program::{Folder, Program, all_installed, free_port},
    support::{CONTACT, Estate, NODE, device_at, registration, soon},
    tunnel::Tunnel,
};

/// A node that is played: sipp behind its tunnel. The estate gives certificates, tokens and the clock; its registrar rests.
struct Stage {
    sipp: Program,
    tunnel: Tunnel,
    estate: Estate,
    _folder: Folder,
}

impl Stage {
    /// `None` where a program is missing.
    async fn set(scenario: &str) -> Option<Self> {
        Self::set_for(scenario, 1).await
    }

    /// The same for so many devices.
    async fn set_for(scenario: &str, devices: usize) -> Option<Self> {
        if !all_installed(&[("sipp", "sip-tester"), ("stunnel", "stunnel4")]) {
            return None;
        }
        let (estate, folder) = (Estate::new(), Folder::new());
        let port = free_port();
        let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/sipp");
        let mut command = Command::new("sipp");
        command
            .args(["-sf", &format!("{scenarios}/{scenario}.xml")])
            .args(["-i", "127.0.0.1", "-p", &port.to_string(), "-t", "t1"])
            .args(["-m", &devices.to_string(), "-nostdin", "-trace_err"])
            .args(["-recv_timeout", "30000", "-timeout", "500s"])
            .arg("-timeout_error")
            .current_dir(folder.path());
        let sipp = Program::start(&mut command);
        sipp.listens(port).await;
        let own = estate.authority.issue_pem(NODE);
        let tunnel = Tunnel::from_tls(&folder, port, &own).await;
        Some(Self {
            sipp,
            tunnel,
            estate,
            _folder: folder,
        })
    }

    fn client(&self) -> (ClientHandle, ClientEvents) {
        self.client_with(Arc::new(FixedToken::new(self.estate.token())))
    }

    fn client_with(&self, tokens: Arc<dyn TokenSource>) -> (ClientHandle, ClientEvents) {
        let target = Target::new(NODE, self.tunnel.port, Transport::Tls);
        RegistrationClient::new(
            device_at(vec![target]),
            self.estate.connector().with_timeouts(patient()),
            tokens,
        )
        .start()
    }

    /// One of many devices comes and goes.
    async fn device(&self, number: usize) {
        let name = format!("CSF{number:05}");
        let device = Device::csf(&name, Instance::new(&format!("{number:012x}")).unwrap());
        let line = Line::new(&format!("2{number:05}"), CONTACT);
        let target = Target::new(NODE, self.tunnel.port, Transport::Tls);
        let token = AccessToken::parse(&format!("token-of-{name}")).unwrap();
        let (handle, mut events) = RegistrationClient::new(
            ClientConfig::unified_cm(device, line, vec![target]),
            self.estate.connector().with_timeouts(patient()),
            Arc::new(FixedToken::new(ObtainedToken::new(token))),
        )
        .start();
        let event = registration(&mut events).await;
        assert!(matches!(event, Event::Registered(_)), "{name}: {event:?}");
        handle.stop();
        let event = registration(&mut events).await;
        assert_eq!(event, Event::Deregistered { confirmed: true }, "{name}");
        soon(handle.stopped()).await;
    }

    /// sipp must have got all it waited for, in the form it asked for.
    async fn ends_well(self) {
        let (status, said) = self.sipp.ends().await;
        assert!(status.success(), "{status}:\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_client_registers_refreshes_and_unregisters() {
    let Some(stage) = Stage::set("unified_cm").await else {
        return;
    };
    let (handle, mut events) = stage.client();
    let Event::Registered(grant) = registration(&mut events).await else {
        panic!("not registered");
    };
    assert_eq!(grant.node, NODE);
    assert_eq!(grant.granted, Duration::from_secs(120));
    assert!(grant.new_registration);

    stage.estate.clock.advance(Duration::from_secs(115));
    let event = registration(&mut events).await;
    let Event::Refreshed(grant) = event else {
        panic!("not refreshed: {event:?}");
    };
    assert!(!grant.new_registration);

    handle.stop();
    let event = registration(&mut events).await;
    assert_eq!(event, Event::Deregistered { confirmed: true });
    soon(handle.stopped()).await;
    stage.ends_well().await;
}

/// "a new token after a refusal, never the same one twice": sipp checks which one comes.
#[tokio::test(flavor = "multi_thread")]
async fn our_client_answers_a_refused_token_with_another_one() {
    let Some(stage) = Stage::set("unified_cm_refused_token").await else {
        return;
    };
    let tokens = token_fn(|request| async move {
        let text = if request.is_rejected() {
            "second"
        } else {
            "first"
        };
        Ok(ObtainedToken::new(AccessToken::parse(text).unwrap()))
    });
    let (handle, mut events) = stage.client_with(Arc::new(tokens));
    let event = registration(&mut events).await;
    assert!(matches!(event, Event::Registered(_)), "{event:?}");
    handle.stop();
    let event = registration(&mut events).await;
    assert_eq!(event, Event::Deregistered { confirmed: true });
    soon(handle.stopped()).await;
    stage.ends_well().await;
}

/// A token that holds at first and expires in mid-lease: the node challenges the refresh, and the lease goes on with another.
#[tokio::test(flavor = "multi_thread")]
async fn our_client_refreshes_with_another_token_when_its_own_has_expired() {
    let Some(stage) = Stage::set("unified_cm_expired_token").await else {
        return;
    };
    let tokens = token_fn(|request| async move {
        let text = if request.is_rejected() {
            "second"
        } else {
            "first"
        };
        Ok(ObtainedToken::new(AccessToken::parse(text).unwrap()))
    });
    let (handle, mut events) = stage.client_with(Arc::new(tokens));
    let event = registration(&mut events).await;
    assert!(matches!(event, Event::Registered(_)), "{event:?}");
    stage.estate.clock.advance(Duration::from_secs(115));
    let event = registration(&mut events).await;
    assert!(matches!(event, Event::Refreshed(_)), "{event:?}");
    handle.stop();
    let event = registration(&mut events).await;
    assert_eq!(event, Event::Deregistered { confirmed: true });
    soon(handle.stopped()).await;
    stage.ends_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_client_registers_with_a_token_of_2_kb() {
    let Some(stage) = Stage::set("unified_cm_long_token").await else {
        return;
    };
    let scope = "a".repeat(700);
    let now = stage.estate.clock.system_now();
    let issued = stage
        .estate
        .tokens
        .issue_access("jdoe", "C0ffee", &[&scope], now)
        .unwrap();
    let length = issued.token.expose().len();
    assert!(length > 2048, "{length}");
    let tokens = FixedToken::new(ObtainedToken::new(issued.token));
    let (handle, mut events) = stage.client_with(Arc::new(tokens));
    let event = registration(&mut events).await;
    assert!(matches!(event, Event::Registered(_)), "{event:?}");
    handle.stop();
    let event = registration(&mut events).await;
    assert_eq!(event, Event::Deregistered { confirmed: true });
    soon(handle.stopped()).await;
    stage.ends_well().await;
}

/// Each has a token of its own, in which sipp looks for the name of the device, and a TLS connection of its own.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_of_our_clients_register_and_unregister() {
    const DEVICES: usize = 2_000;
    // A device takes a connection of each of three programs, some of which may open 1,024 files.
    const AT_ONCE: usize = 100;
    let Some(stage) = Stage::set_for("unified_cm_devices", DEVICES).await else {
        return;
    };
    let stage = Arc::new(stage);
    let numbers = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (stage, numbers) = (Arc::clone(&stage), Arc::clone(&numbers));
        tasks.spawn(async move {
            loop {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                if number >= DEVICES {
                    return;
                }
                stage.device(number).await;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    Arc::into_inner(stage).unwrap().ends_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_client_is_told_that_it_came_to_the_wrong_port() {
    let Some(stage) = Stage::set("unified_cm_port_mismatch").await else {
        return;
    };
    let (handle, mut events) = stage.client();
    let event = registration(&mut events).await;
    let Event::Refused(refused) = event else {
        panic!("not refused: {event:?}");
    };
    assert_eq!(refused.status, 403);
    let warning = Some("SIP OAuth Registration port Mismatch");
    assert_eq!(refused.warning.as_deref(), warning);
    assert_eq!(refused.retry_after, Some(Duration::from_secs(35)));
    assert_eq!(handle.state(), ClientState::Refused);
    handle.stop();
    soon(handle.stopped()).await;
    stage.ends_well().await;
}

/// What is no answer ends the connection, and is told; nothing is taken for a registration.
#[tokio::test(flavor = "multi_thread")]
async fn our_client_is_told_of_an_answer_that_cannot_be_read() {
    let Some(stage) = Stage::set("unified_cm_malformed").await else {
        return;
    };
    let (handle, mut events) = stage.client();
    let event = registration(&mut events).await;
    let Event::AllNodesFailed { causes, .. } = event else {
        panic!("not failed: {event:?}");
    };
    let [(node, ConnectionFailure::Protocol(why))] = causes.as_slice() else {
        panic!("{causes:?}");
    };
    assert_eq!(node, NODE);
    assert!(why.contains("CSeq"), "{why}");
    assert_eq!(handle.state(), ClientState::Failed);
    handle.stop();
    soon(handle.stopped()).await;
    stage.ends_well().await;
}
