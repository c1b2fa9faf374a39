//! Stores, chains and keys out of PEM files: one clear sentence for each way to fail.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test helpers stand outside #[test] functions"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair};
use sip_oauth_trust::{CertifiedIdentity, IdentityError, Source, TrustStore};
use support::{Leaf, authority, provider};

fn file() -> Source {
    Source::File(PathBuf::from("ca.pem"))
}

fn pair() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["cucm1.example.com".to_owned()])
        .unwrap()
        .self_signed(&key);
    (certificate.unwrap().pem(), key.serialize_pem())
}

mod trust_store {
    use super::*;

    #[test]
    fn every_certificate_of_a_bundle_becomes_an_anchor_that_knows_its_source() {
        let bundle = format!(
            "# CAs\n{}\n{}",
            authority("One").pem(),
            authority("Two").pem()
        );
        let store = TrustStore::from_pem("Tomcat-trust", bundle.as_bytes(), &file()).unwrap();
        let subjects: Vec<_> = store
            .anchors()
            .iter()
            .map(|anchor| anchor.summary().subject())
            .collect();
        assert_eq!(subjects, ["CN=One", "CN=Two"]);
        assert_eq!(store.anchors()[0].source().to_string(), "file ca.pem");
        assert!(store.anchors()[0].summary().is_authority());
        let fingerprint = store.anchors()[0].sha256(&provider()).unwrap().to_string();
        assert_eq!(fingerprint.len(), 32 * 3 - 1);
    }

    #[test]
    fn the_same_certificate_twice_is_one_anchor() {
        let one = authority("One").pem();
        let mut store = TrustStore::new("Tomcat-trust");
        assert_eq!(
            store.add_pem(format!("{one}{one}").as_bytes(), &file()),
            Ok(1)
        );
        assert_eq!(store.add_pem(one.as_bytes(), &file()), Ok(0));
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn removed_anchor_is_gone_and_the_others_stay() {
        let (one, two, three) = (authority("One"), authority("Two"), authority("Three"));
        let mut store = TrustStore::new("Tomcat-trust");
        for authority in [&one, &two, &three] {
            store.add_der(authority.der().clone(), &file()).unwrap();
        }
        assert_eq!(
            store.remove(two.der()).unwrap().summary().subject(),
            "CN=Two"
        );
        assert!(store.remove(two.der()).is_none());
        assert!(store.find(two.der()).is_none());
        assert_eq!(
            store.find(three.der()).unwrap().summary().subject(),
            "CN=Three"
        );
        assert_eq!((store.len(), store.roots().len()), (2, 2));
    }

    #[test]
    fn pem_without_certificate_is_an_error() {
        let (_, key) = pair();
        for text in ["", "hello", key.as_str()] {
            let error = TrustStore::from_pem("Tomcat-trust", text.as_bytes(), &file()).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("expected at least one BEGIN CERTIFICATE"),
                "{error}"
            );
            assert!(!error.to_string().contains("PRIVATE"), "{error}");
        }
    }

    #[test]
    fn openssl_trusted_certificate_is_an_error_of_its_own() {
        let text = authority("One")
            .pem()
            .replace(" CERTIFICATE", " TRUSTED CERTIFICATE");
        let error = TrustStore::from_pem("Tomcat-trust", text.as_bytes(), &file()).unwrap_err();
        assert!(error.to_string().contains("TRUSTED CERTIFICATE"), "{error}");
    }

    /// RFC 7468 §3, §5: what another reader would take, or a person would, is not passed over in silence beside a good one.
    #[test]
    fn certificate_with_an_odd_boundary_is_never_lost() {
        let (one, two) = (authority("One").pem(), authority("Two").pem());
        let labelled = |label: &str| two.replace(" CERTIFICATE", &format!(" {label}"));
        let begin = "-----BEGIN CERTIFICATE-----";
        let cases = [
            (
                format!(" {two}"),
                "line LINE: expected -----BEGIN CERTIFICATE----- alone on its line, found \"-----BEGIN CERTIFICATE-----\"",
            ),
            (format!("\t{two}"), "line LINE: expected"),
            (format!("\u{feff}{two}"), "line LINE: expected"),
            (
                two.replace(begin, "----BEGIN CERTIFICATE-----"),
                "found \"----BEGIN CERTIFICATE-----\"",
            ),
            (
                two.replace(begin, "BEGIN CERTIFICATE-----"),
                "found \"BEGIN CERTIFICATE-----\"",
            ),
            (
                two.replace(begin, "-----BEGIN CERTIFICATE -----"),
                "line LINE: expected",
            ),
            (
                two.replace(begin, "-----begin certificate-----"),
                "line LINE: expected",
            ),
            (
                two.replace(begin, "-----BEGIN CERTIFICATE----"),
                "found \"-----BEGIN CERTIFICATE----\"",
            ),
            (two.replace(begin, ""), "no BEGIN line"),
            (
                labelled("X509 CERTIFICATE"),
                "found \"-----BEGIN X509 CERTIFICATE-----\"",
            ),
            (
                labelled("X.509 CERTIFICATE"),
                "found \"-----BEGIN X.509 CERTIFICATE-----\"",
            ),
            (labelled("TRUSTED CERTIFICATE"), "BEGIN TRUSTED CERTIFICATE"),
            // Files put together, the first without a line end.
            (format!("{}{two}", one.trim_end()), "line"),
            (
                two.replace("-----END CERTIFICATE-----\n", ""),
                "no END line",
            ),
            (
                format!("-----BEGIN CERTIFICATE-----\nMAA=\n{two}"),
                "section 2",
            ),
        ];
        let first_line = one.lines().count() + 1;
        for (text, expected) in cases {
            let expected = expected.replace("LINE", &first_line.to_string());
            for ending in ["\n", "\r\n"] {
                let bundle = format!("{one}{text}")
                    .replace('\r', "")
                    .replace('\n', ending);
                let mut store = TrustStore::new("Tomcat-trust");
                for error in [
                    store.add_pem(bundle.as_bytes(), &file()).unwrap_err(),
                    store.add_bundle(bundle.as_bytes(), &file()).unwrap_err(),
                ] {
                    let error = error.to_string();
                    assert!(error.contains(&expected), "{expected}: {error}");
                }
                assert!(store.is_empty());
            }
        }
    }

