//! The language's tensors: creation, operations, indexing, printing. Names and meaning are PyTorch's.

pub mod create;
pub mod index;
pub mod print;
