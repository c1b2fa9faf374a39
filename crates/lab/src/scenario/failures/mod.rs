//! What goes wrong, provoked for real; and what ends it, done and tried.

mod listener;
mod zone;

pub use listener::{profile_without_oauth, wrong_listener};
pub use zone::{edge_distrusts_tomcat, name_not_in_table, node_distrusts_edge};

use crate::{CLIENT_ID, Error, Jabber, Lab, LabBuilder, report::Scenario};

/// All of them, in the order of the document.
///
/// # Errors
///
/// When a lab does not start or a part of it fails in a way that is no difference but a defect.
pub async fn failures(lab: &LabBuilder) -> Result<Vec<Scenario>, Error> {
    Ok(vec![
        wrong_listener(lab).await?,
        profile_without_oauth(lab).await?,
        edge_distrusts_tomcat(lab).await?,
        node_distrusts_edge(lab).await?,
        name_not_in_table(lab).await?,
    ])
}

/// A client whose user has logged in, before the story begins.
async fn logged_in(lab: &Lab) -> Result<Jabber, Error> {
    let mut jabber = lab.jabber()?;
    let node = lab.unified_cm();
    let refresh_token = node.log_in(jabber.user(), CLIENT_ID)?;
    jabber
        .obtain_token(&node.token_endpoint(), refresh_token)
        .await?;
    Ok(jabber)
}
