//! Files of masks: the numbers themselves, where [`picture_file`] gives colours.

use crate::core::raster::{MAX_PIXELS, Raster};
use crate::core::{Error, Result, picture_file};
use std::io::Cursor;
use std::path::Path;

/// What a file of a mask holds.
pub struct Raw {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row by row.
    pub values: Values,
}

/// A mask's pixels.
pub enum Values {
    /// Places in a palette, or grey values.
    Numbers(Vec<u16>),
    /// Red, green and blue.
    Colours(Vec<[u8; 3]>),
}

/// Reads a mask. Of a PNG with a palette its places, of a grey one its values as they are stored, whatever their bits;
/// of other files the grey values, or colours where there are any.
///
/// # Errors
/// Those of [`picture_file::read`], with the path.
pub fn read(path: &Path) -> Result<Raw> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, &e))?;
    match bytes.starts_with(b"\x89PNG") {
        true => png(&bytes),
        false => picture_file::decode(&bytes).map(|r| shown(&r)),
    }
    .map_err(|e| e.within(path.display()))
}

/// Reads a black and white mask: brightness 0 to 255, whatever its bits and palette; colours where there are any.
///
/// # Errors
/// Those of [`picture_file::read`].
pub fn bright(path: &Path) -> Result<Raw> {
    picture_file::read(path).map(|r| shown(&r))
}

/// A mask by what one sees of it.
fn shown(r: &Raster) -> Raw {
    grey_or_colours(r.width, r.height, r.rgb.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect())
}

fn grey_or_colours(width: usize, height: usize, pixels: Vec<[u8; 3]>) -> Raw {
    // Jpeg's grey may be off by one between its channels.
    let values = match pixels.iter().all(|[r, g, b]| r.abs_diff(*g) < 4 && g.abs_diff(*b) < 4) {
        true => Values::Numbers(pixels.iter().map(|p| u16::from(p[1])).collect()),
        false => Values::Colours(pixels),
    };
    Raw { width, height, values }
}

fn png(bytes: &[u8]) -> Result<Raw> {
    let bad = |e: png::DecodingError| {
        let text = e.to_string();
        Error::new(format!("the png is damaged: {}", text.trim_end_matches('.')))
            .hint("fetch the file again, or leave it out")
    };
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(bad)?;
    let (w, h) = (reader.info().width as usize, reader.info().height as usize);
    if w.saturating_mul(h) > MAX_PIXELS {
        return Err(Error::new(format!("the mask has {w} x {h} pixels, which is too many")));
    }
    let size = reader.output_buffer_size().ok_or_else(|| Error::new("the png is too large"))?;
    let mut data = vec![0; size];
    let frame = reader.next_frame(&mut data).map_err(bad)?;
    let wide = frame.bit_depth == png::BitDepth::Sixteen;
    let channels = frame.color_type.samples();
    let rows = data.chunks_exact(frame.line_size).take(h);
    // The first byte of 16-bit colours; grey keeps both.
    let values = match frame.color_type {
        png::ColorType::Rgb | png::ColorType::Rgba => {
            let step = if wide { 2 } else { 1 };
            let pixel = |p: &[u8]| [p[0], p[step], p[2 * step]];
            let pixels = rows.flat_map(|r| r.chunks_exact(channels * step).map(pixel)).collect();
            return Ok(grey_or_colours(w, h, pixels));
        }
        _ if wide => rows
            .flat_map(|r| r.chunks_exact(2 * channels).map(|p| u16::from_be_bytes([p[0], p[1]])))
            .collect(),
        _ if frame.bit_depth == png::BitDepth::Eight => {
            rows.flat_map(|r| r.chunks_exact(channels).map(|p| u16::from(p[0]))).collect()
        }
        _ => {
            let bits = frame.bit_depth as usize;
            let at = |r: &[u8], x: usize| r[x * bits / 8] >> (8 - bits - x * bits % 8) & ((1 << bits) - 1);
            rows.flat_map(|r| (0..w).map(move |x| u16::from(at(r, x)))).collect()
        }
    };
    Ok(Raw { width: w, height: h, values: Values::Numbers(values) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(colour: png::ColorType, depth: png::BitDepth, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, 5, 1);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if colour == png::ColorType::Indexed {
            encoder.set_palette(vec![0; 3 * 16]);
        }
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        out
    }

    #[test]
    fn numbers_are_those_of_the_file_whatever_its_bits() {
        use png::{BitDepth::*, ColorType::*};
        let numbers = |bytes: &[u8]| match png(bytes).unwrap().values {
            Values::Numbers(v) => v,
            Values::Colours(_) => vec![],
        };
        assert_eq!(numbers(&file(Indexed, Four, &[0x12, 0x3F, 0x50])), [1, 2, 3, 15, 5]);
        assert_eq!(numbers(&file(Indexed, Eight, &[0, 1, 2, 3, 4])), [0, 1, 2, 3, 4]);
        assert_eq!(numbers(&file(Grayscale, One, &[0b1010_1000])), [1, 0, 1, 0, 1]);
        assert_eq!(numbers(&file(Grayscale, Two, &[0b0001_1011, 0b1000_0000])), [0, 1, 2, 3, 2]);
        assert_eq!(numbers(&file(Grayscale, Sixteen, &[1, 0, 0, 7, 0, 8, 0, 9, 0, 1])), [256, 7, 8, 9, 1]);
        assert_eq!(numbers(&file(GrayscaleAlpha, Eight, &[9, 0, 8, 1, 7, 2, 6, 3, 5, 4])), [9, 8, 7, 6, 5]);
        assert_eq!(numbers(&file(Rgb, Eight, &[3; 15])), [3; 5]);
        let red = file(Rgb, Eight, &[200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert!(matches!(png(&red).unwrap().values, Values::Colours(v) if v[0] == [200, 0, 0]));
        assert!(png(&red[..60]).is_err());
    }
}
