//! Optimizers: one file a rule. A rule states its slots (the state it keeps for each parameter) and its step;
//! binding to networks, skipping what has no gradient, and checkpoints are done here once.

mod adagrad;
mod adam;
mod adamw;
mod rmsprop;
mod sgd;

use crate::core::options::Options;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Error, Opts, Result, Value, ffi};
use crate::nn::Net;
use crate::nn::net::same;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tch::Tensor;

/// Tensors a rule keeps, by slot: one for each parameter of the step.
pub type Slots = BTreeMap<&'static str, Vec<Tensor>>;

/// What an optimizer does in one step.
pub trait Rule {
    /// The slots, each with the shape of its parameter, or a single number (`true`).
    fn slots(&self) -> Vec<(&'static str, bool)>;

    /// The learning rate it was made with.
    fn lr(&self) -> f64;

    /// Changes `params` in place. All of them have a gradient; `first` says that their slots are still empty.
    ///
    /// # Errors
    /// libtorch's.
    fn step(&self, lr: f64, params: &[Tensor], grads: &[Tensor], slots: &Slots, first: bool) -> Result<()>;
}

struct State {
    name: &'static str,
    rule: Rc<dyn Rule>,
    lr: f64,
    params: Vec<(String, Tensor)>,
    /// How many steps each parameter has taken.
    counts: Vec<i64>,
    slots: Slots,
}

/// An optimizer as scripts hold it.
#[derive(Clone)]
pub struct Optimizer(Rc<RefCell<State>>);

object!(Optimizer, "Optimizer", |o| {
    let s = o.0.borrow();
    let n: usize = s.params.iter().map(|(_, t)| t.numel()).sum();
    format!("{}(lr={}, {n} parameters)", s.name, s.lr)
});

impl Optimizer {
    /// A rule that is not yet bound to parameters.
    pub fn new(name: &'static str, rule: impl Rule + 'static) -> Self {
        let (lr, rule) = (rule.lr(), Rc::new(rule));
        let (params, counts, slots) = (Vec::new(), Vec::new(), Slots::new());
        Optimizer(Rc::new(RefCell::new(State { name, rule, lr, params, counts, slots })))
    }

    /// The same rule over the parameters of `nets` (names are kept apart by the net's place).
    ///
    /// # Errors
    /// libtorch's.
    pub fn over(&self, nets: &[Net]) -> Result<Self> {
        let s = self.0.borrow();
        let mut params: Vec<(String, Tensor)> = Vec::new();
        for (i, net) in nets.iter().enumerate() {
            let prefix = if nets.len() > 1 { format!("{i}.") } else { String::new() };
            for (name, t) in net.parameters(false) {
                if !params.iter().any(|(_, o)| same(o, &t)) {
                    params.push((format!("{prefix}{name}"), t));
                }
            }
        }
        let mut slots = Slots::new();
        for (slot, scalar) in s.rule.slots() {
            let empty = |(_, t): &(String, Tensor)| -> Result<Tensor> {
                Ok(if scalar {
                    t.f_new_zeros([] as [i64; 0], (tch::Kind::Float, t.device()))?
                } else {
                    t.f_zeros_like()?.f_detach()?
                })
            };
            slots.insert(slot, params.iter().map(empty).collect::<Result<_>>()?);
        }
        let (name, rule, lr, counts) = (s.name, s.rule.clone(), s.lr, vec![0; params.len()]);
        Ok(Optimizer(Rc::new(RefCell::new(State { name, rule, lr, params, counts, slots }))))
    }

    /// True once it has parameters.
    pub fn is_bound(&self) -> bool {
        !self.0.borrow().params.is_empty()
    }

    /// The learning rate in force.
    pub fn lr(&self) -> f64 {
        self.0.borrow().lr
    }

    /// Sets the learning rate.
    pub fn set_lr(&self, lr: f64) {
        self.0.borrow_mut().lr = lr;
    }

