//! Deep feature factorization against pytorch-grad-cam over scikit-learn (oracles/factors/make.py), sheets of maps, and
//! figures as SVG.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::Value;
use cs385::explain::Heatmap;
use cs385::image::Picture;
use cs385::nn::Net;
use support::{Script, below, close, fixture, tensor};
use tch::Tensor;

const NET: &str = r#"nn::sequential([["conv", nn::conv2d(3, 12, 3, #{padding: 1})], ["relu", nn::relu()],
    ["gap", nn::adaptive_avg_pool2d(1)], ["flatten", nn::flatten()], ["fc", nn::linear(12, 6)]])"#;

fn given() -> (Script, support::Tensors) {
    let all = fixture("factors");
    let mut s = Script::new();
    let net: Net = s.eval_object(NET);
    net.load_named(below(&all, "net"), true).unwrap();
    s.set("net", Value::object(net)).tensor("x", &all["x"]);
    (s, all)
}

fn number(v: &Value) -> f64 {
    match v {
        Value::Float(v) => *v,
        Value::Int(v) => *v as f64,
        other => panic!("{}", other.describe()),
    }
}

#[test]
fn factors_equal_the_references() {
    let (mut s, all) = given();
    for (layer, k) in [("relu", 1), ("relu", 4), ("conv", 1), ("conv", 4)] {
        let call = format!("cam::deep_feature_factorization(net, {layer:?}, x, {k}, #{{scale: \"map\"}})");
        let Value::Map(found) = s.eval(&call) else { panic!() };
        let want = |name: &str| &all[&format!("{layer}/{k}/{name}")];
        close(&format!("{call} maps"), &tensor(&found["maps"]), want("maps"), 1e-4);
        close(&format!("{call} concepts"), &tensor(&found["concepts"]), want("concepts"), 1e-4);
        close(&format!("{call} scores"), &tensor(&found["scores"]), want("scores"), 1e-4);
        assert!((number(&found["error"]) - want("error").double_value(&[0])).abs() < 1e-6);
        assert_eq!(number(&found["rounds"]), want("rounds").double_value(&[0]));
        let sums = tensor(&found["shares"]).sum_dim_intlist([1].as_slice(), false, None);
        close("shares", &sums, &Tensor::ones_like(&sums), 1e-5);
    }
    // Layers inside a block that has other ways around them make no classes.
    s.eval(r#"let r = nn::sequential([["b", nn::residual(nn::sequential([["c", nn::conv2d(3, 3, 3, #{padding: 1})]]))],
        ["gap", nn::adaptive_avg_pool2d(1)], ["flat", nn::flatten()]]);"#);
    assert!(matches!(s.eval(r#"cam::deep_feature_factorization(r, "b.body.c", x, 2).classes"#), Value::Nil));
    for (call, parts) in [
        (r#"cam::deep_feature_factorization(net, "rleu", x, 2)"#, ["rleu", "did you mean `relu`"]),
        (r#"cam::deep_feature_factorization(net, "fc", x, 2)"#, ["`fc` gives [3, 6]", "layers:"]),
        (r#"cam::deep_feature_factorization(net, "relu", x, 13)"#, ["13 concepts", "1 to 12"]),
        (r#"cam::deep_feature_factorization(net, "relu", x, 2, #{classes: ["a"]})"#, ["names 1", "has 6"]),
        (
            r#"cam::deep_feature_factorization(net, "relu", x, 2, #{scale: "mpa"})"#,
            ["scale", "did you mean `map`"],
        ),
    ] {
        s.fails(call, &parts);
    }
}

#[test]
fn layers_asked_for_together_have_the_maps_of_single_calls() {
    let (mut s, _) = given();
    for method in ["grad_cam", "layer_cam", "eigen_cam", "ablation_cam"] {
        let Value::List(all) = s.eval(&format!(
            r#"cam::layers(net, ["conv", "relu"], x, [1, 2, 3], #{{method: "{method}", form: "raw"}})"#
        )) else {
            panic!()
        };
        for (map, layer) in all.iter().zip(["conv", "relu"]) {
            let one = s.eval_object::<Heatmap>(&format!(
                "cam::{method}(net, {layer:?}, x, [1, 2, 3], #{{form: \"raw\"}})"
            ));
            close(method, map.downcast::<Heatmap>().unwrap().tensor(), one.tensor(), 0.0);
        }
    }
    s.fails(r#"cam::layers(net, ["conv"], x, 1, #{method: "grad_cma"})"#, &["grad_cma", "grad_cam"]);
    s.fails(r#"cam::layers(net, ["conv"], x, 1, #{mthod: "grad_cam"})"#, &["mthod", "did you mean `method`"]);
}

/// One scale for all: the same value has the same colour in every cell.
#[test]
fn a_shared_scale_makes_colours_comparable() {
    let mut s = Script::new();
    let flat = |v: f64| Heatmap::new(Tensor::full([1, 40, 40], v, tch::kind::FLOAT_CPU), false);
    s.set("weak", Value::object(flat(0.5))).set("strong", Value::object(flat(2.0)));
    s.eval("let x = tensor::zeros([1, 1, 40, 40]);");
    let cell = |p: &Picture, column: usize, wide: usize| {
        // Found by colour: the middle of each column of a sheet without labels.
        let [h, w] = p.size();
        p.pixel(w * (2 * column + 1) / (2 * wide), h / 2).unwrap()
    };
    let mut colours = |range: &str, maps: &str| -> Vec<[u8; 3]> {
        let p: Picture = s.eval_object(&format!(
            "cam::sheet(x, {maps}, #{{input: false, alpha: 1.0, colormap: \"gray\", range: {range}}})"
        ));
        let own = p.width() / 2;
        vec![cell(&p, 0, 2), p.pixel(own + own / 3, p.height() / 3).unwrap()]
    };
    // An overlay is brightened to its own greatest value, so colours are compared in a colour map: jet's ends.
    assert_eq!(colours("\"own\"", "[strong, strong]")[0], [255; 3]);
    let p: Picture =
        s.eval_object(r#"cam::sheet(x, [weak, strong], #{input: false, alpha: 1.0, range: "shared"})"#);
    let has = |p: &Picture, c: [u8; 3]| p.raster().rgb.chunks_exact(3).filter(|q| **q == c).count() > 5000;
    let jet = cs385::core::colormap::Colormap::JET.table();
    let bright = |c: [u8; 3]| c.map(|v| (f32::from(v) * 255.0 / f32::from(*c.iter().max().unwrap())) as u8);
    assert!(has(&p, bright(jet[63])) && has(&p, bright(jet[255])), "{:?}", bright(jet[63]));
    let p: Picture =
        s.eval_object(r#"cam::sheet(x, [weak, strong], #{input: false, alpha: 1.0, range: "own"})"#);
    assert!(!has(&p, bright(jet[63])));
    // On a diverging colour map nothing is grey, not the blue of what speaks against.
    let both = Tensor::full([1, 40, 40], -1.0, tch::kind::FLOAT_CPU);
    let spot = Tensor::zeros([1, 40, 40], tch::kind::FLOAT_CPU);
    let _ = spot.narrow(1, 0, 2).fill_(1.0);
    s.set("signed", Value::object(Heatmap::new(both, true)))
        .set("spot", Value::object(Heatmap::new(spot, false)));
    let p: Picture =
        s.eval_object(r#"cam::sheet(x, [spot, signed], #{input: false, alpha: 1.0, range: "own"})"#);
    let [grey, blue] = [0, 1].map(|column| cell(&p, column, 2));
    assert!(grey[0].abs_diff(grey[2]) < 12 && blue[2] > blue[0].saturating_add(80), "{grey:?} {blue:?}");
    assert_eq!(s.eval("cam::range([weak, [strong]])[1] == 2.0").describe(), "bool true");
    s.fails("cam::sheet(x, [])", &["no maps given", "Heatmaps"]);
    s.fails("cam::sheet(x, [[weak], [weak, strong]])", &["row 1 has 2 maps, row 0 has 1"]);
    s.fails("cam::sheet(x, [weak], #{range: \"all\"})", &["shared"]);
    s.fails("cam::sheet(x, [weak], #{column_labels: [\"a\", \"b\"]})", &["column_labels", "2", "expected 1"]);
    s.fails("cam::sheet(x, [3])", &["expected a Heatmap", "integer 3"]);
    s.fails("cam::range([])", &["no Heatmap"]);
}

/// A class far beyond any table has a colour.
#[test]
fn classes_may_have_any_number() {
    let mut s = Script::new();
    let p: Picture =
        s.eval_object("image::filled(1, 1, \"white\").segments(tensor::of([[100000]]), #{contour: 0})");
    assert_ne!(p.pixel(0, 0).unwrap(), [255; 3]);
}

/// Text is text and lines are lines: an SVG of a figure holds no picture but its photographs.
#[test]
fn figures_are_vectors() {
    let mut s = Script::new();
    let dir = tempfile::tempdir().unwrap();
    let mut svg = |script: &str| {
        let path = dir.path().join("x.svg");
        s.eval_object::<Picture>(script).save(&path).unwrap();
        std::fs::read_to_string(path).unwrap()
    };
    let text = svg(
        r#"plot::curves([#{name: "a < b & \"c\"", y: [1, 3, 2], error: [0.1, 0.2, 0.1]}], #{title: "T", x_label: "epoch"})"#,
    );
    assert!(!text.contains("<image") && text.contains("<polyline") && text.contains("<polygon"));
    assert!(
        text.contains(">a &lt; b &amp; &quot;c&quot;</text>") && text.contains(">epoch</text>"),
        "{text}"
    );
    for plot in [
        r#"plot::bar(["x", "y"], #{v: [1, 2]})"#,
        "plot::hist([1, 2, 2, 3, 3, 3])",
        "plot::scatter([#{x: [1, 2], y: [3, 4]}])",
        r#"plot::confusion(tensor::of([[3, 1], [0, 4]]))"#,
    ] {
        let text = svg(plot);
        assert!(!text.contains("<image") && text.contains("<text"), "{plot}");
        assert!(text.starts_with("<svg xmlns=") && text.ends_with("</svg>\n"));
    }
    let photo = r#"image::filled(9, 9, "red")"#;
    let grid = svg(&format!(
        r#"image::grid([{photo}, {photo}, plot::hist([1, 2])], #{{captions: ["a", "b", "c"]}})"#
    ));
    assert_eq!((grid.matches("<image").count(), grid.matches("<svg").count()), (2, 2));
    let boxed = svg(&format!(r#"{photo}.draw_box(1, 1, 4, 4, "blue").draw_text(0, 0, "dog")"#));
    assert_eq!((boxed.matches("<image").count(), boxed.matches("<rect").count()), (1, 4));
    assert!(boxed.contains(">dog</text>"));
    // What changes pixels leaves a picture of pixels.
    let grey = svg("plot::hist([1, 2]).grayscale()");
    assert_eq!((grey.matches("<image").count(), grey.matches("<text").count()), (1, 0));
    s.fails(r#"image::filled(4, 4, "red").save("x.sgv")"#, &["sgv"]);
}
