//! Device configuration files, by the sections of what is known about them: retrieval, the OAuth elements, values,
//! reading rules, the inventory of a complete file, signed and encrypted forms.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod support;

use sip_oauth_csf::{
    Authentication, ConnectedBy, Device, DeviceConfig, DeviceFile, DeviceKind, DeviceName,
    DeviceNameError, DeviceSecurityMode, Document, EditError, Limits, LineSettings, Member,
    MraPortReading, Origin, Place, ReadErrorKind, Rule, Service, Setting, Severity, SipOauthMode,
    TargetError, Transport, TransportLayerProtocol, WriteError,
};
use support::{OAUTH_PORTS, file, jabber, member, read};

mod retrieval {
    use super::*;

    #[test]
    fn names_that_could_leave_the_folder_are_refused() {
        for name in [
            "../CSFrado",
            "CSF/rado",
            "CSF\\rado",
            "CSF rado",
            "CSFr\u{e4}do",
            ".CSF",
            "..",
            "CSF%2e",
            "CSF\0",
        ] {
            assert!(
                matches!(
                    DeviceName::new(name),
                    Err(DeviceNameError::Character { .. })
                ),
                "{name:?}"
            );
        }
        assert_eq!(DeviceName::new(""), Err(DeviceNameError::Empty));
        assert_eq!(
            DeviceName::new("A".repeat(51)),
            Err(DeviceNameError::TooLong { found: 51 })
        );
        assert!(DeviceName::new("A".repeat(50)).is_ok());
    }

    #[test]
    fn the_prefix_tells_the_kind() {
        for (name, kind) in [
            ("CSFrado", Some(DeviceKind::Csf)),
            ("TCTRADO", Some(DeviceKind::Tct)),
            ("BOTRADO", Some(DeviceKind::Bot)),
            ("TABRADO", Some(DeviceKind::Tab)),
            ("SEP001122334455", Some(DeviceKind::Sep)),
            ("rado", None),
        ] {
            assert_eq!(DeviceName::new(name).unwrap().kind(), kind, "{name}");
        }
    }

    #[test]
    fn each_service_has_its_scheme_and_port() {
        let name = DeviceName::new("CSFrado").unwrap();
        for (service, url) in [
            (Service::Plain, "http://192.0.2.1:6970/CSFrado.cnf.xml"),
            (Service::Token, "https://192.0.2.1:6971/CSFrado.cnf.xml"),
            (Service::Tls, "https://192.0.2.1:6972/CSFrado.cnf.xml"),
        ] {
            assert_eq!(name.url(service, "192.0.2.1"), url);
        }
        assert_eq!(
            name.plain_url("2001:db8::1", 8080),
            "http://[2001:db8::1]:8080/CSFrado.cnf.xml"
        );
    }

    #[test]
    fn the_name_is_found_in_a_file_name_of_any_form() {
        for path in [
            "CSFrado.cnf.xml",
            "/tmp/CSFrado.cnf.xml.sgn",
            "c:\\x\\CSFrado.cnf.xml.enc.sgn",
            "CSFrado",
        ] {
            assert_eq!(
                DeviceName::from_file_name(path).unwrap().as_str(),
                "CSFrado"
            );
        }
    }
}

mod oauth_elements {
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
    }

    #[test]
    fn the_server_shows_the_name_of_the_node() {
        let config = read(&jabber().to_xml().unwrap());
        let target = &config.registration_targets(Place::OnPremises).unwrap()[0];
        assert_eq!(target.server_identity.as_deref(), Some("cucm1.example.com"));
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
}

