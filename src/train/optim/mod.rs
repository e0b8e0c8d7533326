//! Optimizers: one file a rule. A rule states its slots (the state it keeps for each parameter) and its step;
//! binding to networks, skipping what has no gradient, and checkpoints are done here once.

mod adagrad;
mod adam;
mod adamw;
mod group;
mod rmsprop;
mod sgd;

use crate::core::{Error, Result, ffi};
use crate::nn::Net;
use crate::nn::net::same;
use group::Group;
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
    groups: Rc<[Group]>,
    lrs: Vec<f64>,
    params: Vec<(String, Tensor)>,
    /// The group of each parameter.
    member: Vec<usize>,
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
    format!("{}(lr={}, {n} parameters)", s.name, s.lrs[0])
});

impl Optimizer {
    /// Rules that are not yet bound to parameters; the first has no layers of its own.
    fn new(name: &'static str, groups: Vec<Group>) -> Self {
        let lrs = groups.iter().map(|g| g.rule.lr()).collect();
        let (params, member, counts, slots) = (Vec::new(), Vec::new(), Vec::new(), Slots::new());
        let groups = groups.into();
        Optimizer(Rc::new(RefCell::new(State { name, groups, lrs, params, member, counts, slots })))
    }

    /// The same rules over the parameters of `nets` (names are kept apart by the net's place).
    ///
    /// # Errors
    /// A group without parameters; libtorch's.
    pub fn over(&self, nets: &[Net]) -> Result<Self> {
        let s = self.0.borrow();
        let mut params: Vec<(String, Tensor)> = Vec::new();
        let mut member = Vec::new();
        for (i, net) in nets.iter().enumerate() {
            let prefix = if nets.len() > 1 { format!("{i}.") } else { String::new() };
            for (name, t) in net.parameters(false) {
                if !params.iter().any(|(_, o)| same(o, &t)) {
                    member.push(group::of(&s.groups, &name)?);
                    params.push((format!("{prefix}{name}"), t));
                }
            }
        }
        group::all_used(&s.groups, nets)?;
        let mut slots = Slots::new();
        for (slot, scalar) in s.groups.iter().flat_map(|g| g.rule.slots()) {
            let empty = |(_, t): &(String, Tensor)| -> Result<Tensor> {
                Ok(if scalar {
                    t.f_new_zeros([] as [i64; 0], (tch::Kind::Float, t.device()))?
                } else {
                    t.f_zeros_like()?.f_detach()?
                })
            };
            slots.insert(slot, params.iter().map(empty).collect::<Result<_>>()?);
        }
        let (name, groups, lrs, counts) = (s.name, s.groups.clone(), s.lrs.clone(), vec![0; params.len()]);
        Ok(Optimizer(Rc::new(RefCell::new(State { name, groups, lrs, params, member, counts, slots }))))
    }

    /// True once it has parameters.
    pub fn is_bound(&self) -> bool {
        !self.0.borrow().params.is_empty()
    }

    /// The learning rate in force; with groups, that of the parameters in none.
    pub fn lr(&self) -> f64 {
        self.0.borrow().lrs[0]
    }

    /// The learning rates in force: of the parameters in no group, then of each group.
    pub fn rates(&self) -> Vec<f64> {
        self.0.borrow().lrs.clone()
    }

    /// Sets what [`rates`](Optimizer::rates) gives.
    pub fn set_rates(&self, lrs: Vec<f64>) {
        self.0.borrow_mut().lrs = lrs;
    }

    /// Sets the learning rate; groups keep their share of it.
    pub fn set_lr(&self, lr: f64) {
        let mut s = self.0.borrow_mut();
        let base = s.groups[0].rule.lr();
        s.lrs = s.groups.iter().map(|g| if base > 0.0 { lr * g.rule.lr() / base } else { lr }).collect();
    }

    /// The gradients there are.
    fn grads(&self) -> Vec<Tensor> {
        let s = self.0.borrow();
        s.params
            .iter()
            .filter(|(_, t)| t.requires_grad())
            .map(|(_, t)| t.grad())
            .filter(Tensor::defined)
            .collect()
    }

    /// Shortens all gradients together so that their norm is at most `max`; gives the norm before, a tensor of one
    /// number. As torch.nn.utils.clip_grad_norm_.
    ///
    /// # Errors
    /// `max` not above 0; libtorch's.
    pub fn clip_grad_norm(&self, max: f64) -> Result<Tensor> {
        let (grads, _no_grad) = (self.grads(), tch::no_grad_guard());
        let max = positive("clip_norm", max)?;
        let norms = grads.iter().map(|g| Ok(g.f_norm()?)).collect::<Result<Vec<_>>>()?;
        if norms.is_empty() {
            return Ok(Tensor::f_from_slice(&[0.0])?.f_squeeze()?);
        }
        let norm = Tensor::f_stack(&norms, 0)?.f_norm()?;
        let share = norm.f_add_scalar(1e-6)?.f_reciprocal()?.f_mul_scalar(max)?.f_clamp_max(1.0)?;
        grads.into_iter().try_for_each(|mut g| g.f_mul_(&share).map(drop))?;
        Ok(norm)
    }

