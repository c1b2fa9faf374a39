//! Certificates: their names read, and looked up in a full table of allowed names.

use std::collections::HashSet;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rcgen::{CertificateParams, DnType, KeyPair};
use sip_oauth_trust::rustls::pki_types::CertificateDer;
use sip_oauth_trust::{AllowedNames, AllowedRow, Identities};
use x509_parser::prelude::{FromDer, X509Certificate};

const ROWS: usize = 1_000;
const NAMES_IN_A_ROW: usize = 50;

fn name(row: usize, number: usize) -> String {
    format!("edge{number}.site{row}.example.com")
}

/// Rows and names of a table nobody has outgrown.
fn rows() -> Vec<Vec<String>> {
    let names = |row| {
        (0..NAMES_IN_A_ROW)
            .map(|number| name(row, number))
            .collect()
    };
    (0..ROWS).map(names).collect()
}

/// A certificate as an Expressway-C has it: a CN, and dNSNames of which the CN is the first.
fn certificate(names: &[String]) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(names).expect("names");
    params
        .distinguished_name
        .push(DnType::CommonName, names.first().expect("a name").as_str());
    let key = KeyPair::generate().expect("a key");
    params
        .self_signed(&key)
        .expect("a certificate")
        .der()
        .clone()
}

/// Five names of which the last alone is in the table, and five of which none is.
fn names_of_certificates() -> [Vec<String>; 2] {
    let unknown = |number| format!("edge{number}.example.net");
    let refused: Vec<String> = (0..5).map(unknown).collect();
    let mut allowed = refused.clone();
    if let Some(last) = allowed.last_mut() {
        *last = name(ROWS - 1, NAMES_IN_A_ROW - 1);
    }
    [allowed, refused]
}

fn identities(criterion: &mut Criterion) {
    let [names, _] = names_of_certificates();
    let certificate = certificate(&names);
    let read = Identities::of(&certificate).expect("a good certificate");
    assert_eq!(read.common_names(), names.get(..1).expect("five names"));
    assert_eq!(read.dns_names(), names);
    let bare = |der| {
        X509Certificate::from_der(der)
            .expect("a good certificate")
            .1
    };
    assert_eq!(
        bare(&certificate)
            .subject_alternative_name()
            .map(|it| it.is_some()),
        Ok(true)
    );

    let mut group = criterion.benchmark_group("trust/identities");
    group.throughput(Throughput::Bytes(certificate.len() as u64));
    group.bench_function("Identities::of", |bencher| {
        bencher.iter(|| Identities::of(black_box(&certificate)).expect("good"));
    });
    group.bench_function("x509-parser: certificate", |bencher| {
        bencher.iter(|| bare(black_box(&certificate)));
    });
    group.finish();
}

fn allowed_names(criterion: &mut Criterion) {
    let rows = rows();
    let table: AllowedNames = rows
        .iter()
        .map(|names| AllowedRow::new(names.first().expect("50 names"), "", names.join(",")))
        .collect();
    assert_eq!(table.len(), ROWS * NAMES_IN_A_ROW);
    let set: HashSet<&str> = rows.iter().flatten().map(String::as_str).collect();

    let [allowed, refused] = names_of_certificates();
    let mut group = criterion.benchmark_group("trust/1,000 rows of 50 names");
    for (verdict, names) in [("allowed", &allowed), ("refused", &refused)] {
        let identities = Identities::of(&certificate(names)).expect("a good certificate");
        let is_allowed = verdict == "allowed";
        match table.check(&identities) {
            Ok(found) => assert_eq!(
                (found.row, found.entry),
                (name(ROWS - 1, 0), name(ROWS - 1, 49))
            ),
            Err(refusal) => assert!(!is_allowed && refusal.expected_total == table.len()),
        }
        let in_set = || {
            names
                .iter()
                .any(|name| set.contains(black_box(name.as_str())))
        };
        assert_eq!(in_set(), is_allowed);

        group.throughput(Throughput::Bytes(names.concat().len() as u64));
        group.bench_function(format!("check: {verdict}"), |bencher| {
            bencher.iter(|| table.check(black_box(&identities)).is_ok());
        });
        group.bench_function(format!("HashSet: {verdict}"), |bencher| {
            bencher.iter(in_set);
        });
    }
    group.finish();
}

criterion_group!(benches, identities, allowed_names);
criterion_main!(benches);
