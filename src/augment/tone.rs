//! Colours of pictures, in place: as torchvision's functional operations on uint8.

use crate::core::raster::Raster;
use crate::core::simd::{whole, wide};

/// Pixels that arithmetic runs on at once.
const BLOCK: usize = 64;

/// The channels of some pixels, apart.
type Planes = [[u8; BLOCK]; 3];

/// `f` of each byte, cut to what a byte holds.
#[inline(always)]
fn by_byte(rgb: &mut [u8], f: impl Fn(f32) -> f32) {
    wide(
        #[inline(always)]
        || {
            rgb.iter_mut().for_each(
                #[inline(always)]
                |v| *v = whole(f(f32::from(*v)).clamp(0.0, 255.0)) as u8,
            )
        },
    );
}

/// Lets `f` change the pixels, many at once: loops over planes are what the compiler makes vector instructions of.
#[inline(always)]
fn by_planes(rgb: &mut [u8], f: impl Fn(&mut Planes)) {
    wide(
        #[inline(always)]
        || {
            let (blocks, rest) = rgb.as_chunks_mut::<{ 3 * BLOCK }>();
            for b in blocks {
                block(b, &f);
            }
            let mut last = [0; 3 * BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            block(&mut last, &f);
            rest.copy_from_slice(&last[..rest.len()]);
        },
    );
}

#[inline(always)]
fn block(rgb: &mut [u8; 3 * BLOCK], f: &impl Fn(&mut Planes)) {
    let mut planes = [[0; BLOCK]; 3];
    for i in 0..BLOCK {
        (planes[0][i], planes[1][i], planes[2][i]) = (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]);
    }
    f(&mut planes);
    for i in 0..BLOCK {
        (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) = (planes[0][i], planes[1][i], planes[2][i]);
    }
}

/// ITU-R BT.601 luma, as Pillow's `convert("L")`.
#[inline(always)]
pub fn luma(p: &[u8]) -> u8 {
    ((u32::from(p[0]) * 19595 + u32::from(p[1]) * 38470 + u32::from(p[2]) * 7471 + 0x8000) >> 16) as u8
}

/// Mixed with black.
pub fn brightness(r: &mut Raster, f: f64) {
    let f = f as f32;
    by_byte(
        &mut r.rgb,
        #[inline(always)]
        |v| v * f,
    );
}

/// Mixed with the mean of its grey.
pub fn contrast(r: &mut Raster, f: f64) {
    let (blocks, rest) = r.rgb.as_chunks::<{ 3 * BLOCK }>();
    let lumas = |rgb: &[u8]| rgb.chunks_exact(3).map(|p| u64::from(luma(p))).sum::<u64>();
    let sum = wide(
        #[inline(always)]
        || {
            let one = |b: &[u8; 3 * BLOCK]| (0..BLOCK).map(|i| u32::from(luma(&b[3 * i..]))).sum::<u32>();
            blocks.iter().map(|b| u64::from(one(b))).sum::<u64>()
        },
    );
    let mean = (sum + lumas(rest)) as f32 / (r.rgb.len() / 3).max(1) as f32;
    let f = f as f32;
    by_byte(
        &mut r.rgb,
        #[inline(always)]
        |v| mean + f * (v - mean),
    );
}

/// Mixed with its grey.
pub fn saturation(r: &mut Raster, f: f64) {
    // 16 bits of fraction; sums stay below 2^31 for factors up to 100.
    let f = (f.min(100.0) * 65536.0) as i32;
    by_planes(
        &mut r.rgb,
        #[inline(always)]
        |[red, green, blue]| {
            for i in 0..BLOCK {
                let (x, y, z) = (i32::from(red[i]), i32::from(green[i]), i32::from(blue[i]));
                let grey = (x * 19595 + y * 38470 + z * 7471 + 0x8000) >> 16;
                red[i] = (grey + (((x - grey) * f) >> 16)).clamp(0, 255) as u8;
                green[i] = (grey + (((y - grey) * f) >> 16)).clamp(0, 255) as u8;
                blue[i] = (grey + (((z - grey) * f) >> 16)).clamp(0, 255) as u8;
            }
        },
    );
}

/// A channel of a colour whose hue is `h` sixths of a turn from where that channel is full.
#[inline(always)]
fn channel(h: f32, most: f32, range: f32) -> u8 {
    // Back by whole turns to 0..6.
    let h = h - 6.0 * (h * (1.0 / 6.0)).floor();
    whole(most - range * h.min(4.0 - h).clamp(0.0, 1.0) + 0.5) as u8
}

/// Hue turned by `f` full turns.
pub fn hue(r: &mut Raster, f: f64) {
    // In sixths of a turn, positive.
    let turn = (f.rem_euclid(1.0) * 6.0) as f32;
    by_planes(
        &mut r.rgb,
        #[inline(always)]
        |[red, green, blue]| {
            for i in 0..BLOCK {
                let (x, y, z) = (f32::from(red[i]), f32::from(green[i]), f32::from(blue[i]));
                let (most, least) = (x.max(y).max(z), x.min(y).min(z));
                let range = most - least;
                let k = 1.0 / range.max(1e-3);
                let (from, over) = if most == y { (2.0, z - x) } else { (4.0, x - y) };
                let (from, over) = if most == x { (6.0, y - z) } else { (from, over) };
                let h = from + over * k + turn;
                red[i] = channel(5.0 + h, most, range);
                green[i] = channel(3.0 + h, most, range);
                blue[i] = channel(1.0 + h, most, range);
            }
        },
    );
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
    r.rgb.iter_mut().for_each(|v| *v = if f64::from(*v) >= threshold { 255 - *v } else { *v });
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
