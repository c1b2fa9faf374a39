//! What both servers share: accepting within limits, handshakes, counting, stopping.

mod accept;
mod gate;
mod listen;
mod peers;
mod pressure;

pub(crate) use gate::Gate;
pub(crate) use listen::{Accepted, Doors, Entrance, Listening, Security, bind};
pub(crate) use pressure::Pressure;
