//! Pictures on the terminal: by the terminal's own protocol where it has one, else in half blocks, else one line.

use super::{output, sixel};
use crate::core::picture_file::png;
use crate::core::raster::Raster;
use crate::core::resample::{Filter, resize};
use crate::core::screen::Screen;
use crate::core::{Result, run};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::IsTerminal;

/// How pictures get on the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// kitty's graphics protocol.
    Kitty,
    /// iTerm2's inline images.
    Iterm,
    /// DEC's sixels.
    Sixel,
    /// Half blocks in 24-bit colour, or in the 256 colours of xterm.
    Blocks { full: bool },
    /// One line of words.
    Words,
}

/// What terminals say of themselves; `get` reads the environment and gives "" for what is not there.
fn way(get: &dyn Fn(&str) -> String) -> Way {
    let term = get("TERM");
    let full = ["truecolor", "24bit"].contains(&get("COLORTERM").as_str()) || term.ends_with("-direct");
    match get("CS385_PICTURES").as_str() {
        "kitty" => return Way::Kitty,
        "iterm" => return Way::Iterm,
        "sixel" => return Way::Sixel,
        "blocks" => return Way::Blocks { full },
        "none" => return Way::Words,
        _ => {}
    }
    if !get("NO_COLOR").is_empty() || term == "dumb" {
        return Way::Words;
    }
    // tmux and screen keep the variables of the terminal around them, but not its protocols.
    let inside = !get("TMUX").is_empty() || ["screen", "tmux"].iter().any(|t| term.starts_with(t));
    let program = get("TERM_PROGRAM");
    let kitty = !get("KITTY_WINDOW_ID").is_empty() || term.contains("kitty") || term == "xterm-ghostty";
    let iterm =
        ["iTerm.app", "WezTerm", "mintty"].contains(&program.as_str()) || get("LC_TERMINAL") == "iTerm2";
    let sixel = ["foot", "mlterm", "contour", "yaft"].iter().any(|t| term.starts_with(t));
    match () {
        () if !inside && (kitty || program == "ghostty") => Way::Kitty,
        () if !inside && iterm => Way::Iterm,
        () if !inside && (sixel || term.contains("sixel")) => Way::Sixel,
        () if full || term.contains("256color") => Way::Blocks { full },
        () => Way::Words,
    }
}

/// The window: columns, rows, and the size of a cell in pixels.
struct Window {
    columns: usize,
    rows: usize,
    cell: [usize; 2],
}

impl Window {
    fn now() -> Self {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
        let [columns, rows, x, y] =
            size.map_or([0; 4], |s| [s.ws_col, s.ws_row, s.ws_xpixel, s.ws_ypixel].map(usize::from));
        let (columns, rows) = (if columns == 0 { 80 } else { columns }, if rows == 0 { 24 } else { rows });
        // Not every terminal tells its pixels; these are small ones, so that a picture stays inside.
        let cell = [x.checked_div(columns).unwrap_or(0), y.checked_div(rows).unwrap_or(0)];
        Window { columns, rows, cell: if cell.contains(&0) { [8, 16] } else { cell } }
    }

    /// `picture` in a size that fits; one in pixels is made larger if it is tiny.
    fn fit(&self, picture: &Raster, way: Way) -> Result<Raster> {
        let rows = self.rows.saturating_sub(2).max(1);
        let (most_w, most_h, wanted) = match way {
            Way::Blocks { .. } => (self.columns, 2 * rows, 0),
            _ => (self.columns * self.cell[0], rows * self.cell[1], 240),
        };
        let (w, h) = (picture.width, picture.height);
        let times = (wanted.min(most_w) / w).min(wanted.min(most_h) / h).max(1);
        if times > 1 {
            return resize(picture, w * times, h * times, Filter::Nearest);
        }
        let scale = (most_w as f64 / w as f64).min(most_h as f64 / h as f64);
        if scale >= 1.0 {
            return Ok(picture.clone());
        }
        let side = |n: usize| ((n as f64 * scale) as usize).max(1);
        resize(picture, side(w), side(h), Filter::Bilinear)
    }
}

