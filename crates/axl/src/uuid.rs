//! Object identifiers as AXL writes them.

use std::{fmt, str::FromStr};

use crate::text::FieldError;

/// The identifier of an object, `{8E0F7C1A-2B3C-4D5E-6F70-8192A3B4C5D6}`.
///
/// Reading takes either case, with or without braces; writing gives upper case in braces.
///
/// ```
/// use sip_oauth_axl::Uuid;
///
/// let uuid: Uuid = "8e0f7c1a-2b3c-4d5e-6f70-8192a3b4c5d6".parse()?;
/// assert_eq!(uuid.to_string(), "{8E0F7C1A-2B3C-4D5E-6F70-8192A3B4C5D6}");
/// # Ok::<(), sip_oauth_axl::FieldError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// The identifier with these bytes, most significant first.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, most significant first.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02X}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Uuid {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let inner = text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or(text);
        let mut bytes = [0; 16];
        let mut groups = inner.split('-');
        let mut rest = bytes.as_mut_slice();
        for length in [4, 2, 2, 2, 6] {
            let group = groups.next().ok_or(FieldError::Uuid)?;
            let (target, after) = rest.split_at_mut_checked(length).ok_or(FieldError::Uuid)?;
            fill(target, group.as_bytes())?;
            rest = after;
        }
        match groups.next() {
            Some(_) => Err(FieldError::Uuid),
            None => Ok(Self(bytes)),
        }
    }
}

fn fill(target: &mut [u8], digits: &[u8]) -> Result<(), FieldError> {
    let (pairs, odd) = digits.as_chunks::<2>();
    if !odd.is_empty() || pairs.len() != target.len() {
        return Err(FieldError::Uuid);
    }
    for (byte, [high, low]) in target.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Ok(())
}

fn nibble(digit: u8) -> Result<u8, FieldError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(FieldError::Uuid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_thirty_two_hex_digits_in_five_groups() {
        for bad in [
            "",
            "{}",
            "8E0F7C1A2B3C4D5E6F708192A3B4C5D6",
            "{8E0F7C1A-2B3C-4D5E-6F70-8192A3B4C5D6",
            "{8E0F7C1A-2B3C-4D5E-6F70-8192A3B4C5D6}x",
            "{8E0F7C1A-2B3C-4D5E-6F70-8192A3B4C5D6-}",
            "{8E0F7C1-A2B3C-4D5E-6F70-8192A3B4C5D6}",
            "{GE0F7C1A-2B3C-4D5E-6F70-8192A3B4C5D6}",
            "{8E0F7C1A-2B3C-4D5E-6F70-8192A3B4Cé}",
        ] {
            assert_eq!(bad.parse::<Uuid>(), Err(FieldError::Uuid), "{bad:?}");
        }
    }
}
