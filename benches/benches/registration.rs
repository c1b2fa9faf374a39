//! A registrar's decision without sockets: parse, judge with the verdict in the cache, store, write the answer.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sip_oauth_message::{Limits, MessageView};
use sip_oauth_registration::Seeded;
use sip_oauth_registration::registrar::{
    Arrival, Cluster, Database, Decision, DeviceLine, DeviceRecord, Listener, Node, NodePorts,
    Registrar, RegistrarConfig, SecurityProfile, SipOAuthMode,
};
use sip_oauth_token::Verifier;
use sip_oauth_token::issue::AuthorizationServer;

const NODE: &str = "ucm1.example.com";

/// A registrar that knows so many devices, and a token for the owner of all of them.
fn registrar(devices: usize, now: SystemTime) -> (Registrar, String) {
    let server =
        AuthorizationServer::new("5d0c7e2a-94b1-4f38-8a67-c1e3f0b2d495").expect("new keys");
    let mut cluster = Cluster::new();
    cluster
        .add_node(Node::new(NODE, NodePorts::default()))
        .expect("the first node");
    cluster.set_refresh_login_flow(true);
    cluster
        .set_sip_oauth_mode(SipOAuthMode::Enabled)
        .expect("refresh login flow is on");
    cluster.restart(NODE).expect("the node exists");
    cluster
        .put_profile(SecurityProfile::oauth("oauth"))
        .expect("a valid profile");
    for device in 0..devices {
        let lines = [DeviceLine::new(&format!("{}", 100_000 + device))];
        cluster
            .put_device(DeviceRecord::csf(
                &format!("CSF{device:06}"),
                "oauth",
                "anna",
                lines,
            ))
            .expect("the profile exists");
    }
    let issued = server
        .issue_access("anna", "C0ffee", &["UnifiedCommunications:readwrite"], now)
        .expect("a token");
    let verifier = Verifier::new(server.key_set(), server.policy()).with_cache(1024);
    let config = RegistrarConfig::unified_cm(NODE);
    let registrar = Registrar::new(config, Database::new(cluster), Arc::new(verifier));
    (registrar, issued.token.expose().to_owned())
}

/// A REGISTER as Jabber writes it, with or without the token.
fn request(device: usize, cseq: u32, token: Option<&str>) -> Vec<u8> {
    let line = 100_000 + device;
    let body = sip_oauth_message::remotecc::RegisterBody::JABBER.encode();
    let credentials = token.map_or(String::new(), |token| {
        format!("Proxy-Authorization: Bearer token=\"{token}\"\r\n")
    });
    let mut bytes = format!(
        "REGISTER sip:{NODE} SIP/2.0\r\n\
         Via: SIP/2.0/TLS 192.0.2.10:62162;branch=z9hG4bK{cseq:08x}\r\n\
         From: <sip:{line}@{NODE}>;tag=005056aabbcc0d1a00004c5d-00006e7f\r\n\
         To: <sip:{line}@{NODE}>\r\n\
         Call-ID: 005056aa-bbcc{device:04x}-00002d1c-00001ebd@192.0.2.10\r\n\
         Max-Forwards: 70\r\n\
         Date: Mon, 30 Mar 2020 11:03:19 GMT\r\n\
         CSeq: {cseq} REGISTER\r\n\
         User-Agent: Cisco-CSF\r\n\
         Contact: <sip:a1b2c3d4-0000-4000-8000-{device:012x}@192.0.2.10:62162;transport=tls>\
         ;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-{device:012x}>\"\
         ;+u.sip!devicename.ccm.cisco.com=\"CSF{device:06}\";+u.sip!model.ccm.cisco.com=\"503\";video\r\n\
         {credentials}\
         Supported: replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,X-cisco-callinfo,\
         X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,X-cisco-srtp-fallback,X-cisco-monrec,\
         X-cisco-config,X-cisco-sis-7.0.0,X-cisco-xsi-8.5.1,X-cisco-graceful-reg,X-cisco-duplicate-reg\r\n\
         Expires: 3600\r\n\
         Content-Type: {}\r\n\
         Mime-Version: 1.0\r\n\
         Content-Length: {}\r\n\r\n",
        sip_oauth_message::remotecc::REGISTER_CONTENT_TYPE,
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(&body);
    bytes
}

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
    let (registrar, token) = registrar(DEVICES, now);
    let peer: SocketAddr = ([192, 0, 2, 10], 62162).into();
    let arrival = Arrival::new(Listener::SipOAuth, 5090, peer);
    let mut out = Vec::new();
    // Every device is registered, and the answers are the right ones.
    for device in 0..DEVICES {
        let challenged = decide(
            &registrar,
            &arrival,
            &request(device, 1, None),
            now,
            &mut out,
        );
        assert!(matches!(challenged, Decision::Refused(_)));
        assert!(out.starts_with(b"SIP/2.0 407 "));
        let bytes = request(device, 2, Some(&token));
        let registered = decide(&registrar, &arrival, &bytes, now, &mut out);
        assert!(matches!(registered, Decision::Registered { .. }));
        assert!(out.starts_with(b"SIP/2.0 200 "));
    }
    let length = request(0, 3, Some(&token)).len() as u64;
    let mut cseq = 2;
    let mut next = |token: Option<&str>| {
        cseq += 1;
        request((cseq as usize).wrapping_mul(7919) % DEVICES, cseq, token)
    };
    let mut group = criterion.benchmark_group("registration/decision, 10,000 devices bound");
    group.throughput(Throughput::Bytes(length));
    group.bench_function("refresh, verdict cached: 200", |bencher| {
        bencher.iter_batched(
            || next(Some(&token)),
            |bytes| {
                let decided = decide(&registrar, &arrival, black_box(&bytes), now, &mut out);
                assert!(matches!(decided, Decision::Refreshed { .. }));
            },
            BatchSize::SmallInput,
        );
    });
    group.bench_function("without token: 407", |bencher| {
        bencher.iter_batched(
            || next(None),
            |bytes| {
                let decided = decide(&registrar, &arrival, black_box(&bytes), now, &mut out);
                assert!(matches!(decided, Decision::Refused(_)));
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, decision);
criterion_main!(benches);
