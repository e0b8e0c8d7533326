//! What a map explains: a number made of the network's output. Shared by every CAM and attribution method.

use super::variants::{mirror, pick};
use crate::core::value::{FromValue, IntoValue, mismatch};
use crate::core::{Closure, Error, Opts, Result, Value};
use std::rc::Rc;
use tch::{Kind, Tensor};

/// What is explained.
#[derive(Clone)]
pub struct Target(pub(super) Rc<What>);

pub(super) enum What {
    /// Each picture's own highest logit.
    Top,
    Class(i64),
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
        /// Sums the values after the network's final sigmoid, which saturates; otherwise before it.
        after_sigmoid: bool = false,
        /// Takes the picture from the output of this layer instead of from the network's.
        layer: Option<String> = None,
        /// The picture's key, where the network gives a map.
        output: Option<String> = None,
    }
}

/// What a target needs from the forward pass.
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

    /// What the forward pass must keep for this target.
    pub fn needs(&self) -> Needs<'_> {
        match &*self.0 {
            What::Area { o, .. } | What::Mask { o, .. } => {
                Needs { layer: o.layer.as_deref(), before_sigmoid: !o.after_sigmoid }
            }
            What::Each(all) => {
                all.first().map_or(Needs { layer: None, before_sigmoid: false }, Target::needs)
            }
            What::Mirrored(of) => of.needs(),
            _ => Needs { layer: None, before_sigmoid: false },
        }
    }

    /// The target's value for every picture, [N].
    ///
    /// # Errors
    /// A class the output does not have; an area outside the picture; an output of another kind.
    pub fn scores(&self, out: &Value) -> Result<Tensor> {
        match &*self.0 {
            What::Top => Ok(logits(out)?.f_amax([1], false)?),
            What::Class(k) => class(&logits(out)?, *k),
            What::Softmax(k) => class(&logits(out)?.f_softmax(1, None)?, *k),
            What::Rest(k) => {
                let y = logits(out)?;
                Ok(class(&y, *k)?.f_add(&class(&y.f_log_softmax(1, None)?, *k)?)?)
            }
            What::Area { at, o } => {
                let p = picture(out, o)?;
                let [x, y, w, h] = *at;
                let s = p.size();
                let (height, width) = (s[2], s[3]);
                if x < 0 || y < 0 || w < 1 || h < 1 || x + w > width || y + h > height {
                    return Err(Error::new(format!(
                        "the area x {x}, y {y}, {w} × {h} does not lie in the output picture of {width} × {height} pixels"
                    )));
                }
                let area = p.f_narrow(3, x, w)?.f_narrow(2, y, h)?;
                Ok(area.f_sum_dim_intlist([1, 2, 3].as_slice(), false, None::<Kind>)?)
            }
            What::Mask { mask, o } => {
                let p = picture(out, o)?;
                let (m, s) = (mask.size(), p.size());
                if m[m.len().saturating_sub(2)..] != s[2..] {
                    return Err(Error::new(format!("the mask {m:?} does not fit the output picture {s:?}")));
                }
                let mask = mask.f_type_as(&p)?; // dtype and device
                Ok(p.f_mul(&mask)?.f_sum_dim_intlist([1, 2, 3].as_slice(), false, None::<Kind>)?)
            }
            What::Custom(f) => match f.call(vec![out.clone()])? {
                Value::Tensor(t) if t.dim() <= 1 => Ok(t.f_reshape([-1])?),
                other => Err(Error::new(format!(
                    "a target is one number a picture, [N], got {}",
                    other.describe()
                ))),
            },
            What::Each(all) => {
                let n = logits(out)?.size()[0] as usize;
                if all.len() != n {
                    return Err(Error::new(format!("{} targets for a batch of {n}", all.len())));
                }
                let each = all.iter().enumerate().map(|(i, t)| Ok(t.scores(out)?.f_select(0, i as i64)?));
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
            What::Mirrored(of) => of.scores(&mirror(out)?),
        }
    }

    pub(super) fn describe(&self) -> String {
        match &*self.0 {
            What::Top => "target: each picture's highest logit".to_string(),
            What::Class(k) => format!("target: logit of class {k}"),
            What::Softmax(k) => format!("target: probability of class {k}"),
            What::Rest(k) => format!("target: logit and log-probability of class {k}"),
            What::Area { at: [x, y, w, h], .. } => format!("target: area x {x}, y {y}, {w} × {h}"),
            What::Mask { mask, .. } => format!("target: mask {:?}", mask.size()),
            What::Custom(_) => "target: function".to_string(),
            What::Each(all) => format!("{} targets", all.len()),
            What::Classes(k) => format!("target: logits of {} classes", k.numel()),
            What::Finer { .. } => "target: a class against those most like it".to_string(),
            What::Mirrored(of) => of.describe(),
        }
    }
}

pub(super) fn logits(out: &Value) -> Result<Tensor> {
    match out {
        Value::Tensor(t) if t.dim() >= 2 => Ok(t.shallow_clone()),
        other => Err(Error::new(format!(
            "a class target needs an output [N, classes, ..], got {}",
            other.describe()
        ))
        .hint("for an output of another form use target::custom(|out| …)")),
    }
}

