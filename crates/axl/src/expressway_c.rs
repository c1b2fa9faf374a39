//! `ExpresswayCConfiguration`: the names a Unified CM lets in at its MRA SIP OAuth port.
//!
//! The table behind it is `expresswaycconfiguration`; a peer whose certificate carries none of its
//! names is refused although its chain is good. The schema is the same in 12.5, 14.0 and 15.0, and
//! 12.0 has none of it.

use crate::{
    codec::Parameters,
    element::Element,
    error::{ReadError, ReadErrorKind},
    nullable::Nullable,
    text::{Description, HostNameOrIp, Prose, X509Names},
    uuid::Uuid,
    writer::Writer,
};

pub(crate) const OBJECT: &str = "expresswayCConfiguration";
const HOST: &str = "HostNameOrIP";
const NEW_HOST: &str = "newHostNameOrIP";
const DESCRIPTION: &str = "description";
const NAMES: &str = "X509SubjectNameorSubjectAlternateName";
const SEARCH: &str = "searchCriteria";
const TAGS: &str = "returnedTags";

/// `addExpresswayCConfiguration`: a new row.
///
/// ```
/// use sip_oauth_axl::{AddExpresswayCConfiguration, HostNameOrIp, Request, Version};
///
/// let add = AddExpresswayCConfiguration {
///     x509_subject_name_or_subject_alternate_name: "expc1.example.com".parse::<sip_oauth_axl::X509Names>()?.into(),
///     ..AddExpresswayCConfiguration::new(HostNameOrIp::new("expc1.example.com")?)
/// };
/// let envelope = Request::from(add).encode(Version::V14_0);
/// assert_eq!(envelope.soap_action, "\"CUCM:DB ver=14.0 addExpresswayCConfiguration\"");
/// # Ok::<(), sip_oauth_axl::FieldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddExpresswayCConfiguration {
    /// `HostNameOrIP`, the row's key.
    pub host_name_or_ip: HostNameOrIp,
    /// `description`.
    pub description: Nullable<Description>,
    /// `X509SubjectNameorSubjectAlternateName`: the names let in.
    pub x509_subject_name_or_subject_alternate_name: Nullable<X509Names>,
}

impl AddExpresswayCConfiguration {
    /// A row with its key only.
    pub fn new(host_name_or_ip: HostNameOrIp) -> Self {
        Self {
            host_name_or_ip,
            description: Nullable::Missing,
            x509_subject_name_or_subject_alternate_name: Nullable::Missing,
        }
    }
}

impl Parameters for AddExpresswayCConfiguration {
    fn write(&self, writer: &mut Writer) {
        writer.element(OBJECT, &[], |w| {
            w.value(HOST, &self.host_name_or_ip);
            w.nullable(DESCRIPTION, &self.description);
            w.nullable(NAMES, &self.x509_subject_name_or_subject_alternate_name);
        });
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        element.only(&[OBJECT])?;
        let object = element.required(OBJECT)?;
        object.only(&[HOST, DESCRIPTION, NAMES])?;
        Ok(Self {
            host_name_or_ip: object.required(HOST)?.value()?,
            description: object.nullable(DESCRIPTION)?,
            x509_subject_name_or_subject_alternate_name: object.nullable(NAMES)?,
        })
    }
}

/// Which row is meant: by identifier or by `HostNameOrIP`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpresswayCKey {
    /// `uuid`.
    Uuid(Uuid),
    /// `HostNameOrIP`.
    HostNameOrIp(HostNameOrIp),
}

impl ExpresswayCKey {
    /// Whether this key means that row.
    pub fn selects(&self, row: &ExpresswayCConfiguration) -> bool {
        match self {
            Self::Uuid(uuid) => row.uuid.as_ref() == Some(uuid),
            Self::HostNameOrIp(host) => row
                .host_name_or_ip
                .as_ref()
                .is_some_and(|name| name.is_same_host(host)),
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Uuid(uuid) => writer.value("uuid", uuid),
            Self::HostNameOrIp(host) => writer.value(HOST, host),
        }
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        match (element.child("uuid")?, element.child(HOST)?) {
            (Some(uuid), None) => uuid.uuid().map(Self::Uuid),
            (None, Some(host)) => host.value().map(Self::HostNameOrIp),
            (None, None) => Err(element.error(ReadErrorKind::Missing("uuid or HostNameOrIP"))),
            (Some(_), Some(host)) => Err(host.unexpected("uuid or HostNameOrIP, not both")),
        }
    }
}

/// `updateExpresswayCConfiguration`: changes to a row. What is missing stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateExpresswayCConfiguration {
    /// The row.
    pub key: ExpresswayCKey,
    /// `newHostNameOrIP`, when the row is renamed.
    pub new_host_name_or_ip: Option<HostNameOrIp>,
    /// `description`.
    pub description: Nullable<Description>,
    /// `X509SubjectNameorSubjectAlternateName`.
    pub x509_subject_name_or_subject_alternate_name: Nullable<X509Names>,
}

