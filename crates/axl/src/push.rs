//! What Expressway-C tells a Unified CM about its certificate, decided without a socket.
//!
//! On every discovery Expressway-C sends the names of its certificate to each Unified CM, which
//! compares them with what a peer at the MRA SIP OAuth port presents. The vendor documents that,
//! and the fields; how the names are joined and when a row is rewritten is not public. Here: CN and
//! dNSName SANs, each once, joined with commas; the own row is added when it is missing, updated
//! when it names something else, and other rows are never touched.

use std::collections::HashSet;

use crate::{
    expressway_c::{
        AddExpresswayCConfiguration, ExpresswayCConfiguration, ExpresswayCKey,
        ListExpresswayCConfiguration, UpdateExpresswayCConfiguration,
    },
    nullable::Nullable,
    request::Request,
    text::{Description, HostNameOrIp, X509Names, is_xml_char},
};

const SEPARATOR: &str = ",";

/// The names in one string: separated by commas, semicolons or blanks, as in the product's other
/// fields of this kind. Empty ones are passed over.
///
/// ```
/// let names: Vec<_> = sip_oauth_axl::push::split_names("a.example.com, b.example.com;c d").collect();
/// assert_eq!(names, ["a.example.com", "b.example.com", "c", "d"]);
/// ```
pub fn split_names(field: &str) -> impl Iterator<Item = &str> {
    field.split(is_separator).filter(|name| !name.is_empty())
}

fn is_separator(c: char) -> bool {
    matches!(c, ',' | ';') || c.is_whitespace()
}

/// One spelling for all spellings of a name: case of ASCII letters and one trailing dot aside.
fn spelled_once(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// The names of a certificate as they go into the field, with what could not go along.
///
/// ```
/// use sip_oauth_axl::push::OwnNames;
///
/// let names = OwnNames::new(["expc1.example.com"], ["EXPC1.example.com", "expc.example.com", "a,b"]);
/// assert_eq!(names.names_field().unwrap().as_str(), "expc1.example.com,expc.example.com");
/// assert_eq!(names.refused(), ["a,b"]);
/// assert!(names.cut().is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnNames {
    kept: Vec<String>,
    cut: Vec<String>,
    refused: Vec<String>,
}

impl OwnNames {
    /// Takes the common names, then the dNSName SANs, each name once in the spelling that came
    /// first.
    ///
    /// The field holds 4096 characters. The first name that does not fit and all after it are
    /// [`cut`](Self::cut). A name with a separator or a control character in it would be read as
    /// other names than it is, and is [`refused`](Self::refused), as is an empty one.
    pub fn new<C, D>(common_names: C, dns_names: D) -> Self
    where
        C: IntoIterator,
        C::Item: AsRef<str>,
        D: IntoIterator,
        D::Item: AsRef<str>,
    {
        let mut own = Self {
            kept: Vec::new(),
            cut: Vec::new(),
            refused: Vec::new(),
        };
        let mut seen = HashSet::new();
        let mut length = 0;
        let common_names = common_names
            .into_iter()
            .map(|name| name.as_ref().to_owned());
        let dns_names = dns_names.into_iter().map(|name| name.as_ref().to_owned());
        for name in common_names.chain(dns_names) {
            if !seen.insert(spelled_once(&name)) {
                continue;
            }
            if !is_listable(&name) {
                own.refused.push(name);
                continue;
            }
            let separator = if own.kept.is_empty() {
                0
            } else {
                SEPARATOR.len()
            };
            let with_name = length + separator + name.chars().count();
            if own.cut.is_empty() && with_name <= X509Names::MAX_CHARS {
                length = with_name;
                own.kept.push(name);
            } else {
                own.cut.push(name);
            }
        }
        own
    }

    /// The names that go into the field.
    pub fn names(&self) -> &[String] {
        &self.kept
    }

    /// The names beyond 4096 characters. A certificate presented under one of these only is not
    /// recognised by the Unified CM.
    pub fn cut(&self) -> &[String] {
        &self.cut
    }

    /// The names that cannot stand in a list.
    pub fn refused(&self) -> &[String] {
        &self.refused
    }

    /// The field: the names joined with commas; none when there is no name.
    pub fn names_field(&self) -> Option<X509Names> {
        // Nothing is lost: `new` has counted and checked what it kept.
        (!self.kept.is_empty()).then(|| X509Names::lossy(&self.kept.join(SEPARATOR)))
    }
}

fn is_listable(name: &str) -> bool {
    let allowed = |c: char| is_xml_char(c) && !c.is_control() && !is_separator(c);
    !name.is_empty() && name.chars().all(allowed)
}

