//! Pictures and plots against other programs (fixtures by tests/fixtures/image/make_oracles.py) and
//! against their own goldens (made again with CS385_BLESS=1).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use cs385::core::canvas::Canvas;
use cs385::core::colormap::Colormap;
use cs385::core::raster::Raster;
use cs385::core::resample::Filter;
use cs385::core::{picture_file, raster};
use cs385::image::{self, ColorBar, GridOptions, HeatOptions, Picture};
use cs385::plot::{self, Options, Series};
use tch::Tensor;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/image").join(name)
}

fn open(name: &str) -> Picture {
    Picture::open(fixture(name)).unwrap()
}

fn floats(name: &str) -> Vec<f32> {
    let bytes = std::fs::read(fixture(name)).unwrap();
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn greatest_difference(a: &Raster, b: &Raster) -> u8 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    a.rgb.iter().zip(&b.rgb).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

fn golden(name: &str, made: &Raster) {
    if std::env::var_os("CS385_BLESS").is_some() {
        picture_file::write(made, fixture(name)).unwrap();
    }
    let d = greatest_difference(made, &picture_file::read(fixture(name)).unwrap());
    assert!(d <= 2, "{name} differs by {d}/255");
}

#[test]
fn resizing_equals_pillow_to_the_byte() {
    let source = open("source.png");
    for (name, w, h, filter) in [
        ("bilinear_down", 24, 19, Filter::Bilinear),
        ("bilinear_up", 100, 90, Filter::Bilinear),
        ("bicubic", 37, 70, Filter::Bicubic),
        ("lanczos", 30, 60, Filter::Lanczos),
        ("nearest", 40, 90, Filter::Nearest),
    ] {
        let wanted = open(&format!("resize_{name}.png"));
        let made = source.resize(w, h, filter).unwrap();
        assert_eq!(greatest_difference(made.raster(), wanted.raster()), 0, "{name}");
    }
}

#[test]
fn the_input_of_a_classifier_equals_torchvisions() {
    let x = open("source.png").to_input(32).unwrap();
    assert_eq!(x.size(), [1, 3, 32, 32]);
    let wanted = Tensor::from_slice(&floats("to_input_32.f32")).reshape([1, 3, 32, 32]);
    let d = (&x - wanted).abs().max().double_value(&[]);
    assert!(d < 1e-5, "{d}");
    let back = Picture::from_input(&x).unwrap();
    let crop = open("source.png").resize_short(37, Filter::Bilinear).unwrap().center_crop(32, 32).unwrap();
    assert_eq!(back, crop);
}

#[test]
fn overlays_equal_grad_cams() {
    let heat = Tensor::from_slice(&floats("heat_7x7.f32")).reshape([1, 7, 7]);
    for weight in [0.5, 0.3] {
        let o = HeatOptions { alpha: 1.0 - weight, ..HeatOptions::default() };
        let made = open("source.png").overlay(&heat, &o).unwrap();
        let wanted = open(&format!("overlay_{weight}.png"));
        assert!(greatest_difference(made.raster(), wanted.raster()) <= 1, "{weight}");
    }
}

#[test]
fn colour_maps_equal_opencvs_and_matplotlibs() {
    let tables = open("colormaps.png");
    for (row, name, tolerance) in
        [(0, "jet", 1), (1, "viridis", 2), (2, "magma", 2), (3, "coolwarm", 1), (4, "rdbu_r", 1)]
    {
        let table = Colormap::parse(name).unwrap().table();
        for (i, made) in table.iter().enumerate() {
            let wanted = tables.pixel(i, row).unwrap();
            let d = (0..3).map(|c| made[c].abs_diff(wanted[c])).max().unwrap();
            assert!(d <= tolerance, "{name}[{i}]: {made:?}, expected {wanted:?}");
        }
    }
}

#[test]
fn every_kind_of_file_becomes_rgb() {
    let turned = open("turned.jpg");
    assert_eq!(turned.size(), [16, 12]);
    let near = |p: raster::Rgb, q: raster::Rgb| p.iter().zip(q).all(|(a, b)| a.abs_diff(b) < 12);
    assert!(
        near(turned.pixel(6, 2).unwrap(), [255, 0, 0]) && near(turned.pixel(6, 13).unwrap(), [0, 0, 255])
    );
    assert!(turned.source().unwrap().ends_with("turned.jpg"));
    let grey = open("grey.png").pixel(5, 5).unwrap();
    assert!(grey[0] == grey[1] && grey[1] == grey[2]);
    assert_eq!(open("palette.png"), open("palette_rgb.png"));
    assert!(near(open("cmyk.jpg").pixel(8, 6).unwrap(), [200, 40, 90]), "{:?}", open("cmyk.jpg").pixel(8, 6));
    assert_eq!(open("deep.png").pixel(15, 11).unwrap(), [254; 3]);
    assert_eq!(
        (open("alpha.png").pixel(0, 0).unwrap(), open("alpha.png").pixel(9, 0).unwrap()),
        ([127; 3], [255; 3])
    );
    assert!(open("photo.jpg").size() == [47, 61] && open("progressive.jpg").size() == [47, 61]);
}

#[test]
fn bad_files_are_named_with_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let e = Picture::open(&path).unwrap_err();
        assert!(e.msg.starts_with(path.to_str().unwrap()), "{}", e.msg);
        e.msg[path.to_str().unwrap().len()..].to_string()
    };
    for name in ["photo.jpg", "progressive.jpg", "source.png", "turned.jpg"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for share in [2, 3, 10] {
            let msg = wrong(name, &whole[..whole.len() - whole.len() / share]);
            assert!(msg.contains("cut off") || msg.contains("damaged"), "{name} {share}: {msg}");
        }
    }
    let mut png = std::fs::read(fixture("source.png")).unwrap();
    png[3000] ^= 255;
    assert!(wrong("flipped.png", &png).contains("the png is damaged"));
    // A header that promises 60000 x 60000 pixels.
    let mut bomb = std::fs::read(fixture("grey.png")).unwrap();
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let crc = crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.to_be_bytes());
    assert!(wrong("bomb.png", &bomb).contains("60000 x 60000"));
    assert_eq!(wrong("empty.png", &[]), ": the file is empty");
    assert_eq!(wrong("text.png", b"hello"), ": not a picture of a known kind");
    assert!(wrong("x.tif", b"II*\0\x08\0\0\0\0\0\0\0").contains("cannot read this kind of tif"));
    assert!(Picture::open(dir.path()).unwrap_err().msg.contains("is a folder"));
    assert!(
        Picture::open(dir.path().join("none.png"))
            .unwrap_err()
            .msg
            .ends_with("none.png: no such file or folder")
    );
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0u32, |crc, b| (0..8).fold(crc ^ u32::from(*b), step))
}

