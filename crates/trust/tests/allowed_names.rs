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
fn a_row_keeps_what_it_was_made_of_and_a_table_knows_whether_anybody_can_match() {
    let table = table("a.example.com *.example.com A.example.com.");
    let row = &table.rows()[0];
    assert_eq!(row.host_name_or_ip(), "expc1.example.com");
    assert_eq!(row.description(), "cluster 1");
    assert_eq!(row.entries().len(), 3);
    assert!(!table.is_empty());
    assert_eq!(table.len(), 1, "one usable name, written twice");
    let nobody = AllowedNames::new([AllowedRow::new("x", "", "*.example.com")]);
    assert!(nobody.is_empty() && !nobody.rows().is_empty());
    assert!(AllowedNames::default().is_empty());
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

/// RFC 1035 §2.3.4: 253 octets are a name, 254 are none.
#[test]
fn the_longest_name_is_a_name() {
    let of = |octets: usize| {
        let labels = format!("{}.", "a".repeat(62)).repeat(3);
        format!(
            "{labels}{}.example.com",
            "b".repeat(octets - labels.len() - 12)
        )
    };
    let (longest, longer) = (of(253), of(254));
    assert_eq!((longest.len(), longer.len()), (253, 254));
    assert!(lets_in(&longest, Leaf::default().cn(&longest)));
    assert!(!lets_in(&longer, Leaf::default().cn(&longer)));
    let problem = |text: &str| table(text).rows()[0].entries()[0].problem();
    assert_eq!(problem(&longer), Some(EntryProblem::TooLong));
    let no_name = "@".repeat(253);
    assert_eq!(problem(&no_name), Some(EntryProblem::NotAName));
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
fn refusal_names_what_cannot_be_compared_and_why() {
    let refused = table("*.example.com bücher.example")
        .check(
            &Leaf::default()
                .cn("b.example.com\0.example.net")
                .identities(),
        )
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "certificate: presented [], not usable [CN \"b.example.com\\u{0}.example.net\" (it holds NUL, control or invisible \
         characters)], but table expresswaycconfiguration holds no usable name, not usable [\"*.example.com\" (a wildcard \
         matches nothing here), \"bücher.example\" (not ASCII; write the name with A-labels (xn--…))]"
    );
    assert_eq!(
        (refused.expected_total, refused.unusable_expected_total),
        (0, 2)
    );
    let refused = table("a.example.com *.example.com A.example.com.")
        .check(&Leaf::named("b.example.com").identities())
        .unwrap_err();
    assert_eq!(refused.expected, ["a.example.com"], "the same name once");
    assert_eq!(
        (refused.expected_total, refused.unusable_expected.len()),
        (1, 1)
    );
    let said = refused.to_string();
    let expected = "expected one of [a.example.com], not usable [\"*.example.com\" (a wildcard matches nothing here)] \
                    (table expresswaycconfiguration)";
    assert!(said.ends_with(expected), "{said}");
    let refused = table(&"*.example.com ".repeat(40))
        .check(&Leaf::named("b.example.com").identities())
        .unwrap_err();
    assert!(refused.to_string().ends_with("] and 24 more"), "{refused}");
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
    let said = refused.to_string();
    assert!(said.len() < 1_000);
    assert!(said.contains(" and 49984 more (table"), "{said}");
}

/// The rule once more, written naively: split, compare letter by letter, or as addresses.
fn naive(names: &str, presented: &str) -> bool {
    let plain = |name: &str| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let address = |name: &str| {
        let inner = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        inner.unwrap_or(name).parse::<std::net::IpAddr>().ok()
    };
    names
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
        .filter(|entry| !entry.contains('*') && !entry.is_empty())
        .any(|entry| {
            plain(entry) == plain(presented)
                || address(entry).is_some_and(|it| address(presented) == Some(it))
        })
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
        let leaf = Leaf::default().cn(&presented);
        prop_assert!(!lets_in(&names, leaf) || naive(&names, &presented), "{names:?} let in {presented:?}");
    }

    /// Any part of the string is presented: only one that is a whole entry may be let in.
    #[test]
    fn no_false_accept_of_a_part_of_the_string(
        names in "([a-c]{1,3}[.,; \u{3000}*-]|[\\PC]|192\\.0\\.2\\.[0-9][ .,]){1,12}",
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        let letters: Vec<char> = names.chars().collect();
        let (from, to) = (from.index(letters.len()), to.index(letters.len()));
        let presented: String = letters[from.min(to)..=from.max(to)].iter().collect();
        let leaf = Leaf::default().cn(&presented);
        prop_assert!(!lets_in(&names, leaf) || naive(&names, &presented), "{names:?} let in {presented:?}");
    }

    /// What is pushed for a certificate names nobody but it: the string of a row is split as it was put together.
    #[test]
    fn what_is_pushed_is_what_the_certificate_names(names in prop::collection::vec("[a-c,; .\u{3000}]{1,8}", 1..4)) {
        let leaf = names.iter().fold(Leaf::default().cn(&names[0]), |leaf, name| {
            if name.is_ascii() { leaf.dns(name) } else { leaf }
        });
        let pushed = leaf.identities().names_for_table();
        let row = AllowedRow::new("x", "", pushed.join(","));
        let entries: Vec<_> = row.entries().iter().map(sip_oauth_trust::AllowedEntry::text).collect();
        prop_assert_eq!(entries, pushed);
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

    /// Every name that a person could take for the entry, or that a careless comparison would: none is let in.
    #[test]
    fn no_name_that_only_looks_like_an_entry_is_let_in(
        entry in "[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?(\\.[a-z][a-z0-9]{0,8}){1,4}",
        at in any::<prop::sample::Index>(),
        trick in 0..TRICKS.len(),
    ) {
        let trick = TRICKS[trick];
        let Some(name) = disguise(&entry, at.index(entry.len()), trick) else {
            return Ok(());
        };
        prop_assert!(lets_in(&entry, Leaf::default().cn(&entry).dns(&entry)), "the entry itself");
        prop_assert!(!lets_in(&entry, Leaf::default().cn(&name)), "{entry:?} let in CN {name:?}");
        // The other way round: such an entry lets the plain name in no more.
        if !name.contains(|c: char| c.is_whitespace() || matches!(c, ',' | ';')) {
            prop_assert!(!lets_in(&name, Leaf::default().cn(&entry).dns(&entry)), "{name:?} let in {entry:?}");
        }
        if name.is_ascii() {
            prop_assert!(!lets_in(&entry, Leaf::default().dns(&name)), "{entry:?} let in dNSName {name:?}");
        }
    }

    /// Entries of nothing but separators, and empty ones between others, match nobody: not an empty CN either.
    #[test]
    fn empty_entries_match_nobody(names in "[,; \\t\r\n]{0,40}") {
        let table = table(&names);
        prop_assert!(table.is_empty() && table.rows()[0].entries().is_empty());
        for name in ["", " ", ".", ",", ";"] {
            prop_assert!(table.check(&Leaf::default().cn(name).identities()).is_err());
        }
    }

    /// RFC 1035 §2.3.4: a label of more than 63 octets and a name of more than 253 are no names, on either side.
    #[test]
    fn over_long_names_match_nothing(label in 64_usize..200, labels in 5_usize..40) {
        for name in [
            format!("{}.example.com", "a".repeat(label)),
            format!("{}example.com", format!("{}.", "a".repeat(60)).repeat(labels)),
        ] {
            prop_assert!(!lets_in(&name, Leaf::default().cn(&name).dns(&name)), "{name}");
            let table = table(&name);
            prop_assert!(table.rows()[0].entries()[0].problem().is_some());
        }
    }
}

/// Ways to make one name look like another.
const TRICKS: &[&str] = &[
    "NUL",
    "line feed",
    "zero width space",
    "right-to-left override",
    "soft hyphen",
    "blank",
    "homograph",
    "full-width",
    "ideographic full stop",
    "more before",
    "more behind",
    "cut",
    "label before",
    "wildcard",
    "double dot",
    "percent",
    "slash",
    "at",
    "port",
    "over-long",
];

/// `name` under that trick, or `None` where it would be the same name.
fn disguise(name: &str, at: usize, trick: &str) -> Option<String> {
    let (before, behind) = name.split_at(at);
    let letter = behind.chars().next()?;
    let rest = &behind[1..];
    let inserted = |what: &str| Some(format!("{before}{what}{behind}"));
    match trick {
        "NUL" => inserted("\0"),
        "line feed" => inserted("\n"),
        "zero width space" => inserted("\u{200B}"),
        "right-to-left override" => inserted("\u{202E}"),
        "soft hyphen" => inserted("\u{AD}"),
        "blank" => inserted(" "),
        "percent" => inserted("%00"),
        "slash" => inserted("/"),
        "at" => inserted("@"),
        "double dot" => inserted(".."),
        "homograph" => {
            let other = match letter {
                'a' => 'а',
                'c' => 'с',
                'e' => 'е',
                'i' => 'і',
                'o' => 'о',
                'p' => 'р',
                'x' => 'х',
                'y' => 'у',
                '-' => '\u{2010}',
                _ => return None,
            };
            Some(format!("{before}{other}{rest}"))
        }
        "full-width" => {
            let other = char::from_u32(u32::from(letter) + 0xFEE0)?;
            Some(format!("{before}{other}{rest}"))
        }
        "ideographic full stop" => (letter == '.').then(|| format!("{before}\u{3002}{rest}")),
        "more before" => Some(format!("x{name}")),
        "more behind" => Some(format!("{name}x")),
        "cut" => (rest.len() > 1).then(|| rest.to_owned()),
        "label before" => Some(format!("x.{name}")),
        "wildcard" => Some(format!("*.{}", name.split_once('.')?.1)),
        "port" => Some(format!("{name}:5091")),
        "over-long" => Some(format!("{before}{}{behind}", "a".repeat(254))),
        _ => unreachable!("every trick is listed"),
    }
}
