//! `executeSQLQuery`: a query, and rows of named columns.

use std::fmt;

use crate::{
    codec::Parameters,
    document::name_misfit,
    element::Element,
    error::{ReadError, ReadErrorKind},
    limits::Limits,
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
    /// [`ClusterSipOAuthMode::from_rows`](crate::ClusterSipOAuthMode::from_rows).
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
    /// [`ExpresswayCColumns::read`](crate::ExpresswayCColumns::read).
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
        match name_misfit(&name) {
            Some((offset, character)) => Err(FieldError::Character { character, offset }),
            None if name.is_empty() => Err(FieldError::Empty),
            None => Ok(Self(name)),
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
        // A million characters in front of the misfit are looked at once.
        let long = "a".repeat(1_000_000) + " ";
        assert_eq!(
            ColumnName::new(long),
            Err(FieldError::Character {
                character: ' ',
                offset: 1_000_000
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
