//! Augmentations: one file each, with torchvision's names (transforms.v2), parameters and meaning. One draws its
//! random numbers first and applies them then, so that both can be tested, and so that picture, mask and boxes go
//! through the same geometry.

/// Declares an augmentation `augment::name(arguments; #{options})`: what it draws, and what it does with that.
macro_rules! augment {
    ($(#[doc = $doc:literal])* $name:ident, ($($arg:ident : $ty:ty),* $(; $options:ty)?),
     $(random $random:literal,)?
     $(check |$c:ident| $check:expr,)? $(size |$z:ident| $size:expr,)?
     draw |$d:ident, $from:ident, $rng:ident| $draw:expr, run |$r:ident, $s:ident, $with:ident| $run:expr $(,)?) => {
        struct Unit { $($arg: $ty,)* $(o: $options)? }
        impl $crate::augment::Transform for Unit {
            fn name(&self) -> &'static str { stringify!($name) }
            $(fn random(&self) -> bool { $random })?
            $(fn size(&self) -> Option<[usize; 2]> { let $z = self; $size })?
            #[allow(unused_variables)]
            fn draw(&self, $from: [usize; 2], $rng: &mut $crate::augment::Rng) -> Vec<f64> {
                let $d = self;
                $draw
            }
            #[allow(unused_variables, unused_mut)]
            fn run(&self, mut $s: $crate::augment::Sample, $with: &[f64])
                -> $crate::core::Result<$crate::augment::Sample> {
                let $r = self;
                $run;
                Ok($s)
            }
        }
        function!("augment", Function, stringify!($name), [$($doc),*],
                  [$($arg: $ty,)* $(options: $crate::core::Opts<$options>)?], [$crate::augment::Aug], {
            let unit = Unit { $($arg,)* $(o: $crate::augment::given::<$options>(options))? };
            $({ let $c = &unit; $check })?
            $crate::augment::Aug::new(unit)
        });
    };
}

mod args;
mod center_crop;
mod color_jitter;
mod compose;
mod custom;
mod cutmix;
mod draws;
mod gaussian_blur;
mod geometry;
mod grayscale;
mod mixup;
mod normalize;
mod preview;
mod random_affine;
mod random_crop;
mod random_erasing;
mod random_grayscale;
mod random_horizontal_flip;
mod random_perspective;
mod random_resized_crop;
mod random_rotation;
mod random_vertical_flip;
mod resize;
mod sample;
mod tone;
mod trivial_augment;

pub use compose::flat;

use crate::core::{Error, Opts, Result};
use rand_chacha::ChaCha8Rng;
pub use sample::{IGNORED, Mask, Sample};
use std::sync::Arc;
use tch::Tensor;

/// Where augmentations get their random numbers from.
pub type Rng = ChaCha8Rng;

/// One augmentation.
pub trait Transform: Send + Sync {
    /// Its name in scripts.
    fn name(&self) -> &'static str;
    /// The size `[height, width]` of all that it gives, where that is settled.
    fn size(&self) -> Option<[usize; 2]> {
        None
    }
    /// The augmentations of which it is a sequence.
    fn stages(&self) -> Option<&[Aug]> {
        None
    }
    /// It calls the script, so that it runs on the main thread.
    fn on_main(&self) -> bool {
        false
    }
    /// Two applications to one picture may differ.
    fn random(&self) -> bool {
        true
    }
    /// It mixes whole batches: [`Transform::mix`] is what it does.
    fn mixes(&self) -> bool {
        false
    }
    /// The random numbers of one application to a picture (a batch) of `size` = `[height, width]`.
    fn draw(&self, _size: [usize; 2], _rng: &mut Rng) -> Vec<f64> {
        Vec::new()
    }
    /// Applies it with these numbers.
    ///
    /// # Errors
    /// A picture it cannot be applied to.
    fn run(&self, s: Sample, _with: &[f64]) -> Result<Sample> {
        Ok(s)
    }
    /// Draws, and applies.
    ///
    /// # Errors
    /// As [`Transform::run`].
    fn apply(&self, s: Sample, rng: &mut Rng) -> Result<Sample> {
        let with = self.draw(s.size(), rng);
        self.run(s, &with)
    }
    /// Mixes inputs [N, C, H, W] and probabilities [N, classes] with these numbers.
    ///
    /// # Errors
    /// Not a mixture.
    fn mix(&self, _x: Tensor, _y: Tensor, _with: &[f64]) -> Result<(Tensor, Tensor)> {
        Err(Error::new(format!("{} does not mix batches", self.name())))
    }
}

/// The options of a call.
fn given<T>(o: Opts<T>) -> T {
    o.0
}

/// `share` of each item and the rest of the one before it, as torchvision mixes.
fn mixed(t: &Tensor, share: f64) -> Result<Tensor> {
    Ok(t.f_mul_scalar(share)?.f_add(&t.f_roll([1], [0])?.f_mul_scalar(1.0 - share)?)?)
}

/// An augmentation as scripts hold it.
#[derive(Clone)]
pub struct Aug(pub Arc<dyn Transform>);

object!(Aug, "Augmentation", |a| format!("Augmentation {}", a.0.name()));

impl Aug {
    /// A handle to `t`.
    pub fn new(t: impl Transform + 'static) -> Self {
        Self(Arc::new(t))
    }
}
