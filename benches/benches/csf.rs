//! Device files: from the bytes to the nodes a client tries, beside what others do with the same bytes: the event loop of
//! quick-xml alone, its serde reader with a struct of the same fields, and the tree of roxmltree.

#![expect(clippy::print_stdout, reason = "criterion has no figure for a ratio")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sip_oauth_benches::turns;
use sip_oauth_csf::{DeviceConfig, Limits};

#[path = "../jobs/csf.rs"]
mod jobs;

use jobs::{PUBLISHER, by_roxmltree, by_serde, device_file, event_loop, targets};

fn read(criterion: &mut Criterion) {
    let file = device_file();
    let bytes = file.as_bytes();
    // Of the same length.
    let bound = file.replacen("xsi:type", "xsi_type", 1);
    assert!(
        (12 << 10..20 << 10).contains(&bytes.len()),
        "{} bytes",
        bytes.len()
    );
    let expected = [
        (PUBLISHER.to_owned(), 5090),
        ("ucm2.example.com".to_owned(), 5090),
        ("ucm3.example.com".to_owned(), 5190),
    ];
    let found: Vec<_> = targets(bytes)
        .into_iter()
        .map(|target| (target.host, target.port))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(by_serde(&file), expected);
    assert_eq!(by_roxmltree(&bound), expected);
    assert!(event_loop(bytes) > 200);

    let mut group = criterion.benchmark_group("csf");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("file to registration targets", |bencher| {
        bencher.iter(|| targets(black_box(bytes)));
    });
    group.bench_function("file read", |bencher| {
        bencher.iter(|| DeviceConfig::read(black_box(bytes), &Limits::default()));
    });
    group.bench_function("quick-xml: event loop", |bencher| {
        bencher.iter(|| event_loop(black_box(bytes)));
    });
    group.bench_function("quick-xml: serde, the same fields", |bencher| {
        bencher.iter(|| by_serde(black_box(&file)));
    });
    group.bench_function("roxmltree: tree, the same fields", |bencher| {
        bencher.iter(|| by_roxmltree(black_box(&bound)));
    });
    group.finish();
}

/// A value of the file is changed, every other byte stays.
fn edit(criterion: &mut Criterion) {
    let file = device_file();
    let mut config = DeviceConfig::read(file.as_bytes(), &Limits::default()).expect("a good file");
    config.set_sip_oauth_port(0, 5290).expect("a port");
    let expected = file.replacen("<sipOAuthPort>5090<", "<sipOAuthPort>5290<", 1);
    assert_eq!(config.source(), expected.as_bytes());

    let mut group = criterion.benchmark_group("csf");
    group.throughput(Throughput::Bytes(file.len() as u64));
    let mut port = 5290;
    group.bench_function("one port changed in a file that was read", |bencher| {
        bencher.iter(|| {
            // 5290 and 5291 in turn, so that there is something to change.
            port ^= 1;
            config
                .set_sip_oauth_port(0, black_box(port))
                .expect("a port")
        });
    });
    group.finish();
}

/// The shortest of many times, each in turn with the others: what else the machine does falls on all alike.
fn ratios(_: &mut Criterion) {
    let file = device_file();
    let bytes = file.as_bytes();
    let mut config = DeviceConfig::read(bytes, &Limits::default()).expect("a good file");
    let mut port = 5290;
    let time = |job: &mut dyn FnMut()| {
        let start = Instant::now();
        job();
        start.elapsed()
    };
    let mut shortest = [Duration::MAX; 4];
    for _ in 0..turns(4000) {
        port ^= 1;
        let times = [
            time(&mut || {
                black_box(event_loop(black_box(bytes)));
            }),
            time(&mut || drop(black_box(targets(black_box(bytes))))),
            time(&mut || {
                drop(black_box(DeviceConfig::read(
                    black_box(bytes),
                    &Limits::default(),
                )));
            }),
            time(&mut || drop(black_box(config.set_sip_oauth_port(0, black_box(port))))),
        ];
        for (shortest, time) in shortest.iter_mut().zip(times) {
            *shortest = time.min(*shortest);
        }
    }
    let [events, targets, read, edit] = shortest.map(|time| time.as_secs_f64() * 1e6);
    println!(
        "in turn: event loop {events:.1} us, to targets {targets:.1} us = {:.2}x",
        targets / events
    );
    println!(
        "in turn: read {read:.1} us, edit {edit:.1} us = {:.2}x",
        edit / read
    );
}

criterion_group!(benches, ratios, read, edit);
criterion_main!(benches);
