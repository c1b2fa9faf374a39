//! Files in the encodings a declaration may name (XML 1.0 §4.3.3): read, kept as they are, edited in their own bytes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;
use sip_oauth_csf::{DeviceConfig, Limits, LineSettings, Member, Place, ReadErrorKind};

/// A text in an encoding, as another program would write it.
fn encoded(text: &str, encoding: &str) -> Vec<u8> {
    match encoding {
        "UTF-16LE" => [0xFF, 0xFE]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect(),
        "UTF-16BE" => [0xFE, 0xFF]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_be_bytes))
            .collect(),
        // The first 256 characters of Unicode are ISO-8859-1.
        "ISO-8859-1" => text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect(),
        _ => text.as_bytes().to_vec(),
    }
}

/// A file with two nodes, a line end of its own kind and characters of more than one byte in UTF-8.
fn text(declared: &str) -> String {
    let member = |host: &str, port: &str| {
        format!(
            "<member  priority=\"0\"><callManager><name>Z\u{fc}rich</name><ports><sipOAuthPort>{port}</sipOAuthPort>\
             </ports><processNodeName>{host}</processNodeName></callManager></member>"
        )
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"{declared}\"?>\r\n<device>\r\n<!-- \u{e4}\u{f6}\u{fc} -->\r\n<devicePool>\
         <name>B\u{fc}ro</name><callManagerGroup><members>{}{}</members></callManagerGroup></devicePool>\r\n\
         <sipProfile><phoneLabel>\u{e9}</phoneLabel><sipLines></sipLines></sipProfile>\
         <sipOAuthMode>1</sipOAuthMode></device>\r\n",
        member("cucm1.example.com", "5090"),
        member("cucm2.example.com", "5190"),
    )
}

const ENCODINGS: [(&str, &str); 5] = [
    ("UTF-8", "UTF-8"),
    ("ISO-8859-1", "windows-1252"),
    ("UTF-16LE", "UTF-16LE"),
    ("UTF-16BE", "UTF-16BE"),
    ("utf-8", "UTF-8"),
];

fn read(bytes: &[u8]) -> DeviceConfig {
    DeviceConfig::read(bytes, &Limits::default()).unwrap()
}

#[test]
fn the_same_file_leads_to_the_same_nodes_in_every_encoding_and_comes_back_unchanged() {
    for (encoding, name) in ENCODINGS {
        let bytes = encoded(&text(encoding), encoding);
        let config = read(&bytes);
        assert_eq!(config.source(), bytes, "{encoding}");
        assert_eq!(config.document().encoding(), name);
        let targets = config.registration_targets(Place::OnPremises).unwrap();
        assert_eq!(
            (targets[1].node.as_str(), targets[1].port),
            ("Z\u{fc}rich", 5190)
        );
    }
}

#[test]
fn every_span_and_position_counts_bytes_of_the_file() {
    for (encoding, _) in ENCODINGS {
        let bytes = encoded(&text(encoding), encoding);
        let config = read(&bytes);
        let in_file = |text: &str| {
            let bytes = encoded(text, encoding);
            let mark = usize::from(encoding.starts_with("UTF-16")) * 2;
            bytes[mark..].to_vec()
        };
        let pool = config.device_pool_name().unwrap();
        assert_eq!(bytes[pool.span().unwrap().range()], in_file("B\u{fc}ro"));
        let port = config.nodes().unwrap()[1].ports().sip_oauth_port().unwrap();
        assert_eq!(bytes[port.span().unwrap().range()], in_file("5190"));

        let wrong = encoded(&text(encoding).replace(">5190<", ">\u{fc}<"), encoding);
        let error = read(&wrong).nodes().unwrap()[1]
            .ports()
            .sip_oauth_port()
            .unwrap_err();
        assert_eq!(
            wrong[error.position.offset..][..in_file("\u{fc}").len()],
            in_file("\u{fc}")
        );
        assert_eq!(error.position.line, 4);

        let wrong = encoded(&text(encoding).replace("5190", "&x;"), encoding);
        let error = DeviceConfig::read(&wrong, &Limits::default()).unwrap_err();
        assert_eq!(
            wrong[error.position().offset..][..in_file("&x;").len()],
            in_file("&x;")
        );
        assert!(
            error
                .position()
                .path
                .ends_with("member[2]/callManager/ports/sipOAuthPort")
        );
    }
}

