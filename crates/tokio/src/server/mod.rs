//! What both servers share: accepting within limits, handshakes, counting, stopping.

mod accept;
mod gate;
mod listen;
mod peers;
mod pressure;
mod span;

pub(crate) use gate::Gate;
pub(crate) use listen::{Accepted, Doors, Entrance, Listening, Security, bind};
pub(crate) use pressure::Pressure;
pub(crate) use span::{answered_span, transaction_span};
