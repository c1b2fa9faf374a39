//! Trust stores out of whatever form certificates come in: PKCS#7, DER, files, folders, the platform.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use sip_oauth_trust::{
    BundleError, Live, Pkcs7Error, Source, StoreError, TrustStore, certificates,
};
use support::{authority, provider};

const DER: &[u8] = include_bytes!("fixtures/authority.der");
const PKCS7_PEM: &[u8] = include_bytes!("fixtures/two-authorities.p7b");
const PKCS7_DER: &[u8] = include_bytes!("fixtures/two-authorities.p7c");
const PKCS7_INDEFINITE: &[u8] = include_bytes!("fixtures/indefinite.p7c");
const PKCS7_EMPTY: &[u8] = include_bytes!("fixtures/no-certificate.p7c");

fn upload() -> Source {
    Source::Upload("chain".to_owned())
}

fn subjects(store: &TrustStore) -> Vec<&str> {
    let anchors = store.anchors().iter();
    anchors.map(|anchor| anchor.summary().subject()).collect()
}

/// A folder of this test alone, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sip-oauth-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A store looks for a certificate by its length and its end first. What has both in common with an anchor is still
/// another certificate, and a self-signed one must not be taken for the pinned one.
#[test]
fn a_certificate_with_the_end_of_an_anchor_is_not_that_anchor() {
    let ours = authority("Example CA").der().clone();
    let mut other = ours.to_vec();
    let at = other.windows(10).position(|it| it == b"Example CA");
    while let Some(at) = other.windows(10).position(|it| it == b"Example CA") {
        other[at + 2] = b'b';
    }
    assert!(at.is_some() && other.len() == ours.len());
    let other = CertificateDer::from(other);
    let mut store = TrustStore::new("Tomcat-trust");
    assert!(store.add_der(ours.clone(), &upload()).unwrap());
    assert!(store.find(&other).is_none());
    assert!(store.add_der(other.clone(), &upload()).unwrap());
    assert!(!store.add_der(ours.clone(), &upload()).unwrap());
    let subject = |certificate| store.find(certificate).unwrap().summary().subject();
    assert!(subject(&ours).contains("Example CA") && subject(&other).contains("Exbmple CA"));
    assert!(store.remove(&ours).is_some());
    assert!(store.find(&ours).is_none() && store.find(&other).is_some());
    assert_eq!(store.len(), 1);
}

mod forms {
    use super::*;

