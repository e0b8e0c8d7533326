//! DEC's sixels: a picture of at most 256 colours as text, six rows at a time (VT330/VT340 Programmer Reference
//! Manual, chapter 14).

use crate::core::raster::{Raster, Rgb};
use color_quant::NeuQuant;
use std::collections::BTreeMap;

/// The colours of `picture`, or 256 that stand for them, and the number of each pixel's.
fn palette(picture: &Raster) -> (Vec<Rgb>, Vec<usize>) {
    let pixels = || picture.rgb.chunks_exact(3).map(|p| [p[0], p[1], p[2]]);
    let mut own: BTreeMap<Rgb, usize> = BTreeMap::new();
    for p in pixels() {
        let next = own.len();
        own.entry(p).or_insert(next);
        if own.len() > 256 {
            let rgba: Vec<u8> = pixels().flat_map(|[r, g, b]| [r, g, b, 255]).collect();
            // Learns from every pixel of a small picture, from every tenth of a large one.
            let part = (rgba.len() / 80_000).clamp(1, 10) as i32;
            let net = NeuQuant::new(part, 256, &rgba);
            let colours = net.color_map_rgb().chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect();
            return (colours, rgba.chunks_exact(4).map(|p| net.index_of(p)).collect());
        }
    }
    let mut colours = vec![[0; 3]; own.len()];
    own.iter().for_each(|(c, i)| colours[*i] = *c);
    (colours, pixels().map(|p| own[&p]).collect())
}

/// The text that draws `picture`.
pub fn encode(picture: &Raster) -> String {
    let (colours, numbers) = palette(picture);
    let (w, h) = (picture.width, picture.height);
    let mut out = format!("\x1bPq\"1;1;{w};{h}");
    for (i, c) in colours.iter().enumerate() {
        let [r, g, b] = c.map(|v| (u32::from(v) * 100 + 127) / 255);
        out += &format!("#{i};2;{r};{g};{b}");
    }
    for (band, rows) in numbers.chunks(6 * w).enumerate() {
        if band > 0 {
            out.push('-');
        }
        // For each colour of the band, which of the six rows has it in each column.
        let mut bits: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        for (i, colour) in rows.iter().enumerate() {
            bits.entry(*colour).or_insert_with(|| vec![0; w])[i % w] |= 1 << (i / w);
        }
        let lines: Vec<String> = bits.iter().map(|(c, columns)| format!("#{c}{}", runs(columns))).collect();
        out += &lines.join("$");
    }
    out + "\x1b\\"
}

/// `!5~` for five equal columns.
fn runs(columns: &[u8]) -> String {
    let mut out = String::new();
    for run in columns.chunk_by(|a, b| a == b) {
        let sixel = char::from(63 + run[0]);
        match run.len() {
            n if n > 3 => out += &format!("!{n}{sixel}"),
            n => out.extend(std::iter::repeat_n(sixel, n)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a terminal would draw.
    fn decode(text: &str, w: usize, h: usize) -> Raster {
        let mut out = Raster::new(w, h, [1, 2, 3]).unwrap();
        let body = text.strip_prefix("\x1bPq").unwrap().strip_suffix("\x1b\\").unwrap();
        let body = body.strip_prefix(&format!("\"1;1;{w};{h}")).unwrap();
        let mut colours: BTreeMap<usize, Rgb> = BTreeMap::new();
        let (mut colour, mut x, mut band, mut times) = (0, 0, 0, 1);
        let mut chars = body.chars().peekable();
        let number = |chars: &mut std::iter::Peekable<std::str::Chars>| {
            let mut n = 0;
            while let Some(d) = chars.peek().and_then(|c| c.to_digit(10)) {
                n = 10 * n + d as usize;
                chars.next();
            }
            n
        };
        while let Some(c) = chars.next() {
            match c {
                '#' => {
                    colour = number(&mut chars);
                    if chars.next_if_eq(&';').is_some() {
                        assert_eq!(number(&mut chars), 2);
                        let mut channel = || {
                            assert_eq!(chars.next(), Some(';'));
                            (number(&mut chars) * 255 / 100) as u8
                        };
                        colours.insert(colour, [channel(), channel(), channel()]);
                    }
                }
                '!' => times = number(&mut chars),
                '$' => x = 0,
                '-' => (x, band) = (0, band + 1),
                c => {
                    let bits = c as u8 - 63;
                    for _ in 0..std::mem::replace(&mut times, 1) {
                        for row in (0..6).filter(|r| bits >> r & 1 == 1) {
                            let at = ((band * 6 + row) * w + x) * 3;
                            out.rgb[at..at + 3].copy_from_slice(&colours[&colour]);
                        }
                        x += 1;
                    }
                }
            }
        }
        out
    }

    fn worst(a: &Raster, b: &Raster) -> u8 {
        a.rgb.iter().zip(&b.rgb).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
    }

    #[test]
    fn a_terminal_would_draw_the_picture() {
        let few: Vec<u8> =
            (0..20 * 13).flat_map(|i| [i as u8 / 9 * 9, 255, (i % 20 / 7 * 80) as u8]).collect();
        let p = Raster::from_rgb(20, 13, few).unwrap();
        assert!(worst(&p, &decode(&encode(&p), 20, 13)) <= 3);
        let many: Vec<u8> =
            (0..60 * 50).flat_map(|i| [(i % 60 * 4) as u8, (i / 60 * 5) as u8, 128]).collect();
        let p = Raster::from_rgb(60, 50, many).unwrap();
        let drawn = decode(&encode(&p), 60, 50);
        let sum: u32 = p.rgb.iter().zip(&drawn.rgb).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        assert!(sum / (p.rgb.len() as u32) < 8, "{} off on average", sum as f64 / p.rgb.len() as f64);
    }
}