    /// Forgets all gradients.
    ///
    /// # Errors
    /// libtorch's.
    pub fn zero_grad(&self) -> Result<()> {
        let s = self.0.borrow();
        ffi::clear_grads(&s.params.iter().map(|(_, t)| t.shallow_clone()).collect::<Vec<_>>())
    }

    /// One step along the gradients; parameters without one stay as they are.
    ///
    /// # Errors
    /// No parameters, or no gradient at all: `backward()` was forgotten.
    pub fn step(&self) -> Result<()> {
        let mut s = self.0.borrow_mut();
        if s.params.is_empty() {
            return Err(Error::new(format!("this {} has no parameters", s.name))
                .hint(format!("give it a network: optim::{}(net, #{{…}})", s.name)));
        }
        let ready = |i: &usize| s.params[*i].1.requires_grad() && s.params[*i].1.grad().defined();
        let ready: Vec<usize> = (0..s.params.len()).filter(ready).collect();
        if ready.is_empty() {
            return Err(Error::new("no parameter has a gradient").hint("call loss.backward() before step()"));
        }
        let _no_grad = tch::no_grad_guard();
        let (first, later): (Vec<usize>, Vec<usize>) = ready.into_iter().partition(|i| s.counts[*i] == 0);
        for (group, first) in [(first, true), (later, false)] {
            if group.is_empty() {
                continue;
            }
            let pick = |all: &[Tensor]| group.iter().map(|i| all[*i].shallow_clone()).collect::<Vec<_>>();
            let params: Vec<Tensor> = group.iter().map(|i| s.params[*i].1.shallow_clone()).collect();
            let grads: Vec<Tensor> = params.iter().map(Tensor::grad).collect();
            let slots: Slots = s.slots.iter().map(|(k, v)| (*k, pick(v))).collect();
            s.rule.step(s.lr, &params, &grads, &slots, first)?;
            group.iter().for_each(|i| s.counts[*i] += 1);
        }
        Ok(())
    }

    /// All state by name, for a checkpoint: `exp_avg/fc.weight` …, and the number of steps of each parameter.
    ///
    /// # Errors
    /// libtorch's.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>> {
        let s = self.0.borrow();
        let mut all = vec![
            ("counts".to_string(), Tensor::f_from_slice(&s.counts)?),
            ("lr".to_string(), Tensor::f_from_slice(&[s.lr])?),
        ];
        for (slot, tensors) in &s.slots {
            for ((name, _), t) in s.params.iter().zip(tensors) {
                all.push((format!("{slot}/{name}"), t.f_to_device(tch::Device::Cpu)?.f_contiguous()?));
            }
        }
        Ok(all)
    }

    /// Takes the state back that [`state`](Optimizer::state) gave.
    ///
    /// # Errors
    /// State of another optimizer or network.
    pub fn load_state(&self, state: &[(String, Tensor)]) -> Result<()> {
        let find = |name: &str| {
            let hit = state.iter().find(|(n, _)| n == name).map(|(_, t)| t);
            hit.ok_or_else(|| Error::new(format!("the checkpoint holds no optimizer state `{name}`")))
        };
        let mut s = self.0.borrow_mut();
        let counts = Vec::<i64>::try_from(find("counts")?)?;
        if counts.len() != s.params.len() {
            return Err(Error::new(format!(
                "the checkpoint's optimizer has {} parameters, this one has {}",
                counts.len(),
                s.params.len()
            )));
        }
        s.counts = counts;
        s.lr = find("lr")?.f_double_value(&[0])?;
        let _no_grad = tch::no_grad_guard();
        for (slot, tensors) in &s.slots {
            for ((name, _), t) in s.params.iter().zip(tensors) {
                t.shallow_clone().f_copy_(find(&format!("{slot}/{name}"))?)?;
            }
        }
        Ok(())
    }
}

/// What an optimizer works on: a network, a list of networks, or (left out) whatever `train::fit` trains.
pub enum Over {
    /// Bound to these.
    Nets(Vec<Net>),
    /// Not bound; the options may stand here instead.
    Later(Value),
}

