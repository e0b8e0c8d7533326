//! Measures of maps against pytorch-grad-cam and torchcam (oracles/faithful/make.py), and against what must hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::Value;
use cs385::nn::Net;
use support::{Script, Tensors, below, close, fixture};
use tch::Tensor;

const NET: &str = r#"nn::sequential([["conv1", nn::conv2d(3, 6, 3, #{padding: 1})], ["relu1", nn::relu()],
    ["pool", nn::max_pool2d(2)], ["conv2", nn::conv2d(6, 8, 3, #{padding: 1})], ["relu2", nn::relu()],
    ["gap", nn::adaptive_avg_pool2d(2)], ["flat", nn::flatten()], ["fc", nn::linear(32, 10)]])"#;

const TARGET: &str = "[target::softmax(3), target::softmax(7)]";

fn given(all: &Tensors) -> (Script, Net) {
    let mut s = Script::new();
    let net: Net = s.eval_object(NET);
    net.load_named(below(all, "net"), true).unwrap();
    s.set("net", Value::object(net.clone())).tensor("x", &all["x"]).tensor("map", &all["map"]);
    (s, net)
}

#[test]
fn measures_equal_the_references() {
    let all = fixture("faithful");
    let (mut s, net) = given(&all);
    net.set_training(true);
    s.eval(&format!("let still = metrics::road(net, x, map, {TARGET}, #{{std: 0}});"));
    for (key, script) in [
        ("road/most", "still.most_curve".to_string()),
        ("road/least", "still.least_curve".into()),
        ("road/combined", "still.combined".into()),
        (
            "noisy/most",
            format!("metrics::road(net, x, map, {TARGET}, #{{noise: tensor::ones([1])}}).most_curve"),
        ),
        ("deletion", format!("metrics::deletion(net, x, map, {TARGET}, #{{steps: 12, batch: 5}}).auc")),
        ("insertion", format!("metrics::insertion(net, x, map, {TARGET}, #{{steps: 12}}).auc")),
        ("drop", format!("metrics::average_drop(net, x, map, {TARGET}, #{{relative: false}})")),
        ("increase", format!("metrics::increase(net, x, map, {TARGET})")),
    ] {
        close(key, &s.eval_tensor(&script), &all[key], 1e-5);
    }
    assert!(net.is_training());
    let sums = s.eval_tensor("still.most - still.most_curve.mean(1)");
    close("most", &sums, &Tensor::zeros([2], tch::kind::FLOAT_CPU), 1e-6);
}

/// torchcam's own cases: pictures whose score is their sum.
#[test]
fn torchcams_literals() {
    let mut s = Script::new();
    s.eval("let net = nn::identity(); let t = target::custom(|y| y.sum([1, 2, 3]));");
    s.tensor("x", &Tensor::from_slice(&[0.4f32, 0.3, 0.2, 0.1]).view([1, 1, 2, 2]));
    s.tensor("y", &Tensor::from_slice(&[0.3f32, 0.25, 0.2, 0.15, 0.1]).view([1, 1, 1, 5]));
    for (script, want) in [
        ("metrics::deletion(net, x, x, t, #{steps: 2}).auc", 0.4f32),
        ("metrics::insertion(net, x, x, t, #{steps: 2}).auc", 0.6),
        ("metrics::deletion(net, y, y, t, #{steps: 3}).auc", 0.41),
        ("metrics::insertion(net, y, y, t, #{steps: 3}).auc", 0.59),
    ] {
        close(script, &s.eval_tensor(script), &Tensor::from_slice(&[want]), 1e-5);
    }
}

#[test]
fn maps_are_compared() {
    let all = fixture("faithful");
    let (mut s, _) = given(&all);
    s.eval(&format!(
        "seed(3); let c = cam::compare(net, x, {TARGET}, [\"grad_cam\", \"attrib::saliency\", \"eigen_cam\"]);"
    ));
    let road = s.eval_tensor(&format!(
        "seed(3); metrics::road(net, x, cam::grad_cam(net, \"relu2\", x, {TARGET}), {TARGET}, #{{percentiles: [20, 40, 60, 80]}}).combined.mean()"
    ));
    close("road", &s.eval_tensor("tensor::of(c.table[0].road)"), &road, 1e-5);
    assert!(matches!(
        s.eval("c.layers == [\"relu2\"] && c.text.contains(\"grad_cam\") && c.table.len() == 3"),
        Value::Bool(true)
    ));
    s.fails("cam::compare(net, x, 1, [\"grad_kam\"])", &["unknown method `grad_kam`", "grad_cam"]);
    s.fails("cam::compare(net, x, 1, [])", &["no method given"]);
    s.fails("cam::compare(net, x, 10, [\"grad_cam\"])", &["there is no class 10"]);
}

