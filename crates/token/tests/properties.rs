//! What holds for every token, not only for those somebody thought of.
#![cfg(feature = "issue")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod common;

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{NOW, UUID, at, now};
use proptest::prelude::*;
use sip_oauth_token::issue::{AuthorizationServer, Recipient};
use sip_oauth_token::{
    AccessToken, ContentEncryption, DecryptionKey, EncryptionKey, Form, KeyManagement, KeySet,
    Policy, Verifier, inspect,
};

const AUDIENCE: &str = "sip:example.com";
const MANAGEMENTS: [KeyManagement; 4] = [
    KeyManagement::Dir,
    KeyManagement::A128Kw,
    KeyManagement::A256Kw,
    KeyManagement::RsaOaep256,
];
const ENCRYPTIONS: [ContentEncryption; 4] = [
    ContentEncryption::A128CbcHs256,
    ContentEncryption::A256CbcHs512,
    ContentEncryption::A128Gcm,
    ContentEncryption::A256Gcm,
];

fn server() -> &'static AuthorizationServer {
    static SERVER: OnceLock<AuthorizationServer> = OnceLock::new();
    SERVER.get_or_init(|| AuthorizationServer::new(UUID).unwrap())
}

/// What tokens are made of: a form, and for some of those of [`Form::Nested`] the algorithms of the outer part.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// With the server's own keys.
    Plain(Form),
    /// For somebody whose keys are below.
    For(KeyManagement, ContentEncryption),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(form) => form.fmt(f),
            Self::For(management, encryption) => write!(f, "{management} {encryption}"),
        }
    }
}

const PLAIN: [Kind; 3] = [
    Kind::Plain(Form::UnifiedCm),
    Kind::Plain(Form::Jwt),
    Kind::Plain(Form::Nested),
];

/// Every pair of algorithms that is built in.
fn pairs() -> impl Iterator<Item = Kind> {
    MANAGEMENTS.into_iter().flat_map(pairs_of)
}

fn pairs_of(management: KeyManagement) -> impl Iterator<Item = Kind> {
    ENCRYPTIONS
        .map(|encryption| Kind::For(management, encryption))
        .into_iter()
}

fn any_kind() -> impl Strategy<Value = Kind> {
    let pairs: Vec<Kind> = pairs().collect();
    prop_oneof![
        1 => prop::sample::select(&PLAIN[..]),
        2 => prop::sample::select(pairs),
    ]
}

/// The receiver's RSA key: SubjectPublicKeyInfo, and private.
fn receiver() -> &'static (Vec<u8>, DecryptionKey) {
    static KEY: OnceLock<(Vec<u8>, DecryptionKey)> = OnceLock::new();
    KEY.get_or_init(|| {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let public: PublicKeyX509Der<'_> = private.public_key().as_der().unwrap();
        let der: Pkcs8V1Der<'_> = private.as_der().unwrap();
        let body = STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        (
            public.as_ref().to_vec(),
            DecryptionKey::rsa_oaep_256(&pem).unwrap(),
        )
    })
}

/// The two halves for one pair of algorithms, each pair under a `kid` and with a secret of its own.
fn shared(
    management: KeyManagement,
    encryption: ContentEncryption,
) -> (String, Recipient, DecryptionKey) {
    let kid = format!("{management} {encryption}");
    let secret = |len: usize| -> Vec<u8> { kid.bytes().cycle().take(len).collect() };
    let (recipient, key) = match management {
        KeyManagement::Dir => {
            let key = EncryptionKey::new(encryption, &secret(encryption.key_bytes())).unwrap();
            (Recipient::direct(&kid, key.clone()), key.into())
        }
        KeyManagement::A128Kw | KeyManagement::A256Kw => {
            let secret = secret(if management == KeyManagement::A128Kw {
                16
            } else {
                32
            });
            let key = DecryptionKey::key_wrap(management, &secret).unwrap();
            (Recipient::aes_key_wrap(&kid, &secret, encryption), key)
        }
        KeyManagement::RsaOaep256 => {
            let (spki, private) = receiver();
            (
                Recipient::rsa_oaep_256(&kid, spki, encryption),
                private.clone(),
            )
        }
        other => panic!("{other} is not built in"),
    };
    (kid, recipient.unwrap(), key)
}

