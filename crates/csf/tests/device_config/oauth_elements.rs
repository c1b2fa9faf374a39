//! The OAuth elements and the choice of node and port.

use super::*;

#[test]
fn the_port_follows_from_mode_place_security_and_transport() {
    use Authentication::{Bearer, Certificate, DeviceName};
    use Place::{Mra, OnPremises};
    // mode, security, transport, place, port, transport, authentication
    let table = [
        ("1", "3", "3", OnPremises, 5090, Transport::Tls, Bearer),
        ("1", "1", "4", OnPremises, 5090, Transport::Tls, Bearer),
        ("1", "3", "3", Mra, 5091, Transport::MutualTls, Bearer),
        (
            "0",
            "3",
            "3",
            OnPremises,
            5061,
            Transport::MutualTls,
            Certificate,
        ),
        (
            "0",
            "2",
            "3",
            OnPremises,
            5061,
            Transport::MutualTls,
            Certificate,
        ),
        ("0", "3", "3", Mra, 5061, Transport::MutualTls, Certificate),
        ("0", "1", "1", OnPremises, 5060, Transport::Tcp, DeviceName),
        ("0", "1", "4", Mra, 5060, Transport::TcpOrUdp, DeviceName),
        ("0", "0", "1", Mra, 5060, Transport::Tcp, DeviceName),
        ("0", "1", "2", OnPremises, 5060, Transport::Udp, DeviceName),
        (
            "0",
            "0",
            "4",
            OnPremises,
            5060,
            Transport::TcpOrUdp,
            DeviceName,
        ),
        (
            "",
            "",
            "",
            OnPremises,
            5060,
            Transport::TcpOrUdp,
            DeviceName,
        ),
    ];
    for (mode, security, transport, place, port, expected, authentication) in table {
        let config = read(&file(
            mode,
            security,
            transport,
            &member("0", "cucm1.example.com", OAUTH_PORTS),
        ));
        let targets = config.registration_targets(place).unwrap();
        let target = &targets[0];
        let row = format!("{mode} {security} {transport} {place:?}");
        assert_eq!(
            (target.port, target.transport, target.authentication),
            (port, expected, authentication),
            "{row}"
        );
    }
}

#[test]
fn tls_without_a_security_mode_or_a_token_is_an_error() {
    let config = read(&file(
        "0",
        "1",
        "3",
        &member("0", "cucm1.example.com", OAUTH_PORTS),
    ));
    assert_eq!(
        config.registration_targets(Place::OnPremises),
        Err(TargetError::TlsWithoutSecurity)
    );
}

#[test]
fn missing_and_empty_ports_are_the_defaults_and_say_so() {
    let config = read(&file(
        "1",
        "3",
        "3",
        &member("0", "cucm1.example.com", "<sipOAuthPort></sipOAuthPort>"),
    ));
    let on_premises = &config.registration_targets(Place::OnPremises).unwrap()[0];
    assert_eq!(on_premises.port, 5090);
    assert!(matches!(on_premises.port_origin, Origin::Empty(_)));
    let mra = &config.registration_targets(Place::Mra).unwrap()[0];
    assert_eq!((mra.port, mra.port_origin), (5091, Origin::Missing));
}

#[test]
fn every_node_has_its_own_ports() {
    let config = read(&jabber().to_xml().unwrap());
    let ports = |place| -> Vec<u16> {
        config
            .registration_targets(place)
            .unwrap()
            .iter()
            .map(|target| target.port)
            .collect()
    };
    assert_eq!(ports(Place::OnPremises), [5090, 5190]);
    assert_eq!(ports(Place::Mra), [5091, 5191]);
}

#[test]
fn the_reading_of_the_mra_port_decides_who_connects_and_both_ports_stay_visible() {
    let config = read(&jabber().to_xml().unwrap());
    let default = &config.registration_targets(Place::Mra).unwrap()[0];
    assert_eq!(
        (default.connected_by, default.client_port, default.port),
        (ConnectedBy::ExpresswayC, 5061, 5091)
    );
    let other = &config
        .registration_targets_by(Place::Mra, MraPortReading::Client)
        .unwrap()[0];
    assert_eq!(
        (other.connected_by, other.client_port, other.port),
        (ConnectedBy::Client, 5091, 5091)
    );
    // A client with a token has no certificate; Expressway-C has one.
    assert_eq!(
        [default, other].map(|target| (target.transport, target.authentication)),
        [
            (Transport::MutualTls, Authentication::Bearer),
            (Transport::Tls, Authentication::Bearer)
        ]
    );
}

