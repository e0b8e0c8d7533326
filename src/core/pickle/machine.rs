//! The pickle machine: one arm for each opcode of protocols 0 to 5 (the comments of CPython's pickletools
//! are the reference). It has a stack, marks into it and a memo, and calls nothing by itself.

use std::borrow::Cow;
use std::collections::HashMap;

use super::globals::lookup;
use super::graph::{Graph, Node, Val};
use super::text::{latin1, odd, unicode_escapes, unquoted};
use crate::core::bytes::Cursor;
use crate::core::{Error, Result};

pub(super) struct Machine<'a> {
    cur: Cursor<'a>,
    /// Persistent identifiers name PyTorch storages.
    torch: bool,
    stack: Vec<Val<'a>>,
    marks: Vec<usize>,
    memo: HashMap<u64, Val<'a>>,
    graph: Graph<'a>,
}

impl<'a> Machine<'a> {
    pub fn new(bytes: &'a [u8], at: usize, torch: bool) -> Self {
        let graph = Graph::empty(bytes.len());
        Self {
            cur: Cursor { bytes, at },
            torch,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            graph,
        }
    }

    /// Runs to the end of the pickle; returns the graph and where the pickle ends.
    pub fn run(mut self) -> Result<(Graph<'a>, usize)> {
        loop {
            let at = self.cur.at;
            let in_place = |mut e: Error| {
                e.msg += &format!(" (pickle opcode at byte {at})");
                e
            };
            let op = self.cur.u8().map_err(in_place)?;
            if op == b'.' {
                self.graph.root = self.pop().map_err(in_place)?;
                return Ok((self.graph, self.cur.at));
            }
            self.step(op).map_err(in_place)?;
        }
    }

