//! The page of `cam::explore` in a browser: what is clicked and dragged shows the maps that Rust computes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/browser.rs"]
mod browser;
mod support;

use browser::Browser;
use cs385::core::{run, seed};
use cs385::explain::Heatmap;
use cs385::nn::Net;
use support::{Script, distance};
use tch::Tensor;

const NETS: &str = r#"
let net = nn::sequential([["conv", nn::conv2d(3, 6, 3, #{padding: 1})], ["relu", nn::relu()], ["pool", nn::max_pool2d(2)],
    ["conv2", nn::conv2d(6, 8, 3, #{padding: 1})], ["relu2", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ["flat", nn::flatten()], ["fc", nn::linear(8, 4)]]);
let draw = nn::sequential([["conv", nn::conv2d(3, 6, 3, #{padding: 1})], ["relu", nn::relu()], ["out", nn::conv2d(6, 3, 3, #{padding: 1})],
    ["sig", nn::sigmoid()]]);
let x = tensor::rand([2, 3, 24, 32]);"#;

/// A folder that this test's scripts may write to.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    run::begin(run::Setup { name: "explorer".into(), out: dir.path().into(), ..run::Setup::default() });
    dir
}

/// What the page shows now, against the map that `call` gives.
#[track_caller]
fn shows(b: &mut Browser, s: &mut Script, call: &str, picture: i64) {
    let numbers: Vec<f32> = serde_json::from_value(b.eval("window.__now.values")).unwrap();
    let (w, h) = (b.number("window.__now.w") as i64, b.number("window.__now.h") as i64);
    let shown = Tensor::from_slice(&numbers).view([h, w]);
    let want = s.eval_object::<Heatmap>(call).at(picture).unwrap();
    let step = (want.max() - want.min()).double_value(&[]) / 255.0;
    let most = want.abs().max().double_value(&[]);
    assert!(most > 0.0 && (want.max() - want.min()).double_value(&[]) > 0.0, "{call} shows nothing");
    assert_eq!(shown.size(), want.size(), "{call}");
    let d = distance(&shown, &want);
    assert!(d <= step * 0.51 + 1e-6, "{call}: {d} of {step}");
}

/// Gives the weights behind the maps one sign: every one speaks for the target, so no map is empty.
fn speak(s: &mut Script, net: &str) {
    let net: Net = s.eval_object(net);
    tch::no_grad(|| {
        for (name, mut t) in net.parameters(false) {
            if ["fc", "conv2", "out"].iter().any(|n| name.starts_with(n)) {
                let _ = t.abs_();
            }
        }
    });
}

fn pixels(b: &mut Browser) -> String {
    b.text("document.getElementById('map').toDataURL()")
}

#[test]
fn classes_layers_and_methods() {
    seed::set(3).unwrap();
    let dir = folder();
    let path = dir.path().join("maps.html");
    let mut s = Script::new();
    s.eval(NETS);
    speak(&mut s, "net");
    s.eval(&format!(
        r#"let made = cam::explore([["epoch 1", net], ["epoch 2", net]], ["relu", "relu2"], x, #{{path: {path:?}, targets: [0, 2, 3],
            methods: ["grad_cam", "layer_cam", "saliency"], classes: ["cat", "<b>dog</b>", "hen", "owl"]}})"#
    ));
    assert_eq!(s.eval("made.maps == 2 * 2 * 3 * 5").describe(), "bool true");
    let mut b = Browser::open(&path);
    b.wait("document.body.dataset.ready");
    let raw = "#{form: \"raw\", resize: false}";
    shows(&mut b, &mut s, &format!("cam::grad_cam(net, \"relu2\", x, 0, {raw})"), 0);
    let first = pixels(&mut b);
    b.click("#layers button:nth-child(1)");
    let other = pixels(&mut b);
    assert_ne!(first, other);
    shows(&mut b, &mut s, &format!("cam::grad_cam(net, \"relu\", x, 0, {raw})"), 0);
    b.click("#methods button:nth-child(2)");
    shows(&mut b, &mut s, &format!("cam::layer_cam(net, \"relu\", x, 0, {raw})"), 0);
    b.click("#methods button:nth-child(3)");
    shows(&mut b, &mut s, "attrib::heatmap(attrib::saliency(net, x, 0), #{form: \"raw\"})", 0);
    b.click("#methods button:nth-child(1)");
    b.key("ArrowDown");
    b.click("#pictures button:nth-child(2)");
    shows(&mut b, &mut s, &format!("cam::grad_cam(net, \"relu2\", x, 0, {raw})"), 1);
    // The class is found by its words, which stay words.
    b.eval("[...document.querySelectorAll('#classes button')].find((e) => e.textContent.includes('hen')).id = 'hen'");
    b.click("#hen");
    shows(&mut b, &mut s, &format!("cam::grad_cam(net, \"relu2\", x, 2, {raw})"), 1);
    assert!(b.text("document.getElementById('classes').textContent").contains("<b>dog</b>"));
    assert!(b.text("document.getElementById('methods').textContent").contains("ins 0."));
    // One scale: that of the greatest map of all layers.
    let own = b.number("window.__now.high");
    let before = pixels(&mut b);
    b.click("#shared");
    let shared = b.number("window.__now.high");
    assert!(shared >= own);
    b.click("#layers button:nth-child(1)");
    assert_eq!(b.number("window.__now.high"), shared);
    b.click("#layers button:nth-child(2)");
    b.click("#shared");
    assert_eq!(pixels(&mut b), before);
    b.key("ArrowRight");
    assert_eq!(b.number("window.__now.net"), 1.0);
    b.eval("(() => { const e = document.getElementById('opacity'); e.value = 0; e.dispatchEvent(new Event('input')); })()");
    assert_ne!(pixels(&mut b), before);
    b.click("#export");
    assert_eq!(b.downloaded().file_name().unwrap(), "map.png");
    b.no_errors();
}

#[test]
fn boxes_of_an_output() {
    seed::set(4).unwrap();
    let dir = folder();
    let path = dir.path().join("areas.html");
    let mut s = Script::new();
    s.eval(NETS);
    speak(&mut s, "draw");
    s.eval(&format!(r#"cam::explore(draw, "relu", x, #{{path: {path:?}, areas: [1, 2, 4], methods: ["grad_cam", "hires_cam"]}})"#));
    let mut b = Browser::open(&path);
    b.wait("document.body.dataset.ready");
    let raw = "#{form: \"raw\", resize: false}";
    shows(&mut b, &mut s, &format!("cam::grad_cam(draw, \"relu\", x, target::area(0, 0, 32, 24), {raw})"), 0);
    b.click("#methods button:nth-child(2)");
    let r = b.eval("(() => { const r = document.getElementById('out').getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()");
    let at = |i: usize| r[i].as_f64().unwrap();
    let point = |x: f64, y: f64| (at(0) + at(2) * x / 32.0, at(1) + at(3) * y / 24.0);
    // About the cell in the second row and third column of 4 × 4, and about the lower right quarter.
    b.drag(&[point(16.6, 6.4), point(20.0, 9.0), point(23.1, 11.2)], 0);
    shows(&mut b, &mut s, &format!("cam::hires_cam(draw, \"relu\", x, target::area(16, 6, 8, 6), {raw})"), 0);
    b.drag(&[point(31.0, 23.0), point(17.0, 11.0)], 0);
    shows(
        &mut b,
        &mut s,
        &format!("cam::hires_cam(draw, \"relu\", x, target::area(16, 12, 16, 12), {raw})"),
        0,
    );
    b.no_errors();
}

#[test]
fn what_cannot_be_a_page_is_told_before_it_is_computed() {
    let _dir = folder();
    let mut s = Script::new();
    s.eval(NETS);
    s.fails("cam::explore(net, \"rleu\", x)", &["rleu", "did you mean `relu`"]);
    s.fails("cam::explore(net, \"fc\", x)", &["`fc` gives", "feature map"]);
    s.fails("cam::explore(net, \"relu\", tensor::zeros([0, 3, 8, 8]))", &["empty"]);
    s.fails("cam::explore(net, \"relu\", x, #{methods: [\"grad_cma\"]})", &["did you mean `grad_cam`"]);
    s.fails("cam::explore(net, \"relu\", x, #{targets: [9]})", &["there is no class 9", "0 to 3"]);
    s.fails("cam::explore(net, \"relu\", x, #{classes: [\"a\"]})", &["names 1", "has 4"]);
    s.fails(
        "cam::explore(net, \"relu\", x, #{limit: 0.01})",
        &["24 maps, about", "the limit is 0.01 MB", "raise `limit`"],
    );
    s.fails("cam::explore(draw, \"relu\", x, #{areas: [40]})", &["40 × 40 boxes", "32 × 24"]);
    s.fails("cam::explore([], \"relu\", x)", &["no network"]);
}
