//! What the two SQL queries of SIP OAuth answer: the cluster's mode, and the table of names.

use std::str::FromStr;

use crate::{
    expressway_c::ExpresswayCConfiguration,
    nullable::Nullable,
    sql::{ColumnName, SqlRow, SqlRows},
    text::{FieldError, Prose},
};

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
    /// Reads the answer to [`ExecuteSqlQuery::cluster_sip_oauth_mode`](crate::ExecuteSqlQuery::cluster_sip_oauth_mode).
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
    /// Reads the answer to [`ExecuteSqlQuery::expressway_c_configuration`](crate::ExecuteSqlQuery::expressway_c_configuration). Other columns are
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

fn field<T: FromStr<Err = FieldError>>(
    index: usize,
    row: &SqlRow,
    name: &ColumnName,
) -> Result<Nullable<T>, SqlError> {
    let column = row
        .columns
        .iter()
        .find(|column| column.name.as_str().eq_ignore_ascii_case(name.as_str()));
    match column.map(|column| &column.value) {
        None => Ok(Nullable::Missing),
        Some(None) => Ok(Nullable::Nil),
        Some(Some(value)) => value
            .as_str()
            .parse()
            .map(Nullable::Value)
            .map_err(|error| SqlError::Column {
                row: index,
                column: name.to_string(),
                error,
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
