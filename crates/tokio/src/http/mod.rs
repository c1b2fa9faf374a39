//! HTTP/1.1, one exchange per connection: configuration files, authorization servers, AXL.

mod cache;
mod exchange;
mod fetch;
mod secret;

pub use cache::{ConfigCache, ConfigCopy};
pub(crate) use exchange::{Answer, Exchange, printable};
pub use exchange::{HttpError, HttpFailure};
pub(crate) use fetch::redirect;
pub use fetch::{ConfigFetch, FetchError, FetchFailure, FetchedConfig};
pub(crate) use secret::{basic, credentials};