mod values {
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
             <commonConfig><webAccess>1</webAccess><sshAccess></sshAccess></commonConfig>\
             <vendorConfig><webAccess>2</webAccess></vendorConfig></device>",
        );
        let setting = |name| {
            config
                .vendor_setting(name)
                .map(|setting| setting.value.into_owned())
        };
        assert_eq!(setting("webAccess").as_deref(), Some("2"));
        assert_eq!(setting("sshAccess").as_deref(), Some("0"));
        assert_eq!(setting("ice").as_deref(), Some("3"));
        assert_eq!(setting("telnet"), None);
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
            "<device><TVS><members><member><address></address></member><member><address>192.0.2.1</address></member>\
             </members></TVS><phoneServices useHTTPS=\"true\"><provisioning>2</provisioning><phoneService type=\"1\">\
             <name>Missed Calls</name><url>Application:Cisco/MissedCalls</url></phoneService></phoneServices></device>",
        );
        let servers = config.trust_verification_servers().unwrap();
        assert_eq!((servers.len(), servers[0].port.value), (1, 2445));
        let service = config.phone_services().next().unwrap();
        assert_eq!(service.kind().unwrap(), "1");
        assert_eq!(
            service.url().unwrap().value,
            "Application:Cisco/MissedCalls"
        );
    }

    #[test]
    fn neither_text_nor_passwords_are_printed() {
        let config = read(
            "<device><sshPassword>hunter2</sshPassword><sipProfile><sipLines><line><name>2001</name>\
             <authPassword>hunter2</authPassword></line></sipLines></sipProfile></device>",
        );
        let line = config.lines().next().unwrap();
        assert!(line.has_auth_password());
        let printed = format!(
            "{config:?} {:?} {line:?} {:?} {:?}",
            config.document(),
            config.root(),
            config.findings()
        );
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}

mod reading_rules {
    use super::*;

    fn refused(text: &str) -> (ReadErrorKind, String) {
        let error = DeviceConfig::read(text.as_bytes(), &Limits::default()).expect_err(text);
        (error.kind().clone(), error.position().path.clone())
    }

    #[test]
    fn the_root_of_the_product_is_read_with_its_unbound_prefix_and_two_spaces() {
        let text = "<device  xsi:type=\"axl:XIPPhone\" ctiid=\"24\" uuid=\"{6154365f-920b-dc71-b6ff-d23f602e94fb}\"></device>";
        let config = read(text);
        assert_eq!(
            config.root().attribute("xsi:type").unwrap().value(),
            "axl:XIPPhone"
        );
        assert_eq!(config.ctiid().unwrap(), Some(24));
        assert_eq!(
            config.uuid().unwrap(),
            "{6154365f-920b-dc71-b6ff-d23f602e94fb}"
        );
        assert_eq!(config.source(), text.as_bytes());
    }

    #[test]
    fn empty_is_not_missing() {
        let config = read("<device><certHash></certHash></device>");
        assert_eq!(config.cert_hash().unwrap().value, "");
        assert!(config.version_stamp().is_none());
    }

    #[test]
    fn names_are_not_searched_outside_their_scope() {
        let config = read(
            "<device><name>elsewhere</name><devicePool><x><name>deeper</name></x></devicePool></device>",
        );
        assert!(config.device_pool_name().is_none());
    }

    #[test]
    fn references_cdata_and_comments_are_resolved_in_text() {
        let config = read(
            "<device><loadInformation>a&amp;b&#x21;<!-- c --><![CDATA[<d>]]>\r\ne</loadInformation></device>",
        );
        assert_eq!(config.load_information().unwrap().value, "a&b!<d>\ne");
    }

    #[test]
    fn a_byte_order_mark_stays_and_counts() {
        let text = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><device><sipOAuthMode>x</sipOAuthMode></device>";
        let config = read(text);
        assert_eq!(config.source(), text.as_bytes());
        let position = config.sip_oauth_mode().unwrap_err().position;
        assert_eq!(
            (position.offset, position.line, position.column),
            (63, 1, 61)
        );
    }

