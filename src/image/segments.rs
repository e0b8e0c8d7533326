//! Classes of pixels on a picture: tinted, with contours; and where a prediction is wrong.

use super::Picture;
use super::script::LegendEntry;
use crate::core::colour::{Colour, OKABE_ITO, palette};
use crate::core::raster::{Raster, Rgb};
use crate::core::{Error, Opts, Result};
use tch::{Device, Kind, Tensor};

options! {
    /// Options of `picture.segments`.
    pub struct SegmentsOptions {
        /// A colour a class; distinct ones if left out.
        colors: Vec<Colour> = Vec::new() => "[]",
        /// Weight of the colours against the picture, in 0..1.
        alpha: f64 = 0.35,
        /// Width of the contours in pixels; 0 draws none.
        contour: usize = 2,
        /// The class that is left as it is, or -1.
        background: i64 = 0,
    }
}

/// Colours behind the first few, which are easier to tell.
const MANY: usize = 40;

/// The colour of class `k` of those that are no background.
fn colour(given: &[Colour], k: usize, background: i64) -> Rgb {
    if let Some(c) = given.get(k) {
        return c.0;
    }
    // The first colours are for things.
    let place = if background == 0 { k.saturating_sub(1) } else { k };
    OKABE_ITO.get(place).copied().unwrap_or_else(|| palette(MANY)[place % MANY])
}

/// Values [H, W] (or [1, H, W]) of whole numbers, row by row.
fn classes(t: &Tensor, p: &Picture) -> Result<Vec<i64>> {
    let s = t.size();
    let [h, w] = p.size().map(|n| n as i64);
    if s != [h, w] && s != [1, h, w] {
        return Err(Error::new(format!("classes of shape {s:?} do not fit a picture of {h} × {w} pixels"))
            .hint("resize the picture first: picture.resize([width, height])"));
    }
    let t = t.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(Kind::Int64)?.f_contiguous()?;
    Ok(Vec::<i64>::try_from(t.f_flatten(0, -1)?)?)
}

impl Picture {
    /// Pixels whose class is not that of a neighbour `line` pixels away or nearer, on the side of a thing.
    fn contours(&self, classes: &[i64], background: i64, line: usize) -> Vec<bool> {
        let ([h, w], r) = (self.size().map(|n| n as i64), line as i64);
        let at = |x: i64, y: i64| classes[(y * w + x) as usize];
        let edge = |i: usize| {
            let (x, y, k) = (i as i64 % w, i as i64 / w, classes[i]);
            k != background
                && k >= 0
                && (-r..=r).any(|dy| {
                    (-r..=r).any(|dx| {
                        let (u, v) = (x + dx, y + dy);
                        dx * dx + dy * dy <= r * r && u >= 0 && v >= 0 && u < w && v < h && at(u, v) != k
                    })
                })
        };
        (0..classes.len()).map(|i| line > 0 && edge(i)).collect()
    }

    fn painted(&self, of: impl Fn(usize) -> Option<(Rgb, f64)>) -> Result<Picture> {
        let mut rgb = self.raster().rgb.clone();
        for (i, p) in rgb.chunks_exact_mut(3).enumerate() {
            let Some((colour, alpha)) = of(i) else { continue };
            for (v, c) in p.iter_mut().zip(colour) {
                *v = (f64::from(*v) * (1.0 - alpha) + f64::from(c) * alpha).round() as u8;
            }
        }
        Ok(self.with(Raster::from_rgb(self.width(), self.height(), rgb)?))
    }
}

const MISSED: Rgb = [204, 121, 167];
const INVENTED: Rgb = [213, 94, 0];
const CONFUSED: Rgb = [0, 158, 115];

functions! {
    on "Picture";
    /// The picture with its classes [H, W] in colours, and contours around them.
    ///
    /// Class 0 is background and stays as it is; negative numbers (-100: does not count) too.
    /// ```rhai
    /// let classes = tensor::zeros([8, 8]).long();
    /// classes[[2..6, 2..6]] = 1;
    /// let p = image::filled(8, 8, "white").segments(classes, #{colors: ["black", "red"], alpha: 0.5, contour: 1});
    /// p.segments(classes, #{alpha: 0, contour: 0}).equal(p) // => true
    /// ```
    fn segments(picture: Picture, classes: Tensor, options: Opts<SegmentsOptions>) -> Picture {
        let o = options.0;
        if !(0.0..=1.0).contains(&o.alpha) {
            Err(Error::new(format!("alpha is {}; expected a number in 0..1", o.alpha)))?;
        }
        let all = self::classes(&classes, &picture)?;
        let edge = picture.contours(&all, o.background, o.contour);
        let most = all.iter().copied().max().unwrap_or(0).clamp(0, 1 << 16) as usize;
        let colours: Vec<Rgb> = (0..=most).map(|k| colour(&o.colors, k, o.background)).collect();
        picture.painted(|i| {
            let k = usize::try_from(all[i]).ok().filter(|_| all[i] != o.background)?;
            let own = colours.get(k).copied().unwrap_or_else(|| colour(&o.colors, k, o.background));
            Some((own, if edge[i] { 1.0 } else { o.alpha }))
        })?
    }

    /// Where a prediction [H, W] is wrong, on the picture in grey.
    ///
    /// Pink: background was said where a thing is (missed). Orange: a thing where background is (invented). Green: one
    /// thing for another. Targets below 0 do not count. `image::legend()` has the words.
    /// ```rhai
    /// let p = image::filled(2, 1, "white").errors(tensor::of([[0, 1]]), tensor::of([[1, 1]]));
    /// p.to_tensor()[[0, 0]].to_list() // ~> [0.8392, 1.0]
    /// ```
    fn errors(picture: Picture, prediction: Tensor, target: Tensor) -> Picture {
        let (said, is) = (classes(&prediction, &picture)?, classes(&target, &picture)?);
        picture.grayscale().painted(|i| match (said[i], is[i]) {
            (a, b) if a == b || b < 0 => None,
            (0, _) => Some((MISSED, 0.8)),
            (_, 0) => Some((INVENTED, 0.8)),
            _ => Some((CONFUSED, 0.8)),
        })?
    }

    in "image";
    /// Colours and words of classes, for the option `legend` of `image::grid`.
    ///
    /// The first class is background and has none. Without names: those of `picture.errors`.
    /// ```rhai
    /// image::legend(["ground", "horse"]).len() // => 1
    /// image::legend().map(|e| e[1]) // => ["missed", "invented", "one thing for another"]
    /// ```
    fn legend(classes: Option<Vec<String>>, colors: Option<Vec<Colour>>) -> Vec<LegendEntry> {
        match classes {
            None => [(MISSED, "missed"), (INVENTED, "invented"), (CONFUSED, "one thing for another")]
                .map(|(c, n)| LegendEntry(c, n.to_string())).into_iter().collect::<Vec<_>>(),
            Some(names) => {
                let given = colors.unwrap_or_default();
                names.into_iter().enumerate().skip(1).map(|(k, n)| LegendEntry(colour(&given, k, 0), n)).collect()
            }
        }
    }
}
