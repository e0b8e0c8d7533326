//! The projector in a browser: what is clicked, searched, filtered and lassoed is what was written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/browser.rs"]
mod browser;

use browser::Browser;
use cs385::core::picture_file;
use cs385::core::raster::{Raster, Rgb};
use cs385::core::value::{Map, Value};
use cs385::embed::knn::{self, Metric};
use cs385::embed::pca::{Method, Pca};
use cs385::embed::projector::{ProjectorOptions, page};
use cs385::embed::{About, Embedding, Made, Points};
use ndarray::Array2;
use serde_json::{Value as Json, json};
use std::path::Path;

const EVIL: &str = "</script><img src=x onerror='window.ran=1'>\t\"🦊\", needle";

/// The one colour of a thumbnail.
fn colour(i: usize) -> Rgb {
    [(40 + i * 53 % 200) as u8, (250 - i * 4 % 251) as u8, (i * 97 % 256) as u8]
}

/// Numbers that look random and are the same everywhere.
fn noise(rows: usize, columns: usize) -> Array2<f32> {
    let mut state = 1u64;
    Array2::from_shape_fn((rows, columns), |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    })
}

/// Thumbnails of several shapes, each of one colour.
fn about(n: usize, side: usize) -> About {
    let picture = |i: usize| Raster::new(side, side - i % 3, colour(i)).unwrap().into();
    About {
        labels: (0..n).map(|i| (i % 3) as i64).collect(),
        classes: ["ape", "bee", "<b>cow</b>"].map(String::from).to_vec(),
        thumbnails: if side == 0 { Vec::new() } else { (0..n).map(picture).collect() },
    }
}

/// Points on a grid of `wide` columns, made from noise.
fn on_a_grid(n: usize, wide: usize, side: usize) -> (Embedding, Array2<f32>) {
    let x = noise(n, 6);
    let features = Embedding::new(x.clone(), about(n, side), Made::Given("noise".into())).unwrap();
    let grid =
        Array2::from_shape_fn((n, 2), |(i, c)| if c == 0 { (i % wide) as f32 } else { (i / wide) as f32 });
    (features.derived(grid, Made::Given("a grid".into())), x)
}

/// The same places, flatter.
fn squeezed(e: &Embedding, share: f32) -> Array2<f32> {
    let mut x = e.points().clone();
    x.column_mut(1).mapv_inplace(|v| v * share);
    x
}

fn write(e: &Embedding, o: &ProjectorOptions, path: &Path) {
    std::fs::write(path, page(e, o).unwrap().html()).unwrap();
}

fn place(b: &mut Browser, i: usize) -> (f64, f64) {
    let at = b.eval(&format!("window.__projector.screen({i})"));
    (at[0].as_f64().unwrap(), at[1].as_f64().unwrap())
}

fn seen(b: &mut Browser, shot: &Raster, i: usize) -> Rgb {
    let (x, y) = place(b, i);
    shot.get(x.round() as usize, y.round() as usize)
}

fn near(a: Rgb, b: Rgb) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 3)
}

/// Saves what is seen where PROJECTOR_SHOTS says.
fn shoot(b: &mut Browser, name: &str) {
    if let Some(folder) = std::env::var_os("PROJECTOR_SHOTS") {
        b.settle();
        b.screenshot(Path::new(&folder).join(name));
    }
}

fn ready(b: &mut Browser) {
    b.wait("window.__projector && window.__stats.draws > 0");
    b.settle();
}

fn neighbours(b: &mut Browser) -> Vec<(usize, f64)> {
    let rows = b.eval(
        "[...document.querySelectorAll('#near button')].map((e) => [Number(e.dataset.point), Number(e.lastChild.textContent)])",
    );
    let one = |r: &Json| (r[0].as_u64().unwrap() as usize, r[1].as_f64().unwrap());
    rows.as_array().unwrap().iter().map(one).collect()
}

