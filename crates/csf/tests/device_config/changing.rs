//! Values, nodes and lines changed, and no other byte.

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
    let text =
        "<device><devicePool><callManagerGroup><members/></callManagerGroup></devicePool></device>";
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

/// What somebody wrote beside a port stays when the port moves.
#[test]
fn an_edit_leaves_the_comment_and_the_blanks_beside_the_value() {
    for (content, port, expected) in [
        (
            " 5090 <!-- agreed with the firewall team -->",
            5190,
            " 5190 <!-- agreed with the firewall team -->",
        ),
        (
            " 5090 <!-- agreed with the firewall team -->",
            5090,
            " 5090 <!-- agreed with the firewall team -->",
        ),
        ("<!-- a -->5090", 5190, "<!-- a -->5190"),
        ("\n<!-- a -->\n\t05090\n", 5090, "\n<!-- a -->\n\t05090\n"),
        ("50<!-- a -->90<?b?> ", 5190, "5190<!-- a --><?b?> "),
        ("<![CDATA[5090]]> ", 5190, "5190 "),
        ("  <!-- none -->", 5190, "5190  <!-- none -->"),
        (" ", 5190, "5190"),
    ] {
        let text = |content: &str| {
            let ports = format!("<sipOAuthPort>{content}</sipOAuthPort>");
            file("1", "3", "3", &member("0", "cucm1.example.com", &ports))
        };
        let mut config = read(&text(content));
        config.set_sip_oauth_port(0, port).unwrap();
        let expected = text(expected);
        assert_eq!(
            std::str::from_utf8(config.source()).unwrap(),
            expected,
            "{content}"
        );
        let targets = config.registration_targets(Place::OnPremises).unwrap();
        assert_eq!(targets[0].port, port);
    }
}

/// A line that does not say its button is on the first, and one without an index is counted all the same.
#[test]
fn what_a_line_does_not_say_is_not_given_to_another() {
    for (line, button, index) in [
        ("<line><name>2001</name></line>", 2, 2),
        ("<line button=\"1\"><name>2001</name></line>", 2, 2),
        (
            "<line lineIndex=\"1\"/><line button=\"3\"><featureID>2</featureID></line>",
            2,
            2,
        ),
        ("<line button=\"2\"><featureID>2</featureID></line>", 1, 1),
    ] {
        let text = format!("<device><sipProfile><sipLines>{line}</sipLines></sipProfile></device>");
        let mut config = read(&text);
        config.add_line(&LineSettings::new("2002")).unwrap();
        let added = Device::try_from(&config).unwrap().lines.pop().unwrap();
        assert_eq!(
            (added.button, added.line_index),
            (button, Some(index)),
            "{line}"
        );
    }
}

/// What is added is set off as its neighbours are, and goes with what set it off.
#[test]
fn a_node_comes_and_goes_in_any_layout() {
    let one = "<member><callManager><processNodeName>cucm1.example.com</processNodeName></callManager></member>";
    for (before, behind, line_end) in [
        ("\n  ", "\n", "\n"),
        ("\n  ", "", "\n"),
        ("\r\n\t", "", "\r\n"),
        ("", "\n", "\n"),
        ("", "", "\n"),
        ("<!-- a\r\nb -->\n", "\n", "\n"),
        ("<!-- a\nb -->\r\n", "", "\r\n"),
    ] {
        let text = format!(
            "<device><devicePool><callManagerGroup><members>{before}{one}{behind}</members></callManagerGroup>\
             </devicePool></device>"
        );
        let mut config = read(&text);
        let edit = config
            .add_member(&Member::new("cucm2.example.com"))
            .unwrap();
        let added = std::str::from_utf8(&config.source()[edit.inserted.range()]).unwrap();
        assert_eq!(
            added.matches('\n').count(),
            added.matches(line_end).count(),
            "{before:?}"
        );
        if line_end == "\n" {
            assert!(!added.contains('\r'), "{before:?}");
        }
        config.remove_member(1).unwrap();
        assert_eq!(config.source(), text.as_bytes(), "{before:?} {behind:?}");
    }
}

/// Buttons count speed dials, indices lines; neither is given twice.
#[test]
fn a_line_keeps_its_index_and_a_new_one_gets_what_is_free() {
    let text = "<device><sipProfile><sipLines><line button=\"1\" lineIndex=\"1\"><featureID>9</featureID></line>\n\
        <line button=\"2\"><featureID>2</featureID></line>\n\
        <line button=\"3\" lineIndex=\"2\"><featureID>9</featureID></line></sipLines></sipProfile></device>";
    let places = |config: &DeviceConfig| -> Vec<(u32, Option<u32>)> {
        let device = Device::try_from(config).unwrap();
        let lines = device.lines.iter();
        lines.map(|line| (line.button, line.line_index)).collect()
    };
    let mut config = read(text);
    assert_eq!(places(&config), [(1, Some(1)), (3, Some(2))]);
    let again = read(&Device::try_from(&config).unwrap().to_xml().unwrap());
    assert_eq!(places(&again), [(1, Some(1)), (3, Some(2))]);

    config.add_line(&LineSettings::new("2003")).unwrap();
    let on_nine = LineSettings {
        button: 9,
        ..LineSettings::new("2004")
    };
    config.add_line(&on_nine).unwrap();
    let without = LineSettings {
        button: 2,
        line_index: None,
        ..LineSettings::new("2005")
    };
    config.add_line(&without).unwrap();
    let expected = [
        (1, Some(1)),
        (3, Some(2)),
        (4, Some(3)),
        (9, Some(4)),
        (5, None),
    ];
    assert_eq!(places(&config), expected);
}
