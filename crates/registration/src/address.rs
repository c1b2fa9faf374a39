//! Hosts and users as they stand in a URI or Via.

use std::fmt::{self, Write};

/// A node name or address as the host of a URI: an IPv6 address in brackets.
pub(crate) fn uri_host(host: &str) -> String {
    match host.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => host.to_owned(),
    }
}

/// A name as the user of a URI (RFC 3261 section 25.1): what may not stand there is escaped.
///
/// ```text
/// user            = 1*( unreserved / escaped / user-unreserved )
/// unreserved      = alphanum / "-" / "_" / "." / "!" / "~" / "*" / "'" / "(" / ")"
/// user-unreserved = "&" / "=" / "+" / "$" / "," / ";" / "?" / "/"
/// ```
pub(crate) struct UriUser<'a>(pub(crate) &'a str);

impl fmt::Display for UriUser<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| match byte {
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' | b'&' | b'=' | b'+'
            | b'$' | b',' | b';' | b'?' | b'/' => f.write_char(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => f.write_char(char::from(byte)),
            _ => write!(f, "%{byte:02X}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_stand_in_a_user_is_escaped() {
        for (name, expected) in [
            ("1010", "1010"),
            ("4f6d2c18-4b07-a0d7", "4f6d2c18-4b07-a0d7"),
            ("+49 30\\#1", "+49%2030%5C%231"),
            ("a@b>;c", "a%40b%3E;c"),
            ("j\u{f6}", "j%C3%B6"),
        ] {
            assert_eq!(UriUser(name).to_string(), expected);
        }
    }

    #[test]
    fn only_an_ipv6_address_gets_brackets() {
        for (host, expected) in [
            ("ucm1.example.com", "ucm1.example.com"),
            ("192.0.2.1", "192.0.2.1"),
            ("2001:db8::1", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(uri_host(host), expected);
        }
    }
}
