//! The names allowed on mutual TLS: table `expresswaycconfiguration`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use proptest::prelude::*;
use rcgen::DnValue;
use sip_oauth_trust::{AllowedNames, AllowedRow, EntryProblem, NotAllowed};
use support::Leaf;

fn table(names: &str) -> AllowedNames {
    AllowedNames::new([AllowedRow::new("expc1.example.com", "cluster 1", names)])
}

fn lets_in(names: &str, leaf: Leaf) -> bool {
    table(names).check(&leaf.identities()).is_ok()
}

#[test]
fn comma_semicolon_and_blanks_separate_names() {
    for names in [
        "a.example.com,b.example.com",
        "a.example.com;b.example.com",
        "a.example.com b.example.com",
        " a.example.com , ;\tb.example.com\r\n;",
    ] {
        let row = AllowedRow::new("x", "", names);
        let entries: Vec<_> = row
            .entries()
            .iter()
            .map(sip_oauth_trust::AllowedEntry::text)
            .collect();
        assert_eq!(entries, ["a.example.com", "b.example.com"], "{names:?}");
        assert_eq!(row.names(), names, "the string itself is kept");
    }
}

#[test]
fn one_of_cn_and_san_suffices() {
    let names = "expc1.example.com,192.0.2.7";
    assert!(lets_in(names, Leaf::default().cn("expc1.example.com")));
    assert!(lets_in(
        names,
        Leaf::default().cn("other").dns("expc1.example.com")
    ));
    assert!(lets_in(
        names,
        Leaf::default()
            .cn("other")
            .dns("a.example.com")
            .ip("192.0.2.7")
    ));
    assert!(!lets_in(
        names,
        Leaf::default()
            .cn("expc2.example.com")
            .dns("a.example.com")
            .ip("192.0.2.8")
    ));
    assert!(
        !lets_in(names, Leaf::default().uri("sip:expc1.example.com")),
        "a URI is not looked up"
    );
}

#[test]
fn case_and_trailing_dot_do_not_matter() {
    assert!(lets_in(
        "EXPC1.Example.com.",
        Leaf::default().dns("expc1.example.COM")
    ));
    assert!(lets_in(
        "expc1.example.com",
        Leaf::default().cn("Expc1.example.com.")
    ));
    assert!(!lets_in(
        "expc1.example.com..",
        Leaf::default().cn("expc1.example.com")
    ));
}

#[test]
fn wildcards_match_nothing_on_either_side() {
    assert!(!lets_in(
        "*.example.com",
        Leaf::default().dns("expc1.example.com")
    ));
    assert!(!lets_in(
        "*.example.com",
        Leaf::default().dns("*.example.com")
    ));
    assert!(!lets_in(
        "expc1.example.com",
        Leaf::default().dns("*.example.com").cn("*.example.com")
    ));
}

#[test]
fn addresses_are_compared_as_addresses() {
    assert!(lets_in(
        "2001:DB8:0:0::7",
        Leaf::default().ip("2001:db8::7")
    ));
    assert!(lets_in("[2001:db8::7]", Leaf::default().ip("2001:db8::7")));
    assert!(
        lets_in("192.0.2.7", Leaf::default().cn("192.0.2.7")),
        "a CN may be an address"
    );
    assert!(
        !lets_in("192.0.2.7", Leaf::default().dns("192.0.2.7")),
        "a dNSName is none"
    );
    assert!(!lets_in("192.0.2.07", Leaf::default().ip("192.0.2.7")));
    assert!(!lets_in("0x7f.0x1", Leaf::default().cn("0x7f.0x1")));
}

#[test]
fn nul_control_and_look_alike_characters_never_match() {
    for name in [
        "expc1.example.com\0.evil.example",
        "expc1.example.com\0",
        "expc1.example.com\n",
        "expc1.example\u{200B}.com",
        "еxpc1.example.com", // a Cyrillic first letter
        "expc1.example。com",
    ] {
        assert!(
            !lets_in("expc1.example.com", Leaf::default().cn(name)),
            "{name:?}"
        );
    }
}

#[test]
fn cn_as_bmp_string_is_decoded() {
    let value = DnValue::BmpString("expc1.example.com".try_into().expect("UCS-2"));
    assert!(lets_in(
        "expc1.example.com",
        Leaf::default().cn_value(value)
    ));
}

