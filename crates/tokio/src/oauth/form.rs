//! `application/x-www-form-urlencoded`, both ways of use: a body and a query.

use bytes::Bytes;
use zeroize::Zeroizing;

/// A form, built so that a secret in it is not copied about, and wiped when it was sent.
#[derive(Default)]
pub(crate) struct Form(Zeroizing<String>);

impl Form {
    pub(crate) fn field(&mut self, name: &str, value: &str) {
        let text = &mut *self.0;
        // Growing in place would leave a copy behind that nobody wipes.
        let needed = 3 * (name.len() + value.len()) + 2;
        if text.capacity() - text.len() < needed {
            let mut larger = String::with_capacity(2 * text.len() + needed);
            larger.push_str(text);
            self.0 = Zeroizing::new(larger);
        }
        let text = &mut *self.0;
        if !text.is_empty() {
            text.push('&');
        }
        encode(name, text);
        text.push('=');
        encode(value, text);
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self.0)
    }
}

/// Appends `text`, percent-encoded.
pub(crate) fn encode(text: &str, out: &mut String) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            other => {
                out.push('%');
                for digit in [other >> 4, other & 0xf] {
                    out.extend(HEX.get(usize::from(digit)));
                }
            }
        }
    }
}

/// The value of the only field `name` of `form`; nothing when there is none, several, or one that does not decode.
pub(crate) fn only_field(form: &str, name: &str) -> Option<String> {
    let mut values = form
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, _)| *key == name);
    let (_, value) = values.next()?;
    values.next().is_none().then(|| decode(value)).flatten()
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || {
                    let digit = char::from(rest.next()?).to_digit(16)?;
                    u8::try_from(digit).ok()
                };
                digit()? << 4 | digit()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_percent_encoded_and_come_back() {
        let mut form = Form::default();
        form.field("grant_type", "refresh_token");
        form.field("refresh_token", "a+b/c= d\u{e9}");
        assert_eq!(
            form.as_str(),
            "grant_type=refresh_token&refresh_token=a%2Bb%2Fc%3D+d%C3%A9"
        );
        assert_eq!(
            only_field(form.as_str(), "refresh_token").as_deref(),
            Some("a+b/c= d\u{e9}")
        );
        assert_eq!(form.into_bytes().len(), 59);
    }

    #[test]
    fn a_field_is_never_taken_twice_or_half_decoded() {
        for form in ["a=1&a=2", "a=%4", "a=%zz", "a=%ff", ""] {
            assert_eq!(only_field(form, "a"), None, "{form}");
        }
    }
}
