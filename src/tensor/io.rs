//! Files of tensors: `.npy`, `.npz`, `.safetensors`, and what else `core::arrays` reads.

use super::create::TensorOptions;
use crate::core::value::{FromValue, Map, mismatch};
use crate::core::{Opts, Result, Value, arrays, paths};
use std::path::PathBuf;
use tch::Tensor;

functions! {
    in "tensor";
    /// Reads a tensor from a file; of a file of several, a map of tensors by name.
    ///
    /// Read are `.npy`, `.npz`, `.safetensors`, PyTorch's `.pt` and `.pth` (nothing inside is executed), pickled
    /// arrays and IDX files. Relative paths are looked up in the run's folder, then in the current folder.
    /// ```rhai
    /// tensor::of([1, 2]).save("x.npy");
    /// tensor::load("x.npy") // => tensor([1, 2])
    /// tensor::load("no.npy") // error: no.npy: no such file or folder
    /// ```
    fn load(path: PathBuf, options: Opts<TensorOptions>) -> Value {
        let placed = |t: Tensor| options.0.like(&t, |(kind, _)| t.f_to_kind(kind)?.f_to(options.0.place()));
        let mut named = arrays::read_named(paths::readable(path)?)?;
        match named.pop() {
            Some((_, t)) if named.is_empty() => Value::Tensor(placed(t)?),
            last => {
                let all = named.into_iter().chain(last).map(|(name, t)| Ok((name, Value::Tensor(placed(t)?))));
                Value::Map(all.collect::<Result<_>>()?)
            }
        }
    }

    /// Writes a tensor, or a map of tensors by name, to a file.
    ///
    /// The ending says how: `.safetensors`, `.npz` or `.npy`.
    ///
    /// Relative paths lie in the run's folder. `.npy` holds one tensor.
    /// ```rhai
    /// tensor::save("all.safetensors", #{a: tensor::of([1, 2]), b: tensor::of([0.5])});
    /// tensor::load("all.safetensors").b // => tensor([0.5000])
    /// ```
    fn save(path: PathBuf, tensors: Value) {
        let named = match &tensors {
            Value::Tensor(t) => vec![("array".to_string(), t.f_detach()?)],
            Value::Map(map) => names(map)?,
            other => return mismatch("Tensor or map of tensors", other),
        };
        arrays::write_named(paths::writable(path)?, &named)?
    }

    on "Tensor";
    /// Writes the tensor to a `.npy`, `.npz` or `.safetensors` file.
    /// ```rhai
    /// tensor::of([0.5, 2]).save("x.safetensors");
    /// tensor::load("x.safetensors") // => tensor([0.5000, 2.0000])
    /// ```
    fn save(x: Tensor, path: PathBuf) {
        arrays::write_named(paths::writable(path)?, &[("array".to_string(), x.f_detach()?)])?
    }
}

fn names(map: &Map) -> Result<Vec<(String, Tensor)>> {
    let one = |(name, v): (&String, &Value)| match Tensor::from_value(v) {
        Ok(t) => Ok((name.clone(), t.f_detach()?)),
        Err(e) => Err(e.within(format!("`{name}`"))),
    };
    map.iter().map(one).collect()
}