#[test]
fn walk_through_sixty_points() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("map.html");
    let (e, x) = on_a_grid(60, 10, 24);
    let fit = Pca::fit(&x.view(), 5, Method::Exact, 0).unwrap();
    let pca = e.origin().derived(fit.transform(&x.view()).unwrap(), Made::Pca(fit));
    let files = (0..60).map(|i| Value::Str(if i % 20 == 7 { EVIL.into() } else { format!("file {i}.png") }));
    let options = ProjectorOptions {
        title: "Sixty <b>points</b>".into(),
        others: Map::from([("PCA".to_string(), Value::object(pca))]),
        metadata: Map::from([
            ("file".to_string(), Value::List(files.collect())),
            ("loss".to_string(), Value::List((0..60).map(|i| Value::Float(f64::from(i) / 7.0)).collect())),
        ]),
        neighbours: 5,
        steps: [0.25, 0.5].map(|q| Points(e.derived(squeezed(&e, q), Made::Given("a step".into())))).into(),
    };
    write(&e, &options, &path);
    let mut b = Browser::open(&path);
    ready(&mut b);
    assert_eq!(b.text("document.querySelector('h1').textContent"), "Sixty <b>points</b>");
    shoot(&mut b, "light-2d-1200.png");

    // Every thumbnail is its own point's.
    let shot = b.pixels();
    for i in 0..60 {
        let got = seen(&mut b, &shot, i);
        assert!(near(got, colour(i)), "thumbnail {i}: {got:?}, not {:?}", colour(i));
    }

    // A click: neighbours in the original space.
    let want = knn::exact(&x.view(), 5, Metric::Euclidean).unwrap();
    for i in [17, 59] {
        let (px, py) = place(&mut b, i);
        b.click_at(px, py);
        let got = neighbours(&mut b);
        let (index, far) = want.row(i);
        assert_eq!(got.len(), 5);
        for ((j, d), (want_j, want_d)) in got.iter().zip(index.iter().zip(far)) {
            assert_eq!(*j, *want_j as usize, "neighbours of {i}");
            assert!((d - f64::from(*want_d)).abs() < 1e-3, "distance of {i} and {j}: {d}, not {want_d}");
        }
    }
    shoot(&mut b, "light-2d-chosen.png");
    b.key("Escape");
    assert_eq!(b.eval("document.querySelector('#chosen').hidden"), json!(true));

    // One class away: the others keep their own pictures, and its own are gone.
    b.click("[data-class='1']");
    b.settle();
    let shot = b.pixels();
    for i in 0..60 {
        let got = seen_where_it_was(&shot, i);
        let want = if i % 3 == 1 { [255; 3] } else { colour(i) };
        assert!(near(got, want), "thumbnail {i} without bees: {got:?}, not {want:?}");
    }
    shoot(&mut b, "light-2d-filtered.png");
    b.click("#all");

    // What was found stands out.
    b.click("#search");
    b.write("NEEDLE");
    b.settle();
    assert!(b.text("document.querySelector('#found').textContent").starts_with("3 of 60"));
    let shot = b.pixels();
    for i in 0..60 {
        let got = seen(&mut b, &shot, i);
        assert_eq!(near(got, colour(i)), i % 20 == 7, "{i} after the search: {got:?}");
    }
    b.key("Enter");
    assert_eq!(b.text("document.querySelector('#chosen h2').textContent"), "Point 7");
    assert!(b.text("document.querySelector('#chosen dl').textContent").contains(EVIL));
    b.eval(
        "{ const s = document.querySelector('#search'); s.value = ''; s.dispatchEvent(new Event('input')) }",
    );

    // The card beside the mouse.
    let (px, py) = place(&mut b, 27);
    b.hover(px, py);
    b.settle();
    assert!(b.text("document.querySelector('#card').innerText").contains("#27"));
    assert!(b.text("document.querySelector('#card').innerText").contains(EVIL.split('\t').next().unwrap()));
    shoot(&mut b, "light-2d-hover.png");

    // Around the first two columns of the two lowest rows.
    let ((x0, y0), (x1, y1)) = (place(&mut b, 0), place(&mut b, 11));
    let (l, r, t, d) = (x0 - 25.0, x1 + 25.0, y1 - 25.0, y0 + 25.0);
    b.click("#lasso");
    b.drag(&[(l, t), (r, t), (r, d), (l, d)], 0);
    assert_eq!(b.text("document.querySelector('#count').textContent"), "4 points chosen");
    shoot(&mut b, "light-2d-lasso.png");
    b.click("#export");
    let csv = std::fs::read_to_string(b.downloaded()).unwrap();
    let lines: Vec<&str> = csv.trim_end().split('\n').collect();
    assert_eq!(lines[0], "index,class,file,loss,Points dimension 1,Points dimension 2");
    let firsts: Vec<&str> = lines[1..].iter().map(|l| l.split(',').next().unwrap()).collect();
    assert_eq!(firsts, ["0", "1", "10", "11"]);
    assert!(
        lines[4].starts_with("11,<b>cow</b>,file 11.png,1.571") && lines[4].ends_with(",1,1"),
        "{}",
        lines[4]
    );
    b.key("Escape");
    // The same by Shift and a drag.
    b.drag(&[(l, t), (r, t), (r, d), (l, d)], 8);
    assert_eq!(b.text("document.querySelector('#count').textContent"), "4 points chosen");
    b.key("Escape");

    // The map while it was made: narrower at first, and at the end as it is.
    let end = place(&mut b, 9);
    let step = |b: &mut Browser, k: usize| {
        b.eval(&format!("{{ const s = document.querySelector('#step'); s.value = '{k}'; s.dispatchEvent(new Event('input')) }}"));
        b.wait("window.__projector.resting()");
        place(b, 9)
    };
    let (early, late) = (step(&mut b, 0), step(&mut b, 1));
    let middle = |p: (f64, f64)| (p.1 - 400.0).abs();
    assert!(
        middle(early) < 0.6 * middle(late) && middle(late) < 0.6 * middle(end),
        "{early:?} {late:?} {end:?}"
    );
    b.click("#run");
    b.wait("window.__projector.now.step === 2 && window.__projector.resting()");
    let again = place(&mut b, 9);
    assert!((again.0 - end.0).abs() < 0.5 && (again.1 - end.1).abs() < 0.5);

    // Dragging moves, the wheel holds what is under the mouse.
    let (ax, ay) = place(&mut b, 22);
    b.drag(&[(440.0, 760.0), (460.0, 750.0), (500.0, 730.0)], 0);
    let (bx, by) = place(&mut b, 22);
    assert!(
        (bx - ax - 60.0).abs() < 1.0 && (by - ay + 30.0).abs() < 1.0,
        "moved by {}, {}",
        bx - ax,
        by - ay
    );
    b.wheel(bx, by, -300.0);
    b.wait("window.__projector.look.zoom > 1.3");
    let (cx, cy) = place(&mut b, 22);
    assert!((cx - bx).abs() < 1.0 && (cy - by).abs() < 1.0);

    // Another map, other axes, three dimensions.
    b.click("#home");
    b.wait("window.__projector.look.zoom === 1");
    let before = place(&mut b, 5);
    b.eval(
        "{ const m = document.querySelector('#map'); m.value = '1'; m.dispatchEvent(new Event('change')) }",
    );
    b.wait("window.__projector.resting()");
    let flat = place(&mut b, 5);
    assert!((flat.0 - before.0).hypot(flat.1 - before.1) > 1.0);
    assert!(b.text("document.querySelector('#axis0').textContent").contains("component 1 · "));
    b.eval(
        "{ const a = document.querySelector('#axis0'); a.value = '4'; a.dispatchEvent(new Event('change')) }",
    );
    b.wait("window.__projector.resting()");
    let other = place(&mut b, 5);
    assert!((other.0 - flat.0).abs() > 1.0);
    b.click("#three");
    b.wait("window.__projector.resting() && window.__projector.look.deep === 1");
    let turned = place(&mut b, 5);
    b.drag(&[(440.0, 700.0), (470.0, 700.0), (540.0, 690.0)], 0);
    assert!((place(&mut b, 5).0 - turned.0).abs() > 1.0);
    shoot(&mut b, "light-3d-1200.png");
    b.click("#dots");
    b.eval(
        "{ const c = document.querySelector('#by'); c.value = '1'; c.dispatchEvent(new Event('change')) }",
    );
    b.dark(true);
    shoot(&mut b, "dark-3d-1200.png");
    b.eval(
        "{ const c = document.querySelector('#by'); c.value = '0'; c.dispatchEvent(new Event('change')) }",
    );
    b.click("#two");
    b.wait("window.__projector.resting() && window.__projector.look.deep === 0");
    shoot(&mut b, "dark-2d-1200.png");

    // The picture one takes away is what was seen.
    b.click("#pictures");
    b.settle();
    b.click("#png");
    let saved = picture_file::read(b.downloaded()).unwrap();
    assert_eq!([saved.width, saved.height], [880, 800]);
    assert!(near(saved.get(2, 798), [20, 22, 26]));
    b.size(420, 800);
    b.settle();
    shoot(&mut b, "dark-2d-420.png");
    b.click("#three");
    b.wait("window.__projector.resting() && window.__projector.look.deep === 1");
    b.dark(false);
    b.eval("window.scrollTo(0, 0)");
    shoot(&mut b, "light-3d-420.png");
    assert!(b.number("document.documentElement.scrollWidth") <= 420.0);
    assert_eq!(b.eval("window.ran || 0"), json!(0));
    b.no_errors();
}