/// The bytes that show `picture`, which fits.
fn draw(picture: &Raster, way: Way) -> Result<String> {
    Ok(match way {
        Way::Kitty => kitty(&png(picture)?),
        Way::Iterm => {
            let png = png(picture)?;
            let head = format!("inline=1;size={};preserveAspectRatio=1", png.len());
            format!("\x1b]1337;File={head}:{}\x07\n", STANDARD.encode(png))
        }
        Way::Sixel => sixel::encode(picture) + "\n",
        Way::Blocks { full } => blocks(picture, full),
        Way::Words => words(picture) + "\n",
    })
}

/// `Picture 224x224, 3 channels`.
fn words(picture: &Raster) -> String {
    format!("Picture {}x{}, 3 channels", picture.width, picture.height)
}

/// In pieces of 4096 characters; `q=2` keeps the terminal from answering into the next input.
fn kitty(png: &[u8]) -> String {
    let text = STANDARD.encode(png);
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(4096).collect();
    let piece = |(i, piece): (usize, &&[u8])| {
        let head = if i == 0 { "a=T,f=100,q=2," } else { "" };
        let more = u8::from(i + 1 < pieces.len());
        format!("\x1b_G{head}m={more};{}\x1b\\", String::from_utf8_lossy(piece))
    };
    pieces.iter().enumerate().map(piece).collect::<String>() + "\n"
}

/// Two pixels a character: the upper one in the colour of the half block, the lower one behind it.
fn blocks(picture: &Raster, full: bool) -> String {
    let mut out = String::new();
    for y in (0..picture.height).step_by(2) {
        let mut before = (String::new(), String::new());
        for x in 0..picture.width {
            let lower = (y + 1 < picture.height).then(|| picture.get(x, y + 1));
            let colours = (
                format!("38;{}", code(picture.get(x, y), full)),
                lower.map_or("49".to_string(), |c| format!("48;{}", code(c, full))),
            );
            if colours != before {
                out += &format!("\x1b[{};{}m", colours.0, colours.1);
                before = colours;
            }
            out.push('▀');
        }
        out += "\x1b[0m\n";
    }
    out
}

fn code([r, g, b]: [u8; 3], full: bool) -> String {
    if full {
        return format!("2;{r};{g};{b}");
    }
    // xterm's cube has the levels 0, 95, 135 … 255; its greys 8, 18 … 238.
    let level = |v: u8| (usize::from(v).saturating_sub(35) / 40).min(5);
    let value = |l: usize| if l == 0 { 0 } else { 55 + 40 * l as i32 };
    let off = |c: [i32; 3]| {
        let d = [i32::from(r) - c[0], i32::from(g) - c[1], i32::from(b) - c[2]];
        d.iter().map(|d| d * d).sum::<i32>()
    };
    let cube = [r, g, b].map(|v| if v < 48 { 0 } else { level(v).max(1) });
    let mean = (i32::from(r) + i32::from(g) + i32::from(b)) / 3;
    let grey = ((mean - 3) / 10).clamp(0, 23);
    match off(cube.map(value)) <= off([8 + 10 * grey; 3]) {
        true => format!("5;{}", 16 + 36 * cube[0] + 6 * cube[1] + cube[2]),
        false => format!("5;{}", 232 + grey),
    }
}

/// Draws `picture` on the terminal, if there is one that can.
pub fn draws(picture: &Raster) -> bool {
    let way = way(&|name| std::env::var(name).unwrap_or_default());
    if output::captured() || !std::io::stdout().is_terminal() || way == Way::Words {
        return false;
    }
    let text = Window::now().fit(picture, way).and_then(|p| draw(&p, way));
    text.map(|text| output::write(&text)).is_ok()
}

/// The terminal the program runs on, if it does.
pub struct Terminal;

