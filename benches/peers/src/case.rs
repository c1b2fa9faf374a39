//! The messages: the project's own five, and five more where the material they come with is at hand.

use sip_oauth_benches::{Message, shared};

/// Whose messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    Own,
    Shared,
}

pub struct Case {
    pub set: Set,
    pub name: String,
    pub sip: Vec<u8>,
    /// The same in the shape of HTTP, for the parser that reads no other.
    pub http: Vec<u8>,
}

/// All that there are. The shared ones are left out by name where they are not at hand.
pub fn cases() -> Vec<Case> {
    let own = Message::ours().into_iter().map(|(own, ..)| (Set::Own, own));
    let shared = shared().into_iter().map(|message| (Set::Shared, message));
    own.chain(shared)
        .map(|(set, message)| Case {
            set,
            http: message.http_twin(),
            name: message.name,
            sip: message.bytes,
        })
        .collect()
}
