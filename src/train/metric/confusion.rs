//! Which class is taken for which: the confusion matrix, its picture, and the measures read off it.

use super::rows;
use crate::core::value::{IntoValue, record};
use crate::core::{Error, Opts, Result, Value};
use crate::image::Picture;
use crate::plot::{self, PlotOptions};
use tch::{Device, Kind, Tensor};

options! {
    /// Names of the classes.
    pub struct ClassNames {
        /// Names of the classes; their numbers if left out.
        classes: Vec<String> = Vec::new() => "[]",
    }
}

options! {
    /// How a confusion matrix is drawn.
    pub struct ConfusionOptions {
        /// Names of the classes; their numbers if left out.
        classes: Vec<String> = Vec::new() => "[]",
        /// Shares of each true class instead of counts.
        normalize: bool = false,
    }
}

/// A confusion matrix [C, C] and the names of its classes.
struct Confusion {
    counts: Vec<Vec<f64>>,
    names: Vec<String>,
}

impl Confusion {
    fn read(matrix: &Tensor, names: Vec<String>) -> Result<Self> {
        let size = matrix.size();
        if size.len() != 2 || size[0] != size[1] || size[0] == 0 {
            return Err(Error::new(format!("expected a confusion matrix [C, C], got {size:?}"))
                .hint("metrics::confusion(output, target) makes one"));
        }
        let n = size[0] as usize;
        if !names.is_empty() && names.len() != n {
            return Err(
                Error::new(format!("{} names for {n} classes", names.len())).within("option `classes`")
            );
        }
        let flat =
            Vec::<f64>::try_from(matrix.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?.f_flatten(0, 1)?)?;
        let names = if names.is_empty() { (0..n).map(|i| i.to_string()).collect() } else { names };
        Ok(Self { counts: flat.chunks(n).map(<[f64]>::to_vec).collect(), names })
    }

    fn support(&self, class: usize) -> f64 {
        self.counts[class].iter().sum()
    }
}

/// `a / b`, and 0 where there is nothing to divide by, as scikit-learn's `zero_division=0`.
fn share(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

functions! {
    in "metrics";
    /// How often each class (row) was taken for each (column): integers [C, C].
    ///
    /// `output` [N, C] and `target` [N]. As sklearn.metrics.confusion_matrix.
    /// ```rhai
    /// metrics::confusion(tensor::of([[0.1, 0.9], [0.8, 0.2]]), tensor::of([1, 1])).to_list() // => [[0, 0], [1, 1]]
    /// ```
    fn confusion(output: Tensor, target: Tensor) -> Tensor {
        let (_, classes) = rows("confusion", &output, &target)?;
        let taken = output.f_argmax(1, false)?;
        let cell = target.f_mul_scalar(classes)?.f_add(&taken)?;
        cell.f_bincount(None::<&Tensor>, classes * classes)?.f_view([classes, classes])?
    }

    /// Precision, recall, F1 and number of pictures of every class.
    ///
    /// One map a class, with `class`, `precision`, `recall`, `f1`, `support`; then `macro avg` and `weighted avg`.
    /// What has no pictures is 0. As sklearn.metrics.classification_report with `zero_division=0`;
    /// `report::table(["class", "f1"], …)` prints it.
    /// ```rhai
    /// let rows = metrics::per_class(tensor::of([[3, 1], [0, 4]]), #{classes: ["cat", "dog"]});
    /// rows[0].recall // => 0.75
    /// rows[1].precision // => 0.8
    /// ```
    fn per_class(confusion: Tensor, options: Opts<ClassNames>) -> Value {
        let m = Confusion::read(&confusion, options.0.classes)?;
        let n = m.names.len();
        let measures = |i: usize| {
            let (right, taken) = (m.counts[i][i], m.counts.iter().map(|r| r[i]).sum::<f64>());
            let (precision, recall) = (share(right, taken), share(right, m.support(i)));
            [precision, recall, share(2.0 * right, taken + m.support(i))]
        };
        let all: f64 = (0..n).map(|i| m.support(i)).sum();
        let mean = |weight: &dyn Fn(usize) -> f64| {
            let mut sum = [0.0; 3];
            (0..n).for_each(|i| measures(i).iter().zip(&mut sum).for_each(|(v, s)| *s += v * weight(i)));
            sum
        };
        let row = |name: &str, [precision, recall, f1]: [f64; 3], support: f64| {
            record([("class", name.into_value()), ("precision", precision.into_value()), ("recall", recall.into_value()),
                    ("f1", f1.into_value()), ("support", (support as i64).into_value())])
        };
        let mut rows: Vec<Value> = (0..n).map(|i| row(&m.names[i], measures(i), m.support(i))).collect();
        rows.push(row("macro avg", mean(&|_| 1.0 / n as f64), all));
        rows.push(row("weighted avg", mean(&|i| share(m.support(i), all)), all));
        Value::List(rows)
    }

    /// The pairs of classes that are taken for each other most often, `n` of them.
    ///
    /// Maps with `class`, `taken_for`, `count` and `share`, the part of the class's pictures.
    /// ```rhai
    /// metrics::most_confused(tensor::of([[3, 1], [2, 4]]), 1, #{classes: ["cat", "dog"]}) // => [#{"class": "dog", "count": 2, "share": 0.3333333333333333, "taken_for": "cat"}]
    /// ```
    fn most_confused(confusion: Tensor, n: Option<usize>, options: Opts<ClassNames>) -> Value {
        let m = Confusion::read(&confusion, options.0.classes)?;
        let classes = m.names.len();
        let pairs = (0..classes * classes).map(|k| (k / classes, k % classes));
        let mut wrong: Vec<_> = pairs.filter(|(i, j)| i != j && m.counts[*i][*j] > 0.0).collect();
        wrong.sort_by(|a, b| m.counts[b.0][b.1].total_cmp(&m.counts[a.0][a.1]));
        let one = |(i, j): (usize, usize)| {
            let count = m.counts[i][j];
            record([("class", m.names[i].clone().into_value()), ("taken_for", m.names[j].clone().into_value()),
                    ("count", (count as i64).into_value()), ("share", share(count, m.support(i)).into_value())])
        };
        Value::List(wrong.into_iter().take(n.unwrap_or(10)).map(one).collect())
    }

    in "plot";
    /// A confusion matrix as a picture.
    ///
    /// True classes in rows, what they were taken for in columns; more than twelve classes have numbers below.
    /// ```rhai
    /// plot::confusion(tensor::of([[3, 1], [0, 4]]), #{classes: ["cat", "dog"]}).width // => 960
    /// ```
    fn confusion(confusion: Tensor, options: Opts<(PlotOptions, ConfusionOptions)>) -> Picture {
        let (drawing, o) = options.0;
        let m = Confusion::read(&confusion, o.classes)?;
        let shown = |i: usize, v: f64| if o.normalize { share(v, m.support(i)) } else { v };
        let values: Vec<f64> = m.counts.iter().enumerate().flat_map(|(i, r)| r.iter().map(move |v| (i, *v))).map(|(i, v)| shown(i, v)).collect();
        let text = |v: &f64| if *v == 0.0 { String::new() } else if o.normalize { format!("{v:.2}") } else { format!("{v:.0}") };
        let texts: Vec<String> = values.iter().map(text).collect();
        let mut d = drawing.drawing();
        d.label("taken for", "true class");
        Picture::from(plot::matrix(&values, &m.names, &m.names, &texts, &d)?)
    }
}
