//! The C libraries, through the shims of `shims/`.
//!
//! The only unsafe code here, and the reason why this package is outside the workspace: a C library
//! cannot be called without it. Three things are relied on. `Values` is the structure of
//! `shims/values.h`. Every pointer in it is null or a string that ends in NUL and lives until the
//! message is freed, which `Message` does when it is dropped. No shim writes to the bytes it is
//! given, or keeps them.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use crate::peer::{Kind, Peer, Refusal};
use crate::values::{Contact, Head, Host, Party, Proof, Reading, StartLine, TenValues, Via};

/// A library: what it is called, and its shim.
pub struct Library {
    pub name: &'static str,
    pub version: &'static str,
    /// Gives a message, or null when it is refused.
    pub parse: unsafe extern "C" fn(*const c_char, usize) -> *mut c_void,
    pub free: unsafe extern "C" fn(*mut c_void),
    /// Gives 0 when nothing is found wrong with the message.
    pub judge: unsafe extern "C" fn(*const c_void) -> c_int,
    pub head: unsafe extern "C" fn(*mut c_void, *mut Values<'_>),
    pub fields: unsafe extern "C" fn(*const c_void) -> usize,
    pub ten: unsafe extern "C" fn(*mut c_void, *mut Values<'_>),
}

/// As in `shims/values.h`, with what belongs together as an array.
#[repr(C)]
pub struct Values<'m> {
    method: *const c_char,
    status: c_long,
    via: [*const c_char; 4],
    from: [*const c_char; 3],
    to: [*const c_char; 3],
    call_id: *const c_char,
    cseq: c_long,
    cseq_method: *const c_char,
    contact: [*const c_char; 5],
    auth: [*const c_char; 3],
    max_forwards: c_long,
    content_length: c_long,
    expires: c_long,
    max_forwards_text: *const c_char,
    expires_text: *const c_char,
    message: PhantomData<&'m ()>,
}

/// A message of a library, freed when it is dropped.
struct Message<'l> {
    library: &'l Library,
    message: *mut c_void,
}

impl Peer for Library {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> String {
        self.version.to_owned()
    }

    fn kind(&self) -> Kind {
        Kind::C
    }

    fn head(&self, bytes: &[u8], found: &mut dyn FnMut(&Head<'_>)) -> Result<(), Refusal> {
        let message = Message::parse(self, bytes)?;
        let values = message.values(self.head);
        found(&Head {
            start_line: values.start_line(),
            fields: &|| unsafe { (self.fields)(message.message) },
        });
        Ok(())
    }

    fn ten_headers(
        &self,
        bytes: &[u8],
        read: &mut dyn FnMut(&TenValues<'_>),
    ) -> Result<(), Refusal> {
        let message = Message::parse(self, bytes)?;
        let values = message.values(self.ten);
        read(&values.ten());
        Ok(())
    }

    fn judge(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let message = Message::parse(self, bytes)?;
        match unsafe { (self.judge)(message.message) } {
            0 => Ok(()),
            _ => Err(Refusal::of("an error is flagged")),
        }
    }
}

impl<'l> Message<'l> {
    fn parse(library: &'l Library, bytes: &[u8]) -> Result<Self, Refusal> {
        let message = unsafe { (library.parse)(bytes.as_ptr().cast(), bytes.len()) };
        if message.is_null() {
            return Err(Refusal::of("the parse fails"));
        }
        Ok(Self { library, message })
    }

    fn values(&self, fill: unsafe extern "C" fn(*mut c_void, *mut Values<'_>)) -> Values<'_> {
        let mut values = MaybeUninit::uninit();
        unsafe {
            fill(self.message, values.as_mut_ptr());
            values.assume_init()
        }
    }
}

impl<'m> Values<'m> {
    fn start_line(&self) -> StartLine<'m> {
        match unsafe { text(self.method) } {
            Some(method) => StartLine::Request(method),
            None => StartLine::Response(u16::try_from(self.status).unwrap_or_default()),
        }
    }

    fn ten(&self) -> TenValues<'m> {
        let text = |pointer| -> Option<&'m [u8]> { unsafe { text(pointer) } };
        let party = |party: [*const c_char; 3]| {
            let [user, host, tag] = party.map(text);
            let host = host.map(Host::Text);
            Reading::value(host.map(|host| Party { user, host, tag }))
        };
        let number_or_text = |number, pointer| match u32::try_from(number) {
            Ok(number) => Reading::Value(number),
            Err(_) => Reading::text(text(pointer)),
        };
        let [transport, via_host, via_port, branch] = self.via.map(text);
        let [user, host, port, instance, expires] = self.contact.map(text);
        let [scheme, username, token] = self.auth.map(text);
        let cseq = u32::try_from(self.cseq).ok();
        TenValues {
            start_line: self.start_line(),
            via: Reading::value(transport.map(|transport| Via {
                transport,
                host: Host::Text(via_host.unwrap_or_default()),
                port: via_port.and_then(number),
                branch,
            })),
            from: party(self.from),
            to: party(self.to),
            call_id: Reading::value(text(self.call_id)),
            cseq: Reading::value(cseq.zip(text(self.cseq_method))),
            contact: Reading::value(host.map(|host| Contact {
                user,
                host: Host::Text(host),
                port: port.and_then(number),
                instance,
                expires: expires.and_then(number),
            })),
            proxy_authorization: Reading::value(scheme.map(|scheme| match token {
                _ if scheme.eq_ignore_ascii_case(b"Digest") => Proof::Digest(username),
                Some(token) if scheme.eq_ignore_ascii_case(b"Bearer") => Proof::Bearer(token),
                _ => Proof::Other,
            })),
            max_forwards: number_or_text(self.max_forwards, self.max_forwards_text),
            content_length: number_or_text(self.content_length, std::ptr::null()),
            expires: number_or_text(self.expires, self.expires_text),
        }
    }
}

impl Drop for Message<'_> {
    fn drop(&mut self) {
        unsafe { (self.library.free)(self.message) }
    }
}

/// A string of a library's message; the caller says how long that lives.
unsafe fn text<'m>(text: *const c_char) -> Option<&'m [u8]> {
    let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) });
    text.map(CStr::to_bytes)
}

fn number<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    str::from_utf8(text).ok()?.parse().ok()
}
