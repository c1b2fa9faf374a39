//! Which changes need a new registration.

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

#[test]
fn a_list_that_comes_or_goes_needs_a_restart() {
    let empty = read("<device></device>");
    let lines =
        read("<device><sipProfile><sipLines><line button=\"1\"/></sipLines></sipProfile></device>");
    assert!(empty.is_restart_needed(&lines) && lines.is_restart_needed(&empty));
}
