//! How scripts make targets.

use super::{AreaOptions, PictureOptions, Target, What, Zone, alike};
use crate::core::value::mismatch;
use crate::core::{Closure, Error, Opts, Result, Value};
use std::rc::Rc;
use tch::Tensor;

options! {
    /// Options of the class targets.
    pub struct ClassOptions {
        /// The names of the classes in their order, to name one.
        classes: Vec<String> = Vec::new(),
    }
}

options! {
    /// Options of `target::area_error`.
    pub struct ErrorOptions {
        /// What the picture should be; the network's input if left out.
        reference: Option<Tensor> = None,
        /// Takes the picture from the output of this layer instead of from the network's.
        layer: Option<String> = None,
        /// The picture's key, where the network gives a map.
        output: Option<String> = None,
    }
}

/// A class that is given by number or name; a name that is not among the options is the network's to know.
fn of_class(class: &Value, o: &ClassOptions, ask: fn(i64) -> What) -> Result<Target> {
    let (name, all) = match class {
        Value::Int(k) => return Ok(Target(Rc::new(ask(*k)))),
        Value::Str(name) => (name, &o.classes),
        other => return mismatch("class number or name", other),
    };
    let named = Target(Rc::new(What::Named(name.clone(), ask)));
    if all.is_empty() { Ok(named) } else { named.numbered(|| all.clone()) }
}

functions! {
    in "target";
    /// The logit of a class, by number or by name; a bare integer means the same.
    /// ```rhai
    /// target::class(3) // => target: logit of class 3
    /// target::class("dog", #{classes: ["cat", "dog"]}) // => target: logit of class 1
    /// target::class("dgo", #{classes: ["cat", "dog"]}) // error: did you mean `dog`
    /// ```
    fn class(k: Value, options: Opts<ClassOptions>) -> Target {
        of_class(&k, &options.0, What::Class)?
    }

    /// Each picture's own highest logit, the target when none is given.
    /// ```rhai
    /// target::top() // => target: each picture's highest logit
    /// ```
    fn top() -> Target {
        Target::top()
    }

    /// The probability of a class (by number or name), after the softmax.
    /// ```rhai
    /// target::softmax(3) // => target: probability of class 3
    /// ```
    fn softmax(k: Value, options: Opts<ClassOptions>) -> Target {
        of_class(&k, &options.0, What::Softmax)?
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

    /// The squared error of a box of the picture that the network draws.
    ///
    /// Summed over pixels and channels, against `reference` ([C, H, W] or [N, C, H, W]); without one against the network's input, as for an autoencoder.
    /// The picture is compared as it leaves the network, after a final sigmoid.
    /// ```rhai
    /// target::area_error(4, 6, 8, 8) // => target: squared error in x 4, y 6, 8 × 8
    /// ```
    fn area_error(x: i64, y: i64, w: i64, h: i64, options: Opts<ErrorOptions>) -> Target {
        let ErrorOptions { reference, layer, output } = options.0;
        Target(Rc::new(What::Error { at: [x, y, w, h], reference, o: PictureOptions { layer, output } }))
    }

    /// A class's logits [N, classes, H, W] summed over a part of the picture.
    ///
    /// The part is a mask [H, W] or [N, H, W], or a box `[x, y, width, height]` in pixels of the output; without one (`()`)
    /// the pixels where the class is the highest.
    /// ```rhai
    /// target::segment(3, tensor::ones([8, 8])) // => target: logits of class 3 under mask [8, 8]
    /// target::segment(3, [4, 6, 8, 8]) // => target: logits of class 3 in x 4, y 6, 8 × 8
    /// target::segment(3) // => target: logits of class 3 where it is the highest
    /// ```
    fn segment(k: i64, part: Option<Zone>, options: Opts<PictureOptions>) -> Target {
        Target(Rc::new(What::Segment { class: k, zone: part.unwrap_or(Zone::Own), o: options.0 }))
    }

    /// A class's logits over one connected piece of where it is the highest.
    ///
    /// The piece that holds the pixel (x, y) of the output, or the largest one. Pixels are connected side by side.
    /// ```rhai
    /// target::component(1, 20, 30) // => target: logits of class 1 in its piece at x 20, y 30
    /// target::component(1) // => target: logits of class 1 in its largest piece
    /// ```
    fn component(k: i64, x: Option<i64>, y: Option<i64>, options: Opts<PictureOptions>) -> Target {
        let zone = match (x, y) {
            (Some(x), Some(y)) => Zone::Piece(Some([x, y])),
            (None, None) => Zone::Piece(None),
            _ => Err(Error::new("a pixel is x and y: target::component(1, 20, 30)"))?,
        };
        Target(Rc::new(What::Segment { class: k, zone, o: options.0 }))
    }

    /// A class's logits along the outline of where it is the highest.
    ///
    /// Within `width` pixels (2 if left out) on both sides of it.
    /// ```rhai
    /// target::border(1, 3) // => target: logits of class 1 within 3 pixels of its outline
    /// ```
    fn border(k: i64, width: Option<i64>, options: Opts<PictureOptions>) -> Target {
        let width = width.unwrap_or(2);
        if !(1..=256).contains(&width) {
            Err(Error::new(format!("`width` is 1 to 256 pixels, got {width}")))?;
        }
        Target(Rc::new(What::Segment { class: k, zone: Zone::Border(width), o: options.0 }))
    }

    /// One dimension of the code that a network, or one of its layers, gives.
    ///
    /// Of a network that gives a map it is the entry `mu`, a VAE's mean, unless `output` says otherwise.
    /// ```rhai
    /// target::latent(2) // => target: dimension 2 of the code
    /// ```
    fn latent(i: i64, options: Opts<PictureOptions>) -> Target {
        Target(Rc::new(What::Latent(i, options.0)))
    }

    /// The cosine of the angle between what the network gives and a feature.
    ///
    /// The feature is [D], or one a picture [N, D], such as `net.forward(other)[0]`.
    /// ```rhai
    /// target::similarity(tensor::ones([8])) // => target: similarity to a feature [8]
    /// ```
    fn similarity(feature: Tensor, options: Opts<PictureOptions>) -> Target {
        let to = if feature.dim() > 2 { feature.f_flatten(1, -1)? } else { feature.shallow_clone() };
        if to.dim() == 0 {
            Err(Error::new("a feature is [D] or [N, D], got one number"))?;
        }
        Target(Rc::new(What::Similarity(to.f_detach()?, options.0)))
    }

    /// What one target has over another: why this class rather than that.
    /// ```rhai
    /// target::difference(3, 5) // => target: logit of class 3 less logit of class 5
    /// ```
    fn difference(a: Target, b: Target) -> Target {
        alike(&a, &b)?;
        Target(Rc::new(What::Difference(a, b)))
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
