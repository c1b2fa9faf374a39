//! Other people's TLS at the other end: OpenSSL and GnuTLS, as client and as server, on loopback.
//!
//! Each cell of the matrix asserts what both ends said. A peer that is not installed is skipped by name.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    reason = "test helpers stand outside #[test] functions"
)]

mod cell;
mod peer;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "../support/mod.rs"]
mod support;

use cell::{Cell, Keys, Listener, Spoiled, We};
use peer::{Gnutls, OpenSsl, Peer};
use support::scene::BOTH;

/// Every cell of one peer with us at this end.
fn play(peer: &dyn Peer, we: We) {
    if !peer.is_installed() {
        println!("skipped: {} is not installed", peer.name());
        return;
    }
    let mut wrong = Vec::new();
    let mut played = 0;
    for listener in [Listener::OnPremises, Listener::Mra] {
        for version in BOTH {
            for spoiled in Spoiled::ALL {
                // What a key looks like changes nothing in a refusal; both kinds are tried where all is good.
                let keys: &[Keys] = match spoiled {
                    Spoiled::Nothing => &[Keys::Ecdsa, Keys::Rsa],
                    _ => &[Keys::Ecdsa],
                };
                for keys in keys {
                    let cell = Cell {
                        we,
                        listener,
                        version,
                        spoiled,
                        keys: *keys,
                    };
                    if !cell.makes_sense() {
                        continue;
                    }
                    played += 1;
                    if let Err(difference) = cell.play(peer) {
                        wrong.push(format!("{}, {cell:?}: {difference}", peer.name()));
                    }
                }
            }
        }
    }
    println!("{}, {we:?}: {played} cells", peer.name());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn openssl_client_and_our_listeners_say_the_same() {
    play(&OpenSsl, We::Serve);
}

#[test]
fn openssl_server_and_our_client_say_the_same() {
    play(&OpenSsl, We::Connect);
}

#[test]
fn gnutls_client_and_our_listeners_say_the_same() {
    play(&Gnutls, We::Serve);
}

#[test]
fn gnutls_server_and_our_client_say_the_same() {
    play(&Gnutls, We::Connect);
}
