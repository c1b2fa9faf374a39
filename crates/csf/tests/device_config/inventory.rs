//! A complete file, in document order.

use super::*;

/// The element names in document order, as read from a file: `(depth, name)`.
fn order(config: &DeviceConfig, path: &[&str]) -> Vec<String> {
    let element = config.root().descend(path).unwrap();
    element
        .children()
        .map(|child| child.name().to_owned())
        .collect()
}

#[test]
fn the_file_begins_as_the_product_writes_it_and_has_no_self_closing_tag() {
    let text = jabber().to_xml().unwrap();
    let root = "<device  xsi:type=\"axl:XIPPhone\" ctiid=\"24\" uuid=\"{7b2e9d14-3c5f-4a68-8e90-1d2c3b4a5f6e}\">\n";
    assert!(text.starts_with(root));
    assert!(text.ends_with("<sipOAuthMode>1</sipOAuthMode>\n</device>\n"));
    assert!(!text.contains("/>"));
    assert!(
        (8_000..20_000).contains(&text.len()),
        "{} bytes",
        text.len()
    );
}

#[test]
fn elements_stand_in_the_product_s_order() {
    let config = read(&jabber().to_xml().unwrap());
    let top = order(&config, &[]).join(" ");
    assert_eq!(
        top,
        "fullConfig portalDefaultServer deviceProtocol sshUserId sshPassword ipAddressMode allowAutoConfig dadEnable \
         redirectEnable echoMultiEnable ipPreferenceModeControl ipMediaAddressFamilyPreference tzdata mlppDomainId \
         mlppIndicationStatus preemption executiveOverridePreemptable devicePool TVS sipProfile \
         MissedCallLoggingOption commonProfile loadInformation inactiveLoadInformation vendorConfig commonConfig \
         enterpriseConfig versionStamp userLocale networkLocale networkLocaleInfo deviceSecurityMode idleTimeout \
         authenticationURL directoryURL idleURL informationURL messagesURL proxyServerURL servicesURL \
         secureAuthenticationURL secureDirectoryURL secureUDSUsersAccessURL secureIdleURL secureInformationURL \
         secureMessagesURL secureServicesURL dscpForSCCPPhoneConfig dscpForSCCPPhoneServices dscpForCm2Dvce \
         transportLayerProtocol dialToneSetting dndCallAlert phonePersonalization rollover singleButtonBarge \
         joinAcrossLines autoCallPickupEnable blfAudibleAlertSettingOfIdleStation \
         blfAudibleAlertSettingOfBusyStation capfAuthMode capfList certHash encrConfig advertiseG722Codec mobility \
         TLSResumptionTimer userId ownerId phoneServices sipOAuthMode"
    );
    for (path, expected) in [
        (
            &["devicePool"][..],
            "revertPriority name dateTimeSetting callManagerGroup srstInfo connectionMonitorDuration",
        ),
        (
            &["devicePool", "srstInfo"],
            "name srstOption userModifiable ipAddr1 port1 ipAddr2 port2 ipAddr3 port3 sipIpAddr1 sipPort1 sipIpV6Addr1 \
             sipIpAddr2 sipPort2 sipIpAddr3 sipPort3 isSecure",
        ),
        (
            &["sipProfile", "sipProxies"],
            "backupProxy backupProxyPort emergencyProxy emergencyProxyPort outboundProxy outboundProxyPort \
             registerWithProxy",
        ),
        (
            &["sipProfile", "sipStack"],
            "sipInviteRetx sipRetx timerInviteExpires timerRegisterExpires timerRegisterDelta timerKeepAliveExpires \
             timerSubscribeExpires timerSubscribeDelta timerT1 timerT2 maxRedirects remotePartyID userInfo",
        ),
        (
            &["sipProfile", "sipLines", "line"],
            "featureID featureLabel proxy port name displayName autoAnswer callWaiting sharedLine \
             messageWaitingLampPolicy messageWaitingAMWI messagesNumber ringSettingIdle ringSettingActive contact \
             forwardCallInfoDisplay maxNumCalls busyTrigger",
        ),
        (
            &["sipProfile"],
            "sipProxies sipCallFeatures sipStack autoAnswerTimer autoAnswerAltBehavior autoAnswerOverride \
             transferOnhookEnabled enableVad preferredCodec dtmfAvtPayload dtmfDbLevel dtmfOutofBand kpml phoneLabel \
             stutterMsgWaiting callStats offhookToFirstDigitTimer T302Timer silentPeriodBetweenCallWaitingBursts \
             disableLocalSpeedDialConfig poundEndOfDial startMediaPort stopMediaPort startVideoPort stopVideoPort \
             organizationTopLevelDomain sipLines externalNumberMask voipControlPort dscpForAudio dscpVideo \
             dscpAudioForVideo dscpForTelepresence dscpAudioForTelepresence dscpForPriorityAudio \
             ringSettingBusyStationPolicy dialTemplate softKeyFile alwaysUsePrimeLine alwaysUsePrimeLineVoiceMail",
        ),
    ] {
        assert_eq!(order(&config, path).join(" "), expected, "{path:?}");
    }
    let call_manager = [
        "devicePool",
        "callManagerGroup",
        "members",
        "member",
        "callManager",
    ];
    assert_eq!(
        order(&config, &call_manager).join(" "),
        "name description ports processNodeName"
    );
    let ports = [&call_manager[..], &["ports"]].concat();
    let expected =
        "ethernetPhonePort sipPort securedSipPort sipOAuthPort sipMRAOAuthPort mgcpPorts";
    assert_eq!(order(&config, &ports).join(" "), expected);
}

