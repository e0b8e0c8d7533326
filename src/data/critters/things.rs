//! Things that lie about and are not the animal.

use super::Dice;
use super::paint::{Blob, Canvas, Colour, Light, Limb, Place, V, blend, noise, ramp, rough, scale};

/// A thing of a random kind that stands at `at`; `size` is about its height.
pub fn paint(canvas: &mut Canvas, at: V, size: f32, light: &Light, dice: &mut Dice) {
    let place = Place { at, scale: size, angle: 0.0, mirrored: dice.chance(0.5) };
    let seed = dice.seed();
    let lump = |dice: &mut Dice, n: usize, wide: f32, r: f32| -> Vec<Limb> {
        let one = |dice: &mut Dice, _| {
            let x = dice.range(-wide, wide);
            let r = dice.range(0.6 * r, r) * (1.0 - 0.5 * x.abs() / wide.max(0.01));
            Limb::ball([x, -r * dice.range(0.75, 1.5)], r, 0)
        };
        (0..n).map(|i| one(dice, i)).collect()
    };
    canvas.shadow([at[0], at[1] - 0.01 * size], size * 0.75, size * 0.16, 0.4);
    match dice.below(6) {
        0 | 1 => {
            let tone = dice.range(0.38, 0.68);
            let blob = Blob::new(lump(dice, 4, 0.45, 0.42), 0.16);
            canvas.paint(&blob, &place, light, |p, _| {
                let spot = 0.75 + 0.5 * rough(p[0] * 9.0, p[1] * 9.0, seed);
                scale([tone, tone * 0.97, tone * 0.92], spot)
            });
        }
        2 => {
            let green = [dice.range(0.14, 0.34), dice.range(0.36, 0.52), dice.range(0.10, 0.22)];
            let blob = Blob { shaggy: 0.06, ..Blob::new(lump(dice, 8, 0.6, 0.36), 0.05) };
            canvas.paint(&blob, &place, light, |p, _| {
                scale(green, 0.55 + 0.9 * noise(p[0] * 17.0, p[1] * 17.0, seed))
            });
        }
        3 => {
            const COLOURS: [Colour; 5] = [
                [0.85, 0.15, 0.15],
                [0.15, 0.35, 0.80],
                [0.95, 0.80, 0.15],
                [0.95, 0.95, 0.95],
                [0.90, 0.45, 0.10],
            ];
            let (a, b) = (COLOURS[dice.below(5)], COLOURS[dice.below(5)]);
            let turn = dice.range(0.0, 3.0f32).sin_cos();
            let blob = Blob::new(vec![Limb::ball([0.0, -0.3], 0.3, 0)], 0.0);
            canvas.paint(&blob, &place, light, |p, _| {
                let along = p[0] * turn.0 + (p[1] + 0.3) * turn.1;
                blend(a, b, ramp(-0.02, 0.02, (along * 21.0).sin() * 0.1))
            });
        }
        4 => {
            let blob = Blob::new(vec![Limb::new([-0.6, -0.14], [0.6, -0.16], 0.15, 0.13, 0)], 0.0);
            canvas.paint(&blob, &place, light, |p, _| {
                scale([0.42, 0.29, 0.18], 0.6 + 0.8 * noise(p[0] * 5.0, p[1] * 40.0, seed))
            });
            let cut = Blob::new(vec![Limb::ball([0.63, -0.16], 0.10, 0)], 0.0);
            canvas.paint(&cut, &place, light, |_, _| [0.76, 0.60, 0.40]);
        }
        _ => {
            let stem = Blob::new(vec![Limb::new([0.0, -0.02], [0.0, -0.4], 0.12, 0.09, 0)], 0.0);
            canvas.paint(&stem, &place, light, |_, _| [0.90, 0.86, 0.76]);
            let cap =
                vec![Limb::new([-0.2, -0.45], [0.2, -0.45], 0.13, 0.13, 0), Limb::ball([0.0, -0.52], 0.2, 0)];
            let tone = [[0.75, 0.18, 0.12], [0.55, 0.36, 0.20]][dice.below(2)];
            canvas.paint(&Blob::new(cap, 0.1), &place, light, |p, _| {
                blend(tone, [0.95; 3], ramp(0.72, 0.78, noise(p[0] * 9.0, p[1] * 9.0, seed)))
            });
        }
    }
}