impl UpdateExpresswayCConfiguration {
    /// An update that changes nothing yet.
    pub fn new(key: ExpresswayCKey) -> Self {
        Self {
            key,
            new_host_name_or_ip: None,
            description: Nullable::Missing,
            x509_subject_name_or_subject_alternate_name: Nullable::Missing,
        }
    }

    /// Makes the changes on a row, as a server does.
    pub fn apply_to(self, row: &mut ExpresswayCConfiguration) {
        if let Some(host) = self.new_host_name_or_ip {
            row.host_name_or_ip = Some(host);
        }
        self.description.apply_to(&mut row.description);
        self.x509_subject_name_or_subject_alternate_name
            .apply_to(&mut row.x509_subject_name_or_subject_alternate_name);
    }
}

impl Parameters for UpdateExpresswayCConfiguration {
    fn write(&self, writer: &mut Writer) {
        self.key.write(writer);
        writer.optional(NEW_HOST, self.new_host_name_or_ip.as_ref());
        writer.nullable(DESCRIPTION, &self.description);
        writer.nullable(NAMES, &self.x509_subject_name_or_subject_alternate_name);
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        element.only(&["uuid", HOST, NEW_HOST, DESCRIPTION, NAMES])?;
        Ok(Self {
            key: ExpresswayCKey::read(element)?,
            new_host_name_or_ip: element.optional_value(NEW_HOST)?,
            description: element.nullable(DESCRIPTION)?,
            x509_subject_name_or_subject_alternate_name: element.nullable(NAMES)?,
        })
    }
}

/// `getExpresswayCConfiguration`: one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetExpresswayCConfiguration {
    /// The row.
    pub key: ExpresswayCKey,
    /// What to answer with; everything when absent.
    pub returned_tags: Option<ExpresswayCTags>,
}

impl Parameters for GetExpresswayCConfiguration {
    fn write(&self, writer: &mut Writer) {
        self.key.write(writer);
        if let Some(tags) = self.returned_tags {
            tags.write(writer);
        }
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        element.only(&["uuid", HOST, TAGS])?;
        Ok(Self {
            key: ExpresswayCKey::read(element)?,
            returned_tags: element
                .child(TAGS)?
                .map(ExpresswayCTags::read)
                .transpose()?,
        })
    }
}

/// `removeExpresswayCConfiguration`: one row less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveExpresswayCConfiguration {
    /// The row.
    pub key: ExpresswayCKey,
}

impl Parameters for RemoveExpresswayCConfiguration {
    fn write(&self, writer: &mut Writer) {
        self.key.write(writer);
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        element.only(&["uuid", HOST])?;
        ExpresswayCKey::read(element).map(|key| Self { key })
    }
}

/// `listExpresswayCConfiguration`: the rows that match.
///
/// Patterns are SQL `LIKE` patterns, `%` for everything; the schema wants at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListExpresswayCConfiguration {
    /// Pattern for `HostNameOrIP`.
    pub host_name_or_ip: Option<Prose>,
    /// Pattern for `description`.
    pub description: Option<Prose>,
    /// What to answer with.
    pub returned_tags: ExpresswayCTags,
    /// Rows to leave out at the start; it counts only beside `first`.
    pub skip: Option<u64>,
    /// Rows to answer with at most.
    pub first: Option<u64>,
}

impl ListExpresswayCConfiguration {
    /// Every row, whole.
    pub fn all() -> Self {
        Self {
            host_name_or_ip: Some(Prose::lossy("%")),
            description: None,
            returned_tags: ExpresswayCTags::ALL,
            skip: None,
            first: None,
        }
    }
}

impl Parameters for ListExpresswayCConfiguration {
    fn write(&self, writer: &mut Writer) {
        writer.element(SEARCH, &[], |w| {
            w.optional(HOST, self.host_name_or_ip.as_ref());
            w.optional(DESCRIPTION, self.description.as_ref());
        });
        self.returned_tags.write(writer);
        writer.optional("skip", self.skip.as_ref());
        writer.optional("first", self.first.as_ref());
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        element.only(&[SEARCH, TAGS, "skip", "first"])?;
        let search = element.required(SEARCH)?;
        search.only(&[HOST, DESCRIPTION])?;
        Ok(Self {
            host_name_or_ip: search.optional_value(HOST)?,
            description: search.optional_value(DESCRIPTION)?,
            returned_tags: ExpresswayCTags::read(element.required(TAGS)?)?,
            skip: element.optional_number("skip", "a number of rows")?,
            first: element.optional_number("first", "a number of rows")?,
        })
    }
}

/// `returnedTags`: which fields an answer carries.
///
/// ```
/// use sip_oauth_axl::{ExpresswayCTag, ExpresswayCTags};
///
/// let tags = ExpresswayCTags::NONE.with(ExpresswayCTag::Uuid).with(ExpresswayCTag::HostNameOrIp);
/// assert!(tags.contains(ExpresswayCTag::Uuid));
/// assert!(!tags.contains(ExpresswayCTag::Description));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpresswayCTags(u8);

