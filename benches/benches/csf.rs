//! Device files: from the bytes to the nodes a client tries, beside the event loop of quick-xml alone.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quick_xml::Reader;
use quick_xml::events::Event;
use sip_oauth_csf::{
    DeviceConfig, DeviceFile, Limits, LineSettings, Member, Place, RegistrationTarget, Setting,
};

const PUBLISHER: &str = "ucm1.example.com";

/// A file as a cluster with three nodes hands it to a device with two lines, the vendor levels filled.
fn device_file() -> String {
    let settings = |level: &str, count: usize| -> Vec<Setting> {
        let setting = |number| Setting {
            name: format!("{level}Setting{number}"),
            value: format!("{}", number % 3),
        };
        (0..count).map(setting).collect()
    };
    let name = "CSFANNA".parse().expect("a device name");
    let file = DeviceFile::builder(name, "0c9b7e51-63fa-4d28-b1c5-8e7a2f40d936")
        .node(Member::new(PUBLISHER))
        .node(Member::new("ucm2.example.com"))
        .node(Member::new("ucm3.example.com").oauth_ports(5190, 5191))
        .line(LineSettings::new("2001"))
        .line(LineSettings::new("2002"))
        .with(|device| {
            device.vendor_config = settings("vendor", 60);
            device.common_config = settings("common", 60);
            device.enterprise_config = settings("enterprise", 60);
        })
        .sip_oauth();
    file.to_xml().expect("a file")
}

fn targets(bytes: &[u8]) -> Vec<RegistrationTarget> {
    let config = DeviceConfig::read(bytes, &Limits::default()).expect("a good file");
    config
        .registration_targets(Place::OnPremises)
        .expect("three nodes")
}

/// Goes over the same bytes and remembers nothing. Gives the number of elements.
fn event_loop(bytes: &[u8]) -> usize {
    let mut reader = Reader::from_str(std::str::from_utf8(bytes).expect("UTF-8"));
    let mut elements = 0;
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(_) | Event::Empty(_) => elements += 1,
            Event::Eof => return elements,
            _ => {}
        }
    }
}

fn read(criterion: &mut Criterion) {
    let file = device_file();
    let bytes = file.as_bytes();
    assert!(
        (12 << 10..20 << 10).contains(&bytes.len()),
        "{} bytes",
        bytes.len()
    );
    let found = targets(bytes);
    let found: Vec<_> = found
        .iter()
        .map(|target| (target.host.as_str(), target.port))
        .collect();
    let expected = [
        (PUBLISHER, 5090),
        ("ucm2.example.com", 5090),
        ("ucm3.example.com", 5190),
    ];
    assert_eq!(found, expected);
    assert!(event_loop(bytes) > 200);

    let mut group = criterion.benchmark_group("csf");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("file to registration targets", |bencher| {
        bencher.iter(|| targets(black_box(bytes)));
    });
    group.bench_function("quick-xml: event loop", |bencher| {
        bencher.iter(|| event_loop(black_box(bytes)));
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

criterion_group!(benches, read, edit);
criterion_main!(benches);
