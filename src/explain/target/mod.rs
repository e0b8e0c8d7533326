//! What a map explains: a number made of the network's output. Shared by every CAM and attribution method.

mod places;
mod script;
mod zone;

use super::variants::{flipped, mirror, pick};
use crate::core::value::{FromValue, IntoValue, mismatch};
use crate::core::{Closure, Error, Result, Value};
pub(super) use places::picture;
use places::{boxed, features, masked, sum};
use std::rc::Rc;
use tch::{Kind, Tensor};
pub(super) use zone::Zone;

/// What is explained.
#[derive(Clone)]
pub struct Target(pub(in crate::explain) Rc<What>);

pub(in crate::explain) enum What {
    /// Each picture's own highest logit.
    Top,
    Class(i64),
    /// A class by name, and what is asked of its number.
    Named(String, fn(i64) -> What),
    Softmax(i64),
    Rest(i64),
    Area {
        at: [i64; 4],
        o: AreaOptions,
    },
    Mask {
        mask: Tensor,
        o: AreaOptions,
    },
    /// Squared difference of a box from the same box of a reference, or of the network's input.
    Error {
        at: [i64; 4],
        reference: Option<Tensor>,
        o: PictureOptions,
    },
    /// Logits of a class in a part of the picture.
    Segment {
        class: i64,
        zone: Zone,
        o: PictureOptions,
    },
    /// One number of a code.
    Latent(i64, PictureOptions),
    /// Cosine of the angle to a feature [D] or [N, D].
    Similarity(Tensor, PictureOptions),
    Difference(Target, Target),
    Custom(Closure),
    /// One target a picture.
    Each(Vec<Target>),
    /// Logits of one class a picture, [N] (or of one class for all).
    Classes(Tensor),
    /// What `main` [N] has over `others` [N, K], the classes most like it.
    Finer {
        main: Tensor,
        others: Tensor,
        alpha: f64,
    },
    /// Of the output picture seen in a mirror.
    Mirrored(Target),
}

impl crate::core::value::Object for Target {
    const NAME: &'static str = "Target";
    fn show(&self) -> String {
        self.describe()
    }
}

impl IntoValue for Target {
    const TYPE: &'static str = "Target";
    fn into_value(self) -> Value {
        Value::object(self)
    }
}

options! {
    #[derive(Clone)]
    /// Options of the targets in a picture that the network draws.
    pub struct AreaOptions {
        /// Sums the values after a sigmoid that draws the picture, which saturates; otherwise before it.
        after_sigmoid: bool = false,
        /// Takes the picture from the output of this layer instead of from the network's.
        layer: Option<String> = None,
        /// The picture's key, where the network gives a map.
        output: Option<String> = None,
    }
}

options! {
    #[derive(Clone)]
    /// Options of the targets that look at some output.
    pub struct PictureOptions {
        /// Takes the output of this layer instead of the network's.
        layer: Option<String> = None,
        /// Its key, where the network gives a map.
        output: Option<String> = None,
    }
}

/// What a target needs from the forward pass.
#[derive(PartialEq)]
pub struct Needs<'a> {
    /// The layer whose output is the picture, if not the network's own.
    pub layer: Option<&'a str>,
    /// The value before a final sigmoid is wanted.
    pub before_sigmoid: bool,
}

impl Target {
    /// Each picture's highest logit.
    pub fn top() -> Self {
        Target(Rc::new(What::Top))
    }

    /// The same with numbers for names of classes.
    ///
    /// # Errors
    /// A class that is not among `classes`, which are asked for only where there is a name.
    pub fn numbered(&self, classes: impl FnOnce() -> Vec<String>) -> Result<Target> {
        if self.is_named() { self.number(&classes()) } else { Ok(self.clone()) }
    }

    fn is_named(&self) -> bool {
        self.has(|w| matches!(w, What::Named(..)))
    }

    /// Code of the user's own is part of it.
    pub fn is_custom(&self) -> bool {
        self.has(|w| matches!(w, What::Custom(_)))
    }

