//! `train::fit` and `train::run`: supervised training, and a step written in the script, on the one engine.

use super::by_name::ByName;
use super::engine;
use super::loss::Loss;
use super::optim::Optimizer;
use super::sched::Schedule;
use super::supervised::supervised;
use super::trainer::{Keep, Measures, Plan, Step, Trainer};
use crate::augment::Aug;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Closure, Error, Opts, Result, Value, paths};
use crate::data::{Batch, Dataset};
use crate::image::Picture;
use crate::nn::{Net, Precision};
use crate::plot::{self, PlotOptions};
use tch::Tensor;

options! {
    /// Options of every run.
    pub struct RunOptions {
        /// Passes over the training data.
        epochs: i64 = 1,
        /// Pictures a batch.
        batch_size: usize = 64,
        /// Augments the training pictures, as `data.augment(aug)`.
        augment: Option<Aug> = None => (),
        /// Threads that read ahead; by themselves as many as are worth it.
        workers: Option<usize> = None => (),
        /// Validation data, measured after every epoch.
        val: Option<Dataset> = None,
        /// A new order of the pictures every epoch.
        shuffle: bool = true,
        /// Leaves an incomplete last batch out.
        drop_last: bool = false,
        /// Epochs after which the weights are kept as epoch-N.safetensors.
        checkpoints: Vec<i64> = Vec::new(),
        /// The measure whose best epoch is kept as best.safetensors (losses, errors, distances: the lowest; or `"-name"` and `"+name"` for lowest and highest); found by itself if left out.
        watch: Option<String> = None,
        /// Stops after this many epochs without a better one.
        patience: Option<i64> = None,
        /// How the learning rate changes: `sched::cosine()` …, for several optimizers one for all or a map by name.
        schedule: Option<ByName<Schedule>> = None,
        /// Decay of running averages of the weights (0.999, say), which are measured, kept and left at the end.
        ema: Option<f64> = None,
        /// "bf16": networks run in bfloat16, all else in float32: faster where the processor has instructions for it.
        precision: Precision = Precision::Float => "float32",
        /// Called after every epoch with the run, networks in evaluation mode: `|t| …`; `t.stop()` ends it.
        on_epoch: Option<Closure> = None,
        /// Folder of this run's files inside the script's run folder.
        name: String = String::new(),
        /// Writes weights, history.csv and the state for `--resume`.
        save: bool = true,
        /// Writes the history also as an event file for TensorBoard.
        tensorboard: bool = false,
        /// Writes the state for `--resume` at least this often, in seconds.
        save_every: f64 = 300.0,
    }
}

options! {
    /// Options of `train::fit`.
    pub struct FitOptions {
        /// How the weights are changed.
        optimizer: Option<Optimizer> = None,
        /// What is made small: a name from `loss::` (cross_entropy if left out), or `|output, target| …`.
        loss: Option<Loss> = None,
        /// A step takes `batch_size` × this many pictures, in pieces of `batch_size`.
        accumulate: usize = 1,
        /// Largest norm of all gradients together.
        clip_norm: Option<f64> = None,
        /// Largest size of each element of the gradients.
        clip_value: Option<f64> = None,
        /// Megabytes of a data set's features that are kept, where the network's first layers are frozen and nothing
        /// random is done to the pictures; 0 keeps none.
        cache: usize = 512,
    }
}

options! {
    /// What `train::run` runs.
    pub struct StepOptions {
        /// The network, or several by name: put into training mode, saved, resumed.
        nets: Option<ByName<Net>> = None,
        /// The optimizer, or several by name.
        optimizers: Option<ByName<Optimizer>> = None,
        /// Training data.
        data: Option<Dataset> = None,
        /// One training step, `|batch, t| …`; gives a loss, a map of measures, or ().
        step: Option<Closure> = None,
        /// One measurement of a validation batch, `|batch, t| …`.
        val_step: Option<Closure> = None,
    }
}

