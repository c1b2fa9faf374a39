//! Companions of a device file.

use super::*;

fn read(policies: &str, phone: &str) -> JabberConfig {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<config version=\"1.0\">\n<Client><IP_Mode>Two_Stacks</IP_Mode></Client>\
         <Policies>{policies}</Policies>\n<Phone>{phone}</Phone></config>\n"
    );
    let config = JabberConfig::read(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(config.document().source(), text.as_bytes());
    config
}

#[test]
fn what_a_jabber_configuration_leaves_out_has_the_documented_default() {
    let config = read("", "");
    assert!(config.voice_services_domain().is_none());
    assert_eq!(config.excluded_services().unwrap().value, []);
    assert!(!config.sso_email_prompt().unwrap().value);
    assert!(config.telephony_enabled().unwrap().value);
    assert!(config.voicemail_enabled().unwrap().value);
    assert!(config.sso_enabled().unwrap().value);
    assert!(config.tftp_servers().is_empty());
    assert_eq!(config.findings(), []);
    assert_eq!(
        config.setting("Client", "IP_Mode").unwrap().value,
        "Two_Stacks"
    );
}

#[test]
fn servers_of_a_jabber_configuration_stand_in_their_order_and_know_their_bytes() {
    let config = read(
        "<ServicesDomainSsoEmailPrompt>ON</ServicesDomainSsoEmailPrompt>",
        "<TftpServer2>cucm2.example.com</TftpServer2><TftpServer1>cucm1.example.com</TftpServer1>\
         <CcmcipServer1></CcmcipServer1><CtiServer1>192.0.2.1</CtiServer1>",
    );
    let servers = config.tftp_servers();
    assert_eq!(servers[0].value, "cucm1.example.com");
    assert_eq!(
        &config.document().source()[servers[1].span().unwrap().range()],
        b"cucm2.example.com"
    );
    assert!(config.ccmcip_servers().is_empty());
    assert_eq!(config.cti_servers()[0].value, "192.0.2.1");
    assert!(config.sso_email_prompt().unwrap().value);
}

#[test]
fn services_that_are_switched_off_are_off_and_no_fault_of_the_file() {
    let config = read("<Voicemail_Enabled>false</Voicemail_Enabled>", "");
    assert!(!config.voicemail_enabled().unwrap().value);
    assert_eq!(config.findings(), []);
    // Documented in no section, so read in any.
    for (policies, phone) in [
        ("<SSO_Enabled>FALSE</SSO_Enabled>", ""),
        ("", "<SSO_Enabled>FALSE</SSO_Enabled>"),
    ] {
        let config = read(policies, phone);
        let enabled = config.sso_enabled().unwrap();
        assert!(!enabled.value);
        assert_eq!(
            &config.document().source()[enabled.span().unwrap().range()],
            b"FALSE"
        );
        assert_eq!(config.findings(), []);
    }
}

#[test]
fn each_thing_that_keeps_a_jabber_client_from_its_node_is_found_alone() {
    for (rule, policies, phone, path) in [
        (
            Rule::TelephonyDisabled,
            "<Telephony_Enabled>False</Telephony_Enabled>",
            "",
            "/config/Policies/Telephony_Enabled",
        ),
        (
            Rule::UdsExcluded,
            "<ServiceDiscoveryExcludedServices> webex, CUCM\n</ServiceDiscoveryExcludedServices>",
            "",
            "/config/Policies/ServiceDiscoveryExcludedServices",
        ),
        (
            Rule::UnreadableValue,
            "<ServiceDiscoveryExcludedServices>UCM</ServiceDiscoveryExcludedServices>",
            "",
            "/config/Policies/ServiceDiscoveryExcludedServices",
        ),
        (
            Rule::UnreadableValue,
            "<Voicemail_Enabled>no</Voicemail_Enabled>",
            "",
            "/config/Policies/Voicemail_Enabled",
        ),
        (
            Rule::UnreadableValue,
            "",
            "<SSO_Enabled>no</SSO_Enabled>",
            "/config/Phone/SSO_Enabled",
        ),
        (
            Rule::UnreadableValue,
            "<Telephony_Enabled>no</Telephony_Enabled>",
            "",
            "/config/Policies/Telephony_Enabled",
        ),
        (
            Rule::UnreadableValue,
            "<ServicesDomainSsoEmailPrompt>true</ServicesDomainSsoEmailPrompt>",
            "",
            "/config/Policies/ServicesDomainSsoEmailPrompt",
        ),
        (
            Rule::UnreadableValue,
            "<VoiceServicesDomain>http://example.com</VoiceServicesDomain>",
            "",
            "/config/Policies/VoiceServicesDomain",
        ),
        (
            Rule::TftpServerFixed,
            "",
            "<TftpServer1>192.0.2.1</TftpServer1>",
            "/config/Phone/TftpServer1",
        ),
        (
            Rule::SettingElsewhere,
            "<CtiServer1>192.0.2.1</CtiServer1>",
            "",
            "/config/Policies/CtiServer1",
        ),
        (
            Rule::RepeatedElement,
            "<VoiceServicesDomain>a.example</VoiceServicesDomain><VoiceServicesDomain>b.example</VoiceServicesDomain>",
            "",
            "/config/Policies/VoiceServicesDomain[2]",
        ),
    ] {
        let findings = read(policies, phone).findings();
        let found: Vec<_> = findings
            .iter()
            .map(|finding| (finding.rule, finding.position.path.as_str()))
            .collect();
        assert_eq!(found, [(rule, path)]);
    }
}

