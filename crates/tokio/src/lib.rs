//! SIP OAuth registration with tokio and rustls: client, registrar, edge, configuration fetch, AXL.
//!
//! This crate decides nothing. Which node, which port, whether a token is good, what is answered: all that stands in
//! [`sip_oauth_registration`], [`sip_oauth_token`] and [`sip_oauth_trust`]. Here bytes are moved, time is kept, and what a
//! stranger may use up is bounded:
//!
//! | you want | use |
//! |---|---|
//! | to register a device | [`RegistrationClient`] |
//! | to fetch its configuration file | [`ConfigFetch`], and [`ConfigCache`] to go on with the last copy |
//! | to obtain access tokens | a [`TokenSource`]: [`FixedToken`], [`TokenFile`], [`token_fn`], [`RefreshGrant`], kept fresh by [`RenewingToken`] |
//! | to sign a user in | a [`CodeGrant`] |
//! | to be a registrar | [`RegistrarServer`] |
//! | to have its verifier's keys fetched, or opaque tokens judged | [`JwksClient`], [`IntrospectionClient`] |
//! | to be the Expressway-C in front of one | [`EdgeServer`], and [`AxlClient`] to discover nodes and announce its names |
//! | to see what passes | an [`Observer`] |
//! | to let two minutes pass at once | [`Clock::adjustable`] |
//!
//! All of them take a [`Connector`] or its parts: who resolves names ([`Resolver`]), what TLS trusts, how long each step may
//! take ([`Timeouts`]), which clock leases go by ([`Clock`]).
//!
//! # Secrets
//!
//! No token, password or key goes into a log line, an error or a `Debug` output of this crate. An [`Observer`] sees whole
//! messages, credentials included, and must shorten them before it shows them.
//!
//! # Features
//!
//! * `aws-lc-rs` (default): TLS and token checks by aws-lc-rs.
//! * `ring`: TLS by ring.
//! * `metrics`: `Counters`, an [`Observer`] that counts through the `metrics` facade.

mod axl;
mod client;
mod clock;
mod connect;
mod connection;
#[cfg(feature = "metrics")]
mod counters;
mod edge;
mod entropy;
mod http;
mod limits;
mod live_server;
mod oauth;
mod observe;
mod recheck;
mod refusal_relay;
mod registrar;
mod resolver;
mod server;
mod stop;
mod stream;
mod wiped;

pub use axl::{AxlClient, AxlCredentials, AxlError, AxlFailure, DiscoveredNode, Discovery, Pushed};
pub use client::{
    ClientEvent, ClientEvents, ClientHandle, CommandError, FixedToken, ObtainedToken, RefreshGrant,
    RegistrationClient, RenewingToken, TokenFile, TokenFn, TokenRequest, TokenSource,
    TokenUnavailable, token_fn,
};
pub use clock::Clock;
pub use connect::{ConnectError, ConnectFailure, Connector};
pub use connection::{Connection, ConnectionError, ConnectionSettings, Incoming, Waiting};
#[cfg(feature = "metrics")]
pub use counters::Counters;
pub use edge::{EdgeServer, EdgeServerBuilder, ZoneReport};
pub use entropy::ProviderEntropy;
pub use http::{
    ConfigCache, ConfigCopy, ConfigFetch, FetchError, FetchFailure, FetchedConfig, HttpError,
    HttpFailure,
};
pub use limits::{ServerLimits, Timeouts};
pub use oauth::{
    ClientAuthentication, CodeGrant, IntrospectionClient, IntrospectionError, JwksClient,
    JwksError, JwksFailure, KeysNews, SignIn, SignedIn,
};
pub use observe::{
    ConnectionChange, ConnectionEvent, ConnectionId, Direction, Ends, HttpEvent, MessageEvent,
    Observed, Observer, RedactedBytes, Role, TlsFacts, Unobserved,
};
pub use refusal_relay::RefusalRelay;
pub use registrar::{Enquiry, RegistrarServer, RegistrarServerBuilder};
pub use resolver::{BoxFuture, Resolver, StaticResolver, SystemResolver};
pub use stream::Stream;

/// The rustls whose types stand in this crate's signatures.
pub use rustls;