/// A field of `ExpresswayCConfiguration` an answer may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpresswayCTag {
    /// The `uuid` attribute.
    Uuid = 1,
    /// `HostNameOrIP`.
    HostNameOrIp = 2,
    /// `description`.
    Description = 4,
    /// `X509SubjectNameorSubjectAlternateName`.
    X509SubjectNameOrSubjectAlternateName = 8,
}

impl ExpresswayCTags {
    /// No field.
    pub const NONE: Self = Self(0);
    /// Every field.
    pub const ALL: Self = Self(15);

    const ELEMENTS: [(&'static str, ExpresswayCTag); 3] = [
        (HOST, ExpresswayCTag::HostNameOrIp),
        (DESCRIPTION, ExpresswayCTag::Description),
        (NAMES, ExpresswayCTag::X509SubjectNameOrSubjectAlternateName),
    ];

    /// These fields and one more.
    #[must_use]
    pub const fn with(self, tag: ExpresswayCTag) -> Self {
        Self(self.0 | tag as u8)
    }

    /// Whether the field is among them.
    pub const fn contains(self, tag: ExpresswayCTag) -> bool {
        self.0 & tag as u8 != 0
    }

    fn write(self, writer: &mut Writer) {
        let uuid: &[(&str, &dyn std::fmt::Display)] = if self.contains(ExpresswayCTag::Uuid) {
            &[("uuid", &"")]
        } else {
            &[]
        };
        writer.element(TAGS, uuid, |w| {
            for (name, tag) in Self::ELEMENTS {
                if self.contains(tag) {
                    w.empty(name, &[]);
                }
            }
        });
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        element.only(&Self::ELEMENTS.map(|(name, _)| name))?;
        let mut tags = Self::NONE;
        if element.attribute("uuid").is_some() {
            tags = tags.with(ExpresswayCTag::Uuid);
        }
        for (name, tag) in Self::ELEMENTS {
            if element.child(name)?.is_some() {
                tags = tags.with(tag);
            }
        }
        Ok(tags)
    }
}

/// A row of the table, or as much of it as was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpresswayCConfiguration {
    /// The row's identifier.
    pub uuid: Option<Uuid>,
    /// `HostNameOrIP`.
    pub host_name_or_ip: Option<HostNameOrIp>,
    /// `description`.
    pub description: Nullable<Description>,
    /// `X509SubjectNameorSubjectAlternateName`: the names let in, in one string.
    pub x509_subject_name_or_subject_alternate_name: Nullable<X509Names>,
}

impl ExpresswayCConfiguration {
    /// The row an add makes, as a server stores it.
    pub fn from_add(add: AddExpresswayCConfiguration, uuid: Uuid) -> Self {
        Self {
            uuid: Some(uuid),
            host_name_or_ip: Some(add.host_name_or_ip),
            description: add.description,
            x509_subject_name_or_subject_alternate_name: add
                .x509_subject_name_or_subject_alternate_name,
        }
    }

    /// The names let in, separated; see [`push::split_names`](crate::push::split_names).
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let field = self.x509_subject_name_or_subject_alternate_name.value();
        crate::push::split_names(field.map_or("", X509Names::as_str))
    }

    /// The row with the asked fields only, as a server answers.
    #[must_use]
    pub fn only(self, tags: ExpresswayCTags) -> Self {
        let keep = |tag| tags.contains(tag);
        let names = ExpresswayCTag::X509SubjectNameOrSubjectAlternateName;
        Self {
            uuid: self.uuid.filter(|_| keep(ExpresswayCTag::Uuid)),
            host_name_or_ip: self
                .host_name_or_ip
                .filter(|_| keep(ExpresswayCTag::HostNameOrIp)),
            description: if keep(ExpresswayCTag::Description) {
                self.description
            } else {
                Nullable::Missing
            },
            x509_subject_name_or_subject_alternate_name: if keep(names) {
                self.x509_subject_name_or_subject_alternate_name
            } else {
                Nullable::Missing
            },
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        let uuid: Vec<(&str, &dyn std::fmt::Display)> = self
            .uuid
            .iter()
            .map(|uuid| ("uuid", uuid as &dyn std::fmt::Display))
            .collect();
        writer.element(OBJECT, &uuid, |w| {
            w.optional(HOST, self.host_name_or_ip.as_ref());
            w.nullable(DESCRIPTION, &self.description);
            w.nullable(NAMES, &self.x509_subject_name_or_subject_alternate_name);
        });
    }

    pub(crate) fn read(element: Element<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            uuid: element.uuid_attribute()?,
            host_name_or_ip: element.optional_value(HOST)?,
            description: element.nullable(DESCRIPTION)?,
            x509_subject_name_or_subject_alternate_name: element.nullable(NAMES)?,
        })
    }
}
