//! The corpora of others: nothing called `invalid` is accepted, and every `valid` that is refused stands
//! in a list here with its reason.
//!
//! Reads `$SIP_OAUTH_CORPUS/jose`; passes and says what it skipped where there is none.
#![cfg(feature = "aws-lc-rs")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use base64::Engine as _;
use common::{corpus, corpus_text};
use jsonwebtoken::crypto::KeyUtils;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use serde_json::Value;
use sip_oauth_token::{
    Algorithm, ClaimNames, ContentEncryption, CryptoProvider, DecryptionKey, EncryptionKey, Form,
    KeyError, KeyManagement, KeySet, Place, Policy, TokenError, TokenErrorKind, Verifier,
    VerifyingKey, inspect,
};

fn json(name: &str) -> Option<Value> {
    corpus_text(name).map(|text| serde_json::from_str(&text).expect("the corpus is JSON"))
}

const ALL: [Algorithm; 12] = [
    Algorithm::Hs256,
    Algorithm::Hs384,
    Algorithm::Hs512,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::EdDsa,
];

/// Takes any signed token with any header, so that nothing but the cryptography refuses.
fn lenient() -> Policy {
    Policy::jwt("unused", "unused")
        .forms([Form::Jwt, Form::Nested])
        .algorithms(ALL)
        .any_type()
        .key_id_required(false)
}

/// Whether the signature was found good: what is behind it was read, and is claims or no JSON.
fn signature_is_good(verdict: &Result<(), TokenError>) -> bool {
    let Err(refused) = verdict else { return true };
    match refused.place() {
        Place::Payload => matches!(refused.kind(), TokenErrorKind::Json { .. }),
        Place::Claim(_) => true,
        _ => false,
    }
}

/// The same for an encrypted part.
fn decryption_is_good(verdict: &Result<(), TokenError>) -> bool {
    let Err(refused) = verdict else { return true };
    let opened_but_no_jwt = matches!(
        (refused.place(), refused.kind()),
        (
            Place::EncryptedHeader,
            TokenErrorKind::Parameter { name: "cty", .. }
        )
    );
    opened_but_no_jwt || *refused.place() == Place::Decrypted
}

/// Runs the difference between what was expected and what came against a list of known ones: each must
/// still be there, and no other.
fn compare(what: &str, total: usize, found: &BTreeSet<String>, known: &[(&str, &str)]) {
    let known: BTreeSet<String> = known.iter().map(|(name, _)| (*name).to_owned()).collect();
    println!(
        "{what}: {} of {total} as the corpus says, {} listed",
        total - found.len(),
        found.len()
    );
    assert_eq!(
        found, &known,
        "{what}: left what came, right what is listed"
    );
}

/// `valid` in the corpus, refused here.
const WYCHEPROOF_JWS: &[(&str, &str)] = &[
    (
        "347 Figure27",
        "the key's `alg` is \"ES521\", which is not registered; ES512 is not built in",
    ),
    (
        "351 Figure27",
        "the key's `alg` is \"ES521\", which is not registered; ES512 is not built in",
    ),
    (
        "350 Figure20",
        "the token says PS384 and the key PS256: the key pins the algorithm",
    ),
    (
        "372 InvalidCharacterInsertedInHeader",
        "a '?' in the header: base64url is read strictly",
    ),
];

#[test]
fn wycheproof_json_web_signature() {
    let Some(file) = json("wycheproof/json_web_signature_test.json") else {
        return;
    };
    let (mut total, mut differing) = (0, BTreeSet::new());
    for group in file["testGroups"].as_array().unwrap() {
        let jwk = group.get("public").or(group.get("private")).unwrap();
        let key = VerifyingKey::from_jwk(&jwk.to_string());
        for test in group["tests"].as_array().unwrap() {
            total += 1;
            let good = test["jws"].as_str().is_some_and(|jws| {
                let Ok(key) = key.clone() else { return false };
                let kid = jwk["kid"].as_str().unwrap_or("unnamed");
                let keys = KeySet::builder().verifying_key(kid, key).unwrap().build();
                signature_is_good(
                    &Verifier::new(keys, lenient())
                        .verify(jws, SystemTime::now())
                        .map(drop),
                )
            });
            let id = format!("{} {}", test["tcId"], test["comment"].as_str().unwrap());
            match (test["result"].as_str().unwrap(), good) {
                ("valid", true) | ("invalid", false) => {}
                ("invalid", true) => panic!("accepted, but invalid: {id}"),
                _ => {
                    let why = key
                        .as_ref()
                        .err()
                        .map_or(String::new(), |error| format!(" ({error})"));
                    println!("refused, but valid: {id}{why}");
                    differing.insert(id);
                }
            }
        }
    }
    compare("wycheproof JWS", total, &differing, WYCHEPROOF_JWS);
}

