//! The allowed names of mutual TLS: rows of the `expresswaycconfiguration` table.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::net::IpAddr;

use crate::dns_name::{TrailingDot, canonical, ip_literal, printable};
use crate::identities::{write_list, write_unusable};
use crate::{Identities, PresentedName, Unusable};

/// One row of the `expresswaycconfiguration` table (AXL `ExpresswayCConfiguration`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedRow {
    host_name_or_ip: String,
    description: String,
    names: String,
    entries: Vec<AllowedEntry>,
}

/// One name out of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedEntry {
    text: String,
    key: Result<Key, EntryProblem>,
}

/// Why an entry of a row never matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryProblem {
    /// Wildcards are not compared.
    #[error("a wildcard matches nothing here")]
    Wildcard,
    /// Longer than a DNS name may be.
    #[error("longer than the 253 octets of a DNS name")]
    TooLong,
    /// Internationalised names are given as A-labels (`xn--…`).
    #[error("not ASCII; write the name with A-labels (xn--…)")]
    NotAscii,
    /// Neither a DNS name nor an IP address.
    #[error("neither a DNS name nor an IP address")]
    NotAName,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Dns(String),
    Ip(IpAddr),
}

/// Which row and entry let the peer in, and by which of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameMatch {
    /// The row's HostNameOrIP.
    pub row: String,
    /// The entry as it stands in the row.
    pub entry: String,
    /// The name of the certificate.
    pub presented: PresentedName,
}

impl fmt::Display for NameMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} matches entry \"{}\" of row \"{}\"",
            self.presented,
            printable(&self.entry),
            printable(&self.row)
        )
    }
}

/// No name of the certificate is in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotAllowed {
    /// The first different usable entries of the table, at most [`NotAllowed::MAX_EXPECTED`].
    pub expected: Vec<String>,
    /// How many different usable entries the table has.
    pub expected_total: usize,
    /// The first entries of the table that match nothing, with their cause; as many at most.
    pub unusable_expected: Vec<AllowedEntry>,
    /// How many entries match nothing.
    pub unusable_expected_total: usize,
    /// The names of the certificate that were looked up: CN, dNSName, iPAddress.
    pub presented: Vec<PresentedName>,
    /// The CN, dNSName and iPAddress that could not be looked up, with their cause.
    pub unusable: Vec<Unusable>,
}

impl NotAllowed {
    /// How many entries are repeated in [`expected`](Self::expected) and
    /// [`unusable_expected`](Self::unusable_expected).
    pub const MAX_EXPECTED: usize = 16;
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("certificate: presented ")?;
        write_list(f, &self.presented)?;
        write_unusable(f, &self.unusable)?;
        let table = "table expresswaycconfiguration";
        if self.expected_total == 0 && self.unusable_expected_total == 0 {
            return write!(f, ", but {table} holds no name");
        }
        if self.expected_total == 0 {
            write!(f, ", but {table} holds no usable name")?;
        } else {
            f.write_str(", expected one of ")?;
            write_list(f, self.expected.iter().map(|entry| printable(entry)))?;
            write_more(f, self.expected_total, self.expected.len())?;
        }
        write_unusable(f, &self.unusable_expected)?;
        write_more(
            f,
            self.unusable_expected_total,
            self.unusable_expected.len(),
        )?;
        if self.expected_total > 0 {
            write!(f, " ({table})")?;
        }
        Ok(())
    }
}

fn write_more(f: &mut fmt::Formatter<'_>, total: usize, shown: usize) -> fmt::Result {
    match total.saturating_sub(shown) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

impl std::error::Error for NotAllowed {}

impl AllowedRow {
    /// A row as it is stored.
    ///
    /// `names` is the field `X509SubjectNameorSubjectAlternateName`: one string. How it separates names
    /// is not documented; as in the product's SIP trunk profiles, comma, semicolon and white space all
    /// do. HostNameOrIP is the key of the row and is not itself an allowed name.
    pub fn new(
        host_name_or_ip: impl Into<String>,
        description: impl Into<String>,
        names: impl Into<String>,
    ) -> Self {
        let names = names.into();
        let entries = names
            .split(is_separator)
            .filter(|text| !text.is_empty())
            .map(AllowedEntry::new)
            .collect();
        Self {
            host_name_or_ip: host_name_or_ip.into(),
            description: description.into(),
            names,
            entries,
        }
    }

    /// The key of the row.
    pub fn host_name_or_ip(&self) -> &str {
        &self.host_name_or_ip
    }

    /// The description, possibly empty.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The names as one string, exactly as given.
    pub fn names(&self) -> &str {
        &self.names
    }

    /// The names one by one, the unusable among them.
    pub fn entries(&self) -> &[AllowedEntry] {
        &self.entries
    }
}

/// What ends a name in the string of a row.
pub(crate) fn is_separator(c: char) -> bool {
    c == ',' || c == ';' || c.is_whitespace()
}

/// `"*.example.com" (a wildcard matches nothing here)`
impl fmt::Display for AllowedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", printable(&self.text))?;
        match self.problem() {
            Some(problem) => write!(f, " ({problem})"),
            None => Ok(()),
        }
    }
}

