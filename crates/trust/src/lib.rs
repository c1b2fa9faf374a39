//! Certificate trust for SIP OAuth: trust stores, presented identities, CN/SAN matching, rustls verifiers that explain a refusal.
