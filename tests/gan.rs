//! stdlib/gan.rhai against a VAE-GAN written in PyTorch (oracles/gan/make.py): parts, gradients; training, bad input.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/heard.rs"]
mod heard;
mod support;

use cs385::core::progress::set_sink;
use cs385::nn::Net;
use heard::listen;
use support::{Script, alone, below, cases, close_relative, fixture};
use tch::Tensor;

/// Small networks, and pictures for them.
fn small() -> Script {
    let mut s = Script::with_library();
    s.eval(
        "seed(0); let size = #{size: [3, 16, 16], width: 2}; let net = gan::vae(size + #{latent: 3});
         let judge = gan::discriminator(size); let data = data::from_tensors(tensor::rand([32, 3, 16, 16]));
         let o = #{save: false, epochs: 1, batch_size: 8}; ()",
    );
    s
}

#[test]
fn a_step_equals_pytorch() {
    let _alone = alone();
    let (all, case) = (fixture("gan"), cases("gan").remove(0));
    let mut s = small();
    let nets: [(&str, Net); 2] = [("vae", s.eval_object("net")), ("discriminator", s.eval_object("judge"))];
    for (name, net) in &nets {
        let report = net.load_named(below(&all, name), false).unwrap();
        assert!(
            report.mismatched.is_empty() && report.unexpected.is_empty(),
            "{:?} {:?}",
            report.mismatched,
            report.unexpected
        );
        assert!(report.missing.iter().all(|k| k.contains("running_")), "{:?}", report.missing);
    }
    s.tensor("x", &all["x"]).set("gamma", cs385::core::Value::Float(case["gamma"].as_f64().unwrap()));
    tch::manual_seed(case["seed"].as_i64().unwrap());
    s.eval("let l = gan::losses(net.train(), judge.train(), x, \"conv4\"); ()");
    for key in ["kl", "likeness", "real", "fake", "accuracy"] {
        let want = Tensor::from(case[key].as_f64().unwrap() as f32);
        close_relative(key, &s.eval_tensor(&format!("l.{key}")), &want);
    }
    s.eval(
        "let rule = |part| optim::sgd(part, #{lr: 1e-30});
         let opts = #{encoder: rule.call(net.part(\"encoder\")), decoder: rule.call(net.part(\"decoder\")),
                      discriminator: rule.call(judge)}; ()",
    );
    tch::manual_seed(case["seed"].as_i64().unwrap());
    s.eval("gan::step(net, judge, opts, x, #{gamma: gamma, margin: 9.0})");
    let mut seen = 0;
    for (name, net) in &nets {
        for (key, p) in net.parameters(true) {
            let want = &all[&format!("grad/{name}/{key}")];
            // Batch norm takes a bias away again: its gradient is rounding.
            if want.abs().max().double_value(&[]) > 1e-5 {
                close_relative(&format!("gradient of {name} {key}"), &p.grad(), want);
                seen += 1;
            }
        }
    }
    assert!(seen > 35, "{seen}");
}

#[test]
fn who_is_ahead_rests() {
    let _alone = alone();
    let mut s = small();
    // Costs are near ln 2: with an equilibrium far above both are "ahead", far below both "behind".
    for (equilibrium, learns) in [(5.0, 0.0), (0.68, 1.0), (-5.0, 1.0)] {
        s.eval(&format!(
            "let run = gan::fit(net, judge, data, o + #{{equilibrium: {equilibrium}, margin: 0.6}}); ()"
        ));
        assert_eq!(s.eval_tensor("tensor(run.last.train_learns)").double_value(&[]), learns, "{equilibrium}");
    }
}

#[test]
fn a_game_that_is_lost_is_told() {
    let _alone = alone();
    let mut s = small();
    let heard = listen();
    // Black against what the decoder draws, and no rest: told apart at once.
    s.eval("gan::fit(net, judge, data::from_tensors(tensor::zeros([64, 3, 16, 16])), o + #{epochs: 6, lr: 3e-3, margin: 9.0}); ()");
    set_sink(None);
    let all = heard.0.borrow();
    assert!(all.iter().any(|l| l.contains("the discriminator tells") && l.contains("margin")), "{all:?}");
}

#[test]
fn the_networks_are_a_vae_with_names() {
    let _alone = alone();
    let mut s = small();
    s.eval("let x = tensor::rand([2, 3, 16, 16]); ()");
    assert_eq!(s.eval_tensor("vae::sample(net, 5)").size(), [5, 3, 16, 16]);
    assert_eq!(s.eval_tensor("vae::measures(net, x, #{loss: \"mse\"}).kl_per_dim").size(), [3]);
    for layer in ["encoder.relu1", "decoder.deconv2"] {
        let map =
            s.eval_tensor(&format!("cam::grad_cam(net, \"{layer}\", x, target::area(2, 3, 5, 4)).tensor()"));
        assert_eq!(map.size(), [2, 16, 16]);
    }
    s.eval("vae::fit(net, data, o + #{loss: \"mse\"}); ()");
}

#[test]
fn bad_input_is_an_error() {
    let _alone = alone();
    let mut s = small();
    s.fails("gan::vae(#{size: [3, 20, 24]})", &["20 × 24 pixels cannot be halved 3 times"]);
    s.fails("gan::discriminator(#{size: [64, 64]})", &["`size` is [channels, height, width], got [64, 64]"]);
    s.fails("gan::vae(#{latent: 0})", &["`latent` must be at least 1, got 0"]);
    s.fails("gan::vae(#{widht: 4})", &["unknown option `widht`; did you mean `width`?"]);
    s.fails("gan::fit(net, judge, data, o + #{layer: \"conv9\"})", &["conv9"]);
    s.fails("gan::fit(net, judge, data, o + #{lr: 1e30})", &["became", "smaller learning rate"]);
    s.fails("gan::fit(judge, judge, data, o)", &["encoder"]);
}
