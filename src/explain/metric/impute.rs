//! Noisy linear imputation (Rong et al., ICML 2022, https://arxiv.org/abs/2202.00449): a pixel that is taken away becomes
//! the weighted mean of its neighbours, all such pixels at once. The equations are symmetric and positive, since every
//! region of missing pixels touches one that is there: conjugate gradients, made ready by one cycle over coarser and
//! coarser grids (aggregates of 2 × 2 unknowns), need some 20 steps whatever the size of the holes.

use std::ops::{Add, Mul};

/// Weights of the four nearest neighbours and of the four at the corners, in twelfths: their sums are exact.
const WEIGHTS: [f32; 2] = [2.0, 1.0];

/// Planes solved together.
pub const LANES: usize = 4;

/// The values of a pixel in the planes.
type Values = [f64; LANES];

/// The same inside a cycle, which need not be exact.
type Rough = [f32; LANES];

/// How much further a coarse grid's correction goes: functions constant on its cells are too stiff.
const FURTHER: f32 = 1.7;

/// The equations on one grid, which has a border of one pixel.
struct Grid {
    size: [usize; 2],
    /// The unknowns' places, in reading order, and their places on the next grid.
    cells: Vec<usize>,
    parents: Vec<usize>,
    diagonal: Vec<f32>,
    inverse: Vec<f32>,
    /// Couplings to the right, down left, down, down right.
    coupling: Vec<[f32; 4]>,
}

impl Grid {
    fn new(size: [usize; 2]) -> Self {
        let n = (size[0] + 2) * (size[1] + 2);
        let (diagonal, coupling) = (vec![0.0; n], vec![[0.0; 4]; n]);
        Self { size, cells: Vec::new(), parents: Vec::new(), diagonal, inverse: Vec::new(), coupling }
    }

    fn row(&self) -> usize {
        self.size[1] + 2
    }

    /// How far the neighbours of the couplings are.
    fn steps(&self) -> [usize; 4] {
        [1, self.row() - 1, self.row(), self.row() + 1]
    }

    fn zeros<T: Copy + Default>(&self) -> Vec<[T; LANES]> {
        vec![[T::default(); LANES]; self.diagonal.len()]
    }

    /// The weighted sum of a pixel's neighbours.
    #[inline(always)]
    fn around<T: Copy + Default + From<f32> + Mul<Output = T> + Add<Output = T>>(
        &self,
        v: &[[T; LANES]],
        i: usize,
    ) -> [T; LANES] {
        let (row, c) = (self.row(), &self.coupling);
        let (up, mid, down) = (&v[i - row - 1..][..3], &v[i - 1..][..3], &v[i + row - 1..][..3]);
        let (over, here) = (&c[i - row - 1..][..3], &c[i - 1..][..2]);
        let mut sum = [T::default(); LANES];
        let mut add = |a: f32, v: &[T; LANES]| sum = std::array::from_fn(|k| sum[k] + T::from(a) * v[k]);
        add(over[0][3], &up[0]);
        add(over[1][2], &up[1]);
        add(over[2][1], &up[2]);
        add(here[1][1], &down[0]);
        add(here[1][2], &down[1]);
        add(here[1][3], &down[2]);
        add(here[1][0], &mid[2]);
        add(here[0][0], &mid[0]); // last: a Gauss-Seidel step waits for it
        sum
    }

    fn finish(&mut self) {
        self.inverse = self.diagonal.iter().map(|d| if *d > 0.0 { 1.0 / d } else { 0.0 }).collect();
    }

    /// One Gauss-Seidel step at a pixel.
    #[inline(always)]
    fn relax(&self, b: &[Rough], x: &mut [Rough], i: usize) {
        let (sum, d) = (self.around(x, i), self.inverse[i]);
        x[i] = std::array::from_fn(|k| (b[i][k] + sum[k]) * d);
    }

    /// The equations of aggregates of 2 × 2 unknowns; sets the parents.
    fn coarser(&mut self) -> Grid {
        let mut next = Grid::new(self.size.map(|s| s.div_ceil(2)));
        let (row, wide) = (self.row(), next.row());
        let up = |i: usize| (i / row).div_ceil(2) * wide + (i % row).div_ceil(2);
        self.parents = self.cells.iter().map(|i| up(*i)).collect();
        for (i, p) in self.cells.iter().zip(&self.parents) {
            next.diagonal[*p] += self.diagonal[*i];
            for (a, step) in self.coupling[*i].into_iter().zip(self.steps()) {
                let q = up(i + step);
                if a == 0.0 {
                    continue;
                }
                match next.steps().iter().position(|s| *s == p.abs_diff(q)) {
                    Some(to) => next.coupling[q.min(*p)][to] += a,
                    None => next.diagonal[*p] -= 2.0 * a,
                }
            }
        }
        next.finish();
        next.cells = (0..next.diagonal.len()).filter(|i| next.diagonal[*i] > 0.0).collect();
        next
    }
}