/// The keys of every pair: a `kid` that is changed may well name another one.
fn keys_of_every_pair() -> KeySet {
    let mut keys = KeySet::builder().jwk_set(&server().jwk_set()).unwrap();
    for management in MANAGEMENTS {
        for encryption in ENCRYPTIONS {
            let (kid, _, key) = shared(management, encryption);
            keys = keys.decryption_key(&kid, key).unwrap();
        }
    }
    keys.build()
}

fn verifier(kind: Kind) -> Verifier {
    let rfc9068 = |form| Policy::rfc9068(UUID, AUDIENCE).forms([form]);
    match kind {
        Kind::Plain(Form::UnifiedCm) => Verifier::new(server().key_set(), server().policy()),
        Kind::Plain(form) => Verifier::new(server().key_set(), rfc9068(form)),
        Kind::For(..) => Verifier::new(keys_of_every_pair(), rfc9068(Form::Nested)),
    }
}

fn issue(kind: Kind, user: &str, client_id: &str, scopes: &[&str]) -> AccessToken {
    let issued = match kind {
        Kind::Plain(form) => {
            server().issue_access_for(form, AUDIENCE, user, client_id, scopes, now())
        }
        Kind::For(management, encryption) => {
            let (_, recipient, _) = shared(management, encryption);
            server().issue_nested(&recipient, AUDIENCE, user, client_id, scopes, now())
        }
    };
    issued.unwrap().token
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn what_is_issued_verifies_and_says_the_same(
        kind in any_kind(),
        user in "[^\\x00]{1,40}",
        client_id in "[ -~]{1,70}",
        scopes in proptest::collection::vec("[!#-\\[\\]-~]{1,20}", 0..4),
    ) {
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let token = issue(kind, &user, &client_id, &scopes);
        let verified = verifier(kind).verify(token.expose(), now()).unwrap();
        let form = if let Kind::Plain(form) = kind { form } else { Form::Nested };
        prop_assert_eq!(verified.form(), form);
        prop_assert_eq!(verified.user(), user);
        prop_assert_eq!(verified.client_id(), Some(client_id.as_str()));
        prop_assert_eq!(verified.scopes(), scopes);
        prop_assert_eq!(verified.expires_at(), at(NOW + 3600));
    }

    #[test]
    fn one_bit_makes_another_token(kind in any_kind(), place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let token = issue(kind, "rado", "C1", &[]);
        let mut bytes = token.expose().as_bytes().to_vec();
        let at = place.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            prop_assert!(verifier(kind).verify(text, now()).is_err());
        }
    }

    #[test]
    fn a_token_cut_anywhere_is_refused(kind in any_kind(), place in any::<prop::sample::Index>()) {
        let token = issue(kind, "rado", "C1", &[]);
        let end = place.index(token.len());
        prop_assert!(verifier(kind).verify(&token.expose()[..end], now()).is_err());
    }

    /// A cache may save work; it may not change a verdict.
    #[test]
    fn a_cache_changes_no_verdict(times in proptest::collection::vec(NOW - 200..NOW + 4000, 1..20)) {
        let token = issue(PLAIN[0], "rado", "C1", &[]);
        let plain = verifier(PLAIN[0]);
        let cached = verifier(PLAIN[0]).with_cache(4);
        for time in times {
            prop_assert_eq!(plain.verify(token.expose(), at(time)), cached.verify(token.expose(), at(time)));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,300}", header in ".{0,60}", payload in ".{0,60}", seconds in 0..u64::from(u32::MAX)) {
        let shaped = common::sign(&header, &payload);
        for kind in PLAIN {
            for text in [&text, &shaped] {
                let _ = verifier(kind).verify(text, at(seconds));
                let _ = verifier(kind).verify_refresh(text, at(seconds));
                let _ = inspect(text);
            }
        }
    }

    #[test]
    fn numbers_of_any_size_are_times_or_refused(exp in any::<f64>(), iat in any::<u64>(), now_seconds in any::<u32>()) {
        let claims = common::with(common::CLAIMS, "exp", Some(&serde_json::json!(exp).to_string()));
        let claims = common::with(&claims, "iat", Some(&iat.to_string()));
        let policy = common::rfc9068().max_lifetime(Duration::MAX);
        let token = common::sign(common::HEADER, claims);
        let _ = Verifier::new(common::keys(), policy).verify(&token, at(u64::from(now_seconds)));
    }
}

