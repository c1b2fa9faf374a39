//! Talking to an authorization server: token endpoint, keys, introspection.

mod backoff;
mod client_authentication;
mod form;
mod token_answer;

pub(crate) use backoff::Backoff;
pub use client_authentication::ClientAuthentication;
pub(crate) use form::Form;
pub(crate) use token_answer::{ask, https};
