//! Safetensors files, in and out: a header in JSON, then the tensors' bytes.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};
use tch::{Kind, Tensor};

use crate::core::{Error, Result, atomic, bytes};

/// Named tensors in the file's order, and the text beside them.
#[derive(Debug, Default)]
pub struct File {
    /// Names and tensors.
    pub tensors: Vec<(String, Tensor)>,
    /// The strings of `__metadata__`.
    pub metadata: BTreeMap<String, String>,
}

/// The kinds that the format and tch have in common.
const KINDS: [(Dtype, Kind); 13] = [
    (Dtype::BOOL, Kind::Bool),
    (Dtype::U8, Kind::Uint8),
    (Dtype::I8, Kind::Int8),
    (Dtype::I16, Kind::Int16),
    (Dtype::I32, Kind::Int),
    (Dtype::I64, Kind::Int64),
    (Dtype::F16, Kind::Half),
    (Dtype::BF16, Kind::BFloat16),
    (Dtype::F32, Kind::Float),
    (Dtype::F64, Kind::Double),
    (Dtype::C64, Kind::ComplexFloat),
    (Dtype::F8_E4M3, Kind::Float8e4m3fn),
    (Dtype::F8_E5M2, Kind::Float8e5m2),
];

/// Reads a file.
///
/// # Errors
/// A damaged file, an element type that tensors have not.
pub fn read(path: impl AsRef<Path>) -> Result<File> {
    let path = path.as_ref();
    parse(&path.display().to_string(), &bytes::load(path)?)
}

/// As [`read`], from bytes; `name` is used in messages.
pub fn parse(name: &str, bytes: &[u8]) -> Result<File> {
    inner(bytes).map_err(|e| e.within(name))
}

pub(super) fn inner(bytes: &[u8]) -> Result<File> {
    let damaged = |e| {
        Error::new(format!("no safetensors file, or a damaged one: {e}"))
            .hint("if it was a safetensors file it is incomplete; fetch or save it again")
    };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let views = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let mut tensors = Vec::with_capacity(views.len());
    for name in header.offset_keys() {
        let view = views.tensor(&name).map_err(damaged)?;
        let tensor = element(&view).map_err(|e| e.within(format!("`{}`", name.escape_debug())))?;
        tensors.push((name, tensor));
    }
    let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
    Ok(File { tensors, metadata })
}

fn element(view: &safetensors::tensor::TensorView<'_>) -> Result<Tensor> {
    let shape: Option<Vec<i64>> = view.shape().iter().map(|&n| i64::try_from(n).ok()).collect();
    let shape = shape.ok_or_else(|| Error::new("impossible shape"))?;
    if let Some((_, kind)) = KINDS.iter().find(|(d, _)| *d == view.dtype()) {
        return bytes::tensor(view.data(), &shape, *kind);
    }
    let wide = match view.dtype() {
        Dtype::U16 => bytes::Dtype::parse("u2"),
        Dtype::U32 => bytes::Dtype::parse("u4"),
        Dtype::U64 => bytes::Dtype::parse("u8"),
        _ => None,
    };
    wide.ok_or_else(|| Error::new(format!("elements of type {}, which tensors have not", view.dtype())))?
        .tensor(view.data(), &shape, false)
}

/// Writes named tensors, in their order, with strings beside them. Strided and GPU tensors are allowed.
///
/// # Errors
/// Two tensors of the same name, a sparse, quantised or undefined tensor, and those of [`atomic::write`].
pub fn write(
    path: impl AsRef<Path>,
    tensors: &[(String, Tensor)],
    metadata: &BTreeMap<String, String>,
) -> Result<()> {
    let path = path.as_ref();
    let header = header(tensors, metadata).map_err(|e| e.within(path.display()))?;
    atomic::write_with(path, |file| {
        let io = |e: std::io::Error| Error::io(path, &e);
        file.write_all(&(header.len() as u64).to_le_bytes()).map_err(io)?;
        file.write_all(header.as_bytes()).map_err(io)?;
        for (name, tensor) in tensors {
            // One at a time: a checkpoint is not held twice.
            let data = bytes::of(tensor).map_err(|e| e.within(format!("{}: `{name}`", path.display())))?;
            file.write_all(&data).map_err(io)?;
        }
        Ok(())
    })
}

/// The JSON header, padded so that the data start at a multiple of 8.
fn header(tensors: &[(String, Tensor)], metadata: &BTreeMap<String, String>) -> Result<String> {
    let mut entries = Map::new();
    // What Transformers and PyTorch users expect to find.
    let mut text = BTreeMap::from([("format".to_string(), "pt".to_string())]);
    text.extend(metadata.clone());
    entries.insert("__metadata__".into(), json!(text));
    let mut seen = HashSet::new();
    let mut at = 0;
    for (name, tensor) in tensors {
        if name == "__metadata__" || !seen.insert(name) {
            return Err(Error::new(format!("the name `{name}` is used twice")));
        }
        let kind = tensor.f_kind()?;
        let (dtype, _) = KINDS
            .iter()
            .find(|(_, k)| *k == kind)
            .ok_or_else(|| Error::new(format!("`{name}`: safetensors files do not hold {kind:?} tensors")))?;
        let end = at + bytes::numel(&tensor.size())? * kind.elt_size_in_bytes();
        let dtype = serde_json::to_value(dtype).unwrap_or(Value::Null);
        entries
            .insert(name.clone(), json!({"dtype": dtype, "shape": tensor.size(), "data_offsets": [at, end]}));
        at = end;
    }
    let mut header = Value::Object(entries).to_string();
    header += &" ".repeat(header.len().next_multiple_of(8) - header.len());
    Ok(header)
}