/// Who connects, and where the client does: the reading of the MRA port has a say with SIP OAuth mode on, and in MRA only.
#[test]
fn the_reading_of_the_mra_port_has_no_say_elsewhere() {
    use ConnectedBy::{Client, ExpresswayC};
    use MraPortReading as Reading;
    use Place::{Mra, OnPremises};
    use Transport::{MutualTls, TcpOrUdp, Tls};
    // mode, security, transport: place, reading: who connects, the client's port, the node's, its transport
    type Row = (Place, Reading, ConnectedBy, u16, u16, Transport);
    let table: [([&str; 3], [Row; 4]); 3] = [
        (
            ["1", "3", "3"],
            [
                (OnPremises, Reading::ExpresswayC, Client, 5090, 5090, Tls),
                (OnPremises, Reading::Client, Client, 5090, 5090, Tls),
                (
                    Mra,
                    Reading::ExpresswayC,
                    ExpresswayC,
                    5061,
                    5091,
                    MutualTls,
                ),
                (Mra, Reading::Client, Client, 5091, 5091, Tls),
            ],
        ),
        (
            ["0", "3", "3"],
            [
                (
                    OnPremises,
                    Reading::ExpresswayC,
                    Client,
                    5061,
                    5061,
                    MutualTls,
                ),
                (OnPremises, Reading::Client, Client, 5061, 5061, MutualTls),
                (
                    Mra,
                    Reading::ExpresswayC,
                    ExpresswayC,
                    5061,
                    5061,
                    MutualTls,
                ),
                (Mra, Reading::Client, ExpresswayC, 5061, 5061, MutualTls),
            ],
        ),
        (
            ["0", "1", "4"],
            [
                (
                    OnPremises,
                    Reading::ExpresswayC,
                    Client,
                    5060,
                    5060,
                    TcpOrUdp,
                ),
                (OnPremises, Reading::Client, Client, 5060, 5060, TcpOrUdp),
                (Mra, Reading::ExpresswayC, ExpresswayC, 5061, 5060, TcpOrUdp),
                (Mra, Reading::Client, ExpresswayC, 5061, 5060, TcpOrUdp),
            ],
        ),
    ];
    for ([mode, security, transport], rows) in table {
        let node = member("0", "cucm1.example.com", OAUTH_PORTS);
        let config = read(&file(mode, security, transport, &node));
        for row in rows {
            let (place, reading, ..) = row;
            let targets = config.registration_targets_by(place, reading).unwrap();
            let target = &targets[0];
            let found = (
                place,
                reading,
                target.connected_by,
                target.client_port,
                target.port,
                target.transport,
            );
            assert_eq!(found, row, "{mode} {security} {transport}");
        }
    }
}

#[test]
fn the_server_shows_the_name_of_the_node() {
    let config = read(&jabber().to_xml().unwrap());
    let target = &config.registration_targets(Place::OnPremises).unwrap()[0];
    assert_eq!(target.server_identity.as_deref(), Some("cucm1.example.com"));
}

/// RFC 3261 section 25.1: `hostport`, in which an IPv6 address has brackets.
#[test]
fn host_and_port_can_stand_in_a_uri() {
    for (host, expected) in [
        ("cucm1.example.com", "cucm1.example.com:5090"),
        ("192.0.2.1", "192.0.2.1:5090"),
        ("2001:db8::1", "[2001:db8::1]:5090"),
        ("[2001:db8::1]", "[2001:db8::1]:5090"),
    ] {
        let config = read(&file("1", "3", "3", &member("0", host, OAUTH_PORTS)));
        let target = &config.registration_targets(Place::OnPremises).unwrap()[0];
        assert_eq!(target.host_and_port(), expected);
    }
}

#[test]
fn nodes_are_tried_by_priority_then_in_document_order() {
    let members = [("2", "c"), ("0", "a"), ("1", "b1"), ("1", "b2")];
    let members: String = members
        .iter()
        .map(|(priority, host)| member(priority, host, OAUTH_PORTS))
        .collect();
    let config = read(&file("1", "3", "3", &members));
    let targets = config.registration_targets(Place::OnPremises).unwrap();
    let order: Vec<_> = targets
        .iter()
        .map(|target| (target.host.as_str(), target.member))
        .collect();
    assert_eq!(order, [("a", 1), ("b1", 2), ("b2", 3), ("c", 0)]);
}

#[test]
fn nodes_without_a_name_are_left_out_and_none_left_is_an_error() {
    let two = member("0", "", OAUTH_PORTS) + &member("1", "cucm2.example.com", OAUTH_PORTS);
    let config = read(&file("1", "3", "3", &two));
    assert_eq!(
        config.registration_targets(Place::OnPremises).unwrap()[0].host,
        "cucm2.example.com"
    );
    let config = read(&file("1", "3", "3", &member("0", " ", OAUTH_PORTS)));
    assert_eq!(
        config.registration_targets(Place::Mra),
        Err(TargetError::NoUsableNode { members: 1 })
    );
    let config = read(&file("1", "3", "3", ""));
    assert_eq!(
        config.registration_targets(Place::Mra),
        Err(TargetError::NoNode)
    );
}