#[test]
fn the_jabber_configuration_is_fetched_where_device_files_are() {
    let url = JabberConfig::url(ConfigService::Tls, "2001:db8::1");
    assert_eq!(url, "https://[2001:db8::1]:6972/jabber-config.xml");
    let device = jabber().to_xml().unwrap();
    assert!(JabberConfig::read(device.as_bytes(), &Limits::default()).is_err());
}

const BOOTSTRAP: &str = "<?xml version='1.0' encoding='UTF-8'?>\n<getEdgeConfigResponse version=\"1.0\"><serviceConfig>\
    <service><name>_cisco-uds</name>\
    <server><priority>2</priority><port>443</port><address>cucm2.example.com</address></server>\
    <server><priority>1</priority><address>cucm1.example.com</address></server></service>\
    <service><name>tftpServer</name><address></address><address>cucm3.example.com</address></service></serviceConfig>\
    <edgeConfig><sipEdgeServer><server><address>expe.example.com</address><tlsPort></tlsPort></server></sipEdgeServer>\
    <httpEdgeServer><server><address>expe.example.com</address><tlsPort>443</tlsPort></server></httpEdgeServer>\
    <userUdsServer><server><address>cucm1.example.com</address><tlsPort></tlsPort></server></userUdsServer>\
    <sipRequest><route></route></sipRequest></edgeConfig></getEdgeConfigResponse>";

#[test]
fn the_bootstrap_document_s_servers_stand_by_priority_and_know_their_bytes() {
    let edge = EdgeConfig::read(BOOTSTRAP.as_bytes(), &Limits::default()).unwrap();
    let uds: Vec<_> = edge
        .uds_servers()
        .unwrap()
        .into_iter()
        .map(|server| (server.address.value.into_owned(), server.port.value))
        .collect();
    assert_eq!(
        uds,
        [
            ("cucm1.example.com".to_owned(), 8443),
            ("cucm2.example.com".to_owned(), 443)
        ]
    );
    let sip = edge.sip_edge_servers().unwrap();
    assert!(matches!(sip[0].port.origin, Origin::Empty(_)));
    assert_eq!(sip[0].port.value, 5061);
    let http = edge.http_edge_servers().unwrap();
    assert_eq!(&BOOTSTRAP[http[0].port.span().unwrap().range()], "443");
    let tftp = edge.tftp_servers();
    assert_eq!((tftp.len(), &*tftp[0].value), (1, "cucm3.example.com"));
    assert!(edge.route().is_none());
    let home = edge.user_uds_servers().unwrap();
    assert_eq!(
        (&*home[0].address.value, home[0].port.value),
        ("cucm1.example.com", 8443)
    );
}

/// Catalogue of failures, 41.
#[test]
fn an_answer_without_a_home_cluster_is_found() {
    let rules = |text: &str| -> Vec<Rule> {
        let edge = EdgeConfig::read(text.as_bytes(), &Limits::default()).unwrap();
        let findings = edge.findings().into_iter();
        findings.map(|finding| finding.rule).collect()
    };
    assert_eq!(rules(BOOTSTRAP), []);
    let home = "<address>cucm1.example.com</address><tlsPort></tlsPort>";
    assert!(BOOTSTRAP.contains(home));
    let empty = BOOTSTRAP.replace(home, "<address> </address>");
    assert_eq!(rules(&empty), [Rule::NoHomeUds]);
    // Named by service discovery alone, or by nothing.
    let group = format!("<userUdsServer><server>{home}</server></userUdsServer>");
    assert_eq!(rules(&BOOTSTRAP.replace(&group, "")), []);
    let nothing = "<getEdgeConfigResponse><edgeConfig/></getEdgeConfigResponse>";
    assert_eq!(rules(nothing), [Rule::NoHomeUds]);
    let unreadable = BOOTSTRAP.replace(
        "<tlsPort></tlsPort></server></userUds",
        "<tlsPort>x</tlsPort></server></userUds",
    );
    assert_eq!(rules(&unreadable), [Rule::UnreadableValue]);
}

#[test]
fn a_port_in_the_bootstrap_document_that_is_none_is_an_error_with_its_place() {
    let text = BOOTSTRAP.replace("<tlsPort>443<", "<tlsPort>0<");
    let edge = EdgeConfig::read(text.as_bytes(), &Limits::default()).unwrap();
    let error = edge.http_edge_servers().unwrap_err();
    assert_eq!(
        error.position.path,
        "/getEdgeConfigResponse/edgeConfig/httpEdgeServer/server/tlsPort"
    );
}
