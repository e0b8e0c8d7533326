//! Every layer against torch.nn (oracles/layers/make.py): names, outputs, gradients, running statistics; alone,
//! in a sequential and in a custom network.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::Value;
use cs385::nn::{Net, Role};
use support::{Script, below, cases, close, fixture, weigh};
use tch::Tensor;

/// How a layer is run: the script that wraps `net`, and what that puts before its names.
const WRAPS: [(&str, &str); 3] = [
    ("net", ""),
    (r#"nn::sequential([["inner", net]])"#, "inner."),
    ("nn::custom(#{inner: net}, |m, x| m.inner.forward(x))", "inner."),
];

#[test]
fn layers_equal_pytorch() {
    let all = fixture("layers");
    let table = cases("layers");
    assert!(table.len() > 60);
    for case in &table {
        let (name, script) = (case["name"].as_str().unwrap(), case["script"].as_str().unwrap());
        let train = case["train"].as_bool().unwrap();
        let mut s = Script::new();
        let net: Net = s.eval_object(script);
        s.set("net", Value::object(net.clone()));
        let state = below(&all, &format!("{name}/net"));
        let mut names: Vec<String> = net.named().into_iter().map(|n| n.0).collect();
        names.sort();
        assert_eq!(names, state.iter().map(|s| s.0.clone()).collect::<Vec<_>>(), "{name}");

        for (wrap, prefix) in WRAPS {
            let what = |part: &str| format!("{part} of {name} in {wrap}");
            net.load_named(below(&all, &format!("{name}/net")), true).unwrap();
            let params = net.parameters(true);
            params.iter().for_each(|(_, p)| p.shallow_clone().zero_grad());
            let x = all[&format!("{name}/x")].detach();
            let x = if x.is_floating_point() { x.set_requires_grad(true) } else { x };
            s.tensor("x", &x).set("training", Value::Bool(train));
            let whole: Net = s.eval_object(&format!("let whole = {wrap}; whole.train(training)"));
            let inner: Vec<String> = names.iter().map(|n| format!("{prefix}{n}")).collect();
            let mut outer: Vec<String> = whole.named().into_iter().map(|n| n.0).collect();
            outer.sort();
            assert_eq!(outer, inner, "{name}");

            let y = s.eval_tensor(&format!("let whole = {wrap}; whole.train(training).forward(x)"));
            close(&what("output"), &y, &all[&format!("{name}/y")], 1e-4);
            weigh(&y).backward();
            if x.requires_grad() {
                close(&what("input gradient"), &x.grad(), &all[&format!("{name}/dx")], 1e-4);
            }
            for (key, p) in &params {
                close(&what(key), &p.grad(), &all[&format!("{name}/grad/{key}")], 1e-4);
            }
            let expected = if train { "after" } else { "net" };
            for (key, t, _) in net.named().into_iter().filter(|n| n.2 == Role::Buffer) {
                close(&what(&key), &t, &all[&format!("{name}/{expected}/{key}")], 1e-5);
            }
        }
    }
}

#[test]
fn running_statistics_stay_when_frozen() {
    let all = fixture("layers");
    let mut s = Script::new();
    let net: Net = s.eval_object("nn::batch_norm2d(4, #{eps: 1e-3})");
    net.load_named(below(&all, "bn2_eval/net"), true).unwrap();
    s.set("net", Value::object(net.clone())).tensor("x", &all["bn2_eval/x"]);
    let y = s.eval_tensor("net.freeze().train().forward(x)");
    close("output", &y, &all["bn2_eval/y"], 1e-4);
    for (key, t, _) in net.named() {
        close(&key, &t, &all[&format!("bn2_eval/net/{key}")], 0.0);
    }
    s.eval("net.unfreeze().forward(x)");
    assert_eq!(net.named()[4].1.int64_value(&[]), 1);
}

/// A frozen convolution of pictures without a graph reads packed weights, and gives the bits of the usual one; pictures that
/// do not fit are refused in the usual words.
#[test]
fn packed_weights_give_the_same_bits() {
    let mut s = Script::new();
    s.eval("seed(0); 0");
    for (options, channels) in [
        ("", 6),
        (", #{stride: 2, padding: [1, 2]}", 6),
        (", #{dilation: 2, bias: false}", 6),
        (", #{groups: 2}", 6),
        (", #{groups: 6, padding: 1}", 6),
        (", #{padding: \"same\"}", 6),
    ] {
        let net: Net = s.eval_object(&format!("nn::conv2d({channels}, 12, 3{options})"));
        let x = Tensor::rand([3, channels, 33, 29], tch::kind::FLOAT_CPU);
        let usual = net.forward_tensor(&x).unwrap().detach();
        s.set("net", Value::object(net.clone())).tensor("x", &x);
        close(options, &s.eval_tensor("net.freeze().forward(x)"), &usual, 0.0);
        // Packed for pictures of one size, used for others.
        let other = Tensor::rand([1, channels, 70, 64], tch::kind::FLOAT_CPU);
        let frozen = net.forward_tensor(&other).unwrap();
        s.eval("net.unfreeze(); 0");
        close(options, &frozen, &net.forward_tensor(&other).unwrap().detach(), 1e-6);
        s.eval("net.freeze(); 0");
        s.fails("net.forward(tensor::ones([2, 5, 40, 40]))", &["channels"]);
    }
    s.fails(
        "nn::conv2d(3, 4, 7).freeze().forward(tensor::ones([2, 3, 5, 5]))",
        &["Kernel size can't be greater"],
    );
}

#[test]
fn dropout_drops_while_training_only() {
    let mut s = Script::new();
    let x = Tensor::ones([50, 40, 3, 3], tch::kind::FLOAT_CPU);
    s.tensor("x", &x);
    for (make, channels) in [("nn::dropout(0.25)", false), ("nn::dropout2d(0.25)", true)] {
        close(make, &s.eval_tensor(&format!("{make}.forward(x)")), &x, 0.0);
        let y = s.eval_tensor(&format!("{make}.train().forward(x)"));
        let dropped = y.eq(0.0);
        let kept = y.masked_select(&dropped.logical_not());
        close(make, &kept, &(kept.ones_like() / 0.75), 1e-6);
        let share = dropped.to_kind(tch::Kind::Float).mean(tch::Kind::Float).double_value(&[]);
        assert!((share - 0.25).abs() < 0.03, "{make} drops {share}");
        let whole = y.eq_tensor(&y.narrow(2, 0, 1).narrow(3, 0, 1)).all().int64_value(&[]) == 1;
        assert_eq!(whole, channels, "{make}");
    }
    close("all", &s.eval_tensor("nn::dropout(1).train().forward(x)"), &(x * 0.0), 0.0);
}

#[test]
fn layers_name_what_is_wrong() {
    let mut s = Script::new();
    s.tensor("x", &Tensor::zeros([2, 3, 5, 5], tch::kind::FLOAT_CPU));
    s.tensor("one", &Tensor::zeros([1, 3, 1, 1], tch::kind::FLOAT_CPU));
    s.tensor("index", &Tensor::from_slice(&[0i64, 6]));
    s.fails("nn::conv2d(3, 4, 0)", &["kernel_size", "at least 1", "(0, 0)"]);
    s.fails(
        "nn::conv2d(3, 4, 3, #{groups: 2})",
        &["`groups` must divide both channel counts (3 and 4), got 2"],
    );
    s.fails("nn::conv2d(3, 4, 3, #{stride: 0})", &["stride"]);
    s.fails(r#"nn::conv2d(3, 4, 3, #{padding: "sane"})"#, &["padding", "\"same\"", "sane"]);
    s.fails(r#"nn::conv2d(3, 4, 3, #{padding: "same", stride: 2})"#, &["stride"]);
    s.fails(
        "nn::conv2d(3, 4, 3, #{strides: 2})",
        &["unknown option `strides`", "did you mean `stride`?", "dilation"],
    );
    s.fails("nn::conv2d(3, -4, 3)", &["out_channels", "positive integer", "-4"]);
    s.fails("nn::conv2d(4, 3, 3).forward(x)", &["Conv2d(4, 3", "[2, 3, 5, 5]"]);
    s.fails("nn::conv2d(3, 3, 7).forward(x)", &["Conv2d(3, 3", "[2, 3, 5, 5]"]);
    s.fails("nn::conv2d(3, 3, 3, #{padding: -4}).forward(x)", &["padding"]);
    s.fails("nn::conv_transpose2d(3, 4, 3, #{output_padding: 1}).forward(x)", &["output padding"]);
    s.fails("nn::linear(4, 2).forward(x)", &["Linear(in_features=4", "[2, 3, 5, 5]"]);
    s.fails("nn::batch_norm1d(3).forward(x)", &["expected 2 or 3 axes, got 4", "BatchNorm1d(3"]);
    s.fails("nn::batch_norm2d(4).forward(x)", &["BatchNorm2d(4", "[2, 3, 5, 5]"]);
    s.fails("nn::batch_norm2d(3).train().forward(one)", &["more than 1 value", "[1, 3, 1, 1]"]);
    s.fails("nn::instance_norm2d(3).forward(one)", &["more than 1", "[1, 3, 1, 1]"]);
    s.fails("nn::instance_norm2d(4).forward(x)", &["InstanceNorm2d(4", "[2, 3, 5, 5]"]);
    s.fails("nn::group_norm(2, 3)", &["`groups` must divide the 3 channels, got 2"]);
    s.fails("nn::group_norm(2, 4).forward(x)", &["GroupNorm(2, 4", "[2, 3, 5, 5]"]);
    s.fails("nn::layer_norm(4).forward(x)", &["LayerNorm([4]", "[2, 3, 5, 5]"]);
    s.fails("nn::prelu(#{num_parameters: 2}).forward(x)", &["PReLU", "[2, 3, 5, 5]"]);
    s.fails("nn::prelu(#{num_parameters: -2})", &["num_parameters"]);
    s.fails("nn::max_pool2d(9).forward(x)", &["MaxPool2d", "[2, 3, 5, 5]"]);
    s.fails("nn::max_pool2d(2, #{padding: 3}).forward(x)", &["padding"]);
    s.fails("nn::softmax(9).forward(x)", &["Softmax(dim=9)"]);
    s.fails(r#"nn::upsample(2, #{mode: "cubic"})"#, &["unknown mode `cubic`", "nearest, bilinear"]);
    s.fails("nn::upsample(0)", &["scale_factor", "positive"]);
    s.fails("nn::upsample(0.1).forward(x)", &["Upsample"]);
    s.fails("nn::flatten(3, 1).forward(x)", &["Flatten"]);
    s.fails("nn::unflatten([2, 2]).forward(x)", &["Unflatten"]);
    s.fails("nn::embedding(6, 4).forward(index)", &["Embedding(6, 4)"]);
    s.fails("nn::embedding(6, 4).forward(x)", &["Embedding(6, 4)"]);
    s.fails("nn::dropout(1.5)", &["`p` is a probability from 0 to 1, got 1.5"]);
    s.fails("nn::linear(4, 2).forward(3)", &["expected Tensor, got integer 3", "Linear"]);
}
