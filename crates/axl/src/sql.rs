//! `executeSQLQuery`: rows of named columns, and the two queries SIP OAuth is about.

use std::fmt;

use crate::{
    codec::Parameters,
    document::{Element, is_xml_name},
    error::{ReadError, ReadErrorKind},
    expressway_c::ExpresswayCConfiguration,
    limits::Limits,
    nullable::Nullable,
    text::{FieldError, Prose},
    writer::Writer,
};

const CLUSTER_SIP_OAUTH_MODE: &str =
    "select paramvalue FROM processconfig WHERE paramname = 'ClusterSIPOAuthMode'";
const EXPRESSWAY_C: &str = "select * from expresswaycconfiguration";

/// `executeSQLQuery`: a query on the configuration database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecuteSqlQuery {
    /// `sql`: the query.
    pub sql: Prose,
}

impl ExecuteSqlQuery {
    /// A query in its own words.
    pub fn new(sql: Prose) -> Self {
        Self { sql }
    }

    /// Asks whether the cluster is in SIP OAuth mode; read the rows with
    /// [`ClusterSipOAuthMode::from_rows`].
    ///
    /// ```
    /// use sip_oauth_axl::{ExecuteSqlQuery, KnownQuery};
    ///
    /// let query = ExecuteSqlQuery::cluster_sip_oauth_mode();
    /// assert_eq!(query.known(), Some(KnownQuery::ClusterSipOAuthMode));
    /// ```
    pub fn cluster_sip_oauth_mode() -> Self {
        Self::new(Prose::lossy(CLUSTER_SIP_OAUTH_MODE))
    }

    /// Asks for the table of allowed Expressway-C names; read the rows with
    /// [`ExpresswayCColumns::read`].
    pub fn expressway_c_configuration() -> Self {
        Self::new(Prose::lossy(EXPRESSWAY_C))
    }

    /// Which of the two queries above this is, spacing, case and a final semicolon aside.
    ///
    /// A server without a database answers these and refuses the rest.
    pub fn known(&self) -> Option<KnownQuery> {
        let is = |known| same_words(self.sql.as_str(), known);
        if is(CLUSTER_SIP_OAUTH_MODE) {
            Some(KnownQuery::ClusterSipOAuthMode)
        } else if is(EXPRESSWAY_C) {
            Some(KnownQuery::ExpresswayCConfiguration)
        } else {
            None
        }
    }
}

/// A query whose answer this crate can read and write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KnownQuery {
    /// [`ExecuteSqlQuery::cluster_sip_oauth_mode`].
    ClusterSipOAuthMode,
    /// [`ExecuteSqlQuery::expressway_c_configuration`].
    ExpresswayCConfiguration,
}

/// Compares two statements word by word; `=` is a word, with or without blanks around it.
fn same_words(one: &str, other: &str) -> bool {
    fn words(sql: &str) -> impl Iterator<Item = &str> {
        let sql = sql.trim().trim_end_matches(';');
        sql.split_ascii_whitespace()
            .flat_map(|word| word.split_inclusive('='))
            .flat_map(|word| match word.strip_suffix('=') {
                Some(before) => [before, "="],
                None => [word, ""],
            })
            .filter(|word| !word.is_empty())
    }
    words(one)
        .map(str::to_ascii_lowercase)
        .eq(words(other).map(str::to_ascii_lowercase))
}

impl Parameters for ExecuteSqlQuery {
    fn write(&self, writer: &mut Writer) {
        writer.value("sql", &self.sql);
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        element.only(&["sql"])?;
        let sql = element.required("sql")?.value()?;
        Ok(Self { sql })
    }
}

/// What a query gives: rows, each with its own columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlRows {
    /// The rows, in the order they came.
    pub rows: Vec<SqlRow>,
}

/// A row: columns in the order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlRow {
    /// The columns.
    pub columns: Vec<SqlColumn>,
}

