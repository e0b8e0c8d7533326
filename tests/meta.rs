//! Every layer, loss and target on libtorch's `meta` device: where one of them makes a tensor of its own on the CPU,
//! libtorch refuses to mix the two, here as with CUDA.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::{Value, device, ffi};
use cs385::nn::Net;
use cs385::registry::entries;
use support::{OTHERS, Script, below, cases, fixture};
use tch::{Device, Tensor};

fn meta(t: &Tensor) -> Tensor {
    let m = ffi::to_meta(&t.detach()).unwrap();
    if t.requires_grad() { m.set_requires_grad(true) } else { m }
}

/// What has no data cannot be copied to the CPU.
fn is_meta(t: &Tensor) -> bool {
    t.f_to_device(Device::Cpu).is_err_and(|e| e.to_string().contains("meta"))
}

fn build(s: &mut Script, script: &str) -> Net {
    let net: Net = device::on_meta(|| s.eval_object(script));
    for (name, t, _) in net.named() {
        assert!(is_meta(&t), "{name} of {script}");
    }
    net
}

/// Fails unless every function of `home` stands in one of the scripts.
fn complete(home: &str, scripts: &[String]) {
    for e in entries().iter().filter(|e| e.home == home) {
        let call = format!("{home}::{}(", e.name);
        assert!(scripts.iter().any(|s| s.contains(&call)), "{call}…) is not tried on the meta device");
    }
}

#[test]
fn the_test_would_see_a_stray_tensor() {
    let x = meta(&Tensor::ones([2, 3], tch::kind::FLOAT_CPU));
    assert!(is_meta(&(&x + 1.0)) && !is_meta(&Tensor::ones([2, 3], tch::kind::FLOAT_CPU)));
    // Kernels of libtorch's own, and those that meta.cpp stands in for.
    let stray = Tensor::ones([2, 3], tch::kind::FLOAT_CPU);
    for mixed in [
        x.f_add(&stray),
        x.f_huber_loss(&stray, tch::Reduction::Mean, 1.0),
        x.f_mse_loss(&stray, tch::Reduction::Mean),
    ] {
        assert!(mixed.is_err());
    }
    let picture = meta(&Tensor::ones([1, 2, 5, 5], tch::kind::FLOAT_CPU));
    let weight = Tensor::ones([1, 2, 3, 3], tch::kind::FLOAT_CPU);
    let conv = picture.f_conv2d(&weight, None::<&Tensor>, 1, 0, 1, 1);
    assert!(conv.is_err_and(|e| e.to_string().contains("same device")));
}

#[test]
fn every_layer() {
    let all = fixture("layers");
    let table = cases("layers");
    let mut scripts: Vec<String> = table.iter().map(|c| c["script"].as_str().unwrap().to_string()).collect();
    for (case, script) in table.iter().zip(&scripts) {
        let net = build(&mut Script::new(), script);
        net.set_training(case["train"].as_bool().unwrap());
        let name = case["name"].as_str().unwrap();
        let x = meta(&all[&format!("{name}/x")]);
        let x = if x.is_floating_point() { x.set_requires_grad(true) } else { x };
        let y = net.forward_tensor(&x).unwrap_or_else(|e| panic!("{script}: {e}"));
        assert!(is_meta(&y), "{script}");
        assert_eq!(y.size(), all[&format!("{name}/y")].size(), "{script}");
    }
    // Containers and the layers whose output PyTorch draws at random.
    for (script, shape) in [
        ("nn::sequential([nn::residual(nn::identity()), nn::dropout(0.5)])", vec![2, 3]),
        ("nn::custom(#{a: nn::linear(3, 4)}, |m, x| m.a.forward(x).relu() * 2 + 1)", vec![2, 4]),
        ("nn::sequential([nn::linear(3, 8), nn::gaussian()])", vec![2, 4]),
        ("nn::sequential([nn::unflatten([3, 1, 1]), nn::dropout2d(0.5), nn::flatten()])", vec![2, 3]),
    ] {
        let mut s = Script::new();
        s.tensor("x", &meta(&Tensor::ones([2, 3], tch::kind::FLOAT_CPU)));
        let y =
            device::on_meta(|| s.eval_tensor(&format!("let net = {script}; net.train(); net.forward(x)")));
        assert!(is_meta(&y) && y.size() == shape, "{script}: {:?}", y.size());
        scripts.push(script.to_string());
    }
    scripts.push("nn::load(".to_string()); // a file of these layers, not one of its own
    complete("nn", &scripts);
}

#[test]
fn every_loss() {
    let given = below(&fixture("losses"), "given");
    let table = cases("losses");
    let mut scripts = Vec::new();
    for case in &table {
        let [output, script] = ["output", "script"].map(|k| case[k].as_str().unwrap());
        let mut s = Script::new();
        for (key, t) in &given {
            let t = meta(t);
            s.tensor(key, &if key == output { t.set_requires_grad(true) } else { t });
        }
        let loss = s.eval_tensor(script);
        assert!(is_meta(&loss), "{script}");
        scripts.push(script.to_string());
    }
    complete("loss", &scripts);
}

