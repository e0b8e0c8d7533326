//! The painter: blobs of tapered capsules, shaded as if they were round, over a ground. Anti-aliased by distance.

/// A place or direction.
pub type V = [f32; 2];
/// Red, green, blue in 0..1.
pub type Colour = [f32; 3];

pub fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

pub fn blend(a: Colour, b: Colour, t: f32) -> Colour {
    [mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)]
}

pub fn scale(a: Colour, t: f32) -> Colour {
    a.map(|v| v * t)
}

/// 0 below `a`, 1 above `b`, smooth between.
pub fn ramp(a: f32, b: f32, x: f32) -> f32 {
    let t = ((x - a) / (b - a)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

fn hash(x: i32, y: i32, seed: u32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77) ^ seed;
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    (h ^ (h >> 15)) as f32 / u32::MAX as f32
}

/// A random number in 0..1 for each unit square.
pub fn cell(x: f32, y: f32, seed: u32) -> f32 {
    hash(x.floor() as i32, y.floor() as i32, seed)
}

/// Smooth noise in 0..1, features of about one unit.
pub fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (ix, iy) = (fx as i32, fy as i32);
    let (tx, ty) = (x - fx, y - fy);
    let (sx, sy) = (tx * tx * (3.0 - 2.0 * tx), ty * ty * (3.0 - 2.0 * ty));
    let top = mix(hash(ix, iy, seed), hash(ix + 1, iy, seed), sx);
    mix(top, mix(hash(ix, iy + 1, seed), hash(ix + 1, iy + 1, seed), sx), sy)
}

/// Two octaves of [`noise`].
pub fn rough(x: f32, y: f32, seed: u32) -> f32 {
    0.65 * noise(x, y, seed) + 0.35 * noise(2.1 * x + 7.0, 2.1 * y, seed ^ 0x55)
}

/// Distance to the nearest of points scattered one a unit square, and that point's random number.
pub fn scattered(x: f32, y: f32, seed: u32) -> (f32, f32) {
    let (ix, iy) = (x.floor() as i32, y.floor() as i32);
    let mut best = (f32::MAX, 0.0);
    for dy in -1..=1 {
        for dx in -1..=1 {
            let (cx, cy) = (ix + dx, iy + dy);
            let px = cx as f32 + hash(cx, cy, seed);
            let py = cy as f32 + hash(cx, cy, seed ^ 0xabcd);
            let d = (x - px) * (x - px) + (y - py) * (y - py);
            if d < best.0 {
                best = (d, hash(cx, cy, seed ^ 0x1234));
            }
        }
    }
    (best.0.sqrt(), best.1)
}

/// A tapered capsule from `a` (radius `ra`) to `b` (radius `rb`).
#[derive(Clone, Copy)]
pub struct Limb {
    pub a: V,
    pub b: V,
    pub ra: f32,
    pub rb: f32,
    /// What it is part of.
    pub part: u8,
}

/// What a limb says of a place: distance to its skin, and how the skin is turned there.
#[derive(Clone, Copy)]
struct Skin {
    d: f32,
    n: V,
    part: u8,
    own: f32,
}

impl Limb {
    pub fn new(a: V, b: V, ra: f32, rb: f32, part: u8) -> Self {
        Self { a, b, ra, rb, part }
    }

    pub fn ball(at: V, r: f32, part: u8) -> Self {
        Self::new(at, at, r, r, part)
    }

    fn skin(&self, p: V) -> Skin {
        let (dx, dy) = (self.b[0] - self.a[0], self.b[1] - self.a[1]);
        let length2 = dx * dx + dy * dy;
        let along = (p[0] - self.a[0]) * dx + (p[1] - self.a[1]) * dy;
        let t = if length2 > 1e-12 { (along / length2).clamp(0.0, 1.0) } else { 0.0 };
        let (x, y) = (p[0] - self.a[0] - t * dx, p[1] - self.a[1] - t * dy);
        let (r, q) = (mix(self.ra, self.rb, t), (x * x + y * y).sqrt());
        let k = 1.0 / r.max(1e-6).max(q);
        Skin { d: q - r, n: [x * k, y * k], part: self.part, own: q - r }
    }
}

/// Limbs that melt into one another.
pub struct Blob {
    pub limbs: Vec<Limb>,
    /// How far they melt.
    pub melt: f32,
    /// Ruggedness of the outline.
    pub shaggy: f32,
    /// Brightness: what lies behind is darker.
    pub shade: f32,
}

impl Blob {
    pub fn new(limbs: Vec<Limb>, melt: f32) -> Self {
        Self { limbs, melt, shaggy: 0.0, shade: 1.0 }
    }

    fn skin(&self, p: V) -> Option<Skin> {
        let mut all = self.limbs.iter().map(|l| l.skin(p));
        let mut s = all.next()?;
        for o in all {
            if o.d < s.own {
                (s.part, s.own) = (o.part, o.d);
            }
            let h = (0.5 + 0.5 * (s.d - o.d) / self.melt.max(1e-6)).clamp(0.0, 1.0);
            s.d = mix(s.d, o.d, h) - self.melt * h * (1.0 - h);
            s.n = [mix(s.n[0], o.n[0], h), mix(s.n[1], o.n[1], h)];
        }
        Some(s)
    }
}

