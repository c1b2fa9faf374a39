//! A registrar's decision without sockets: parse, judge with the verdict in the cache, store, write the answer.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sip_oauth_message::{Limits, MessageView};
use sip_oauth_registration::Seeded;
use sip_oauth_registration::registrar::{Arrival, Decision, Listener, NodePorts, Registrar};
use sip_oauth_token::Verifier;
use sip_oauth_token::issue::AuthorizationServer;

#[path = "../common/registrar.rs"]
mod common;
use common::request;

/// The whole decision, from bytes to bytes.
fn decide(
    registrar: &Registrar,
    arrival: &Arrival,
    bytes: &[u8],
    now: SystemTime,
    out: &mut Vec<u8>,
) -> Decision {
    let view = MessageView::parse(bytes, &Limits::default()).expect("a message");
    let answer = registrar.handle(arrival, &view, now, &mut Seeded::new(7));
    out.clear();
    answer.response.expect("an answer").encode(out);
    answer.observation.decision
}

fn decision(criterion: &mut Criterion) {
    const DEVICES: usize = 10_000;
    let now = SystemTime::now();
    let server =
        AuthorizationServer::new("5d0c7e2a-94b1-4f38-8a67-c1e3f0b2d495").expect("new keys");
    let verifier = Verifier::new(server.key_set(), server.policy()).with_cache(1024);
    let registrar = common::registrar(NodePorts::default(), DEVICES, verifier).expect("a cluster");
    let token = common::token(&server, now).expect("a token");
    let peer: SocketAddr = ([192, 0, 2, 10], 62162).into();
    let arrival = Arrival::new(Listener::SipOAuth, 5090, peer);
    let mut out = Vec::new();
    // Every device is registered, and the answers are the right ones.
    for device in 0..DEVICES {
        let challenged = decide(
            &registrar,
            &arrival,
            &request(device, (0, 1), None),
            now,
            &mut out,
        );
        assert!(matches!(challenged, Decision::Refused(_)));
        assert!(out.starts_with(b"SIP/2.0 407 "));
        let bytes = request(device, (0, 2), Some(&token));
        let registered = decide(&registrar, &arrival, &bytes, now, &mut out);
        assert!(matches!(registered, Decision::Registered { .. }));
        assert!(out.starts_with(b"SIP/2.0 200 "));
    }
    // As much later as requests come at half a thousand a second, so that each refresh moves the end of its binding.
    let mut clock = now;
    let mut later = || {
        clock += Duration::from_millis(2);
        clock
    };
    let length = request(0, (0, 3), Some(&token)).len() as u64;
    let mut cseq = 2;
    let mut next = |token: Option<&str>| {
        cseq += 1;
        let device = (cseq as usize).wrapping_mul(7919) % DEVICES;
        request(device, (0, cseq), token)
    };
    let mut group = criterion.benchmark_group("registration/decision, 10,000 devices bound");
    group.throughput(Throughput::Bytes(length));
    group.bench_function("refresh, verdict cached: 200", |bencher| {
        bencher.iter_batched(
            || next(Some(&token)),
            |bytes| {
                let decided = decide(&registrar, &arrival, black_box(&bytes), later(), &mut out);
                assert!(matches!(decided, Decision::Refreshed { .. }));
            },
            BatchSize::SmallInput,
        );
    });
    group.bench_function("without token: 407", |bencher| {
        bencher.iter_batched(
            || next(None),
            |bytes| {
                let decided = decide(&registrar, &arrival, black_box(&bytes), later(), &mut out);
                assert!(matches!(decided, Decision::Refused(_)));
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, decision);
criterion_main!(benches);
