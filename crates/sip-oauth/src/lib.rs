#![doc = include_str!("../README.md")]
//!
//! # Rooms
//!
//! Each module is a crate of its own that can be used without the others; the table in the README says what each is for.

#[doc(no_inline)]
pub use sip_oauth_axl as axl;
#[doc(no_inline)]
pub use sip_oauth_csf as csf;
#[doc(no_inline)]
pub use sip_oauth_message as message;
#[doc(no_inline)]
pub use sip_oauth_registration as registration;
#[doc(no_inline)]
pub use sip_oauth_token as token;
#[doc(no_inline)]
pub use sip_oauth_tokio as tokio;
#[doc(no_inline)]
pub use sip_oauth_trust as trust;

mod account;

pub use account::{
    Account, AccountBuilder, AccountError, Edge, WantsPlace, WantsTokens, WantsTrust,
};

/// The pages of `docs/`, so that their links and snippets are checked.
#[doc(hidden)]
pub mod _documentation {
    #[doc = include_str!("../docs/architecture.md")]
    pub mod architecture {}
    #[doc = include_str!("../docs/protocol.md")]
    pub mod protocol {}
    #[doc = include_str!("../docs/threat-model.md")]
    pub mod threat_model {}
    #[doc = include_str!("../docs/choices.md")]
    pub mod choices {}
    #[doc = include_str!("../docs/lab-report.md")]
    pub mod lab_report {}
    #[doc = include_str!("../docs/benchmarks.md")]
    pub mod benchmarks {}
    #[doc = include_str!("../docs/conformance.md")]
    pub mod conformance {}
}