/// Names of `alg` and `enc` that are not built in, with the reason.
const NOT_BUILT_IN: &[(&str, &str)] = &[
    ("A128GCMKW", NOT_ASKED),
    ("A192GCMKW", NOT_ASKED),
    ("A256GCMKW", NOT_ASKED),
    ("A192CBC-HS384", NOT_ASKED),
    ("A192GCM", NOT_ASKED),
    ("ECDH-ES", NOT_ASKED),
    ("ECDH-ES+A128KW", NOT_ASKED),
    ("ECDH-ES+A192KW", NOT_ASKED),
    ("ECDH-ES+A256KW", NOT_ASKED),
    (
        "PBES2-HS512+A256KW",
        "refused for good: the sender would choose the work",
    ),
    ("RSA-OAEP", "with SHA-1; RSA-OAEP-256 is there"),
    ("RSA1_5", "refused for good: padding oracles"),
];
const NOT_ASKED: &str = "not among the algorithms of the standard nested order that are taken";

/// Whether a header names an `alg` or an `enc` of the list.
fn is_not_built_in(jwe: &str) -> bool {
    let header = header_of(jwe).unwrap_or_default();
    NOT_BUILT_IN
        .iter()
        .any(|(name, _)| header["alg"] == *name || header["enc"] == *name)
}

/// Whether `jwk` opens `jwe`. The algorithm is pinned by the key.
fn opens(jwk: &Value, jwe: &str) -> Result<(), String> {
    let key = DecryptionKey::from_jwk(&jwk.to_string()).map_err(|error| error.to_string())?;
    let kid = jwk["kid"].as_str().unwrap_or("unnamed");
    let keys = KeySet::builder().decryption_key(kid, key).unwrap().build();
    let verdict = Verifier::new(keys, lenient())
        .verify(jwe, SystemTime::now())
        .map(drop);
    if decryption_is_good(&verdict) {
        return Ok(());
    }
    Err(verdict.unwrap_err().to_string())
}

#[test]
fn wycheproof_json_web_encryption() {
    let Some(file) = json("wycheproof/json_web_encryption_test.json") else {
        return;
    };
    let (mut opened, mut refused, mut not_built_in) = (0, 0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let Some(jwe) = test["jwe"].as_str() else {
                continue;
            };
            let verdict = opens(&group["private"], jwe);
            let id = format!("{} {}", test["tcId"], test["comment"]);
            match (test["result"] == "valid", &verdict) {
                (true, Ok(())) => opened += 1,
                (false, Err(_)) => refused += 1,
                (false, Ok(())) => panic!("opened, but invalid: {id}"),
                (true, Err(why)) => {
                    assert!(is_not_built_in(jwe), "refused, but valid: {id}: {why}");
                    not_built_in += 1;
                }
            }
        }
    }
    println!(
        "wycheproof JWE: {opened} opened, {refused} invalid refused, {not_built_in} valid not built in"
    );
    assert!(opened > 5, "{opened}");
}

/// The examples of RFC 7520 section 5 in compact form.
#[test]
fn rfc7520_section_5() {
    let directory = corpus().join("jose/cookbook/jwe");
    let Ok(entries) = std::fs::read_dir(&directory) else {
        println!("skipped, not found: {}", directory.display());
        return;
    };
    let mut opened = BTreeSet::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let Some(jwe) = file["output"]["compact"].as_str() else {
            println!("no compact form: {name}");
            continue;
        };
        let mut jwk = file["input"]["key"].clone();
        // The key of 5.8 does not say what it is for; its file does.
        if jwk["alg"].is_null() {
            jwk["alg"] = file["input"]["alg"].clone();
        }
        match opens(&jwk, jwe) {
            Ok(()) => {
                let (kept, tag) = jwe.rsplit_once('.').unwrap();
                let reversed: String = tag.chars().rev().collect();
                assert!(
                    opens(&jwk, &format!("{kept}.{reversed}")).is_err(),
                    "{name}"
                );
                opened.insert(name);
            }
            Err(why) => {
                let is_compressed = header_of(jwe).unwrap()["zip"] == "DEF";
                assert!(is_not_built_in(jwe) || is_compressed, "{name}: {why}");
                println!("not built in: {name}: {why}");
            }
        }
    }
    let expected = [
        "5_6.direct_encryption_using_aes-gcm",
        "5_8.key_wrap_using_aes-keywrap_with_aes-gcm",
    ];
    assert_eq!(opened, expected.map(str::to_owned).into());
}