    #[test]
    fn mark_before_the_text_requests_and_prose_are_no_trouble() {
        let (one, two) = (authority("One").pem(), authority("Two").pem());
        let request =
            "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----";
        let attribute = request.replace("CERTIFICATE REQUEST", "ATTRIBUTE CERTIFICATE");
        let text = format!(
            "\u{feff}{one}We BEGIN CERTIFICATE use here.\n- END CERTIFICATE use\n{request}\n{attribute}\n{two}"
        );
        for ending in ["\n", "\r\n", "\r"] {
            let text = text.replace("\r\n", "\n").replace('\n', ending);
            let store = TrustStore::from_pem("Tomcat-trust", text.as_bytes(), &file()).unwrap();
            assert_eq!(store.len(), 2);
        }
    }

    #[test]
    fn one_bad_certificate_adds_nothing() {
        let good = authority("One").pem();
        let bad = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        let mut store = TrustStore::new("Tomcat-trust");
        let error = store
            .add_pem(format!("{good}{bad}").as_bytes(), &file())
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("trust store Tomcat-trust, file ca.pem, certificate 2: "),
            "{error}"
        );
        assert!(store.is_empty());
        let broken = good.replace("-----END CERTIFICATE-----", "");
        let error = store.add_pem(broken.as_bytes(), &file()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "trust store Tomcat-trust, file ca.pem: PEM: section 1: no END line"
        );
    }
}

mod certified_identity {
    use super::*;

    #[test]
    fn chain_and_key_load_and_tell_their_names() {
        let (chain, key) = pair();
        let identity =
            CertifiedIdentity::from_pem(chain.as_bytes(), key.as_bytes(), &provider()).unwrap();
        assert_eq!(identity.chain().len(), 1);
        assert_eq!(identity.names_for_table(), ["cucm1.example.com"]);
    }

    #[test]
    fn chain_without_certificate() {
        let (_, key) = pair();
        let error = CertifiedIdentity::from_pem(b"", key.as_bytes(), &provider()).unwrap_err();
        assert!(matches!(error, IdentityError::Chain(_)), "{error}");
    }

    #[test]
    fn file_without_key() {
        let (chain, _) = pair();
        let error = CertifiedIdentity::from_pem(chain.as_bytes(), chain.as_bytes(), &provider())
            .unwrap_err();
        assert_eq!(error, IdentityError::NoKey);
    }

    #[test]
    fn encrypted_key() {
        let (chain, key) = pair();
        let key = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let error =
            CertifiedIdentity::from_pem(chain.as_bytes(), key.as_bytes(), &provider()).unwrap_err();
        assert_eq!(error, IdentityError::EncryptedKey);
    }

    #[test]
    fn key_of_another_certificate() {
        let (chain, _) = pair();
        let (_, key) = pair();
        let error =
            CertifiedIdentity::from_pem(chain.as_bytes(), key.as_bytes(), &provider()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "private key: it does not belong to certificate \"CN=rcgen self signed cert\" (the first of the chain)"
        );
    }

    #[test]
    fn key_never_reaches_debug_or_errors() {
        let (chain, key) = pair();
        let secret = key.lines().nth(1).unwrap().to_owned();
        let damaged = key.replacen(&secret, &format!("*{}", &secret[1..]), 1);
        let error = CertifiedIdentity::from_pem(chain.as_bytes(), damaged.as_bytes(), &provider())
            .unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains(&secret[1..]),
            "{error:?}"
        );
        let identity =
            CertifiedIdentity::from_pem(chain.as_bytes(), key.as_bytes(), &provider()).unwrap();
        assert_eq!(
            format!("{identity:?}").split(',').next(),
            Some("CertifiedIdentity { subject: \"CN=rcgen self signed cert\"")
        );
    }

    #[test]
    fn validity_is_judged_at_a_given_time() {
        let identity = Leaf::named("cucm1.example.com").expired().self_signed();
        let end = identity.summary().not_after();
        assert_eq!(identity.check_validity(end), Ok(()));
        let two_days = Duration::from_secs(2 * 86_400);
        assert_eq!(
            identity
                .check_validity(end + two_days)
                .unwrap_err()
                .to_string(),
            "certificate \"CN=cucm1.example.com\" expired 2 days ago; renew it"
        );
        let error = identity.check_validity(SystemTime::UNIX_EPOCH).unwrap_err();
        assert!(
            matches!(error, IdentityError::NotYetValid { .. }),
            "{error}"
        );
    }
}
