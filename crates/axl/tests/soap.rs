//! Documents of our own: what each means, and how what is wrong is refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "clippy.toml allows these in test functions, not in the helpers beside them"
)]

use sip_oauth_axl::{
    Bound, Call, CallManager, CallManagerKey, CallManagerTag, ClusterSipOAuthMode, Fault,
    FaultCode, FieldError, GetCallManager, GetExpresswayCConfiguration, Limits,
    ListExpresswayCConfiguration, MgcpPorts, Nullable, Operation, Ports, ProcessNodeName,
    ReadError, ReadErrorKind, Reply, Request, SipPorts, TypedRequest, Version,
};

const ACTION: &str = "\"CUCM:DB ver=14.0 updateExpresswayCConfiguration\"";

fn envelope(body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:a=\"http://www.cisco.com/AXL/API/14.0\"><s:Body>{body}</s:Body></s:Envelope>"
    )
}

fn request(body: &str) -> Result<Request, ReadError> {
    Request::decode(envelope(body).as_bytes(), None, &Limits::default())
}

fn update(fields: &str) -> Result<Request, ReadError> {
    let host = "<HostNameOrIP>expc1.example.com</HostNameOrIP>";
    request(&format!(
        "<a:updateExpresswayCConfiguration>{host}{fields}</a:updateExpresswayCConfiguration>"
    ))
}

mod envelope {
    use super::*;

    #[test]
    fn prefixes_are_the_writers_choice() {
        let body = "<removeExpresswayCConfiguration><HostNameOrIP>h</HostNameOrIP>\
                    </removeExpresswayCConfiguration>";
        for (open, close) in [
            ("<Envelope><Body>", "</Body></Envelope>"),
            (
                "<S:Envelope xmlns:S='x'><S:Header><S:any/></S:Header><S:Body>",
                "</S:Body></S:Envelope>",
            ),
            (
                "<?xml version='1.0' encoding='utf-8'?>\n<e:Envelope>\n <e:Body>",
                "</e:Body>\n</e:Envelope>\n",
            ),
        ] {
            let text = format!("{open}{body}{close}");
            let action = Some("CUCM:DB ver=12.5 removeExpresswayCConfiguration");
            let call = Call::decode(text.as_bytes(), action, &Limits::default()).unwrap();
            assert_eq!(call.version, Version::V12_5);
        }
    }

    #[test]
    fn header_and_namespace_agree_on_the_version() {
        let text = envelope(
            "<a:removeExpresswayCConfiguration><HostNameOrIP>h</HostNameOrIP></a:removeExpresswayCConfiguration>",
        );
        let decode = |action| Call::decode(text.as_bytes(), action, &Limits::default());
        for silent in [None, Some(""), Some("\"\""), Some("\"CUCM:DB ver=14.0\"")] {
            assert_eq!(
                decode(silent).unwrap().version,
                Version::V14_0,
                "{silent:?}"
            );
        }
        let error = decode(Some("\"CUCM:DB ver=12.5\"")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Envelope/Body/removeExpresswayCConfiguration: SOAPAction names version 12.5, \
             the namespace is of version 14.0, at byte 116"
        );
        let error = decode(Some(ACTION)).unwrap_err();
        assert!(matches!(
            error.kind(),
            ReadErrorKind::OperationMismatch { .. }
        ));
        let error = decode(Some("urn:other")).unwrap_err();
        assert!(matches!(error.kind(), ReadErrorKind::SoapAction(_)));
    }

    #[test]
    fn a_version_must_be_named_somewhere() {
        let text = "<Envelope><Body><listCallManager/></Body></Envelope>";
        let error = Call::decode(text.as_bytes(), None, &Limits::default()).unwrap_err();
        assert_eq!(error.kind(), &ReadErrorKind::NoVersion);
    }

