//! SIP registration with OAuth tokens, end to end: Cisco Unified CM's SIP OAuth mode and RFC 8898.
