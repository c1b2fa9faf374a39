//! OAuth access tokens for SIP: form, keys, policy, verdict.