    /// One line per case: what is refused, and where.
    #[test]
    fn what_the_tokeniser_lets_through_is_refused_by_name() {
        use ReadErrorKind as K;
        let entity = |name: &str| K::Entity {
            name: name.to_owned(),
        };
        let second = |name: &str| K::SecondRoot {
            found: name.to_owned(),
        };
        let wrong = K::WrongRoot {
            found: "html".to_owned(),
            expected: "device".to_owned(),
        };
        let cases = [
            ("<!DOCTYPE device><device/>", K::Doctype, ""),
            ("<!doctype device><device/>", K::Doctype, ""),
            ("<html>404</html>", wrong, ""),
            ("<device/><device/>", second("device"), ""),
            ("<device/>x", K::TextOutsideRoot, ""),
            ("x<device/>", K::TextOutsideRoot, ""),
            ("<device/>&amp;", K::TextOutsideRoot, ""),
            ("<device/><![CDATA[x]]>", K::TextOutsideRoot, ""),
            ("<device>&nbsp;</device>", entity("nbsp"), "/device"),
            ("<device a='&file;'/>", entity("file"), ""),
            (
                "<device><a>&#1;</a></device>",
                K::Character { code: 1 },
                "/device/a",
            ),
            (
                "<device><a>\u{1}</a></device>",
                K::Character { code: 1 },
                "",
            ),
            (
                "<device><a>\u{fffe}</a></device>",
                K::Character { code: 0xFFFE },
                "",
            ),
            (
                "",
                K::Empty {
                    expected: "device".to_owned(),
                },
                "",
            ),
            (
                " \n",
                K::Empty {
                    expected: "device".to_owned(),
                },
                "",
            ),
            (
                "<!-- nothing -->",
                K::Empty {
                    expected: "device".to_owned(),
                },
                "",
            ),
        ];
        for (text, kind, path) in cases {
            assert_eq!(refused(text), (kind, path.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_refused_at_its_element() {
        for (text, path) in [
            ("<device><a></b></device>", "/device/a"),
            ("<device><a>", "/device/a"),
            ("<device", ""),
            ("<device a='1' a='2'/>", ""),
            ("<device a=1/>", ""),
            ("<device a='<'/>", ""),
            ("<device a='1'b='2'/>", ""),
            ("<device>]]></device>", "/device"),
            ("<device><!-- -- --></device>", "/device"),
            ("<device><1/></device>", "/device"),
            ("<device>a & b</device>", "/device"),
            ("<device><?xml version='1.0'?></device>", "/device"),
            (" <?xml version='1.0'?><device/>", ""),
            ("<?xml encoding='UTF-8'?><device/>", ""),
        ] {
            let (kind, found) = refused(text);
            assert!(
                matches!(kind, ReadErrorKind::NotWellFormed { .. }),
                "{text}: {kind:?}"
            );
            assert_eq!(found, path, "{text}");
        }
    }

    #[test]
    fn other_encodings_are_refused_with_the_name_they_gave() {
        let latin =
            b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><device><a>Z\xFCrich</a></device>";
        let error = DeviceConfig::read(latin, &Limits::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the encoding is ISO-8859-1, only UTF-8 is read, at byte 0 (line 1, column 1)"
        );
        let error = DeviceConfig::read(b"\xFF\xFE<\0d\0", &Limits::default()).unwrap_err();
        assert!(
            error.to_string().starts_with("the encoding is UTF-16"),
            "{error}"
        );
        let error = DeviceConfig::read(b"<device>\n<a>Z\xFCrich</a></device>", &Limits::default())
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.position().offset),
            (&ReadErrorKind::NotUtf8, 13)
        );
    }

    #[test]
    fn every_limit_is_a_value_and_the_file_at_the_limit_is_read() {
        let limits = Limits {
            max_bytes: 60,
            max_depth: 2,
            max_elements: 3,
            max_attributes: 1,
            max_text_bytes: 4,
        };
        let read = |text: &str| {
            DeviceConfig::read(text.as_bytes(), &limits).map_err(|error| error.kind().clone())
        };
        assert!(read("<device b=\"1234\"><a>1234</a><a/></device>").is_ok());
        assert_eq!(
            read(&" ".repeat(61)).unwrap_err(),
            ReadErrorKind::TooLarge { found: 61, max: 60 }
        );
        assert_eq!(
            read("<device><a><b/></a></device>").unwrap_err(),
            ReadErrorKind::TooDeep { max: 2 }
        );
        assert_eq!(
            read("<device><a/><a/><a/></device>").unwrap_err(),
            ReadErrorKind::TooManyElements { max: 3 }
        );
        assert_eq!(
            read("<device a='' b=''/>").unwrap_err(),
            ReadErrorKind::TooManyAttributes { max: 1 }
        );
        assert_eq!(
            read("<device a='12345'/>").unwrap_err(),
            ReadErrorKind::TextTooLong { max: 4 }
        );
        assert_eq!(
            read("<device>12345</device>").unwrap_err(),
            ReadErrorKind::TextTooLong { max: 4 }
        );
        assert_eq!(
            read("<device><!--1--></device>").unwrap_err(),
            ReadErrorKind::TextTooLong { max: 4 }
        );
    }

    #[test]
    fn a_hundred_thousand_nested_elements_are_refused_at_the_limit() {
        let text = format!("<device>{}", "<a>".repeat(100_000));
        let (kind, _) = refused(&text);
        assert_eq!(kind, ReadErrorKind::TooDeep { max: 32 });
    }
}

mod inventory {
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
        let root = "<device  xsi:type=\"axl:XIPPhone\" ctiid=\"24\" uuid=\"{6154365f-920b-dc71-b6ff-d23f602e94fb}\">\n";
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
}

mod signed_and_encrypted {
    use super::*;

    #[test]
    fn a_signed_file_is_recognised_and_says_what_to_do() {
        let signed =
            b"\x01\x00\x02\x01\x00\x02\x00\x02\x02\x65<?xml version=\"1.0\"?>\n<device></device>";
        let error = DeviceConfig::read(signed, &Limits::default()).unwrap_err();
        assert_eq!(error.kind(), &ReadErrorKind::Signed { document: 10 });
        assert!(
            error
                .to_string()
                .contains("fetch the file without the .sgn suffix"),
            "{error}"
        );
    }

    #[test]
    fn the_plain_file_inside_a_signed_one_is_read_when_asked_and_only_then() {
        let plain = jabber().to_xml().unwrap();
        let signed = [b"\x01\x00\x02\x01\x00\x9F\xFF".as_slice(), plain.as_bytes()].concat();
        assert!(DeviceConfig::read(&signed, &Limits::default()).is_err());
        let opened = DeviceConfig::read_unverified(&signed, &Limits::default()).unwrap();
        assert_eq!(opened.config.source(), plain.as_bytes());
        assert_eq!(opened.signature.unwrap().range(), 0..7);
        let opened = DeviceConfig::read_unverified(plain.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(opened.signature, None);
    }

    #[test]
    fn an_encrypted_file_is_recognised_and_says_what_to_do() {
        let error = DeviceConfig::read(
            b"\x01\x00\x02\x01\x00\x9F\x8E\x00\xFF\x17",
            &Limits::default(),
        )
        .unwrap_err();
        assert_eq!(error.kind(), &ReadErrorKind::Encrypted);
        assert!(
            error.to_string().contains("TFTP Encrypted Config"),
            "{error}"
        );
    }
}

mod registering_again {
    use super::*;

    #[test]
    fn what_decides_where_and_how_to_register_needs_a_restart() {
        let text = jabber().to_xml().unwrap();
        let old = read(&text);
        for (from, to, path) in [
            (
                ">5190<",
                ">5191<",
                "/device/devicePool/callManagerGroup/members",
            ),
            (
                "priority=\"1\"",
                "priority=\"7\"",
                "/device/devicePool/callManagerGroup/members",
            ),
            ("<name>2001<", "<name>2002<", "/device/sipProfile/sipLines"),
            (
                "<sipOAuthMode>1<",
                "<sipOAuthMode>0<",
                "/device/sipOAuthMode",
            ),
            (
                "<transportLayerProtocol>3<",
                "<transportLayerProtocol>1<",
                "/device/transportLayerProtocol",
            ),
            (
                "<timerRegisterDelta>5<",
                "<timerRegisterDelta>6<",
                "/device/sipProfile/sipStack",
            ),
        ] {
            assert!(text.contains(from), "{from}");
            assert_eq!(
                old.restart_reasons(&read(&text.replace(from, to))),
                [path],
                "{from}"
            );
        }
    }

    #[test]
    fn what_does_not_decide_needs_none() {
        let text = jabber().to_xml().unwrap();
        let old = read(&text);
        for (from, to) in [
            ("<phoneLabel>", "<phoneLabel>x"),
            ("<versionStamp>", "<versionStamp>1"),
            ("<members>", "<members> <!-- comment -->"),
            ("<certHash></certHash>", ""),
        ] {
            assert!(text.contains(from), "{from}");
            assert!(
                !old.is_restart_needed(&read(&text.replace(from, to))),
                "{from}"
            );
        }
    }
}

mod judging {
    use super::*;

    fn rules(text: &str) -> Vec<Rule> {
        read(text)
            .findings()
            .into_iter()
            .map(|finding| finding.rule)
            .collect()
    }

    #[test]
    fn each_contradiction_is_found_alone() {
        let good = jabber().to_xml().unwrap();
        let table = [
            (
                Rule::NotEncrypted,
                "<deviceSecurityMode>3<",
                "<deviceSecurityMode>1<",
            ),
            (
                Rule::NotTls,
                "<transportLayerProtocol>3<",
                "<transportLayerProtocol>4<",
            ),
            (
                Rule::EncryptedConfiguration,
                "<encrConfig>false<",
                "<encrConfig>true<",
            ),
            (Rule::CapfPending, "<capfAuthMode>0<", "<capfAuthMode>2<"),
            (
                Rule::ShortConfiguration,
                "<fullConfig>true<",
                "<fullConfig>false<",
            ),
            (
                Rule::NotSip,
                "<deviceProtocol>SIP<",
                "<deviceProtocol>SCCP<",
            ),
            (
                Rule::PortsEqual,
                "<sipOAuthPort>5190<",
                "<sipOAuthPort>5191<",
            ),
            (
                Rule::PortOutOfRange,
                "<sipOAuthPort>5190<",
                "<sipOAuthPort>443<",
            ),
            (
                Rule::OauthPortMissing,
                "<sipOAuthPort>5190</sipOAuthPort>",
                "",
            ),
            (
                Rule::UnreadableValue,
                "<sipOAuthPort>5190<",
                "<sipOAuthPort>fifty<",
            ),
            (
                Rule::HostNotFqdn,
                "<processNodeName>cucm2.example.com<",
                "<processNodeName>192.0.2.2<",
            ),
            (
                Rule::NodeWithoutName,
                "<processNodeName>cucm2.example.com<",
                "<processNodeName><",
            ),
            (
                Rule::RepeatedNode,
                "<processNodeName>cucm2.example.com<",
                "<processNodeName>CUCM1.example.com<",
            ),
            (Rule::NoUsableLine, "<name>2001<", "<name><"),
            (
                Rule::LineWithProxy,
                "<proxy>USECALLMANAGER<",
                "<proxy>192.0.2.9<",
            ),
            (
                Rule::DigestCredentials,
                "<callWaiting>",
                "<authPassword>x</authPassword><callWaiting>",
            ),
            (
                Rule::DeltaTooLong,
                "<timerRegisterDelta>5<",
                "<timerRegisterDelta>3600<",
            ),
            (Rule::SipOauthOff, "<sipOAuthMode>1<", "<sipOAuthMode>0<"),
            (Rule::MissingForJabber, "<enableVad>false</enableVad>", ""),
            (
                Rule::RepeatedElement,
                "<encrConfig>",
                "<sipOAuthMode>1</sipOAuthMode><encrConfig>",
            ),
        ];
        for (rule, from, to) in table {
            assert!(good.contains(from), "{rule:?}");
            assert_eq!(rules(&good.replace(from, to)), [rule], "{from} -> {to}");
        }
    }

    #[test]
    fn a_node_older_than_the_feature_is_an_error() {
        let text = file(
            "1",
            "3",
            "3",
            &member("0", "cucm1.example.com", "<sipPort>5060</sipPort>"),
        );
        assert!(rules(&text).contains(&Rule::NodeWithoutOauthPorts));
    }

    #[test]
    fn the_gravest_stands_first_and_each_says_where_why_and_what_to_do() {
        let config = read("<device><sipOAuthMode>1</sipOAuthMode></device>");
        let findings = config.findings();
        assert_eq!(findings[0].severity, Severity::Error);
        assert!(findings.is_sorted_by(|a, b| a.severity >= b.severity));
        for finding in &findings {
            assert!(finding.position.path.starts_with("/device"), "{finding}");
            assert!(
                finding.why.ends_with('.') && finding.fix.ends_with('.'),
                "{finding}"
            );
        }
        let not_tls = findings
            .iter()
            .find(|finding| finding.rule == Rule::NotTls)
            .unwrap();
        assert_eq!(
            (not_tls.position.path.as_str(), not_tls.position.offset),
            ("/device/transportLayerProtocol", 0)
        );
    }

    #[test]
    fn a_hostile_file_has_a_hundred_findings_at_most() {
        let config = read(&file("1", "3", "3", &member("x", "{$ip}", "").repeat(2000)));
        assert!(config.findings().len() <= 101);
    }
}

mod changing {
    use super::*;

    #[test]
    fn the_port_of_one_node_changes_and_no_other_byte() {
        let before = jabber().to_xml().unwrap();
        let mut config = read(&before);
        let edit = config.set_sip_oauth_port(1, 5999).unwrap();
        assert_eq!(&before[edit.replaced.range()], "5190");
        assert_eq!(
            config.source(),
            before.replace(">5190<", ">5999<").as_bytes()
        );
        assert_eq!(
            config.registration_targets(Place::OnPremises).unwrap()[1].port,
            5999
        );
    }

    #[test]
    fn attributes_and_self_closing_elements_can_be_set() {
        let mut config = read("<device ctiid='24'><a /></device>");
        config.set("/device/@ctiid", "'9'\t").unwrap();
        config.set("a", "<1>").unwrap();
        let expected: &[u8] = b"<device ctiid='&apos;9&apos;&#9;'><a >&lt;1&gt;</a></device>";
        assert_eq!(config.source(), expected);
        assert_eq!(config.root().attribute("ctiid").unwrap().value(), "'9'\t");
    }

    #[test]
    fn what_cannot_be_set_says_so_and_changes_nothing() {
        let text = "<device><a><b/><b/></a></device>";
        let mut config = read(text);
        assert!(matches!(
            config.set("/device/a/c", "1"),
            Err(EditError::NoSuchElement { .. })
        ));
        assert!(matches!(
            config.set("/device/a/b", "1"),
            Err(EditError::Ambiguous { count: 2, .. })
        ));
        assert!(matches!(
            config.set("/device/a/b[3]", "1"),
            Err(EditError::NoSuchElement { .. })
        ));
        assert!(matches!(
            config.set("/device/a/b[0]", "1"),
            Err(EditError::NoSuchElement { .. })
        ));
        assert!(matches!(
            config.set("/device/a/@x", "1"),
            Err(EditError::NoSuchElement { .. })
        ));
        assert!(matches!(
            config.set("/device/a", "1"),
            Err(EditError::NotALeaf { .. })
        ));
        assert!(matches!(
            config.set("/device/a/b[1]", "\u{1}"),
            Err(EditError::Character { code: 1, .. })
        ));
        let long = "x".repeat(Limits::default().max_text_bytes + 1);
        assert!(matches!(
            config.set("/device/a/b[1]", &long),
            Err(EditError::Refused(_))
        ));
        assert_eq!(config.source(), text.as_bytes());
    }

    #[test]
    fn a_node_or_line_that_comes_and_goes_leaves_no_trace() {
        let unix = jabber().to_xml().unwrap();
        for before in [
            unix.clone(),
            unix.replace('\n', "\r\n"),
            unix.replace('\n', ""),
            unix.replace("\n<", "\n  <"),
        ] {
            let mut config = read(&before);
            let added = config
                .add_member(&Member {
                    priority: 2,
                    ..Member::new("cucm3.example.com")
                })
                .unwrap();
            assert!(added.replaced.is_empty());
            assert_eq!(
                config.registration_targets(Place::OnPremises).unwrap()[2].host,
                "cucm3.example.com"
            );
            config.remove_member(2).unwrap();
            assert_eq!(config.source(), before.as_bytes());
            config
                .add_line(&LineSettings {
                    button: 2,
                    ..LineSettings::new("2002")
                })
                .unwrap();
            assert_eq!(config.lines().nth(1).unwrap().name().unwrap().value, "2002");
            config.remove_line(1).unwrap();
            assert_eq!(config.source(), before.as_bytes());
        }
    }

    #[test]
    fn the_first_node_can_be_added_and_the_root_cannot_be_removed() {
        let text = "<device><devicePool><callManagerGroup><members/></callManagerGroup></devicePool></device>";
        for text in [
            text,
            &text.replace("<members/>", "<members><!-- none --></members>"),
        ] {
            let mut config = read(text);
            config.add_member(&Member::new("192.0.2.1")).unwrap();
            assert_eq!(
                config.registration_targets(Place::OnPremises).unwrap()[0].port,
                5060
            );
            let before = config.source().to_vec();
            assert!(matches!(
                config.remove_member(1),
                Err(EditError::NoSuchElement { .. })
            ));
            assert!(matches!(
                config.add_line(&LineSettings::new("1")),
                Err(EditError::NoSuchElement { .. })
            ));
            assert_eq!(config.source(), before);
        }
        let mut document = Document::read(b"<a><b/></a>", "a", &Limits::default()).unwrap();
        assert!(matches!(document.remove("/a"), Err(EditError::Refused(_))));
    }
}
