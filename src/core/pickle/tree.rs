//! The graph of a pickle as a tree of values, within limits of depth and size.

use std::collections::{HashMap, HashSet};

use tch::{Device, Tensor};

use super::Pickle;
use super::graph::{Array, Graph, Node, Val, View, too_large};
use super::text::latin1;
use crate::core::bytes;
use crate::core::{Error, Result};

/// A deeper tree is no data; the stack holds this much easily.
const MAX_DEPTH: usize = 500;

/// Turns the graph into a tree.
pub(super) struct Tree<'g, 'a> {
    graph: &'g Graph<'a>,
    storages: &'g [Tensor],
    /// Nodes that are being built: meeting one again means that it contains itself.
    open: Vec<bool>,
    /// Arrays that were met before; they share their data.
    arrays: HashMap<usize, Tensor>,
    budget: usize,
}

impl<'g, 'a> Tree<'g, 'a> {
    pub fn new(graph: &'g Graph<'a>, storages: &'g [Tensor]) -> Self {
        let (open, budget) = (vec![false; graph.nodes.len()], graph.budget);
        Self { graph, storages, open, arrays: HashMap::new(), budget }
    }

    fn spend(&mut self, n: usize) -> Result<()> {
        self.budget = self.budget.checked_sub(n).ok_or_else(too_large)?;
        Ok(())
    }

