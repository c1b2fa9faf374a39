//! Signed and encrypted forms, to recognise them.

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
