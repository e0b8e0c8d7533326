//! PyTorch's files (`torch.save`): the zip format and the one before it. The object in them is a pickle,
//! read without executing anything; its tensors are views of storages that lie beside it.

use std::collections::HashMap;
use std::path::Path;

use tch::{Kind, Tensor};

use crate::core::archive::Archive;
use crate::core::bytes::{self, Cursor};
use crate::core::pickle::{Graph, Named, Pickle};
use crate::core::{Error, Result};

/// The number that opens the older format: a Python integer of 80 bits, least byte first.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// Under these keys training scripts put the state dict beside the epoch and the optimizer.
const WRAPPERS: [&str; 4] = ["state_dict", "model_state_dict", "model_state", "model"];

/// Reads a state dict: names and tensors in the file's order. A state dict under `state_dict`,
/// `model_state_dict`, `model_state` or `model` is found; a `module.` before all names goes (it is left by
/// `DataParallel`). What is no tensor is listed as skipped. A plain pickle of arrays is read too.
///
/// # Errors
/// A damaged file; a file that asks to call something, as whole pickled networks do (named in the message);
/// TorchScript; a tensor outside its storage.
pub fn read(path: impl AsRef<Path>) -> Result<Named> {
    let path = path.as_ref();
    parse(&path.display().to_string(), &bytes::load(path)?)
}

/// As [`read`], from bytes; `name` is used in messages.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Named> {
    parse_value(name, bytes).and_then(|v| state_dict(v).map_err(|e| e.within(name)))
}

/// The whole object of the file: a checkpoint's epoch and optimizer state too.
///
/// # Errors
/// As [`read`].
pub fn read_value(path: impl AsRef<Path>) -> Result<Pickle> {
    let path = path.as_ref();
    parse_value(&path.display().to_string(), &bytes::load(path)?)
}

/// That a file is a TorchScript program, and whole: libtorch does not look at the checksums of all it reads.
///
/// # Errors
/// Another kind of file; a damaged one.
pub fn check_script(path: &Path) -> Result<()> {
    const HOW: &str = "in Python: torch.jit.script(model).save(\"net.pt\")";
    let check = || {
        let bytes = bytes::load(path)?;
        if !bytes.starts_with(b"PK") {
            return Err(Error::new("is no TorchScript program").hint(HOW));
        }
        let mut archive = Archive::open(&bytes)?;
        let names = archive.names();
        if !is_script(&names) {
            return Err(match is_torch(&names) {
                true => Error::new("is a file of torch.save, not a TorchScript program").hint(format!(
                    "weights go into a network: net.load(path), models::resnet18(#{{weights: path}}); a program is \
                     made {HOW}"
                )),
                false => Error::new("is a zip archive, but no TorchScript program").hint(HOW),
            });
        }
        names.iter().try_for_each(|n| archive.get(n).map(drop))
    };
    let shown = path.display().to_string();
    check().map_err(|e: Error| if e.msg.starts_with(&shown) { e } else { e.within(&shown) })
}

/// As [`read_value`], from bytes; `name` is used in messages.
pub fn parse_value(name: &str, bytes: &[u8]) -> Result<Pickle> {
    let value = || {
        let bytes = bytes::plain(bytes)?;
        if bytes.starts_with(b"PK") { zipped(&mut Archive::open(&bytes)?) } else { legacy(&bytes) }
    };
    value().map_err(|e| e.within(name))
}

/// The state dict inside an object.
pub(super) fn state_dict(value: Pickle) -> Result<Named> {
    let (inner, beside) = unwrapped(value);
    let mut named = inner.named()?;
    named.skipped.extend(beside);
    if !named.tensors.is_empty() && named.tensors.iter().all(|(name, _)| name.starts_with("module.")) {
        for (name, _) in &mut named.tensors {
            name.drain(.."module.".len());
        }
    }
    Ok(named)
}

/// The dictionary under a wrapper's key, and what lies beside it.
fn unwrapped(value: Pickle) -> (Pickle, Vec<String>) {
    let wrapper =
        WRAPPERS.iter().find(|w| matches!(value.get(w), Some(Pickle::Dict(inner)) if !inner.is_empty()));
    match (value, wrapper) {
        (Pickle::Dict(entries), Some(wrapper)) => {
            let (mut inner, mut beside) = (Pickle::None, Vec::new());
            for (key, value) in entries {
                match key {
                    Pickle::Str(key) if key == *wrapper => inner = value,
                    Pickle::Str(key) => beside.push(format!("{key} ({})", value.kind())),
                    key => beside.push(format!("<{}> ({})", key.kind(), value.kind())),
                }
            }
            (inner, beside)
        }
        (value, _) => (value, Vec::new()),
    }
}

/// Whether an archive's entries are those of a PyTorch file.
pub(super) fn is_torch(names: &[String]) -> bool {
    names.iter().any(|n| is_record(n, "data.pkl") || is_record(n, "constants.pkl"))
}

/// Whether they are those of a TorchScript program.
fn is_script(names: &[String]) -> bool {
    names.iter().any(|n| is_record(n, "constants.pkl") || n.contains("/code/"))
}

