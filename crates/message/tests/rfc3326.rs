//! Reason: RFC 3326.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use sip_oauth_message::header::Reason;
use sip_oauth_message::{HeaderName, Limits, MessageView, Params, TypedHeader};

mod section_2 {
    use super::*;

    #[test]
    fn a_cause_is_a_number_of_its_protocol_and_the_text_is_quoted() {
        for (value, protocol, cause, text) in [
            (
                r#"SIP ;cause=200 ;text="Answered elsewhere""#,
                "SIP",
                Some(200),
                Some("Answered elsewhere"),
            ),
            (
                r#"Q.850;cause=16;text="Normal \"clearing\"""#,
                "Q.850",
                Some(16),
                Some(r#"Normal "clearing""#),
            ),
            ("SIP;cause=600", "SIP", Some(600), None),
            ("X-own;why=because", "X-own", None, None),
            ("SIP", "SIP", None, None),
        ] {
            let reason = Reason::parse(value).unwrap();
            assert_eq!(
                (reason.protocol(), reason.cause()),
                (protocol, cause),
                "{value}"
            );
            assert_eq!(
                reason
                    .text()
                    .map(|text| text.to_str().into_owned())
                    .as_deref(),
                text
            );
            let written = reason.to_string();
            assert_eq!(Reason::parse(&written), Ok(reason));
        }
    }

    #[test]
    fn several_reasons_are_a_list_in_one_field_or_in_several() {
        let lines = "Reason: SIP;cause=580;text=\"a, b\", Q.850;cause=47\r\nreason: Own;x=1";
        let text = format!("BYE sip:a@example.com SIP/2.0\r\n{lines}\r\n\r\n");
        let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
        let reasons: Vec<_> = view.all::<Reason<'_>>().collect::<Result<_, _>>().unwrap();
        let protocols: Vec<_> = reasons.iter().map(Reason::protocol).collect();
        assert_eq!(protocols, ["SIP", "Q.850", "Own"]);
    }

    #[test]
    fn extensions_stay_where_they_were() {
        let reason = Reason::parse("SIP;x=1;cause=302;y;x=2").unwrap();
        assert_eq!(reason.cause(), Some(302));
        assert_eq!(
            reason.params(),
            Params::parse(";x=1;cause=302;y;x=2").unwrap()
        );
    }

    #[test]
    fn a_cause_that_is_no_number_is_none() {
        for value in [
            "SIP;cause",
            "SIP;cause=x",
            "SIP;cause=-1",
            "SIP;cause=99999999999",
        ] {
            assert_eq!(Reason::parse(value).unwrap().cause(), None, "{value}");
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_an_error_of_this_field() {
        for (value, offset) in [
            ("", 0),
            (";cause=200", 0),
            ("SIP cause=200", 4),
            ("SIP;cause=200;", 14),
            ("SIP;text=\"open", 9),
            ("SIP;cause=200,", 14),
        ] {
            let error = Reason::parse(value).unwrap_err();
            assert_eq!(
                (error.header(), error.offset()),
                (Some(HeaderName::Reason), offset),
                "{value}"
            );
        }
    }
}
