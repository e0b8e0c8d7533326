//! What the animal stands on, and what is behind it.

use super::Dice;
use super::paint::{Colour, blend, cell, mix, noise, ramp, rough, scale, scattered};

/// The kinds of ground: class k is at home on kind k, as long as there are as many.
pub const KINDS: [&str; 10] =
    ["lawn", "sand", "snow", "wood", "tiles", "cobble", "carpet", "leaves", "asphalt", "meadow"];

/// A scene without its animal.
pub struct Ground {
    kind: usize,
    seed: u32,
    tone: Colour,
    second: Colour,
    /// Where the ground ends, from the top.
    pub horizon: f32,
    zoom: f32,
    turn: (f32, f32),
    wall: Colour,
    indoors: bool,
}

impl Ground {
    pub fn new(kind: usize, dice: &mut Dice) -> Self {
        let kind = kind % KINDS.len();
        let (tone, second): (Colour, Colour) = match kind {
            0 => ([0.30, 0.50, 0.17], [0.42, 0.60, 0.24]),
            1 => ([0.84, 0.73, 0.52], [0.72, 0.60, 0.40]),
            2 => ([0.93, 0.95, 0.98], [0.78, 0.84, 0.92]),
            3 => ([0.62, 0.42, 0.25], [0.40, 0.25, 0.14]),
            4 => ([0.80, 0.80, 0.78], [0.55, 0.60, 0.64]),
            5 => ([0.52, 0.49, 0.46], [0.33, 0.31, 0.29]),
            6 => ([0.56, 0.22, 0.26], [0.82, 0.70, 0.46]),
            7 => ([0.72, 0.40, 0.14], [0.42, 0.24, 0.12]),
            8 => ([0.34, 0.35, 0.37], [0.46, 0.47, 0.49]),
            _ => ([0.38, 0.55, 0.22], [0.90, 0.82, 0.30]),
        };
        let tint = [dice.range(0.92, 1.08), dice.range(0.92, 1.08), dice.range(0.92, 1.08)];
        let tinted = |c: Colour| [c[0] * tint[0], c[1] * tint[1], c[2] * tint[2]];
        const WALLS: [Colour; 5] = [
            [0.80, 0.76, 0.68],
            [0.62, 0.68, 0.72],
            [0.70, 0.60, 0.54],
            [0.56, 0.62, 0.52],
            [0.82, 0.82, 0.82],
        ];
        Self {
            kind,
            seed: dice.seed(),
            tone: tinted(tone),
            second: tinted(second),
            horizon: dice.range(-0.12, 0.36),
            zoom: dice.range(0.85, 1.25),
            turn: dice.range(-0.5, 0.5f32).sin_cos(),
            wall: WALLS[dice.below(WALLS.len())],
            indoors: matches!(kind, 3 | 4 | 6),
        }
    }

    /// The colour at a place of the picture.
    pub fn colour(&self, x: f32, y: f32) -> Colour {
        if y < self.horizon { self.behind(x, y) } else { self.below(x, y) }
    }

    fn behind(&self, x: f32, y: f32) -> Colour {
        let up = (self.horizon - y) / 0.4;
        if self.indoors {
            let skirting = ramp(0.035, 0.03, self.horizon - y);
            let paper = scale(self.wall, 0.92 + 0.10 * noise(x * 40.0, y * 5.0, self.seed));
            return blend(paper, [0.9, 0.88, 0.85], skirting);
        }
        let sky = blend([0.84, 0.89, 0.93], [0.48, 0.66, 0.88], up.min(1.0));
        let cloud = ramp(0.5, 0.85, rough(x * 3.0, y * 7.0, self.seed ^ 3));
        let sky = blend(sky, [0.97; 3], cloud * 0.7);
        let top = self.horizon - 0.05 - 0.13 * rough(x * 4.0, 0.5, self.seed ^ 4);
        let wood = scale([0.24, 0.36, 0.20], 0.7 + 0.6 * rough(x * 30.0, y * 30.0, self.seed ^ 5));
        blend(sky, blend(wood, sky, 0.25), ramp(top - 0.012, top + 0.012, y))
    }

