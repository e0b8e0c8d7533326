//! Picture files: read by content into RGB8, written whole or not at all.

use std::io::{BufWriter, Cursor, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use image::codecs::gif::{GifEncoder, Repeat};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits, RgbaImage,
};

use crate::core::raster::{MAX_PIXELS, Raster};
use crate::core::{Error, Result};

/// Formats [`write`] knows, by extension.
pub const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "gif", "webp"];

/// Reads a picture: png, jpeg, bmp, gif (first frame) or webp, told by its content. Its EXIF
/// orientation is applied, transparency is laid on white, grey and palettes become RGB, 16 bits 8.
/// Errors name the path: missing, empty, not a picture, cut off, damaged, too large.
pub fn read(path: impl AsRef<Path>) -> Result<Raster> {
    let path = path.as_ref();
    if path.is_dir() {
        return Err(Error::new(format!("{}: is a folder, not a picture", path.display())));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, &e))?;
    decode(&bytes).map_err(|e| e.within(path.display()))
}

/// Decodes the bytes of a picture file, as [`read`].
pub fn decode(bytes: &[u8]) -> Result<Raster> {
    if bytes.is_empty() {
        return Err(Error::new("the file is empty"));
    }
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| Error::new(e.to_string()))?;
    let format = reader.format().ok_or_else(|| {
        Error::new("not a picture of a known kind").hint("readable are png, jpeg, bmp, gif and webp")
    })?;
    if format == ImageFormat::Jpeg && !jpeg_ends(bytes) {
        return Err(Error::new("the jpeg is cut off: its end is missing").hint(GET_AGAIN));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(8 * MAX_PIXELS as u64);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|e| picture_error(format, &e))?;
    let (w, h) = decoder.dimensions();
    if u64::from(w) * u64::from(h) > MAX_PIXELS as u64 {
        return Err(Error::new(format!(
            "the picture has {w} x {h} pixels; at most {} megapixels are read",
            MAX_PIXELS >> 20
        )));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| picture_error(format, &e))?;
    picture.apply_orientation(orientation);
    let rgb = if picture.color().has_alpha() { on_white(&picture.into_rgba8()) } else { picture.into_rgb8() };
    Raster::from_rgb(rgb.width() as usize, rgb.height() as usize, rgb.into_raw())
}

fn on_white(picture: &RgbaImage) -> image::RgbImage {
    image::RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, a] = picture.get_pixel(x, y).0.map(u32::from);
        image::Rgb([r, g, b].map(|c| ((c * a + 255 * (255 - a) + 127) / 255) as u8))
    })
}

/// What helps against a bad file.
const GET_AGAIN: &str = "fetch the file again, or leave it out";

fn picture_error(format: ImageFormat, err: &image::ImageError) -> Error {
    let name = format.extensions_str().first().copied().unwrap_or("picture");
    let text = err.to_string();
    let text = text.lines().next().unwrap_or_default().trim_end_matches('.');
    match err {
        image::ImageError::Unsupported(_) => Error::new(format!("cannot read this kind of {name}: {text}"))
            .hint("readable are png, jpeg, bmp, gif and webp"),
        image::ImageError::Limits(_) => {
            Error::new(format!("the {name} needs more memory than is allowed: {text}"))
        }
        image::ImageError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::new(format!("the {name} is cut off: its end is missing")).hint(GET_AGAIN)
        }
        _ => Error::new(format!("the {name} is damaged: {text}")).hint(GET_AGAIN),
    }
}

/// Whether the end marker of the (first) picture is there. The decoder fills what is missing with
/// grey, which would go unnoticed into a data set.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    let mut in_scan = false;
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (0xff, 0xd9) => return true,
            (0xff, 0xff) => at += 1,
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => at += 2,
            (0xff, marker) => {
                let Some(n) = bytes.get(at + 2..at + 4) else { return false };
                at += 2 + usize::from(u16::from_be_bytes([n[0], n[1]])).max(2);
                in_scan = in_scan || marker == 0xda;
            }
            // Between segments only markers may stand: the decoder says more about other bytes.
            _ if !in_scan => return true,
            _ => at += 1,
        }
    }
    false
}