    #[test]
    fn one_operation_stands_in_one_body() {
        for (text, kind) in [
            ("<Envelope/>", "expected element Body, found none"),
            (
                "<Envelope><Body/></Envelope>",
                "expected element of an operation inside Body, found none",
            ),
            (
                "<Envelope><Body/><Body/></Envelope>",
                "expected one element Body, found more",
            ),
            (
                "<Envelope><Body><a/><b/></Body></Envelope>",
                "expected element </Body>, found b",
            ),
            (
                "<Envelope><Body><getPhone/></Body></Envelope>",
                "expected element of a known operation, found getPhone",
            ),
            (
                "<Envelope><Foot/></Envelope>",
                "expected element Header or Body, found Foot",
            ),
            ("<Body/>", "expected element Envelope, found Body"),
        ] {
            let error = Call::decode(text.as_bytes(), None, &Limits::default()).unwrap_err();
            assert_eq!(error.kind().to_string(), kind, "{text}");
        }
    }

    #[test]
    fn the_sequence_number_comes_back() {
        let text = envelope(
            "<a:executeSQLQuery sequence=\"18446744073709551615\"><sql>x</sql></a:executeSQLQuery>",
        );
        let call = Call::decode(text.as_bytes(), None, &Limits::default()).unwrap();
        let reply = call.reply(sip_oauth_axl::Answer::ExecuteSqlQuery(
            ClusterSipOAuthMode::Disabled.to_rows(),
        ));
        let operation = Operation::ExecuteSqlQuery;
        let read = Reply::decode(reply.encode().as_bytes(), operation, &Limits::default()).unwrap();
        assert_eq!(read, reply);
        assert_eq!(read.sequence, Some(u64::MAX));

        let bad = text.replace("18446744073709551615", "-1");
        let error = Call::decode(bad.as_bytes(), None, &Limits::default()).unwrap_err();
        assert!(matches!(error.kind(), ReadErrorKind::Value { .. }));
    }

    #[test]
    fn a_document_type_is_refused_wherever_it_stands() {
        let bomb = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>";
        for text in [format!("{bomb}{}", envelope("")), envelope(bomb)] {
            let error = Call::decode(text.as_bytes(), None, &Limits::default()).unwrap_err();
            assert_eq!(error.kind(), &ReadErrorKind::Doctype);
        }
    }
}

mod fields {
    use super::*;

    fn description(fields: &str) -> Nullable<String> {
        let Ok(Request::UpdateExpresswayCConfiguration(update)) = update(fields) else {
            panic!("{fields} is an update");
        };
        match update.description {
            Nullable::Missing => Nullable::Missing,
            Nullable::Nil => Nullable::Nil,
            Nullable::Value(text) => Nullable::Value(text.into()),
        }
    }

    #[test]
    fn missing_nil_and_empty_are_three_things() {
        assert_eq!(description(""), Nullable::Missing);
        assert_eq!(
            description("<description xmlns:i='x' i:nil='true'/>"),
            Nullable::Nil
        );
        assert_eq!(
            description("<description nil=' 1 '></description>"),
            Nullable::Nil
        );
        assert_eq!(
            description("<description/>"),
            Nullable::Value(String::new())
        );
        assert_eq!(
            description("<description nil='false'> a </description>"),
            Nullable::Value(" a ".into())
        );
    }

    #[test]
    fn a_nil_element_holds_nothing() {
        let error = update("<description nil='true'>x</description>").unwrap_err();
        assert!(matches!(error.kind(), ReadErrorKind::Value { .. }));
        let error = update("<newHostNameOrIP nil='true'/>").unwrap_err();
        assert!(matches!(error.kind(), ReadErrorKind::Value { .. }));
    }

    #[test]
    fn each_field_has_its_length() {
        for (name, max) in [
            ("newHostNameOrIP", 255),
            ("description", 50),
            ("X509SubjectNameorSubjectAlternateName", 4096),
        ] {
            let field = |length| format!("<{name}>{}</{name}>", "é".repeat(length));
            assert!(update(&field(max)).is_ok(), "{name}");
            let error = update(&field(max + 1)).unwrap_err();
            let too_long = FieldError::TooLong {
                max,
                found: max + 1,
            };
            assert_eq!(error.kind(), &ReadErrorKind::Field(too_long));
            assert!(error.path().ends_with(name), "{error}");
        }
    }