impl Screen for Terminal {
    fn show(&self, picture: &Raster) {
        let words = words(picture);
        if draws(picture) {
            return run::log(&format!("{words}\n"));
        }
        match !output::captured() && std::io::stdout().is_terminal() {
            true => output::print(&format!("{words}; .save(\"picture.png\") writes it")),
            false => output::print(&words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn told(pairs: &[(&str, &str)]) -> Way {
        let env: HashMap<_, _> = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        way(&|name| env.get(name).cloned().unwrap_or_default())
    }

    #[test]
    fn the_environment_chooses() {
        assert_eq!(told(&[("TERM", "xterm-kitty"), ("KITTY_WINDOW_ID", "1")]), Way::Kitty);
        assert_eq!(told(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")]), Way::Iterm);
        assert_eq!(told(&[("TERM", "foot")]), Way::Sixel);
        let full = ("COLORTERM", "truecolor");
        assert_eq!(told(&[("TERM", "xterm-256color"), full]), Way::Blocks { full: true });
        assert_eq!(told(&[("TERM", "xterm-256color")]), Way::Blocks { full: false });
        assert_eq!(told(&[("TERM", "vt100")]), Way::Words);
        assert_eq!(told(&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")]), Way::Words);
        let tmux = [("TERM", "tmux-256color"), ("TMUX", "1"), ("KITTY_WINDOW_ID", "1"), full];
        assert_eq!(told(&tmux), Way::Blocks { full: true });
        assert_eq!(told(&[("TERM", "xterm"), ("CS385_PICTURES", "sixel")]), Way::Sixel);
    }

    #[test]
    fn pictures_fit_the_window() {
        let window = Window { columns: 40, rows: 12, cell: [10, 20] };
        let size = |w, h, way| {
            let p = window.fit(&Raster::new(w, h, [9; 3]).unwrap(), way).unwrap();
            (p.width, p.height)
        };
        let blocks = Way::Blocks { full: true };
        assert_eq!(size(400, 100, blocks), (40, 10));
        assert_eq!(size(100, 400, blocks), (5, 20));
        assert_eq!(size(8, 8, blocks), (8, 8));
        assert_eq!(size(8000, 10, blocks), (40, 1));
        assert_eq!(size(800, 100, Way::Kitty), (400, 50));
        assert_eq!(size(28, 28, Way::Kitty), (196, 196));
    }

    #[test]
    fn half_blocks_hold_two_pixels() {
        let p = Raster::from_rgb(2, 3, (0..18).collect()).unwrap();
        let text = blocks(&p, true);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "\x1b[38;2;0;1;2;48;2;6;7;8m▀\x1b[38;2;3;4;5;48;2;9;10;11m▀\x1b[0m");
        assert_eq!(lines[1], "\x1b[38;2;12;13;14;49m▀\x1b[38;2;15;16;17;49m▀\x1b[0m");
    }

    #[test]
    fn the_256_colours_are_the_nearest() {
        let near = |c| code(c, false);
        assert_eq!(
            (near([255, 0, 0]), near([0, 0, 0]), near([255; 3])),
            ("5;196".into(), "5;16".into(), "5;231".into())
        );
        assert_eq!((near([95, 135, 175]), near([128; 3])), ("5;67".into(), "5;244".into()));
    }

    #[test]
    fn kitty_and_iterm_carry_a_png() {
        let noise: Vec<u8> =
            (0..3 * 100 * 100u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let p = Raster::from_rgb(100, 100, noise).unwrap();
        let text = kitty(&png(&p).unwrap());
        let pieces: Vec<&str> = text.trim_end().split_inclusive("\x1b\\").collect();
        assert!(pieces.len() > 2 && pieces[0].starts_with("\x1b_Ga=T,f=100,q=2,m=1;"));
        assert!(pieces[1].starts_with("\x1b_Gm=1;") && pieces[pieces.len() - 1].starts_with("\x1b_Gm=0;"));
        let body: String =
            pieces.iter().map(|p| p.split_once(';').unwrap().1.trim_end_matches("\x1b\\")).collect();
        let back = image::load_from_memory(&STANDARD.decode(body).unwrap()).unwrap().into_rgb8();
        assert_eq!(back.into_raw(), p.rgb);
        let text = draw(&p, Way::Iterm).unwrap();
        let body = text.split_once(':').unwrap().1.trim_end_matches("\x07\n");
        assert_eq!(STANDARD.decode(body).unwrap(), png(&p).unwrap());
    }
}