/// A column of a row: `None` is `NULL`, written `xsi:nil`; an empty element is an empty string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlColumn {
    /// The column's name.
    pub name: ColumnName,
    /// Its value.
    pub value: Option<Prose>,
}

/// The name of a column. It becomes an element's name and must be one that XML allows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnName(String);

impl ColumnName {
    /// Checks the name: an XML name without a colon.
    ///
    /// # Errors
    ///
    /// [`FieldError::Empty`], or [`FieldError::Character`] with the first character that does not
    /// fit.
    pub fn new(name: impl Into<String>) -> Result<Self, FieldError> {
        let name = name.into();
        if is_xml_name(&name) {
            return Ok(Self(name));
        }
        let misfit = name.char_indices().find(|(offset, c)| {
            !is_xml_name(name.get(..offset + c.len_utf8()).unwrap_or_default())
        });
        match misfit {
            Some((offset, character)) => Err(FieldError::Character { character, offset }),
            None => Err(FieldError::Empty),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SqlRow {
    /// The value of a column, its name in either case; absent and `NULL` are both `None`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.columns
            .iter()
            .find(|column| column.name.0.eq_ignore_ascii_case(name))?
            .value
            .as_ref()
            .map(Prose::as_str)
    }

    /// The row with one more column.
    #[must_use]
    pub fn with(mut self, name: ColumnName, value: Option<Prose>) -> Self {
        self.columns.push(SqlColumn { name, value });
        self
    }
}

impl SqlRows {
    pub(crate) fn write(&self, writer: &mut Writer) {
        for row in &self.rows {
            writer.element("row", &[], |w| {
                for column in &row.columns {
                    match &column.value {
                        Some(value) => w.value(column.name.as_str(), value),
                        None => w.nil(column.name.as_str()),
                    }
                }
            });
        }
    }

    pub(crate) fn read(element: Element<'_>, limits: &Limits) -> Result<Self, ReadError> {
        let rows = element.rows("row", limits, |row| {
            let columns = row.children().map(read_column).collect::<Result<_, _>>()?;
            Ok(SqlRow { columns })
        })?;
        Ok(Self { rows })
    }
}

fn read_column(column: Element<'_>) -> Result<SqlColumn, ReadError> {
    let name = ColumnName::new(column.name())
        .map_err(|error| column.error(ReadErrorKind::Field(error)))?;
    let value = if column.is_nil() {
        None
    } else {
        Some(column.value()?)
    };
    Ok(SqlColumn { name, value })
}

/// The enterprise parameter `ClusterSIPOAuthMode`, set by `utils sipOAuth-mode enable | disable`.
///
/// ```
/// use sip_oauth_axl::ClusterSipOAuthMode;
///
/// let rows = ClusterSipOAuthMode::Enabled.to_rows();
/// assert_eq!(ClusterSipOAuthMode::from_rows(&rows), Ok(ClusterSipOAuthMode::Enabled));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClusterSipOAuthMode {
    /// `0`, the default.
    #[default]
    Disabled,
    /// `1`. The ports open when CallManager is restarted after that.
    Enabled,
}

/// Why rows do not say what they were asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// `ClusterSIPOAuthMode` is not in the table: a Unified CM before 12.5.
    #[error(
        "ClusterSIPOAuthMode: expected one row, found none (Unified CM before 12.5 has no such parameter)"
    )]
    NoParameter,
    /// `ClusterSIPOAuthMode` is neither `0` nor `1`.
    #[error("ClusterSIPOAuthMode: expected paramvalue 0 or 1, found another value")]
    ParameterValue,
    /// A column does not fit the field it is read into.
    #[error("expresswaycconfiguration row {row}, column {column}: {error}")]
    Column {
        /// The row, counted from 0.
        row: usize,
        /// The column's name.
        column: String,
        /// Why the value does not fit.
        error: FieldError,
    },
}