#[test]
fn phone_services_stand_in_the_file_as_the_product_lists_them() {
    let mut file = jabber();
    file.device.phone_service_provisioning = PhoneServiceProvisioning::Both;
    file.device.phone_services.push(PhoneServiceEntry {
        kind: PhoneServiceKind::Directories,
        category: 0,
        name: "Missed Calls".to_owned(),
        url: "Application:Cisco/MissedCalls".to_owned(),
        vendor: String::new(),
        version: String::new(),
    });
    let text = file.to_xml().unwrap();
    let expected = "<phoneServices  useHTTPS=\"true\">\n<provisioning>2</provisioning>\n\
        <phoneService  type=\"1\" category=\"0\">\n<name>Missed Calls</name>\n\
        <url>Application:Cisco/MissedCalls</url>\n<vendor></vendor>\n<version></version>\n</phoneService>\n\
        </phoneServices>\n";
    assert!(text.contains(expected), "{text}");
    assert_eq!(Device::try_from(&read(&text)).unwrap(), file.device);
}

#[test]
fn srst_gateways_stand_in_their_three_places_and_a_fourth_is_refused() {
    let mut file = jabber();
    let gateway = |number: u8| Gateway {
        address: format!("192.0.2.{number}"),
        port: 5060 + u16::from(number),
    };
    file.device.srst_gateways = vec![gateway(1), gateway(2)];
    let text = file.to_xml().unwrap();
    let expected = "<sipIpAddr1>192.0.2.1</sipIpAddr1>\n<sipPort1>5061</sipPort1>\n<sipIpV6Addr1></sipIpV6Addr1>\n\
        <sipIpAddr2>192.0.2.2</sipIpAddr2>\n<sipPort2>5062</sipPort2>\n<sipIpAddr3></sipIpAddr3>\n";
    assert!(text.contains(expected), "{text}");
    assert_eq!(Device::try_from(&read(&text)).unwrap(), file.device);
    file.device.srst_gateways = (1..=4).map(gateway).collect();
    let error = file.to_xml().unwrap_err();
    assert_eq!(
        error.to_string(),
        "/device/devicePool/srstInfo/sipIpAddr: there are places for 3"
    );
}

#[test]
fn a_device_file_survives_toml() {
    let file = jabber();
    let text = toml::to_string(&file).unwrap();
    assert_eq!(toml::from_str::<DeviceFile>(&text).unwrap(), file);
}

#[test]
fn a_generated_file_has_nothing_to_object_to() {
    let config = read(&jabber().to_xml().unwrap());
    assert_eq!(config.findings(), []);
}

#[test]
fn what_is_written_is_read_again() {
    let mut file = jabber();
    file.device.phone_label = " R&D <2001> \"x\" \r\n\t".to_owned();
    file.device.vendor_config.push(Setting {
        name: "webAccess".to_owned(),
        value: "1".to_owned(),
    });
    file.device.lines.push(LineSettings {
        button: 2,
        ..LineSettings::new("2002")
    });
    let config = read(&file.to_xml().unwrap());
    assert_eq!(Device::try_from(&config).unwrap(), file.device);
}

#[test]
fn a_device_survives_json() {
    let file = jabber();
    let json = serde_json::to_string(&file).unwrap();
    assert_eq!(serde_json::from_str::<DeviceFile>(&json).unwrap(), file);
    let bad_name = json.replace("CSFrado", "../CSFrado");
    assert!(serde_json::from_str::<DeviceFile>(&bad_name).is_err());
    let unknown = json.replacen('{', "{\"nane\":\"CSFrado\",", 1);
    assert!(serde_json::from_str::<DeviceFile>(&unknown).is_err());
}