/// The grid's place on a stage of 880 × 800, also of what is hidden.
fn seen_where_it_was(shot: &Raster, i: usize) -> Rgb {
    let step = 800.0 * 0.44 / 4.5;
    let (x, y) = (440.0 + ((i % 10) as f64 - 4.5) * step, 400.0 - ((i / 10) as f64 - 2.5) * step);
    shot.get(x.round() as usize, y.round() as usize)
}

#[test]
fn twenty_thousand_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("map.html");
    let (e, _) = on_a_grid(20_000, 142, 32);
    write(&e, &ProjectorOptions { neighbours: 3, ..ProjectorOptions::default() }, &path);
    let mut b = Browser::open(&path);
    ready(&mut b);
    b.click("#pictures");
    b.settle();
    shoot(&mut b, "many-pictures.png");
    // Where the second sheet begins, too, each picture is its own point's.
    for i in [0, 16_383, 16_384, 16_385, 19_999] {
        b.eval("Object.assign(window.__projector.look, { zoom: 1, target: [0, 0, 0] })");
        b.click("#home");
        b.wait("window.__projector.look.zoom === 1");
        let (x, y) = place(&mut b, i);
        b.wheel(x, y, -1700.0);
        b.wait("window.__projector.look.zoom > 10");
        b.settle();
        let shot = b.pixels();
        let got = seen(&mut b, &shot, i);
        assert!(near(got, colour(i)), "thumbnail {i}: {got:?}, not {:?}", colour(i));
    }
    let mut ms = Vec::new();
    for k in 0..20 {
        let x = 300.0 + f64::from(k) * 5.0;
        b.drag(&[(x, 400.0), (x + 20.0, 410.0)], 0);
        b.settle();
        ms.push(b.number("window.__stats.ms"));
    }
    ms.sort_by(f64::total_cmp);
    let draws = b.number("window.__stats.draws");
    println!(
        "20,000 pictures: {draws} draw calls, {:.2} ms of JavaScript a frame (median), {:.2} at most",
        ms[10], ms[19]
    );
    assert!(draws <= 5.0 && ms[10] < 4.0);
    b.no_errors();
}

