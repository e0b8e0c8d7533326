//! Every CAM against pytorch-grad-cam and torchcam (oracles/cams/make.py), and what the references get wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::progress::{Sink, set_sink};
use cs385::core::{Value, seed};
use cs385::explain::Heatmap;
use cs385::nn::Net;
use cs385::registry::entries;
use std::cell::RefCell;
use std::rc::Rc;
use support::{Script, Tensors, below, close, distance, fixture};
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
        let elsewhere = ["custom", "random_cam"].contains(&e.name.as_str());
        assert!(elsewhere || seen.contains(&e.name), "cam::{} is compared with nothing", e.name);
    }
}
