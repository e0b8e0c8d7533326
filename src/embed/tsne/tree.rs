//! Repulsion by Barnes and Hut's tree (1986; for t-SNE van der Maaten 2014), in one to three dimensions.
//!
//! Points are sorted along a Z-shaped curve, and every cell of the tree is a run of them. A walk serves a group of
//! neighbours on the curve instead of one point: a cell is taken as one when it is small from wherever the group's
//! box is nearest, so no point sees less than its own walk would. What the walk lists is then summed in vectors,
//! one point a lane.

use super::grid::bounds;
use crate::core::simd::wide;
use rayon::prelude::*;

/// Points of a group: two vectors of lanes.
const GROUP: usize = 32;
/// A cell with so few points is not divided.
const LEAF: usize = 8;

#[derive(Clone, Copy)]
struct Cell<const D: usize> {
    centre: [f32; D],
    count: f32,
    /// Squared side.
    side2: f32,
    /// The next cell that is not inside this one.
    skip: u32,
    /// Points of a leaf; none otherwise.
    points: (u32, u32),
}

/// Sorting space kept from call to call.
pub struct Tree {
    theta: f32,
    codes: Vec<(u32, u32)>,
    spare: Vec<(u32, u32)>,
}

impl Tree {
    /// Cells count as one when their side is less than `theta` times their distance.
    pub fn new(theta: f32) -> Self {
        Self { theta, codes: Vec::new(), spare: Vec::new() }
    }

    /// Points in order of the curve, and bits of the code a level takes.
    fn sort<const D: usize>(&mut self, y: &[[f32; D]], low: &[f32; D], side: f32) {
        let bits = 30 / D as u32;
        let scale = ((1u32 << bits) - 1) as f32 / side;
        self.codes.clear();
        self.codes.extend(y.iter().enumerate().map(|(i, p)| {
            let place: [u32; D] = std::array::from_fn(|c| ((p[c] - low[c]) * scale) as u32);
            let code = (0..bits).fold(0, |code, b| {
                (0..D).fold(code, |code, c| code | ((place[c] >> b) & 1) << (b * D as u32 + c as u32))
            });
            (code, i as u32)
        }));
        self.spare.resize(y.len(), (0, 0));
        // By ten bits three times, lowest first.
        for shift in [0, 10, 20] {
            let mut at = [0u32; 1025];
            self.codes.iter().for_each(|(code, _)| at[((code >> shift) & 1023) as usize + 1] += 1);
            (0..1024).for_each(|b| at[b + 1] += at[b]);
            for entry in &self.codes {
                let to = &mut at[((entry.0 >> shift) & 1023) as usize];
                self.spare[*to as usize] = *entry;
                *to += 1;
            }
            std::mem::swap(&mut self.codes, &mut self.spare);
        }
    }

    /// Cells in the order of a walk that opens all.
    fn grow<const D: usize>(
        &self,
        sorted: &[[f32; D]],
        (from, to): (usize, usize),
        level: u32,
        side: f32,
        out: &mut Vec<Cell<D>>,
    ) {
        let (at, count) = (out.len(), (to - from) as f32);
        let mut centre = [0f64; D];
        sorted[from..to].iter().for_each(|p| (0..D).for_each(|c| centre[c] += f64::from(p[c])));
        let centre = centre.map(|v| (v / f64::from(count)) as f32);
        out.push(Cell { centre, count, side2: side * side, skip: 0, points: (0, 0) });
        if to - from <= LEAF || level == 0 {
            out[at].points = (from as u32, to as u32);
        } else {
            let digit = |i: usize| (self.codes[i].0 >> ((level - 1) * D as u32)) & ((1 << D) - 1);
            let mut a = from;
            while a < to {
                let own = digit(a);
                let b = a + (a..to).take_while(|i| digit(*i) == own).count();
                self.grow(sorted, (a, b), level - 1, side / 2.0, out);
                a = b;
            }
        }
        out[at].skip = out.len() as u32;
    }