    /// It is such a target, or made of one.
    fn has(&self, such: fn(&What) -> bool) -> bool {
        match &*self.0 {
            What::Each(all) => all.iter().any(|t| t.has(such)),
            What::Difference(a, b) => a.has(such) || b.has(such),
            What::Mirrored(t) => t.has(such),
            what => such(what),
        }
    }

    fn number(&self, classes: &[String]) -> Result<Target> {
        let of = |t: &Target| t.number(classes);
        Ok(Target(Rc::new(match &*self.0 {
            What::Named(name, ask) => match classes.iter().position(|c| c == name) {
                Some(k) => ask(k as i64),
                None if classes.is_empty() => return Err(nameless(name)),
                None => return Err(Error::unknown("class", name, classes)),
            },
            What::Each(all) => What::Each(all.iter().map(of).collect::<Result<_>>()?),
            What::Difference(a, b) => What::Difference(of(a)?, of(b)?),
            What::Mirrored(t) => What::Mirrored(of(t)?),
            _ => return Ok(self.clone()),
        })))
    }

    /// One class a picture.
    pub fn classes_of(each: &[i64]) -> Self {
        let one = |k: &i64| Target(Rc::new(What::Class(*k)));
        Target(Rc::new(What::Each(each.iter().map(one).collect())))
    }

    /// One class's probability a picture.
    pub fn probabilities_of(each: &[i64]) -> Self {
        let one = |k: &i64| Target(Rc::new(What::Softmax(*k)));
        Target(Rc::new(What::Each(each.iter().map(one).collect())))
    }

    /// A box of the picture that the network draws.
    pub fn boxed(at: [i64; 4]) -> Self {
        let o = AreaOptions { after_sigmoid: false, layer: None, output: None };
        Target(Rc::new(What::Area { at, o }))
    }

