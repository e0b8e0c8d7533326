//! Every CAM against pytorch-grad-cam and torchcam (oracles/cams/make.py), and what the references get wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::{Value, seed};
use cs385::explain::Heatmap;
use cs385::nn::Net;
use cs385::registry::entries;
use std::cell::RefCell;
use std::rc::Rc;
use support::{OTHERS, Script, Tensors, below, close, distance, fixture};
use tch::Tensor;

const NET: &str = r#"nn::sequential([
    ["conv1", nn::conv2d(3, 8, 3, #{padding: 1})], ["bn1", nn::batch_norm2d(8)], ["relu1", nn::relu()],
    ["pool1", nn::max_pool2d(2)],
    ["block", nn::residual(nn::sequential([["conv_a", nn::conv2d(8, 8, 3, #{padding: 1})], ["relu_a", nn::relu()],
                                           ["conv_b", nn::conv2d(8, 8, 3, #{padding: 1})]]))],
    ["relu2", nn::relu()], ["conv3", nn::conv2d(8, 24, 3, #{stride: 2, padding: 1})], ["relu3", nn::relu()],
    ["gap", nn::adaptive_avg_pool2d(1)], ["flatten", nn::flatten()], ["fc", nn::linear(24, 10)]])"#;

/// A script with the fixture's `net` and `x`.
fn given(all: &Tensors) -> (Script, Net) {
    let mut s = Script::new();
    let net: Net = s.eval_object(NET);
    net.load_named(below(all, "net"), true).unwrap();
    s.set("net", Value::object(net.clone())).tensor("x", &all["x"]);
    for (name, noise) in below(all, "noise") {
        s.tensor(&name, &noise);
    }
    (s, net)
}

#[track_caller]
fn map(s: &mut Script, script: &str) -> Tensor {
    s.eval_object::<Heatmap>(script).tensor().shallow_clone()
}

/// The call that a key of the fixture stands for.
fn call(key: &str, batch: i64) -> String {
    let [method, layers, target] = key.split('/').collect::<Vec<_>>()[..] else { panic!("{key}") };
    let (method, option) = method.split_once('+').unwrap_or((method, ""));
    let mut options = vec![format!("batch: {batch}")];
    if !option.is_empty() {
        options.push(format!("{option}: true"));
    }
    if ["ss_cam", "smooth_grad_cam_pp"].contains(&method) {
        options.push(format!("noise: {method}"));
    }
    let target = match target {
        "logit" => "[3, 7, 1]",
        "soft" => "target::softmax(2)",
        "rest" => "target::rest(4)",
        "top" => "()",
        "class4" => "4",
        "other" => {
            options.push(r#"base: "layer_cam", alpha: 0.6, compare: [1, 4]"#.to_string());
            "()"
        }
        other => panic!("{other}"),
    };
    if method == "full_grad" {
        return format!("cam::full_grad(net, x, {target})");
    }
    let layers: Vec<String> = layers.split('+').map(|l| format!("{l:?}")).collect();
    format!("cam::{method}(net, [{}], x, {target}, #{{{}}})", layers.join(", "), options.join(", "))
}

/// The fixture names method, layers and target. The number of rows a pass of the network takes changes nothing.
#[test]
fn every_method_equals_its_reference() {
    let all = fixture("cams");
    let (mut s, _) = given(&all);
    let mut seen = std::collections::BTreeSet::new();
    let mut wrong = Vec::new();
    for (key, want) in all.iter().filter(|(k, _)| k.matches('/').count() == 2) {
        let tolerance = if key.starts_with("kpca_cam") { 1e-3 } else { 1e-4 };
        for batch in [32, 5] {
            let d = distance(&map(&mut s, &call(key, batch)), want);
            if d > tolerance {
                wrong.push(format!("{key}, batch {batch}: {d:e}"));
            }
        }
        seen.insert(key.split(['/', '+']).next().unwrap().to_string());
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    for e in entries().iter().filter(|e| e.home == "cam") {
        let elsewhere = OTHERS.contains(&e.name.as_str()) || e.name == "random_cam";
        assert!(elsewhere || seen.contains(&e.name), "cam::{} is compared with nothing", e.name);
    }
}

/// What each picture's map is depends on that picture alone.
#[test]
fn a_picture_alone_gives_its_map_of_the_batch() {
    let all = fixture("cams");
    let (mut s, _) = given(&all);
    for (key, want) in all.iter().filter(|(k, _)| k.ends_with("/logit") && !k.contains("shapley")) {
        for (i, class) in [(0, 3), (2, 1)] {
            let one = call(key, 7).replace("net, x, [3, 7, 1]", &format!("net, x[{i}], {class}"));
            let one = one.replace(", x, [3, 7, 1]", &format!(", x[{i}], {class}"));
            assert!(one.contains("x["), "{one}");
            let tolerance = if key.starts_with("kpca_cam") { 1e-3 } else { 1e-4 };
            close(&one, &map(&mut s, &one), &want.narrow(0, i, 1), tolerance);
        }
    }
}

#[test]
fn looking_changes_nothing() {
    let all = fixture("cams");
    let (mut s, net) = given(&all);
    for (frozen, train) in [(true, true), (false, true), (false, false)] {
        net.parameters(false).iter().for_each(|(_, t)| drop(t.set_requires_grad(!frozen)));
        net.set_training(train);
        let before: Vec<Tensor> = net.named().iter().map(|(_, t, _)| t.detach().copy()).collect();
        let _no_grad = train.then(tch::no_grad_guard);
        for (key, want) in all.iter().filter(|(k, _)| k.matches('/').count() == 2 && k.contains("relu3/")) {
            let tolerance = if key.starts_with("kpca_cam") { 1e-3 } else { 1e-4 };
            close(key, &map(&mut s, &call(key, 32)), want, tolerance);
        }
        close(
            "full_grad",
            &map(&mut s, "cam::full_grad(net, x, [3, 7, 1])"),
            &all["full_grad/-/logit"],
            1e-4,
        );
        assert_eq!(net.is_training(), train);
        assert!(net.named().iter().zip(&before).all(|((_, a, _), b)| a.detach().equal(b)));
        let kept = |t: &Tensor| t.requires_grad() != frozen && !t.grad().defined();
        assert!(net.parameters(false).iter().all(|(_, t)| kept(t)));
        assert!(!s.eval_tensor("x").requires_grad());
    }
}

/// Score-CAM and IS-CAM by hand, with channels that are flat: dark ones and bright ones mask everything, whatever the
/// batches, and whether or not code of the script's own, which could see the layout of memory, is part of the network.
#[test]
fn flat_channels_mask_everything() {
    let all = fixture("cams");
    let (mut s, net) = given(&all);
    let tensors = net.named();
    let own = |name: &str| tensors.iter().find(|t| t.0 == name).unwrap().1.detach();
    for (channel, bias) in [(1, -1.0), (2, 0.3), (5, -2.0), (7, 0.7)] {
        let _ = own("conv3.weight").get(channel).fill_(0.0);
        let _ = own("conv3.bias").get(channel).fill_(bias);
    }
    s.eval("let wrapped = nn::custom(#{a: net}, |m, x| m.a.forward(x).view([-1, 10]));");
    let act = s.eval_tensor(r#"net.capture(x, ["relu3"]).relu3"#);
    let unit = |t: Tensor| {
        let low = &t - t.amin([2, 3], true);
        &low / (low.amax([2, 3], true) + 1e-8)
    };
    let alive = unit(act.shallow_clone()).amax([2, 3], true).gt(0.5);
    let flat = alive.logical_not().sum(tch::Kind::Int).int64_value(&[]);
    assert!(
        (4 * 3..12 * 3).contains(&flat),
        "four channels or some more are flat, got {flat} of all pictures"
    );
    let score = unit(act.upsample_bilinear2d([16, 20], true, None, None)) * &alive;
    let is = unit(act.shallow_clone()).upsample_bilinear2d([16, 20], false, None, None);
    for (look, masks) in [
        ("score_cam(NET, LAYER, x, 3, #{", vec![score]),
        ("is_cam(NET, LAYER, x, 3, #{samples: 2, ", vec![&is * 0.5, &is * 1.5]),
    ] {
        let scores = Tensor::zeros([3, 24], tch::kind::FLOAT_CPU);
        for mask in &masks {
            for i in 0..3 {
                let y = net.forward_tensor(&(mask.get(i).unsqueeze(1) * all["x"].narrow(0, i, 1))).unwrap();
                let _ = scores.get(i).g_add_(&(y.select(1, 3) / masks.len() as f64));
            }
        }
        let want = (scores.softmax(1, None).unsqueeze(2).unsqueeze(3) * &act).sum_dim_intlist(1, false, None);
        for (net, layer) in [("net", "\"relu3\""), ("wrapped", "\"a.relu3\"")] {
            for batch in [32, 5, 1] {
                let look = look.replace("NET", net).replace("LAYER", layer);
                let script = format!(r#"cam::{look}batch: {batch}, form: "raw", resize: false}})"#);
                close(&script, &map(&mut s, &script), &want, 1e-5);
            }
        }
    }
}

/// Ablation by hand: a hook that puts out one channel. The layers of a sequence, of a residual block's body and of a
/// network that is no sequence, where another part of the network runs again each time.
#[test]
fn ablation_puts_out_channels() {
    let all = fixture("cams");
    let (mut s, net) = given(&all);
    s.set("inner", Value::object(net));
    s.eval("let wrapped = nn::custom(#{a: inner}, |m, x| m.a.forward(x) * -1);");
    s.eval(r#"let nested = nn::sequential([["first", nn::sequential([["a", inner.part("conv1")], ["b", inner.part("bn1")],
        ["relu1", inner.part("relu1")], ["pool", inner.part("pool1")]])], ["block", inner.part("block")], ["last", nn::sequential([
        ["relu2", inner.part("relu2")], ["conv3", inner.part("conv3")], ["relu3", inner.part("relu3")]])],
        ["gap", inner.part("gap")], ["flat", inner.part("flatten")], ["fc", inner.part("fc")]]);"#);
    for (name, layer, target) in [
        ("net", "relu1", "3"),
        ("net", "block.body.relu_a", "3"),
        ("net", "relu3", "target::softmax(2)"),
        ("net", "block.body.conv_a", "target::custom(|y| -y.pow(2).sum(1))"),
        ("nested", "first.relu1", "3"),
        ("nested", "last", "3"),
        ("nested", "block.body.relu_a", "target::custom(|y| y.pow(2).sum(1))"),
        ("wrapped", "a.relu2", "3"), // its scores are negative
        ("wrapped", "a", "3"),
    ] {
        if layer == "a" {
            s.fails(&format!(r#"cam::ablation_cam({name}, "{layer}", x, {target})"#), &["feature map"]);
            continue;
        }
        s.eval(&format!(
            r#"let net2 = {name}; let act = net2.capture(x, ["{layer}"])["{layer}"];
               let score = |y| {{ let t = {target}; if type_of(t) == "i64" {{ y.select(1, t) }} else if "{target}".contains("softmax") {{ y.softmax(1).select(1, 2) }} else if "{target}".contains("-y") {{ -y.pow(2).sum(1) }} else {{ y.pow(2).sum(1) }} }};
               let whole = score.call(net2.forward(x)); let parts = [];
               for c in 0..act.shape[1] {{
                   let mask = tensor::ones([1, act.shape[1], 1, 1]); mask[[0, c, 0, 0]] = 0;
                   let hook = net2.on_forward("{layer}", |out| out * mask);
                   parts.push((whole - score.call(net2.forward(x))) / whole.abs());
                   hook.remove();
               }}
               let want = (tensor::stack(parts, 1).unsqueeze(2).unsqueeze(3) * act).sum(1);"#
        ));
        let want = s.eval_tensor("want");
        for batch in [1, 3, 32] {
            let look = format!(
                r#"cam::ablation_cam({name}, "{layer}", x, {target}, #{{form: "raw", relu: false, resize: false, batch: {batch}}})"#
            );
            let largest = want.abs().max();
            close(&look, &(map(&mut s, &look) / &largest), &(&want / &largest), 1e-4);
        }
    }
}

/// A target that looks at a layer in front of the one that is put out sees no difference.
#[test]
fn ablation_behind_the_target() {
    let all = fixture("cams");
    let (mut s, _) = given(&all);
    let look = |l: &str| {
        format!(
            r#"cam::ablation_cam(net, "{l}", x, target::area(2, 2, 5, 5, #{{layer: "relu2"}}), #{{form: "raw"}})"#
        )
    };
    assert_eq!(map(&mut s, &look("relu3")).abs().max().double_value(&[]), 0.0);
    assert!(map(&mut s, &look("relu1")).abs().max().double_value(&[]) > 0.0);
    assert!(map(&mut s, &look("relu2")).abs().max().double_value(&[]) > 0.0);
}

/// Noise and random weights come from the run's seed, whatever the batches, the order of layers and other draws.
#[test]
fn chance_is_the_seeds() {
    let all = fixture("cams");
    let (mut s, _) = given(&all);
    let random = |layers: &str| format!("cam::random_cam(net, {layers}, x, 3)");
    let ss = |batch: i64| format!(r#"cam::ss_cam(net, "relu3", x, 3, #{{samples: 2, batch: {batch}}})"#);
    let smooth = || r#"cam::smooth_grad_cam_pp(net, "relu2", x, 3, #{std: 0.5})"#.to_string();
    for (one, same) in [
        (random(r#"["relu2", "relu3"]"#), random(r#"["relu3", "relu2"]"#)),
        (ss(32), ss(5)),
        (smooth(), smooth()),
    ] {
        seed::set(3).unwrap();
        let first = map(&mut s, &one);
        let _ = Tensor::rand([7], tch::kind::FLOAT_CPU);
        close(&one, &map(&mut s, &same), &first, 1e-5);
        seed::set(4).unwrap();
        assert!(distance(&map(&mut s, &one), &first) > 1e-3, "{one} does not depend on the seed");
    }
    seed::set(0).unwrap();
    // Normal, of the deviation asked for: seen through a layer that hands the noisy picture on.
    s.eval("let sum = 0; let squares = 0; let n = 0; let id = nn::sequential([[\"id\", nn::identity()], [\"gap\", nn::adaptive_avg_pool2d(1)], [\"f\", nn::flatten()]]);");
    let seen = Rc::new(RefCell::new(Vec::new()));
    s.eval("let zero = tensor::zeros([2, 3, 40, 40]); let hook = id.on_forward(\"id\", |out| { log.push(out * 1); });");
    s.eval(r#"cam::smooth_grad_cam_pp(id, "id", zero, 1, #{samples: 4, std: 0.3})"#);
    if let Value::List(all) = s.eval("log") {
        seen.borrow_mut().extend(all.iter().skip(1).map(support::tensor));
    }
    let noise = Tensor::stack(&seen.borrow(), 0);
    assert_eq!(noise.size(), [4, 2, 3, 40, 40]);
    let (mean, std) = (noise.mean(tch::Kind::Float).double_value(&[]), noise.std(true).double_value(&[]));
    assert!(mean.abs() < 0.01 && (std - 0.3).abs() < 0.01, "mean {mean}, deviation {std}");
    let planes = noise.view([24, 1600]);
    let correlation = planes.matmul(&planes.tr()) / (1600.0 * 0.09) - Tensor::eye(24, tch::kind::FLOAT_CPU);
    assert!(correlation.abs().max().double_value(&[]) < 0.15, "no two planes are alike");
}

/// The mirrored looks of an area see the area where the mirror puts it.
#[test]
fn aug_smooth_mirrors_the_area() {
    let all = fixture("cams");
    let mut s = Script::new();
    s.tensor("x", &all["x"]);
    s.eval(r#"let net = nn::sequential([["conv", nn::conv2d(3, 4, 3, #{padding: 1})], ["act", nn::relu()],
                                        ["out", nn::conv2d(4, 1, 3, #{padding: 1})], ["sig", nn::sigmoid()]]);"#);
    let mut sum = Tensor::zeros([3, 16, 20], tch::kind::FLOAT_CPU);
    for f in ["0.9", "1.0", "1.1"] {
        sum += map(&mut s, &format!(r#"cam::layer_cam(net, "act", x * {f}, target::area(2, 3, 5, 6))"#));
        // 20 − 2 − 5 = 13
        let turned = format!(r#"cam::layer_cam(net, "act", x.flip(3) * {f}, target::area(13, 3, 5, 6))"#);
        sum += map(&mut s, &turned).flip([2]);
    }
    let got = map(&mut s, r#"cam::layer_cam(net, "act", x, target::area(2, 3, 5, 6), #{aug_smooth: true})"#);
    close("mean of six", &got, &(sum / 6.0), 1e-5);
}

/// Also those that look at what stands behind the layer alone.
#[test]
fn aug_smooth_suits_every_cam_of_a_classifier() {
    let mut s = Script::new();
    s.tensor("x", &fixture("cams")["x"]);
    s.eval(r#"let net = nn::sequential([["conv", nn::conv2d(3, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
                                        ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);"#);
    for method in
        ["grad_cam", "grad_cam_pp", "eigen_grad_cam", "score_cam", "ablation_cam", "shapley_cam", "full_grad"]
    {
        let layer = if method == "full_grad" { "" } else { "\"act\", " };
        let got = map(&mut s, &format!("cam::{method}(net, {layer}x, 1, #{{aug_smooth: true}})"));
        assert_eq!(got.size(), [3, 16, 20], "{method}");
    }
}

#[test]
fn custom_takes_weights_shares_and_maps() {
    let all = fixture("cams");
    let (mut s, _) = given(&all);
    for (closure, same) in [
        ("grad.mean([2, 3])", "grad_cam"),
        ("grad.mean([2, 3], true)", "grad_cam"),
        ("act * grad", "hires_cam"),
        ("(act * grad).sum(1)", "hires_cam"),
    ] {
        for layers in ["\"relu2\"", "[\"relu2\", \"relu3\"]"] {
            let mine =
                map(&mut s, &format!("cam::custom(net, {layers}, x, [3, 7, 1], |act, grad| {closure})"));
            close(closure, &mine, &map(&mut s, &format!("cam::{same}(net, {layers}, x, [3, 7, 1])")), 1e-6);
        }
    }
    s.fails(
        r#"cam::custom(net, "relu3", x, 3, |act, grad| act.sum())"#,
        &["gives Tensor []", "[3, 24]", "[3, 24, 4, 5]", "[3, 4, 5]"],
    );
    s.fails(r#"cam::custom(net, "relu3", x, 3, |act, grad| 3)"#, &["gives integer 3"]);
}

#[test]
fn cams_name_what_is_wrong() {
    let all = fixture("cams");
    let (mut s, _) = given(&all);
    for e in entries()
        .iter()
        .filter(|e| e.home == "cam" && !OTHERS.contains(&e.name.as_str()) && e.name != "full_grad")
    {
        let target = if e.name == "finer_cam" { "()" } else { "target::softmax(1)" };
        let look = |layer: &str, x: &str| format!("cam::{}(net, {layer}, {x}, {target})", e.name);
        s.fails(&look("\"relu9\"", "x"), &["unknown layer `relu9`"]);
        s.fails(&look("\"fc\"", "x"), &["`fc` gives [3, 10]", "feature map [N, C, h, w]"]);
        s.fails(&look("[]", "x"), &["no layer given", "conv1"]);
        s.fails(&look("\"relu3\"", "x[0][0]"), &["[N, C, H, W] or [C, H, W]"]);
        s.fails(&format!("cam::{}(net, \"relu3\", x, 3, #{{bach: 3}})", e.name), &["unknown option `bach`"]);
        s.fails(
            &format!("cam::{}(net, \"relu3\", x, 3, #{{batch: 0}})", e.name),
            &["`batch`", "positive integer"],
        );
    }
    s.fails(
        r#"cam::eigen_cam(net, "relu3", x, 3, #{eigen_smooth: true})"#,
        &["cam::eigen_cam", "eigen_smooth"],
    );
    s.fails(r#"cam::score_cam(net, "relu3", x, 99)"#, &["there is no class 99"]);
    s.fails(r#"cam::ss_cam(net, "relu3", x, 3, #{samples: 0})"#, &["`samples` must be at least 1, got 0"]);
    s.fails(
        r#"cam::ss_cam(net, "relu3", x, 3, #{noise: x})"#,
        &["[samples, N, C, H, W], got [3, 3, 16, 20]"],
    );
    s.fails(
        r#"cam::ss_cam(net, "relu3", x, 3, #{noise: tensor::zeros([2, 1, 1, 4, 5])})"#,
        &["[2, 1, 1, 4, 5] does not broadcast to [2, 3, 24, 16, 20]"],
    );
    s.fails(r#"cam::finer_cam(net, "relu3", x, target::softmax(1))"#, &["a class is compared with others"]);
    s.fails(r#"cam::finer_cam(net, "relu3", x, 10)"#, &["there is no class 10"]);
    s.fails(r#"cam::finer_cam(net, "relu3", x, 1, #{compare: [0]})"#, &["ranks from 1"]);
    s.fails(
        r#"cam::finer_cam(net, "relu3", x, 1, #{base: "gradcam"})"#,
        &["unknown base `gradcam`", "grad_cam"],
    );
    s.fails(r#"cam::refine_cam(net, "relu3", x, 1, #{base: "full_grad"})"#, &["unknown base `full_grad`"]);
    s.tensor("large", &Tensor::zeros([1, 3, 80, 80], tch::kind::FLOAT_CPU));
    s.fails(r#"cam::kpca_cam(net, "relu1", large, 3)"#, &["6400 × 6400", "deeper layer"]);
    s.fails(
        "cam::full_grad(net, x, target::custom(|y| tensor::ones([3])))",
        &["does not depend on the input"],
    );
}
