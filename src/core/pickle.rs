//! Python's pickle, read without running anything. A pickle is a program for a small stack machine that
//! may call any Python function; here the machine knows a fixed list of names (dictionaries, NumPy arrays,
//! PyTorch tensors) and refuses every other one by name.

use std::path::Path;

use tch::Tensor;

use crate::core::{Error, Result, bytes};

mod globals;
mod graph;
mod machine;
mod text;
mod tree;

pub(super) use graph::Graph;

/// Names longer than this come from a file that wants to fill the memory.
const MAX_NAME: usize = 4096;

/// A Python value.
#[derive(Debug)]
pub enum Pickle {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer beyond 64 bits: two's complement, least byte first.
    BigInt(Vec<u8>),
    /// A float.
    Float(f64),
    /// A complex number.
    Complex(f64, f64),
    /// `bytes` or `bytearray`.
    Bytes(Vec<u8>),
    /// A string; Python 2's byte strings are read as latin-1. Also the name of a type (`torch.float32`).
    Str(String),
    /// A list; also an array of Python objects.
    List(Vec<Pickle>),
    /// A tuple; also `torch.Size`.
    Tuple(Vec<Pickle>),
    /// A set or frozenset.
    Set(Vec<Pickle>),
    /// A dictionary in its order, ordered or not.
    Dict(Vec<(Pickle, Pickle)>),
    /// A NumPy array or a PyTorch tensor. Tensors that share a storage in the file share it here.
    Array(Tensor),
}

/// Arrays with their names, and what else the file held.
#[derive(Debug, Default)]
pub struct Named {
    /// Each array with the path to it, joined by dots, in the file's order.
    pub tensors: Vec<(String, Tensor)>,
    /// What is no array, as `name (kind)`.
    pub skipped: Vec<String>,
}

impl Named {
    /// Adds the arrays inside `value` under the name `name`.
    pub(super) fn add(&mut self, name: &str, value: Pickle) -> Result<()> {
        step(&mut String::new(), name, value, self)
    }
}

/// Reads a pickle file (protocols 0 to 5, gzip or plain). Executes nothing.
///
/// # Errors
/// A damaged file, one that asks to call something (named in the message), one that refers to itself.
pub fn read(path: impl AsRef<Path>) -> Result<Pickle> {
    let path = path.as_ref();
    parse(&path.display().to_string(), &bytes::load(path)?)
}

/// As [`read`], from bytes; `name` is used in messages.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Pickle> {
    let value = || {
        let bytes = bytes::plain(bytes)?;
        let (graph, _) = Graph::load(&bytes, 0, false)?;
        graph.value(&[])
    };
    value().map_err(|e| e.within(name))
}

impl Pickle {
    /// The value under a string key of a dictionary.
    pub fn get(&self, key: &str) -> Option<&Pickle> {
        let Self::Dict(entries) = self else { return None };
        entries.iter().find(|(k, _)| matches!(k, Self::Str(s) if s == key)).map(|(_, v)| v)
    }

    /// The Python name of the value's type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::BigInt(_) => "int",
            Self::Float(_) => "float",
            Self::Complex(..) => "complex",
            Self::Bytes(_) => "bytes",
            Self::Str(_) => "str",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Set(_) => "set",
            Self::Dict(_) => "dict",
            Self::Array(_) => "array",
        }
    }

    /// All arrays inside with the path to each: keys and positions joined by dots. A value that is one
    /// array itself is named `array`. What holds no array is listed under the outermost name it has.
    ///
    /// # Errors
    /// A name of more than 4096 bytes.
    pub fn named(self) -> Result<Named> {
        let mut named = Named::default();
        let mut path = String::new();
        collect(self, &mut path, &mut named)?;
        Ok(named)
    }

    fn len(&self) -> Option<usize> {
        match self {
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => Some(items.len()),
            Self::Dict(entries) => Some(entries.len()),
            _ => None,
        }
    }
}

/// Depth is bounded by the reader.
fn collect(value: Pickle, path: &mut String, out: &mut Named) -> Result<()> {
    let (tensors, skipped) = (out.tensors.len(), out.skipped.len());
    let (kind, len) = (value.kind(), value.len());
    match value {
        Pickle::Array(tensor) => out.tensors.push((name_of(path), tensor)),
        Pickle::Dict(entries) => {
            for (key, value) in entries {
                step(path, &key_text(&key), value, out)?;
            }
        }
        Pickle::List(items) | Pickle::Tuple(items) => {
            for (i, value) in items.into_iter().enumerate() {
                step(path, &i.to_string(), value, out)?;
            }
        }
        _ => {}
    }
    if out.tensors.len() == tensors {
        out.skipped.truncate(skipped);
        let of = len.map_or_else(String::new, |n| format!(" of {n}"));
        out.skipped.push(format!("{} ({kind}{of})", name_of(path)));
    }
    Ok(())
}

fn step(path: &mut String, key: &str, value: Pickle, out: &mut Named) -> Result<()> {
    let before = path.len();
    if before > 0 {
        path.push('.');
    }
    path.push_str(key);
    if path.len() > MAX_NAME {
        return Err(Error::new(format!("a name of more than {MAX_NAME} bytes")));
    }
    collect(value, path, out)?;
    path.truncate(before);
    Ok(())
}

fn name_of(path: &str) -> String {
    if path.is_empty() { "array".into() } else { path.into() }
}

fn key_text(key: &Pickle) -> String {
    match key {
        Pickle::Str(text) => text.clone(),
        Pickle::Int(n) => n.to_string(),
        Pickle::Float(x) => x.to_string(),
        Pickle::Bool(b) => if *b { "True" } else { "False" }.into(),
        other => format!("<{}>", other.kind()),
    }
}