    pub fn value(&mut self, v: Val<'a>, depth: usize) -> Result<Pickle> {
        if depth > MAX_DEPTH {
            return Err(Error::new(format!("nested more than {MAX_DEPTH} deep")));
        }
        self.spend(1)?;
        Ok(match v {
            Val::None => Pickle::None,
            Val::Bool(b) => Pickle::Bool(b),
            Val::Int(n) => Pickle::Int(n),
            Val::Float(x) => Pickle::Float(x),
            Val::Bytes(b) => self.bytes(b)?,
            Val::Text(t) => self.text(t)?,
            Val::Old(b) => self.text(&latin1(b))?,
            Val::Global(g) => Pickle::Str(g.name.to_string()),
            Val::Node(n) => {
                if std::mem::replace(&mut self.open[n], true) {
                    return Err(Error::new("contains itself: a tree is wanted"));
                }
                let value = self.inner(n, depth)?;
                self.open[n] = false;
                value
            }
        })
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<Pickle> {
        self.spend(bytes.len())?;
        Ok(Pickle::Bytes(bytes.to_vec()))
    }

    fn text(&mut self, text: &str) -> Result<Pickle> {
        self.spend(text.len())?;
        Ok(Pickle::Str(text.to_string()))
    }

    fn items(&mut self, items: &[Val<'a>], depth: usize) -> Result<Vec<Pickle>> {
        // Checked before the room is taken.
        if items.len() > self.budget {
            return Err(too_large());
        }
        let mut out = Vec::with_capacity(items.len());
        for &item in items {
            out.push(self.value(item, depth + 1)?);
        }
        Ok(out)
    }

    fn inner(&mut self, n: usize, depth: usize) -> Result<Pickle> {
        let graph = self.graph;
        Ok(match &graph.nodes[n] {
            Node::Big(b) => {
                self.spend(b.len())?;
                Pickle::BigInt(b.clone())
            }
            Node::Bytes(b) => self.bytes(b)?,
            Node::Old(b) => self.text(&latin1(b))?,
            Node::Text(t) => self.text(t)?,
            Node::Complex(re, im) => Pickle::Complex(*re, *im),
            Node::List(items) => Pickle::List(self.items(items, depth)?),
            Node::Tuple(items) => Pickle::Tuple(self.items(items, depth)?),
            Node::Set(items) => Pickle::Set(self.items(items, depth)?),
            Node::Dict(entries) => {
                if entries.len() > self.budget {
                    return Err(too_large());
                }
                let mut out = Vec::with_capacity(entries.len());
                for &(key, value) in entries {
                    out.push((self.value(key, depth + 1)?, self.value(value, depth + 1)?));
                }
                Pickle::Dict(last_of_each(out))
            }
            Node::Dtype(code, _) => Pickle::Str(format!("numpy.dtype({code})")),
            Node::Array(None) => return Err(Error::new("an array without contents")),
            Node::Array(Some(array)) => match self.objects(array) {
                Some(&[one]) if array.shape.is_empty() => self.value(one, depth + 1)?,
                Some(items) => Pickle::List(self.items(items, depth)?),
                None => Pickle::Array(self.shared(n, |tree| tree.array(array))?),
            },
            Node::Storage(s) => Pickle::Array(self.storage(*s)?.shallow_clone()),
            Node::View(view) => Pickle::Array(self.shared(n, |tree| tree.view(view))?),
        })
    }

    fn shared(&mut self, n: usize, make: impl FnOnce(&mut Self) -> Result<Tensor>) -> Result<Tensor> {
        if let Some(tensor) = self.arrays.get(&n) {
            return Ok(tensor.shallow_clone());
        }
        let tensor = make(self)?;
        self.arrays.insert(n, tensor.shallow_clone());
        Ok(tensor)
    }

    /// The elements of an array of Python objects.
    fn objects(&self, array: &Array<'a>) -> Option<&'g [Val<'a>]> {
        match self.graph.nodes.get(array.dtype) {
            Some(Node::Dtype(code, _)) if code.starts_with('O') => self.graph.items(array.data),
            _ => None,
        }
    }

    fn array(&mut self, array: &Array<'a>) -> Result<Tensor> {
        let graph = self.graph;
        let dtype = graph.dtype(array.dtype).ok_or_else(|| {
            let code = match graph.nodes.get(array.dtype) {
                Some(Node::Dtype(code, _)) => code.escape_debug().to_string(),
                _ => String::new(),
            };
            Error::new(format!("an array of type `{code}`, which tensors have not"))
                .hint(format!("types that are read: {}", bytes::DTYPES))
        })?;
        let data = graph.bytes(array.data).ok_or_else(|| Error::new("an array whose data are no bytes"))?;
        self.spend(data.len())?;
        let tensor = dtype.tensor(data, &array.shape, array.fortran)?;
        match &array.axes {
            Some(axes) => Ok(tensor.f_permute(axes)?.f_contiguous()?),
            None => Ok(tensor),
        }
    }

    fn storage(&self, s: usize) -> Result<&Tensor> {
        self.storages.get(s).ok_or_else(|| Error::new("a tensor whose storage is missing"))
    }

    fn view(&mut self, view: &View) -> Result<Tensor> {
        let storage = self.storage(view.storage)?;
        let storage = match view.kind {
            Some(kind) if kind != storage.f_kind()? => storage.f_view_dtype(kind)?,
            _ => storage.shallow_clone(),
        };
        let outside = || {
            Error::new(format!(
                "a tensor of shape {:?}, strides {:?} at {} lies outside its storage of {} elements",
                view.size,
                view.stride,
                view.offset,
                storage.numel()
            ))
        };
        let numel = bytes::numel(&view.size)?;
        if view.size.len() != view.stride.len() || view.offset < 0 || view.stride.iter().any(|&s| s < 0) {
            return Err(outside());
        }
        if numel == 0 {
            return Ok(Tensor::f_zeros(&view.size, (storage.f_kind()?, Device::Cpu))?);
        }
        let steps = view.size.iter().zip(&view.stride);
        let last =
            steps.map(|(n, s)| (n - 1).checked_mul(*s)).try_fold(view.offset, |at, n| at.checked_add(n?));
        if last.is_none_or(|last| last >= storage.numel() as i64) {
            return Err(outside());
        }
        Ok(storage.f_as_strided(&view.size, &view.stride, view.offset)?)
    }
}

/// Of entries with the same string key the last one counts, at the place of the first, as in Python.
fn last_of_each(entries: Vec<(Pickle, Pickle)>) -> Vec<(Pickle, Pickle)> {
    let mut seen = HashSet::new();
    let twice = entries.iter().any(|(k, _)| matches!(k, Pickle::Str(s) if !seen.insert(s.as_str())));
    if !twice {
        return entries;
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut out: Vec<(Pickle, Pickle)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let place = match &key {
            Pickle::Str(s) => *places.entry(s.clone()).or_insert(out.len()),
            _ => out.len(),
        };
        match out.get_mut(place) {
            Some(entry) => entry.1 = value,
            None => out.push((key, value)),
        }
    }
    out
}