impl AllowedEntry {
    fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            key: key_of_entry(text),
        }
    }

    /// The entry as it stands in the row.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Why it matches nothing; `None` for a usable entry.
    pub fn problem(&self) -> Option<EntryProblem> {
        self.key.as_ref().err().copied()
    }
}

/// The table, indexed by name: a check costs one look-up for each name of the certificate.
///
/// A certificate is let in when its CN or a dNSName equals an entry (case-insensitively, a trailing dot
/// ignored, no wildcard on either side), or when an iPAddress, or a CN that is an IP address, equals an
/// entry as an address. The chain must have been verified before.
///
/// ```
/// use sip_oauth_trust::{AllowedNames, AllowedRow};
///
/// let table = AllowedNames::new([
///     AllowedRow::new("expc1.example.com", "cluster 1", "expc1.example.com,expc-cluster.example.com"),
///     AllowedRow::new("192.0.2.7", "", "*.example.net 192.0.2.7"),
/// ]);
/// assert_eq!(table.rows().len(), 2);
/// assert!(table.rows()[1].entries()[0].problem().is_some());
/// ```
#[derive(Debug, Clone, Default)]
pub struct AllowedNames {
    rows: Vec<AllowedRow>,
    /// Key to (row, entry); the first of two equal entries counts.
    index: HashMap<Key, (usize, usize)>,
    /// What a refusal shows: found once, since a stranger may be refused often.
    expected: Vec<String>,
    unusable: Vec<AllowedEntry>,
    unusable_total: usize,
}

impl AllowedNames {
    /// The table made of `rows`, in order.
    pub fn new(rows: impl IntoIterator<Item = AllowedRow>) -> Self {
        let rows: Vec<_> = rows.into_iter().collect();
        let mut table = Self::default();
        for (row_number, row) in rows.iter().enumerate() {
            for (entry_number, entry) in row.entries.iter().enumerate() {
                let Ok(key) = &entry.key else {
                    table.unusable_total += 1;
                    if table.unusable.len() < NotAllowed::MAX_EXPECTED {
                        table.unusable.push(entry.clone());
                    }
                    continue;
                };
                if let Entry::Vacant(vacant) = table.index.entry(key.clone()) {
                    vacant.insert((row_number, entry_number));
                    if table.expected.len() < NotAllowed::MAX_EXPECTED {
                        table.expected.push(entry.text.clone());
                    }
                }
            }
        }
        Self { rows, ..table }
    }

    /// The rows, in order.
    pub fn rows(&self) -> &[AllowedRow] {
        &self.rows
    }

    /// How many different usable entries there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether nobody can match.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Whether one of CN, dNSName and iPAddress is an entry of the table. Names are tried in that order.
    ///
    /// # Errors
    ///
    /// [`NotAllowed`] with what was presented against what was expected.
    pub fn check(&self, identities: &Identities) -> Result<NameMatch, NotAllowed> {
        let looked_up = |name: &PresentedName| {
            matches!(
                name,
                PresentedName::CommonName(_) | PresentedName::Dns(_) | PresentedName::Ip(_)
            )
        };
        for presented in identities.presented().filter(looked_up) {
            if let Some((row, entry)) = self.find(&presented) {
                return Ok(NameMatch {
                    row: row.host_name_or_ip.clone(),
                    entry: entry.text.clone(),
                    presented,
                });
            }
        }
        Err(NotAllowed {
            expected: self.expected.clone(),
            expected_total: self.index.len(),
            unusable_expected: self.unusable.clone(),
            unusable_expected_total: self.unusable_total,
            presented: identities.presented().filter(looked_up).collect(),
            unusable: identities.unusable_of(&["CN", "DNS", "IP"]),
        })
    }

    fn find(&self, presented: &PresentedName) -> Option<(&AllowedRow, &AllowedEntry)> {
        let (row, entry) = self.index.get(&key_of_presented(presented)?)?;
        let row = self.rows.get(*row)?;
        Some((row, row.entries.get(*entry)?))
    }
}

impl FromIterator<AllowedRow> for AllowedNames {
    fn from_iter<I: IntoIterator<Item = AllowedRow>>(rows: I) -> Self {
        Self::new(rows)
    }
}

fn key_of_entry(text: &str) -> Result<Key, EntryProblem> {
    if let Some(address) = ip_literal(text) {
        return Ok(Key::Ip(address));
    }
    if let Some(name) = canonical(text, TrailingDot::Ignored) {
        return Ok(Key::Dns(name));
    }
    Err(if !text.is_ascii() {
        EntryProblem::NotAscii
    } else if text.contains('*') {
        EntryProblem::Wildcard
    } else if text.len() > 253 {
        EntryProblem::TooLong
    } else {
        EntryProblem::NotAName
    })
}

fn key_of_presented(presented: &PresentedName) -> Option<Key> {
    match presented {
        PresentedName::CommonName(text) => key_of_entry(text).ok(),
        // An address written into a dNSName is no address (RFC 5280 §4.2.1.6), and the grammar of
        // names refuses it.
        PresentedName::Dns(name) => canonical(name, TrailingDot::Ignored).map(Key::Dns),
        PresentedName::Ip(address) => Some(Key::Ip(*address)),
        PresentedName::Uri(_) | PresentedName::Other(_) => None,
    }
}
