//! What values mean, and their defaults.

use super::*;

#[test]
fn what_is_missing_or_empty_has_the_documented_default() {
    for text in [
        "<device></device>",
        "<device><sipOAuthMode/><deviceSecurityMode></deviceSecurityMode></device>",
    ] {
        let config = read(text);
        assert_eq!(config.sip_oauth_mode().unwrap().value, SipOauthMode::Off);
        assert_eq!(
            config.device_security_mode().unwrap().value,
            DeviceSecurityMode::NonSecure
        );
        assert_eq!(
            config.transport_layer_protocol().unwrap().value,
            TransportLayerProtocol::TcpUdp
        );
        let stack = config.sip_stack();
        assert_eq!(
            stack.timer_register_expires().unwrap().value.as_secs(),
            3600
        );
        assert_eq!(stack.timer_register_delta().unwrap().value.as_secs(), 5);
        assert_eq!(stack.timer_t1().unwrap().value.as_millis(), 500);
        assert!(config.sip_oauth_mode().unwrap().is_default());
    }
}

#[test]
fn values_know_their_bytes() {
    let text = jabber().to_xml().unwrap();
    let config = read(&text);
    let at = |span: Option<sip_oauth_csf::Span>| &text[span.unwrap().range()];
    assert_eq!(at(config.sip_oauth_mode().unwrap().span()), "1");
    let node = config.nodes().unwrap()[1];
    assert_eq!(at(node.ports().sip_oauth_port().unwrap().span()), "5190");
    assert_eq!(
        at(node.process_node_name().unwrap().span()),
        "cucm2.example.com"
    );
    let line = config.lines().next().unwrap();
    assert_eq!(at(line.name().unwrap().span()), "2001");
}

#[test]
fn the_device_overrides_the_profile_and_the_profile_the_enterprise() {
    let config = read(
        "<device><enterpriseConfig><webAccess>0</webAccess><sshAccess>0</sshAccess><ice>3</ice></enterpriseConfig>\
         <commonConfig><settingsAccess>1</settingsAccess><webAccess>1</webAccess><sshAccess></sshAccess></commonConfig>\
         <vendorConfig><webAccess>2</webAccess></vendorConfig></device>",
    );
    let setting = |name| {
        let (level, text) = config.vendor_setting(name)?;
        Some((level, text.value.into_owned()))
    };
    assert_eq!(
        setting("webAccess"),
        Some((VendorLevel::Device, "2".to_owned()))
    );
    assert_eq!(
        setting("settingsAccess"),
        Some((VendorLevel::CommonProfile, "1".to_owned()))
    );
    assert_eq!(
        setting("sshAccess"),
        Some((VendorLevel::Enterprise, "0".to_owned()))
    );
    assert_eq!(
        setting("ice"),
        Some((VendorLevel::Enterprise, "3".to_owned()))
    );
    assert_eq!(setting("telnet"), None);
}

/// As `Device` writes settings that do not stand beside each other: a group more than once.
#[test]
fn a_setting_is_found_in_every_group_of_its_name() {
    let mut file = jabber();
    let setting = |name: &str| Setting {
        name: name.to_owned(),
        value: name.to_owned(),
    };
    file.device.vendor_config = ["a/x", "b", "a/y", "a/z/one", "c", "a/z/two"]
        .map(setting)
        .to_vec();
    file.device.enterprise_config = vec![Setting {
        value: "enterprise".to_owned(),
        ..setting("a/y")
    }];
    let config = read(&file.to_xml().unwrap());
    for Setting { name, value } in &file.device.vendor_config {
        let (level, text) = config.vendor_setting(name).unwrap();
        assert_eq!(
            (level, text.value.as_str()),
            (VendorLevel::Device, &**value)
        );
    }
    assert_eq!(config.vendor_setting("a/z"), None);
}

#[test]
fn targets_and_findings_can_be_printed_as_json() {
    let config = read(&file(
        "1",
        "1",
        "3",
        &member("0", "cucm1.example.com", OAUTH_PORTS),
    ));
    let target =
        serde_json::to_value(&config.registration_targets(Place::Mra).unwrap()[0]).unwrap();
    assert_eq!(
        (&target["transport"], &target["port"]),
        (&"mutual-tls".into(), &5091.into())
    );
    assert_eq!(target["connected_by"], "expressway-c");
    let finding = serde_json::to_value(&config.findings()[0]).unwrap();
    assert_eq!(
        (&finding["rule"], &finding["severity"]),
        (&"not-encrypted".into(), &"error".into())
    );
    assert_eq!(finding["position"]["path"], "/device/deviceSecurityMode");
}

#[test]
fn phone_services_and_trust_verification_servers_are_listed() {
    let config = read(
        "<device><TVS><members><member><address></address></member><member priority=\"1\"><address>192.0.2.2</address></member>\
         <member><address>192.0.2.1</address></member>\
         </members></TVS><phoneServices useHTTPS=\"true\"><provisioning>2</provisioning><phoneService type=\"1\">\
         <name>Missed Calls</name><url>Application:Cisco/MissedCalls</url></phoneService></phoneServices></device>",
    );
    let servers = config.trust_verification_servers().unwrap();
    let servers: Vec<_> = servers
        .iter()
        .map(|server| (&*server.address.value, server.port.value))
        .collect();
    // By priority, as nodes are tried.
    assert_eq!(servers, [("192.0.2.1", 2445), ("192.0.2.2", 2445)]);
    let service = config.phone_services().next().unwrap();
    assert_eq!(service.kind().unwrap().value, PhoneServiceKind::Directories);
    assert!(service.category().unwrap().is_default());
    assert!(config.phone_services_use_https().unwrap().value);
    let provisioning = config.phone_service_provisioning().unwrap();
    assert_eq!(provisioning.value, PhoneServiceProvisioning::Both);
    assert_eq!(
        service.url().unwrap().value,
        "Application:Cisco/MissedCalls"
    );
}

#[test]
fn neither_text_nor_passwords_are_printed() {
    let config = read(
        "<device><sshPassword>hunter2</sshPassword><sipProfile><sipLines><line><name>2001</name>\
         <authPassword>hunter2</authPassword></line></sipLines></sipProfile>\
         <commonProfile><phonePassword>hunter2</phonePassword></commonProfile>\
         <vendorConfig><adminPassword>hunter2</adminPassword></vendorConfig></device>",
    );
    let line = config.lines().next().unwrap();
    assert!(line.has_auth_password());
    let jabber_config = JabberConfig::read(
        b"<config><Phone><adminPassword>hunter2</adminPassword></Phone></config>",
        &Limits::default(),
    )
    .unwrap();
    let printed = format!(
        "{config:?} {:?} {line:?} {:?} {:?} {:?} {:?}",
        config.document(),
        config.vendor_setting("adminPassword"),
        jabber_config.setting("Phone", "adminPassword"),
        config.root(),
        config.findings()
    );
    assert!(!printed.contains("hunter2"), "{printed}");
    assert!(
        printed.contains("Value { value: 7 bytes, origin: Written("),
        "{printed}"
    );
    // The vendor levels are kept, and not shown; the other passwords are left behind.
    let device = Device::try_from(&config).unwrap();
    let mut file = jabber();
    file.device = device;
    let printed = format!("{file:?}");
    assert!(!printed.contains("hunter2"), "{printed}");
    assert!(
        printed.contains("Setting(adminPassword, 7 bytes)"),
        "{printed}"
    );
    assert_eq!(file.to_xml().unwrap().matches("hunter2").count(), 1);
    assert_eq!(
        serde_json::to_string(&file)
            .unwrap()
            .matches("hunter2")
            .count(),
        1
    );
}
