//! libosip2: owned strings; the parse types most headers at once, and keeps Max-Forwards and Expires as text.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};

use super::c::{Library, Values};

pub const LIBRARY: Library = Library {
    name: "libosip2",
    version: env!("OSIP_VERSION"),
    parse: osip_peer_parse,
    free: osip_peer_free,
    judge: osip_peer_judge,
    head: osip_peer_head,
    fields: osip_peer_fields,
    ten: osip_peer_ten,
};

unsafe extern "C" {
    fn osip_peer_parse(bytes: *const c_char, length: usize) -> *mut c_void;
    fn osip_peer_free(message: *mut c_void);
    fn osip_peer_judge(message: *const c_void) -> c_int;
    fn osip_peer_head(message: *mut c_void, values: *mut Values<'_>);
    fn osip_peer_fields(message: *const c_void) -> usize;
    fn osip_peer_ten(message: *mut c_void, values: *mut Values<'_>);
}