    fn step(&mut self, op: u8) -> Result<()> {
        match op {
            // Framing and protocol.
            0x80 => match self.cur.u8()? {
                0..=5 => {}
                p => return Err(Error::new(format!("pickle protocol {p}, known are 0 to 5"))),
            },
            0x95 => {
                self.cur.take(8)?;
            }
            // Constants.
            b'N' => self.push(Val::None),
            0x88 => self.push(Val::Bool(true)),
            0x89 => self.push(Val::Bool(false)),
            b'K' | b'M' => {
                let n = self.uint(if op == b'K' { 1 } else { 2 })?;
                self.push(Val::Int(n as i64));
            }
            b'J' => {
                let n = i32::from_le_bytes(self.cur.array()?);
                self.push(Val::Int(n.into()));
            }
            0x8a => self.long(1)?,
            0x8b => self.long(4)?,
            b'G' => {
                let x = f64::from_be_bytes(self.cur.array()?);
                self.push(Val::Float(x));
            }
            b'I' | b'L' => self.number()?,
            b'F' => {
                let text = latin1(self.cur.line()?);
                let x = text.trim().parse().map_err(|_| odd("float", &text))?;
                self.push(Val::Float(x));
            }
            // Strings and bytes.
            b'C' => self.bytes(1)?,
            b'B' => self.bytes(4)?,
            0x8e | 0x96 => self.bytes(8)?,
            b'U' => self.old(1)?,
            b'T' => self.old(4)?,
            b'S' => match unquoted(self.cur.line()?.trim_ascii())? {
                Cow::Borrowed(bytes) => self.push(Val::Old(bytes)),
                Cow::Owned(bytes) => self.add(Node::Old(bytes)),
            },
            0x8c => self.text(1)?,
            b'X' => self.text(4)?,
            0x8d => self.text(8)?,
            b'V' => {
                let text = unicode_escapes(&latin1(self.cur.line()?));
                self.add(Node::Text(text));
            }
            // Containers.
            b')' => self.add(Node::Tuple(Vec::new())),
            b']' => self.add(Node::List(Vec::new())),
            b'}' => self.add(Node::Dict(Vec::new())),
            0x8f => self.add(Node::Set(Vec::new())),
            0x85..=0x87 => {
                let items = self.top(usize::from(op - 0x84))?;
                self.add(Node::Tuple(items));
            }
            b't' | b'l' | 0x91 => {
                let items = self.marked()?;
                self.add(match op {
                    b't' => Node::Tuple(items),
                    b'l' => Node::List(items),
                    _ => Node::Set(items),
                });
            }
            b'd' => {
                let entries = pairs(&self.marked()?)?;
                self.add(Node::Dict(entries));
            }
            b'a' => {
                let item = self.pop()?;
                self.extend(&[item])?;
            }
            b'e' | 0x90 => {
                let items = self.marked()?;
                self.extend(&items)?;
            }
            b's' => {
                let items = self.top(2)?;
                self.update(&items)?;
            }
            b'u' => {
                let items = self.marked()?;
                self.update(&items)?;
            }
            // The stack and the memo.
            b'(' => self.marks.push(self.stack.len()),
            b'0' => {
                if self.stack.len() == self.fence() && self.marks.pop().is_some() {
                    return Ok(());
                }
                self.pop()?;
            }
            b'1' => drop(self.marked()?),
            b'2' => {
                let top = self.peek()?;
                self.push(top);
            }
            b'p' => {
                let key = self.key()?;
                self.store(key)?;
            }
            b'q' | b'r' => {
                let key = self.uint(if op == b'q' { 1 } else { 4 })?;
                self.store(key)?;
            }
            0x94 => self.store(self.memo.len() as u64)?,
            b'g' => {
                let key = self.key()?;
                self.recall(key)?;
            }
            b'h' | b'j' => {
                let key = self.uint(if op == b'h' { 1 } else { 4 })?;
                self.recall(key)?;
            }
            // Names and calls: `lookup` and `Graph::call` know a fixed list and refuse the rest.
            b'c' => self.global()?,
            0x93 => {
                let names = self.top(2)?;
                let text = |v| self.graph.text(v).ok_or_else(|| Error::new("a name that is no string"));
                let global = lookup(&text(names[0])?, &text(names[1])?)?;
                self.push(Val::Global(global));
            }
            b'R' | 0x81 => {
                let [callable, args] = self.two()?;
                self.call(callable, args)?;
            }
            0x92 => {
                let named = self.pop()?;
                let [callable, args] = self.two()?;
                match self.graph.node(named) {
                    Some(Node::Dict(entries)) if entries.is_empty() => self.call(callable, args)?,
                    _ => return Err(Error::new("a call with named arguments, which nothing known needs")),
                }
            }
            b'i' => {
                self.global()?;
                let callable = self.pop()?;
                let args = self.marked()?;
                let value = self.graph.call(callable, &args)?;
                self.push(value);
            }
            b'o' => {
                let items = self.marked()?;
                let (&callable, args) = items.split_first().ok_or_else(empty)?;
                let value = self.graph.call(callable, args)?;
                self.push(value);
            }
            b'b' => {
                let [object, state] = self.two()?;
                self.graph.build(object, state)?;
                self.push(object);
            }
            b'Q' if self.torch => {
                let id = self.pop()?;
                let storage = self.graph.persistent(id)?;
                self.push(storage);
            }
            b'P' | b'Q' => {
                return Err(Error::new("refers to something outside the file").hint(
                    "a part of a larger format? PyTorch files (.pt, .pth) are read as such by their contents",
                ));
            }
            0x97 => return Err(Error::new("refers to a buffer outside the file")),
            0x98 => {}
            0x82..=0x84 => return Err(Error::new("uses the extension registry, which only Python has")),
            op => return Err(Error::new(format!("no pickle, or a damaged one: unknown opcode {op:#04x}"))),
        }
        Ok(())
    }

    fn push(&mut self, v: Val<'a>) {
        self.stack.push(v);
    }

    fn add(&mut self, node: Node<'a>) {
        let v = self.graph.push(node);
        self.push(v);
    }

