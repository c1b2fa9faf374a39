//! How a file is read, and what is refused.

use super::*;

fn refused(text: &str) -> (ReadErrorKind, String) {
    let error = DeviceConfig::read(text.as_bytes(), &Limits::default()).expect_err(text);
    (error.kind().clone(), error.position().path.clone())
}

#[test]
fn the_root_of_the_product_is_read_with_its_unbound_prefix_and_two_spaces() {
    let text = "<device  xsi:type=\"axl:XIPPhone\" ctiid=\"24\" uuid=\"{7b2e9d14-3c5f-4a68-8e90-1d2c3b4a5f6e}\"></device>";
    let config = read(text);
    assert_eq!(
        config.root().attribute("xsi:type").unwrap().value(),
        "axl:XIPPhone"
    );
    let ctiid = config.ctiid().unwrap().unwrap();
    assert_eq!(
        (ctiid.value, &text[ctiid.span().unwrap().range()]),
        (24, "24")
    );
    assert_eq!(
        config.uuid().unwrap().value,
        "{7b2e9d14-3c5f-4a68-8e90-1d2c3b4a5f6e}"
    );
    assert_eq!(config.source(), text.as_bytes());
}

#[test]
fn empty_is_not_missing() {
    let config = read("<device><certHash></certHash></device>");
    assert_eq!(config.cert_hash().unwrap().value, "");
    assert!(config.version_stamp().is_none());
    let file = "<device><devicePool><callManagerGroup><members><member priority=\"\"/><member/></members>\
        </callManagerGroup></devicePool><phoneServices useHTTPS=''><phoneService type='' category=''/><phoneService/>\
        </phoneServices></device>";
    let config = read(file);
    let origins = config.members().map(|node| node.priority().unwrap().origin);
    let is_empty = |origin: Origin| matches!(origin, Origin::Empty(_));
    assert_eq!(origins.map(is_empty).collect::<Vec<_>>(), [true, false]);
    assert!(is_empty(config.phone_services_use_https().unwrap().origin));
    let services: Vec<_> = config.phone_services().collect();
    assert!(is_empty(services[0].kind().unwrap().origin));
    assert!(is_empty(services[0].category().unwrap().origin));
    assert_eq!(services[1].kind().unwrap().origin, Origin::Missing);
    assert_eq!(services[1].category().unwrap().origin, Origin::Missing);
}

#[test]
fn names_are_not_searched_outside_their_scope() {
    let config = read(
        "<device><name>elsewhere</name><devicePool><x><name>deeper</name></x></devicePool></device>",
    );
    assert!(config.device_pool_name().is_none());
}

#[test]
fn references_cdata_and_comments_are_resolved_in_text() {
    let config = read(
        "<device><loadInformation>a&amp;b&#x21;<!-- c --><![CDATA[<d>]]>\r\ne</loadInformation></device>",
    );
    assert_eq!(config.load_information().unwrap().value, "a&b!<d>\ne");
}

#[test]
fn a_byte_order_mark_stays_and_counts() {
    let text = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><device><sipOAuthMode>x</sipOAuthMode></device>";
    let config = read(text);
    assert_eq!(config.source(), text.as_bytes());
    let position = config.sip_oauth_mode().unwrap_err().position;
    assert_eq!(
        (position.offset, position.line, position.column),
        (63, 1, 61)
    );
}

#[test]
fn a_byte_order_mark_inside_an_element_is_text() {
    for (written, read_as) in [
        ("\u{feff}1", "\u{feff}1"),
        ("\u{feff}&lt;", "\u{feff}<"),
        ("\u{feff}\u{feff}\r\n", "\u{feff}\u{feff}\n"),
    ] {
        let config = read(&format!("<device><a>{written}</a></device>"));
        assert_eq!(config.root().child("a").unwrap().text(), read_as);
    }
}

