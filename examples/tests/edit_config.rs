//! What `edit_config` prints of a file: the lines around the port, and no password.
//!
//! The program is the one that `cargo test` builds beside this test.

// Helpers of tests may panic, as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{fs, path::Path, process::Command};

/// Runs the program on a file of that content and gives what it prints.
fn edit_config(name: &str, content: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("edit_config");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    let tests = std::env::current_exe().unwrap();
    let program = tests
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples/edit_config");
    let output = Command::new(&program)
        .args(["--port", "5990"])
        .arg(&path)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; build the examples", program.display()));
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_difference_shows_the_port_and_no_password_however_the_file_is_broken_into_lines() {
    let file = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/CSFrado.cnf.xml"));
    let file = file.unwrap();
    let secret = "<sipOAuthPort>5090</sipOAuthPort>\n<sshPassword>hunter2</sshPassword>\
        <!-- was <sshPassword>hunter2</sshPassword> --><a adminPassword='hunter2'/>\n\
        <authPassword>hun<!-- -->ter2\nhunter2</authPassword>\n";
    let file = file.replacen("<sipOAuthPort>5090</sipOAuthPort>\n", secret, 1);
    assert!(file.contains("hunter2"));
    for (name, file) in [
        ("CSFlines.cnf.xml", file.clone()),
        ("CSFline.cnf.xml", file.replace('\n', "")),
        ("CSFcrlf.cnf.xml", file.replace('\n', "\r\n")),
    ] {
        let printed = edit_config(name, &file);
        for secret in ["hunter2", "hun<", "ter2"] {
            assert!(!printed.contains(secret), "{printed}");
        }
        assert!(
            printed.contains("<sshPassword>***</sshPassword>"),
            "{printed}"
        );
        for (sign, port) in [('-', "<sipOAuthPort>5090<"), ('+', "<sipOAuthPort>5990<")] {
            let mut lines = printed.lines().filter(|line| line.contains(port));
            let line = lines.next().unwrap_or_else(|| panic!("{printed}"));
            assert!(
                line.starts_with(sign) && line.chars().count() < 200,
                "{line}"
            );
            assert_eq!(lines.next(), None, "{printed}");
        }
    }
}
