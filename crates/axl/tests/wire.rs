//! The samples `40`-`45` of the corpus's `wire` folder, read and written again.
//!
//! `SIP_OAUTH_CORPUS` names the corpus; `wire` lies beside it. Where it is absent the tests pass
//! and name what they skipped.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "clippy.toml allows these in test functions, not in the helpers beside them"
)]

use std::{env, fs, path::PathBuf};

use sip_oauth_axl::{
    AddExpresswayCConfiguration, Answer, AnswerError, Call, ClusterSipOAuthMode, Description,
    ExecuteSqlQuery, ExpresswayCKey, GetExpresswayCConfiguration, KnownQuery, Limits,
    ListExpresswayCConfiguration, Operation, Reply, Request, Returned, TypedRequest, Version,
};

fn sample(name: &str) -> Option<String> {
    let corpus = env::var_os("SIP_OAUTH_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
        PathBuf::from,
    );
    let path = corpus.join("../wire").join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) => {
            println!("skipped {}: {error}", path.display());
            None
        }
    }
}

/// Two documents say the same when they differ in the blanks between elements only.
fn compact(xml: &str) -> String {
    xml.lines().map(str::trim).collect()
}

/// Our own spelling of an element without content, in the samples' one.
fn shorten(xml: &str) -> String {
    xml.replace("></HostNameOrIP>", "/>")
}

#[test]
fn sample_40_adds_a_row() {
    let Some(text) = sample("40-axl-add-expresswayc.request.constructed.txt") else {
        return;
    };
    let (head, body) = text.split_once("\n\n").unwrap();
    let action = head
        .lines()
        .find_map(|line| line.strip_prefix("SOAPAction: "))
        .unwrap();
    let call = Call::decode(body.as_bytes(), Some(action), &Limits::default()).unwrap();
    assert_eq!((call.version, call.sequence), (Version::V14_0, Some(1)));
    let expected = AddExpresswayCConfiguration {
        description: Description::new("Expressway-C peer 1").unwrap().into(),
        x509_subject_name_or_subject_alternate_name: sip_oauth_axl::X509Names::new(
            "expc1.example.com,expc-cluster.example.com",
        )
        .unwrap()
        .into(),
        ..AddExpresswayCConfiguration::new("expc1.example.com".parse().unwrap())
    };
    assert_eq!(call.request, Request::from(expected));

    let written = call.encode();
    assert_eq!(written.soap_action, action);
    assert_eq!(written.body, compact(body));
}

#[test]
fn sample_41_answers_with_the_new_rows_identifier() {
    let Some(text) = sample("41-axl-add-expresswayc.response.constructed.txt") else {
        return;
    };
    let uuid = "{8E0F7C1A-2B3C-4D5E-6F70-8192A3B4C5D6}".parse().unwrap();
    let returned = AddExpresswayCConfiguration::read_answer(text.as_bytes(), &Limits::default());
    assert_eq!(returned, Ok(Returned::Uuid(uuid)));

    let operation = Operation::AddExpresswayCConfiguration;
    let reply = Reply::decode(text.as_bytes(), operation, &Limits::default()).unwrap();
    assert_eq!(reply.encode(), compact(&text));
}

#[test]
fn sample_42_renames_a_row() {
    let Some(text) = sample("42-axl-update-expresswayc.request.constructed.txt") else {
        return;
    };
    let call = Call::decode(text.as_bytes(), None, &Limits::default()).unwrap();
    let Request::UpdateExpresswayCConfiguration(update) = &call.request else {
        panic!("{:?}", call.request)
    };
    let host = "expc1.example.com".parse().unwrap();
    assert_eq!(update.key, ExpresswayCKey::HostNameOrIp(host));
    assert_eq!(
        update.new_host_name_or_ip,
        Some("expc1.corp.example.com".parse().unwrap())
    );
    assert_eq!(call.encode().body, compact(&text));
}

#[test]
fn sample_43_lists_every_row() {
    let Some(text) = sample("43-axl-list-expresswayc.request-response.constructed.txt") else {
        return;
    };
    let (request, answer) = text.split_once("\n\n").unwrap();
    let call = Call::decode(request.as_bytes(), None, &Limits::default()).unwrap();
    let expected = ListExpresswayCConfiguration {
        skip: Some(0),
        first: Some(100),
        ..ListExpresswayCConfiguration::all()
    };
    assert_eq!(call.request, Request::from(expected));
    assert_eq!(shorten(&call.encode().body), compact(request));

    let rows = ListExpresswayCConfiguration::read_answer(answer.as_bytes(), &Limits::default());
    let rows = rows.unwrap();
    let names: Vec<_> = rows[0].names().collect();
    assert_eq!(names, ["expc1.example.com", "expc-cluster.example.com"]);
    let reply = call.reply(Answer::ListExpresswayCConfiguration(rows));
    assert_eq!(reply.encode(), compact(answer));
}

#[test]
fn sample_44_reads_the_cluster_mode() {
    let Some(text) = sample("44-axl-sql-clustersipoauthmode.constructed.txt") else {
        return;
    };
    let (request, answer) = text.split_once("\n\n").unwrap();
    let call = Call::decode(request.as_bytes(), None, &Limits::default()).unwrap();
    assert_eq!(call.version, Version::V12_5);
    let Request::ExecuteSqlQuery(query) = &call.request else {
        panic!("{:?}", call.request)
    };
    assert_eq!(query, &ExecuteSqlQuery::cluster_sip_oauth_mode());
    assert_eq!(query.known(), Some(KnownQuery::ClusterSipOAuthMode));
    assert_eq!(call.encode().body, compact(request));

    let rows = ExecuteSqlQuery::read_answer(answer.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(
        ClusterSipOAuthMode::from_rows(&rows),
        Ok(ClusterSipOAuthMode::Enabled)
    );
    let reply = call.reply(Answer::ExecuteSqlQuery(
        ClusterSipOAuthMode::Enabled.to_rows(),
    ));
    assert_eq!(reply.encode(), compact(answer));
}

#[test]
fn sample_45_refuses() {
    let Some(text) = sample("45-axl-fault.constructed.txt") else {
        return;
    };
    let answer = GetExpresswayCConfiguration::read_answer(text.as_bytes(), &Limits::default());
    let Err(AnswerError::Fault(fault)) = answer else {
        panic!("{answer:?}")
    };
    let message = "Item not valid: The specified Expressway-C was not found";
    let operation = Operation::GetExpresswayCConfiguration;
    assert_eq!(fault, sip_oauth_axl::Fault::axl(5007, message, operation));
    assert_eq!(Reply::from(fault).encode(), compact(&text));
}
