//! The promises of device configuration files.

use sip_oauth_csf::{
    Device, DeviceConfig, Edit, EditError, Element, Limits, LineSettings, Member, Place,
};

/// A file that was read is kept byte for byte, and every question about it has an answer.
pub fn device_xml(data: &[u8]) {
    let Ok(config) = DeviceConfig::read(data, &Limits::default()) else {
        return;
    };
    assert_eq!(config.source(), data, "reading changes nothing");
    for place in [Place::OnPremises, Place::Mra] {
        if let Ok(targets) = config.registration_targets(place) {
            assert!(targets.iter().all(|target| !target.host.is_empty()));
        }
    }
    let findings = config.findings();
    for finding in &findings {
        assert!(finding.position.offset <= data.len());
    }
    if Device::try_from(&config).is_err() {
        assert!(!findings.is_empty(), "what cannot be read is found");
    }
    let mut end = 0;
    visit(config.root(), &mut |element| {
        let (all, content) = (element.span(), element.content_span());
        assert!(all.start <= content.start && content.end <= all.end && all.end <= data.len());
        assert!(all.start >= end, "elements begin in document order");
        end = all.start;
        if !config.document().encoding().starts_with("UTF-16") {
            let bytes = data.get(all.range()).unwrap_or_default();
            assert!(bytes.starts_with(b"<") && bytes.ends_with(b">"));
            let behind = data.get(content.end..).unwrap_or_default();
            assert!(element.is_self_closing() || behind.starts_with(b"</"));
            let before = data.get(..content.start).unwrap_or_default();
            assert!(before.ends_with(b">"));
        }
        let _ = element.text();
        for attribute in element.attributes() {
            let (value, _) = (attribute.span(), attribute.value());
            assert!(all.start < value.start && value.end < content.start.max(all.end));
        }
    });
    assert!(!config.is_restart_needed(&config), "nothing has changed");
}

fn visit<'a>(element: Element<'a>, each: &mut impl FnMut(Element<'a>)) {
    each(element);
    for child in element.children() {
        visit(child, each);
    }
}

/// A device that was read from a file is the same when it was written and read again.
pub fn device_xml_round_trip(data: &[u8]) {
    let Ok(config) = DeviceConfig::read(data, &Limits::default()) else {
        return;
    };
    let Ok(device) = Device::try_from(&config) else {
        return;
    };
    let xml = device.to_xml().expect("what was read can be written");
    // A complete file is longer than the one it was taken from.
    let limits = Limits {
        max_bytes: usize::MAX,
        max_elements: usize::MAX,
        max_text_bytes: usize::MAX,
        ..Limits::default()
    };
    let again = DeviceConfig::read(xml.as_bytes(), &limits).expect("what was written can be read");
    assert_eq!(Device::try_from(&again).as_ref(), Ok(&device));
    assert_eq!(device.to_xml().as_ref(), Ok(&xml));
}

/// An edit changes the bytes it says and no others, and one that fails changes none.
///
/// The first byte chooses what to do, the second where, the third how long the text is that follows; the rest is a file.
pub fn device_xml_edit(data: &[u8]) {
    let [what, place, length, rest @ ..] = data else {
        return;
    };
    let Some((text, file)) = rest.split_at_checked(usize::from(*length)) else {
        return;
    };
    let (Ok(text), Ok(mut config)) = (
        std::str::from_utf8(text),
        DeviceConfig::read(file, &Limits::default()),
    ) else {
        return;
    };
    let place = usize::from(*place);
    let mut elements = Vec::new();
    visit(config.root(), &mut |element| elements.push(element));
    let chosen = elements.get(place % elements.len());
    let path = chosen.map(|element| element.path()).unwrap_or_default();
    let attribute = chosen.and_then(|element| element.attributes().next());
    let attribute = attribute.map(sip_oauth_csf::Attribute::path);
    let edit = match what % 7 {
        0 | 1 => config.set(&path, text),
        2 => match attribute {
            Some(path) => config.set(&path, text),
            None => return,
        },
        3 => config.add_member(&Member::new(text)),
        4 => config.remove_member(place),
        5 => config.add_line(&LineSettings::new(text)),
        _ => config.remove_line(place),
    };
    check(file, &config, &edit);
    if let (Ok(_), 0 | 1) = (&edit, what % 7) {
        let element = config.document().element_at(&path);
        let found = element.expect("an element stays where it is").text();
        assert_eq!(
            found.trim(),
            text.trim(),
            "what was set is what is read, in the white space that was there"
        );
    }
}

fn check(before: &[u8], config: &DeviceConfig, edit: &Result<Edit, EditError>) {
    let after = config.source();
    match edit {
        Ok(edit) => {
            assert_eq!(
                after.get(..edit.inserted.start),
                before.get(..edit.replaced.start)
            );
            assert_eq!(
                after.get(edit.inserted.end..),
                before.get(edit.replaced.end..)
            );
        }
        Err(_) => assert_eq!(after, before, "a failed edit changes nothing"),
    }
    let again = DeviceConfig::read(after, &Limits::default()).expect("an edited file can be read");
    assert_eq!(
        again.document().element_count(),
        config.document().element_count()
    );
}
