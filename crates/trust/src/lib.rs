//! Certificate trust for SIP OAuth: which store, which name, which side refused.
//!
//! Three questions decide whether a TLS connection to a Unified CM comes up, and this crate keeps
//! them apart:
//!
//! 1. **Which store?** A [`TrustStore`] knows its product name (`Tomcat-trust`) and where each anchor
//!    came from; a [`LiveTrustStore`] is replaced in one step while listeners run.
//! 2. **Which name?** [`Identities`] keeps CN, DNS, URI and IP names of a certificate apart;
//!    [`Rule`] compares them with a [`ReferenceIdentity`] as RFC 9525 or RFC 5922 say, and
//!    [`AllowedNames`] with the rows of the `expresswaycconfiguration` table.
//! 3. **Which side refused?** [`ServerVerifier`] and [`ClientVerifier`] plug into rustls and hand each
//!    refusal to an [`Observer`] as data; [`explain`] reads any [`rustls::Error`] of either end and says
//!    who refused whom, why, and which store has to change.
//!
//! Path building and signatures are rustls-webpki's work. Time comes from the caller (or, inside a
//! handshake, from rustls). The crypto provider is always an argument; [`default_provider`] is the
//! convenience for programs that do not care.
//!
//! ```
//! use sip_oauth_trust::{Party, Side, explain};
//! use rustls::{AlertDescription, Error};
//!
//! // Expressway-C connected to port 5091 and read this:
//! let explanation = explain(&Error::AlertReceived(AlertDescription::UnknownCA), Side::Client);
//! assert_eq!(explanation.refused_by, Party::Peer);
//! assert!(explanation.to_string().contains("Tomcat-trust"));
//! ```

mod alert;
mod allowed_names;
mod anchor;
mod bundle;
mod certified_identity;
mod chain;
mod client_verifier;
mod configs;
pub mod dangerous;
mod describe;
mod dns_name;
mod end_entity;
mod explain;
mod finding;
mod fingerprint;
mod identities;
mod live;
mod load;
mod pem;
mod pin;
mod pkcs7;
mod provider;
mod reason;
mod reference;
mod refusal;
mod remedy;
mod revocation;
mod rule;
mod server_certificate;
mod server_verifier;
mod store;
mod store_error;
mod summary;
mod way;
mod webpki_error;

pub use alert::alert_name;
pub use allowed_names::{
    AllowedEntry, AllowedNames, AllowedRow, EntryProblem, NameMatch, NotAllowed,
};
pub use anchor::{Anchor, Source};
pub use bundle::{BundleError, certificates};
pub use certified_identity::{CertifiedIdentity, IdentityError};
pub use chain::{ChainRefusal, VerifiedChain, verify_chain};
pub use client_verifier::{ClientVerifier, ClientVerifierBuilder};
pub use configs::{ServerConfigs, client_config, client_config_with_versions};
pub use describe::{ChainDescription, DescribedAnchor, DescribedCertificate, Utc, describe};
pub use end_entity::Purpose;
pub use explain::{Explanation, explain, tls_cause};
pub use finding::{TriedAnchor, Unfit};
pub use fingerprint::{Fingerprint, Sha1Fingerprint};
pub use identities::{Identities, PresentedName, UnreadableCertificate, Unusable};
pub use live::{ChangeListener, Live, LiveAllowedNames, LiveTrustStore};
pub use load::FolderLoad;
#[cfg(feature = "platform")]
pub use load::PlatformLoad;
pub use pem::PemError;
pub use pkcs7::Pkcs7Error;
pub use provider::{NoProvider, default_provider};
pub use reason::{IssuerPlace, Reason};
pub use reference::{DnsName, ReferenceError, ReferenceIdentity};
pub use refusal::{Observer, Party, Refusal, Side};
pub use remedy::{Place, Remedy};
pub use revocation::{
    CrlError, MissingCrl, RevocationDepth, RevocationList, RevocationPolicy, StaleCrl,
};
pub use rule::{Matched, NameMismatch, Rule, sip_domain, sip_domains};
pub use server_certificate::ServerCertificate;
pub use server_verifier::{ServerVerifier, ServerVerifierBuilder};
pub use store::TrustStore;
pub use store_error::StoreError;
pub use summary::{CertificateSummary, not_after};

/// The rustls whose types stand in this crate's signatures.
pub use rustls;
