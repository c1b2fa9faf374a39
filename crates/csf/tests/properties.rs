//! Promises that hold for any input.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use sip_oauth_csf::{
    Capf, CapfAuthMode, Device, DeviceConfig, DeviceSecurityMode, Document, Element, Gateway,
    Limits, LineSettings, Member, NodePorts, PhoneServiceEntry, PhoneServiceKind,
    PhoneServiceProvisioning, Place, Rule, Setting, SipOauthMode, StackSettings,
    TransportLayerProtocol,
};

/// Text that XML can hold, markup and line ends included.
fn text() -> impl Strategy<Value = String> {
    "[ -~\\t\\r\\n\u{e4}\u{20ac}\u{1f600}]{0,12}"
}

/// Text without white space around it, as names, hosts and stamps are.
fn word() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.trim().to_owned())
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z_][A-Za-z0-9_.-]{0,12}"
}

fn member() -> impl Strategy<Value = Member> {
    let ports = (1u16.., 1u16.., 1u16.., 1u16.., 1u16.., 1u16.., 1u16..);
    (any::<u32>(), text(), text(), word(), ports).prop_map(
        |(priority, name, description, process_node_name, ports)| Member {
            priority,
            name,
            description,
            process_node_name,
            ports: NodePorts {
                ethernet_phone_port: ports.0,
                sip_port: ports.1,
                secured_sip_port: ports.2,
                sip_oauth_port: ports.3,
                sip_mra_oauth_port: ports.4,
                mgcp_listen_port: ports.5,
                mgcp_keep_alive_port: ports.6,
            },
        },
    )
}

fn line() -> impl Strategy<Value = LineSettings> {
    let place = (any::<u32>(), prop::option::of(any::<u32>()));
    (place, text(), word(), text(), word(), word(), 1u16..).prop_map(
        |((button, line_index), feature_label, name, display_name, contact, proxy, port)| {
            LineSettings {
                button,
                line_index,
                feature_label,
                name,
                display_name,
                contact,
                proxy,
                port,
            }
        },
    )
}

fn settings() -> impl Strategy<Value = Vec<Setting>> {
    vec(
        (vec(name(), 1..4), text()).prop_map(|(names, value)| Setting {
            name: names.join("/"),
            value,
        }),
        0..4,
    )
}

fn gateway() -> impl Strategy<Value = Gateway> {
    ("[a-z0-9.&<]{1,12}", 1u16..).prop_map(|(address, port)| Gateway { address, port })
}

fn provisioning() -> impl Strategy<Value = PhoneServiceProvisioning> {
    prop::sample::select(vec![
        PhoneServiceProvisioning::Internal,
        PhoneServiceProvisioning::ExternalUrl,
        PhoneServiceProvisioning::Both,
    ])
}

fn phone_service() -> impl Strategy<Value = PhoneServiceEntry> {
    let kinds = prop::sample::select(vec![
        PhoneServiceKind::Services,
        PhoneServiceKind::Directories,
        PhoneServiceKind::Messages,
    ]);
    (kinds, any::<u32>(), text(), word(), text(), text()).prop_map(
        |(kind, category, name, url, vendor, version)| PhoneServiceEntry {
            kind,
            category,
            name,
            url,
            vendor,
            version,
        },
    )
}

type Modes = (
    SipOauthMode,
    DeviceSecurityMode,
    TransportLayerProtocol,
    CapfAuthMode,
);

fn modes() -> impl Strategy<Value = Modes> {
    (
        prop::sample::select(vec![SipOauthMode::Off, SipOauthMode::On]),
        prop::sample::select(vec![
            DeviceSecurityMode::NotSet,
            DeviceSecurityMode::NonSecure,
            DeviceSecurityMode::Authenticated,
            DeviceSecurityMode::Encrypted,
        ]),
        prop::sample::select(vec![
            TransportLayerProtocol::Tcp,
            TransportLayerProtocol::Udp,
            TransportLayerProtocol::Tls,
            TransportLayerProtocol::TcpUdp,
        ]),
        prop::sample::select(vec![
            CapfAuthMode::None,
            CapfAuthMode::NullString,
            CapfAuthMode::Mic,
        ]),
    )
}

