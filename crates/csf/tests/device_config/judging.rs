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

#[test]
fn a_file_that_fills_its_limits_is_read_and_judged_in_bounded_time() {
    let start = std::time::Instant::now();
    let nodes = "<member  priority=\"x\"></member>".repeat(19_000);
    let lines = "<line><featureID>x</featureID></line>".repeat(9_900);
    for text in [
        file("1", "3", "3", &nodes),
        format!("<device><sipProfile><sipLines>{lines}</sipLines></sipProfile></device>"),
        format!(
            "<device>{}</device>",
            "<sipOAuthMode>&#49;</sipOAuthMode>".repeat(19_000)
        ),
        format!(
            "<device><sipOAuthMode>{}</sipOAuthMode></device>",
            "&#49;".repeat(100_000)
        ),
    ] {
        let mut config = read(&text);
        assert!(config.findings().len() <= 101);
        let _ = config.registration_targets(Place::Mra);
        let _ = Device::try_from(&config);
        assert!(!config.is_restart_needed(&config));
        let _ = config.set("/device/sipOAuthMode", "0");
        let _ = config.remove_member(18_999);
    }
    // Linear work takes a second or two in an unoptimised build on a busy machine, quadratic work minutes.
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}
