//! Counting instructions: the program runs itself under callgrind.

use std::error::Error;
use std::process::Command;

/// How many instructions this program takes when it is started with `arguments`.
///
/// # Errors
///
/// valgrind is not there, or does not say.
pub fn instructions(arguments: &[&str]) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
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