fn device() -> impl Strategy<Value = Device> {
    let modes = modes();
    let texts = (
        text(),
        text(),
        text(),
        text(),
        word(),
        text(),
        word(),
        word(),
        word(),
        word(),
        word(),
        word(),
    );
    let numbers = (
        any::<u32>(),
        1u16..,
        1u16..,
        1u16..,
        any::<bool>(),
        any::<bool>(),
        any::<[u32; 12]>(),
    );
    let lists = (
        vec(member(), 0..4),
        vec(line(), 0..4),
        vec((1u16.., word()), 0..3),
        settings(),
        settings(),
        settings(),
        vec(phone_service(), 0..3),
        (any::<bool>(), provisioning()),
        (vec(gateway(), 0..4), any::<bool>()),
        [(); 3].map(|()| prop::option::of(text())),
    );
    (modes, texts, numbers, lists).prop_map(|(modes, texts, numbers, lists)| {
        let stack = numbers.6;
        let [device_pool_uuid, date_time_setting_uuid, srst_uuid] = lists.9;
        Device {
            uuid: texts.0,
            ctiid: numbers.0,
            full_config: numbers.4,
            device_pool_uuid,
            device_pool: texts.1,
            date_time_setting_uuid,
            call_manager_group: texts.2,
            connection_monitor_duration: stack[11],
            srst_uuid,
            srst_name: texts.3,
            srst_option: texts.4,
            srst_gateways: lists.8.0,
            srst_is_secure: lists.8.1,
            phone_label: texts.5,
            start_media_port: numbers.1,
            stop_media_port: numbers.2,
            voip_control_port: numbers.3,
            load_information: texts.6,
            inactive_load_information: texts.11,
            version_stamp: texts.7,
            device_security_mode: modes.1,
            transport_layer_protocol: modes.2,
            sip_oauth_mode: modes.0,
            capf_auth_mode: modes.3,
            cert_hash: texts.8,
            encr_config: numbers.5,
            user_id: texts.9,
            owner_id: texts.10,
            phone_services: lists.6,
            phone_services_use_https: lists.7.0,
            phone_service_provisioning: lists.7.1,
            sip_stack: StackSettings {
                sip_invite_retx: stack[0],
                sip_retx: stack[1],
                timer_invite_expires: stack[2],
                timer_register_expires: stack[3],
                timer_register_delta: stack[4],
                timer_keep_alive_expires: stack[5],
                timer_subscribe_expires: stack[6],
                timer_subscribe_delta: stack[7],
                timer_t1: stack[8],
                timer_t2: stack[9],
                max_redirects: stack[10],
            },
            members: lists.0,
            lines: lists.1,
            capf_list: lists
                .2
                .into_iter()
                .map(|(phone_port, process_node_name)| Capf {
                    phone_port,
                    process_node_name,
                })
                .collect(),
            vendor_config: lists.3,
            common_config: lists.4,
            enterprise_config: lists.5,
        }
    })
}

/// Pieces a document is made of, well-formed or not.
fn markup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<device>",
        "</device>",
        "<device/>",
        "<a>",
        "</a>",
        "<a/>",
        "<a b='1'>",
        "<a b='>'>",
        "<a c=\"/>\" />",
        "<a\n>",
        "</a >",
        "<!-- </a> -->",
        "<![CDATA[</a>]]>",
        "<?p </a>?>",
        " b=\"2\"",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "&amp;",
        "&#65;",
        "&x;",
        "&",
        "<",
        ">",
        "<?xml version='1.0'?>",
        "<?p?>",
        "<!DOCTYPE d>",
        "\r\n",
        "x",
        "\u{feff}",
        "\u{20ac}",
        "<devicePool>",
        "<callManagerGroup>",
        "<members>",
        "<member priority='1'>",
        "\u{1}",
    ]);
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

const MARKUP: [&str; 5] = [
    "<!-- c -->",
    "<!-- <d> -->",
    "<!--> c -->",
    "<!---> c -->",
    "<?p i?>",
];

/// What may stand in an element without child elements.
fn content() -> impl Strategy<Value = Vec<&'static str>> {
    let text = [
        "5090",
        " ",
        "\r\n",
        "\t",
        "&amp;",
        "&#32;",
        "<![CDATA[ <x> ]]>",
        "x y",
    ];
    vec(prop::sample::select([&MARKUP[..], &text].concat()), 0..6)
}

