//! Data sets: the order of batches, fetching by every way there is, what damage does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/heard.rs"]
mod heard;
mod support;

mod data {
    mod critters;
    mod fetching;
    mod files;
    mod loading;
}
