//! U-Net (Ronneberger, Fischer and Brox 2015, https://arxiv.org/abs/1505.04597), figure 1; with padding, so that the output has
//! the picture's size, and batch norm.

use super::Spec;
use super::fcn::{fit, large_enough};
use super::parts::{Inside, Part, activation, block, conv, conv_bias, max_pool, norm, sequential};
use crate::core::{Error, Result};
use crate::nn::{ConvTranspose2dOptions, Count, Pair, conv_transpose2d};
use tch::Tensor;

options! {
    /// Options of `models::unet`.
    pub struct UnetOptions {
        /// Channels at the picture's size; every level down has twice as many.
        width: Count = Count(64) => 64,
        /// Levels below the picture's size.
        depth: usize = 4,
        /// Batch norm behind every convolution.
        batch_norm: bool = true,
    }
}

const SPEC: Spec = Spec { classes: 2, channels: 3, stem: "enc1.0", head: "head", imagenet: &[], adapt: Ok };

fn twice() -> ConvTranspose2dOptions {
    ConvTranspose2dOptions { stride: Pair([2, 2]), ..ConvTranspose2dOptions::default() }
}

/// Two convolutions.
fn double(i: i64, o: i64, batch_norm: bool) -> Result<Part> {
    let mut layers = Vec::new();
    for i in [i, o] {
        match batch_norm {
            true => layers.extend([conv(i, o, 3, 1, 1)?, norm(o)?]),
            false => layers.push(conv_bias(i, o, 3, 1, 1)?),
        }
        layers.push(activation());
    }
    sequential(layers)
}

model! {
    /// U-Net: down and up again, with what was seen on the way down beside.
    ///
    /// Ronneberger et al. 2015, figure 1, with padding and batch norm. Gives [N, classes, H, W] for pictures of any size
    /// from `2^depth` pixels. The layers are `enc1`, `pool1` … `mid`, and up again `up4`, `dec4` … `dec1`, `head`.
    /// ```rhai
    /// let net = models::unet(#{classes: 3, width: 4, depth: 3});
    /// net.forward(tensor::zeros([1, 3, 40, 24])).shape // => [1, 3, 40, 24]
    /// models::unet().count_parameters() // => 31037698
    /// ```
    unet, UnetOptions, SPEC, |plan, o| {
        if !(1..=6).contains(&o.depth) {
            Err(Error::new(format!("`depth` is 1 to 6, got {}", o.depth)))?;
        }
        let (depth, mut channels) = (o.depth, plan.channels);
        let width = |level: usize| o.width.0 << level;
        let mut parts: Vec<(String, Part)> = Vec::new();
        for level in 0..depth {
            parts.push((format!("enc{}", level + 1), double(channels, width(level), o.batch_norm)?));
            parts.push((format!("pool{}", level + 1), max_pool(2, 2, 0, false)?));
            channels = width(level);
        }
        parts.push(("mid".to_string(), double(channels, width(depth), o.batch_norm)?));
        for level in (0..depth).rev() {
            let (wide, own) = (width(level + 1), width(level));
            parts.push((format!("up{}", level + 1), conv_transpose2d(wide, own, [2, 2], twice())?));
            parts.push((format!("dec{}", level + 1), double(wide, own, o.batch_norm)?));
        }
        parts.push(("head".to_string(), conv_bias(width(0), plan.classes, 1, 1, 0)?));
        let named = parts.iter().map(|(n, p)| (n.as_str(), p.clone())).collect();
        block("UNet", named, move |b: &Inside, x: &Tensor| {
            large_enough(x, 1 << depth, "this U-Net")?;
            let (mut y, mut seen) = (x.shallow_clone(), Vec::new());
            for level in 1..=depth {
                let beside = b.run(&format!("enc{level}"), &y)?;
                y = b.run(&format!("pool{level}"), &beside)?;
                seen.push(beside);
            }
            y = b.run("mid", &y)?;
            for (i, beside) in seen.iter().enumerate().rev() {
                let level = i + 1;
                let up = fit(&b.run(&format!("up{level}"), &y)?, beside, 0)?;
                y = b.run(&format!("dec{level}"), &Tensor::f_cat(&[beside, &up], 1)?)?;
            }
            b.run("head", &y)
        })
    }
}
