//! The server side of mutual TLS: is this client one of ours?

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::reason::unix_time;
use crate::refusal::Verdict;
use crate::{
    Anchor, Identities, LiveAllowedNames, LiveTrustStore, NameMatch, Observer, Reason, Refusal,
    Side, TrustStore, chain, end_entity, pin,
};

/// Verifies a client's certificate on port 5091: chain, dates and key usage against a live store by rustls'
/// [`WebPkiClientVerifier`], then its names against the live `expresswaycconfiguration` table. A store with revocation lists
/// is asked through webpki as that verifier does it, with the lists as they were read when they came into the store.
///
/// Chain first, so that a name is looked up only for certificates somebody trusted has signed; a client
/// without certificate is refused. An empty store is no error: it refuses everybody as unknown_ca, as a
/// Unified CM does whose administrator has not uploaded anything yet.
///
/// The alert is chosen by rustls from the error: unknown_ca, certificate_expired,
/// unsupported_certificate (key usage), and access_denied for a name that is not in the table. Which
/// alert Unified CM itself sends in the last case is not published; access_denied is our choice, because
/// RFC 8446 §6.2 gives it to "a valid certificate … but when access control was applied".
pub struct ClientVerifier {
    store: Arc<LiveTrustStore>,
    allowed: Arc<LiveAllowedNames>,
    provider: Arc<CryptoProvider>,
    both_roles: bool,
    observer: Option<Arc<dyn Observer>>,
    /// Whose certificates may be good, as of when the verifier was made; a hint to the client, no more.
    hints: Vec<DistinguishedName>,
    /// rustls' verifier for the store it was made of, which has no revocation lists.
    chain: ArcSwapOption<ChainVerifier>,
}

struct ChainVerifier {
    store: Arc<TrustStore>,
    inner: Arc<dyn ClientCertVerifier>,
}

/// Steps to a [`ClientVerifier`].
#[derive(Debug)]
#[must_use = "a builder does nothing until built"]
pub struct ClientVerifierBuilder(ClientVerifier);

impl ClientVerifierBuilder {
    /// Tell `observer` of every refusal. A client that sends no certificate never reaches a verifier:
    /// that refusal is seen as `Error::NoCertificatesPresented` by whoever drives the handshake.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.0.observer = Some(observer);
        self
    }

    /// Refuse a certificate that lacks serverAuth in its extended key usage, although this handshake needs clientAuth
    /// alone: the product's certificates need both. See [`Purpose::Both`](crate::Purpose::Both).
    pub fn require_both_roles(mut self) -> Self {
        self.0.both_roles = true;
        self
    }

    /// The verifier.
    pub fn build(self) -> ClientVerifier {
        self.0
    }
}

impl ClientVerifier {
    /// Begins a verifier over `store` and `allowed` with the algorithms of `provider`.
    pub fn builder(
        store: Arc<LiveTrustStore>,
        allowed: Arc<LiveAllowedNames>,
        provider: Arc<CryptoProvider>,
    ) -> ClientVerifierBuilder {
        let hints = hints(&store.load());
        ClientVerifierBuilder(Self {
            store,
            allowed,
            provider,
            both_roles: false,
            observer: None,
            hints,
            chain: ArcSwapOption::empty(),
        })
    }

