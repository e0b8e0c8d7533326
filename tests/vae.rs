//! stdlib/vae.rhai against VAEs written in PyTorch (oracles/vae/make.py): loss parts, gradients, measures; bad input.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::Value;
use cs385::nn::Net;
use support::{Script, Tensors, alone, below, build_with, cases, close, close_relative, fixture};
use tch::Tensor;

fn started(all: &Tensors, case: &serde_json::Value) -> (Script, Net) {
    let name = case["name"].as_str().unwrap();
    let (mut s, net) = build_with(Script::with_library(), all, name, case["net"].as_str().unwrap());
    s.tensor("seen", &all[&format!("{name}/seen")]).tensor("y", &all[&format!("{name}/y")]);
    s.set("loss", Value::Str(case["loss"].as_str().unwrap().to_string()));
    (s, net)
}

fn number(v: &serde_json::Value) -> Tensor {
    Tensor::from(v.as_f64().unwrap() as f32)
}

#[test]
fn a_step_equals_pytorch() {
    let _alone = alone();
    let all = fixture("vae");
    let table = cases("vae");
    assert_eq!(table.len(), 9);
    for case in &table {
        let name = case["name"].as_str().unwrap();
        let (mut s, net) = started(&all, case);
        tch::manual_seed(case["seed"].as_i64().unwrap());
        if let Some(how) = case["corrupt"].as_str() {
            // Noise drawn alike, and the generator left where the code's is drawn from.
            let seen = s.eval_tensor(&format!("noise::{how}"));
            close(&format!("{name}: corrupted pictures"), &seen, &all[&format!("{name}/seen")], 1e-6);
        }
        let given = if case["classes"] == 0 { "seen" } else { "#{x: seen, y: y}" };
        s.eval(&format!("let l = vae::losses(net.train(), {given}, x, loss); ()"));
        close(name, &s.eval_tensor("l.reconstruction"), &number(&case["reconstruction"]), 1e-4);
        close(name, &s.eval_tensor("l.kl"), &number(&case["kl"]), 1e-4);
        s.eval("(l.reconstruction + 0.7 * l.kl).backward()");
        let grads = below(&all, &format!("{name}/grad"));
        assert_eq!(grads.len(), net.parameters(true).len());
        for (key, p) in net.parameters(true) {
            let want = &all[&format!("{name}/grad/{key}")];
            close_relative(&format!("{name}: gradient of {key}"), &p.grad(), want);
        }
    }
}

