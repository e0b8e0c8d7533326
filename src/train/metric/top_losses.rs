//! The pictures a classifier is most wrong about.

use super::rows;
use crate::core::Value;
use crate::core::value::{IntoValue, record};
use tch::{Kind, Reduction, Tensor};

functions! {
    in "metrics";
    /// The rows with the largest cross-entropy, worst first, `n` of them.
    ///
    /// `output` [N, C] holds logits, `target` [N] classes. Maps with `index` (the row), `loss`, `target`, `taken_for` and
    /// `confidence` in what it was taken for.
    /// ```rhai
    /// let worst = metrics::top_losses(tensor::of([[0.0, 4.0], [3.0, 0.0]]), tensor::of([1, 1]), 1);
    /// worst[0].index // => 1
    /// worst[0].taken_for // => 0
    /// ```
    fn top_losses(output: Tensor, target: Tensor, n: Option<i64>) -> Value {
        let (all, _) = rows("top_losses", &output, &target)?;
        let losses = output.f_cross_entropy_loss(&target, None::<&Tensor>, Reduction::None, -100, 0.0)?.f_to_kind(Kind::Double)?;
        let (sure, class) = output.f_softmax(1, Kind::Double)?.f_max_dim(1, false)?;
        let (worst, places) = losses.f_topk(n.unwrap_or(9).clamp(0, all), 0, true, true)?;
        let pick = |t: &Tensor| t.f_index_select(0, &places);
        let (sure, class, target) = (pick(&sure)?, pick(&class)?, pick(&target)?);
        let mut list = Vec::new();
        for i in 0..worst.size()[0] {
            let int = |t: &Tensor| Ok::<_, crate::core::Error>(Value::Int(t.f_int64_value(&[i])?));
            list.push(record([
                ("index", int(&places)?),
                ("loss", worst.f_double_value(&[i])?.into_value()),
                ("target", int(&target)?),
                ("taken_for", int(&class)?),
                ("confidence", sure.f_double_value(&[i])?.into_value()),
            ]));
        }
        Value::List(list)
    }
}
