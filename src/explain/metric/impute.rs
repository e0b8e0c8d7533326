//! Noisy linear imputation (Rong et al., ICML 2022, https://arxiv.org/abs/2202.00449): a pixel that is taken away becomes
//! the weighted mean of its neighbours, all such pixels at once.

/// The eight neighbours and their weights: (down, right, weight).
const NEIGHBOURS: [(i64, i64, f64); 8] = [
    (0, 1, 1.0 / 6.0),
    (0, -1, 1.0 / 6.0),
    (1, 0, 1.0 / 6.0),
    (-1, 0, 1.0 / 6.0),
    (1, 1, 1.0 / 12.0),
    (1, -1, 1.0 / 12.0),
    (-1, 1, 1.0 / 12.0),
    (-1, -1, 1.0 / 12.0),
];

/// The equations of the pixels that are missing, solved plane by plane.
pub struct Missing {
    /// Their places in the picture, in reading order.
    pub places: Vec<usize>,
    /// Sum of the weights of a pixel's neighbours inside the picture.
    diagonal: Vec<f64>,
    /// Of every missing pixel, its missing neighbours by their number.
    unknown: Vec<(u32, u32, f64)>,
    /// Of every missing pixel, its neighbours that are there, by their place.
    known: Vec<(u32, u32, f64)>,
}

impl Missing {
    /// The pixels of a picture of height `h` and width `w` that are not in `kept`.
    pub fn new(kept: &[bool], h: usize, w: usize) -> Self {
        let mut number = vec![u32::MAX; h * w];
        let places: Vec<usize> = (0..h * w).filter(|p| !kept[*p]).collect();
        for (i, p) in places.iter().enumerate() {
            number[*p] = i as u32;
        }
        let (mut diagonal, mut unknown, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for (i, p) in places.iter().enumerate() {
            let (y, x) = ((p / w) as i64, (p % w) as i64);
            let mut sum = 0.0;
            for (dy, dx, weight) in NEIGHBOURS {
                let (y, x) = (y + dy, x + dx);
                if y < 0 || x < 0 || y >= h as i64 || x >= w as i64 {
                    continue;
                }
                sum += weight;
                let q = y as usize * w + x as usize;
                match kept[q] {
                    true => known.push((i as u32, q as u32, weight)),
                    false => unknown.push((i as u32, number[q], weight)),
                }
            }
            diagonal.push(sum);
        }
        Self { places, diagonal, unknown, known }
    }

    /// The missing pixels' values, in the order of their places. Conjugate gradients: the equations are symmetric and
    /// positive, since every region of missing pixels touches one that is there.
    pub fn solve(&self, plane: &[f32]) -> Vec<f64> {
        let n = self.places.len();
        if self.known.is_empty() {
            let mean = plane.iter().map(|v| f64::from(*v)).sum::<f64>() / plane.len().max(1) as f64;
            return vec![mean; n]; // nothing is left to tell from
        }
        let mut b = vec![0.0; n];
        for (i, q, weight) in &self.known {
            b[*i as usize] += weight * f64::from(plane[*q as usize]);
        }
        let times = |v: &[f64]| {
            let mut out: Vec<f64> = v.iter().zip(&self.diagonal).map(|(v, d)| v * d).collect();
            for (i, j, weight) in &self.unknown {
                out[*i as usize] -= weight * v[*j as usize];
            }
            out
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut x = vec![0.0; n];
        let mut rest = b.clone();
        let mut along = rest.clone();
        let (mut size, first) = (dot(&rest, &rest), dot(&b, &b));
        for _ in 0..20 * (n + 10) {
            if size <= 1e-20 * first || size == 0.0 {
                break;
            }
            let image = times(&along);
            let step = size / dot(&along, &image);
            for i in 0..n {
                x[i] += step * along[i];
                rest[i] -= step * image[i];
            }
            let now = dot(&rest, &rest);
            for i in 0..n {
                along[i] = rest[i] + now / size * along[i];
            }
            size = now;
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_in_a_slope_is_filled_by_the_slope() {
        let (h, w) = (7, 9);
        let plane: Vec<f32> = (0..h * w).map(|p| (p / w) as f32 + 2.0 * (p % w) as f32).collect();
        let inner = |p: usize| (2..5).contains(&(p / w)) && (2..7).contains(&(p % w));
        let kept: Vec<bool> = (0..h * w).map(|p| !inner(p)).collect();
        let missing = Missing::new(&kept, h, w);
        for (p, v) in missing.places.iter().zip(missing.solve(&plane)) {
            assert!((v - f64::from(plane[*p])).abs() < 1e-9, "{p}: {v}");
        }
    }
}