#[test]
fn measures_equal_pytorch() {
    let _alone = alone();
    let all = fixture("vae");
    for case in &cases("vae") {
        let name = case["name"].as_str().unwrap();
        let (mut s, _) = started(&all, case);
        let given = if case["classes"] == 0 { "x" } else { "#{x: x, y: y}" };
        let want = &case["measured"];
        s.eval(&format!("let m = vae::measures(net, {given}, #{{loss: loss}}); ()"));
        for key in ["reconstruction", "error", "active"] {
            close(
                &format!("{name}: {key}"),
                &s.eval_tensor(&format!("tensor(m.{key})")),
                &number(&want[key]),
                1e-4,
            );
        }
        let dims: Vec<f32> =
            want["kl_per_dim"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect();
        close(&format!("{name}: KL"), &s.eval_tensor("m.kl_per_dim"), &Tensor::from_slice(&dims), 1e-4);
        let sum = s.eval_tensor("tensor(m.elbo + m.reconstruction + m.kl_per_dim.sum().item())");
        close(&format!("{name}: ELBO"), &sum, &Tensor::from(0f32), 1e-4);
        let nll = s.eval_tensor(&format!(
            "tensor(vae::nll(net, {given}, #{{loss: loss, samples: 25, rows: 100, seed: 5}}))"
        ));
        close(&format!("{name}: NLL"), &nll, &number(&want["nll"]), 1e-4);
    }
}

#[test]
fn batch_norm_stands_behind_every_hidden_layer() {
    let mut s = Script::with_library();
    let names = s.eval(
        "let net = vae::linear(#{size: [1, 4, 4], hidden: [8, 6], latent: 2, batch_norm: true}); \
         report::join(net.layers().filter(|l| l.contains(\".fc\") || l.contains(\".bn\")), \" \")",
    );
    let Value::Str(names) = names else { panic!("not a text") };
    let wanted = ["fc1", "bn1", "fc2", "bn2"];
    let both = |part: &str| wanted.map(|l| format!("{part}.{l}")).join(" ");
    assert_eq!(names, format!("{} {}", both("encoder"), both("decoder")));
    let out = s.eval_tensor("net.forward(tensor::rand([3, 1, 4, 4]))");
    assert_eq!(out.size(), [3, 1, 4, 4]);
}

#[test]
fn measuring_draws_nothing_from_the_run() {
    let _alone = alone();
    let mut s = Script::with_library();
    s.eval(
        "let net = vae::linear(#{hidden: [8], latent: 2}); let x = tensor::rand([5, 1, 28, 28]); seed(3); ()",
    );
    let undisturbed = s.eval_tensor("tensor::rand([4])");
    let after = s.eval_tensor(
        "seed(3); vae::nll(net, x, #{samples: 3}); vae::measures(net, x, #{}); tensor::rand([4])",
    );
    assert_eq!(undisturbed, after);
    // Batches change the noise, not what is measured: twelve thousand samples agree within their error.
    let pair = s.eval_tensor(
        "tensor([vae::nll(net, x, #{samples: 12000}), vae::nll(net, x, #{samples: 12000, rows: 30000})])",
    );
    assert!((pair.double_value(&[0]) - pair.double_value(&[1])).abs() < 0.05, "{pair}");
}

#[test]
fn layers_have_names_for_maps_and_targets() {
    let _alone = alone();
    let mut s = Script::with_library();
    s.eval("let x = tensor::rand([2, 1, 8, 8]); let area = target::area(2, 1, 3, 4); ()");
    for make in [
        "linear(#{size: [1, 8, 8], hidden: [9], latent: 3})",
        "conv(#{size: [1, 8, 8], width: 3, latent: 3})",
    ] {
        s.eval(&format!("let net = vae::{make}; ()"));
        let box_before_sigmoid = s.eval_tensor(
            r#"net.capture(x, ["decoder.logits"])["decoder.logits"][[.., .., 1..5, 2..5]].sum([1, 2, 3])"#,
        );
        // The area's gradient along the input is that of the logits' box: no sigmoid, no noise.
        let by_hand = s.eval_tensor(
            r#"let leaf = x.clone().requires_grad_();
               tensor::grad(net.capture(leaf, ["decoder.logits"])["decoder.logits"][[.., .., 1..5, 2..5]].sum(), leaf).abs().amax(1)"#,
        );
        assert!(box_before_sigmoid.size() == [2]);
        close(
            make,
            &s.eval_tensor(r#"attrib::saliency(net, x, area)"#).abs().amax([1], false),
            &by_hand,
            1e-5,
        );
        let code = s.eval_tensor("vae::encode(net, x).mu[[.., 1]].sum()");
        let grads = s.eval_tensor(
            r#"net.grads(x, target::latent(1, #{layer: "code"}), ["encoder.moments"])["encoder.moments"]"#,
        );
        assert!(code.requires_grad() && grads.select(1, 1).equal(&Tensor::ones([2], tch::kind::FLOAT_CPU)));
    }
    for layer in ["encoder.conv1", "encoder.relu2", "decoder.deconv1", "decoder.relu1"] {
        let map = s.eval_tensor(&format!(r#"cam::grad_cam(net, "{layer}", x, area).tensor()"#));
        assert_eq!(map.size(), [2, 8, 8]);
    }
    s.eval(
        r#"let whole = vae::of_class(vae::conv(#{size: [1, 8, 8], width: 3, latent: 3, classes: 5}), 2); ()"#,
    );
    assert_eq!(
        s.eval_tensor(r#"cam::grad_cam(whole, "vae.encoder.conv2", x, area).tensor()"#).size(),
        [2, 8, 8]
    );
}

#[test]
fn files_bring_a_vae_back() {
    let _alone = alone();
    let mut s = Script::with_library();
    s.eval("let net = vae::conv(#{size: [1, 8, 8], width: 3, latent: 3}); ()");
    let recipe = s.eval("net.recipe()").describe();
    assert!(recipe.starts_with("string"), "{recipe}");
    let folder = tempfile::tempdir().unwrap();
    let net: Net = s.eval_object("net");
    let file = folder.path().join("net.safetensors");
    net.write(&file, &cs385::nn::About::default()).unwrap();
    let same = s.eval_tensor(&format!(
        "let x = tensor::rand([2, 1, 8, 8]); nn::load({file:?}).forward(x) - net.forward(x)"
    ));
    assert_eq!(same.abs().max().double_value(&[]), 0.0);
}

#[test]
fn warm_up_and_corruption_reach_the_step() {
    let _alone = alone();
    let mut s = Script::with_library();
    s.eval(
        "let data = data::from_tensors(tensor::rand([32, 1, 4, 4]), tensor::arange(32) % 4);
         let make = |classes| vae::linear(#{size: [1, 4, 4], hidden: [8], latent: 2, classes: classes});
         let seen = [];
         let o = #{save: false, epochs: 2, batch_size: 8, beta: 2.0}; ()",
    );
    // The loss of every epoch has the whole weight, so that they compare; the steps have what has grown of it.
    s.eval("let run = vae::fit(make.call(0), data, o + #{warm_up: 1, lr: 1e-9}); let h = run.history; ()");
    let of = |s: &mut Script, i: usize| {
        s.eval_tensor(&format!("tensor((h[{i}].train_loss - h[{i}].train_reconstruction) / h[{i}].train_kl)"))
    };
    close("in warm-up", &of(&mut s, 0), &Tensor::from(2f32), 1e-4);
    close("after it", &of(&mut s, 1), &Tensor::from(2f32), 1e-4);
    let kl = |s: &mut Script, warm_up: &str| {
        let run = format!(
            "seed(0); let l = vae::fit(make.call(0), data, o + #{{epochs: 30, lr: 1e-2, warm_up: {warm_up}}}).last; tensor(l.train_kl)"
        );
        s.eval_tensor(&run).double_value(&[])
    };
    let [none, half, never] = ["0", "20", "1e6"].map(|w| kl(&mut s, w));
    assert!(1.2 * none < half && 1.2 * half < never, "{none} {half} {never}");
    s.eval("vae::fit(make.call(4), data, o + #{corrupt: |x| { seen.push(x.shape); x * 0 }, val: data}); ()");
    assert!(s.eval_tensor("tensor(seen.len())").int64_value(&[]) >= 8);
    s.fails("vae::fit(make.call(3), data, o)", &["the VAE knows classes 0 to 2, got 3"]);
    s.fails(
        "vae::fit(make.call(0), data, o + #{loss: \"l1\"})",
        &["`loss` is \"bce\" or \"mse\", got \"l1\""],
    );
    s.fails(
        "vae::fit(make.call(0), data, o + #{betta: 1})",
        &["unknown option `betta`; did you mean `beta`?"],
    );
    s.fails("vae::fit(make.call(0), data, o + #{lr: 1e30})", &["became", "smaller learning rate"]);
}

#[test]
fn bad_input_is_an_error() {
    let _alone = alone();
    let mut s = Script::with_library();
    s.eval("let net = vae::linear(#{size: [1, 4, 4], hidden: [8], latent: 2}); let x = tensor::rand([3, 1, 4, 4]); ()");
    s.fails(
        "vae::decode(net, tensor::zeros([3, 5]))",
        &["a code of this VAE has 2 numbers: [N, 2], got [3, 5]"],
    );
    s.fails("vae::decode(nn::linear(2, 2), tensor::zeros([3, 2]))", &["this is no VAE"]);
    s.fails("vae::conv(#{size: [3, 20, 24], depth: 3})", &["20 × 24 pixels cannot be halved 3 times"]);
    s.fails("vae::linear(#{size: [28, 28]})", &["`size` is [channels, height, width], got [28, 28]"]);
    s.fails("vae::linear(#{latent: 0})", &["`latent` must be at least 1"]);
    s.fails("vae::nll(net, x, #{samples: 0})", &["`samples` must be at least 1"]);
    s.fails(
        "codes::impute(net, x, tensor::ones([4, 4]), #{method: \"guess\"})",
        &["\"iterate\" or \"optimise\""],
    );
    s.fails("codes::way(x[0], x[1], 3, \"round\")", &["\"linear\" or \"spherical\""]);
    s.eval("let told = vae::linear(#{size: [1, 4, 4], hidden: [8], latent: 2, classes: 3}); ()");
    s.fails("told.forward(x)", &["a conditional VAE is given `#{x: …, y: classes}`"]);
    s.fails("vae::encode(told, #{x: x, y: tensor([0, 1, 3])})", &["the VAE knows classes 0 to 2, got 3"]);
    s.fails(
        "vae::decode(told, tensor::zeros([3, 2]))",
        &["a conditional VAE is given `#{z: …, y: classes}`"],
    );
}
