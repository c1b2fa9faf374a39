//! What is written reads back equal, and nothing that arrives can do worse than be refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "clippy.toml allows these in test functions, not in the helpers beside them"
)]

use proptest::{collection::vec, option, prelude::*};
use sip_oauth_axl::{
    AddExpresswayCConfiguration, Answer, AxlError, Call, CallManager, CallManagerKey,
    CallManagerTag, CallManagerTags, ColumnName, ExecuteSqlQuery, ExpresswayCConfiguration,
    ExpresswayCKey, ExpresswayCTag, ExpresswayCTags, Fault, FaultCode, GetCallManager,
    GetExpresswayCConfiguration, HostNameOrIp, Limits, ListCallManager,
    ListExpresswayCConfiguration, MgcpPorts, Nullable, Operation, Ports, ProcessNodeName, Prose,
    RemoveExpresswayCConfiguration, Reply, Request, Returned, SipPorts, SqlColumn, SqlRow, SqlRows,
    Text, UpdateExpresswayCConfiguration, Uuid, Version,
    push::{OwnNames, Plan, Push},
};

fn version() -> impl Strategy<Value = Version> {
    (0u8..100, 0u8..100).prop_map(|(major, minor)| format!("{major}.{minor}").parse().unwrap())
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<[u8; 16]>().prop_map(Uuid::from_bytes)
}

