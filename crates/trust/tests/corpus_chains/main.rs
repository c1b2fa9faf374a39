//! Chains of the corpus, judged by us and by plain rustls-webpki.
//!
//! The two say the same of every case but those of `DIFFERENCES`, each with its reason; the run fails as well when one
//! of these starts to agree. How often both say what the corpus expects is printed, and pinned.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    reason = "test helpers stand outside #[test] functions"
)]

mod case;
mod sources;

use std::collections::BTreeMap;

use case::{Case, Verdict};

/// Cases of which we say something else than plain webpki, and why. The pin, digitalSignature and the length of RSA keys
/// are such differences; no case of the corpus shows one.
const DIFFERENCES: &[(&[&str], &str)] = &[
    (
        &[
            "rfc5280::root-missing-basic-constraints",
            "chains/root-basic-constraints-ca-false/main",
            "chains/root-basic-constraints-ca-false/ta-with-constraints",
            "chains/root-lacks-keycertsign-key-usage/main",
            "chains/root-lacks-keycertsign-key-usage/ta-with-constraints",
        ],
        "the anchor may not issue: CA:FALSE, no basicConstraints in version 3, or a key usage without keyCertSign (RFC 5280 \
     §4.2.1.9, §6.1.4). webpki looks at neither in an anchor, so that the key of a host whose own certificate is in \
     the store could sign a certificate of any name. The two called main are good for who wrote the corpus, since a \
     browser's anchor is a name and a key alone; what an administrator uploads is a certificate",
    ),
    (
        &[
            "pkits 4.5.5 Invalid Basic Self-Issued New With Old Test5",
            "pkits 4.5.6 Valid Basic Self-Issued CRL Signing Key Test6",
        ],
        "an authority has a complete list and one of limited scope, the complete one signed with another of its keys, and \
     the certificate names no distribution point: webpki asks the list that was given first, here the limited one, \
     which revokes nothing; we ask the complete one first, which webpki cannot use, and refuse what is revoked (4.5.5) \
     with what is not",
    ),
];

/// For each source: cases, how many end as the corpus expects, and how many of the others are accepted. All of these
/// are plain webpki's as well: no policies, no dates of anchors, no keyUsage of issuers, leniencies of the public web.
const SCORES: &[(&str, usize, usize, usize)] = &[
    ("limbo", 104, 78, 23),
    ("bettertls", 641, 641, 0),
    ("pkits", 128, 85, 7),
    ("chains", 105, 69, 15),
    // Keys of 1024 bits sign them, so that what is good there is refused.
    ("crl", 33, 25, 0),
];

/// Judges every case of a source; gives `false` when the corpus is not at hand.
fn run(source: &str, cases: Option<Vec<Case>>) {
    let Some(cases) = cases else {
        println!("skipped: {source}: no corpus");
        return;
    };
    let mut surprises = Vec::new();
    let mut by_difference: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut right, mut false_accepts) = (0, Vec::new());
    for case in &cases {
        let (ours, plain) = (case.ours(), case.plain());
        let listed = DIFFERENCES
            .iter()
            .find(|(ids, _)| ids.contains(&case.id.as_str()));
        if (ours.accepted == plain.accepted) == listed.is_some() {
            surprises.push(format!(
                "{}: we: {ours}, plain webpki: {plain}, listed: {}",
                case.id,
                listed.is_some()
            ));
        }
        if let Some((_, reason)) = listed {
            *by_difference.entry(reason).or_default() += 1;
        }
        if ours.accepted == case.expected {
            right += 1;
        } else if ours.accepted {
            false_accepts.push(case.id.as_str());
        }
    }
    for (reason, count) in by_difference {
        println!("{source}: {count} differ from plain webpki: {reason}");
    }
    println!(
        "{source}: {right} of {} as the corpus expects; accepted although it expects a refusal: {false_accepts:?}",
        cases.len()
    );
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    let score = (source, cases.len(), right, false_accepts.len());
    assert!(SCORES.contains(&score), "score: {score:?}");
}

#[test]
fn limbo() {
    run("limbo", sources::limbo("limbo/limbo.json"));
}

#[test]
fn bettertls() {
    run("bettertls", sources::limbo("limbo/bettertls.json"));
}

#[test]
fn pkits() {
    run("pkits", sources::pkits());
}

#[test]
fn chains() {
    run("chains", sources::chains());
}

#[test]
fn crl() {
    run("crl", sources::crl());
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.accepted { "good" } else { "refused, " })?;
        f.write_str(&self.why)
    }
}