/// Together each gives what it gives alone.
#[test]
fn together_is_as_alone() {
    let all = fixture("faithful");
    let (mut s, _) = given(&all);
    let methods = [
        "grad_cam",
        "hires_cam",
        "layer_cam",
        "grad_cam_pp",
        "xgrad_cam",
        "eigen_cam",
        "score_cam",
        "saliency",
    ];
    for target in ["[3, 7]", "()"] {
        s.eval(&format!("let m = cam::together(net, [\"relu1\", \"relu2\"], x, {target}, {methods:?});"));
        for name in methods {
            let (got, alone) = match name {
                "saliency" => ("m.saliency".to_string(), format!("attrib::saliency(net, x, {target})")),
                _ => (
                    format!("m.{name}.tensor()"),
                    format!("cam::{name}(net, [\"relu1\", \"relu2\"], x, {target}).tensor()"),
                ),
            };
            close(name, &s.eval_tensor(&got), &s.eval_tensor(&alone), 1e-6);
        }
    }
    s.fails("cam::together(net, [], x, 1, [\"grad_cam\"])", &["no layer given"]);
    s.fails("cam::together(net, \"relu1\", x, 1, [\"custom\"])", &["unknown method `custom`"]);
    s.fails("cam::together(net, \"fc\", x, 1, [\"grad_cam\"])", &["`fc` gives [2, 10]"]);
}

/// Drawing layers anew changes explanations, and leaves the network as it was.
#[test]
fn randomisation_gives_everything_back() {
    let all = fixture("faithful");
    let (mut s, net) = given(&all);
    s.eval("let before = net.forward(x);");
    for (mode, most) in [("cascading", 0.9), ("independent", 0.999)] {
        s.eval(&format!(
            "let r = metrics::randomisation(net, |net| #{{sal: attrib::saliency(net, x, 3), still: x}}, #{{mode: \"{mode}\"}});"
        ));
        assert!(matches!(
            s.eval("r.table.len() == 6 && r.table[0].layer == \"fc\" && r.table[4].layer == \"conv1\""),
            Value::Bool(true)
        ));
        for row in 0..6 {
            let get = |s: &mut Script, key: &str| match s.eval(&format!("r.table[{row}].{key}")) {
                Value::Float(v) => v,
                other => panic!("{}", other.describe()),
            };
            let v = get(&mut s, "correlation_abs");
            match row % 2 {
                0 => assert!(v < most, "{mode} {row}: {v}"),
                _ => assert!((v - 1.0).abs() < 1e-9, "what does not look at the network stays"),
            }
        }
        assert!(matches!(s.eval("before.equal(net.forward(x))"), Value::Bool(true)));
    }
    s.fails("metrics::randomisation(net, |net| throw \"no\")", &["no"]);
    assert!(matches!(s.eval("before.equal(net.forward(x))"), Value::Bool(true)));
    assert!(net.parameters(true).len() == 6);
    s.fails("metrics::randomisation(net, |net| 3)", &["an explanation is a Heatmap or a Tensor"]);
    s.fails("metrics::randomisation(net, |net| x, #{layers: [\"pool\"]})", &["`pool` has no parameters"]);
    s.fails("metrics::randomisation(net, |net| x, #{mode: \"all\"})", &["unknown mode `all`"]);
}

#[test]
fn measures_name_what_is_wrong() {
    let all = fixture("faithful");
    let (mut s, _) = given(&all);
    for (call, parts) in [
        ("deletion(net, x, map[0], 1)", &["1 map(s) for 2 picture(s)"][..]),
        ("deletion(net, x, x, 1)", &["a map is [N, H, W] or [H, W], got [2, 3, 16, 20]", "attrib::heatmap"]),
        ("deletion(net, x, map, 12)", &["there is no class 12"]),
        ("deletion(net, x, map / 0 * 0, 1)", &["NaN"]),
        ("insertion(net, x, map, 1, #{steps: 0})", &["`steps`", "positive integer"]),
        ("road(net, x, map, 1, #{percentiles: []})", &["`percentiles`"]),
        ("road(net, x, map, 1, #{percentiles: [120]})", &["numbers in 0..100"]),
        ("road(net, x, map, 1, #{noise: tensor::ones([5])})", &["does not broadcast to [3, 16, 20]"]),
        ("pointing_game(map, tensor::zeros([16, 20]))", &["mask of picture 0 is empty"]),
        ("pointing_game(map, tensor::ones([4, 4]))", &["the mask [4, 4] does not fit maps [2, 16, 20]"]),
        ("energy_in(map, [10, 0, 11, 4])", &["x 10, y 0, 11 × 4 does not lie in the map of 20 × 16"]),
        ("energy_in(map, [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]])", &["3 boxes for 2 map(s)"]),
        ("energy_in(map, 3)", &["expected"]),
        ("sensitivity_max(|x| 3, x)", &["an explanation is"]),
        ("sensitivity_max(|x| x, x[0])", &["[N, C, H, W], got [3, 16, 20]"]),
    ] {
        s.fails(&format!("metrics::{call}"), parts);
    }
}

