//! Attributions of the input against captum (oracles/attrib/make.py) and captum's literal values.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::Value;
use cs385::nn::Net;
use cs385::tensor::tape;
use support::{Script, build, close, close_relative, fixture};
use tch::{Kind, Tensor};

const FLOAT: (Kind, tch::Device) = tch::kind::FLOAT_CPU;

const CLASSIFIER: &str = r#"nn::sequential([
    ["conv1", nn::conv2d(3, 8, 3, #{padding: 1})], ["bn1", nn::batch_norm2d(8)], ["relu1", nn::relu()],
    ["pool1", nn::max_pool2d(2)],
    ["block", nn::residual(nn::sequential([["conv_a", nn::conv2d(8, 8, 3, #{padding: 1})], ["relu_a", nn::relu()],
                                           ["conv_b", nn::conv2d(8, 8, 3, #{padding: 1})]]))],
    ["relu2", nn::relu()], ["conv3", nn::conv2d(8, 12, 3, #{stride: 2, padding: 1})], ["relu3", nn::relu()],
    ["gap", nn::adaptive_avg_pool2d(1)], ["flatten", nn::flatten()], ["fc", nn::linear(12, 10)]])"#;

const AUTOENCODER: &str = r#"
    let half = #{stride: 2, padding: 1};
    nn::sequential([
        ["enc", nn::sequential([["conv1", nn::conv2d(3, 8, 4, half)], ["relu1", nn::relu()],
                                ["conv2", nn::conv2d(8, 12, 4, half)], ["relu2", nn::relu()]])],
        ["dec", nn::sequential([["up1", nn::conv_transpose2d(12, 8, 4, half)], ["relu1", nn::relu()],
                                ["up2", nn::conv_transpose2d(8, 3, 4, half)]])],
        ["sigmoid", nn::sigmoid()]])"#;

/// The fixture names the method; `gradient` is the saliency with its sign.
fn call(method: &str, target: &str) -> String {
    match method {
        "gradient" => format!("attrib::saliency(net, x, {target}, #{{abs: false}})"),
        method => format!("attrib::{method}(net, x, {target})"),
    }
}

#[test]
fn every_method_equals_captum() {
    let all = fixture("attrib");
    let area = "target::area(5, 8, 7, 4";
    let mut seen = 0;
    for (name, script, prefix, target) in [
        ("classifier", CLASSIFIER, "classifier", "[3, 7]".to_string()),
        ("autoencoder", AUTOENCODER, "autoencoder/before", format!("{area})")),
        ("autoencoder", AUTOENCODER, "autoencoder/after", format!("{area}, #{{after_sigmoid: true}})")),
    ] {
        let (mut s, _) = build(&all, name, script);
        for (key, want) in &all {
            let Some(method) = key.strip_prefix(prefix).and_then(|k| k.strip_prefix('/')) else { continue };
            if method == "x" || method.contains('/') {
                continue;
            }
            close_relative(key, &s.eval_tensor(&call(method, &target)), want);
            seen += 1;
        }
    }
    assert_eq!(seen, 12);
}

/// Captum's `BasicModel_ConvNet_One_Conv` and the values its own tests hold for it (captum 0.9.0,
/// tests/attr/test_guided_backprop.py, test_deconvolution.py).
#[test]
fn captums_literals() {
    let mut s = Script::new();
    let net: Net = s.tensor("x", &Tensor::arange(16, FLOAT).view([1, 1, 4, 4])).eval_object(
        r#"nn::sequential([["conv1", nn::conv2d(1, 2, 3)], ["relu1", nn::relu()], ["flat", nn::flatten()],
                           ["fc", nn::linear(8, 4)], ["relu2", nn::relu()]])"#,
    );
    let weights = [
        ("conv1.weight", Tensor::ones([2, 1, 3, 3], FLOAT)),
        ("conv1.bias", Tensor::from_slice(&[-50f32, -75.0])),
        ("fc.weight", Tensor::cat(&[Tensor::ones([4, 5], FLOAT), -Tensor::ones([4, 3], FLOAT)], 1)),
        ("fc.bias", Tensor::zeros([4], FLOAT)),
    ];
    net.load_named(weights.map(|(n, t)| (n.to_string(), t)).into(), true).unwrap();
    s.set("net", Value::object(net));
    for (method, want) in [
        ("saliency", [0f32, 1., 1., 1., 0., 1., 1., 1., 0., 1., 1., 1., 0., 0., 0., 0.]),
        ("guided_backprop", [0., 1., 1., 1., 1., 3., 3., 2., 1., 3., 3., 2., 1., 2., 2., 1.]),
        ("deconvnet", [2., 3., 3., 1., 3., 5., 5., 2., 3., 5., 5., 2., 1., 2., 2., 1.]),
    ] {
        let got = s.eval_tensor(&format!("attrib::{method}(net, x, 0)"));
        close(method, &got, &Tensor::from_slice(&want).view([1, 1, 4, 4]), 1e-4);
    }
}

/// Xplique's case: y = −relu(x)², where guided backpropagation shows nothing.
#[test]
fn what_speaks_against_is_not_shown() {
    let mut s = Script::new();
    s.tensor("x", &Tensor::from_slice(&[5f32, 0.0, -5.0, 10.0]).view([1, 1, 1, 4]));
    s.eval("let net = nn::sequential([[\"act\", nn::relu()]]); let t = target::custom(|y| -(y ** 2).sum([1, 2, 3]));");
    let grad = s.eval_tensor("attrib::saliency(net, x, t, #{abs: false})");
    close("gradient", &grad, &Tensor::from_slice(&[-10f32, 0.0, 0.0, -20.0]).view([1, 1, 1, 4]), 1e-5);
    close(
        "guided",
        &s.eval_tensor("attrib::guided_backprop(net, x, t)"),
        &Tensor::zeros([1, 1, 1, 4], FLOAT),
        0.0,
    );
}

#[test]
fn looking_changes_nothing_and_hooks_act() {
    let all = fixture("attrib");
    let want = &all["classifier/guided_backprop"];
    let look = call("guided_backprop", "[3, 7]");
    for (frozen, train) in [(true, true), (false, true), (false, false)] {
        let (mut s, net) = build(&all, "classifier", CLASSIFIER);
        if frozen {
            s.eval("net.freeze();");
        }
        net.set_training(train);
        close_relative("first", &s.eval_tensor(&look), want);
        let first = s.eval_tensor(&look);
        close_relative("second", &first, want);
        let no_grad = tch::no_grad_guard();
        close_relative("without gradients", &s.eval_tensor(&look), want);
        drop(no_grad);
        close_relative("again the first", &first, want);
        assert_eq!(net.is_training(), train);
        assert!(
            net.parameters(false).iter().all(|(_, t)| t.requires_grad() != frozen && !t.grad().defined())
        );
        assert!(!s.eval_tensor("x").requires_grad());
        assert_eq!(tape::kept(), (0, 0));
        s.eval(
            "let h = net.on_backward(\"relu2\", |g| g * 2); let k = net.on_forward(\"relu1\", |o| o * 1);",
        );
        close_relative("hooked", &s.eval_tensor(&look), &(want * 2.0));
        s.eval("h.remove();");
        close_relative(
            "one picture",
            &s.eval_tensor("attrib::guided_backprop(net, x[0], 3)"),
            &want.narrow(0, 0, 1),
        );
    }
}

#[test]
fn attributions_name_what_is_wrong() {
    let all = fixture("attrib");
    let (mut s, _) = build(&all, "classifier", CLASSIFIER);
    s.fails("attrib::guided_backprop(net, x, 10)", &["there is no class 10"]);
    s.fails("attrib::guided_backprop(net, x, 1, #{abs: true})", &["unknown option `abs`"]);
    s.fails("attrib::saliency(net, x[0][0], 1)", &["[N, C, H, W]"]);
    s.fails(
        "attrib::saliency(net, x, target::custom(|y| tensor::ones([2])))",
        &["does not depend on the input"],
    );
    let custom =
        "let net = nn::custom(#{c: nn::conv2d(3, 2, 3)}, |m, x| m.c.forward(x).relu().mean([2, 3]));";
    for method in ["guided_backprop", "deconvnet"] {
        s.fails(
            &format!("{custom} attrib::{method}(net, x, 1)"),
            &["no ReLU layer took part", "nn::relu() layers"],
        );
    }
    s.eval(&format!("{custom} attrib::saliency(net, x, 1)"));
}

/// Outside the pixels that an area of the output can depend on, there is exactly nothing.
#[test]
fn an_area_shows_nothing_outside_its_receptive_field() {
    let all = fixture("attrib");
    let (mut s, _) = build(&all, "autoencoder", AUTOENCODER);
    // A box of 2 × 2 pixels of the output; of each layer the interval that the one behind it depends on.
    let up = |(a, b): (i64, i64)| ((a - 1).div_euclid(2), (b + 1).div_euclid(2)); // transposed, kernel 4, stride 2, padding 1
    let down = |(a, b): (i64, i64)| (2 * a - 1, 2 * b + 2);
    let clip = |(a, b): (i64, i64), n: i64| (a.max(0), b.min(n - 1));
    let inside = |of: [(i64, i64); 2], n: i64| -> Tensor {
        let mask = Tensor::zeros([n, n], FLOAT);
        let [(l, r), (t, b)] = of.map(|i| clip(i, n));
        let _ = mask.narrow(0, t, b - t + 1).narrow(1, l, r - l + 1).fill_(1.0);
        mask
    };
    let of = [(1, 2), (0, 1)]; // x and y, both ends in it
    let dec = of.map(up);
    let (enc2, enc1) = (dec.map(up), dec.map(up).map(down));
    let target = "target::area(1, 0, 2, 2)";
    let field =
        [("dec.relu1", inside(dec, 8)), ("enc.relu2", inside(enc2, 4)), ("enc.relu1", inside(enc1, 8))];
    for (layer, mask) in &field {
        assert!(mask.min().double_value(&[]) == 0.0 || *layer != "dec.relu1", "the field is not everything");
        let o = "#{resize: false, relu: false, form: \"raw\"}";
        let map = s.eval_tensor(&format!("cam::hires_cam(net, \"{layer}\", x, {target}, {o}).tensor()"));
        let energy = map.square();
        assert!((&energy * mask).sum(Kind::Float).double_value(&[]) > 0.0, "{layer}");
        assert_eq!((&energy * (mask.ones_like() - mask)).sum(Kind::Float).double_value(&[]), 0.0, "{layer}");
    }
    let mask = inside(enc1.map(down), 16);
    assert!(mask.min().double_value(&[]) == 0.0, "the field is not everything");
    for method in ["guided_backprop", "saliency"] {
        let energy = s.eval_tensor(&format!("attrib::{method}(net, x, {target})")).square();
        assert!((&energy * &mask).sum(Kind::Float).double_value(&[]) > 0.0, "{method}");
        assert_eq!(
            (&energy * (mask.ones_like() - &mask)).sum(Kind::Float).double_value(&[]),
            0.0,
            "{method}"
        );
    }
    // Grad-CAM has no such bound: its weights are means over the whole layer.
    let map = s.eval_tensor(&format!(
        "cam::grad_cam(net, \"dec.relu1\", x, {target}, #{{resize: false, relu: false, form: \"raw\"}}).tensor()"
    ));
    assert!((map.square() * (field[0].1.ones_like() - &field[0].1)).sum(Kind::Float).double_value(&[]) > 0.0);
}
