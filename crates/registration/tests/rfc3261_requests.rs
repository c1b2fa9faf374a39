//! RFC 3261: what any request is answered, whatever it asks for.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that fails says so by panicking, one that is skipped by printing"
)]

mod support;

use sip_oauth_registration::Refusal;
use support::{ask, contact_line, on_premises, register, registrar, response};

mod section_8_2 {
    use super::*;

    #[test]
    fn methods() {
        let text = register(1, "");
        for (method, expected) in [
            ("OPTIONS", 200),
            ("INVITE", 405),
            ("MESSAGE", 405),
            ("FETCH", 501),
            // Section 9.2: "If the UAS did not find a matching transaction …, it SHOULD respond to the CANCEL with a 481".
            ("CANCEL", 481),
        ] {
            let answer = response(ask(
                &registrar(),
                &on_premises(),
                &text.replace("REGISTER", method),
            ));
            assert_eq!(answer.status.as_u16(), expected, "{method}");
            let allowed = (expected != 481).then_some("REGISTER, OPTIONS");
            assert_eq!(answer.headers.get("Allow"), allowed, "{method}");
        }
        assert!(
            ask(
                &registrar(),
                &on_premises(),
                &text.replace("REGISTER", "ACK")
            )
            .response
            .is_none()
        );
    }

    #[test]
    fn what_is_mandatory_must_be_there() {
        let text = register(1, &contact_line());
        for missing in ["From", "To", "Call-ID", "CSeq"] {
            let without: String = text
                .split_inclusive('\n')
                .filter(|line| !line.starts_with(&format!("{missing}:")))
                .collect();
            let answer = ask(&registrar(), &on_premises(), &without);
            assert_eq!(
                answer.observation.refusal(),
                Some(Refusal::Malformed),
                "{missing}"
            );
            assert!(
                answer
                    .observation
                    .detail
                    .as_ref()
                    .unwrap()
                    .contains(missing)
            );
            assert_eq!(response(answer).status.as_u16(), 400, "{missing}");
        }
    }

    #[test]
    fn an_unknown_extension_is_named() {
        let answer = response(ask(
            &registrar(),
            &on_premises(),
            &register(1, "Require: path, gruu\nRequire: outbound\n"),
        ));
        assert_eq!(answer.status.as_u16(), 420);
        assert_eq!(answer.headers.get("Unsupported"), Some("gruu, outbound"));
    }

    #[test]
    fn schemes_and_versions() {
        let text = register(1, &contact_line());
        for (from, to, expected) in [
            ("REGISTER sip:ucm1", "REGISTER http://ucm1", 416),
            ("example.com SIP/2.0\nVia", "example.com SIP/3.0\nVia", 505),
            (
                "REGISTER sip:ucm1.example.com",
                "REGISTER sip:ucm9.example.com",
                404,
            ),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            let answer = response(ask(&registrar(), &on_premises(), &changed));
            assert_eq!(answer.status.as_u16(), expected, "{to}");
        }
    }
}

/// "If the Request-URI does not identify an address that the UAS is willing to accept requests for, it SHOULD reject the request
/// with a 404 (Not Found) response."
mod section_8_2_2_1 {
    use super::*;
    use sip_oauth_registration::registrar::RegistrarConfig;
    use support::registrar_with;

    #[test]
    fn options_are_answered_by_whom_they_are_for() {
        let text = register(1, "").replace("REGISTER", "OPTIONS");
        let mut config = RegistrarConfig::rfc8898("example.com", "https://as.example.com");
        config.node = "sip1.example.com".to_owned();
        let (unified_cm, rfc8898) = (registrar(), registrar_with(config));
        for (registrar, host, expected) in [
            (&unified_cm, "ucm1.example.com", 200),
            (&unified_cm, "10.10.10.1:5090", 200),
            (&unified_cm, "example.com", 404),
            (&rfc8898, "example.com", 200),
            (&rfc8898, "SIP1.example.com;transport=tls", 200),
            (&rfc8898, "ucm1.example.com", 404),
        ] {
            let text = text.replacen("sip:ucm1.example.com", &format!("sip:{host}"), 1);
            let answer = ask(registrar, &on_premises(), &text);
            let refused = (expected == 404).then_some(Refusal::NotServed);
            assert_eq!(answer.observation.refusal(), refused, "{host}");
            assert_eq!(response(answer).status.as_u16(), expected, "{host}");
        }
    }
}

mod section_18_2_1 {
    use super::*;

    #[test]
    fn via_tells_where_the_request_came_from_when_it_says_otherwise() {
        let text =
            register(1, &contact_line()).replace("TLS 192.0.2.10:62162", "TLS 10.0.0.1:62162");
        let via = response(ask(&registrar(), &on_premises(), &text));
        let via = via.headers.get("Via").unwrap();
        assert_eq!(
            via,
            "SIP/2.0/TLS 10.0.0.1:62162;branch=z9hG4bK00000001;received=192.0.2.10"
        );
    }
}
