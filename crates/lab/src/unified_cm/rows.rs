//! Table `expresswaycconfiguration`, and the two places that go by it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sip_oauth_axl::ExpresswayCConfiguration;
use sip_oauth_registration::registrar::{Database, ExpresswayRow};
use sip_oauth_trust::{AllowedNames, AllowedRow, LiveAllowedNames};

/// The rows as AXL stores them. Every change is published at once, as in the product: to the cluster's database, which
/// the console selects from, and to the names the MRA listener lets in.
#[derive(Debug)]
pub(super) struct Rows {
    stored: Mutex<Vec<ExpresswayCConfiguration>>,
    database: Database,
    allowed: Arc<LiveAllowedNames>,
}

impl Rows {
    pub(super) fn new(database: Database, allowed: Arc<LiveAllowedNames>) -> Self {
        Self {
            stored: Mutex::new(Vec::new()),
            database,
            allowed,
        }
    }

    /// The rows as they are.
    pub(super) fn read(&self) -> Vec<ExpresswayCConfiguration> {
        self.lock().clone()
    }

    /// Changes the rows and publishes the outcome.
    pub(super) fn edit<R>(
        &self,
        change: impl FnOnce(&mut Vec<ExpresswayCConfiguration>) -> R,
    ) -> R {
        let mut rows = self.lock();
        let before: Vec<String> = keys(&rows).collect();
        let result = change(&mut rows);
        self.allowed
            .replace(AllowedNames::new(rows.iter().map(allowed_row)));
        self.database.edit(|cluster| {
            for key in before
                .iter()
                .filter(|key| !keys(&rows).any(|kept| kept == **key))
            {
                cluster.remove_expressway_row(key);
            }
            for row in rows.iter() {
                cluster.put_expressway_row(database_row(row));
            }
        });
        result
    }

    /// A poisoned lock still holds whole rows: no change is left half done.
    fn lock(&self) -> MutexGuard<'_, Vec<ExpresswayCConfiguration>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keys(rows: &[ExpresswayCConfiguration]) -> impl Iterator<Item = String> {
    rows.iter().map(|row| text(row.host_name_or_ip.as_ref()))
}

fn text(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn allowed_row(row: &ExpresswayCConfiguration) -> AllowedRow {
    AllowedRow::new(
        text(row.host_name_or_ip.as_ref()),
        text(row.description.value()),
        text(row.x509_subject_name_or_subject_alternate_name.value()),
    )
}

fn database_row(row: &ExpresswayCConfiguration) -> ExpresswayRow {
    ExpresswayRow {
        host_name_or_ip: text(row.host_name_or_ip.as_ref()),
        description: row.description.value().map(ToString::to_string),
        names: row
            .x509_subject_name_or_subject_alternate_name
            .value()
            .map(ToString::to_string),
    }
}