    fn below(&self, x: f32, y: f32) -> Colour {
        let depth = 1.0 / (y - self.horizon + 0.22);
        let (u, v) = ((x - 0.5) * depth * 2.6 * self.zoom, depth * 3.4 * self.zoom);
        let (u, v) = (u * self.turn.1 - v * self.turn.0, u * self.turn.0 + v * self.turn.1);
        // Far away the pattern melts into its mean.
        let near = ramp(4.2, 1.0, depth);
        let s = self.seed;
        let broad = 0.85 + 0.3 * noise(u * 0.9, v * 0.9, s ^ 1);
        let c = match self.kind {
            0 | 9 => {
                let blades = noise(x * 90.0, y * 26.0, s) * near + 0.5 * (1.0 - near);
                let mut c = blend(scale(self.tone, 0.72), scale(self.tone, 1.4), blades);
                if self.kind == 9 {
                    let (d, which) = scattered(u * 2.4, v * 2.4, s);
                    const FLOWERS: [Colour; 3] = [[0.95, 0.85, 0.25], [0.96, 0.95, 0.94], [0.80, 0.35, 0.65]];
                    let flower = FLOWERS[((which * 3.0) as usize).min(2)];
                    c = blend(c, flower, ramp(0.22, 0.14, d) * near.max(0.35));
                } else {
                    c = blend(c, self.second, 0.5 * ramp(0.45, 0.7, noise(u * 1.4, v * 1.4, s ^ 2)));
                }
                c
            }
            1 => {
                let ripple = ((v * 7.0 + 1.6 * noise(u * 1.2, v * 1.2, s)) * 1.5).sin() * 0.5 + 0.5;
                let grain = 0.9 + 0.2 * noise(x * 150.0, y * 150.0, s ^ 2);
                scale(blend(self.tone, self.second, ripple * 0.45 * near), grain)
            }
            2 => {
                let drift = rough(u * 1.3, v * 1.8, s);
                let spark = if cell(x * 120.0, y * 120.0, s) > 0.985 { 1.1 } else { 1.0 };
                scale(blend(self.tone, self.second, ramp(0.35, 0.75, drift)), spark)
            }
            3 => {
                let row = (v * 1.5).floor();
                let shift = cell(row, 3.0, s) * 4.0;
                let board = cell((u * 0.4 + shift).floor(), row, s);
                let grain = noise(u * 1.6 + 30.0 * board, v * 22.0, s ^ 2);
                let base = blend(self.tone, self.second, 0.5 * board + 0.3 * grain * near);
                let gap = edge(v * 1.5).min(edge(u * 0.4 + shift) * 4.0);
                scale(base, 1.0 - 0.55 * ramp(0.06, 0.01, gap) * near)
            }
            4 => {
                let odd = ((u * 0.9).floor() + (v * 0.9).floor()).rem_euclid(2.0);
                let base = blend(self.tone, self.second, odd);
                let gap = edge(u * 0.9).min(edge(v * 0.9));
                blend(base, [0.42, 0.41, 0.40], ramp(0.05, 0.02, gap) * near)
            }
            5 => {
                let (d, which) = scattered(u * 1.9, v * 1.9, s);
                let stone = scale(self.tone, 0.75 + 0.6 * which);
                blend(stone, self.second, ramp(0.28, 0.55, d) * mix(0.5, 1.0, near))
            }
            6 => {
                let (a, b) = ((u * 2.2).sin(), (v * 2.2).sin());
                let figure = ramp(0.15, 0.3, (a * b).abs()) * ramp(0.75, 0.6, (a * b).abs());
                let pile = 0.88 + 0.24 * noise(x * 120.0, y * 120.0, s);
                scale(blend(self.tone, self.second, figure * 0.7 * mix(0.4, 1.0, near)), pile)
            }
            7 => {
                let (d, which) = scattered(u * 2.3, v * 2.3, s);
                const LEAVES: [Colour; 4] =
                    [[0.80, 0.50, 0.12], [0.70, 0.28, 0.10], [0.85, 0.66, 0.20], [0.48, 0.34, 0.14]];
                let leaf = scale(LEAVES[((which * 4.0) as usize).min(3)], 1.1 - 0.5 * d);
                blend(self.second, leaf, ramp(0.62, 0.42, d))
            }
            _ => {
                let grit = noise(x * 130.0, y * 130.0, s);
                let line = ramp(0.16, 0.12, (u - 0.8).abs());
                let c = blend(self.tone, self.second, ramp(0.4, 0.9, grit));
                blend(c, [0.86, 0.85, 0.80], line * 0.8 * cell(1.0, 1.0, s).round())
            }
        };
        scale(c, broad)
    }
}

/// Distance to the nearest whole number.
fn edge(x: f32) -> f32 {
    (x - x.round()).abs()
}
