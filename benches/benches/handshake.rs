//! What our verifiers cost beside those of rustls and webpki alone: chain and name, whole handshakes in memory, and
//! handshakes while the store is replaced under them.
//!
//! ```sh
//! cargo bench -p sip-oauth-benches --bench handshake
//! ```
//!
//! The jobs that are compared take turns, and the shortest time of each counts: what else the machine does falls on all of
//! them alike.
#![expect(
    clippy::print_stdout,
    reason = "the tables are what the program is for"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sip_oauth_benches::turns;
use sip_oauth_trust::rustls::client::danger::ServerCertVerifier;
use sip_oauth_trust::rustls::pki_types::{ServerName, UnixTime};
use sip_oauth_trust::rustls::server::danger::ClientCertVerifier;
use sip_oauth_trust::rustls::{ClientConfig, ServerConfig, SupportedProtocolVersion, version};

#[path = "../jobs/handshake.rs"]
mod jobs;

use jobs::{Cast, Key, NODE, connect};

fn main() {
    chain_and_name();
    handshakes();
    replacement();
}

/// The shortest and the median time of each job, in turn with the others.
fn in_turn<const N: usize>(rounds: usize, mut jobs: [&mut dyn FnMut(); N]) -> [[f64; 2]; N] {
    let mut times = [const { Vec::new() }; N];
    for round in 0..rounds {
        // Nobody is always the first, whose caches another has filled.
        for turn in 0..N {
            let at = (round + turn) % N;
            if let (Some(job), Some(times)) = (jobs.get_mut(at), times.get_mut(at)) {
                let start = Instant::now();
                job();
                times.push(start.elapsed());
            }
        }
    }
    times.map(|mut times: Vec<Duration>| {
        times.sort_unstable();
        let micros = |at: usize| times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e6);
        [micros(0), micros(times.len() / 2)]
    })
}

fn row(name: &str, own: [f64; 2], ours: [f64; 2]) {
    let [own, own_median] = own;
    let [ours, ours_median] = ours;
    println!(
        "| {name} | {own:.1} | {ours:.1} | {:.3} | {:.3} |",
        ours / own,
        ours_median / own_median
    );
}

fn chain_and_name() {
    println!(
        "\nchain and name, in microseconds: the shortest of each, and the ratio of shortest and of medians\n"
    );
    println!("| | bare | ours | shortest | median |\n|---|--:|--:|--:|--:|");
    let now = UnixTime::now();
    let name = ServerName::try_from(NODE).expect("a name");
    for (title, key, depth) in [
        ("P-256, signed by the anchor", Key::P256, 0),
        ("P-256, one intermediate", Key::P256, 1),
        ("RSA 2048, signed by the anchor", Key::Rsa, 0),
        ("RSA 2048, one intermediate", Key::Rsa, 1),
    ] {
        let cast = Cast::new(key, depth);
        let (end_entity, intermediates) = cast.node_chain.split_first().expect("a chain");
        let verifier = cast.server_verifier();
        let ours = || verifier.verify_server_cert(end_entity, intermediates, &name, &[], now);
        let bare = || cast.bare_webpki(&cast.roots_of_edge, &cast.node_chain, Some(&name), now);
        let stranger = ServerName::try_from("cucm2.example.com").expect("a name");
        assert!(ours().is_ok() && bare().is_ok());
        assert!(
            cast.bare_webpki(&cast.roots_of_edge, &cast.node_chain, Some(&stranger), now)
                .is_err()
        );
        assert!(
            verifier
                .verify_server_cert(end_entity, intermediates, &stranger, &[], now)
                .is_err()
        );
        let [bare, ours] = in_turn(
            turns(4_000),
            [&mut || assert!(black_box(bare()).is_ok()), &mut || {
                assert!(black_box(ours()).is_ok());
            }],
        );
        row(&format!("server, {title}"), bare, ours);

        let (end_entity, intermediates) = cast.edge_chain.split_first().expect("a chain");
        let verifier = cast.client_verifier();
        let ours = || verifier.verify_client_cert(end_entity, intermediates, now);
        let bare = || cast.bare_webpki(&cast.roots_of_node, &cast.edge_chain, None, now);
        assert!(ours().is_ok() && bare().is_ok());
        let [bare, ours] = in_turn(
            turns(4_000),
            [&mut || assert!(black_box(bare()).is_ok()), &mut || {
                assert!(black_box(ours()).is_ok());
            }],
        );
        row(
            &format!("client and table of 1,000 rows, {title}"),
            bare,
            ours,
        );
    }
}