#[test]
fn measures_of_strange_maps() {
    let all = fixture("faithful");
    let (mut s, _) = given(&all);
    // A map of zeros points nowhere.
    let dark = s.eval_tensor("metrics::pointing_game(tensor::zeros([1, 20, 20]), [0, 0, 5, 5])");
    assert!(dark.double_value(&[0]).is_nan());
    // A score below zero that falls has lost something.
    s.eval("let low = target::custom(|y| -y.pow(2).sum(1) - 1);");
    let lost = s.eval_tensor("metrics::average_drop(net, x, map * 0, low)");
    let more = s.eval_tensor("metrics::average_drop(net, x, map * 0, low, #{relative: false})");
    assert!(
        bool::try_from(lost.ge(0.0).all()).unwrap()
            && bool::try_from(lost.gt(0.0).eq_tensor(&more.gt(0.0)).all()).unwrap()
    );
    // Only the order of a map's values counts, however small they are.
    let least = |s: &mut Script, map: &str| s.eval_tensor(&format!("metrics::road(net, x, {map}, 1).least"));
    let plain = least(&mut s, "map");
    close("tiny", &least(&mut s, "map * 1e-9"), &plain, 1e-4);
}

/// 1 at its highest place, however sure the network is: gradients of a saturated target are tiny.
#[test]
fn normalized_is_up_to_one() {
    let mut s = Script::new();
    s.eval(r#"let net = nn::sequential([["conv", nn::conv2d(3, 4, 3)], ["act", nn::relu()]]); let x = tensor::rand([2, 3, 9, 8]);"#);
    let got = s
        .eval_tensor("cam::grad_cam(net, \"act\", x, target::custom(|y| y.mean([1, 2, 3]) * 1e-9)).tensor()");
    assert!((got.max().double_value(&[]) - 1.0).abs() < 1e-6, "{}", got.max().double_value(&[]));
}

/// Captum's value with its own changes of the pictures (oracles/attributions).
#[test]
fn sensitivity_equals_captum() {
    let all = fixture("attributions");
    let mut s = Script::new();
    let net: Net = s.eval_object(
        r#"nn::sequential([
    ["features", nn::sequential([nn::conv2d(3, 6, 3, #{padding: 1}), nn::relu(), nn::conv2d(6, 6, 3, #{padding: 1}),
        nn::relu(), nn::max_pool2d(2), nn::conv2d(6, 8, 3, #{padding: 1}), nn::relu(), nn::max_pool2d(2)])],
    ["avgpool", nn::adaptive_avg_pool2d(2)], ["flat", nn::flatten()],
    ["classifier", nn::sequential([nn::linear(32, 16), nn::relu(), nn::dropout(0.5), nn::linear(16, 10)])]])"#,
    );
    net.load_named(below(&all, "vgg/net"), true).unwrap();
    s.set("net", Value::object(net)).tensor("x", &all["vgg/x"]).tensor("ball", &all["vgg/ball"]);
    let got =
        s.eval_tensor("metrics::sensitivity_max(|x| attrib::saliency(net, x, [3, 7]), x, #{noise: ball})");
    close("sensitivity", &got, &all["vgg/sensitivity_max"], 1e-4);
}

/// Over a data set as picture by picture, whatever the batch; parts add up to the thing.
#[test]
fn localisation_is_the_mean_of_single_maps() {
    let mut s = Script::new();
    s.eval(
        r#"let data = data::critters(#{size: 24, train: 2, test: 7, classes: 3}).test;
           let net = models::plain_cnn(#{classes: 3, width: 4});
           let all = metrics::localisation(net, "relu2", data, ["hires_cam", "saliency"], #{batch_size: 3});
           let named = metrics::localisation(net, "relu2", data, ["hires_cam"], #{target: target::top(), tolerance: 2});"#,
    );
    for (row, map) in [(0, "cam::hires_cam(net, \"relu2\", "), (1, "attrib::heatmap(attrib::saliency(net, ")]
    {
        let (close_call, pointing) = if row == 1 { (")", "0") } else { ("", "0") };
        let script = format!(
            "let each = []; let hits = 0.0; let area = 0.0; let parts = 0.0;
             for i in 0..7 {{
                 let item = data.get(i);
                 let map = {map}item.input, item.target){close_call};
                 each.push(metrics::energy_in(map, item.mask).item());
                 hits += metrics::pointing_game(map, item.mask, #{{tolerance: {pointing}}}).item();
                 area += item.mask.float().mean().item();
             }}
             for name in all.table[{row}].parts.keys() {{ parts += all.table[{row}].parts[name]; }}
             let finite = each.filter(|e| !e.is_nan());
             let mean = finite.reduce(|s, e| s + e, 0.0) / finite.len();
             tensor::of([all.table[{row}].energy - mean, all.table[{row}].pointing - hits / 7, all.area - area / 7,
                         parts - mean, 0.0 + all.table[{row}].zero - (7 - finite.len()), all.pictures - 7.0])"
        );
        close(map, &s.eval_tensor(&script), &Tensor::zeros([6], tch::kind::FLOAT_CPU), 1e-5);
    }
    s.fails("metrics::localisation(net, \"relu2\", data, [])", &["no method"]);
    s.fails("metrics::localisation(net, \"relu2\", data, [\"grad_cm\"])", &["grad_cam"]);
    s.fails(
        "metrics::localisation(net, \"relu2\", data::from_tensors(tensor::rand([2, 3, 24, 24])), [\"grad_cam\"])",
        &["neither masks nor boxes", "critters"],
    );
}