    /// Cuts every element of the gradients off at `max` and `-max`. As torch.nn.utils.clip_grad_value_.
    ///
    /// # Errors
    /// `max` not above 0; libtorch's.
    pub fn clip_grad_value(&self, max: f64) -> Result<()> {
        let (grads, _no_grad) = (self.grads(), tch::no_grad_guard());
        let max = positive("clip_value", max)?;
        Ok(grads.into_iter().try_for_each(|mut g| g.f_clamp_(-max, max).map(drop))?)
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
        for (g, group) in s.groups.clone().iter().enumerate() {
            for first in [true, false] {
                let due = |i: &&usize| s.member[**i] == g && (s.counts[**i] == 0) == first;
                let due: Vec<usize> = ready.iter().filter(due).copied().collect();
                if due.is_empty() {
                    continue;
                }
                let pick = |all: &[Tensor]| due.iter().map(|i| all[*i].shallow_clone()).collect::<Vec<_>>();
                let params: Vec<Tensor> = due.iter().map(|i| s.params[*i].1.shallow_clone()).collect();
                let grads: Vec<Tensor> = params.iter().map(Tensor::grad).collect();
                // Other groups of the same rule may keep more.
                let own = group.rule.slots();
                let own = s.slots.iter().filter(|(k, _)| own.iter().any(|(name, _)| name == *k));
                let slots: Slots = own.map(|(k, v)| (*k, pick(v))).collect();
                group.rule.step(s.lrs[g], &params, &grads, &slots, first)?;
            }
        }
        ready.into_iter().for_each(|i| s.counts[i] += 1);
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
            ("lr".to_string(), Tensor::f_from_slice(&s.lrs)?),
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
        let lrs = Vec::<f64>::try_from(find("lr")?)?;
        if lrs.len() != s.lrs.len() {
            let (theirs, ours) = (lrs.len(), s.lrs.len());
            return Err(Error::new(format!(
                "the checkpoint's optimizer has {theirs} groups of layers, this one {ours}"
            )));
        }
        s.lrs = lrs;
        let _no_grad = tch::no_grad_guard();
        for (slot, tensors) in &s.slots {
            for ((name, _), t) in s.params.iter().zip(tensors) {
                t.shallow_clone().f_copy_(find(&format!("{slot}/{name}"))?)?;
            }
        }
        Ok(())
    }
}

/// An option that must not be negative.
fn not_negative(name: &str, v: f64) -> Result<f64> {
    if v >= 0.0 { Ok(v) } else { Err(Error::new(format!("`{name}` must not be negative, got {v}"))) }
}

/// An option that must be above 0.
pub(super) fn positive(name: &str, v: f64) -> Result<f64> {
    if v > 0.0 { Ok(v) } else { Err(Error::new(format!("`{name}` must be above 0, got {v}"))) }
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
                  [over: $crate::train::optim::group::Over, options: $crate::train::optim::group::Late<$options>],
                  [$crate::train::optim::Optimizer], {
            $crate::train::optim::group::build(stringify!($name), over, options, |$o: $options| Ok($rule))?
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

    /// Shortens all gradients to a joint norm of at most `max`; gives what it was.
    ///
    /// As torch.nn.utils.clip_grad_norm_; to be called between `backward()` and `step()`.
    /// ```rhai
    /// let net = nn::linear(1, 1);
    /// let opt = optim::sgd(net, #{lr: 0.1});
    /// net.forward(tensor([[3.0]])).sum().backward();
    /// opt.clip_grad_norm(1.0).item() // ~> 3.16228
    /// ```
    fn clip_grad_norm(optimizer: Optimizer, max: f64) -> Tensor {
        optimizer.clip_grad_norm(max)?
    }

    /// Cuts every element of the gradients off at `max` and `-max`.
    ///
    /// As torch.nn.utils.clip_grad_value_; to be called between `backward()` and `step()`.
    /// ```rhai
    /// let net = nn::linear(1, 1);
    /// let opt = optim::sgd(net, #{lr: 0.1});
    /// net.forward(tensor([[3.0]])).sum().backward();
    /// opt.clip_grad_value(0.5);
    /// net.parameters().weight.grad.item() // => 0.5
    /// ```
    fn clip_grad_value(optimizer: Optimizer, max: f64) {
        optimizer.clip_grad_value(max)?
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