/// `prefix/what`, where PyTorch makes the prefix of the file's name.
fn is_record(name: &str, what: &str) -> bool {
    name.strip_suffix(what)
        .is_some_and(|prefix| prefix.is_empty() || prefix.find('/') == Some(prefix.len() - 1))
}

pub(super) fn zipped(archive: &mut Archive<'_>) -> Result<Pickle> {
    let names = archive.names();
    if is_script(&names) {
        return Err(Error::new("is a TorchScript archive (a compiled program), not a state dict").hint(
            "in Python: torch.save(torch.jit.load(path).state_dict(), \"weights.pth\"), then read weights.pth",
        ));
    }
    let pickle = names
        .iter()
        .find(|n| is_record(n, "data.pkl"))
        .ok_or_else(|| Error::new("is a zip archive, but no PyTorch file: it has no data.pkl"))?;
    let prefix = pickle.trim_end_matches("data.pkl");
    let order = format!("{prefix}byteorder");
    let big = names.contains(&order) && &archive.get(&order)?[..] == b"big";
    let bytes = archive.get(pickle)?;
    let (graph, _) = Graph::load(&bytes, 0, true).map_err(|e| e.within("data.pkl"))?;
    let mut storages = Vec::with_capacity(graph.storages().len());
    for storage in graph.storages() {
        let name = format!("{prefix}data/{}", storage.key);
        let record = archive.get(&name)?;
        storages.push(
            elements(&record, storage.numel, storage.kind, big).map_err(|e| e.within(name.escape_debug()))?,
        );
    }
    graph.value(&storages)
}

/// The format before PyTorch 1.6: five pickles (magic number, version, system, object, keys of storages),
/// then the storages. Anything else that is a pickle is returned as it is.
pub(super) fn legacy(bytes: &[u8]) -> Result<Pickle> {
    if bytes.get(257..262) == Some(b"ustar") {
        return Err(Error::new("is a tar archive of PyTorch 0.1, which is not read")
            .hint("in Python: torch.save(torch.load(path), \"weights.pth\"), then read weights.pth"));
    }
    let (first, at) = Graph::load(bytes, 0, false)?;
    let first = first.value(&[])?;
    if !matches!(&first, Pickle::BigInt(n) if is_magic(n)) {
        return Ok(first);
    }
    let (version, at) = Graph::load(bytes, at, false)?;
    if !matches!(version.value(&[])?, Pickle::Int(1001)) {
        return Err(Error::new("an unknown version of PyTorch's older format"));
    }
    let (system, at) = Graph::load(bytes, at, false)?;
    let big = matches!(system.value(&[])?.get("little_endian"), Some(Pickle::Bool(false)));
    let (graph, at) = Graph::load(bytes, at, true)?;
    let (keys, at) = Graph::load(bytes, at, false)?;
    let Pickle::List(keys) = keys.value(&[])? else {
        return Err(Error::new("the list of storages is missing"));
    };
    let mut cur = Cursor { bytes, at };
    let mut read: HashMap<String, Tensor> = HashMap::new();
    for key in keys {
        let storage = match &key {
            Pickle::Str(key) => graph.storage(key),
            _ => None,
        };
        let storage = storage.ok_or_else(|| Error::new("a storage that no tensor uses"))?;
        let declared = i64::from_le_bytes(cur.array()?);
        let size = storage.kind.elt_size_in_bytes();
        if usize::try_from(declared).ok() != Some(storage.numel) {
            return Err(Error::new(format!("a storage of {declared} elements, {} expected", storage.numel)));
        }
        let raw = cur.take((storage.numel as u64).saturating_mul(size as u64))?;
        read.insert(storage.key.clone(), elements(raw, storage.numel, storage.kind, big)?);
    }
    let missing = |key: &str| Error::new(format!("storage `{}` is missing", key.escape_debug()));
    let storages: Result<Vec<_>> =
        graph.storages().iter().map(|s| read.remove(&s.key).ok_or_else(|| missing(&s.key))).collect();
    graph.value(&storages?)
}

/// Pickles of other protocols write the sign byte too.
fn is_magic(n: &[u8]) -> bool {
    n.starts_with(&MAGIC) && n[MAGIC.len()..].iter().all(|&b| b == 0)
}

/// A storage `[numel]` from its bytes; a file may hold more than are used.
fn elements(bytes: &[u8], numel: usize, kind: Kind, big: bool) -> Result<Tensor> {
    let size = kind.elt_size_in_bytes();
    let need = numel.saturating_mul(size);
    let used = bytes
        .get(..need)
        .ok_or_else(|| Error::new(format!("{need} bytes expected, {} are there", bytes.len())))?;
    let part = if matches!(kind, Kind::ComplexFloat | Kind::ComplexDouble) { size / 2 } else { size };
    if big {
        return bytes::tensor(&bytes::swapped(used, part), &[numel as i64], kind);
    }
    bytes::tensor(used, &[numel as i64], kind)
}