impl ClusterSipOAuthMode {
    /// Reads the answer to [`ExecuteSqlQuery::cluster_sip_oauth_mode`].
    ///
    /// # Errors
    ///
    /// [`SqlError::NoParameter`] without a row, [`SqlError::ParameterValue`] when it holds anything
    /// but `0` or `1`.
    pub fn from_rows(rows: &SqlRows) -> Result<Self, SqlError> {
        let row = rows.rows.first().ok_or(SqlError::NoParameter)?;
        match row.get("paramvalue").map(str::trim) {
            Some("0") => Ok(Self::Disabled),
            Some("1") => Ok(Self::Enabled),
            _ => Err(SqlError::ParameterValue),
        }
    }

    /// The rows that say so.
    pub fn to_rows(self) -> SqlRows {
        let value = match self {
            Self::Disabled => "0",
            Self::Enabled => "1",
        };
        let row = SqlRow::default().with(column("paramvalue"), Some(Prose::lossy(value)));
        SqlRows { rows: vec![row] }
    }
}

/// The names of the columns of `expresswaycconfiguration`.
///
/// The vendor publishes the table's name but not its columns'. The default, the field names of the
/// AXL object in lower case with `pkid` as the identifier, is our choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpresswayCColumns {
    /// The identifier; `pkid`.
    pub uuid: ColumnName,
    /// `hostnameorip`.
    pub host_name_or_ip: ColumnName,
    /// `description`.
    pub description: ColumnName,
    /// `x509subjectnameorsubjectalternatename`.
    pub x509_subject_name_or_subject_alternate_name: ColumnName,
}

impl Default for ExpresswayCColumns {
    fn default() -> Self {
        Self {
            uuid: column("pkid"),
            host_name_or_ip: column("hostnameorip"),
            description: column("description"),
            x509_subject_name_or_subject_alternate_name: column(
                "x509subjectnameorsubjectalternatename",
            ),
        }
    }
}

fn column(name: &str) -> ColumnName {
    ColumnName::new(name).expect("the names given here are lower-case letters and digits")
}

impl ExpresswayCColumns {
    /// Reads the answer to [`ExecuteSqlQuery::expressway_c_configuration`]. Other columns are
    /// passed over; a missing or `NULL` one is [`Nullable::Missing`] or [`Nullable::Nil`].
    ///
    /// # Errors
    ///
    /// [`SqlError::Column`] when a value does not fit its field.
    pub fn read(&self, rows: &SqlRows) -> Result<Vec<ExpresswayCConfiguration>, SqlError> {
        let read = |(index, row): (usize, &SqlRow)| {
            let names = &self.x509_subject_name_or_subject_alternate_name;
            Ok(ExpresswayCConfiguration {
                uuid: field(index, row, &self.uuid)?.value().copied(),
                host_name_or_ip: field(index, row, &self.host_name_or_ip)?.value().cloned(),
                description: field(index, row, &self.description)?,
                x509_subject_name_or_subject_alternate_name: field(index, row, names)?,
            })
        };
        rows.rows.iter().enumerate().map(read).collect()
    }

    /// The rows as the database would show them: what is missing is `NULL`, and identifiers are in
    /// lower case without braces.
    pub fn write(&self, table: &[ExpresswayCConfiguration]) -> SqlRows {
        let write = |entry: &ExpresswayCConfiguration| {
            let uuid = entry.uuid.map(|uuid| {
                let text = uuid.to_string().to_ascii_lowercase();
                Prose::lossy(text.trim_matches(['{', '}']))
            });
            let names = &entry.x509_subject_name_or_subject_alternate_name;
            SqlRow::default()
                .with(self.uuid.clone(), uuid)
                .with(
                    self.host_name_or_ip.clone(),
                    entry
                        .host_name_or_ip
                        .as_ref()
                        .map(|v| Prose::lossy(v.as_str())),
                )
                .with(
                    self.description.clone(),
                    entry.description.value().map(|v| Prose::lossy(v.as_str())),
                )
                .with(
                    self.x509_subject_name_or_subject_alternate_name.clone(),
                    names.value().map(|v| Prose::lossy(v.as_str())),
                )
        };
        SqlRows {
            rows: table.iter().map(write).collect(),
        }
    }
}

