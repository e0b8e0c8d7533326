//! What scripts can do with pictures.

use super::{ColorBar, FromTensor, GridOptions, HeatOptions, Picture};
use crate::core::colormap::Colormap;
use crate::core::colour::Colour;
use crate::core::raster::Rgb;
use crate::core::resample::Filter;
use crate::core::value::{FromValue, IntoValue, mismatch};
use crate::core::{Error, Opts, Result, Value, device, paths, screen};
use tch::Tensor;

object!(Picture, "Picture", |p| {
    let from = p.source().map(|s| format!(" from {}", s.display())).unwrap_or_default();
    format!("Picture of {} × {} pixels{from}", p.width(), p.height())
});

const BLACK: Colour = Colour([0; 3]);
const WHITE: Colour = Colour([255; 3]);

/// Width and height: two numbers, or one for both.
struct Extent(usize, usize);

impl FromValue for Extent {
    const TYPE: &'static str = "integer or [width, height]";
    fn from_value(v: &Value) -> Result<Self> {
        usize::from_value(v)
            .map(|n| Extent(n, n))
            .or_else(|_| <[usize; 2]>::from_value(v).map(|[w, h]| Extent(w, h)))
    }
}

options! {
    /// Options of `image::from_tensor`.
    pub struct FromTensorOptions {
        /// The least value becomes black, the greatest white.
        stretch: bool = false,
        /// Mean taken off by a normalisation that is to be undone, one number a channel.
        mean: Option<Vec<f64>> = None,
        /// Standard deviation divided by in that normalisation.
        std: Option<Vec<f64>> = None,
    }
}

fn reading(o: FromTensorOptions) -> Result<FromTensor> {
    let normalized = match (o.mean, o.std) {
        (Some(mean), Some(std)) => Some((mean, std)),
        (None, None) => None,
        _ => return Err(Error::new("`mean` and `std` go together")),
    };
    Ok(FromTensor { stretch: o.stretch, normalized })
}

options! {
    /// Options of an overlay or a heat map.
    pub struct HeatmapOptions {
        /// jet, viridis, magma, gray, coolwarm or rdbu; `_r` at the end turns it round.
        colormap: Option<Colormap> = None,
        /// Weight of the map against the picture, in 0..1.
        alpha: f64 = 0.5,
        /// The values at both ends of the colour map: one range for all maps that are to be compared.
        range: Option<[f64; 2]> = None,
    }
}

impl HeatmapOptions {
    /// As the drawing takes them; a signed map is drawn on a diverging scale unless told otherwise.
    pub fn heat(&self, signed: bool) -> HeatOptions {
        let usual = if signed { Colormap::COOLWARM } else { Colormap::JET };
        HeatOptions {
            colormap: self.colormap.unwrap_or(usual),
            alpha: self.alpha,
            range: self.range.map(|[a, b]| (a, b)),
        }
    }
}

/// `[colour, words]`.
pub struct LegendEntry(pub Rgb, pub String);

impl FromValue for LegendEntry {
    const TYPE: &'static str = "[colour, words]";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::List(both) if both.len() == 2 => {
                Ok(LegendEntry(Colour::from_value(&both[0])?.0, String::from_value(&both[1])?))
            }
            _ => mismatch(<Self as FromValue>::TYPE, v),
        }
    }
}

impl IntoValue for LegendEntry {
    const TYPE: &'static str = "[colour, words]";
    fn into_value(self) -> Value {
        let [r, g, b] = self.0;
        Value::List(vec![Value::Str(format!("#{r:02x}{g:02x}{b:02x}")), Value::Str(self.1)])
    }
}

