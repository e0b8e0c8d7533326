//! `augment::random_crop`.

use super::args::Size;
use super::draws::below;
use crate::core::Error;
use crate::core::colour::Colour;

options! {
    /// Options of `augment::random_crop`.
    pub struct RandomCropOptions {
        /// Pixels added at every side first.
        padding: usize = 0,
        /// Enlarges a picture that is smaller than the crop.
        pad_if_needed: bool = false,
        /// Colour of what is added.
        fill: Colour = Colour([0; 3]) => "black",
    }
}

augment! {
    /// Cuts a part of this size out, anywhere in the picture.
    /// ```rhai
    /// augment::random_crop(20, #{padding: 4}).apply(image::filled(20, 20, "red")) // => Picture of 20 × 20 pixels
    /// ```
    random_crop, (size: Size; RandomCropOptions),
    size |me| Some([me.size.0, me.size.1]),
    draw |me, size, rng| {
        let added = |have: usize, want: usize| {
            let have = have + 2 * me.o.padding;
            if me.o.pad_if_needed { have + 2 * want.saturating_sub(have) } else { have }
        };
        let (h, w) = (added(size[0], me.size.0), added(size[1], me.size.1));
        vec![below(rng, (h + 1).saturating_sub(me.size.0)), below(rng, (w + 1).saturating_sub(me.size.1))]
    },
    run |me, s, d| {
        let ([h, w], Size(th, tw), p) = (s.size(), me.size, me.o.padding);
        if !me.o.pad_if_needed && (h + 2 * p < th || w + 2 * p < tw) {
            return Err(Error::new(format!("a picture of {w} x {h} is smaller than the crop of {tw} x {th}"))
                .hint("add #{pad_if_needed: true}, or resize first"));
        }
        let before = |have: usize, want: usize| (p + want.saturating_sub(have + 2 * p)) as i64;
        s.cut(d[1] as i64 - before(w, tw), d[0] as i64 - before(h, th), tw, th, me.o.fill.0)?;
    },
}