/// Fills a plan from the options every run has.
pub(super) fn plan<'a>(
    o: RunOptions,
    nets: Vec<(String, Net)>,
    optimizers: Vec<(String, Optimizer)>,
    data: Dataset,
    step: Box<Step<'a>>,
    val_step: Option<Box<Step<'a>>>,
) -> Result<Plan<'a>> {
    let on_epoch = o.on_epoch.map(|f| -> Box<dyn Fn(&Trainer) -> Result<()>> {
        Box::new(move |t: &Trainer| f.call(vec![Value::object(t.clone())]).map(|_| ()))
    });
    let data = o.augment.map_or(Ok(data.clone()), |a| data.augmented(&a))?;
    Ok(Plan {
        nets,
        optimizers,
        data,
        val: o.val,
        batch_size: o.batch_size,
        piece: o.batch_size,
        workers: o.workers,
        epochs: o.epochs,
        shuffle: o.shuffle,
        drop_last: o.drop_last,
        inputs: Box::new(|data| Ok(data.clone())),
        precision: o.precision,
        step,
        val_step,
        on_epoch,
        patience: o.patience,
        schedules: o.schedule.unwrap_or(ByName(Vec::new())),
        ema: o.ema,
        keep: Keep {
            name: o.name,
            save: o.save,
            tensorboard: o.tensorboard,
            checkpoints: o.checkpoints,
            watch: o.watch,
            every_seconds: o.save_every,
        },
    })
}

/// The measures a script's step gives: a number or tensor is the loss, a map holds several.
fn measures(v: Value) -> Result<Measures> {
    let one = |name: String, v: &Value| -> Result<(String, Tensor)> {
        match v {
            Value::Tensor(t) => Ok((name, t.shallow_clone())),
            v => Ok((
                name,
                Tensor::f_from_slice(&[f64::from_value(v).or_else(|_| mismatch("number or Tensor", v))?])?,
            )),
        }
    };
    match v {
        Value::Nil => Ok(Vec::new()),
        Value::Map(m) => m
            .iter()
            .map(|(n, v)| one(n.clone(), v).map_err(|e| e.within(format!("measure `{n}` of the step"))))
            .collect(),
        v => Ok(vec![one("loss".to_string(), &v).map_err(|e| e.within("result of the step"))?]),
    }
}

