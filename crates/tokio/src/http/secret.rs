//! Secrets on their way into and out of HTTP, in buffers that are wiped when the last who holds them lets go.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::{
    body::{Body as _, Incoming},
    header::HeaderValue,
};
use zeroize::Zeroizing;

use super::exchange::HttpFailure;

/// Credentials as the value of a header field; nothing where `text` cannot stand in one.
pub(crate) fn credentials(text: Zeroizing<String>) -> Option<HeaderValue> {
    // Shared, not copied.
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The credentials of Basic authentication: `user-id ":" password` in base64 (RFC 7617 section 2).
pub(crate) fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    let mut pair = Zeroizing::new(String::with_capacity(user.len() + 1 + password.len()));
    pair.push_str(user);
    pair.push(':');
    pair.push_str(password);
    // Growing would leave a copy behind that nobody wipes.
    let scheme = "Basic ";
    let encoded = base64::encoded_len(pair.len(), true)?;
    let mut text = Zeroizing::new(String::with_capacity(scheme.len() + encoded));
    text.push_str(scheme);
    STANDARD.encode_string(pair.as_bytes(), &mut text);
    credentials(text)
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, HttpFailure> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(limit);
    let mut read = Zeroizing::new(Vec::with_capacity(announced.min(limit)));
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        append(&mut read, &data, limit)?;
    }
    Ok(Bytes::from_owner(read))
}

fn append(read: &mut Zeroizing<Vec<u8>>, data: &[u8], limit: usize) -> Result<(), HttpFailure> {
    let needed = read.len().saturating_add(data.len());
    if needed > limit {
        return Err(HttpFailure::TooLarge(limit));
    }
    if needed > read.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(limit.min(2 * needed)));
        larger.extend_from_slice(read);
        // The former one is wiped here.
        *read = larger;
    }
    read.extend_from_slice(data);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7617_section_2_basic_credentials_are_sensitive() {
        let value = basic("Aladdin", "open sesame").unwrap();
        assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(value.is_sensitive());
        assert!(credentials(Zeroizing::new("Bearer a\nb".to_owned())).is_none());
    }

    /// `Vec` would move to a larger block by itself, and free the smaller one as it is.
    #[test]
    fn a_body_never_grows_in_place_and_never_over_its_limit() {
        let mut read = Zeroizing::new(Vec::new());
        let mut sent = Vec::new();
        for byte in 0..100_u8 {
            let before = read.capacity();
            let data = [byte; 10];
            append(&mut read, &data, 1000).unwrap();
            sent.extend_from_slice(&data);
            assert_eq!(*read, sent);
            let by_itself = [before, 1000];
            assert!(by_itself.contains(&read.capacity()) || read.capacity() >= 2 * before);
            assert!(read.capacity() <= 1000);
        }
        let refused = append(&mut read, b"x", 1000);
        assert!(matches!(refused, Err(HttpFailure::TooLarge(1000))));
        assert_eq!(*read, sent);
    }
}