/// What a file does not say, by the product's defaults.
#[test]
fn ports_that_are_missing_are_the_products_defaults() {
    let text = "<device><devicePool><callManagerGroup><members><member/></members></callManagerGroup><srstInfo>\
        <sipIpAddr1>192.0.2.8</sipIpAddr1></srstInfo></devicePool><capfList><capf/></capfList></device>";
    let config = read(text);
    let ports = config.members().next().unwrap().ports();
    assert_eq!(ports.mgcp_listen_port().unwrap().value, 2427);
    assert_eq!(ports.mgcp_keep_alive_port().unwrap().value, 2428);
    assert_eq!(config.capf_list().unwrap()[0].phone_port.value, 3804);
    let gateways = config.srst().unwrap().sip_gateways().unwrap();
    assert_eq!(gateways[0].port.value, 5060);
    assert_eq!(Limits::default().max_bytes, 1_048_576);
}

#[test]
fn what_xml_cannot_hold_is_refused_with_its_path() {
    let mut file = jabber();
    file.device.user_id = "rado\u{0}".to_owned();
    let error = WriteError::Character {
        path: "/device/userId".to_owned(),
        code: 0,
    };
    assert_eq!(file.to_xml(), Err(error));
    let mut file = jabber();
    file.device.vendor_config.push(Setting {
        name: "a><b".to_owned(),
        value: String::new(),
    });
    assert!(matches!(file.to_xml(), Err(WriteError::Name { .. })));
}

