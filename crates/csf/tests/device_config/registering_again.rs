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
