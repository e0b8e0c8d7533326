//! Augmentations: one file each, with torchvision's names (transforms.v2), parameters and meaning. One draws its
//! random numbers first and applies them then, so that both can be tested, and so that picture, mask and boxes go
//! through the same geometry.

/// Declares an augmentation `augment::name(arguments, #{options})`: what it draws, and what it does with that.
macro_rules! augment {
    ($(#[doc = $doc:literal])* $name:ident, ($($arg:ident : $ty:ty),*), $options:ty,
     $(check |$c:ident| $check:expr,)? $(size |$z:ident| $size:expr,)?
     draw |$d:ident, $from:ident, $rng:ident| $draw:expr, run |$r:ident, $s:ident, $with:ident| $run:expr $(,)?) => {
        struct Unit { $($arg: $ty,)* o: $options }
        impl $crate::augment::Transform for Unit {
            fn name(&self) -> &'static str { stringify!($name) }
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
                  [$($arg: $ty,)* options: $crate::core::Opts<$options>], [$crate::augment::Aug], {
            let unit = Unit { $($arg,)* o: options.0 };
            $({ let $c = &unit; $check })?
            $crate::augment::Aug::new(unit)
        });
    };
}

mod sample;

use crate::core::Result;
use rand_chacha::ChaCha8Rng;
pub use sample::{Mask, Sample};
use std::sync::Arc;

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
    /// The random numbers of one application to a picture of `size` = `[height, width]`.
    fn draw(&self, size: [usize; 2], rng: &mut Rng) -> Vec<f64>;
    /// Applies it with these numbers.
    ///
    /// # Errors
    /// A picture it cannot be applied to.
    fn run(&self, s: Sample, with: &[f64]) -> Result<Sample>;
    /// Draws, and applies.
    ///
    /// # Errors
    /// As [`Transform::run`].
    fn apply(&self, s: Sample, rng: &mut Rng) -> Result<Sample> {
        let with = self.draw(s.size(), rng);
        self.run(s, &with)
    }
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