#[test]
fn files_are_written_whole_and_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let source = open("source.png");
    for (name, tolerance) in [("a.png", 0), ("a.bmp", 0), ("a.webp", 0), ("a.JPG", 70), ("a.gif", 70)] {
        let path = dir.path().join(name);
        source.save(&path).unwrap();
        let d = greatest_difference(Picture::open(&path).unwrap().raster(), source.raster());
        assert!(d <= tolerance, "{name}: {d}");
    }
    let e = source.save(dir.path().join("a.pgn")).unwrap_err();
    assert!(e.msg.ends_with("unknown picture format `pgn`; did you mean `png`?"), "{}", e.msg);
    assert!(source.save(dir.path().join("none/a.png")).is_err());
    let gif = dir.path().join("b.gif");
    image::gif(&[source.clone(), source.flip_horizontal()], 200, &gif).unwrap();
    assert_eq!(Picture::open(&gif).unwrap().size(), source.size());
    let e = image::gif(&[source.clone(), source.rot90(1)], 200, &gif).unwrap_err();
    assert!(e.msg.contains("frame 1 has 47 x 61"), "{}", e.msg);
    // Neither successes nor failures leave a temporary file.
    assert!(
        std::fs::read_dir(dir.path()).unwrap().all(|f| !f
            .unwrap()
            .file_name()
            .to_str()
            .unwrap()
            .ends_with("part"))
    );
}

#[test]
fn the_grid_golden() {
    let source = open("source.png");
    let heat = Tensor::from_slice(&floats("heat_7x7.f32")).reshape([7, 7]);
    let over = |alpha| source.overlay(&heat, &HeatOptions { alpha, ..HeatOptions::default() }).unwrap();
    let pictures =
        [source.clone(), over(0.3), over(0.6), source.flip_horizontal(), over(0.9), source.rot90(1)];
    let captions = [
        "photo",
        "α = 0.3",
        "α = 0.6",
        "a caption that is too long for one line",
        "α = 0.9",
        "Yorkshire_terrier",
    ];
    let options = GridOptions {
        title: "Grad-CAM at layer4".into(),
        row_labels: vec!["plain".into(), "with batch norm".into()],
        column_labels: vec!["input".into(), "weak".into(), "strong".into()],
        color_bar: Some(ColorBar { colormap: Colormap::JET, lo: 0.0, hi: 1.0, label: "relevance".into() }),
        ..GridOptions::default()
    };
    let made = image::grid(&pictures, 3, &captions.map(String::from), &options).unwrap();
    golden("golden_grid.png", made.raster());
}

/// A training curve with no noise, the same on every machine.
fn training(rate: f64, top: f64) -> Vec<f64> {
    (0..40).map(|e| top * (1.0 - 1.0 / (1.0 + rate * f64::from(e))) + 0.01 * f64::from(e * 7 % 5)).collect()
}