#[test]
fn an_edit_is_written_in_the_file_s_own_encoding() {
    for (encoding, _) in ENCODINGS {
        let mut config = read(&encoded(&text(encoding), encoding));
        config.set("devicePool/name", "K\u{f6}ln").unwrap();
        config.set_sip_oauth_port(1, 5999).unwrap();
        let expected = text(encoding)
            .replace("B\u{fc}ro", "K\u{f6}ln")
            .replace(">5190<", ">5999<");
        assert_eq!(config.source(), encoded(&expected, encoding), "{encoding}");
        config
            .add_member(&Member::new("cucm3.example.com"))
            .unwrap();
        config.remove_member(2).unwrap();
        config.add_line(&LineSettings::new("2001")).unwrap();
        config.remove_line(0).unwrap();
        assert_eq!(config.source(), encoded(&expected, encoding), "{encoding}");
    }
}

#[test]
fn a_character_the_encoding_lacks_is_written_as_a_reference() {
    for (declared, expected) in [
        ("US-ASCII", &b"<a b='&#252;'>&#8364; &#252;</a>"[..]),
        ("ISO-8859-1", b"<a b='\xFC'>\x80 \xFC</a>"),
        ("ISO-8859-2", b"<a b='\xFC'>&#8364; \xFC</a>"),
        ("KOI8-R", b"<a b='&#252;'>&#8364; &#252;</a>"),
        ("UTF-8", b"<a b='\xC3\xBC'>\xE2\x82\xAC \xC3\xBC</a>"),
    ] {
        let file = |element: &[u8]| {
            let head = format!("<?xml version='1.0' encoding='{declared}'?><device>");
            [head.as_bytes(), element, b"</device>"].concat()
        };
        let mut config = read(&file(b"<a b=''></a>"));
        config.set("a/@b", "\u{fc}").unwrap();
        let edit = config.set("a", "\u{20ac} \u{fc}").unwrap();
        assert_eq!(config.source(), file(expected), "{declared}");
        assert_eq!(config.root().child("a").unwrap().text(), "\u{20ac} \u{fc}");
        assert_eq!(
            config.root().child("a").unwrap().content_span(),
            edit.inserted
        );
    }
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let file = |declared: &str| format!("<?xml version=\"1.0\" encoding=\"{declared}\"?><device/>");
    for (bytes, sentence) in [
        (
            file("Shift_JIS").into_bytes(),
            "the encoding Shift_JIS is not read, only UTF-8",
        ),
        (
            file("GB18030").into_bytes(),
            "the encoding GB18030 is not read",
        ),
        (
            file("x-user-defined").into_bytes(),
            "the encoding x-user-defined is not read",
        ),
        (
            file("no-such").into_bytes(),
            "the encoding no-such is not read",
        ),
        (
            file("UTF-16").into_bytes(),
            "the encoding UTF-16 is not read",
        ),
        (
            b"<\0d\0e\0".to_vec(),
            "the encoding UTF-16 without a byte order mark is not read",
        ),
        (
            b"\xFF\xFE\0\0<\0\0\0".to_vec(),
            "the encoding UTF-32 is not read",
        ),
        (
            encoded(&file("UTF-8"), "UTF-16LE"),
            "the declaration names the encoding UTF-8, the file is in UTF-16LE",
        ),
        (
            encoded(&file("UTF-16LE"), "UTF-16BE"),
            "the declaration names the encoding UTF-16LE, the file is in UTF-16BE",
        ),
        (
            [b"\xEF\xBB\xBF", file("ISO-8859-1").as_bytes()].concat(),
            "the declaration names the encoding ISO-8859-1, the file is in UTF-8",
        ),
        (
            [file("US-ASCII").as_bytes(), b"<!-- \xC3\xBC -->"].concat(),
            "a byte sequence is not US-ASCII, at byte 55",
        ),
        (
            [file("windows-1253").as_bytes(), b"<!-- \xAA -->"].concat(),
            "a byte sequence is not windows-1253, at byte 59",
        ),
        (
            b"\xFF\xFE<\0\x00\xD8<\0".to_vec(),
            "a byte sequence is not UTF-16LE, at byte 4",
        ),
        (
            b"\xFF\xFE<\0a".to_vec(),
            "a byte sequence is not UTF-16LE, at byte 4",
        ),
        (b"\xFF\xFE".to_vec(), "the file is empty"),
    ] {
        let error = DeviceConfig::read(&bytes, &Limits::default()).unwrap_err();
        assert!(error.to_string().starts_with(sentence), "{error}");
    }
}

