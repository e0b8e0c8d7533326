//! One picture of the set: where things stand, the light, and the order of painting.

use super::Dice;
use super::animal;
use super::ground::{Ground, KINDS};
use super::paint::{Canvas, Light, Place, noise};
use super::species::SPECIES;

/// A finished picture: RGB bytes and, for each pixel, the number of the part it shows.
pub struct Scene {
    pub rgb: Vec<u8>,
    pub part: Vec<u8>,
}

/// Picture `index` of a set with this key: an animal of species `class` on a ground that is its home with
/// probability `background`, else any. The animal is the same whatever `background` is.
pub fn paint(key: u64, index: u64, class: usize, background: f64, side: usize) -> Scene {
    let dice = |what: u64| Dice::new(key, index * 4 + what);
    let (mut body, mut land, mut choice, mut clutter) = (dice(0), dice(1), dice(2), dice(3));
    // Both are drawn always, so that a home is the same place at every setting of the knob.
    let (any, at_home) = (choice.below(KINDS.len()), f64::from(choice.range(0.0, 1.0)) < background);
    let kind = if at_home { class % KINDS.len() } else { any };
    let ground = Ground::new(kind, &mut land);
    let s = &SPECIES[class % SPECIES.len()];

    let azimuth = body.range(-1.1, 1.1);
    let height = body.range(0.45, 0.85);
    let warmth = body.range(-0.09, 0.09);
    let light = Light {
        to: [azimuth.sin() * 0.8, -height, (1.0 - height * height).sqrt() * 0.9],
        ambient: body.range(0.42, 0.6),
        direct: body.range(0.5, 0.75),
        tint: [1.0 + warmth, 1.0, 1.0 - warmth],
    };
    let exposure = body.range(0.78, 1.12);
    let size = body.range(0.29, 0.47);
    let feet = body.range(0.72, 0.95).max(size * animal::tall(s) + 0.02);
    // A tail or a nose may just leave the picture.
    let room = (0.53 - 1.02 * size).max(0.0);
    let place = Place {
        at: [0.5 + body.range(-room, room), feet],
        scale: size,
        angle: body.range(-0.09, 0.09),
        mirrored: body.chance(0.5),
    };

    let mut canvas = Canvas::new(side, |x, y| {
        let c = ground.colour(x, y);
        [0, 1, 2].map(|k| c[k] * light.tint[k] * (light.ambient + light.direct * 0.62))
    });
    // What is behind the animal, from the back to the front, then what is before it.
    let mut things: Vec<([f32; 2], f32)> = (0..clutter.below(5))
        .map(|_| {
            let y = clutter.range(ground.horizon.max(0.0) + 0.1, 1.06);
            ([clutter.range(0.0, 1.0), y], clutter.range(0.10, 0.24) * (0.45 + 0.75 * y))
        })
        .collect();
    things.sort_by(|a, b| a.0[1].total_cmp(&b.0[1]));
    for (at, size) in things.iter().filter(|t| t.0[1] <= feet) {
        super::things::paint(&mut canvas, *at, *size, &light, &mut clutter);
    }
    canvas.shadow([place.at[0] - azimuth * 0.05, feet - 0.005], 0.66 * size, 0.13 * size, 0.5);
    animal::paint(&mut canvas, s, &place, &light, &mut body);
    for (at, size) in things.iter().filter(|t| t.0[1] > feet) {
        super::things::paint(&mut canvas, *at, *size, &light, &mut clutter);
    }

    let seed = land.seed();
    let n = side as f32;
    let mut rgb = Vec::with_capacity(side * side * 3);
    for (i, c) in canvas.rgb.iter().enumerate() {
        let (x, y) = ((i % side) as f32, (i / side) as f32);
        let (dx, dy) = (x / n - 0.5, y / n - 0.5);
        let gain = exposure * (1.06 - 0.35 * (dx * dx + dy * dy));
        let grain = 0.025 * (noise(x * 0.9, y * 0.9, seed) - 0.5);
        // A shoulder keeps bright places from burning out.
        let curve = |v: f32| if v > 0.8 { 0.8 + 0.2 * (1.0 - (-(v - 0.8) / 0.2).exp()) } else { v };
        rgb.extend(c.map(|v| (curve((v * gain + grain).max(0.0)) * 255.0 + 0.5) as u8));
    }
    Scene { rgb, part: canvas.part }
}
