//! Bytes of files and what the readers share: loading, unpacking gzip, walking with bounds checked,
//! and the way from bytes to a tensor and back.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use tch::{Device, Kind, Tensor};

use crate::core::{Error, Result};

/// Deflate packs at most 1032 to 1: whatever declares more lies.
const DEFLATE_RATIO: u64 = 1032;
/// More axes than NumPy allows are a sign of damage.
const MAX_AXES: usize = 64;

/// A file's bytes, as they are on disk.
///
/// # Errors
/// No such file, a folder, no permission, or more bytes than there is memory.
pub fn load(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let path = path.as_ref();
    let mut file = File::open(path).map_err(|e| Error::io(path, &e))?;
    let meta = file.metadata().map_err(|e| Error::io(path, &e))?;
    if !meta.is_file() {
        return Err(Error::new(format!("{}: is not a file", path.display())));
    }
    let mut bytes = reserved(meta.len()).map_err(|e| e.within(path.display()))?;
    file.read_to_end(&mut bytes).map_err(|e| Error::io(path, &e))?;
    Ok(bytes)
}

/// The bytes themselves, or what they hold when they are gzip.
///
/// # Errors
/// Damaged gzip data.
pub fn plain(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    // The last four bytes give the size: a hint only, for it is taken modulo 2^32.
    let hint = bytes.last_chunk::<4>().map_or(0, |b| u64::from(u32::from_le_bytes(*b)));
    unpack(MultiGzDecoder::new(bytes), bytes.len(), hint)
        .map(Cow::Owned)
        .map_err(|e| e.within("damaged gzip data"))
}

/// Reads `source`, a deflate stream `packed` bytes long that is said to hold `declared` bytes.
///
/// # Errors
/// Damaged data, or more of it than `packed` bytes can hold.
pub fn unpack(source: impl Read, packed: usize, declared: u64) -> Result<Vec<u8>> {
    let most = ratio_limit(packed);
    let mut bytes = reserved(declared.min(most))?;
    source.take(most + 1).read_to_end(&mut bytes).map_err(|e| Error::new(e.to_string()))?;
    if bytes.len() as u64 > most {
        return Err(Error::new(format!("{packed} packed bytes cannot hold more than {most}")));
    }
    Ok(bytes)
}

/// The most bytes that `packed` deflated bytes can hold.
pub fn ratio_limit(packed: usize) -> u64 {
    (packed as u64).saturating_mul(DEFLATE_RATIO).saturating_add(64)
}

/// An empty vector with room for `len` bytes; unlike `with_capacity` it cannot abort the process.
fn reserved(len: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    usize::try_from(len)
        .ok()
        .and_then(|n| bytes.try_reserve_exact(n.saturating_add(1)).ok())
        .ok_or_else(|| Error::new(format!("not enough memory for {len} bytes")))?;
    Ok(bytes)
}

/// A position in bytes; every step is checked.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    /// All bytes.
    pub bytes: &'a [u8],
    /// Where the next step starts.
    pub at: usize,
}

impl<'a> Cursor<'a> {
    /// At the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: u64) -> Result<&'a [u8]> {
        let rest = self.rest();
        let part = usize::try_from(n).ok().and_then(|n| rest.get(..n)).ok_or_else(|| {
            let (at, left) = (self.at, rest.len());
            Error::new(format!("ends too early: {n} bytes expected at byte {at}, {left} are there"))
                .hint("the file is incomplete or damaged; fetch it again")
        })?;
        self.at += part.len();
        Ok(part)
    }

    /// The next `N` bytes as an array, for `from_le_bytes` and its like.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let part = self.take(N as u64)?;
        part.first_chunk().copied().ok_or_else(|| Error::new("ends too early"))
    }

    /// The next byte.
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    /// The bytes up to the next line feed, which is passed over.
    pub fn line(&mut self) -> Result<&'a [u8]> {
        let rest = self.rest();
        let n = rest.iter().position(|&b| b == b'\n').ok_or_else(|| {
            Error::new(format!("ends too early: a line that starts at byte {} has no end", self.at))
        })?;
        self.at += n + 1;
        Ok(&rest[..n])
    }
}

/// The number of elements of a shape.
///
/// # Errors
/// A negative size, more than 64 axes, or a product beyond what can be addressed.
pub fn numel(shape: &[i64]) -> Result<usize> {
    let impossible = || {
        let shown: Vec<_> = shape.iter().take(8).collect();
        Error::new(format!("impossible shape {shown:?}"))
    };
    if shape.len() > MAX_AXES {
        return Err(impossible());
    }
    // Zeros count as ones here: libtorch multiplies the other sizes to get the strides.
    let mut most = 1_i64;
    for &n in shape {
        most = most.checked_mul(n.max(1)).filter(|&m| n >= 0 && m < i64::MAX / 16).ok_or_else(impossible)?;
    }
    let empty = shape.contains(&0);
    usize::try_from(if empty { 0 } else { most }).map_err(|_| impossible())
}

/// A tensor of the given shape from little-endian bytes; they are copied once.
///
/// # Errors
/// A number of bytes other than the shape asks for, an impossible shape, not enough memory.
pub fn tensor(bytes: &[u8], shape: &[i64], kind: Kind) -> Result<Tensor> {
    let want = numel(shape)?.saturating_mul(kind.elt_size_in_bytes());
    if bytes.len() != want {
        let have = bytes.len();
        return Err(Error::new(format!("shape {shape:?} of {kind:?} needs {want} bytes, {have} are there")));
    }
    if kind == Kind::Bool && bytes.iter().any(|&b| b > 1) {
        // A bool of another value than 0 and 1 is undefined behaviour in C++.
        let clean: Vec<u8> = bytes.iter().map(|&b| u8::from(b != 0)).collect();
        return Ok(Tensor::f_from_data_size(&clean, shape, kind)?);
    }
    Ok(Tensor::f_from_data_size(bytes, shape, kind)?)
}