fn handshakes() {
    println!("\nwhole handshakes of both ends, in microseconds\n");
    println!("| | rustls | ours | shortest | median |\n|---|--:|--:|--:|--:|");
    for (key, key_name) in [(Key::P256, "P-256"), (Key::Rsa, "RSA 2048")] {
        let cast = Cast::new(key, 0);
        for (version, version_name) in [(&version::TLS12, "TLS 1.2"), (&version::TLS13, "TLS 1.3")]
        {
            for (mutual, who) in [(false, "server shows a certificate"), (true, "mutual")] {
                let rustls = cast.by_rustls(version, mutual);
                let ours = cast.ours(version, mutual);
                check(&cast, version, mutual, &rustls, &ours);
                let [own, ours] =
                    in_turn(turns(1_500), [&mut || play(&rustls), &mut || play(&ours)]);
                row(&format!("{version_name}, {key_name}, {who}"), own, ours);
            }
        }
    }
}

type Pair = (Arc<ClientConfig>, Arc<ServerConfig>);

fn play((client, server): &Pair) {
    connect(client, server, NODE).expect("a handshake");
}

/// Both verify: neither takes a server or a client that the other end's store does not know.
fn check(
    cast: &Cast,
    version: &'static SupportedProtocolVersion,
    mutual: bool,
    rustls: &Pair,
    ours: &Pair,
) {
    let strangers = Cast::new(Key::P256, 0);
    for (client, server) in [rustls, ours] {
        let connection = connect(client, server, NODE).expect("a handshake");
        assert_eq!(connection.client.protocol_version(), Some(version.version));
        assert_eq!(connection.server.peer_certificates().is_some(), mutual);
        assert!(connect(client, server, "cucm2.example.com").is_err());
        let (_, stranger) = strangers.ours(version, false);
        assert!(connect(client, &stranger, NODE).is_err());
        if mutual {
            let stranger = strangers.client_for(version, cast);
            assert!(connect(&stranger, server, NODE).is_err());
        }
    }
}

/// Mutual handshakes, with the store left alone and with another thread that replaces it all the time, in turn.
fn replacement() {
    println!("\nmutual TLS 1.3 handshakes, in microseconds, while another thread works\n");
    println!(
        "| the other thread | median | of 1,000 one is longer | longest | replaced |\n|---|--:|--:|--:|--:|"
    );
    let cast = Cast::new(Key::P256, 0);
    let live = cast.live_server(&version::TLS13);
    let client = cast.ours(&version::TLS13, true).0;
    let is_replacing = AtomicBool::new(false);
    let is_over = AtomicBool::new(false);
    let replaced = AtomicU64::new(0);
    let mut times: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The same work in both cases: a store of 100 anchors is made, and put in place or thrown away.
            while !is_over.load(Ordering::Relaxed) {
                let store = cast.store_of_node_among(100);
                if is_replacing.load(Ordering::Relaxed) {
                    live.replace(store);
                    replaced.fetch_add(1, Ordering::Relaxed);
                } else {
                    drop(black_box(store));
                }
            }
        });
        for round in 0..turns(40) {
            let replacing = round % 2 == 1;
            is_replacing.store(replacing, Ordering::Relaxed);
            for _ in 0..250 {
                let start = Instant::now();
                let server = live.configs.mra_oauth();
                connect(&client, &server, NODE).expect("a handshake");
                if let Some(times) = times.get_mut(usize::from(replacing)) {
                    times.push(start.elapsed());
                }
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let replaced = replaced.into_inner();
    assert!(replaced > 0, "nothing was replaced");
    for ((name, replaced), mut times) in [
        ("makes stores and throws them away", 0),
        ("replaces the store", replaced),
    ]
    .into_iter()
    .zip(times)
    {
        times.sort_unstable();
        let micros = |at: usize| times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e6);
        println!(
            "| {name} | {:.0} | {:.0} | {:.0} | {replaced} |",
            micros(times.len() / 2),
            micros(times.len() - times.len() / 1000 - 1),
            micros(times.len() - 1),
        );
    }
}
