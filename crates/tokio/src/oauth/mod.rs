//! Talking to an authorization server: sign-in, token endpoint, keys, introspection.

mod backoff;
mod client_authentication;
mod code_grant;
mod digest;
mod form;
mod freshness;
mod introspection;
mod jwks;
mod pkce;
mod token_answer;
mod token_members;

pub(crate) use backoff::Backoff;
pub use client_authentication::ClientAuthentication;
pub use code_grant::{CodeGrant, SignIn, SignedIn};
pub(crate) use form::Form;
pub use introspection::{IntrospectionClient, IntrospectionError};
pub use jwks::{JwksClient, JwksError, JwksFailure, KeysNews};
pub(crate) use token_answer::{ask, https};
