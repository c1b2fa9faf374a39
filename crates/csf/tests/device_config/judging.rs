//! What contradicts SIP OAuth mode.

use super::*;

fn rules(text: &str) -> Vec<Rule> {
    read(text)
        .findings()
        .into_iter()
        .map(|finding| finding.rule)
        .collect()
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table, one row per rule")]
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
            Rule::HostNotFqdn,
            "<processNodeName>cucm2.example.com<",
            "<processNodeName>cucm2<",
        ),
        (
            Rule::HostNotFqdn,
            "<processNodeName>cucm2.example.com<",
            "<processNodeName>192.0.2.300<",
        ),
        (
            Rule::HostNotFqdn,
            "<processNodeName>cucm2.example.com<",
            "<processNodeName>[::ffff:192.0.2.2]<",
        ),
        (
            Rule::PortsEqual,
            "<sipOAuthPort>5190<",
            "<sipOAuthPort>2427<",
        ),
        (
            Rule::PortOutOfRange,
            "<sipMRAOAuthPort>5191<",
            "<sipMRAOAuthPort>49152<",
        ),
        (
            Rule::OauthPortMissing,
            "<sipMRAOAuthPort>5191<",
            "<sipMRAOAuthPort><",
        ),
        (
            Rule::UnreadableValue,
            "<sipOAuthMode>1<",
            "<sipOAuthMode>2<",
        ),
        (
            Rule::NodeWithoutOauthPorts,
            "<sipOAuthPort>5190</sipOAuthPort>\n<sipMRAOAuthPort>5191</sipMRAOAuthPort>\n",
            "",
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
        (
            Rule::RefreshTooSoon,
            "<timerRegisterExpires>3600<",
            "<timerRegisterExpires>24<",
        ),
        (
            Rule::PortsEqual,
            "<sipMRAOAuthPort>5191<",
            "<sipMRAOAuthPort>2000<",
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
fn every_value_registration_needs_is_named_when_it_cannot_be_read() {
    let good = jabber().to_xml().unwrap();
    for name in [
        "fullConfig",
        "sipOAuthMode",
        "deviceSecurityMode",
        "transportLayerProtocol",
        "encrConfig",
        "capfAuthMode",
        "connectionMonitorDuration",
        "sipInviteRetx",
        "sipRetx",
        "timerInviteExpires",
        "timerRegisterExpires",
        "timerRegisterDelta",
        "timerKeepAliveExpires",
        "timerSubscribeExpires",
        "timerSubscribeDelta",
        "timerT1",
        "timerT2",
        "maxRedirects",
        "voipControlPort",
    ] {
        let start = good.find(&format!("<{name}>")).unwrap() + name.len() + 2;
        let end = start + good[start..].find('<').unwrap();
        let text = format!("{}x{}", &good[..start], &good[end..]);
        let findings = read(&text).findings();
        assert_eq!(findings[0].rule, Rule::UnreadableValue, "{name}");
        assert_eq!(findings[0].position.offset, start, "{name}");
        // Nothing is said of a mode nobody knows.
        assert_eq!(findings.len(), 1, "{name}");
    }
    let text = good
        .replace("<sipOAuthMode>1<", "<sipOAuthMode>2<")
        .replace("<encrConfig>false<", "<encrConfig>x<");
    assert_eq!(rules(&text), [Rule::UnreadableValue; 2]);
}

#[test]
fn the_ends_of_the_range_of_ports_are_in_it() {
    let good = jabber().to_xml().unwrap();
    for port in ["1024", "49151"] {
        let text = good.replace("<sipOAuthPort>5190<", &format!("<sipOAuthPort>{port}<"));
        assert_eq!(rules(&text), [], "{port}");
    }
    for port in ["1023", "49152"] {
        let text = good.replace("<sipOAuthPort>5190<", &format!("<sipOAuthPort>{port}<"));
        assert_eq!(rules(&text), [Rule::PortOutOfRange], "{port}");
    }
}

#[test]
fn a_file_without_a_node_and_a_profile_that_contradicts_itself_are_errors() {
    let good = jabber().to_xml().unwrap();
    let (before, rest) = good.split_once("<member  ").unwrap();
    let (_, after) = rest.split_once("</members>").unwrap();
    let none = format!("{before}</members>{after}");
    assert_eq!(rules(&none), [Rule::NoUsableNode]);
    let finding = read(&none).findings().remove(0);
    assert_eq!(
        finding.position.path,
        "/device/devicePool/callManagerGroup/members"
    );
    let text = good
        .replace("<sipOAuthMode>1<", "<sipOAuthMode>0<")
        .replace("<deviceSecurityMode>3<", "<deviceSecurityMode>1<");
    assert_eq!(rules(&text), [Rule::TlsWithoutSecurity, Rule::SipOauthOff]);
}

#[test]
fn ports_that_clash_are_found_at_the_second() {
    let text = jabber()
        .to_xml()
        .unwrap()
        .replace("<sipOAuthPort>5190<", "<sipOAuthPort>2428<");
    let finding = read(&text).findings().remove(0);
    assert_eq!(
        finding.what,
        "sipOAuthPort and mgcpPorts/keepAlive are both 2428"
    );
    assert_eq!(
        finding.position.path,
        "/device/devicePool/callManagerGroup/members/member[2]/callManager/ports/mgcpPorts/keepAlive"
    );
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
    assert!(config.findings().len() <= 100);
}

/// Findings are made in the order of the file's parts; a grave one that is made late must not fall behind mild ones.
#[test]
fn the_gravest_are_kept_when_there_are_more_than_a_hundred() {
    // Every node is a warning (no domain, or the same again); what comes after them are errors.
    let nodes = member("0", "cucm1", OAUTH_PORTS).repeat(150);
    let good = file("1", "3", "3", &nodes);
    assert_eq!(read(&good).findings().len(), 100);
    let text = good.replace("<name>2001<", "<name><");
    let findings = read(&text).findings();
    assert_eq!(findings.len(), 100);
    assert_eq!(findings[0].rule, Rule::NoUsableLine);
    assert!(findings.is_sorted_by(|a, b| a.severity >= b.severity));
    // What was judged first stays.
    let first = findings
        .iter()
        .find(|finding| finding.severity == Severity::Warning);
    assert!(first.unwrap().position.path.contains("member[1]/"));
}

/// A node that names one OAuth port listens on the default of the other.
#[test]
fn an_oauth_port_that_is_the_default_of_the_missing_one_is_equal_to_it() {
    let table = [
        ("<sipOAuthPort>5091</sipOAuthPort>", "sipMRAOAuthPort"),
        (
            "<sipOAuthPort>5091</sipOAuthPort><sipMRAOAuthPort></sipMRAOAuthPort>",
            "sipMRAOAuthPort",
        ),
        ("<sipMRAOAuthPort>5090</sipMRAOAuthPort>", "sipOAuthPort"),
        (
            "<sipPort>5090</sipPort><sipMRAOAuthPort>5091</sipMRAOAuthPort>",
            "sipOAuthPort",
        ),
        // Every node has these two.
        (
            "<sipOAuthPort>5061</sipOAuthPort><sipMRAOAuthPort>5091</sipMRAOAuthPort>",
            "securedSipPort",
        ),
        (
            "<sipOAuthPort>5090</sipOAuthPort><sipMRAOAuthPort>5060</sipMRAOAuthPort>",
            "sipPort",
        ),
    ];
    for (ports, missing) in table {
        let findings = read(&file(
            "1",
            "3",
            "3",
            &member("0", "cucm1.example.com", ports),
        ))
        .findings();
        let equal = findings
            .iter()
            .find(|finding| finding.rule == Rule::PortsEqual);
        let equal = equal.unwrap_or_else(|| panic!("{ports}: {findings:?}"));
        assert!(
            equal.position.path.ends_with(&format!("/ports/{missing}")),
            "{equal}"
        );
    }
    for ports in [
        "<sipOAuthPort>5190</sipOAuthPort>",
        // No such port at all: the node is older than the feature, and a 5090 of its own clashes with nothing.
        "<sipPort>5090</sipPort>",
    ] {
        let text = file("1", "3", "3", &member("0", "cucm1.example.com", ports));
        assert!(!rules(&text).contains(&Rule::PortsEqual), "{ports}");
    }
}

/// Where something stands twice, a reader that takes the last sees another file.
#[test]
fn every_element_that_decides_is_found_when_it_stands_twice() {
    let text = jabber().to_xml().unwrap();
    let text = text.replace(
        "<displayName>",
        "<authPassword></authPassword><displayName>",
    );
    for name in [
        "fullConfig",
        "deviceProtocol",
        "devicePool",
        "TVS",
        "sipProfile",
        "deviceSecurityMode",
        "transportLayerProtocol",
        "capfAuthMode",
        "capfList",
        "certHash",
        "encrConfig",
        "phoneServices",
        "sipOAuthMode",
        "callManagerGroup",
        "srstInfo",
        "connectionMonitorDuration",
        "members",
        "callManager",
        "ports",
        "processNodeName",
        "sipPort",
        "securedSipPort",
        "sipOAuthPort",
        "sipMRAOAuthPort",
        "mgcpPorts",
        "listen",
        "keepAlive",
        "ethernetPhonePort",
        "sipIpAddr1",
        "sipPort3",
        "isSecure",
        "sipStack",
        "startMediaPort",
        "stopMediaPort",
        "sipLines",
        "voipControlPort",
        "timerRegisterExpires",
        "timerRegisterDelta",
        "timerT1",
        "maxRedirects",
        "provisioning",
        "featureID",
        "proxy",
        "contact",
        "authPassword",
    ] {
        // Behind the first one an empty one.
        let end = format!("</{name}>");
        let twice = text.replacen(&end, &format!("{end}<{name}></{name}>"), 1);
        let config = read(&twice);
        let found = config.findings();
        let what = format!("<{name}> stands twice");
        let found = found.iter().find(|finding| finding.what == what);
        let found = found.unwrap_or_else(|| panic!("{name}"));
        assert_eq!(found.rule, Rule::RepeatedElement);
        assert!(
            found.position.path.ends_with(&format!("/{name}[2]")),
            "{}",
            found.position.path
        );
    }
}

/// What refuses a file is an error for the kind that refuses it.
#[test]
fn what_a_csf_refuses_a_file_without_is_judged_by_the_kind_of_device() {
    let text = jabber().to_xml().unwrap();
    let without = text
        .replace("<enableVad>false</enableVad>", "")
        .replace("<certHash></certHash>", "");
    let config = read(&without);
    let found = |findings: Vec<sip_oauth_csf::Finding>| -> Vec<(Rule, Severity)> {
        findings
            .iter()
            .map(|finding| (finding.rule, finding.severity))
            .collect()
    };
    assert_eq!(
        found(config.findings()),
        [(Rule::MissingForJabber, Severity::Note)]
    );
    assert_eq!(
        found(config.findings_for(DeviceKind::Csf)),
        [(Rule::RefusedByCsf, Severity::Error)]
    );
    assert_eq!(
        found(config.findings_for(DeviceKind::Tct)),
        [(Rule::MissingForJabber, Severity::Note)]
    );
    assert_eq!(found(config.findings_for(DeviceKind::Sep)), []);
    assert_eq!(
        config.findings_for(DeviceKind::Csf)[0].what,
        "there is no certHash, enableVad"
    );
}

/// A file without a finding can be taken as a device.
#[test]
fn every_value_a_device_is_made_of_is_found_when_it_cannot_be_read() {
    let mut file = jabber();
    let gateway = |host: &str| Gateway {
        address: host.to_owned(),
        port: 5060,
    };
    file.device.srst_gateways = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
        .map(gateway)
        .to_vec();
    file.device.capf_list.push(Capf {
        phone_port: 3804,
        process_node_name: "cucm1.example.com".to_owned(),
    });
    file.device.phone_services.push(PhoneServiceEntry {
        kind: PhoneServiceKind::Directories,
        category: 7,
        name: "x".to_owned(),
        url: String::new(),
        vendor: String::new(),
        version: String::new(),
    });
    let text = file.to_xml().unwrap();
    let config = read(&text);
    assert_eq!(config.findings(), []);
    let (mut elements, mut attributes, mut settings) = (0, 0, 0);
    // Every number, truth and mode of the file in turn.
    let mut paths = Vec::new();
    let mut open = vec![config.root()];
    while let Some(element) = open.pop() {
        open.extend(element.children());
        if element.is_leaf() {
            paths.push(element.path());
        }
        paths.extend(element.attributes().map(sip_oauth_csf::Attribute::path));
    }
    for path in paths {
        let mut changed = config.clone();
        changed.set(&path, "x").unwrap();
        let findings = changed.findings();
        let found = findings.iter().find(|finding| {
            matches!(
                finding.rule,
                Rule::UnreadableValue | Rule::UnreadableSetting | Rule::NotSip
            )
        });
        match Device::try_from(&changed) {
            Ok(_) => {}
            Err(error) => {
                let found = found.unwrap_or_else(|| panic!("{error}"));
                assert_eq!(found.position.path, error.position.path);
                *if path.contains('@') {
                    &mut attributes
                } else {
                    &mut elements
                } += 1;
                settings += usize::from(found.rule == Rule::UnreadableSetting);
            }
        }
        // Nobody takes the servers for trust verification into a device.
        if path.contains("/TVS/") && (path.ends_with("port") || path.contains('@')) {
            assert_eq!(found.unwrap().position.path, path);
        }
    }
    // 14 ports of nodes, 11 of the stack, 5 of the profile and its line, 4 of SRST, 1 of CAPF, and 8 others; the settings are those
    // of SRST, CAPF and phone services, the port of the line, its index, and the number of the device type.
    assert_eq!((elements, attributes, settings), (44, 8, 12));
}
