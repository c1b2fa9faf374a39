//! The published files: every device file is read, comes back unchanged and leads somewhere; every attack is refused.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use sip_oauth_csf::{
    DeviceConfig, Document, EdgeConfig, Limits, Place, ReadErrorKind, TargetError,
};

fn index(folder: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(folder.join("index.json")).expect("the corpus has an index");
    serde_json::from_str(&text).expect("the index is JSON")
}

fn field<'a>(entry: &'a serde_json::Value, name: &str) -> &'a str {
    entry
        .get(name)
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
}

mod cisco {
    use super::*;

    #[test]
    fn every_document_is_read_and_comes_back_byte_for_byte() {
        let Some(folder) = support::corpus("xml/cisco") else {
            return;
        };
        let entries = index(&folder);
        for entry in &entries {
            let bytes = fs::read(folder.join(field(entry, "file"))).unwrap();
            let document = Document::read(&bytes, field(entry, "root"), &Limits::default())
                .unwrap_or_else(|error| panic!("{}: {error}", field(entry, "file")));
            assert_eq!(document.source(), bytes, "{}", field(entry, "file"));
        }
        println!("{} of {} documents unchanged", entries.len(), entries.len());
    }

    #[test]
    fn every_device_file_says_where_it_leads_or_why_nowhere() {
        let Some(folder) = support::corpus("xml/cisco") else {
            return;
        };
        // A template still has its placeholders, and the only finished file names no node.
        let expected = BTreeMap::from([
            ("provisioner/sip78xx--SEP_mac.cnf.xml", "no usable node"),
            ("provisioner/sip79x1G--SEP_mac.cnf.xml", "no usable node"),
            ("provisioner/sip79xx--SEP_mac.cnf.xml", "no node"),
            ("provisioner/sip99xx--SEP_mac.cnf.xml", "placeholder"),
            ("usecallmanager/SEPMAC.cnf.xml", "no usable node"),
        ]);
        let mut found = BTreeMap::new();
        let entries = index(&folder);
        for name in entries
            .iter()
            .filter(|entry| field(entry, "root") == "device")
            .map(|entry| field(entry, "file"))
        {
            let bytes = fs::read(folder.join(name)).unwrap();
            let config = DeviceConfig::read(&bytes, &Limits::default()).unwrap();
            for place in [Place::OnPremises, Place::Mra] {
                let error = config
                    .registration_targets(place)
                    .expect_err("no published file names a real node");
                println!("{name}, {place:?}: {error}");
                let outcome = match &error {
                    TargetError::Value(value) => {
                        assert!(value.position.path.starts_with("/device/"), "{error}");
                        assert!(value.found.starts_with("{$"), "{error}");
                        "placeholder"
                    }
                    TargetError::NoNode => "no node",
                    TargetError::NoUsableNode { .. } => "no usable node",
                    other => panic!("{name}: {other}"),
                };
                found.insert(name, outcome);
            }
            assert!(!config.findings().is_empty(), "{name} has nothing wrong");
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn the_desk_phone_file_leads_to_its_node_once_it_has_one() {
        let Some(folder) = support::corpus("xml/cisco") else {
            return;
        };
        let bytes = fs::read(folder.join("usecallmanager/SEPMAC.cnf.xml")).unwrap();
        let mut config = DeviceConfig::read(&bytes, &Limits::default()).unwrap();
        let path = "devicePool/callManagerGroup/members/member/callManager/processNodeName";
        config.set(path, "cucm1.example.com").unwrap();
        let targets = config.registration_targets(Place::OnPremises).unwrap();
        assert_eq!(
            (targets[0].host.as_str(), targets[0].port),
            ("cucm1.example.com", 5060)
        );
        assert_eq!(
            config.source().len(),
            bytes.len() + "cucm1.example.com".len()
        );
    }
}

mod attacks {
    use super::*;

    #[test]
    fn every_attack_is_refused_in_bounded_time() {
        let Some(folder) = support::corpus("xml/attacks") else {
            return;
        };
        let (mut refused, mut attacks) = (0, 0);
        for entry in index(&folder)
            .iter()
            .filter(|entry| field(entry, "expect") == "reject")
        {
            attacks += 1;
            let bytes = fs::read(folder.join(field(entry, "file"))).unwrap();
            let root = root_name(&bytes);
            let start = Instant::now();
            // As a device file, and as a document of whatever root it has: the name must not be what saves us.
            assert!(
                DeviceConfig::read(&bytes, &Limits::default()).is_err(),
                "{}",
                field(entry, "file")
            );
            let result = Document::read(&bytes, &root, &Limits::default());
            assert!(
                start.elapsed() < Duration::from_secs(1),
                "{}",
                field(entry, "file")
            );
            match result {
                Err(error) => {
                    println!("{}: {error}", field(entry, "file"));
                    refused += 1;
                }
                // Plain XML once its root is expected: the attack is text in a CDATA section, and stays text.
                Ok(document) => assert!(
                    bytes.windows(9).any(|part| part == b"<![CDATA["),
                    "{document:?}"
                ),
            }
        }
        println!(
            "{refused} of {attacks} attacks refused under their own root, all as device files"
        );
    }

    /// No attack reaches a file or a host, because nothing here can.
    #[test]
    fn the_crate_names_neither_files_nor_sockets_nor_processes() {
        let mut read = 0;
        for file in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap() {
            let path = file.unwrap().path();
            let source = fs::read_to_string(&path).unwrap();
            let word = names_a_resource(&source);
            assert_eq!(word, None, "{}", path.display());
            read += 1;
        }
        assert!(read > 20, "{read} files");
    }

    /// The first word of a source, comments aside, by which files, sockets or processes are reached, however it is imported.
    fn names_a_resource(source: &str) -> Option<&str> {
        const WORDS: [&str; 4] = ["fs", "process", "env", "os"];
        const PARTS: [&str; 3] = ["Stream", "Socket", "Listener"];
        let code = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let mut words =
            code.flat_map(|line| line.split(|c: char| !(c.is_alphanumeric() || c == '_')));
        words.find(|word| WORDS.contains(word) || PARTS.iter().any(|part| word.contains(part)))
    }

    #[test]
    fn a_file_or_socket_is_found_however_it_is_imported() {
        for (source, word) in [
            ("use std::{fs, io};", Some("fs")),
            ("use std::fs::File;", Some("fs")),
            ("    std::net::TcpStream::connect(x)", Some("TcpStream")),
            ("use std::net::{IpAddr, UdpSocket};", Some("UdpSocket")),
            (
                "/// No fs here.\nlet offsets = node.process_node_name();",
                None,
            ),
        ] {
            assert_eq!(names_a_resource(source), word, "{source}");
        }
    }

    #[test]
    fn a_reference_in_plain_xml_is_not_followed_and_the_harmless_control_is_read() {
        let Some(folder) = support::corpus("xml/attacks") else {
            return;
        };
        for entry in index(&folder)
            .iter()
            .filter(|entry| field(entry, "expect") != "reject")
        {
            let bytes = fs::read(folder.join(field(entry, "file"))).unwrap();
            let document = Document::read(&bytes, &root_name(&bytes), &Limits::default()).unwrap();
            assert_eq!(document.source(), bytes);
            let error = DeviceConfig::read(&bytes, &Limits::default()).unwrap_err();
            assert!(
                matches!(error.kind(), ReadErrorKind::WrongRoot { .. }),
                "{error}"
            );
        }
    }

    /// The first name after `<` that begins with a letter.
    fn root_name(bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        let tag = text
            .split('<')
            .skip(1)
            .find(|part| part.starts_with(|c: char| c.is_ascii_alphabetic()))
            .unwrap_or("none");
        tag.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))
            .next()
            .unwrap_or("none")
            .to_owned()
    }
}

