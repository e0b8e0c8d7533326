//! Checkpoints of networks: saving, loading whole or in part, with a report of what did not fit.

use super::Net;
use crate::core::{Error, Opts, Result, Value, arrays, paths};
use std::collections::BTreeMap;
use tch::Tensor;

/// What a checkpoint and a network did not share.
#[derive(Default)]
pub struct LoadReport {
    /// How many tensors were loaded.
    pub loaded: usize,
    /// In the network, not in the file.
    pub missing: Vec<String>,
    /// In the file, not in the network.
    pub unexpected: Vec<String>,
    /// In both, of different shape: `fc.weight: [120, 512] here, [1000, 512] in the file`.
    pub mismatched: Vec<String>,
}

impl LoadReport {
    /// Nothing missing, unexpected or mismatched.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.mismatched.is_empty()
    }

    /// `3 tensors missing (a, b, c); …`.
    pub fn describe(&self) -> String {
        let part = |what: &str, names: &[String]| match names.len() {
            0 => None,
            n if n > 4 => Some(format!("{n} {what} ({}, … {})", names[..3].join(", "), names[n - 1])),
            n => Some(format!("{n} {what} ({})", names.join(", "))),
        };
        let parts = [
            ("missing", &self.missing),
            ("unexpected", &self.unexpected),
            ("of other shape", &self.mismatched),
        ];
        parts.iter().filter_map(|(w, n)| part(w, n)).collect::<Vec<_>>().join("; ")
    }
}

impl Net {
    /// Copies tensors into the network by name. Nothing is copied when `strict` and something does not fit.
    ///
    /// # Errors
    /// `strict` and not everything fits; libtorch's.
    pub fn load_named(&self, tensors: Vec<(String, Tensor)>, strict: bool) -> Result<LoadReport> {
        let mut given: BTreeMap<String, Tensor> = tensors.into_iter().collect();
        let mut report = LoadReport::default();
        let mut copies = Vec::new();
        for (name, mine, _) in self.named() {
            match given.remove(&name) {
                // Older checkpoints lack this counter, and nothing computes with it.
                None if name.ends_with("num_batches_tracked") => {}
                None => report.missing.push(name),
                // A counter may have been saved as a list of one.
                Some(t) if t.numel() == 1 && mine.dim() == 0 => copies.push((mine, t.f_reshape([0i64; 0])?)),
                Some(t) if t.size() != mine.size() => {
                    report.mismatched.push(format!(
                        "{name}: {:?} here, {:?} in the file",
                        mine.size(),
                        t.size()
                    ));
                }
                Some(t) => copies.push((mine, t)),
            }
        }
        report.unexpected = given.into_keys().filter(|n| !n.ends_with("num_batches_tracked")).collect();
        if strict && !report.is_complete() {
            return Err(Error::new(format!(
                "the checkpoint does not fit the network: {}",
                report.describe()
            ))
            .hint("load what fits with #{strict: false}; the result lists what did not"));
        }
        report.loaded = copies.len();
        let _no_grad = tch::no_grad_guard();
        for (mut mine, t) in copies {
            mine.f_copy_(&t)?;
        }
        Ok(report)
    }

    /// All tensors by name, detached, on the CPU.
    ///
    /// # Errors
    /// libtorch's.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>> {
        let all = self.named().into_iter();
        all.map(|(n, t, _)| Ok((n, t.f_detach()?.f_to_device(tch::Device::Cpu)?.f_contiguous()?))).collect()
    }
}

options! {
    /// Options of `net.load`.
    pub struct LoadOptions {
        /// Everything must fit; otherwise what fits is loaded and the rest listed.
        strict: bool = true,
        /// Loads only the tensors under this name in the file, without it.
        prefix: String = String::new(),
    }
}

functions! {
    on "Net";
    /// Writes all tensors by name: `.safetensors`, or `.npz`.
    /// ```rhai
    /// nn::linear(2, 2).save("fc.safetensors");
    /// nn::linear(2, 2).load("fc.safetensors").loaded // => 2
    /// ```
    fn save(net: Net, path: String) {
        let to = paths::writable(&path)?;
        arrays::write_named(&to, &net.state()?)?
    }

    /// Reads tensors by name from `.safetensors`, `.npz`, `.pth` or `.pt`.
    ///
    /// PyTorch files may be state dicts of any age; nothing in them is executed.
    ///
    /// Gives a map with `loaded`, `missing`, `unexpected` and `mismatched`.
    /// ```rhai
    /// nn::linear(2, 2).save("fc.safetensors");
    /// nn::linear(3, 2).load("fc.safetensors") // error: of other shape (weight: [2, 3] here, [2, 2] in the file)
    /// ```
    fn load(net: Net, path: String, options: Opts<LoadOptions>) -> Value {
        let LoadOptions { strict, prefix } = options.0;
        let mut tensors = arrays::read_named(&paths::readable(&path)?)?;
        if !prefix.is_empty() {
            let dot = format!("{prefix}.");
            tensors = tensors.into_iter().filter_map(|(n, t)| Some((n.strip_prefix(&dot)?.to_string(), t))).collect();
        }
        let r = net.load_named(tensors, strict).map_err(|e| e.within(&path))?;
        let list = |v: Vec<String>| Value::List(v.into_iter().map(Value::Str).collect());
        Value::Map([
            ("loaded".to_string(), Value::Int(r.loaded as i64)),
            ("missing".to_string(), list(r.missing)),
            ("unexpected".to_string(), list(r.unexpected)),
            ("mismatched".to_string(), list(r.mismatched)),
        ].into())
    }
}
