//! Grad-CAM against pytorch-grad-cam (oracles/grad_cam/make.py) and captum's literal values.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/heard.rs"]
mod heard;
mod support;

use cs385::core::Value;
use cs385::core::progress::set_sink;
use cs385::explain::Heatmap;
use cs385::nn::Net;
use heard::listen;
use support::{Script, Tensors, below, close, fixture};
use tch::{Kind, Tensor};

const CLASSIFIER: &str = r#"nn::sequential([
    ["conv1", nn::conv2d(3, 8, 3, #{padding: 1})], ["bn1", nn::batch_norm2d(8)], ["relu1", nn::relu()],
    ["pool1", nn::max_pool2d(2)], ["conv2", nn::conv2d(8, 12, 3, #{padding: 1})], ["relu2", nn::relu()],
    ["conv3", nn::conv2d(12, 16, 3, #{stride: 2, padding: 1})], ["relu3", nn::relu()],
    ["gap", nn::adaptive_avg_pool2d(1)], ["flatten", nn::flatten()], ["fc", nn::linear(16, 10)]])"#;

const AUTOENCODER: &str = r#"
    let half = #{stride: 2, padding: 1};
    let parts = [
        ["enc", nn::sequential([["conv1", nn::conv2d(3, 8, 4, half)], ["relu1", nn::relu()],
                                ["conv2", nn::conv2d(8, 16, 4, half)], ["relu2", nn::relu()]])],
        ["dec", nn::sequential([["up1", nn::conv_transpose2d(16, 8, 4, half)], ["relu1", nn::relu()],
                                ["up2", nn::conv_transpose2d(8, 3, 4, half)]])]];
    if sigmoid { parts.push(["sigmoid", nn::sigmoid()]); }
    nn::sequential(parts)"#;

/// A script with `net` and `x` of the fixture's classifier.
fn classifier(all: &Tensors) -> (Script, Net) {
    build(all, "classifier", CLASSIFIER, false)
}

fn build(all: &Tensors, name: &str, script: &str, sigmoid: bool) -> (Script, Net) {
    let mut s = Script::new();
    let net: Net = s.set("sigmoid", Value::Bool(sigmoid)).eval_object(script);
    net.load_named(below(all, &format!("{name}/net")), true).unwrap();
    s.set("net", Value::object(net.clone())).tensor("x", &all[&format!("{name}/x")]);
    (s, net)
}

#[track_caller]
fn map(s: &mut Script, script: &str) -> Tensor {
    s.eval_object::<Heatmap>(script).tensor().shallow_clone()
}

#[test]
fn class_maps_equal_pytorch_grad_cam() {
    let all = fixture("grad_cam");
    let (mut s, _) = classifier(&all);
    for layer in ["conv1", "relu1", "pool1", "relu2", "conv3", "relu3"] {
        let got = map(&mut s, &format!(r#"cam::grad_cam(net, "{layer}", x, [3, 7])"#));
        close(layer, &got, &all[&format!("classifier/cam/{layer}")], 1e-4);
    }
    let got = map(&mut s, r#"cam::grad_cam(net, ["relu2", "relu3"], x, [target::class(3), 7])"#);
    close("two layers", &got, &all["classifier/cam/relu2+relu3"], 1e-4);
    for top in ["", ", ()", ", target::top()", ", (), #{}"] {
        let got = map(&mut s, &format!(r#"cam::grad_cam(net, "relu3", x{top})"#));
        close("top", &got, &all["classifier/cam/top"], 1e-4);
    }
}

#[test]
fn area_maps_equal_pytorch_grad_cam() {
    let all = fixture("grad_cam");
    for (sigmoid, options, want) in [
        (false, "", "before"),
        (false, ", #{after_sigmoid: true}", "before"), // there is none
        (true, "", "before"),
        (true, ", #{after_sigmoid: true}", "after"),
        (true, r#", #{layer: "dec"}"#, "before"),
    ] {
        let (mut s, _) = build(&all, "autoencoder", AUTOENCODER, sigmoid);
        for layer in ["enc.relu1", "enc.conv2", "dec.relu1"] {
            let script = format!(r#"cam::grad_cam(net, "{layer}", x, target::area(5, 8, 10, 7{options}))"#);
            close(&script, &map(&mut s, &script), &all[&format!("autoencoder/{want}/{layer}")], 1e-4);
        }
    }
}

/// Before normalisation the maps are small numbers, so they are compared relative to their largest.
#[track_caller]
fn close_relative(what: &str, got: &Tensor, want: &Tensor) {
    let largest = want.abs().max();
    close(what, &(got / &largest), &(want / &largest), 1e-4);
}

#[test]
fn raw_maps_equal_pytorch_grad_cam() {
    let all = fixture("grad_cam");
    let options = r#"#{form: "raw", relu: false, resize: false}"#;
    let (mut s, _) = classifier(&all);
    for layer in ["conv1", "relu1", "pool1", "relu2", "conv3", "relu3"] {
        let script = format!(r#"cam::grad_cam(net, "{layer}", x, [3, 7], {options})"#);
        close_relative(&script, &map(&mut s, &script), &all[&format!("classifier/raw/{layer}")]);
    }
    for (kind, after) in [("before", false), ("after", true)] {
        let (mut s, _) = build(&all, "autoencoder", AUTOENCODER, true);
        for layer in ["enc.relu1", "enc.conv2", "dec.relu1"] {
            let area = format!("target::area(5, 8, 10, 7, #{{after_sigmoid: {after}}})");
            let script = format!(r#"cam::grad_cam(net, "{layer}", x, {area}, {options})"#);
            close_relative(&script, &map(&mut s, &script), &all[&format!("autoencoder/raw/{kind}/{layer}")]);
        }
    }
}

/// The fixture names the method: a CAM is tested by a line in oracles/grad_cam/make.py.
#[test]
fn every_other_method_equals_pytorch_grad_cam() {
    let all = fixture("grad_cam");
    let mut seen = 0;
    for (key, want) in &all {
        let [net, method, layer] = key.split('/').collect::<Vec<_>>()[..] else { continue };
        if ["cam", "raw", "net", "before", "after"].contains(&method) {
            continue;
        }
        let (mut s, target) = match net {
            "classifier" => (classifier(&all).0, "[3, 7]"),
            _ => (build(&all, "autoencoder", AUTOENCODER, true).0, "target::area(5, 8, 10, 7)"),
        };
        close(key, &map(&mut s, &format!(r#"cam::{method}(net, "{layer}", x, {target})"#)), want, 1e-4);
        seen += 1;
    }
    assert!(seen >= 4);
}

#[test]
fn a_mask_of_the_box_is_the_area() {
    let all = fixture("grad_cam");
    let (mut s, _) = build(&all, "autoencoder", AUTOENCODER, true);
    let mask = Tensor::zeros([32, 32], tch::kind::FLOAT_CPU);
    let _ = mask.narrow(0, 8, 7).narrow(1, 5, 10).fill_(1.0);
    let got = map(s.tensor("mask", &mask), r#"cam::grad_cam(net, "enc.conv2", x, target::mask(mask))"#);
    close("mask", &got, &all["autoencoder/before/enc.conv2"], 1e-4);
}

#[test]
fn looking_changes_nothing() {
    let all = fixture("grad_cam");
    let want = &all["classifier/cam/relu2"];
    let look = r#"cam::grad_cam(net, "relu2", x, [3, 7])"#;
    for (frozen, train, grad) in
        [(true, true, false), (true, false, false), (false, true, true), (false, false, true)]
    {
        let (mut s, net) = classifier(&all);
        if grad {
            net.forward_tensor(&all["classifier/x"]).unwrap().sum(Kind::Float).backward();
        }
        if frozen {
            s.eval("net.freeze();");
        }
        net.set_training(train);
        let state = || -> Vec<(Tensor, Option<Tensor>)> {
            let grad = |t: &Tensor| t.grad().defined().then(|| t.grad().copy());
            net.named().iter().map(|(_, t, _)| (t.detach().copy(), grad(t))).collect()
        };
        let before = state();
        close("first look", &map(&mut s, look), want, 1e-4);
        close("second look", &map(&mut s, look), want, 1e-4);
        let no_grad = tch::no_grad_guard();
        close("look without gradients", &map(&mut s, look), want, 1e-4);
        drop(no_grad);
        assert_eq!(net.is_training(), train);
        assert!(net.parameters(false).iter().all(|(_, t)| t.requires_grad() != frozen));
        for ((a, ga), (b, gb)) in before.iter().zip(state()) {
            assert!(a.equal(&b));
            assert_eq!(ga.is_some(), gb.is_some());
            assert!(ga.as_ref().zip(gb).is_none_or(|(a, b)| a.equal(&b)));
        }
        s.fails(r#"cam::grad_cam(net, "relu2", x, 10)"#, &["class 10"]);
        assert_eq!(net.is_training(), train, "after an error");
    }
}

#[test]
fn forms_are_scalings_of_one_map() {
    let all = fixture("grad_cam");
    let (mut s, net) = classifier(&all);
    let mut act = net.forward_tensor(&all["classifier/x"]).unwrap(); // replaced below; shows that the net runs
    let mut grad = act.shallow_clone();
    if let Value::Map(m) =
        s.eval(r#"#{act: net.capture(x, ["conv3"]).conv3, grad: net.grads(x, [3, 7], ["conv3"]).conv3}"#)
    {
        (act, grad) = (support::tensor(&m["act"]), support::tensor(&m["grad"]));
    }
    let sum = (act * grad.mean_dim([2, 3].as_slice(), true, Kind::Float)).sum_dim_intlist(
        [1].as_slice(),
        false,
        Kind::Float,
    );
    assert!(sum.min().double_value(&[]) < 0.0, "the map has both signs");
    let magnitude = sum.abs().amax([1, 2], true);
    let large = |t: &Tensor| t.unsqueeze(1).upsample_bilinear2d([32, 40], false, None, None).squeeze_dim(1);
    let scaled = large(&(&sum / &magnitude));
    for (options, want, signed) in [
        (r#"form: "raw""#, large(&sum.relu()), false),
        (r#"form: "raw", relu: false"#, large(&sum), true),
        (r#"form: "raw", relu: false, resize: false"#, sum.shallow_clone(), true),
        (r#"form: "signed""#, &scaled / scaled.abs().amax([1, 2], true), true),
        (r#"form: "signed", resize: false"#, &sum / &magnitude, true),
        (r#"resize: false"#, sum.relu() / sum.relu().amax([1, 2], true), false),
    ] {
        let script = format!(r#"cam::grad_cam(net, "conv3", x, [3, 7], #{{{options}}})"#);
        let got: Heatmap = s.eval_object(&script);
        close(&script, got.tensor(), &want, 1e-4);
        assert_eq!(got.is_signed(), signed, "{script}");
    }
}

/// Captum's `BasicModel_ConvNet_One_Conv` and the values its own tests hold for it (captum 0.9.0,
/// tests/attr/layer/test_grad_cam.py).
#[test]
fn captums_literals() {
    let float = tch::kind::FLOAT_CPU;
    let x = Tensor::arange(16, float).view([1, 1, 4, 4]);
    let fc = Tensor::cat(&[Tensor::ones([4, 5], float), -Tensor::ones([4, 3], float)], 1);
    for (end, sign) in [(r#"["relu2", nn::relu()]"#, 1.0), (r#"["end", nn::identity()]"#, -1.0)] {
        let mut s = Script::new();
        let net: Net = s.tensor("x", &x).eval_object(&format!(
            r#"nn::sequential([["conv1", nn::conv2d(1, 2, 3)], ["relu1", nn::relu()], ["flat", nn::flatten()],
                               ["fc", nn::linear(8, 4)], {end}])"#
        ));
        let weights = [
            ("conv1.weight", Tensor::ones([2, 1, 3, 3], float)),
            ("conv1.bias", Tensor::from_slice(&[-50f32, -75.0])),
            ("fc.weight", &fc * sign),
            ("fc.bias", Tensor::zeros([4], float)),
        ];
        net.load_named(weights.map(|(n, t)| (n.to_string(), t)).into(), true).unwrap();
        s.set("net", Value::object(net));
        close(
            "output",
            &s.eval_tensor("net.forward(x)").select(1, 0),
            &Tensor::from_slice(&[54.0 * sign]),
            1e-4,
        );
        let channels = s.eval_tensor(
            r#"net.capture(x, ["conv1"]).conv1 * net.grads(x, 0, ["conv1"]).conv1.mean([2, 3], true)"#,
        );
        let want =
            Tensor::from_slice(&[-3.75f32, 3.0, 23.25, 30.0, 15.0, 10.5, -3.0, -7.5]).view([1, 2, 2, 2]);
        close("each channel", &channels, &(want * sign), 1e-4);
        for (layer, want) in [("conv1", [11.25, 13.5, 20.25, 22.5]), ("relu1", [0.0, 4.0, 28.0, 32.5])] {
            let want = Tensor::from_slice(&want).view([1, 2, 2]) * sign;
            for (relu, want) in [(false, want.shallow_clone()), (true, want.relu())] {
                let options = format!(r#"#{{form: "raw", relu: {relu}, resize: false}}"#);
                let got = map(&mut s, &format!(r#"cam::grad_cam(net, "{layer}", x, 0, {options})"#));
                close(layer, &got, &want, 1e-4);
            }
        }
    }
}

#[test]
fn cams_name_what_is_wrong() {
    let all = fixture("grad_cam");
    let (mut s, _) = classifier(&all);
    s.fails(r#"cam::grad_cam(net, "relu9", x, 3)"#, &["unknown layer `relu9`", "relu1", "conv1, bn1"]);
    s.fails(r#"cam::grad_cam(net, ["relu2", "nope"], x, 3)"#, &["unknown layer `nope`"]);
    s.fails("cam::grad_cam(net, [], x, 3)", &["no layer given", "conv1"]);
    s.fails(
        r#"cam::grad_cam(net, "flatten", x, 3)"#,
        &["`flatten` gives [2, 16]", "feature map [N, C, h, w]"],
    );
    s.fails(r#"cam::grad_cam(net, "fc", x, 3)"#, &["`fc` gives [2, 10]", "feature map [N, C, h, w]"]);
    s.fails(r#"cam::grad_cam(net, "relu2", x, 10)"#, &["there is no class 10", "classes 0 to 9"]);
    s.fails(r#"cam::grad_cam(net, "relu2", x, -1)"#, &["there is no class -1"]);
    s.fails(r#"cam::grad_cam(net, "relu2", x, [3])"#, &["1 targets for a batch of 2"]);
    s.fails(
        r#"cam::grad_cam(net, "relu2", x, "dog")"#,
        &["does not know the names of its classes", "\"dog\""],
    );
    s.fails(
        r#"cam::grad_cam(net, "relu2", x, target::area(0, 0, 1, 1))"#,
        &["output picture [N, C, H, W]", "[2, 10]"],
    );
    s.fails(r#"cam::grad_cam(net, "relu2", x, 3, #{from: 1})"#, &["unknown option `from`", "form"]);
    s.fails(r#"cam::grad_cam(net, "relu2", x, 3, #{form: "sign"})"#, &["unknown form `sign`", "signed"]);
    s.fails(
        r#"cam::grad_cam(net, "relu2", x, target::custom(|out| 3))"#,
        &["one number a picture", "integer 3"],
    );
    s.fails(
        r#"cam::grad_cam(net, "relu2", x, target::custom(|out| out))"#,
        &["one number a picture", "[2, 10]"],
    );
    s.fails(r#"cam::grad_cam(net, "relu2", x, target::custom(|out| throw "no"))"#, &["no"]);
    s.tensor("none", &Tensor::zeros([0, 3, 32, 40], tch::kind::FLOAT_CPU));
    s.fails(r#"cam::grad_cam(net, "relu2", none, 3)"#, &["the batch is empty: [0, 3, 32, 40]"]);
    s.tensor("plane", &Tensor::zeros([32, 40], tch::kind::FLOAT_CPU));
    s.fails(r#"cam::grad_cam(net, "relu2", plane, 3)"#, &["[N, C, H, W] or [C, H, W], got [32, 40]"]);

    let (mut s, _) = build(&all, "autoencoder", AUTOENCODER, true);
    for area in ["25, 8, 10, 7", "5, 30, 10, 7", "-1, 8, 10, 7", "5, 8, 0, 7"] {
        let script = format!(r#"cam::grad_cam(net, "enc.conv2", x, target::area({area}))"#);
        s.fails(&script, &["does not lie in the output picture of 32 × 32 pixels"]);
    }
    s.fails(r#"cam::grad_cam(net, "enc.conv2", x, 1)"#, &["needs an output [N, classes]", "target::area"]);
    s.fails(
        r#"cam::grad_cam(net, "sigmoid", x, target::area(0, 0, 2, 2))"#,
        &["does not depend on layer `sigmoid`"],
    );
    s.fails(
        r#"cam::grad_cam(net, "enc.conv2", x, target::area(0, 0, 2, 2, #{layer: "d"}))"#,
        &["unknown layer `d`"],
    );
    s.tensor("mask", &Tensor::ones([8, 8], tch::kind::FLOAT_CPU));
    s.fails(
        r#"cam::grad_cam(net, "enc.conv2", x, target::mask(mask))"#,
        &["mask [8, 8] does not fit", "[2, 3, 32, 32]"],
    );
}

#[test]
fn a_target_that_does_not_depend_on_the_layer() {
    let mut s = Script::new();
    s.tensor("x", &Tensor::ones([1, 1, 4, 4], tch::kind::FLOAT_CPU));
    let net = r#"
        let head = || nn::sequential([["conv", nn::conv2d(1, 2, 3)], ["gap", nn::adaptive_avg_pool2d(1)], ["flat", nn::flatten()]]);
        let net = nn::custom(#{a: head.call(), b: head.call()}, |m, x| { m.b.forward(x); m.a.forward(x) });"#;
    for freeze in ["", "net.freeze();"] {
        s.fails(
            &format!(r#"{net} {freeze} cam::grad_cam(net, "b.conv", x, 0)"#),
            &["does not depend on layer `b.conv`"],
        );
        s.eval(&format!(r#"{net} {freeze} cam::grad_cam(net, "a.conv", x, 0)"#));
    }
    let unused = net.replace("m.b.forward(x);", "");
    s.fails(&format!(r#"{unused} cam::grad_cam(net, "b.conv", x, 0)"#), &["layer `b.conv` did not run"]);
}

#[test]
fn an_empty_map_is_told() {
    let mut s = Script::new();
    let net: Net = s.eval_object(
        r#"nn::sequential([["conv", nn::conv2d(1, 1, 1)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
                           ["flat", nn::flatten()], ["fc", nn::linear(1, 2)]])"#,
    );
    let float = tch::kind::FLOAT_CPU;
    let weights = [
        ("conv.weight", Tensor::ones([1, 1, 1, 1], float)),
        ("conv.bias", Tensor::zeros([1], float)),
        ("fc.weight", Tensor::from_slice(&[1f32, -1.0]).view([2, 1])),
        ("fc.bias", Tensor::zeros([2], float)),
    ];
    net.load_named(weights.map(|(n, t)| (n.to_string(), t)).into(), true).unwrap();
    let x = Tensor::stack(&[Tensor::eye(4, float), Tensor::ones([4, 4], float)], 0).unsqueeze(1);
    s.set("net", Value::object(net)).tensor("x", &x);
    let heard = listen();
    let told = |s: &mut Script, script: &str| {
        s.eval(script);
        heard.0.borrow_mut().drain(..).collect::<Vec<_>>()
    };
    let one = told(&mut s, r#"cam::grad_cam(net, "act", x, 0)"#); // the second picture's map is flat
    assert_eq!(one.len(), 1);
    assert!(
        one[0].starts_with("warning: cam::grad_cam is zero everywhere at layer `act` for picture 1:"),
        "{one:?}"
    );
    let both = told(&mut s, r#"cam::grad_cam(net, ["conv", "act"], x, 1, #{aug_smooth: true})"#);
    assert_eq!(both.len(), 1, "once a call");
    assert!(
        both[0].contains("at layer `conv` for picture 0, 1; at layer `act` for picture 0, 1"),
        "{both:?}"
    );
    assert!(both[0].contains(r#"#{form: "signed"}"#));
    assert!(told(&mut s, r#"cam::grad_cam(net, "act", x, 1, #{form: "signed"})"#).is_empty());
    assert!(told(&mut s, r#"cam::grad_cam(net, "act", x[0], 0)"#).is_empty());
    assert_eq!(told(&mut s, r#"cam::full_grad(net, x * 0, 0)"#).len(), 1);
    set_sink(None);
}