/// A tensor's elements as little-endian bytes in row-major order; the tensor may be strided or on a GPU.
///
/// # Errors
/// A sparse or undefined tensor, not enough memory.
pub fn of(tensor: &Tensor) -> Result<Vec<u8>> {
    if !tensor.defined() || tensor.is_sparse() {
        return Err(Error::new("an undefined or sparse tensor cannot be written"));
    }
    let tensor = tensor.f_detach()?.f_to(Device::Cpu)?.f_contiguous()?;
    let numel = numel(&tensor.size())?;
    let len = numel * tensor.f_kind()?.elt_size_in_bytes();
    let mut bytes = reserved(len as u64)?;
    bytes.resize(len, 0);
    tensor.f_copy_data_u8(&mut bytes, numel)?;
    Ok(bytes)
}

/// The bytes with each element of `size` bytes reversed: from one byte order to the other.
pub fn swapped(bytes: &[u8], size: usize) -> Cow<'_, [u8]> {
    if size < 2 {
        return Cow::Borrowed(bytes);
    }
    let mut bytes = bytes.to_vec();
    bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    Cow::Owned(bytes)
}

/// An element type as NumPy writes it: `<f4`, `|b1`, `>i2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dtype {
    class: u8,
    size: usize,
    big: bool,
}

/// What [`Dtype::parse`] knows, for messages.
pub const DTYPES: &str =
    "bool, uint8, uint16, uint32, uint64, int8, int16, int32, int64, float16, float32, float64";

impl Dtype {
    /// The type of a NumPy code, or nothing when tensors have no such type.
    pub fn parse(code: &str) -> Option<Self> {
        let (big, code) = match code.as_bytes().first()? {
            b'>' | b'!' => (true, &code[1..]),
            b'<' | b'|' | b'=' => (false, &code[1..]),
            _ => (false, code),
        };
        let (class, size) = match code {
            "?" | "b1" => (b'b', 1),
            "i1" | "i2" | "i4" | "i8" | "u1" | "u2" | "u4" | "u8" | "f2" | "f4" | "f8" => {
                (code.as_bytes()[0], usize::from(code.as_bytes()[1] - b'0'))
            }
            _ => return None,
        };
        Some(Self { class, size, big })
    }

    /// The NumPy code of a tensor's type, little-endian; nothing for types that NumPy lacks (bfloat16).
    pub fn code(kind: Kind) -> Option<&'static str> {
        Some(match kind {
            Kind::Bool => "|b1",
            Kind::Uint8 => "|u1",
            Kind::Int8 => "|i1",
            Kind::Int16 => "<i2",
            Kind::Int => "<i4",
            Kind::Int64 => "<i8",
            Kind::Half => "<f2",
            Kind::Float => "<f4",
            Kind::Double => "<f8",
            _ => return None,
        })
    }

    /// `b` bool, `i` signed, `u` unsigned, `f` float.
    pub fn class(self) -> u8 {
        self.class
    }

    /// The same type in the byte order of NumPy's sign (`>` big, `<` little, `|` and `=` as it was).
    pub fn order(self, sign: &str) -> Self {
        Self { big: sign == ">" || (self.big && sign != "<"), ..self }
    }

    /// A tensor of the given shape. uint16 becomes int32 and uint32 int64, since tensors have no such
    /// types; uint64 becomes int64 as long as its values fit. `fortran`: the first index runs fastest.
    ///
    /// # Errors
    /// As [`tensor`], and a uint64 value of 2^63 or more.
    pub fn tensor(self, bytes: &[u8], shape: &[i64], fortran: bool) -> Result<Tensor> {
        let axes = shape.len() as i64;
        if fortran && axes > 1 {
            let turned: Vec<i64> = shape.iter().rev().copied().collect();
            let back: Vec<i64> = (0..axes).rev().collect();
            return Ok(self.tensor(bytes, &turned, false)?.f_permute(back)?.f_contiguous()?);
        }
        let bytes = if self.big { swapped(bytes, self.size) } else { Cow::Borrowed(bytes) };
        let kind = match (self.class, self.size) {
            (b'b', _) => Kind::Bool,
            (b'u', 1) => Kind::Uint8,
            (b'i', 1) => Kind::Int8,
            (b'i' | b'u', 2) => Kind::Int16,
            (b'i' | b'u', 4) => Kind::Int,
            (b'i' | b'u', _) => Kind::Int64,
            (_, 2) => Kind::Half,
            (_, 4) => Kind::Float,
            _ => Kind::Double,
        };
        let signed = tensor(&bytes, shape, kind)?;
        match (self.class, self.size) {
            (b'u', 2) => Ok(signed.f_totype(Kind::Int)?.f_bitwise_and(0xffff_i64)?),
            (b'u', 4) => Ok(signed.f_totype(Kind::Int64)?.f_bitwise_and(0xffff_ffff_i64)?),
            (b'u', 8) if bytes.chunks_exact(8).any(|b| b[7] > 0x7f) => {
                Err(Error::new("a uint64 value of 2^63 or more, which int64 cannot hold"))
            }
            _ => Ok(signed),
        }
    }
}
