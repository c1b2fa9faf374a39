//! Every test runs with logging at TRACE, and what is logged is read: a line that holds what reads like a token ends the
//! program, and so does a panic that says one. What is written where nobody looks is not kept.

use std::{
    io::{self, Write},
    sync::Once,
};

/// Begins to watch, once for all tests of a program; whoever needs anything of `support` does.
pub(crate) fn watch() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        // A test that has a log of its own reads that itself.
        let _ = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(|| Watchman)
            .try_init();
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            print(panic);
            look_at(&panic.to_string());
        }));
    });
}

/// Takes whole lines, as the subscriber writes them.
struct Watchman;

impl Write for Watchman {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        look_at(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn look_at(said: &str) {
    if let Some(what) = secret_in(said) {
        // A task of the runtime may have said it: a panic would be its own, and the test would pass.
        let _ = writeln!(io::stderr(), "{what} was said: {said}");
        std::process::exit(101);
    }
}

/// What in `said` reads like a secret: a JOSE text, which begins with `eyJ`, the base64url of `{"`; credentials behind a
/// scheme; a member, form field or parameter that holds one. What is printed for a secret begins with `<`.
pub(crate) fn secret_in(said: &str) -> Option<&'static str> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=%".contains(byte);
    let word = |text: &str| text.bytes().take_while(is_word).count();
    if said.split("eyJ").skip(1).any(|rest| word(rest) >= 9) {
        return Some("a JOSE text");
    }
    for scheme in ["Bearer ", "Basic "] {
        // `Bearer token="…"` is looked at below; `Bearer realm=…` is a challenge.
        let is_secret =
            |rest: &str| word(rest) >= 8 && !rest.split_at(word(rest)).0.contains("realm=");
        let mut behind = said.split(scheme).skip(1);
        if behind.any(|rest| !rest.starts_with("token=") && is_secret(rest)) {
            return Some("credentials");
        }
    }
    let names = [
        "access_token",
        "refresh_token",
        "client_secret",
        "code_verifier",
        "password",
        "token",
    ];
    for name in names {
        let holds_one = |rest: &str| {
            let rest = rest.trim_start_matches(['\\', '"']);
            let value = match rest.strip_prefix(':') {
                // A member; without the quotation mark it is prose.
                Some(value) => value.trim_start_matches(['\\', ' ']).strip_prefix('"'),
                None => rest.strip_prefix('='),
            };
            value.is_some_and(|value| word(value.trim_start_matches(['\\', '"'])) >= 8)
        };
        if said.split(name).skip(1).any(holds_one) {
            return Some("the value of a secret's name");
        }
    }
    None
}
