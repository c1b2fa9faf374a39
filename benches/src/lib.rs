//! What the benches share: the messages, and the two jobs done on them.

mod callgrind;
mod job;
mod message;
mod turns;

pub use self::callgrind::{instructions, instructions_within};
pub use self::job::{Proof, TenHeaders, head, http_head, ten_headers};
pub use self::message::{Message, shared};
pub use self::turns::turns;
