//! MNIST and the data sets in its format: four IDX files.

use super::Dataset;
use super::catalogue::{Store, plain_or_gz};
use super::memory::Memory;
use crate::core::pickle::{self, Pickle};
use crate::core::{Error, Map, Opts, Result, Value, bytes, idx, paths};
use std::path::{Path, PathBuf};
use tch::{Kind, Tensor};

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const CLOTHES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// The files of one half: `train` or `t10k`.
fn names(half: &str) -> [String; 2] {
    [format!("{half}-images-idx3-ubyte"), format!("{half}-labels-idx1-ubyte")]
}

/// `#{train, test}` from the files in `folder`.
fn load(name: &str, folder: &Path, classes: &[&str]) -> Result<Map> {
    let half = |half: &str, called: &str| -> Result<(String, Value)> {
        let file = |name: &str| {
            let missing = || Error::new(format!("{}: no such file", folder.join(name).display()));
            let hint = format!(
                "the folder holds {}, and the same of t10k, packed with gzip or not",
                names("train").join(", ")
            );
            plain_or_gz(folder, name).ok_or_else(|| missing().hint(hint))
        };
        let [images, labels] = names(half);
        let (images, labels) = (file(&images)?, file(&labels)?);
        let (x, y) = (idx::read(&images)?, idx::read(&labels)?);
        if x.dim() != 3 || x.f_kind()? != Kind::Uint8 {
            return Err(Error::new(format!(
                "{}: pictures are uint8 [N, H, W], got {:?}",
                images.display(),
                x.size()
            )));
        }
        if y.dim() != 1 || y.size()[0] != x.size()[0] {
            let (have, want) = (y.size(), x.size()[0]);
            return Err(Error::new(format!(
                "{}: {want} pictures, but labels of shape {have:?}",
                labels.display()
            )));
        }
        let classes = classes.iter().map(|c| c.to_string()).collect();
        let memory = Memory::new(x.f_unsqueeze(1)?, Some(y.f_to_kind(Kind::Int64)?), classes)
            .map_err(|e| e.within(labels.display()))?;
        Ok((called.to_string(), Value::object(Dataset::new(&format!("{name} {called}"), memory))))
    };
    Ok(Map::from([half("train", "train")?, half("t10k", "test")?]))
}

/// The folder the user names (torchvision's `MNIST/raw` in it is found too), or that of the catalogue.
fn folder(name: &str, theirs: &str, root: Option<PathBuf>) -> Result<PathBuf> {
    let Some(root) = root else { return Store::user()?.get(name) };
    let root = paths::readable(root)?;
    let first = &names("train")[0];
    let below = root.join(theirs).join("raw");
    Ok(if plain_or_gz(&root, first).is_none() && plain_or_gz(&below, first).is_some() { below } else { root })
}

/// The four IDX files in the pickle `((train, y), (validation, y), (test, y))` of float32 pixels byte / 256 and int64
/// labels: the training files hold its first two parts, one behind the other, as the original does.
pub(super) fn files_of_pickle(name: &str, packed: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let parts = items(pickle::parse(name, packed)?);
    let parts = parts.into_iter().map(|part| match <[Pickle; 2]>::try_from(items(part)) {
        Ok([Pickle::Array(x), Pickle::Array(y)]) => Ok((x, y)),
        _ => Err(Error::new(format!("{name}: pairs of arrays expected"))),
    });
    let Ok([train, validation, test]) = <[_; 3]>::try_from(parts.collect::<Result<Vec<_>>>()?) else {
        return Err(Error::new(format!("{name}: three parts expected")));
    };
    let mut files = Vec::new();
    for (half, parts) in [("train", vec![train, validation]), ("t10k", vec![test])] {
        let [images, labels] = names(half);
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for (pixels, labels) in parts {
            x.push(pixels_of(&pixels)?);
            y.push(to_bytes(&labels, &labels.f_to_kind(Kind::Uint8)?)?);
        }
        files.push((images, idx_file(&Tensor::f_cat(&x, 0)?)?));
        files.push((labels, idx_file(&Tensor::f_cat(&y, 0)?)?));
    }
    Ok(files)
}

fn items(p: Pickle) -> Vec<Pickle> {
    match p {
        Pickle::Tuple(items) | Pickle::List(items) => items,
        _ => Vec::new(),
    }
}

/// Pixels [N, S·S] of byte / 256 as bytes [N, S, S].
fn pixels_of(x: &Tensor) -> Result<Tensor> {
    let side = x.size().get(1).map_or(0, |n| (*n as f64).sqrt().round() as i64);
    if x.dim() != 2 || x.size()[1] != side * side {
        return Err(Error::new(format!(
            "rows of square pictures expected, got an array of shape {:?}",
            x.size()
        )));
    }
    let scaled = x.f_mul_scalar(256.0)?;
    to_bytes(&scaled, &scaled.f_round()?.f_to_kind(Kind::Uint8)?)?
        .f_reshape([-1, side, side])
        .map_err(Error::from)
}

/// `whole`, if it is `x` without loss.
fn to_bytes(x: &Tensor, whole: &Tensor) -> Result<Tensor> {
    match x.f_eq_tensor(&whole.f_to_kind(x.f_kind()?)?)?.f_all()?.f_int64_value(&[])? {
        0 => Err(Error::new("an array holds what is no byte")),
        _ => Ok(whole.shallow_clone()),
    }
}

/// uint8 of any shape as an IDX file.
fn idx_file(t: &Tensor) -> Result<Vec<u8>> {
    let mut file = vec![0, 0, 8, t.dim() as u8];
    t.size().iter().for_each(|n| file.extend((*n as u32).to_be_bytes()));
    file.extend(bytes::of(t)?);
    Ok(file)
}

options! {
    /// Options of `data::mnist` and `data::fashion_mnist`.
    pub struct MnistOptions {
        /// Folder of the IDX files, packed with gzip or not; without it they are fetched once.
        root: Option<PathBuf> = None,
    }
}

functions! {
    in "data";
    /// MNIST: 60,000 handwritten digits to learn from, 10,000 to test on.
    ///
    /// A map of two data sets `train` and `test`: inputs [1, 28, 28] in 0..1, classes "0" to "9". The first call
    /// fetches the files (11.6 to 20.3 MB) and says from where.
    /// ```rhai,no_run
    /// let digits = data::mnist();
    /// print(digits.train.len());
    /// digits.test.shape
    /// ```
    fn mnist(options: Opts<MnistOptions>) -> Map {
        load("mnist", &folder("mnist", "MNIST", options.0.root)?, &DIGITS)?
    }

    /// Fashion-MNIST: pieces of clothing in the format of MNIST, and harder.
    ///
    /// A map of two data sets `train` and `test`: inputs [1, 28, 28] in 0..1, classes "T-shirt/top" to "Ankle boot".
    /// The first call fetches the files (31 MB) and says from where.
    /// ```rhai,no_run
    /// let clothes = data::fashion_mnist();
    /// clothes.train.classes[1] // => Trouser
    /// ```
    fn fashion_mnist(options: Opts<MnistOptions>) -> Map {
        load("fashion_mnist", &folder("fashion_mnist", "FashionMNIST", options.0.root)?, &CLOTHES)?
    }
}