    /// What the forward pass must keep for this target.
    pub fn needs(&self) -> Needs<'_> {
        match &*self.0 {
            What::Area { o, .. } | What::Mask { o, .. } => {
                Needs { layer: o.layer.as_deref(), before_sigmoid: !o.after_sigmoid }
            }
            What::Each(all) => {
                all.first().map_or(Needs { layer: None, before_sigmoid: false }, Target::needs)
            }
            What::Error { o, .. } | What::Segment { o, .. } | What::Latent(_, o) | What::Similarity(_, o) => {
                Needs { layer: o.layer.as_deref(), before_sigmoid: false }
            }
            What::Mirrored(of) | What::Difference(of, _) => of.needs(),
            _ => Needs { layer: None, before_sigmoid: false },
        }
    }

    /// The target's value for every picture, [N], given the network's output and input.
    ///
    /// # Errors
    /// A class the output does not have; an area outside the picture; an output of another kind.
    pub fn scores(&self, out: &Value, x: &Tensor) -> Result<Tensor> {
        match &*self.0 {
            What::Top => Ok(flat(&logits(out)?)?.f_amax([1], false)?),
            What::Class(k) => class(&logits(out)?, *k),
            What::Named(name, _) => Err(nameless(name)),
            What::Softmax(k) => class(&logits(out)?.f_softmax(1, None)?, *k),
            What::Rest(k) => {
                let y = logits(out)?;
                Ok(class(&y, *k)?.f_add(&class(&y.f_log_softmax(1, None)?, *k)?)?)
            }
            What::Area { at, o } => sum(&boxed(&picture(out, o.output.as_ref())?, *at)?),
            What::Mask { mask, o } => sum(&masked(&picture(out, o.output.as_ref())?, mask)?),
            What::Error { at, reference, o } => {
                let p = picture(out, o.output.as_ref())?;
                let reference = reference.as_ref().unwrap_or(x).f_detach()?.f_type_as(&p)?;
                let (a, b) = (p.size(), reference.size());
                let fits = match b.len() {
                    3 => a[1..] == b[..],
                    4 => a[1..] == b[1..] && (b[0] == 1 || b[0] == a[0]),
                    _ => false,
                };
                if !fits {
                    return Err(Error::new(format!("the output picture {a:?} cannot be compared with {b:?}"))
                        .hint("give the picture it should be: target::area_error(x, y, w, h, #{reference: picture})"));
                }
                sum(&boxed(&p.f_sub(&reference)?, *at)?.f_square()?)
            }
            What::Segment { class, zone, o } => zone.sum(&picture(out, o.output.as_ref())?, *class),
            What::Latent(i, o) => {
                let code = features(out, o)?;
                let d = code.size()[1];
                if !(0..d).contains(i) {
                    return Err(Error::new(format!(
                        "there is no dimension {i}: the code has 0 to {}",
                        d - 1
                    )));
                }
                Ok(code.f_select(1, *i)?)
            }
            What::Similarity(to, o) => {
                let own = features(out, o)?;
                let (to, s) = (to.f_type_as(&own)?, own.size());
                let to = to.f_view([if to.dim() == 1 { 1 } else { to.size()[0] }, -1])?;
                if to.size()[1] != s[1] || (to.size()[0] != 1 && to.size()[0] != s[0]) {
                    let got = to.size();
                    return Err(Error::new(format!(
                        "the feature {got:?} does not fit those of the network, {s:?}"
                    ))
                    .hint("take it from the same layer: net.capture(x, [layer])"));
                }
                Ok(Tensor::f_cosine_similarity(&own, &to, 1, 1e-8)?)
            }
            What::Difference(a, b) => Ok(a.scores(out, x)?.f_sub(&b.scores(out, x)?)?),
            What::Custom(f) => match f.call(vec![out.clone()])? {
                Value::Tensor(t) if t.dim() <= 1 => Ok(t.f_reshape([-1])?),
                other => Err(Error::new(format!(
                    "a target is one number a picture, [N], got {}",
                    other.describe()
                ))),
            },
            What::Each(all) => {
                let scores = all.iter().map(|t| t.scores(out, x)).collect::<Result<Vec<_>>>()?;
                let n = scores.first().map_or(0, |s| s.numel());
                if all.len() != n {
                    return Err(Error::new(format!("{} targets for a batch of {}", all.len(), x.size()[0])));
                }
                let each = scores.iter().enumerate().map(|(i, s)| Ok(s.f_select(0, i as i64)?));
                Ok(Tensor::f_stack(&each.collect::<Result<Vec<_>>>()?, 0)?)
            }
            What::Classes(k) => {
                pick(&logits(out)?, &k.f_unsqueeze(1)?)?.f_squeeze_dim(1).map_err(Error::from)
            }
            What::Finer { main, others, alpha } => {
                let y = logits(out)?;
                let (main, rest) = (pick(&y, &main.f_unsqueeze(1)?)?, pick(&y, others)?);
                let weight = pick(&y.f_softmax(1, None)?, others)?;
                let sum = |t: Tensor| t.f_sum_dim_intlist([1].as_slice(), false, None::<Kind>);
                let over = sum(main.f_sub(&rest.f_mul_scalar(*alpha)?)?.f_mul(&weight)?)?;
                Ok(over.f_div(&sum(weight)?.f_add_scalar(1e-9)?)?)
            }
            What::Mirrored(of) => of.scores(&mirror(out)?, &flipped(x)?),
        }
    }

    pub(in crate::explain) fn describe(&self) -> String {
        match &*self.0 {
            What::Top => "target: each picture's highest logit".to_string(),
            What::Class(k) => format!("target: logit of class {k}"),
            What::Named(name, ask) => {
                Target(Rc::new(ask(0))).describe().replace("class 0", &format!("class {name}"))
            }
            What::Softmax(k) => format!("target: probability of class {k}"),
            What::Rest(k) => format!("target: logit and log-probability of class {k}"),
            What::Area { at: [x, y, w, h], .. } => format!("target: area x {x}, y {y}, {w} × {h}"),
            What::Mask { mask, .. } => format!("target: mask {:?}", mask.size()),
            What::Error { at: [x, y, w, h], .. } => {
                format!("target: squared error in x {x}, y {y}, {w} × {h}")
            }
            What::Segment { class, zone, .. } => {
                format!("target: logits of class {class} {}", zone.describe())
            }
            What::Latent(i, _) => format!("target: dimension {i} of the code"),
            What::Similarity(to, _) => format!("target: similarity to a feature {:?}", to.size()),
            What::Difference(a, b) => {
                let bare = |t: &Target| t.describe().replace("target: ", "");
                format!("target: {} less {}", bare(a), bare(b))
            }
            What::Custom(_) => "target: function".to_string(),
            What::Each(all) => format!("{} targets", all.len()),
            What::Classes(k) => format!("target: logits of {} classes", k.numel()),
            What::Finer { .. } => "target: a class against those most like it".to_string(),
            What::Mirrored(of) => of.describe(),
        }
    }
}