    #[test]
    fn a_host_name_is_required_and_whole() {
        let error = request(
            "<a:addExpresswayCConfiguration><expresswayCConfiguration/></a:addExpresswayCConfiguration>",
        )
        .unwrap_err();
        assert_eq!(error.kind(), &ReadErrorKind::Missing("HostNameOrIP"));
        for bad in ["", "a&#10;b", "a\tb"] {
            let error = update(&format!("<newHostNameOrIP>{bad}</newHostNameOrIP>")).unwrap_err();
            assert!(matches!(error.kind(), ReadErrorKind::Field(_)), "{error}");
        }
    }

    #[test]
    fn requests_are_held_to_the_schema() {
        let error = update("<hostnameorip>h</hostnameorip>").unwrap_err();
        assert!(
            matches!(error.kind(), ReadErrorKind::Unexpected { found, .. } if found == "hostnameorip")
        );
        let error = update("<description/><description/>").unwrap_err();
        assert_eq!(
            error.kind(),
            &ReadErrorKind::Duplicate("description".into())
        );
        let error = update("<description><b/></description>").unwrap_err();
        assert!(matches!(error.kind(), ReadErrorKind::Unexpected { .. }));
        let error = update("<uuid>{8E0F7C1A-2B3C-4D5E-6F70-8192A3B4C5D6}</uuid>").unwrap_err();
        assert!(error.to_string().contains("not both"), "{error}");
        let error = request(
            "<a:removeExpresswayCConfiguration><uuid>x</uuid></a:removeExpresswayCConfiguration>",
        );
        assert_eq!(
            error.unwrap_err().kind(),
            &ReadErrorKind::Field(FieldError::Uuid)
        );
    }

    #[test]
    fn an_error_does_not_repeat_the_value() {
        let error = update(
            "<description>a secret that is rather longer than fifty characters</description>",
        );
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("expected at most 50 characters, found 52"),
            "{text}"
        );
        assert!(!text.contains("secret"), "{text}");
    }
}

mod answers {
    use super::*;

    fn node() -> CallManager {
        CallManager {
            uuid: Some("{11111111-2222-3333-4444-555555555555}".parse().unwrap()),
            name: Some("CM_cucm-pub".parse().unwrap()),
            description: None,
            process_node_name: Some(ProcessNodeName {
                name: "cucm-pub.example.com".parse().unwrap(),
                uuid: Some("{66666666-7777-8888-9999-000000000000}".parse().unwrap()),
            }),
            ports: Some(Ports {
                ethernet_phone_port: Some(2000),
                mgcp_ports: Some(MgcpPorts {
                    listen: Some(2427),
                    keep_alive: Some(2428),
                }),
                sip_ports: Some(SipPorts::DEFAULT),
            }),
        }
    }

