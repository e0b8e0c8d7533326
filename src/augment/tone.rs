//! Colours of pictures, in place: as torchvision's functional operations on uint8.

use crate::core::raster::Raster;
use crate::core::simd::wide;

/// Pixels that arithmetic runs on at once.
const BLOCK: usize = 64;

fn by_table(rgb: &mut [u8], f: impl Fn(f32) -> f32) {
    let table: [u8; 256] = std::array::from_fn(|v| f(v as f32) as u8);
    rgb.iter_mut().for_each(|v| *v = table[usize::from(*v)]);
}

/// `f` of each pixel, its channels apart, so that the compiler works on many pixels at once.
#[inline(always)]
fn by_pixel<T: Copy + Default + From<u8>>(rgb: &mut [u8], f: impl Fn([T; 3]) -> [u8; 3]) {
    wide(|| {
        for block in rgb.chunks_mut(3 * BLOCK) {
            let mut from = [[T::default(); BLOCK]; 3];
            let mut to = [[0; BLOCK]; 3];
            for (i, p) in block.chunks_exact(3).enumerate() {
                (0..3).for_each(|c| from[c][i] = p[c].into());
            }
            for i in 0..BLOCK {
                let p = f([from[0][i], from[1][i], from[2][i]]);
                (0..3).for_each(|c| to[c][i] = p[c]);
            }
            for (i, p) in block.chunks_exact_mut(3).enumerate() {
                (0..3).for_each(|c| p[c] = to[c][i]);
            }
        }
    });
}

/// ITU-R BT.601 luma, as Pillow's `convert("L")`.
#[inline]
pub fn luma(p: &[u8]) -> u8 {
    ((u32::from(p[0]) * 19595 + u32::from(p[1]) * 38470 + u32::from(p[2]) * 7471 + 0x8000) >> 16) as u8
}

/// Mixed with black.
pub fn brightness(r: &mut Raster, f: f64) {
    by_table(&mut r.rgb, |v| v * f as f32);
}

/// Mixed with the mean of its grey.
pub fn contrast(r: &mut Raster, f: f64) {
    let sum: u64 = r.rgb.chunks_exact(3).map(|p| u64::from(luma(p))).sum();
    let mean = sum as f32 / (r.rgb.len() / 3).max(1) as f32;
    by_table(&mut r.rgb, |v| mean + f as f32 * (v - mean));
}

/// Mixed with its grey.
pub fn saturation(r: &mut Raster, f: f64) {
    // 16 bits of fraction; sums stay below 2^31 for factors up to 100.
    let f = (f.min(100.0) * 65536.0) as i32;
    by_pixel(&mut r.rgb, |p: [i32; 3]| {
        let grey = (p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16;
        p.map(|c| (grey + (((c - grey) * f) >> 16)).clamp(0, 255) as u8)
    });
}

/// Hue turned by `f` full turns.
pub fn hue(r: &mut Raster, f: f64) {
    // In sixths of a turn, positive.
    let turn = (f.rem_euclid(1.0) * 6.0) as f32;
    by_pixel(&mut r.rgb, |[x, y, z]: [f32; 3]| {
        let (most, least) = (x.max(y).max(z), x.min(y).min(z));
        let range = most - least;
        let k = 1.0 / range.max(1e-3);
        let h = if most == x { 6.0 + (y - z) * k } else { 0.0 };
        let h = if most == y && most != x { 2.0 + (z - x) * k } else { h };
        let h = if most != y && most != x { 4.0 + (x - y) * k } else { h };
        [5.0, 3.0, 1.0].map(|n| {
            let k = n + h + turn;
            let k = if k >= 6.0 { k - 6.0 } else { k };
            let k = if k >= 6.0 { k - 6.0 } else { k };
            let k = if k >= 6.0 { k - 6.0 } else { k };
            // Within 0..=255.5, so the integer is exact.
            (most - range * k.min(4.0 - k).clamp(0.0, 1.0) + 0.5) as i32 as u8
        })
    });
}

/// In shades of grey.
pub fn grey(r: &mut Raster) {
    for p in r.rgb.chunks_exact_mut(3) {
        let l = luma(p);
        p.fill(l);
    }
}

/// Mixed with a smoothed copy; the outermost pixels stay.
pub fn sharpness(r: &mut Raster, f: f64) {
    let (w, h, f) = (r.width, r.height, f as f32);
    if w <= 2 || h <= 2 {
        return;
    }
    let old = r.rgb.clone();
    let line = 3 * w;
    let at = |k: usize| u32::from(old[k]);
    let row = |k: usize| at(k - 3) + at(k) + at(k + 3);
    for y in 1..h - 1 {
        for i in y * line + 3..(y + 1) * line - 3 {
            let sum = row(i - line) + row(i) + row(i + line) + 4 * at(i);
            let smooth = (sum as f32 / 13.0).round_ties_even();
            r.rgb[i] = (smooth + f * (at(i) as f32 - smooth)) as u8;
        }
    }
}

/// The highest `bits` of each byte.
pub fn posterize(r: &mut Raster, bits: u32) {
    let keep = if bits >= 8 { 0xff } else { !(0xffu8 >> bits) };
    r.rgb.iter_mut().for_each(|v| *v &= keep);
}

/// Values of `threshold` and more are inverted.
pub fn solarize(r: &mut Raster, threshold: f64) {
    by_table(&mut r.rgb, |v| if f64::from(v) >= threshold { 255.0 - v } else { v });
}

fn per_channel(r: &mut Raster, table: impl Fn(&[u32; 256]) -> [u8; 256]) {
    for c in 0..3 {
        let mut count = [0u32; 256];
        r.rgb.iter().skip(c).step_by(3).for_each(|v| count[usize::from(*v)] += 1);
        let table = table(&count);
        r.rgb.iter_mut().skip(c).step_by(3).for_each(|v| *v = table[usize::from(*v)]);
    }
}

/// Each channel stretched to 0..255.
pub fn autocontrast(r: &mut Raster) {
    per_channel(r, |count| {
        let first = count.iter().position(|n| *n > 0).unwrap_or(0) as f32;
        let last = count.iter().rposition(|n| *n > 0).unwrap_or(0) as f32;
        let gain = if last > first { 255.0 / (last - first) } else { 1.0 };
        std::array::from_fn(|v| if last > first { ((v as f32 - first) * gain) as u8 } else { v as u8 })
    });
}

/// Each channel with an even histogram, as Pillow's `ImageOps.equalize`.
pub fn equalize(r: &mut Raster) {
    per_channel(r, |count| {
        let filled: Vec<u32> = count.iter().copied().filter(|n| *n > 0).collect();
        let all: u32 = filled.iter().sum();
        let step = (all - filled.last().copied().unwrap_or(0)) / 255;
        let mut sum = step / 2;
        std::array::from_fn(|v| {
            let value = sum.checked_div(step).unwrap_or(v as u32);
            sum += count[v];
            value.min(255) as u8
        })
    });
}
