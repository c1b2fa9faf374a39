//! Fields of a query or a form, `application/x-www-form-urlencoded`.

/// The fields of one request.
pub(super) struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    /// Reads a query; a form once it is known to be UTF-8.
    pub(super) fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The value of a field; nothing when it is absent or empty: "Parameters sent without a value MUST be treated as if
    /// they were omitted from the request" (RFC 6749 section 3.1).
    ///
    /// # Errors
    ///
    /// When it is there twice ("MUST NOT be included more than once"), or does not decode.
    pub(super) fn get(&self, name: &str) -> Result<Option<String>, Malformed> {
        let mut values = self
            .0
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .filter(|(key, _)| *key == name);
        let Some((_, value)) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(Malformed);
        }
        let value = decoded(value).ok_or(Malformed)?;
        Ok(Some(value).filter(|value| !value.is_empty()))
    }

    /// The value of a field that must be there.
    pub(super) fn required(&self, name: &str) -> Result<String, Malformed> {
        self.get(name)?.ok_or(Malformed)
    }
}

/// A field is absent, there twice, or does not decode: `invalid_request`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The text without its percent-encoding.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || {
                    char::from(rest.next()?)
                        .to_digit(16)
                        .and_then(|digit| u8::try_from(digit).ok())
                };
                digit()? << 4 | digit()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Appends `name=value` to a query or fragment.
pub(super) fn append(to: &mut String, name: &str, value: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    to.push_str(name);
    to.push('=');
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                to.push(char::from(byte));
            }
            other => {
                to.push('%');
                for digit in [other >> 4, other & 0xf] {
                    to.extend(HEX.get(usize::from(digit)).copied().map(char::from));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_never_taken_twice() {
        let get = |text, name| Fields::new(text).get(name);
        assert_eq!(get("a=1&b=x%2By+z", "b"), Ok(Some("x+y z".to_owned())));
        assert_eq!(get("a=1&a=2", "a"), Err(Malformed));
        assert_eq!(get("a=%4", "a"), Err(Malformed));
        assert_eq!(get("a=%zz", "a"), Err(Malformed));
        assert_eq!(get("a=%ff", "a"), Err(Malformed));
        assert_eq!(get("", "a"), Ok(None));
        assert_eq!(get("a=&b", "a"), Ok(None));
        assert_eq!(get("a=&b", "b"), Ok(None));
        assert_eq!(Fields::new("a=").required("a"), Err(Malformed));
    }

    #[test]
    fn what_is_appended_comes_back() {
        let mut text = String::new();
        append(&mut text, "state", "a b&c=d#\u{e9}\r\n");
        assert_eq!(text, "state=a%20b%26c%3Dd%23%C3%A9%0D%0A");
        assert_eq!(
            Fields::new(&text).required("state").unwrap(),
            "a b&c=d#\u{e9}\r\n"
        );
    }
}
