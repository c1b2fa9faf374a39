//! The client side: is this the server we meant?

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::reason::{unix_time, webpki_notation};
use crate::refusal::Verdict;
use crate::{
    ChangeListener, Identities, LiveTrustStore, Matched, NameMismatch, Observer, Reason,
    ReferenceIdentity, Refusal, Rule, Side, TrustStore, chain, dangerous, end_entity,
};

/// Verifies a server's certificate against a live store: chain and dates by rustls-webpki, an exact pin
/// for the self-signed `CA:TRUE` certificate, the name under a [`Rule`].
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use sip_oauth_trust::{LiveTrustStore, ServerVerifier, TrustStore, client_config, default_provider};
///
/// let provider = default_provider()?;
/// let store = Arc::new(LiveTrustStore::new(TrustStore::new("trusted CA list")));
/// let verifier = ServerVerifier::builder(store, provider)
///     .observer(Arc::new(|refusal: &sip_oauth_trust::Refusal| println!("{refusal}")))
///     .build();
/// let config = client_config(Arc::new(verifier), None)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ServerVerifier {
    store: Arc<LiveTrustStore>,
    provider: Arc<CryptoProvider>,
    rule: Rule,
    reference: Option<ReferenceIdentity>,
    common_name: bool,
    both_roles: bool,
    observer: Option<Arc<dyn Observer>>,
}

/// Steps to a [`ServerVerifier`].
#[derive(Debug)]
#[must_use = "a builder does nothing until built"]
pub struct ServerVerifierBuilder(ServerVerifier);

impl ServerVerifierBuilder {
    /// The rule for names; [`Rule::Rfc9525`] by default. It takes the place of
    /// [`dangerous_common_name_fallback`](Self::dangerous_common_name_fallback).
    pub fn rule(mut self, rule: Rule) -> Self {
        self.0.rule = rule;
        self.0.common_name = false;
        self
    }

    /// Expect this identity whatever name was connected to: the SIP domain under RFC 5922, where the host
    /// of a target found by DNS is not the identity (§7.1).
    pub fn reference(mut self, reference: ReferenceIdentity) -> Self {
        self.0.reference = Some(reference);
        self
    }

    /// Tell `observer` of every refusal.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.0.observer = Some(observer);
        self
    }

    /// In place of a [`rule`](Self::rule): RFC 9525, and let the CN count when there is no identity of another kind, as
    /// [`dangerous::common_name_fallback`] does.
    pub fn dangerous_common_name_fallback(mut self) -> Self {
        self.0.rule = Rule::Rfc9525;
        self.0.common_name = true;
        self
    }

    /// Refuse a certificate that lacks clientAuth in its extended key usage, although this handshake needs serverAuth
    /// alone: the product's certificates need both. See [`Purpose::Both`](crate::Purpose::Both).
    pub fn require_both_roles(mut self) -> Self {
        self.0.both_roles = true;
        self
    }

    /// The verifier.
    pub fn build(self) -> ServerVerifier {
        self.0
    }
}

impl ServerVerifier {
    /// Begins a verifier over `store` with the algorithms of `provider`.
    pub fn builder(
        store: Arc<LiveTrustStore>,
        provider: Arc<CryptoProvider>,
    ) -> ServerVerifierBuilder {
        ServerVerifierBuilder(Self {
            store,
            provider,
            rule: Rule::default(),
            reference: None,
            common_name: false,
            both_roles: false,
            observer: None,
        })
    }

    /// Verifies a server anew at `now`, chain and name, as for a connection that is up when the store changes: one whose
    /// trust was withdrawn is to be closed.
    ///
    /// `chain` is what rustls gives as `peer_certificates()`, `server_name` what was connected to.
    ///
    /// # Errors
    ///
    /// The refusal, which the observer has heard of as well. The caller closes the connection.
    pub fn recheck_peer(
        &self,
        chain: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        now: SystemTime,
    ) -> Result<(), Box<Refusal>> {
        let store = self.store.load();
        let verdict = match chain.split_first() {
            Some((end_entity, intermediates)) => self.check(
                &store,
                end_entity,
                intermediates,
                server_name,
                unix_time(now),
            ),
            None => Err(Error::NoCertificatesPresented.into()),
        };
        verdict.map_err(|verdict| {
            let algorithms = self.provider.signature_verification_algorithms.all;
            let refusal = verdict.refusal(Side::Client, &store, chain.iter(), algorithms);
            if let Some(observer) = &self.observer {
                observer.refused(&refusal);
            }
            Box::new(refusal)
        })
    }

    /// Tells `listener` of every change of the trust store: then [`recheck_peer`](Self::recheck_peer) may say something
    /// else of a connection that is up.
    pub fn on_change(&self, listener: &ChangeListener) {
        self.store.on_change(listener);
    }

    pub(crate) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    fn check(
        &self,
        store: &TrustStore,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Box<Verdict>> {
        chain::path(
            store,
            end_entity,
            intermediates,
            Side::Server,
            now,
            self.provider.signature_verification_algorithms.all,
            |_| (),
        )?;
        let identities = end_entity::check(end_entity, self.both_roles)?;
        let reference = match &self.reference {
            Some(reference) => reference.clone(),
            None => ReferenceIdentity::try_from(server_name)
                .map_err(|_| CertificateError::NotValidForName)?,
        };
        match self.match_name(&reference, &identities) {
            Ok(_) => Ok(()),
            Err(names) => Err(Box::new(Verdict {
                error: rustls_mismatch(&names, server_name).into(),
                reason: Some(Reason::NameMismatch { names: Some(names) }),
            })),
        }
    }

    /// Tells the observer, and gives the error that rustls turns into the alert. `store` is the one judged with: the live
    /// one may be another by now.
    fn report(
        &self,
        verdict: Verdict,
        store: &TrustStore,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Error {
        let chain = std::iter::once(end_entity).chain(intermediates);
        let observer = self.observer.as_deref();
        let algorithms = self.provider.signature_verification_algorithms.all;
        verdict.report(observer, Side::Client, store, chain, algorithms)
    }

    fn report_signature(&self, error: Error, end_entity: &CertificateDer<'_>) -> Error {
        let verdict = Verdict::of_handshake_signature(error);
        self.report(verdict, &self.store.load(), end_entity, &[])
    }

    fn match_name(
        &self,
        reference: &ReferenceIdentity,
        identities: &Identities,
    ) -> Result<Matched, NameMismatch> {
        if self.common_name {
            return dangerous::common_name_fallback(reference, identities);
        }
        self.rule.matches(reference, identities)
    }
}

/// The mismatch as rustls has it, names in the notation of webpki.
fn rustls_mismatch(names: &NameMismatch, server_name: &ServerName<'_>) -> CertificateError {
    let expected = ServerName::try_from(names.expected.to_string());
    CertificateError::NotValidForNameContext {
        expected: expected.unwrap_or_else(|_| server_name.to_owned()),
        presented: names.presented.iter().map(webpki_notation).collect(),
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let store = self.store.load();
        match self.check(&store, end_entity, intermediates, server_name, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(verdict) => Err(self.report(*verdict, &store, end_entity, intermediates)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
            .map_err(|error| self.report_signature(error, cert))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
            .map_err(|error| self.report_signature(error, cert))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

impl fmt::Debug for ServerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerVerifier")
            .field("store", &self.store.load().name())
            .field("rule", &self.rule)
            .field("reference", &self.reference)
            .field("common_name", &self.common_name)
            .finish_non_exhaustive()
    }
}
