//! NumPy's files: .npy (format versions 1 to 3) and .npz, in and out.

use std::io::Write;
use std::path::Path;

use tch::{Kind, Tensor};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::core::archive::Archive;
use crate::core::bytes::{self, Cursor, Dtype};
use crate::core::pickle::{Graph, Named, Pickle};
use crate::core::{Error, Result, atomic};

/// How an .npy file begins.
pub const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads the array of an .npy file (gzip or plain). uint16 and uint32 become int32 and int64.
///
/// # Errors
/// A damaged file, an element type that tensors have not.
pub fn read(path: impl AsRef<Path>) -> Result<Tensor> {
    let path = path.as_ref();
    parse(&path.display().to_string(), &bytes::load(path)?)
}

/// As [`read`], from bytes; `name` is used in messages.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Tensor> {
    let value = || match value(&bytes::plain(bytes)?)? {
        Pickle::Array(tensor) => Ok(tensor),
        other => Err(Error::new(format!("holds a pickled {}, not an array of numbers", other.kind()))),
    };
    value().map_err(|e| e.within(name))
}

/// What an .npy file holds: an array, or the Python value of `np.save(…, allow_pickle=True)`, of which
/// nothing is executed.
pub(super) fn value(bytes: &[u8]) -> Result<Pickle> {
    let (header, body) = Header::split(bytes)?;
    if header.objects() {
        return Graph::load(body, 0, false)?.0.value(&[]);
    }
    let dtype = Dtype::parse(&header.descr).ok_or_else(|| {
        let shown: String = header.descr.escape_debug().take(60).collect();
        Error::new(format!("elements of type `{shown}`, which tensors have not"))
            .hint(format!("types that are read: {}", bytes::DTYPES))
    })?;
    dtype.tensor(body, &header.shape, header.fortran).map(Pickle::Array)
}

/// Reads the arrays of an .npz file with their names, in the file's order.
///
/// # Errors
/// As [`read`]. Entries of other element types (strings, records) are listed as skipped.
pub fn read_npz(path: impl AsRef<Path>) -> Result<Named> {
    let path = path.as_ref();
    parse_npz(&path.display().to_string(), &bytes::load(path)?)
}

/// As [`read_npz`], from bytes; `name` is used in messages.
pub fn parse_npz(name: &str, bytes: &[u8]) -> Result<Named> {
    let read = || Archive::open(bytes).and_then(|mut archive| entries(&mut archive));
    read().map_err(|e| e.within(name))
}

pub(super) fn entries(archive: &mut Archive<'_>) -> Result<Named> {
    let mut named = Named::default();
    for entry in archive.names() {
        let Some(key) = entry.strip_suffix(".npy") else {
            named.skipped.push(format!("{entry} (file)"));
            continue;
        };
        let bytes = archive.get(&entry)?;
        let read = || {
            let (header, _) = Header::split(&bytes)?;
            if header.objects() || Dtype::parse(&header.descr).is_some() {
                value(&bytes).map(Some)
            } else {
                Ok(None)
            }
        };
        match read().map_err(|e: Error| e.within(format!("entry `{}`", entry.escape_debug())))? {
            Some(Pickle::Array(tensor)) => named.tensors.push((key.to_string(), tensor)),
            Some(other) => named.add(key, other)?,
            None => named.skipped.push(format!("{key} (array of another type than numbers)")),
        }
    }
    Ok(named)
}

/// The bytes of an .npy file, as NumPy itself writes them. bfloat16, which NumPy lacks, becomes float32.
///
/// # Errors
/// A complex, quantised, sparse or undefined tensor.
pub fn encode(tensor: &Tensor) -> Result<Vec<u8>> {
    let widened;
    let tensor = if tensor.f_kind()? == Kind::BFloat16 {
        widened = tensor.f_totype(Kind::Float)?;
        &widened
    } else {
        tensor
    };
    let (kind, shape) = (tensor.f_kind()?, tensor.size());
    let descr =
        Dtype::code(kind).ok_or_else(|| Error::new(format!("NumPy files do not hold {kind:?} tensors")))?;
    let comma = if shape.len() == 1 { "," } else { "" };
    let sizes: Vec<String> = shape.iter().map(i64::to_string).collect();
    let sizes = sizes.join(", ");
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}{comma}), }}");
    // NumPy leaves room for the first size to grow to 21 digits, and aligns the data to 64 bytes.
    let grow = shape.first().map_or(0, |n| 21 - n.to_string().len());
    let used = MAGIC.len() + 4 + header.len() + grow + 1;
    header += &" ".repeat(grow + 64 - used % 64);
    header.push('\n');
    let data = bytes::of(tensor)?;
    let mut out = Vec::with_capacity(MAGIC.len() + 4 + header.len() + data.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[1, 0]);
    out.extend_from_slice(&(header.len() as u16).to_le_bytes());
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(&data);
    Ok(out)
}