    /// What lies below the last mark is out of reach.
    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Val<'a>> {
        if self.stack.len() <= self.fence() {
            return Err(empty());
        }
        self.stack.pop().ok_or_else(empty)
    }

    fn peek(&self) -> Result<Val<'a>> {
        self.stack.get(self.fence()..).and_then(<[_]>::last).copied().ok_or_else(empty)
    }

    fn top(&mut self, n: usize) -> Result<Vec<Val<'a>>> {
        let from = self.stack.len().checked_sub(n).filter(|&from| from >= self.fence()).ok_or_else(empty)?;
        Ok(self.stack.split_off(from))
    }

    fn two(&mut self) -> Result<[Val<'a>; 2]> {
        let second = self.pop()?;
        Ok([self.pop()?, second])
    }

    fn marked(&mut self) -> Result<Vec<Val<'a>>> {
        let mark = self.marks.pop().ok_or_else(|| Error::new("a mark is missing"))?;
        Ok(self.stack.drain(mark.min(self.stack.len())..).collect())
    }

    fn key(&mut self) -> Result<u64> {
        let text = latin1(self.cur.line()?);
        text.trim().parse().map_err(|_| odd("memo number", &text))
    }

    fn store(&mut self, key: u64) -> Result<()> {
        let top = self.peek()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Result<()> {
        let v = self.memo.get(&key).copied().ok_or_else(|| Error::new(format!("memo {key} is empty")))?;
        self.push(v);
        Ok(())
    }

    fn extend(&mut self, items: &[Val<'a>]) -> Result<()> {
        let into = self.peek()?;
        match self.graph.node_mut(into) {
            Some(Node::List(list) | Node::Set(list)) => list.extend_from_slice(items),
            _ => return Err(Error::new("adds items to what is no list")),
        }
        Ok(())
    }

    fn update(&mut self, items: &[Val<'a>]) -> Result<()> {
        let new = pairs(items)?;
        let into = self.peek()?;
        match self.graph.node_mut(into) {
            Some(Node::Dict(entries)) => entries.extend(new),
            _ => return Err(Error::new("sets items of what is no dictionary")),
        }
        Ok(())
    }

    fn call(&mut self, callable: Val<'a>, args: Val<'a>) -> Result<()> {
        let args = self.graph.items(args).ok_or_else(|| Error::new("a call whose arguments are no tuple"))?;
        // Nothing that is known takes more.
        let args: Vec<_> = args.iter().take(16).copied().collect();
        let value = self.graph.call(callable, &args)?;
        self.push(value);
        Ok(())
    }

    fn global(&mut self) -> Result<()> {
        let (owner, name) = (latin1(self.cur.line()?), latin1(self.cur.line()?));
        let global = lookup(&owner, &name)?;
        self.push(Val::Global(global));
        Ok(())
    }

    /// An unsigned integer of `width` bytes.
    fn uint(&mut self, width: u64) -> Result<u64> {
        let mut n = [0; 8];
        for (to, from) in n.iter_mut().zip(self.cur.take(width)?) {
            *to = *from;
        }
        Ok(u64::from_le_bytes(n))
    }

    /// A length of `width` bytes and as many bytes as it says.
    fn counted(&mut self, width: u64) -> Result<&'a [u8]> {
        let n = self.uint(width)?;
        self.cur.take(n)
    }

    fn bytes(&mut self, width: u64) -> Result<()> {
        let bytes = self.counted(width)?;
        self.push(Val::Bytes(bytes));
        Ok(())
    }

    fn old(&mut self, width: u64) -> Result<()> {
        let bytes = self.counted(width)?;
        self.push(Val::Old(bytes));
        Ok(())
    }

    fn text(&mut self, width: u64) -> Result<()> {
        let bytes = self.counted(width)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => self.push(Val::Text(text)),
            // Python lets half a surrogate pair through; text here cannot hold one.
            Err(_) => self.add(Node::Text(String::from_utf8_lossy(bytes).into_owned())),
        }
        Ok(())
    }

    fn long(&mut self, width: u64) -> Result<()> {
        let bytes = self.counted(width)?;
        self.integer(bytes);
        Ok(())
    }

    /// An integer in two's complement, least byte first, of any length.
    fn integer(&mut self, bytes: &[u8]) {
        let sign = bytes.last().map_or(0, |b| if b & 0x80 == 0 { 0 } else { 0xff });
        let mut low = [sign; 8];
        for (to, from) in low.iter_mut().zip(bytes) {
            *to = *from;
        }
        let n = i64::from_le_bytes(low);
        let fits = bytes.iter().skip(8).all(|&b| b == sign) && (n < 0) == (sign != 0);
        if fits { self.push(Val::Int(n)) } else { self.add(Node::Big(bytes.to_vec())) }
    }

    /// A decimal line: an integer, `00` or `01` for a bool, a trailing `L` for a Python 2 long.
    fn number(&mut self) -> Result<()> {
        let line = latin1(self.cur.line()?);
        match line.trim().trim_end_matches('L') {
            "00" => self.push(Val::Bool(false)),
            "01" => self.push(Val::Bool(true)),
            text => {
                let n: i128 = text.parse().map_err(|_| odd("integer", text))?;
                self.integer(&n.to_le_bytes());
            }
        }
        Ok(())
    }
}

fn empty() -> Error {
    Error::new("the stack is empty: a damaged pickle")
}

fn pairs<'a>(items: &[Val<'a>]) -> Result<Vec<(Val<'a>, Val<'a>)>> {
    if items.len() % 2 == 1 {
        return Err(Error::new("a key without a value"));
    }
    Ok(items.chunks_exact(2).map(|p| (p[0], p[1])).collect())
}
