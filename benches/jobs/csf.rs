//! What is done with a device file, by this crate and by others: shared by the bench and the program that counts
//! instructions.

use quick_xml::Reader;
use quick_xml::events::Event;
use sip_oauth_csf::{
    DeviceConfig, DeviceFile, Limits, LineSettings, Member, Place, RegistrationTarget, Setting,
};

pub(crate) const PUBLISHER: &str = "ucm1.example.com";

/// A file as a cluster with three nodes hands it to a device with two lines, the vendor levels filled.
pub(crate) fn device_file() -> String {
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

pub(crate) fn targets(bytes: &[u8]) -> Vec<RegistrationTarget> {
    let config = DeviceConfig::read(bytes, &Limits::default()).expect("a good file");
    config
        .registration_targets(Place::OnPremises)
        .expect("three nodes")
}

/// Goes over the same bytes and remembers nothing. Gives the number of elements.
pub(crate) fn event_loop(bytes: &[u8]) -> usize {
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
pub(crate) fn by_serde(file: &str) -> Vec<(String, u16)> {
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
pub(crate) fn by_roxmltree(file: &str) -> Vec<(String, u16)> {
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
