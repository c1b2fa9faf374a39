//! Multipart bodies as they are written, part after part.

use std::fmt;

use crate::Headers;

/// Writes a multipart body.
///
/// ```
/// use sip_oauth_message::multipart::Builder;
/// let mut builder = Builder::new("b");
/// builder.part(&[("Content-Type", "text/plain")], b"one");
/// assert_eq!(builder.finish(), b"--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b--\r\n");
/// ```
#[derive(Clone)]
pub struct Builder {
    boundary: String,
    out: Vec<u8>,
}

impl Builder {
    /// A body with this boundary, which must not occur in any part.
    pub fn new(boundary: impl Into<String>) -> Self {
        Self {
            boundary: boundary.into(),
            out: Vec::new(),
        }
    }

    /// Adds a part. One header field never becomes two, as in [`Headers::push`].
    pub fn part(&mut self, headers: &[(&str, &str)], body: &[u8]) {
        self.delimiter("\r\n");
        let mut fields = Headers::new();
        for (name, value) in headers {
            fields.push(name, value);
        }
        fields.write(&mut self.out);
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(body);
        self.out.extend_from_slice(b"\r\n");
    }

    /// The body, closed.
    pub fn finish(mut self) -> Vec<u8> {
        self.delimiter("--\r\n");
        self.out
    }

    fn delimiter(&mut self, end: &str) {
        self.out.extend_from_slice(b"--");
        self.out.extend_from_slice(self.boundary.as_bytes());
        self.out.extend_from_slice(end.as_bytes());
    }
}

/// Of what was written the length alone, as of the bodies of a [`Multipart`](super::Multipart).
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("boundary", &self.boundary)
            .field("bytes", &self.out.len())
            .finish()
    }
}