/// From a thing's own coordinates to the picture's (its side is 1).
#[derive(Clone, Copy)]
pub struct Place {
    pub at: V,
    pub scale: f32,
    pub angle: f32,
    pub mirrored: bool,
}

impl Place {
    fn side(&self) -> f32 {
        if self.mirrored { -1.0 } else { 1.0 }
    }

    /// Where a place of the thing is in the picture.
    pub fn out(&self, p: V) -> V {
        let (sin, cos) = self.angle.sin_cos();
        let (x, y) = (p[0] * cos - p[1] * sin, p[0] * sin + p[1] * cos);
        [self.at[0] + self.side() * x * self.scale, self.at[1] + y * self.scale]
    }
}

/// Where the light comes from, and how bright it is.
#[derive(Clone, Copy)]
pub struct Light {
    pub to: [f32; 3],
    pub ambient: f32,
    pub direct: f32,
    pub tint: Colour,
}

/// A square picture being painted, and what each pixel shows.
pub struct Canvas {
    pub side: usize,
    pub rgb: Vec<Colour>,
    pub part: Vec<u8>,
}

impl Canvas {
    /// A canvas filled by `ground`, which is asked for every pixel's centre.
    pub fn new(side: usize, ground: impl Fn(f32, f32) -> Colour) -> Self {
        let at = |i: usize| (i as f32 + 0.5) / side as f32;
        let rgb = (0..side * side).map(|i| ground(at(i % side), at(i / side))).collect();
        Self { side, rgb, part: vec![0; side * side] }
    }

    /// The pixels in a box of picture coordinates.
    fn pixels(&self, low: V, high: V) -> impl Iterator<Item = (usize, V)> + use<> {
        let (n, side) = (self.side as f32, self.side);
        let cut = |v: f32| v.clamp(0.0, n) as usize;
        let (x0, x1) = (cut((low[0] * n).floor()), cut((high[0] * n).ceil()));
        let (y0, y1) = (cut((low[1] * n).floor()), cut((high[1] * n).ceil()));
        let at = move |i: usize| (i as f32 + 0.5) / n;
        (y0..y1).flat_map(move |y| (x0..x1).map(move |x| (y * side + x, [at(x), at(y)])))
    }

    /// Darkens an ellipse on the ground, softly.
    pub fn shadow(&mut self, at: V, rx: f32, ry: f32, strength: f32) {
        for (i, p) in self.pixels([at[0] - rx, at[1] - ry], [at[0] + rx, at[1] + ry]) {
            let (x, y) = ((p[0] - at[0]) / rx, (p[1] - at[1]) / ry);
            let t = ramp(1.0, 0.3, (x * x + y * y).sqrt());
            self.rgb[i] = scale(self.rgb[i], 1.0 - strength * t);
        }
    }

    /// Paints a blob; `albedo` gives the colour of the skin at a place in the blob's coordinates, on a part.
    pub fn paint(&mut self, blob: &Blob, place: &Place, light: &Light, albedo: impl Fn(V, u8) -> Colour) {
        let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
        for (p, r) in blob.limbs.iter().flat_map(|l| [(l.a, l.ra), (l.b, l.rb)]) {
            let (o, r) =
                (place.out(p), (r + blob.melt * 0.5 + blob.shaggy) * place.scale + 1.0 / self.side as f32);
            low = [low[0].min(o[0] - r), low[1].min(o[1] - r)];
            high = [high[0].max(o[0] + r), high[1].max(o[1] + r)];
        }
        let ((sin, cos), side) = (place.angle.sin_cos(), place.side());
        let pixel = place.scale * self.side as f32;
        for (i, p) in self.pixels(low, high) {
            let (x, y) = (side * (p[0] - place.at[0]) / place.scale, (p[1] - place.at[1]) / place.scale);
            let q = [x * cos + y * sin, y * cos - x * sin];
            let Some(mut s) = blob.skin(q) else { return };
            if s.d * pixel > 0.5 + blob.shaggy * pixel {
                continue;
            }
            if blob.shaggy > 0.0 {
                s.d -= blob.shaggy * (2.0 * noise(q[0] * 38.0, q[1] * 38.0, 5) - 1.0);
            }
            let cover = (0.5 - s.d * pixel).clamp(0.0, 1.0);
            if cover <= 0.0 {
                continue;
            }
            let n = [side * (s.n[0] * cos - s.n[1] * sin), s.n[0] * sin + s.n[1] * cos];
            let nz = (1.0 - n[0] * n[0] - n[1] * n[1]).max(0.0).sqrt();
            let lambert = (n[0] * light.to[0] + n[1] * light.to[1] + nz * light.to[2]).max(0.0);
            // The sky lights from above, the ground a little from below.
            let lit = light.ambient * (0.8 - 0.35 * n[1]) + light.direct * lambert;
            let c = albedo(q, s.part);
            let c = [0, 1, 2].map(|k| c[k] * light.tint[k] * lit * blob.shade);
            self.rgb[i] = blend(self.rgb[i], c, cover);
            if cover >= 0.5 {
                self.part[i] = s.part;
            }
        }
    }
}