/// Characters that have a meaning in XML, among all others.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<".to_owned()),
        Just("&".to_owned()),
        Just("]]>".to_owned()),
        Just("&amp;".to_owned()),
        Just("\r\n".to_owned()),
        Just("\r".to_owned()),
        Just("\"'".to_owned()),
        Just(" ".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn text<const MAX: usize>() -> impl Strategy<Value = Text<MAX>> {
    hostile().prop_map(|text| Text::lossy(&text))
}

fn host() -> impl Strategy<Value = HostNameOrIp> {
    hostile().prop_filter_map("no host name", |text| HostNameOrIp::new(text).ok())
}

fn nullable<T: std::fmt::Debug + Clone + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Nullable<T>> {
    prop_oneof![
        Just(Nullable::Missing),
        Just(Nullable::Nil),
        value.prop_map(Nullable::Value)
    ]
}

fn key() -> impl Strategy<Value = ExpresswayCKey> {
    prop_oneof![
        uuid().prop_map(ExpresswayCKey::Uuid),
        host().prop_map(ExpresswayCKey::HostNameOrIp)
    ]
}

fn tags() -> impl Strategy<Value = ExpresswayCTags> {
    use ExpresswayCTag::{Description, HostNameOrIp, Uuid, X509SubjectNameOrSubjectAlternateName};
    let all = vec![
        Uuid,
        HostNameOrIp,
        Description,
        X509SubjectNameOrSubjectAlternateName,
    ];
    proptest::sample::subsequence(all, 0..=4).prop_map(|tags| {
        tags.into_iter()
            .fold(ExpresswayCTags::NONE, ExpresswayCTags::with)
    })
}

fn node_tags() -> impl Strategy<Value = CallManagerTags> {
    use CallManagerTag::{Description, Name, Ports, ProcessNodeName, Uuid};
    let all = vec![Uuid, Name, Description, ProcessNodeName, Ports];
    proptest::sample::subsequence(all, 0..=5).prop_map(|tags| {
        tags.into_iter()
            .fold(CallManagerTags::NONE, CallManagerTags::with)
    })
}

fn request() -> impl Strategy<Value = Request> {
    let add = (host(), nullable(text()), nullable(text())).prop_map(
        |(host_name_or_ip, description, x509_subject_name_or_subject_alternate_name)| {
            Request::from(AddExpresswayCConfiguration {
                host_name_or_ip,
                description,
                x509_subject_name_or_subject_alternate_name,
            })
        },
    );
    let update = (
        key(),
        option::of(host()),
        nullable(text()),
        nullable(text()),
    )
        .prop_map(
            |(
                key,
                new_host_name_or_ip,
                description,
                x509_subject_name_or_subject_alternate_name,
            )| {
                Request::from(UpdateExpresswayCConfiguration {
                    key,
                    new_host_name_or_ip,
                    description,
                    x509_subject_name_or_subject_alternate_name,
                })
            },
        );
    let get = (key(), option::of(tags())).prop_map(|(key, returned_tags)| {
        Request::from(GetExpresswayCConfiguration { key, returned_tags })
    });
    let page = || (option::of(any::<u64>()), option::of(any::<u64>()));
    let search = || (option::of(text()), option::of(text()));
    let list = (search(), tags(), page()).prop_map(
        |((host_name_or_ip, description), returned_tags, (skip, first))| {
            Request::from(ListExpresswayCConfiguration {
                host_name_or_ip,
                description,
                returned_tags,
                skip,
                first,
            })
        },
    );
    let node_key = prop_oneof![
        uuid().prop_map(CallManagerKey::Uuid),
        text().prop_map(CallManagerKey::Name)
    ];
    let get_node = (node_key, option::of(node_tags()))
        .prop_map(|(key, returned_tags)| Request::from(GetCallManager { key, returned_tags }));
    let list_nodes = (search(), node_tags(), page()).prop_map(
        |((name, description), returned_tags, (skip, first))| {
            Request::from(ListCallManager {
                name,
                description,
                returned_tags,
                skip,
                first,
            })
        },
    );
    prop_oneof![
        add,
        update,
        get,
        list,
        key().prop_map(|key| Request::from(RemoveExpresswayCConfiguration { key })),
        get_node,
        list_nodes,
        text().prop_map(|sql| Request::from(ExecuteSqlQuery::new(sql))),
    ]
}

fn row() -> impl Strategy<Value = ExpresswayCConfiguration> {
    (
        option::of(uuid()),
        option::of(host()),
        nullable(text()),
        nullable(text()),
    )
        .prop_map(
            |(uuid, host_name_or_ip, description, x509_subject_name_or_subject_alternate_name)| {
                ExpresswayCConfiguration {
                    uuid,
                    host_name_or_ip,
                    description,
                    x509_subject_name_or_subject_alternate_name,
                }
            },
        )
}

fn ports() -> impl Strategy<Value = Ports> {
    let port = option::of(any::<u16>());
    let mgcp = (port.clone(), port.clone())
        .prop_map(|(listen, keep_alive)| MgcpPorts { listen, keep_alive });
    let sip = (port.clone(), port.clone(), port.clone(), port.clone()).prop_map(
        |(sip_phone_port, sip_phone_secure_port, sip_oauth_port, sip_oauth_mra_port)| SipPorts {
            sip_phone_port,
            sip_phone_secure_port,
            sip_oauth_port,
            sip_oauth_mra_port,
        },
    );
    (port, option::of(mgcp), option::of(sip)).prop_map(
        |(ethernet_phone_port, mgcp_ports, sip_ports)| Ports {
            ethernet_phone_port,
            mgcp_ports,
            sip_ports,
        },
    )
}

fn node() -> impl Strategy<Value = CallManager> {
    let process_node =
        (text(), option::of(uuid())).prop_map(|(name, uuid)| ProcessNodeName { name, uuid });
    (
        option::of(uuid()),
        option::of(text()),
        option::of(text()),
        option::of(process_node),
        option::of(ports()),
    )
        .prop_map(
            |(uuid, name, description, process_node_name, ports)| CallManager {
                uuid,
                name,
                description,
                process_node_name,
                ports,
            },
        )
}

fn fault() -> impl Strategy<Value = Fault> {
    let code = prop_oneof![
        Just(FaultCode::Server),
        Just(FaultCode::Client),
        Just(FaultCode::VersionMismatch),
        Just(FaultCode::MustUnderstand),
        "[a-z]{1,8}:[A-Z][a-z.]{1,8}X".prop_map(|code| code.parse().unwrap()),
    ];
    let detail =
        (any::<i32>(), text(), text()).prop_map(|(axlcode, axlmessage, request)| AxlError {
            axlcode,
            axlmessage,
            request,
        });
    (code, text(), option::of(detail)).prop_map(|(code, message, detail)| Fault {
        code,
        message,
        detail,
    })
}

fn sql_rows() -> impl Strategy<Value = SqlRows> {
    let column = (
        "[A-Za-z_é][A-Za-z0-9_.-]{0,12}",
        option::of(text::<65_536>()),
    )
        .prop_map(|(name, value)| SqlColumn {
            name: ColumnName::new(name).unwrap(),
            value,
        });
    let row = vec(column, 0..4).prop_map(|columns| SqlRow { columns });
    vec(row, 0..4).prop_map(|rows| SqlRows { rows })
}

fn answer() -> impl Strategy<Value = (Operation, Answer)> {
    let returned = || {
        prop_oneof![
            uuid().prop_map(Returned::Uuid),
            any::<bool>().prop_map(Returned::Success)
        ]
    };
    let good = prop_oneof![
        returned().prop_map(Answer::AddExpresswayCConfiguration),
        returned().prop_map(Answer::UpdateExpresswayCConfiguration),
        returned().prop_map(Answer::RemoveExpresswayCConfiguration),
        row().prop_map(Answer::GetExpresswayCConfiguration),
        vec(row(), 0..4).prop_map(Answer::ListExpresswayCConfiguration),
        node().prop_map(Answer::GetCallManager),
        vec(node(), 0..4).prop_map(Answer::ListCallManager),
        sql_rows().prop_map(Answer::ExecuteSqlQuery),
    ];
    let good = good.prop_map(|answer| {
        let operation = answer.operation().unwrap();
        (operation, answer)
    });
    let refused = (proptest::sample::select(Operation::ALL), fault())
        .prop_map(|(operation, fault)| (operation, Answer::Fault(fault)));
    prop_oneof![8 => good, 1 => refused]
}

/// Bytes that get further into the readers than any bytes do.
fn near_xml() -> impl Strategy<Value = Vec<u8>> {
    let pieces = proptest::sample::select(vec![
        "<Envelope>",
        "<Body>",
        "</Body>",
        "</Envelope>",
        "<addExpresswayCConfiguration>",
        "<executeSQLQueryResponse>",
        "<return>",
        "<row>",
        "<a:b c='d'>",
        "</",
        "/>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "&lt;",
        "&#x",
        ";",
        "<?xml version='1.0'?>",
        "<!DOCTYPE a>",
        "\u{FEFF}",
        "'",
    ]);
    let piece = prop_oneof![
        4 => pieces.prop_map(|piece| piece.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..4),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn read_as_everything(bytes: &[u8]) {
    let limits = Limits::default();
    let _ = Call::decode(bytes, None, &limits);
    let _ = Call::decode(bytes, Some("CUCM:DB ver=14.0"), &limits);
    for operation in Operation::ALL {
        let _ = Reply::decode(bytes, *operation, &limits);
    }
}

proptest! {
    #[test]
    fn a_request_reads_back_equal(version in version(), sequence: Option<u64>, request in request()) {
        let call = Call { version, sequence, request };
        let sent = call.encode();
        let limits = Limits::default();
        let read = Call::decode(sent.body.as_bytes(), Some(&sent.soap_action), &limits);
        prop_assert_eq!(read.as_ref(), Ok(&call));
        let read = Call::decode(sent.body.as_bytes(), None, &limits);
        prop_assert_eq!(read.as_ref(), Ok(&call));
    }

    #[test]
    fn an_answer_reads_back_equal(
        version in option::of(version()),
        sequence: Option<u64>,
        (operation, answer) in answer(),
    ) {
        let reply = match answer {
            Answer::Fault(fault) => Reply::from(fault),
            answer => Reply { version, sequence, answer },
        };
        let read = Reply::decode(reply.encode().as_bytes(), operation, &Limits::default());
        prop_assert_eq!(read, Ok(reply));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..256)) {
        read_as_everything(&bytes);
    }

    #[test]
    fn anything_like_xml_is_read_or_refused(bytes in near_xml()) {
        read_as_everything(&bytes);
    }

    #[test]
    fn a_document_cut_or_changed_anywhere_is_read_or_refused(
        request in request(),
        at: prop::sample::Index,
        byte: u8,
    ) {
        let mut bytes = request.encode(Version::V14_0).body.into_bytes();
        let at = at.index(bytes.len());
        prop_assert!(Call::decode(&bytes[..at], None, &Limits::default()).is_err());
        bytes[at] = byte;
        read_as_everything(&bytes);
    }

    #[test]
    fn a_push_carried_out_is_up_to_date_and_leaves_other_rows_alone(
        own_host in host(),
        names in vec(hostile(), 0..6),
        mut table in vec(row(), 0..4),
        uuid in uuid(),
    ) {
        let push = Push::new(own_host.clone(), OwnNames::new(&names, &names));
        let before = table.clone();
        match push.plan(&table) {
            Plan::Add(add) => table.push(ExpresswayCConfiguration::from_add(add, uuid)),
            Plan::Update(change) => {
                let key = change.request.key.clone();
                let row = table.iter_mut().find(|row| key.selects(row)).unwrap();
                change.request.apply_to(row);
            }
            Plan::UpToDate => {}
        }
        let changed = before.iter().zip(&table).filter(|(old, new)| old != new);
        for (old, _) in changed {
            prop_assert!(old.host_name_or_ip.as_ref().unwrap().is_same_host(&own_host));
        }
        prop_assert_eq!(push.plan(&table), Plan::UpToDate);
    }

    #[test]
    fn every_name_of_a_certificate_is_accounted_for(names in vec(hostile(), 0..40)) {
        let own = OwnNames::new(&names, [""; 0]);
        let told = own.names().iter().chain(own.cut()).chain(own.refused());
        let told: Vec<_> = told.map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect();
        for name in &names {
            prop_assert!(told.contains(&name.trim_end_matches('.').to_ascii_lowercase()));
        }
        if let Some(field) = own.names_field() {
            prop_assert!(Prose::new(field.as_str()).is_ok());
        }
    }
}
