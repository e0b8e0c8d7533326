//! Attributions of the input against captum and zennit (oracles/attributions/make.py).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::Value;
use cs385::nn::Net;
use cs385::registry::entries;
use support::{Script, build, close, close_relative, fixture};
use tch::{Kind, Tensor};

const VGG: &str = r#"nn::sequential([
    ["features", nn::sequential([nn::conv2d(3, 6, 3, #{padding: 1}), nn::relu(), nn::conv2d(6, 6, 3, #{padding: 1}),
        nn::relu(), nn::max_pool2d(2), nn::conv2d(6, 8, 3, #{padding: 1}), nn::relu(), nn::max_pool2d(2)])],
    ["avgpool", nn::adaptive_avg_pool2d(2)], ["flat", nn::flatten()],
    ["classifier", nn::sequential([nn::linear(32, 16), nn::relu(), nn::dropout(0.5), nn::linear(16, 10)])]])"#;

const RES: &str = r#"
    let block = |i, out, stride, o| nn::sequential([["block", nn::residual(nn::sequential([
            ["conv1", nn::conv2d(i, out, 3, #{padding: 1, stride: stride, bias: false})], ["bn1", nn::batch_norm2d(out)],
            ["relu", nn::relu()], ["conv2", nn::conv2d(out, out, 3, #{padding: 1, bias: false})],
            ["bn2", nn::batch_norm2d(out)]]), o)], ["relu", nn::relu()]]);
    let down = nn::sequential([nn::conv2d(6, 8, 1, #{stride: 2, bias: false}), nn::batch_norm2d(8)]);
    nn::sequential([["conv1", nn::conv2d(3, 6, 3, #{padding: 1, bias: false})], ["bn1", nn::batch_norm2d(6)],
        ["relu", nn::relu()], ["maxpool", nn::max_pool2d(3, #{stride: 2, padding: 1})],
        ["layer1", block.call(6, 6, 1, #{})], ["layer2", block.call(6, 8, 2, #{shortcut: down})],
        ["avgpool", nn::adaptive_avg_pool2d(1)], ["flat", nn::flatten()], ["fc", nn::linear(8, 10)]])"#;

const RANGE: &str = "low: -3, high: 3.5";

fn picture_sums(t: &Tensor) -> Tensor {
    t.sum_dim_intlist([1, 2, 3].as_slice(), false, Kind::Float)
}

#[test]
fn methods_equal_captum() {
    let all = fixture("attributions");
    let (mut s, _) = build(&all, "vgg", VGG);
    for key in ["noise", "masks", "ball"] {
        s.tensor(key, &all[&format!("vgg/{key}")]);
    }
    let ig = |o: &str| format!("attrib::integrated_gradients(net, x, [3, 7], #{{{o}}})");
    let mut cases = vec![
        ("input_x_gradient", "attrib::input_x_gradient(net, x, [3, 7])".to_string()),
        ("integrated_gradients/plain", ig("")),
        (
            "occlusion/4x4",
            "attrib::occlusion(net, x, [3, 7], #{window: 4, stride: 2, baseline: 0.2, batch: 7})".into(),
        ),
        (
            "occlusion/5x6",
            "attrib::occlusion(net, x, [3, 7], #{window: [5, 6], stride: [3, 4], baseline: 0.2})".into(),
        ),
        (
            "rise",
            "attrib::rise(net, x, [target::softmax(3), target::softmax(7)], #{masks: masks, batch: 5})"
                .into(),
        ),
        ("guided_grad_cam/bilinear", "attrib::guided_grad_cam(net, \"features.6\", x, [3, 7])".into()),
        (
            "guided_grad_cam/nearest",
            "attrib::guided_grad_cam(net, \"features.6\", x, [3, 7], #{interpolation: \"nearest\"})".into(),
        ),
        ("sensitivity_max", String::new()),
    ];
    let rules = ["gauss_legendre", "riemann_left", "riemann_right", "riemann_middle"];
    let keys: Vec<String> = rules.iter().map(|r| format!("integrated_gradients/{r}")).collect();
    let o = |r: &str| ig(&format!("baseline: 0.3, steps: 20, rule: \"{r}\""));
    cases.extend(keys.iter().zip(rules).map(|(k, r)| (k.as_str(), o(r))));
    for method in ["smooth_grad", "smooth_grad_squared", "var_grad"] {
        cases.push((method, format!("attrib::{method}(net, x, [3, 7], #{{noise: noise}})")));
    }
    for (key, script) in cases.iter().filter(|c| !c.1.is_empty()) {
        close_relative(key, &s.eval_tensor(script), &all[&format!("vgg/{key}")]);
    }
    for rule in rules {
        let got = s.eval_tensor(&format!(
            "attrib::convergence_delta({}, net, x, [3, 7], #{{baseline: 0.3}})",
            o(rule)
        ));
        close(rule, &got, &all[&format!("vgg/delta/{rule}")], 1e-4);
    }
    let grey = s.eval_tensor(&format!("attrib::deprocess({})[0]", ig("")));
    let off = (grey.to_kind(Kind::Int) - all["deprocess"].to_kind(Kind::Int)).abs().max();
    assert!(off.int64_value(&[]) <= 1, "{off}"); // the fixture's attribution differs in its last bits
}

#[test]
fn relevances_equal_captum_and_zennit() {
    let all = fixture("attributions");
    let (mut s, _) = build(&all, "vgg", VGG);
    let lrp = |o: &str| format!("attrib::lrp(net, x, [3, 7], #{{{o}}})");
    close_relative("captum", &s.eval_tensor(&lrp("epsilon: 1e-9")), &all["vgg/lrp/epsilon"]);
    let (mut r, _) = build(&all, "res", RES);
    let mut seen = 0;
    for name in ["epsilon", "epsilon_plus", "alpha_beta", "epsilon_gamma_box"] {
        let o = format!("composite: \"{name}\", {RANGE}");
        close_relative(name, &s.eval_tensor(&lrp(&o)), &all[&format!("vgg/lrp_zennit/{name}")]);
        close_relative(name, &r.eval_tensor(&lrp(&o)), &all[&format!("res/lrp/{name}")]);
        for (script, key) in [(&mut s, "vgg/lrp_zennit/free"), (&mut r, "res/lrp/free")] {
            if let Some(want) = all.get(&format!("{key}/{name}")) {
                close_relative(name, &script.eval_tensor(&lrp(&format!("{o}, bias: false"))), want);
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 4);
    let want = &all["res/integrated_gradients"];
    close_relative("ig", &r.eval_tensor("attrib::integrated_gradients(net, x, [3, 7])"), want);
}

/// Without the share of biases all relevance reaches the picture, in nets of sums and norms too.
#[test]
fn relevance_is_conserved() {
    let all = fixture("attributions");
    for (name, script) in [("vgg", VGG), ("res", RES)] {
        let (mut s, _) = build(&all, name, script);
        let scores = s.eval_tensor("let y = net.forward(x); tensor::stack([y[0][3], y[1][7]])");
        for composite in ["epsilon", "gamma", "epsilon_gamma_box", "epsilon_plus", "alpha_beta"] {
            let map = s.eval_tensor(&format!(
                "attrib::lrp(net, x, [3, 7], #{{composite: \"{composite}\", bias: false, {RANGE}}})"
            ));
            let share = picture_sums(&map) / &scores;
            let off = (&share - 1.0).abs().max().double_value(&[]);
            assert!(off < 0.01, "{name} {composite}: {share}");
        }
        let with = picture_sums(&s.eval_tensor("attrib::lrp(net, x, [3, 7])")) / &scores;
        assert!((with - 1.0).abs().max().double_value(&[]) > 0.01, "biases keep their share");
    }
}

/// Norms that stand alone, transposed and grouped convolutions, smooth activations.
#[test]
fn relevance_of_other_layers() {
    let mut s = Script::new();
    cs385::core::seed::set(1).unwrap();
    s.tensor("x", &Tensor::randn([2, 3, 8, 8], tch::kind::FLOAT_CPU));
    for (i, net) in [
        "nn::sequential([nn::batch_norm2d(3), nn::conv2d(3, 4, 3), nn::silu(), nn::flatten(), nn::linear(144, 5)])",
        "nn::sequential([nn::conv_transpose2d(3, 4, 4, #{stride: 2}), nn::batch_norm2d(4), nn::silu(),
                         nn::conv_transpose2d(4, 8, 3, #{groups: 2}), nn::batch_norm2d(8), nn::flatten(),
                         nn::linear(3200, 5), nn::batch_norm1d(5)])",
        "nn::conv2d(3, 3, 3)",
    ]
    .iter()
    .enumerate()
    {
        s.eval(&format!(
            "let net = {net};
             if net.layers().len() > 1 {{ net.train(); for i in 0..3 {{ net.forward(x); }} net.train(false); }}"
        ));
        let (target, y) = match i {
            2 => ("target::area(1, 1, 3, 2)", "net.forward(x)[[.., .., 1..3, 1..4]].sum([1, 2, 3])"),
            _ => ("2", "net.forward(x)[[.., 2]]"),
        };
        // Where a window of a transposed convolution has no positive part, α 1, β 0 has nobody to give relevance to.
        let composites = if i == 1 { &["epsilon", "gamma"][..] } else { &["epsilon", "gamma", "epsilon_plus"] };
        for composite in composites {
            let map = s.eval_tensor(&format!(
                "attrib::lrp(net, x, {target}, #{{composite: \"{composite}\", bias: false, epsilon: 1e-9}})"
            ));
            let (got, want) = (picture_sums(&map), s.eval_tensor(y));
            let largest = want.abs().max();
            close(&format!("{net} {composite}"), &(got / &largest), &(want / &largest), 5e-3);
        }
    }
}

#[test]
fn attributions_name_what_is_wrong() {
    let all = fixture("attributions");
    let (mut s, net) = build(&all, "vgg", VGG);
    net.set_training(true);
    for e in entries().iter().filter(|e| e.home == "attrib") {
        let name = e.name.as_str();
        let call = |x: &str, target: &str, o: &str| match name {
            "guided_grad_cam" => format!("attrib::{name}(net, \"features.6\", {x}, {target}, {o})"),
            _ => format!("attrib::{name}(net, {x}, {target}, {o})"),
        };
        if ["deprocess", "convergence_delta", "heatmap"].contains(&name) {
            continue;
        }
        let few = if name == "rise" { "#{samples: 3}" } else { "#{}" };
        s.fails(&call("x", "10", few), &["there is no class 10: the network has classes 0 to 9"]);
        s.fails(&call("x", "[1, 2, 3]", few), &["3 targets for a batch of 2"]);
        s.fails(&call("x[0][0]", "1", few), &["[N, C, H, W] or [C, H, W]"]);
        s.fails(&call("x", "1", "#{nois: 1}"), &["unknown option `nois`"]);
        assert!(net.is_training(), "{name}");
    }
    for (call, parts) in [
        ("guided_grad_cam(net, \"features.9\", x, 1)", &["unknown layer `features.9`"][..]),
        ("guided_grad_cam(net, \"classifier.0\", x, 1)", &["feature map [N, C, h, w]"]),
        ("guided_grad_cam(net, [], x, 1)", &["no layer given"]),
        ("integrated_gradients(net, x, 1, #{steps: 0})", &["`steps`", "positive integer"]),
        (
            "integrated_gradients(net, x, 1, #{rule: \"simpson\"})",
            &["unknown rule `simpson`", "riemann_left"],
        ),
        (
            "integrated_gradients(net, x, 1, #{baseline: tensor::zeros([2, 2])})",
            &["baseline [2, 2] does not fit"],
        ),
        ("smooth_grad(net, x, 1, #{samples: 0})", &["`samples` must be at least 1"]),
        ("smooth_grad(net, x, 1, #{noise: x})", &["[samples, N, C, H, W], got [2, 3, 16, 20]"]),
        ("occlusion(net, x, 1, #{window: 17})", &["17 × 17 does not lie in pictures of 16 × 20"]),
        ("occlusion(net, x, 1, #{window: 4, stride: 5})", &["`stride` 5, 5", "no patch covers"]),
        ("rise(net, x, 1, #{p: 0})", &["`p` is a share above 0"]),
        ("rise(net, x, 1, #{masks: tensor::ones([3, 16, 16])})", &["[samples, 16, 20], got [3, 16, 16]"]),
        ("lrp(net, x, 1, #{composite: \"zbox\"})", &["unknown composite `zbox`", "epsilon_gamma_box"]),
        (
            "lrp(net, x, 1, #{composite: \"epsilon_gamma_box\", low: [0, 1]})",
            &["2 values for pictures of 3 channels"],
        ),
        ("lrp(net, x, 1, #{alpha: 0.5})", &["`alpha` at least 1"]),
        (
            "lrp(nn::sequential([nn::conv2d(3, 2, 3), nn::group_norm(1, 2)]), x, target::area(0, 0, 2, 2))",
            &["no rule for layer `1`"],
        ),
        ("deprocess(tensor::ones([2, 2]))", &["[N, C, H, W] or [C, H, W], got [2, 2]"]),
        ("convergence_delta(x[0], net, x, 1)", &["is [2, C, H, W], got [1, 3, 16, 20]"]),
    ] {
        s.fails(&format!("attrib::{call}"), parts);
    }
}

/// Captum's one-convolution net: values from captum's own tests and, for occlusion and integrated gradients, captum.
#[test]
fn captums_literals() {
    let float = tch::kind::FLOAT_CPU;
    let mut s = Script::new();
    let net: Net = s.tensor("x", &Tensor::arange(16, float).view([1, 1, 4, 4])).eval_object(
        r#"nn::sequential([["conv1", nn::conv2d(1, 2, 3)], ["relu1", nn::relu()], ["flat", nn::flatten()],
                           ["fc", nn::linear(8, 4)], ["relu2", nn::relu()]])"#,
    );
    let weights = [
        ("conv1.weight", Tensor::ones([2, 1, 3, 3], float)),
        ("conv1.bias", Tensor::from_slice(&[-50f32, -75.0])),
        ("fc.weight", Tensor::cat(&[Tensor::ones([4, 5], float), -Tensor::ones([4, 3], float)], 1)),
        ("fc.bias", Tensor::zeros([4], float)),
    ];
    net.load_named(weights.map(|(n, t)| (n.to_string(), t)).into(), true).unwrap();
    s.set("net", Value::object(net));
    let want = [0f32, 0., 4., 4., 0., 0., 12., 8., 28., 84., 97.5, 65., 28., 56., 65., 32.5];
    let got = s.eval_tensor(r#"attrib::guided_grad_cam(net, "relu1", x, 0, #{interpolation: "nearest"})"#);
    close("guided Grad-CAM", &got, &Tensor::from_slice(&want).view([1, 1, 4, 4]), 1e-4);
    let row = s.eval_tensor("attrib::occlusion(net, x, 0, #{window: 2, stride: 1})[[0, 0, 0]]");
    close("occlusion", &row, &Tensor::from_slice(&[7f32, 8.0, 6.5, 4.0]), 1e-4);
    let sum = s.eval_tensor("attrib::integrated_gradients(net, x, 0).sum()");
    close("integrated gradients", &sum, &Tensor::from(53.329f32), 1e-4);
    let delta =
        s.eval_tensor("attrib::convergence_delta(attrib::integrated_gradients(net, x, 0), net, x, 0)");
    close("delta", &delta, &Tensor::from_slice(&[-0.671f32]), 1e-3);
}