/// The pixels that are missing in a picture, and the equations for them.
pub struct Missing {
    /// Their places in the picture, in reading order.
    pub places: Vec<usize>,
    /// From the picture's grid to one of a few unknowns.
    grids: Vec<Grid>,
}

/// A picture's pixel on a grid with a border.
fn at(p: usize, w: usize) -> usize {
    (p / w + 1) * (w + 2) + p % w + 1
}

impl Missing {
    /// The pixels of a picture of height `h` and width `w` that are not in `kept`.
    pub fn new(kept: &[bool], h: usize, w: usize) -> Self {
        let places: Vec<usize> = (0..h * w).filter(|p| !kept[*p]).collect();
        let mut grid = Grid::new([h, w]);
        let mut inside = vec![false; grid.diagonal.len()];
        (0..h * w).for_each(|p| inside[at(p, w)] = true);
        let mut hole = vec![false; inside.len()];
        places.iter().for_each(|p| hole[at(*p, w)] = true);
        grid.cells = places.iter().map(|p| at(*p, w)).collect();
        for i in grid.cells.clone() {
            for (k, step) in grid.steps().into_iter().enumerate() {
                let weight = WEIGHTS[k % 2];
                for j in [i + step, i - step] {
                    grid.diagonal[i] += if inside[j] { weight } else { 0.0 };
                }
                grid.coupling[i][k] = if hole[i + step] { weight } else { 0.0 };
            }
        }
        let mut grids = vec![grid];
        grids[0].finish();
        while let Some(last) = grids.last_mut()
            && last.cells.len() > 8
            && last.size != [1, 1]
        {
            let next = last.coarser();
            grids.push(next);
        }
        Self { places, grids }
    }

    /// An approximation of the solution for `b` on the grids from `level` on.
    fn cycle(&self, level: usize, b: &[Rough]) -> Vec<Rough> {
        let grid = &self.grids[level];
        let mut x = grid.zeros();
        let Some(next) = self.grids.get(level + 1) else {
            for _ in 0..8 {
                grid.cells.iter().for_each(|i| grid.relax(b, &mut x, *i));
                grid.cells.iter().rev().for_each(|i| grid.relax(b, &mut x, *i));
            }
            return x;
        };
        grid.cells.iter().for_each(|i| grid.relax(b, &mut x, *i));
        let mut coarse = next.zeros();
        for (i, p) in grid.cells.iter().zip(&grid.parents) {
            let (sum, d) = (grid.around(&x, *i), grid.diagonal[*i]);
            for k in 0..LANES {
                coarse[*p][k] += b[*i][k] + sum[k] - d * x[*i][k];
            }
        }
        let more = self.cycle(level + 1, &coarse);
        for (i, p) in grid.cells.iter().zip(&grid.parents) {
            for k in 0..LANES {
                x[*i][k] += FURTHER * more[*p][k];
            }
        }
        grid.cells.iter().rev().for_each(|i| grid.relax(b, &mut x, *i));
        x
    }

    /// [`cycle`](Missing::cycle) from the finest grid on, its results being of the size of `b`.
    fn ready(&self, b: &[Values], size: Values) -> Vec<Values> {
        let by: Values = size.map(|s| if s > 0.0 { 1.0 / s.sqrt() } else { 0.0 });
        let rough: Vec<Rough> = b.iter().map(|v| std::array::from_fn(|k| (v[k] * by[k]) as f32)).collect();
        self.cycle(0, &rough)
            .iter()
            .map(|v| std::array::from_fn(|k| f64::from(v[k]) * size[k].sqrt()))
            .collect()
    }

