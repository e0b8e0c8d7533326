//! Sprite sheets: all thumbnails in a few large pictures, each in the cell that its number names.

use crate::core::raster::Raster;
use crate::core::resample::{self, Filter};
use crate::core::{Result, picture_file};
use crate::image::Picture;
use rayon::prelude::*;

/// Long side of a sheet, which every WebGL draws.
const SHEET: usize = 4096;
/// Long side of a cell, and of one where there are very many.
const CELL: usize = 32;
const SMALL: usize = 16;
/// More thumbnails than this are small: sheets lie in the memory of the graphics card.
const MANY: usize = 80_000;

/// One sheet.
pub struct Sheet {
    /// The file.
    pub png: Vec<u8>,
    /// Width and height.
    pub size: [usize; 2],
}

/// All sheets.
pub struct Sheets {
    /// Side of a cell.
    pub cell: usize,
    /// Cells in a row.
    pub columns: usize,
    /// Cells in a full sheet.
    pub per: usize,
    /// Width and height of each thumbnail in its cell.
    pub extents: Vec<u8>,
    /// The sheets.
    pub pictures: Vec<Sheet>,
}

impl Sheets {
    /// Sheets of these thumbnails; too large ones are shrunk.
    ///
    /// # Errors
    /// The encoder's.
    pub fn new(thumbnails: &[Picture]) -> Result<Self> {
        let long = thumbnails.iter().map(|p| p.width().max(p.height())).max().unwrap_or(1);
        let cell = long.min(if thumbnails.len() > MANY { SMALL } else { CELL });
        let most = SHEET / cell;
        let columns = most.min((thumbnails.len() as f64).sqrt().ceil() as usize).max(1);
        let per = columns * columns;
        // Handles of pictures stay in this thread; pixels do not.
        let rasters: Vec<&Raster> = thumbnails.iter().map(Picture::raster).collect();
        let small = |r: &&Raster| {
            let side = r.width.max(r.height);
            if side <= cell {
                return Ok((*r).clone());
            }
            let to = |n: usize| ((n * cell) as f64 / side as f64).round().max(1.0) as usize;
            resample::resize(r, to(r.width), to(r.height), Filter::Bilinear)
        };
        let small: Vec<Raster> = rasters.par_iter().map(small).collect::<Result<_>>()?;
        let extents = small.iter().flat_map(|r| [r.width as u8, r.height as u8]).collect();
        let pictures = small.par_chunks(per).map(|part| sheet(part, cell, columns)).collect::<Result<_>>()?;
        Ok(Self { cell, columns, per, extents, pictures })
    }
}

fn sheet(part: &[Raster], cell: usize, columns: usize) -> Result<Sheet> {
    let mut out = Raster::new(columns * cell, part.len().div_ceil(columns) * cell, [0; 3])?;
    for (i, r) in part.iter().enumerate() {
        out.paste(r, (i % columns * cell) as i64, (i / columns * cell) as i64);
    }
    Ok(Sheet { png: picture_file::png(&out)?, size: [out.width, out.height] })
}
