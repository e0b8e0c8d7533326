//! The animal: limbs from a species and a pose, and the colours of its coat. It faces right; y grows downwards;
//! its chest and hips are about 0.7 apart.

use super::Dice;
use super::paint::{
    Blob, Canvas, Colour, Light, Limb, Place, V, blend, noise, ramp, rough, scale, scattered,
};
use super::species::{Coat, Ears, Legs, Muzzle, Species, Tail};

/// Names of the parts, by the number that masks hold; 0 is what is not the animal.
pub const PARTS: [&str; 7] = ["background", "body", "head", "muzzle", "ears", "legs", "tail"];
const BODY: u8 = 1;
const HEAD: u8 = 2;
const MUZZLE: u8 = 3;
const EARS: u8 = 4;
const LEGS: u8 = 5;
const TAIL: u8 = 6;

/// How far the feet are below the middle of the body.
pub fn stands(s: &Species) -> f32 {
    if s.legs == Legs::Short { 0.50 } else { 0.74 }
}

/// From the feet to the tips of the ears, at most.
pub fn tall(s: &Species) -> f32 {
    stands(s) + if s.ears == Ears::Long { 1.0 } else { 0.8 }
}

/// Colours and what is random in a coat.
struct Fur {
    base: Colour,
    mark: Colour,
    seed: u32,
    coat: Coat,
    socks: bool,
}

impl Fur {
    fn new(s: &Species, dice: &mut Dice) -> Self {
        const BASES: [Colour; 8] = [
            [0.72, 0.50, 0.30],
            [0.62, 0.60, 0.58],
            [0.86, 0.74, 0.55],
            [0.66, 0.34, 0.18],
            [0.90, 0.86, 0.80],
            [0.46, 0.33, 0.25],
            [0.80, 0.62, 0.36],
            [0.50, 0.52, 0.56],
        ];
        let jitter = dice.range(0.88, 1.1);
        let base = scale(BASES[dice.below(BASES.len())], jitter);
        let bright = base[0] + base[1] + base[2] > 1.25;
        let mark = if bright { scale(base, 0.28) } else { [0.93, 0.88, 0.80] };
        Self { base, mark, seed: dice.seed(), coat: s.coat, socks: s.legs == Legs::Socks }
    }

    /// How much of the mark's colour there is at a place.
    fn marked(&self, p: V, part: u8) -> f32 {
        let wave = || 0.14 * (noise(p[0] * 5.0, p[1] * 5.0, self.seed) - 0.5);
        if !matches!(part, BODY | LEGS | HEAD) || (part == HEAD && self.coat != Coat::Patches) {
            return 0.0;
        }
        match self.coat {
            Coat::Plain => 0.0,
            Coat::Spots if part == LEGS && p[1] > 0.35 => 0.0,
            Coat::Spots => {
                let (d, size) = scattered(p[0] * 5.6, p[1] * 5.6, self.seed);
                let r = 0.30 + 0.14 * size;
                ramp(r + 0.07, r - 0.07, d)
            }
            Coat::Stripes if part == LEGS => {
                ramp(0.0, 0.5, ((p[1] + wave()) * 44.0).sin()) * ramp(0.62, 0.5, p[1])
            }
            Coat::Stripes => {
                let s = ((p[0] + 0.35 * p[1] * p[0] + wave()) * 34.0).sin();
                ramp(0.0, 0.45, s - 0.9 * ramp(0.05, 0.25, p[1]))
            }
            Coat::Saddle => {
                let edge = 0.06 + wave();
                ramp(edge, edge - 0.05, p[1]) * ramp(0.36, 0.28, (p[0] + 0.08).abs() + wave() * 0.5)
            }
            Coat::Patches => ramp(0.50, 0.56, noise(p[0] * 3.1 + 9.0, p[1] * 3.1, self.seed)),
        }
    }

