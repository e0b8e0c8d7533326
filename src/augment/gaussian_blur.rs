//! `augment::gaussian_blur`.

use super::args::{Both, Size};
use super::draws::uniform;
use crate::core::Error;
use crate::core::raster::Raster;

augment! {
    /// Blurs the picture with a kernel of this size and a random sigma.
    ///
    /// `kernel_size` is odd, [height, width] as all sizes here (torchvision's is [width, height]); `sigma` is
    /// [least, greatest] ([0.1, 2]), or one number.
    /// ```rhai
    /// augment::gaussian_blur(5).apply(image::filled(9, 9, "red")) // => Picture of 9 × 9 pixels
    /// ```
    gaussian_blur, (kernel_size: Size, sigma: Option<Both>),
    check |me| {
        let (Size(h, w), Both(a, b)) = (me.kernel_size, me.sigma.unwrap_or(Both(0.1, 2.0)));
        if h % 2 == 0 || w % 2 == 0 {
            Err(Error::new(format!("`kernel_size` is odd, got [{h}, {w}]")))?;
        }
        if !(0.0 < a && a <= b) {
            Err(Error::new(format!("`sigma` is [least, greatest] above 0, got [{a}, {b}]")))?;
        }
    },
    draw |me, size, rng| {
        let Both(a, b) = me.sigma.unwrap_or(Both(0.1, 2.0));
        vec![uniform(rng, a, b)]
    },
    run |me, s, d| {
        let Size(h, w) = me.kernel_size;
        let [ph, pw] = s.size();
        if h / 2 >= ph || w / 2 >= pw {
            return Err(Error::new(format!("a kernel of {w} x {h} is too large for a picture of {pw} x {ph}")));
        }
        s.picture = blurred(&s.picture, &kernel(w, d[0]), &kernel(h, d[0]));
    },
}

fn kernel(n: usize, sigma: f64) -> Vec<f32> {
    let half = (n as f64 - 1.0) / 2.0;
    let k: Vec<f64> = (0..n).map(|i| (-0.5 * ((i as f64 - half) / sigma).powi(2)).exp()).collect();
    let sum: f64 = k.iter().sum();
    k.iter().map(|v| (v / sum) as f32).collect()
}

/// A place beyond the edge is that mirrored at the edge's pixel.
fn reflect(i: i64, n: usize) -> usize {
    let last = n as i64 - 1;
    (if i < 0 {
        -i
    } else if i > last {
        2 * last - i
    } else {
        i
    }) as usize
}

fn blurred(src: &Raster, across: &[f32], down: &[f32]) -> Raster {
    let (w, h) = (src.width, src.height);
    let mut wide = vec![0f32; w * h * 3];
    for (row, out) in src.rgb.chunks_exact(w * 3).zip(wide.chunks_exact_mut(w * 3)) {
        for (k, weight) in across.iter().enumerate() {
            let shift = k as i64 - (across.len() / 2) as i64;
            for x in 0..w {
                let from = reflect(x as i64 + shift, w);
                (0..3).for_each(|c| out[3 * x + c] += weight * f32::from(row[3 * from + c]));
            }
        }
    }
    let mut rgb = Vec::with_capacity(w * h * 3);
    let mut sum = vec![0f32; w * 3];
    for y in 0..h {
        sum.fill(0.5);
        for (k, weight) in down.iter().enumerate() {
            let from = reflect(y as i64 + k as i64 - (down.len() / 2) as i64, h) * w * 3;
            sum.iter_mut().zip(&wide[from..from + w * 3]).for_each(|(s, v)| *s += weight * v);
        }
        rgb.extend(sum.iter().map(|v| *v as u8));
    }
    Raster { width: w, height: h, rgb }
}