pub(in crate::explain) fn logits(out: &Value) -> Result<Tensor> {
    match out {
        Value::Tensor(t) if t.dim() >= 2 => Ok(t.shallow_clone()),
        other => Err(Error::new(format!(
            "a class target needs an output [N, classes, ..], got {}",
            other.describe()
        ))
        .hint("for an output of another form use target::custom(|out| …)")),
    }
}

/// Logits that are one row a picture.
pub(in crate::explain) fn flat(logits: &Tensor) -> Result<&Tensor> {
    match logits.size().as_slice() {
        [_, _] => Ok(logits),
        s => Err(Error::new(format!("a class target needs an output [N, classes], got {s:?}")).hint(
            "for an output that is a picture use target::area or target::mask, for classes a pixel target::segment",
        )),
    }
}

pub(in crate::explain) fn class(logits: &Tensor, k: i64) -> Result<Tensor> {
    let s = logits.size();
    if k < 0 || k >= s[1] {
        return Err(Error::new(format!("there is no class {k}: the network has classes 0 to {}", s[1] - 1)));
    }
    Ok(flat(logits)?.f_select(1, k)?)
}

fn nameless(name: &str) -> Error {
    Error::new(format!("the network does not know the names of its classes: {name:?}"))
        .hint(format!("give them: target::class({name:?}, #{{classes: [\"cat\", \"dog\", …]}})"))
}

/// That two targets can be answered by one look.
///
/// # Errors
/// Targets in outputs of different layers, or on different sides of a final sigmoid.
fn alike(a: &Target, b: &Target) -> Result<()> {
    match a.needs() == b.needs() {
        true => Ok(()),
        false => Err(Error::new(format!("{} and {} look at different outputs", a.describe(), b.describe()))
            .hint("targets used together name the same `layer`, and all look before the final sigmoid or after it")),
    }
}

impl FromValue for Target {
    const TYPE: &'static str = "class number or name, Target or list of them";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Nil => Ok(Target::top()),
            Value::Int(k) => Ok(Target(Rc::new(What::Class(*k)))),
            Value::Str(name) => Ok(Target(Rc::new(What::Named(name.clone(), What::Class)))),
            Value::List(_) => {
                let all = Vec::<Target>::from_value(v)?;
                match all.split_first() {
                    Some((first, rest)) => rest.iter().try_for_each(|t| alike(first, t))?,
                    None => {
                        return Err(
                            Error::new("the list of targets is empty").hint("give one target a picture")
                        );
                    }
                }
                Ok(Target(Rc::new(What::Each(all))))
            }
            Value::Tensor(t) if t.kind() == Kind::Int64 && t.dim() == 0 => {
                Ok(Target(Rc::new(What::Class(t.f_int64_value(&[])?))))
            }
            Value::Tensor(t) if t.kind() == Kind::Int64 && t.dim() == 1 => {
                let classes = Vec::<i64>::try_from(t)?.into_iter().map(|k| Target(Rc::new(What::Class(k))));
                Ok(Target(Rc::new(What::Each(classes.collect()))))
            }
            v => v.downcast::<Target>().cloned().map_or_else(|| mismatch(<Self as FromValue>::TYPE, v), Ok),
        }
    }
}
