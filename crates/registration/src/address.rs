//! Hosts as they stand in a URI or Via.

/// A node name or address as the host of a URI: an IPv6 address in brackets.
pub(crate) fn uri_host(host: &str) -> String {
    match host.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
