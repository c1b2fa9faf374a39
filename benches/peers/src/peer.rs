//! A parser of SIP messages, seen from here.

use crate::values::{Head, TenValues};

/// Why a peer gives nothing for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not offer this at all.
    NotOffered,
    /// It refuses the message; its reason, cut to a line.
    Message(String),
}

impl Refusal {
    /// Keeps what the peer says.
    pub fn of(error: impl std::fmt::Debug) -> Self {
        Self::Message(format!("{error:?}").chars().take(160).collect())
    }
}

/// In which company a peer is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// This project's own.
    Ours,
    /// Another crate.
    Rust,
    /// A C library.
    C,
    /// Reads HTTP, and is given the message in the shape of HTTP.
    Ceiling,
}

/// The two jobs. What is read is lent to the callback while the peer's own message is alive, so that
/// no peer has to copy it out.
pub trait Peer {
    fn name(&self) -> &'static str;
    fn version(&self) -> String;
    fn kind(&self) -> Kind;

    /// Finds the start line and the header fields.
    fn head(&self, bytes: &[u8], found: &mut dyn FnMut(&Head<'_>)) -> Result<(), Refusal>;

    /// Finds the start line and the header fields, types the ten and reads their values.
    fn ten_headers(
        &self,
        bytes: &[u8],
        read: &mut dyn FnMut(&TenValues<'_>),
    ) -> Result<(), Refusal>;

    /// Whether the message would be taken: the parse, every one of the ten, and the peer's own
    /// check of a whole message where it has one.
    fn judge(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let mut refused = false;
        self.ten_headers(bytes, &mut |ten| refused = ten.refused())?;
        if refused {
            return Err(Refusal::Message("one of the ten headers".to_owned()));
        }
        Ok(())
    }
}
