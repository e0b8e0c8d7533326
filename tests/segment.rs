//! Segmentation: networks that draw masks against PyTorch twins, measures against scikit-learn and SciPy
//! (oracles/segment/make.py); masks as files; picture and mask stay one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/filled.rs"]
mod filled;
#[path = "support/place.rs"]
mod place;
mod support;

mod segment {
    mod data;
    mod measures;
    mod models;
    mod scripts;
}
