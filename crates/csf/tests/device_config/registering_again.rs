//! Which changes need a new registration.

use super::*;

const MEMBERS: &str = "/device/devicePool/callManagerGroup/members";
const LINES: &str = "/device/sipProfile/sipLines";

#[test]
fn what_decides_where_and_how_to_register_needs_a_restart() {
    let text = jabber().to_xml().unwrap();
    let old = read(&text);
    for (from, to, path) in [
        (">5190<", ">5191<", MEMBERS),
        ("priority=\"0\"", "priority=\"7\"", MEMBERS),
        (
            "<processNodeName>cucm1.",
            "<processNodeName>cucm3.",
            MEMBERS,
        ),
        ("<sipMRAOAuthPort>5091<", "<sipMRAOAuthPort>5096<", MEMBERS),
        ("lineIndex=\"1\"", "lineIndex=\"2\"", LINES),
        ("<contact>2001<", "<contact>x<", LINES),
        (
            "<displayName>",
            "<authPassword>x</authPassword><displayName>",
            LINES,
        ),
        (
            "<outboundProxyPort>5060<",
            "<outboundProxyPort>5070<",
            "/device/sipProfile/sipProxies",
        ),
        (
            "<remotePartyID>true<",
            "<remotePartyID>false<",
            "/device/sipProfile/sipStack",
        ),
        ("<name>2001<", "<name>2002<", LINES),
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
        (
            "<encrConfig>false<",
            "<encrConfig>true<",
            "/device/encrConfig",
        ),
        (
            "<deviceSecurityMode>3</deviceSecurityMode>",
            "",
            "/device/deviceSecurityMode",
        ),
        (
            "<remoteCcEnable>true<",
            "<remoteCcEnable>false<",
            "/device/sipProfile/sipCallFeatures/remoteCcEnable",
        ),
        (
            "<dtmfAvtPayload>101<",
            "<dtmfAvtPayload>96<",
            "/device/sipProfile/dtmfAvtPayload",
        ),
        ("<kpml>3<", "<kpml>0<", "/device/sipProfile/kpml"),
        (
            "<startMediaPort>16384<",
            "<startMediaPort>20000<",
            "/device/sipProfile/startMediaPort",
        ),
        (
            "<startVideoPort>",
            "<natEnabled>true</natEnabled><startVideoPort>",
            "/device/sipProfile/natEnabled",
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
        ("<certHash></certHash>", "<certHash> </certHash>"),
        ("<encrConfig>false</encrConfig>", ""),
        ("<fullConfig>true<", "<fullConfig><"),
        ("<capfAuthMode>0</capfAuthMode>", ""),
        ("<voipControlPort>5060</voipControlPort>", ""),
        // Whether a default is written, and how.
        ("<sipOAuthPort>5090</sipOAuthPort>", ""),
        ("<sipOAuthPort>5090<", "<sipOAuthPort> 05090<"),
        ("<sipMRAOAuthPort>5091<", "<sipMRAOAuthPort><"),
        ("<timerT1>500</timerT1>", ""),
        ("<maxRedirects>70<", "<maxRedirects><"),
        ("<deviceProtocol>SIP</deviceProtocol>", ""),
        ("<fullConfig>true<", "<fullConfig>1<"),
        ("<featureID>9</featureID>", ""),
        ("<port>5060</port>", ""),
        // What of a node leads nowhere from here, and in which numbers the same order is written.
        ("<name>cucm1.example.com<", "<name>first<"),
        ("<description>", "<description>x"),
        ("<ethernetPhonePort>2000<", "<ethernetPhonePort>2001<"),
        ("<sipPort>5060<", "<sipPort>5070<"),
        ("<securedSipPort>5061<", "<securedSipPort>5071<"),
        ("<listen>2427<", "<listen>2429<"),
        ("priority=\"1\"", "priority=\"7\""),
        ("uuid=", "x=\"y\" uuid="),
        (
            "<processNodeName>cucm1.example.com<",
            "<processNodeName>CUCM1.example.com<",
        ),
        // What of a line no registration carries.
        ("<featureLabel>2001<", "<featureLabel>Anna<"),
        ("<callWaiting>3<", "<callWaiting>1<"),
        (
            "</sipLines>",
            "<line button=\"2\"><featureID>2</featureID></line></sipLines>",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(
            !old.is_restart_needed(&read(&text.replace(from, to))),
            "{from}"
        );
    }
}

#[test]
fn a_mode_of_0_says_what_a_file_of_an_older_cluster_says() {
    let old = read("<device></device>");
    let off = read("<device><sipOAuthMode>0</sipOAuthMode></device>");
    let on = read("<device><sipOAuthMode>1</sipOAuthMode></device>");
    assert!(!old.is_restart_needed(&off) && !off.is_restart_needed(&old));
    assert!(old.is_restart_needed(&on) && on.is_restart_needed(&old));
}

/// Reference 2.2: 0 is only seen as "not set", which is non secure as a missing element is.
#[test]
fn a_security_mode_of_0_says_what_1_says() {
    let [none, not_set, non_secure, encrypted] = ["", "0", "1", "3"].map(|mode| {
        read(&format!(
            "<device><deviceSecurityMode>{mode}</deviceSecurityMode></device>"
        ))
    });
    assert!(!none.is_restart_needed(&not_set) && !not_set.is_restart_needed(&non_secure));
    assert!(not_set.is_restart_needed(&encrypted));
}

/// As `Device` reads it.
#[test]
fn a_line_without_a_button_is_on_the_first() {
    let [none, first, second] = ["", " button=\"1\"", " button=\"2\""].map(|button| {
        read(&format!(
            "<device><sipProfile><sipLines><line{button}/></sipLines></sipProfile></device>"
        ))
    });
    assert!(!none.is_restart_needed(&first));
    assert!(none.is_restart_needed(&second));
}

/// Such a node is left out by whoever looks for targets, whatever is written.
#[test]
fn a_port_that_cannot_be_read_is_as_good_as_another() {
    let [zero, words, good] = ["0", "words", "5090"].map(|port| {
        let ports = format!("<sipOAuthPort>{port}</sipOAuthPort>");
        read(&file(
            "1",
            "3",
            "3",
            &member("0", "cucm1.example.com", &ports),
        ))
    });
    assert!(!zero.is_restart_needed(&words));
    assert!(zero.is_restart_needed(&good));
}

#[test]
fn a_list_that_comes_or_goes_needs_a_restart() {
    let empty = read("<device></device>");
    let lines =
        read("<device><sipProfile><sipLines><line button=\"1\"/></sipLines></sipProfile></device>");
    assert!(empty.is_restart_needed(&lines) && lines.is_restart_needed(&empty));
}

/// With SIP OAuth mode off the port that the security mode leads to counts, and that of the mode does not.
#[test]
fn the_ports_that_count_are_those_of_the_mode() {
    let node = |ports: &str| member("0", "cucm1.example.com", ports);
    for (mode, security, used, unused) in [
        ("1", "3", "sipOAuthPort", "securedSipPort"),
        ("0", "3", "securedSipPort", "sipOAuthPort"),
        ("0", "1", "sipPort", "securedSipPort"),
    ] {
        let old = read(&file(mode, security, "4", &node("")));
        let with = |port: &str| {
            read(&file(
                mode,
                security,
                "4",
                &node(&format!("<{port}>6000</{port}>")),
            ))
        };
        assert!(old.is_restart_needed(&with(used)), "{mode} {security}");
        assert!(!old.is_restart_needed(&with(unused)), "{mode} {security}");
    }
}