/// Refuses the token with any bit flipped that is in one of these places. The eighth bit makes it no text.
fn no_bit_can_be_flipped(kind: Kind, places: impl Fn(&str) -> Vec<usize>) {
    let verifier = verifier(kind);
    let token = issue(kind, "rado", "C1", &[]);
    assert!(verifier.verify(token.expose(), now()).is_ok(), "{kind}");
    let mut bytes = token.expose().as_bytes().to_vec();
    for at in places(token.expose()) {
        for bit in 0..7 {
            bytes[at] ^= 1 << bit;
            let text = std::str::from_utf8(&bytes).unwrap();
            assert!(
                verifier.verify(text, now()).is_err(),
                "{kind}: bit {bit} of byte {at}"
            );
            bytes[at] ^= 1 << bit;
        }
    }
}

fn everywhere(token: &str) -> Vec<usize> {
    (0..token.len()).collect()
}

#[test]
fn no_bit_of_a_token_can_be_flipped() {
    for kind in PLAIN {
        no_bit_can_be_flipped(kind, everywhere);
    }
}

#[test]
fn no_bit_of_a_nested_token_for_dir_can_be_flipped() {
    pairs_of(KeyManagement::Dir).for_each(|kind| no_bit_can_be_flipped(kind, everywhere));
}

#[test]
fn no_bit_of_a_nested_token_for_a128kw_can_be_flipped() {
    pairs_of(KeyManagement::A128Kw).for_each(|kind| no_bit_can_be_flipped(kind, everywhere));
}

#[test]
fn no_bit_of_a_nested_token_for_a256kw_can_be_flipped() {
    pairs_of(KeyManagement::A256Kw).for_each(|kind| no_bit_can_be_flipped(kind, everywhere));
}

/// Header, encrypted key, initialization vector and tag of a JWE whole, and of its ciphertext the first and the last 16
/// bytes: a private RSA operation for each of the bits between would take half a minute.
fn head_key_iv_tag_and_ends_of_the_ciphertext(token: &str) -> Vec<usize> {
    const BLOCK: usize = 22;
    let dots: Vec<usize> = token.match_indices('.').map(|(at, _)| at).collect();
    let [_, _, before, behind] = dots[..] else {
        panic!("a JWE has five segments");
    };
    assert!(behind - before > 2 * BLOCK);
    (0..before + 1 + BLOCK)
        .chain(behind - BLOCK..token.len())
        .collect()
}

#[test]
fn no_bit_of_head_key_iv_tag_and_ends_of_the_ciphertext_can_be_flipped_for_rsa_oaep_256_and_cbc() {
    for kind in pairs_of(KeyManagement::RsaOaep256).take(2) {
        no_bit_can_be_flipped(kind, head_key_iv_tag_and_ends_of_the_ciphertext);
    }
}

#[test]
fn no_bit_of_head_key_iv_tag_and_ends_of_the_ciphertext_can_be_flipped_for_rsa_oaep_256_and_gcm() {
    for kind in pairs_of(KeyManagement::RsaOaep256).skip(2) {
        no_bit_can_be_flipped(kind, head_key_iv_tag_and_ends_of_the_ciphertext);
    }
}
