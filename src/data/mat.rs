//! Lists in MATLAB's files of version 5 (.mat), as Stanford publishes them: cells of texts and vectors of numbers.

use crate::core::{Error, Result};
use flate2::read::ZlibDecoder;
use std::collections::BTreeMap;
use std::io::Read;

/// A variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Var {
    /// Numbers of any type.
    Numbers(Vec<f64>),
    /// A text.
    Text(String),
    /// A cell array.
    Cell(Vec<Var>),
    /// Something else.
    Other,
}

/// The most bytes a packed element may unpack to.
const MOST: u64 = 1 << 28;

/// One element: its type, its bytes, what follows.
fn element(b: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let word = |at: usize| Some(u32::from_le_bytes(b.get(at..at + 4)?.try_into().ok()?));
    let tag = word(0)?;
    if tag >> 16 != 0 {
        // A small element: type and length share a word.
        let n = (tag >> 16) as usize;
        return Some((tag & 0xffff, b.get(4..4 + n.min(4))?, b.get(8..)?));
    }
    let n = word(4)? as usize;
    let data = b.get(8..8usize.checked_add(n)?)?;
    // Packed elements are not padded.
    let next = if tag == 15 { 8 + n } else { 8 + n.div_ceil(8) * 8 };
    Some((tag, data, b.get(next..).unwrap_or_default()))
}

fn numbers(kind: u32, b: &[u8]) -> Vec<f64> {
    macro_rules! read {
        ($t:ty) => {
            b.chunks_exact(size_of::<$t>())
                .filter_map(|c| Some(<$t>::from_le_bytes(c.try_into().ok()?) as f64))
                .collect()
        };
    }
    match kind {
        1 => read!(i8),
        2 | 16 => read!(u8),
        3 => read!(i16),
        4 | 17 => read!(u16),
        5 => read!(i32),
        6 => read!(u32),
        7 => read!(f32),
        9 => read!(f64),
        12 => read!(i64),
        13 => read!(u64),
        _ => Vec::new(),
    }
}

/// A matrix: its name and value.
fn matrix(b: &[u8], depth: usize) -> Option<(String, Var)> {
    let (_, flags, rest) = element(b)?;
    let (_, _, rest) = element(rest)?;
    let (_, name, mut rest) = element(rest)?;
    let name = String::from_utf8_lossy(name).into_owned();
    let var = match flags.first()? {
        1 if depth < 4 => {
            let mut cells = Vec::new();
            while let Some((14, inner, next)) = element(rest) {
                cells.push(matrix(inner, depth + 1).map_or(Var::Other, |(_, v)| v));
                rest = next;
            }
            Var::Cell(cells)
        }
        4 => {
            let (kind, data, _) = element(rest)?;
            let letter = |n: &f64| char::from_u32(*n as u32);
            Var::Text(numbers(kind, data).iter().filter_map(letter).collect())
        }
        6..=15 => {
            let (kind, data, _) = element(rest)?;
            Var::Numbers(numbers(kind, data))
        }
        _ => Var::Other,
    };
    Some((name, var))
}

/// The variables of a file by name.
///
/// # Errors
/// Not a .mat file of version 5 in little-endian order; damage.
pub fn parse(bytes: &[u8]) -> Result<BTreeMap<String, Var>> {
    if bytes.get(124..128) != Some(&[0x00, 0x01, b'I', b'M']) {
        return Err(Error::new("not a MATLAB file of version 5").hint("save it with -v7 or older"));
    }
    let damaged = || Error::new("the MATLAB file is damaged or cut off");
    let mut rest = bytes.get(128..).unwrap_or_default();
    let mut all = BTreeMap::new();
    while !rest.is_empty() {
        let (kind, data, next) = element(rest).ok_or_else(damaged)?;
        rest = next;
        let (name, var) = if kind == 15 {
            let mut plain = Vec::new();
            ZlibDecoder::new(data).take(MOST).read_to_end(&mut plain).map_err(|_| damaged())?;
            let (_, inner, _) = element(&plain).ok_or_else(damaged)?;
            matrix(inner, 0).ok_or_else(damaged)?
        } else {
            matrix(data, 0).ok_or_else(damaged)?
        };
        all.insert(name, var);
    }
    Ok(all)
}