/// Vector and the reason why it is refused although it is good.
const RFC7515_VECTORS: &[(&str, &str)] = &[
    ("rfc7515_A.4", "ES512 is not built in"),
    ("rfc7520_4.3", "ES512 is not built in"),
    (
        "rfc7520_4.5",
        "detached content: a token carries its payload",
    ),
];

#[test]
fn vectors_of_rfc7515_and_rfc7520() {
    let directory = corpus().join("jose/rfc-vectors");
    let Ok(entries) = std::fs::read_dir(&directory) else {
        println!("skipped, not found: {}", directory.display());
        return;
    };
    let (mut total, mut differing) = (0, BTreeSet::new());
    let mut stems: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jwsc")
        })
        .collect();
    stems.sort();
    for path in stems {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let token = std::fs::read_to_string(&path).unwrap();
        let Ok(jwk) = std::fs::read_to_string(path.with_extension("jwk")) else {
            // RFC 7515 A.5 has `alg` `none` and no key: to be refused.
            let verdict = Verifier::new(KeySet::builder().build(), lenient())
                .verify(token.trim(), SystemTime::now());
            assert!(
                matches!(
                    verdict.unwrap_err().kind(),
                    TokenErrorKind::Algorithm { .. }
                ),
                "{stem}"
            );
            continue;
        };
        total += 1;
        let alg = inspect_alg(token.trim());
        let good = alg
            .and_then(|alg| VerifyingKey::from_jwk_for(&jwk, alg).ok())
            .is_some_and(|key| {
                let kid = serde_json::from_str::<Value>(&jwk)
                    .ok()
                    .and_then(|jwk| Some(jwk["kid"].as_str()?.to_owned()));
                let keys = KeySet::builder()
                    .verifying_key(kid.as_deref().unwrap_or("unnamed"), key)
                    .unwrap()
                    .build();
                signature_is_good(
                    &Verifier::new(keys, lenient())
                        .verify(token.trim(), SystemTime::now())
                        .map(drop),
                )
            });
        if !good {
            differing.insert(stem);
        }
    }
    compare("RFC vectors, JWS", total, &differing, RFC7515_VECTORS);
}

/// The algorithm of a test vector, whose key does not say it. Only a test may ask a token.
fn inspect_alg(token: &str) -> Option<Algorithm> {
    Algorithm::from_name(header_of(token)?["alg"].as_str()?)
}

fn header_of(token: &str) -> Option<Value> {
    let header = token.split('.').next()?;
    let header =
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, header).ok()?;
    serde_json::from_slice(&header).ok()
}

static SIGNATURE_CHECKS: AtomicUsize = AtomicUsize::new(0);

