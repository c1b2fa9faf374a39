//! SIP OAuth registration without sockets: the client, the registrar and the edge as state machines.