    /// Σ (yᵢ − yⱼ) / (1 + |yᵢ − yⱼ|²)² for every point i into `out`; gives Z = Σ 1 / (1 + |yᵢ − yⱼ|²), i ≠ j.
    pub fn forces<const D: usize>(&mut self, y: &[[f32; D]], out: &mut [[f32; D]]) -> f64 {
        let (low, high) = bounds(y);
        let side = (0..D).map(|c| high[c] - low[c]).fold(1e-30, f32::max);
        self.sort(y, &low, side);
        let sorted: Vec<[f32; D]> = self.codes.iter().map(|(_, i)| y[*i as usize]).collect();
        let mut cells = Vec::with_capacity(y.len());
        self.grow(&sorted, (0, y.len()), 30 / D as u32, side, &mut cells);
        let (theta2, cells) = (self.theta * self.theta, &cells[..]);
        let mut forces = vec![[0f32; D]; y.len()];
        let parts: Vec<f64> = forces
            .par_chunks_mut(GROUP)
            .zip(sorted.par_chunks(GROUP))
            .map_init(Vec::new, |list, (out, group)| {
                wide(
                    #[inline(always)]
                    || {
                        walk(group, cells, &sorted, theta2, list);
                        sum(group, list, out)
                    },
                )
            })
            .collect();
        self.codes.iter().zip(&forces).for_each(|((_, i), f)| out[*i as usize] = *f);
        parts.iter().sum::<f64>() - y.len() as f64
    }
}

/// What acts on a group: places and how many points are there.
#[inline(always)]
fn walk<const D: usize>(
    group: &[[f32; D]],
    cells: &[Cell<D>],
    sorted: &[[f32; D]],
    theta2: f32,
    list: &mut Vec<([f32; D], f32)>,
) {
    list.clear();
    let mut low = [f32::INFINITY; D];
    let mut high = [f32::NEG_INFINITY; D];
    for p in group {
        for c in 0..D {
            low[c] = low[c].min(p[c]);
            high[c] = high[c].max(p[c]);
        }
    }
    let mut at = 0;
    while at < cells.len() {
        let cell = &cells[at];
        let mut d2 = 0.0;
        for c in 0..D {
            let d = (low[c] - cell.centre[c]).max(cell.centre[c] - high[c]).max(0.0);
            d2 += d * d;
        }
        if cell.side2 < theta2 * d2 {
            list.push((cell.centre, cell.count));
            at = cell.skip as usize;
        } else if cell.points.1 > 0 {
            list.extend(sorted[cell.points.0 as usize..cell.points.1 as usize].iter().map(|p| (*p, 1.0)));
            at = cell.skip as usize;
        } else {
            at += 1;
        }
    }
}

#[inline(always)]
fn sum<const D: usize>(group: &[[f32; D]], list: &[([f32; D], f32)], out: &mut [[f32; D]]) -> f64 {
    let mut p = [[0f32; GROUP]; D];
    for (l, point) in group.iter().enumerate() {
        (0..D).for_each(|c| p[c][l] = point[c]);
    }
    let mut force = [[0f32; GROUP]; D];
    let mut z = [0f32; GROUP];
    for half in 0..2 {
        if half * 16 >= group.len() {
            break;
        }
        let mut own = [[0f32; 16]; D];
        (0..D).for_each(|c| own[c].copy_from_slice(&p[c][half * 16..half * 16 + 16]));
        let (mut f, mut s) = ([[0f32; 16]; D], [0f32; 16]);
        for (centre, count) in list {
            let mut d = [[0f32; 16]; D];
            let mut q = [1f32; 16];
            for c in 0..D {
                for l in 0..16 {
                    d[c][l] = own[c][l] - centre[c];
                    q[l] += d[c][l] * d[c][l];
                }
            }
            let mut w = [0f32; 16];
            for l in 0..16 {
                q[l] = 1.0 / q[l];
                w[l] = count * q[l];
                s[l] += w[l];
                w[l] *= q[l];
            }
            for c in 0..D {
                for l in 0..16 {
                    f[c][l] += w[l] * d[c][l];
                }
            }
        }
        (0..D).for_each(|c| force[c][half * 16..half * 16 + 16].copy_from_slice(&f[c]));
        z[half * 16..half * 16 + 16].copy_from_slice(&s);
    }
    for (l, out) in out.iter_mut().enumerate() {
        *out = std::array::from_fn(|c| force[c][l]);
    }
    z[..group.len()].iter().map(|v| f64::from(*v)).sum()
}