/// Writes a picture in the format of the path's extension (see [`EXTENSIONS`]; jpeg with quality 95),
/// under a temporary name that is then renamed. Errors: unknown extension, folder missing or not writable.
pub fn write(raster: &Raster, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let format = extension(path)?;
    let (w, h) = size(raster)?;
    write_whole(path, |file| {
        let made = match format {
            "jpg" | "jpeg" => {
                JpegEncoder::new_with_quality(file, 95).encode(&raster.rgb, w, h, ExtendedColorType::Rgb8)
            }
            "bmp" => {
                image::codecs::bmp::BmpEncoder::new(file).encode(&raster.rgb, w, h, ExtendedColorType::Rgb8)
            }
            "webp" => image::codecs::webp::WebPEncoder::new_lossless(file).encode(
                &raster.rgb,
                w,
                h,
                ExtendedColorType::Rgb8,
            ),
            "gif" => GifEncoder::new(file).encode(&raster.rgb, w, h, ExtendedColorType::Rgb8),
            _ => PngEncoder::new(file).write_image(&raster.rgb, w, h, ExtendedColorType::Rgb8),
        };
        made.map_err(|e| Error::new(e.to_string()).within(path.display()))
    })
}

/// The bytes of a picture as PNG. Errors: a side too long for a file.
pub fn png(raster: &Raster) -> Result<Vec<u8>> {
    let (mut bytes, (w, h)) = (Vec::new(), size(raster)?);
    PngEncoder::new(&mut bytes)
        .write_image(&raster.rgb, w, h, ExtendedColorType::Rgb8)
        .map_err(|e| Error::new(e.to_string()))?;
    Ok(bytes)
}

/// Writes an animated gif that repeats for ever, every frame `delay_ms` long (in steps of 10 ms).
/// Errors: no frame, frames of several sizes, a path that does not end in `.gif`.
pub fn write_gif(frames: &[&Raster], delay_ms: u32, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    if extension(path)? != "gif" {
        return Err(Error::new(format!("{}: an animation is written as .gif", path.display())));
    }
    let Some(first) = frames.first() else { return Err(Error::new("an animation needs at least one frame")) };
    if let Some((i, f)) =
        frames.iter().enumerate().find(|(_, f)| (f.width, f.height) != (first.width, first.height))
    {
        return Err(Error::new(format!(
            "frame {i} has {} x {} pixels, frame 0 has {} x {}; all must be equal",
            f.width, f.height, first.width, first.height
        ))
        .hint("resize the frames to one size"));
    }
    let (w, h) = size(first)?;
    if w > u32::from(u16::MAX) || h > u32::from(u16::MAX) {
        return Err(Error::new(format!("a gif holds at most 65535 pixels a side, not {w} x {h}")));
    }
    write_whole(path, |file| {
        let mut encoder = GifEncoder::new_with_speed(file, 10);
        let wrong = |e: image::ImageError| Error::new(e.to_string()).within(path.display());
        encoder.set_repeat(Repeat::Infinite).map_err(wrong)?;
        for frame in frames {
            let rgba = frame.rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
            let Some(buffer) = RgbaImage::from_raw(w, h, rgba) else { continue };
            let delay = image::Delay::from_numer_denom_ms(delay_ms, 1);
            encoder.encode_frame(image::Frame::from_parts(buffer, 0, 0, delay)).map_err(wrong)?;
        }
        Ok(())
    })
}

fn size(raster: &Raster) -> Result<(u32, u32)> {
    let side = |n: usize| {
        u32::try_from(n).map_err(|_| Error::new(format!("a side of {n} pixels is too long for a file")))
    };
    Ok((side(raster.width)?, side(raster.height)?))
}

fn extension(path: &Path) -> Result<&'static str> {
    let given = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    EXTENSIONS
        .into_iter()
        .find(|e| *e == given)
        .ok_or_else(|| Error::unknown("picture format", &given, EXTENSIONS).within(path.display()))
}

/// Lets `fill` write a file under a temporary name in the same folder, then renames it to `path`:
/// a reader sees the old file or the new one, never half of it.
fn write_whole(path: &Path, fill: impl FnOnce(&mut BufWriter<std::fs::File>) -> Result<()>) -> Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("picture");
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let part = path.with_file_name(format!(".{name}.{}-{n}.part", std::process::id()));
    let io = |e: std::io::Error| Error::io(path, &e);
    let made = std::fs::File::create(&part).map_err(io).map(BufWriter::new).and_then(|mut file| {
        fill(&mut file)?;
        file.flush().map_err(io)
    });
    made.and_then(|()| std::fs::rename(&part, path).map_err(io)).inspect_err(|_| {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&part);
    })
}