options! {
    /// Options of a grid.
    pub struct GridMap {
        /// Pictures side by side; about as many as rows if left out.
        columns: usize = 0,
        /// One caption a picture.
        captions: Vec<String> = Vec::new(),
        /// A colour for each caption.
        caption_colors: Vec<Colour> = Vec::new(),
        /// Above all.
        title: String = String::new(),
        /// One label a row.
        row_labels: Vec<String> = Vec::new(),
        /// One label a column.
        column_labels: Vec<String> = Vec::new(),
        /// Pixels between two pictures.
        gap: Option<usize> = None,
        /// Whole factor by which pictures are enlarged; small ones are enlarged by themselves.
        scale: usize = 0,
        /// Colour behind all.
        background: Colour = WHITE => "white",
        /// Size of the captions in pixels.
        font_size: f64 = 0.0,
        /// Colour map of a bar at the right.
        color_bar: Option<Colormap> = None,
        /// The values at the bar's ends.
        color_range: [f64; 2] = [0.0, 1.0],
        /// What the bar's values are.
        color_label: String = String::new(),
        /// Colours and what they mean, below all: `[[colour, words], …]`, as `image::legend` gives them.
        legend: Vec<LegendEntry> = Vec::new() => "[]",
    }
}

functions! {
    in "image";
    /// Reads a picture: JPEG, PNG, GIF (first frame), BMP or WebP.
    ///
    /// The camera's orientation is applied; transparent parts become white.
    /// ```rhai
    /// image::filled(4, 3, "red").save("red.png");
    /// image::open("red.png").size // => [3, 4]
    /// ```
    fn open(path: String) -> Picture {
        Picture::open(paths::readable(&path)?)?
    }

    /// A picture of one colour.
    /// ```rhai
    /// image::filled(4, 3, "white") // => Picture of 4 × 3 pixels
    /// ```
    fn filled(width: usize, height: usize, colour: Colour) -> Picture {
        Picture::filled(width, height, colour.0)?
    }

    /// A picture of a tensor with values in 0..1, or of type uint8.
    ///
    /// Its shape is [3|1, H, W], [1, 3|1, H, W] or [H, W].
    /// ```rhai
    /// image::from_tensor(tensor::zeros([3, 2, 5])) // => Picture of 5 × 2 pixels
    /// ```
    fn from_tensor(t: Tensor, options: Opts<FromTensorOptions>) -> Picture {
        Picture::from_tensor(&t, &reading(options.0)?)?
    }

    /// The pictures of a batch [N, 3|1, H, W]; `stretch` is over the whole batch.
    /// ```rhai
    /// image::from_batch(tensor::zeros([4, 1, 2, 2])).len() // => 4
    /// ```
    fn from_batch(t: Tensor, options: Opts<FromTensorOptions>) -> Vec<Picture> {
        Picture::from_batch(&t, &reading(options.0)?)?
    }

    /// The picture that a network sees in an input made by `to_input`.
    /// ```rhai
    /// image::from_input(image::filled(9, 9, "white").to_input(8)) // => Picture of 8 × 8 pixels
    /// ```
    fn from_input(t: Tensor) -> Picture {
        Picture::from_input(&t)?
    }

    /// Pictures in rows and columns, with captions, labels, a title and a colour bar.
    /// ```rhai
    /// let p = image::filled(28, 28, "blue");
    /// image::grid([p, p, p], #{columns: 3, captions: ["a", "b", "c"]}).width > 3 * 28 // => true
    /// ```
    fn grid(pictures: Vec<Picture>, options: Opts<GridMap>) -> Picture {
        let o = options.0;
        let [lo, hi] = o.color_range;
        let label = o.color_label;
        let drawing = GridOptions {
            title: o.title, row_labels: o.row_labels, column_labels: o.column_labels, gap: o.gap, scale: o.scale,
            background: o.background.0, font_size: o.font_size,
            caption_colors: o.caption_colors.iter().map(|c| c.0).collect(),
            color_bar: o.color_bar.map(|colormap| ColorBar { colormap, lo, hi, label }),
            legend: o.legend.into_iter().map(|e| (e.0, e.1)).collect(),
            ..GridOptions::default()
        };
        super::grid(&pictures, o.columns, &o.captions, &drawing)?
    }

    /// A map [H, W] in colours.
    /// ```rhai
    /// image::heatmap(tensor::rand([4, 6]), #{colormap: "viridis"}) // => Picture of 6 × 4 pixels
    /// ```
    fn heatmap(map: Tensor, options: Opts<HeatmapOptions>) -> Picture {
        super::heatmap(&map, &options.0.heat(false))?
    }

    /// Pictures side by side.
    /// ```rhai
    /// let p = image::filled(4, 3, "red");
    /// image::hstack([p, p]) // => Picture of 8 × 3 pixels
    /// ```
    fn hstack(pictures: Vec<Picture>, gap: Option<usize>) -> Picture {
        super::hstack(&pictures, gap.unwrap_or(0), WHITE.0)?
    }

    /// Pictures one above the other.
    /// ```rhai
    /// let p = image::filled(4, 3, "red");
    /// image::vstack([p, p]) // => Picture of 4 × 6 pixels
    /// ```
    fn vstack(pictures: Vec<Picture>, gap: Option<usize>) -> Picture {
        super::vstack(&pictures, gap.unwrap_or(0), WHITE.0)?
    }

    /// Writes pictures of one size as an animated GIF.
    /// ```rhai
    /// image::gif([image::filled(4, 4, "red"), image::filled(4, 4, "blue")], "blink.gif", 200);
    /// image::open("blink.gif").size // => [4, 4]
    /// ```
    fn gif(frames: Vec<Picture>, path: String, delay_ms: Option<usize>) {
        super::gif(&frames, delay_ms.unwrap_or(100) as u32, paths::writable(&path)?)?
    }

    get "Picture";
    /// [height, width] in pixels.
    /// ```rhai
    /// image::filled(4, 3, "red").size // => [3, 4]
    /// ```
    fn size(picture: Picture) -> Vec<usize> {
        picture.size().to_vec()
    }

    /// Width in pixels.
    /// ```rhai
    /// image::filled(4, 3, "red").width // => 4
    /// ```
    fn width(picture: Picture) -> usize {
        picture.width()
    }

    /// Height in pixels.
    /// ```rhai
    /// image::filled(4, 3, "red").height // => 3
    /// ```
    fn height(picture: Picture) -> usize {
        picture.height()
    }

    on "Picture";
    /// Writes the picture; the ending says how: png, jpg, bmp, gif, webp or svg.
    ///
    /// Of figures (plots, grids, stacks, what is drawn on them) an `.svg` holds lines and text in vectors, and photographs as PNG.
    /// ```rhai
    /// image::filled(4, 3, "red").save("red.tiff") // error: tiff
    /// ```
    fn save(picture: Picture, path: String) {
        picture.save(paths::writable(&path)?)?
    }

    /// Shows the picture in the terminal.
    ///
    /// In the terminal's own graphics (kitty, iTerm2, sixel), else in half blocks; where there is no terminal, or with
    /// `NO_COLOR`, one line tells its size. `CS385_PICTURES=kitty|iterm|sixel|blocks|none` chooses.
    /// ```rhai
    /// image::filled(4, 3, "red").show()
    /// ```
    fn show(picture: Picture) {
        screen::show(picture.raster());
    }

    /// The picture in another size, as Pillow resizes (with antialias).
    /// ```rhai
    /// image::filled(4, 3, "red").resize([8, 6]) // => Picture of 8 × 6 pixels
    /// ```
    fn resize(picture: Picture, size: Extent, filter: Option<Filter>) -> Picture {
        picture.resize(size.0, size.1, filter.unwrap_or_default())?
    }

    /// The picture with its short side `n` pixels long.
    /// ```rhai
    /// image::filled(40, 30, "red").resize_short(15) // => Picture of 20 × 15 pixels
    /// ```
    fn resize_short(picture: Picture, n: usize, filter: Option<Filter>) -> Picture {
        picture.resize_short(n, filter.unwrap_or_default())?
    }

    /// The part of the picture with its top left corner at (x, y).
    /// ```rhai
    /// image::filled(4, 3, "red").crop(1, 0, 2, 2) // => Picture of 2 × 2 pixels
    /// ```
    fn crop(picture: Picture, x: usize, y: usize, width: usize, height: usize) -> Picture {
        picture.crop(x, y, width, height)?
    }

    /// The middle of the picture.
    /// ```rhai
    /// image::filled(40, 30, "red").center_crop(20) // => Picture of 20 × 20 pixels
    /// ```
    fn center_crop(picture: Picture, size: Extent) -> Picture {
        picture.center_crop(size.0, size.1)?
    }

    /// The picture with a border of `n` pixels.
    /// ```rhai
    /// image::filled(4, 3, "red").pad(2, "white") // => Picture of 8 × 7 pixels
    /// ```
    fn pad(picture: Picture, n: usize, colour: Option<Colour>) -> Picture {
        picture.pad(n, n, n, n, colour.unwrap_or(BLACK).0)?
    }

    /// The picture with left and right exchanged.
    /// ```rhai
    /// image::filled(4, 3, "red").flip_horizontal() // => Picture of 4 × 3 pixels
    /// ```
    fn flip_horizontal(picture: Picture) -> Picture {
        picture.flip_horizontal()
    }

    /// The picture with top and bottom exchanged.
    /// ```rhai
    /// image::filled(4, 3, "red").flip_vertical() // => Picture of 4 × 3 pixels
    /// ```
    fn flip_vertical(picture: Picture) -> Picture {
        picture.flip_vertical()
    }

    /// The picture in shades of grey.
    /// ```rhai
    /// image::filled(4, 3, "red").grayscale() // => Picture of 4 × 3 pixels
    /// ```
    fn grayscale(picture: Picture) -> Picture {
        picture.grayscale()
    }

    /// The picture with the outline of a box drawn on it.
    /// ```rhai
    /// image::filled(20, 20, "white").draw_box(4, 4, 8, 8, "red") // => Picture of 20 × 20 pixels
    /// ```
    fn draw_box(picture: Picture, x: i64, y: i64, width: usize, height: usize, colour: Option<Colour>,
                line: Option<usize>) -> Picture {
        picture.draw_box(x, y, width, height, colour.unwrap_or(Colour([220, 38, 38])).0, line.unwrap_or(1))
    }

    /// The picture with a text whose top left corner is at (x, y).
    /// ```rhai
    /// image::filled(60, 20, "white").draw_text(2, 2, "dog") // => Picture of 60 × 20 pixels
    /// ```
    fn draw_text(picture: Picture, x: i64, y: i64, text: String, size: Option<f64>, colour: Option<Colour>) -> Picture {
        picture.draw_text(x, y, &text, size.unwrap_or(14.0), colour.unwrap_or(BLACK).0)
    }

    /// The picture as a tensor [3, H, W] in 0..1.
    /// ```rhai
    /// image::filled(4, 3, "white").to_tensor().shape // => [3, 3, 4]
    /// ```
    fn to_tensor(picture: Picture) -> Tensor {
        picture.to_tensor()?.f_to_device(device::current())?
    }

    /// The picture as an ImageNet classifier takes it: [1, 3, size, size], normalised.
    ///
    /// torchvision's evaluation transform: short side to size / 0.875, centre crop, ImageNet's mean and deviation.
    /// ```rhai
    /// image::filled(300, 200, "white").to_input(224).shape // => [1, 3, 224, 224]
    /// ```
    fn to_input(picture: Picture, size: usize) -> Tensor {
        picture.to_input(size)?.f_to_device(device::current())?
    }

    /// The picture under a map [H, W] of any size.
    ///
    /// The mixture is that of pytorch-grad-cam's `show_cam_on_image`.
    /// ```rhai
    /// image::filled(32, 32, "gray").overlay(tensor::rand([7, 7])) // => Picture of 32 × 32 pixels
    /// ```
    fn overlay(picture: Picture, map: Tensor, options: Opts<HeatmapOptions>) -> Picture {
        picture.overlay(&map, &options.0.heat(false))?
    }

    /// True when both pictures have the same pixels.
    /// ```rhai
    /// image::filled(2, 2, "red").equal(image::filled(2, 2, "blue")) // => false
    /// ```
    fn equal(picture: Picture, other: Picture) -> bool {
        picture == other
    }
}
