//! Activations: one file each. `activation!` gives the layer `nn::NAME()` and the method `x.NAME()` of tensors.

/// Declares an activation: its words, `nn::name(parameters)`, PyTorch's class name, and the function.
macro_rules! activation {
    ($(#[doc = $doc:literal])*
     $name:ident, $class:literal, ($($arg:ident : $ty:ty = $default:literal),*), |$x:ident| $body:expr) => {
        function!("nn", Function, stringify!($name), [$($doc),*], [$($arg: Option<$ty>),*], [$crate::nn::Net], {
            $(let $arg = $arg.unwrap_or($default);)*
            let args: Vec<String> = vec![$(format!("{:?}", $arg)),*];
            let recipe = format!("nn::{}({})", stringify!($name), args.join(", "));
            let settings: Vec<String> = vec![$(format!("{}={:?}", stringify!($arg), $arg)),*];
            let text = format!("{}({})", $class, settings.join(", "));
            $crate::nn::Net::new($crate::nn::activation::Activation::new(text, recipe, move |$x| Ok($body)))
        });
    };
}

mod elu;
mod gelu;
mod hardswish;
mod hardtanh;
mod leaky_relu;
mod log_softmax;
mod mish;
mod prelu;
mod relu;
mod relu6;
mod selu;
mod sigmoid;
mod silu;
mod softmax;
mod softplus;
mod softsign;
mod tanh;

use super::{Ctx, Layer};
use crate::core::Result;
use std::rc::Rc;
use tch::Tensor;

/// A layer that is one function of its input.
pub struct Activation<F> {
    text: String,
    recipe: String,
    f: F,
}

impl<F: Fn(&Tensor) -> Result<Tensor>> Activation<F> {
    /// The layer printed as `text`, built by `recipe`, that computes `f`.
    pub fn new(text: String, recipe: String, f: F) -> Self {
        Self { text, recipe, f }
    }
}

/// `max(0, x)`.
pub fn relu() -> Rc<dyn Layer> {
    Rc::new(Activation::new("ReLU()".to_string(), "nn::relu()".to_string(), |x| Ok(x.f_relu()?)))
}

/// `min(max(0, x), 6)`.
pub fn relu6() -> Rc<dyn Layer> {
    Rc::new(Activation::new("ReLU6()".to_string(), "nn::relu6()".to_string(), |x| Ok(x.f_relu6()?)))
}

impl<F: Fn(&Tensor) -> Result<Tensor>> Layer for Activation<F> {
    fn forward(&self, x: &Tensor, _: &Ctx) -> Result<Tensor> {
        (self.f)(x)
    }
    fn describe(&self) -> String {
        self.text.clone()
    }
    fn recipe(&self) -> Option<String> {
        Some(self.recipe.clone())
    }
}
