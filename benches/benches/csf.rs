//! Device files: from the bytes to the nodes a client tries, beside what others do with the same bytes: the event loop of
//! quick-xml alone, its serde reader with a struct of the same fields, and the tree of roxmltree.

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

/// What decides where a client registers, as a struct for serde.
mod fields {
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(crate) struct Device {
        pub(crate) device_pool: DevicePool,
        #[serde(rename = "sipOAuthMode")]
        pub(crate) sip_oauth_mode: u8,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(crate) struct DevicePool {
        pub(crate) call_manager_group: CallManagerGroup,
    }

    #[derive(Deserialize)]
    pub(crate) struct CallManagerGroup {
        pub(crate) members: Members,
    }

    #[derive(Deserialize)]
    pub(crate) struct Members {
        pub(crate) member: Vec<Member>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(crate) struct Member {
        #[serde(rename = "@priority")]
        pub(crate) priority: u32,
        pub(crate) call_manager: CallManager,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(crate) struct CallManager {
        pub(crate) ports: Ports,
        pub(crate) process_node_name: String,
    }

    #[derive(Deserialize)]
    pub(crate) struct Ports {
        #[serde(rename = "sipOAuthPort")]
        pub(crate) sip_oauth_port: u16,
    }
}

/// The nodes by quick-xml's serde reader, which refuses neither a DOCTYPE nor a second root.
fn by_serde(file: &str) -> Vec<(String, u16)> {
    let device: fields::Device = quick_xml::de::from_str(file).expect("a good file");
    assert_eq!(device.sip_oauth_mode, 1);
    let mut members = device.device_pool.call_manager_group.members.member;
    members.sort_by_key(|member| member.priority);
    members
        .into_iter()
        .map(|member| {
            let node = member.call_manager;
            (node.process_node_name, node.ports.sip_oauth_port)
        })
        .collect()
}

/// The nodes by roxmltree, which refuses a prefix that is not bound: it is given a file without one.
fn by_roxmltree(file: &str) -> Vec<(String, u16)> {
    fn child<'a, 'b>(node: roxmltree::Node<'a, 'b>, name: &str) -> roxmltree::Node<'a, 'b> {
        node.children()
            .find(|child| child.has_tag_name(name))
            .expect("an element of the file")
    }
    let document = roxmltree::Document::parse(file).expect("a good file");
    let device = document.root_element();
    assert_eq!(child(device, "sipOAuthMode").text(), Some("1"));
    let members = ["devicePool", "callManagerGroup", "members"]
        .into_iter()
        .fold(device, child);
    let mut nodes: Vec<_> = members
        .children()
        .filter(|member| member.has_tag_name("member"))
        .map(|member| {
            let priority: u32 = member
                .attribute("priority")
                .and_then(|priority| priority.parse().ok())
                .expect("a number");
            let node = child(member, "callManager");
            let host = child(node, "processNodeName").text().expect("a host");
            let port = child(child(node, "ports"), "sipOAuthPort").text();
            let port = port.and_then(|port| port.parse().ok()).expect("a port");
            (priority, host.to_owned(), port)
        })
        .collect();
    nodes.sort_by_key(|&(priority, ..)| priority);
    nodes
        .into_iter()
        .map(|(_, host, port)| (host, port))
        .collect()
}

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

criterion_group!(benches, read, edit);
criterion_main!(benches);