fn field<T: std::str::FromStr<Err = FieldError>>(
    index: usize,
    row: &SqlRow,
    name: &ColumnName,
) -> Result<Nullable<T>, SqlError> {
    let column = row
        .columns
        .iter()
        .find(|column| column.name.0.eq_ignore_ascii_case(&name.0));
    match column.map(|column| &column.value) {
        None => Ok(Nullable::Missing),
        Some(None) => Ok(Nullable::Nil),
        Some(Some(value)) => value
            .as_str()
            .parse()
            .map(Nullable::Value)
            .map_err(|error| SqlError::Column {
                row: index,
                column: name.0.clone(),
                error,
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_queries_are_known_however_they_are_spaced() {
        for (sql, known) in [
            (
                "SELECT paramvalue from processconfig\n where paramname='ClusterSIPOAuthMode' ;",
                Some(KnownQuery::ClusterSipOAuthMode),
            ),
            (
                "select  *  FROM ExpresswayCConfiguration",
                Some(KnownQuery::ExpresswayCConfiguration),
            ),
            (
                "select * from expresswaycconfiguration; drop table device",
                None,
            ),
            (
                "select paramvalue from processconfig where paramname = 'x'",
                None,
            ),
            ("", None),
        ] {
            assert_eq!(
                ExecuteSqlQuery::new(Prose::new(sql).unwrap()).known(),
                known,
                "{sql}"
            );
        }
    }

    #[test]
    fn the_mode_is_zero_or_one() {
        let rows = |value: &str| SqlRows {
            rows: vec![SqlRow::default().with(column("paramvalue"), Some(Prose::lossy(value)))],
        };
        assert_eq!(
            ClusterSipOAuthMode::from_rows(&rows("0")),
            Ok(ClusterSipOAuthMode::Disabled)
        );
        assert_eq!(
            ClusterSipOAuthMode::from_rows(&rows(" 1 ")),
            Ok(ClusterSipOAuthMode::Enabled)
        );
        for other in ["", "2", "true", "01"] {
            assert_eq!(
                ClusterSipOAuthMode::from_rows(&rows(other)),
                Err(SqlError::ParameterValue)
            );
        }
        assert_eq!(
            ClusterSipOAuthMode::from_rows(&SqlRows::default()),
            Err(SqlError::NoParameter)
        );
    }

    #[test]
    fn a_table_survives_being_shown_as_rows() {
        let table = [ExpresswayCConfiguration {
            uuid: Some(crate::Uuid::from_bytes([0xAB; 16])),
            host_name_or_ip: Some("expc1.example.com".parse().unwrap()),
            description: Nullable::Nil,
            x509_subject_name_or_subject_alternate_name: Nullable::Value("a,b".parse().unwrap()),
        }];
        let columns = ExpresswayCColumns::default();
        let rows = columns.write(&table);
        assert_eq!(
            rows.rows[0].get("PKID"),
            Some("abababab-abab-abab-abab-abababababab")
        );
        assert_eq!(columns.read(&rows).as_deref(), Ok(table.as_slice()));
    }

    #[test]
    fn a_column_name_is_an_xml_name() {
        assert!(ColumnName::new("unnamed_col_1").is_ok());
        assert_eq!(ColumnName::new(""), Err(FieldError::Empty));
        assert_eq!(
            ColumnName::new("count(*)"),
            Err(FieldError::Character {
                character: '(',
                offset: 5
            })
        );
        assert_eq!(
            ColumnName::new("1"),
            Err(FieldError::Character {
                character: '1',
                offset: 0
            })
        );
    }
}
