//! Tokens others have published: they are read, and refused for the right reasons.

use super::*;

/// The sample of this name, or `None` with a line that says so.
fn sample(name: &str) -> Option<String> {
    let folder = common::corpus().join("../wire");
    if !folder.is_dir() {
        println!("skipped {name}: no folder {}", folder.display());
        return None;
    }
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    Some(text.trim_end().to_owned())
}

const ISSUER_OF_2017: &str = "8d0d5324-f4f0-4b0b-811e-4a59fdb6b722";

#[test]
fn the_access_token_opens_as_far_as_its_keys_allow() {
    let Some(text) = sample("30-cucm-access-token.public-sample-2017.txt") else {
        return;
    };
    let seen = inspect(&text).unwrap();
    assert_eq!((seen.kind(), seen.bytes()), (Kind::UnifiedCmAccess, 1999));
    let signed = seen.signed().unwrap();
    assert_eq!(signed.key_id().unwrap().issuer_uuid(), Some(ISSUER_OF_2017));
    assert_eq!(signed.signature_bytes(), 256);
    let encrypted = seen.encrypted().unwrap();
    assert_eq!(
        encrypted.key_id().unwrap().issuer_uuid(),
        Some(ISSUER_OF_2017)
    );
    assert_ne!(encrypted.key_id(), signed.key_id());
    assert_eq!(
        [
            encrypted.encrypted_key_bytes(),
            encrypted.iv_bytes(),
            encrypted.ciphertext_bytes(),
            encrypted.tag_bytes()
        ],
        [0, 16, 624, 16]
    );
    let refused = verify_with(Policy::unified_cm(ISSUER_OF_2017), &text).unwrap_err();
    assert_eq!(refused.unknown_key(), signed.key_id().as_ref());
}

#[test]
fn the_refresh_token_is_readable_and_expired() {
    let Some(text) = sample("31-cucm-refresh-token.public-sample-2017.txt") else {
        return;
    };
    let seen = inspect(&text).unwrap();
    assert_eq!((seen.kind(), seen.bytes()), (Kind::UnifiedCmRefresh, 811));
    assert_eq!(seen.claim("iss").as_deref(), Some(ISSUER_OF_2017));
    assert_eq!(seen.claim("ctyp").as_deref(), Some("refresh"));
    assert_eq!(seen.expires_at(), Some(at(1_502_620_052)));
    assert_eq!(seen.is_expired(now()), Some(true));
    let verifier = Verifier::new(common::keys(), Policy::unified_cm(ISSUER_OF_2017));
    assert!(
        verifier
            .verify_refresh(&text, now())
            .unwrap_err()
            .unknown_key()
            .is_some()
    );
    assert!(
        verifier
            .verify(&text, now())
            .unwrap_err()
            .unknown_key()
            .is_some()
    );
}
