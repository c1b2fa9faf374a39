//! One promise a target, as plain functions.