/// Writes one tensor as an .npy file.
///
/// # Errors
/// As [`encode`] and [`atomic::write`].
pub fn write(path: impl AsRef<Path>, tensor: &Tensor) -> Result<()> {
    let path = path.as_ref();
    atomic::write(path, &encode(tensor).map_err(|e| e.within(path.display()))?)
}

/// Writes named tensors as an .npz file, deflated or stored; equal tensors give equal bytes.
///
/// # Errors
/// As [`write`], and two tensors of the same name.
pub fn write_npz(path: impl AsRef<Path>, tensors: &[(String, Tensor)], deflated: bool) -> Result<()> {
    let path = path.as_ref();
    let method = if deflated { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    atomic::write_with(path, |file| {
        let failed = |e: zip::result::ZipError| Error::new(format!("{}: {e}", path.display()));
        let mut zip = ZipWriter::new(file);
        for (name, tensor) in tensors {
            let data = encode(tensor).map_err(|e| e.within(format!("{}: `{name}`", path.display())))?;
            let large = data.len() as u64 >= u64::from(u32::MAX);
            let options = SimpleFileOptions::default().compression_method(method).large_file(large);
            zip.start_file(format!("{name}.npy"), options).map_err(failed)?;
            zip.write_all(&data).map_err(|e| Error::io(path, &e))?;
        }
        zip.finish().map_err(failed)?;
        Ok(())
    })
}

/// An .npy header: a Python dictionary of three entries.
struct Header {
    descr: String,
    fortran: bool,
    shape: Vec<i64>,
}

impl Header {
    /// The header, and the bytes after it.
    fn split(bytes: &[u8]) -> Result<(Self, &[u8])> {
        let mut cur = Cursor::new(bytes);
        if cur.take(MAGIC.len() as u64)? != MAGIC {
            return Err(Error::new("is no .npy file"));
        }
        let [major, minor] = cur.array()?;
        let len = match major {
            1 => u16::from_le_bytes(cur.array()?).into(),
            2 | 3 => u32::from_le_bytes(cur.array()?),
            _ => return Err(Error::new(format!(".npy version {major}.{minor}, known are 1 to 3"))),
        };
        let text = String::from_utf8_lossy(cur.take(len.into())?);
        let header = Self::parse(&text).ok_or_else(|| {
            let shown: String = text.trim().escape_debug().take(120).collect();
            Error::new(format!("header not understood: {shown}"))
        })?;
        Ok((header, cur.rest()))
    }

    fn parse(text: &str) -> Option<Self> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
        while !rest.is_empty() {
            let (key, after) = quoted(rest)?;
            let after = after.trim_start().strip_prefix(':')?.trim_start();
            rest = match key {
                "descr" if after.starts_with('[') => {
                    // Records: kept as they are, for the message.
                    let depth = |n: &mut i32, c: char| {
                        *n += i32::from(c == '[') - i32::from(c == ']');
                        Some(*n)
                    };
                    let end = after.chars().scan(0, depth).position(|n| n == 0)?;
                    let end = after.char_indices().nth(end)?.0 + 1;
                    descr = Some(after[..end].to_string());
                    &after[end..]
                }
                "descr" => {
                    let (value, after) = quoted(after)?;
                    descr = Some(value.to_string());
                    after
                }
                "fortran_order" => {
                    fortran = Some(after.starts_with("True"));
                    after.strip_prefix("True").or_else(|| after.strip_prefix("False"))?
                }
                "shape" => {
                    let (inside, after) = after.strip_prefix('(')?.split_once(')')?;
                    let sizes = inside.split(',').map(str::trim).filter(|n| !n.is_empty());
                    // Python 2 wrote `3L`.
                    shape = Some(sizes.map(|n| n.trim_end_matches('L').parse().ok()).collect::<Option<_>>()?);
                    after
                }
                _ => return None,
            };
            rest = rest.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        Some(Self { descr: descr?, fortran: fortran?, shape: shape? })
    }

    fn objects(&self) -> bool {
        matches!(self.descr.as_str(), "O" | "|O" | "|O8" | "O8")
    }
}

/// A quoted string at the start, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}