/// Checks as aws-lc-rs does, and counts.
static COUNTING: CryptoProvider = CryptoProvider {
    verifier_factory: |algorithm, key| {
        SIGNATURE_CHECKS.fetch_add(1, Ordering::Relaxed);
        (DEFAULT_PROVIDER.verifier_factory)(algorithm, key)
    },
    signer_factory: DEFAULT_PROVIDER.signer_factory,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Keys of every kind that opens encrypted parts: attacks on JWE are to come as far as they can.
fn decryption_keys() -> Vec<DecryptionKey> {
    let shared = |encryption: ContentEncryption, len| {
        DecryptionKey::from(EncryptionKey::new(encryption, &[0x5a_u8; 64][..len]).unwrap())
    };
    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let body = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    vec![
        shared(ContentEncryption::A128CbcHs256, 32),
        shared(ContentEncryption::A128Gcm, 16),
        shared(ContentEncryption::A256Gcm, 32),
        DecryptionKey::key_wrap(KeyManagement::A128Kw, &[0x5a; 16]).unwrap(),
        DecryptionKey::rsa_oaep_256(&pem).unwrap(),
    ]
}

/// The bound of a verdict on an attack, whatever the machine does beside it: the fastest of several.
const AT_ONCE: Duration = Duration::from_millis(100);

#[test]
fn attack_tokens_are_refused_at_once() {
    let Some(file) = json("attacks/tokens.json") else {
        return;
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(file["clock"].as_u64().unwrap());
    let issuer = file["expected_issuer"].as_str().unwrap();
    let (mut total, mut acceptable, mut checked, mut decrypted) = (0, 0, 0, 0);
    let mut slowest = Duration::ZERO;
    let decryption_keys = decryption_keys();
    for case in file["cases"].as_array().unwrap() {
        let token = case["token"].as_str().unwrap();
        // Without `kid` a key is tried where it is the only one, so each has its turn.
        let turns = if token.split('.').count() == 5 {
            decryption_keys.len()
        } else {
            1
        };
        let algorithms = case["key_algs"].as_array().unwrap().iter();
        for (alg, turn) in algorithms.flat_map(|alg| (0..turns).map(move |turn| (alg, turn))) {
            let alg = alg.as_str().unwrap();
            let algorithm = Algorithm::from_name(alg).unwrap();
            let key = VerifyingKey::from_jwk_for(&file["trusted_keys"][alg].to_string(), algorithm)
                .unwrap()
                .of_issuer(issuer);
            // The tokens of RFC 7515 name no user and no audience; the issuer stands in, so that only
            // the attack can be the reason of a refusal.
            let names = ClaimNames {
                user: "iss".to_owned(),
                ..ClaimNames::rfc9068()
            };
            let policy = lenient()
                .algorithms([algorithm])
                .issuer(issuer)
                .claim_names(names)
                .required_claims(["iss", "exp"]);
            let keys = KeySet::builder_with_provider(&COUNTING)
                .verifying_key("trusted", key)
                .unwrap()
                .decryption_key("shared", decryption_keys[turn].clone())
                .unwrap()
                .build();
            let verifier = Verifier::new(keys, policy);
            SIGNATURE_CHECKS.store(0, Ordering::Relaxed);
            let mut attempts = 0;
            let (verdict, took) = loop {
                let started = Instant::now();
                let verdict = verifier.verify(token, now);
                let took = started.elapsed();
                attempts += 1;
                if took < AT_ONCE || attempts == 20 {
                    break (verdict, took);
                }
            };
            assert!(took < AT_ONCE, "{}: {took:?}", case["id"]);
            slowest = slowest.max(took);
            // The work is bounded whatever the machine: one check of one signature at most, over a text of
            // bounded length.
            let checks = SIGNATURE_CHECKS.load(Ordering::Relaxed) / attempts;
            assert!(checks <= 1, "{}: {checks} signature checks", case["id"]);
            checked += checks;
            total += 1;
            let refused = verdict.as_ref().err().map(TokenError::kind);
            decrypted += usize::from(refused == Some(&TokenErrorKind::Decryption));
            if case["result"] == "invalid" {
                assert!(verdict.is_err(), "{}: {}", case["id"], case["attack"]);
            } else {
                acceptable += 1;
                println!(
                    "{} acceptable: {:?}",
                    case["id"],
                    verdict.map(drop).map_err(|e| e.to_string())
                );
            }
        }
    }
    println!(
        "attacks: {total} runs, {acceptable} of them acceptable either way, no invalid token accepted; \
         {checked} came to a signature check, {decrypted} to a decryption; the slowest took {slowest:?}"
    );
    // What is in the corpus was run, and came as far as it should.
    assert_eq!((total, checked, decrypted), (284, 6, 20));
}

/// Case and the reason why the verdict on its signature differs.
const JWT_VERIFY_LIB: &[(&str, &str)] = &[
    ("verify_jwk_ec.VerifyJwkECTest.NoKidOK.1", NO_KID),
    (
        "verify_jwk_hmac.VerifyJwkHmacTest.NoKidLongExpOK.1",
        NO_SECRETS,
    ),
    ("verify_jwk_hmac.VerifyJwkHmacTest.NoKidOK.1", NO_SECRETS),
    ("verify_jwk_okp.VerifyJwkOKPTest.KidOK.2", CHANGED_ELSEWHERE),
    ("verify_jwk_okp.VerifyJwkOKPTest.KidOK.3", CHANGED_ELSEWHERE),
    ("verify_jwk_rsa.VerifyJwkRsaTest.NoKidOK.1", NO_KID),
    (
        "verify_pem_ec.VerifyPKCSTestRs256.jwksIncorrectAlgSpecifiedFail.1",
        PINNED_ELSEWHERE,
    ),
    (
        "verify_pem_okp.VerifyPEMTestOKP.VerifyOK.2",
        CHANGED_ELSEWHERE,
    ),
    (
        "verify_pem_okp.VerifyPEMTestOKP.VerifyOK.3",
        CHANGED_ELSEWHERE,
    ),
    (
        "verify_pem_okp.VerifyPEMTestOKP.jwksIncorrectAlgSpecifiedFail.1",
        PINNED_ELSEWHERE,
    ),
];
const NO_KID: &str = "no `kid`, and several keys: nothing is tried in turn";
const NO_SECRETS: &str = "a shared secret in a JWK set is not taken";
const CHANGED_ELSEWHERE: &str =
    "the original test changes the token in its code; the file has it unchanged";
const PINNED_ELSEWHERE: &str = "the original test pins the key to another algorithm in its code";

#[test]
fn jwt_verify_lib_verification() {
    let Some(file) = json("jwt_verify_lib/verify.json") else {
        return;
    };
    let cases = file["cases"].as_array().unwrap();
    let mut differing = BTreeSet::new();
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let (jwt, keys) = (
            case["jwt"].as_str().unwrap(),
            case["keys"].as_str().unwrap(),
        );
        let set = match case["key_format"].as_str().unwrap() {
            "jwks" => KeySet::builder().jwk_set(keys),
            // A PEM key says nothing of its algorithm, so each that fits its type stands for one caller.
            _ => inspect_alg(jwt).ok_or(KeyError::PublicKey).and_then(|alg| {
                KeySet::builder().verifying_key("pem", VerifyingKey::from_pem(keys, alg)?)
            }),
        };
        let good = set.is_ok_and(|set| {
            let verdict = Verifier::new(set.build(), lenient()).verify(jwt, SystemTime::now());
            assert!(
                case["result"] == "valid" || verdict.is_err(),
                "accepted, but invalid: {id}"
            );
            signature_is_good(&verdict.map(drop))
        });
        match (case["result"].as_str().unwrap(), good) {
            ("valid", true) | ("invalid", false) => {}
            _ => {
                // The signature is what is asked here; as access tokens all are refused, having no `exp`.
                differing.insert(id.to_owned());
            }
        }
    }
    compare(
        "jwt_verify_lib verification",
        cases.len(),
        &differing,
        JWT_VERIFY_LIB,
    );
}

#[test]
fn jwt_verify_lib_key_sets() {
    let Some(file) = json("jwt_verify_lib/jwks.json") else {
        return;
    };
    let cases = file.get("cases").unwrap_or(&file).as_array().unwrap();
    let mut differing = BTreeSet::new();
    for (number, case) in cases.iter().enumerate() {
        let usable = KeySet::builder()
            .jwk_set(case["jwks"].as_str().unwrap_or_default())
            .is_ok();
        if usable != (case["result"] == "valid") {
            let name = ["id", "name", "comment"]
                .iter()
                .find_map(|key| case[*key].as_str());
            differing.insert(name.map_or(number.to_string(), str::to_owned));
        }
    }
    compare(
        "jwt_verify_lib key sets",
        cases.len(),
        &differing,
        JWT_VERIFY_LIB_KEY_SETS,
    );
}

const JWT_VERIFY_LIB_KEY_SETS: &[(&str, &str)] = &[
    (
        "jwks.JwkECMissingAlg.1",
        "P-521 only: no key that is of use here",
    ),
    (
        "jwks.JwkECMissingCrv.1",
        "`crv` is required (RFC 7518 section 6.2.1.1)",
    ),
    (
        "jwks.JwksECMatchAlgES256CrvP256.1",
        "no `kid`: a key without a name cannot be looked up",
    ),
    (
        "jwks.JwksECMatchAlgES384CrvP384.1",
        "no `kid`: a key without a name cannot be looked up",
    ),
];

#[test]
fn fuzzer_seeds_do_not_panic() {
    for directory in ["fuzz", "jwt_verify_lib/fuzz"] {
        let path = corpus().join("jose").join(directory);
        let Ok(entries) = std::fs::read_dir(&path) else {
            println!("skipped, not found: {}", path.display());
            continue;
        };
        for entry in entries.flatten() {
            let Ok(bytes) = std::fs::read(entry.path()) else {
                continue;
            };
            let text = String::from_utf8_lossy(&bytes);
            let _ = inspect(&text);
            let _ = Verifier::new(KeySet::builder().build(), lenient())
                .verify(&text, SystemTime::now());
            let _ = KeySet::builder().jwk_set(&text);
        }
    }
}