#[test]
fn the_curve_golden() {
    let xs: Vec<f64> = (1..=40).map(f64::from).collect();
    let mut gap = training(0.1, 0.5);
    gap[20..24].fill(f64::NAN);
    let series = [
        Series::new("ResNet18, transfer", &xs, &training(1.0, 0.83)),
        Series { error: vec![0.03; 40], ..Series::new("CNN + BN + dropout", &xs, &training(0.2, 0.7)) },
        Series::new("plain CNN", &xs, &gap),
    ];
    let o = Options {
        title: "Validation accuracy on Stanford Dogs".into(),
        x_label: "epoch".into(),
        y_label: "accuracy".into(),
        markers: true,
        size: (720, 450),
        ..Options::default()
    };
    golden("golden_curves.png", &plot::curves(&series, &o).unwrap());
}

#[test]
fn plots_refuse_what_they_cannot_draw() {
    let o = Options::default();
    let log = Options { log_y: true, ..Options::default() };
    let msg = |r: cs385::core::Result<Canvas>| r.unwrap_err().msg;
    assert!(msg(plot::curves(&[], &o)).contains("no series"));
    assert_eq!(msg(plot::curves(&[Series::values("loss", &[])], &o)), "series `loss` has no points");
    assert!(msg(plot::curves(&[Series::values("loss", &[f64::NAN])], &o)).contains("finite"));
    assert!(msg(plot::curves(&[Series::values("loss", &[-1.0])], &log)).contains("positive"));
    assert!(msg(plot::curves(&[Series::new("a", &[1.0], &[1.0, 2.0])], &o)).contains("1 x and 2 y"));
    let tiny = Options { size: (40, 30), ..Options::default() };
    assert!(msg(plot::curves(&[Series::values("a", &[1.0, 2.0])], &tiny)).contains("no room"));
    assert!(
        msg(plot::bar(&["a".into()], &[Series::values("b", &[1.0, 2.0])], &o)).contains("2 values for 1")
    );
    let one = [Series::values("b", &[1.0])];
    assert!(msg(plot::bar(&["a".into()], &one, &log)).contains("begin at 0"));
    let log_x = Options { log_x: true, ..Options::default() };
    assert!(msg(plot::hist(&one, &log_x)).contains("equally wide"));
    assert!(msg(plot::photos(&[0.0], &[0.0], &[], &[], 32, &o)).contains("do not fit"));
}

#[test]
fn plots_of_one_point_or_one_value_show_something() {
    let o = Options::default();
    let ink = |r: Canvas| r.rgb.chunks_exact(3).filter(|p| **p == [0, 114, 178]).count();
    assert!(ink(plot::curves(&[Series::values("", &[0.5])], &o).unwrap()) > 20);
    assert!(ink(plot::curves(&[Series::values("", &[3.0; 9])], &o).unwrap()) > 800);
    assert!(ink(plot::curves(&[Series::values("", &[f64::NAN, 1.0, f64::NAN])], &o).unwrap()) > 20);
    assert!(ink(plot::hist(&[Series::values("", &[2.0; 5])], &o).unwrap()) > 100);
    assert!(ink(plot::bar(&["only".into()], &[Series::values("", &[-2.0])], &o).unwrap()) > 10_000);
}

#[test]
fn a_thousand_names_leave_room_for_the_plot() {
    let series: Vec<Series> =
        (0..1000).map(|i| Series::values(format!("series {i}"), &[f64::from(i), 1.0])).collect();
    let r = plot::scatter(&series, &Options::default()).unwrap();
    // The legend takes at most 36 % of the width, and ends with a count of what it leaves out.
    assert_eq!((r.width, r.height), (960, 600));
    let spine = |x: usize| (0..600).filter(|y| r.get(x, *y) == [90; 3]).count() > 300;
    assert!((0..960).filter(|x| spine(*x)).all(|x| x < 150));
    let foot = (0..600).rev().find(|y| (300..500).all(|x| r.get(x, *y) == [90; 3])).unwrap();
    assert!((0..960).filter(|x| r.get(*x, foot) == [90; 3]).count() > 480);
}

#[test]
fn a_grid_of_64_is_quick() {
    let digits: Vec<Picture> = (0..64).map(|i| Picture::filled(28, 28, [i * 4; 3]).unwrap()).collect();
    let captions: Vec<String> = (0..64).map(|i| format!("digit {i}")).collect();
    let start = std::time::Instant::now();
    image::grid(&digits, 8, &captions, &GridOptions::default()).unwrap();
    // About 15 ms on two cores; the bound leaves room for a busy machine.
    assert!(start.elapsed().as_millis() < 400, "{:?}", start.elapsed());
}
