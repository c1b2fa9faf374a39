//! The failures.

use crate::{Error, LabBuilder, report::Scenario};

/// All.
///
/// # Errors
///
/// When the lab does not start.
pub async fn failures(_lab: &LabBuilder) -> Result<Vec<Scenario>, Error> {
    Ok(Vec::new())
}
