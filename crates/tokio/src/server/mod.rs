//! What both servers share: accepting within limits, handshakes, counting, stopping.

mod accept;
mod gate;
mod listen;
mod stop;

pub(crate) use gate::{Gate, Permit};
pub(crate) use listen::{Accepted, Doors, Entrance, Listening, Security};
pub(crate) use stop::{Stop, Stopped};
