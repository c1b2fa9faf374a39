//! sofia-sip: pointers into its own copy of the message; the parse types every header at once.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};

use super::c::{Library, Values};

pub const LIBRARY: Library = Library {
    name: "sofia-sip",
    version: env!("SOFIA_VERSION"),
    parse: sofia_peer_parse,
    free: sofia_peer_free,
    judge: sofia_peer_judge,
    head: sofia_peer_head,
    fields: sofia_peer_fields,
    ten: sofia_peer_ten,
};

unsafe extern "C" {
    fn sofia_peer_parse(bytes: *const c_char, length: usize) -> *mut c_void;
    fn sofia_peer_free(message: *mut c_void);
    fn sofia_peer_judge(message: *const c_void) -> c_int;
    fn sofia_peer_head(message: *mut c_void, values: *mut Values<'_>);
    fn sofia_peer_fields(message: *const c_void) -> usize;
    fn sofia_peer_ten(message: *mut c_void, values: *mut Values<'_>);
}
