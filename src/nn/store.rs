//! Checkpoints of networks: saving, loading whole or in part, with a report of what did not fit.

use super::{Net, Pair, init};
use crate::core::func::Func;
use crate::core::value::FromValue;
use crate::core::{Error, Opts, Result, Value, arrays, paths, recipe, safetensors};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
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

/// What a network's file says besides its tensors: what pictures it takes and what its outputs mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// Height and width of a picture.
    pub size: Option<[i64; 2]>,
    /// Taken off each channel of a picture with values in 0..1.
    pub mean: Vec<f64>,
    /// Divided by after that.
    pub std: Vec<f64>,
    /// Names of the classes.
    pub classes: Vec<String>,
}

/// The keys of the file's metadata.
const RECIPE: &str = "cs385.net";
const UNBUILT: &str = "cs385.no_net";
const ABOUT: [&str; 4] = ["cs385.size", "cs385.mean", "cs385.std", "cs385.classes"];

impl About {
    fn metadata(&self) -> impl Iterator<Item = (String, String)> {
        let some = |empty: bool, v: serde_json::Value| (!empty).then(|| v.to_string());
        let values = [
            self.size.map(|s| json!(s).to_string()),
            some(self.mean.is_empty(), json!(self.mean)),
            some(self.std.is_empty(), json!(self.std)),
            some(self.classes.is_empty(), json!(self.classes)),
        ];
        ABOUT.iter().zip(values).filter_map(|(key, v)| Some((key.to_string(), v?)))
    }

    fn read(metadata: &BTreeMap<String, String>) -> Result<Self> {
        fn one<T: serde::de::DeserializeOwned + Default>(
            m: &BTreeMap<String, String>,
            key: &str,
        ) -> Result<T> {
            let Some(text) = m.get(key) else { return Ok(T::default()) };
            serde_json::from_str(text)
                .map_err(|e| Error::new(format!("its entry `{key}` cannot be read: {e}")))
        }
        let [size, mean, std, classes] = ABOUT;
        let about = About {
            size: one(metadata, size)?,
            mean: one(metadata, mean)?,
            std: one(metadata, std)?,
            classes: one(metadata, classes)?,
        };
        match about.size {
            Some(s) if s.iter().any(|n| *n < 1) => Err(Error::new(format!("its entry `{size}` is {s:?}"))),
            _ => Ok(about),
        }
    }
}

impl Net {
    /// Writes all tensors by name; a `.safetensors` file also tells how to build the network.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, path: &Path, about: &About) -> Result<()> {
        let state = self.state()?;
        if !is_safetensors(path) {
            return arrays::write_named(path, &state);
        }
        let built = match self.recipe() {
            Ok(text) => (RECIPE.to_string(), text),
            Err(e) => (UNBUILT.to_string(), e.msg),
        };
        safetensors::write(path, &state, &about.metadata().chain([built]).collect())
    }

    /// The network of a file that tells how to build it.
    ///
    /// # Errors
    /// A file that cannot be read, or does not tell.
    pub fn open(path: &Path) -> Result<(Net, About)> {
        let open = || {
            if !is_safetensors(path) {
                return Err(untold("only .safetensors files tell how their network is built"));
            }
            let file = safetensors::read(path)?;
            let recipe = match (file.metadata.get(RECIPE), file.metadata.get(UNBUILT)) {
                (Some(recipe), _) => recipe,
                (None, Some(why)) => return Err(untold(why)),
                (None, None) => return Err(untold("the file does not tell how its network is built")),
            };
            let about = About::read(&file.metadata)?;
            let held: usize = file.tensors.iter().map(|(_, t)| t.numel()).sum();
            // Files of other programs may lack the counters of batch norms.
            let net = init::blank(held as i64 + 4096, || recipe::build(recipe, &builds_a_layer))?;
            let net = Net::from_value(&net)?;
            net.load_named(file.tensors, true)?;
            net.set_about(about.clone());
            Ok((net, about))
        };
        let shown = path.display().to_string();
        open().map_err(|e: Error| if e.msg.starts_with(&shown) { e } else { e.within(&shown) })
    }
}

fn untold(why: &str) -> Error {
    Error::new(why).hint("build the network in a script and read the weights with `net.load(path)`")
}

fn is_safetensors(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors"))
}

/// What a file may call: everything of `nn` and `models` that gives a network, but for what reads files (a model
/// itself refuses weights here).
fn builds_a_layer(f: &Func) -> bool {
    matches!(f.home, "nn" | "models") && f.ret == "Net" && !matches!(f.name(), "load" | "torchscript")
}

options! {
    /// Options of `net.save`, kept in `.safetensors` files.
    pub struct SaveOptions {
        /// Size of the pictures that the network takes.
        size: Option<Pair> = None,
        /// Mean of each channel that was taken off the pictures (values in 0..1).
        mean: Vec<f64> = Vec::new(),
        /// Standard deviation that they were divided by.
        std: Vec<f64> = Vec::new(),
        /// Names of the classes.
        classes: Vec<String> = Vec::new(),
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
    in "nn";
    /// The network of a `.safetensors` file that `net.save` or training wrote.
    ///
    /// The file tells how the network is built; nothing in it is executed. A network with a forward pass of a script
    /// (`nn::custom`) needs its script: there, build it and call `net.load(path)`.
    /// ```rhai
    /// nn::sequential([["fc", nn::linear(2, 3)], ["act", nn::relu()]]).save("net.safetensors");
    /// nn::load("net.safetensors").layers() // => ["fc", "act"]
    /// ```
    fn load(path: String) -> Net {
        Net::open(&paths::readable(&path)?)?.0
    }

    get "Net";
    /// The names of the classes, as far as the network knows them.
    ///
    /// From its file, its training data, or ImageNet's weights. Targets may then name a class: `"dog"` for its number.
    /// ```rhai
    /// nn::sequential([["fc", nn::linear(2, 2)]]).save("net.safetensors", #{classes: ["cat", "dog"]});
    /// nn::load("net.safetensors").classes // => ["cat", "dog"]
    /// ```
    fn classes(net: Net) -> Vec<String> {
        net.about().classes
    }

    on "Net";
    /// Writes all tensors by name: `.safetensors`, or `.npz`.
    ///
    /// A `.safetensors` file also tells how the network is built, for `nn::load` and `cs385 look`, and what the
    /// options say (left out: what its training or its own file said); PyTorch reads it as any other.
    /// ```rhai
    /// nn::linear(2, 2).save("fc.safetensors");
    /// nn::linear(2, 2).load("fc.safetensors").loaded // => 2
    /// ```
    fn save(net: Net, path: String, options: Opts<SaveOptions>) {
        let SaveOptions { size, mean, std, classes } = options.0;
        if mean.len() != std.len() {
            Err(Error::new(format!("`mean` and `std` go together, got {} and {} numbers", mean.len(), std.len())))?;
        }
        let size = size.map(|s| s.at_least(1, "size")).transpose()?;
        let known = net.about();
        let about = About {
            size: size.or(known.size),
            mean: if mean.is_empty() { known.mean } else { mean },
            std: if std.is_empty() { known.std } else { std },
            classes: if classes.is_empty() { known.classes } else { classes },
        };
        net.write(&paths::writable(&path)?, &about)?
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
