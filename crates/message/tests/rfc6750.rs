//! The Bearer scheme: RFC 6750, RFC 8898, and what is on the wire beside them.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use sip_oauth_message::auth::AuthzServerSpelling;
use sip_oauth_message::header::{ProxyAuthenticate, ProxyAuthorization, WwwAuthenticate};
use sip_oauth_message::{
    BearerCredentials, BearerForm, Challenge, Credentials, HeaderName, Headers, Limits,
    MessageView, Method, Request, TypedHeader, Uri,
};

fn bearer(text: &str) -> Option<BearerCredentials<'_>> {
    match Credentials::parse(text) {
        Ok(Credentials::Bearer(bearer)) => Some(bearer),
        _ => None,
    }
}

mod section_2_1 {
    use super::*;

    #[test]
    fn every_form_is_read() {
        use BearerForm::{Token68, TokenParameter};
        for (text, form, token, username, realm) in [
            (
                r#"Bearer token="a.b-c_d""#,
                TokenParameter,
                "a.b-c_d",
                None,
                None,
            ),
            (
                r"bearer TOKEN=a.b-c_d",
                TokenParameter,
                "a.b-c_d",
                None,
                None,
            ),
            (r"BEARER token=ab/+==", TokenParameter, "ab/+==", None, None),
            (
                r#"Bearer token="t", username="+12015550123", realm="r""#,
                TokenParameter,
                "t",
                Some("+12015550123"),
                Some("r"),
            ),
            (
                r#"Bearer realm="r" , token = "t""#,
                TokenParameter,
                "t",
                None,
                Some("r"),
            ),
            (
                r#"Bearer token="t", other=x"#,
                TokenParameter,
                "t",
                None,
                None,
            ),
            ("Bearer a.b-c_d~+/", Token68, "a.b-c_d~+/", None, None),
            ("Bearer  abc== ", Token68, "abc==", None, None),
            (
                r#"Bearer abc, realm="ccmsipline""#,
                Token68,
                "abc",
                None,
                Some("ccmsipline"),
            ),
            (
                r#"Bearer abc= , realm="r""#,
                Token68,
                "abc=",
                None,
                Some("r"),
            ),
            ("Bearer\r\n abc", Token68, "abc", None, None),
        ] {
            let found = bearer(text)
                .unwrap_or_else(|| panic!("{text}: {:?}", Credentials::parse(text).err()));
            assert_eq!((found.form(), found.expose()), (form, token), "{text}");
            assert_eq!(
                found.username().map(|u| u.to_str().into_owned()).as_deref(),
                username
            );
            assert_eq!(
                found.realm().map(|r| r.to_str().into_owned()).as_deref(),
                realm
            );
            let written = found.to_header_value();
            let again = bearer(written.expose()).unwrap();
            assert_eq!((again.form(), again.expose()), (form, token), "{text}");
            assert_eq!(again.realm(), found.realm());
        }
    }

