//! Tokens: a whole verdict, beside the signature check alone and other ways to the same answer.

use std::hint::black_box;
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use sip_oauth_token::issue::AuthorizationServer;
use sip_oauth_token::{Form, Policy, Verifier};

const AUTHORIZATION_SERVER: &str = "5d0c7e2a-94b1-4f38-8a67-c1e3f0b2d495";
const AUDIENCE: &str = "sip:example.com";
const SCOPES: [&str; 2] = ["UnifiedCommunications:readwrite", "profile"];

/// The claims of RFC 9068 section 2.2, read by the peer.
#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "read for the sake of reading")]
struct Claims {
    iss: String,
    exp: u64,
    aud: String,
    sub: String,
    client_id: String,
    iat: u64,
    jti: String,
    scope: String,
}

/// One token and the two verifiers that judge it.
struct Subject {
    name: &'static str,
    text: String,
    fresh: Verifier,
    cached: Verifier,
}

impl Subject {
    fn new(server: &AuthorizationServer, form: Form, now: SystemTime) -> Self {
        let (name, policy) = match form {
            Form::UnifiedCm => ("Unified CM form", server.policy()),
            _ => ("RFC 9068", Policy::rfc9068(server.uuid(), AUDIENCE)),
        };
        let issued = server
            .issue_access_for(form, AUDIENCE, "anna", "C0ffee", &SCOPES, now)
            .expect("a token");
        Self {
            name,
            text: issued.token.expose().to_owned(),
            fresh: Verifier::new(server.key_set(), policy.clone()),
            cached: Verifier::new(server.key_set(), policy).with_cache(1024),
        }
    }
}

fn verify(criterion: &mut Criterion) {
    let server = AuthorizationServer::new(AUTHORIZATION_SERVER).expect("new keys");
    let now = SystemTime::now();
    let pem = server.signing_key_pem();
    let raw = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der(pem)).expect("a key");
    let peer = DecodingKey::from_rsa_der(&der(pem));

    for form in [Form::UnifiedCm, Form::Jwt] {
        let Subject {
            name,
            text,
            fresh,
            cached,
        } = Subject::new(&server, form, now);
        let (input, signature) = text.rsplit_once('.').expect("three parts");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        for verifier in [&fresh, &cached, &cached] {
            let verified = verifier.verify(&text, now).expect("a good token");
            assert_eq!((verified.form(), verified.user()), (form, "anna"));
        }
        let other = text.replacen('.', ".A", 1);
        assert!(fresh.verify(&other, now).is_err() && cached.verify(&other, now).is_err());
        assert!(raw.verify_sig(input.as_bytes(), &signature).is_ok());
        assert!(provider_verifies(&peer, input, &signature));

        let mut group = criterion.benchmark_group(format!("token/{name}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("verify", |bencher| {
            bencher.iter(|| fresh.verify(black_box(&text), now).expect("good"));
        });
        group.bench_function("verify, cached", |bencher| {
            bencher.iter(|| cached.verify(black_box(&text), now).expect("good"));
        });
        group.bench_function("aws-lc-rs: signature, key parsed", |bencher| {
            bencher.iter(|| {
                raw.verify_sig(black_box(input.as_bytes()), &signature)
                    .expect("good");
            });
        });
        group.bench_function("jsonwebtoken: signature by its provider", |bencher| {
            bencher.iter(|| assert!(provider_verifies(&peer, black_box(input), &signature)));
        });
        if form == Form::Jwt {
            let validation = validation();
            assert_eq!(peer_decodes(&text, &peer, &validation).sub, "anna");
            group.bench_function("jsonwebtoken: decode", |bencher| {
                bencher.iter(|| peer_decodes(black_box(&text), &peer, &validation));
            });
        }
        group.bench_function("aws-lc-rs: SHA-256", |bencher| {
            bencher.iter(|| digest(&SHA256, black_box(text.as_bytes())));
        });
        group.finish();
    }
}

/// What jsonwebtoken does about a signature, the key read from PEM beforehand.
fn provider_verifies(key: &DecodingKey, input: &str, signature: &Vec<u8>) -> bool {
    (DEFAULT_PROVIDER.verifier_factory)(&Algorithm::RS256, key)
        .is_ok_and(|verifier| verifier.verify(input.as_bytes(), signature).is_ok())
}

/// As strict as the peer can be told to be; it has no check of `typ`, `crit`, `iat` or lifetime.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[AUTHORIZATION_SERVER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

#[expect(clippy::disallowed_methods, reason = "it is the peer that is timed")]
fn peer_decodes(text: &str, key: &DecodingKey, validation: &Validation) -> Claims {
    jsonwebtoken::decode(text, key, validation)
        .expect("a good token")
        .claims
}

/// The bytes of a PEM block.
fn der(pem: &str) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(base64).expect("base64")
}

criterion_group!(benches, verify);
criterion_main!(benches);
