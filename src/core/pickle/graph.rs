//! What the pickle machine builds: values that refer to nodes by number. Lists in a pickle may be shared,
//! changed after they were stored, and contain themselves, so the nodes lie in one flat vector, and only
//! the finished value becomes a tree, within limits of depth and size.

use std::borrow::Cow;
use std::collections::HashMap;

use tch::{Kind, Tensor};

use super::Pickle;
use super::globals::Global;
use super::machine::Machine;
use super::text::latin1;
use super::tree::Tree;
use crate::core::bytes::Dtype;
use crate::core::{Error, Result};

/// A value on the machine's stack; `Copy`, for what is mutable lies in the graph.
#[derive(Clone, Copy, Debug)]
pub(super) enum Val<'a> {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Bytes(&'a [u8]),
    Text(&'a str),
    /// A byte string of Python 2: text or data, as its user likes.
    Old(&'a [u8]),
    Global(Global),
    Node(usize),
}

/// What does not fit into a `Val`.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Big(Vec<u8>),
    Bytes(Vec<u8>),
    Old(Vec<u8>),
    Text(String),
    Complex(f64, f64),
    List(Vec<Val<'a>>),
    Tuple(Vec<Val<'a>>),
    Set(Vec<Val<'a>>),
    Dict(Vec<(Val<'a>, Val<'a>)>),
    /// A NumPy element type: its code and, after BUILD, the sign of its byte order.
    Dtype(String, Option<String>),
    /// A NumPy array; empty until BUILD has given it a state.
    Array(Option<Array<'a>>),
    /// A PyTorch storage, by its number in `storages`.
    Storage(usize),
    View(View),
}

#[derive(Debug)]
pub(super) struct Array<'a> {
    pub shape: Vec<i64>,
    pub dtype: usize,
    pub fortran: bool,
    /// The order of the axes, when they are permuted after all.
    pub axes: Option<Vec<i64>>,
    pub data: Val<'a>,
}

/// A tensor as a view of a storage, in elements.
#[derive(Debug)]
pub(super) struct View {
    pub storage: usize,
    /// The element type when the storage has none.
    pub kind: Option<Kind>,
    pub offset: i64,
    pub size: Vec<i64>,
    pub stride: Vec<i64>,
}

/// A storage that a PyTorch pickle refers to; its bytes lie elsewhere in the file.
#[derive(Debug)]
pub struct Storage {
    pub key: String,
    pub kind: Kind,
    pub numel: usize,
}

/// All nodes of a pickle.
pub struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) storages: Vec<Storage>,
    pub(super) keys: HashMap<String, usize>,
    pub(super) root: Val<'a>,
    /// How many elements and bytes may still be copied: a small file must not become a large value by
    /// naming the same list again and again.
    pub(super) budget: usize,
}

impl<'a> Graph<'a> {
    /// Runs the pickle that starts at byte `at`; also returns where it ends. `torch`: tensors may refer
    /// to storages.
    pub fn load(bytes: &'a [u8], at: usize, torch: bool) -> Result<(Self, usize)> {
        Machine::new(bytes, at, torch).run()
    }

    pub(super) fn empty(len: usize) -> Self {
        let (nodes, storages, keys) = (Vec::new(), Vec::new(), HashMap::new());
        Self { nodes, storages, keys, root: Val::None, budget: len.saturating_mul(4).saturating_add(500_000) }
    }

    /// The storages in the order of their first use.
    pub fn storages(&self) -> &[Storage] {
        &self.storages
    }

    /// The storage of a key.
    pub fn storage(&self, key: &str) -> Option<&Storage> {
        self.storages.get(*self.keys.get(key)?)
    }

    /// The pickled value; `storages`: one tensor `[numel]` for each of [`Graph::storages`].
    pub fn value(&self, storages: &[Tensor]) -> Result<Pickle> {
        Tree::new(self, storages).value(self.root, 0)
    }

    pub(super) fn spend(&mut self, n: usize) -> Result<()> {
        self.budget = self.budget.checked_sub(n).ok_or_else(too_large)?;
        Ok(())
    }

    pub(super) fn push(&mut self, node: Node<'a>) -> Val<'a> {
        self.nodes.push(node);
        Val::Node(self.nodes.len() - 1)
    }

    pub(super) fn node(&self, v: Val<'a>) -> Option<&Node<'a>> {
        if let Val::Node(n) = v { self.nodes.get(n) } else { None }
    }

    pub(super) fn node_mut(&mut self, v: Val<'a>) -> Option<&mut Node<'a>> {
        if let Val::Node(n) = v { self.nodes.get_mut(n) } else { None }
    }

    /// A string's text, also of Python 2.
    pub(super) fn text(&self, v: Val<'a>) -> Option<Cow<'_, str>> {
        match (v, self.node(v)) {
            (Val::Text(t), _) => Some(Cow::Borrowed(t)),
            (Val::Old(b), _) => Some(latin1(b)),
            (_, Some(Node::Text(t))) => Some(Cow::Borrowed(t)),
            (_, Some(Node::Old(b))) => Some(latin1(b)),
            _ => None,
        }
    }

    /// The bytes of a bytes object or of a Python 2 string.
    pub(super) fn bytes(&self, v: Val<'a>) -> Option<&[u8]> {
        match (v, self.node(v)) {
            (Val::Bytes(b) | Val::Old(b), _) => Some(b),
            (_, Some(Node::Bytes(b) | Node::Old(b))) => Some(b),
            _ => None,
        }
    }

    /// The elements of a list, tuple or set.
    pub(super) fn items(&self, v: Val<'a>) -> Option<&[Val<'a>]> {
        match self.node(v)? {
            Node::List(items) | Node::Tuple(items) | Node::Set(items) => Some(items),
            _ => None,
        }
    }

    /// A tuple of integers: a shape, or strides.
    pub(super) fn ints(&self, v: Val<'a>) -> Option<Vec<i64>> {
        let items = self.items(v).filter(|items| items.len() <= 64)?;
        items.iter().map(|v| if let Val::Int(n) = v { Some(*n) } else { None }).collect()
    }

    /// The element type of a dtype node; `None` for one that tensors lack.
    pub(super) fn dtype(&self, node: usize) -> Option<Dtype> {
        let Some(Node::Dtype(code, order)) = self.nodes.get(node) else { return None };
        let dtype = Dtype::parse(code)?;
        Some(order.as_deref().map_or(dtype, |sign| dtype.order(sign)))
    }
}

pub(super) fn too_large() -> Error {
    Error::new("holds the same parts so many times over that it would fill the memory: refused")
}
