//! Tokens: a whole verdict, beside the signature check alone and other ways to the same answer.
#![expect(clippy::print_stdout, reason = "the table of ratios is what is wanted")]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use sip_oauth_token::issue::AuthorizationServer;
use sip_oauth_token::{self as token, Form, Policy, Verifier};

#[path = "token/algorithms.rs"]
mod algorithms;
#[path = "token/ratios.rs"]
mod ratios;

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
            Form::Nested => (
                "nested",
                Policy::rfc9068(server.uuid(), AUDIENCE).forms([form]),
            ),
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

    for form in [Form::UnifiedCm, Form::Jwt, Form::Nested] {
        let Subject {
            name,
            text,
            fresh,
            cached,
        } = Subject::new(&server, form, now);
        for verifier in [&fresh, &cached, &cached] {
            let verified = verifier.verify(&text, now).expect("a good token");
            assert_eq!((verified.form(), verified.user()), (form, "anna"));
        }
        let other = text.replacen('.', ".A", 1);
        // The signed part of a nested token cannot be seen from outside, so it is that of a plain one.
        let plain = Subject::new(&server, Form::Jwt, now).text;
        let signed = if form == Form::Nested { &plain } else { &text };
        let (input, signature) = signed.rsplit_once('.').expect("three parts");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
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
            let validation = validation(Algorithm::RS256);
            assert_eq!(peer_decodes(&text, &peer, &validation).sub, "anna");
            group.bench_function("jsonwebtoken: decode", |bencher| {
                bencher.iter(|| peer_decodes(black_box(&text), &peer, &validation));
            });
        }
        group.bench_function("aws-lc-rs: SHA-256", |bencher| {
            bencher.iter(|| digest(&SHA256, black_box(text.as_bytes())));
        });
        group.finish();

        let alone = || {
            raw.verify_sig(black_box(input.as_bytes()), &signature)
                .expect("good");
        };
        let verdict = |verifier: &Verifier| {
            black_box(verifier.verify(black_box(&text), now).expect("good"));
        };
        let validation = validation(Algorithm::RS256);
        let decode = || {
            drop(black_box(peer_decodes(
                black_box(&text),
                &peer,
                &validation,
            )));
        };
        let hash = || {
            black_box(digest(&SHA256, black_box(text.as_bytes())));
        };
        let mut contenders: Vec<ratios::Contender<'_>> = vec![
            ("aws-lc-rs: signature, key parsed", Box::new(alone)),
            ("verify", Box::new(|| verdict(&fresh))),
        ];
        if form == Form::Jwt {
            contenders.push(("jsonwebtoken: decode", Box::new(decode)));
        }
        ratios::print(name, &contenders);
        let contenders: [ratios::Contender<'_>; 2] = [
            ("aws-lc-rs: SHA-256", Box::new(hash)),
            ("verify, cached", Box::new(|| verdict(&cached))),
        ];
        ratios::print(&format!("{name}, cached"), &contenders);
    }
}

/// The claims of RFC 9068 section 2.2, signed.
fn signed(algorithm: token::Algorithm, now: SystemTime, sign: &dyn Fn(&[u8]) -> Vec<u8>) -> String {
    let issued = now.duration_since(SystemTime::UNIX_EPOCH);
    let issued = issued.expect("after 1970").as_secs();
    let header = format!(r#"{{"alg":"{algorithm}","typ":"at+jwt","kid":"k"}}"#);
    let claims = format!(
        r#"{{"iss":"{AUTHORIZATION_SERVER}","exp":{},"aud":"{AUDIENCE}","sub":"anna","client_id":"C0ffee","iat":{issued},"jti":"1","scope":"{}"}}"#,
        issued + 3600,
        SCOPES.join(" ")
    );
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let signature = sign(format!("{header}.{claims}").as_bytes());
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Sixteen threads verify, with nobody beside them, and while the key set is replaced all the time.
fn rotation(criterion: &mut Criterion) {
    const READERS: u32 = 16;
    let server = AuthorizationServer::new(AUTHORIZATION_SERVER).expect("new keys");
    let now = SystemTime::now();
    let Subject { text, fresh, .. } = Subject::new(&server, Form::UnifiedCm, now);
    let verify = || {
        let started = Instant::now();
        fresh.verify(black_box(&text), now).expect("good");
        started.elapsed()
    };
    // The time all of them take, and the time of each verification.
    let read = |times: u64, replaces: bool| -> (Duration, Vec<Duration>) {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            if replaces {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        fresh.replace_keys(server.key_set());
                        // A rotation every 100 us is a million times more than there will be.
                        std::thread::sleep(Duration::from_micros(100));
                    }
                });
            }
            let started = Instant::now();
            let readers: Vec<_> = (0..READERS)
                .map(|_reader| scope.spawn(|| (0..times).map(|_| verify()).collect::<Vec<_>>()))
                .collect();
            let each = readers
                .into_iter()
                .flat_map(|reader| reader.join().expect("no panic"))
                .collect();
            let elapsed = started.elapsed();
            is_over.store(true, Ordering::Relaxed);
            (elapsed, each)
        })
    };
    let variants = [("verify", false), ("verify, keys replaced meanwhile", true)];
    let mut group = criterion.benchmark_group("token/16 threads, Unified CM form");
    group.throughput(Throughput::Elements(READERS.into()));
    for (name, replaces) in variants {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| read(times, replaces).0);
        });
    }
    group.finish();

    println!("\n16 threads, Unified CM form: one verification, in us");
    for (name, replaces) in variants {
        let (_, mut each) = read(5_000, replaces);
        each.sort_unstable();
        let share = |per_mille: usize| {
            let at = (each.len() * per_mille / 1000).min(each.len() - 1);
            each.get(at).copied().unwrap_or_default().as_secs_f64() * 1e6
        };
        println!(
            "{name:35} median {:.1}, 95 % {:.1}, 99 % {:.1}",
            share(500),
            share(950),
            share(990),
        );
    }
}

/// What jsonwebtoken does about a signature, the key read from PEM beforehand.
fn provider_verifies(key: &DecodingKey, input: &str, signature: &Vec<u8>) -> bool {
    (DEFAULT_PROVIDER.verifier_factory)(&Algorithm::RS256, key)
        .is_ok_and(|verifier| verifier.verify(input.as_bytes(), signature).is_ok())
}

/// As strict as the peer can be told to be; it has no check of `typ`, `crit`, `iat` or lifetime.
fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
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

/// Every other algorithm, as ratios only.
fn all_algorithms(_: &mut Criterion) {
    algorithms::print();
}

criterion_group!(benches, verify, all_algorithms, rotation);
criterion_main!(benches);