    /// The missing pixels' values in up to [`LANES`] planes, in the order of their places.
    pub fn solve(&self, planes: &[&[f32]]) -> Vec<Values> {
        let (n, grid) = (self.places.len(), &self.grids[0]);
        let [h, w] = grid.size;
        if n == h * w {
            let mean = |plane: &[f32]| plane.iter().map(|v| f64::from(*v)).sum::<f64>() / n.max(1) as f64;
            let mut means = [0.0; LANES];
            means.iter_mut().zip(planes).for_each(|(m, plane)| *m = mean(plane));
            return vec![means; n]; // nothing is left to tell from
        }
        let mut rest = grid.zeros();
        let mut missing = vec![false; h * w];
        self.places.iter().for_each(|p| missing[*p] = true);
        for p in &self.places {
            let (y, x) = ((p / w) as isize, (p % w) as isize);
            for (dy, dx) in (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dy, dx))) {
                let (v, u) = (y + dy, x + dx);
                if (0..h as isize).contains(&v) && (0..w as isize).contains(&u) {
                    let q = v as usize * w + u as usize;
                    if !missing[q] {
                        let weight = WEIGHTS[usize::from(dy != 0 && dx != 0)];
                        planes.iter().enumerate().for_each(|(k, plane)| {
                            rest[at(*p, w)][k] += f64::from(weight) * f64::from(plane[q])
                        });
                    }
                }
            }
        }
        let dot = |a: &[Values], b: &[Values]| {
            let mut sum = [0.0; LANES];
            for i in &grid.cells {
                (0..LANES).for_each(|k| sum[k] += a[*i][k] * b[*i][k]);
            }
            sum
        };
        let ratio = |a: Values, b: Values| -> Values {
            std::array::from_fn(|k| if b[k] > 0.0 { a[k] / b[k] } else { 0.0 })
        };
        let first = dot(&rest, &rest);
        let mut x = grid.zeros();
        let mut ready = self.ready(&rest, first);
        let (mut along, mut size) = (ready.clone(), dot(&rest, &ready));
        let mut image = grid.zeros();
        for _ in 0..20 * (n + 10) {
            let now = dot(&rest, &rest);
            if !(0..LANES).any(|k| now[k] > 1e-12 * first[k]) {
                break;
            }
            for i in &grid.cells {
                let (sum, d) = (grid.around(&along, *i), f64::from(grid.diagonal[*i]));
                (0..LANES).for_each(|k| image[*i][k] = d * along[*i][k] - sum[k]);
            }
            let step = ratio(size, dot(&along, &image));
            for i in &grid.cells {
                for k in 0..LANES {
                    x[*i][k] += step[k] * along[*i][k];
                    rest[*i][k] -= step[k] * image[*i][k];
                }
            }
            ready = self.ready(&rest, now);
            let next = dot(&rest, &ready);
            let turn = ratio(next, size);
            for i in &grid.cells {
                (0..LANES).for_each(|k| along[*i][k] = ready[*i][k] + turn[k] * along[*i][k]);
            }
            size = next;
        }
        grid.cells.iter().map(|i| x[*i]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_in_a_slope_is_filled_by_the_slope() {
        let (h, w) = (7, 9);
        let plane: Vec<f32> = (0..h * w).map(|p| (p / w) as f32 + 2.0 * (p % w) as f32).collect();
        let twice: Vec<f32> = plane.iter().map(|v| 2.0 * v).collect();
        let inner = |p: usize| (2..5).contains(&(p / w)) && (2..7).contains(&(p % w));
        let kept: Vec<bool> = (0..h * w).map(|p| !inner(p)).collect();
        let missing = Missing::new(&kept, h, w);
        for (p, v) in missing.places.iter().zip(missing.solve(&[&plane, &twice])) {
            assert!((v[0] - f64::from(plane[*p])).abs() < 1e-3, "{p}: {v:?}");
            assert!((v[1] - f64::from(twice[*p])).abs() < 1e-3, "{p}: {v:?}");
        }
    }

    /// Every missing pixel is the weighted mean of its neighbours inside the picture, in holes of any shape.
    #[test]
    fn every_missing_pixel_is_the_mean_of_its_neighbours() {
        for (h, w, keep) in [(1, 40, 7), (33, 1, 5), (31, 47, 13), (64, 64, 1000), (2, 2, 3)] {
            let plane: Vec<f32> = (0..h * w).map(|p| ((p * 7919) % 101) as f32 / 10.0).collect();
            let kept: Vec<bool> = (0..h * w).map(|p| (p * 31) % keep == 0).collect();
            let missing = Missing::new(&kept, h, w);
            let mut full: Vec<f64> = plane.iter().map(|v| f64::from(*v)).collect();
            for (p, v) in missing.places.iter().zip(missing.solve(&[&plane])) {
                full[*p] = v[0];
            }
            for p in &missing.places {
                let (mut sum, mut weights) = (0.0, 0.0);
                for (q, value) in full.iter().enumerate() {
                    let (dy, dx) = ((q / w).abs_diff(p / w), (q % w).abs_diff(p % w));
                    if q != *p && dy < 2 && dx < 2 {
                        let weight = if dy + dx == 2 { WEIGHTS[1] } else { WEIGHTS[0] };
                        sum += f64::from(weight) * value;
                        weights += f64::from(weight);
                    }
                }
                assert!(
                    (full[*p] - sum / weights).abs() < 1e-3,
                    "{h} × {w}, {p}: {} {}",
                    full[*p],
                    sum / weights
                );
            }
        }
    }
}
