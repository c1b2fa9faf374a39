//! One file of each kind of device SIP OAuth mode is for: its name, where it leads, what is found in it.

use super::*;

#[test]
fn a_file_of_each_kind_of_device_is_named_and_leads_to_its_node() {
    use Transport::{MutualTls, TcpOrUdp, Tls};
    let build = |name: &str| {
        DeviceFile::builder(name.parse().unwrap(), "0")
            .node(Member::new("cucm1.example.com").oauth_ports(5190, 5191))
            .line(LineSettings::new("2001"))
    };
    let off = &[Rule::SipOauthOff][..];
    let table = [
        (
            DeviceKind::Csf,
            build("CSFrado").sip_oauth(),
            5190,
            Tls,
            &[][..],
        ),
        (
            DeviceKind::Tct,
            build("TCTRADO").sip_oauth(),
            5190,
            Tls,
            &[],
        ),
        (
            DeviceKind::Bot,
            build("BOTRADO").encrypted(),
            5061,
            MutualTls,
            off,
        ),
        (
            DeviceKind::Tab,
            build("TABRADO").non_secure(),
            5060,
            TcpOrUdp,
            off,
        ),
        (
            DeviceKind::Sep,
            build("SEP001122334455").sip_oauth(),
            5190,
            Tls,
            &[],
        ),
    ];
    for (kind, device, port, transport, rules) in table {
        assert_eq!(device.name.kind(), Some(kind));
        let config = read(&device.to_xml().unwrap());
        let target = config
            .registration_targets(Place::OnPremises)
            .unwrap()
            .remove(0);
        assert_eq!(
            (target.port, target.transport),
            (port, transport),
            "{kind:?}"
        );
        let found: Vec<_> = config
            .findings()
            .iter()
            .map(|finding| finding.rule)
            .collect();
        assert_eq!(found, rules, "{kind:?}");
    }
}

/// Where a fixture leads, and what its vendor levels say.
struct Expected {
    file: &'static str,
    bytes: &'static [u8],
    kind: DeviceKind,
    on_premises: &'static [(&'static str, u16)],
    mra: &'static [(&'static str, u16)],
    transport: Transport,
    settings: &'static [(&'static str, &'static str)],
    rules: &'static [Rule],
}

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../fixtures/", $name))
    };
}

/// Made for these tests in the product's style: members out of order, ports of their own for every node, the three vendor
/// levels at odds. One has CRLF line ends, a comment and an undocumented element, one a byte order mark.
const FIXTURES: [Expected; 5] = [
    Expected {
        file: "CSFANNA.cnf.xml",
        bytes: fixture!("CSFANNA.cnf.xml"),
        kind: DeviceKind::Csf,
        on_premises: &[
            ("cucm1.example.com", 5090),
            ("cucm2.example.com", 5190),
            ("cucm3.example.com", 5290),
        ],
        mra: &[
            ("cucm1.example.com", 5091),
            ("cucm2.example.com", 5191),
            ("cucm3.example.com", 5291),
        ],
        transport: Transport::Tls,
        settings: &[
            ("videoCapability", "1"),
            // Empty at the device, so the profile decides.
            ("webAccess", "1"),
            ("RingLocale", "0"),
            ("ice/iceEnabled", "true"),
            ("desktopClient/allowUserConfigureVoicemail", "true"),
        ],
        rules: &[],
    },
    Expected {
        file: "TCTBELA.cnf.xml",
        bytes: fixture!("TCTBELA.cnf.xml"),
        kind: DeviceKind::Tct,
        // Equal priorities: in document order.
        on_premises: &[("cucm1.example.com", 5090), ("cucm2.example.com", 5090)],
        mra: &[("cucm1.example.com", 5091), ("cucm2.example.com", 5191)],
        transport: Transport::Tls,
        settings: &[
            ("videoCapability", "0"),
            ("settingsAccess", "1"),
            ("garp", "1"),
        ],
        rules: &[],
    },
    Expected {
        file: "BOTZOE.cnf.xml",
        bytes: fixture!("BOTZOE.cnf.xml"),
        kind: DeviceKind::Bot,
        on_premises: &[("192.0.2.11", 5061), ("2001:db8::12", 5161)],
        mra: &[("192.0.2.11", 5061), ("2001:db8::12", 5161)],
        transport: Transport::MutualTls,
        settings: &[
            ("webAccess", "0"),
            ("sshAccess", "1"),
            ("settingsAccess", "1"),
        ],
        rules: &[Rule::SipOauthOff],
    },
    Expected {
        file: "TABCARL.cnf.xml",
        bytes: fixture!("TABCARL.cnf.xml"),
        kind: DeviceKind::Tab,
        on_premises: &[("cucm1.example.com", 5060), ("cucm2.example.com", 5060)],
        mra: &[("cucm1.example.com", 5060), ("cucm2.example.com", 5060)],
        transport: Transport::Tcp,
        settings: &[("bluetooth", "0"), ("wifi", "0"), ("voiceVlanAccess", "0")],
        rules: &[Rule::SipOauthOff],
    },
    Expected {
        file: "SEP001122334455.cnf.xml",
        bytes: fixture!("SEP001122334455.cnf.xml"),
        kind: DeviceKind::Sep,
        on_premises: &[
            ("cucm1.example.com", 5090),
            ("cucm2.example.com", 5190),
            ("cucm3.example.com", 5290),
        ],
        mra: &[
            ("cucm1.example.com", 5091),
            ("cucm2.example.com", 5191),
            ("cucm3.example.com", 5291),
        ],
        transport: Transport::Tls,
        settings: &[
            ("webAccess", "1"),
            ("displayOnTime", "07:30"),
            ("pcPort", "0"),
        ],
        rules: &[],
    },
];

