//! A SIP OAuth cluster on loopback: certificate authority, authorization server, Unified CM, Expressway-C.