#[test]
fn unusable_entries_say_why() {
    let long = format!("{}.example.com", "a".repeat(250));
    let table = table(&format!(
        "*.example.com bücher.example {long} -x, @ xn--bcher-kva.example"
    ));
    let problems: Vec<_> = table.rows()[0]
        .entries()
        .iter()
        .map(sip_oauth_trust::AllowedEntry::problem)
        .collect();
    assert_eq!(
        problems,
        [
            Some(EntryProblem::Wildcard),
            Some(EntryProblem::NotAscii),
            Some(EntryProblem::TooLong),
            Some(EntryProblem::NotAName),
            Some(EntryProblem::NotAName),
            None
        ]
    );
    assert_eq!(table.len(), 1);
}

#[test]
fn verdict_names_row_and_entry() {
    let table = AllowedNames::new([
        AllowedRow::new("expc1.example.com", "", "expc1.example.com"),
        AllowedRow::new(
            "expc2.example.com",
            "",
            "chat.example.com, EXPC2.example.com",
        ),
    ]);
    let matched = table
        .check(&Leaf::named("expc2.example.com").identities())
        .expect("in the table");
    assert_eq!(
        matched.to_string(),
        "CN \"expc2.example.com\" matches entry \"EXPC2.example.com\" of row \"expc2.example.com\""
    );
}

#[test]
fn refusal_names_presented_against_expected() {
    let refused = table("a.example.com")
        .check(&Leaf::named("b.example.com").identities())
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "certificate: presented [CN \"b.example.com\", DNS \"b.example.com\"], expected one of [a.example.com] \
         (table expresswaycconfiguration)"
    );
    let empty = table(" ,;")
        .check(&Leaf::named("b.example.com").identities())
        .unwrap_err();
    assert!(
        empty
            .to_string()
            .ends_with("but table expresswaycconfiguration holds no name"),
        "{empty}"
    );
}

#[test]
fn a_thousand_rows_of_fifty_names_are_found_and_a_refusal_stays_short() {
    let rows = (0..1_000).map(|row| {
        let names: Vec<_> = (0..50)
            .map(|name| format!("n{name}.r{row}.example.com"))
            .collect();
        AllowedRow::new(format!("r{row}"), "", names.join(","))
    });
    let table = AllowedNames::new(rows);
    assert_eq!(table.len(), 50_000);
    let matched = table
        .check(&Leaf::named("n49.r999.example.com").identities())
        .expect("in the table");
    assert_eq!(matched.row, "r999");
    let refused = table
        .check(&Leaf::named("n50.r999.example.com").identities())
        .unwrap_err();
    assert_eq!(
        (refused.expected.len(), refused.expected_total),
        (NotAllowed::MAX_EXPECTED, 50_000)
    );
    assert!(refused.to_string().len() < 1_000);
}

/// The rule once more, written naively: split, compare letter by letter.
fn naive(names: &str, presented: &str) -> bool {
    let plain = |name: &str| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    names
        .split([',', ';', ' '])
        .any(|entry| !entry.contains('*') && !entry.is_empty() && plain(entry) == plain(presented))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_false_accept(names in "[ab.*,; 0-]{0,24}", presented in "[abAB.*0 -]{1,6}") {
        let leaf = Leaf::default().cn(&presented).dns(&presented);
        prop_assert!(!lets_in(&names, leaf) || naive(&names, &presented), "{names:?} let in {presented:?}");
    }

    #[test]
    fn no_false_accept_of_any_text(names in any::<String>(), presented in "\\PC{1,24}") {
        if lets_in(&names, Leaf::default().cn(&presented)) {
            prop_assert!(names.to_ascii_lowercase().contains(presented.trim_end_matches('.').to_ascii_lowercase().as_str())
                || presented.parse::<std::net::IpAddr>().is_ok());
        }
    }

    #[test]
    fn what_is_pushed_is_let_in(label in "[a-z][a-z0-9]{0,20}", more in prop::collection::vec("[a-z][a-z0-9]{0,9}", 0..8)) {
        let mut leaf = Leaf::named(&format!("{label}.example.com"));
        for name in &more {
            leaf = leaf.dns(&format!("{name}.example.net"));
        }
        let identities = leaf.identities();
        let pushed = identities.names_for_table().join(",");
        prop_assert!(table(&pushed).check(&identities).is_ok());
    }
}
