//! How often what is compared is done.

/// `full` turns under `cargo bench`, which says `--bench`; two under `cargo test`, which shows that answers are right and not
/// how fast they come.
pub fn turns(full: usize) -> usize {
    if std::env::args().any(|argument| argument == "--bench") {
        full
    } else {
        full.min(2)
    }
}