fn open(fixture: &Expected) -> DeviceConfig {
    DeviceConfig::read(fixture.bytes, &Limits::default()).expect(fixture.file)
}

#[test]
fn a_complete_file_of_each_kind_leads_to_its_nodes_from_either_place() {
    for fixture in &FIXTURES {
        let name = DeviceName::from_file_name(fixture.file).unwrap();
        assert_eq!(name.kind(), Some(fixture.kind));
        let config = open(fixture);
        let by_oauth = config.sip_oauth_mode().unwrap().value == SipOauthMode::On;
        for (place, expected) in [
            (Place::OnPremises, fixture.on_premises),
            (Place::Mra, fixture.mra),
        ] {
            let targets = config.registration_targets(place).unwrap();
            let found: Vec<_> = targets
                .iter()
                .map(|target| (&*target.host, target.port))
                .collect();
            assert_eq!(found, expected, "{}, {place:?}", fixture.file);
            for target in &targets {
                let span = target.port_origin.span().unwrap();
                assert_eq!(
                    config.source()[span.range()],
                    *target.port.to_string().as_bytes()
                );
                assert_eq!(target.authentication == Authentication::Bearer, by_oauth);
                // Expressway-C shows a certificate of its own, which the client does not.
                let transport = if place == Place::Mra && by_oauth {
                    Transport::MutualTls
                } else {
                    fixture.transport
                };
                assert_eq!(target.transport, transport, "{}, {place:?}", fixture.file);
                let edge = place == Place::Mra;
                assert_eq!(target.connected_by == ConnectedBy::ExpresswayC, edge);
                assert_eq!(target.client_port, if edge { 5061 } else { target.port });
                let identity = (target.transport != Transport::Tcp).then(|| target.host.clone());
                assert_eq!(target.server_identity, identity);
            }
        }
        // The other reading of the MRA port: the client itself connects, where that port is used.
        let targets = config
            .registration_targets_by(Place::Mra, MraPortReading::Client)
            .unwrap();
        assert!(
            targets
                .iter()
                .all(|target| target.client_port == if by_oauth { target.port } else { 5061 })
        );
        assert!(
            targets
                .iter()
                .all(|target| target.transport == fixture.transport)
        );
        let rules: Vec<_> = config
            .findings()
            .iter()
            .map(|finding| finding.rule)
            .collect();
        assert_eq!(rules, fixture.rules, "{}", fixture.file);
    }
}

#[test]
fn of_the_three_vendor_levels_the_one_next_to_the_device_decides() {
    for fixture in &FIXTURES {
        let config = open(fixture);
        for &(name, expected) in fixture.settings {
            let (_, setting) = config.vendor_setting(name).unwrap();
            assert_eq!(setting.value, expected, "{}, {name}", fixture.file);
            let span = setting.span().unwrap();
            assert_eq!(&config.source()[span.range()], expected.as_bytes());
        }
        assert!(config.vendor_setting("notThere").is_none());
        assert!(config.vendor_setting("ice/notThere").is_none());
        assert!(config.vendor_setting("videoCapability/notThere").is_none());
    }
}

#[test]
fn a_complete_file_of_each_kind_survives_reading_editing_and_being_made_anew() {
    for fixture in &FIXTURES {
        let mut config = open(fixture);
        assert_eq!(config.source(), fixture.bytes);
        // Kept as a value and written again, it is the same device.
        let device = Device::try_from(&config).unwrap();
        assert_eq!(
            device.vendor_config.is_empty(),
            fixture.kind == DeviceKind::Bot
        );
        assert!(device.device_pool_uuid.is_some() && device.srst_uuid.is_some());
        let toml = toml::to_string(&device).unwrap();
        assert_eq!(toml::from_str::<Device>(&toml).unwrap(), device);
        let again = read(&device.to_xml().unwrap());
        assert_eq!(
            Device::try_from(&again).unwrap(),
            device,
            "{}",
            fixture.file
        );
        // A device as a value has no speed dials, and those register nothing.
        assert!(!config.is_restart_needed(&again), "{}", fixture.file);
        assert_eq!(again.findings().len(), fixture.rules.len());
        // One port is changed and changed back.
        let port = config
            .members()
            .next()
            .unwrap()
            .ports()
            .sip_mra_oauth_port()
            .unwrap();
        config.set_sip_mra_oauth_port(0, 5999).unwrap();
        let by_oauth = config.sip_oauth_mode().unwrap().value == SipOauthMode::On;
        assert_eq!(config.is_restart_needed(&again), by_oauth);
        config.set_sip_mra_oauth_port(0, port.value).unwrap();
        assert_eq!(config.source(), fixture.bytes);
        // A node and a line come and go.
        config
            .add_member(&Member::new("cucm9.example.com"))
            .unwrap();
        config.remove_member(config.members().count() - 1).unwrap();
        config.add_line(&LineSettings::new("2999")).unwrap();
        config.remove_line(config.lines().count() - 1).unwrap();
        assert_eq!(config.source(), fixture.bytes, "{}", fixture.file);
    }
}
