//! Counting instructions: the program runs itself under callgrind.

use std::error::Error;
use std::process::Command;

/// How many instructions this program takes when it is started with `arguments`.
///
/// # Errors
///
/// valgrind is not there, or does not say.
pub fn instructions(arguments: &[&str]) -> Result<u64, Box<dyn Error>> {
    run(&[], arguments)
}

/// The same, counted only while the function of this name is running. `*` stands for any characters.
///
/// # Errors
///
/// As [`instructions`].
pub fn instructions_within(function: &str, arguments: &[&str]) -> Result<u64, Box<dyn Error>> {
    run(&[&format!("--toggle-collect={function}")], arguments)
}

fn run(options: &[&str], arguments: &[&str]) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(options)
        .arg(std::env::current_exe()?)
        .args(arguments)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    // The number behind `Collected :`.
    let count = said
        .split("Collected :")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    Ok(count.ok_or_else(|| format!("valgrind: {said}"))?.parse()?)
}
