//! How well classes of pixels were told: Shelhamer's measures, read off one confusion matrix of all pixels.

use super::confusion::ClassNames;
use crate::core::value::IntoValue;
use crate::core::{Error, Map, Opts, Result, Value};
use crate::data::IGNORE;
use tch::{Device, Kind, Tensor};

options! {
    /// Options of the measures of pixels.
    pub struct PixelOptions {
        /// How many classes there are; as many as the output has.
        classes: Option<i64> = None,
        /// Targets with this value do not count.
        ignore_index: i64 = IGNORE => -100,
    }
}

/// The classes [N, H, W] an output says: its own, or the highest of logits [N, C, H, W]; and how many there are.
///
/// # Errors
/// An output that is neither.
pub fn said(output: &Tensor, classes: Option<i64>) -> Result<(Tensor, i64)> {
    let s = output.size();
    match (s.len(), output.is_floating_point(), classes) {
        (4, true, None) => Ok((output.f_argmax(1, false)?, s[1])),
        (4, true, Some(c)) if c == s[1] => Ok((output.f_argmax(1, false)?, c)),
        (3, false, Some(c)) => Ok((output.f_to_kind(Kind::Int64)?, c)),
        (3, false, None) => Err(Error::new("how many classes are there?").hint("#{classes: 2}")),
        _ => Err(Error::new(format!(
            "expected logits [N, C, H, W] or whole-number classes [N, H, W], got {:?} {s:?}",
            output.kind()
        ))),
    }
}

/// How many pixels of each class (row) were taken for each (column): int64 [C, C].
///
/// # Errors
/// Shapes that do not fit; numbers that are no classes.
pub fn histogram(said: &Tensor, target: &Tensor, classes: i64, ignore: i64) -> Result<Tensor> {
    if said.size() != target.size() || target.kind() != Kind::Int64 {
        return Err(Error::new(format!(
            "the target must be classes (int64) {:?}, got {:?} {:?}",
            said.size(),
            target.kind(),
            target.size()
        )));
    }
    let counts = target.f_ne(ignore)?;
    if target.device() == Device::Cpu {
        for (name, t) in [("target", target), ("prediction", said)] {
            let outside = t.f_lt(0)?.f_logical_or(&t.f_ge(classes)?)?.f_logical_and(&counts)?;
            if outside.f_any()?.f_int64_value(&[])? != 0 {
                let bad = t.f_masked_select(&outside)?.f_int64_value(&[0])?;
                return Err(Error::new(format!(
                    "{name} {bad} is not a class: there are 0 to {}",
                    classes - 1
                )));
            }
        }
    }
    let cell = target.f_mul_scalar(classes)?.f_add(said)?;
    let cell = cell.f_masked_fill(&counts.f_logical_not()?, classes * classes)?.f_flatten(0, -1)?;
    let all = cell.f_bincount(None::<&Tensor>, classes * classes + 1)?;
    Ok(all.f_narrow(0, 0, classes * classes)?.f_view([classes, classes])?)
}

/// The measures of a class; not a number where there is nothing to measure.
#[derive(Clone, Copy, Debug)]
pub struct OfClass {
    /// Pixels of the class.
    pub pixels: f64,
    /// Share of them that were told.
    pub accuracy: f64,
    /// Intersection over union.
    pub iou: f64,
    /// Twice the intersection over both areas: F1.
    pub dice: f64,
}

/// The measures of a confusion matrix.
pub struct Overlap {
    /// Class by class.
    pub classes: Vec<OfClass>,
    /// Share of all pixels that were told.
    pub accuracy: f64,
}

/// The mean over the numbers there are.
pub fn mean(all: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, n) = all.into_iter().filter(|v| !v.is_nan()).fold((0.0, 0), |(s, n), v| (s + v, n + 1));
    sum / f64::from(n)
}

impl Overlap {
    /// Reads a matrix [C, C].
    ///
    /// # Errors
    /// Another shape.
    pub fn of(matrix: &Tensor) -> Result<Self> {
        let c = match matrix.size()[..] {
            [a, b] if a == b && a > 0 => a as usize,
            ref other => {
                return Err(Error::new(format!("expected a confusion matrix [C, C], got {other:?}"))
                    .hint("metrics::pixel_confusion(output, target) makes one"));
            }
        };
        let flat = matrix.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?.f_flatten(0, 1)?;
        let m = Vec::<f64>::try_from(flat)?;
        let one = |k: usize| {
            let (right, own) = (m[k * c + k], m[k * c..(k + 1) * c].iter().sum::<f64>());
            let taken: f64 = (0..c).map(|i| m[i * c + k]).sum();
            OfClass {
                pixels: own,
                accuracy: right / own,
                iou: right / (own + taken - right),
                dice: 2.0 * right / (own + taken),
            }
        };
        let right: f64 = (0..c).map(|k| m[k * c + k]).sum();
        Ok(Self { classes: (0..c).map(one).collect(), accuracy: right / m.iter().sum::<f64>() })
    }

