//! The names that a pickle may use, and what each stands for here. Nothing else is reachable: a name that
//! is not in this list ends the reading.

use tch::Kind;

use super::graph::{Array, Graph, Node, Storage, Val, View};
use crate::core::bytes::numel;
use crate::core::{Error, Result};

/// A name from the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Global {
    pub name: &'static str,
    pub call: Call,
}

/// What calling the name does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Call {
    Dict,
    DefaultDict,
    List,
    Tuple,
    Set,
    Bytes,
    Complex,
    /// `_codecs.encode`: how bytes are written in protocols 0 to 2.
    Encode,
    /// `copyreg._reconstructor`: how objects are made in protocols 0 and 1.
    Reconstructor,
    Ndarray,
    Dtype,
    Reconstruct,
    FromBuffer,
    Scalar,
    /// `_rebuild_tensor`, `_v2`; `_v3` carries the element type itself.
    Tensor(bool),
    Parameter,
    FromType,
    TorchDtype(Kind),
    Storage(Kind),
    /// A type that is named and never called.
    Inert,
}

macro_rules! globals {
    ($($module:literal { $($name:literal => $call:expr),* $(,)? })*) => {
        &[$($(($module, $name, Global { name: concat!($module, ".", $name), call: $call }),)*)*]
    };
}

#[rustfmt::skip]
const GLOBALS: &[(&str, &str, Global)] = globals! {
    "collections" { "OrderedDict" => Call::Dict, "Counter" => Call::Dict, "defaultdict" => Call::DefaultDict }
    "argparse" { "Namespace" => Call::Dict }
    "builtins" {
        "dict" => Call::Dict, "list" => Call::List, "tuple" => Call::Tuple, "set" => Call::Set,
        "frozenset" => Call::Set, "bytes" => Call::Bytes, "bytearray" => Call::Bytes, "complex" => Call::Complex,
        "int" => Call::Inert, "float" => Call::Inert, "bool" => Call::Inert, "str" => Call::Inert,
        "object" => Call::Inert,
    }
    "_codecs" { "encode" => Call::Encode }
    "copyreg" { "_reconstructor" => Call::Reconstructor }
    "numpy" { "ndarray" => Call::Ndarray, "dtype" => Call::Dtype }
    "numpy.core.multiarray" { "_reconstruct" => Call::Reconstruct, "scalar" => Call::Scalar }
    "numpy.core.numeric" { "_frombuffer" => Call::FromBuffer }
    "torch" {
        "Size" => Call::Tuple, "device" => Call::Inert, "Tensor" => Call::Inert,
        "float16" => Call::TorchDtype(Kind::Half), "bfloat16" => Call::TorchDtype(Kind::BFloat16),
        "float32" => Call::TorchDtype(Kind::Float), "float64" => Call::TorchDtype(Kind::Double),
        "int8" => Call::TorchDtype(Kind::Int8), "int16" => Call::TorchDtype(Kind::Int16),
        "int32" => Call::TorchDtype(Kind::Int), "int64" => Call::TorchDtype(Kind::Int64),
        "uint8" => Call::TorchDtype(Kind::Uint8), "bool" => Call::TorchDtype(Kind::Bool),
        "float8_e4m3fn" => Call::TorchDtype(Kind::Float8e4m3fn), "float8_e5m2" => Call::TorchDtype(Kind::Float8e5m2),
        "uint16" => Call::Inert, "uint32" => Call::Inert, "uint64" => Call::Inert,
        "HalfStorage" => Call::Storage(Kind::Half), "BFloat16Storage" => Call::Storage(Kind::BFloat16),
        "FloatStorage" => Call::Storage(Kind::Float), "DoubleStorage" => Call::Storage(Kind::Double),
        "CharStorage" => Call::Storage(Kind::Int8), "ShortStorage" => Call::Storage(Kind::Int16),
        "IntStorage" => Call::Storage(Kind::Int), "LongStorage" => Call::Storage(Kind::Int64),
        "ByteStorage" => Call::Storage(Kind::Uint8), "BoolStorage" => Call::Storage(Kind::Bool),
        "UntypedStorage" => Call::Storage(Kind::Uint8),
        "ComplexFloatStorage" => Call::Storage(Kind::ComplexFloat),
        "ComplexDoubleStorage" => Call::Storage(Kind::ComplexDouble),
    }
    "torch.nn.parameter" { "Parameter" => Call::Inert, "Buffer" => Call::Inert }
    "torch._utils" {
        "_rebuild_tensor" => Call::Tensor(false), "_rebuild_tensor_v2" => Call::Tensor(false),
        "_rebuild_tensor_v3" => Call::Tensor(true), "_rebuild_parameter" => Call::Parameter,
        "_rebuild_parameter_with_state" => Call::Parameter,
    }
    "torch._tensor" { "_rebuild_from_type_v2" => Call::FromType }
};