#[test]
fn every_target_and_cam() {
    let classifier = r#"nn::sequential([["conv", nn::conv2d(3, 4, 3)], ["gap", nn::adaptive_avg_pool2d(1)],
        ["flat", nn::flatten()], ["fc", nn::linear(4, 5)]])"#;
    let picture =
        r#"nn::sequential([["conv", nn::conv2d(3, 4, 3, #{padding: 1})], ["sigmoid", nn::sigmoid()]])"#;
    let mut scripts = Vec::new();
    for (net, target) in [
        (classifier, "target::top()"),
        (classifier, "[target::class(3), target::softmax(0)]"),
        (classifier, "target::custom(|out| out.pow(2).sum(1))"),
        (classifier, "target::rest(2)"),
        (picture, "target::area(1, 2, 3, 4)"),
        (picture, "target::mask(mask)"),
        (picture, "target::area_error(1, 2, 3, 4, #{reference: tensor::ones([4, 8, 8])})"),
        (picture, "target::segment(1)"),
        (picture, "target::segment(1, mask)"),
        (picture, "target::segment(2, [1, 2, 3, 4])"),
        (picture, "target::border(1)"),
        (classifier, "target::latent(3)"),
        (classifier, "target::similarity(tensor::ones([5]))"),
        (classifier, "target::difference(3, target::class(1))"),
    ] {
        let mut s = Script::new();
        let n = build(&mut s, net);
        s.set("net", Value::object(n)).tensor("x", &meta(&Tensor::rand([2, 3, 8, 8], tch::kind::FLOAT_CPU)));
        // A mask is read from a file or drawn: it lies on the CPU whatever the network does.
        s.tensor("mask", &Tensor::ones([8, 8], tch::kind::FLOAT_CPU));
        let grad = s.eval_tensor(&format!(r#"net.grads(x, {target}, ["conv"]).conv"#));
        assert!(is_meta(&grad), "{target}");
        for e in entries().iter().filter(|e| e.home == "cam") {
            let name = &e.name;
            let call = match name.as_str() {
                n if n != "custom" && OTHERS.contains(&n) => continue, // they call the others; the measures read values
                "full_grad" => format!("cam::full_grad(net, x, {target})"),
                "custom" => format!(r#"cam::custom(net, "conv", x, {target}, |act, grad| act * grad)"#),
                "finer_cam"
                    if [
                        "area",
                        "mask",
                        "custom",
                        "segment",
                        "border",
                        "latent",
                        "similarity",
                        "difference",
                    ]
                    .iter()
                    .any(|t| target.contains(t)) =>
                {
                    continue; // it compares classes
                }
                "finer_cam" => r#"cam::finer_cam(net, "conv", x, [3, target::top()])"#.to_string(),
                _ => format!(r#"cam::{name}(net, "conv", x, {target}, #{{batch: 3}})"#),
            };
            let map = s.eval_tensor(&format!("{call}.tensor()"));
            assert!(is_meta(&map) && map.size() == [2, 8, 8], "{call}");
        }
        for e in
            entries().iter().filter(|e| e.home == "attrib" && e.params.iter().any(|p| p.name == "target"))
        {
            let call = match e.name.as_str() {
                "convergence_delta" => format!("attrib::convergence_delta(x, net, x, {target})"),
                "guided_backprop" | "deconvnet" | "guided_grad_cam" => continue, // there is no ReLU layer
                "occlusion" => format!("attrib::occlusion(net, x, {target}, #{{window: 4}})"),
                "rise" => format!("attrib::rise(net, x, {target}, #{{samples: 3}})"),
                name => format!("attrib::{name}(net, x, {target})"),
            };
            assert!(is_meta(&s.eval_tensor(&call)), "{call}");
        }
        scripts.push(target.to_string());
    }
    scripts.push("target::component(".to_string()); // it walks through the values, on the CPU
    complete("target", &scripts);
}

#[test]
fn every_model() {
    let Value::List(names) = Script::new().eval("models::list()") else { panic!("no list") };
    for name in names {
        let Value::Str(name) = name else { panic!("no name") };
        let (options, shape) = match name.as_str() {
            "lenet" => ("", [1, 1, 28, 28]),
            "plain_cnn" => ("bn_dropout: true", [1, 3, 64, 64]),
            _ => ("", [1, 3, 64, 64]),
        };
        let net = build(&mut Script::new(), &format!("models::{name}(#{{{options}}})"));
        let x = meta(&Tensor::ones(shape, tch::kind::FLOAT_CPU)).set_requires_grad(true);
        let y = net.forward_tensor(&x).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(is_meta(&y) && y.size()[0] == 1, "{name}");
        y.sum(tch::Kind::Float).f_backward().unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