    #[test]
    fn what_others_let_through_is_refused() {
        for text in [
            "Bearer",
            "Bearer ",
            r#"Bearer token="""#,
            "Bearer token=",
            "Bearer token==",
            "Bearer =",
            r#"Bearer token="a", token="a""#,
            r#"Bearer token="a", Token=b"#,
            r#"Bearer a, token="b""#,
            "Bearer abc\0",
            "Bearer abcé",
            r#"Bearer token="é""#,
            "Bearer token=\"a\0\"",
            r#"Bearer token="a b""#,
            "Bearer abc,",
            r#"Bearer token="a","#,
            r#"Bearer token="a", "#,
            "Bearer a b",
            "Bearer a==b",
            r#"Bearer realm="r""#,
            r#"Bearer token="a"#,
            r#"Bearer token="a\"b""#,
            "Bearertoken",
            r#"Bearer token="a" Digest"#,
            r#"Bearer token="a", Digest x="y""#,
        ] {
            assert!(Credentials::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn tokens_that_cannot_be_written_are_refused() {
        for form in [BearerForm::Token68, BearerForm::TokenParameter] {
            for token in ["", "a b", "a\"b", "a\r\nb", "é"] {
                assert!(BearerCredentials::new(token, form).is_err(), "{token:?}");
            }
        }
        assert!(BearerCredentials::new("a,b", BearerForm::Token68).is_err());
    }

    #[test]
    fn dialects_are_written_as_they_are_read_elsewhere() {
        let cisco = BearerCredentials::new("T", BearerForm::TokenParameter).unwrap();
        assert_eq!(cisco.to_header_value().expose(), r#"Bearer token="T""#);
        let pjsip = cisco.with_username("U").with_realm("R");
        let expected = r#"Bearer token="T", username="U", realm="R""#;
        assert_eq!(pjsip.to_header_value().expose(), expected);
        let rfc = BearerCredentials::new("T", BearerForm::Token68).unwrap();
        assert_eq!(rfc.to_header_value().expose(), "Bearer T");
        assert_eq!(
            rfc.with_realm("R").to_header_value().expose(),
            r#"Bearer T, realm="R""#
        );
    }
}

mod section_3 {
    use super::*;

    #[test]
    fn challenge_with_every_parameter() {
        let text = r#"Bearer realm="r", authz-server="https://as.example.com", scope="sip a", error="invalid_token", error_description="x", n=1"#;
        let Challenge::Bearer(bearer) = Challenge::parse(text).unwrap() else {
            panic!("{text}")
        };
        assert_eq!(
            bearer.authz_server_spelling(),
            Some(AuthzServerSpelling::Hyphen)
        );
        assert_eq!(bearer.error().unwrap(), "invalid_token");
        assert_eq!(bearer.other_params().count(), 2);
        assert_eq!(bearer.to_string(), text);
    }

    #[test]
    fn a_challenge_reads_back_equal_wherever_its_parameters_stood() {
        let text = r#"Bearer realm="r", other=1, scope="a""#;
        let challenge = Challenge::parse(text).unwrap();
        let written = challenge.to_string();
        assert_ne!(written, text);
        assert_eq!(Challenge::parse(&written), Ok(challenge));
        let another = Challenge::parse(r#"Bearer realm="r", other=2, scope="a""#);
        assert_ne!(another, Ok(challenge));
    }

    #[test]
    fn a_challenge_keeps_what_it_has_twice() {
        let text = r#"Bearer authz-server="a", scope="x", authz_server="b", Scope="y", realm="r", realm="s""#;
        let Challenge::Bearer(bearer) = Challenge::parse(text).unwrap() else {
            panic!("{text}")
        };
        assert_eq!(bearer.authz_server().unwrap(), "b");
        let others: Vec<_> = bearer
            .other_params()
            .map(|param| param.to_string())
            .collect();
        assert_eq!(
            others,
            [r#"authz-server="a""#, r#"Scope="y""#, r#"realm="s""#]
        );
        let written = bearer.to_string();
        assert_eq!(Challenge::parse(&written), Ok(Challenge::Bearer(bearer)));
        let hyphen = Challenge::parse(r#"Bearer authz-server="a""#).unwrap();
        let Challenge::Bearer(hyphen) = hyphen else {
            panic!("Bearer")
        };
        let replaced = hyphen.with_authz_server("c").to_string();
        assert_eq!(replaced, r#"Bearer authz_server="c""#);
    }

    #[test]
    fn credentials_keep_what_they_have_twice() {
        let text = r#"Bearer token="t", username="u", realm="r", Realm="s", username="v""#;
        let found = bearer(text).unwrap();
        assert_eq!(found.to_header_value().expose(), text);
    }

    #[test]
    fn names_of_parameters_compare_without_case() {
        let one = Challenge::parse(r#"Bearer realm="r", Other=1,  n=2"#);
        assert_eq!(one, Challenge::parse("Bearer realm=r,other=\"1\",\r\n N=2"));
        assert_eq!(
            Challenge::parse("Digest realm=\"a\r\n b\",\r\n nonce=n"),
            Challenge::parse(r#"Digest Realm="a b", nonce="n""#)
        );
        assert_eq!(
            Challenge::parse("Other a=1 , b=2"),
            Challenge::parse("other A=1,b=2")
        );
        assert_ne!(Challenge::parse("Other a=1"), Challenge::parse("Other a=2"));
        assert_ne!(Challenge::parse("Other a="), Challenge::parse("Other A="));
    }

    #[test]
    fn several_challenges_in_one_field_and_in_several() {
        let text = "SIP/2.0 401 Unauthorized\r\n\
            WWW-Authenticate: Bearer realm=\"a, b\", scope=\"x\", Digest realm=\"ccmsipline\",nonce=\"n==\", algorithm=MD5, Negotiate\r\n\
            WWW-Authenticate: Other abc==, Bearer\r\n\r\n";
        let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
        let all: Vec<_> = view
            .all::<WwwAuthenticate<'_>>()
            .map(|c| c.unwrap().challenge())
            .collect();
        let schemes: Vec<_> = all.iter().map(Challenge::scheme).collect();
        assert_eq!(
            schemes,
            ["Bearer", "Digest", "Negotiate", "Other", "Bearer"]
        );
        let Challenge::Digest(digest) = all[1] else {
            panic!("a digest")
        };
        assert_eq!(digest.nonce().unwrap(), "n==");
        assert!(ProxyAuthenticate::parse(r#"Bearer realm="r","#).is_err());
    }
}

mod section_5_3 {
    use super::*;

    #[test]
    fn tokens_are_never_printed() {
        let secret = "c2VjcmV0".repeat(200);
        let mut printed = Vec::new();
        for value in [
            format!("Bearer token=\"{secret}\""),
            format!("Bearer {secret}"),
            format!("Bearer {secret}, realm=\"r\""),
            format!("Digest username=\"u\", response=\"{secret}\""),
            format!("Custom {secret}"),
            // The scheme was forgotten, and the token stands where it should.
            format!("{secret} realm=\"r\""),
            format!("{secret} {secret}"),
            // In places where they break the grammar.
            format!("Bearer token=\"{secret}\", token=\"{secret}\""),
            format!("Bearer {secret} {secret}"),
            secret.clone(),
            format!("Bearer token=\"{secret}"),
        ] {
            for name in [
                "Authorization",
                "Proxy-Authorization",
                "proxy-authorization",
            ] {
                let uri = Uri::parse("sip:ucm.example.com").unwrap();
                let mut request = Request::new(Method::Register, uri);
                request.headers.try_push(name, &value).unwrap();
                let bytes = request.to_bytes();
                let view = MessageView::parse(&bytes, &Limits::default()).unwrap();
                printed.push(format!("{view:?} {request:?}"));
                match view.header::<ProxyAuthorization<'_>>() {
                    Ok(header) => {
                        printed.push(format!("{header:?}"));
                        match header.map(|h| h.0) {
                            Some(Credentials::Bearer(bearer)) => {
                                printed.push(format!("{bearer:?} {:?}", bearer.to_header_value()));
                            }
                            Some(Credentials::Digest(digest)) => {
                                printed.push(format!("{digest:?}"));
                            }
                            Some(Credentials::Other(other)) => {
                                printed.push(format!("{other:?}"));
                            }
                            None => {}
                        }
                    }
                    Err(error) => printed.push(format!("{error} {error:?}")),
                }
            }
        }
        let printed = printed.concat();
        assert!(printed.contains("Bearer <1600 bytes>"));
        assert!(!printed.contains("c2VjcmV0"), "{printed}");
    }

    #[test]
    fn a_scheme_is_printed_where_it_is_one_of_those_there_are() {
        for (value, printed) in [
            ("basic dTpw", "Basic <4 bytes>"),
            ("DPoP abc", "DPoP <3 bytes>"),
            ("eyJh.eyJp.c2ln realm=\"r\"", "<14 bytes> <9 bytes>"),
        ] {
            let credentials = Credentials::parse(value).unwrap();
            assert_eq!(format!("{credentials:?}"), printed);
            assert_eq!(format!("{credentials:?}"), printed);
        }
    }

    #[test]
    fn errors_do_not_repeat_what_they_found() {
        let secret = "c2VjcmV0".repeat(200);
        for line in [
            format!("Expires: {secret}"),
            secret.clone(),
            format!("CSeq: 1 REGISTER {secret}"),
            format!("Via: {secret}"),
        ] {
            let text = format!("REGISTER sip:ucm.example.com SIP/2.0\r\n{line}\r\n\r\n");
            let error = match MessageView::parse(text.as_bytes(), &Limits::default()) {
                Err(error) => error,
                Ok(view) => [
                    view.header::<sip_oauth_message::header::Expires>().err(),
                    view.header::<sip_oauth_message::header::CSeq<'_>>().err(),
                    view.header::<sip_oauth_message::header::Via<'_>>().err(),
                ]
                .into_iter()
                .flatten()
                .next()
                .unwrap(),
            };
            assert!(!format!("{error} {error:?}").contains("c2Vj"));
        }
    }
}

#[test]
fn header_fields_with_credentials_are_compared_whole() {
    let with = |value: &str, name: HeaderName<'_>| {
        let mut headers = Headers::new();
        headers.push(HeaderName::MaxForwards, 70);
        headers.push(name, value);
        headers
    };
    for name in [
        HeaderName::Authorization,
        HeaderName::ProxyAuthorization,
        HeaderName::Subject,
    ] {
        let one = with("Bearer abc", name);
        assert_eq!(one, one.clone());
        for other in [
            "Bearer abd",
            "Bearer xbc",
            "Bearer abcd",
            "Bearer ab",
            "bearer abc",
        ] {
            assert_ne!(one, with(other, name), "{name}");
        }
    }
    let value = |token| {
        let bearer = BearerCredentials::new(token, BearerForm::Token68).unwrap();
        bearer.to_header_value()
    };
    assert!(value("abc") == value("abc"));
    for other in ["abd", "xbc", "abcd", "ab"] {
        assert!(value("abc") != value(other), "{other}");
    }
}