/// The entry of a name, under its names of other versions too.
///
/// # Errors
/// A name that is not in the list.
pub(super) fn lookup(module: &str, name: &str) -> Result<Global> {
    let known = match module {
        "__builtin__" => "builtins",
        "copy_reg" => "copyreg",
        "numpy._core.multiarray" => "numpy.core.multiarray",
        "numpy._core.numeric" => "numpy.core.numeric",
        "torch.cuda" | "torch.storage" if name.ends_with("Storage") => "torch",
        other => other,
    };
    GLOBALS.iter().find(|(m, n, _)| *m == known && *n == name).map(|(.., global)| *global).ok_or_else(|| {
        let shown: String = format!("{module}.{name}").escape_debug().take(200).collect();
        let way = match (module, name) {
            ("torch.storage", "_load_from_bytes") => "write tensors with torch.save, not with pickle.dump",
            _ => "have whoever made the file save plain numbers: torch.save(net.state_dict(), path), safetensors or numpy.save",
        };
        Error::new(format!("the file asks to run `{shown}`: refused, nothing was executed")).hint(way)
    })
}

/// The error for a name that is called in another way than its owner writes it.
fn odd(global: Global) -> Error {
    Error::new(format!("`{}` is used in an unknown way", global.name))
}

impl<'a> Graph<'a> {
    /// What Python's `callable(*args)` gives, for the names of the list.
    pub(super) fn call(&mut self, callable: Val<'a>, args: &[Val<'a>]) -> Result<Val<'a>> {
        let Val::Global(global) = callable else {
            return Err(Error::new("calls what is no function: refused, nothing was executed"));
        };
        let value = match global.call {
            Call::Dict => self.dict(args),
            Call::DefaultDict => self.dict(args.get(1..).unwrap_or_default()),
            Call::List => self.sequence(args).map(|items| self.push(Node::List(items))),
            Call::Tuple => self.sequence(args).map(|items| self.push(Node::Tuple(items))),
            Call::Set => self.sequence(args).map(|items| self.push(Node::Set(items))),
            Call::Bytes | Call::Encode => self.encoded(args)?,
            Call::Complex => match args {
                &[Val::Float(re), Val::Float(im)] => Some(self.push(Node::Complex(re, im))),
                _ => None,
            },
            Call::Reconstructor => match args {
                &[class @ Val::Global(Global { call: Call::Dict, .. }), ..] => Some(self.call(class, &[])?),
                _ => None,
            },
            Call::Reconstruct => match args {
                [Val::Global(Global { call: Call::Ndarray, .. }), ..] => Some(self.push(Node::Array(None))),
                _ => None,
            },
            Call::Dtype => args
                .first()
                .and_then(|&code| self.text(code).map(|c| c.into_owned()))
                .map(|code| self.push(Node::Dtype(code, None))),
            Call::FromBuffer => match args {
                &[data, Val::Node(dtype), shape, order, ref axes @ ..] => {
                    let order = self.text(order).unwrap_or_default();
                    let (fortran, permuted) = (order == "F", order == "K");
                    let axes = axes.first().filter(|_| permuted).and_then(|&axes| self.ints(axes));
                    self.ints(shape).map(|shape| {
                        self.push(Node::Array(Some(Array { shape, dtype, fortran, axes, data })))
                    })
                }
                _ => None,
            },
            Call::Scalar => match args {
                &[Val::Node(dtype), data] => self.scalar(dtype, data)?,
                _ => None,
            },
            Call::Tensor(typed) => self.tensor(args, typed)?,
            Call::Parameter => args.first().copied(),
            // Only the two above may be called: a chain of these would be as deep as the file likes.
            Call::FromType => match args {
                &[
                    inner @ Val::Global(Global { call: Call::Tensor(_) | Call::Parameter, .. }),
                    _,
                    list,
                    ..,
                ] => {
                    let list: Vec<_> =
                        self.items(list).unwrap_or_default().iter().take(16).copied().collect();
                    Some(self.call(inner, &list)?)
                }
                _ => None,
            },
            Call::Inert if global.name == "torch.device" => args.first().copied(),
            Call::Inert | Call::Ndarray | Call::TorchDtype(_) | Call::Storage(_) => None,
        };
        value.ok_or_else(|| odd(global))
    }

    /// `dict()`, `dict(mapping)`, `dict(pairs)`.
    fn dict(&mut self, args: &[Val<'a>]) -> Option<Val<'a>> {
        let entries = match args.first() {
            None => Vec::new(),
            Some(&from) => match self.node(from)? {
                Node::Dict(entries) if entries.len() <= self.budget => entries.clone(),
                Node::List(pairs) | Node::Tuple(pairs) if pairs.len() <= self.budget => {
                    let pair = |v: &Val<'a>| match self.items(*v)? {
                        &[key, value] => Some((key, value)),
                        _ => None,
                    };
                    pairs.iter().map(pair).collect::<Option<_>>()?
                }
                _ => return None,
            },
        };
        self.spend(entries.len()).ok()?;
        Some(self.push(Node::Dict(entries)))
    }

    /// `list()`, `list(items)`.
    fn sequence(&mut self, args: &[Val<'a>]) -> Option<Vec<Val<'a>>> {
        let Some(&from) = args.first() else { return Some(Vec::new()) };
        let n = self.items(from)?.len();
        self.spend(n).ok()?;
        self.items(from).map(<[_]>::to_vec)
    }

    /// `bytes()`, `bytearray(bytes)`, `encode(text, "latin1")`.
    fn encoded(&mut self, args: &[Val<'a>]) -> Result<Option<Val<'a>>> {
        let Some(&from) = args.first() else { return Ok(Some(self.push(Node::Bytes(Vec::new())))) };
        if let Some(n) = self.bytes(from).map(<[u8]>::len) {
            self.spend(n)?;
            let bytes = self.bytes(from).unwrap_or_default().to_vec();
            return Ok(Some(self.push(Node::Bytes(bytes))));
        }
        let codec = args.get(1).and_then(|&c| self.text(c)).map(|c| c.replace(['-', '_'], ""));
        let Some(n) = self.text(from).map(|t| t.len()) else { return Ok(None) };
        self.spend(n)?;
        let text = self.text(from).unwrap_or_default();
        let bytes: Option<Vec<u8>> = match codec.as_deref() {
            Some("latin1" | "iso88591") => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
            Some("utf8") => Some(text.into_owned().into_bytes()),
            _ => None,
        };
        Ok(bytes.map(|b| self.push(Node::Bytes(b))))
    }

    /// A NumPy scalar, as the Python number it is.
    fn scalar(&mut self, dtype: usize, data: Val<'a>) -> Result<Option<Val<'a>>> {
        let Some(bytes) = self.bytes(data) else { return Ok(None) };
        let Some(Node::Dtype(code, _)) = self.nodes.get(dtype) else { return Ok(None) };
        let Some(read) = self.dtype(dtype) else {
            // A NumPy string or date: no number, but no reason to give the file up.
            let text = format!("numpy scalar of type {}", code.chars().take(20).collect::<String>());
            return Ok(Some(self.push(Node::Text(text))));
        };
        let one: tch::Tensor = read.tensor(bytes, &[], false)?;
        Ok(Some(match read.class() {
            b'b' => Val::Bool(one.f_int64_value(&[])? != 0),
            b'f' => Val::Float(one.f_double_value(&[])?),
            _ => Val::Int(one.f_int64_value(&[])?),
        }))
    }

    /// `_rebuild_tensor(storage, offset, size, stride, …)`, in elements.
    fn tensor(&mut self, args: &[Val<'a>], typed: bool) -> Result<Option<Val<'a>>> {
        let [storage, Val::Int(offset), size, stride, ..] = *args else { return Ok(None) };
        let Some(&Node::Storage(storage)) = self.node(storage) else { return Ok(None) };
        let (Some(size), Some(stride)) = (self.ints(size), self.ints(stride)) else { return Ok(None) };
        numel(&size)?;
        let kind = match args.get(6) {
            Some(Val::Global(Global { call: Call::TorchDtype(kind), .. })) if typed => Some(*kind),
            Some(Val::Global(global)) if typed => {
                return Err(Error::new(format!("a tensor of type {}, which is not supported", global.name)));
            }
            _ if typed => return Ok(None),
            _ => None,
        };
        Ok(Some(self.push(Node::View(View { storage, kind, offset, size, stride }))))
    }

    /// The storage that a persistent identifier names: `("storage", type, key, device, numel)`.
    pub(super) fn persistent(&mut self, id: Val<'a>) -> Result<Val<'a>> {
        let unknown = || Error::new("refers to something outside the file in an unknown way");
        let (kind, key, n) = match self.items(id) {
            Some(&[what, Val::Global(Global { call: Call::Storage(kind), .. }), key, _, Val::Int(n), ..])
                if self.text(what).is_some_and(|t| t == "storage") =>
            {
                (kind, self.text(key).ok_or_else(unknown)?.into_owned(), n)
            }
            _ => return Err(unknown()),
        };
        if matches!(self.items(id), Some([.., Val::Node(_)])) {
            return Err(Error::new("views of storages as PyTorch 0.1 wrote them are not read"));
        }
        let numel = numel(&[n])?;
        let number = match self.keys.get(&key) {
            Some(&number) if self.storages[number].kind == kind && self.storages[number].numel == numel => {
                number
            }
            Some(_) => return Err(Error::new(format!("storage `{}` is declared twice", key.escape_debug()))),
            None => {
                self.spend(key.len())?;
                self.keys.insert(key.clone(), self.storages.len());
                self.storages.push(Storage { key, kind, numel });
                self.storages.len() - 1
            }
        };
        Ok(self.push(Node::Storage(number)))
    }

    /// `object.__setstate__(state)`.
    pub(super) fn build(&mut self, object: Val<'a>, state: Val<'a>) -> Result<()> {
        let dtype_order = |graph: &Self| {
            let order = *graph.items(state)?.get(1)?;
            graph.text(order).map(|o| o.into_owned())
        };
        match self.node(object) {
            Some(Node::Array(_)) => {
                let items = self.items(state).unwrap_or_default();
                let tail = items.last_chunk::<4>().copied();
                let Some([shape, Val::Node(dtype), Val::Bool(fortran), data]) = tail else {
                    return Err(Error::new("an array whose state is not understood"));
                };
                let shape =
                    self.ints(shape).ok_or_else(|| Error::new("an array whose shape is not understood"))?;
                if let Some(Node::Array(array)) = self.node_mut(object) {
                    *array = Some(Array { shape, dtype, fortran, axes: None, data });
                }
            }
            Some(Node::Dtype(..)) => {
                let order = dtype_order(self);
                if let Some(Node::Dtype(_, sign)) = self.node_mut(object) {
                    *sign = order;
                }
            }
            // An OrderedDict's attributes (`_metadata`) and a parameter's are no data; a Namespace's are.
            Some(Node::Dict(entries)) if entries.is_empty() => {
                let n = if let Some(Node::Dict(new)) = self.node(state) { new.len() } else { 0 };
                self.spend(n)?;
                if let Some(Node::Dict(new)) = self.node(state) {
                    let new = new.clone();
                    if let Some(Node::Dict(entries)) = self.node_mut(object) {
                        *entries = new;
                    }
                }
            }
            Some(Node::Dict(_) | Node::View(_) | Node::List(_) | Node::Set(_)) => {}
            _ => return Err(Error::new("sets the state of an unknown object")),
        }
        Ok(())
    }
}
