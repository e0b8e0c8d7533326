//! Tensors as text: PyTorch's `repr` with its defaults (torch/_tensor_str.py), character for character. Of a tensor
//! that has a graph nothing is said: `grad_fn` has no counterpart here.

use super::convert::{floats, ints};
use super::dtype;
use crate::core::{Result, device};
use tch::{Device, Kind, Tensor};

/// Digits after the point.
const PRECISION: usize = 4;
/// More elements than this are summarised.
const THRESHOLD: usize = 1000;
/// Elements shown at either end of a summarised axis.
const EDGE: i64 = 3;
/// Letters in a line.
const WIDTH: usize = 80;

/// The tensor as PyTorch prints it.
pub fn show(t: &Tensor) -> String {
    text(t).unwrap_or_else(|e| format!("tensor(<{}>)", e.msg))
}

fn text(t: &Tensor) -> Result<String> {
    let indent = "tensor(".len();
    let (size, kind) = (t.size(), t.f_kind()?);
    let mut suffixes = Vec::new();
    if t.device() != Device::Cpu {
        suffixes.push(format!("device='{}'", device::name(t.device())));
    }
    let empty = t.numel() == 0;
    if empty && size.len() != 1 {
        suffixes.push(format!("size={}", tuple(&size)));
    }
    let plain = matches!(kind, Kind::Int64 | Kind::Bool | Kind::ComplexFloat) && !empty;
    if kind != Kind::Float && !plain {
        suffixes.push(format!("dtype=torch.{}", dtype::name(kind)));
    }
    if t.requires_grad() && t.f_is_leaf()? {
        suffixes.push("requires_grad=True".into());
    }
    let body = if empty {
        "[]".into()
    } else {
        let whole = t.numel() <= THRESHOLD;
        let shown = if whole { t.f_detach()? } else { edges(&t.f_detach()?)? };
        let (cells, width) = cells(&shown)?;
        Layout { whole, width, cells: &mut cells.into_iter() }.nest(&size, indent)
    };
    Ok(with_suffixes(format!("tensor({body}"), &suffixes, indent))
}

/// `(2, 3)`, as Python writes a shape.
fn tuple(size: &[i64]) -> String {
    let list: Vec<String> = size.iter().map(ToString::to_string).collect();
    format!("({}{})", list.join(", "), if size.len() == 1 { "," } else { "" })
}

fn with_suffixes(mut out: String, suffixes: &[String], indent: usize) -> String {
    let mut last = out.len() - out.rfind('\n').map_or(0, |i| i + 1) + 2;
    if out.contains('\n') {
        last -= 1;
    }
    for s in suffixes {
        if last + s.len() + 2 > WIDTH {
            out += &format!(",\n{}{s}", " ".repeat(indent));
            last = indent + s.len();
        } else {
            out += &format!(", {s}");
            last += s.len() + 2;
        }
    }
    out + ")"
}

/// The first and last elements of every long axis: all that a summary shows.
fn edges(t: &Tensor) -> Result<Tensor> {
    let mut t = t.shallow_clone();
    for (axis, n) in t.size().into_iter().enumerate().filter(|(_, n)| *n > 2 * EDGE) {
        let axis = axis as i64;
        t = Tensor::f_cat(&[t.f_narrow(axis, 0, EDGE)?, t.f_narrow(axis, n - EDGE, EDGE)?], axis)?;
    }
    Ok(t)
}

/// The elements as text, padded to one width, and that width.
fn cells(t: &Tensor) -> Result<(Vec<String>, usize)> {
    let kind = t.f_kind()?;
    if t.f_is_complex()? {
        let part = |i| -> Result<(Vec<String>, usize)> {
            Ok(numbers(&floats(&t.f_resolve_conj()?.f_view_as_real()?.f_select(-1, i)?)?))
        };
        let ((re, width), (im, im_width)) = (part(0)?, part(1)?);
        let join = |(re, im): (String, String)| match im.trim_start() {
            im if im.starts_with('-') => format!("{re}{im}j"),
            im => format!("{re}+{im}j"),
        };
        // PyTorch counts no sign between the parts.
        return Ok((re.into_iter().zip(im).map(join).collect(), width + im_width + 1));
    }
    if t.f_is_floating_point()? {
        return Ok(numbers(&floats(t)?));
    }
    let word = |v: i64| match (kind, v) {
        (Kind::Bool, 0) => "False".to_string(),
        (Kind::Bool, _) => "True".to_string(),
        _ => v.to_string(),
    };
    Ok(pad(ints(t)?.into_iter().map(word).collect(), None))
}

/// Right-aligns the texts to `width`, or to the longest.
fn pad(texts: Vec<String>, width: Option<usize>) -> (Vec<String>, usize) {
    let width = width.unwrap_or_else(|| texts.iter().map(String::len).max().unwrap_or(1));
    (texts.into_iter().map(|t| format!("{t:>width$}")).collect(), width)
}

/// Numbers in one notation for all. Zeros and what is not finite have no say in it, nor in the width.
fn numbers(values: &[f64]) -> (Vec<String>, usize) {
    let telling = || values.iter().copied().filter(|v| v.is_finite() && *v != 0.0);
    let whole = telling().all(|v| v == v.ceil());
    let (low, high) =
        telling().map(f64::abs).fold((f64::INFINITY, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
    let scientific = telling().next().is_some() && (high / low > 1000.0 || high > 1e8 || low < 1e-4);
    let write = |v: f64| match v {
        _ if v.is_nan() => "nan".to_string(),
        _ if v.is_infinite() => if v > 0.0 { "inf" } else { "-inf" }.to_string(),
        _ if scientific => exponent(v),
        _ if whole => format!("{v:.0}."),
        _ => format!("{v:.PRECISION$}"),
    };
    let width = telling().map(|v| write(v).len()).max().unwrap_or(1);
    pad(values.iter().copied().map(write).collect(), Some(width))
}

/// `1.0000e-05`: an exponent of at least two digits with its sign.
fn exponent(v: f64) -> String {
    let text = format!("{v:.PRECISION$e}");
    match text.split_once('e') {
        Some((m, e)) => match e.strip_prefix('-') {
            Some(e) => format!("{m}e-{e:0>2}"),
            None => format!("{m}e+{e:0>2}"),
        },
        None => text,
    }
}

struct Layout<'a> {
    whole: bool,
    width: usize,
    cells: &'a mut dyn Iterator<Item = String>,
}

impl Layout<'_> {
    /// Brackets, commas and line breaks of a tensor of shape `size` that starts at column `indent`.
    fn nest(&mut self, size: &[i64], indent: usize) -> String {
        let [n, inner @ ..] = size else { return self.cells.next().unwrap_or_default() };
        let gap = !self.whole && *n > 2 * EDGE;
        let shown = if gap { 2 * EDGE } else { *n };
        let mut parts: Vec<String> = (0..shown).map(|_| self.nest(inner, indent + 1)).collect();
        let margin = " ".repeat(indent + 1);
        if !inner.is_empty() {
            if gap {
                parts.insert(EDGE as usize, "...".into());
            }
            return format!("[{}]", parts.join(&format!(",{}{margin}", "\n".repeat(inner.len()))));
        }
        if gap {
            parts.insert(EDGE as usize, " ...".into());
        }
        let a_line = (WIDTH.saturating_sub(indent) / (self.width + 2)).max(1);
        let lines: Vec<String> = parts.chunks(a_line).map(|line| line.join(", ")).collect();
        format!("[{}]", lines.join(&format!(",\n{margin}")))
    }
}