/// A password whose author forgot to escape it must not be read out of a log.
#[test]
fn what_stands_between_ampersand_and_semicolon_is_quoted_only_when_it_names_an_entity() {
    let long = "x".repeat(32);
    for secret in ["ss w0rd", "1234", "p$ss", long.as_str()] {
        for text in [
            format!("<device><a>pa&{secret};</a></device>"),
            format!("<device a='pa&{secret};'/>"),
        ] {
            let error = DeviceConfig::read(text.as_bytes(), &Limits::default()).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(!said.contains(secret), "{said}");
            let bytes = format!("the {} bytes between '&' and ';'", secret.len());
            assert!(said.contains(&bytes), "{said}");
        }
    }
    let name = "CounterClockwiseContourIntegral";
    let text = format!("<device>&{name};</device>");
    let error = DeviceConfig::read(text.as_bytes(), &Limits::default()).unwrap_err();
    assert!(matches!(error.kind(), ReadErrorKind::Entity { name: found } if found == name));
}

/// One line per case: what is refused, and where.
#[test]
fn what_the_tokeniser_lets_through_is_refused_by_name() {
    use ReadErrorKind as K;
    let entity = |name: &str| K::Entity {
        name: name.to_owned(),
    };
    let second = |name: &str| K::SecondRoot {
        found: name.to_owned(),
    };
    let wrong = K::WrongRoot {
        found: "html".to_owned(),
        expected: "device".to_owned(),
    };
    let cases = [
        ("<!DOCTYPE device><device/>", K::Doctype, ""),
        ("<!doctype device><device/>", K::Doctype, ""),
        ("<html>404</html>", wrong, ""),
        ("<device/><device/>", second("device"), ""),
        ("<device/>x", K::TextOutsideRoot, ""),
        ("x<device/>", K::TextOutsideRoot, ""),
        ("<device/>&amp;", K::TextOutsideRoot, ""),
        ("<device/><![CDATA[x]]>", K::TextOutsideRoot, ""),
        ("<device>&nbsp;</device>", entity("nbsp"), "/device"),
        ("<device a='&file;'/>", entity("file"), "/device/@a"),
        (
            "<device><a>&#1;</a></device>",
            K::Character { code: 1 },
            "/device/a",
        ),
        (
            "<device><a>\u{1}</a></device>",
            K::Character { code: 1 },
            "/device/a",
        ),
        (
            "<device><a>\u{fffe}</a></device>",
            K::Character { code: 0xFFFE },
            "/device/a",
        ),
        (
            "",
            K::Empty {
                expected: "device".to_owned(),
            },
            "",
        ),
        (
            " \n",
            K::Empty {
                expected: "device".to_owned(),
            },
            "",
        ),
        (
            "<!-- nothing -->",
            K::Empty {
                expected: "device".to_owned(),
            },
            "",
        ),
    ];
    for (text, kind, path) in cases {
        assert_eq!(refused(text), (kind, path.to_owned()), "{text}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused_at_its_element() {
    for (text, path) in [
        ("<device><a></b></device>", "/device/a"),
        ("<device><a>", "/device/a"),
        ("<device", ""),
        ("<device a='1' a='2'/>", "/device"),
        ("<device a=1/>", "/device"),
        ("<device a='<'/>", "/device/@a"),
        ("<device a='1'b='2'/>", "/device"),
        ("<device>]]></device>", "/device"),
        ("<device><!-- -- --></device>", "/device"),
        ("<device><1/></device>", "/device"),
        ("<device>a & b</device>", "/device"),
        ("<device><?xml version='1.0'?></device>", "/device"),
        (" <?xml version='1.0'?><device/>", ""),
        ("<?xml encoding='UTF-8'?><device/>", ""),
    ] {
        let (kind, found) = refused(text);
        assert!(
            matches!(kind, ReadErrorKind::NotWellFormed { .. }),
            "{text}: {kind:?}"
        );
        assert_eq!(found, path, "{text}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_at_the_first() {
    let error =
        DeviceConfig::read(b"<device>\n<a>Z\xFCrich</a></device>", &Limits::default()).unwrap_err();
    assert_eq!(
        (error.kind(), error.position().offset),
        (&ReadErrorKind::NotUtf8, 13)
    );
}

#[test]
fn every_limit_is_a_value_and_the_file_at_the_limit_is_read() {
    let limits = Limits {
        max_bytes: 60,
        max_depth: 2,
        max_elements: 3,
        max_attributes: 1,
        max_text_bytes: 4,
    };
    let read = |text: &str| {
        DeviceConfig::read(text.as_bytes(), &limits).map_err(|error| error.kind().clone())
    };
    assert!(read("<device b=\"1234\"><a>1234</a><a/></device>").is_ok());
    assert_eq!(
        read(&" ".repeat(61)).unwrap_err(),
        ReadErrorKind::TooLarge { found: 61, max: 60 }
    );
    assert_eq!(
        read("<device><a><b/></a></device>").unwrap_err(),
        ReadErrorKind::TooDeep { max: 2 }
    );
    assert_eq!(
        read("<device><a/><a/><a/></device>").unwrap_err(),
        ReadErrorKind::TooManyElements { max: 3 }
    );
    assert_eq!(
        read("<device a='' b=''/>").unwrap_err(),
        ReadErrorKind::TooManyAttributes { max: 1 }
    );
    assert_eq!(
        read("<device a='12345'/>").unwrap_err(),
        ReadErrorKind::TextTooLong { max: 4 }
    );
    assert_eq!(
        read("<device>12345</device>").unwrap_err(),
        ReadErrorKind::TextTooLong { max: 4 }
    );
    assert_eq!(
        read("<device><!--1--></device>").unwrap_err(),
        ReadErrorKind::TextTooLong { max: 4 }
    );
}

#[test]
fn a_hundred_thousand_nested_elements_are_refused_at_the_limit() {
    let text = format!("<device>{}", "<a>".repeat(100_000));
    let (kind, _) = refused(&text);
    assert_eq!(kind, ReadErrorKind::TooDeep { max: 32 });
}

/// A message that repeats what an attacker made up is as long as a line, however long that was.
#[test]
fn names_are_quoted_as_far_as_a_line_goes() {
    // Every character has two bytes, so that a cut in the middle of one would show.
    let long = "\u{fc}".repeat(10_000);
    let quoted = format!("{}\u{2026}", "\u{fc}".repeat(40));
    for (text, expected) in [
        (
            format!("<device><{long}></x></device>"),
            format!("expected </{quoted}>, found </x>"),
        ),
        (
            format!("<device><x></{long}></device>"),
            format!("expected </x>, found </{quoted}>"),
        ),
        (
            format!("<device/></{long}>"),
            "an end tag that ends no element".to_owned(),
        ),
        (
            format!("<device><{long}>"),
            format!("<{quoted}> is not closed before the end of the file"),
        ),
        (
            format!("<device><1{long}/></device>"),
            "the 20001 bytes after '<' are no element name".to_owned(),
        ),
        (
            format!("<device><x 1{long}=''/></device>"),
            "20001 bytes that are no attribute name".to_owned(),
        ),
        (
            format!("<{long}/>"),
            format!("the root element is <{quoted}>, expected <device>"),
        ),
    ] {
        let error = DeviceConfig::read(text.as_bytes(), &Limits::default()).unwrap_err();
        assert!(
            error.kind().to_string().ends_with(&expected),
            "{}",
            error.kind()
        );
        assert!(
            error.to_string().len() < 1_500,
            "{} bytes",
            error.to_string().len()
        );
    }
    // The path is kept whole, and shown shortened.
    let text = format!("<device><{long}>&x;</{long}></device>");
    let error = DeviceConfig::read(text.as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!(error.position().path, format!("/device/{long}"));
    assert!(
        error.to_string().len() < 1_500,
        "{} bytes",
        error.to_string().len()
    );
}

/// What an author forgot to escape in a password looks like markup, and must not be read out of a log.
#[test]
fn no_part_of_a_password_is_quoted_or_in_the_path() {
    let elsewhere = [
        (
            "<vendorConfig><pin>p<ssw0rd$1</pin></vendorConfig>",
            "ssw0rd",
        ),
        (
            "<vendorConfig><pin>p<s s$w0rd='1'/></pin></vendorConfig>",
            "w0rd",
        ),
        (
            "<vendorConfig><pin>p</ssw0rd$></pin></vendorConfig>",
            "ssw0rd",
        ),
    ];
    let in_secrets = [
        "p<ssw0rd$1",
        "p<ssw0rd>x",
        "p<ssw0rd x",
        "p<a ssw0rd='1'>",
        "p<a ssw0rd='&y;'/>",
        "p<s ssw0rd=1/>",
        "p</ssw0rd>x",
        "p<a><ssw0rd></a>",
        "p<a><ssw0rd>&y;</ssw0rd></a>",
        "p&ssw0rd;x",
        "p<ssw0rd>\u{1}</ssw0rd>",
    ];
    let in_secrets = in_secrets.into_iter().flat_map(|written| {
        ["authPassword", "sshPassword", "clientSecret", "PASSPHRASE"]
            .map(|name| (format!("<{name}>{written}</{name}>"), name))
    });
    let attribute = ("<a x='&y;' adminPassword='p&ssw0rd;'/>".to_owned(), "");
    let cases = elsewhere
        .map(|(text, _)| (text.to_owned(), ""))
        .into_iter()
        .chain(in_secrets)
        .chain([attribute]);
    for (text, name) in cases {
        let text = format!("<device><sipProfile>{text}</sipProfile></device>");
        let error = DeviceConfig::read(text.as_bytes(), &Limits::default()).unwrap_err();
        let said = format!("{error} {error:?} {}", error.position().path);
        assert!(!said.contains("w0rd"), "{said}");
        if !name.is_empty() {
            assert_eq!(error.position().path, format!("/device/sipProfile/{name}"));
        }
    }
}

/// Whatever the reason, the error says which element it is in, and which attribute.
#[test]
fn an_error_names_the_element_and_the_attribute_it_is_in() {
    let utf16 = |text: &str| -> Vec<u8> {
        let mark = [0xFF, 0xFE].into_iter();
        mark.chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect()
    };
    let latin = b"<?xml version='1.0' encoding='windows-1253'?><device><a/><a>\xAA</a></device>";
    for (bytes, path) in [
        (
            b"<device><a><b>\xFF</b></a></device>".to_vec(),
            "/device/a/b",
        ),
        (
            b"<device><a><b>\x01</b></a></device>".to_vec(),
            "/device/a/b",
        ),
        (b"<device><a/><a b='\x01'/></device>".to_vec(), "/device"),
        (b"\xEF\xBB\xBF<device><a>\x01".to_vec(), "/device/a"),
        (latin.to_vec(), "/device/a[2]"),
        (utf16("<device><a>\u{1}</a></device>"), "/device/a"),
        (b"<device></device>\x01".to_vec(), ""),
        // Where what stands before is refused itself, there is no path to trust.
        (b"<device><a></b> \x01".to_vec(), ""),
        (
            b"<device><a><b c='&x;'/></a></device>".to_vec(),
            "/device/a/b/@c",
        ),
        (
            b"<device><a><b c='&#1;'/></a></device>".to_vec(),
            "/device/a/b/@c",
        ),
        (
            b"<device><a><b c='<'/></a></device>".to_vec(),
            "/device/a/b/@c",
        ),
        (b"<device><a><b c/></a></device>".to_vec(), "/device/a/b"),
        (
            b"<device><a><b c='1' c='2'/></a></device>".to_vec(),
            "/device/a/b",
        ),
        (
            b"<device><a><b c='1'd='2'/></a></device>".to_vec(),
            "/device/a/b",
        ),
    ] {
        let error = DeviceConfig::read(&bytes, &Limits::default()).unwrap_err();
        assert_eq!(error.position().path, path, "{error}");
    }
}
