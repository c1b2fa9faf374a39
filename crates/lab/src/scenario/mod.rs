//! The stories of the document, told by doing them.
//!
//! Each starts a lab of its own, drives it, and holds what crossed the wires against what the document says.

mod client;
mod discovery;
mod exchange;
mod failures;
mod mra;
mod on_premises;
mod published;
mod sign_in;
mod sip;
mod story;

pub use failures::{
    edge_distrusts_tomcat, failures, name_not_in_table, node_distrusts_edge, profile_without_oauth,
    wrong_listener,
};
pub use mra::mra;
pub use on_premises::on_premises;
pub use sign_in::sign_in;
