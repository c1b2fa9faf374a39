//! Messages that nobody here wrote. They are read from `$SIP_OAUTH_CORPUS` (default
//! `../shared/corpus` beside the workspace); where it is absent, the tests pass and say so.
//!
//! What is true of each set stands in `docs/conformance.md`; a score that is no longer the one of
//! that page fails the run, and so does a disagreement that is not listed here, or is listed and has
//! gone.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do, and tell what was skipped"
)]

mod captures;
mod jsip;
mod reactions;
mod rfc;
mod streams;
mod support;
mod values;
mod wire;
mod writing;
