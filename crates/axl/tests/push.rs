//! What Expressway-C changes in the table of allowed names, and what it leaves alone.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "clippy.toml allows these in test functions, not in the helpers beside them"
)]

use sip_oauth_axl::{
    ExpresswayCConfiguration, ExpresswayCKey, Nullable, Request, Uuid, X509Names,
    push::{Change, OwnNames, Plan, Push, split_names},
};

const UUID: Uuid = Uuid::from_bytes([7; 16]);

fn own() -> Push {
    let names = OwnNames::new(
        ["expc1.example.com"],
        ["expc1.example.com", "expc.example.com"],
    );
    Push::new("expc1.example.com".parse().unwrap(), names)
}

fn row(host: &str, names: &str, uuid: Option<Uuid>) -> ExpresswayCConfiguration {
    ExpresswayCConfiguration {
        uuid,
        host_name_or_ip: Some(host.parse().unwrap()),
        description: Nullable::Missing,
        x509_subject_name_or_subject_alternate_name: Nullable::Value(names.parse().unwrap()),
    }
}

fn change(plan: Plan) -> Change {
    match plan {
        Plan::Update(change) => change,
        other => panic!("expected an update, found {other:?}"),
    }
}

#[test]
fn a_missing_row_is_added() {
    let push = own().with_description("Expressway-C peer 1".parse().unwrap());
    let Plan::Add(add) = push.plan(&[row("expc2.example.com", "expc1.example.com", None)]) else {
        panic!("expected an add");
    };
    assert_eq!(add.host_name_or_ip.as_str(), "expc1.example.com");
    assert_eq!(
        add.description.value().map(AsRef::as_ref),
        Some("Expressway-C peer 1")
    );
    let names = add.x509_subject_name_or_subject_alternate_name;
    assert_eq!(
        names.value().map(X509Names::as_str),
        Some("expc1.example.com,expc.example.com")
    );
}

#[test]
fn a_row_with_the_same_names_is_left_alone() {
    for names in [
        "expc1.example.com,expc.example.com",
        "EXPC.example.com; expc1.example.com.",
        " expc.example.com  expc1.example.com expc.example.com ",
    ] {
        assert_eq!(
            own().plan(&[row("Expc1.Example.com", names, Some(UUID))]),
            Plan::UpToDate
        );
    }
}

#[test]
fn a_row_with_other_names_is_updated_and_the_difference_told() {
    let rows = [row(
        "expc1.example.com",
        "expc1.example.com;old.example.com",
        Some(UUID),
    )];
    let change = change(own().plan(&rows));
    assert_eq!(change.request.key, ExpresswayCKey::Uuid(UUID));
    assert_eq!(change.request.description, Nullable::Missing);
    assert_eq!(change.request.new_host_name_or_ip, None);
    assert_eq!(change.gained, ["expc.example.com"]);
    assert_eq!(change.lost, ["old.example.com"]);
}

#[test]
fn without_an_identifier_the_row_goes_by_its_own_spelling() {
    let change = change(own().plan(&[row("EXPC1.example.com", "", None)]));
    let host = "EXPC1.example.com".parse().unwrap();
    assert_eq!(change.request.key, ExpresswayCKey::HostNameOrIp(host));
}

#[test]
fn of_two_spellings_the_exact_one_is_the_own_row() {
    let rows = [
        row("EXPC1.example.com", "other.example.com", None),
        row(
            "expc1.example.com",
            "expc1.example.com,expc.example.com",
            Some(UUID),
        ),
    ];
    assert_eq!(own().plan(&rows), Plan::UpToDate);
}

#[test]
fn a_certificate_without_names_clears_the_field() {
    let names = OwnNames::new([""; 0], [""; 0]);
    let push = Push::new("expc1.example.com".parse().unwrap(), names);
    let change = change(push.plan(&[row("expc1.example.com", "a", Some(UUID))]));
    assert_eq!(
        change.request.x509_subject_name_or_subject_alternate_name,
        Nullable::Nil
    );
}

#[test]
fn once_carried_out_the_plan_has_nothing_left_to_do() {
    let mut table = vec![row("expc2.example.com", "x.example.com", None)];
    let before = table.clone();
    let Some(Request::AddExpresswayCConfiguration(add)) = own().plan(&table).into_request() else {
        panic!("expected an add");
    };
    table.push(ExpresswayCConfiguration::from_add(add, UUID));
    assert_eq!(own().plan(&table), Plan::UpToDate);

    table[1].x509_subject_name_or_subject_alternate_name = Nullable::Nil;
    change(own().plan(&table)).request.apply_to(&mut table[1]);
    assert_eq!(own().plan(&table).into_request(), None);
    assert_eq!(table[..1], before);
}

mod names {
    use super::*;

    #[test]
    fn are_cut_between_two_names_at_4096_characters() {
        // 40 names of 100 characters and 39 commas are 4039; the next brings 4140.
        let sans: Vec<_> = (0..60).map(|n| format!("{n:0>88}.example.com")).collect();
        let own = OwnNames::new([""; 0], &sans);
        assert_eq!(own.names().len(), 40);
        assert_eq!(own.cut(), &sans[40..]);
        let field = own.names_field().unwrap();
        assert_eq!(field.as_str().len(), 4039);
        assert!(split_names(field.as_str()).eq(sans[..40].iter().map(String::as_str)));
    }

    #[test]
    fn that_fill_the_field_exactly_are_kept() {
        let exact = "a".repeat(4096);
        let own = OwnNames::new([&exact], [""; 0]);
        assert_eq!((own.names().len(), own.cut().len()), (1, 0));
        let own = OwnNames::new([exact + "a"], ["b"]);
        assert_eq!((own.names().len(), own.cut().len()), (0, 2));
        assert_eq!(own.names_field(), None);
    }

    #[test]
    fn that_would_be_read_as_others_are_refused() {
        for hostile in [
            "a,b",
            "a;b",
            "a b",
            "a\u{a0}b",
            "a\0b",
            "a\nb",
            "",
            "a\u{FFFF}",
        ] {
            let own = OwnNames::new([hostile], ["good.example.com"]);
            assert_eq!(own.refused(), [hostile]);
            assert_eq!(own.names(), ["good.example.com"]);
        }
    }

    #[test]
    fn stay_names_when_they_look_like_markup() {
        let hostile = "</X509SubjectNameorSubjectAlternateName><a>&amp;]]>";
        let push = Push::new("h".parse().unwrap(), OwnNames::new([hostile], [""; 0]));
        let sent = push.plan(&[]).into_request().unwrap();
        let body = sent.encode(sip_oauth_axl::Version::V15_0).body;
        let limits = sip_oauth_axl::Limits::default();
        assert_eq!(Request::decode(body.as_bytes(), None, &limits), Ok(sent));
    }
}
