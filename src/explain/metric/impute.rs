//! Noisy linear imputation (Rong et al., ICML 2022, https://arxiv.org/abs/2202.00449): a pixel that is taken away becomes
//! the weighted mean of its neighbours, all such pixels at once.

/// Weights of the four nearest neighbours and of the four at the corners.
const WEIGHTS: [f64; 2] = [1.0 / 6.0, 1.0 / 12.0];

/// The equations of the pixels that are missing, solved plane by plane on a grid with a border of one pixel.
pub struct Missing {
    /// Their places in the picture, in reading order.
    pub places: Vec<usize>,
    size: [usize; 2],
    /// 1 where a pixel is missing, else 0.
    hole: Vec<f64>,
    /// Sum of the weights of a pixel's neighbours inside the picture.
    diagonal: Vec<f64>,
}

impl Missing {
    /// The pixels of a picture of height `h` and width `w` that are not in `kept`.
    pub fn new(kept: &[bool], h: usize, w: usize) -> Self {
        let places: Vec<usize> = (0..h * w).filter(|p| !kept[*p]).collect();
        let mut new = Self { places, size: [h, w], hole: Vec::new(), diagonal: Vec::new() };
        let mut hole = new.grid();
        for p in &new.places {
            hole[new.at(*p)] = 1.0;
        }
        let mut inside = new.grid();
        (0..h * w).for_each(|p| inside[new.at(p)] = 1.0);
        new.diagonal = new.neighbours(&inside);
        new.hole = hole;
        new
    }

    fn grid(&self) -> Vec<f64> {
        vec![0.0; (self.size[0] + 2) * (self.size[1] + 2)]
    }

    /// A pixel's place on the grid.
    fn at(&self, p: usize) -> usize {
        let w = self.size[1];
        (p / w + 1) * (w + 2) + p % w + 1
    }

    /// The weighted sum of every pixel's neighbours; 0 on the border.
    fn neighbours(&self, v: &[f64]) -> Vec<f64> {
        let ([h, w], [side, corner]) = (self.size, WEIGHTS);
        let (mut out, row) = (self.grid(), self.size[1] + 2);
        for y in 1..=h {
            let (up, mid) = (&v[(y - 1) * row..y * row], &v[y * row..(y + 1) * row]);
            let (down, to) = (&v[(y + 1) * row..(y + 2) * row], &mut out[y * row..(y + 1) * row]);
            for x in 1..=w {
                let sides = mid[x - 1] + mid[x + 1] + up[x] + down[x];
                let corners = up[x - 1] + up[x + 1] + down[x - 1] + down[x + 1];
                to[x] = side * sides + corner * corners;
            }
        }
        out
    }

    /// The missing pixels' values, in the order of their places. Conjugate gradients: the equations are symmetric and
    /// positive, since every region of missing pixels touches one that is there.
    pub fn solve(&self, plane: &[f32]) -> Vec<f64> {
        let n = self.places.len();
        if n == plane.len() {
            let mean = plane.iter().map(|v| f64::from(*v)).sum::<f64>() / n.max(1) as f64;
            return vec![mean; n]; // nothing is left to tell from
        }
        let mut there = self.grid();
        for (p, v) in plane.iter().enumerate() {
            there[self.at(p)] = f64::from(*v) * (1.0 - self.hole[self.at(p)]);
        }
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut rest: Vec<f64> = self.neighbours(&there).iter().zip(&self.hole).map(|(b, m)| b * m).collect();
        let (mut x, mut along) = (self.grid(), rest.clone());
        let first = dot(&rest, &rest);
        let mut size = first;
        for _ in 0..20 * (n + 10) {
            if size <= 1e-16 * first {
                break;
            }
            let mut image = self.neighbours(&along);
            for (i, v) in image.iter_mut().enumerate() {
                *v = self.hole[i] * (self.diagonal[i] * along[i] - *v);
            }
            let step = size / dot(&along, &image);
            for (i, v) in image.iter().enumerate() {
                x[i] += step * along[i];
                rest[i] -= step * v;
            }
            let now = dot(&rest, &rest);
            for (a, r) in along.iter_mut().zip(&rest) {
                *a = r + now / size * *a;
            }
            size = now;
        }
        self.places.iter().map(|p| x[self.at(*p)]).collect()
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
            assert!((v - f64::from(plane[*p])).abs() < 1e-7, "{p}: {v}");
        }
    }
}