/// A push: one Expressway-C and the names of its certificate.
///
/// ```
/// use sip_oauth_axl::{HostNameOrIp, push::{OwnNames, Plan, Push}};
///
/// let names = OwnNames::new(["expc1.example.com"], ["expc.example.com"]);
/// let push = Push::new(HostNameOrIp::new("expc1.example.com")?, names);
/// let list = push.list();                 // send this, and plan with the rows it answers
/// assert!(matches!(push.plan(&[]), Plan::Add(_)));
/// # Ok::<(), sip_oauth_axl::FieldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    host: HostNameOrIp,
    description: Option<Description>,
    names: OwnNames,
}

/// What a push does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// There is no own row: add it.
    Add(AddExpresswayCConfiguration),
    /// The own row names something else.
    Update(Change),
    /// The own row names exactly the own names, in whatever order and spelling.
    UpToDate,
}

/// An update with what it changes, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The update.
    pub request: UpdateExpresswayCConfiguration,
    /// Names the row will have that it has not.
    pub gained: Vec<String>,
    /// Names the row has that it will lose, entered by hand or from an earlier certificate.
    pub lost: Vec<String>,
}

impl Plan {
    /// The request to send, if any.
    pub fn into_request(self) -> Option<Request> {
        match self {
            Self::Add(add) => Some(add.into()),
            Self::Update(change) => Some(change.request.into()),
            Self::UpToDate => None,
        }
    }
}

impl Push {
    /// A push of these names under this `HostNameOrIP`.
    pub fn new(host: HostNameOrIp, names: OwnNames) -> Self {
        Self {
            host,
            description: None,
            names,
        }
    }

    /// The description a new row gets. A row that is there keeps its own.
    #[must_use]
    pub fn with_description(mut self, description: Description) -> Self {
        self.description = Some(description);
        self
    }

    /// The names, with what was cut and refused.
    pub fn names(&self) -> &OwnNames {
        &self.names
    }

    /// The request whose rows [`plan`](Self::plan) takes: every row, not a page of them.
    pub fn list(&self) -> ListExpresswayCConfiguration {
        ListExpresswayCConfiguration::all()
    }

    /// Decides from the rows that are there.
    ///
    /// The own row is the one with the own `HostNameOrIP`, in the same spelling if there is one.
    /// An update goes by the row's identifier when it is known, else by `HostNameOrIP` as it stands
    /// there. Nothing is ever removed.
    pub fn plan(&self, rows: &[ExpresswayCConfiguration]) -> Plan {
        let Some((row, host)) = self.own_row(rows) else {
            return Plan::Add(AddExpresswayCConfiguration {
                host_name_or_ip: self.host.clone(),
                description: self
                    .description
                    .clone()
                    .map_or(Nullable::Missing, Nullable::Value),
                x509_subject_name_or_subject_alternate_name: self
                    .names
                    .names_field()
                    .map_or(Nullable::Missing, Nullable::Value),
            });
        };
        let gained = without(self.own_names(), row.names());
        let lost = without(row.names(), self.own_names());
        if gained.is_empty() && lost.is_empty() {
            return Plan::UpToDate;
        }
        let key = match row.uuid {
            Some(uuid) => ExpresswayCKey::Uuid(uuid),
            None => ExpresswayCKey::HostNameOrIp(host.clone()),
        };
        let mut request = UpdateExpresswayCConfiguration::new(key);
        request.x509_subject_name_or_subject_alternate_name = self
            .names
            .names_field()
            .map_or(Nullable::Nil, Nullable::Value);
        Plan::Update(Change {
            request,
            gained,
            lost,
        })
    }

    fn own_names(&self) -> impl Iterator<Item = &str> {
        self.names.kept.iter().map(String::as_str)
    }

    fn own_row<'r>(
        &self,
        rows: &'r [ExpresswayCConfiguration],
    ) -> Option<(&'r ExpresswayCConfiguration, &'r HostNameOrIp)> {
        let mut own = rows
            .iter()
            .filter_map(|row| Some((row, row.host_name_or_ip.as_ref()?)))
            .filter(|(_, host)| host.is_same_host(&self.host));
        let first = own.clone().next();
        own.find(|(_, host)| **host == self.host).or(first)
    }
}

/// The names of one list that the other has not.
fn without<'n>(
    names: impl Iterator<Item = &'n str>,
    others: impl Iterator<Item = &'n str>,
) -> Vec<String> {
    let others: HashSet<String> = others.map(spelled_once).collect();
    names
        .filter(|name| !others.contains(&spelled_once(name)))
        .map(str::to_owned)
        .collect()
}