/// What is written is what is read again: a path that a reader would shorten or leave out is refused.
#[test]
fn a_setting_is_written_only_where_it_is_read() {
    let written = |name: String| {
        let mut file = jabber();
        file.device.enterprise_config = vec![Setting {
            name,
            value: "1".to_owned(),
        }];
        let xml = file.to_xml()?;
        let config = DeviceConfig::read(xml.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(Device::try_from(&config).as_ref(), Ok(&file.device));
        Ok(())
    };
    let nested = |depth: usize| vec!["a"; depth].join("/");
    for name in [
        nested(1),
        nested(Setting::MAX_DEPTH),
        "n".repeat(Setting::MAX_PATH_BYTES),
    ] {
        assert_eq!(written(name), Ok(()));
    }
    for name in ["", "/a", "a/", "a//b", "/"] {
        let error = written(name.to_owned()).unwrap_err();
        assert!(
            matches!(error, WriteError::Name { .. }),
            "{name:?}: {error}"
        );
    }
    let error = written(nested(31)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/device/enterpriseConfig: expected at most 30 names and 256 bytes, found 31 and 61"
    );
    let error = written("n".repeat(257)).unwrap_err();
    assert!(matches!(error, WriteError::SettingPath { bytes: 257, .. }));
    let error = written("<".repeat(200)).unwrap_err();
    assert!(error.to_string().len() < 400, "{error}");
}

/// What a reader takes without the white space around it is not written with any.
#[test]
fn white_space_that_would_not_be_read_back_is_refused() {
    type Change = fn(&mut Device);
    let member = "/device/devicePool/callManagerGroup/members/member/callManager";
    let cases: [(Change, String); 13] = [
        (
            |d| d.srst_option += " ",
            "/device/devicePool/srstInfo/srstOption".to_owned(),
        ),
        (
            |d| d.load_information += "\t",
            "/device/loadInformation".to_owned(),
        ),
        (
            |d| d.inactive_load_information += "\n",
            "/device/inactiveLoadInformation".to_owned(),
        ),
        (
            |d| d.version_stamp += "\r",
            "/device/versionStamp".to_owned(),
        ),
        (|d| d.cert_hash += " ", "/device/certHash".to_owned()),
        (|d| d.user_id += "\u{a0}", "/device/userId".to_owned()),
        (|d| d.owner_id.insert(0, ' '), "/device/ownerId".to_owned()),
        (
            |d| d.members[0].process_node_name.insert(0, ' '),
            format!("{member}/processNodeName"),
        ),
        (
            |d| d.lines[0].name += " ",
            "/device/sipProfile/sipLines/line/name".to_owned(),
        ),
        (
            |d| d.lines[0].contact += " ",
            "/device/sipProfile/sipLines/line/contact".to_owned(),
        ),
        (
            |d| d.lines[0].proxy += " ",
            "/device/sipProfile/sipLines/line/proxy".to_owned(),
        ),
        (
            |d| {
                d.capf_list.push(Capf {
                    phone_port: 3804,
                    process_node_name: " x".to_owned(),
                });
            },
            "/device/capfList/capf/processNodeName".to_owned(),
        ),
        (
            |d| {
                d.phone_services.push(PhoneServiceEntry {
                    kind: PhoneServiceKind::Services,
                    category: 0,
                    name: " kept ".to_owned(),
                    url: " x".to_owned(),
                    vendor: String::new(),
                    version: String::new(),
                });
            },
            "/device/phoneServices/phoneService/url".to_owned(),
        ),
    ];
    for (change, path) in cases {
        let mut file = jabber();
        change(&mut file.device);
        assert_eq!(file.to_xml(), Err(WriteError::WhiteSpace { path }));
    }
}

#[test]
fn a_gateway_without_an_address_is_refused() {
    let mut file = jabber();
    file.device.srst_gateways = ["192.0.2.1", ""]
        .map(|address| Gateway {
            address: address.to_owned(),
            port: 5060,
        })
        .to_vec();
    let path = "/device/devicePool/srstInfo/sipIpAddr2".to_owned();
    assert_eq!(file.to_xml(), Err(WriteError::NoAddress { path }));
}

/// A [`Device`] is a SIP device: the file of another is not taken for one.
#[test]
fn a_device_that_speaks_sccp_is_not_made_a_sip_device() {
    let text = jabber().to_xml().unwrap();
    let config = read(&text.replace("<deviceProtocol>SIP<", "<deviceProtocol>SCCP<"));
    let error = Device::try_from(&config).unwrap_err();
    assert_eq!((error.expected, &*error.found), ("SIP", "SCCP"));
    let config = read(&text.replace("<deviceProtocol>SIP<", "<deviceProtocol> sip <"));
    assert!(Device::try_from(&config).is_ok());
}

/// A type or an editor lets 0 through; no reader takes it, this one neither.
#[test]
fn port_0_is_written_nowhere() {
    type Zero = fn(&mut Device);
    let member = "/device/devicePool/callManagerGroup/members/member/callManager/ports";
    let cases: [(Zero, String); 12] = [
        (
            |d| d.members[0].ports.ethernet_phone_port = 0,
            format!("{member}/ethernetPhonePort"),
        ),
        (
            |d| d.members[0].ports.sip_port = 0,
            format!("{member}/sipPort"),
        ),
        (
            |d| d.members[0].ports.secured_sip_port = 0,
            format!("{member}/securedSipPort"),
        ),
        (
            |d| d.members[0].ports.sip_oauth_port = 0,
            format!("{member}/sipOAuthPort"),
        ),
        (
            |d| d.members[0].ports.sip_mra_oauth_port = 0,
            format!("{member}/sipMRAOAuthPort"),
        ),
        (
            |d| d.members[0].ports.mgcp_listen_port = 0,
            format!("{member}/mgcpPorts/listen"),
        ),
        (
            |d| d.members[0].ports.mgcp_keep_alive_port = 0,
            format!("{member}/mgcpPorts/keepAlive"),
        ),
        (
            |d| d.lines[0].port = 0,
            "/device/sipProfile/sipLines/line/port".to_owned(),
        ),
        (
            |d| d.start_media_port = 0,
            "/device/sipProfile/startMediaPort".to_owned(),
        ),
        (
            |d| d.stop_media_port = 0,
            "/device/sipProfile/stopMediaPort".to_owned(),
        ),
        (
            |d| d.voip_control_port = 0,
            "/device/sipProfile/voipControlPort".to_owned(),
        ),
        (
            |d| {
                d.capf_list = vec![Capf {
                    phone_port: 0,
                    process_node_name: String::new(),
                }];
            },
            "/device/capfList/capf/phonePort".to_owned(),
        ),
    ];
    for (zero, path) in cases {
        let mut file = jabber();
        zero(&mut file.device);
        assert_eq!(file.to_xml(), Err(WriteError::Port { path }));
    }
    let mut file = jabber();
    file.device.srst_gateways = vec![Gateway {
        address: "192.0.2.8".to_owned(),
        port: 0,
    }];
    let path = "/device/devicePool/srstInfo/sipPort1".to_owned();
    assert_eq!(file.to_xml(), Err(WriteError::Port { path }));

    let mut config = read(&jabber().to_xml().unwrap());
    let before = config.source().to_vec();
    let zero = Member::new("cucm3.example.com").oauth_ports(5090, 0);
    for result in [
        config.set_sip_oauth_port(0, 0),
        config.set_sip_mra_oauth_port(0, 0),
        config.add_member(&zero),
    ] {
        assert!(
            matches!(result, Err(EditError::Write(WriteError::Port { .. }))),
            "{result:?}"
        );
    }
    assert_eq!(config.source(), before);
}

#[test]
fn the_other_two_ways_to_register_lead_to_their_ports() {
    let steps = || {
        DeviceFile::builder("SEP001122334455".parse().unwrap(), "0")
            .node(Member::new("192.0.2.1"))
            .line(LineSettings::new("2001"))
    };
    for (file, port) in [(steps().encrypted(), 5061), (steps().non_secure(), 5060)] {
        let config = read(&file.to_xml().unwrap());
        assert_eq!(
            config.registration_targets(Place::OnPremises).unwrap()[0].port,
            port
        );
    }
}
