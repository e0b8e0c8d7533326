//! Element types and devices: their names, and moving tensors between them.

use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Result, Value, device};
use tch::{Device, Kind, Tensor};

/// Names as `dtype` gives them, with PyTorch's short names.
const NAMES: &[(&str, &str, Kind)] = &[
    ("float32", "float", Kind::Float),
    ("float64", "double", Kind::Double),
    ("float16", "half", Kind::Half),
    ("bfloat16", "bfloat16", Kind::BFloat16),
    ("int64", "long", Kind::Int64),
    ("int32", "int", Kind::Int),
    ("int16", "short", Kind::Int16),
    ("int8", "char", Kind::Int8),
    ("uint8", "byte", Kind::Uint8),
    ("bool", "bool", Kind::Bool),
];

/// The name of an element type: `float32`, `int64` …
pub fn name(kind: Kind) -> String {
    NAMES.iter().find(|n| n.2 == kind).map_or_else(|| format!("{kind:?}").to_lowercase(), |n| n.0.to_string())
}

fn find(text: &str) -> Option<Kind> {
    let text = text.strip_prefix("torch.").unwrap_or(text);
    NAMES.iter().find(|n| n.0 == text || n.1 == text).map(|n| n.2)
}

/// An element type, by name.
#[derive(Clone, Copy)]
pub struct Dtype(pub Kind);

impl FromValue for Dtype {
    const TYPE: &'static str = "dtype";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Str(s) => {
                find(s).map(Dtype).ok_or_else(|| Error::unknown("dtype", s, NAMES.iter().map(|n| n.0)))
            }
            _ => mismatch("name of a dtype, such as \"float32\"", v),
        }
    }
}

/// A device, by name.
#[derive(Clone, Copy)]
pub struct DeviceName(pub Device);

impl FromValue for DeviceName {
    const TYPE: &'static str = "device";
    const OF_MACHINE: bool = true;
    fn from_value(v: &Value) -> Result<Self> {
        device::parse(&String::from_value(v)?).map(DeviceName)
    }
}

functions! {
    on "Tensor";
    /// The tensor as another dtype, on another device, or like another tensor.
    ///
    /// `to` is a dtype (`float32`, `float64`, `float16`, `bfloat16`, `int64`, `int32`, `int16`, `int8`, `uint8`,
    /// `bool`), a device (`cpu`, `cuda`, `cuda:1`) or a tensor whose dtype and device are taken; `dtype` may follow
    /// a device.
    /// ```rhai
    /// tensor([1, 2]).to("float64") // => tensor([1., 2.], dtype=torch.float64)
    /// tensor([1, 2]).to("cpu", "float32") // => tensor([1., 2.])
    /// tensor([1, 2]).to("flot32") // error: unknown dtype or device `flot32`; did you mean `float32`?
    /// ```
    fn to(x: Tensor, to: Value, dtype: Option<Dtype>) -> Tensor {
        let moved = match &to {
            Value::Tensor(t) => x.f_to(t.device())?.f_to_kind(t.f_kind()?)?,
            Value::Str(s) => match find(s) {
                Some(kind) => x.f_to_kind(kind)?,
                None if s == "auto" || s == "cpu" || s.starts_with("cuda") => x.f_to(device::parse(s)?)?,
                None => {
                    let names = NAMES.iter().map(|n| n.0).chain(["cpu", "cuda", "cuda:1"]);
                    return Err(Error::unknown("dtype or device", s, names));
                }
            },
            other => return mismatch("dtype, device or Tensor", other),
        };
        match dtype {
            Some(d) => moved.f_to_kind(d.0)?,
            None => moved,
        }
    }

    /// The tensor as `float32`.
    /// ```rhai
    /// tensor([1, 2]).float() // => tensor([1., 2.])
    /// ```
    fn float(x: Tensor) -> Tensor { x.f_to_kind(Kind::Float)? }

    /// The tensor as `float64`.
    /// ```rhai
    /// tensor([1, 2]).double() // => tensor([1., 2.], dtype=torch.float64)
    /// ```
    fn double(x: Tensor) -> Tensor { x.f_to_kind(Kind::Double)? }

    /// The tensor as `float16`.
    /// ```rhai
    /// tensor([1, 2]).half() // => tensor([1., 2.], dtype=torch.float16)
    /// ```
    fn half(x: Tensor) -> Tensor { x.f_to_kind(Kind::Half)? }

    /// The tensor as `bfloat16`.
    /// ```rhai
    /// tensor([1, 2]).bfloat16() // => tensor([1., 2.], dtype=torch.bfloat16)
    /// ```
    fn bfloat16(x: Tensor) -> Tensor { x.f_to_kind(Kind::BFloat16)? }

    /// The tensor as `int64`; fractions are cut off.
    /// ```rhai
    /// tensor([1.9, -1.9]).long() // => tensor([ 1, -1])
    /// ```
    fn long(x: Tensor) -> Tensor { x.f_to_kind(Kind::Int64)? }

    /// The tensor as `int32`; fractions are cut off.
    /// ```rhai
    /// tensor([1.9, -1.9]).int() // => tensor([ 1, -1], dtype=torch.int32)
    /// ```
    fn int(x: Tensor) -> Tensor { x.f_to_kind(Kind::Int)? }

    /// The tensor as `bool`: true where it is not zero.
    /// ```rhai
    /// tensor([0, 2]).bool() // => tensor([False,  True])
    /// ```
    fn bool(x: Tensor) -> Tensor { x.f_to_kind(Kind::Bool)? }

    /// The tensor with the dtype of another.
    /// ```rhai
    /// tensor([1, 2]).type_as(tensor([0.5])) // => tensor([1., 2.])
    /// ```
    fn type_as(x: Tensor, other: Tensor) -> Tensor { x.f_type_as(&other)? }

    /// The tensor on the CPU.
    /// ```rhai
    /// tensor([1, 2]).cpu() // => tensor([1, 2])
    /// ```
    fn cpu(x: Tensor) -> Tensor { x.f_to(Device::Cpu)? }

    /// True for `float32`, `float64`, `float16` and `bfloat16`.
    /// ```rhai
    /// tensor([1.5]).is_floating_point() // => true
    /// ```
    fn is_floating_point(x: Tensor) -> bool { x.f_is_floating_point()? }

    get "Tensor";
    /// The type of the elements, such as `float32`, `int64` or `bool`.
    /// ```rhai
    /// tensor([1, 2]).dtype // => "int64"
    /// ```
    fn dtype(x: Tensor) -> String { name(x.f_kind()?) }

    /// Where the tensor lives, such as `cpu` or `cuda:0`.
    /// ```rhai
    /// tensor([1, 2]).cpu().device // => "cpu"
    /// ```
    fn device(x: Tensor) -> String { device::name(x.device()) }
}