impl FromValue for Over {
    const TYPE: &'static str = "Net or list of Nets";
    const OPTIONAL: bool = true;
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Nil | Value::Map(_) => Ok(Over::Later(v.clone())),
            Value::List(_) => Vec::from_value(v).map(Over::Nets),
            v => Net::from_value(v).map(|n| Over::Nets(vec![n])).or_else(|_| mismatch(Self::TYPE, v)),
        }
    }
}

/// The options after the networks, or in their place.
pub struct Late<T>(Option<T>);

impl<T: Options> FromValue for Late<T> {
    const TYPE: &'static str = "map of options";
    const OPTIONAL: bool = true;
    fn from_value(v: &Value) -> Result<Self> {
        if v.is_nil() { Ok(Late(None)) } else { Opts::<T>::from_value(v).map(|o| Late(Some(o.0))) }
    }
    fn fields() -> Vec<crate::core::value::Field> {
        T::fields()
    }
}

/// Makes the optimizer a script asked for.
fn build<T: Options>(
    over: Over,
    late: Late<T>,
    make: impl FnOnce(T) -> Result<Optimizer>,
) -> Result<Optimizer> {
    match over {
        Over::Nets(nets) => make(late.0.map_or_else(|| T::read(&Default::default()), Ok)?)?.over(&nets),
        Over::Later(first) => make(late.0.map_or_else(|| Opts::from_value(&first).map(|o| o.0), Ok)?),
    }
}

/// An option that must not be negative.
fn not_negative(name: &str, v: f64) -> Result<f64> {
    if v >= 0.0 { Ok(v) } else { Err(Error::new(format!("`{name}` must not be negative, got {v}"))) }
}

/// An option in `[0, 1)`.
fn share(name: &str, v: f64) -> Result<f64> {
    if (0.0..1.0).contains(&v) {
        Ok(v)
    } else {
        Err(Error::new(format!("`{name}` must lie in [0, 1), got {v}")))
    }
}

/// Declares `optim::name(net?, #{…})`: its words, its options type, and how the rule is made of them.
macro_rules! optimizer {
    ($(#[doc = $doc:literal])* $name:ident, $options:ty, |$o:ident| $rule:expr) => {
        function!("optim", Function, stringify!($name), [$($doc),*],
                  [over: $crate::train::optim::Over, options: $crate::train::optim::Late<$options>],
                  [$crate::train::optim::Optimizer], {
            $crate::train::optim::build(over, options, |$o: $options| {
                Ok($crate::train::optim::Optimizer::new(stringify!($name), $rule))
            })?
        });
    };
}
use optimizer;

functions! {
    on "Optimizer";
    /// Forgets the gradients of all parameters.
    /// ```rhai
    /// let net = nn::linear(2, 1);
    /// net.forward(tensor::ones([1, 2])).sum().backward();
    /// optim::sgd(net).zero_grad();
    /// net.parameters().weight.grad // => ()
    /// ```
    fn zero_grad(optimizer: Optimizer) {
        optimizer.zero_grad()?
    }

    /// Changes the parameters along their gradients.
    /// ```rhai
    /// let net = nn::linear(2, 1);
    /// optim::sgd(net).step() // error: no parameter has a gradient
    /// ```
    fn step(optimizer: Optimizer) {
        optimizer.step()?
    }

    /// Sets the learning rate.
    /// ```rhai
    /// let opt = optim::sgd(nn::linear(2, 1), #{lr: 0.1});
    /// opt.set_lr(0.01);
    /// opt.lr // => 0.01
    /// ```
    fn set_lr(optimizer: Optimizer, lr: f64) {
        optimizer.set_lr(not_negative("lr", lr)?)
    }

    get "Optimizer";
    /// The learning rate in force.
    /// ```rhai
    /// optim::adam(nn::linear(2, 1)).lr // => 0.001
    /// ```
    fn lr(optimizer: Optimizer) -> f64 {
        optimizer.lr()
    }
}