    #[test]
    fn a_node_says_where_it_listens() {
        let text = envelope(
            "<a:getCallManagerResponse><return>
              <callManager ctiid=\"1\" uuid=\"{11111111-2222-3333-4444-555555555555}\">
                <name>CM_cucm-pub</name><description xsi:nil='true'/><autoRegistration><a/></autoRegistration>
                <ports>
                  <ethernetPhonePort>2000</ethernetPhonePort>
                  <mgcpPorts><listen>2427</listen><keepAlive>2428</keepAlive></mgcpPorts>
                  <sipPorts>
                    <sipPhonePort>5060</sipPhonePort><sipPhoneSecurePort>5061</sipPhoneSecurePort>
                    <sipOAuthPort>5090</sipOAuthPort><sipOAuthMRAPort> 5091 </sipOAuthMRAPort>
                  </sipPorts>
                </ports>
                <processNodeName uuid=\"{66666666-7777-8888-9999-000000000000}\">cucm-pub.example.com</processNodeName>
              </callManager></return></a:getCallManagerResponse>",
        );
        let read = GetCallManager::read_answer(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(read, node());
        assert_eq!(
            (read.sip_oauth_port(), read.sip_oauth_mra_port()),
            (Some(5090), Some(5091))
        );
    }

    #[test]
    fn a_node_of_12_0_has_no_oauth_ports() {
        let text = envelope(
            "<a:getCallManagerResponse><return><callManager><ports><sipPorts>\
             <sipPhonePort>5060</sipPhonePort><sipOAuthPort/></sipPorts></ports>\
             </callManager></return></a:getCallManagerResponse>",
        );
        let read = GetCallManager::read_answer(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(
            (read.sip_oauth_port(), read.sip_oauth_mra_port()),
            (None, None)
        );
    }

    #[test]
    fn a_port_is_a_port() {
        for bad in ["65536", "-1", "x", "50 90"] {
            let text = envelope(&format!(
                "<a:getCallManagerResponse><return><callManager><ports><sipPorts><sipOAuthPort>{bad}\
                 </sipOAuthPort></sipPorts></ports></callManager></return></a:getCallManagerResponse>"
            ));
            let error =
                GetCallManager::read_answer(text.as_bytes(), &Limits::default()).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("ports/sipPorts/sipOAuthPort: expected a port"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_server_answers_the_asked_fields_only() {
        let tags = sip_oauth_axl::CallManagerTags::NONE.with(CallManagerTag::Name);
        let answered = node().only(tags);
        assert_eq!(
            answered,
            CallManager {
                name: node().name,
                ..CallManager::default()
            }
        );
        assert!(CallManagerKey::Name("CM_cucm-pub".parse().unwrap()).selects(&node()));
    }

    #[test]
    fn what_a_later_version_adds_is_passed_over() {
        let text = envelope(
            "<a:listExpresswayCConfigurationResponse><return><expresswayCConfiguration>\
             <HostNameOrIP>h</HostNameOrIP><newer>x</newer></expresswayCConfiguration><total>1</total>\
             </return></a:listExpresswayCConfigurationResponse>",
        );
        let rows = ListExpresswayCConfiguration::read_answer(text.as_bytes(), &Limits::default());
        assert_eq!(rows.map(|rows| rows.len()), Ok(1));
    }

    #[test]
    fn another_operations_answer_is_refused() {
        let text = envelope("<a:getCallManagerResponse><return/></a:getCallManagerResponse>");
        let error = GetExpresswayCConfiguration::read_answer(text.as_bytes(), &Limits::default());
        assert_eq!(
            error.unwrap_err().to_string(),
            "Envelope/Body/getCallManagerResponse: expected element \
             getExpresswayCConfigurationResponse, found getCallManagerResponse, at byte 116"
        );
    }

    #[test]
    fn rows_are_counted() {
        let limits = Limits {
            max_rows: 2,
            ..Limits::default()
        };
        let list = |count| {
            let rows = "<expresswayCConfiguration/>".repeat(count);
            let text = envelope(&format!(
                "<a:listExpresswayCConfigurationResponse><return>{rows}</return>\
                 </a:listExpresswayCConfigurationResponse>"
            ));
            let operation = Operation::ListExpresswayCConfiguration;
            Reply::decode(text.as_bytes(), operation, &limits)
        };
        assert!(list(2).is_ok());
        let error = list(3).unwrap_err();
        assert_eq!(
            error.kind(),
            &ReadErrorKind::TooMuch {
                what: Bound::Rows,
                max: 2
            }
        );
    }

    #[test]
    fn a_fault_without_axl_detail_is_still_a_fault() {
        let text = envelope(
            "<s:Fault><faultcode>s:Client</faultcode><faultstring>no &amp; no</faultstring>\
             <detail><stackTrace/></detail></s:Fault>",
        );
        let operation = Operation::GetCallManager;
        let reply = Reply::decode(text.as_bytes(), operation, &Limits::default()).unwrap();
        assert_eq!(reply.http_status(), 500);
        let sip_oauth_axl::Answer::Fault(fault) = reply.answer else {
            panic!("a fault")
        };
        assert_eq!((fault.code, fault.detail), (FaultCode::Client, None));
        assert_eq!(fault.message.as_str(), "no & no");
    }

    #[test]
    fn what_cannot_be_read_is_answered_with_a_fault() {
        let error = request("<a:getPhone/>").unwrap_err();
        let fault = Fault::unreadable(&error);
        assert_eq!(
            fault.to_string(),
            "SOAP fault soapenv:Client: Envelope/Body/getPhone: expected element of a known operation, \
             found getPhone, at byte 116"
        );
    }
}
