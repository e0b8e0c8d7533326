//! Parts of a greater script, and the report of what they left.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;
