//! Programs of other people at the other end, as a user would run them, on loopback: what `docs/peers.md` says.
//!
//! A program that is not installed is skipped by name, with the package it comes in.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod baresip;
mod jssip;
mod openssl;
mod program;
mod sipp_client;
mod sipp_server;
mod tunnel;

#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use sip_oauth_tokio::{RegistrarServer, ServerLimits, Timeouts};
use support::{Estate, quick};

/// Time-outs for a machine that is busy with the programs themselves: none of these tests is about one.
fn patient() -> Timeouts {
    let long = Duration::from_secs(60);
    quick().connect(long).handshake(long).overload(long)
}

/// The estate's registrar with those.
async fn serve(estate: &Estate) -> RegistrarServer {
    estate.serve_with(patient(), ServerLimits::new()).await
}