pub(super) fn class(logits: &Tensor, k: i64) -> Result<Tensor> {
    let s = logits.size();
    if k < 0 || k >= s[1] {
        return Err(Error::new(format!("there is no class {k}: the network has classes 0 to {}", s[1] - 1)));
    }
    if s.len() != 2 {
        return Err(Error::new(format!("a class target needs an output [N, classes], got {s:?}"))
            .hint("for an output that is a picture use target::area or target::mask"));
    }
    Ok(logits.f_select(1, k)?)
}

/// The output picture [N, C, H, W] of a network that gives a tensor, a list or a map.
fn picture(out: &Value, o: &AreaOptions) -> Result<Tensor> {
    let hit = match (out, &o.output) {
        (Value::Map(m), Some(key)) => m.get(key).ok_or_else(|| Error::unknown("output", key, m.keys()))?,
        (Value::Map(m), None) => {
            let mut pictures = m.values().filter(|v| matches!(v, Value::Tensor(t) if t.dim() == 4));
            match (pictures.next(), pictures.next()) {
                (Some(one), None) => one,
                _ => {
                    return Err(Error::new("the network gives a map: say which entry is the picture").hint(
                        format!(
                            "target option #{{output: …}}; entries: {}",
                            m.keys().cloned().collect::<Vec<_>>().join(", ")
                        ),
                    ));
                }
            }
        }
        (Value::List(items), None) => items.first().unwrap_or(&Value::Nil),
        (other, _) => other,
    };
    match hit {
        Value::Tensor(t) if t.dim() == 4 => Ok(t.shallow_clone()),
        other => {
            Err(Error::new(format!("an area needs an output picture [N, C, H, W], got {}", other.describe())))
        }
    }
}

impl FromValue for Target {
    const TYPE: &'static str = "class number, Target or list of them";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Nil => Ok(Target::top()),
            Value::Int(k) => Ok(Target(Rc::new(What::Class(*k)))),
            Value::List(_) => Vec::from_value(v).map(|all| Target(Rc::new(What::Each(all)))),
            Value::Tensor(t) if t.kind() == Kind::Int64 && t.dim() == 1 => {
                let classes = Vec::<i64>::try_from(t)?.into_iter().map(|k| Target(Rc::new(What::Class(k))));
                Ok(Target(Rc::new(What::Each(classes.collect()))))
            }
            v => v.downcast::<Target>().cloned().map_or_else(|| mismatch(<Self as FromValue>::TYPE, v), Ok),
        }
    }
}

functions! {
    in "target";
    /// The logit of class `k`; a bare integer means the same.
    /// ```rhai
    /// target::class(3) // => target: logit of class 3
    /// ```
    fn class(k: i64) -> Target {
        Target(Rc::new(What::Class(k)))
    }

    /// Each picture's own highest logit, the target when none is given.
    /// ```rhai
    /// target::top() // => target: each picture's highest logit
    /// ```
    fn top() -> Target {
        Target::top()
    }

    /// The probability of class `k`, after the softmax.
    /// ```rhai
    /// target::softmax(3) // => target: probability of class 3
    /// ```
    fn softmax(k: i64) -> Target {
        Target(Rc::new(What::Softmax(k)))
    }

    /// The logit of class `k` plus its log-probability.
    ///
    /// ReST (https://arxiv.org/abs/2501.06261): says what the logit says, and how it stands against the other classes.
    /// ```rhai
    /// target::rest(3) // => target: logit and log-probability of class 3
    /// ```
    fn rest(k: i64) -> Target {
        Target(Rc::new(What::Rest(k)))
    }

    /// A box of the picture that the network draws, in pixels of that picture.
    ///
    /// The value is the sum over the box's pixels and all channels, before the network's final `nn::sigmoid()` layer
    /// (which saturates).
    /// ```rhai
    /// target::area(4, 6, 8, 8) // => target: area x 4, y 6, 8 × 8
    /// ```
    fn area(x: i64, y: i64, w: i64, h: i64, options: Opts<AreaOptions>) -> Target {
        Target(Rc::new(What::Area { at: [x, y, w, h], o: options.0 }))
    }

    /// The pixels under a mask [H, W] of the picture that the network draws.
    /// ```rhai
    /// target::mask(tensor::ones([8, 8])) // => target: mask [8, 8]
    /// ```
    fn mask(mask: Tensor, options: Opts<AreaOptions>) -> Target {
        if mask.dim() < 2 {
            Err(Error::new(format!("a mask is [H, W], got {:?}", mask.size())))?;
        }
        Target(Rc::new(What::Mask { mask, o: options.0 }))
    }

    /// Whatever the closure makes of the network's output: one number a picture, [N].
    ///
    /// Methods that look many times (`cam::score_cam` …) call it with the outputs of many variants of one picture.
    /// ```rhai
    /// target::custom(|out| out.pow(2).sum(1)) // => target: function
    /// ```
    fn custom(f: Closure) -> Target {
        Target(Rc::new(What::Custom(f)))
    }
}
