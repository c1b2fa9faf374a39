//! See `sip_oauth_fuzz::sealed::token_encrypted`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sip_oauth_fuzz::sealed::token_encrypted(data));

#[cfg(not(fuzzing))]
fn main() {
    eprintln!("build this with cargo fuzz: cargo +nightly fuzz run token_encrypted");
}
