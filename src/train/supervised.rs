//! The step of supervised training: forward, loss, backward, clipping, optimizer.

use super::backbone::Backbone;
use super::fit::{FitOptions, RunOptions, plan};
use super::loss::Loss;
use super::metric::accuracy::correct;
use super::metric::overlap::{histogram, said};
use super::trainer::{CONFUSION, Measures, Plan, Sums, Trainer};
use crate::core::{Error, Result, Value};
use crate::data::{Batch, Dataset, IGNORE};
use crate::nn::Net;
use crate::tensor::tape;
use std::rc::Rc;
use tch::{Kind, Tensor};

/// Loss, and accuracy where targets are classes; the confusion of pixels where they are masks.
fn measure(loss: Tensor, out: &Value, target: &Tensor) -> Result<Measures> {
    let mut all = vec![("loss".to_string(), loss)];
    if let (Value::Tensor(out), Kind::Int64) = (out, target.kind())
        && out.dim() == 2
        && target.dim() == 1
    {
        let n = target.size()[0].max(1);
        all.push(("accuracy".to_string(), correct(out, target)?.f_div_scalar(n)?));
    } else if let (Value::Tensor(out), Kind::Int64, 3) = (out, target.kind(), target.dim())
        && out.dim() == 4
    {
        let (said, classes) = said(&out.f_detach()?, None)?;
        all.push((CONFUSION.to_string(), histogram(&said, target, classes, IGNORE)?));
    }
    Ok(all)
}

pub(super) fn target(batch: &Batch) -> Result<&Tensor> {
    batch.target.as_ref().ok_or_else(|| {
        Error::new("the data has no targets")
            .hint("train::fit needs them; for a loss of the input alone use train::run")
    })
}

/// The loss of a batch, and the network's output.
pub(super) fn forward(net: &Net, batch: &Batch, loss: &Loss) -> Result<(Tensor, Value)> {
    let out = net.forward(Value::Tensor(batch.input.shallow_clone()))?;
    Ok((loss.value(&out, target(batch)?)?, out))
}

/// The loss, if anything can be learned from it.
pub(super) fn loss_of(value: &Tensor) -> Result<Tensor> {
    match value.requires_grad() {
        true => Ok(value.shallow_clone()),
        false => Err(Error::new("the loss depends on no trainable parameter")
            .hint("unfreeze a layer: net.unfreeze([\"fc\"])")),
    }
}

/// What the engine runs for a network, data with targets, and options.
///
/// # Errors
/// Options that cannot be.
pub(super) fn supervised(
    net: &Net,
    data: Dataset,
    mut o: RunOptions,
    f: FitOptions,
) -> Result<(Plan<'static>, Rc<Backbone>)> {
    if f.accumulate == 0 {
        return Err(Error::new("`accumulate` must be at least 1, got 0"));
    }
    let batch_size = o.batch_size;
    o.batch_size *= f.accumulate;
    let given = f.optimizer.ok_or_else(|| {
        Error::new("no optimizer given").hint("for example #{optimizer: optim::adam(#{lr: 1e-3})}")
    })?;
    let optimizer = if given.is_bound() { given } else { given.over(std::slice::from_ref(net))? };
    let loss = f.loss.map_or_else(|| Loss::named("cross_entropy"), Ok)?;
    let backbone = Rc::new(Backbone::new(net, o.precision, f.cache));
    let forward = {
        let backbone = backbone.clone();
        Rc::new(move |batch: &Batch| -> Result<(Tensor, Value)> {
            let out = backbone.forward(batch)?;
            Ok((loss.value(&out, target(batch)?)?, out))
        })
    };
    let (nets, optimizers) =
        (vec![("net".to_string(), net.clone())], vec![("net".to_string(), optimizer.clone())]);
    let val_step = {
        let forward = forward.clone();
        move |batch: &Batch, _: &Trainer| -> Result<Measures> {
            let (value, out) = forward(batch)?;
            measure(value, &out, target(batch)?)
        }
    };
    let step = move |batch: &Batch, _: &Trainer| -> Result<Measures> {
        optimizer.zero_grad()?;
        let learn = |piece: &Batch| -> Result<Measures> {
            let (value, out) = forward(piece)?;
            let value = loss_of(&value)?;
            let share = piece.len() as f64 / batch.len() as f64;
            let part = if share == 1.0 { value.shallow_clone() } else { value.f_mul_scalar(share)? };
            tape::backward(&part, None, tape::Graph::default())?;
            measure(value, &out, target(piece)?)
        };
        let measures = if f.accumulate == 1 {
            learn(batch)?
        } else {
            let mut sums = Sums::default();
            for piece in batch.pieces(batch_size)? {
                sums.add(learn(&piece)?, piece.len() as f64)?;
            }
            sums.tensors()?
        };
        f.clip_value.map_or(Ok(()), |c| optimizer.clip_grad_value(c))?;
        f.clip_norm.map_or(Ok(()), |c| optimizer.clip_grad_norm(c).map(drop))?;
        optimizer.step()?;
        Ok(measures)
    };
    let mut plan = plan(o, nets, optimizers, data, Box::new(step), Some(Box::new(val_step)))?;
    let inputs = backbone.clone();
    plan.piece = batch_size;
    plan.inputs = Box::new(move |data| inputs.data(data));
    Ok((plan, backbone))
}