#[test]
fn two_hundred_thousand_points() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("map.html");
    let n = 200_000;
    let e = Embedding::new(noise(n, 3), about(n, 0), Made::Given("noise".into())).unwrap();
    write(&e, &ProjectorOptions { neighbours: 0, ..ProjectorOptions::default() }, &path);
    let begin = std::time::Instant::now();
    let mut b = Browser::open(&path);
    ready(&mut b);
    let loaded = begin.elapsed();
    let (x, y) = place(&mut b, n - 1);
    b.drag(&[(400.0, 400.0), (430.0, 400.0), (450.0, 400.0)], 0);
    b.settle();
    let (to, _) = place(&mut b, n - 1);
    assert!((to - x - 50.0).abs() < 1.0);
    b.hover(to, y);
    b.settle();
    println!(
        "200,000 points: shown after {loaded:.1?} (with the browser's start), {} draw call, {:.2} ms of JavaScript a frame",
        b.number("window.__stats.draws"),
        b.number("window.__stats.ms"),
    );
    shoot(&mut b, "light-200000.png");
    assert_eq!(b.eval("window.__stats.points"), json!(n));
    b.no_errors();
}

#[test]
fn bad_input_is_named() {
    let (e, _) = on_a_grid(6, 3, 0);
    let raised = |o: ProjectorOptions| page(&e, &o).err().map(|e| e.to_string()).unwrap_or_default();
    let metadata = |v| ProjectorOptions { metadata: Map::from([("m".to_string(), v)]), ..Default::default() };
    assert!(
        raised(metadata(Value::List(vec![Value::Int(1)])))
            .contains("`metadata`, \"m\": 1 items for 6 points")
    );
    assert!(raised(metadata(Value::Int(3))).contains("expected a list or a Tensor, got integer 3"));
    let (few, _) = on_a_grid(5, 3, 0);
    let others = Map::from([("few".to_string(), Value::object(few))]);
    assert!(
        raised(ProjectorOptions { others, ..Default::default() })
            .contains("\"few\": 5 points, the embedding has 6")
    );
    let bad = e.derived(Array2::from_elem((6, 2), f32::NAN), Made::Given("nothing".into()));
    assert!(page(&bad, &ProjectorOptions::default()).err().unwrap().to_string().contains("NaN"));
}
