//! Any answer.

use std::{fmt, str::FromStr};

use crate::{
    call_manager::{self, CallManager},
    element::Element,
    error::ReadError,
    expressway_c::{self, ExpresswayCConfiguration},
    fault::Fault,
    limits::Limits,
    operation::Operation,
    sql::SqlRows,
    text::FieldError,
    uuid::Uuid,
    writer::Writer,
};

/// What a change returns: the identifier of what was changed, or whether it worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// The changed object.
    Uuid(Uuid),
    /// `true` or `false`.
    Success(bool),
}

impl fmt::Display for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(uuid) => uuid.fmt(f),
            Self::Success(success) => success.fmt(f),
        }
    }
}

impl FromStr for Returned {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        match text.trim() {
            "true" => Ok(Self::Success(true)),
            "false" => Ok(Self::Success(false)),
            uuid => uuid.parse().map(Self::Uuid),
        }
    }
}

/// The answer to a request of any operation, or a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The new row.
    AddExpresswayCConfiguration(Returned),
    /// The changed row.
    UpdateExpresswayCConfiguration(Returned),
    /// The row.
    GetExpresswayCConfiguration(ExpresswayCConfiguration),
    /// The rows that match.
    ListExpresswayCConfiguration(Vec<ExpresswayCConfiguration>),
    /// The removed row.
    RemoveExpresswayCConfiguration(Returned),
    /// The node.
    GetCallManager(CallManager),
    /// The nodes that match.
    ListCallManager(Vec<CallManager>),
    /// The query's rows.
    ExecuteSqlQuery(SqlRows),
    /// A refusal.
    Fault(Fault),
}

impl Answer {
    /// The operation that is answered; none for a fault.
    pub fn operation(&self) -> Option<Operation> {
        Some(match self {
            Self::AddExpresswayCConfiguration(_) => Operation::AddExpresswayCConfiguration,
            Self::UpdateExpresswayCConfiguration(_) => Operation::UpdateExpresswayCConfiguration,
            Self::GetExpresswayCConfiguration(_) => Operation::GetExpresswayCConfiguration,
            Self::ListExpresswayCConfiguration(_) => Operation::ListExpresswayCConfiguration,
            Self::RemoveExpresswayCConfiguration(_) => Operation::RemoveExpresswayCConfiguration,
            Self::GetCallManager(_) => Operation::GetCallManager,
            Self::ListCallManager(_) => Operation::ListCallManager,
            Self::ExecuteSqlQuery(_) => Operation::ExecuteSqlQuery,
            Self::Fault(_) => return None,
        })
    }

    /// What stands inside `return`; nothing for a fault, which has none.
    pub(crate) fn write_return(&self, writer: &mut Writer) {
        match self {
            Self::AddExpresswayCConfiguration(returned)
            | Self::UpdateExpresswayCConfiguration(returned)
            | Self::RemoveExpresswayCConfiguration(returned) => writer.text(returned),
            Self::GetExpresswayCConfiguration(row) => row.write(writer),
            Self::ListExpresswayCConfiguration(rows) => {
                for row in rows {
                    row.write(writer);
                }
            }
            Self::GetCallManager(node) => node.write(writer),
            Self::ListCallManager(nodes) => {
                for node in nodes {
                    node.write(writer);
                }
            }
            Self::ExecuteSqlQuery(rows) => rows.write(writer),
            Self::Fault(_) => {}
        }
    }

    pub(crate) fn read_return(
        operation: Operation,
        element: Element<'_>,
        limits: &Limits,
    ) -> Result<Self, ReadError> {
        let row = expressway_c::OBJECT;
        let node = call_manager::OBJECT;
        Ok(match operation {
            Operation::AddExpresswayCConfiguration => {
                Self::AddExpresswayCConfiguration(element.value()?)
            }
            Operation::UpdateExpresswayCConfiguration => {
                Self::UpdateExpresswayCConfiguration(element.value()?)
            }
            Operation::RemoveExpresswayCConfiguration => {
                Self::RemoveExpresswayCConfiguration(element.value()?)
            }
            Operation::GetExpresswayCConfiguration => Self::GetExpresswayCConfiguration(
                ExpresswayCConfiguration::read(element.required(row)?)?,
            ),
            Operation::ListExpresswayCConfiguration => Self::ListExpresswayCConfiguration(
                element.rows(row, limits, ExpresswayCConfiguration::read)?,
            ),
            Operation::GetCallManager => {
                Self::GetCallManager(CallManager::read(element.required(node)?)?)
            }
            Operation::ListCallManager => {
                Self::ListCallManager(element.rows(node, limits, CallManager::read)?)
            }
            Operation::ExecuteSqlQuery => Self::ExecuteSqlQuery(SqlRows::read(element, limits)?),
        })
    }
}