#[test]
fn what_cannot_be_decoded_is_placed_by_line_and_column_of_the_text() {
    let greek = "<?xml version='1.0' encoding='windows-1253'?>\n<device>\n";
    let little = encoded("<device>\n\u{20ac}\u{a0a}\u{1}", "UTF-16LE");
    for (bytes, offset, line, column) in [
        // Letters whose bytes would continue a character in UTF-8, and one that stands for nothing.
        (
            [greek.as_bytes(), b"\xA2\xB8\xAA</device>"].concat(),
            57,
            3,
            3,
        ),
        // No byte of U+0A0A ends a line, and each character is one column.
        (little, 24, 2, 3),
        // Half a pair.
        (b"\xFE\xFF\0<\0\n\0a\xD8\0\0<".to_vec(), 8, 2, 2),
        (b"<device>\n\xC3\xBC\xFF</device>".to_vec(), 11, 2, 2),
        (b"\xEF\xBB\xBF<device>\x01".to_vec(), 11, 1, 9),
    ] {
        let error = DeviceConfig::read(&bytes, &Limits::default()).unwrap_err();
        let found = error.position();
        assert_eq!(
            (found.offset, found.line, found.column),
            (offset, line, column),
            "{error}"
        );
    }
}

#[test]
fn a_declaration_that_hides_its_encoding_is_not_believed() {
    // The encoding is looked for before the declaration is read; where the two disagree the file is refused.
    let far = format!(
        "<?xml version=\"1.0\"{}encoding=\"ISO-8859-1\"?><device/>",
        " ".repeat(300)
    );
    let kind = DeviceConfig::read(far.as_bytes(), &Limits::default()).unwrap_err();
    assert!(
        matches!(kind.kind(), ReadErrorKind::EncodingContradicted { .. }),
        "{kind}"
    );
    let false_one =
        b"<?xml version=\"1.0\" standalone='encoding=\"ISO-8859-1\"'?><device>\xFC</device>";
    assert!(DeviceConfig::read(false_one, &Limits::default()).is_err());
}

#[test]
fn the_limit_of_bytes_counts_those_of_the_file() {
    let bytes = encoded("<device>\u{20ac}\u{20ac}</device>", "UTF-16LE");
    let limits = Limits {
        max_bytes: bytes.len(),
        ..Limits::default()
    };
    assert!(DeviceConfig::read(&bytes, &limits).is_ok());
    let limits = Limits {
        max_bytes: bytes.len() - 1,
        ..limits
    };
    assert!(DeviceConfig::read(&bytes, &limits).is_err());
}

/// Text that every encoding here can hold, long enough to cross the places offsets are counted from.
fn latin() -> impl Strategy<Value = String> {
    "[ -~\\t\u{a0}-\u{ff}]{0,600}"
}

proptest! {
    #[test]
    fn an_edit_changes_its_own_bytes_only_in_any_encoding(
        which in 0..ENCODINGS.len(), before in latin(), old in latin(), new in latin(), after in latin(),
    ) {
        let (encoding, _) = ENCODINGS[which];
        let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let file = format!(
            "<?xml version='1.0' encoding='{encoding}'?><device><x>{}</x><a>{}</a><y>{}</y></device>",
            escape(&before), escape(&old), escape(&after),
        );
        let bytes = encoded(&file, encoding);
        let mut config = read(&bytes);
        let edit = config.set("a", &new).unwrap();
        prop_assert_eq!(&config.source()[..edit.inserted.start], &bytes[..edit.replaced.start]);
        prop_assert_eq!(&config.source()[edit.inserted.end..], &bytes[edit.replaced.end..]);
        let a = config.root().child("a").unwrap();
        let content = a.content_span();
        prop_assert!(content.start <= edit.inserted.start && edit.inserted.end <= content.end);
        // White space around the old text stays around the new one.
        let blanks = [' ', '\t'];
        let text = a.text();
        prop_assert_eq!(text.trim_matches(blanks), new.trim_matches(blanks));
        prop_assert_eq!(config.root().child("y").unwrap().text(), after);
        // Another reader of the same bytes sees the same.
        let again = read(config.source());
        prop_assert_eq!(again.root().child("x").unwrap().text(), before);
    }
}