fn all(element: Element<'_>) -> Vec<Element<'_>> {
    let mut elements = vec![element];
    for child in element.children() {
        elements.extend(all(child));
    }
    elements
}

/// Calls everything; only that it returns is asked.
fn visit(config: &DeviceConfig) {
    for element in all(config.root()) {
        let _ = (element.text(), element.path(), element.position());
        for attribute in element.attributes() {
            let _ = (attribute.value(), attribute.path(), attribute.position());
        }
    }
    let _ = config.registration_targets(Place::OnPremises);
    let _ = config.registration_targets(Place::Mra);
    let findings = config.findings();
    if Device::try_from(config).is_err() {
        let unreadable = [Rule::UnreadableValue, Rule::UnreadableSetting];
        let found = findings
            .iter()
            .any(|finding| unreadable.contains(&finding.rule));
        assert!(
            found || findings.len() == 100,
            "what cannot be read is found"
        );
    }
}

/// Every element stands where it says: its bytes alone are a document of as many elements, with the same content.
fn check_places(config: &DeviceConfig) {
    for element in all(config.root()) {
        let (span, content) = (element.span(), element.content_span());
        let alone = &config.source()[span.range()];
        let document = Document::read(alone, element.name(), &Limits::default()).unwrap();
        assert_eq!(document.element_count(), all(element).len());
        let within = document.root().content_span();
        let within = (span.start + within.start, span.start + within.end);
        assert_eq!((content.start, content.end), within);
        assert_eq!(document.root().text(), element.text());
        let children = element.children().all(|child| {
            let child_span = child.span();
            let parent = child.parent().unwrap();
            content.start <= child_span.start
                && child_span.end <= content.end
                && parent.span() == span
        });
        assert!(children, "{element:?}");
        let same = config.document().element_at(&element.path()).unwrap();
        assert_eq!(same.span(), span);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(config) = DeviceConfig::read(&bytes, &Limits::default()) {
            visit(&config);
        }
    }

    #[test]
    fn no_markup_makes_the_reader_panic_and_what_is_read_is_unchanged(inner in markup(), whole in any::<bool>()) {
        let text = if whole { inner } else { format!("<device>{inner}</device>") };
        match DeviceConfig::read(text.as_bytes(), &Limits::default()) {
            Ok(config) => {
                prop_assert_eq!(config.source(), text.as_bytes());
                check_places(&config);
                visit(&config);
            }
            Err(error) => prop_assert!(error.position().offset <= text.len()),
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_refused(cut in any::<prop::sample::Index>()) {
        let text = support::jabber().to_xml().unwrap();
        let text = text.trim_end();
        let end = cut.index(text.len());
        prop_assert!(DeviceConfig::read(&text.as_bytes()[..end], &Limits::default()).is_err());
    }

    #[test]
    fn every_span_holds_what_it_says(text in text(), value in text()) {
        let mut config = support::read("<device><a b='1'>x</a><c/></device>");
        config.set("a", &text).unwrap();
        config.set("a/@b", &value).unwrap();
        config.set("c", &text).unwrap();
        let element = config.root().child("a").unwrap();
        let text = text.replace("\r\n", "\n");
        prop_assert_eq!(element.text().replace("\r\n", "\n"), text);
        prop_assert_eq!(element.attribute("b").unwrap().value(), value);
        let source = std::str::from_utf8(config.source()).unwrap();
        prop_assert!(source[element.span().range()].starts_with("<a ") && source[element.span().range()].ends_with("</a>"));
    }

    #[test]
    fn what_is_written_is_read_again(device in device()) {
        let xml = device.to_xml().unwrap();
        let config = DeviceConfig::read(xml.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(Device::try_from(&config).unwrap(), device);
    }

    #[test]
    fn a_device_kept_as_toml_or_json_is_the_same_device(device in device()) {
        let json = serde_json::to_string(&device).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Device>(&json).unwrap(), &device);
        let toml = toml::to_string(&device).unwrap();
        prop_assert_eq!(&toml::from_str::<Device>(&toml).unwrap(), &device);
    }

    #[test]
    fn an_edit_changes_its_own_bytes_only(at in any::<prop::sample::Index>(), text in text()) {
        let before = support::jabber().to_xml().unwrap();
        let mut config = support::read(&before);
        let leaves: Vec<String> = all(config.root()).into_iter().filter(|e| e.is_leaf()).map(Element::path).collect();
        let path = &leaves[at.index(leaves.len())];
        let edit = config.set(path, &text).unwrap();
        let after = config.source();
        prop_assert_eq!(&after[..edit.inserted.start], &before.as_bytes()[..edit.replaced.start]);
        prop_assert_eq!(&after[edit.inserted.end..], &before.as_bytes()[edit.replaced.end..]);
        prop_assert_eq!(config.document().element_at(path).unwrap().text(), text);
        prop_assert_eq!(config.document().element_at(path).unwrap().content_span(), edit.inserted);
    }

    /// Comments, processing instructions and the white space around a value are somebody's, not the edit's.
    #[test]
    fn an_edit_keeps_what_stands_around_the_text(pieces in content(), text in text()) {
        let content = pieces.concat();
        let before = format!("<device>\n <a>{content}</a> <!-- b -->\n</device>");
        let mut config = support::read(&before);
        let old = config.root().child("a").unwrap().text().into_owned();
        let edit = config.set("a", &text).unwrap();
        let after = std::str::from_utf8(config.source()).unwrap().to_owned();
        prop_assert_eq!(&after[..edit.inserted.start], &before[..edit.replaced.start]);
        prop_assert_eq!(&after[edit.inserted.end..], &before[edit.replaced.end..]);
        let new = config.root().child("a").unwrap();
        let new_text = new.text();
        prop_assert_eq!(new_text.trim(), text.trim());
        let written = &after[new.content_span().range()];
        let markup = |written: &str| -> Vec<String> {
            MARKUP.iter().map(|markup| written.matches(markup).collect()).collect()
        };
        prop_assert_eq!(markup(written), markup(&content));
        if text.trim() != text || text.is_empty() {
            prop_assert_eq!(new_text, text.as_str());
        } else if !old.trim().is_empty() {
            let ends = |written: &str| {
                let [start, end] = [written.trim_start(), written.trim_end()];
                (written[..written.len() - start.len()].to_owned(), written[end.len()..].to_owned())
            };
            prop_assert_eq!(ends(written), ends(&content));
        }
        let again = config.set("a", &text).unwrap();
        prop_assert_eq!(again.inserted, again.replaced);
        prop_assert_eq!(config.source(), after.as_bytes());
    }

    #[test]
    fn a_removal_takes_its_own_bytes_only(at in any::<prop::sample::Index>(), crlf in any::<bool>()) {
        let before = support::jabber().to_xml().unwrap();
        let before = if crlf { before.replace('\n', "\r\n") } else { before };
        let mut document = Document::read(before.as_bytes(), "device", &Limits::default()).unwrap();
        let paths: Vec<String> = all(document.root()).into_iter().skip(1).map(Element::path).collect();
        let path = &paths[at.index(paths.len())];
        let element = document.element_at(path).unwrap();
        let (span, gone) = (element.span(), all(element).len());
        let edit = document.remove(path).unwrap();
        prop_assert!(edit.inserted.is_empty());
        // The element, and the rest of its line when that is blank.
        let removed = &before[edit.replaced.range()];
        prop_assert_eq!(removed.trim(), &before[span.range()]);
        prop_assert_eq!(removed.len() - span.len(), if crlf { 2 } else { 1 });
        let expected = [&before[..edit.replaced.start], &before[edit.replaced.end..]].concat();
        prop_assert_eq!(document.source(), expected.as_bytes());
        prop_assert_eq!(document.element_count(), paths.len() + 1 - gone);
    }

    #[test]
    fn setting_what_is_there_changes_nothing(at in any::<prop::sample::Index>()) {
        let before = support::jabber().to_xml().unwrap();
        let mut config = support::read(&before);
        let leaves: Vec<String> = all(config.root()).into_iter().filter(|e| e.is_leaf()).map(Element::path).collect();
        let path = &leaves[at.index(leaves.len())];
        let text = config.document().element_at(path).unwrap().text().into_owned();
        config.set(path, &text).unwrap();
        prop_assert_eq!(config.source(), before.as_bytes());
    }

    #[test]
    fn a_document_of_any_root_is_read_under_that_root_only(root in name()) {
        let text = format!("<{root}></{root}>");
        prop_assert!(Document::read(text.as_bytes(), &root, &Limits::default()).is_ok());
        prop_assert_eq!(DeviceConfig::read(text.as_bytes(), &Limits::default()).is_ok(), root == "device");
    }
}