    /// Looks the names of a peer up in the table as it is now, as after every accept: a resumed session
    /// skips the verifier, and the table may have changed during the handshake.
    ///
    /// `chain` is what rustls gives as `peer_certificates()`.
    ///
    /// # Errors
    ///
    /// The refusal, which the observer has heard of as well. The caller closes the connection.
    pub fn check_peer(&self, chain: &[CertificateDer<'_>]) -> Result<NameMatch, Box<Refusal>> {
        let store = self.store.load();
        let verdict = match chain.first() {
            Some(end_entity) => Identities::of(end_entity)
                .map_err(|_| CertificateError::BadEncoding.into())
                .and_then(|identities| self.check_names(&identities)),
            None => Err(Error::NoCertificatesPresented.into()),
        };
        verdict.map_err(|verdict| Box::new(self.refuse(&verdict, &store, chain)))
    }

    /// Verifies a peer anew at `now`, chain and names, as for connections that are already up when the
    /// store or the table changes: those whose trust was withdrawn are to be closed.
    ///
    /// # Errors
    ///
    /// As [`check_peer`](Self::check_peer).
    pub fn recheck_peer(
        &self,
        chain: &[CertificateDer<'_>],
        now: SystemTime,
    ) -> Result<NameMatch, Box<Refusal>> {
        let store = self.store.load();
        let verdict = match chain.split_first() {
            Some((end_entity, intermediates)) => self
                .check_chain(&store, end_entity, intermediates, unix_time(now))
                .and_then(|identities| self.check_names(&identities)),
            None => Err(Error::NoCertificatesPresented.into()),
        };
        verdict.map_err(|verdict| Box::new(self.refuse(&verdict, &store, chain)))
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
        verdict.report(observer, Side::Server, store, chain, algorithms)
    }

    fn report_signature(&self, error: Error, end_entity: &CertificateDer<'_>) -> Error {
        let verdict = Verdict::of_handshake_signature(error);
        self.report(verdict, &self.store.load(), end_entity, &[])
    }

    fn refuse(
        &self,
        verdict: &Verdict,
        store: &TrustStore,
        chain: &[CertificateDer<'_>],
    ) -> Refusal {
        let algorithms = self.provider.signature_verification_algorithms.all;
        let refusal = verdict.refusal(Side::Server, store, chain.iter(), algorithms);
        if let Some(observer) = &self.observer {
            observer.refused(&refusal);
        }
        refusal
    }

    fn check_chain(
        &self,
        store: &Arc<TrustStore>,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Identities, Box<Verdict>> {
        self.check_path(store, end_entity, intermediates, now)?;
        end_entity::check(end_entity, self.both_roles)
    }

    fn check_path(
        &self,
        store: &Arc<TrustStore>,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        // WebPkiClientVerifier takes lists as DER and would read them again, in the first handshake after a change.
        if !store.revocation_lists().is_empty() {
            let algorithms = self.provider.signature_verification_algorithms.all;
            let presenter = Side::Client;
            return chain::path(
                store,
                end_entity,
                intermediates,
                presenter,
                now,
                algorithms,
                |_| (),
            )
            .map(drop);
        }
        // It is not made without an anchor.
        let path = if store.roots().is_empty() {
            Err(CertificateError::UnknownIssuer.into())
        } else {
            self.chain_verifier(store)?
                .inner
                .verify_client_cert(end_entity, intermediates, now)
        };
        match path {
            Ok(_) => chain::no_list_at_all(store),
            Err(error) => pin::instead_of_path(error, store, end_entity, Side::Client, now),
        }
    }

    fn chain_verifier(&self, store: &Arc<TrustStore>) -> Result<Arc<ChainVerifier>, Error> {
        if let Some(known) = &*self.chain.load()
            && Arc::ptr_eq(&known.store, store)
        {
            return Ok(Arc::clone(known));
        }
        let roots = Arc::clone(store.roots());
        let builder =
            WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&self.provider));
        let made = Arc::new(ChainVerifier {
            store: Arc::clone(store),
            inner: builder
                .build()
                .map_err(|error| Error::General(error.to_string()))?,
        });
        self.chain.store(Some(Arc::clone(&made)));
        Ok(made)
    }

    fn check_names(&self, identities: &Identities) -> Result<NameMatch, Box<Verdict>> {
        self.allowed.load().check(identities).map_err(|names| {
            Box::new(Verdict {
                error: CertificateError::ApplicationVerificationFailure.into(),
                reason: Some(Reason::NameNotInTable { names: Some(names) }),
            })
        })
    }
}

/// Subjects of the anchors that may issue; of the others the issuers, since a client looks for its own certificate's.
fn hints(store: &TrustStore) -> Vec<DistinguishedName> {
    let anchors = store.anchors().iter().map(Anchor::summary);
    let pinned = anchors.filter(|summary| !summary.may_issue());
    let mut hints = store.roots().subjects();
    hints.extend(pinned.map(|summary| DistinguishedName::from(summary.issuer_der().to_vec())));
    hints
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let store = self.store.load();
        let verdict = self
            .check_chain(&store, end_entity, intermediates, now)
            .and_then(|identities| self.check_names(&identities));
        match verdict {
            Ok(_) => Ok(ClientCertVerified::assertion()),
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

impl fmt::Debug for ClientVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientVerifier")
            .field("store", &self.store.load().name())
            .field("allowed_names", &self.allowed.load().len())
            .finish_non_exhaustive()
    }
}