    #[test]
    fn pkcs7_of_certificates_alone_in_pem_and_der() {
        for bytes in [PKCS7_PEM, PKCS7_DER] {
            let mut store = TrustStore::new("Tomcat-trust");
            assert_eq!(store.add_bundle(bytes, &upload()), Ok(2));
            let mut found = subjects(&store);
            found.sort_unstable();
            let expected = [
                "O=Example, CN=Example issuing CA",
                "O=Example, CN=Example root CA",
            ];
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn pkcs7_with_indefinite_lengths_and_a_signer() {
        let found = certificates(PKCS7_INDEFINITE).unwrap();
        let der = certificates(PKCS7_DER).unwrap();
        assert_eq!(found.len(), 2);
        assert!(
            found.iter().all(|certificate| der.contains(certificate)),
            "the same certificates, byte for byte"
        );
    }

    #[test]
    fn der_certificate() {
        let mut store = TrustStore::new("Tomcat-trust");
        assert_eq!(store.add_bundle(DER, &upload()), Ok(1));
    }

    #[test]
    fn pem_of_both_kinds_in_one_file() {
        let mut text = authority("One").pem().into_bytes();
        text.extend_from_slice(PKCS7_PEM);
        assert_eq!(
            TrustStore::new("Tomcat-trust").add_bundle(&text, &upload()),
            Ok(3)
        );
    }

    #[test]
    fn pkcs7_with_an_odd_boundary_is_never_lost() {
        let text = String::from_utf8(PKCS7_PEM.to_vec()).unwrap();
        for bad in [
            format!(" {text}"),
            text.replace("-----BEGIN", "----BEGIN"),
            text.replace("-----END PKCS7-----", ""),
        ] {
            let beside = format!("{}{bad}", authority("One").pem());
            certificates(beside.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn pkcs7_without_certificate_is_an_error() {
        assert_eq!(
            certificates(PKCS7_EMPTY),
            Err(BundleError::Pkcs7(Pkcs7Error::NoCertificate))
        );
    }

    /// A SEQUENCE is universal and constructed; these have its number only (X.690 §8.1.2, §8.9).
    #[test]
    fn bytes_that_begin_with_no_sequence_are_no_pkcs7() {
        let mut bundle = PKCS7_DER.to_vec();
        assert_eq!(bundle[0], 0x30);
        for identifier in [0x10, 0xf0, 0xb0] {
            bundle[0] = identifier;
            assert!(
                matches!(certificates(&bundle), Err(BundleError::Pem(_))),
                "{identifier:#04x}"
            );
        }
    }

    /// The same inside, where nothing that is no certificate may be passed over for having another form.
    #[test]
    fn what_a_pkcs7_holds_has_the_form_of_its_type() {
        let sets = PKCS7_DER.windows(2).enumerate();
        let explicit: Vec<_> = sets.filter(|(_, at)| *at == [0xa0, 0x82]).collect();
        let [(content, _), (set, _), ..] = explicit[..] else {
            panic!("[0] content and [0] certificates");
        };
        for (place, wrong, expected) in [
            (content, 0x80, "[0] content"),
            (content + 4, 0x10, "SignedData"),
            (set, 0x80, "[0] certificates"),
            (set + 4, 0x10, "a certificate"),
            (set + 4, 0x70, "a certificate"),
            (set + 4, 0xa4, "a certificate"),
            (set + 4, 0xf0, "a certificate"),
        ] {
            let mut bundle = PKCS7_DER.to_vec();
            bundle[place] = wrong;
            let error = Pkcs7Error::NotSignedData {
                expected,
                at: place,
            };
            assert_eq!(certificates(&bundle), Err(BundleError::Pkcs7(error)));
        }
        // An attribute certificate beside the other one.
        let mut bundle = PKCS7_DER.to_vec();
        bundle[set + 4] = 0xa2;
        assert_eq!(certificates(&bundle).map(|found| found.len()), Ok(1));
    }

    #[test]
    fn pkcs7_of_another_kind_says_what_was_expected_and_where() {
        let mut data = PKCS7_DER.to_vec();
        let at = data
            .windows(2)
            .position(|pair| pair == [0x07, 0x02])
            .unwrap();
        data[at + 1] = 0x03; // envelopedData
        assert_eq!(
            certificates(&data).unwrap_err().to_string(),
            "PKCS#7: expected content type signedData at byte 15 (RFC 5652 §5.1)"
        );
        let trailing = [PKCS7_DER, b"x"].concat();
        let error = certificates(&trailing).unwrap_err().to_string();
        assert!(
            error.contains("the end of the bundle at byte 954"),
            "{error}"
        );
    }

    #[test]
    fn every_cut_of_a_bundle_is_an_error_and_no_panic() {
        for length in 0..PKCS7_DER.len() {
            let mut store = TrustStore::new("Tomcat-trust");
            let cut = &PKCS7_DER[..length];
            assert!(store.add_bundle(cut, &upload()).is_err(), "{length} bytes");
        }
        for length in 0..PKCS7_INDEFINITE.len() {
            let _ = certificates(&PKCS7_INDEFINITE[..length]);
        }
    }

    #[test]
    fn pem_file_with_no_certificate_in_it_is_an_error() {
        for text in [
            "",
            "hello\n",
            "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n",
        ] {
            let error = TrustStore::new("Tomcat-trust")
                .add_bundle(text.as_bytes(), &upload())
                .unwrap_err();
            let sentence = error.to_string();
            assert!(
                sentence.contains("expected at least one BEGIN CERTIFICATE"),
                "{sentence}"
            );
        }
    }
}

#[test]
fn anchors_remember_source_fingerprints_subject_serial_and_validity() {
    let mut store = TrustStore::new("Tomcat-trust");
    store.add_bundle(DER, &upload()).unwrap();
    let anchor = &store.anchors()[0];
    // As `openssl x509 -fingerprint` prints them.
    assert_eq!(
        anchor.sha256(&provider()).unwrap().to_string(),
        "F8:CC:33:F9:D8:3D:DF:65:00:39:02:3E:E8:77:94:FB:EC:19:FB:9F:E4:75:D8:B9:A7:66:4C:E9:E4:AE:DD:9E"
    );
    assert_eq!(
        anchor.sha1().to_string(),
        "43:90:16:26:40:93:DF:21:1E:50:AB:2F:6D:28:3A:9C:09:05:C3:54"
    );
    let summary = anchor.summary();
    assert_eq!(summary.subject(), "O=Example, CN=Example root CA");
    assert_eq!(
        summary.serial().replace(':', ""),
        "6eb4baf34f3341bd7bba3aa8711dd2878ad28eb9"
    );
    assert!(summary.not_before() < summary.not_after());
    assert_eq!(anchor.source(), &upload());
}

mod replaced_in_one_step {
    use super::*;

    #[test]
    fn old_goes_and_new_comes() {
        let (old, new) = (authority("Example CA"), authority("Example CA"));
        let mut store = TrustStore::new("Tomcat-trust");
        store.add_der(old.der().clone(), &upload()).unwrap();
        let gone = store
            .replace(old.der(), new.pem().as_bytes(), &upload())
            .unwrap();
        assert_eq!(gone.unwrap().certificate(), old.der());
        assert!(store.find(old.der()).is_none());
        assert!(store.find(new.der()).is_some());
    }

    #[test]
    fn with_an_unusable_one_the_old_stays() {
        let old = authority("Example CA");
        let mut store = TrustStore::new("Tomcat-trust");
        store.add_der(old.der().clone(), &upload()).unwrap();
        let error = store.replace(old.der(), b"", &upload()).unwrap_err();
        assert!(matches!(error, StoreError::Bundle { .. }), "{error}");
        assert!(store.find(old.der()).is_some());
    }

    #[test]
    fn a_reader_sees_either_the_old_store_or_the_new_one() {
        let (old, new) = (authority("Old CA"), authority("New CA"));
        let mut first = TrustStore::new("Tomcat-trust");
        first.add_der(old.der().clone(), &upload()).unwrap();
        let live = Live::new(first);
        let held = live.load();
        live.update(|current| {
            let mut next = current.clone();
            next.replace(old.der(), new.pem().as_bytes(), &upload())?;
            Ok::<_, StoreError>(next)
        })
        .unwrap();
        assert_eq!(subjects(&held), ["CN=Old CA"]);
        assert_eq!(subjects(&live.load()), ["CN=New CA"]);
    }
}

mod files {
    use super::*;

    #[test]
    fn of_a_folder_are_added_by_their_endings() {
        let folder = Folder::new("folder");
        folder.put("a.pem", authority("One").pem().as_bytes());
        folder.put("b.DER", DER);
        folder.put("c.p7b", PKCS7_PEM);
        let readme = folder.put("README", b"what is here");
        fs::create_dir_all(folder.0.join("deeper.pem")).unwrap();
        let mut store = TrustStore::new("Tomcat-trust");
        let load = store.add_folder(&folder.0).unwrap();
        assert_eq!(
            load.added, 3,
            "the certificate of b.DER is in c.p7b as well"
        );
        assert_eq!(load.passed_over, [readme]);
        assert_eq!(
            store.anchors()[0].source(),
            &Source::File(folder.0.join("a.pem"))
        );
    }

    #[test]
    fn of_a_folder_with_one_bad_add_nothing() {
        let folder = Folder::new("bad-folder");
        folder.put("a.pem", authority("One").pem().as_bytes());
        folder.put("b.pem", b"nothing");
        let mut store = TrustStore::new("Tomcat-trust");
        let error = store.add_folder(&folder.0).unwrap_err();
        assert!(error.to_string().contains("b.pem"), "{error}");
        assert!(store.is_empty());
    }

    #[test]
    fn that_are_not_there_are_named() {
        let mut store = TrustStore::new("Tomcat-trust");
        let absent = Path::new("absent/ca.pem");
        for error in [
            store.add_file(absent).map(drop).unwrap_err(),
            store.add_crl_file(absent).map(drop).unwrap_err(),
            store.add_folder(absent).map(drop).unwrap_err(),
        ] {
            let sentence = error.to_string();
            let expected = "trust store Tomcat-trust, file absent/ca.pem: cannot be read: ";
            assert!(sentence.starts_with(expected), "{sentence}");
        }
    }
}

#[cfg(feature = "platform")]
#[test]
fn platform_store_is_added_with_its_source_where_there_is_one() {
    let mut store = TrustStore::new("the platform's");
    match store.add_platform() {
        Ok(load) => {
            assert_eq!(load.added, store.len());
            assert!(
                store
                    .anchors()
                    .iter()
                    .all(|it| it.source() == &Source::Platform)
            );
        }
        // A bare machine has none, and says so.
        Err(error) => assert!(
            error.to_string().contains("the platform's store"),
            "{error}"
        ),
    }
}