    /// The mean over classes.
    pub fn mean(&self, of: impl Fn(&OfClass) -> f64) -> f64 {
        mean(self.classes.iter().map(of))
    }

    /// The mean IoU of the classes behind 0.
    pub fn foreground_iou(&self) -> f64 {
        mean(self.classes.iter().skip(1).map(|k| k.iou))
    }

    /// All measures by name.
    pub fn named(&self) -> [(&'static str, f64); 6] {
        let all: f64 = self.classes.iter().map(|k| k.pixels).sum();
        let weighted = self.classes.iter().filter(|k| k.pixels > 0.0).map(|k| k.pixels / all * k.iou).sum();
        [
            ("pixel_accuracy", self.accuracy),
            ("mean_accuracy", self.mean(|k| k.accuracy)),
            ("mean_iou", self.mean(|k| k.iou)),
            ("foreground_iou", self.foreground_iou()),
            ("frequency_weighted_iou", if all > 0.0 { weighted } else { f64::NAN }),
            ("mean_dice", self.mean(|k| k.dice)),
        ]
    }

    /// As scripts see it.
    pub fn to_map(&self, names: &[String]) -> Map {
        let row = |(i, k): (usize, &OfClass)| {
            let name = names.get(i).cloned().unwrap_or_else(|| i.to_string());
            let numbers = [("pixels", k.pixels), ("accuracy", k.accuracy), ("iou", k.iou), ("dice", k.dice)]
                .map(|(n, v)| (n, v.into_value()));
            let all = [("class", name.into_value())].into_iter().chain(numbers);
            Value::Map(all.map(|(n, v)| (n.to_string(), v)).collect())
        };
        let mut all: Map = self.named().into_iter().map(|(n, v)| (n.to_string(), v.into_value())).collect();
        all.insert("classes".to_string(), Value::List(self.classes.iter().enumerate().map(row).collect()));
        all
    }
}

functions! {
    in "metrics";
    /// How many pixels of each class (row) were taken for each (column): [C, C].
    ///
    /// `output` is logits [N, C, H, W], or the classes [N, H, W] with the option `classes`; `target` [N, H, W]. Matrices of
    /// several batches are added.
    /// ```rhai
    /// let said = tensor::of([[[0, 1], [1, 1]]]);
    /// metrics::pixel_confusion(said, tensor::of([[[0, 0], [1, -100]]]), #{classes: 2}).to_list() // => [[1, 1], [0, 1]]
    /// ```
    fn pixel_confusion(output: Tensor, target: Tensor, options: Opts<PixelOptions>) -> Tensor {
        let (said, classes) = said(&output, options.0.classes)?;
        histogram(&said, &target, classes, options.0.ignore_index)?
    }

    /// The measures of segmentation, read off the confusion matrix of all pixels.
    ///
    /// As Long, Shelhamer and Darrell 2015, section 5, with n_ij pixels of class i taken for j, t_i = Σ_j n_ij and
    /// u_i = Σ_j n_ji: `pixel_accuracy` Σ n_ii / Σ t_i; `mean_accuracy`, the mean of n_ii / t_i over the classes in the
    /// target; `mean_iou`, the mean of n_ii / (t_i + u_i - n_ii) over the classes in target or prediction; `foreground_iou`,
    /// the same without class 0; `frequency_weighted_iou` Σ t_i IoU_i / Σ t_i; `mean_dice`, the mean of
    /// 2 n_ii / (t_i + u_i). `classes` has a map a class with `class`, `pixels`, `accuracy`, `iou` and `dice`, not a number
    /// where the class is absent.
    /// ```rhai
    /// let m = metrics::overlap(tensor::of([[6, 2], [1, 3]]));
    /// m.mean_iou // ~> 0.5833
    /// m.foreground_iou // => 0.5
    /// ```
    fn overlap(confusion: Tensor, options: Opts<ClassNames>) -> Map {
        Overlap::of(&confusion)?.to_map(&options.0.classes)
    }
}
