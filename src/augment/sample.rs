//! A picture and what is known of its pixels: all of it goes through the same geometry.

use crate::core::raster::Raster;

/// The number of pixels that are of no class: they do not count.
pub const IGNORED: u8 = 255;

/// A number for each pixel: of a part, or of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row by row.
    pub values: Vec<u8>,
}

impl Mask {
    /// The smallest box `[x, y, width, height]` around all that is not 0.
    pub fn bounds(&self) -> Option<[f32; 4]> {
        let (mut x0, mut y0, mut x1, mut y1) = (self.width, self.height, 0, 0);
        for (y, row) in self.values.chunks_exact(self.width.max(1)).enumerate() {
            if let (Some(a), Some(b)) = (row.iter().position(|v| *v > 0), row.iter().rposition(|v| *v > 0)) {
                (x0, x1, y0, y1) = (x0.min(a), x1.max(b + 1), y0.min(y), y + 1);
            }
        }
        (x1 > x0).then(|| [x0 as f32, y0 as f32, (x1 - x0) as f32, (y1 - y0) as f32])
    }

    /// A new mask whose pixel (x, y) is this one's pixel `from(x, y)`, and `outside` where that is none.
    pub fn remap(
        &self,
        width: usize,
        height: usize,
        outside: u8,
        from: impl Fn(usize, usize) -> Option<(usize, usize)>,
    ) -> Self {
        let at =
            |i: usize| from(i % width, i / width).map_or(outside, |(x, y)| self.values[y * self.width + x]);
        Self { width, height, values: (0..width * height).map(at).collect() }
    }
}

/// One item on its way into a batch.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What is seen.
    pub picture: Raster,
    /// As large as the picture.
    pub mask: Option<Mask>,
    /// The mask's number of what a geometry brings in from outside the picture.
    pub outside: u8,
    /// `[x, y, width, height]` in pixels.
    pub boxes: Vec<[f32; 4]>,
    /// Mean and standard deviation of each channel, taken off and divided by when it becomes a tensor.
    pub norm: Option<(Vec<f64>, Vec<f64>)>,
}

impl From<Raster> for Sample {
    fn from(picture: Raster) -> Self {
        Self { picture, mask: None, outside: 0, boxes: Vec::new(), norm: None }
    }
}

impl Sample {
    /// `[height, width]`.
    pub fn size(&self) -> [usize; 2] {
        [self.picture.height, self.picture.width]
    }

    /// Lets `(x - mean) / std` follow on what is normalised already.
    pub fn normalize(&mut self, mean: &[f64], std: &[f64]) {
        let (m, v) = self.norm.take().unwrap_or((vec![0.0], vec![1.0]));
        let n = m.len().max(mean.len());
        let at = |v: &[f64], i: usize| v[i.min(v.len() - 1)];
        self.norm = Some((
            (0..n).map(|i| at(&m, i) + at(&v, i) * at(mean, i)).collect(),
            (0..n).map(|i| at(&v, i) * at(std, i)).collect(),
        ));
    }

    /// The boxes, each corner moved by `f`, cut to the picture; the hull of what comes out.
    pub fn move_boxes(&mut self, f: impl Fn([f64; 2]) -> [f64; 2]) {
        let (w, h) = (self.picture.width as f64, self.picture.height as f64);
        for b in &mut self.boxes {
            let [x, y, bw, bh] = b.map(f64::from);
            let corners = [[x, y], [x + bw, y], [x, y + bh], [x + bw, y + bh]].map(&f);
            let hull = |k: usize, most: f64| {
                let values = corners.map(|c| c[k].clamp(0.0, most));
                (values.iter().copied().fold(f64::MAX, f64::min), values.iter().copied().fold(0.0, f64::max))
            };
            let ((x0, x1), (y0, y1)) = (hull(0, w), hull(1, h));
            *b = [x0 as f32, y0 as f32, (x1 - x0) as f32, (y1 - y0) as f32];
        }
    }
}