#[test]
fn a_node_whose_name_can_be_no_host_is_skipped_and_none_left_is_an_error() {
    for bad in [
        "{$server.ip.1}",
        "cucm 1",
        "cucm1..example.com",
        "http://cucm1",
    ] {
        let two = member("0", bad, OAUTH_PORTS) + &member("1", "cucm2.example.com", OAUTH_PORTS);
        let config = read(&file("1", "3", "3", &two));
        for place in [Place::OnPremises, Place::Mra] {
            let targets = config.registration_targets(place).unwrap();
            assert_eq!(targets.len(), 1, "{bad}");
            assert_eq!(
                (targets[0].host.as_str(), targets[0].member),
                ("cucm2.example.com", 1)
            );
        }
        let findings = config.findings();
        assert!(
            findings
                .iter()
                .any(|finding| finding.rule == Rule::UnreadableValue
                    && finding
                        .position
                        .path
                        .ends_with("member[1]/callManager/processNodeName")),
            "{bad}: {findings:?}"
        );
        let config = read(&file("1", "3", "3", &member("0", bad, OAUTH_PORTS)));
        assert_eq!(
            config.registration_targets(Place::OnPremises),
            Err(TargetError::NoUsableNode { members: 1 })
        );
        assert!(
            config
                .findings()
                .iter()
                .any(|finding| finding.rule == Rule::NoUsableNode)
        );
    }
}

#[test]
fn a_value_that_cannot_be_read_is_named_with_its_place() {
    let text = file(
        "1",
        "3",
        "3",
        &member(
            "0",
            "cucm1.example.com",
            "<sipOAuthPort>99999</sipOAuthPort>",
        ),
    );
    let error = read(&text)
        .registration_targets(Place::OnPremises)
        .unwrap_err();
    let offset = text.find("99999").unwrap();
    let column = offset - text[..offset].rfind('\n').unwrap();
    let expected = format!(
        "/device/devicePool/callManagerGroup/members/member/callManager/ports/sipOAuthPort: expected a port from 1 to \
         65535, found \"99999\", at byte {offset} (line 3, column {column})"
    );
    assert_eq!(error.to_string(), expected);
    let config = read(&file("2", "3", "3", &member("0", "cucm1.example.com", "")));
    let error = config.registration_targets(Place::OnPremises).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("/device/sipOAuthMode: expected 0 (off) or 1 (on), found \"2\""),
        "{error}"
    );
}

#[test]
fn a_device_that_speaks_sccp_has_no_targets() {
    let text =
        file("1", "3", "3", &member("0", "cucm1.example.com", "")).replace(">SIP<", ">SCCP<");
    let error = read(&text)
        .registration_targets(Place::OnPremises)
        .unwrap_err();
    assert_eq!(
        error,
        TargetError::NotSip {
            found: "SCCP".to_owned()
        }
    );
}

#[test]
fn the_short_configuration_is_recognised() {
    let config =
        read("<device><fullConfig>false</fullConfig><encrConfig>true</encrConfig></device>");
    assert_eq!(
        config.registration_targets(Place::OnPremises),
        Err(TargetError::ShortConfiguration)
    );
}

#[test]
fn a_node_that_cannot_be_read_is_left_out_and_only_none_left_is_an_error() {
    let good = member("1", "cucm2.example.com", OAUTH_PORTS);
    for (bad, path) in [
        (
            member(
                "0",
                "cucm1.example.com",
                "<sipOAuthPort>99999</sipOAuthPort>",
            ),
            "/callManager/ports/sipOAuthPort",
        ),
        (
            member("first", "cucm1.example.com", OAUTH_PORTS),
            "/@priority",
        ),
    ] {
        let config = read(&file("1", "3", "3", &(bad.clone() + &good)));
        let targets = config.registration_targets(Place::OnPremises).unwrap();
        assert_eq!(targets.len(), 1);
        assert_eq!(
            (&*targets[0].host, targets[0].member),
            ("cucm2.example.com", 1)
        );
        let findings = config.findings();
        let found = findings
            .iter()
            .find(|finding| finding.rule == Rule::UnreadableValue);
        assert!(found.unwrap().position.path.ends_with(path));

        let config = read(&file("1", "3", "3", &bad));
        let error = config.registration_targets(Place::OnPremises).unwrap_err();
        let TargetError::Value(error) = error else {
            panic!("{error}");
        };
        assert!(error.position.path.ends_with(path), "{error}");
    }
}
