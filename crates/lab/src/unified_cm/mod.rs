//! A Unified CM node.
mod axl;
mod configuration;
mod console;
mod rows;
mod sql;
mod tokens;
