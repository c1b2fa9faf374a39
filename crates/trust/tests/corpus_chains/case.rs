//! One case, and what the two say of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sip_oauth_trust::{
    AllowedNames, ClientVerifier, Identities, LiveAllowedNames, LiveTrustStore, MissingCrl,
    Purpose, Reason, ReferenceIdentity, RevocationPolicy, Rule, Source, TrustStore,
    default_provider, verify_chain,
};
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, OwnedCertRevocationList,
    RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};

pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) expected: bool,
    pub(crate) anchors: Vec<CertificateDer<'static>>,
    /// End entity first.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) lists: Vec<Vec<u8>>,
    pub(crate) lists_required: bool,
    /// Seconds since 1970; now, if absent.
    pub(crate) time: Option<u64>,
    pub(crate) is_client: bool,
    pub(crate) name: Option<String>,
}

pub(crate) struct Verdict {
    pub(crate) accepted: bool,
    pub(crate) why: String,
}

impl From<Result<(), String>> for Verdict {
    fn from(result: Result<(), String>) -> Self {
        Self {
            accepted: result.is_ok(),
            why: result.err().unwrap_or_default(),
        }
    }
}

impl Case {
    pub(crate) fn ours(&self) -> Verdict {
        self.judged_by_us().into()
    }

    pub(crate) fn plain(&self) -> Verdict {
        self.judged_by_webpki()
            .map_err(|it| format!("{it:?}"))
            .into()
    }

    fn now(&self) -> SystemTime {
        self.time.map_or_else(SystemTime::now, |seconds| {
            UNIX_EPOCH + Duration::from_secs(seconds)
        })
    }

    fn store(&self) -> TrustStore {
        let source = Source::Memory("the corpus".to_owned());
        let mut store = TrustStore::new("corpus");
        for anchor in &self.anchors {
            // What cannot be an anchor is none, for us and for webpki.
            let _ = store.add_der(anchor.clone(), &source);
        }
        for list in &self.lists {
            let _ = store.add_crl(list, &source);
        }
        if self.lists_required {
            store.set_revocation_policy(RevocationPolicy::new().missing(MissingCrl::Refuse));
        }
        store
    }

    fn judged_by_us(&self) -> Result<(), String> {
        let provider = default_provider().unwrap();
        let store = self.store();
        let purpose = if self.is_client {
            Purpose::Client
        } else {
            Purpose::Server
        };
        let verdict = verify_chain(&self.chain, &store, purpose, self.now(), &provider);
        if self.is_client {
            self.assert_the_verifier_says_so(verdict.is_ok(), store);
        }
        verdict.map_err(|refusal| refusal.to_string())?;
        if let Some(name) = &self.name {
            let reference: ReferenceIdentity = name.parse().map_err(|it| format!("{it}"))?;
            let identities = Identities::of(&self.chain[0]).map_err(|it| it.to_string())?;
            Rule::Rfc9525
                .matches(&reference, &identities)
                .map_err(|it| it.to_string())?;
        }
        Ok(())
    }

    /// In a handshake the chain is `WebPkiClientVerifier`'s to judge: it says the same. The table is empty here, so a
    /// good chain ends at its names.
    fn assert_the_verifier_says_so(&self, is_good: bool, store: TrustStore) {
        let verifier = ClientVerifier::builder(
            Arc::new(LiveTrustStore::new(store)),
            Arc::new(LiveAllowedNames::new(AllowedNames::default())),
            default_provider().unwrap(),
        )
        .build();
        let (end_entity, intermediates) = self.chain.split_first().unwrap();
        let now = self.now().duration_since(UNIX_EPOCH).unwrap();
        let error = verifier
            .verify_client_cert(end_entity, intermediates, UnixTime::since_unix_epoch(now))
            .unwrap_err();
        let reason = sip_oauth_trust::explain(&error, sip_oauth_trust::Side::Server).reason;
        assert_eq!(
            matches!(reason, Reason::NameNotInTable { .. }),
            is_good,
            "{}: {reason}",
            self.id
        );
    }

    fn judged_by_webpki(&self) -> Result<(), webpki::Error> {
        let provider = default_provider().unwrap();
        let anchors: Vec<_> = self
            .anchors
            .iter()
            .filter_map(|it| anchor_from_trusted_cert(it).ok())
            .collect();
        let lists: Vec<CertRevocationList<'_>> = self
            .lists
            .iter()
            .filter_map(|it| OwnedCertRevocationList::from_der(it).ok())
            .map(CertRevocationList::from)
            .collect();
        let lists: Vec<_> = lists.iter().collect();
        let policy = if self.lists_required {
            UnknownStatusPolicy::Deny
        } else {
            UnknownStatusPolicy::Allow
        };
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|builder| {
            builder
                .with_status_policy(policy)
                .with_expiration_policy(ExpirationPolicy::Enforce)
                .build()
        });
        let usage = if self.is_client {
            KeyUsage::client_auth()
        } else {
            KeyUsage::server_auth()
        };
        let now = self.now().duration_since(UNIX_EPOCH).unwrap();
        let end_entity = EndEntityCert::try_from(&self.chain[0])?;
        end_entity.verify_for_usage(
            provider.signature_verification_algorithms.all,
            &anchors,
            &self.chain[1..],
            UnixTime::since_unix_epoch(now),
            usage,
            revocation,
            None,
        )?;
        if let Some(name) = &self.name {
            let name = ServerName::try_from(name.as_str())
                .map_err(|_| webpki::Error::UnsupportedNameType)?;
            end_entity.verify_is_valid_for_subject_name(&name)?;
        }
        if lists.is_empty() && self.lists_required {
            return Err(webpki::Error::UnknownRevocationStatus);
        }
        Ok(())
    }
}