    fn colour(&self, p: V, part: u8, feet: f32) -> Colour {
        let hair = 0.86 + 0.28 * rough(p[0] * 16.0, p[1] * 26.0, self.seed ^ 9);
        let belly = ramp(0.10, 0.30, p[1]) * if part == BODY { 0.35 } else { 0.0 };
        let mut c = blend(self.base, [0.95, 0.92, 0.86], belly);
        c = blend(c, self.mark, self.marked(p, part));
        if part == LEGS {
            let sock = if self.socks { ramp(feet - 0.30, feet - 0.26, p[1]) } else { 0.0 };
            c = blend(c, [0.97, 0.96, 0.94], sock);
        }
        if part == MUZZLE {
            c = blend(c, [0.93, 0.88, 0.80], 0.45);
        }
        scale(c, hair)
    }
}

fn add(p: V, length: f32, angle: f32) -> V {
    [p[0] + length * angle.cos(), p[1] + length * angle.sin()]
}

/// Limbs through points with radii.
fn chain(points: &[(V, f32)], part: u8) -> Vec<Limb> {
    points.windows(2).map(|w| Limb::new(w[0].0, w[1].0, w[0].1, w[1].1, part)).collect()
}

fn leg(at: V, feet: f32, swing: f32, hind: bool) -> Vec<Limb> {
    let length = feet - at[1] - 0.05;
    let down = |along: f32, bend: f32| -> V {
        [at[0] + length * along * swing.sin() + bend, at[1] + length * along * swing.cos()]
    };
    let (thigh, bend) = if hind { (0.165, 0.05) } else { (0.115, 0.0) };
    let foot = down(1.0, 0.0);
    let mut limbs = chain(
        &[(at, thigh), (down(0.45, bend), 0.08), (down(0.75, -bend * 1.3), 0.052), (foot, 0.052)],
        LEGS,
    );
    limbs.push(Limb::new(foot, [foot[0] + 0.075, foot[1] + 0.005], 0.052, 0.05, LEGS));
    limbs
}

fn tail(kind: Tail, lift: f32) -> Blob {
    let root = [-0.53, -0.12];
    // Angles of the links, from the root on; 180 degrees points backwards.
    let link = |length: f32, angles: &[f32], radii: &[f32]| {
        let mut at = root;
        let mut points = vec![(at, radii[0])];
        for (a, r) in angles.iter().zip(&radii[1..]) {
            at = add(at, length, -(a - lift).to_radians());
            points.push((at, *r));
        }
        Blob::new(chain(&points, TAIL), 0.03)
    };
    match kind {
        Tail::Curled => link(
            0.085,
            &[150.0, 115.0, 70.0, 20.0, -40.0, -100.0, -150.0],
            &[0.06, 0.058, 0.056, 0.054, 0.052, 0.046, 0.038, 0.028],
        ),
        Tail::Bushy => Blob {
            shaggy: 0.022,
            ..link(0.11, &[195.0, 180.0, 160.0, 140.0, 125.0], &[0.045, 0.075, 0.11, 0.12, 0.095, 0.03])
        },
        Tail::Thin => link(
            0.10,
            &[205.0, 235.0, 260.0, 255.0, 225.0, 195.0],
            &[0.035, 0.028, 0.026, 0.024, 0.022, 0.022, 0.030],
        ),
        Tail::Bob => link(0.075, &[150.0, 135.0], &[0.06, 0.07, 0.065]),
    }
}

/// An ear whose root is at `at`; `tilt` turns it with the head.
fn ear(kind: Ears, at: V, tilt: f32, side: f32) -> (Vec<Limb>, Vec<Limb>) {
    let up = |degrees: f32| (degrees + side * 12.0).to_radians() + tilt;
    let line = |steps: &[(f32, f32, f32)], r0: f32| {
        let mut p = at;
        let mut points = vec![(p, r0)];
        for (length, degrees, r) in steps {
            p = add(p, *length, up(*degrees));
            points.push((p, *r));
        }
        points
    };
    let points = match kind {
        Ears::Pointed => line(&[(0.10, -98.0, 0.062), (0.15, -98.0, 0.008)], 0.075),
        Ears::Floppy => line(&[(0.07, 190.0, 0.058), (0.12, 115.0, 0.078), (0.10, 100.0, 0.060)], 0.05),
        Ears::Round => line(&[(0.05, -105.0, 0.095), (0.02, -105.0, 0.090)], 0.05),
        Ears::Long => line(&[(0.16, -104.0, 0.062), (0.15, -112.0, 0.058), (0.10, -122.0, 0.022)], 0.05),
    };
    let inner: Vec<(V, f32)> = match kind {
        Ears::Floppy => Vec::new(),
        _ => points.iter().skip(1).map(|(p, r)| (*p, r * 0.52)).collect(),
    };
    (chain(&points, EARS), chain(&inner, EARS))
}

