//! RFC 3261 section 7.3.1: "Line breaks and the whitespace at the beginning of the next line are
//! equivalent to a single SP character", and section 25.1: `LWS = [*WSP CRLF] 1*WSP`.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use std::fmt::Display;

use proptest::prelude::*;
use sip_oauth_message::header::{
    Contact, From, ProxyAuthenticate, Reason, RetryAfter, UserAgent, Via, Warning,
};
use sip_oauth_message::{
    HeaderName, Headers, Limits, MessageView, Params, Text, TypedHeader, header,
};

/// Reads a value, writes it with `push_typed` and reads it from there: it is on one line, and equal.
fn assert_comes_back<'v, H>(value: &'v str, expected: &str)
where
    H: TypedHeader<'v> + Display + std::fmt::Debug,
    for<'h> H: PartialEq,
{
    let read = H::parse(value).unwrap_or_else(|error| panic!("{value:?}: {error}"));
    let mut headers = Headers::new();
    headers.push_typed(&read);
    let written = headers.get(H::NAME.as_str()).unwrap().to_owned();
    assert_eq!(written, expected);
    // Both live as long as the test.
    let written: &'static str = Box::leak(written.into_boxed_str());
    assert_eq!(H::parse(written), Ok(read), "{written:?}");
}

#[test]
fn folded_values_come_back_equal_on_one_line() {
    assert_comes_back::<From<'_>>(
        "\"Mr\r\n Watson\" <sip:a@h>;\r\n\ttag=1",
        "\"Mr Watson\" <sip:a@h>; tag=1",
    );
    assert_comes_back::<From<'_>>("Mr \r\n  Watson  Jr <sip:a@h>", "Mr Watson  Jr <sip:a@h>");
    assert_comes_back::<Contact<'_>>(
        "<sip:a@h>;x=\"a \\\" \r\n \r\n b\" ;\r\n y",
        "<sip:a@h>;x=\"a \\\" b\" ; y",
    );
    // The blank behind the backslash belongs to the fold.
    assert_comes_back::<From<'_>>("\"a\\ \r\n b\" <sip:h>", "\"a\\ b\" <sip:h>");
    assert_comes_back::<Via<'_>>(
        "SIP/2.0/UDP h ;\r\n branch = z9hG4bK1;\r\n b=\"x\r\n\ty\"",
        "SIP/2.0/UDP h; branch = z9hG4bK1; b=\"x y\"",
    );
    assert_comes_back::<RetryAfter<'_>>("1 (in a\r\n meeting);\r\n a", "1 (in a meeting); a");
    assert_comes_back::<UserAgent<'_>>("Cisco\t\r\n\t-CSF", "Cisco -CSF");
    assert_comes_back::<Warning<'_>>("399 h \"a\r\n b\"", "399 h \"a b\"");
    assert_comes_back::<Reason<'_>>("SIP;text=\"a\r\n b\"", "SIP;text=\"a b\"");
    assert_comes_back::<ProxyAuthenticate<'_>>(
        "Digest realm=\"a\r\n b\",\r\n nonce=\"n\"",
        "Digest realm=\"a b\", nonce=\"n\"",
    );
}

#[test]
fn a_text_says_no_line_end_whatever_it_is_written_as() {
    for text in [
        Text::Token("Mr\r\n Watson"),
        Text::Quoted("Mr \r\n \t Watson"),
        Text::Quoted("\\Mr\r\n Watson"),
        Text::Plain("Mr\nWatson"),
    ] {
        assert_eq!(text.to_str(), "Mr Watson", "{text:?}");
        assert_eq!(text, "Mr Watson");
    }
    assert_eq!(Text::Plain("a\r\n\"b").to_string(), "\"a \\\"b\"");
    assert_eq!(Text::Token("a  b").to_str(), "a  b", "blanks alone stay");
}

#[test]
fn parameters_are_equal_one_by_one() {
    let params = |text| Params::parse(text).unwrap();
    assert_eq!(params(";a=1;\r\n B = \"x\""), params("; A=\"1\" ;b=x"));
    assert_ne!(params(";a=1;b"), params(";b;a=1"));
    assert_ne!(params(";a=1"), params(";a=1;a=1"));
    assert_ne!(params(";a=x"), params(";a=X"));
}

/// Is written one character at a time.
struct Pieces<'t>(&'t str);

impl Display for Pieces<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write as _;
        self.0.chars().try_for_each(|c| f.write_char(c))
    }
}

/// Pieces of values, folds among them.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z\"\\\\;,=<>@:.()/ ]{1,4}",
        1 => Just("\r\n ".to_owned()),
        1 => Just(" \r\n\t ".to_owned()),
        1 => Just("\"a\r\n b\"".to_owned()),
        1 => Just("<sip:a@h>".to_owned()),
        1 => Just(";tag=1".to_owned()),
        1 => Just("SIP/2.0/UDP h".to_owned()),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_well_formed_stays_so_on_one_line(value in soup(), name in prop::sample::select(vec![
        HeaderName::From, HeaderName::Via, HeaderName::Contact, HeaderName::RetryAfter,
        HeaderName::WwwAuthenticate, HeaderName::Supported, HeaderName::Reason,
    ])) {
        let text = format!("OPTIONS sip:h SIP/2.0\r\n{name}: {value}\r\n\r\n");
        let Ok(view) = MessageView::parse(text.as_bytes(), &Limits::default()) else {
            return Ok(());
        };
        let field = view.fields().next().unwrap();
        let mut headers = Headers::new();
        headers.push_field(&field);
        let line = headers.get(name.as_str()).unwrap();
        prop_assert!(!line.contains(['\r', '\n']));
        let unfolded = field.unfolded();
        prop_assert_eq!(line, unfolded.trim());
        // In pieces, as a Display writes it.
        headers.set(name, Pieces(&value));
        prop_assert_eq!(headers.get(name.as_str()).unwrap(), unfolded.trim());
        let is_good = header::check_value(name, field.value()).is_ok();
        prop_assert_eq!(header::check_value(name, &field.unfolded()).is_ok(), is_good);
        macro_rules! each {
            ($($header:ty),*) => {$(
                let fold: Vec<_> = view.all::<$header>().collect();
                if name == <$header>::NAME && fold.iter().all(Result::is_ok) {
                    let line: Vec<_> = headers.all::<$header>().collect();
                    prop_assert_eq!(fold, line);
                }
            )*};
        }
        each!(From<'_>, Via<'_>, Contact<'_>, RetryAfter<'_>, header::Supported<'_>, Reason<'_>, header::WwwAuthenticate<'_>);
    }
}
