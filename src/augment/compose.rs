//! `augment::compose`, `augment::random_apply`, `augment::random_choice`: augmentations of augmentations.

use super::args::probability;
use super::draws::coin;
use super::{Aug, Rng, Sample, Transform};
use crate::core::{Error, Result};
use rand::Rng as _;

struct Compose(Vec<Aug>);

impl Transform for Compose {
    fn name(&self) -> &'static str {
        "compose"
    }
    fn stages(&self) -> Option<&[Aug]> {
        Some(&self.0)
    }
    fn apply(&self, s: Sample, rng: &mut Rng) -> Result<Sample> {
        self.0.iter().try_fold(s, |s, a| a.0.apply(s, rng))
    }
}

struct RandomApply(Compose, f64);

impl Transform for RandomApply {
    fn name(&self) -> &'static str {
        "random_apply"
    }
    fn on_main(&self) -> bool {
        self.0.0.iter().any(|a| a.0.on_main())
    }
    fn apply(&self, s: Sample, rng: &mut Rng) -> Result<Sample> {
        if coin(rng, self.1) > 0.0 { self.0.apply(s, rng) } else { Ok(s) }
    }
}

struct RandomChoice(Vec<Aug>, Vec<f64>);

impl Transform for RandomChoice {
    fn name(&self) -> &'static str {
        "random_choice"
    }
    fn on_main(&self) -> bool {
        self.0.iter().any(|a| a.0.on_main())
    }
    fn apply(&self, s: Sample, rng: &mut Rng) -> Result<Sample> {
        let mut at = rng.random::<f64>() * self.1.iter().sum::<f64>();
        let chosen = self.1.iter().position(|p| {
            at -= p;
            at < 0.0
        });
        self.0[chosen.unwrap_or(self.0.len() - 1)].0.apply(s, rng)
    }
}

/// Mixtures need a whole batch, so none can be inside of these.
fn items(list: Vec<Aug>) -> Result<Vec<Aug>> {
    match list.iter().find(|a| flat(a).iter().any(|a| a.0.mixes())) {
        Some(_) => Err(Error::new("mixup and cutmix mix whole batches; they cannot be applied to one item")
            .hint("write them last in augment::compose")),
        None => Ok(list),
    }
}

/// The stages of an augmentation, one after the other.
pub fn flat(a: &Aug) -> Vec<Aug> {
    a.0.stages().map_or_else(|| vec![a.clone()], |all| all.iter().flat_map(flat).collect())
}

functions! {
    in "augment";
    /// Applies augmentations one after the other.
    /// ```rhai
    /// let aug = augment::compose([augment::random_horizontal_flip(), augment::color_jitter(0.2)]);
    /// aug.apply(image::filled(4, 3, "red")) // => Picture of 4 × 3 pixels
    /// ```
    fn compose(augmentations: Vec<Aug>) -> Aug {
        Aug::new(Compose(augmentations.iter().flat_map(flat).collect()))
    }

    /// Applies augmentations, all of them or none, with probability p (0.5).
    /// ```rhai
    /// augment::random_apply([augment::grayscale()], 0.3) // => Augmentation random_apply
    /// ```
    fn random_apply(augmentations: Vec<Aug>, p: Option<f64>) -> Aug {
        let p = p.unwrap_or(0.5);
        probability("p", p)?;
        Aug::new(RandomApply(Compose(items(augmentations)?), p))
    }

    /// Applies one of these augmentations; `p` are their weights.
    /// ```rhai
    /// augment::random_choice([augment::grayscale(), augment::color_jitter(0.5)]) // => Augmentation random_choice
    /// ```
    fn random_choice(augmentations: Vec<Aug>, p: Option<Vec<f64>>) -> Aug {
        let p = p.unwrap_or_else(|| vec![1.0; augmentations.len()]);
        if p.len() != augmentations.len() || p.is_empty() || p.iter().any(|p| *p < 0.0) || p.iter().sum::<f64>() <= 0.0 {
            Err(Error::new(format!("`p` is one weight for each of the {} augmentations, got {p:?}", augmentations.len())))?;
        }
        Aug::new(RandomChoice(items(augmentations)?, p))
    }
}
