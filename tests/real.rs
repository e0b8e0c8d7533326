//! Every method on the networks it is used on, a plain CNN, a ResNet18 and a VGG16 with random weights, against
//! pytorch-grad-cam, torchcam, captum and zennit (oracles/real/make.py, which says how both sides draw the weights).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::{Value, arrays};
use cs385::explain::Heatmap;
use cs385::nn::Net;
use std::collections::BTreeSet;
use std::sync::Mutex;
use support::{Script, Tensors, close, distance, oracle};
use tch::{Kind, Tensor};

const FLOAT: (Kind, tch::Device) = tch::kind::FLOAT_CPU;

/// What the references have (a CAM of one's own needs no real network: tests/cams.rs compares it).
const ALL: &[&str] = &[
    "cam::ablation_cam",
    "cam::eigen_cam",
    "cam::eigen_grad_cam",
    "cam::fem",
    "cam::finer_cam",
    "cam::full_grad",
    "cam::grad_cam",
    "cam::grad_cam_elementwise",
    "cam::grad_cam_pp",
    "cam::hires_cam",
    "cam::is_cam",
    "cam::kpca_cam",
    "cam::layer_cam",
    "cam::refine_cam",
    "cam::score_cam",
    "cam::seg_eigen_cam",
    "cam::shapley_cam",
    "cam::smooth_grad_cam_pp",
    "cam::ss_cam",
    "cam::xgrad_cam",
    "attrib::deconvnet",
    "attrib::guided_backprop",
    "attrib::input_x_gradient",
    "attrib::integrated_gradients",
    "attrib::lrp",
    "attrib::occlusion",
    "attrib::saliency",
];

/// libtorch's generator is one for all threads.
static GENERATOR: Mutex<()> = Mutex::new(());

/// A network of its script, with the oracle's weights, pictures `x`, their `part` and noise.
fn given(name: &str, script: &str, size: i64) -> (Script, Tensors) {
    let all = arrays::read_named(oracle(&format!("real/{name}.safetensors"))).unwrap().into_iter().collect();
    let mut s = Script::new();
    let generator = GENERATOR.lock().unwrap();
    let net: Net = s.eval_object(script);
    tch::manual_seed(5);
    let low = Tensor::randn([3, 3, 8, 8], FLOAT).upsample_bilinear2d([size, size], false, None, None);
    let x = low + Tensor::randn([3, 3, size, size], FLOAT) * 0.2;
    let mut tensors = net.named();
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    let no_grad = tch::no_grad_guard();
    for (name, mut t, _) in tensors.into_iter().filter(|(name, ..)| !name.ends_with("tracked")) {
        let draw = Tensor::randn(t.size(), FLOAT);
        let draw = match name.rsplit('.').next().unwrap() {
            "running_var" => draw.tanh() * 0.3 + 1.0,
            "running_mean" | "bias" => draw * 0.1,
            _ if t.dim() == 1 => draw * 0.2 + 1.0,
            _ => draw * (2.0 / (t.numel() as f64 / t.size()[0] as f64)).sqrt(),
        };
        t.copy_(&draw);
    }
    drop(no_grad);
    let half = if name == "vgg16" { 32 } else { size };
    s.tensor("ss_cam", &(Tensor::randn([2, 3, 1, half, half], FLOAT) * 2.0));
    s.tensor("smooth_grad_cam_pp", &(Tensor::randn([3, 3, 3, size, size], FLOAT) * 0.3));
    drop(generator);
    s.set("net", Value::object(net)).tensor("x", &x);
    s.tensor("part", &x.narrow(2, 0, half).narrow(3, 0, half).contiguous());
    (s, all)
}

/// Every fifth row and column.
fn few(t: &Tensor) -> Tensor {
    t.slice(-2, None, None, 5).slice(-1, None, None, 5)
}

fn numbers(t: &Tensor) -> Vec<i64> {
    Vec::try_from(t).unwrap()
}

/// The call that a key of the fixture stands for.
fn call(key: &str, all: &Tensors) -> String {
    let parts: Vec<&str> = key.split('/').collect();
    let each = |of: &str, kind: &str| {
        let all: Vec<String> = numbers(&all[of]).iter().map(|k| format!("target::{kind}({k})")).collect();
        format!("[{}]", all.join(", "))
    };
    let target = |name: &str| match name {
        "top" => "()".to_string(),
        "soft" => each("others", "softmax"),
        "second" => each("others", "class"),
        "rest" => each("classes", "rest"),
        other => panic!("{other}"),
    };
    match parts[..] {
        ["cam", "full_grad", _, t] => format!("cam::full_grad(net, x, {})", target(t)),
        ["cam", method, layers, t] => {
            let (method, option) = method.split_once('+').unwrap_or((method, ""));
            let layers: Vec<String> = layers.split('+').map(|l| format!("{l:?}")).collect();
            let mut o = Vec::new();
            if option.ends_with("smooth") {
                o.push(format!("{option}: true"));
            }
            if ["ss_cam", "smooth_grad_cam_pp"].contains(&method) {
                o.push(format!("noise: {method}"));
            }
            if method == "is_cam" {
                o.push("samples: 2".to_string());
            }
            let x = if option == "part" { "part" } else { "x" };
            format!("cam::{method}(net, [{}], {x}, {}, #{{{}}})", layers.join(", "), target(t), o.join(", "))
        }
        ["attrib", "lrp", t] => format!("attrib::lrp(net, x, {}, #{{epsilon: 1e-9}})", target(t)),
        ["attrib", "lrp", composite, t] => {
            let o = if composite == "epsilon" { "epsilon: 0.01" } else { "low: -4, high: 4" };
            format!("attrib::lrp(net, x, {}, #{{composite: {composite:?}, {o}}})", target(t))
        }
        ["attrib", "lrp", "free", composite, t] => {
            format!("attrib::lrp(net, x, {}, #{{composite: {composite:?}, bias: false}})", target(t))
        }
        ["attrib", method, t] => {
            let o = match method {
                "integrated_gradients" => "steps: 8",
                "occlusion" => "window: 24, stride: 20",
                _ => "",
            };
            format!("attrib::{method}(net, x, {}, #{{{o}}})", target(t))
        }
        _ => panic!("{key}"),
    }
}

