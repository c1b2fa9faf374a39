//! File names and addresses.

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
fn each_service_has_its_scheme_and_port_and_each_form_its_suffix() {
    let name = DeviceName::new("CSFrado").unwrap();
    for (form, service, url) in [
        (
            FileForm::Plain,
            ConfigService::Plain,
            "http://192.0.2.1:6970/CSFrado.cnf.xml",
        ),
        (
            FileForm::Plain,
            ConfigService::Token,
            "https://192.0.2.1:6971/CSFrado.cnf.xml",
        ),
        // The name a phone in SIP OAuth mode asks for, whose answer is the plain file.
        (
            FileForm::Signed,
            ConfigService::Token,
            "https://192.0.2.1:6971/CSFrado.cnf.xml.sgn",
        ),
        (
            FileForm::EncryptedSigned,
            ConfigService::Tls,
            "https://192.0.2.1:6972/CSFrado.cnf.xml.enc.sgn",
        ),
    ] {
        assert_eq!(name.url(form, service, "192.0.2.1"), url);
        let file = name.file_name_of(form);
        assert_eq!(DeviceName::from_file_name(&file), Ok(name.clone()));
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
