//! SIP messages for registration: borrowed views, typed headers, owned values, Bearer credentials, stream framing.