/// The network and the pictures in double precision.
fn widen(s: &mut Script) {
    let net: Net = s.eval_object("net");
    for (_, mut t, _) in net.named() {
        let double = t.detach().to_kind(Kind::Double);
        t.set_data(&double);
    }
    let x = s.eval_tensor("x").to_kind(Kind::Double);
    s.tensor("x", &x);
}

/// Compares everything the fixture holds.
fn agree(s: &mut Script, all: &Tensors) {
    let y = s.eval_tensor("net.forward(x)");
    close("logits", &y, &all["logits"], 1e-4);
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for (key, want) in all.iter().filter(|(k, _)| k.starts_with("cam/")) {
        let map = s.eval_object::<Heatmap>(&call(key, all)).tensor().shallow_clone();
        let tolerance = if key.contains("kpca_cam") { 1e-3 } else { 1e-4 };
        let d = distance(&few(&map), want);
        if d > tolerance {
            wrong.push(format!("{key}: {d:e}"));
        }
        seen.insert(format!("cam::{}", key.split(['/', '+']).nth(1).unwrap()));
    }
    let mut attributions: Vec<_> =
        all.iter().filter(|(k, _)| k.starts_with("attrib/") && !k.ends_with("/total")).collect();
    // Those in double precision last.
    attributions.sort_by_key(|(k, _)| k.contains("integrated_gradients"));
    let mut wide = false;
    for (key, want) in attributions {
        if !wide && key.contains("integrated_gradients") {
            widen(s);
            wide = true;
        }
        let got = s.eval_tensor(&call(key, all)).to_kind(Kind::Float);
        let largest = want.abs().amax([1, 2, 3], true);
        let d = distance(&(few(&got) / &largest), &(want / &largest));
        let total = got.abs().sum_dim_intlist([1, 2, 3].as_slice(), false, Kind::Float);
        let d = d.max(distance(&(&total / &all[&format!("{key}/total")]), &total.ones_like()));
        if d > 1e-4 {
            wrong.push(format!("{key}: {d:e}"));
        }
        seen.insert(format!("attrib::{}", key.split('/').nth(1).unwrap()));
    }
    wrong.extend(ALL.iter().filter(|n| !seen.contains(**n)).map(|n| format!("{n} is compared with nothing")));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn plain_cnn_agrees() {
    let (mut s, all) = given("plain", "models::plain_cnn(#{width: 16})", 64);
    agree(&mut s, &all);
}

#[test]
fn vgg16_agrees() {
    let (mut s, all) = given("vgg16", "models::vgg16(#{hidden: 512})", 48);
    agree(&mut s, &all);
}

#[test]
fn resnet18_agrees() {
    let (mut s, all) = given("resnet18", "models::resnet18()", 80);
    agree(&mut s, &all);

    // All relevance reaches the picture where biases keep none. (Not with the epsilon rule alone: sums near
    // 0 divide relevances of both signs, which grow over so many layers until single precision cannot add them up;
    // tests/attributions.rs has it on small networks.)
    let scores = s.eval_tensor("net.forward(x).amax(1)");
    for composite in ["gamma", "epsilon_gamma_box", "epsilon_plus", "alpha_beta"] {
        let o = format!("#{{composite: {composite:?}, bias: false}}");
        let sums = s.eval_tensor(&format!("attrib::lrp(net, x, (), {o}).sum([1, 2, 3])"));
        close(composite, &(sums / &scores), &scores.ones_like(), 0.01);
    }

    s.eval(r#"let map = cam::layer_cam(net, "layer3", x);"#);
    let target: Vec<String> =
        numbers(&all["classes"]).iter().map(|k| format!("target::softmax({k})")).collect();
    let target = format!("[{}]", target.join(", "));
    s.eval(&format!(
        "let r = metrics::road(net, x, map, {target}, #{{percentiles: [20, 40, 60, 80], std: 0}});"
    ));
    for (key, script) in [
        ("road/most", "r.most_curve".to_string()),
        ("road/least", "r.least_curve".into()),
        ("deletion", format!("metrics::deletion(net, x, map, {target}, #{{steps: 12}}).auc")),
        ("insertion", format!("metrics::insertion(net, x, map, {target}, #{{steps: 12}}).auc")),
    ] {
        close(key, &s.eval_tensor(&script), &all[&format!("metric/{key}")], 1e-3);
    }
}