/// Paints an animal of species `s` whose feet stand on y = 0 of `place`.
pub fn paint(canvas: &mut Canvas, s: &Species, place: &Place, light: &Light, dice: &mut Dice) {
    let fur = Fur::new(s, dice);
    let feet = stands(s);
    // The body's own coordinates have their origin in its middle.
    let place = &Place { at: place.out([0.0, -feet]), ..*place };
    let stride = dice.range(-0.42, 0.42);
    let (swing, opposite) = (stride, -stride * 0.85);
    let coat = |p: V, part: u8| fur.colour(p, part, feet);

    let mut far = Blob::new(leg([0.27, 0.08], feet - 0.03, opposite, false), 0.04);
    far.limbs.extend(leg([-0.33, 0.06], feet - 0.03, swing, true));
    far.shade = 0.66;
    canvas.paint(&far, place, light, coat);
    let tail = tail(s.tail, dice.range(-18.0, 18.0));
    canvas.paint(&tail, place, light, coat);

    let neck = dice.range(-72.0, -38.0f32).to_radians();
    let head = add([0.36, -0.10], 0.40, neck);
    let tilt = dice.range(-16.0, 16.0f32).to_radians();
    let turned = |x: f32, y: f32| -> V {
        let (sin, cos) = tilt.sin_cos();
        [head[0] + x * cos - y * sin, head[1] + x * sin + y * cos]
    };
    let (back, _) = ear(s.ears, turned(0.05, -0.12), tilt, 1.0);
    canvas.paint(&Blob { shade: 0.72, ..Blob::new(back, 0.02) }, place, light, coat);

    let (hip, chest) = ([-0.36, -0.02], [0.29, 0.02]);
    let mut body = vec![
        Limb::new(hip, chest, 0.205, 0.235, BODY),
        Limb::new([0.33, -0.08], head, 0.165, 0.115, BODY),
        Limb::new(turned(-0.01, -0.01), turned(0.03, 0.01), 0.158, 0.148, HEAD),
    ];
    let (long, r0, r1) = match s.muzzle {
        Muzzle::Long => (0.335, 0.098, 0.066),
        Muzzle::Short => (0.185, 0.110, 0.090),
    };
    body.push(Limb::new(turned(0.10, 0.05), turned(long, 0.075), r0, r1, MUZZLE));
    body.extend(leg([0.31, 0.10], feet, swing, false));
    body.extend(leg([-0.37, 0.06], feet, opposite, true));
    canvas.paint(&Blob { shaggy: 0.004, ..Blob::new(body, 0.055) }, place, light, coat);

    let (near, inner) = ear(s.ears, turned(-0.07, -0.11), tilt, -1.0);
    canvas.paint(&Blob::new(near, 0.02), place, light, coat);
    if !inner.is_empty() {
        canvas.paint(&Blob::new(inner, 0.0), place, light, |_, _| [0.80, 0.55, 0.50]);
    }
    let dark = |_: V, _: u8| [0.07, 0.05, 0.05];
    let nose = turned(long + r1 * 0.72, 0.05);
    canvas.paint(&Blob::new(vec![Limb::ball(nose, 0.042, MUZZLE)], 0.0), place, light, dark);
    let mouth = vec![Limb::new(turned(long + 0.02, 0.125), turned(long - 0.11, 0.135), 0.009, 0.006, MUZZLE)];
    canvas.paint(&Blob::new(mouth, 0.0), place, light, dark);
    let eye = turned(0.075, -0.035);
    canvas.paint(&Blob::new(vec![Limb::ball(eye, 0.034, HEAD)], 0.0), place, light, dark);
    let glint = Limb::ball([eye[0] - 0.010, eye[1] - 0.012], 0.011, HEAD);
    canvas.paint(&Blob::new(vec![glint], 0.0), place, light, |_, _| [1.6; 3]);
}
