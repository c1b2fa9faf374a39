//! What the examples say to bad input: one sentence that says what and where, exit status 1, and not a byte of a token.
//!
//! The programs are those that `cargo test` builds beside this test.

// Helpers of tests may panic, as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    ffi::OsStr,
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use sip_oauth_lab::CertificateAuthority;

/// A folder of its own for each test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn example<A: AsRef<OsStr>>(name: &str, arguments: &[A]) -> std::process::Output {
    let tests = std::env::current_exe().unwrap();
    let program = tests
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples")
        .join(name);
    Command::new(&program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; build the examples", program.display()))
}

/// The one sentence with which an example refuses.
fn refusal<A: AsRef<OsStr>>(name: &str, arguments: &[A]) -> String {
    let output = example(name, arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let sentence = said.trim_end();
    assert!(!sentence.is_empty() && !sentence.contains('\n'), "{said}");
    assert!(!sentence.contains("panicked"), "{said}");
    sentence.to_owned()
}

fn write(folder: &Path, name: &str, content: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_file_that_is_no_plain_configuration_is_named_with_what_to_do() {
    let folder = folder("configuration");
    let absent = folder.join("absent.cnf.xml");
    let absent = absent.to_str().unwrap();
    let signed = b"\x01\x02signature\x00<device></device>";
    let signed = write(&folder, "CSFrado.cnf.xml.sgn", signed);
    let encrypted: Vec<u8> = (0..=255_u8)
        .map(|byte| byte.wrapping_mul(167) ^ 0x5c)
        .collect();
    let encrypted = write(&folder, "CSFrado.cnf.xml.enc.sgn", &encrypted);
    for (file, what) in [
        (absent, "cannot be read"),
        (&signed, "fetch the file without the .sgn suffix"),
        (&encrypted, "turn off TFTP Encrypted"),
    ] {
        let sentence = refusal("read_config", &[file]);
        assert!(sentence.starts_with(&format!("{file}: ")), "{sentence}");
        assert_eq!(sentence.matches(file).count(), 1, "{sentence}");
        assert!(sentence.contains(what), "{sentence}");
    }
}

#[test]
fn a_file_the_server_does_not_have_is_named_by_its_url() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap();
        stream
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let url = format!("http://127.0.0.1:{port}/CSFrado.cnf.xml");
    let sentence = refusal("read_config", &[&url]);
    assert!(server.join().unwrap().starts_with("GET /CSFrado.cnf.xml "));
    assert!(sentence.starts_with(&url), "{sentence}");
    assert_eq!(sentence.matches(&url).count(), 1, "{sentence}");
    assert!(sentence.contains("404"), "{sentence}");
    assert!(sentence.contains("check the device name"), "{sentence}");
}

#[test]
fn a_token_with_a_line_break_is_refused_without_a_byte_of_it() {
    let file = write(
        &folder("token"),
        "token.txt",
        b"eyJhbGci.first\nsecond.part\n",
    );
    let sentence = refusal("inspect_token", &[&file]);
    assert!(sentence.starts_with(&file), "{sentence}");
    assert!(sentence.contains("line break"), "{sentence}");
    for part in ["eyJ", "first", "second"] {
        assert!(!sentence.contains(part), "{sentence}");
    }
}

#[test]
fn what_is_no_message_is_named_by_its_file() {
    let file = write(&folder("message"), "none.sip", b"no message\r\n\r\n");
    let sentence = refusal("parse_message", &[&file]);
    assert!(sentence.starts_with(&file), "{sentence}");
}

#[test]
fn a_registrar_does_not_start_with_an_expired_certificate() {
    let folder = folder("registrar");
    let made = example("registrar", &[OsStr::new("--init"), folder.as_os_str()]);
    assert!(made.status.success());
    let node = "ucm-pub.example.com";
    let authority = CertificateAuthority::new("Example Tomcat CA").unwrap();
    let expired = authority.issue_expired(node, &[node]).unwrap();
    write(&folder, "tomcat.pem", expired.chain_pem().as_bytes());
    write(&folder, "tomcat-key.pem", expired.key_pem().as_bytes());
    let setup = folder.join("registrar.toml");
    let sentence = refusal("registrar", &[&setup]);
    assert!(sentence.starts_with("tomcat.pem: "), "{sentence}");
    assert!(sentence.contains("expired"), "{sentence}");
    assert!(sentence.contains("renew it"), "{sentence}");
}

#[test]
fn a_chain_or_store_that_holds_no_certificate_is_named() {
    let folder = folder("certificates");
    let chain = concat!(env!("CARGO_MANIFEST_DIR"), "/data/tomcat.pem");
    let absent = folder.join("absent.pem");
    let absent = absent.to_str().unwrap();
    let empty = write(&folder, "empty.pem", b"nothing");
    let cut = write(
        &folder,
        "cut.p7b",
        b"-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n",
    );
    let none = "expected at least one BEGIN CERTIFICATE section, found none in 7 bytes";
    for (arguments, file, what) in [
        (vec![absent], absent, "cannot be read"),
        (vec![empty.as_str()], &empty, none),
        (
            vec![cut.as_str()],
            &cut,
            "PKCS#7: expected the content type",
        ),
        (vec!["--store", &empty, chain], &empty, none),
        (vec!["--store", absent, chain], absent, "cannot be read"),
        (vec!["--crl", chain, chain], chain, "BEGIN X509 CRL"),
    ] {
        let sentence = refusal("check_certificate", &arguments);
        assert!(sentence.contains(file), "{sentence}");
        assert!(sentence.contains(what), "{sentence}");
    }
    let sentence = refusal("check_certificate", &["--name", "*.example.com", chain]);
    assert!(sentence.contains("reference identity"), "{sentence}");
}
