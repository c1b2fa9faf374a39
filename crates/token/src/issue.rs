//! The authorization server's side, for tests and for the lab.