functions! {
    in "train";
    /// Trains a network on pictures and targets.
    ///
    /// Shows progress, measures loss and accuracy (of masks, `accuracy` of pixels, `mean_iou` and `foreground_iou`) on training and validation data, keeps the best and the last
    /// weights and history.csv in the run's folder, and goes on exactly with `cs385 run … --resume`.
    ///
    /// Frozen layers at the network's beginning run without gradient, in evaluation mode and in their fastest form. Where
    /// nothing random is done to the pictures, their outputs are computed once and kept, for this run and later ones of
    /// the script, as long as weights, pictures and transforms stay what they were.
    /// ```rhai
    /// let data = data::from_tensors(tensor::rand([32, 4]), tensor::zeros([32]).long());
    /// let net = nn::sequential([nn::linear(4, 2)]);
    /// let run = train::fit(net, data, #{epochs: 3, optimizer: optim::adam(#{lr: 0.1})});
    /// run.history.len() // => 3
    /// ```
    fn fit(net: Net, data: Dataset, options: Opts<(RunOptions, FitOptions)>) -> Trainer {
        let (o, f) = options.0;
        engine::run(supervised(&net, data, o, f)?.0)?
    }

    /// Runs a training step that the script writes.
    ///
    /// Any number of networks and optimizers may take part.
    ///
    /// `step: |batch, t| …` gets `batch.input`, `batch.target`, `batch.index` and the run `t`; what it gives is
    /// averaged over the epoch. Progress, history, checkpoints, `--resume` and Ctrl-C are those of `train::fit`.
    /// ```rhai
    /// let data = data::from_tensors(tensor::rand([32, 4]), tensor::zeros([32]).long());
    /// let net = nn::linear(4, 4);
    /// let opt = optim::sgd(net, #{lr: 0.1});
    /// let run = train::run(#{nets: net, optimizers: opt, data: data, epochs: 2, step: |batch, t| {
    ///     let loss = loss::mse(net.forward(batch.input), batch.input);
    ///     opt.zero_grad();
    ///     loss.backward();
    ///     opt.step();
    ///     loss
    /// }});
    /// run.history[1].epoch // => 2
    /// ```
    fn run(options: Opts<(RunOptions, StepOptions)>) -> Trainer {
        let (o, s) = options.0;
        let missing = |what: &str| Error::new(format!("option `{what}` is missing"));
        let (data, step) = (s.data.ok_or_else(|| missing("data"))?, s.step.ok_or_else(|| missing("step"))?);
        let call = |f: &Closure, batch: &Batch, t: &Trainer| measures(f.call(vec![batch.to_value()?, Value::object(t.clone())])?);
        if o.val.is_some() && s.val_step.is_none() {
            Err(Error::new("option `val` without `val_step`: nothing would be validated")
                .hint("val_step: |batch, t| #{loss: …} gives the measures of a batch of `val`"))?;
        }
        let val_step = s.val_step.map(|f| -> Box<Step> { Box::new(move |b, t| call(&f, b, t)) });
        let (nets, optimizers) = (s.nets.map_or(Vec::new(), |n| n.0), s.optimizers.map_or(Vec::new(), |n| n.0));
        engine::run(plan(o, nets, optimizers, data, Box::new(move |b, t| call(&step, b, t)), val_step)?)?
    }

    get "Run";
    /// The epoch under way, from 1.
    /// ```rhai,no_run
    /// train::fit(net, data, #{optimizer: optim::adam(), on_epoch: |t| print(t.epoch)});
    /// ```
    fn epoch(run: Trainer) -> i64 {
        run.epoch()
    }

    /// The steps taken so far, over all epochs.
    /// ```rhai,no_run
    /// train::fit(net, data, #{optimizer: optim::adam()}).steps
    /// ```
    fn steps(run: Trainer) -> i64 {
        run.step()
    }

    /// What was measured: a list with one map an epoch.
    /// ```rhai,no_run
    /// train::fit(net, data, #{optimizer: optim::adam()}).history[0].train_loss
    /// ```
    fn history(run: Trainer) -> Value {
        run.history().to_value()
    }

    /// The measures of the last epoch.
    /// ```rhai,no_run
    /// train::fit(net, data, #{optimizer: optim::adam()}).last.train_loss
    /// ```
    fn last(run: Trainer) -> Value {
        match run.history().to_value() {
            Value::List(rows) => rows.into_iter().last().unwrap_or_default(),
            other => other,
        }
    }

    /// The best epoch by the watched measure, or ().
    /// ```rhai,no_run
    /// train::fit(net, data, #{optimizer: optim::adam(), val: test}).best_epoch
    /// ```
    fn best_epoch(run: Trainer) -> Option<i64> {
        run.best().map(|(epoch, _)| epoch)
    }

    /// Why the run ended before its last epoch, or ().
    /// ```rhai,no_run
    /// train::fit(net, data, #{optimizer: optim::adam(), val: test, patience: 3}).stopped
    /// ```
    fn stopped(run: Trainer) -> Option<String> {
        run.stopped()
    }

    on "Run";
    /// Plots a measure over the epochs and writes the picture.
    ///
    /// The measure is accuracy where it was measured, else the loss, unless `measure` names another.
    /// ```rhai
    /// let data = data::from_tensors(tensor::rand([32, 4]), tensor::zeros([32]).long());
    /// let run = train::fit(nn::linear(4, 2), data, #{epochs: 2, optimizer: optim::adam()});
    /// run.plot("loss.png", "loss").width // => 960
    /// ```
    fn plot(run: Trainer, path: String, measure: Option<String>, options: Opts<PlotOptions>) -> Picture {
        let history = run.history();
        let columns = history.columns();
        let has = |m: &str| columns.iter().any(|c| c.strip_prefix("train_").or(c.strip_prefix("val_")) == Some(m));
        let measure = measure.unwrap_or_else(|| if has("accuracy") { "accuracy".into() } else { "loss".into() });
        if !has(&measure) {
            let known = columns.iter().filter_map(|c| c.strip_prefix("train_").or(c.strip_prefix("val_")));
            Err(Error::unknown("measure", &measure, known.collect::<std::collections::BTreeSet<_>>()))?;
        }
        let epochs = history.column("epoch");
        let named = [("training", format!("train_{measure}")), ("validation", format!("val_{measure}"))];
        let present = named.iter().filter(|(_, c)| columns.contains(c));
        let series: Vec<_> = present.map(|(name, c)| plot::Series::new(*name, &epochs, &history.column(c))).collect();
        let mut o = options.0.drawing();
        o.label("epoch", &measure);
        o.markers |= epochs.len() <= 30;
        let picture = Picture::from(plot::curves(&series, &o)?);
        picture.save(paths::writable(&path)?)?;
        picture
    }

    /// Ends the run after this epoch.
    /// ```rhai,no_run
    /// train::fit(net, data, #{optimizer: optim::adam(), on_epoch: |t| if t.last.train_loss < 0.1 { t.stop() }});
    /// ```
    fn stop(run: Trainer) {
        run.stop("stopped by the script");
    }
}
