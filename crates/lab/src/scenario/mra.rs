//! A client outside the network.

use crate::{Error, LabBuilder, report::Scenario};

/// Through the edge.
///
/// # Errors
///
/// When the lab does not start.
pub async fn mra(lab: &LabBuilder) -> Result<Scenario, Error> {
    super::on_premises(lab).await
}