mod wire {
    use super::*;

    #[test]
    fn the_published_bootstrap_document_leads_to_its_edge() {
        let Some(folder) = support::corpus("../wire") else {
            return;
        };
        let bytes = fs::read(folder.join("24-get-edge-config-response.txt")).unwrap();
        let edge = EdgeConfig::read(&bytes, &Limits::default()).unwrap();
        let servers = edge.sip_edge_servers().unwrap();
        assert_eq!(
            (&*servers[0].address.value, servers[0].port.value),
            ("expe.domain.com", 5061)
        );
        assert_eq!(edge.uds_servers().unwrap()[0].port.value, 8443);
        assert!(edge.tftp_servers().is_empty());
        assert!(edge.user_uds_servers().unwrap().is_empty());
        assert_eq!(
            edge.route().unwrap().value,
            "<sip:192.168.2.100:5061;transport=tls;zone-id=3;directed;lr>"
        );
    }

    #[test]
    fn the_published_excerpt_is_refused_as_the_fragment_it_is() {
        let Some(folder) = support::corpus("../wire") else {
            return;
        };
        let bytes = fs::read(folder.join("21-csf-oauth-config-excerpt.215572.txt")).unwrap();
        let error = DeviceConfig::read(&bytes, &Limits::default()).unwrap_err();
        assert!(
            matches!(error.kind(), ReadErrorKind::NotWellFormed { .. }),
            "{error}"
        );
    }
}
